"""An embedder behind an endpoint: what it asks, what it accepts, and how its failures are told."""

from __future__ import annotations

import json
from contextlib import closing
from itertools import product

import numpy as np
import pytest

from gateway.remote_embedder import EmbedderUnavailable, RemoteEmbedder
from tests.support.upstream import Script, Upstream, whole


def rows(*vectors: list[float]) -> bytes:
    data = [{"index": index, "embedding": vector} for index, vector in enumerate(vectors)]
    return json.dumps({"object": "list", "data": data[::-1]}).encode()


def says(upstream: Upstream, body: bytes, *, status: int = 200) -> closing[RemoteEmbedder]:
    upstream.scripts["remote"] = Script(pieces=[whole(body, status=status)])
    return closing(RemoteEmbedder(url=upstream.url, model="remote", key="secret", timeout_s=5))


def test_vectors_come_back_in_order_and_of_unit_length(upstream: Upstream) -> None:
    with says(upstream, rows([3.0, 4.0], [0.0, 2.0])) as embedder:
        vectors = embedder.embed(["a", ""])
    np.testing.assert_allclose(vectors, [[0.6, 0.8], [0.0, 1.0]], atol=1e-6)
    call = upstream.calls_of("remote")[0]
    assert call.document["input"] == ["a", " "]
    assert call.header("authorization") == "Bearer secret"


def test_dimensions_are_learned_by_asking_once(upstream: Upstream) -> None:
    with says(upstream, rows([1.0, 0.0, 0.0])) as embedder:
        assert embedder.dimensions == embedder.dimensions == 3
    assert len(upstream.calls_of("remote")) == 1


@pytest.mark.parametrize(
    "body", [b"nonsense", b"{}", rows([1.0], [1.0, 2.0]), rows([1.0]), b'{"data": [{"index": 0}]}']
)
def test_an_unusable_answer_is_an_error_of_ours(body: bytes, upstream: Upstream) -> None:
    with says(upstream, body) as embedder, pytest.raises(EmbedderUnavailable):
        embedder.embed(["a", "b"])


def test_a_refusal_is_an_error_of_ours(upstream: Upstream) -> None:
    with says(upstream, b"{}", status=500) as embedder, pytest.raises(EmbedderUnavailable, match="500"):
        embedder.embed(["a"])


def test_a_space_is_named_by_address_and_model() -> None:
    names = set()
    for path, model in product("ab", "xy"):
        with closing(RemoteEmbedder(url=f"http://h/{path}", model=model)) as embedder:
            names.add(embedder.fingerprint)
    assert len(names) == 4
