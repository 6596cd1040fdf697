"""What most scenarios ask, and the bytes that most servers answer."""

from gateway.transport import Client, Origin, Response, Stats, Timeouts

OK = b"HTTP/1.1 200 OK\r\n"
HELLO = OK + b"Content-Length: 5\r\n\r\nhello"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"

PATIENT = Timeouts()
HASTY = Timeouts(first_byte=0.08, idle=0.08)

NOTHING = Stats(open=0, idle=0, in_use=0, waiting=0)


async def get(client: Client, origin: Origin, *, timeouts: Timeouts = PATIENT) -> Response:
    """Ask for the origin's root."""
    return await client.request(b"GET", origin, b"/", [], timeouts=timeouts)


async def fetch(client: Client, origin: Origin) -> bytes:
    """Ask for the origin's root and read the answer."""
    return await (await get(client, origin)).read(limit=1 << 20)
