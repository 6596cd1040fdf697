"""Models declared, changed and taken out over HTTP, while the gateway runs."""

from __future__ import annotations

import signal
import threading
from typing import Any

from gateway.events import ArmRemoved, ArmSet
from tests.conftest import Start
from tests.support import answers
from tests.support.cards import card
from tests.support.gateway import KEY, Gateway
from tests.support.registered import HEADERS, Models, complaint
from tests.support.upstream import Script, Upstream, stream, whole


def least(name: str, upstream: Upstream) -> dict[str, Any]:
    """The least that a card must say."""
    return {"id": name, "upstream": {"base_url": upstream.url, "model": name}}


def begun(start: Start, upstream: Upstream, **fields: Any) -> tuple[Gateway, Models]:
    gateway = start(
        {"models": [card("first", upstream.url, description="cats")], "routing": {"share_cap": None}, **fields}
    )
    return gateway, Models(gateway=gateway)


def test_a_model_takes_requests_as_soon_as_it_was_created(start: Start, upstream: Upstream) -> None:
    gateway, models = begun(start, upstream)
    made = models.created(least("second", upstream))
    assert (made["origin"], made["state"], made["note"]) == ("api", "active", "")
    assert made["card"]["context_window"] == 8192
    assert set(gateway.probabilities()) == {"first", "second"}
    assert gateway.chat(model="second").headers["x-polyculture-model"] == "second"
    assert "second" in [each["id"] for each in gateway.client.get("/v1/models").json()["data"]]
    assert [event.name for event in gateway.events(ArmSet)] == ["first", "second"]
    assert len(upstream.calls_of("second")) == 1  # nobody probed it: nobody asked to
    assert models.get("second")["figures"]["requests"] == 1


def test_a_duplicate_and_faulty_cards_are_refused(start: Start, upstream: Upstream) -> None:
    _, models = begun(start, upstream)
    assert "already" in complaint(models.create(least("first", upstream)), 409)
    for faulty, place in [
        ({"id": "x"}, "upstream"),
        ({"id": "auto", "upstream": {"base_url": upstream.url, "model": "x"}}, "id"),
        ({**least("x", upstream), "colour": "red"}, "colour"),
        ({**least("x", upstream), "context_window": 0}, "context_window"),
        ({**least("x", upstream), "context_window": 10**30}, "context_window"),
        ({**least("x", upstream), "price": {"input": 1e308}}, "price.input"),
        ({"id": "x", "upstream": {"base_url": "ftp://x", "model": "x"}}, "upstream.base_url"),
        ([1], ""),
    ]:
        answer = models.create(faulty)
        assert place in complaint(answer, 400)
        assert (answer.json()["error"]["param"] or "") == place
    assert "not set" in complaint(models.create(keyed(upstream, "NO_SUCH_VARIABLE")), 400)
    assert models.names() == ["first"]


def test_no_id_may_hide_behind_a_path_of_the_api(start: Start, upstream: Upstream) -> None:
    gateway, models = begun(start, upstream)
    prefix = "/admin/v1/models/{id}/"
    acts = [path.removeprefix(prefix) for path in gateway.client.get("/openapi.json").json()["paths"] if prefix in path]
    assert len(acts) == 6
    for act in acts:
        assert act in complaint(models.create(least(f"lab/{act}", upstream)), 400)
        assert models.created(least(act, upstream))["etag"] == models.get(act)["etag"]
        assert models.delete(act).status_code == 200


def test_a_card_that_is_nested_deeply_is_refused(start: Start, upstream: Upstream) -> None:
    gateway, models = begun(start, upstream)
    etag = models.created(least("second", upstream))["etag"]
    headers = {**HEADERS, "if-match": etag}
    for depth in (100, 900, 960, 990, 5000):
        deep = b'{"price":' * depth + b"1" + b"}" * depth
        assert complaint(gateway.client.patch("/admin/v1/models/second", content=deep, headers=headers), 400)
        assert complaint(gateway.client.post("/admin/v1/models", content=deep, headers=HEADERS), 400)
    assert gateway.chat().status_code == 200


def keyed(upstream: Upstream, variable: str) -> dict[str, Any]:
    return {"id": "keyed", "upstream": {"base_url": upstream.url, "model": "x", "api_key_env": variable}}


