"""Every tenant's state in one feature space: what learns there, about which arms, and who shares in the pool."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection
from typing import NamedTuple

import numpy as np
import structlog

from gateway.events import POOL, ArmSet, LineageStarted, PolicyChanged, PoolJoined, ShadowSet
from gateway.tenant_state import TenantState
from gateway.trust.credit import credit
from router_models.policy import Arm, Arrays, Policy, State

_logger = structlog.get_logger("polyculture.tenants")

#: Makes a policy from its name and its parameters as keywords.
PolicyMaker = Callable[..., Policy]


class Named(NamedTuple):
    """A policy as the log says it: its name, and its parameters as JSON."""

    policy: str
    parameters: str


class Membership(NamedTuple):
    """A tenant's part in the pool: whether it ``gives`` and ``takes`` now, and whether it ever ``gave`` or ``took``."""

    gives: bool = False
    takes: bool = False
    gave: bool = False
    took: bool = False

    def after(self, event: PoolJoined) -> Membership:
        """Its part after this."""
        gives, takes = event.contributes, event.consumes
        return Membership(gives, takes, self.gave or gives, self.took or takes)


class Tenants:
    """``started`` is the feature space as it was declared; ``policy`` is what learns in it, by its name ``live``, and
    ``shadow``, called ``second``, what learns the same beside it. Tenants in ``pool`` contribute to the state of
    ``POOL``, or begin as it.
    """

    def __init__(self, *, make_policy: PolicyMaker) -> None:
        self.make_policy = make_policy
        self.started = LineageStarted(embedder="", dimensions=0, policy="", parameters="{}")
        self.lineage = 0
        self.live = named(self.started)
        self.second: Named | None = None
        self.policy: Policy | None = None
        self.shadow: Policy | None = None
        self.arms: dict[str, ArmSet] = {}
        self.states: dict[str, TenantState] = {}
        self.pool: dict[str, Membership] = {}

    def state(self, tenant: str) -> State:
        """What a tenant's policy has learned; one without events yet knows the arms' priors, and is not kept.

        Raises ``LookupError`` before the first lineage.
        """
        own = self.states.get(tenant) if self.begun(tenant) else self.source(tenant)
        return self._begun(self.policy) if own is None or own.learned is None else own.learned

    def begun(self, tenant: str) -> bool:
        """Whether this tenant has a policy's state of its own."""
        own = self.states.get(tenant)
        return own is not None and own.learned is not None

    def beside(self, tenant: str) -> TenantState:
        """What stands beside a tenant's policies, to be changed; a policy's state does not begin by this."""
        found = self.states.get(tenant)
        if found is None:
            found = self.states[tenant] = TenantState()
        return found

    def own(self, tenant: str) -> TenantState:
        """A tenant's state, to be changed. Raises ``LookupError`` before the first lineage."""
        own = self.beside(tenant)
        if own.learned is None or (own.shadow is None and self.shadow is not None):
            source = self.source(tenant) or TenantState()
            if own.learned is None:
                own.learned = self._begun(self.policy, source.learned)
            if self.shadow is not None:
                own.shadow = self._begun_aside(self.shadow, source.shadow)
        return own

    def source(self, tenant: str) -> TenantState | None:
        """Where this tenant's state begins, if not at the priors."""
        return self.states.get(POOL) if self.membership(tenant).takes else None

    def membership(self, tenant: str) -> Membership:
        """A tenant's part in the pool."""
        return self.pool.get(tenant, _ALONE)

    def circle(self, tenant: str) -> list[str]:
        """The tenants whose feedback bears on this one's state: its own, and where it took of the pool, the givers'."""
        if tenant != POOL and not self.membership(tenant).took:
            return [tenant]
        return sorted({tenant, POOL, *(each for each, part in self.pool.items() if part.gave)})

    def circles(self, tenants: Collection[str]) -> set[str]:
        """The circles of all of these."""
        return {each for tenant in tenants for each in self.circle(tenant)}

    def affected(self, tenant: str) -> list[str]:
        """The tenants on whose state this one's feedback bears: itself, and where it gave to the pool, the takers."""
        if tenant != POOL and not self.membership(tenant).gave:
            return [tenant]
        return sorted({tenant, POOL, *(each for each, part in self.pool.items() if part.took)})

    def readers(self, tenant: str) -> set[str]:
        """Those whose router is another one when this tenant learns."""
        if not self.membership(tenant).gives:
            return {tenant}
        return {tenant, *(each for each, part in self.pool.items() if part.takes and not self.begun(each))}

    def reweigh(self, tenant: str) -> list[str]:
        """Let all that was taught count as its sources are believed now, if these were reviewed just now.

        Returns whose router is another one by that: this tenant's, and the pool where it gives to that.
        """
        own = self.beside(tenant)
        found = credit(tenant, own.trust) if own.trust.fresh else None
        if found is None:
            return []
        taught = [tenant, POOL] if self.membership(tenant).gives else [tenant]
        return [each for each in taught if self.beside(each).update(lambda state: state.reweigh(found))]

    def follow(self, live: Named, second: Named | None) -> None:
        """Learn by the policy of this name, and beside it by another. Raises what making them raises."""
        policy = self.make(live)
        self.shadow = None if second is None else self.make(second)
        self.policy, self.live, self.second = policy, live, second

    def follow_alone(self) -> None:
        """Let no shadow learn any more."""
        self.shadow = self.second = None
        for own in self.states.values():
            own.shadow = None

    def begin(self, lineage: int, started: LineageStarted) -> None:
        """Enter a feature space: nothing learned, and no arms."""
        self.lineage, self.started = lineage, started
        self.arms = {}
        for own in self.states.values():
            own.begin()

    def tune(self, live: Named) -> None:
        """Go on by the same policy with other parameters. Raises what making and loading raise, and changes nothing."""
        policy = self.make(live)
        states = [own for own in self.states.values() if own.learned is not None]
        loaded = [policy.load(own.learned.arrays()) for own in states if own.learned is not None]
        for own, learned in zip(states, loaded, strict=True):
            own.learned = learned
        self.policy, self.live = policy, live

    def bring(self, tenant: str, policy: str, arrays: Arrays) -> None:
        """Let a tenant have learned what ``arrays`` hold, of the arms that there are; nothing if they are of a policy
        that does not learn here. Raises :class:`InvalidState`.
        """
        if policy != self.live.policy or self.policy is None:
            return
        learned = self.policy.load(arrays)
        known = learned.snapshot().arms
        for name in known:
            if name not in self.arms:
                learned.remove(name)
        for name, event in self.arms.items():
            if name not in known:
                learned.add(arm(event))
        self.own(tenant).learned = learned

    def put(self, tenant: str, arrays: Arrays, *, policy: str, shadow: str | None) -> None:
        """Give a tenant the state that it had, with what these policies had learned where they still learn.

        Raises :class:`InvalidState`.
        """
        same = self.policy if policy == self.live.policy else None
        beside = self.shadow if self.second is not None and shadow == self.second.policy else None
        self.states[tenant] = TenantState.load(arrays, policy=same, shadow=beside)

    def forget(self, tenants: Collection[str]) -> None:
        """Drop all that is known of these."""
        for tenant in tenants:
            self.states.pop(tenant, None)
            self.pool.pop(tenant, None)

    def make(self, named: Named) -> Policy:
        """The policy of this name."""
        return self.make_policy(named.policy, **json.loads(named.parameters))

    def _begun(self, policy: Policy | None, source: State | None = None) -> State:
        if policy is None:
            raise LookupError("no lineage has started")
        if source is not None:
            return policy.load(source.arrays())
        return policy.start(dimensions=self.started.dimensions, arms=[arm(event) for event in self.arms.values()])

    def _begun_aside(self, shadow: Policy, source: State | None) -> State | None:
        """The shadow's state; one that cannot begin is told of, and does no harm."""
        try:
            return self._begun(shadow, source)
        except Exception:
            _logger.exception("shadow_failed")
            return None


_ALONE = Membership()


def named(event: LineageStarted | PolicyChanged | ShadowSet) -> Named:
    """The policy that an event speaks of."""
    return Named(event.policy, event.parameters)


def arm(event: ArmSet) -> Arm:
    """The arm that an event speaks of."""
    return Arm(name=event.name, prior=np.frombuffer(event.prior, "<f8"))
