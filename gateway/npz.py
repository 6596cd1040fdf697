"""Named arrays in one file: numpy's ``.npz``, which every numerical tool reads; never pickle."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

import numpy as np
import numpy.typing as npt

Contents = dict[str, npt.NDArray[Any]]


def dump(arrays: Contents) -> bytes:
    """The arrays as one file, the same for the same arrays."""
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, **arrays)
    return buffer.getvalue()


def unpacked(data: bytes) -> int:
    """How many bytes a file says that it takes unpacked; reading never gives more. Raises as :func:`read` does."""
    with zipfile.ZipFile(io.BytesIO(data)) as file:
        return sum(each.file_size for each in file.infolist())


def read(data: bytes) -> Contents:
    """What :func:`dump` was given. Raises whatever a file can be wrong by."""
    with np.load(io.BytesIO(data), allow_pickle=False) as file:
        return {name: file[name] for name in file.files}


def text(document: Any) -> npt.NDArray[np.uint8]:
    """A document that JSON can say, as an array."""
    return np.frombuffer(json.dumps(document, sort_keys=True).encode(), np.uint8)


def document(array: npt.NDArray[Any]) -> Any:
    """What :func:`text` was given."""
    return json.loads(array.tobytes())
