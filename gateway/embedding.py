"""Embedding prompts: cached, off the event loop, with a bounded wait.

An embedder that is quick enough runs in line. Any other runs in one thread of its own, so that no other request is
held up; when the queue there is longer than the wait allows, a request does not join it: it is routed by the prior.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import numpy.typing as npt
import structlog

from router_models.embedders import Embedder

Embedding = npt.NDArray[np.float32]

_logger = structlog.get_logger("polyculture.embedding")

#: Weight of the newest duration in the running mean that waits are estimated by.
NEWEST = 0.1


class Embeddings:
    """The embedder as requests see it. ``wait_s`` bounds what any request waits for its vector."""

    def __init__(
        self,
        *,
        embedder: Embedder,
        wait_s: float,
        cache: int,
        observe: Callable[[float], None] = lambda seconds: None,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self.embedder = embedder
        self._wait_s = wait_s
        self._size = cache
        self._observe = observe
        self._clock = clock
        self._cache: OrderedDict[str, Embedding] = OrderedDict()
        self._running: dict[str, asyncio.Future[Embedding]] = {}
        self._seconds = 0.0
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="polyculture-embed")

    def close(self) -> None:
        """End the thread."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    @property
    def queued(self) -> int:
        """Texts waiting for, or in, the embedder."""
        return len(self._running)

    async def vector(self, text: str) -> Embedding | None:
        """The unit vector (e,) of a text; ``None`` when it cannot be had in time."""
        found = self._cache.get(text)
        if found is not None:
            self._cache.move_to_end(text)
            return found
        if self.embedder.instant:
            return self._at_once(text)
        running = self._running.get(text)
        if running is None:
            if self.queued and (self.queued + 1) * self._seconds > self._wait_s:
                return None
            running = asyncio.get_running_loop().run_in_executor(self._thread, self._embed, text)
            self._running[text] = running
            running.add_done_callback(lambda done: self._finished(text, done))
        await asyncio.wait((running,), timeout=self._wait_s)
        if not running.done() or running.cancelled() or running.exception() is not None:
            return None
        return running.result()

    def _at_once(self, text: str) -> Embedding | None:
        try:
            return self._keep(text, self._embed(text))
        except Exception as error:
            _logger.error("embedding_failed", error=str(error))
            return None

    def _embed(self, text: str) -> Embedding:
        started = self._clock()
        vector: Embedding = self.embedder.embed([text])[0]
        took = self._clock() - started
        self._seconds = took if not self._seconds else (1 - NEWEST) * self._seconds + NEWEST * took
        self._observe(took)
        return vector

    def _finished(self, text: str, done: asyncio.Future[Embedding]) -> None:
        self._running.pop(text, None)
        if done.cancelled():
            return
        error = done.exception()
        if error is None:
            self._keep(text, done.result())
        else:
            _logger.error("embedding_failed", error=str(error))

    def _keep(self, text: str, vector: Embedding) -> Embedding:
        if self._size:
            self._cache[text] = vector
            if len(self._cache) > self._size:
                self._cache.popitem(last=False)
        return vector
