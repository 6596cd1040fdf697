"""Who means ill: a latent class model of the sources, fitted as outcomes come in.

Each source belongs to one of three classes (Dawid and Skene 1979; Raykar et al. 2010). Of an arm of which it has told
``n`` outcomes with a sum of rewards ``r`` it is judged by the likelihood of that, graded rewards standing for parts of
a success:

honest    the chance of a good word is what the policy expects of its requests, corrected by how lenient the source is
          with *other* arms, and off by a random effect on the logit for taste and topic (Qu, Tan and Kutner 1996)
hostile   of its targets it says good, or bad, whatever the answer is; elsewhere it is honest. The targets are shared
          by all hostile sources, and learned. Audits of its words are evidence of their own (``audits.py``)
contrary  it means the opposite of what it says

Prevalences and targets are learned by expectation maximisation, a few steps at each review, from priors that say that
few mean ill. So who votes as a campaign does is found out sooner, the more of it has been found out before.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from router_models.checks import restored
from router_models.policy import Arrays, Vector
from router_models.trust.sources import EXPECTED, PROOF, REWARDS, TOLD

CONTRARY: Final = 0.02
"""Part of all sources that says the opposite, before anything is known."""

SOURCES: Final = 20.0
"""Sources that the first guess of the parts that mean ill is worth."""

MOST: Final = 0.4
"""Largest part that may mean ill: where the honest are no majority, nobody could tell who is who."""

AIMED: Final = 0.1
"""Part of the arms that a campaign wants up, and part that it wants down, before anything is known ..."""

CAMPAIGNERS: Final = 2.0
"""... which is worth so many hostile sources."""

STEPS: Final = 3
"""Of expectation maximisation, at each review."""

SLIP: Final = 0.03
"""How seldom a hostile source fails to say what it is to say."""

DOUBT: Final = 0.05
"""How often at least an honest source finds the best answer bad, and the worst one good."""

TASTE: Final = 0.6
"""Deviation of an honest source's random effect on an arm, on the logit."""

LENIENT: Final = 4.0
"""Outcomes that the guess that a source is as lenient as others is worth."""

UNSEEN: Final = 4.0
"""Outcomes that the guess that the policy expects the right thing of an arm is worth."""

_NODES, _MASSES = np.polynomial.hermite_e.hermegauss(5)
_LOG_MASSES: Final = np.log(_MASSES / _MASSES.sum())
_FURTHEST: Final = 50.0


class Findings(NamedTuple):
    """Of N sources: the probabilities (N,) of each class, and, were it hostile, of aiming at each arm (N, K, 2), up or
    down.
    """

    honest: Vector
    hostile: Vector
    contrary: Vector
    aims: Vector


