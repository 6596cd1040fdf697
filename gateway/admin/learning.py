"""Learning, stopped and resumed."""

from __future__ import annotations

from functools import partial

import msgspec

from gateway.events import EVERYONE, LearningFrozen
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
        return await self._set(True)

    @post("/admin/v1/router/unfreeze", "Learn again", answer=LearningState, errors="503")
    async def unfreeze(self, principal: Principal, asked: Nothing) -> LearningState:
        """Learn again."""
        return await self._set(False)

    async def _set(self, frozen: bool) -> LearningState:
        service = self._service
        await service.log.transact(partial(_record, LearningFrozen(frozen=frozen)))
        await service.learner.settled()
        return LearningState(service.learner.fold.frozen)


def _record(event: LearningFrozen, transaction: Transaction) -> bool:
    transaction.append(event, tenant=EVERYONE)
    return True
