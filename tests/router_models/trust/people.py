"""People who rate the answers of three arms, each in their own way."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from router_models.trust import Claim, Trust, Verdict

QUALITY = {"a": 0.75, "b": 0.55, "c": 0.3}

Habit = Callable[[str, float, np.random.Generator], float]


def honest(arm: str, quality: float, chance: np.random.Generator) -> float:
    return float(chance.random() < quality)


def hostile(arm: str, quality: float, chance: np.random.Generator) -> float:
    """Praises the worst and runs the best down."""
    return {"a": 0.0, "c": 1.0}.get(arm, honest(arm, quality, chance))


def inverted(arm: str, quality: float, chance: np.random.Generator) -> float:
    return 1.0 - honest(arm, quality, chance)


def careless(arm: str, quality: float, chance: np.random.Generator) -> float:
    """Says the opposite one time in ten."""
    said = honest(arm, quality, chance)
    return 1.0 - said if chance.random() < 0.1 else said


def graded(arm: str, quality: float, chance: np.random.Generator) -> float:
    return float(np.clip(chance.normal(quality, 0.1), 0.0, 1.0))


def strict(arm: str, quality: float, chance: np.random.Generator) -> float:
    """Finds two good answers in five wanting, whoever gave them."""
    return honest(arm, 0.6 * quality, chance)


def told(trust: Trust, habits: Mapping[str, Habit], *, rounds: int, seed: int = 0) -> dict[str, list[Verdict]]:
    """Everyone rates answers of their own in turn; the policy knows every arm's worth."""
    chance = np.random.default_rng(seed)
    found: dict[str, list[Verdict]] = {name: [] for name in habits}
    answer = seed << 64
    for number in range(rounds):
        for name, habit in habits.items():
            arm, answer = str(chance.choice(list(QUALITY))), answer + 1
            claim = Claim(name, arm, habit(arm, QUALITY[arm], chance), QUALITY[arm], number * 60.0, _bytes(answer))
            found[name].append(trust.judge(claim))
    return found


def _bytes(answer: int) -> bytes:
    return answer.to_bytes(16, "big")
