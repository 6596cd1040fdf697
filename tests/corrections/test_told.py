"""Corrections over HTTP: given with feedback, told to the model of the next request like it, and to nobody else's."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.corrections.context import INTRODUCTION
from gateway.events import Decision, Feedback
from tests.conftest import ACME_KEY, Start
from tests.support import cards
from tests.support.gateway import ADMIN_KEY, Gateway, question
from tests.support.upstream import Upstream

PROMPT = "Who signs off on travel expenses?"
OTHER = "Write a Python function that sorts a list."


def begun(start: Start, upstream: Upstream, home: str = "home", **settings: Any) -> Gateway:
    """A gateway whose default tenant keeps corrections; the tenant acme does not."""
    configuration = cards.healthy(upstream.url)
    configuration["tenants"].append({"id": "default", "corrections": {"enabled": True, **settings}})
    return start(configuration, home=home, ACME_KEY=ACME_KEY)


def corrected(gateway: Gateway, text: str, prompt: str = PROMPT, **fields: Any) -> str:
    """A decision whose answer was put right; its id."""
    name: str = gateway.chat(prompt).headers["x-polyculture-decision-id"]
    answer = gateway.feedback({"decision_id": name, "correction": text, **fields})
    assert answer.status_code == 200, answer.text
    return name


def told(gateway: Gateway, upstream: Upstream, prompt: str = PROMPT, **fields: Any) -> list[str]:
    """The corrections that the model of a new request is told, as the header and the body say."""
    upstream.calls.clear()
    answer = gateway.chat(prompt, **fields)
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


def test_the_next_request_like_it_is_told(start: Start, upstream: Upstream) -> None:
    gateway = begun(start, upstream)
    assert told(gateway, upstream) == []
    name = corrected(gateway, "The head of finance does.")
    assert told(gateway, upstream) == ["The head of finance does."]
    assert told(gateway, upstream, OTHER) == []
    assert told(gateway, upstream, model="chat") == []  # a model that was named is asked what the client asks
    decision = gateway.chat(PROMPT).headers["x-polyculture-decision-id"]
    (feedback,) = gateway.records(Feedback, about=name)
    (logged,) = gateway.events(Decision, about=decision)
    assert logged.corrections == (feedback.seq,)
    assert gateway.client.get(f"/v1/decisions/{decision}").json()["corrections"] == [feedback.seq]


def test_streams_are_told_too_and_the_clients_own_words_stay(start: Start, upstream: Upstream) -> None:
    gateway = begun(start, upstream)
    corrected(gateway, "The head of finance does.")
    upstream.calls.clear()
    own = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": PROMPT}]
    answer = gateway.client.post("/v1/chat/completions", json={**question(PROMPT, stream=True), "messages": own})
    assert answer.headers["x-polyculture-corrections"] == "1"
    assert answer.text.endswith("data: [DONE]\n\n")
    messages = upstream.calls[0].document["messages"]
    assert [messages[0], messages[2]] == own
    assert messages[1]["content"].endswith("\n1. The head of finance does.")


def test_they_are_known_again_after_a_restart_and_may_be_taken_back(start: Start, upstream: Upstream) -> None:
    gateway = begun(start, upstream)
    name = corrected(gateway, "The head of finance does.")
    corrected(gateway, "The board does.", source="judge")  # an end user's: not kept unless the configuration says so
    gateway.stop()
    gateway = begun(start, upstream)
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


def test_only_sources_that_are_named_are_heard(start: Start, upstream: Upstream) -> None:
    gateway = begun(start, upstream, sources=["default/", "support"])
    corrected(gateway, "The key says so.")
    corrected(gateway, "A user says so.", source="u1")
    assert told(gateway, upstream) == ["A user says so."]


def test_they_are_bounded_in_number_and_in_characters(start: Start, upstream: Upstream) -> None:
    gateway = begun(start, upstream, nearest=2, characters=80)
    corrected(gateway, "x" * 100)
    for text in ("one", "two", "three"):
        corrected(gateway, text)
    assert len(told(gateway, upstream)) == 2
    assert "x" * 100 not in told(gateway, upstream)


def test_a_request_that_fills_its_models_window_is_left_alone(start: Start, upstream: Upstream) -> None:
    gateway = begun(start, upstream)
    corrected(gateway, "The head of finance does.")
    tight = {"model": "auto", "messages": question(PROMPT)["messages"], "max_tokens": 8170}
    upstream.calls.clear()
    answer = gateway.client.post("/v1/chat/completions", json=tight, headers={"x-polyculture-tags": "eu"})
    assert answer.status_code == 200
    assert "x-polyculture-corrections" not in answer.headers


def test_no_other_tenant_ever_hears_of_them(start: Start, upstream: Upstream) -> None:
    configuration = cards.healthy(upstream.url)
    on = {"enabled": True, "similarity": 0.0}
    configuration["tenants"] = [
        {"id": "acme", "key_env": "ACME_KEY", "corrections": on},
        {"id": "default", "corrections": on},
    ]
    gateway = start(configuration, ACME_KEY=ACME_KEY)
    corrected(gateway, "Ours.")
    acme = {"authorization": f"Bearer {ACME_KEY}"}
    for headers, expected in ((acme, []), ({}, ["Ours."])):
        assert told(gateway, upstream, headers=headers) == expected
    name = gateway.chat(PROMPT, headers=acme).headers["x-polyculture-decision-id"]
    said = {"decision_id": name, "correction": "Theirs."}
    assert gateway.client.post("/v1/feedback", json=said, headers=acme).status_code == 200
    for headers, expected in ((acme, ["Theirs."]), ({}, ["Ours."])):
        assert told(gateway, upstream, headers=headers) == expected