class Mixture:
    """``prevalence`` (2,) of the hostile and the contrary; ``targets`` (K, 2) arms wanted up or down; ``shift`` (K,)
    what honest sources say of an arm beyond what the policy expects of it.
    """

    def __init__(self, *, share: float) -> None:
        self.prevalence = np.array([share, CONTRARY])
        self.targets = np.zeros((0, 2))
        self.shift = np.zeros(0)

    def insert(self) -> None:
        """Take one more arm in."""
        self.targets = np.concatenate([self.targets, np.full((1, 2), AIMED)])
        self.shift = np.append(self.shift, 0.0)

    @property
    def usual(self) -> float:
        """How likely it is that somebody of whom nothing is known is honest."""
        return float(1.0 - self.prevalence.sum())

    def findings(self, counts: Vector, contrary: Vector) -> Findings:
        """What is to be thought of each source; ``counts`` (5, N, K) and ``contrary`` (N,) as in ``sources``."""
        aims = self.targets * np.exp(np.minimum(_ratios(counts, self._chance(counts)), _FURTHEST))
        each = 1.0 - self.targets.sum(axis=1) + aims.sum(axis=2)
        hostile = self.prevalence[0] / self.usual * np.exp(np.minimum(np.log(each).sum(axis=1), _FURTHEST))
        opposed = self.prevalence[1] / self.usual * np.exp(np.minimum(contrary, _FURTHEST))
        total = 1.0 + hostile + opposed
        return Findings(1.0 / total, hostile / total, opposed / total, aims / each[:, :, None])

    def review(self, counts: Vector, contrary: Vector, *, share: float) -> Vector:
        """Judge all sources, then learn from that how many mean ill, what they aim at, and what the others think.

        Returns the probability (N,) that each is honest; ``share`` is the first guess of those that are hostile.
        """
        for _ in range(STEPS):
            found = self.findings(counts, contrary)
            self._learn(found, counts, share)
        return found.honest

    def _learn(self, found: Findings, counts: Vector, share: float) -> None:
        """The maximisation: what makes these findings likeliest."""
        ill = np.array([found.hostile.sum(), found.contrary.sum()])
        self.prevalence = (SOURCES * np.array([share, CONTRARY]) + ill) / (SOURCES + len(found.honest))
        self.prevalence *= min(MOST / float(self.prevalence.sum()), 1.0)
        aimed = (found.hostile[:, None, None] * found.aims).sum(axis=0)
        self.targets = (CAMPAIGNERS * AIMED + aimed) / (CAMPAIGNERS + ill[0])
        self.targets *= np.minimum(0.95 / self.targets.sum(axis=1, keepdims=True), 1.0)
        heard = (found.honest[:, None] * counts).sum(axis=1)
        self.shift = (heard[REWARDS] - heard[EXPECTED]) / (heard[TOLD] + UNSEEN)

    def _chance(self, counts: Vector) -> Vector:
        """The chance (N, K) that an honest source, as lenient as each is elsewhere, finds an answer good."""
        number, more = counts[TOLD], counts[REWARDS] - counts[EXPECTED]
        elsewhere = more.sum(axis=1, keepdims=True) - more
        lenience = elsewhere / (number.sum(axis=1, keepdims=True) - number + LENIENT)
        chance = counts[EXPECTED] / np.maximum(number, 1e-9) + self.shift + np.clip(lenience, -0.4, 0.4)
        found: Vector = np.clip(DOUBT + (1.0 - 2.0 * DOUBT) * chance, DOUBT, 1.0 - DOUBT)
        return found

    def arrays(self) -> Arrays:
        """Everything, as named arrays."""
        return {"prevalence": self.prevalence.copy(), "targets": self.targets.copy(), "shift": self.shift.copy()}

    def restore(self, arrays: Arrays, arms: int) -> None:
        """Take over what :meth:`arrays` gave, for this many arms. Raises ``KeyError`` or ``ValueError``."""
        self.prevalence = restored(arrays, "prevalence", (2,))
        self.targets = restored(arrays, "targets", (arms, 2))
        self.shift = restored(arrays, "shift", (arms,))
        if not (self.prevalence.min() > 0 and self.prevalence.sum() < 1 and (self.targets > 0).all()):
            raise ValueError("prevalences and targets are probabilities")
        if not (self.targets.sum(axis=1) < 1).all():
            raise ValueError("an arm is wanted up, or down, or neither")


def _ratios(counts: Vector, chance: Vector) -> Vector:
    """Log-likelihood ratios (N, K, 2) of wanting an arm up, or down, against being honest."""
    number, good = counts[TOLD], counts[REWARDS]
    bad = number - good
    logits = np.log(chance / (1.0 - chance))[:, :, None] + TASTE * _NODES
    likelihoods = _LOG_MASSES - number[:, :, None] * np.log1p(np.exp(-logits)) - bad[:, :, None] * logits
    highest = likelihoods.max(axis=2)
    honest = highest + np.log(np.exp(likelihoods - highest[:, :, None]).sum(axis=2))
    always, never = np.log(1.0 - SLIP), np.log(SLIP)
    ratios: Vector = np.stack([good * always + bad * never - honest, bad * always + good * never - honest], axis=2)
    return ratios + np.moveaxis(counts[PROOF], 0, 2)
