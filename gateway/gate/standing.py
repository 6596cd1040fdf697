"""One tenant's router before the gate: what it is held against, what is tried, and what is trusted."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Final

from gateway.config import Gate
from gateway.fold import Heard
from gateway.gate.acts import Act, Cause, Fallen, Refused
from gateway.publication import Beside, Published
from router_models.gate import MOST, Evidence, Finding, Forecasts, Trial, examine
from router_models.policy import InvalidState, Observation

FIRST: Final = 1000
"""Outcomes before a tenant's first trial: until then every version is much better than the last."""

ALPHA: Final = 0.01
ROUTINE: Final = 0.003
DOUBTED: Final = 0.025
"""Chances that a trial flags a version that is no worse: of one that did not come by learning, of one that did, and of
one that somebody insists on though the gate finds fault with it. Of the last, the control has half of the requests at
once, and its forecasts are tried as well, by the same measure.
"""

AS_IT_CAME: Final = 300
"""Outcomes for which a version that did not come by learning serves unchanged; what it learns meanwhile waits. Else it
could mend itself before it is found out, and stay with all that it brought.
"""

LOOK_S: Final = 1.0
"""How long one thorough look at what is being learned holds, in seconds: it takes some 10 ms."""

REMEMBERED: Final = 4096
"""Decisions known to have had their first outcome."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What the policy owes: exploration mass, share cap."""

    floor: float = 0.0
    cap: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """A version that does not come by learning: why, what served ``before``, and whether an admin insists on it."""

    cause: Cause
    before: Published
    forced: bool = False


