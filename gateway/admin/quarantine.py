"""Feedback that is withheld because its source is not believed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import msgspec

from gateway.admin.orders import Ordering, TenantName
from gateway.errors import NotFound
from gateway.keys import Principal
from gateway.operations import get, post
from gateway.service import Service
from gateway.trust.orders import NoSuchFeedback, Orders, Withheld


class Looking(msgspec.Struct, forbid_unknown_fields=True):
    """Whose feedback to show; everyone's without ``tenant``; so much of it at most."""

    tenant: TenantName | None = None
    limit: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 100


class InQuarantine(msgspec.Struct):
    """What is withheld, newest first."""

    feedback: list[Withheld]


class Place(msgspec.Struct, forbid_unknown_fields=True):
    """One outcome in quarantine, by its place in the log."""

    seq: Annotated[int, msgspec.Meta(ge=1, le=2**62)]


class Settled(msgspec.Struct):
    """The place in the log from which on it holds."""

    position: int


class Quarantined(Ordering):
    """``/admin/v1/feedback/quarantine``, ``/release`` and ``/reject``."""

    def __init__(self, *, service: Service) -> None:
        super().__init__(service=service)
        self._orders = Orders(engine=service.engine, log=service.log, learner=service.learner)

    @get("/admin/v1/feedback/quarantine", "List withheld feedback", asked=Looking, answer=InQuarantine, errors="404")
    async def quarantine(self, principal: Principal, asked: Looking) -> InQuarantine:
        """What is withheld, and why."""
        return InQuarantine(self._orders.quarantined(tenant=self._whose(asked.tenant), limit=asked.limit))

    @post("/admin/v1/feedback/release", "Let withheld feedback count", asked=Place, answer=Settled, errors="404 503")
    async def release(self, principal: Principal, asked: Place) -> Settled:
        """Let it count from here on."""
        note = self._noted(principal, "feedback.release", seq=asked.seq)
        with _told():
            return Settled(await self._orders.release(asked.seq, also=note))

    @post("/admin/v1/feedback/reject", "Leave withheld feedback out", asked=Place, answer=Settled, errors="404 503")
    async def reject(self, principal: Principal, asked: Place) -> Settled:
        """Leave it out for good."""
        note = self._noted(principal, "feedback.reject", seq=asked.seq)
        with _told():
            return Settled(await self._orders.reject(asked.seq, also=note))


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except NoSuchFeedback as error:
        text = str(error)
        raise NotFound(f"{text[:1].upper()}{text[1:]}.", param="seq") from error
