"""The head of a request, as bytes."""

import re
from functools import lru_cache

from gateway.transport.origin import Origin

_METHOD = re.compile(rb"(?!CONNECT$)[A-Z]+")
_TARGET = re.compile(rb"/[!-~]*")
_NAME = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_VALUE = re.compile(rb"[\t -~\x80-\xff]*")
_BODILESS_METHODS = frozenset({b"GET", b"HEAD", b"DELETE", b"OPTIONS"})
_OUR_NAMES = frozenset(
    b"host content-length transfer-encoding connection keep-alive proxy-connection expect upgrade te trailer".split()
)


def request_head(
    *, method: bytes, origin: Origin, target: bytes, headers: list[tuple[bytes, bytes]], length: int
) -> bytes:
    """Serialise a request's head (RFC 9112, sections 3 and 5), adding Host and Content-Length.

    Raises ValueError when a part could smuggle a line break or otherwise break the framing, or when
    a header is one of those that the client itself decides. Values, which may be secrets, are not told.
    """
    if not _METHOD.fullmatch(method):
        raise ValueError(f"method {method!r} must be capital letters, and not CONNECT")
    if not _TARGET.fullmatch(target):
        raise ValueError(f"target {target!r} must start with '/' and hold printable ASCII without spaces")
    lines = [b"%b %b%b HTTP/1.1\r\nhost: %b\r\n" % (method, origin.path, target, origin.authority)]
    if length or method not in _BODILESS_METHODS:
        lines.append(b"content-length: %d\r\n" % length)
    for name, value in headers:
        if not _may_be_sent(name):
            raise ValueError(f"header {name!r} is malformed, or one that the client itself decides")
        if not _VALUE.fullmatch(value):
            raise ValueError(f"header {name!r} has a control character in its value")
        lines.append(b"%b: %b\r\n" % (name, value))
    lines.append(b"\r\n")
    return b"".join(lines)


@lru_cache(maxsize=256)
def _may_be_sent(name: bytes) -> bool:
    return _NAME.fullmatch(name) is not None and name.lower() not in _OUR_NAMES
