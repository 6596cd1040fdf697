"""Embedding never holds a request up for longer than it may."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence

import numpy as np
import pytest

from gateway.embedding import Embeddings
from router_models.embedders import Matrix

pytestmark = pytest.mark.anyio


class Gated:
    """A real embedder in every respect but that a test opens and shuts its gate."""

    name = "gated"
    dimensions = 4
    fingerprint = "gated"

    def __init__(self, *, instant: bool = False) -> None:
        self.instant = instant
        self.gate = threading.Event()
        self.texts: list[str] = []

    def embed(self, texts: Sequence[str]) -> Matrix:
        if not self.instant:
            assert self.gate.wait(10)
        self.texts.extend(texts)
        if "fail" in texts:
            raise RuntimeError("no such text")
        return np.full((len(texts), 4), 0.5, np.float32)


async def test_a_cached_text_is_embedded_once() -> None:
    embedder = Gated()
    embedder.gate.set()
    embeddings = Embeddings(embedder=embedder, wait_s=1, cache=2)
    for text in ("a", "b", "a", "c", "a", "b"):
        assert await embeddings.vector(text) is not None
    assert embedder.texts == ["a", "b", "c", "b"]
    embeddings.close()


async def test_an_instant_embedder_is_asked_again_rather_than_remembered() -> None:
    embedder = Gated(instant=True)
    embeddings = Embeddings(embedder=embedder, wait_s=1, cache=2)
    for texts in (["a", "b"], ["a"]):
        vectors = embeddings.at_once(texts)
        assert [None if vector is None else vector.tolist() for vector in vectors] == [[0.5] * 4] * len(texts)
    assert embedder.texts == ["a", "b", "a"]
    assert embeddings.at_once(["fail"]) == [None]


async def test_a_slow_embedding_is_not_waited_for_beyond_the_limit_and_is_kept_when_it_comes() -> None:
    embedder = Gated()
    embeddings = Embeddings(embedder=embedder, wait_s=0.2, cache=10)
    assert await embeddings.vector("late") is None
    embedder.gate.set()
    assert await embeddings.vector("later") is not None  # one thread, in order: "late" is done by now
    assert await embeddings.vector("late") is not None
    assert embedder.texts == ["late", "later"]
    embeddings.close()


async def test_the_same_text_asked_twice_at_once_is_embedded_once() -> None:
    embedder = Gated()
    embeddings = Embeddings(embedder=embedder, wait_s=5, cache=10)
    both = asyncio.gather(embeddings.vector("same"), embeddings.vector("same"))
    await asyncio.sleep(0.02)
    embedder.gate.set()
    assert all(vector is not None for vector in await both)
    assert embedder.texts == ["same"]
    embeddings.close()


async def test_under_overload_a_request_does_not_join_a_queue_that_is_too_long() -> None:
    embedder = Gated()
    moments = iter(range(1000))
    embeddings = Embeddings(embedder=embedder, wait_s=2.5, cache=0, clock=lambda: float(next(moments)))
    embedder.gate.set()
    assert await embeddings.vector("first") is not None  # takes one second of the clock
    embedder.gate.clear()
    waiting = [asyncio.create_task(embeddings.vector(f"queued {n}")) for n in range(2)]
    await asyncio.sleep(0.02)
    assert await embeddings.vector("too many") is None
    embedder.gate.set()
    assert all(vector is not None for vector in await asyncio.gather(*waiting))
    assert "too many" not in embedder.texts
    embeddings.close()


async def test_a_failing_embedder_fails_no_request() -> None:
    for instant in (True, False):
        embedder = Gated(instant=instant)
        embedder.gate.set()
        embeddings = Embeddings(embedder=embedder, wait_s=1, cache=10)
        assert await embeddings.vector("fail") is None
        assert await embeddings.vector("fine") is not None
        embeddings.close()
