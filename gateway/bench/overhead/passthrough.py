"""The least that a Python gateway can do: Starlette relaying bodies through an aiohttp client session.

Run as ``python -m gateway.bench.overhead.passthrough PORT UPSTREAM_PORT``, under uvicorn, uvloop and httptools.
"""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route


def application(*, upstream: str) -> Starlette:
    """The app; ``upstream`` is the base address that ``/v1/chat/completions`` is relayed to."""

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[dict[str, aiohttp.ClientSession]]:
        connector = aiohttp.TCPConnector(limit=0)
        async with aiohttp.ClientSession(connector=connector, auto_decompress=False) as session:
            yield {"session": session}

    async def relay(request: Request) -> Response:
        session: aiohttp.ClientSession = request.state.session
        headers = {"content-type": "application/json"}
        answer = await session.post(upstream + request.url.path, data=await request.body(), headers=headers)
        if answer.content_type == "text/event-stream":
            return StreamingResponse(_chunks(answer), answer.status, media_type=answer.content_type)
        async with answer:
            return Response(await answer.read(), answer.status, media_type=answer.content_type)

    return Starlette(routes=[Route("/v1/chat/completions", relay, methods=["POST"])], lifespan=lifespan)


async def _chunks(answer: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
    async with answer:
        async for chunk in answer.content.iter_any():
            yield chunk


def main() -> None:
    """Serve until terminated."""
    import uvicorn

    port, upstream_port = map(int, sys.argv[1:3])
    uvicorn.run(
        application(upstream=f"http://127.0.0.1:{upstream_port}"),
        host="127.0.0.1",
        port=port,
        loop="uvloop",
        http="httptools",
        log_level="warning",
        access_log=False,
    )


if __name__ == "__main__":
    main()
