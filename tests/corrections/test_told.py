"""Corrections over HTTP: given with feedback, told to the model of the next request like it, and to nobody else's."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from gateway.corrections.context import INTRODUCTION
from gateway.events import Decision, Feedback
from tests.conftest import Start
from tests.support import cards
from tests.support import gateway as gateways
from tests.support.gateway import ADMIN_KEY, KEY, Gateway, eventually, question
from tests.support.upstream import Upstream

PROMPT = "Who signs off on travel expenses?"
OTHER = "Write a Python function that sorts a list."

#: Tenants, each for one test, and what they want done with corrections.
TENANTS: dict[str, dict[str, Any]] = {
    "plain": {},
    "streams": {},
    "named": {"sources": ["named/", "support"]},
    "bounded": {"nearest": 2, "characters": 80},
    "tight": {},
    "ours": {"similarity": 0.0},
    "theirs": {"similarity": 0.0},
}


def keeping(upstream: Upstream, **tenants: dict[str, Any]) -> dict[str, Any]:
    """A configuration whose tenants keep corrections; the tenant acme does not."""
    configuration = cards.healthy(upstream.url)
    for name, wanted in tenants.items():
        key = {} if name == "default" else {"key_env": f"{name.upper()}_KEY"}
        configuration["tenants"].append({"id": name, **key, "corrections": {"enabled": True, **wanted}})
    return configuration


@pytest.fixture(scope="module")
def kept(shared_upstream: Upstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A gateway with all of these tenants."""
    configuration = keeping(shared_upstream, **TENANTS)
    keys = {f"{name.upper()}_KEY": f"pc-{name}" for name in ("acme", *TENANTS)}
    with gateways.launched(tmp_path_factory.mktemp("kept"), configuration, **keys) as running:
        yield running


def bearer(tenant: str) -> dict[str, str]:
    return {"authorization": f"Bearer {KEY if tenant == 'default' else f'pc-{tenant}'}"}


def corrected(gateway: Gateway, text: str, *, tenant: str = "default", **fields: Any) -> str:
    """A decision whose answer was put right; its id."""
    name: str = gateway.chat(PROMPT, headers=bearer(tenant)).headers["x-polyculture-decision-id"]
    said = {"decision_id": name, "correction": text, **fields}
    answer = gateway.client.post("/v1/feedback", json=said, headers=bearer(tenant))
    assert answer.status_code == 200, answer.text
    return name


def told(
    gateway: Gateway, upstream: Upstream, prompt: str = PROMPT, *, tenant: str = "default", **fields: Any
) -> list[str]:
    """The corrections that the model of a new request is told, as the header and the body say."""
    upstream.calls.clear()
    answer = gateway.chat(prompt, headers=bearer(tenant), **fields)
    assert answer.status_code == 200
    (call,) = upstream.calls
    system = [each["content"] for each in call.document["messages"] if each["role"] == "system"]
    texts = [line.partition(". ")[2] for each in system for line in each.split("\n")[1:]]
    assert answer.headers.get("x-polyculture-corrections", "0") == str(len(texts))
    assert all(each.startswith(INTRODUCTION) for each in system)
    return texts


def test_a_correction_alone_says_that_the_answer_was_not_right(healthy: Gateway) -> None:
    name = healthy.chat().headers["x-polyculture-decision-id"]
    answer = healthy.feedback({"decision_id": name, "correction": "It is 42."})
    assert answer.json() == {"decision_id": name, "status": "recorded", "reward": 0.0, "learned": True}
    amended = healthy.feedback({"decision_id": name, "correction": "It is 42.", "score": 0.5})
    assert (amended.json()["status"], amended.json()["reward"]) == ("amended", 0.5)
    assert [each.correction for each in healthy.events(Feedback, about=name)] == ["It is 42."] * 2


@pytest.mark.parametrize("said", [{"correction": ""}, {"correction": " \n"}, {"correction": "x", "value": 1}])
def test_a_correction_that_says_nothing_is_no_outcome(healthy: Gateway, said: dict[str, Any]) -> None:
    name = healthy.chat().headers["x-polyculture-decision-id"]
    assert healthy.feedback({"decision_id": name, **said}).status_code == 400


