"""What a memory keeps, and what it finds near."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.corrections.memory import Correction, Memory, direction_of
from gateway.events import Feedback
from gateway.transaction import Record

WIDTH = 3


def correction(seq: int, *direction: float, subject: int | None = None, source: str = "key") -> Correction:
    said = Feedback(reward=0.0, weight=1.0, previous=None, lesson=None)
    decision = (seq if subject is None else subject).to_bytes(16, "big")
    vector = np.array(direction or (1.0, 0.0, 0.0), dtype=np.float32)
    record = Record(seq, 0, Feedback.kind, "default", decision, source, said)
    return Correction(record, str(seq), vector / np.linalg.norm(vector))


def kept(memory: Memory) -> list[str]:
    return [each.text for each in memory]


def test_the_oldest_leave_first() -> None:
    memory = Memory(most=3)
    for seq in range(1, 6):
        memory.keep(correction(seq))
    assert kept(memory) == ["3", "4", "5"]


def test_a_source_has_one_word_on_a_decision() -> None:
    memory = Memory(most=9)
    memory.keep(correction(1, subject=7))
    memory.keep(correction(2, subject=7, source="key/user"))
    memory.keep(correction(3, subject=7))
    assert kept(memory) == ["2", "3"]
    memory.drop(correction(4, subject=7).record)
    assert kept(memory) == ["2"]


def test_the_nearest_come_first_and_the_far_do_not_come() -> None:
    memory = Memory(most=9)
    assert memory.near(np.array([1, 0, 0], np.float32), similarity=0.0) == []
    for seq, direction in enumerate([(0, 1, 0), (1, 1, 0), (1, 0.1, 0), (-1, 0, 0)], start=1):
        memory.keep(correction(seq, *direction))
    asked = np.array([1, 0, 0], np.float32)
    assert [each.text for each in memory.near(asked, similarity=0.5)] == ["3", "2"]
    assert [each.text for each in memory.near(asked, similarity=0.9)] == ["3"]
    memory.drop(correction(3, subject=3).record)
    assert [each.text for each in memory.near(asked, similarity=0.9)] == []


@given(st.lists(st.tuples(st.integers(0, 4), st.booleans()), max_size=40), st.integers(1, 5))
def test_it_is_the_last_words_in_order_whatever_came(said: list[tuple[int, bool]], most: int) -> None:
    memory, words = Memory(most=most), dict[int, str]()
    for seq, (subject, corrects) in enumerate(said, start=1):
        words.pop(subject, None)
        if corrects:
            memory.keep(correction(seq, subject=subject))
            words[subject] = str(seq)
            while len(words) > most:
                words.pop(next(iter(words)))
        else:
            memory.drop(correction(seq, subject=subject).record)
    assert kept(memory) == list(words.values())


def test_a_direction_is_the_embedding_part_of_features() -> None:
    features = np.array([1.0, 3.0, 0.0, 4.0, 9.0, 9.0], dtype="<f4")
    direction = direction_of(features.tobytes(), width=WIDTH)
    assert direction is not None
    assert direction.tolist() == pytest.approx([0.6, 0.0, 0.8])
    assert direction.dtype == np.float32


@pytest.mark.parametrize("features", [[], [1.0, 0.0, 0.0, 0.0, 9.0]])
def test_without_an_embedding_there_is_no_direction(features: list[float]) -> None:
    assert direction_of(np.array(features, dtype="<f4").tobytes(), width=WIDTH) is None
