"""One run: servers, a gateway before them, clients, and a server that dies in the middle and comes back."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path
from time import monotonic

import httpx
import msgspec
import psutil
import yaml
from prometheus_client.parser import text_string_to_metric_families

from gateway.bench.chaos.clients import Tally, crowd
from gateway.bench.chaos.upstreams import Server, serving
from gateway.bench.overhead.process import environment, free_port

KEY = "pc-chaos"

FIRST_BYTE_S = 2.0
"""Each model's longest wait for an answer to begin."""

SETTLE_S = 4.0
"""How long the gateway is left alone before what it holds is counted."""


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """How long, how many, and how patient."""

    seconds: float
    clients: int
    patience_s: float
    seed: int


class Held(msgspec.Struct, frozen=True):
    """What a gateway holds while nothing is asked: bytes, descriptors, tasks of its loop, upstream connections."""

    rss_mb: float
    descriptors: int
    tasks: float
    connections: float


class Found(msgspec.Struct, kw_only=True):
    """What a run showed.

    ``dead_requests`` came in the 5 s from one second after a server's death, ``return_s`` is from its return to its
    next request, in seconds.
    """

    asked: int
    outcomes: dict[str, int]
    success: float
    longest_wait_s: float
    dead_requests: int
    return_s: float | None
    before: Held
    after: Held
    rss_mb: list[float]


async def run(plan: Plan, folder: Path, *, told: Callable[[float], None]) -> Found:
    """A whole run; ``told`` hears how much of it is over, from 0 to 1."""
    async with AsyncExitStack() as stack:
        servers = await serving(stack, seed=plan.seed)
        port = free_port()
        process = await _gateway(stack, servers, folder, port)
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=30.0) as client:
            await _warm(client, plan)
            await asyncio.sleep(SETTLE_S)
            before = await _held(client, process)
            life = asyncio.create_task(_life(servers["mortal"], plan.seconds))
            memory = asyncio.create_task(_memory(process, plan.seconds, told))
            tally = await crowd(
                url=str(client.base_url),
                key=KEY,
                clients=plan.clients,
                seconds=plan.seconds,
                patience_s=plan.patience_s,
                seed=plan.seed,
            )
            dead, back = await life
            rss = await memory
            await asyncio.sleep(SETTLE_S)
            after = await _held(client, process)
    return _found(tally, dead, back, before, after, rss)


def _found(tally: Tally, dead: int, back: float | None, before: Held, after: Held, rss: list[float]) -> Found:
    return Found(
        asked=tally.asked,
        outcomes=dict(tally.outcomes.most_common()),
        success=tally.success,
        longest_wait_s=max(tally.waits_s, default=0.0),
        dead_requests=dead,
        return_s=back,
        before=before,
        after=after,
        rss_mb=rss,
    )


async def _gateway(stack: AsyncExitStack, servers: dict[str, Server], folder: Path, port: int) -> psutil.Process:
    """A gateway before the servers, until the stack closes."""
    cards = [
        {
            "id": name,
            "description": f"A model that {name}.",
            "upstream": {
                "base_url": f"http://127.0.0.1:{server.port}/v1",
                "model": name,
                "first_byte_timeout_s": FIRST_BYTE_S,
                "idle_timeout_s": FIRST_BYTE_S,
            },
        }
        for name, server in servers.items()
    ]
    configuration = folder / "chaos.yaml"
    configuration.write_text(yaml.safe_dump({"models": cards}), encoding="utf-8")
    settings = {
        "POLYCULTURE_DATA_DIR": str(folder / "data"),
        "POLYCULTURE_CONFIG": str(configuration),
        "POLYCULTURE_API_KEY": KEY,
        "POLYCULTURE_EMBEDDER": "static",
    }
    log = stack.enter_context((folder / "gateway.log").open("wb"))
    running = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "gateway", "serve", "--port", str(port)),
        env=environment(settings),
        stdout=log,
        stderr=log,
    )

    async def stop() -> None:
        running.terminate()
        await running.wait()

    stack.push_async_callback(stop)
    return psutil.Process(running.pid)


async def _warm(client: httpx.AsyncClient, plan: Plan) -> None:
    """Wait until it answers, then let it make what it makes once."""
    until = monotonic() + 30.0
    while True:
        try:
            (await client.get("/healthz")).raise_for_status()
            break
        except httpx.HTTPError:
            if monotonic() > until:
                raise
            await asyncio.sleep(0.1)
    url, clients = str(client.base_url), plan.clients
    await crowd(url=url, key=KEY, clients=clients, seconds=5.0, patience_s=plan.patience_s, seed=plan.seed + 1)


async def _life(server: Server, seconds: float) -> tuple[int, float | None]:
    """Dies after a third of the time, comes back after another; what it was asked meanwhile and how soon after."""
    await asyncio.sleep(seconds / 3)
    died, server.dead = monotonic(), True
    await asyncio.sleep(seconds / 3)
    back, server.dead = monotonic(), False
    await asyncio.sleep(seconds / 3)
    dead = sum(died + 1.0 <= at < died + 6.0 for at in server.seen)
    return dead, next((at - back for at in server.seen if at >= back), None)


async def _memory(process: psutil.Process, seconds: float, told: Callable[[float], None]) -> list[float]:
    """Resident megabytes, a hundred times."""
    found: list[float] = []
    for step in range(100):
        await asyncio.sleep(seconds / 100)
        found.append(process.memory_info().rss / 1e6)
        told((step + 1) / 100)
    return found


async def _held(client: httpx.AsyncClient, process: psutil.Process) -> Held:
    families = text_string_to_metric_families((await client.get("/metrics")).text)
    samples = {sample.name: sample.value for family in families for sample in family.samples}
    return Held(
        rss_mb=process.memory_info().rss / 1e6,
        descriptors=process.num_fds(),
        tasks=samples["polyculture_tasks"],
        connections=samples["polyculture_upstream_connections"],
    )
