"""The judge of a tenant's outcomes: what each counts, in the order in which they come."""

from __future__ import annotations

import math
from heapq import nlargest
from typing import Final, Literal, NamedTuple

import numpy as np

from router_models.checks import restored
from router_models.policy import Arrays
from router_models.suspicion import Suspicion
from router_models.trust.audits import Doubt, evidence, worth
from router_models.trust.hearings import Hearing, Hearings, Voice, chance
from router_models.trust.influence import Influence
from router_models.trust.mixture import Mixture
from router_models.trust.names import read, written
from router_models.trust.sources import EXPECTED, PROOF, RECENT, REWARDS, TOLD, Sources

HOUR_S: Final = 3600.0

FEWEST: Final = 3.5
"""Outcomes below which nobody is taken for dishonest; of four, the first ones count a little less already."""

LEAST: Final = 0.05
"""An outcome of which less than this part may count does not count at all."""

SOONEST: Final = 16
LATEST: Final = 256
"""All sources are reviewed after a sixteenth more outcomes, within these bounds."""

TRIFLE: Final = -4.0
CERTAIN: Final = 12.0
"""Bounds of the log-likelihood ratio of meaning the opposite: nobody's credit or guilt is endless (Page 1954)."""

Reason = Literal["rate", "dishonest", "influence"]
Band = Literal["new", "trusted", "doubted", "quarantined"]


class Claim(NamedTuple):
    """One outcome of ``answer`` (16 bytes): ``expected`` is the policy's mean before it, ``at`` in seconds; ``weight``
    is what one that is vouched for counts.
    """

    source: str
    arm: str
    reward: float
    expected: float
    at: float
    answer: bytes
    weight: float = 1.0


class Verdict(NamedTuple):
    """What an outcome counts, in [0, 1]; with a ``reason`` it is withheld. It is weighed by the ``honesty`` of its
    source, in [0, 1], unless that is vouched for, or heard too often to be looked at.
    """

    weight: float
    reason: Reason | None = None
    honesty: float | None = None


