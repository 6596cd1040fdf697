"""The connections to one origin."""

import asyncio
import ssl
from collections import deque
from contextlib import suppress
from dataclasses import dataclass

from gateway.transport.connection import Connection
from gateway.transport.errors import Closed, ConnectFailed, ConnectTimeout
from gateway.transport.origin import Origin


@dataclass(frozen=True, slots=True, kw_only=True)
class Stats:
    """How many connections: `open` counts idle ones, those in use and those being made."""

    open: int
    idle: int
    in_use: int
    waiting: int


class Pool:
    """Lends connections out, the one used last first; makes at most `limit`; others wait in line.

    A place is taken before a connection is made and freed when it is closed; a place that gets free
    while somebody waits passes to the first in line, so nobody overtakes.
    """

    def __init__(self, *, origin: Origin, limit: int, keepalive_s: float, ssl_context: ssl.SSLContext | None) -> None:
        self._origin = origin
        self._limit = limit
        self._keepalive_s = keepalive_s
        self._ssl_context = ssl_context
        self._loop = asyncio.get_running_loop()
        self._places = 0
        self._connections: set[Connection] = set()
        self._idle: list[Connection] = []
        self._waiters: deque[asyncio.Future[Connection | None]] = deque()
        self._sweeper: asyncio.TimerHandle | None = None
        self._is_closed = False

    def stats(self) -> Stats:
        """The counts now."""
        idle = len(self._idle)
        return Stats(open=self._places, idle=idle, in_use=self._places - idle, waiting=len(self._waiters))

    def take(self, now: float) -> Connection | None:
        """An idle connection that still looks alive, if there is one."""
        while self._idle:
            connection = self._idle.pop()
            if connection.usable and now - connection.idle_since < self._keepalive_s:
                return connection
            connection.close()
        return None

    async def acquire(self, *, seconds: float, fresh: bool = False) -> Connection:
        """Make a connection, or wait in line for one, within `seconds`. `fresh`: never one used before.

        Raises ConnectFailed, ConnectTimeout, or Closed when the pool closes meanwhile.
        """
        try:
            async with asyncio.timeout(seconds):
                return await self._acquire(fresh=fresh)
        except TimeoutError as error:
            busy = f"{self._places} of {self._limit} connections in use"
            raise ConnectTimeout(f"no connection to {self._origin} in {seconds:.3g} s ({busy})") from error

    def close(self) -> None:
        """Close every connection, those in use included, and turn away everyone in line."""
        self._is_closed = True
        if self._sweeper is not None:
            self._sweeper.cancel()
        for connection in list(self._connections):
            connection.close(Closed("the client was closed"))

    # What connections call.

    def returned(self, connection: Connection) -> None:
        """Lend the connection to the first in line, or keep it."""
        if not self._hand_over(connection):
            connection.idle_since = self._loop.time()
            self._idle.append(connection)
            if self._sweeper is None:
                self._sweeper = self._loop.call_later(self._keepalive_s, self._sweep)

    def closed(self, connection: Connection) -> None:
        """Forget the connection and free its place."""
        self._connections.discard(connection)
        if connection in self._idle:
            self._idle.remove(connection)
        self._free_place()

    # Inside.

    async def _acquire(self, *, fresh: bool) -> Connection:
        while True:
            if self._places < self._limit:
                self._places += 1
                return await self._connect()
            if self._idle:
                self._idle[0].close()
                continue
            connection = await self._wait()
            if connection is None:
                return await self._connect()
            if connection.usable and not fresh:
                return connection
            connection.close()

    async def _wait(self) -> Connection | None:
        """Wait in line for a connection, or (None) for a place to make one."""
        waiter: asyncio.Future[Connection | None] = self._loop.create_future()
        self._waiters.append(waiter)
        try:
            return await waiter
        except asyncio.CancelledError:
            if waiter.cancelled():
                with suppress(ValueError):  # it may have been passed over already
                    self._waiters.remove(waiter)
            elif (connection := waiter.result()) is None:
                self._free_place()
            elif connection.usable:
                self.returned(connection)
            else:
                connection.close()
            raise

    async def _connect(self) -> Connection:
        """Fill a place taken before; a failure frees it."""
        if self._is_closed:
            self._free_place()
            raise Closed("the client was closed")
        connection = Connection(keeper=self, loop=self._loop)
        self._connections.add(connection)
        try:
            await self._loop.create_connection(
                lambda: connection, self._origin.host, self._origin.port, ssl=self._ssl_context
            )
            if self._is_closed:
                raise Closed("the client was closed")
        except OSError as error:
            connection.close()
            raise ConnectFailed(f"cannot connect to {self._origin}: {error}") from error
        except BaseException:
            connection.close()
            raise
        return connection

    def _free_place(self) -> None:
        if not self._hand_over(None):
            self._places -= 1

    def _hand_over(self, offer: Connection | None) -> bool:
        while self._waiters:
            waiter = self._waiters.popleft()
            if not waiter.done():
                waiter.set_result(offer)
                return True
        return False

    def _sweep(self) -> None:
        """Close what has been idle too long; look again when the next one is due."""
        self._sweeper = None
        due = self._loop.time() - self._keepalive_s
        while self._idle and self._idle[0].idle_since <= due:
            self._idle[0].close()
        if self._idle:
            self._sweeper = self._loop.call_later(self._idle[0].idle_since - due, self._sweep)
