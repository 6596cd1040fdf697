"""Learning, stopped and resumed."""

from __future__ import annotations

import msgspec

from gateway.events import EVERYONE, LearningFrozen
from gateway.governance.identity import Identity
from gateway.keys import Principal
from gateway.operations import Group, Nothing, post
from gateway.transaction import Transaction


class LearningState(msgspec.Struct):
    """Whether learning is stopped."""

    frozen: bool


class Learning(Group):
    """``/admin/v1/router/freeze`` and ``/unfreeze``."""

    @post("/admin/v1/router/freeze", "Stop learning", answer=LearningState, errors="503")
    async def freeze(self, principal: Principal, asked: Nothing) -> LearningState:
        """Serve what was learned, learn nothing more."""
        return await self._set(principal, True)

    @post("/admin/v1/router/unfreeze", "Learn again", answer=LearningState, errors="503")
    async def unfreeze(self, principal: Principal, asked: Nothing) -> LearningState:
        """Learn again."""
        return await self._set(principal, False)

    async def _set(self, principal: Principal, frozen: bool) -> LearningState:
        service = self._service

        def write(transaction: Transaction) -> None:
            transaction.append(LearningFrozen(frozen=frozen), tenant=EVERYONE)
            action = "router.freeze" if frozen else "router.unfreeze"
            service.audit.record(transaction, actor=Identity.of(principal), action=action)

        await service.log.transact(write)
        await service.learner.settled()
        return LearningState(service.learner.fold.frozen)
