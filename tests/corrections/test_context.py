"""One more message in a request's body: where it goes, and that all other bytes stay."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.corrections.context import INTRODUCTION, message, with_message

ADDED = message(["It is 42.", "Say\nplease."])

finite = st.floats(allow_nan=False, allow_infinity=False)
roles = st.sampled_from(["system", "developer", "user", "assistant", "tool"])
contents = st.none() | st.text(max_size=20) | st.lists(st.fixed_dictionaries({"type": st.just("text")}), max_size=2)
messages = st.lists(st.fixed_dictionaries({"role": roles, "content": contents}, optional={"x": finite}))


def test_the_message_numbers_what_it_tells() -> None:
    assert {"role": "system", "content": f"{INTRODUCTION}\n1. It is 42.\n2. Say\nplease."} == ADDED


@pytest.mark.parametrize(
    ("roles", "place"),
    [
        (["user"], 0),
        (["system", "user"], 1),
        (["system", "developer", "user", "system"], 2),
        (["system"], 1),
        (["assistant", "system", "user"], 0),
    ],
)
def test_it_stands_behind_the_system_messages_that_come_first(roles: list[str], place: int) -> None:
    body = {"messages": [{"role": role, "content": role} for role in roles], "model": "auto"}
    changed = json.loads(with_message(json.dumps(body).encode(), ADDED))
    assert changed["messages"][place] == ADDED
    assert [each["role"] for number, each in enumerate(changed["messages"]) if number != place] == roles


@given(messages.filter(bool), st.dictionaries(st.text(max_size=5), finite | st.text(), max_size=3))
def test_everything_else_stays_as_it_was(said: list[dict[str, Any]], rest: dict[str, Any]) -> None:
    body = {**rest, "messages": said}
    changed = json.loads(with_message(json.dumps(body).encode(), ADDED))
    changed["messages"].remove(ADDED)
    assert json.dumps(changed, sort_keys=True) == json.dumps(body, sort_keys=True)


def test_values_keep_their_bytes() -> None:
    odd = b'{"temperature": 1.70e0,"messages":[ {"role":"user", "content":"\\u00e9" ,"x":1.0e2}\n],"y":{"a" :1}}'
    changed = with_message(odd, ADDED)
    assert b'"temperature":1.70e0' in changed
    assert b'{"role":"user", "content":"\\u00e9" ,"x":1.0e2}' in changed
    assert b'{"a" :1}' in changed
