"""Against a production server, and compared with another client."""

import asyncio
import socket
from collections.abc import AsyncIterator

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.routing import Route

from gateway.transport import Client, Origin, Stats

from .conftest import Run
from .servers import until


async def echo(request: Request) -> PlainTextResponse:
    return PlainTextResponse(await request.body(), headers={"x-path": request.url.path})


async def count(request: Request) -> StreamingResponse:
    async def numbers() -> AsyncIterator[bytes]:
        for number in range(int(request.query_params["to"])):
            yield b"data: %d\n\n" % number

    return StreamingResponse(numbers(), media_type="text/event-stream")


def test_uvicorn_and_what_httpx_makes_of_it(run: Run) -> None:
    async def scenario() -> None:
        routes = [Route("/v1/echo", echo, methods=["POST"]), Route("/v1/count", count)]
        config = uvicorn.Config(Starlette(routes=routes), log_level="error", lifespan="off")
        with socket.create_server(("127.0.0.1", 0)) as listening:
            server = uvicorn.Server(config)
            serving = asyncio.create_task(server.serve(sockets=[listening]))
            await until(lambda: server.started)
            base = f"http://127.0.0.1:{listening.getsockname()[1]}/v1"
            async with Client() as client, httpx.AsyncClient(trust_env=False) as reference:
                for size in (0, 1, 1024, 65536, 65537, 2_000_000):
                    body = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
                    ours = await client.request(b"POST", Origin(base), b"/echo", [], body)
                    theirs = await reference.post(f"{base}/echo", content=body)
                    assert ours.status == theirs.status_code == 200
                    assert {n for n, _ in ours.headers} == {n for n, _ in theirs.headers.raw}
                    assert await ours.read(limit=size) == theirs.content == body
                events = await client.request(b"GET", Origin(base), b"/count?to=500", [])
                streamed = b"".join([chunk async for chunk in events.chunks()])
                assert streamed == (await reference.get(f"{base}/count?to=500")).content
                assert client.stats() == Stats(open=1, idle=1, in_use=0, waiting=0)
            server.should_exit = True
            await serving

    run(scenario())
