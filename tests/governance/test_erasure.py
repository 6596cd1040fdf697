"""Tenants and end users, erased from a gateway that serves: nothing of them is left, and nobody else is touched."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gateway.events import Decision
from tests.conftest import Start
from tests.support.cards import card
from tests.support.command import invoke
from tests.support.gateway import ADMIN_KEY, KEY, Gateway
from tests.support.upstream import Upstream

ACME = "pc-acme-key"
ADMIN = {"authorization": f"Bearer {ADMIN_KEY}"}


@pytest.fixture
def gateway(start: Start, upstream: Upstream) -> Gateway:
    tenants = [{"id": "acme-inc", "key_env": "ACME_KEY", "store_prompts": True}]
    models = [card("one", upstream.url), card("two", upstream.url)]
    return start({"models": models, "tenants": tenants}, ACME_KEY=ACME)


def ask(gateway: Gateway, key: str, prompt: str, *, user: str | None = None, score: float = 1.0) -> str:
    """A request and its feedback; returns the decision."""
    answer = gateway.chat(prompt, headers={"authorization": f"Bearer {key}"})
    assert answer.status_code == 200, answer.text
    name: str = answer.headers["x-polyculture-decision-id"]
    said: dict[str, Any] = {"decision_id": name, "score": score, "comment": f"about {prompt}"}
    assert gateway.feedback({**said, **({"source": user} if user else {})}, key=key).status_code == 200
    return name


def erase(gateway: Gateway, path: str, **query: Any) -> Any:
    answer = gateway.client.delete(f"/admin/v1/{path}", params=query, headers=ADMIN)
    assert answer.status_code == 200, answer.text
    return answer.json()


def files(data_dir: Path) -> bytes:
    return b"".join(path.read_bytes() for path in data_dir.iterdir() if path.is_file())


def verified(gateway: Gateway) -> int:
    """The feedback that ``router verify`` counts once the gateway has stopped, and finds sound."""
    assert gateway.stop() == 0
    told = invoke("router", "verify", environment={"POLYCULTURE_DATA_DIR": str(gateway.data_dir)})
    assert told.exit_code == 0, told.output
    lines = dict(line.rsplit(maxsplit=1) for line in told.output.splitlines() if line)
    assert lines["saved state"] == lines["refolded state"]
    return int(lines["feedback counted"])


def test_nothing_of_an_erased_tenant_is_left(gateway: Gateway) -> None:
    kept = [ask(gateway, KEY, f"an ordinary question {number}") for number in range(3)]
    gone = [ask(gateway, ACME, f"the marker of acme {number}", user="ann@acme") for number in range(5)]
    vectors = [event.features for name in gone for event in gateway.events(Decision, about=name)]
    before = gateway.probabilities("an ordinary question")
    assert all(np.frombuffer(vector, "<f4").any() for vector in vectors)

    done = erase(gateway, "tenants/acme-inc")
    assert done["step"] == "finished"
    receipt = done["receipt"]["receipt"]
    assert receipt["removed"]["events"] == 15
    assert receipt["state_before"] != receipt["state_after"]
    assert gateway.chat(headers={"authorization": f"Bearer {ACME}"}).status_code == 401
    assert gateway.probabilities("an ordinary question") == before
    assert gateway.chat().status_code == 200

    left = files(gateway.data_dir)
    for marker in (b"the marker of acme", b"acme-inc", b"ann@acme", *map(bytes.fromhex, gone), *vectors):
        assert marker not in left, marker
    assert all(bytes.fromhex(name) in left for name in kept)
    assert verified(gateway) == 3
