"""Embedding prompts: off the event loop, with a bounded wait, cached.

An embedder that is quick enough runs in line, and needs no cache. Any other runs in one thread of its own, so that no
other request is held up; when the queue there is longer than the wait allows, a request does not join it: it is routed
by the prior.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import numpy.typing as npt
import structlog

from router_models.embedders import Embedder, Matrix

Embedding = npt.NDArray[np.float32]

_logger = structlog.get_logger("polyculture.embedding")

#: Weight of the newest duration in the running mean that waits are estimated by.
NEWEST = 0.1


class Embeddings:
    """The embedder as requests see it. ``wait_s`` bounds what any request waits for its vector.

    One that is not ``confidential`` is elsewhere, and must not be shown what is private.
    """

    def __init__(
        self,
        *,
        embedder: Embedder,
        wait_s: float,
        cache: int,
        confidential: bool = True,
        observe: Callable[[float], None] = lambda seconds: None,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self.embedder = embedder
        self.confidential = confidential
        self._wait_s = wait_s
        self._size = cache
        self._observe = observe
        self._clock = clock
        self._cache: OrderedDict[str, Embedding] = OrderedDict()
        self._running: dict[str, asyncio.Future[Embedding]] = {}
        self._seconds = 0.0
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="polyculture-embed")

    def forget(self) -> None:
        """Keep nothing in memory of what was embedded so far."""
        self._cache.clear()

    def close(self) -> None:
        """End the thread."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    @property
    def instant(self) -> bool:
        """Whether embedding is so quick that it runs in line."""
        return self.embedder.instant

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
        running = self._running.get(text)
        if running is None:
            if self.queued and (self.queued + 1) * self._seconds > self._wait_s:
                return None
            running = asyncio.get_running_loop().run_in_executor(self._thread, self._embed_one, text)
            self._running[text] = running
            running.add_done_callback(lambda done: self._finished(text, done))
        await asyncio.wait((running,), timeout=self._wait_s)
        if not running.done() or running.cancelled() or running.exception() is not None:
            return None
        return running.result()

    def at_once(self, texts: Sequence[str]) -> list[Embedding | None]:
        """The unit vectors (e,) of texts, from an embedder that is ``instant``: it is quicker than to look them up.

        ``None`` where it failed.
        """
        try:
            return list(self._embed(texts))
        except Exception as error:
            _logger.error("embedding_failed", error=str(error))
            return [None] * len(texts)

    def _embed(self, texts: Sequence[str]) -> Matrix:
        started = self._clock()
        vectors = self.embedder.embed(texts)
        took = (self._clock() - started) / len(texts)
        self._seconds = took if not self._seconds else (1 - NEWEST) * self._seconds + NEWEST * took
        for _ in texts:
            self._observe(took)
        return vectors

    def _embed_one(self, text: str) -> Embedding:
        vector: Embedding = self._embed([text])[0]
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
