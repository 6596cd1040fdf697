"""Active probes: a server that fails is asked whether it is there, so that no client has to find out."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from gateway.registry import Model, Registry
from gateway.transport import Client, Timeouts, TransportError

#: Time between two probes of the servers that fail, in seconds.
EVERY_S = 1.0

TIMEOUTS = Timeouts(connect=2.0, first_byte=2.0, idle=2.0, total=3.0)

#: How much of a probe's answer is read.
LIMIT = 1_000_000


class Prober:
    """Asks each resting model's server for its list of models; any answer but a 5xx is a sign of life."""

    def __init__(self, *, registry: Registry, client: Client) -> None:
        self._registry = registry
        self._client = client
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin; call once."""
        self._task = asyncio.create_task(self._run(), name="prober")

    async def stop(self) -> None:
        """End."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(EVERY_S)
            resting = [model for model in self._registry if model.breaker.open and model.origin is not None]
            await asyncio.gather(*map(self._probe, resting))

    async def _probe(self, model: Model) -> None:
        if await self.alive(model):
            model.breaker.found_alive()

    async def alive(self, model: Model) -> bool:
        """Whether the model's server answers."""
        assert model.origin is not None
        try:
            answer = await self._client.request(b"GET", model.origin, b"/models", model.headers, b"", timeouts=TIMEOUTS)
            await answer.read(limit=LIMIT)
        except TransportError:
            return False
        return answer.status < 500
