"""Who may ask: keys that are missing, wrong, of another scope or of another tenant."""

from __future__ import annotations

import sqlite3
from typing import Any

import httpx
import pytest

from gateway.admin import GROUPS
from tests.conftest import Start
from tests.support import cards
from tests.support.gateway import ADMIN_KEY, KEY, Gateway, question
from tests.support.upstream import Upstream

ADMIN = [
    (operation.method, operation.path.replace("{id}", "1.1").replace("{id:path}", "a/b"))
    for group in GROUPS
    for operation in group.operations()
]

PATHS = [
    ("POST", "/v1/chat/completions"),
    ("POST", "/v1/embeddings"),
    ("POST", "/v1/feedback"),
    ("POST", "/v1/route"),
    ("GET", "/v1/models"),
    ("GET", "/v1/models/chat"),
    ("GET", "/v1/decisions/00000000000000000000000000000000"),
    *ADMIN,
]

BAD: dict[str, dict[str, Any]] = {
    "none": {},
    "unknown": {"authorization": "Bearer pc-wrong"},
    "empty": {"authorization": "Bearer"},
    "another scheme": {"authorization": f"Basic {KEY}"},
    "no scheme": {"authorization": KEY},
    "a prefix": {"authorization": f"Bearer {KEY[:-1]}"},
    "unknown by x-api-key": {"x-api-key": "pc-wrong"},
    "not ASCII": {"authorization": "Bearer \u00e9\u00ff".encode("latin-1")},
    "very long": {"authorization": "Bearer " + "x" * 30_000},
}


def ask(gateway: Gateway, method: str, path: str, headers: dict[str, Any]) -> httpx.Response:
    with httpx.Client(base_url=gateway.url, timeout=30) as client:
        return client.request(method, path, headers=headers, json=question("Hi") if method == "POST" else None)


@pytest.mark.parametrize(("method", "path"), PATHS)
def test_without_a_good_key_nothing_is_done(healthy: Gateway, upstream: Upstream, method: str, path: str) -> None:
    for name, headers in BAD.items():
        answer = ask(healthy, method, path, headers)
        assert answer.status_code == 401, name
        assert answer.headers["www-authenticate"] == "Bearer"
        error = answer.json()["error"]
        assert (error["type"], error["code"]) == ("authentication_error", "invalid_api_key")
        assert "pc-" not in answer.text
    assert not upstream.calls


@pytest.mark.parametrize("headers", [{"authorization": f"bearer  {KEY}"}, {"x-api-key": KEY}, {"X-API-Key": ADMIN_KEY}])
def test_a_good_key_may_come_either_way(healthy: Gateway, headers: dict[str, str]) -> None:
    assert ask(healthy, "POST", "/v1/chat/completions", headers).status_code == 200


@pytest.mark.parametrize(("method", "path"), ADMIN)
def test_a_data_key_is_no_admin_key(healthy: Gateway, method: str, path: str) -> None:
    answer = ask(healthy, method, path, {"authorization": f"Bearer {KEY}"})
    assert answer.status_code == 403
    assert answer.json()["error"]["type"] == "permission_error"


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/health/liveliness", "/health/readiness", "/openapi.json"])
def test_health_and_description_are_open(healthy: Gateway, path: str) -> None:
    assert ask(healthy, "GET", path, {}).status_code == 200


def test_keys_are_made_at_the_first_start_shown_once_and_stored_as_hashes(start: Start, upstream: Upstream) -> None:
    configuration = {"models": [cards.card("only", upstream.url)]}
    gateway = start(configuration, POLYCULTURE_API_KEY="", POLYCULTURE_ADMIN_KEY="")
    shown = dict(line.split() for line in gateway.log.splitlines() if line.startswith(("  default ", "  admin ")))
    assert shown["default"].startswith("pc-")
    assert shown["admin"].startswith("pca-")
    assert len({*shown.values(), KEY, ADMIN_KEY}) == 4
    bearer = {"authorization": f"Bearer {shown['default']}"}
    assert gateway.chat(headers=bearer).status_code == 200
    assert gateway.chat().status_code == 401
    assert gateway.admin("unfreeze", key=shown["admin"]).status_code == 200
    gateway.stop()
    stored = b"".join(path.read_bytes() for path in gateway.data_dir.iterdir())
    assert not any(secret.encode() in stored for secret in shown.values())
    with sqlite3.connect(gateway.data_dir / "polyculture.db") as database:
        assert database.execute("SELECT count(*) FROM keys").fetchone() == (2,)
    database.close()
    again = start(configuration, POLYCULTURE_API_KEY="", POLYCULTURE_ADMIN_KEY="")
    assert "pc-" not in again.log
    assert again.chat(headers=bearer).status_code == 200


def test_two_callers_may_not_share_a_key(start: Start, upstream: Upstream) -> None:
    configuration = {
        "models": [cards.card("only", upstream.url)],
        "tenants": [{"id": "acme", "key_env": "ACME_KEY"}],
    }
    with pytest.raises(AssertionError, match="same key"):
        start(configuration, ACME_KEY=KEY)
