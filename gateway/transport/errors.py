"""What can go wrong on the way to an upstream and back.

    TransportError
    ├── ConnectFailed        nothing listens, name unknown, TLS refused
    ├── TransportTimeout
    │   ├── ConnectTimeout   no connection, or no free place in the pool, in time
    │   ├── WriteTimeout     the upstream stopped taking the request
    │   └── ReadTimeout      no response head, or no more body, in time
    ├── RemoteClosed         the upstream ended the connection too early
    │   └── ConnectionReset  ... and rudely
    ├── ProtocolViolation    what came is not HTTP/1.1
    ├── BodyTooLarge         more body than the reader allows
    └── Closed               used after this side closed it

Bad arguments (a header with a line break, say) are `ValueError`, raised before anything is sent.
"""


class TransportError(Exception):
    """Base of every error that an exchange with an upstream can raise."""


class ConnectFailed(TransportError):
    """No connection could be made."""


class TransportTimeout(TransportError):
    """Base of the time-outs."""


class ConnectTimeout(TransportTimeout):
    """Neither a free connection nor a new one within the time to connect."""


class WriteTimeout(TransportTimeout):
    """The upstream took no more of the request within the idle time."""


class ReadTimeout(TransportTimeout):
    """The upstream sent no head, or no more of its body, in time."""


class RemoteClosed(TransportError):
    """The upstream closed the connection before its response was whole.

    `received` is how many bytes of the response had come.
    """

    def __init__(self, message: str, *, received: int = 0) -> None:
        super().__init__(message)
        self.received = received


class ConnectionReset(RemoteClosed):
    """The connection broke (reset, broken pipe, TLS failure) before the response was whole."""


class ProtocolViolation(TransportError):
    """The upstream's bytes break HTTP/1.1 framing or pass the limits on a head."""


class BodyTooLarge(TransportError):
    """The response body is larger than the reader allows."""


class Closed(TransportError):
    """The client or the response was already closed on this side."""
