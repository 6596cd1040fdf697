"""What was spent, summed up as it is asked for."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import UTC, date, datetime
from typing import Annotated

import msgspec

from gateway.errors import BadRequest
from gateway.keys import Principal
from gateway.ledger import COLUMNS, Summed, sums
from gateway.limits.budget import NANO
from gateway.log import LogUnavailable
from gateway.operations import Group, get
from gateway.transaction import Transaction

_EPOCH = date(1970, 1, 1)


class SpendAsked(msgspec.Struct, forbid_unknown_fields=True):
    """By what to sum up (any of tenant, key, model, day, with commas), of whom, and in which days (UTC), both included.

    Without ``since``, of this month.
    """

    by: Annotated[str, msgspec.Meta(max_length=100)] = "day"
    since: date | None = None
    until: date | None = None
    tenant: str | None = None
    key: str | None = None
    model: str | None = None


class Spending(msgspec.Struct):
    """A sum; of the ``requests``, so many had their tokens ``estimated``, since no upstream told them."""

    requests: int
    estimated: int
    input_tokens: int
    output_tokens: int
    usd: float
    tenant: str | None = None
    key: str | None = None
    model: str | None = None
    day: date | None = None


class Spent(msgspec.Struct):
    """Sums, and all of them together. Of erased tenants they are under no name."""

    since: date
    until: date
    data: list[Spending]
    total: Spending


class Spends(Group):
    """``/admin/v1/spend``."""

    @get("/admin/v1/spend", "What was spent, by tenant, key, model or day", asked=SpendAsked, answer=Spent)
    async def show(self, principal: Principal, asked: SpendAsked) -> Spent:
        """As the ledger has it, with the last answer; where the log cannot be written, as far as it got."""
        by = [name.strip() for name in asked.by.split(",") if name.strip()]
        for name in by:
            if name not in COLUMNS:
                raise BadRequest(f"Sums are by any of {', '.join(COLUMNS)}, not by {name!r}.", param="by")
        today = datetime.now(UTC).date()
        since, until = asked.since or today.replace(day=1), asked.until or today
        with suppress(LogUnavailable):
            await self._service.log.transact(Transaction.settle)
        return await asyncio.to_thread(self._read, asked, list(dict.fromkeys(by)), since, until)

    def _read(self, asked: SpendAsked, by: list[str], since: date, until: date) -> Spent:
        whose = {name: getattr(asked, name) for name in ("tenant", "key", "model")}
        days = ((since - _EPOCH).days, (until - _EPOCH).days)
        with self._service.engine.connect() as connection:
            found = sums(connection, by=by, days=days, **whose)
            total = sums(connection, by=[], days=days, **whose)
        return Spent(since, until, [_shown(each) for each in found], _shown(total[0]))


def _shown(summed: Summed) -> Spending:
    told, counts = dict(summed.place), summed.sum
    if "day" in told:
        told["day"] = date.fromordinal(_EPOCH.toordinal() + told["day"])
    return Spending(
        requests=counts.requests,
        estimated=counts.estimated,
        input_tokens=counts.input_tokens,
        output_tokens=counts.output_tokens,
        usd=counts.cost / NANO,
        **told,
    )
