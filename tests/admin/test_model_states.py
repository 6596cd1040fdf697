"""Where models stand: what each state lets a model do, and that the log's probabilities stay exact."""

from __future__ import annotations

import numpy as np
import pytest

from gateway.events import ArmSet, Decision
from tests.conftest import Start
from tests.support import answers
from tests.support.cards import card
from tests.support.gateway import Gateway
from tests.support.registered import Models, complaint
from tests.support.upstream import Script, Upstream, refusal, stream, whole

ROUTING = {"share_cap": None, "exploration": 0.3}


def begun(start: Start, upstream: Upstream) -> tuple[Gateway, Models]:
    cards = [card(name, upstream.url, description="answers") for name in ("one", "two", "three")]
    gateway = start({"models": cards, "routing": ROUTING})
    return gateway, Models(gateway=gateway)


def test_a_disabled_model_is_not_there_until_it_is_enabled(start: Start, upstream: Upstream) -> None:
    gateway, models = begun(start, upstream)
    before = models.get("one")["etag"]
    answer = models.ask("POST", "/one/disable", match=before)
    assert (answer.status_code, answer.json()["state"]) == (200, "disabled")
    assert answer.headers["etag"] != before
    assert complaint(models.ask("POST", "/one/enable", match=before), 412)
    assert "one" not in gateway.probabilities()
    assert gateway.route()["excluded"]["one"] == "disabled"
    assert complaint(gateway.chat(model="one"), 404)
    assert "one" not in [each["id"] for each in gateway.client.get("/v1/models").json()["data"]]
    gateway.kill()
    again, models = begun(start, upstream)
    assert "one" not in again.probabilities()
    assert models.ask("POST", "/one/enable").json()["state"] == "active"
    assert again.chat(model="one").status_code == 200
    assert [each["state"] for each in models.history("one")] == ["active", "disabled"]
    assert len(again.events(ArmSet)) == 3


def test_what_its_card_disables_is_enabled_there(start: Start, upstream: Upstream) -> None:
    gateway = start({"models": [card("one", upstream.url, enabled=False), card("two", upstream.url)]})
    models = Models(gateway=gateway)
    assert models.get("one")["state"] == "disabled"
    assert "configuration file" in complaint(models.ask("POST", "/one/enable"), 409)
    models.created({**card("three", upstream.url), "enabled": False})
    assert models.ask("POST", "/three/enable").json()["card"]["enabled"] is True
    assert gateway.chat(model="three").status_code == 200
    assert complaint(models.ask("POST", "/four/enable"), 404)
    assert models.create(card("four", upstream.url), state="shadow").json()["state"] == "shadow"
    assert set(gateway.probabilities()) == {"two", "three"}
    assert complaint(models.create(card("five", upstream.url), state="canary"), 400)
    assert models.create(card("five", upstream.url), state="canary", share=0.2).json()["share"] == 0.2


def test_a_draining_model_finishes_what_it_began_and_takes_nothing_new(start: Start, upstream: Upstream) -> None:
    gateway, models = begun(start, upstream)
    began = "Tell me a long story about a dragon and a knight who became friends."
    assert gateway.chat(began, model="one").status_code == 200
    upstream.scripts["one"] = Script(pieces=stream(answers.events({"model": "one"})), pause_s=0.1)
    question = {"model": "one", "messages": [{"role": "user", "content": "Hi"}], "stream": True}
    with gateway.client.stream("POST", "/v1/chat/completions", json=question) as answer:
        lines = answer.iter_lines()
        assert next(lines)
        shown = models.ask("POST", "/one/drain").json()
        assert (shown["state"], shown["figures"]["under_way"]) == ("draining", 1)
        assert "draining" in complaint(gateway.chat(model="one"), 503)
        assert [line for line in lines if line][-1] == "data: [DONE]"
    assert models.get("one")["figures"]["under_way"] == 0
    said = {"role": "assistant", "content": "Well."}
    going_on = [{"role": "user", "content": began}, said, {"role": "user", "content": "And then?"}]
    upstream.clear()
    assert "one" in gateway.probabilities(messages=going_on)  # what it began, it may finish
    assert gateway.chat(model="one", messages=going_on).status_code == 200
    assert gateway.route()["excluded"]["one"] == "draining"
    upstream.clear()
    for name in ("two", "three"):
        upstream.scripts[name] = refusal(500)
    assert complaint(gateway.chat(), 502)
    assert not upstream.calls_of("one")  # not as a fallback either


