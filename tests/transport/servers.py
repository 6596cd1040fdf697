"""Real servers on loopback that send exactly the bytes a test wants."""

import asyncio
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

from gateway.transport import Origin


async def until(condition: Callable[[], bool]) -> None:
    """Wait until a condition holds."""
    for _ in range(10_000):
        if condition():
            return
        await asyncio.sleep(0.001)
    raise TimeoutError("it never came true")


class Peer:
    """The server's end of one connection."""

    def __init__(self, *, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def request(self) -> tuple[bytes, bytes]:
        """The next request's head and body. Raises IncompleteReadError when there is none."""
        head = await self.reader.readuntil(b"\r\n\r\n")
        length = 0
        for line in head.split(b"\r\n"):
            if line.lower().startswith(b"content-length:"):
                length = int(line.split(b":")[1])
        return head, await self.reader.readexactly(length)

    async def send(self, *pieces: bytes) -> None:
        """Send each piece by itself, as far as TCP allows."""
        for piece in pieces:
            if self.writer.is_closing():
                raise ConnectionResetError("the client left")
            self.writer.write(piece)
            await self.writer.drain()
            await asyncio.sleep(0)

    async def gone(self) -> None:
        """Wait until the client has closed its end."""
        with suppress(ConnectionError):
            while await self.reader.read(65536):
                pass

    def reset(self) -> None:
        """Close with a TCP reset."""
        plain: socket.socket = self.writer.get_extra_info("socket")
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()


class Server:
    """A listening server: its origin, how many connections it took and how many are open."""

    def __init__(self, *, origin: Origin) -> None:
        self.origin = origin
        self.taken = 0
        self.open = 0

    async def all_gone(self) -> None:
        """Wait until no connection is open."""
        await until(lambda: self.open == 0)


Handler = Callable[[Peer], Awaitable[None]]


@asynccontextmanager
async def serving(
    handler: Handler, *, tls: ssl.SSLContext | None = None, host: str = "127.0.0.1"
) -> AsyncIterator[Server]:
    """Run `handler` for each connection; when it returns, the connection is closed."""
    tasks: set[asyncio.Task[None]] = set()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        server.taken += 1
        server.open += 1
        try:
            await handler(Peer(reader=reader, writer=writer))
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # the client left, or the test is over
        finally:
            server.open -= 1
            tasks.discard(task)
            writer.close()
            with suppress(ConnectionError, ssl.SSLError):
                await writer.wait_closed()

    listening = await asyncio.start_server(connected, host, 0, ssl=tls)
    port = listening.sockets[0].getsockname()[1]
    shown = f"[{host}]" if ":" in host else host
    server = Server(origin=Origin(f"{'https' if tls else 'http'}://{shown}:{port}"))
    try:
        yield server
    finally:
        listening.close()
        running = list(tasks)
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


def replying(*replies: bytes, then_close: bool = False) -> Handler:
    """Answer the connection's first request with the first reply, and so on; then close, or stay silent."""

    async def handler(peer: Peer) -> None:
        for reply in replies:
            await peer.request()
            await peer.send(reply)
        if not then_close:
            await peer.gone()

    return handler


def forever(reply: bytes) -> Handler:
    """Answer every request of a connection with the same bytes."""

    async def handler(peer: Peer) -> None:
        while True:
            await peer.request()
            await peer.send(reply)

    return handler
