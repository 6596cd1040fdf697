"""The learner: folds what the log committed, in order, and publishes immutable snapshots that requests read.

Learning never endangers serving: a failure here is logged and counted, and requests go on with the last good
snapshot. The log has everything, so a restart (or a refold) loses nothing.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from functools import partial

import sqlalchemy as sa
import structlog

from gateway.archive import contents, pack
from gateway.backlog import MOST, Backlog
from gateway.breath import Abandoned, Breath
from gateway.events import (
    EVERYONE,
    Answer,
    ArmRemoved,
    ArmSet,
    Control,
    Decision,
    Erased,
    LearningFrozen,
    LineageStarted,
    PolicyTuned,
    Promoted,
    ShadowSet,
)
from gateway.fold import Fold
from gateway.heap import trim
from gateway.history import Revision, revised, revision
from gateway.log import Log, LogUnavailable
from gateway.publication import Doorkeeper, Hold, Publication, Published
from gateway.transaction import Record
from gateway.versions.version import Meaning, Reason, write
from gateway.writer import RETRY_S

_logger = structlog.get_logger("polyculture.learner")

#: How long events are folded before what they changed is published, in seconds; longer when many wait.
SLICE_S = 0.002

#: How long events that teach nothing wait for others, in seconds, unless there are so many of them. One snapshot is
#: published for all.
GATHER_S, GATHERED = 0.05, 64

#: Events that change everybody's router, and those that are merely counted.
_EVERYONES = (ArmSet, ArmRemoved, LineageStarted, PolicyTuned, Promoted)
_COUNTED = (Decision, Answer)


class Learner:
    """Owns the live fold. ``offer`` takes committed records; ``published`` gives a tenant's router.

    Control events make it fold the past anew, in its thread, from ``engine``; meanwhile it folds nothing else, and
    what is published stays. Who erases a tenant tells ``erasing`` its name by the event's token beforehand.
    """

    def __init__(
        self,
        *,
        fold: Fold,
        door: Doorkeeper | None = None,
        engine: sa.Engine | None = None,
        log: Log | None = None,
        snapshot_every: int = 20_000,
        most_waiting: int = MOST,
        on_failure: Callable[[], None] = lambda: None,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self.fold = fold
        self.log = log
        self.publication = Publication(door=door, on_failure=on_failure)
        self.erasing: dict[str, str] = {}
        self._engine = engine
        self._snapshot_every = snapshot_every
        self._on_failure = on_failure
        self._clock = clock
        self._saved = self._tried = fold.base
        self._backlog = Backlog(engine=engine, most=most_waiting)
        self._owed = False
        self._breath = Breath()
        self._moving = asyncio.Lock()
        self._wake = asyncio.Event()
        self._idle = asyncio.Event()
        self._gathering: asyncio.TimerHandle | None = None
        self._task: asyncio.Task[None] | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="polyculture-learner")

    @property
    def lag(self) -> int:
        """Committed events that are not folded yet."""
        return len(self._backlog)

    @property
    def committed(self) -> int:
        """Where the log ends, as far as it was offered: ahead of the fold's position while events wait."""
        return max(self.fold.position, self._backlog.latest)

    def published(self, tenant: str) -> Published:
        """The router that a tenant's requests go by now."""
        return self.publication.of(tenant)

    @asynccontextmanager
    async def still(self) -> AsyncIterator[Fold]:
        """The fold, which stays as it is until the block ends; elsewhere it may be read in the middle of an event."""
        async with self._moving:
            yield self.fold

    def offer(self, records: Sequence[Record]) -> None:
        """Take committed records, in log order."""
        self._backlog.offer(records)
        if len(self._backlog) >= GATHERED or any(_teaches(each) for each in records):
            self._wake.set()
        elif self._gathering is None:
            self._gathering = asyncio.get_running_loop().call_later(GATHER_S, self._wake.set)

    def start(self) -> None:
        """Publish what was restored, and start folding; what was folded at the start is saved if it was much."""
        self.publication.door.revisit(self.fold, ())
        if self.fold.policy is not None:
            self.publication.refresh(self.fold, (EVERYONE, *self.fold.states))
        self._wake.set()
        self._task = asyncio.get_running_loop().create_task(self._run(), name="polyculture-learner")

    async def stop(self) -> None:
        """Fold what is left in memory, save a snapshot, stop; what is left beyond is folded at the next start."""
        self._gather_no_more()
        self._breath.abandon()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await asyncio.to_thread(self._thread.shutdown)
        while self._backlog.next() is not None:
            self._fold()
        await self.save("stop")

    async def settled(self, *, within_s: float | None = None) -> None:
        """Wait until everything committed so far is folded, or for ``within_s`` at most."""
        self._idle.clear()
        self._wake.set()
        with suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                await self._idle.wait()

    async def _run(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            self._gather_no_more()
            while len(self._backlog) or self._owed:
                if self._backlog.behind:
                    await self._read_on()
                elif self._owed and not any(isinstance(each.event, Control) for each in self._backlog):
                    await self._revise()
                else:
                    await self._fold_some()
                await self._save_if_due()
            self._idle.set()
            await self._save_if_due()

    async def _save_if_due(self) -> None:
        """Also while there is more to fold: under load that never ends, every start would take longer than the last."""
        if not self._owed and self.fold.position - self._tried >= self._snapshot_every:
            await self.save("routine")

    def _gather_no_more(self) -> None:
        if self._gathering is not None:
            self._gathering.cancel()
            self._gathering = None

    async def _read_on(self) -> None:
        try:
            await asyncio.get_running_loop().run_in_executor(self._thread, self._backlog.read)
        except Exception as error:
            self._on_failure()
            _logger.error("backlog_not_read", error=str(getattr(error, "orig", error)), position=self.fold.position)
            await asyncio.sleep(RETRY_S)

    async def _fold_some(self) -> None:
        """Count where the loop runs; learn, which may take long now and then, in the learner's thread."""
        async with self._moving:
            first = self._backlog.next()
            if first is None or _teaches(first):
                await asyncio.get_running_loop().run_in_executor(self._thread, self._fold)
            else:
                self._fold(counting=True)
        await asyncio.sleep(0)

    def _fold(self, *, counting: bool = False) -> None:
        """Fold for a while, and publish; ``counting`` ends before the next event that teaches."""
        least, until = self._backlog.near // 8 + 1, self._clock() + SLICE_S
        touched: set[str] = set()
        while (record := self._backlog.next()) is not None and (least > 0 or self._clock() < until):
            if counting and _teaches(record):
                break
            least -= 1
            self._backlog.take()
            if self.fold.apply(record):
                self.publication.witness(record)
                touched.update(self._touched(record))
            else:
                self._on_failure()
        self.publication.door.hear(self.fold)
        self.publication.refresh(self.fold, touched)

    def _touched(self, record: Record) -> Collection[str]:
        """Whose router is another one by this record, as far as that can be told at once."""
        event = record.event
        if isinstance(event, Control):
            self._controlled(record)
        elif isinstance(event, _EVERYONES):
            return {EVERYONE, *self.publication.tenants}
        elif not isinstance(event, LearningFrozen):
            return self.fold.readers(record.tenant)
        return ()

    def _controlled(self, record: Record) -> None:
        """The past is another one: serve what is published until it has been folded anew."""
        self._owed = True
        if isinstance(record.event, Erased):
            tenant = self.erasing.pop(record.event.token, None)
            if tenant is not None:
                self.fold.forget([tenant])
                self.publication.drop(tenant)
        elif not isinstance(record.event, ShadowSet):
            self.publication.hold(Hold(tenants=self.fold.affected(record.tenant), until=record.seq))

    async def _revise(self) -> None:
        """Fold the past anew under its new controls; should that fail, the next control event or start tries again."""
        self._owed = False
        try:
            found = await asyncio.get_running_loop().run_in_executor(self._thread, self._reread)
        except Abandoned:
            return
        except Exception:
            self._on_failure()
            _logger.exception("refold_failed", position=self.fold.position)
            return
        async with self._moving:
            await asyncio.get_running_loop().run_in_executor(self._thread, self._swap, found)
        if found.fresh is not None:
            await self.save("refold")

    def _swap(self, found: Revision) -> None:
        self.fold = revised(self.fold, found)
        if found.fresh is not None:
            self.publication.door.revisit(self.fold, found.tenants)
            self._saved = found.fresh.base
        self.publication.release(self.fold)
        everyone = {EVERYONE, *self.fold.states, *self.publication.tenants}
        self.publication.refresh(self.fold, found.tenants or everyone)

    def _reread(self) -> Revision:
        if self._engine is None:
            raise LookupError("there is no log to fold anew")
        with self._engine.connect() as connection:
            return revision(connection, self.fold, make_policy=self.fold.make_policy, pause=self._breath)

    async def save(self, reason: Reason = "asked") -> int:
        """Write a snapshot of the fold, so that the next start folds only what came after; a failure is told.

        Returns the position of the last one written.
        """
        async with self.still() as fold:
            if self.log is not None and fold.position != self._saved and fold.policy is not None:
                self._tried = fold.position
                await self._write(fold, reason, self.log)
                await asyncio.to_thread(trim)  # a saved state is written in several copies
        return self._saved

    async def _write(self, fold: Fold, reason: Reason, log: Log) -> None:
        meaning = Meaning.of(fold, parent=self._saved, reason=reason)
        try:
            archive = await asyncio.to_thread(pack, contents(fold))
            await log.transact(partial(write, archive, meaning))
        except LogUnavailable:
            _logger.warning("snapshot_not_saved", position=self._tried)
        except Exception:
            self._on_failure()
            _logger.exception("snapshot_not_saved", position=self._tried)
        else:
            self._saved = archive.position


def _teaches(record: Record) -> bool:
    """Whether folding it is more than counting."""
    return not isinstance(record.event, _COUNTED)