def test_a_shadow_is_asked_by_name_alone_and_that_teaches_about_it(start: Start, upstream: Upstream) -> None:
    gateway, models = begun(start, upstream)
    assert models.ask("POST", "/one/state", json={"state": "shadow"}).json()["state"] == "shadow"
    assert set(gateway.probabilities()) == {"two", "three"}
    assert "one" in [each["id"] for each in gateway.client.get("/v1/models").json()["data"]]
    before = models.get("one")["figures"]["expected_reward"]
    for _ in range(6):
        name = gateway.chat(model="one").headers["x-polyculture-decision-id"]
        assert gateway.feedback({"decision_id": name, "score": 0.0}).json()["learned"] is True
    forced = gateway.events(Decision)
    assert {(each.reason, each.arms[0], each.propensity()) for each in forced} == {("forced", "one", 1.0)}
    assert models.get("one")["figures"]["expected_reward"] < before
    models.ask("POST", "/one/enable")
    name = gateway.chat(model="one").headers["x-polyculture-decision-id"]
    assert gateway.feedback({"decision_id": name, "score": 0.0}).json()["learned"] is False  # as for any named model


def test_a_canary_takes_its_share_at_most_and_the_log_is_exact(start: Start, upstream: Upstream) -> None:
    gateway, models = begun(start, upstream)
    assert complaint(models.ask("POST", "/one/state", json={"state": "canary"}), 400)
    assert complaint(models.ask("POST", "/one/state", json={"state": "active", "share": 0.5}), 400)
    assert complaint(models.ask("POST", "/one/state", json={"state": "canary", "share": 0.0}), 400)
    shown = models.ask("POST", "/one/state", json={"state": "canary", "share": 0.3}).json()
    assert (shown["state"], shown["share"]) == ("canary", 0.3)
    assert "one" not in gateway.probabilities()  # of most requests, which a dry run shows
    assert gateway.chat(model="one").status_code == 200
    for number in range(200):
        assert gateway.chat(f"Question {number}").status_code == 200
    drawn = [each for each in gateway.events(Decision) if each.drawn]
    open_to = [each for each in drawn if "one" in each.arms]
    assert 0.15 < len(open_to) / len(drawn) < 0.45
    for each in drawn:
        probabilities = np.frombuffer(each.probabilities)
        assert probabilities.sum() == pytest.approx(1.0)
        assert ("one" in each.arms) != ("one" in each.excluded)
        assert each.arms[int(np.searchsorted(np.cumsum(probabilities), each.draw, side="right"))] == each.chosen
    found = [each.subject for each in gateway.records(Decision) if each.event in open_to]
    assert found[0] is not None
    replay = gateway.client.get(f"/v1/decisions/{found[0].hex()}", params={"replay": "version"}).json()["replay"]
    assert replay["version"]["exact"], replay
    for _ in range(20):
        gateway.chat(headers={"x-polyculture-explore": "off"})
    assert all("one" not in each.arms for each in gateway.events(Decision)[-20:])


def test_a_model_can_be_called_to_see_whether_it_answers(start: Start, upstream: Upstream) -> None:
    keyed = card("keyed", upstream.url)
    keyed["upstream"]["api_key_env"] = "MY_KEY"
    dead = card("dead", "http://127.0.0.1:9/v1")
    gateway = start(
        {"models": [keyed, dead, card("vectors", upstream.url, endpoint="embeddings")]}, MY_KEY="planted-key-1"
    )
    models = Models(gateway=gateway)
    told = models.ask("POST", "/keyed/test").json()
    assert told["ok"] is True
    assert told["answer"]
    assert told["latency_s"] > 0
    assert models.ask("POST", "/vectors/test").json()["ok"] is True
    upstream.scripts["keyed"] = refusal(400, "The key planted-key-1 may not do this.")
    failed = models.ask("POST", "/keyed/test").json()
    assert (failed["ok"], failed["error"]) == (False, "The key *** may not do this.")
    repeated = b'{"choices": [{"message": {"content": "You are planted-key-1."}}]}'
    upstream.scripts["keyed"] = Script(pieces=[whole(repeated)])
    assert models.ask("POST", "/keyed/test").json()["answer"] == "You are ***."
    assert "could not be reached" in models.ask("POST", "/dead/test").json()["error"]
    assert complaint(models.ask("POST", "/none/test"), 404)
    assert not gateway.events(Decision)
