"""Operations: endpoints that are asked now and then. What each takes, gives and needs is said once.

A :class:`Group` holds the operations about one noun. Its routes and its part of the published description are made from
the same declarations, so neither can say what the other does not.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import msgspec
from starlette.convertors import PathConvertor, register_url_convertor
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from gateway.decoding import convert, decode
from gateway.errors import BadRequest, Unavailable
from gateway.http import read_body
from gateway.keys import Principal
from gateway.log import LogUnavailable
from gateway.service import Service

G = TypeVar("G", bound="Group")

#: A method of a group: who asks, and what for (``None`` where nothing is taken).
Handler = Callable[[G, Principal, Any], Awaitable[Any]]

JSON = "application/json"

#: The fields that hold a body as it came, and the version (RFC 9110's ``If-Match``) that a change is meant for.
DATA, MATCH = "data", "if_match"


#: All methods of HTTP that a client may try.
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE")


class Whole(PathConvertor):
    """The rest of a path with line breaks as well, of which Starlette's own ``path`` drops one at the end."""

    regex = "(?s:.*)"


register_url_convertor("whole", Whole())


class Nothing(msgspec.Struct):
    """A request that says all by its path."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation(Generic[G]):
    """One endpoint, and the method behind it.

    ``asked`` is the struct that the handler is given, read from the JSON body of a POST, which may be left out where
    every field has a default, and else from path and query. One that ``takes`` a body of another kind, or one beside
    its path, finds it, as it is, in the field ``data``; ``body`` is the type or the schema of it. ``answer`` is what it
    returns: a struct, or ``bytes`` of the kind ``gives``; a struct's ``etag`` goes into the headers too. ``errors``
    are the statuses that it may answer with besides those of every operation.
    """

    method: str
    path: str
    summary: str
    handler: Handler[G]
    answer: Any
    asked: Any = Nothing
    errors: str = ""
    admin: bool = True
    takes: str = JSON
    gives: str = JSON
    body: Any = None
    status: int = 200

    @property
    def with_data(self) -> bool:
        """Whether the body is handed on as it is."""
        return DATA in self.asked.__struct_fields__

    @property
    def with_body(self) -> bool:
        """Whether what is asked stands in a JSON body: a POST's, unless its path names something."""
        return self.method == "POST" and self.asked is not Nothing and not self.with_data and "{" not in self.path

    async def serve(self, group: G, service: Service, request: Request) -> Response:
        """Authenticate, read, do, answer."""
        ring = service.keys.ring
        if self.admin:
            principal = ring.admin(request.scope, looking=self.method == "GET")
        else:
            principal = ring.authenticate(request.scope, None)
        asked = await self._asked(request, service.settings.max_body_bytes)
        try:
            answer = await self.handler(group, principal, asked)
        except LogUnavailable:
            raise Unavailable("The log cannot be written now.", retry_after_s=5) from None
        body = answer if isinstance(answer, bytes) else msgspec.json.encode(answer)
        etag = getattr(answer, "etag", None)
        headers = None if etag is None else {"etag": etag}
        return Response(body, status_code=self.status, headers=headers, media_type=self.gives)

    async def _asked(self, request: Request, limit: int) -> Any:
        query = request.query_params
        if len(query.multi_items()) != len(query):
            raise BadRequest("A parameter is given twice.")
        values: dict[str, Any] = {**query, **request.path_params}
        if MATCH in self.asked.__struct_fields__:
            values[MATCH] = request.headers.get("if-match")
        if not self.with_body and not self.with_data:
            return convert(values, self.asked)
        body = await read_body(request.scope, request.receive, limit=limit)
        if self.with_data:
            return convert({**values, DATA: body}, self.asked)
        return decode(msgspec.json.Decoder(self.asked), body or b"{}")


class Group:
    """Operations about one noun, over a running service."""

    def __init__(self, *, service: Service) -> None:
        self._service = service

    @classmethod
    def operations(cls) -> list[Operation[Any]]:
        """All of them, in the order of their declaration."""
        return [member for member in vars(cls).values() if isinstance(member, Operation)]

    def routes(self) -> list[Route]:
        """Where they are served. A path answers to every method, so that a wider one behind it is not taken for it."""
        paths: dict[str, dict[str, Operation[Any]]] = {}
        for operation in self.operations():
            paths.setdefault(operation.path, {})[operation.method] = operation
        return [self._route(path, methods) for path, methods in paths.items()]

    def _route(self, path: str, methods: dict[str, Operation[Any]]) -> Route:
        async def endpoint(request: Request) -> Response:
            operation = methods.get("GET" if request.method == "HEAD" else request.method)
            if operation is None:
                raise HTTPException(405, headers={"allow": ", ".join(sorted(methods))})
            return await operation.serve(self, self._service, request)

        return Route(path.replace(":path}", ":whole}"), endpoint, methods=METHODS)


def get(path: str, summary: str, *, answer: Any, **details: Any) -> Callable[[Handler[G]], Operation[G]]:
    """A method as an operation that looks, and changes nothing."""
    return lambda handler: Operation(
        method="GET", path=path, summary=summary, handler=handler, answer=answer, **details
    )


def patch(path: str, summary: str, *, answer: Any, **details: Any) -> Callable[[Handler[G]], Operation[G]]:
    """A method as an operation that changes parts of something."""
    return lambda handler: Operation(
        method="PATCH", path=path, summary=summary, handler=handler, answer=answer, **details
    )


def delete(path: str, summary: str, *, answer: Any, **details: Any) -> Callable[[Handler[G]], Operation[G]]:
    """A method as an operation that removes something."""
    return lambda handler: Operation(
        method="DELETE", path=path, summary=summary, handler=handler, answer=answer, **details
    )


def post(path: str, summary: str, *, answer: Any, **details: Any) -> Callable[[Handler[G]], Operation[G]]:
    """A method as an operation that changes something."""
    return lambda handler: Operation(
        method="POST", path=path, summary=summary, handler=handler, answer=answer, **details
    )