def test_a_patch_changes_what_it_names_and_null_gives_the_default(start: Start, upstream: Upstream) -> None:
    gateway, models = begun(start, upstream)
    made = models.created({**least("second", upstream), "description": "dogs", "price": {"input": 3.0}, "tools": True})
    answer = models.edit("second", {"price": {"output": 5.0}, "tools": None, "tags": ["b", "a"]}, match=made["etag"])
    assert answer.status_code == 200, answer.text
    after = answer.json()["card"]
    assert (after["price"]["input"], after["price"]["output"], after["tools"]) == (3.0, 5.0, False)
    assert after["tags"] == ["a", "b"]
    assert len(gateway.events(ArmSet)) == 2  # it means what it meant
    before = gateway.probabilities("All about horses")
    assert models.edit("second", {"description": "Horses and riding."}).status_code == 200
    assert len(gateway.events(ArmSet)) == 3
    assert gateway.probabilities("All about horses") != before
    assert "keeps its id" in complaint(models.edit("second", {"id": "third"}), 400)
    assert "object" in complaint(models.edit("second", [1]), 400)
    assert "context_window" in complaint(models.edit("second", {"context_window": "much"}), 400)
    assert models.get("second")["card"]["description"] == "Horses and riding."


def test_changes_are_meant_for_a_version(start: Start, upstream: Upstream) -> None:
    _, models = begun(start, upstream)
    first = models.created(least("second", upstream))["etag"]
    assert "If-Match" in complaint(models.edit("second", {"tools": True}, match=None), 428)
    second = models.edit("second", {"tools": True}, match=first).headers["etag"]
    assert second != first
    assert "changed since" in complaint(models.edit("second", {"tools": False}, match=first), 412)
    assert "changed since" in complaint(models.delete("second", match=first), 412)
    assert "If-Match" in complaint(models.delete("second", match=None), 428)
    assert models.get("second")["card"]["tools"] is True
    assert models.delete("second", match=f'"other", {second}').status_code == 200
    assert complaint(models.edit("second", {"tools": False}), 404)