class Trust:
    """Owned by one fold; the same outcomes in the same order give the same verdicts."""

    def __init__(self, *, suspicion: Suspicion | None = None) -> None:
        self.suspicion = suspicion or Suspicion()
        self.arms: list[str] = []
        self._sources = Sources()
        self._mixture = Mixture(share=self.suspicion.share)
        self._hearings = Hearings()
        self._influence = Influence()
        self._judged = 0
        self._reviewed = 0

    def vouched(self, claim: Claim) -> Verdict:
        """An outcome of the operator's or the gateway's own: it counts, and others' are measured by it."""
        arm = self._arm(claim.arm)
        hearing = self._hearings.opened(claim.answer, arm=arm)
        if claim.source not in hearing.voices:
            self._influence.add(arm, claim.source, claim.weight)
        hearing.hear(claim.source, Voice(reward=claim.reward, strength=claim.weight, granted=claim.weight))
        self._compare(hearing)
        return Verdict(1.0)

    def judge(self, claim: Claim) -> Verdict:
        """What an end user's outcome counts; another word on the same answer counts as much as the first."""
        arm = self._arm(claim.arm)
        row = self._sources.row(claim.source, honesty=self._mixture.usual, most=self.suspicion.memory)
        if not self._on_time(row, claim.at):
            return Verdict(0.0, "rate")
        voice = self._hear(claim, arm, row)
        self._judged += 1
        if self._judged - self._reviewed >= min(max(self._judged // 16, SOONEST), LATEST):
            self.review()
        told, honesty = float(self._sources.counts[TOLD, row].sum()), float(self._sources.honesty[row])
        if told >= FEWEST and honesty < self.suspicion.least:
            return Verdict(0.0, "dishonest", honesty)
        if voice.granted:
            return Verdict(voice.granted, None, honesty)
        weight = honesty * told / (told + self.suspicion.probation)
        granted = self._influence.granted(arm, claim.source, weight, part=self.suspicion.influence)
        if granted < LEAST * weight:
            return Verdict(0.0, "influence", honesty)
        self._influence.add(arm, claim.source, granted)
        voice.granted = granted
        return Verdict(granted, None, honesty)

    def audited(self, answer: bytes, reward: float) -> None:
        """Measure everyone who rated an answer by what an audit found it to be worth, if it is still remembered."""
        hearing = self._hearings.of(answer)
        if hearing is not None:
            for name, voice in hearing.voices.items():
                self._prove(hearing, name, voice, -1.0)
            hearing.truth = reward
            for name, voice in hearing.voices.items():
                self._prove(hearing, name, voice, 1.0)
            self._compare(hearing)
            self.review()

    def doubts(self, *, limit: int) -> list[Doubt]:
        """The answers of which an audit would tell most, by the most telling word on each, first things first.

        Safe beside a thread that judges.
        """
        believed = self.believed()
        best = [
            max(found, key=lambda doubt: doubt.worth)
            for answer, hearing in self._hearings.open()
            if (found := self._doubted(answer, hearing, believed))
        ]
        return nlargest(limit, best, key=lambda doubt: doubt.worth)

    def _doubted(self, answer: bytes, hearing: Hearing, believed: dict[str, float]) -> list[Doubt]:
        """Every word of somebody known on this answer."""
        arm, targets = self.arms[hearing.arm], self._mixture.targets[hearing.arm]
        return [
            Doubt(answer, arm, name, voice.reward, voice.expected, honesty, value)
            for name, voice in list(hearing.voices.items())
            if (honesty := believed.get(name)) is not None and not math.isnan(voice.expected)
            if (value := worth(voice.reward, voice.expected, honesty, targets)) > 0.0
        ]

    def pardoned(self, name: str) -> None:
        """An admin let a source's outcome count: what it said so far is as was to be expected."""
        row = self._sources.rows.get(name)
        if row is not None:
            self._sources.counts[REWARDS, row] = self._sources.counts[EXPECTED, row]
            self._sources.counts[PROOF, row] = 0.0
            self._sources.contrary[row] = TRIFLE
            self.review()

    def review(self) -> None:
        """Judge all sources anew by all that was said."""
        used = len(self._sources.rows)
        counts, contrary = self._sources.counts[:, :used], self._sources.contrary[:used]
        self._sources.honesty[:used] = self._mixture.review(counts, contrary, share=self.suspicion.share)
        self._reviewed = self._judged

    @property
    def fresh(self) -> bool:
        """Whether nobody was judged since all sources were reviewed."""
        return self._reviewed == self._judged

    def believed(self) -> dict[str, float]:
        """The probability in [0, 1] that each known source is honest."""
        return dict(zip(self._sources.names, self._sources.honesty.tolist(), strict=False))

    def honesty(self, name: str) -> float:
        """The probability in [0, 1] that a source is honest; the usual one for a stranger."""
        row = self._sources.rows.get(name)
        return self._mixture.usual if row is None else float(self._sources.honesty[row])

    def bands(self) -> dict[Band, int]:
        """How many sources stand where: new are those on probation still, doubted who is less than half believed.

        Safe beside a thread that judges.
        """
        told = self._sources.told()
        honesty = self._sources.honesty[: len(told)]
        out = (honesty < self.suspicion.least) & (told >= FEWEST)
        new = ~out & (told < max(FEWEST, self.suspicion.probation))
        trusted = ~(out | new) & (honesty >= 0.5)
        return {
            "new": int(new.sum()),
            "trusted": int(trusted.sum()),
            "doubted": int((~(out | new | trusted)).sum()),
            "quarantined": int(out.sum()),
        }

    def _arm(self, name: str) -> int:
        if name not in self.arms:
            self.arms.append(name)
            for part in (self._sources, self._mixture, self._influence):
                part.insert()
        return self.arms.index(name)

    def _on_time(self, row: int, at: float) -> bool:
        """The generic cell rate algorithm (ITU-T I.371): an hour's outcomes at once, and then at their rate."""
        step = HOUR_S / self.suspicion.rate
        due = max(float(self._sources.due[row]), at)
        if due - at > max(HOUR_S - step / 2.0, 0.0):
            return False
        self._sources.due[row] = due + step
        return True

    def _hear(self, claim: Claim, arm: int, row: int) -> Voice:
        """Add to a source's record, or amend it."""
        hearing = self._hearings.opened(claim.answer, arm=arm)
        hearing.predicted(claim.expected)
        counts, voice = self._sources.counts[:, row, hearing.arm], hearing.voices.get(claim.source)
        if voice is None or math.isnan(voice.expected):
            hearing.voices.pop(claim.source, None)
            expected = chance(hearing.said())
            counts *= RECENT
            counts[: EXPECTED + 1] += 1.0, claim.reward, expected
            self._oppose(row, _opposed(claim.reward, expected))
            voice = Voice(reward=claim.reward, strength=float(self._sources.honesty[row]), expected=expected)
            hearing.hear(claim.source, voice)
        else:
            counts[REWARDS] = min(max(counts[REWARDS] + claim.reward - voice.reward, 0.0), counts[TOLD])
            self._oppose(row, _opposed(claim.reward, voice.expected) - _opposed(voice.reward, voice.expected))
            self._prove(hearing, claim.source, voice, -1.0)
            voice.reward, voice.strength = claim.reward, float(self._sources.honesty[row])
        self._prove(hearing, claim.source, voice, 1.0)
        if len(hearing.voices) > 1:
            self._compare(hearing)
        return voice

    def _compare(self, hearing: Hearing) -> None:
        """Measure everyone who rated an answer by all that is known of it now."""
        said = hearing.said()
        for name, voice in hearing.voices.items():
            row = self._sources.rows.get(name)
            if row is None or math.isnan(voice.expected):
                continue
            before, voice.expected = voice.expected, chance(said - voice.said)
            self._sources.counts[EXPECTED, row, hearing.arm] += voice.expected - before
            self._oppose(row, _opposed(voice.reward, voice.expected) - _opposed(voice.reward, before))

    def _prove(self, hearing: Hearing, name: str, voice: Voice, times: float) -> None:
        """Add what an audit says of a voice, so many times, if there was one."""
        row = self._sources.rows.get(name)
        if row is None or math.isnan(hearing.truth) or math.isnan(voice.expected):
            return
        self._sources.counts[PROOF, row, hearing.arm] += times * evidence(voice.reward, hearing.truth)

    def _oppose(self, row: int, evidence: float) -> None:
        self._sources.contrary[row] = min(max(self._sources.contrary[row] + evidence, TRIFLE), CERTAIN)

    def arrays(self) -> Arrays:
        """Everything needed to go on, as named arrays."""
        found = {f"{name}/{key}": array for name, part in self._parts.items() for key, array in part.arrays().items()}
        counts = np.array([self._judged, self._reviewed])
        return {**found, "arms": written(self.arms), "counts": counts}

    def restore(self, arrays: Arrays) -> None:
        """Take over what :meth:`arrays` gave. Raises ``KeyError`` or ``ValueError``."""
        self.arms = read(arrays["arms"])
        if len(set(self.arms)) != len(self.arms):
            raise ValueError("arms have unique names")
        self._judged, self._reviewed = (int(count) for count in restored(arrays, "counts", (2,)))
        for name, part in self._parts.items():
            of = f"{name}/"
            own = {key.removeprefix(of): array for key, array in arrays.items() if key.startswith(of)}
            part.restore(own, len(self.arms))

    @property
    def _parts(self) -> dict[str, Sources | Mixture | Hearings | Influence]:
        return {
            "sources": self._sources,
            "mixture": self._mixture,
            "hearings": self._hearings,
            "influence": self._influence,
        }


def _opposed(reward: float, expected: float) -> float:
    """The log-likelihood ratio of meaning the opposite, of somebody who is wrong one time in ten."""
    good = 0.1 + 0.8 * expected
    return (2.0 * reward - 1.0) * math.log((1.0 - good) / good)
