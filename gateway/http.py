"""The little HTTP that the request's way needs on bare ASGI: headers, bodies, answers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any

from gateway.errors import BodyTooLarge, GatewayError

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Header = tuple[bytes, bytes]


class ClientGone(Exception):
    """The client disconnected before its request was complete."""


def header(scope: Scope, name: bytes) -> bytes | None:
    """The first header of that (lower-case) name."""
    for key, value in scope["headers"]:
        if key == name:
            return bytes(value)
    return None


async def read_body(scope: Scope, receive: Receive, *, limit: int) -> bytes:
    """The whole request body. Raises :class:`BodyTooLarge` past ``limit`` bytes, :class:`ClientGone`."""
    declared = header(scope, b"content-length")
    if declared is not None and declared.isdigit() and int(declared) > limit:
        raise BodyTooLarge(f"The request body is larger than the {limit} bytes that this gateway takes.")
    message = await receive()
    if message["type"] == "http.disconnect":
        raise ClientGone
    body: bytes = message.get("body", b"")
    if not message.get("more_body"):
        return _within(body, limit)
    parts, size = [body], len(body)
    while message.get("more_body"):
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGone
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > limit:
            break
    return _within(b"".join(parts), limit)


def _within(body: bytes, limit: int) -> bytes:
    if len(body) > limit:
        raise BodyTooLarge(f"The request body is larger than the {limit} bytes that this gateway takes.")
    return body


async def respond(send: Send, *, status: int, headers: Iterable[Header], body: bytes) -> None:
    """A whole response: in one piece, where the server takes it so (:class:`gateway.inbound.Answering`)."""
    all_headers = [*headers, (b"content-length", b"%d" % len(body))]
    whole = getattr(getattr(send, "__self__", None), "whole", None)
    if whole is not None and whole(status, all_headers, body):
        return
    await send({"type": "http.response.start", "status": status, "headers": all_headers})
    await send({"type": "http.response.body", "body": body})


async def respond_error(send: Send, error: GatewayError, *, headers: Iterable[Header] = ()) -> None:
    """An error in OpenAI's shape."""
    await respond(send, status=error.http_status, headers=[*error.headers(), *headers], body=error.body())
