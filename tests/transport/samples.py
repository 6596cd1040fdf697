"""Valid responses, their meaning, and a way to make many more."""

from dataclasses import dataclass, field
from itertools import pairwise

from hypothesis import strategies as st


@dataclass(frozen=True, kw_only=True)
class Sample:
    """Bytes on the wire and what a client must make of them.

    `kept`: whether the connection may carry another exchange; `ends`: whether only its end ends the body.
    """

    wire: bytes
    status: int = 200
    body: bytes = b""
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    kept: bool = True
    ends: bool = False


_NAMES = st.from_regex(rb"[Xx]-[a-zA-Z0-9]{1,8}", fullmatch=True)
_VALUES = st.from_regex(rb"([!-~\x80-\xff]([\t -~]{0,10}[!-~])?)?", fullmatch=True)
_FIELDS = st.lists(st.tuples(_NAMES, _VALUES), max_size=5)
_BODIES = st.binary(max_size=300)
_EXTENSIONS = st.sampled_from([b"", b";a", b";a=b", b';a="b c";d'])


def _lines(fields: list[tuple[bytes, bytes]]) -> bytes:
    return b"".join(b"%b: %b\r\n" % pair for pair in fields)


@st.composite
def samples(draw: st.DrawFn, *, kept_only: bool = False) -> Sample:
    """Responses of every framing: with a length, chunked (extensions, trailers), until the end, and bodiless."""
    status = draw(st.sampled_from([200, 201, 204, 304, 400, 404, 429, 500, 503, 599]))
    fields = draw(_FIELDS)
    before = b"".join(
        b"HTTP/1.1 %d Wait\r\n%b\r\n" % (code, _lines(draw(_FIELDS)))
        for code in draw(st.lists(st.sampled_from([100, 102, 103]), max_size=2))
    )
    framing = draw(st.sampled_from(["length", "chunked"] if kept_only else ["length", "chunked", "close", "end"]))
    body = b"" if status in (204, 304) else draw(_BODIES)
    closing = framing in ("close", "end") and status not in (204, 304)
    wire_body = body
    if status in (204, 304):
        pass
    elif framing == "chunked":
        fields = [*fields, (b"Transfer-Encoding", b"chunked")]
        wire_body, rest = b"", body
        while rest:
            size = draw(st.integers(1, len(rest)))
            wire_body += b"%x%b\r\n%b\r\n" % (size, draw(_EXTENSIONS), rest[:size])
            rest = rest[size:]
        wire_body += b"0%b\r\n%b\r\n" % (draw(_EXTENSIONS), _lines(draw(_FIELDS)))
    elif framing == "length":
        fields = [*fields, (b"Content-Length", b"%d" % len(body))]
    elif framing == "close":
        fields = [*fields, (b"content-length", b"%d" % len(body)), (b"Connection", b"close")]
    reason = draw(st.sampled_from([b" OK", b" ", b" Not \xe9 Found", b""]))
    wire = before + b"HTTP/1.1 %d%b\r\n%b\r\n%b" % (status, reason, _lines(fields), wire_body)
    lowered = [(name.lower(), value) for name, value in fields]
    return Sample(
        wire=wire,
        status=status,
        body=body,
        headers=lowered,
        kept=not closing,
        ends=closing and framing == "end",
    )


def split(data: bytes, cuts: list[int]) -> list[bytes]:
    """Cut bytes at the given places (taken modulo their length)."""
    places = sorted({cut % (len(data) + 1) for cut in cuts} | {0, len(data)})
    return [data[start:end] for start, end in pairwise(places)]
