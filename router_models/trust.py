"""Whom to believe: how far each source's outcomes agree with what is known of the same answers.

A source is honest, or praises one arm whatever it does, or runs one arm down, or says the opposite of what it saw: a
mixture of one-coin annotators (Dawid and Skene 1979; Raykar et al. 2010) whose shares are learned by expectation
maximisation as outcomes come, so that an attack that many join is known by its pattern after a few. What an honest
source would say is the policy's expectation, sharpened by what others said of the same answer and by audits.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from typing import Final, NamedTuple

import numpy as np

from router_models.policy import Arrays, Vector
from router_models.suspicion import Suspicion

SLIP: Final = 0.1
"""How often an honest source says the opposite, by mistake or by another taste."""

STRAY: Final = 0.05
"""How often a source that is set on one arm says otherwise."""

CREDIT: Final = -4.0
"""Most that honest outcomes count in a source's favour, in nats: one that turns is found out all the same."""

STRENGTH: Final = 10.0
"""Sources that the first guess of the shares counts for."""

MOST: Final = 0.4
"""Largest share of dishonest sources that is believed: past it nobody could tell who is who."""

ROUND: Final = 64
"""Outcomes between two rounds over all sources."""

HALF_LIFE: Final = 500.0
"""Outcomes of an arm after which evidence counts half as recent."""

FLOOR: Final = 20.0
"""Evidence that an arm is taken to have at least, so that small installations learn at all."""

RECALLED: Final = 4096
"""Answers whose ratings are remembered, to be compared with later ones and with audits."""

FEWEST: Final = 4
"""Outcomes below which nobody is taken for dishonest."""


class Claim(NamedTuple):
    """One outcome of ``answer`` (16 bytes): ``expected`` is the policy's mean before it, ``at`` in seconds."""

    source: str
    arm: str
    reward: float
    expected: float
    at: float
    answer: bytes


class Verdict(NamedTuple):
    """What an outcome counts, in [0, 1]; with a ``reason`` it is withheld."""

    weight: float
    reason: str | None = None


class Source:
    """What is known of one source: evidence against its honesty by kind of dishonesty, in nats, and its recent work."""

    def __init__(self, *, kinds: int, at: float, allowance: float) -> None:
        self.evidence = np.zeros(kinds)
        self.posterior = np.zeros(kinds)
        self.outcomes = 0
        self.allowance = allowance
        self.at = at
        self.shares: dict[str, tuple[float, float]] = {}


class Rating(NamedTuple):
    """What a source said of an answer."""

    source: str
    arm: str
    reward: float
    weight: float


