"""Events on disk: what is written comes back, and old ones stay readable."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.events import (
    TYPES,
    Answer,
    Decision,
    Draw,
    Event,
    Feedback,
    Lesson,
    Payment,
    UnknownEvent,
    decode,
    encode,
)
from tests.log.samples import FORCED, answer, decision

texts = st.text(st.characters(exclude_categories=["Cs"]))


def numbers(kind: type[float] | type[int]) -> st.SearchStrategy[float]:
    return st.integers(-(2**63), 2**63 - 1) if kind is int else st.floats(allow_nan=False)


st.register_type_strategy(str, texts)
st.register_type_strategy(int, numbers(int))
st.register_type_strategy(float, numbers(float))


@given(st.one_of([st.from_type(kind) for kind in TYPES.values()]))
def test_every_event_comes_back_as_it_was(event: Event) -> None:
    assert decode(event.kind, encode(event)) == event


def test_every_kind_has_one_name() -> None:
    assert {kind.kind: kind for kind in TYPES.values()} == TYPES
    assert len(TYPES) == 20


def test_the_head_of_an_event_is_what_the_fold_reads() -> None:
    chosen = decode("decision", encode(decision("a", lineage=3, reason=FORCED)), head=True)
    assert chosen == Draw("a", "forced", 3)
    assert isinstance(chosen, Draw)
    assert not chosen.drawn
    assert decode("answer", encode(answer("a", cost=0.5)), head=True) == Payment("a", 0.5, True)


def test_fields_of_a_later_version_are_passed_over() -> None:
    for event in (decision("a"), answer("a")):
        later = msgspec.msgpack.encode([*msgspec.msgpack.decode(encode(event)), "more"])
        assert decode(event.kind, later) == event


def test_events_of_an_earlier_version_are_read() -> None:
    """Shapes as version 0.1 wrote them: fields added since have their defaults."""
    lesson = ["a", b"1234", 7]
    old = {
        "decision": [
            "a",
            "policy",
            7,
            "7.9",
            ["a"],
            b"p" * 8,
            b"s" * 4,
            0.5,
            b"1234",
            "key",
            "chat",
            "cheap",
            {"b": "?"},
        ],
        "answer": ["a", 0.5, True, 200, 0.1, None, 3, 4, ["b"]],
        "feedback": [0.5, 1.0, None, lesson],
        "learning_frozen": [True],
    }
    read = {kind: decode(kind, msgspec.msgpack.encode(fields)) for kind, fields in old.items()}
    assert read["decision"] == Decision(*old["decision"], assignment=0.0, group="")  # type: ignore[misc]
    assert read["feedback"] == Feedback(0.5, 1.0, None, Lesson("a", b"1234", 7, group=""))
    assert read["answer"] == Answer(*old["answer"], cached_tokens=0)  # type: ignore[misc]


def test_propensities_are_those_that_were_drawn_by() -> None:
    event = decision("b", arms=["a", "b", "c"], seed=1)
    assert 0 < event.propensity() < 1
    assert decision("b", reason=FORCED).propensity() == 1


@pytest.mark.parametrize("payload", [b"", b"\x00", b"\x93\x01\x02\x03", encode(answer("a"))])
def test_damage_is_an_error(payload: bytes) -> None:
    with pytest.raises(msgspec.DecodeError):
        decode(Decision.kind, payload)


def test_an_unknown_kind_is_an_error_that_says_what_to_do() -> None:
    with pytest.raises(UnknownEvent, match="'dream', which only a newer version knows: upgrade to it"):
        decode("dream", encode(answer("a")))
    assert isinstance(decode(Answer.kind, encode(answer("a"))), Answer)
