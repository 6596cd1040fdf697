"""A bad version offered to a running gateway, then forced on it: refused, and taken back by itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt

from gateway.bench.gate.installation import Installation, eventually
from gateway.bench.gate.permuting import derangement, permuted
from gateway.bench.gate.world import drawn
from gateway.bench.routing.recorded import Recorded

BAD: Final = 0.15
ASKED: Final = 60
DRAWS: Final = 50
"""Reward that a bad version loses at least, by so many prompts; orders of the models that are drawn to find one."""


class Tried(msgspec.Struct, frozen=True, kw_only=True):
    """What became of it. ``outcomes`` were told until it was taken back, none if it never was.

    It was to ``lose`` about so much of reward, by what the router gave each model before. ``live`` and ``rewards`` are,
    request by request from its arrival on, whether it answered, or else the control, and what that earned.
    """

    seed: int
    lose: float
    refused: bool
    refusal: str
    outcomes: int | None
    earned_before: float
    earned_live: float
    earned_control: float
    audited: bool
    counted: bool
    returned: bool
    live: list[bool]
    rewards: list[float]


def attempt(here: Installation, data: Recorded, *, seed: int, taught: int, most: int) -> Tried:
    """Teach a router with so many outcomes, then try to have it unlearn them, for so many outcomes at ``most``."""
    rows = drawn(data, taught + most, seed=seed)
    places = {model: place for place, model in enumerate(data.models)}

    def one(row: int) -> tuple[str, float]:
        answered = here.ask(data.prompts[row])
        reward = float(data.quality[row, places[answered.model]])
        here.tell((answered, reward))
        return answered.version, reward

    before = [one(row)[1] for row in rows[:taught]]
    order, lose = _spoiling(here, data, rows[:ASKED], np.random.default_rng(seed))
    bad = permuted(here.export(), order)
    refusal = here.bring(bad, force=False)
    brought = here.bring(bad, force=True).raise_for_status().json()["version"]
    trusted = here.standing()["trial"]["trusted"]
    live, rewards = [], []
    outcomes = None
    for row in rows[taught:]:
        version, reward = one(row)
        live.append(version != trusted)
        rewards.append(reward)
        standing = here.standing()
        if standing["trial"] is None or standing["fallen"]:
            outcomes = len(rewards)
            break
    back = outcomes is not None
    return Tried(
        seed=seed,
        lose=lose,
        refused=refusal.status_code == 422 and "the gate refuses" in refusal.text,
        refusal=refusal.json().get("error", {}).get("message", ""),
        outcomes=outcomes,
        earned_before=float(np.mean(before[-taught // 3 :])),
        earned_live=_mean([reward for reward, ours in zip(rewards, live, strict=True) if ours]),
        earned_control=_mean([reward for reward, ours in zip(rewards, live, strict=True) if not ours]),
        counted=back and eventually(lambda: here.metric("polyculture_gate_rollbacks_total") == 1.0),
        audited=back and eventually(lambda: len(here.audited("gate.rollback")) == 1),
        returned=back and here.ask(data.prompts[rows[0]]).version != brought,
        live=live,
        rewards=rewards,
    )


def _spoiling(
    here: Installation, data: Recorded, rows: Sequence[int], rng: np.random.Generator
) -> tuple[npt.NDArray[np.intp], float]:
    """An order of the models, drawn until one would lose enough, and how much that is; the worst, if none does."""
    models = sorted(data.models)
    shares = np.array([[given[model] for model in models] for given in map(here.probabilities, _prompts(data, rows))])
    quality = data.quality[np.ix_(rows, [data.models.index(model) for model in models])]
    found = []
    for _ in range(DRAWS):
        order = derangement(len(models), rng)
        found.append((float(((shares - shares[:, order]) * quality).sum(axis=1).mean()), order))
        if found[-1][0] >= BAD:
            break
    lose, order = max(found, key=lambda each: each[0])
    return order, lose


def _prompts(data: Recorded, rows: Sequence[int]) -> list[str]:
    return [data.prompts[row] for row in rows]


def _mean(values: list[float]) -> float:
    return float(np.mean(values)) if values else 0.0
