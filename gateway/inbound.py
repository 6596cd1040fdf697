"""Clients' connections. Requests arrive within bounds: by itself, uvicorn keeps whatever a client sends as a head, and
waits for ever. Responses leave in one piece: uvicorn sends head and body apart.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, ClassVar

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from gateway.errors import GatewayError, RequestTimeout
from gateway.http import Header

#: Longest head of a request, in bytes, beside what came with its first ones.
HEAD_BYTES = 196_608

#: Fewest bytes a second that a request which is not whole yet must go on with.
SLOWEST = 100


class Answering(RequestResponseCycle):
    """A request and its response, which :func:`gateway.http.respond` gives in one piece: one system call, not two."""

    def whole(self, status: int, headers: Sequence[Header], body: bytes) -> bool:
        """Send a response, if it is as plain as most are; ``headers`` tell its length, and nothing else of framing.

        Raises :class:`RuntimeError` where a header would be more than one.
        """
        if self.response_started or self.disconnected or self.flow.write_paused or not self.keep_alive:
            return False
        head = _head(status, headers)
        self.response_started = self.response_complete = True
        self.waiting_for_100_continue = False
        self.transport.write(head + body)
        self.message_event.set()
        self.on_response()
        return True


class Inbound(HttpToolsProtocol):
    """One client's connection. ``patience_s`` is how often it is looked whether a request comes on, in seconds."""

    patience_s: ClassVar[float] = 30.0

    _head = 0
    _came = 0
    _timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """The first request is waited for, too."""
        super().connection_made(transport)
        self._look_later()

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        cycle.__class__ = Answering  # uvicorn makes them by itself
        super()._start_asgi_task(cycle, app)

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing is waited for any longer."""
        self._relax()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Bytes of a head are counted until it is whole, those of a request for its pace."""
        self._head = self._head + len(data) if self._in_head else 0
        if self._head > HEAD_BYTES:
            self.send_400_response("The head of the request is too long.")
            return
        super().data_received(data)
        if not (self._in_head or self._in_body):
            self._relax()
            return
        self._came += len(data)
        if self._timer is None:
            self._look_later()

    @property
    def _in_head(self) -> bool:
        return self.scope is not None and (self.cycle is None or self.cycle.scope is not self.scope)

    @property
    def _in_body(self) -> bool:
        cycle = self.cycle
        return cycle is not None and cycle.more_body and not cycle.response_complete

    def _look_later(self) -> None:
        self._timer = self.loop.call_later(self.patience_s, self._look)

    def _relax(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._came = 0

    def _look(self) -> None:
        """Go on waiting for a request that comes on, or that we hold up ourselves; give up one that does not."""
        came, self._came = self._came, 0
        answering = self._in_head and self.cycle is not None and not self.cycle.response_complete
        if came >= SLOWEST * self.patience_s or answering or self.flow.read_paused:
            self._look_later()
            return
        self._timer = None
        if self._in_head or (self._in_body and not self.cycle.response_started):
            self.transport.write(_last(RequestTimeout("The request did not arrive in time.")))
        self.transport.close()


def _last(error: GatewayError) -> bytes:
    """An error as the last response of a connection."""
    body = error.body()
    framing = [(b"content-length", b"%d" % len(body)), (b"connection", b"close")]
    return _head(error.http_status, [*error.headers(), *framing]) + body


def _head(status: int, headers: Sequence[Header]) -> bytes:
    """A response up to its body. Raises :class:`RuntimeError` where a header would be more than one."""
    lines = [b"%b: %b\r\n" % each for each in headers]
    head = b"%b%b\r\n" % (STATUS_LINE[status], b"".join(lines))
    if not head.count(b"\r") == head.count(b"\n") == len(lines) + 2:
        raise RuntimeError("a header holds the end of a line")
    return head
