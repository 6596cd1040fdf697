"""The specialists' keeper within the gateway: it gives each a socket and a process, and takes both away."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import httpx
import structlog
import yaml

from gateway.config import ModelCard
from gateway.specialists.cards import chosen
from gateway.specialists.child import Child

_logger = structlog.get_logger("polyculture.specialists")

BACKLOG = 256
POLL_S = 0.1


@dataclass(frozen=True, kw_only=True)
class _Kept:
    card: ModelCard
    listener: socket.socket
    child: Child
    task: asyncio.Task[None]


class Supervisor:
    """Runs specialists on loopback. ``names`` chooses some; ``first_port`` numbers theirs upwards, 0 takes free ones.

    A child is killed with :meth:`stop`; and should this process die without it, each child notices and ends.
    """

    def __init__(
        self,
        *,
        names: Sequence[str] | None = None,
        log: Any = _logger,
        host: str = "127.0.0.1",
        first_port: int = 0,
    ) -> None:
        self._entries = chosen(names)
        self._log = log
        self._host = host
        self._first_port = first_port
        self._kept: list[_Kept] = []

    async def start(self) -> tuple[ModelCard, ...]:
        """Begin to start every specialist whose packages are there; the sockets accept from now on.

        Raises :class:`OSError` when a port is taken.
        """
        for entry in self._entries:
            missing = entry.missing()
            if missing:
                self._log.warning("specialist_left_out", specialist=entry.id, install=missing)
                continue
            port = self._first_port + len(self._kept) if self._first_port else 0
            listener = socket.create_server((self._host, port), backlog=BACKLOG)
            child = Child(name=entry.id, listener=listener, log=self._log)
            card = entry.card(f"http://{self._host}:{listener.getsockname()[1]}/v1")
            self._kept.append(_Kept(card=card, listener=listener, child=child, task=asyncio.create_task(child.run())))
        return self.cards()

    async def ready(self, *, timeout_s: float) -> None:
        """Wait until every specialist answers. Raises :class:`TimeoutError`."""
        async with (
            asyncio.timeout(timeout_s),
            httpx.AsyncClient(trust_env=False, timeout=timeout_s) as client,
            asyncio.TaskGroup() as group,
        ):
            for card in self.cards():
                group.create_task(_healthy(client, str(card.upstream.base_url).removesuffix("/v1") + "/healthz"))

    async def stop(self) -> None:
        """End every process and close every socket."""
        kept, self._kept = self._kept, []
        for each in kept:
            each.task.cancel()
        await asyncio.gather(*(each.task for each in kept), return_exceptions=True)
        for each in kept:
            each.listener.close()

    def cards(self) -> tuple[ModelCard, ...]:
        """The model cards of the specialists that were started, with their addresses."""
        return tuple(each.card for each in self._kept)

    def alive(self) -> dict[str, int]:
        """The process ids of the specialists that run, by name."""
        return {each.card.id: pid for each in self._kept if (pid := each.child.pid) is not None}


async def _healthy(client: httpx.AsyncClient, url: str) -> None:
    """The request itself waits in the socket's queue until its process is there; it fails when that one dies."""
    while True:
        try:
            if (await client.get(url)).is_success:
                return
        except httpx.TransportError:
            await asyncio.sleep(POLL_S)


async def serve_all(
    *,
    names: Sequence[str] | None = None,
    host: str = "127.0.0.1",
    first_port: int = 0,
    log: Any = _logger,
    echo: Callable[[str], None] = print,
) -> None:
    """Run specialists in the foreground until cancelled, having told where they are.

    ``echo`` gets their addresses and a ``models:`` block for a configuration file.
    """
    supervisor = Supervisor(names=names, log=log, host=host, first_port=first_port)
    try:
        for card in await supervisor.start():
            echo(f"{card.id}: {card.upstream.base_url}")
        models = [card.model_dump(mode="json", exclude_defaults=True) for card in supervisor.cards()]
        echo("\n" + yaml.safe_dump({"models": models}, sort_keys=False, allow_unicode=True, width=110))
        await asyncio.Event().wait()
    finally:
        await supervisor.stop()
