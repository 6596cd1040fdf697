"""The gate: everything that is learned comes by here before requests go by it."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa

from gateway.config import Gate as Settings
from gateway.events import EVERYONE, POOL, Answer, PolicyChanged, Promoted, StateImported
from gateway.fold import Fold
from gateway.gate.acts import Act, Drifted, Due
from gateway.gate.logged import observations
from gateway.gate.pins import Pins
from gateway.gate.resuming import interrupted
from gateway.gate.standing import Arrival, Rules, Standing
from gateway.publication import Beside, Published, published
from gateway.transaction import Record
from gateway.versions.version import place
from router_models.alarm import Alarm
from router_models.drift import Level

ENOUGH: Final = 200
LOOK_EVERY: Final = 100
"""Outcomes before a candidate is compared with what is live, and between two comparisons."""


@dataclass(slots=True, kw_only=True)
class Proposal:
    """A candidate that waits for the log to speak for it, and how many outcomes have come since."""

    candidate: Published
    outcomes: int = 0


class Gate:
    """Every tenant's standing. ``acts`` are what is to be done, and ``on_act`` is told when there are some.

    A :class:`gateway.publication.Doorkeeper`: it is called where the fold is worked on, by one thread at a time.
    """

    def __init__(
        self,
        *,
        settings: Settings,
        engine: sa.Engine,
        on_act: Callable[[], None] = lambda: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.settings = settings
        self.on_act = on_act
        self.acts: deque[Act] = deque()
        self.pins = Pins(engine=engine)
        self.proposals: dict[str, Proposal] = {}
        self._standings: dict[str, Standing] = {}
        self._latencies: dict[str, Level] = {}
        self.engine = engine
        self._clock = clock

    def adopt(self, settings: Settings) -> None:
        """Judge by these from now on; trials that have begun keep their terms."""
        self.settings = settings
        for standing in self._standings.values():
            standing.settings = settings

    def standing(self, tenant: str) -> Standing:
        """A tenant's."""
        found = self._standings.get(tenant)
        if found is None:
            found = self._standings[tenant] = Standing(tenant=tenant, settings=self.settings)
        return found

    def witness(self, record: Record, live: Mapping[str, Published]) -> None:
        """See :class:`gateway.publication.Doorkeeper`."""
        event, tenant = record.event, record.tenant
        if isinstance(event, Answer):
            self._timed(record, event)
        elif isinstance(event, Promoted):
            self._promoted(event, tenant, live.get(tenant))
        elif isinstance(event, StateImported) and tenant in live and self.settings.mode == "auto":
            self.standing(tenant).expect(Arrival(cause="imported", before=live[tenant], forced=event.forced))
        elif isinstance(event, PolicyChanged):
            self._governed(live)

    def hear(self, fold: Fold) -> None:
        """See :class:`gateway.publication.Doorkeeper`."""
        while fold.heard:
            heard = fold.heard.popleft()
            tenant = heard.record.tenant
            standing = self.standing(tenant)
            standing.hear(heard)
            self.acts.extend(standing.acts)
            standing.acts.clear()
            self._count(tenant)
        while fold.alarms:
            record, alarm = fold.alarms.popleft()
            self.acts.append(Drifted(tenant=record.tenant, position=record.seq, alarm=alarm))
        self._tell()

    def admit(self, fold: Fold, tenant: str, live: Published | None) -> Published:
        """See :class:`gateway.publication.Doorkeeper`."""
        candidate = published(fold, tenant)
        if tenant in (EVERYONE, POOL):
            return candidate
        serving = self._serving(fold, tenant, candidate)
        standing, own = self.standing(tenant), fold.states.get(tenant)
        lessons = 0 if own is None else own.lessons
        found = standing.admit(serving, live, rules=rules(fold), lessons=lessons, now=self._clock())
        self.acts.extend(standing.acts)
        standing.acts.clear()
        self._tell()
        return _beside_shadow(fold, tenant, found)

    def revisit(self, fold: Fold, tenants: Collection[str]) -> None:
        """See :class:`gateway.publication.Doorkeeper`: trials begin again, and what was seen is read again."""
        concerned = tenants or {*self._standings, *fold.states}
        fold.heard.clear()
        fold.alarms.clear()
        self.pins.forget()
        for tenant in concerned:
            if tenant in self._standings:
                self._standings[tenant].forget()
            self.proposals.pop(tenant, None)
        with self.engine.connect() as connection:
            for tenant, observation in observations(connection, fold, concerned):
                self.standing(tenant).evidence.take(observation)
            for tenant, arrival in interrupted(
                connection, fold, self.pins, tenants=concerned, outcomes=self.settings.trial_outcomes
            ):
                self.standing(tenant).expect(arrival)

    def drop(self, tenant: str) -> None:
        """See :class:`gateway.publication.Doorkeeper`."""
        self._standings.pop(tenant, None)
        self.proposals.pop(tenant, None)
        self.pins.drop(tenant)

    def withdraw(self, tenant: str) -> None:
        """Decide on this tenant's proposal no more: the next candidate is another one."""
        self.proposals.pop(tenant, None)

    def _serving(self, fold: Fold, tenant: str, candidate: Published) -> Published:
        """The pinned version at today's prices, where nothing goes live by itself."""
        if self.settings.mode == "auto":
            return candidate
        pinned = self.pins.of(fold, tenant)
        if pinned is None:
            return candidate
        untried = self.settings.mode == "ope" and self.standing(tenant).trial is None
        if untried and place(candidate.version) > place(pinned.version):
            self.proposals.setdefault(tenant, Proposal(candidate=candidate))
        return pinned.under(candidate)

    def _timed(self, record: Record, answer: Answer) -> None:
        """How long models take is told, and nothing is learned of it; it concerns all tenants alike."""
        if answer.first_byte is None:
            return
        change = self._latencies.setdefault(answer.answered, Level()).update(answer.first_byte)
        if change is not None:
            alarm = Alarm("latencies", change.since, answer.answered, change.ratio, change.mean)
            self.acts.append(Drifted(tenant=EVERYONE, position=record.seq, alarm=alarm))

    def _promoted(self, event: Promoted, tenant: str, live: Published | None) -> None:
        self.pins.promote(tenant, event.version)
        self.proposals.pop(tenant, None)
        if tenant == EVERYONE:
            for standing in self._standings.values():
                standing.rest()
            return
        standing = self.standing(tenant)
        standing.rest()
        if live is not None and not event.returned and live.version != event.version:
            standing.expect(Arrival(cause="promoted", before=live))

    def _governed(self, live: Mapping[str, Published]) -> None:
        """Another policy learns: it is tried, unless one has fallen and this is the way back."""
        returned = any(standing.fallen and standing.cause == "policy" for standing in self._standings.values())
        for tenant, standing in self._standings.items():
            if tenant in live and not returned:
                standing.expect(Arrival(cause="policy", before=live[tenant]))

    def _count(self, tenant: str) -> None:
        proposal = self.proposals.get(tenant)
        standing = self.standing(tenant)
        if proposal is None or standing.trial is not None:
            return
        proposal.outcomes += 1
        if proposal.outcomes >= ENOUGH and proposal.outcomes % LOOK_EVERY == 0:
            self.acts.append(Due(tenant=tenant, candidate=proposal.candidate, outcomes=proposal.outcomes))

    def _tell(self) -> None:
        if self.acts:
            self.on_act()


def rules(fold: Fold) -> Rules:
    """What the policy that learns owes; a budget comes before the exploration mass."""
    known = {} if fold.policy is None else fold.policy.parameters
    floor = 0.0 if known.get("budget") else known.get("exploration", 0.0)
    return Rules(floor=floor, cap=known.get("cap"))


def _beside_shadow(fold: Fold, tenant: str, serving: Published) -> Published:
    """With the shadow policy asked as well, and with its share of requests if it has one."""
    own, said = fold.states.get(tenant), fold.controls.shadow(fold.lineage)
    if own is None or own.shadow is None or said is None:
        return serving
    shadow = own.shadow.snapshot()
    serving = serving._replace(shadow=shadow)
    if not said.canary:
        return serving
    canary = serving._replace(snapshot=shadow, group="canary", beside=None)
    beside = serving.beside or Beside()
    return serving._replace(beside=beside._replace(canary=canary, canary_share=said.canary))
