"""Learning, stopped and resumed, for everyone or for one tenant."""

from __future__ import annotations

import msgspec

from gateway.admin.orders import Ordering, TenantName
from gateway.keys import Principal
from gateway.operations import post


class Learners(msgspec.Struct, forbid_unknown_fields=True):
    """Whose learning is meant; everyone's without ``tenant``."""

    tenant: TenantName | None = None


class LearningState(msgspec.Struct):
    """Whether the learning that was meant is stopped."""

    frozen: bool


class Learning(Ordering):
    """``/admin/v1/router/freeze`` and ``/unfreeze``."""

    @post("/admin/v1/router/freeze", "Stop learning", asked=Learners, answer=LearningState, errors="404 503")
    async def freeze(self, principal: Principal, asked: Learners) -> LearningState:
        """Serve what was learned, learn nothing more."""
        return await self._set(principal, asked.tenant, frozen=True)

    @post("/admin/v1/router/unfreeze", "Learn again", asked=Learners, answer=LearningState, errors="404 503")
    async def unfreeze(self, principal: Principal, asked: Learners) -> LearningState:
        """Learn again."""
        return await self._set(principal, asked.tenant, frozen=False)

    async def _set(self, principal: Principal, asked: str | None, *, frozen: bool) -> LearningState:
        tenant = self._whom(asked)
        note = self._noted(principal, "router.freeze" if frozen else "router.unfreeze", tenant=tenant)
        await self._steering.freeze(frozen, tenant=tenant, also=note)
        return LearningState(self._service.learner.fold.is_frozen(tenant))