def test_the_next_request_like_it_is_told(kept: Gateway, upstream: Upstream) -> None:
    assert told(kept, upstream, tenant="plain") == []
    name = corrected(kept, "The head of finance does.", tenant="plain")
    assert told(kept, upstream, tenant="plain") == ["The head of finance does."]
    assert told(kept, upstream, OTHER, tenant="plain") == []
    assert told(kept, upstream, tenant="plain", model="chat") == []  # a model that was named is told what was asked
    decision = kept.chat(PROMPT, headers=bearer("plain")).headers["x-polyculture-decision-id"]
    (feedback,) = kept.records(Feedback, about=name)
    (logged,) = kept.events(Decision, about=decision)
    assert logged.corrections == (feedback.seq,)
    explained = kept.client.get(f"/v1/decisions/{decision}", headers=bearer("plain")).json()
    assert explained["corrections"] == [feedback.seq]


def test_streams_are_told_too_and_the_clients_own_words_stay(kept: Gateway, upstream: Upstream) -> None:
    corrected(kept, "The head of finance does.", tenant="streams")
    upstream.calls.clear()
    own = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": PROMPT}]
    body = {**question(PROMPT, stream=True), "messages": own}
    answer = kept.client.post("/v1/chat/completions", json=body, headers=bearer("streams"))
    assert answer.headers["x-polyculture-corrections"] == "1"
    assert answer.text.endswith("data: [DONE]\n\n")
    messages = upstream.calls[0].document["messages"]
    assert [messages[0], messages[2]] == own
    assert messages[1]["content"].endswith("\n1. The head of finance does.")


def test_they_are_known_again_after_a_restart_and_may_be_taken_back(start: Start, upstream: Upstream) -> None:
    configuration = keeping(upstream, default={})
    gateway = start(configuration, ACME_KEY="pc-acme")
    name = corrected(gateway, "The head of finance does.")
    corrected(gateway, "The board does.", source="judge")  # an end user's: not kept unless the configuration says so
    gateway.stop()
    gateway = start(configuration, ACME_KEY="pc-acme")
    assert told(gateway, upstream) == ["The head of finance does."]
    assert gateway.feedback({"decision_id": name, "correction": "Finance does."}).json()["status"] == "amended"
    assert told(gateway, upstream) == ["Finance does."]
    assert gateway.feedback({"decision_id": name, "score": 0}).json()["status"] == "amended"
    assert told(gateway, upstream) == []
    corrected(gateway, "Nobody does.")
    assert told(gateway, upstream) == ["Nobody does."]
    admin = {"authorization": f"Bearer {ADMIN_KEY}"}
    revoked = {"tenant": "default", "sources": ["default"]}
    assert gateway.client.post("/admin/v1/feedback/revoke", headers=admin, json=revoked).status_code == 200
    assert told(gateway, upstream) == []


def test_only_sources_that_are_named_are_heard_and_who_is_erased_no_more(kept: Gateway, upstream: Upstream) -> None:
    corrected(kept, "The key says so.", tenant="named")
    corrected(kept, "A user says so.", tenant="named", source="u1")
    assert told(kept, upstream, tenant="named") == ["A user says so."]
    admin = {"authorization": f"Bearer {ADMIN_KEY}"}
    assert kept.client.delete("/admin/v1/users/named/u1", params={"tenant": "named"}, headers=admin).status_code == 200
    eventually(lambda: told(kept, upstream, tenant="named") == [])


def test_they_are_bounded_in_number_and_in_characters(kept: Gateway, upstream: Upstream) -> None:
    corrected(kept, "x" * 100, tenant="bounded")
    for text in ("one", "two", "three"):
        corrected(kept, text, tenant="bounded")
    heard = told(kept, upstream, tenant="bounded")
    assert len(heard) == 2
    assert set(heard) < {"one", "two", "three"}


def test_a_request_that_fills_its_models_window_is_left_alone(kept: Gateway, upstream: Upstream) -> None:
    corrected(kept, "The head of finance does.", tenant="tight")
    headers = {**bearer("tight"), "x-polyculture-tags": "eu"}
    body = question(PROMPT, max_tokens=8170)
    answer = kept.client.post("/v1/chat/completions", json=body, headers=headers)
    assert answer.status_code == 200
    assert "x-polyculture-corrections" not in answer.headers


def test_no_other_tenant_ever_hears_of_them(kept: Gateway, upstream: Upstream) -> None:
    for speaker, expected in (("ours", {"ours": ["ours."]}), ("theirs", {"ours": ["ours."], "theirs": ["theirs."]})):
        corrected(kept, f"{speaker}.", tenant=speaker)
        for tenant in ("ours", "theirs", "acme", "default"):
            assert told(kept, upstream, tenant=tenant) == expected.get(tenant, [])
