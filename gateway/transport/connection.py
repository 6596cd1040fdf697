"""One connection to an upstream, carrying one exchange at a time."""

import asyncio
import math
import select
from typing import Protocol, cast

from gateway.transport.deadline import Deadline
from gateway.transport.decoder import Decoder
from gateway.transport.errors import (
    ConnectionReset,
    ProtocolViolation,
    ReadTimeout,
    RemoteClosed,
    TransportError,
    TransportTimeout,
    WriteTimeout,
)
from gateway.transport.response import Response
from gateway.transport.timeouts import Timeouts

BUFFER_BYTES = 64 * 1024
WRITE_BYTES = 64 * 1024


class StaleConnection(RemoteClosed):
    """A connection used before was closed by the upstream before any byte of this response."""


class Keeper(Protocol):
    """Who lends connections out, as a connection sees it."""

    def returned(self, connection: "Connection") -> None:
        """An exchange ended well; the connection can carry another."""

    def closed(self, connection: "Connection") -> None:
        """The connection is closed; called once."""


class Connection(asyncio.Protocol):
    """An asyncio protocol that sends a request and feeds the bytes that answer it to a `Response`.

    Whatever ends badly closes the connection: a connection goes back to its keeper only after a
    response that was framed well, to its last byte, by an upstream willing to keep it.
    """

    __slots__ = (
        "_deadline", "_decoder", "_drained", "_give_up_at", "_keeper", "_loop", "_paused", "_readable",
        "_received", "_response", "_sending", "_served", "_step", "_timeouts", "_transport",
        "_write_paused", "idle_since", "is_closed",
    )  # fmt: skip

    def __init__(self, *, keeper: Keeper, loop: asyncio.AbstractEventLoop) -> None:
        self.idle_since = 0.0
        self.is_closed = False
        self._keeper = keeper
        self._loop = loop
        self._deadline = Deadline(loop=loop, expired=self._expired)
        self._decoder = Decoder()
        self._transport: asyncio.Transport | None = None
        self._readable = select.poll()
        self._response: Response | None = None
        self._paused = self._write_paused = self._sending = False
        self._drained: asyncio.Future[None] | None = None
        self._received = 0
        self._served = 0

    @property
    def usable(self) -> bool:
        """Open, and silent: neither its end nor bytes nobody asked for wait to be read.

        Asking the system costs under a microsecond. It spares most requests on connections that the
        upstream has closed, and keeps stray bytes from being taken for the next response.
        """
        if self.is_closed or self._transport is None or self._transport.is_closing():
            return False
        return not self._readable.poll(0)

    async def exchange(
        self, *, head: bytes, body: bytes, bodiless: bool, timeouts: Timeouts, give_up_at: float
    ) -> Response:
        """Send a request, return when the response's head is there. Cancelled, it closes the connection.

        `give_up_at` is the end of the total time on the loop's clock (infinity for none).
        """
        transport = self._transport
        if self.is_closed or transport is None or transport.is_closing():
            self.close()
            raise RemoteClosed("the connection was lost as soon as it was made", received=0)
        self._timeouts = timeouts
        self._give_up_at = give_up_at
        self._received = 0
        self._response = response = Response(source=self)
        self._decoder.begin(response, bodiless=bodiless)
        try:
            if len(body) <= WRITE_BYTES:
                transport.write(head + body)
            else:
                await self._send(transport, response, head, body)
            if self._response is response and not response.status:
                self._allow(timeouts.first_byte, "response head")
            await response.started()
        except asyncio.CancelledError:
            response.close()
            raise
        return response

    async def _send(self, transport: asyncio.Transport, response: Response, head: bytes, body: bytes) -> None:
        """Send a large request no faster than the upstream takes it; stop when it answers early."""
        self._sending = True
        transport.write(head)
        for start in range(0, len(body), WRITE_BYTES):
            transport.write(body[start : start + WRITE_BYTES])
            while self._write_paused and self._response is response:
                self._allow(self._timeouts.idle, "write")
                self._drained = self._loop.create_future()
                await self._drained
            if self._response is not response or response.status or transport.is_closing():
                return
        self._sending = False

    def resume(self) -> None:
        """The reader has room again."""
        if self._unpause():
            self._allow(self._timeouts.idle, "body")

    def close(self, error: TransportError | None = None) -> None:
        """Close at once; an exchange in progress fails with `error`."""
        if self.is_closed:
            return
        self.is_closed = True
        self._deadline.cancel()
        response, self._response = self._response, None
        if self._transport is not None:
            self._transport.abort()
        if response is not None:
            response.fail(error)
        self._wake_sender()
        self._keeper.closed(self)

    # What the event loop calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ready to carry exchanges."""
        self._transport = cast("asyncio.Transport", transport)
        self._readable.register(transport.get_extra_info("socket"), select.POLLIN)
        if self.is_closed:
            self._transport.abort()

    def data_received(self, data: bytes) -> None:
        """Bytes of the response, or bytes that nobody asked for."""
        response = self._response
        if response is None:
            self.close()  # nobody asked: whatever this answers, it is not our next request
            return
        self._received += len(data)
        try:
            self._decoder.feed(data)
        except ProtocolViolation as violation:
            self.close(violation)
            return
        if self._decoder.complete:
            self._finish(response)
            return
        if self._decoder.progress:
            self._pace(response)
            self._wake_sender()
            response.notify()

    def eof_received(self) -> None:
        """The upstream will send no more; this side has no use for a half-open connection."""
        self.connection_lost(None)

    def connection_lost(self, exc: Exception | None) -> None:
        """The end: of a body that only this could end, or too early."""
        response = self._response
        if response is None:
            self.close()
        elif exc is None and self._decoder.end():
            self._finish(response)
        else:
            self.close(self._lost(exc))

    def pause_writing(self) -> None:
        """The transport's buffer is full."""
        self._write_paused = True

    def resume_writing(self) -> None:
        """The transport's buffer has room again."""
        self._write_paused = False
        self._wake_sender()

    # Inside.

    def _finish(self, response: Response) -> None:
        self._response = None
        self._deadline.set(math.inf)
        self._served += 1
        response.finish()
        if not self._decoder.reusable or self._sending:
            self.close()
            return
        self._unpause()
        self._keeper.returned(self)

    def _pace(self, response: Response) -> None:
        """Stop reading when the reader is behind; the upstream's clock runs only while we listen."""
        if response.buffered < BUFFER_BYTES:
            self._allow(self._timeouts.idle, "body")
        elif not self._paused and self._transport is not None:
            self._paused = True
            self._transport.pause_reading()
            self._allow(math.inf, "body")

    def _unpause(self) -> bool:
        if not self._paused or self._transport is None or self._transport.is_closing():
            return False
        self._paused = False
        self._transport.resume_reading()
        return True

    def _allow(self, seconds: float, step: str) -> None:
        self._step = step
        self._deadline.set(min(self._loop.time() + seconds, self._give_up_at))

    def _expired(self) -> None:
        error: TransportTimeout
        if self._step == "write":
            error = WriteTimeout("the upstream stopped taking the request")
        else:
            error = ReadTimeout(f"the upstream sent no {self._step} in time ({self._received} bytes came)")
        self.close(error)

    def _lost(self, exc: Exception | None) -> RemoteClosed:
        if self._served and not self._received:
            return StaleConnection("the upstream closed a kept connection", received=0)
        when = f"after {self._received} bytes of its response" if self._received else "before it answered"
        if exc is None:
            return RemoteClosed(f"the upstream closed the connection {when}", received=self._received)
        return ConnectionReset(f"the connection broke {when}: {exc}", received=self._received)

    def _wake_sender(self) -> None:
        if self._drained is not None and not self._drained.done():
            self._drained.set_result(None)
