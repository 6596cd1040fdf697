"""What goes live: versions promoted, and how each tenant's router stands before the gate."""

from __future__ import annotations

import asyncio

import msgspec
import sqlalchemy as sa

from gateway.admin.orders import Ordering, TenantName, told
from gateway.admin.versions import VersionName
from gateway.errors import Unprocessable
from gateway.events import ShadowSet
from gateway.gate.comparing import shadow
from gateway.gate.standing import Standing
from gateway.keys import DEFAULT_TENANT, Principal
from gateway.operations import Nothing, get, post
from gateway.schema import RARE, events
from gateway.versions.versions import LIVE
from router_models.gate import Verdict


class PromotionAsked(msgspec.Struct, forbid_unknown_fields=True):
    """Which version is to serve a tenant; ``live`` is what it has learned by now. ``force`` asks nobody."""

    version: VersionName = LIVE
    tenant: TenantName = DEFAULT_TENANT
    force: bool = False


class PromotionDone(msgspec.Struct):
    """The version that serves."""

    version: str
    tenant: str


class TrialShown(msgspec.Struct):
    """What serves against a trusted version: how it came, since when, and what the outcomes say.

    ``evidence`` is the natural logarithm of the odds won by betting on its earning less, or on its predicting worse if
    the gate has ``doubts``, whichever is more; above ``enough`` it is taken back.
    """

    cause: str
    trusted: str
    since: int
    outcomes: int
    share: float
    evidence: float
    enough: float
    doubts: list[str]


class StandingShown(msgspec.Struct):
    """A tenant's router: the version that serves, the one it is pinned to if any, a candidate that waits if any."""

    tenant: str
    version: str
    pinned: str
    candidate: str | None
    refused: list[str]
    fallen: bool
    trial: TrialShown | None


class GateStatus(msgspec.Struct):
    """The gate at a glance."""

    mode: str
    tenants: list[StandingShown]


class ShadowJudged(msgspec.Struct):
    """What a tenant's shadow would have earned less what the live policy would, with a 95 % confidence interval."""

    policy: str
    tenant: str
    decisions: int
    verdict: Verdict
    value: float
    low: float
    high: float
    effective_sample_size: float


class TenantAsked(msgspec.Struct, forbid_unknown_fields=True):
    """Whose."""

    tenant: TenantName = DEFAULT_TENANT


class Gatekeeping(Ordering):
    """``/admin/v1/router/gate``, ``/promote`` and ``/shadow/comparison``."""

    @get("/admin/v1/router/gate", "Show what is on trial", answer=GateStatus)
    async def status(self, principal: Principal, asked: Nothing) -> GateStatus:
        """Every tenant that has learned something."""
        learner, gate = self._service.learner, self._service.guard.gate
        return GateStatus(gate.settings.mode, [self._shown(tenant) for tenant in sorted(learner.fold.states)])

    @post(
        "/admin/v1/router/promote",
        "Let a version serve",
        asked=PromotionAsked,
        answer=PromotionDone,
        errors="404 422 503",
    )
    async def promote(self, principal: Principal, asked: PromotionAsked) -> PromotionDone:
        """Where nothing goes live by itself; it is tried against the version before it."""
        tenant = self._whom(asked.tenant)
        note = self._noted(principal, "router.promote", tenant=tenant, version=asked.version, forced=asked.force)
        with told():
            version = await self._service.guard.promotion.promote(
                asked.version, tenant=tenant, force=asked.force, also=note
            )
        return PromotionDone(version, tenant)

    @get(
        "/admin/v1/router/shadow/comparison",
        "Hold the shadow policy against the live one",
        asked=TenantAsked,
        answer=ShadowJudged,
        errors="404 422",
    )
    async def shadow(self, principal: Principal, asked: TenantAsked) -> ShadowJudged:
        """By the probabilities that it gave, request by request, since it was set."""
        service, tenant = self._service, self._whom(asked.tenant)
        fold = service.learner.fold
        if fold.second is None:
            raise Unprocessable("No shadow policy is set.")
        kind, last = events.c.kind == ShadowSet.kind, sa.func.max(events.c.seq)
        with service.engine.connect() as connection:
            after = connection.execute(sa.select(last).where(RARE, kind)).scalar() or 0
        arms = service.learner.published(tenant).snapshot.arms
        margin = service.guard.gate.settings.margin
        found = await asyncio.to_thread(shadow, service.engine, fold, tenant, after=after, arms=arms, margin=margin)
        if found is None:
            raise Unprocessable("Too few decisions with feedback were made beside the shadow policy.")
        return ShadowJudged(
            policy=fold.second.policy,
            tenant=tenant,
            decisions=found.decisions,
            verdict=found.verdict,
            value=found.value,
            low=found.low,
            high=found.high,
            effective_sample_size=found.effective_sample_size,
        )

    def _shown(self, tenant: str) -> StandingShown:
        gate, learner = self._service.guard.gate, self._service.learner
        standing, proposal = gate.standing(tenant), gate.proposals.get(tenant)
        return StandingShown(
            tenant=tenant,
            version=learner.published(tenant).version,
            pinned=gate.pins.version(tenant),
            candidate=None if proposal is None else proposal.candidate.version,
            refused=[finding.message for finding in standing.findings],
            fallen=standing.fallen,
            trial=_trial(standing),
        )


def _trial(standing: Standing) -> TrialShown | None:
    trial, trusted, forecasts = standing.trial, standing.trusted, standing.forecasts
    if trial is None or trusted is None:
        return None
    return TrialShown(
        cause=standing.cause,
        trusted=trusted.version,
        since=standing.began,
        outcomes=trial.outcomes,
        share=trial.share,
        evidence=max(trial.evidence, trial.evidence if forecasts is None else forecasts.evidence),
        enough=trial.enough,
        doubts=[finding.message for finding in standing.doubts],
    )
