"""Requests that are handed to the model that they name, as they came: moderations and audio.

There is no routing among such models, and no translation. All the rest is as for a forced model: keys, limits, the
decision in the log, retries, errors and figures.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from gateway.asking import Asker, Opened, unbroken
from gateway.completions import Completions
from gateway.config import Endpoint
from gateway.decoding import decode
from gateway.errors import BadRequest, GatewayError
from gateway.exchange import Exchange
from gateway.http import Send
from gateway.multipart import boundary, place
from gateway.providers.told import Told
from gateway.registry import Model
from gateway.relay import Body
from gateway.request import Reading, with_model
from gateway.routing import AUTO
from gateway.transport import Response


class Parcel(Reading, frozen=True):
    """What is passed on: ``target`` is its path below a server's base, ``kind`` its content type.

    In a form, ``name_at`` is where its model's name stands.
    """

    target: bytes
    kind: bytes
    name_at: tuple[int, int] | None

    def addressed(self, body: bytes, name: str) -> bytes:
        """The same body for a model that its server calls ``name``."""
        if self.name_at is None:
            return with_model(body, name)
        begin, end = self.name_at
        return body[:begin] + name.encode() + body[end:]


class Named(msgspec.Struct):
    """A request, as far as it is read."""

    model: str = AUTO


_named = msgspec.json.Decoder(Named)


def json_to(target: bytes, endpoint: Endpoint) -> Callable[[bytes], Parcel]:
    """Reads JSON for ``target``. What is returned raises :class:`BadRequest`."""

    def read(body: bytes) -> Parcel:
        named: Named = decode(_named, body)
        return _parcel(named.model, endpoint, target, b"application/json")

    return read


def form_to(target: bytes, endpoint: Endpoint) -> Callable[[bytes], Parcel]:
    """Reads a form for ``target``. What is returned raises :class:`BadRequest`."""

    def read(body: bytes) -> Parcel:
        kind = b'multipart/form-data; boundary="%s"' % boundary(body)
        found = place(body, "model")
        if found is None:
            return _parcel(AUTO, endpoint, target, kind)
        name = body[found].decode(errors="replace")
        return _parcel(name, endpoint, target, kind, name_at=(found.start, found.stop))

    return read


def _parcel(
    model: str, endpoint: Endpoint, target: bytes, kind: bytes, *, name_at: tuple[int, int] | None = None
) -> Parcel:
    if model == AUTO or model.startswith(f"{AUTO}:"):
        raise BadRequest(f"{endpoint} are not routed: name the model, as GET /v1/models lists it.", param="model")
    return Parcel(
        model=model,
        endpoint=endpoint,
        text="",
        turns=1,
        tokens=0,
        bounded=True,
        target=target,
        kind=kind,
        name_at=name_at,
    )


class Courier(Asker):
    """Takes parcels to a model's server; what comes back is not looked into."""

    async def _send(self, model: Model, reading: Reading, body: bytes) -> Response | Told:
        assert isinstance(reading, Parcel)
        assert model.origin is not None
        headers = [(b"content-type", reading.kind), *(each for each in model.headers if each[0] != b"content-type")]
        sent = reading.addressed(body, model.card.upstream.model)
        return await self._client.request(b"POST", model.origin, reading.target, headers, sent, timeouts=model.timeouts)

    async def _heard(self, model: Model, reading: Reading, response: Response | Told) -> tuple[bytes, Body]:
        return b"", Body()


class Passthrough(Completions):
    """An endpoint that hands parcels on, and their answers back as they come."""

    async def _relay_whole(self, exchange: Exchange, opened: Opened, send: Send) -> None:
        """Pass bytes on; the answer ends once its decision is durable."""
        kind = opened.response.header(b"content-type") or b"application/octet-stream"
        async with opened.response:
            exchange.begun = True
            headers = [(b"content-type", kind), *exchange.headers(now=self._clock())]
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            with unbroken(opened.model):
                async for chunk in opened.response.chunks():
                    await send({"type": "http.response.body", "body": chunk, "more_body": True})
        exchange.status = 200
        self._close(exchange)
        await self._durable(exchange)
        await send({"type": "http.response.body", "body": b""})

    async def _fail(self, exchange: Exchange, error: GatewayError, send: Send) -> None:
        """An answer that breaks off stays unfinished: the connection ends with it, so that no client takes it whole."""
        if not exchange.begun:
            await super()._fail(exchange, error, send)
            return
        exchange.status = error.http_status
        self._close(exchange)
