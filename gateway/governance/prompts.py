"""Prompts, kept only for tenants that want it: in a table of their own, by decision, until retention or erasure."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from functools import partial

import sqlalchemy as sa
import structlog

from gateway.log import Log, LogUnavailable
from gateway.schema import prompts
from gateway.transaction import Transaction

_logger = structlog.get_logger("polyculture.prompts")


class Prompts:
    """Keeps what requests of these ``tenants`` ask."""

    def __init__(self, *, tenants: Iterable[str], log: Log) -> None:
        self.adopt(tenants)
        self._log = log
        self._keeping: set[asyncio.Task[None]] = set()

    def adopt(self, tenants: Iterable[str]) -> None:
        """Keep those of these tenants from now on."""
        self._tenants = frozenset(tenants)

    def keep(self, tenant: str, decision: bytes, text: str) -> None:
        """Have the text that routing read written with the decision, where its tenant wants that."""
        if tenant in self._tenants and tenant not in self._log.forgotten:
            task = asyncio.get_running_loop().create_task(self._keep(tenant, decision, text))
            self._keeping.add(task)
            task.add_done_callback(self._keeping.discard)

    async def _keep(self, tenant: str, decision: bytes, text: str) -> None:
        try:
            await self._log.transact(partial(_write, tenant, decision, text))
        except LogUnavailable:
            _logger.warning("prompt_not_kept", decision=decision.hex())


def prompt(connection: sa.Connection, decision: bytes) -> str | None:
    """What was asked, where it was kept."""
    return connection.execute(sa.select(prompts.c.text).where(prompts.c.subject == decision)).scalar()


def _write(tenant: str, decision: bytes, text: str, transaction: Transaction) -> None:
    row = {"subject": decision, "tenant": tenant, "at": transaction.at, "text": text}
    transaction.connection.execute(prompts.insert(), row)
