"""A small, fast, pooled HTTP/1.1 client: the gateway's way to its upstreams."""

from gateway.transport.client import Client
from gateway.transport.errors import (
    BodyTooLarge,
    Closed,
    ConnectFailed,
    ConnectionReset,
    ConnectTimeout,
    ProtocolViolation,
    ReadTimeout,
    RemoteClosed,
    TransportError,
    TransportTimeout,
    WriteTimeout,
)
from gateway.transport.origin import Origin
from gateway.transport.pool import Stats
from gateway.transport.response import Response
from gateway.transport.timeouts import Timeouts

__all__ = [
    "BodyTooLarge",
    "Client",
    "Closed",
    "ConnectFailed",
    "ConnectTimeout",
    "ConnectionReset",
    "Origin",
    "ProtocolViolation",
    "ReadTimeout",
    "RemoteClosed",
    "Response",
    "Stats",
    "Timeouts",
    "TransportError",
    "TransportTimeout",
    "WriteTimeout",
]
