"""Laws of remembering who holds a conversation: bounded, for each tenant by itself, sub-agents apart."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.conversations import Conversations, Held, Shelf
from gateway.keys import Principal
from gateway.request import Reading, read_chat, read_embeddings

ANN, BOB = Principal("ann", "default", "data"), Principal("bob", "other", "data")
NO_SESSION = b""


class Clock:
    """A time that tests set."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def said(*texts: str, system: str = "") -> Reading:
    """A request whose user and assistant said these texts in turn."""
    messages: list[dict[str, Any]] = [{"role": "system", "content": system}] if system else []
    messages += [{"role": ("user", "assistant")[place % 2], "content": text} for place, text in enumerate(texts)]
    return read_chat(json.dumps({"messages": messages}).encode())


@pytest.fixture(name="clock")
def still_clock() -> Clock:
    return Clock()


@pytest.fixture(name="conversations")
def fresh(clock: Clock) -> Conversations:
    return Conversations(most=4, idle_s=60.0, clock=clock)


def test_a_conversation_is_known_by_its_beginning_once_there_is_an_answer(conversations: Conversations) -> None:
    first, second = said("Hello", system="Be kind."), said("Hello", "Hi!", "How are you?", system="Be kind.")
    assert conversations.holder(ANN, first, NO_SESSION) is None
    conversations.answered(ANN, first, NO_SESSION, model="one", tokens=5)
    assert conversations.holder(ANN, first, NO_SESSION) is None
    held = conversations.holder(ANN, second, NO_SESSION)
    assert held is not None
    assert (held.model, held.tokens) == ("one", 5)
    for other in (said("Hello!", "Hi!", "How?", system="Be kind."), said("Hello", "Hi!", "How?", system="Be rude.")):
        assert conversations.holder(ANN, other, NO_SESSION) is None


def test_nobody_has_read_more_than_the_prompt(conversations: Conversations) -> None:
    conversations.answered(ANN, said("Hello"), NO_SESSION, model="one", tokens=10_000)
    following = said("Hello", "Hi!", "What else?")
    held = conversations.holder(ANN, following, NO_SESSION)
    assert held is not None
    assert held.tokens == following.prompt_tokens


def test_keys_and_tenants_are_strangers(conversations: Conversations) -> None:
    conversations.answered(ANN, said("Hello"), b"s1", model="one", tokens=5)
    conversations.answered(ANN, said("Hello"), NO_SESSION, model="two", tokens=5)
    following = said("Hello", "Hi!", "More?")
    assert conversations.holder(BOB, following, b"s1") is None
    assert conversations.holder(BOB, following, NO_SESSION) is None
    assert conversations.holder(Principal("eve", "default", "data"), following, NO_SESSION) is None


def test_sub_agents_and_short_calls_leave_the_main_conversation_alone(conversations: Conversations) -> None:
    main, agent = said("Fix it", "On it.", "Go on", system="Lead."), said("Find x", "There.", "And y", system="Search.")
    title = said("Give this a title", system="Lead.")
    conversations.answered(ANN, main, b"s", model="big", tokens=900)
    conversations.answered(ANN, agent, b"s", model="small", tokens=90)
    conversations.answered(ANN, title, b"s", model="tiny", tokens=9)
    held = [conversations.holder(ANN, each, b"s") for each in (main, agent, title)]
    assert [each.model for each in held if each is not None] == ["big", "small", "tiny"]


def test_within_a_session_what_begins_anew_leans_on_who_held_the_longest(conversations: Conversations) -> None:
    conversations.answered(ANN, said("Fix it", "On it.", "Go on"), b"s", model="big", tokens=900)
    conversations.answered(ANN, said("A title, please"), b"s", model="tiny", tokens=9)
    compacted = conversations.holder(ANN, said("In short: fix it"), b"s")
    assert compacted is not None
    assert (compacted.model, compacted.tokens) == ("big", 0)
    assert conversations.holder(ANN, said("In short: fix it"), b"t") is None


def test_idle_conversations_are_held_by_nobody(conversations: Conversations, clock: Clock) -> None:
    following = said("Hello", "Hi!", "More?")
    conversations.answered(ANN, said("Hello"), b"s", model="one", tokens=5)
    clock.now = 59.0
    assert conversations.holder(ANN, following, b"s") is not None
    clock.now = 61.0
    assert conversations.holder(ANN, following, b"s") is None
    assert conversations.holder(ANN, said("Else", system=""), b"s") is None


def test_embeddings_are_no_conversations_and_none_are_kept_where_none_may_be(conversations: Conversations) -> None:
    conversations.answered(ANN, read_embeddings(b'{"input": "x"}'), b"s", model="one", tokens=5)
    assert len(conversations) == 0
    off = Conversations(most=0, idle_s=60.0)
    off.answered(ANN, said("Hello"), b"s", model="one", tokens=5)
    assert len(off) == 0


def test_what_comes_once_does_not_push_out_what_comes_again() -> None:
    shelf = Shelf(most=4)
    for _ in range(2):
        shelf.put(1, Held("one", 1, 1, 0.0))
    for key in range(100, 200):
        shelf.put(key, Held("flood", 1, 1, 0.0))
    assert shelf.get(1) is not None
    assert shelf.get(199) is not None
    assert shelf.get(150) is None


@given(st.lists(st.integers(0, 30), max_size=200), st.integers(1, 6))
def test_a_shelf_is_bounded_and_keeps_the_last_that_was_put(keys: list[int], most: int) -> None:
    shelf = Shelf(most=most)
    for time, key in enumerate(keys):
        held = Held("m", time, 1, float(time))
        shelf.put(key, held)
        assert shelf.get(key) == held
        assert len(shelf) <= 2 * most


@given(st.text(max_size=6000), st.text(min_size=1, max_size=40), st.integers(0, 5999))
def test_a_text_is_known_by_its_ends(text: str, more: str, at: int) -> None:
    def opening(system: str) -> int:
        return said("Hello", system=system or " ").opening

    assert opening(text) == opening(text)
    changed = text[:100] + more + text[100:]
    assert opening(changed) != opening(text) or changed == text or not text.strip()