def test_only_one_of_many_at_once_changes_a_version(start: Start, upstream: Upstream) -> None:
    _, models = begun(start, upstream)
    etag = models.created(least("second", upstream))["etag"]
    statuses: list[int] = []

    def edit(number: int) -> None:
        statuses.append(models.edit("second", {"context_window": 1000 + number}, match=etag).status_code)

    threads = [threading.Thread(target=edit, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [200, *[412] * 7]
    assert len(models.history("second")) == 2


def test_a_model_that_leaves_finishes_its_answers_and_keeps_its_history(start: Start, upstream: Upstream) -> None:
    gateway, models = begun(start, upstream)
    models.created({**least("second", upstream), "description": "dogs"})
    upstream.scripts["second"] = Script(pieces=stream(answers.events({"model": "second"})), pause_s=0.1)
    question = {"model": "second", "messages": [{"role": "user", "content": "Hi"}], "stream": True}
    with gateway.client.stream("POST", "/v1/chat/completions", json=question) as answer:
        lines = answer.iter_lines()
        assert next(lines)
        assert models.get("second")["figures"]["under_way"] == 1
        assert models.delete("second").json() == {"id": "second", "deleted": True}
        assert complaint(gateway.chat(model="second"), 404)
        assert [line for line in lines if line][-1] == "data: [DONE]"
    assert set(gateway.probabilities()) == {"first"}
    assert [event.name for event in gateway.events(ArmRemoved)] == ["second"]
    assert [each["change"] for each in models.history("second")] == ["delete", "create"]
    models.created(least("second", upstream))
    assert [each["change"] for each in models.history("second")] == ["create", "delete", "create"]


def test_everything_is_there_after_the_process_was_killed(start: Start, upstream: Upstream) -> None:
    gateway, models = begun(start, upstream)
    for name in ("second", "third"):
        models.created({**least(name, upstream), "description": name})
    etag = models.edit("second", {"tools": True}).headers["etag"]
    assert models.delete("third").status_code == 200
    gateway.kill()
    again = start(
        {"models": [card("first", upstream.url, description="cats")], "routing": {"share_cap": None}}, home="home"
    )
    found = Models(gateway=again)
    assert found.names() == ["first", "second"]
    assert found.get("second")["etag"] == etag
    assert set(again.probabilities()) == {"first", "second"}
    assert [event.name for event in again.events(ArmSet)] == ["first", "second", "third"]  # none was made anew


def test_the_files_cards_are_shown_and_not_edited(start: Start, upstream: Upstream) -> None:
    gateway, models = begun(start, upstream)
    assert models.get("first")["origin"] == "file"
    assert "configuration file" in complaint(models.edit("first", {"tools": True}), 409)
    assert "configuration file" in complaint(models.delete("first"), 409)
    models.created(least("second", upstream))
    gateway.stop()
    both = [card("first", upstream.url, description="cats"), card("second", upstream.url, context_window=99)]
    again = start({"models": both})
    found = Models(gateway=again).get("second")
    assert (found["origin"], found["card"]["context_window"]) == ("file", 99)
    assert "the file's is used" in found["note"]
    assert "card_hidden" in again.log
    again.stop()
    assert Models(gateway=start({"models": []})).get("second")["origin"] == "api"


def test_lists_are_filtered_and_paged(start: Start, upstream: Upstream) -> None:
    _, models = begun(start, upstream)
    for number in range(5):
        models.created({**least(f"m/{number}", upstream), "tags": ["even"] if number % 2 == 0 else []})
    models.created({**least("vectors", upstream), "endpoint": "embeddings", "enabled": False})
    assert models.names(tag="even") == ["m/0", "m/2", "m/4"]
    assert models.names(origin="file") == ["first"]
    assert models.names(endpoint="embeddings") == ["vectors"]
    assert models.names(state="disabled") == ["vectors"]
    found, after = [], ""
    while True:
        page = models.ask("GET", params={"limit": 3, "after": after}).json()
        found += [each["id"] for each in page["data"]]
        if not page["has_more"]:
            break
        after = page["next"]
    assert found == ["first", "m/0", "m/1", "m/2", "m/3", "m/4", "vectors"]
    assert models.get("m/3")["id"] == "m/3"
    assert complaint(models.ask("GET", params={"state": "happy"}), 400)
    assert "twice" in complaint(models.ask("GET", params={"tag": ["odd", "even"]}), 400)


def test_the_history_and_the_audit_log_say_who_did_what(start: Start, upstream: Upstream) -> None:
    gateway, models = begun(start, upstream)
    models.created(least("second", upstream))
    models.edit("second", {"tools": True})
    edit, create = models.history("second")
    assert (edit["change"], edit["card"]["tools"], "tools" in create["card"]) == ("edit", True, False)
    assert edit["at"] >= create["at"] > 0
    assert edit["name"] == create["name"] == "key admin"
    audited = gateway.client.get("/admin/v1/audit", headers=HEADERS).json()["data"]
    told = [each for each in audited if each["action"].startswith("model.")]
    assert [each["action"] for each in told] == ["model.create", "model.edit"]
    assert told[0]["actor"] == create["actor"]
    page = models.ask("GET", "/second/history", params={"limit": 1}).json()
    assert (page["has_more"], len(page["data"])) == (True, 1)
    rest = models.ask("GET", "/second/history", params={"before": page["data"][0]["revision"]}).json()
    assert [each["change"] for each in rest["data"]] == ["create"]


def test_only_admins_may(start: Start, upstream: Upstream) -> None:
    gateway, _ = begun(start, upstream)
    headers = {"authorization": f"Bearer {KEY}"}
    for method in ("GET", "POST"):
        assert gateway.client.request(method, "/admin/v1/models", headers=headers).status_code == 403


def test_a_model_that_rests_is_shown_so(start: Start, upstream: Upstream) -> None:
    gateway, models = begun(start, upstream)
    models.created(least("second", upstream))
    assert models.get("second")["figures"]["breaker"] == "closed"
    upstream.scripts["second"] = Script(pieces=[whole(b"{}", status=500)])
    for _ in range(3):
        gateway.chat(model="second")
    figures = models.get("second")["figures"]
    assert figures["breaker"] in ("open", "trying")
    assert figures["failures"] >= 3
    assert models.edit("second", {"tools": True}).json()["figures"]["breaker"] in ("open", "trying")
    gateway.stop(signal.SIGTERM)
