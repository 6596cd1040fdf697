"""Keys over HTTP: made, used, changed, rotated, revoked; what each is for, and what of it is ever told."""

from __future__ import annotations

import signal
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from gateway.config import ConfigurationError, parse
from tests.conftest import ACME_KEY, Start
from tests.keys.conftest import Desk
from tests.log.process import serving
from tests.support import cards
from tests.support.gateway import ADMIN_KEY, KEY
from tests.support.upstream import Upstream


def bearer(secret: str) -> dict[str, str]:
    return {"authorization": f"Bearer {secret}"}


def soon(seconds: float) -> str:
    return (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat()


def test_a_key_is_made_shown_once_and_works_at_once(desk: Desk) -> None:
    made = desk.make("first", tenant="acme")
    assert made["secret"].startswith("pc-")
    answer = desk.chat(made["secret"])
    assert answer.status_code == 200
    assert answer.headers["x-polyculture-model"] in {"math", "chat"}  # the tenant's
    shown = desk.done("GET", f"keys/{made['id']}")
    assert shown == {**made, "secret": None, "use": shown["use"]}
    assert (shown["name"], shown["tenant"], shown["origin"], shown["state"]) == ("first", "acme", "api", "active")
    (hint,) = shown["secrets"]
    assert hint["hint"].startswith("pc-...")
    assert made["secret"][3:9] not in str(shown)
    assert made["secret"] not in desk.gateway.log


def test_keys_of_the_environment_are_listed_and_changed_there(desk: Desk) -> None:
    listed = desk.done("GET", "keys", limit=3)
    assert {each["name"]: each["origin"] for each in listed["data"]} == dict.fromkeys(
        ("default", "admin", "acme"), "environment"
    )
    data = next(each for each in listed["data"] if each["name"] == "default")
    for method, path in (("PATCH", data["id"]), ("POST", f"{data['id']}/rotate")):
        assert desk.ask(method, f"keys/{path}", {}).status_code == 409
    assert not any(secret in str(listed) for secret in (KEY, ADMIN_KEY, ACME_KEY))


def test_lists_are_paged_and_filtered(desk: Desk) -> None:
    names = [desk.make(f"paged-{number}", tenant="acme")["id"] for number in range(3)]
    desk.done("DELETE", f"keys/{names[1]}")
    seen: list[str] = []
    while (page := desk.done("GET", "keys", tenant="acme", limit=2, after=seen[-1] if seen else ""))["data"]:
        seen += [each["id"] for each in page["data"]]
        if not page["has_more"]:
            break
    assert [name for name in seen if name in names] == names
    revoked = desk.done("GET", "keys", state="revoked")["data"]
    assert names[1] in [each["id"] for each in revoked]
    assert names[0] not in [each["id"] for each in revoked]


@pytest.mark.parametrize(
    ("scopes", "allowed"),
    [
        (["inference"], {"chat", "models"}),
        (["feedback"], {"feedback", "models"}),
        (["admin:read"], {"models", "look"}),
        (["admin"], {"models", "look", "order"}),
        (["inference", "feedback", "admin"], {"chat", "feedback", "models", "look", "order"}),
    ],
)
def test_a_key_does_what_its_scopes_say(desk: Desk, scopes: list[str], allowed: set[str]) -> None:
    secret = desk.make("only-" + "-".join(scopes).replace(":", "."), scopes=scopes)["secret"]
    client, headers = desk.gateway.client, bearer(secret)
    answers = {
        "chat": desk.chat(secret),
        "feedback": desk.gateway.feedback({"decision_id": "0" * 32, "score": 1}, key=secret),
        "models": client.get("/v1/models", headers=headers),
        "look": client.get("/admin/v1/router/status", headers=headers),
        "order": client.post("/admin/v1/router/unfreeze", headers=headers),
    }
    for name, answer in answers.items():
        assert (answer.status_code != 403) == (name in allowed), name
        assert answer.status_code in {200, 403, 404}


def test_an_expired_key_is_told_so(desk: Desk) -> None:
    past = desk.make("past", expires_at=soon(-5))
    answer = desk.chat(past["secret"])
    assert answer.status_code == 401
    assert answer.json()["error"]["code"] == "api_key_expired"
    assert answer.headers["www-authenticate"] == "Bearer"
    assert desk.done("GET", f"keys/{past['id']}")["state"] == "expired"
    desk.done("PATCH", f"keys/{past['id']}", {"expires_at": soon(3600)})
    assert desk.chat(past["secret"]).status_code == 200
    desk.done("PATCH", f"keys/{past['id']}", {"expires_at": soon(-1)})
    assert desk.chat(past["secret"]).status_code == 401
    desk.done("PATCH", f"keys/{past['id']}", {"expires_at": None})
    assert desk.chat(past["secret"]).status_code == 200


def test_a_key_uses_the_models_and_ways_of_choosing_that_it_was_given_for(desk: Desk) -> None:
    made = desk.make("narrow", models=["math", "code"], preferences=["auto", "auto:cheap"])
    secret = made["secret"]
    listed = desk.gateway.client.get("/v1/models", headers=bearer(secret)).json()["data"]
    assert [each["id"] for each in listed] == ["auto", "auto:cheap", "math", "code"]
    shown = desk.gateway.route(headers=bearer(secret))
    assert {each["model"] for each in shown["candidates"]} == {"math", "code"}
    assert shown["excluded"]["chat"] == "not allowed for this key"
    assert desk.chat(secret, model="chat").status_code == 404
    assert desk.chat(secret, model="math").status_code == 200
    refused = desk.chat(secret, model="auto:quality")
    assert (refused.status_code, refused.json()["error"]["param"]) == (403, "model")
    assert desk.chat(secret, model="auto:cheap").status_code == 200
    desk.done("PATCH", f"keys/{made['id']}", {"models": ["chat"], "preferences": None})
    assert desk.chat(secret, model="auto:quality").headers["x-polyculture-model"] == "chat"


def test_a_key_never_gets_more_than_its_tenant(desk: Desk) -> None:
    secret = desk.make("greedy", tenant="acme", models=["math", "code"])["secret"]
    shown = desk.gateway.route(headers=bearer(secret))
    assert {each["model"] for each in shown["candidates"]} == {"math"}
    assert desk.chat(secret, model="code").status_code == 404


def test_a_tenant_has_its_own_ways_of_choosing(start: Start, upstream: Upstream) -> None:
    document = cards.healthy(upstream.url)
    document["tenants"] = [{"id": "acme", "key_env": "ACME_KEY", "preferences": ["auto:cheap"]}]
    desk = Desk(gateway=start(document, ACME_KEY=ACME_KEY))
    greedy = desk.make("greedy", tenant="acme", preferences=["auto", "auto:cheap"])["secret"]
    for secret in (ACME_KEY, greedy):
        found = [desk.chat(secret, model=name).status_code for name in ("auto", "auto:cheap", "auto:quality", "math")]
        assert found == [403, 200, 403, 200]
    document["tenants"][0]["preferences"] = ["auto:fast"]
    with pytest.raises(ConfigurationError, match="'acme' names 'auto:fast'"):
        parse(document, origin="a file")


def test_a_key_that_is_not_explored_with_gets_the_best_score(desk: Desk) -> None:
    secret = desk.make("steady", explore=False)["secret"]
    shown = desk.gateway.route(headers=bearer(secret))
    assert max(each["probability"] for each in shown["candidates"]) == 1.0


def test_rotation_overlaps(desk: Desk) -> None:
    made = desk.make("turning")
    turned = desk.done("POST", f"keys/{made['id']}/rotate", {"overlap_hours": 1})
    assert turned["secret"] != made["secret"]
    assert [desk.chat(each["secret"]).status_code for each in (made, turned)] == [200, 200]
    old, new = sorted(turned["secrets"], key=lambda each: each["expires_at"] is None)
    ends = datetime.fromisoformat(old["expires_at"]) - datetime.now(UTC)
    assert timedelta(minutes=59) < ends <= timedelta(hours=1)
    assert new["expires_at"] is None
    last = desk.done("POST", f"keys/{made['id']}/rotate", {"overlap_hours": 0})
    assert [desk.chat(each["secret"]).status_code for each in (made, turned, last)] == [401, 401, 200]
    default = desk.done("POST", f"keys/{made['id']}/rotate")
    last_end = datetime.fromisoformat(next(e["expires_at"] for e in default["secrets"] if e["expires_at"]))
    assert timedelta(hours=23) < last_end - datetime.now(UTC) <= timedelta(hours=24)


def test_a_revoked_key_is_refused_from_the_next_request_on(desk: Desk) -> None:
    made = desk.make("leaked")
    second = desk.done("POST", f"keys/{made['id']}/rotate")
    assert desk.chat(made["secret"]).status_code == 200
    gone = desk.done("DELETE", f"keys/{made['id']}")
    assert (gone["state"], gone["secrets"]) == ("revoked", [])
    for secret in (made["secret"], second["secret"]):
        assert desk.chat(secret).status_code == 401
    assert desk.done("DELETE", f"keys/{made['id']}")["revoked_at"] == gone["revoked_at"]
    for method, path in (("PATCH", made["id"]), ("POST", f"{made['id']}/rotate")):
        assert desk.ask(method, f"keys/{path}", {}).status_code == 409
    assert desk.make("leaked")["id"] != made["id"]  # its name is free again


BAD: dict[str, tuple[dict[str, Any], int, str]] = {
    "no name": ({}, 400, "name"),
    "a name with a slash": ({"name": "a/b"}, 400, "name"),
    "an unknown scope": ({"name": "x", "scopes": ["everything"]}, 400, "scopes.0"),
    "no scope": ({"name": "x", "scopes": []}, 400, "scopes"),
    "a time without a zone": ({"name": "x", "expires_at": "2027-01-01T00:00:00"}, 400, "expires_at"),
    "an unknown field": ({"name": "x", "budget": 3}, 400, "budget"),
    "an unknown way of choosing": ({"name": "x", "preferences": ["auto:fast"]}, 400, "preferences"),
    "an unknown tenant": ({"name": "x", "tenant": "nobody"}, 404, "tenant"),
    "a name twice": ({"name": "acme", "tenant": "acme"}, 409, "name"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_requests_name_the_fault(desk: Desk, name: str) -> None:
    document, status, param = BAD[name]
    answer = desk.ask("POST", "keys", document)
    assert (answer.status_code, answer.json()["error"]["param"]) == (status, param), answer.text


def test_what_is_not_there(desk: Desk) -> None:
    path = "keys/key_0123456789abcdef"
    for method, rest in (("GET", ""), ("PATCH", ""), ("DELETE", ""), ("POST", "/rotate")):
        answer = desk.ask(method, path + rest, {} if method in ("PATCH", "POST") else None)
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "key_not_found")


def test_nobody_locks_themselves_out(desk: Desk) -> None:
    admin = next(each for each in desk.done("GET", "keys")["data"] if each["name"] == "admin")
    assert desk.ask("DELETE", f"keys/{admin['id']}").status_code == 409
    made = desk.make("second-admin", scopes=["admin"])
    own = Desk(gateway=desk.gateway, key=made["secret"])
    assert own.ask("DELETE", f"keys/{made['id']}").status_code == 409
    assert own.ask("PATCH", f"keys/{made['id']}", {"scopes": ["inference"]}).status_code == 409
    assert desk.ask("PATCH", f"keys/{made['id']}", {"scopes": ["inference"]}).status_code == 409
    assert own.done("POST", f"keys/{made['id']}/rotate", {"overlap_hours": 0})["secret"].startswith("pca-")


def test_every_change_is_in_the_audit_log(desk: Desk) -> None:
    made = desk.make("noted", tenant="acme")
    desk.done("PATCH", f"keys/{made['id']}", {"explore": False})
    desk.done("POST", f"keys/{made['id']}/rotate")
    desk.done("DELETE", f"keys/{made['id']}")
    log = desk.done("GET", "audit", limit=1000)
    about = [each for each in log["data"] if made["id"] in each["detail"]]
    assert [each["action"] for each in about] == ["key.create", "key.change", "key.rotate", "key.revoke"]
    assert {log["names"][each["subject"]] for each in about} == {"key acme/noted"}
    assert made["secret"] not in str(log)


def test_keys_survive_a_restart_and_a_kill(tmp_path: Path, upstream: Upstream) -> None:
    home = tmp_path / "home"
    with serving(home, upstream=upstream.url) as gateway:
        desk = Desk(gateway=gateway)
        kept, gone = desk.make("kept", models=["ants"]), desk.make("gone")
        given = next(each for each in desk.done("GET", "keys")["data"] if each["name"] == "default")
        desk.done("DELETE", f"keys/{gone['id']}")
        desk.done("DELETE", f"keys/{given['id']}")
        last = desk.make("last")
        gateway.process.send_signal(signal.SIGKILL)
        gateway.process.wait()
    stored = b"".join(path.read_bytes() for path in gateway.data_dir.iterdir() if path.is_file())
    assert not any(each["secret"].encode() in stored for each in (kept, gone, last))
    with serving(home, upstream=upstream.url) as gateway:
        desk = Desk(gateway=gateway)
        statuses = [desk.chat(each).status_code for each in (kept["secret"], gone["secret"], last["secret"], KEY)]
        assert statuses == [200, 401, 200, 401]
        assert desk.done("GET", f"keys/{kept['id']}")["terms"]["models"] == ["ants"]
        assert "key_retired" in gateway.log
        assert gateway.stop() == 0
