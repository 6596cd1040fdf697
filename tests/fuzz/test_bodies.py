"""Any bytes at all, and any JSON: an answer in good time, never a 500, and the process up."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.gateway import Gateway

SETTINGS = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

#: Longest that any answer may take, in seconds: past it, a request hangs.
PATIENCE_S = 20.0

INSIDE = ("Traceback", ".py", "site-packages", "127.0.0.1", "sqlalchemy", "msgspec", "object at 0x")

scalars = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=30), st.sampled_from(["", "auto", "user"])
)
values = st.recursive(
    scalars,
    lambda children: st.one_of(
        st.lists(children, max_size=4), st.dictionaries(st.text(max_size=8), children, max_size=4)
    ),
    max_leaves=12,
)
parts = st.fixed_dictionaries(
    {}, optional={"type": st.sampled_from(["text", "image_url", "input_audio"]) | values, "text": st.text() | values}
)
contents = st.text() | st.lists(parts, max_size=3) | values
roles = st.sampled_from(["user", "assistant", "system", "tool"]) | values
messages = st.lists(
    st.fixed_dictionaries({}, optional={"role": roles, "content": contents, "name": values}), max_size=4
)
names = st.sampled_from(["auto", "auto:cheap", "auto:", "math", "embed", "none"])
chats = st.fixed_dictionaries(
    {"messages": messages | values},
    optional={
        "model": names | values,
        "stream": st.booleans() | values,
        "max_tokens": st.integers() | values,
        "max_completion_tokens": values,
        "tools": st.lists(values, max_size=2) | values,
        "response_format": st.fixed_dictionaries({"type": st.text() | values}) | values,
        "n": st.integers(-2, 3) | values,
        "stream_options": st.fixed_dictionaries({}, optional={"include_usage": st.booleans()}) | values,
    },
)
embeddings = st.fixed_dictionaries(
    {"input": st.lists(st.text(), max_size=3) | values}, optional={"model": names | values}
)
ids = st.text() | st.binary(min_size=16, max_size=16).map(bytes.hex) | values
items = st.fixed_dictionaries(
    {},
    optional={
        "decision_id": ids,
        "completion_id": ids,
        "score": st.floats(0, 1) | values,
        "thumb": st.sampled_from(["up", "down"]) | values,
        "metric": st.sampled_from(["stars", "seconds", "none"]) | values,
        "value": st.floats() | values,
        "comment": st.text() | values,
        "source": st.text() | values,
    },
)
BODIES: dict[str, st.SearchStrategy[Any]] = {
    "/v1/chat/completions": chats,
    "/v1/route": chats,
    "/v1/embeddings": embeddings,
    "/v1/feedback": items | st.lists(items, max_size=4),
}


def check_answer(target: Gateway, answer: httpx.Response) -> None:
    assert answer.status_code in {200, 400, 404, 413, 422}, answer.text
    if answer.status_code != 200:
        error = answer.json()["error"]
        assert set(error) == {"message", "type", "param", "code"}
        assert not any(inside in answer.text for inside in INSIDE)
    assert target.process.poll() is None


@pytest.mark.parametrize("path", BODIES)
def test_documents_of_the_right_shape_with_anything_in_them(target: Gateway, path: str) -> None:
    @SETTINGS
    @given(BODIES[path])
    def send(document: Any) -> None:
        body = json.dumps(document).encode()
        check_answer(target, target.client.post(path, content=body, timeout=PATIENCE_S))

    send()
    assert "Traceback" not in target.log


@pytest.mark.parametrize("path", BODIES)
def test_any_bytes_and_any_damage(target: Gateway, path: str) -> None:
    """Bytes from nowhere, and sound documents that were cut, doubled or spoiled."""
    sound = BODIES[path].map(lambda document: json.dumps(document).encode())

    @SETTINGS
    @given(st.data())
    def send(data: st.DataObject) -> None:
        body = data.draw(st.binary(max_size=200) | sound)
        place = data.draw(st.integers(0, len(body)))
        spoiled = body[:place] + data.draw(st.binary(max_size=3)) + body[place + data.draw(st.integers(0, 3)) :]
        check_answer(target, target.client.post(path, content=spoiled, timeout=PATIENCE_S))

    send()
    assert "Traceback" not in target.log


def test_feedback_on_a_real_decision_never_leaves_its_bounds(target: Gateway) -> None:
    name = target.chat().headers["x-polyculture-decision-id"]

    @SETTINGS
    @given(items)
    def send(item: dict[str, Any]) -> None:
        body = json.dumps({**item, "decision_id": name}).encode()
        answer = target.client.post("/v1/feedback", content=body, timeout=PATIENCE_S)
        check_answer(target, answer)
        if answer.status_code == 200:
            assert 0 <= answer.json()["reward"] <= 1

    send()
    assert all(0 <= probability <= 1 for probability in target.probabilities().values())
