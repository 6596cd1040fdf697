"""Asking a provider through litellm: parameters, streams, tools and errors come and go in OpenAI's shape."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Protocol

import msgspec
import structlog

from gateway.providers.library import library
from gateway.providers.told import EVENTS, JSON, Told, streamed, whole
from gateway.transport import ReadTimeout, Timeouts, TransportError

_logger = structlog.get_logger("polyculture.providers")
_fields = msgspec.json.Decoder(dict[str, Any])

#: What a client may say of a request. Whatever else litellm takes (addresses, keys, headers) is the card's alone.
PARAMETERS = frozenset(
    """
    messages input stream stream_options temperature top_p n stop max_tokens max_completion_tokens presence_penalty
    frequency_penalty logit_bias user seed tools tool_choice parallel_tool_calls functions function_call logprobs
    top_logprobs response_format reasoning_effort modalities audio prediction service_tier store metadata thinking
    dimensions encoding_format top_k
    """.split()  # noqa: SIM905 - a list of forty strings reads worse
)


class Provided(Protocol):
    """What the adapter needs to know of a model."""

    id: str
    timeouts: Timeouts
    provider_arguments: dict[str, Any]


class Providers:
    """The way to every model of kind ``litellm``; ``load`` imports the library, in a thread, at the first need."""

    def __init__(self, *, load: Callable[[], Any] = library) -> None:
        self._load = load
        self._loading: asyncio.Future[Any] | None = None

    def prepare(self) -> None:
        """Begin to import, so that the first request need not wait for all of it."""
        if self._loading is None:
            self._loading = asyncio.ensure_future(asyncio.to_thread(self._load))

    async def request(self, model: Provided, endpoint: str, body: bytes) -> Told:
        """The provider's answer to ``body``, less its model. Raises :class:`TransportError` and kin."""
        self.prepare()
        assert self._loading is not None
        litellm = await asyncio.shield(self._loading)
        said = {name: value for name, value in _fields.decode(body).items() if name in PARAMETERS}
        fields = {**said, **model.provider_arguments, "num_retries": 0, "max_retries": 0}
        call = litellm.aembedding if endpoint == "embeddings" else litellm.acompletion
        try:
            async with asyncio.timeout(model.timeouts.first_byte):
                answer = await call(**fields)
        except TimeoutError as error:
            raise ReadTimeout(f"{model.id} did not answer in time") from error
        except Exception as error:  # litellm's own tree of errors, and whatever passes through it
            return _refused(model, error)
        if fields.get("stream"):
            return Told(status=200, kind=EVENTS, pieces=streamed(answer))
        return Told(status=200, kind=JSON, pieces=whole(answer.model_dump_json().encode()))


def _refused(model: Provided, error: Exception) -> Told:
    """An error with a status as the response that it came from. Raises :class:`TransportError` for one without."""
    status = getattr(error, "status_code", None)
    if not isinstance(status, int) or not 400 <= status <= 599 or type(error).__name__ == "APIConnectionError":
        _logger.warning("provider_failed", model=model.id, error=type(error).__name__)
        raise TransportError(f"{model.id} could not be asked: {type(error).__name__}") from error
    response = getattr(error, "response", None)
    headers = getattr(response, "headers", None) or {}
    message = str(getattr(error, "message", error)).partition(" - ")[2] or f"The provider said {status}."
    body = msgspec.json.encode({"error": {"message": message[:500]}})
    return Told(status=status, kind=JSON, pieces=whole(body), retry_after=str(headers.get("retry-after", "")))
