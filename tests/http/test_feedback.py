"""``POST /v1/feedback``: what is taken, what is refused, and that it counts once."""

from __future__ import annotations

import sqlite3
from typing import Any

import pytest

from gateway.events import Feedback
from tests.conftest import ACME_KEY, Start
from tests.support import cards
from tests.support.gateway import ADMIN_KEY, KEY, Gateway
from tests.support.upstream import Upstream


def decided(gateway: Gateway, *, key: str = KEY, **fields: Any) -> str:
    """A new decision's id."""
    answer = gateway.chat(headers={"authorization": f"Bearer {key}"}, **fields)
    assert answer.status_code == 200
    name: str = answer.headers["x-polyculture-decision-id"]
    return name


@pytest.mark.parametrize(
    ("said", "reward"),
    [
        ({"score": 0}, 0.0),
        ({"score": 0.25}, 0.25),
        ({"score": 1}, 1.0),
        ({"thumb": "up"}, 1.0),
        ({"thumb": "down"}, 0.0),
        ({"metric": "stars", "value": 4}, 0.75),
        ({"metric": "stars", "value": 9}, 1.0),
        ({"metric": "seconds", "value": 2.5}, 0.75),
        ({"metric": "seconds", "value": 1e300}, 0.0),
        ({"metric": "stars", "value": True}, 0.0),
        ({"score": 0.5, "comment": "fine\u0000 \U0001f600", "correction": "five", "source": "judge"}, 0.5),
    ],
)
def test_each_way_of_saying_it_becomes_a_reward(healthy: Gateway, said: dict[str, Any], reward: float) -> None:
    name = decided(healthy)
    answer = healthy.feedback({"decision_id": name, **said})
    assert answer.json() == {"decision_id": name, "status": "recorded", "reward": reward, "learned": True}
    (logged,) = healthy.events(Feedback, about=name)
    assert (logged.reward, logged.weight, logged.previous) == (reward, 1.0, None)
    assert (logged.comment, logged.correction) == (said.get("comment"), said.get("correction"))


def test_the_completions_id_will_do(healthy: Gateway) -> None:
    completion = healthy.chat().json()["id"]
    answer = healthy.feedback({"completion_id": completion, "score": 1})
    assert answer.json()["decision_id"] == completion.removeprefix("chatcmpl-")
    assert answer.json()["status"] == "recorded"


def test_a_decisions_id_may_be_written_as_a_uuid(healthy: Gateway) -> None:
    name = decided(healthy)
    dashed = f"{name[:8]}-{name[8:12]}-{name[12:16]}-{name[16:20]}-{name[20:]}".upper()
    assert healthy.feedback({"decision_id": dashed, "score": 1}).json()["decision_id"] == name


def test_saying_it_again_changes_nothing_and_saying_otherwise_amends(healthy: Gateway) -> None:
    name = decided(healthy)
    statuses = [
        healthy.feedback({"decision_id": name, **said}).json()["status"]
        for said in ({"score": 1}, {"score": 1}, {"thumb": "up"}, {"score": 0.5}, {"score": 0.5, "comment": "hm"})
    ]
    assert statuses == ["recorded", "unchanged", "unchanged", "amended", "amended"]
    rewards = [(said.reward, said.previous) for said in healthy.events(Feedback, about=name)]
    assert rewards == [(1.0, None), (0.5, 1.0), (0.5, 0.5)]


def test_each_source_speaks_for_itself(healthy: Gateway) -> None:
    name = decided(healthy)
    for source in ("judge", "user"):
        said = {"decision_id": name, "score": 1, "source": source}
        assert healthy.feedback(said).json()["status"] == "recorded"
        assert healthy.feedback(said).json()["status"] == "unchanged"
    assert healthy.feedback({"decision_id": name, "score": 1}, key=ADMIN_KEY).json()["status"] == "recorded"
    assert len(healthy.events(Feedback, about=name)) == 3


def test_feedback_on_a_forced_choice_is_kept_and_teaches_nothing(healthy: Gateway) -> None:
    name = decided(healthy, model="math")
    assert healthy.feedback({"decision_id": name, "score": 1}).json()["learned"] is False
    (logged,) = healthy.events(Feedback, about=name)
    assert logged.lesson is None


def test_a_batch_takes_the_good_and_names_the_bad(healthy: Gateway) -> None:
    good, other = decided(healthy), decided(healthy)
    items = [
        {"decision_id": good, "score": 1},
        {"decision_id": "0" * 32, "score": 1},
        {"decision_id": other},
        {"decision_id": good, "score": 1},
        {"completion_id": f"chatcmpl-{other}", "thumb": "down"},
    ]
    answer = healthy.feedback(items)
    assert answer.status_code == 200
    results = answer.json()["results"]
    assert [result.get("status") for result in results] == ["recorded", None, None, "unchanged", "recorded"]
    assert results[1]["error"]["code"] == "not_found"
    assert results[2]["error"]["type"] == "invalid_request_error"
    assert set(results[1]) == {"error"}


