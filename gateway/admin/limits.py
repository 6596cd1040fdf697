"""Limits of tenants: shown with how far they are used, and set in place of the configuration's."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from gateway.admin.orders import Ordering, TenantName
from gateway.config import Limits
from gateway.decoding import merged, parse, validated
from gateway.governance.identity import Identity
from gateway.keys import Principal
from gateway.limits.orders import order
from gateway.limits.use import Use
from gateway.operations import delete, get, patch
from gateway.transaction import Transaction


class LimitsAsked(msgspec.Struct, forbid_unknown_fields=True):
    """Whose limits."""

    id: TenantName


class LimitsChange(msgspec.Struct):
    """A merge patch (RFC 7396) of a tenant's limits."""

    id: TenantName
    data: bytes


class TenantLimits(msgspec.Struct):
    """A tenant's limits, whether the API or the configuration ``file`` set them, and what is taken of them."""

    tenant: str
    origin: Literal["api", "file"]
    limits: dict[str, Any]
    use: Use


class Limiting(Ordering):
    """``/admin/v1/tenants/{id}/limits``."""

    @get(
        "/admin/v1/tenants/{id}/limits", "Show a tenant's limits", asked=LimitsAsked, answer=TenantLimits, errors="404"
    )
    async def show(self, principal: Principal, asked: LimitsAsked) -> TenantLimits:
        """What holds, and what is taken of it."""
        return self._shown(self._whom(asked.id))

    @patch(
        "/admin/v1/tenants/{id}/limits",
        "Change a tenant's limits",
        asked=LimitsChange,
        body=Limits,
        answer=TenantLimits,
        errors="404 503",
    )
    async def change(self, principal: Principal, asked: LimitsChange) -> TenantLimits:
        """By a merge patch of what holds; from then on the configuration's do not count."""
        tenant = self._whom(asked.id)
        document = merged(self._service.limits.limits(tenant).model_dump(mode="json"), parse(asked.data))
        limits = validated(Limits, document)
        self._known([limits.soft_model], param="soft_model")
        await self._order(principal, tenant, limits)
        return self._shown(tenant)

    @delete(
        "/admin/v1/tenants/{id}/limits",
        "Let the configuration's limits hold again",
        asked=LimitsAsked,
        answer=TenantLimits,
        errors="404 503",
    )
    async def reset(self, principal: Principal, asked: LimitsAsked) -> TenantLimits:
        """What was set here is gone."""
        tenant = self._whom(asked.id)
        await self._order(principal, tenant, None)
        return self._shown(tenant)

    async def _order(self, principal: Principal, tenant: str, limits: Limits | None) -> None:
        set_to = None if limits is None else limits.model_dump(mode="json", exclude_defaults=True)

        def work(transaction: Transaction) -> dict[str, Limits]:
            self._service.audit.record(
                transaction,
                actor=Identity.of(principal),
                action="tenant.limits",
                subject=Identity(kind="tenant", tenant=tenant),
                detail={"limits": set_to},
            )
            return order(tenant, limits, transaction)

        self._service.limits.order(await self._service.log.transact(work))

    def _shown(self, tenant: str) -> TenantLimits:
        limiter = self._service.limits
        origin: Literal["api", "file"] = "api" if limiter.overrules(tenant) else "file"
        return TenantLimits(tenant, origin, limiter.limits(tenant).model_dump(mode="json"), limiter.use(tenant))
