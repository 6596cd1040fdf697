from __future__ import annotations

import numpy as np

from router_models.change import Surprise


def first_alarm(shift: float, seed: int, steps: int = 3000) -> tuple[int, int] | None:
    """When a detector raises its first alarm on noise shifted from the 500th step on, and since when."""
    surprise = Surprise()
    surprise.insert(0)
    noise = np.random.default_rng(seed).normal(size=steps)
    for step, value in enumerate(noise + shift * (np.arange(steps) >= 500)):
        since = surprise.alarm(0, float(value))
        if since:
            return step, since
    return None


def test_a_silent_fall_is_noticed_soon_and_its_start_roughly_known() -> None:
    for shift in (-1.0, 1.0):
        alarms = [alarm for seed in range(20) if (alarm := first_alarm(shift, seed))]
        assert sum(500 <= step < 560 for step, _ in alarms) >= 18
        assert sum(abs(step - since - 500) < 40 for step, since in alarms) >= 16


def test_noise_alone_hardly_ever_alarms() -> None:
    assert sum(first_alarm(0.0, seed) is not None for seed in range(20)) <= 3


def test_arms_come_and_go() -> None:
    surprise = Surprise()
    for _ in range(3):
        surprise.insert(0)
    surprise.alarm(1, 1.0)
    surprise.remove(0)
    assert surprise.sums[0].tolist() == [0.65, 0.0]


def test_a_few_outcomes_however_bad_are_no_change() -> None:
    surprise = Surprise()
    surprise.insert(0)
    noise = np.random.default_rng(0).normal(scale=0.7, size=5000)
    noise[::50] = -6.0
    assert not any(surprise.alarm(0, float(value)) for value in noise)
