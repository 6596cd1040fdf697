"""A fold on disk: arrays plus a JSON manifest in one ``.npz``, with a schema version and a checksum; never pickle."""

from __future__ import annotations

import hashlib
import io
import json
from typing import Any, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from gateway.events import ArmSet, LineageStarted, decode, encode
from gateway.fold import Fold, PolicyMaker
from router_models.policy import InvalidState

SCHEMA = 1
_MANIFEST = "manifest"

Contents = dict[str, npt.NDArray[Any]]


class Archive(NamedTuple):
    """A saved fold: the events up to ``position`` are in it."""

    position: int
    checksum: str
    data: bytes


def contents(fold: Fold) -> Contents:
    """A private copy of all that a fold holds, as named arrays; quick, so that it may run on the event loop."""
    tenants = list(fold.states)
    manifest = {
        "schema": SCHEMA,
        "position": fold.position,
        "lineage": fold.lineage,
        "frozen": fold.frozen,
        "lessons": fold.lessons,
        "learned": fold.learned,
        "tenants": tenants,
    }
    found: Contents = {
        _MANIFEST: np.frombuffer(json.dumps(manifest, sort_keys=True).encode(), np.uint8),
        "lineage": np.frombuffer(encode(fold.started), np.uint8),
        "arms": np.frombuffer(msgspec.msgpack.encode([encode(arm) for arm in fold.arms.values()]), np.uint8),
    }
    for number, tenant in enumerate(tenants):
        for name, array in fold.states[tenant].arrays().items():
            found[f"{number}/{name}"] = np.array(array)
    return found


def checksum(arrays: Contents) -> str:
    """SHA-256 over names, types, shapes and values: equal states have equal checksums."""
    digest = hashlib.sha256()
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        digest.update(f"{name}|{array.dtype.str}|{array.shape}|".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()


def pack(arrays: Contents) -> Archive:
    """The arrays as one file."""
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, **arrays)
    manifest = json.loads(arrays[_MANIFEST].tobytes())
    return Archive(manifest["position"], checksum(arrays), buffer.getvalue())


def unpack(archive: Archive, *, make_policy: PolicyMaker) -> Fold:
    """The fold that was saved. Raises :class:`InvalidState` when it was damaged or is of another schema."""
    try:
        with np.load(io.BytesIO(archive.data), allow_pickle=False) as file:
            arrays: Contents = {name: file[name] for name in file.files}
    except (OSError, ValueError, KeyError) as error:
        raise InvalidState(f"the snapshot at {archive.position} cannot be read: {error}") from error
    if checksum(arrays) != archive.checksum:
        raise InvalidState(f"the snapshot at {archive.position} does not match its checksum")
    manifest = json.loads(arrays[_MANIFEST].tobytes())
    if manifest["schema"] != SCHEMA:
        raise InvalidState(f"the snapshot at {archive.position} has schema {manifest['schema']}, not {SCHEMA}")
    fold = Fold(make_policy=make_policy)
    started = decode(LineageStarted.kind, arrays["lineage"].tobytes())
    if manifest["lineage"] and isinstance(started, LineageStarted):
        fold.start(manifest["lineage"], started)
    for payload in msgspec.msgpack.decode(arrays["arms"].tobytes()):
        arm = decode(ArmSet.kind, payload)
        assert isinstance(arm, ArmSet)
        fold.arms[arm.name] = arm
    for number, tenant in enumerate(manifest["tenants"]):
        prefix = f"{number}/"
        mine = {name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)}
        assert fold.policy is not None
        fold.states[tenant] = fold.policy.load(mine)
    fold.position, fold.frozen, fold.lessons = manifest["position"], manifest["frozen"], manifest["lessons"]
    fold.learned = manifest["learned"]
    return fold


def difference(one: Contents, other: Contents) -> float:
    """The largest absolute difference between two folds' arrays; infinite where they differ in kind."""
    if one.keys() != other.keys():
        return float("inf")
    largest = 0.0
    for name, array in one.items():
        twin = other[name]
        if array.shape != twin.shape or array.dtype != twin.dtype:
            return float("inf")
        if array.dtype.kind == "f":
            gap = np.abs(array - twin)
            largest = max(largest, float(gap.max(initial=0.0)) if np.isfinite(gap).all() else float("inf"))
        elif not np.array_equal(array, twin):
            return float("inf")
    return largest
