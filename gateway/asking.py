"""Asking one model's server: the request out, the answer's beginning in, and every failure as one of ours."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import NamedTuple

import msgspec
import structlog

from gateway.errors import GatewayError, RateLimited, UpstreamFailed, UpstreamRefused, UpstreamTimeout
from gateway.providers.adapter import Providers
from gateway.providers.told import Told
from gateway.registry import Model
from gateway.relay import EVENT_LIMIT, Body, EventSplitter, payload, read_body
from gateway.request import Reading, with_model
from gateway.transport import Client, Response, TransportError, TransportTimeout

_logger = structlog.get_logger("polyculture.upstream")

#: Where each endpoint is, below a server's base URL.
TARGETS = {"chat": b"/chat/completions", "embeddings": b"/embeddings"}

#: An upstream's statuses that are the client's own doing: they are passed on, not retried elsewhere.
CLIENTS_FAULT = frozenset({400, 409, 413, 415, 422})

#: Longest wait that an upstream may ask of a client, in seconds.
LONGEST_RETRY_S = 86_400.0

#: How much of an upstream's error page is read.
ERROR_LIMIT = 65_536


class ErrorDetail(msgspec.Struct):
    """The OpenAI error object, as far as it is passed on."""

    message: str | None = None
    param: str | None = None


class ErrorBody(msgspec.Struct):
    """An upstream's error answer, in the shapes that servers use."""

    error: ErrorDetail | str | None = None
    message: str | None = None


class Opened(NamedTuple):
    """An answer that has begun: whole (``data`` and ``body``), or a stream whose first bytes are ``data``."""

    model: Model
    response: Response | Told
    data: bytes
    body: Body
    first_byte_s: float


class Asker:
    """The way to a model's server: over our own connections, or through a provider's client."""

    def __init__(
        self,
        *,
        client: Client,
        providers: Providers,
        answer_limit: int,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._client = client
        self._providers = providers
        self._answer_limit = answer_limit
        self._clock = clock

    async def ask(self, model: Model, reading: Reading, body: bytes) -> Opened:
        """The answer, whole or begun. Raises a :class:`GatewayError` that says what became of it."""
        started = self._clock()
        try:
            response = await self._send(model, reading, body)
            if response.status != 200:
                raise await _refusal(model, response)
            data, seen = await self._heard(model, reading, response)
        except TransportTimeout as error:
            raise UpstreamTimeout(f"The model {model.id} did not answer in time.") from error
        except TransportError as error:
            _logger.warning("upstream_failed", model=model.id, error=str(error))
            raise UpstreamFailed(f"The model {model.id} could not be reached, or broke off.") from error
        return Opened(model, response, data, seen, self._clock() - started)

    async def _send(self, model: Model, reading: Reading, body: bytes) -> Response | Told:
        if model.origin is None:
            return await self._providers.request(model, reading.endpoint, body)
        target, sent = TARGETS[reading.endpoint], with_model(body, model.card.upstream.model)
        return await self._client.request(b"POST", model.origin, target, model.headers, sent, timeouts=model.timeouts)

    async def _heard(self, model: Model, reading: Reading, response: Response | Told) -> tuple[bytes, Body]:
        """As much of an answer as must be there before it counts as begun: all of it, or a stream's first bytes."""
        if reading.stream:
            return await _first(model, response, clock=self._clock), Body()
        data = await response.read(limit=self._answer_limit)
        seen = read_body(data)
        if seen.error is not None or (seen.choices is None and reading.endpoint == "chat"):
            raise UpstreamFailed(f"The model {model.id} did not answer with a completion.")
        return data, seen


@contextmanager
def unbroken(model: Model) -> Iterator[None]:
    """Reads the rest of an answer; where it breaks off, the model is to blame. Raises :class:`GatewayError` then."""
    try:
        yield
    except TransportTimeout as error:
        model.breaker.failed()
        raise UpstreamTimeout(f"The model {model.id} fell silent in the middle of its answer.") from error
    except TransportError as error:
        model.breaker.failed()
        raise UpstreamFailed(f"The model {model.id} broke off in the middle of its answer.") from error


def cut_short(model: Model, where: str) -> UpstreamFailed:
    """The error of a stream that ended too early, for which the model is to blame."""
    model.breaker.failed()
    return UpstreamFailed(f"The model {model.id} ended its stream {where}.")


async def _first(model: Model, response: Response | Told, *, clock: Callable[[], float]) -> bytes:
    """A stream up to its first event's end, so that what fails before that, or is told by it, can still fall back.

    Comments are none: they say that a server is alive, not what becomes of the request. Where they go on for longer
    than an answer may take to begin, they count as one, so that the client hears them, too.
    """
    splitter, begun, due = EventSplitter(), b"", clock() + model.timeouts.first_byte
    try:
        if not (response.header(b"content-type") or b"").startswith(b"text/event-stream"):
            raise UpstreamFailed(f"The model {model.id} did not answer with a stream.")
        async for chunk in response.chunks():
            begun += chunk
            for found in splitter.feed(chunk):
                if b'"error"' in (data := payload(found)) and read_body(data).error is not None:
                    raise UpstreamFailed(f"The model {model.id} reported an error in place of its answer.")
                if data or clock() > due or len(begun) > EVENT_LIMIT:
                    return begun
        raise UpstreamFailed(f"The model {model.id} ended its stream without a word.")
    except UpstreamFailed:
        response.close()
        raise


def _wait(said: bytes) -> float:
    """What ``Retry-After`` asks for, in seconds (RFC 9110, 10.2.3); one where it cannot be read."""
    if said.isdigit():
        return min(float(said), LONGEST_RETRY_S)
    try:
        moment = parsedate_to_datetime(said.decode("latin-1"))
    except ValueError:
        return 1.0
    return min(max((moment.replace(tzinfo=UTC) - datetime.now(UTC)).total_seconds(), 1.0), LONGEST_RETRY_S)


async def _refusal(model: Model, response: Response | Told) -> GatewayError:
    """The error that stands for an upstream's error status."""
    data = await response.read(limit=ERROR_LIMIT)
    try:
        body = msgspec.json.decode(data, type=ErrorBody)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        body = ErrorBody()
    detail = body.error if isinstance(body.error, ErrorDetail) else ErrorDetail(message=body.error or body.message)
    if response.status in CLIENTS_FAULT:
        message = detail.message or f"The model {model.id} refused the request with status {response.status}."
        param = None if detail.param is None else model.discreet(detail.param)
        return UpstreamRefused(model.discreet(message), upstream_status=response.status, param=param)
    if response.status == 429:
        wait = _wait(response.header(b"retry-after") or b"")
        return RateLimited(f"The model {model.id} is at its rate limit.", retry_after_s=wait)
    if response.status in (408, 504):
        return UpstreamTimeout(f"The model {model.id} did not answer in time.")
    return UpstreamFailed(f"The model {model.id} failed with status {response.status}.")
