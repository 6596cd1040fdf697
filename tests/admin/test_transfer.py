"""What was learned, out of one installation and into another: routed alike, bit for bit."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from tests.admin.lived import MODELS, begun, configured, teach
from tests.conftest import ACME_KEY, Start
from tests.support.command import run
from tests.support.gateway import ADMIN_KEY, Gateway
from tests.support.upstream import Upstream

PROMPTS = ("Question 1", "What is 2 + 2?", "Tell me about cats.")


def exported(gateway: Gateway, **query: str) -> bytes:
    answer = gateway.client.get("/admin/v1/router/export", headers=ADMIN, params=query)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/octet-stream"
    return answer.content


def imported(gateway: Gateway, data: bytes, **query: Any) -> httpx.Response:
    return gateway.client.post("/admin/v1/router/import", headers=ADMIN, params=query, content=data)


ADMIN = {"authorization": f"Bearer {ADMIN_KEY}"}
ACME = {"authorization": f"Bearer {ACME_KEY}"}


def test_another_installation_routes_alike_to_the_bit(start: Start, upstream: Upstream) -> None:
    one = begun(start, upstream, home="one")
    teach(one, "two", rounds=30)
    data = exported(one)
    other = begun(start, upstream, home="other")
    assert other.probabilities(PROMPTS[0]) != one.probabilities(PROMPTS[0])
    answer = imported(other, data)
    assert answer.status_code == 200, answer.text
    for prompt in PROMPTS:
        assert other.probabilities(prompt) == one.probabilities(prompt)
    assert other.route(PROMPTS[0])["router_version"] == answer.json()["version"]
    assert exported(other) == data
    other.stop()
    again = begun(start, upstream, home="other")
    assert exported(again) == data
    teach(again, "three", rounds=3)
    assert exported(again) != data
    with np.load(io.BytesIO(data), allow_pickle=False) as file:
        manifest = json.loads(file["manifest"].tobytes())
        assert all(file[name].dtype.kind in "biufUS" for name in file.files)
    assert (manifest["policy"], manifest["arms"]) == ("polyculture", sorted(MODELS))
    assert manifest["parameters"]["exploration"] == 0.1


def test_an_earlier_version_and_another_tenant_can_be_taken_along_by_command_too(
    start: Start, upstream: Upstream, tmp_path: Path
) -> None:
    gateway = begun(start, upstream)
    teach(gateway, "one", rounds=6)
    early = exported(gateway)
    version = gateway.admin("pin", {}).json()["id"]
    teach(gateway, "two", rounds=6)
    assert exported(gateway) != early
    assert exported(gateway, version=version) == early
    before, version = gateway.probabilities(PROMPTS[0], headers=ACME), gateway.admin("pin", {}).json()["id"]
    assert imported(gateway, early, tenant="acme").status_code == 200
    assert gateway.probabilities(PROMPTS[0], headers=ACME) != before
    assert exported(gateway, tenant="acme") == early
    assert gateway.admin("rollback", {"version": version}).status_code == 200
    assert gateway.probabilities(PROMPTS[0], headers=ACME) == before
    target = tmp_path / "state.npz"
    assert run(gateway, "router", "export", str(target)).exit_code == 0
    assert target.read_bytes() == exported(gateway)
    again = run(gateway, "router", "export", str(target))
    assert (again.exit_code, "exists; choose another name" in again.output) == (1, True)
    assert run(gateway, "router", "import", str(target), "--tenant", "acme", "--yes").exit_code == 0
    assert exported(gateway, tenant="acme") == target.read_bytes()
    nobody = run(gateway, "router", "import", str(target), "--tenant", "nobody", "--yes")
    assert nobody.output == "Error: There is no tenant 'nobody'.\n"


def test_hyperparameters_and_models_must_be_those_that_are_here(start: Start, upstream: Upstream) -> None:
    one = begun(start, upstream, home="one")
    teach(one, "two", rounds=6)
    data = exported(one)
    configuration = configured(upstream, exploration=0.2)
    other = start(configuration, home="other", ACME_KEY=ACME_KEY)
    refused = imported(other, data)
    assert (refused.status_code, "exploration" in refused.json()["error"]["message"]) == (422, True)
    assert imported(other, data, adapt="true").status_code == 200
    assert min(other.probabilities(PROMPTS[0]).values()) >= 0.2 / 3 - 1e-12
    other.stop()
    configuration["models"].pop()
    other = start(configuration, home="other", ACME_KEY=ACME_KEY)
    refused = imported(other, data, adapt="true")
    assert (refused.status_code, "three" in refused.json()["error"]["message"]) == (422, True)


@pytest.mark.parametrize("data", [b"", b"nonsense", b"PK\x03\x04" + bytes(50)])
def test_what_is_no_exported_file_is_refused(healthy: Gateway, data: bytes) -> None:
    answer = imported(healthy, data)
    assert answer.status_code == 422
    assert "no exported state" in answer.json()["error"]["message"]


def test_a_damaged_file_is_refused(healthy: Gateway) -> None:
    data = bytearray(exported(healthy))
    data[len(data) // 2] ^= 1
    assert imported(healthy, bytes(data)).status_code == 422
