"""From bytes to a response: HTTP/1.1 framing without any I/O."""

import httptools

from gateway.transport.errors import ProtocolViolation
from gateway.transport.response import Response

HEAD_BYTES = 64 * 1024
HEAD_FIELDS = 256


class Decoder:
    """Decodes the responses of one connection, one after another.

    httptools (llhttp, strict) does the framing: it refuses content-length beside transfer-encoding,
    repeated or malformed lengths, bare line feeds and folded headers. This class adds limits, skips
    informational responses (RFC 9110, 15.2) and refuses what the client never asked for: an upgrade,
    or a transfer coding other than chunked.
    """

    # complete: the response is whole; progress: the last bytes held a head or some body;
    # reusable: the connection may carry another exchange.
    __slots__ = (
        "_barren", "_bodiless", "_chunked", "_fields", "_headers", "_parser", "_response", "_size",
        "_violation", "complete", "progress", "reusable",
    )  # fmt: skip

    def __init__(self) -> None:
        self.complete = True
        self.progress = False
        self.reusable = True
        self._parser = httptools.HttpResponseParser(self)

    def begin(self, response: Response, *, bodiless: bool) -> None:
        """Expect a response. `bodiless`: the request was a HEAD."""
        self.complete = False
        self._response = response
        self._bodiless = bodiless
        self._chunked = False
        self._headers: list[tuple[bytes, bytes]] = []
        self._fields = self._size = self._barren = 0
        self._violation = ""

    def feed(self, data: bytes) -> None:
        """Take bytes as they came. Raises ProtocolViolation."""
        self.progress = False
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            if not self.complete:
                raise ProtocolViolation(f"bad response: {self._violation or error}") from error
            self.reusable = False
        if self.progress:
            self._barren = 0
            return
        self._barren += len(data)
        if self._barren > HEAD_BYTES and not self.complete:
            raise ProtocolViolation(f"bad response: {HEAD_BYTES} bytes of head, chunk extension or trailer")

    def end(self) -> bool:
        """Take the end of the stream; True when it properly ends a response without a length."""
        response = self._response
        if not response.status or self._chunked or response.header(b"content-length") is not None:
            return False
        self.complete = True
        self.reusable = False
        return True

    # What httptools calls.

    def on_message_begin(self) -> None:
        """The first byte of a response."""
        if self.complete:
            self._refuse("bytes after its end")

    def on_header(self, name: bytes, value: bytes) -> None:
        """A field of a head or of a trailer."""
        self._fields += 1
        self._size += len(name) + len(value) + 4
        if self._fields > HEAD_FIELDS or self._size > HEAD_BYTES:
            self._refuse(f"more than {HEAD_FIELDS} header fields or {HEAD_BYTES} bytes of them")
        if self._response.status:
            return  # a trailer: counted, then dropped
        name = name.lower()
        value = value.rstrip(b" \t")
        if name == b"transfer-encoding":
            if self._chunked or value.lower() != b"chunked":
                self._refuse("a transfer coding other than chunked")
            self._chunked = True
        self._headers.append((name, value))

    def on_headers_complete(self) -> None:
        """The end of a head."""
        status = self._parser.get_status_code()
        version = self._parser.get_http_version()
        if status == 101 or not 100 <= status <= 599 or version not in ("1.1", "1.0"):
            self._refuse(f"status {status} of HTTP/{version}")
        if status < 200:
            self._headers = []
            self._chunked = False
            return
        self.progress = True
        self._response.status = status
        self._response.headers = self._headers
        if self._bodiless:
            # llhttp cannot be told that no body follows, so the connection is not used again.
            self.complete = True
            self.reusable = False
        elif self._chunked and version == "1.0":
            self.reusable = False  # RFC 9112, 6.1

    def on_body(self, data: bytes) -> None:
        """A piece of body, framing removed."""
        if self.complete:
            return
        if not self._response.status:
            self._refuse("an informational response with a body")
        self.progress = True
        self._response.receive(data)

    def on_message_complete(self) -> None:
        """The last byte of a response."""
        if not self._response.status:
            return
        self.complete = True
        self.progress = True
        self.reusable = self.reusable and self._parser.should_keep_alive()

    def _refuse(self, violation: str) -> None:
        self._violation = violation
        raise ProtocolViolation(violation)
