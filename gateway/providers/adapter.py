"""Asking a provider through litellm: parameters, streams, tools and errors come and go in OpenAI's shape."""

from __future__ import annotations

import asyncio
import math
import re
from collections.abc import Callable
from typing import Any, Protocol

import msgspec
import structlog

from gateway.providers.library import library
from gateway.providers.told import EVENTS, JSON, Streamed, Told, Whole
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

#: One request is one call: no retries, and no look at tools for servers that litellm itself would run.
_ONCE = {"num_retries": 0, "max_retries": 0}
_CHAT = {**_ONCE, "_skip_mcp_handler": True}

#: A provider's own words within what litellm says, which quotes the error's JSON.
_MESSAGE = re.compile(r'"message":\s*("(?:[^"\\]|\\.)*")')


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
        if endpoint == "embeddings":
            call, fields = litellm.aembedding, {**said, **model.provider_arguments, **_ONCE}
        else:
            call, fields = litellm.acompletion, {**said, **model.provider_arguments, **_CHAT}
        now, limits = asyncio.get_running_loop().time(), model.timeouts
        give_up_at = math.inf if limits.total is None else now + limits.total
        try:
            async with asyncio.timeout_at(min(now + limits.first_byte, give_up_at)):
                answer, first = await _begun(call, fields)
        except TimeoutError as error:
            raise ReadTimeout(f"{model.id} did not answer in time") from error
        except Exception as error:  # litellm's own tree of errors, and whatever passes through it
            return _refused(model, error)
        if fields.get("stream"):
            pieces = Streamed(answer=answer, first=first, idle_s=limits.idle, give_up_at=give_up_at)
            return Told(status=200, kind=EVENTS, pieces=pieces)
        return Told(status=200, kind=JSON, pieces=Whole(data=answer.model_dump_json().encode()))


async def _begun(call: Callable[..., Any], fields: dict[str, Any]) -> tuple[Any, Any]:
    """The answer; of a stream its first chunk too, for some providers are asked only once that is waited for."""
    answer = await call(**fields)
    if not fields.get("stream"):
        return answer, None
    try:
        return answer, await anext(answer, None)
    except BaseException:
        await answer.aclose()
        raise


def _refused(model: Provided, error: Exception) -> Told:
    """An error with a status as the response that it came from. Raises :class:`TransportError` for one without."""
    error = getattr(error, "original_exception", None) or error
    status = getattr(error, "status_code", None)
    if not isinstance(status, int) or not 400 <= status <= 599 or type(error).__name__ == "APIConnectionError":
        _logger.warning("provider_failed", model=model.id, error=type(error).__name__)
        raise TransportError(f"{model.id} could not be asked: {type(error).__name__}") from error
    headers = getattr(error, "litellm_response_headers", None) or {}
    body = msgspec.json.encode({"error": {"message": _words(model, error) or f"The provider said {status}."}})
    retry_after = str(headers.get("retry-after", ""))
    return Told(status=status, kind=JSON, pieces=Whole(data=body), retry_after=retry_after)


def _words(model: Provided, error: Exception) -> str:
    """What the provider said of it; should it quote the key that it was sent, that is taken out."""
    said = str(getattr(error, "message", error)).partition(" - ")[2]
    if said.startswith(("b'", 'b"')):
        said = said.replace("\\\\", "\\")  # bytes as Python writes them, which escapes the JSON's own escapes
    if found := _MESSAGE.search(said):
        try:
            said = msgspec.json.decode(found[1], type=str)
        except msgspec.DecodeError:
            said = found[1].strip('"')
    key = model.provider_arguments.get("api_key")
    return (said.replace(key, "[key]") if key else said)[:500]
