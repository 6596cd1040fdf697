"""Recorded prompts as conversations: turns of one subject in a row, several conversations at a time.

The router learns as it goes. Leaving the model of a conversation's last answer has a price, taken off every other
model's utility before the draw, as the gateway does it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import msgspec
import numpy as np
import numpy.typing as npt

import router_models
from gateway.bench.routing.recorded import Ints, Recorded
from router_models.drawing import drawn
from router_models.policy import Arm, Observation

SUBJECT = 4
"""Turns in a row on one subject; a conversation is twice as long, on the same subject or on another one."""

AT_ONCE = 16
"""Conversations whose turns come in between each other's."""


@dataclass(frozen=True, kw_only=True)
class Played:
    """One pass: mean quality of the answers, and the share of turns, but for first ones, that another model took."""

    quality: float
    switches: float


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """The passes at one price: mean quality with its standard error, and mean share of switches."""

    steady: bool
    price: float
    quality: float
    error: float
    switches: float


def turns(data: Recorded, random: np.random.Generator, *, steady: bool) -> Iterator[tuple[int, int]]:
    """Conversations by their number, and each turn's row, in the order in which they are asked.

    Halfway, conversations that are not ``steady`` come to another subject.
    """
    halves: list[Ints] = []
    for domain in sorted(set(data.domains)):
        rows = random.permutation([row for row, own in enumerate(data.domains) if own == domain])
        halves += [rows[start : start + SUBJECT] for start in range(0, len(rows), SUBJECT)]
    if not steady:
        halves = [halves[place] for place in random.permutation(len(halves))]
    pairs = [np.concatenate(halves[start : start + 2]) for start in range(0, len(halves), 2)]
    order = [pairs[place] for place in random.permutation(len(pairs))]
    for start in range(0, len(order), AT_ONCE):
        for turn in range(2 * SUBJECT):
            for number, rows in enumerate(order[start : start + AT_ONCE], start):
                if turn < len(rows):
                    yield number, int(rows[turn])


def play(data: Recorded, features: npt.NDArray[np.float32], *, price: float, steady: bool, seed: int) -> Played:
    """One pass from nothing at this price of leaving; ``features`` (n, d) by the data's rows."""
    random = np.random.default_rng(seed)
    prior = np.zeros(features.shape[1])
    arms = [Arm(name=name, prior=prior) for name in data.models]
    state = router_models.make("polyculture").start(dimensions=features.shape[1], arms=arms)
    holders: dict[int, int] = {}
    everyone = np.ones(len(arms), bool)
    earned, stayed, followed, asked = 0.0, 0, 0, 0
    for number, row in turns(data, random, steady=steady):
        snapshot = state.snapshot()
        handicaps = np.full(len(arms), price)
        holder = holders.get(number)
        handicaps[slice(None) if holder is None else holder] = 0.0
        proposal = snapshot.propose(features[row], eligible=everyone, handicaps=handicaps)
        place = drawn(proposal.probabilities, random.random())
        name = snapshot.arms[place]
        quality = float(data.quality[row, data.models.index(name)])
        state.chose(name)
        state.learn(Observation(arm=name, features=features[row], reward=quality))
        followed += holder is not None
        stayed += holder == place
        holders[number] = place
        earned, asked = earned + quality, asked + 1
    return Played(quality=earned / asked, switches=1.0 - stayed / max(1, followed))


def measured(
    data: Recorded,
    features: npt.NDArray[np.float32],
    *,
    price: float,
    steady: bool,
    seeds: int,
    step: Callable[[int], None],
) -> list[Played]:
    """One pass a seed; ``step`` hears of each."""
    played = []
    for seed in range(seeds):
        played.append(play(data, features, price=price, steady=steady, seed=seed))
        step(1)
    return played


def summary(played: Sequence[Played], *, price: float, steady: bool) -> Summary:
    """What the passes show."""
    qualities = np.array([each.quality for each in played])
    return Summary(
        steady=steady,
        price=price,
        quality=float(qualities.mean()),
        error=float(qualities.std(ddof=min(1, len(played) - 1)) / len(played) ** 0.5),
        switches=float(np.mean([each.switches for each in played])),
    )