@pytest.mark.parametrize(
    ("document", "param"),
    [
        ({"score": 1}, "decision_id"),
        ({"decision_id": "ID", "completion_id": "chatcmpl-ID", "score": 1}, "decision_id"),
        ({"decision_id": "ID"}, None),
        ({"decision_id": "ID", "score": 1, "thumb": "up"}, "thumb"),
        ({"decision_id": "ID", "score": 1.01}, "score"),
        ({"decision_id": "ID", "score": -0.1}, "score"),
        ({"decision_id": "ID", "score": "1"}, "score"),
        ({"decision_id": "ID", "score": True}, "score"),
        ({"decision_id": "ID", "thumb": "sideways"}, "thumb"),
        ({"decision_id": "ID", "metric": "stars"}, "value"),
        ({"decision_id": "ID", "score": 1, "value": 2}, "value"),
        ({"decision_id": "ID", "value": 2}, None),
        ({"decision_id": "ID", "metric": "unknown", "value": 1}, "metric"),
        ({"decision_id": "ID", "metric": "stars", "value": "4"}, "value"),
        ({"decision_id": "ID", "score": 1, "comment": "x" * 20_001}, "comment"),
        ({"decision_id": "ID", "score": 1, "source": ""}, "source"),
        ({"decision_id": 5, "score": 1}, "decision_id"),
        ({"decision_id": "ID", "score": 1, "secret": 1}, None),
        ([], None),
        ([{"decision_id": "ID", "score": 1, "secret": 1}], "[0]"),
        ([{"decision_id": "ID", "score": 1}] * 1001, None),
        ("text", None),
        (None, None),
    ],
)
def test_what_is_not_valid_is_refused(healthy: Gateway, document: Any, param: str | None) -> None:
    name = decided(healthy)
    if isinstance(document, dict):
        document = {k: v.replace("ID", name) if isinstance(v, str) else v for k, v in document.items()}
    answer = healthy.feedback(document)
    assert answer.status_code == 400
    error = answer.json()["error"]
    assert (error["type"], error["param"]) == ("invalid_request_error", param)
    assert not healthy.events(Feedback, about=name)


@pytest.mark.parametrize("name", ["0" * 32, "nonsense", "chatcmpl-", "é" * 16, "0" * 200, "0x" + "0" * 30])
@pytest.mark.parametrize("field", ["decision_id", "completion_id"])
def test_an_unknown_decision_is_not_found(healthy: Gateway, name: str, field: str) -> None:
    answer = healthy.feedback({field: name, "score": 1})
    assert answer.status_code == 404
    assert answer.json()["error"]["code"] == "not_found"


def test_another_tenants_decision_does_not_exist(healthy: Gateway) -> None:
    ours, theirs = decided(healthy), decided(healthy, key=ACME_KEY)
    for name, key in ((ours, ACME_KEY), (theirs, KEY), (theirs, ADMIN_KEY)):
        answer = healthy.feedback({"decision_id": name, "score": 1}, key=key)
        assert answer.status_code == 404
        assert answer.json() == healthy.feedback({"decision_id": "0" * 32, "score": 1}).json()
    assert healthy.feedback({"decision_id": theirs, "score": 1}, key=ACME_KEY).status_code == 200


def test_feedback_comes_too_late_after_the_window(start: Start, upstream: Upstream) -> None:
    configuration = cards.healthy(upstream.url)
    gateway = start(configuration, ACME_KEY=ACME_KEY, POLYCULTURE_FEEDBACK_WINDOW_DAYS="2")
    old, recent = decided(gateway), decided(gateway)
    gateway.stop()
    with sqlite3.connect(gateway.data_dir / "polyculture.db") as database:  # move both into the past
        for name, days in ((old, 3), (recent, 1)):
            microseconds = days * 86_400_000_000
            database.execute("UPDATE events SET at = at - ? WHERE subject = ?", (microseconds, bytes.fromhex(name)))
    database.close()
    gateway = start(configuration, ACME_KEY=ACME_KEY, POLYCULTURE_FEEDBACK_WINDOW_DAYS="2")
    answer = gateway.feedback([{"decision_id": name, "score": 1} for name in (old, recent)])
    late, taken = answer.json()["results"]
    assert late["error"]["code"] == "unprocessable"
    assert taken["status"] == "recorded"
    assert gateway.feedback({"decision_id": old, "score": 1}).status_code == 422


def test_feedback_is_counted_by_what_became_of_it(healthy: Gateway) -> None:
    def counts() -> list[float]:
        kinds = ("recorded", "amended", "unchanged", "refused")
        return [healthy.metric("polyculture_feedback_total", status=kind) for kind in kinds]

    before, name = counts(), decided(healthy)
    for score in (1, 0, 0):
        healthy.feedback({"decision_id": name, "score": score})
    healthy.feedback({"decision_id": "0" * 32, "score": 1})
    healthy.feedback([{"decision_id": "0" * 32, "score": 1}, {"decision_id": name, "score": 0}])
    healthy.feedback({"decision_id": name, "score": 7})
    assert [after - b for after, b in zip(counts(), before, strict=True)] == [1, 1, 2, 3]
