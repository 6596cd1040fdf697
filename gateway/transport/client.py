"""The gateway's HTTP/1.1 client for its hot path."""

import asyncio
import math
import ssl
from types import TracebackType
from typing import Self

from gateway.transport.connection import StaleConnection
from gateway.transport.errors import Closed
from gateway.transport.head import request_head
from gateway.transport.origin import Origin
from gateway.transport.pool import Pool, Stats
from gateway.transport.response import Response
from gateway.transport.timeouts import Timeouts

_DEFAULT_TIMEOUTS = Timeouts()


class Client:
    """A pooled HTTP/1.1 client for one event loop.

    limit_per_origin: connections to one scheme, host and port; further requests wait in line.
    keepalive_s: seconds an idle connection is kept; below the five that many servers allow.
    ssl_context: for https; by default the system's trust store.

    No redirects, cookies, proxies or content decoding: it moves the bytes of one exchange.
    """

    def __init__(
        self,
        *,
        limit_per_origin: int = 100,
        keepalive_s: float = 4.0,
        ssl_context: ssl.SSLContext | None = None,
    ) -> None:
        if limit_per_origin < 1 or not keepalive_s > 0:
            raise ValueError("limit_per_origin and keepalive_s must be above zero")
        self._limit = limit_per_origin
        self._keepalive_s = keepalive_s
        self._ssl_context = ssl_context
        self._pools: dict[tuple[str, str, int], Pool] = {}
        self._is_closed = False

    async def request(
        self,
        method: bytes,
        origin: Origin,
        target: bytes,
        headers: list[tuple[bytes, bytes]],
        body: bytes = b"",
        *,
        timeouts: Timeouts = _DEFAULT_TIMEOUTS,
    ) -> Response:
        """Send a request to the origin's base path plus `target`; return when the response's head is there.

        A kept connection can be closed by the upstream just as we use it. When it is, and not one byte of
        a response has come, the request is sent once more on a new connection. That is safe here: the
        upstream closed an idle connection rather than work on the request, as good as always, and in the
        rare other case an inference call has no effect but its cost. A new connection is never retried.

        Raises ValueError for a malformed request, else a TransportError. Cancellation closes the connection.
        """
        if self._is_closed:
            raise Closed("the client was closed")
        head = request_head(method=method, origin=origin, target=target, headers=headers, length=len(body))
        now = asyncio.get_running_loop().time()
        give_up_at = math.inf if timeouts.total is None else now + timeouts.total
        pool = self._pools.get(origin.key) or self._new_pool(origin)
        connection = pool.take(now)
        if connection is None:
            connection = await pool.acquire(seconds=min(timeouts.connect, give_up_at - now))
        bodiless = method == b"HEAD"
        try:
            return await connection.exchange(
                head=head, body=body, bodiless=bodiless, timeouts=timeouts, give_up_at=give_up_at
            )
        except StaleConnection:
            now = asyncio.get_running_loop().time()
            connection = await pool.acquire(seconds=min(timeouts.connect, give_up_at - now), fresh=True)
        return await connection.exchange(
            head=head, body=body, bodiless=bodiless, timeouts=timeouts, give_up_at=give_up_at
        )

    def stats(self) -> Stats:
        """The counts over all origins."""
        each = [pool.stats() for pool in self._pools.values()]
        return Stats(
            open=sum(stats.open for stats in each),
            idle=sum(stats.idle for stats in each),
            in_use=sum(stats.in_use for stats in each),
            waiting=sum(stats.waiting for stats in each),
        )

    async def aclose(self) -> None:
        """Close every connection; requests in flight fail with Closed, those still connecting once that ends."""
        self._is_closed = True
        for pool in self._pools.values():
            pool.close()
        await asyncio.sleep(0)  # let the loop drop the sockets

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    def _new_pool(self, origin: Origin) -> Pool:
        if origin.scheme == "https" and self._ssl_context is None:
            self._ssl_context = ssl.create_default_context()
            self._ssl_context.set_alpn_protocols(["http/1.1"])
        pool = Pool(
            origin=origin,
            limit=self._limit,
            keepalive_s=self._keepalive_s,
            ssl_context=self._ssl_context if origin.scheme == "https" else None,
        )
        self._pools[origin.key] = pool
        return pool
