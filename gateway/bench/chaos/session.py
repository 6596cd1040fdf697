"""One run: servers, a gateway before them, clients, and a server that dies in the middle and comes back."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path
from time import monotonic
from typing import Any

import httpx
import msgspec
import psutil
from prometheus_client.parser import text_string_to_metric_families

from gateway.bench.chaos.clients import Tally, crowd
from gateway.bench.chaos.upstreams import Server, serving
from gateway.bench.serving import KEY, gateway

FIRST_BYTE_S = 2.0
"""Each model's longest wait for an answer to begin."""

WARM_S = 5.0
"""How long clients are at work before anything is counted."""

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
        here = stack.enter_context(gateway(folder, _configuration(servers), POLYCULTURE_EMBEDDER="static"))
        process = psutil.Process(here.process.pid)
        async with httpx.AsyncClient(base_url=here.url, timeout=30.0) as client:
            await asyncio.to_thread(here.process.first_answer_s, port=here.port, key=KEY, model="auto")
            await crowd(
                url=here.url,
                key=KEY,
                clients=plan.clients,
                seconds=WARM_S,
                patience_s=plan.patience_s,
                seed=plan.seed + 1,
            )
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


def _configuration(servers: dict[str, Server]) -> dict[str, Any]:
    waits = {"first_byte_timeout_s": FIRST_BYTE_S, "idle_timeout_s": FIRST_BYTE_S}
    cards = [
        {
            "id": name,
            "description": f"A model that {name}.",
            "upstream": {"base_url": f"http://127.0.0.1:{server.port}/v1", "model": name, **waits},
        }
        for name, server in servers.items()
    ]
    return {"models": cards}


async def _life(server: Server, seconds: float) -> tuple[int, float | None]:
    """Dies after a third of the time, comes back after another; what it was asked meanwhile and how soon after."""
    await asyncio.sleep(seconds / 3)
    died, server.dead = monotonic(), True
    await asyncio.sleep(seconds / 3)
    back, server.dead = monotonic(), False
    await asyncio.sleep(seconds / 3)
    dead = sum(died + 1.0 <= at < min(died + 6.0, back) for at in server.seen)
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
