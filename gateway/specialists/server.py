"""The server that every specialist shares: OpenAI's chat completions over one Starlette application."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from contextlib import aclosing
from typing import TypeVar

import anyio
import anyio.to_thread
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import Send

from gateway.errors import BodyTooLarge, GatewayError, Internal, MethodNotAllowed, NotFound, Unavailable
from gateway.specialists.ask import Ask, parse
from gateway.specialists.completion import Completion
from gateway.specialists.protocol import Delta, Specialist, deltas_of

T = TypeVar("T")

MAX_BODY_BYTES = 1 << 20
MAX_WAITING = 64


class EventStream(StreamingResponse):
    """Server-sent events whose source is closed as soon as the client has them all or is gone."""

    def __init__(self, source: AsyncGenerator[bytes, None]) -> None:
        super().__init__(source, media_type="text/event-stream", headers={"cache-control": "no-cache"})
        self.source = source

    async def stream_response(self, send: Send) -> None:
        """Send the events, then close their source."""
        async with aclosing(self.source):
            await super().stream_response(send)


class Server:
    """Serves one specialist. ``clock`` gives the Unix time in seconds, ``new_id`` a fresh unique string."""

    def __init__(
        self, *, name: str, specialist: Specialist, clock: Callable[[], float], new_id: Callable[[], str]
    ) -> None:
        self._name = name
        self._specialist = specialist
        self._clock = clock
        self._new_id = new_id
        self._started = int(clock())
        self._slots = anyio.Semaphore(specialist.parallel)

    def application(self) -> Starlette:
        """The ASGI application."""
        return Starlette(
            routes=[
                Route("/healthz", self.healthz),
                Route("/v1/models", self.models),
                Route("/v1/models/{name}", self.model),
                Route("/v1/chat/completions", self.chat, methods=["POST"]),
            ],
            exception_handlers={
                GatewayError: _refusal,
                HTTPException: _refusal,
                ClientDisconnect: _gone,
                Exception: _refusal,
            },
        )

    async def healthz(self, request: Request) -> Response:
        """Says that the specialist is loaded."""
        return JSONResponse({"status": "ok", "model": self._name})

    async def models(self, request: Request) -> Response:
        """The one model that is served."""
        return JSONResponse({"object": "list", "data": [self._card()]})

    async def model(self, request: Request) -> Response:
        """The model's card. Raises :class:`NotFound` for any other name."""
        self._check(request.path_params["name"])
        return JSONResponse(self._card())

    async def chat(self, request: Request) -> Response:
        """Answer a conversation, whole or as a stream."""
        ask = parse(await _body(request))
        self._check(ask.model)
        waiting = self._slots.statistics().tasks_waiting
        if waiting >= MAX_WAITING:
            raise Unavailable(f"{self._name} has {waiting} requests waiting: try again later", retry_after_s=1)
        completion = Completion(
            ask=ask, completion_id=f"chatcmpl-{self._new_id()}", model=self._name, created=int(self._clock())
        )
        if not ask.stream:
            return Response(await _while_connected(request, self._whole(completion)), media_type="application/json")
        events = self._events(completion)
        first = await _while_connected(request, anext(events))
        return EventStream(_resumed(first, events))

    def _card(self) -> dict[str, str | int]:
        return {"id": self._name, "object": "model", "created": self._started, "owned_by": "polyculture"}

    def _check(self, name: str) -> None:
        if name != self._name:
            raise NotFound(f"this server has the model {self._name!r} only, not {name!r}", param="model")

    async def _whole(self, completion: Completion) -> bytes:
        for choice in range(completion.ask.choices):
            async with aclosing(self._deltas(completion.ask, choice)) as deltas:
                async for delta in deltas:
                    completion.add(choice, delta)
        return completion.body()

    async def _events(self, completion: Completion) -> AsyncGenerator[bytes, None]:
        for choice in range(completion.ask.choices):
            opening = completion.opening(choice)
            async with aclosing(self._deltas(completion.ask, choice)) as deltas:
                async for delta in deltas:
                    completion.add(choice, delta)
                    yield opening + completion.event(choice, delta)
                    opening = b""
        yield completion.ending()

    async def _deltas(self, ask: Ask, choice: int) -> AsyncGenerator[Delta, None]:
        """The answer's deltas, each made in a worker thread, while one of the specialist's slots is held."""
        async with self._slots:
            iterator = await anyio.to_thread.run_sync(self._begin, ask, choice)
            try:
                while (delta := await anyio.to_thread.run_sync(next, iterator, None)) is not None:
                    yield delta
            finally:
                with anyio.CancelScope(shield=True):
                    await anyio.to_thread.run_sync(_close, iterator)

    def _begin(self, ask: Ask, choice: int) -> Iterator[Delta]:
        parameters = ask.parameters(choice)
        answer = self._specialist.answer(ask.messages, parameters)
        return deltas_of(answer, messages=ask.messages, parameters=parameters) if isinstance(answer, str) else answer


def _close(iterator: Iterator[Delta]) -> None:
    close = getattr(iterator, "close", None)
    if close is not None:
        close()


async def _resumed(first: bytes, rest: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
    async with aclosing(rest):
        yield first
        async for event in rest:
            yield event


async def _body(request: Request) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            raise BodyTooLarge(f"the body is larger than {MAX_BODY_BYTES} bytes: send less")
    return bytes(body)


async def _while_connected(request: Request, work: Awaitable[T]) -> T:
    """Await ``work``, or give it up when the client goes away. Raises :class:`ClientDisconnect` then.

    It is a scope that is cancelled, not a task: work in a thread is waited for, and what it uses is closed after it.
    """
    scope = anyio.CancelScope()

    async def watch() -> None:
        while (await request.receive())["type"] != "http.disconnect":
            pass
        scope.cancel()

    watching = asyncio.create_task(watch())
    try:
        with scope:
            return await work
        raise ClientDisconnect
    finally:
        watching.cancel()
        await asyncio.wait((watching,))


async def _gone(request: Request, error: Exception) -> Response:
    """Nobody is left to read this: the status is nginx's for a client that closed its connection."""
    return Response(status_code=499)


async def _refusal(request: Request, error: Exception) -> Response:
    """The error in OpenAI's shape; the server's log says what went wrong inside."""
    if isinstance(error, HTTPException):
        kind = MethodNotAllowed if error.status_code == 405 else NotFound
        error = kind(f"{request.method} {request.url.path}: {error.detail}")
    elif not isinstance(error, GatewayError):
        error = Internal("the specialist failed on this request; its log says why")
    headers = {name.decode(): value.decode() for name, value in error.headers()}
    return Response(error.body(), status_code=error.http_status, headers=headers)
