"""Secrets and prompts are planted everywhere, then looked for in all that the gateway says, logs and keeps."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from gateway.openapi import document
from tests.governance.test_erasure import files
from tests.support import answers, gateway
from tests.support.cards import card
from tests.support.gateway import Gateway, question
from tests.support.upstream import Script, Upstream, refusal, stream, whole

#: What is planted: each is told by its beginning alone.
PLANTED = {
    "POLYCULTURE_API_KEY": "pc-planted-data-key",
    "POLYCULTURE_ADMIN_KEY": "pca-planted-admin-key",
    "POLYCULTURE_METRICS_TOKEN": "planted-metrics-token",
    "ACME_KEY": "pc-planted-tenant-key",
    "UPSTREAM_KEY": "sk-planted-upstream-key",
}
IN_FILE, WRONG, PROMPT = "sk-planted-key-in-a-file", "pc-planted-wrong-key", "planted prompt of nobody's business"
DATA, ADMIN = ({"authorization": f"Bearer {PLANTED[f'POLYCULTURE_{kind}_KEY']}"} for kind in ("API", "ADMIN"))


class Ear:
    """Hears all that the gateway answers."""

    def __init__(self, *, running: Gateway) -> None:
        self.heard: list[str] = []
        self.gateway = running

    def ask(self, method: str, path: str, headers: dict[str, str], body: Any = None) -> httpx.Response:
        content = body if isinstance(body, bytes) else None if body is None else json.dumps(body).encode()
        answer = self.gateway.client.request(method, path, headers=headers, content=content)
        self.heard.append(f"{answer.headers} {answer.text}")
        return answer


def configured(upstream: Upstream, key_file: Path) -> dict[str, Any]:
    models = [card(name, upstream.url) for name in ("good", "broken", "refusing", "halting", "odd")]
    for each in models[:4]:
        each["upstream"]["api_key_env"] = "UPSTREAM_KEY"
    models[4]["upstream"]["api_key_file"] = str(key_file)
    return {"models": models, "tenants": [{"id": "acme", "key_env": "ACME_KEY"}]}


@pytest.fixture
def ear(tmp_path: Path, upstream: Upstream) -> Iterator[Ear]:
    key_file = tmp_path / "key"
    key_file.write_text(IN_FILE)
    upstream.scripts["broken"] = refusal(500, f"Your key {PLANTED['UPSTREAM_KEY']} broke me.")
    upstream.scripts["refusing"] = refusal(400, f"I do not like the key {PLANTED['UPSTREAM_KEY']} at all.")
    upstream.scripts["halting"] = Script(pieces=stream(answers.events({"model": "m"})[:2], end=False), ending="reset")
    upstream.scripts["odd"] = Script(pieces=[whole(b"{" + IN_FILE.encode())])
    environment = {**PLANTED, "POLYCULTURE_LOG_LEVEL": "debug", "POLYCULTURE_LOG_FORMAT": "json"}
    with gateway.launched(tmp_path / "home", configured(upstream, key_file), **environment) as running:
        yield Ear(running=running)


def provoke(ear: Ear) -> list[str]:
    """Everything that may go well or wrong; returns the secrets of keys that were made."""
    for name in ("good", "broken", "refusing", "halting", "odd", "auto", f"{PROMPT}/model"):
        for streaming in (False, True):
            ear.ask("POST", "/v1/chat/completions", DATA, question(PROMPT, model=name, stream=streaming))
    for faulty in (
        f'{{"model": "{PROMPT}"',
        f'{{"messages": "{PROMPT}"}}',
        f'{{"messages": [{{"role": "{PROMPT}"}}]}}',
    ):
        for path in ("/v1/chat/completions", "/v1/responses", "/v1/messages", "/v1/route", "/v1/feedback"):
            ear.ask("POST", path, DATA, faulty.encode())
    for headers in ({"authorization": f"Bearer {WRONG}"}, {"x-api-key": WRONG}, {"authorization": f"Basic {WRONG}"}):
        ear.ask("GET", "/v1/models", headers)
        ear.ask("GET", "/admin/v1/keys", headers)
    made = ear.gateway.client.post("/admin/v1/keys", headers=ADMIN, json={"name": "made", "limits": {"usd_per_day": 1}})
    turned = ear.gateway.client.post(f"/admin/v1/keys/{made.json()['id']}/rotate", headers=ADMIN)
    secrets = [made.json()["secret"], turned.json()["secret"]]
    for secret in secrets:
        bearer = {"authorization": f"Bearer {secret}"}
        assert ear.ask("POST", "/v1/chat/completions", bearer, question("Hi", model="good")).is_success
        for wrong in ({"name": secret}, {"name": "x", "secret": secret}, {"name": "x", "models": [secret]}):
            ear.ask("POST", "/admin/v1/keys", ADMIN, wrong)
        ear.ask("PATCH", f"/admin/v1/keys/{made.json()['id']}", ADMIN, {"expires_at": secret})
        ear.ask("DELETE", f"/admin/v1/keys/{secret}", ADMIN)
    leaking = {"id": "leak", "upstream": {"base_url": "http://127.0.0.1:9", "model": "m", "api_key": IN_FILE}}
    ear.ask("POST", "/admin/v1/models", ADMIN, leaking)
    return secrets


def look(ear: Ear) -> None:
    """Everything that can be read without naming something."""
    for path, methods in document()["paths"].items():
        if "get" in methods and "{" not in path:
            ear.ask("GET", path, ADMIN)
    for each in ear.ask("GET", "/admin/v1/keys", ADMIN).json()["data"]:
        ear.ask("GET", f"/admin/v1/keys/{each['id']}", ADMIN)
    for each in ear.ask("GET", "/v1/models", ADMIN).json()["data"]:
        ear.ask("GET", f"/v1/models/{each['id']}", ADMIN)
        ear.ask("GET", f"/admin/v1/models/{each['id']}", ADMIN)


def test_nothing_planted_comes_out_again(ear: Ear) -> None:
    made = provoke(ear)
    look(ear)
    assert ear.gateway.stop() == 0
    said = "\n".join(ear.heard)
    assert len(ear.heard) > 80
    for secret in (*PLANTED.values(), IN_FILE, *made):
        assert secret not in said, secret
        assert secret not in ear.gateway.log
        assert secret.encode() not in files(ear.gateway.data_dir)
    assert WRONG not in said + ear.gateway.log
    assert PROMPT not in ear.gateway.log
    assert PROMPT.encode() not in files(ear.gateway.data_dir)
    assert PROMPT not in "\n".join(each for each in ear.heard if "polyculture_requests_total" in each)
