"""The trial: whether the live version earns less than the trusted one, by outcomes of the same time.

A share of the requests, the control, is served by the trusted version; whose request it is, is drawn. With ``q`` the
control's share and ``b`` any guess made beforehand, ``(reward - b) / (1 - q)`` of a live outcome and ``-(reward - b) /
q`` of a control's have together the mean "live less control", whatever befalls both alike: a bad day counts for
nothing. The trial bets, outcome by outcome, that this is below ``-tolerance``. Were it not, its capital could hardly
ever reach ``1 / alpha`` (Ville 1939; Waudby-Smith and Ramdas 2024), so one may look after every outcome.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from router_models.policy import Arrays, InvalidState, Vector

GAPS: Final = (0.1, 0.3)
"""Losses of reward that are bet on; the capital is split evenly among them."""

BOLDNESS: Final = 0.75
"""Most of its capital that a bet may lose at once."""

FADING: Final = 1.0 / 40.0
"""Part of what the guess rests on that each outcome replaces: it follows the day's form."""

SUSPICION: Final = 0.1
MOST: Final = 0.5
"""By how much the control's share grows for each e-fold of capital, and how large it may be."""

GUESS, SPREAD, COUNT = 0.5, 0.2, 4.0
"""The first guess of a reward, of its variance around the guess, and how many outcomes they are worth."""


class Trial:
    """Takes outcomes in the order in which they come. ``alpha`` bounds the chance that it ever flags a live version
    that is no more than ``tolerance`` worse, however long it goes on.

    The control's ``share`` is meant for the first ``course`` outcomes, ``least`` for those after; suspicion raises it,
    which both protects the users and settles the matter sooner.
    """

    def __init__(
        self,
        *,
        alpha: float = 0.01,
        tolerance: float = 0.02,
        share: float = 0.3,
        least: float = 0.05,
        course: int = 300,
    ) -> None:
        if not 0.0 < alpha < 1.0 or not 0.0 <= tolerance < GAPS[0]:
            raise ValueError(f"alpha is in (0, 1) and tolerance in [0, {GAPS[0]}), not {alpha} and {tolerance}")
        if not 0.0 < least <= share <= MOST:
            raise ValueError(f"shares lie in (0, {MOST}], the least not above the first, not {least} and {share}")
        self.enough: Final = -math.log(alpha)
        self._tolerance = tolerance
        self._shares, self._course = (share, least), course
        self._capitals = [0.0] * len(GAPS)
        self._most = 0.0
        self._weight, self._sum, self._squares = COUNT, COUNT * GUESS, COUNT * SPREAD
        self.outcomes = 0

    @property
    def evidence(self) -> float:
        """Natural logarithm of the capital now."""
        largest = max(self._capitals)
        return largest + math.log(sum(math.exp(each - largest) for each in self._capitals) / len(GAPS))

    @property
    def flagged(self) -> bool:
        """Whether the live version has been found worse."""
        return self._most >= self.enough

    @property
    def share(self) -> float:
        """The control's share of the next requests."""
        meant = self._shares[self.outcomes >= self._course]
        return min(meant + SUSPICION * max(self.evidence, 0.0), MOST)

    def update(self, reward: float, *, live: bool, share: float, weight: float = 1.0) -> bool:
        """Take one outcome of a request that was drawn at this control's ``share``, at ``weight`` in [0, 1]; whether
        the live version is flagged now.

        Only one outcome a request may be given. Raises ``ValueError`` where a number is out of range.
        """
        if not (0.0 <= reward <= 1.0 and 0.0 <= weight <= 1.0 and 0.0 < share < 1.0):
            raise ValueError(f"reward and weight lie in [0, 1] and share in (0, 1), not {reward}, {weight}, {share}")
        guess, variance = self._sum / self._weight, self._squares / self._weight
        off = reward - guess
        lost = (-off / (1.0 - share) if live else off / share) - self._tolerance
        worst = max((1.0 - guess) / (1.0 - share), guess / share) + self._tolerance
        noise = variance * (1.0 / share + 1.0 / (1.0 - share))
        for place, gap in enumerate(GAPS):
            excess = gap - self._tolerance
            bet = min(excess / (noise + excess**2), BOLDNESS / worst)
            self._capitals[place] += math.log1p(weight * bet * lost)
        self._remember(off, guess, share if live else 1.0 - share)
        self.outcomes += 1
        self._most = max(self._most, self.evidence)
        return self.flagged

    def _remember(self, off: float, guess: float, part: float) -> None:
        """Both streams count equally in the guess, which is where the difference's variance is least."""
        kept = 1.0 - FADING
        self._weight = kept * self._weight + 2.0 * part
        self._sum = kept * self._sum + 2.0 * part * (guess + off)
        self._squares = kept * self._squares + 2.0 * part * off**2

    def arrays(self) -> Arrays:
        """What was learned, for :meth:`restore`."""
        return {"trial": np.array([*self._capitals, self._most, self._weight, self._sum, self._squares, self.outcomes])}

    def restore(self, arrays: Arrays) -> None:
        """Take over what :meth:`arrays` gave. Raises :class:`InvalidState`."""
        found: Vector = np.asarray(arrays.get("trial"), dtype=np.float64)
        if found.shape != (len(GAPS) + 5,) or not np.isfinite(found).all() or found[len(GAPS) + 1] <= 0.0:
            raise InvalidState("these arrays are no trial's")
        *self._capitals, self._most, self._weight, self._sum, self._squares, outcomes = found.tolist()
        self.outcomes = int(outcomes)
