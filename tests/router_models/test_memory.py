from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from router_models.memory import FAINTEST, Memory
from router_models.policy import TELLTALE, Credit, Observation


def outcome(step: int, *, weight: float = 1.0, source: int = 0, honesty: float = 1.0) -> Observation:
    x = np.array([1.0, step / 256], dtype=np.float32)
    return Observation(arm="", features=x, reward=step / 1000, weight=weight, source=source, honesty=honesty)


def filled(count: int, limit: int = 100) -> Memory:
    memory = Memory(dimensions=2, limit=limit)
    for step in range(count):
        memory.append(step % 3, outcome(step))
    return memory


def test_keeps_the_latest_outcomes_in_order() -> None:
    memory = filled(250)
    assert len(memory.rewards) == 100
    assert (memory.rewards[memory.order()] * 1000).round().tolist() == list(range(150, 250))
    assert filled(70).rewards[filled(70).order()] == pytest.approx(np.arange(70) / 1000)
    assert Memory(dimensions=2, limit=10).order().tolist() == []


def test_follows_arms_that_come_and_go() -> None:
    memory = filled(9)
    memory.insert(1)
    assert memory.arms[memory.order()].tolist() == [0, 2, 3] * 3
    memory.remove(2)
    assert memory.arms[memory.order()].tolist() == [0, 2] * 3
    assert memory.rewards[memory.order()] == pytest.approx([0.0, 0.002, 0.003, 0.005, 0.006, 0.008])


def test_lets_what_came_before_a_change_count_for_little() -> None:
    memory = filled(90)
    memory.fade(1, worth=5.0, latest=10)
    own = memory.order()[memory.arms[memory.order()] == 1]
    assert memory.weights[own[:20]].sum() == pytest.approx(5.0)
    assert (memory.weights[own[20:]] == 1.0).all()
    assert (memory.weights[memory.arms != 1][:60] == 1.0).all()


def test_amends_the_outcome_that_said_so() -> None:
    memory, better = filled(10), replace(outcome(4), reward=0.9)
    memory.weights[4] = 0.25
    assert memory.amend(1, 0.004, better) == 0.25
    assert memory.amend(1, 0.5, replace(better, reward=0.7)) == 0.0
    assert memory.rewards[4] == pytest.approx(0.9)
    assert 0.7 not in memory.rewards.round(3)


@pytest.mark.parametrize(("source", "amended"), [(5, 0), (7, 2), (6, 1), (0, 1)])
def test_amends_nobody_elses_outcome_that_said_the_same(source: int, amended: int) -> None:
    """Of three that rated one answer alike the second was vouched for, as anybody may have been at the time."""
    memory = Memory(dimensions=2, limit=100)
    for told_by in (5, 0, 7):
        memory.append(0, outcome(9, source=told_by, weight=0.5, honesty=0.5))
    memory.amend(0, 0.009, replace(outcome(9, source=source), reward=1.0))
    assert np.flatnonzero(memory.rewards == 1.0).tolist() == [amended]
    assert memory.amend(0, 0.009, replace(outcome(9, source=8), reward=1.0)) == (0.0 if amended == 1 else 0.5)


def credit(honesty: dict[int, float]) -> Credit:
    return Credit(sources=np.array(sorted(honesty)), honesty=np.array([honesty[each] for each in sorted(honesty)]))


honesties = st.floats(0.01, 1.0)


@given(
    st.lists(st.tuples(st.integers(0, 3), honesties, st.floats(0.1, 1.0)), min_size=1), st.lists(honesties, max_size=3)
)
def test_weighs_what_was_said_by_how_honest_its_source_is_held_to_be_now(
    told: list[tuple[int, float, float]], later: list[float]
) -> None:
    """Each outcome has a source, its honesty then, and what else its weight hangs on; source 0 is vouched for."""
    memory, now = Memory(dimensions=2, limit=64), dict(enumerate(later, start=1))
    for step, (source, honesty, worth) in enumerate(told):
        then = honesty if source else 1.0
        memory.append(0, outcome(step, weight=then * worth, source=source, honesty=then))
    before = memory.weights.copy()
    changed = bool(now) and memory.reweigh(credit(now))
    for slot, (source, honesty, worth) in list(enumerate(told))[-64:]:
        assert memory.weights[slot % 64] == pytest.approx(
            now.get(source, honesty if source else 1.0) * worth if changed else before[slot % 64]
        )
    if now:
        rest = memory.weights.copy()
        assert not memory.reweigh(credit(now)) or not changed
        assert changed or (rest == before).all()


def test_weighs_anew_only_where_it_matters_and_keeps_what_has_faded() -> None:
    memory = Memory(dimensions=2, limit=100)
    for step in range(100):
        memory.append(step % 2, outcome(step, weight=0.8, source=1 + step % 10, honesty=0.8))
    memory.fade(0, worth=4.0, latest=0)
    assert not memory.reweigh(credit({2: 0.7}))
    assert (memory.weights[1::10] == 0.8).all()
    assert memory.reweigh(credit({1: 0.4, 2: 0.0}))
    assert memory.weights[0::10] == pytest.approx(0.04)
    assert memory.weights[1::10] == pytest.approx(FAINTEST)
    assert memory.weights[2::10] == pytest.approx(0.08)
    assert memory.weights[3::10] == pytest.approx(0.8)
    memory.append(1, outcome(100))
    assert memory.reweigh(credit({1: 0.8, 2: 0.8}))
    assert memory.weights[0] == 1.0
    assert memory.weights[1::10] == pytest.approx(0.8)


def test_what_was_saved_without_sources_was_vouched_for() -> None:
    memory = Memory(dimensions=2, limit=100)
    for step in range(70):
        memory.append(0, outcome(step, weight=0.5, source=7, honesty=0.5))
    again, older = Memory(dimensions=2, limit=100), Memory(dimensions=2, limit=100)
    again.restore(memory.arrays(), 1)
    older.restore({name: array for name, array in memory.arrays().items() if name not in TELLTALE}, 1)
    assert again.reweigh(credit({7: 0.1}))
    assert not older.reweigh(credit({7: 0.1}))
    assert again.weights[again.order()] == pytest.approx(0.1)
    assert older.weights[older.order()] == pytest.approx(0.5)
    strange = [np.zeros(3, dtype=np.int64), np.full(100, np.nan), np.full(100, "ann")]
    for wrong in (*({"memory_sources": each} for each in strange), {"memory_honesty": np.zeros(100)}):
        with pytest.raises(ValueError, match=r"sources|size"):
            again.restore({**memory.arrays(), **wrong}, 1)


@pytest.mark.parametrize("seen", [-1, np.iinfo(np.int64).min, 129])
def test_a_count_that_its_outcomes_cannot_have_come_from_is_refused(seen: int) -> None:
    memory = filled(70, limit=200)
    with pytest.raises(ValueError, match="must be finite and complete"):
        memory.restore({**memory.arrays(), "memory_seen": np.array(seen)}, 3)