class Trust:
    """Judges outcomes in the order in which they were told; the same outcomes give the same verdicts."""

    def __init__(self, *, suspicion: Suspicion | None = None) -> None:
        self.suspicion = suspicion or Suspicion()
        self.arms: list[str] = []
        self.sources: OrderedDict[str, Source] = OrderedDict()
        self.mass = np.zeros(1)
        self.told = 0
        self.evidence: dict[str, tuple[float, float]] = {}
        self.ratings: OrderedDict[bytes, list[Rating]] = OrderedDict()

    def vouched(self, claim: Claim) -> Verdict:
        """An outcome of the operator's or the gateway's own: it counts, and others' are measured by it."""
        self._remember(claim, 1.0)
        self._weigh(claim, None, 1.0)
        return Verdict(1.0)

    def judge(self, claim: Claim) -> Verdict:
        """What an end user's outcome counts."""
        source = self._source(claim)
        if source.allowance < 1.0:
            return Verdict(0.0, "rate")
        source.allowance -= 1.0
        arm = self._arm(claim.arm)
        self._observe(source, arm, claim.reward, self._expectation(claim))
        source.outcomes += 1
        self.told += 1
        self._update(source)
        if self.told % ROUND == 0:
            self._round()
        honesty = self._honesty(source)
        if honesty < self.suspicion.least and source.outcomes >= FEWEST:
            return Verdict(0.0, "dishonest")
        seasoned = source.outcomes / (source.outcomes + self.suspicion.probation)
        weight = self._weigh(claim, source, honesty * seasoned)
        self._remember(claim, weight)
        return Verdict(weight)

    def amended(self, claim: Claim) -> Verdict:
        """What a second word on an answer counts: as much as the first; it tells no more of who says it."""
        source = self._source(claim)
        honesty = self._honesty(source)
        if honesty < self.suspicion.least and source.outcomes >= FEWEST:
            return Verdict(0.0, "dishonest")
        return Verdict(honesty * source.outcomes / (source.outcomes + self.suspicion.probation))

    def audited(self, answer: bytes, reward: float) -> None:
        """Measure everyone who rated an answer by what an audit found it to be worth."""
        for rating in self.ratings.get(answer, ()):
            source = self.sources.get(rating.source)
            if source is not None:
                self._observe(source, self._arm(rating.arm), rating.reward, reward)
                self._update(source)

    def pardoned(self, name: str) -> None:
        """An admin let a source's outcome count: what spoke against it is forgotten."""
        source = self.sources.get(name)
        if source is not None:
            source.evidence = np.minimum(source.evidence, 0.0)
            self._update(source)

    def honesty(self, name: str) -> float:
        """The probability in [0, 1] that a source is honest; the prior's for a stranger."""
        source = self.sources.get(name)
        return 1.0 - self.suspicion.share if source is None else self._honesty(source)

    def _expectation(self, claim: Claim) -> float:
        """What an honest source would say: the policy's mean, and what others said of this answer."""
        others = [each for each in self.ratings.get(claim.answer, ()) if each.source != claim.source]
        said = sum(each.weight * each.reward for each in others)
        return (claim.expected + said) / (1.0 + sum(each.weight for each in others))

    def _observe(self, source: Source, arm: int, reward: float, expected: float) -> None:
        """Add the log-likelihood of a reward under each kind of dishonesty, over that under honesty.

        What anybody would have said speaks for honesty only.
        """
        mean = SLIP + (1.0 - 2.0 * SLIP) * min(max(expected, 0.03), 0.97)
        honest = _likelihood(reward, mean)
        most = 0.0 if abs(reward - mean) < 0.5 else math.inf
        evidence = source.evidence
        evidence[0] += min(most, _likelihood(reward, 1.0 - mean) - honest)
        evidence[1 + 2 * arm] += min(most, _likelihood(reward, 1.0 - STRAY) - honest)
        evidence[2 + 2 * arm] += min(most, _likelihood(reward, STRAY) - honest)
        np.maximum(evidence, CREDIT, out=evidence)

    def _prior(self) -> Vector:
        """The share (J,) of each kind of dishonesty."""
        guess = self.suspicion.share * STRENGTH / len(self.mass)
        shares: Vector = (guess + self.mass) / (STRENGTH + len(self.sources))
        total = float(shares.sum())
        return shares * (MOST / total) if total > MOST else shares

    def _update(self, source: Source) -> None:
        posterior = _posterior(source.evidence[None], self._prior())[0]
        self.mass += posterior - source.posterior
        source.posterior = posterior

    def _round(self) -> None:
        """One round of expectation maximisation over all sources."""
        known = list(self.sources.values())
        found = _posterior(np.array([source.evidence for source in known]), self._prior())
        for source, posterior in zip(known, found, strict=True):
            source.posterior = posterior
        self.mass = found.sum(axis=0)

    def _honesty(self, source: Source) -> float:
        return float(max(0.0, 1.0 - source.posterior.sum()))

    def _weigh(self, claim: Claim, source: Source | None, weight: float) -> float:
        """The weight, as far as its source's part of the arm's recent evidence allows; both are booked."""
        total, place = self.evidence.get(claim.arm, (0.0, 0.0))
        total *= 0.5 ** (1.0 / HALF_LIFE)
        if source is not None:
            own, since = source.shares.get(claim.arm, (0.0, place))
            own *= 0.5 ** ((place + 1.0 - since) / HALF_LIFE)
            cap = self.suspicion.influence
            if cap < 1.0:
                weight = min(weight, max(0.0, (cap * max(total, FLOOR) - own) / (1.0 - cap)))
            source.shares[claim.arm] = (own + weight, place + 1.0)
        self.evidence[claim.arm] = (total + weight, place + 1.0)
        return weight

    def _remember(self, claim: Claim, weight: float) -> None:
        self.ratings.setdefault(claim.answer, []).append(Rating(claim.source, claim.arm, claim.reward, weight))
        self.ratings.move_to_end(claim.answer)
        if len(self.ratings) > RECALLED:
            self.ratings.popitem(last=False)

    def _arm(self, name: str) -> int:
        if name not in self.arms:
            self.arms.append(name)
            self.mass = np.append(self.mass, [0.0, 0.0])
            for source in self.sources.values():
                source.evidence = np.append(source.evidence, [0.0, 0.0])
                source.posterior = np.append(source.posterior, [0.0, 0.0])
        return self.arms.index(name)

    def _source(self, claim: Claim) -> Source:
        """The source, with what it may say by now; the least recently heard makes room for a new one."""
        hour, found = self.suspicion.rate, self.sources.get(claim.source)
        if found is None:
            found = Source(kinds=len(self.mass), at=claim.at, allowance=hour)
            self.sources[claim.source] = found
            if len(self.sources) > self.suspicion.memory:
                _, gone = self.sources.popitem(last=False)
                self.mass = self.mass - gone.posterior
        self.sources.move_to_end(claim.source)
        found.allowance = min(hour, found.allowance + max(0.0, claim.at - found.at) * hour / 3600.0)
        found.at = claim.at
        return found

    def arrays(self) -> Arrays:
        """Everything, as named arrays."""
        known = list(self.sources.values())
        kinds = len(self.mass)
        shares = [(n, self.arms.index(arm), *mass) for n, s in enumerate(known) for arm, mass in s.shares.items()]
        said = [(answer, each) for answer, ratings in self.ratings.items() for each in ratings]
        return {
            "arms": np.array(self.arms, dtype=np.str_),
            "sources": np.array(list(self.sources), dtype=np.str_),
            "evidence": np.array([source.evidence for source in known]).reshape(-1, kinds),
            "posterior": np.array([source.posterior for source in known]).reshape(-1, kinds),
            "facts": np.array([(s.outcomes, s.allowance, s.at) for s in known], dtype=np.float64).reshape(-1, 3),
            "shares": np.array(shares, dtype=np.float64).reshape(-1, 4),
            "mass": self.mass.copy(),
            "told": np.array(self.told),
            "weighed": np.array(list(self.evidence), dtype=np.str_),
            "weights": np.array(list(self.evidence.values()), dtype=np.float64).reshape(-1, 2),
            "answers": np.frombuffer(b"".join(answer for answer, _ in said), np.uint8).reshape(-1, 16),
            "raters": np.array([each.source for _, each in said], dtype=np.str_),
            "rated": np.array([each.arm for _, each in said], dtype=np.str_),
            "ratings": np.array([(each.reward, each.weight) for _, each in said], dtype=np.float64).reshape(-1, 2),
        }

    def restore(self, arrays: Arrays) -> None:
        """Take over what :meth:`arrays` gave. Raises ``KeyError`` or ``ValueError``."""
        self.arms = [str(name) for name in arrays["arms"]]
        self.mass, self.told = np.array(arrays["mass"], dtype=np.float64), int(arrays["told"])
        kinds = 1 + 2 * len(self.arms)
        evidence, posterior = arrays["evidence"], arrays["posterior"]
        if self.mass.shape != (kinds,) or evidence.shape[1:] != (kinds,) or not np.isfinite(evidence).all():
            raise ValueError("the evidence does not fit the arms")
        self.sources = OrderedDict()
        rows = zip(arrays["sources"], evidence, posterior, arrays["facts"].tolist(), strict=True)
        for name, against, share, (outcomes, allowance, at) in rows:
            source = self.sources[str(name)] = Source(kinds=kinds, at=at, allowance=allowance)
            source.evidence, source.posterior, source.outcomes = against.copy(), share.copy(), int(outcomes)
        known = list(self.sources.values())
        for number, arm, mass, place in arrays["shares"].tolist():
            known[int(number)].shares[self.arms[int(arm)]] = (mass, place)
        weights = zip(arrays["weighed"], arrays["weights"].tolist(), strict=True)
        self.evidence = {str(arm): (total, place) for arm, (total, place) in weights}
        self.ratings = OrderedDict()
        said = zip(arrays["answers"], arrays["raters"], arrays["rated"], arrays["ratings"].tolist(), strict=True)
        for answer, rater, arm, (reward, weight) in said:
            rating = Rating(str(rater), str(arm), reward, weight)
            self.ratings.setdefault(answer.tobytes(), []).append(rating)


def _likelihood(reward: float, mean: float) -> float:
    """The Bernoulli log-likelihood of a reward in [0, 1], fractional where the reward is."""
    return reward * math.log(mean) + (1.0 - reward) * math.log1p(-mean)


def _posterior(evidence: Vector, prior: Vector) -> Vector:
    """The probability (S, J) of each kind of dishonesty, by evidence (S, J) and the kinds' shares (J,)."""
    odds = prior / (1.0 - prior.sum()) * np.exp(np.minimum(evidence, 500.0))
    found: Vector = odds / (1.0 + odds.sum(axis=1, keepdims=True))
    return found
