"""Where an upstream lives: scheme, host, port and base path."""

import ipaddress
import re
from urllib.parse import urlsplit

_DEFAULT_PORTS = {"http": 80, "https": 443}
_PRINTABLE = re.compile(r"[!-~]+")
_HOST_NAME = re.compile(r"[A-Za-z0-9_-]{1,63}(\.[A-Za-z0-9_-]{1,63})*\.?")


class Origin:
    """A base URL, parsed once.

    `path` is the base path without its last slash, as bytes; the target of a request is appended to it.
    `authority` is the value of the Host header. `key` names the connection pool: origins that differ
    only in path share one.

    Raises ValueError when the URL is no absolute http or https URL, or carries a user, query or fragment.
    """

    __slots__ = ("authority", "host", "key", "path", "port", "scheme")

    def __init__(self, url: str) -> None:
        if not _PRINTABLE.fullmatch(url):
            raise ValueError(f"base URL {url!r} must be printable ASCII; percent-encode the rest")
        parts = urlsplit(url)
        if parts.scheme not in _DEFAULT_PORTS:
            raise ValueError(f"base URL {url!r} must start with http:// or https://")
        if "@" in parts.netloc:
            raise ValueError("a base URL must not carry a user or password; send a header instead")
        if "?" in url or "#" in url:
            raise ValueError(f"base URL {re.split('[?#]', url)[0]!r} must not carry a query or fragment")
        default_port = _DEFAULT_PORTS[parts.scheme]
        port = parts.port if parts.port is not None else default_port
        if port == 0:
            raise ValueError(f"base URL {url!r} must not use port 0")
        host = parts.hostname or ""
        shown = _shown_host(host, bracketed=parts.netloc.startswith("["))
        self.scheme = parts.scheme
        self.host = host
        self.port = port
        self.path = parts.path.rstrip("/").encode("ascii")
        self.authority = (shown if port == default_port else f"{shown}:{port}").encode("ascii")
        self.key = (self.scheme, host, port)

    def __str__(self) -> str:
        return f"{self.scheme}://{self.authority.decode()}{self.path.decode()}"

    def __repr__(self) -> str:
        return f"Origin({str(self)!r})"


def _shown_host(host: str, *, bracketed: bool) -> str:
    if bracketed:
        if "%" in host:
            raise ValueError(f"IPv6 host {host!r} must not carry a zone")
        return f"[{ipaddress.IPv6Address(host)}]"
    if not _HOST_NAME.fullmatch(host):
        raise ValueError(f"host {host!r} is not a host name or IP address; write IPv6 in brackets")
    return host
