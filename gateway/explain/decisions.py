"""``GET /v1/decisions/{id}``: a decision explained, to its tenant and to admins."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Literal

import msgspec
import structlog

from gateway.aside import AsideFailed, aside
from gateway.controls import Controls
from gateway.errors import DecisionNotFound, Internal, RateLimited
from gateway.exchange import subject_of
from gateway.explain.explanation import Explanation, Opinion, Replay, explain
from gateway.keys import Principal
from gateway.operations import Group, get
from gateway.schema import events
from gateway.service import Service
from gateway.transaction import Record, read

_logger = structlog.get_logger("polyculture.explain")


class DecisionAsked(msgspec.Struct, forbid_unknown_fields=True):
    """Which decision, by its id or a completion's; ``replay=version`` computes its probabilities anew, too."""

    id: str
    replay: Literal["draw", "version"] = "draw"


class Decisions(Group):
    """Decisions, looked at. One at a time is computed anew."""

    def __init__(self, *, service: Service) -> None:
        super().__init__(service=service)
        self._replaying = asyncio.Lock()

    @get(
        "/v1/decisions/{id}",
        "Explain a decision",
        answer=Explanation,
        asked=DecisionAsked,
        errors="404 429",
        admin=False,
    )
    async def explain(self, principal: Principal, asked: DecisionAsked) -> Explanation:
        """What the log says of a decision, and whether it replays."""
        subject = subject_of(asked.id)
        history, controls = await asyncio.to_thread(self._about, subject or b"")
        try:
            found = explain(history, controls=controls, opinion=partial(Opinion.of, self._service.learner.fold))
        except LookupError:
            raise DecisionNotFound("There is no such decision.", param="id") from None
        if found.tenant != principal.tenant and principal.scope != "admin":
            raise DecisionNotFound("There is no such decision.", param="id")
        if asked.replay == "version":
            found.replay = await self._recomputed(found.decision_id)
        return found

    def _about(self, subject: bytes) -> tuple[list[Record], Controls]:
        with self._service.engine.connect() as connection:
            return read(connection, events.c.subject == subject), Controls.read(connection)

    async def _recomputed(self, name: str) -> Replay:
        """The replay with its probabilities computed anew, in a process of its own: that may mean folding much."""
        if self._replaying.locked():
            raise RateLimited("Another decision is being computed anew; ask again when it is done.", retry_after_s=5)
        folder = str(self._service.settings.data_dir)
        async with self._replaying:
            try:
                output = await aside("explain", name, "--replay", "--json", "--data-dir", folder)
                return msgspec.json.decode(output, type=Explanation).replay
            except (AsideFailed, msgspec.DecodeError) as error:
                _logger.error("replay_failed", decision=name, error=str(error))
                raise Internal("The probabilities could not be computed anew; the gateway's log has more.") from None
