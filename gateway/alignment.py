"""What the configuration changed since the last run, put into the log, where every fold sees it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from msgspec.structs import asdict

from gateway.config import Configuration
from gateway.events import EVERYONE
from gateway.governance.audit import GATEWAY, Audit
from gateway.governance.identity import Identity
from gateway.learner import Learner
from gateway.lineage import Lineage, summary
from gateway.log import Log
from gateway.pool import memberships
from gateway.registry import Model
from gateway.space import Space
from gateway.transaction import Transaction


async def align(
    configuration: Configuration,
    models: Sequence[Model],
    *,
    space: Space,
    frozen: bool | None,
    log: Log,
    learner: Learner,
    audit: Audit,
) -> None:
    """Log and audit what is declared anew, and wait until it is folded.

    Raises :class:`gateway.config.ConfigurationError` before anything changes, and :class:`gateway.log.LogUnavailable`.
    """
    lineage = Lineage(space=space, routing=configuration.routing, trust=configuration.feedback)
    await learner.settled()
    changes = await asyncio.to_thread(lambda: list(lineage.changes(learner.fold, models, frozen=frozen)))
    joined = list(memberships(learner.fold, configuration.tenants))
    if not changes and not joined:
        return
    pool = [{"tenant": Identity(kind="tenant", tenant=tenant), **asdict(event)} for tenant, event in joined]
    detail = {**summary(changes), **({"pool": pool} if pool else {})}

    def write(transaction: Transaction) -> bool:
        for change in changes:
            transaction.append(change, tenant=EVERYONE)
        for tenant, event in joined:
            transaction.append(event, tenant=tenant)
        audit.record(transaction, actor=GATEWAY, action="configuration.change", detail=detail)
        return True

    await log.transact(write)
    await learner.settled()