class Standing:
    """``trusted`` serves the control; ``tried`` is trusted once the trial that ``began`` with it has run its course.
    ``fallen`` says that the live version was found worse, and that the trusted one serves in its place.
    """

    def __init__(self, *, tenant: str, settings: Gate) -> None:
        self._tenant = tenant
        self.settings = settings
        self._arrival: Arrival | None = None
        self._first: dict[bytes | None, None] = {}
        self._looked = 0.0
        self.evidence = Evidence()
        self.findings: tuple[Finding, ...] = ()
        self.acts: deque[Act] = deque()
        self.rest()

    def rest(self) -> None:
        """End the trial, whatever it found."""
        self.trusted: Published | None = None
        self.tried: Published | None = None
        self.trial: Trial | None = None
        self.forecasts: Forecasts | None = None
        self.doubts: tuple[Finding, ...] = ()
        self.cause: Cause = "learned"
        self.began = 0
        self.fallen = False

    def forget(self) -> None:
        """Begin anew, but for what is expected."""
        self.rest()
        self.evidence, self.findings = Evidence(), ()

    def expect(self, arrival: Arrival) -> None:
        """The next candidate is none that was learned."""
        self._arrival = arrival

    def hear(self, heard: Heard) -> None:
        """Take an outcome that counted. In the trial, a decision's first one counts, of requests drawn in it."""
        observation, lesson, trial = heard.observation, heard.lesson, self.trial
        self.evidence.take(observation)
        ours = lesson.trial == self.began and lesson.share > 0.0 and lesson.group != "canary"
        if trial is None or self.fallen or not ours or not self._is_first(heard.record.subject):
            return
        live, weight = lesson.group != "control", observation.weight
        flagged = trial.update(observation.reward, live=live, share=lesson.share, weight=weight)
        if flagged or self._foretold(observation):
            self._fall(self.doubts)

    def _foretold(self, observation: Observation) -> bool:
        """Whether, of a version that was doubted, the forecasts are found worse."""
        if self.forecasts is None or self.trial is None or self.trial.outcomes > AS_IT_CAME:
            return False
        tried, trusted = (_forecast(version, observation) for version in (self.tried, self.trusted))
        if tried is None or trusted is None:
            return False
        return self.forecasts.update(observation.reward, tried=tried, trusted=trusted, weight=observation.weight)

    def admit(
        self, candidate: Published, live: Published | None, *, rules: Rules, lessons: int, now: float
    ) -> Published:
        """What is to serve: the candidate, or the live version still, or the trusted one again."""
        if self.fallen and self.trusted is not None:
            return self.trusted.under(candidate)
        arrival, self._arrival = self._arrival, None
        if arrival is not None:
            return self._enter(candidate, arrival, rules)
        if live is None:
            return candidate
        if (live.lineage, live.snapshot.arms) != (candidate.lineage, candidate.snapshot.arms):
            self.rest()
        candidate = self._as_it_came(candidate)
        if candidate.version != live.version and self._is_refused(candidate, live, rules, now):
            return live
        self._follow(candidate, lessons)
        return self._tried(candidate)

    def _as_it_came(self, candidate: Published) -> Published:
        trial, tried = self.trial, self.tried
        if trial is None or tried is None or self.cause == "learned" or trial.outcomes >= AS_IT_CAME:
            return candidate
        return tried.under(candidate)

    def _enter(self, candidate: Published, arrival: Arrival, rules: Rules) -> Published:
        """Try what did not come by learning, against what served before any of its kind that is on trial still.

        Another policy's beliefs are not held against the old one's.
        """
        again = self.trial is not None and self.cause == arrival.cause != "policy"
        before = self.trusted if again and self.trusted is not None else arrival.before
        found = self._faults(candidate)
        doubts = () if found or arrival.cause == "policy" else self._examined(candidate, before, rules)
        if arrival.cause == "imported" and not arrival.forced:
            found = found or doubts
        self.rest()
        if self.settings.control_share or found:
            self._begin(before, candidate, cause=arrival.cause, doubts=doubts)
        if found:
            self._fall(found)
            return before.under(candidate)
        return self._tried(candidate)

    def _is_refused(self, candidate: Published, live: Published, rules: Rules, now: float) -> bool:
        before = self.findings
        self.findings = self._faults(candidate, live)
        if not self.findings and (now - self._looked < LOOK_S and self._looked):
            self.findings = before
        elif not self.findings:
            self._looked = now
            self.findings = self._examined(candidate, self.trusted or live, rules)
        if self.findings and not before:
            self.acts.append(
                Refused(tenant=self._tenant, candidate=candidate.version, live=live.version, findings=self.findings)
            )
        return bool(self.findings)

    def _examined(self, candidate: Published, trusted: Published, rules: Rules) -> tuple[Finding, ...]:
        return examine(
            candidate.snapshot, trusted=trusted.snapshot, evidence=self.evidence, floor=rules.floor, cap=rules.cap
        ).findings

    def _faults(self, candidate: Published, live: Published | None = None) -> tuple[Finding, ...]:
        try:
            candidate.snapshot.check(since=None if live is None else live.snapshot)
        except InvalidState as error:
            self._looked = 0.0
            return (Finding("sound", str(error)),)
        return ()

    def _follow(self, candidate: Published, lessons: int) -> None:
        """Let trust follow what was tried."""
        over = self.trial is not None and self.trial.outcomes >= self.settings.trial_outcomes
        if self.settings.mode != "auto":
            if over:
                self.rest()
        elif self.settings.control_share and (over or (self.trial is None and lessons >= FIRST)):
            self._begin(self.tried or candidate, candidate, cause="learned")

    def _begin(
        self, trusted: Published, candidate: Published, *, cause: Cause, doubts: tuple[Finding, ...] = ()
    ) -> None:
        settings, learned = self.settings, cause == "learned"
        least = max(settings.control_share, 0.01)
        share = least if learned else MOST if doubts else max(settings.trial_share, least)
        self.trusted, self.tried, self.cause, self.began = trusted, candidate, cause, candidate.position
        self.trial = Trial(
            alpha=ROUTINE if learned else DOUBTED if doubts else ALPHA,
            tolerance=settings.margin,
            share=share,
            least=least,
        )
        self.doubts, self.forecasts = doubts, Forecasts(alpha=DOUBTED) if doubts else None

    def _tried(self, candidate: Published) -> Published:
        """The candidate with the control beside it, once they differ."""
        trial, trusted = self.trial, self.trusted
        if trial is None or trusted is None or trusted.version == candidate.version:
            return candidate
        share = trial.share
        control = trusted._replace(group="control", share=share, trial=self.began, beside=None)
        return candidate._replace(share=share, trial=self.began, beside=Beside(control=control, share=share))

    def _fall(self, findings: tuple[Finding, ...] = ()) -> None:
        assert self.trial is not None
        assert self.trusted is not None
        assert self.tried is not None
        self.fallen = True
        self.acts.append(
            Fallen(
                tenant=self._tenant,
                live=self.tried.version,
                trusted=self.trusted.version,
                cause=self.cause,
                outcomes=self.trial.outcomes,
                findings=findings,
            )
        )

    def _is_first(self, subject: bytes | None) -> bool:
        if subject in self._first:
            return False
        self._first[subject] = None
        if len(self._first) > REMEMBERED:
            del self._first[next(iter(self._first))]
        return True


def _forecast(version: Published | None, observation: Observation) -> float | None:
    if version is None or observation.arm not in version.places:
        return None
    return float(version.snapshot.expected(observation.features[None])[0, version.places[observation.arm]])
