"""Everything a client can be told went wrong, as one tree.

GatewayError
├── BadRequest 400
│   ├── ContextTooLong
│   └── NoEligibleModel
├── Unauthenticated 401
│   └── KeyExpired
├── Forbidden 403
├── NotFound 404
├── MethodNotAllowed 405
├── RequestTimeout 408
├── Conflict 409
├── Outdated 412
├── BodyTooLarge 413
├── Unprocessable 422
├── VersionRequired 428
├── RateLimited 429
│   └── BudgetExceeded
├── UpstreamRefused            an upstream's own 4xx, relayed with its status
├── Internal 500
├── UpstreamFailed 502
├── Unavailable 503
└── UpstreamTimeout 504

Each renders as the OpenAI error object, ``{"error": {"message", "type", "param", "code"}}``, so that the official
SDKs raise their matching exception class.
"""

from __future__ import annotations

from typing import Any, ClassVar

import msgspec


class GatewayError(Exception):
    """A failure that has a status, a type and a code, and is safe to show to the client."""

    status: ClassVar[int] = 500
    type: ClassVar[str] = "server_error"
    code: ClassVar[str | None] = None

    def __init__(self, message: str, *, param: str | None = None, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.param = param
        self.retry_after_s = retry_after_s

    @property
    def http_status(self) -> int:
        """The status to answer with."""
        return self.status

    def document(self) -> dict[str, Any]:
        """The OpenAI error object."""
        error = {"message": self.message, "type": self.type, "param": self.param, "code": self.code}
        return {"error": error}

    def body(self) -> bytes:
        """The error object as JSON."""
        return msgspec.json.encode(self.document())

    def headers(self) -> list[tuple[bytes, bytes]]:
        """Response headers that belong to this error."""
        found = [(b"content-type", b"application/json")]
        if self.retry_after_s is not None:
            found.append((b"retry-after", b"%d" % max(1, round(self.retry_after_s))))
        return found


class BadRequest(GatewayError):
    """The request is not valid."""

    status, type, code = 400, "invalid_request_error", "invalid_request"


class ContextTooLong(BadRequest):
    """No model's window holds the request."""

    code = "context_length_exceeded"


class NoEligibleModel(BadRequest):
    """No model can do what the request asks."""

    code = "no_eligible_model"


class Unauthenticated(GatewayError):
    """The key is missing or unknown."""

    status, type, code = 401, "authentication_error", "invalid_api_key"

    def headers(self) -> list[tuple[bytes, bytes]]:
        """Adds the challenge that RFC 9110 asks of a 401."""
        return [*super().headers(), (b"www-authenticate", b"Bearer")]


class KeyExpired(Unauthenticated):
    """The key was valid, and is so no more."""

    code = "api_key_expired"


class Forbidden(GatewayError):
    """The key may not do this."""

    status, type, code = 403, "permission_error", "forbidden"


class NotFound(GatewayError):
    """There is no such thing, or not for this caller."""

    status, type, code = 404, "invalid_request_error", "not_found"


class ModelNotFound(NotFound):
    """There is no such model, or not for this caller."""

    code = "model_not_found"


class DecisionNotFound(NotFound):
    """There is no such decision, or not for this caller."""

    code = "decision_not_found"


class VersionNotFound(NotFound):
    """There is no such version."""

    code = "version_not_found"


class KeyNotFound(NotFound):
    """There is no such key."""

    code = "key_not_found"


class TenantNotFound(NotFound):
    """There is no such tenant."""

    code = "tenant_not_found"


class MethodNotAllowed(GatewayError):
    """The path takes other methods."""

    status, type, code = 405, "invalid_request_error", "method_not_allowed"


class RequestTimeout(GatewayError):
    """The request came too slowly."""

    status, type, code = 408, "invalid_request_error", "request_timeout"


class Conflict(GatewayError):
    """It clashes with what is there."""

    status, type, code = 409, "invalid_request_error", "conflict"


class Outdated(GatewayError):
    """It was changed since the version that the request is meant for."""

    status, type, code = 412, "invalid_request_error", "precondition_failed"


class BodyTooLarge(GatewayError):
    """The body passes the limit."""

    status, type, code = 413, "invalid_request_error", "body_too_large"


class Unprocessable(GatewayError):
    """Valid, and still not possible."""

    status, type, code = 422, "invalid_request_error", "unprocessable"


class VersionRequired(GatewayError):
    """The request must say which version it is meant for."""

    status, type, code = 428, "invalid_request_error", "precondition_required"


class RateLimited(GatewayError):
    """Too much at once; ``limit`` names the caller's own limit that it is about, where it is one of those.

    ``standing`` are the headers that tell how the caller's limits stand.
    """

    status, type, code = 429, "rate_limit_error", "rate_limit_exceeded"

    def __init__(self, message: str, *, limit: str = "", retry_after_s: float | None = None) -> None:
        super().__init__(message, retry_after_s=retry_after_s)
        self.limit = limit
        self.standing: list[tuple[bytes, bytes]] = []

    def headers(self) -> list[tuple[bytes, bytes]]:
        """Adds how the limits stand."""
        return [*super().headers(), *self.standing]


class BudgetExceeded(RateLimited):
    """There may be too little money left for it."""

    code = "budget_exceeded"


class UpstreamRefused(GatewayError):
    """An upstream's own client error: its status and message are the client's to act on."""

    type, code = "upstream_error", "upstream_refused"

    def __init__(self, message: str, *, upstream_status: int, param: str | None = None) -> None:
        super().__init__(message, param=param)
        self.upstream_status = upstream_status

    @property
    def http_status(self) -> int:
        """The upstream's status."""
        return self.upstream_status


class Internal(GatewayError):
    """A fault of the gateway's own."""

    code = "internal_error"


class UpstreamFailed(GatewayError):
    """The model's server failed."""

    status, type, code = 502, "upstream_error", "upstream_failed"


class Unavailable(GatewayError):
    """Not possible now; trying again may help."""

    status, type, code = 503, "server_error", "unavailable"


class UpstreamTimeout(GatewayError):
    """The model's server took too long."""

    status, type, code = 504, "upstream_error", "upstream_timeout"
