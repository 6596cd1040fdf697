from __future__ import annotations

import dataclasses
import time
from pathlib import Path

import numpy as np
import pytest

from router_models import Features, Projection, semantic_prior, traits
from router_models.artifacts import FOLDER
from router_models.artifacts.corpus import corpus
from router_models.artifacts.project import fit
from router_models.embedders import MiniLM
from router_models.features import entries


@pytest.fixture(scope="module")
def embedder() -> MiniLM:
    return MiniLM()


@pytest.fixture(scope="module")
def features() -> Features:
    return Features(projection=Projection.read(FOLDER / "projection-minilm.npz"))


def test_traits_tell_kinds_of_text_apart() -> None:
    code = traits("def f(x):\n    return [y for y in x if y]")
    sum_ = traits("What is 1234 * 5678?")
    chat = traits("Tell me something nice about the sea.")
    assert code.code > chat.code
    assert sum_.digits > chat.digits
    assert sum_.question == 1.0
    assert chat.question == 0.0
    assert traits("Что это?").foreign > 0.4
    assert traits("").length == 0.0
    assert traits("x", turns=5, tools=True, json_mode=True, images=2).tools == 1.0


def test_traits_are_bounded_whatever_the_text() -> None:
    for text in ("", "\ud800", "?" * 10_000, "9" * 5_000_000, "\0"):
        found = entries([traits(text, turns=10**6, images=10**6)])
        assert np.isfinite(found).all()
        assert np.abs(found).max() <= 0.46
    started = time.perf_counter()
    traits("a" * 50_000_000)
    assert time.perf_counter() - started < 1.0


def test_features_have_a_constant_a_meaning_and_traits(embedder: MiniLM, features: Features) -> None:
    seen = traits("What is 12 + 30?")
    x = features(embedder.embed(["What is 12 + 30?"])[0], seen)
    unembedded = features(None, seen)
    assert x.shape == (features.dimensions,) == (64,)
    assert x.dtype == np.float32
    assert x[0] == unembedded[0] == 1.0
    assert 0.3 < np.linalg.norm(x[1 : 1 + features.width]) < 2.0
    assert (unembedded[1 : 1 + features.width] == 0).all()
    assert (x[1 + features.width :] == unembedded[1 + features.width :]).all()
    with pytest.raises(ValueError, match="finite"):
        features(np.full(384, np.nan, dtype=np.float32), seen)


def test_a_request_has_the_same_features_in_any_company(embedder: MiniLM, features: Features) -> None:
    prompts = ["What is 12 + 30?", "", "Tell me something nice about the sea.", "def f(x): return {x: 1}"]
    embeddings = [None if prompt == "" else embedder.embed([prompt])[0] for prompt in prompts]
    seen = [traits(prompt) for prompt in prompts]
    rows = features.rows(embeddings, seen)
    assert all((rows[n] == features(embeddings[n], seen[n])).all() for n in range(len(prompts)))
    assert (features.rows(embeddings[::-1], seen[::-1]) == rows[::-1]).all()


def test_the_semantic_prior_ranks_cards_by_meaning(embedder: MiniLM, features: Features) -> None:
    cards = {
        "sums": ["Exact mathematics: arithmetic, algebra and equations.", "What is 12 * 31?"],
        "critic": ["Tells whether a review is positive or negative.", "Rate this review: I loved this phone."],
        "speller": ["Corrects spelling mistakes in English text.", "Correct the spelling: I recieved teh letter"],
    }
    prompts = {
        "sums": "How much is 45 plus 38?",
        "critic": "Is this review good or bad? The room was dirty and the staff rude.",
        "speller": "Fix the typos: wher is the libary",
    }
    priors = {name: semantic_prior(features, embedder.embed(texts)) for name, texts in cards.items()}
    for kind, prompt in prompts.items():
        x = features(embedder.embed([prompt])[0], traits(prompt))
        promised = {name: float(prior @ x) for name, prior in priors.items()}
        assert max(promised, key=lambda name: promised[name]) == kind
        assert 0.1 < promised[kind] < 0.6
    assert (semantic_prior(features, np.zeros((0, 384), dtype=np.float32)) == 0).all()
    with pytest.raises(ValueError, match="finite"):
        semantic_prior(features, np.full((1, 384), np.inf, dtype=np.float32))


def test_the_corpus_is_the_same_every_time_and_the_projection_comes_from_it(tmp_path: Path) -> None:
    texts = list(corpus())
    assert texts == list(corpus())
    assert len(texts) == len([text for text in texts if text.strip()]) > 2000
    random = np.random.default_rng(0).normal(size=(500, 20)).astype(np.float32) * np.linspace(
        3, 0.1, 20, dtype=np.float32
    )
    projection = fit(random, width=5)
    mapped = projection(random)
    assert np.square(mapped).sum(axis=1).mean() == pytest.approx(1.0, abs=1e-3)
    covariance = np.cov(mapped.T)
    assert covariance == pytest.approx(np.diag(np.diag(covariance)), abs=1e-3)
    np.savez(tmp_path / "p.npz", **dataclasses.asdict(projection))
    assert (Projection.read(tmp_path / "p.npz").matrix == projection.matrix).all()


def test_projections_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="mean"):
        Projection(mean=np.zeros(3, dtype=np.float32), matrix=np.zeros((4, 2), dtype=np.float32))
    with pytest.raises(ValueError, match="finite"):
        Projection(mean=np.zeros(4, dtype=np.float32), matrix=np.full((4, 2), np.nan, dtype=np.float32))
