"""A limit on what the installation keeps on disk: near it the oldest events go, as retention lets them go.

What was learned of them stays, and so do the newest events, whatever the limit. Requests are served all the while.
"""

from __future__ import annotations

import asyncio
import math
from functools import partial
from pathlib import Path
from typing import Any, Final, NamedTuple

import sqlalchemy as sa
import structlog
from sqlalchemy.exc import SQLAlchemyError

from gateway.database import FILE, look
from gateway.governance.retention import Retention
from gateway.governance.scrub import Busy, scrub
from gateway.log import LogUnavailable
from gateway.schema import events, snapshots

_logger = structlog.get_logger("polyculture.quota")

LOOK_S: Final = 2.0
"""How often is looked, in seconds."""

HIGH, LOW = 0.9, 0.8
"""Parts of the limit: above the first, events go until no more than the second is used."""

WAL: Final = 0.1
"""Part of the limit that the write-ahead log may take before it is emptied."""

NEWEST: Final = 300
"""Positions of the log that always stay."""


class Use(NamedTuple):
    """Bytes: of all ``files``, of the write-ahead log among them, and within the files what is ``free`` to be used."""

    files: int
    wal: int
    free: int

    @property
    def used(self) -> int:
        """What is really held."""
        return self.files - self.free


class Cut(NamedTuple):
    """Up to which position of the log events go, and from before when, in microseconds since the epoch."""

    position: int
    before: int


class Quota:
    """Keeps a data directory below ``limit`` bytes; no limit is ``None``. So many events were ``dropped`` for that."""

    def __init__(self, *, engine: sa.Engine, data_dir: Path, retention: Retention, limit: int | None) -> None:
        self.limit = limit
        self.dropped = 0
        self._engine = engine
        self._data_dir = data_dir
        self._retention = retention
        self._cut = 0
        self._missed = False
        self._task: asyncio.Task[None] | None = None

    @property
    def files(self) -> int:
        """Bytes of all files, now."""
        return sum(file.stat().st_size for file in self._data_dir.iterdir() if file.is_file())

    def start(self) -> None:
        """Begin to look, where there is a limit."""
        if self.limit is not None:
            self._task = asyncio.get_running_loop().create_task(self._run(self.limit), name="polyculture-quota")

    async def stop(self) -> None:
        """Look no more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self, limit: int) -> None:
        while True:
            try:
                await self.keep(limit)
            except (LogUnavailable, Busy, SQLAlchemyError, OSError) as error:
                _logger.warning("disk_limit_delayed", error=str(error))
            await asyncio.sleep(LOOK_S)

    async def keep(self, limit: int) -> None:
        """Look once, and make room where that is needed."""
        use = await self._look()
        if use.wal > WAL * limit:
            await look(self._engine, _emptied)
            use = await self._look()
        if use.used > HIGH * limit:
            await self._make_room(use, limit)
            use = await self._look()
        if use.files > limit and use.used <= HIGH * limit:
            await look(self._engine, scrub)
            use = await self._look()
        missed = use.files > limit
        if missed and not self._missed:
            _logger.error("disk_limit_missed", used=use.files, limit=limit, hint="raise POLYCULTURE_MAX_DISK_MB")
        self._missed = missed

    async def _make_room(self, use: Use, limit: int) -> None:
        cut = await look(self._engine, partial(self._oldest, use.used - LOW * limit, use.used))
        if cut is None:
            return
        gone = 0
        for tenant in self._retention.tenants:
            gone += await self._retention.drop_before(tenant, cut.before)
        self._cut = cut.position
        self.dropped += gone
        _logger.warning("disk_limit_near", used=use.used, limit=limit, events_dropped=gone, upto=cut.position)

    def _oldest(self, excess: float, used: int, connection: sa.Connection) -> Cut | None:
        """The part of the log that holds as many bytes as are too many; ``None`` where only the newest are left."""
        size = sa.func.coalesce(sa.func.sum(sa.func.length(snapshots.c.archive)), 0)
        share = excess / max(used - connection.execute(sa.select(size)).scalar_one(), 1)
        ends = sa.select(sa.func.coalesce(sa.func.min(events.c.seq), 0), sa.func.coalesce(sa.func.max(events.c.seq), 0))
        first, last = connection.execute(ends).one()
        first = max(first, self._cut + 1)
        position = min(first + math.ceil(min(share, 1.0) * (last - first)), last - NEWEST)
        if position < first:
            return None
        at = sa.select(events.c.at).where(events.c.seq <= position).order_by(events.c.seq.desc()).limit(1)
        return Cut(position, connection.execute(at).scalar_one() + 1)

    async def _look(self) -> Use:
        return await look(self._engine, self._use)

    def _use(self, connection: sa.Connection) -> Use:
        raw: Any = connection.connection.dbapi_connection
        free, page = (raw.execute(f"PRAGMA {name}").fetchone()[0] for name in ("freelist_count", "page_size"))
        wal = self._data_dir / f"{FILE}-wal"
        return Use(self.files, wal.stat().st_size if wal.exists() else 0, free * page)


def _emptied(connection: sa.Connection) -> None:
    """Move the write-ahead log into the database; what readers still need stays for the next time."""
    raw: Any = connection.connection.dbapi_connection
    raw.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
