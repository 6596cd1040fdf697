from __future__ import annotations

import numpy as np
import pytest

from router_models.memory import Memory


def filled(count: int, limit: int = 100) -> Memory:
    memory = Memory(dimensions=2, limit=limit)
    for step in range(count):
        memory.append(step % 3, np.array([1.0, step / 256], dtype=np.float32), step / 1000, 1.0)
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
    memory = filled(10)
    memory.amend(1, np.array([1.0, 4 / 256], dtype=np.float32), 0.004, 0.9)
    memory.amend(1, np.array([1.0, 4 / 256], dtype=np.float32), 0.5, 0.7)
    assert memory.rewards[4] == 0.9
    assert 0.7 not in memory.rewards
