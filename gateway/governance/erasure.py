"""Erasing a tenant or an end user while the gateway serves: recorded first, then done piece by piece, and resumed.

``begun``: nobody gets in any more, and pieces of the log go. ``removed``: all rows are gone, nobody is named any more,
and the learner folds what is left. ``finished``: the files were rewritten, and the receipt is signed. What a crash
interrupts goes on at the next start.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from functools import partial
from typing import NamedTuple, TypeVar

import sqlalchemy as sa
import structlog
from sqlalchemy.exc import SQLAlchemyError

from gateway.archive import contents, pack
from gateway.breath import Breath
from gateway.controls import Controls
from gateway.database import look
from gateway.embedding import Embeddings
from gateway.governance import belongings, remnants, removal
from gateway.governance.audit import Audit
from gateway.governance.identity import Identity
from gateway.governance.progress import Progress, State, unfinished
from gateway.governance.receipt import Opening
from gateway.governance.scrub import Busy, scrub
from gateway.history import restore
from gateway.keys import KeyRing
from gateway.learner import Learner
from gateway.log import Log, LogUnavailable
from gateway.transaction import Transaction

T = TypeVar("T")

_logger = structlog.get_logger("polyculture.erasure")

#: How long is waited before what the disk refused is tried again, in seconds, and how often the learner is asked.
RETRY_S, TRIES = 1.0, 10


class Begun(NamedTuple):
    """An erasure under way, what shows later whom its receipt is about, and its end."""

    progress: Progress
    opening: Opening
    ended: asyncio.Task[Progress]


class Erasures:
    """Erases, one after the other."""

    def __init__(
        self, *, engine: sa.Engine, log: Log, learner: Learner, audit: Audit, ring: KeyRing, embeddings: Embeddings
    ) -> None:
        self._engine = engine
        self._log = log
        self._learner = learner
        self._audit = audit
        self._ring = ring
        self._embeddings = embeddings
        self._turn = asyncio.Lock()
        self._tasks: dict[str, asyncio.Task[Progress]] = {}

    async def begin(self, whose: Identity, *, by: Identity) -> Begun:
        """Record it and go to work; from here on it ends by itself, come what may. Raises :class:`LogUnavailable`.

        One that is under way already is joined.
        """
        begin = partial(removal.begin, secrets.token_hex(16), whose, by, self._audit)
        progress, opening = await self._log.transact(begin)
        return Begun(progress, opening, self._start(progress))

    async def resume(self) -> None:
        """Go on with what an earlier process could not end."""
        for progress in await look(self._engine, unfinished):
            _logger.info("erasure_resumed", erasure=progress.id, step=progress.step)
            self._start(progress)

    async def stop(self) -> None:
        """Leave the rest to the next start."""
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    def _start(self, progress: Progress) -> asyncio.Task[Progress]:
        if progress.kind == "tenant" and progress.step == "begun":
            self._ring.forget(progress.tenant)
            self._log.forgotten.add(progress.tenant)
        task = self._tasks.get(progress.id)
        if task is None:
            task = asyncio.get_running_loop().create_task(self._run(progress), name="polyculture-erasure")
            self._tasks[progress.id] = task
            task.add_done_callback(lambda done: self._ended(progress.id, done))
        return task

    def _ended(self, erasure: str, task: asyncio.Task[Progress]) -> None:
        del self._tasks[erasure]
        if not task.cancelled() and task.exception() is not None:
            _logger.error("erasure_interrupted", erasure=erasure, exc_info=task.exception())

    async def _run(self, progress: Progress) -> Progress:
        async with self._turn:
            if progress.step == "begun":
                progress = await self._survey(progress)
                await (self._remove_tenant if progress.kind == "tenant" else self._remove_user)(progress)
            await self._leave_no_trace()
            self._learner.erasing.pop(progress.id, None)
            after = await self._state()
            return await self._persist(partial(removal.conclude, progress.id, after, self._audit))

    async def _survey(self, progress: Progress) -> Progress:
        """Note what there is, before any of it goes."""
        if progress.state_before:
            return progress
        extent = await look(self._engine, partial(belongings.extent, tenant=progress.tenant))
        before = await self._state()
        return await self._persist(partial(removal.survey, progress.id, extent, before))

    async def _remove_tenant(self, progress: Progress) -> None:
        for after, upto in belongings.pieces(progress.first, progress.last):
            await self._persist(partial(removal.sweep, progress.id, after, upto))
        states = await look(
            self._engine, partial(remnants.without, tenant=progress.tenant, make_policy=self._learner.fold.make_policy)
        )
        self._learner.erasing[progress.id] = progress.tenant
        await self._persist(partial(removal.remove_tenant, progress.id, states))

    async def _remove_user(self, progress: Progress) -> None:
        tenant, source = progress.tenant, progress.name
        theirs = await look(self._engine, partial(belongings.decisions, tenant=tenant, source=source, after=0))
        for start in range(0, len(theirs), belongings.DECISIONS):
            piece = theirs[start : start + belongings.DECISIONS]
            await self._persist(partial(removal.withdraw, progress.id, piece))
        await self._persist(partial(removal.remove_user, progress.id))

    async def _leave_no_trace(self) -> None:
        """Fold what is left, save that, and rewrite the files."""
        self._embeddings.forget()
        controls = await self._refolded()
        make = self._learner.fold.make_policy
        find = partial(remnants.remains, make_policy=make, controls=controls, pause=Breath())
        await self._persist(partial(remnants.settle, await look(self._engine, find)))
        await self._learner.save()
        while True:
            try:
                await look(self._engine, scrub)
                return
            except (Busy, SQLAlchemyError) as error:
                _logger.warning("scrub_delayed", error=str(error))
                await asyncio.sleep(RETRY_S)

    async def _refolded(self) -> Controls:
        """Wait until the live state is the fold of what is left; returns the controls of that."""
        for _ in range(TRIES):
            await self._learner.settled()
            controls = await look(self._engine, Controls.read)
            if not self._learner.fold.stale(controls):
                return controls
            await asyncio.sleep(RETRY_S / TRIES)
        raise RuntimeError("what is left could not be folded: the next start tries again")

    async def _state(self) -> State:
        """The state by the log, and where that ends."""
        make, pause = self._learner.fold.make_policy, Breath()

        def folded(connection: sa.Connection) -> State:
            fold = restore(connection, make_policy=make, pause=pause)
            return State(fold.position, pack(contents(fold)).checksum)

        return await look(self._engine, folded)

    async def _persist(self, work: Callable[[Transaction], T]) -> T:
        """Have it written, however often that takes; ``work`` finds out by itself what was written already."""
        while True:
            try:
                return await self._log.transact(work)
            except LogUnavailable:
                await asyncio.sleep(RETRY_S)
