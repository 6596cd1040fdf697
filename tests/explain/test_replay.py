"""The probabilities of logged decisions come again from the log, to the bit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from gateway.database import connect
from gateway.events import Decision
from gateway.explain.explanation import Recomputed
from gateway.explain.replay import recompute
from tests.conftest import ACME_KEY, Start
from tests.support import cards
from tests.support.gateway import ADMIN_KEY, Gateway, question
from tests.support.upstream import Upstream

PROMPTS = ("What is 2 + 2?", "Hello there!", "Sort this list in Python.", "Tell me about cats.")
ASKED = ("auto", "auto:cheap", "auto:eu", "auto:quality")


def lived(gateway: Gateway, rounds: int) -> None:
    """Requests of all kinds by two tenants, most of them with feedback."""
    for number in range(rounds):
        headers = {"authorization": f"Bearer {ACME_KEY}"} if number % 5 == 4 else {}
        headers |= {"x-polyculture-explore": "off"} if number % 7 == 6 else {}
        model = "auto" if number % 5 == 4 else ASKED[number % 4]
        answer = gateway.chat(f"{PROMPTS[number % 3]} {number % 11}", model=model, headers=headers)
        assert answer.status_code == 200
        if number % 3:
            said = {"completion_id": answer.json()["id"], "score": (number * 7 % 10) / 9}
            assert gateway.client.post("/v1/feedback", json=said, headers=headers).status_code == 200


def replays(folder: Path, gateway: Gateway) -> list[tuple[Decision, Recomputed]]:
    found = []
    with connect(folder).connect() as connection:
        for record in gateway.records(Decision):
            assert isinstance(record.event, Decision)
            found.append((record.event, recompute(connection, record.event, tenant=record.tenant)))
    return found


@pytest.mark.parametrize("routing", [{"share_cap": 0.4}, {"budget": 2e-5, "cost_weight": 50.0}])
def test_every_decision_of_a_living_gateway_replays_exactly(
    start: Start, upstream: Upstream, routing: dict[str, Any]
) -> None:
    configuration = cards.healthy(upstream.url)
    configuration["routing"] |= routing
    gateway = start(configuration, ACME_KEY=ACME_KEY, POLYCULTURE_SNAPSHOT_EVERY="40")
    lived(gateway, 40)
    found = replays(gateway.data_dir, gateway)
    assert len(found) == 40
    for decision, anew in found:
        assert (anew.exact, anew.largest_difference, anew.note) == (True, 0.0, ""), decision
    name = gateway.chat(PROMPTS[3], model="auto:cheap").headers["x-polyculture-decision-id"]
    replay = gateway.client.get(f"/v1/decisions/{name}", params={"replay": "version"}).json()["replay"]
    assert (replay["ok"], replay["version"]["exact"], replay["version"]["largest_difference"]) == (True, True, 0.0)


def test_decisions_made_while_the_learner_works_replay_too(start: Start, upstream: Upstream) -> None:
    configuration = cards.healthy(upstream.url)
    gateway = start(configuration, ACME_KEY=ACME_KEY)
    with httpx.Client(base_url=gateway.url, headers=gateway.client.headers, timeout=60) as other:
        for number in range(5):
            ids = [gateway.chat(f"{PROMPTS[0]} {number}.{each}").json()["id"] for each in range(6)]
            items = [{"completion_id": each, "score": place / 5} for place, each in enumerate(ids)]
            assert other.post("/v1/feedback", json=items).status_code == 200
            assert other.post("/v1/chat/completions", json=question(PROMPTS[1])).status_code == 200
    assert all(anew.exact for _, anew in replays(gateway.data_dir, gateway))


def test_a_promoted_version_replays_less_what_was_taken_back_since(start: Start, upstream: Upstream) -> None:
    configuration = cards.healthy(upstream.url)
    configuration["routing"] |= {"gate": {"mode": "manual"}}
    gateway = start(configuration, ACME_KEY=ACME_KEY)
    admin = {"authorization": f"Bearer {ADMIN_KEY}"}

    def order(path: str, **asked: Any) -> Any:
        answer = gateway.client.post(f"/admin/v1/{path}", json=asked, headers=admin)
        assert answer.status_code == 200, answer.text
        return answer.json()

    versions = []
    for _ in range(2):
        lived(gateway, 25)
        versions.append(order("router/promote", force=True)["version"])
    lived(gateway, 5)
    order("router/rollback", version=versions[0])
    lived(gateway, 5)
    order("feedback/revoke", tenant="default")
    lived(gateway, 5)
    order("router/policy", policy="linucb", force=True)
    lived(gateway, 15)
    found = replays(gateway.data_dir, gateway)
    assert {anew.largest_difference for _, anew in found} == {0.0}
    assert (versions[1], "") in {(decision.version, decision.group) for decision, _ in found[-25:-15]}


def test_what_was_erased_is_missing_and_it_says_so(start: Start, upstream: Upstream) -> None:
    gateway = start(cards.healthy(upstream.url), ACME_KEY=ACME_KEY)
    lived(gateway, 5)
    name = gateway.chat(PROMPTS[0]).headers["x-polyculture-decision-id"]
    mine = gateway.chat(PROMPTS[1]).headers["x-polyculture-decision-id"]
    gateway.feedback({"decision_id": mine, "score": 1, "source": "ann"})
    later = gateway.chat(PROMPTS[0]).headers["x-polyculture-decision-id"]
    admin = {"authorization": f"Bearer {ADMIN_KEY}"}
    for who in ("users/default/ann?tenant=default", "tenants/acme"):
        assert gateway.client.delete(f"/admin/v1/{who}", headers=admin).json()["step"] == "finished"
    with connect(gateway.data_dir).connect() as connection:
        notes = {}
        for each in (name, mine, later):
            (decision,) = gateway.events(Decision, about=each)
            notes[each] = recompute(connection, decision, tenant="default").note
    assert "dropped or erased since" in notes[name]
    assert "it was erased" in notes[mine]
    assert "dropped or erased since" in notes[later]
    explained = gateway.client.get(f"/v1/decisions/{mine}").json()
    assert (explained["feedback"], explained["replay"]["ok"]) == ([], True)
    assert all(each["score"] is None for each in explained["candidates"])


def test_what_cannot_be_computed_anew_says_why(healthy: Gateway) -> None:
    name = healthy.chat(PROMPTS[0]).headers["x-polyculture-decision-id"]
    (decision,) = healthy.events(Decision, about=name)
    changes: list[tuple[dict[str, Any], str]] = [
        ({"lineage": 7}, "the log does not reach back"),
        ({"arms": ["math", "gone"]}, "does not know all of its models"),
        ({"position": 0}, "an older version logged it"),
        ({"features": b"", "scores": b""}, "it was erased"),
    ]
    with connect(healthy.data_dir).connect() as connection:
        for change, note in changes:
            anew = recompute(connection, msgspec.structs.replace(decision, **change), tenant="default")
            assert note in anew.note
        tampered = msgspec.structs.replace(decision, probabilities=decision.probabilities[::-1])
        anew = recompute(connection, tampered, tenant="default")
    assert not anew.exact
    assert anew.largest_difference
