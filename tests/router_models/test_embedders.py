"""The built-in embedders: sense, independence of neighbours, bounds, odd text, names of vector spaces."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer

from router_models.artifacts import FOLDER
from router_models.embedders import Embedder, MiniLM, Static, load
from router_models.embedders.excerpt import CHARACTERS_PER_TOKEN, Excerpt
from router_models.embedders.minilm import may_saturate
from router_models.embedders.wordpiece import REMEMBERED_CHUNKS, REMEMBERED_LENGTH, WordPieces

PAIRS = [
    ("How do I sort a list in Python?", "Sorting an array of numbers with Python code"),
    ("What is the capital of France?", "Name the largest city and capital of France."),
    ("Summarise this news article about the election.", "Give me a short summary of the election news."),
    ("The film was boring and the acting terrible.", "A dull movie with awful actors."),
    ("What is the derivative of x squared times sine x?", "Differentiate the function sin(x) times x^2."),
]

ODD = [
    "",
    " \t\r\n",
    "\0\x01\x7f",
    "a\ud800b",
    "\udfff",
    "\ufffd\ufeff\u200b",
    "e\u0301\u0302\u0303",
    "👩‍👩‍👧‍👦 😀",
    "مرحبا بالعالم",
    "你好 世界",
    "[CLS] [SEP] [PAD] [MASK] ##ing",
    "x" * 5000,
    "?" * 5000,
]


@pytest.fixture(scope="module", params=["minilm", "static"])
def embedder(request: pytest.FixtureRequest) -> Embedder:
    return load(request.param)


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    return Tokenizer.from_file(str(FOLDER / "tokenizer.json"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for path in FOLDER.iterdir():
        if path.suffix in {".onnx", ".npy", ".json"}:
            shutil.copy(path, tmp_path)
    return tmp_path


def test_vectors_are_of_unit_length(embedder: Embedder) -> None:
    vectors = embedder.embed([text for pair in PAIRS for text in pair])
    assert vectors.shape == (2 * len(PAIRS), embedder.dimensions)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1.0, atol=1e-5)


def test_similar_texts_are_nearer_than_unrelated_ones(embedder: Embedder) -> None:
    left, right = (embedder.embed(side) for side in zip(*PAIRS, strict=True))
    cosines = left @ right.T
    assert cosines.argmax(axis=1).tolist() == list(range(len(PAIRS)))
    assert np.diag(cosines).min() > np.median(cosines[~np.eye(len(PAIRS), dtype=bool)]) + 0.15


def test_a_text_embeds_the_same_alone_and_among_others(embedder: Embedder) -> None:
    texts = [text for pair in PAIRS for text in pair] + ODD
    together = embedder.embed(texts)
    for text, vector in zip(texts, together, strict=True):
        assert np.array_equal(embedder.embed([text])[0], vector)


def test_no_texts_give_no_vectors(embedder: Embedder) -> None:
    assert embedder.embed([]).shape == (0, embedder.dimensions)


@pytest.mark.parametrize("text", ODD, ids=ascii)
def test_odd_text_embeds_as_something_finite(embedder: Embedder, text: str) -> None:
    vector = embedder.embed([text])[0]
    assert np.isfinite(vector).all()
    assert np.linalg.norm(vector) == pytest.approx(1.0, abs=1e-5)


def test_lone_surrogates_count_as_question_marks(embedder: Embedder) -> None:
    broken, replaced = embedder.embed(["why \ud83d not", "why ? not"])
    assert np.array_equal(broken, replaced)


def test_texts_without_a_word_embed_alike(embedder: Embedder) -> None:
    empty, blank, controls = embedder.embed(["", " \n\t ", "\0\x02"])
    assert np.array_equal(empty, blank)
    assert np.array_equal(empty, controls)


def test_of_a_long_text_head_and_tail_count(embedder: Embedder) -> None:
    head, tail = "Translate the following. " * 200, " Answer in German." * 200
    one, other = (embedder.embed([head + middle * 100_000 + tail])[0] for middle in ("stars and planets ", "x = y; "))
    headless, tailless = embedder.embed(["stars and planets " * 2000 + tail, head + "stars and planets " * 2000])
    np.testing.assert_array_equal(one, other)
    assert one @ headless < 0.99
    assert one @ tailless < 0.99


def test_threads_do_not_disturb_each_other(embedder: Embedder) -> None:
    texts = [f"question {number} about {pair[number % 2]}" for number in range(20) for pair in PAIRS]
    expected = embedder.embed(texts)
    with ThreadPoolExecutor(4) as pool:
        found = np.concatenate(list(pool.map(lambda text: embedder.embed([text]), texts)))
    np.testing.assert_array_equal(found, expected)


def test_the_fingerprint_is_that_of_the_files_and_settings(folder: Path) -> None:
    for kind in (MiniLM, Static):
        assert kind().fingerprint == kind(folder=folder).fingerprint
        assert kind().fingerprint.startswith(f"{kind.name}-")
        assert len({kind(head=100, tail=20).fingerprint, kind(head=20, tail=100).fingerprint, kind().fingerprint}) == 3
    assert MiniLM().fingerprint != Static().fingerprint
    scales = np.load(folder / "static-scales.npy")
    np.save(folder / "static-scales.npy", scales * 2)
    assert Static().fingerprint != Static(folder=folder).fingerprint


def test_only_the_static_embedder_is_instant() -> None:
    assert Static.instant
    assert not MiniLM.instant


def test_minilm_refuses_more_tokens_than_it_was_trained_on() -> None:
    with pytest.raises(ValueError, match="at most 254 tokens"):
        MiniLM(head=200, tail=55)


def test_an_excerpt_needs_a_head() -> None:
    with pytest.raises(ValueError, match="head >= 1"):
        Excerpt(head=0, tail=5)
    with pytest.raises(ValueError, match="tail >= 0"):
        Excerpt(head=1, tail=-1)


@given(text=st.text(max_size=200), head=st.integers(1, 10), tail=st.integers(0, 10))
def test_an_excerpt_is_bounded_and_keeps_short_text(text: str, head: int, tail: int) -> None:
    excerpt = Excerpt(head=head, tail=tail)
    limit = (head + tail) * CHARACTERS_PER_TOKEN
    found = excerpt.text(text)
    assert len(found) <= limit + 1
    assert len(text) > limit or found == text
    assert found.startswith(text[: head * CHARACTERS_PER_TOKEN])
    ids = list(range(len(text)))
    kept = excerpt.tokens(ids)
    assert kept == ids or kept == ids[:head] + ids[len(ids) - tail :]
    assert len(kept) <= head + tail
    packed = excerpt.tokens(b"".join(number.to_bytes(2, "little") for number in ids), width=2)
    assert np.frombuffer(packed, dtype="<u2").tolist() == kept


CHARACTERS = st.one_of(
    st.characters(codec="ascii"),
    st.characters(),
    st.characters(categories=["Cs", "Cc", "Cf", "Mn", "Zs", "Zl", "Zp"]),
    st.characters(min_codepoint=0x4E00, max_codepoint=0x9FFF),
    st.sampled_from("  \t\n\r\v\f\x1c\x85\xa0\u2028\u3000.,:;_-'`[]#ÅéİßΣς你界가ﬁ😀"),
)
WORDS = st.sampled_from(
    ["The", "unaffable", "tokenization", "##ing", "[CLS]", "[UNK]", "don't", "x=3", "naïve", "a" * 101]
)


@given(parts=st.lists(st.one_of(WORDS, st.text(CHARACTERS, max_size=12), st.just(" ")), max_size=20))
def test_word_pieces_are_those_of_the_library(tokenizer: Tokenizer, parts: list[str]) -> None:
    text = "".join(parts)
    expected = tokenizer.encode(text.encode(errors="replace").decode(), add_special_tokens=False).ids
    pieces = WordPieces(tokenizer)
    for _ in ("first", "remembered"):
        assert np.frombuffer(pieces.encode(text), dtype="<u2").tolist() == expected


def test_every_character_gives_the_library_s_word_pieces(tokenizer: Tokenizer) -> None:
    pieces = WordPieces(tokenizer)
    texts = [f"a{chr(code)}1 {chr(code)}" for code in range(0x20000) if not 0xD800 <= code < 0xE000]
    for text, expected in zip(texts, tokenizer.encode_batch_fast(texts, add_special_tokens=False), strict=True):
        assert np.frombuffer(pieces.encode(text), dtype="<u2").tolist() == expected.ids, ascii(text)


def test_word_pieces_remember_a_bounded_number_of_short_chunks(tokenizer: Tokenizer) -> None:
    pieces = WordPieces(tokenizer)
    pieces.encode("b" * (REMEMBERED_LENGTH + 1))
    assert not pieces
    for number in range(REMEMBERED_CHUNKS + 10):
        pieces.encode(str(number))
    assert 0 < len(pieces) <= REMEMBERED_CHUNKS


def test_importing_loads_neither_torch_nor_onnxruntime() -> None:
    code = "import sys, router_models.embedders; print({'torch', 'onnxruntime', 'onnx'} & set(sys.modules))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "set()"


def test_embedding_leaves_no_trace_in_the_home_folder(tmp_path: Path) -> None:
    """The runtime's telemetry, were it on, would keep a device's id there and report by it."""
    code = "from router_models.embedders import load; load('minilm').embed(['a'])"
    paths = os.pathsep.join(path for path in sys.path if path)
    subprocess.run([sys.executable, "-c", code], check=True, env={"HOME": str(tmp_path), "PYTHONPATH": paths})
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["", "word2vec", "minilm:large", "sentence-transformers", "sentence-transformers:"])
def test_an_unknown_embedder_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="there are minilm, static and sentence-transformers:MODEL"):
        load(name)


def test_a_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sentence_transformers", None)
    with pytest.raises(ImportError, match=r"pip install 'polyculture\[sentence-transformers\]'"):
        load("sentence-transformers:all-mpnet-base-v2")


def test_exact_int8_products_are_asked_for_where_the_processor_needs_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    info = tmp_path / "cpuinfo"
    monkeypatch.setattr("platform.machine", lambda: "x86_64")
    assert may_saturate(info)  # nothing is known of it
    info.write_text("flags : fpu avx2 avx512f\n")
    assert may_saturate(info)
    info.write_text("flags : fpu avx2 avx512f avx512_vnni\n")
    assert not may_saturate(info)
    info.write_text("flags : fpu avx2 avx_vnni\n")
    assert not may_saturate(info)
    info.unlink()
    monkeypatch.setattr("platform.machine", lambda: "aarch64")
    assert not may_saturate(info)


def test_exact_and_fast_products_embed_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = ["What is 12 + 30?", "The staff was rude and the room dirty. " * 20, "def f(x): return x"]
    vectors = []
    for care in (True, False):
        monkeypatch.setattr("router_models.embedders.minilm.may_saturate", lambda care=care: care)
        vectors.append(MiniLM().embed(texts))
    if not may_saturate():
        assert np.allclose(vectors[0], vectors[1], atol=1e-5)
    assert np.allclose(np.linalg.norm(vectors, axis=2), 1.0, atol=1e-5)
