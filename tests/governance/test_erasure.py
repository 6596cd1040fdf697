"""Tenants and end users, erased from a gateway that serves: nothing of them is left, and nobody else is touched."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from gateway.events import Answer, Audited, Decision, Feedback
from tests.conftest import Start
from tests.governance.planted import plant
from tests.support.cards import card
from tests.support.command import invoke, run
from tests.support.gateway import ADMIN_KEY, KEY, PATIENCE_S, Gateway
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


def test_nothing_of_an_erased_user_is_left_and_everyone_else_is_as_if_they_had_never_been(gateway: Gateway) -> None:
    """Ann's requests are those that she alone rated; one that Bob rated too stays his."""
    own = [ask(gateway, ACME, f"the marker of ann {number}", user="ann@home", score=0.0) for number in range(3)]
    shared = ask(gateway, ACME, "a question of both", user="ann@home", score=0.0)
    said = {"decision_id": shared, "score": 1.0, "source": "bob"}
    assert gateway.feedback(said, key=ACME).status_code == 200
    vectors = [event.features for name in own for event in gateway.events(Decision, about=name)]

    done = erase(gateway, "users/acme-inc/ann@home", tenant="acme-inc")
    removed = done["receipt"]["receipt"]["removed"]
    assert (removed["events"], removed["redacted"], removed["others"]) == (4, 3, 3)
    left = files(gateway.data_dir)
    for marker in (b"the marker of ann", b"ann@home", *vectors):
        assert marker not in left, marker
    assert b"a question of both" in left
    (still,) = gateway.records(Feedback)
    assert still.source == "acme-inc/bob"
    assert len(gateway.events(Answer)) == 4
    assert gateway.chat(headers={"authorization": f"Bearer {ACME}"}).status_code == 200
    again = ask(gateway, ACME, "she is back", user="ann@home")
    assert gateway.events(Feedback, about=again)
    assert verified(gateway) == 2


@pytest.mark.parametrize("user", ["x\ny", "x\n", "\n", "x\r\n", "x/../bob", "..", "x?y#z%2F", "é ü"])
def test_whatever_an_end_user_is_called_they_alone_are_erased(gateway: Gateway, user: str) -> None:
    for name in ("x", "bob", "acme-inc", user):
        ask(gateway, ACME, "a question", user=name)
    done = run(gateway, "erase", "user", f"acme-inc/{user}", "--tenant", "acme-inc", "--yes")
    assert done.exit_code == 0, done.output
    assert [each.source for each in gateway.records(Feedback)] == ["acme-inc/x", "acme-inc/bob", "acme-inc/acme-inc"]


def test_no_name_leads_up_a_path(gateway: Gateway) -> None:
    for name in (".", ".."):
        for arguments in (("tenant", name), ("user", name, "--tenant", "acme-inc")):
            refused = run(gateway, "erase", *arguments, "--yes")
            assert (refused.exit_code, refused.output[-7:]) == (1, "in id.\n"), refused.output


def test_a_judged_answers_id_goes_with_its_tenant(gateway: Gateway) -> None:
    name = ask(gateway, ACME, "a question")
    judged = gateway.client.post("/admin/v1/feedback/audit", headers=ADMIN, json={"id": name, "score": 1.0}).json()
    entry = gateway.client.get("/admin/v1/audit", headers=ADMIN).json()["data"][-1]
    assert entry["action"] == "feedback.audit"
    assert json.loads(entry["detail"])["position"] == judged["position"] == gateway.records(Audited, about=name)[0].seq
    erase(gateway, "tenants/acme-inc")
    assert name.encode() not in files(gateway.data_dir)
    assert verified(gateway) == 0


def test_everyone_else_is_served_meanwhile(start: Start, upstream: Upstream) -> None:
    configuration = {"models": [card("one", upstream.url), card("two", upstream.url)]}
    gateway = start(configuration)
    assert gateway.chat().status_code == 200
    gateway.stop()
    plant(gateway.data_dir, ["ampere", "becquerel"], events=4_000)
    gateway = start(configuration)
    answers: list[httpx.Response] = []
    over = threading.Event()

    def load() -> None:
        while not over.is_set():
            answers.append(gateway.chat(f"question {len(answers)}"))

    asking = threading.Thread(target=load)
    asking.start()
    with httpx.Client(base_url=gateway.url, headers=ADMIN, timeout=PATIENCE_S) as admin:
        done = admin.delete("/admin/v1/tenants/ampere").json()
    over.set()
    asking.join()
    assert done["receipt"]["receipt"]["removed"]["events"] > 3_900
    assert {answer.status_code for answer in answers} == {200}
    decided = {record.subject for record in gateway.records(Decision)}
    assert {bytes.fromhex(answer.headers["x-polyculture-decision-id"]) for answer in answers} <= decided
    assert b"ampere" not in files(gateway.data_dir)
    assert verified(gateway) > 0


