"""Feedback moves the routing, at once, for its own tenant alone, and across a restart."""

from __future__ import annotations

import pytest

from tests.conftest import Start
from tests.support import answers
from tests.support.cards import card
from tests.support.gateway import Gateway
from tests.support.upstream import Script, Upstream, whole

PROMPT = "Please add 17 and 25."


def configuration(upstream: Upstream) -> dict[str, object]:
    return {
        "models": [card(name, upstream.url) for name in ("one", "two", "three")],
        "routing": {"share_cap": None},
        "tenants": [{"id": "acme", "key_env": "ACME_KEY"}],
    }


def teach(gateway: Gateway, good: str, *, rounds: int) -> None:
    """Praise one model's answers, blame the others'."""
    for number in range(rounds):
        answer = gateway.chat(f"{PROMPT} Again: {number}.")
        score = float(answer.headers["x-polyculture-model"] == good)
        taken = gateway.feedback({"completion_id": answer.json()["id"], "score": score})
        assert taken.json()["learned"] is True


def test_praise_raises_a_models_probability(start: Start, upstream: Upstream) -> None:
    gateway = start(configuration(upstream), ACME_KEY="pc-acme")
    acme = {"authorization": "Bearer pc-acme"}
    before = gateway.probabilities(PROMPT)
    elsewhere = gateway.probabilities(PROMPT, headers=acme)
    teach(gateway, "two", rounds=40)
    after = gateway.probabilities(PROMPT)
    assert after["two"] > max(0.7, before["two"])
    assert after["one"] < before["one"]
    assert gateway.probabilities(PROMPT, headers=acme) == elsewhere
    gateway.stop()
    again = start(configuration(upstream), ACME_KEY="pc-acme")
    assert again.probabilities(PROMPT) == pytest.approx(after, abs=1e-9)
    teach(again, "three", rounds=120)
    turned = again.probabilities(PROMPT)
    assert turned["three"] > turned["two"]


def scores(gateway: Gateway) -> dict[str, float]:
    return {each["model"]: each["score"] for each in gateway.route(PROMPT)["candidates"]}


def test_the_next_request_is_routed_by_the_last_outcome(start: Start, upstream: Upstream) -> None:
    gateway = start(configuration(upstream), ACME_KEY="pc-acme")
    for reward in (1, 0, 1, 0, 1):
        answer = gateway.chat(PROMPT)
        model, version = answer.headers["x-polyculture-model"], answer.headers["x-polyculture-router-version"]
        before = scores(gateway)
        gateway.feedback({"completion_id": answer.json()["id"], "score": reward})
        after = scores(gateway)
        assert (after[model] > before[model]) == bool(reward)
        following = gateway.chat(PROMPT).headers
        lineage, position = following["x-polyculture-router-version"].split(".")
        assert lineage == version.split(".")[0]
        assert int(position) > int(version.split(".")[1])


def test_an_embedder_that_is_too_slow_leaves_the_prior_and_says_so(start: Start, upstream: Upstream) -> None:
    """A remote embedder: quick at first, then slower than any request may wait."""
    remote = {"POLYCULTURE_EMBEDDER": upstream.url, "POLYCULTURE_EMBEDDING_MODEL": "embedder"}
    gateway = start(configuration(upstream), ACME_KEY="pc-acme", **remote)
    assert gateway.chat("Quick.").headers["x-polyculture-reason"] == "policy"
    slowly = answers.embeddings({"model": "embedder", "input": "Slow."})
    upstream.scripts["embedder"] = Script(pieces=[whole(slowly)], delay_s=1.0)
    slow = gateway.chat("Slow.")
    assert slow.status_code == 200
    assert slow.headers["x-polyculture-reason"] == "prior"
    assert gateway.chat("Quick.").headers["x-polyculture-reason"] == "policy"
    taken = gateway.feedback({"completion_id": slow.json()["id"], "score": 1})
    assert taken.json()["status"] == "recorded"
    upstream.scripts.clear()


def test_an_embedder_that_fails_leaves_the_prior_too(start: Start, upstream: Upstream) -> None:
    remote = {"POLYCULTURE_EMBEDDER": upstream.url, "POLYCULTURE_EMBEDDING_MODEL": "embedder"}
    gateway = start(configuration(upstream), ACME_KEY="pc-acme", **remote)
    upstream.scripts["embedder"] = Script(pieces=[], ending="reset")
    assert gateway.chat("Hello").headers["x-polyculture-reason"] == "prior"
    upstream.scripts.clear()
    assert gateway.chat("Hello").headers["x-polyculture-reason"] == "policy"
