"""A client that leaves: what is being done for it is cancelled, the upstream call with it."""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Any

from gateway.http import Receive

#: Most requests are over before this; only those that last are watched, so that the others pay nothing.
PATIENCE_S = 0.05


class Watch:
    """Cancels the current task when the client disconnects; ``gone`` tells that this is why."""

    def __init__(self, *, receive: Receive, patience_s: float = PATIENCE_S) -> None:
        self._receive = receive
        self._patience_s = patience_s
        self._watcher: asyncio.Task[None] | None = None
        self.gone = False

    def __enter__(self) -> Watch:
        loop = asyncio.get_running_loop()
        task = asyncio.current_task()
        assert task is not None
        self._timer = loop.call_later(self._patience_s, self._begin, loop, task)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._timer.cancel()
        if self._watcher is not None:
            self._watcher.cancel()
            self._watcher = None  # how it ends holds this, and all that is known of the request

    def _begin(self, loop: asyncio.AbstractEventLoop, task: asyncio.Task[Any]) -> None:
        self._watcher = loop.create_task(self._wait(task))

    async def _wait(self, task: asyncio.Task[Any]) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            continue
        self.gone = True
        task.cancel()