def test_a_receipt_can_be_checked_by_anyone(gateway: Gateway, tmp_path: Path) -> None:
    ask(gateway, ACME, "a question", user="ann@home")
    file = tmp_path / "receipt.json"
    refused = run(gateway, "erase", "user", "acme-inc/ann@home", "--tenant", "acme-inc")
    assert refused.exit_code == 1
    assert "Aborted" in refused.output
    orders = ("erase", "user", "acme-inc/ann@home", "--tenant", "acme-inc", "--yes", "--receipt", str(file))
    assert run(gateway, *orders).exit_code == 0
    checked = invoke("audit", "receipt", str(file))
    assert checked.exit_code == 0, checked.output
    assert "erased     user acme-inc/acme-inc/ann@home" in checked.output
    assert invoke("audit", "receipt", str(file), "--key", "00").exit_code == 1

    written = json.loads(file.read_text())
    asked = gateway.client.get(f"/admin/v1/erasures/{written['receipt']['erasure']}", headers=ADMIN).json()
    assert asked["receipt"] == {**written, "opening": None}
    entries = gateway.client.get("/admin/v1/audit", headers=ADMIN).json()["data"]
    assert entries[-1]["hash"] == written["receipt"]["audit"]
    assert [entry["action"] for entry in entries[-2:]] == ["user.erase", "user.erased"]
    assert {entry["subject"] for entry in entries[-2:]} == {written["receipt"]["subject"]}
    for change in ({"subject": "user:0"}, {"state_after": "0"}, {"removed": {"events": 99}}):
        file.write_text(json.dumps({**written, "receipt": {**written["receipt"], **change}}))
        changed = invoke("audit", "receipt", str(file))
        assert changed.exit_code == 1
        assert "its signature does not fit it" in changed.output
    file.write_text(json.dumps({**written, "opening": {**written["opening"], "name": "acme-inc/bob"}}))
    assert invoke("audit", "receipt", str(file)).exit_code == 1
    file.write_text("{}")
    assert "is not a receipt" in invoke("audit", "receipt", str(file)).output


def test_who_is_not_known_is_erased_in_vain(gateway: Gateway) -> None:
    ask(gateway, ACME, "a question")
    for path, query in (("tenants/nobody", {}), ("users/acme-inc/nobody", {"tenant": "acme-inc"})):
        receipt = erase(gateway, path, **query)["receipt"]["receipt"]
        assert receipt["removed"]["events"] == 0
        assert receipt["state_after"] == receipt["state_before"]
    assert gateway.chat(headers={"authorization": f"Bearer {ACME}"}).status_code == 200
    assert verified(gateway) == 1


def test_only_admins_erase_and_only_whom_there_can_be(gateway: Gateway) -> None:
    assert gateway.client.delete("/admin/v1/tenants/acme-inc").status_code == 403
    for path in ("tenants/*", "tenants/a%20b", "users/nokey?tenant=acme-inc", "users/acme-inc/ann", "erasures/1"):
        method = "GET" if path.startswith("erasures") else "DELETE"
        assert gateway.client.request(method, f"/admin/v1/{path}", headers=ADMIN).status_code == 400
    unknown = gateway.client.get(f"/admin/v1/erasures/{'0' * 32}", headers=ADMIN)
    assert unknown.status_code == 404


def test_an_erased_tenant_stays_out_after_a_restart(start: Start, upstream: Upstream) -> None:
    configuration = {"models": [card("one", upstream.url)], "tenants": [{"id": "acme-inc", "key_env": "ACME_KEY"}]}
    gateway = start(configuration, ACME_KEY=ACME)
    ask(gateway, ACME, "a question")
    erase(gateway, "tenants/acme-inc")
    gateway.stop()
    again = start(configuration, ACME_KEY=ACME)
    assert again.chat(headers={"authorization": f"Bearer {ACME}"}).status_code == 401
    assert "key_retired" in again.log
    again.stop()
    anew = start(configuration, ACME_KEY="pc-another-key")
    assert anew.chat(headers={"authorization": "Bearer pc-another-key"}).status_code == 200
