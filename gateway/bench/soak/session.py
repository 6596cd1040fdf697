"""One run: a gateway, clients that ask without a pause, and a look at what it holds again and again."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import msgspec
import psutil
from prometheus_client.parser import text_string_to_metric_families

from gateway.bench.overhead.gateways import SPECIALTIES
from gateway.bench.overhead.load import percentile
from gateway.bench.process import Process
from gateway.bench.serving import gateway
from gateway.bench.soak import upstream
from gateway.bench.soak.traffic import TENANTS, Traffic
from gateway.transport import Client, Origin

EARLY = 0.1
"""Share of the requests after which as many are compared with as many at the end: caches are filled by then."""

SETTLE_S = 4.0
"""How long the gateway is left alone before what it holds is counted at the end."""

WARM = 0.1
"""As many requests, as a share of all, come before that are not counted."""

RATERS = 3
"""Users who rate an answer meanwhile, so that the outcomes that the router remembers are as many as they will be."""

KEPT = 256
"""Conversations and embeddings that the gateway keeps, few enough to be there early on."""


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """How many requests by how many clients, and how often to look."""

    requests: int
    clients: int
    looks: int


class Look(msgspec.Struct, frozen=True, kw_only=True):
    """What the gateway held after so many requests, and how long those since the last look took."""

    requests: int
    seconds: float
    rss_mb: float
    p50_ms: float
    p99_ms: float
    descriptors: int
    tasks: float
    connections: float
    disk_mb: float


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """All looks, the last one after a rest, and what became of the requests."""

    looks: list[Look]
    outcomes: dict[str, int]

    def typical(self, field: str, *, since: float) -> float:
        """The median of a figure over a tenth of the requests, from this share of them on: it rises and falls."""
        last = self.looks[-1].requests
        within = [each for each in self.looks[1:-1] if since * last <= each.requests <= (since + EARLY) * last]
        return float(median(getattr(each, field) for each in within))


class Watch:
    """Looks at a gateway from outside."""

    def __init__(self, *, process: Process, pid: int, client: Client, origin: Origin, folder: Path) -> None:
        self._process = process
        self._descriptors = psutil.Process(pid).num_fds
        self._client = client
        self._origin = origin
        self._folder = folder
        self._began = perf_counter()

    async def look(self, requests: int, took: list[float]) -> Look:
        """Now; ``took`` are the seconds of the requests since the last look."""
        answer = await self._client.request(b"GET", self._origin, b"/metrics", [])
        families = text_string_to_metric_families((await answer.read(limit=10_000_000)).decode())
        samples = {sample.name: sample.value for family in families for sample in family.samples}
        times = took or [0.0]
        return Look(
            requests=requests,
            seconds=perf_counter() - self._began,
            rss_mb=self._process.rss_mb(),
            p50_ms=percentile(times, 0.5) * 1e3,
            p99_ms=percentile(times, 0.99) * 1e3,
            descriptors=self._descriptors(),
            tasks=samples["polyculture_tasks"],
            connections=samples["polyculture_upstream_connections"],
            disk_mb=sum(file.stat().st_size for file in self._folder.rglob("*") if file.is_file()) / 1e6,
        )


async def run(plan: Plan, folder: Path, *, told: Callable[[int], None]) -> Found:
    """A whole run; ``told`` hears of every few requests more."""
    server = await upstream.serve()
    with gateway(folder, _configuration(server.sockets[0].getsockname()[1]), **_settings()) as serving:
        process, origin = serving.process, Origin(serving.url)
        await asyncio.to_thread(process.first_answer_s, port=serving.port, key=TENANTS["default"], model="auto")
        async with Client(limit_per_origin=plan.clients + 1) as client:
            watch = Watch(process=process, pid=process.pid, client=client, origin=origin, folder=folder / "data")
            crowd = [Traffic(client=client, origin=origin, seed=seed) for seed in range(plan.clients)]
            looks = await _asked(plan, crowd, watch, told)
        async with Client() as client:
            await asyncio.sleep(SETTLE_S)
            last = Watch(process=process, pid=process.pid, client=client, origin=origin, folder=folder / "data")
            looks.append(await last.look(looks[-1].requests, []))
    server.close()
    outcomes = sum((each.outcomes for each in crowd), Counter[str]())
    return Found(looks=looks, outcomes=dict(outcomes.most_common()))


async def _asked(plan: Plan, crowd: list[Traffic], watch: Watch, told: Callable[[int], None]) -> list[Look]:
    """All requests, with a look before the first, and one after each part of those that are counted."""
    before, asked = await watch.look(0, []), 0

    async def client(traffic: Traffic, until: int) -> None:
        nonlocal asked
        while asked < until:
            count = await traffic.one()
            asked += count
            told(count)

    async def all_until(count: int, *, raters: int) -> list[float]:
        for each in crowd:
            each.raters = raters
        await asyncio.gather(*(client(each, count) for each in crowd))
        took = [seconds for each in crowd for seconds in each.took]
        for each in crowd:
            each.took.clear()
        return took

    await all_until(int(WARM * plan.requests), raters=RATERS)
    warm, looks = asked, [before]
    for part in range(plan.looks):
        took = await all_until(warm + plan.requests * (part + 1) // plan.looks, raters=1)
        looks.append(await watch.look(asked - warm, took))
    return looks


def _configuration(upstream_port: int) -> dict[str, Any]:
    served = {"base_url": f"http://127.0.0.1:{upstream_port}/v1"}
    cards = [
        {"id": name, "description": text, "upstream": {**served, "model": name}, "price": {"input": 1, "output": 2}}
        for name, text in SPECIALTIES.items()
    ]
    cards += [
        {"id": f"vectors-{number}", "endpoint": "embeddings", "upstream": {**served, "model": "v"}} for number in (1, 2)
    ]
    return {
        "models": cards,
        "tenants": [{"id": name, "key_env": f"SOAK_KEY_{number}"} for number, name in enumerate(TENANTS) if number],
        "routing": {"conversations": KEPT},
    }


def _settings() -> dict[str, str]:
    return {
        "POLYCULTURE_API_KEY": TENANTS["default"],
        "POLYCULTURE_EMBEDDER": "static",
        "POLYCULTURE_EMBEDDING_CACHE": str(KEPT),
        "POLYCULTURE_DURABLE_WAIT_MS": "10000",
        **{f"SOAK_KEY_{number}": key for number, key in enumerate(TENANTS.values())},
    }
