"""Retention: events that are too old go while the gateway serves, and what was learned from them stays."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.events import Answer, Checkpoint, Decision, Feedback
from tests.conftest import Start
from tests.governance.test_erasure import ACME, ADMIN, ask, verified
from tests.support.cards import card
from tests.support.gateway import KEY, Gateway, eventually
from tests.support.upstream import Upstream

#: A retention of two seconds.
SHORT = 2 / 86_400


@pytest.fixture
def gateway(request: pytest.FixtureRequest, start: Start, upstream: Upstream) -> Gateway:
    tenant = {"id": "acme-inc", "key_env": "ACME_KEY", "store_prompts": True, "retention_days": SHORT, **request.param}
    models = [card("one", upstream.url), card("two", upstream.url)]
    return start({"models": models, "tenants": [tenant]}, ACME_KEY=ACME, POLYCULTURE_RETENTION_EVERY_S="0.2")


def dropped(gateway: Gateway) -> list[dict[str, Any]]:
    """What the audit log says of it."""
    entries = gateway.client.get("/admin/v1/audit", headers=ADMIN).json()["data"]
    return [entry for entry in entries if entry["action"] == "retention.drop"]


@pytest.mark.parametrize("gateway", [{}], indirect=True)
def test_old_events_go_and_what_was_learned_stays(gateway: Gateway) -> None:
    kept = ask(gateway, KEY, "an ordinary question")
    for number in range(4):
        ask(gateway, ACME, f"a question {number}", score=float(number % 2))
    before = probabilities(gateway)
    eventually(lambda: gateway.records(Checkpoint))
    eventually(lambda: len([each for each in gateway.records(Decision) if each.tenant == "acme-inc"]) == 0)
    assert len(gateway.events(Decision, about=kept)) == 1
    assert [each for each in gateway.records(Feedback) if each.tenant == "acme-inc"] == []
    assert probabilities(gateway) == before
    assert eventually(lambda: dropped(gateway))
    late = ask(gateway, ACME, "a late question")
    assert gateway.events(Answer, about=late)
    assert verified(gateway) == 6
    assert b"a question 0" not in b"".join(path.read_bytes() for path in gateway.data_dir.glob("*.db"))


@pytest.mark.parametrize("gateway", [{"pool": "contribute"}], indirect=True)
def test_who_shares_in_the_pool_keeps_numbers_alone(gateway: Gateway) -> None:
    for number in range(3):
        ask(gateway, ACME, f"a question {number}")
    eventually(lambda: dropped(gateway))
    eventually(lambda: not any(event.features for event in gateway.events(Decision)))
    eventually(lambda: not any(event.comment for event in gateway.events(Feedback)))
    assert [event.lesson is not None for event in gateway.events(Feedback)] == [True] * 3
    assert gateway.events(Checkpoint) == []
    assert verified(gateway) == 3


def probabilities(gateway: Gateway) -> Any:
    answer = gateway.route("a question", headers={"authorization": f"Bearer {ACME}"})
    return [(each["model"], each["probability"]) for each in answer["candidates"]]
