"""A fold on disk: arrays plus a JSON manifest in one ``.npz``, with a schema version and a checksum; never pickle."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from typing import Any, NamedTuple

import msgspec
import numpy as np

from gateway.events import ArmSet, LineageStarted, decode, encode
from gateway.fold import Fold
from gateway.npz import Contents, document, dump, read, text
from gateway.tenant_state import TenantState, split
from gateway.tenants import Membership, Named, PolicyMaker
from gateway.trust.judgement import Judges
from router_models.policy import InvalidState

SCHEMA = 6
_MANIFEST = "manifest"


class Archive(NamedTuple):
    """A saved fold: the events up to ``position`` are in it."""

    position: int
    checksum: str
    data: bytes


def contents(fold: Fold) -> Contents:
    """A private copy of all that a fold holds, as named arrays; quick, so that it may run on the event loop."""
    tenants = sorted(fold.states)
    manifest = {
        "schema": SCHEMA,
        "position": fold.position,
        "lineage": fold.lineage,
        "policy": fold.live,
        "shadow": fold.second,
        "frozen": sorted(fold.freezes),
        "judges": fold.judges.said(),
        "learned": fold.learned,
        "pool": fold.pool,
        "tenants": tenants,
        "labels": fold.labels(),
    }
    found: Contents = {
        _MANIFEST: text(manifest),
        "lineage": np.frombuffer(encode(fold.started), np.uint8),
        "arms": np.frombuffer(msgspec.msgpack.encode([encode(arm) for arm in fold.arms.values()]), np.uint8),
    }
    for number, tenant in enumerate(tenants):
        for name, array in fold.states[tenant].arrays().items():
            found[f"{number}/{name}"] = np.array(array)
    return found


def pack(arrays: Contents) -> Archive:
    """The arrays as one file, the same for the same arrays."""
    data = dump(arrays)
    return Archive(document(arrays[_MANIFEST])["position"], checksum(data), data)


def checksum(data: bytes) -> str:
    """SHA-256 of a packed archive: equal states have equal checksums."""
    return hashlib.sha256(data).hexdigest()


def unpack(archive: Archive, *, make_policy: PolicyMaker, tenants: Collection[str] | None = None) -> Fold:
    """The fold that was saved, or of it only some tenants' states.

    Raises :class:`InvalidState` when it was damaged or is of another schema.
    """
    if checksum(archive.data) != archive.checksum:
        raise InvalidState(f"the snapshot at {archive.position} does not match its checksum")
    try:
        arrays = read(archive.data)
        manifest = document(arrays[_MANIFEST])
        if manifest["schema"] != SCHEMA:
            raise InvalidState(f"it has schema {manifest['schema']}, not {SCHEMA}")
        return _fold(arrays, manifest, make_policy=make_policy, tenants=tenants)
    except Exception as error:  # a file that others wrote can be wrong in any way
        raise InvalidState(f"the snapshot at {archive.position} cannot be used: {error}") from error


def _fold(
    arrays: Contents, manifest: dict[str, Any], *, make_policy: PolicyMaker, tenants: Collection[str] | None
) -> Fold:
    fold = Fold(make_policy=make_policy)
    started = decode(LineageStarted.kind, arrays["lineage"].tobytes())
    if manifest["lineage"] and isinstance(started, LineageStarted):
        shadow = manifest["shadow"]
        fold.follow(Named(*manifest["policy"]), None if shadow is None else Named(*shadow))
        fold.begin(manifest["lineage"], started)
    for payload in msgspec.msgpack.decode(arrays["arms"].tobytes()):
        arm = decode(ArmSet.kind, payload)
        assert isinstance(arm, ArmSet)
        fold.arms[arm.name] = arm
    found = split(arrays)
    if manifest["tenants"] and fold.policy is None:
        raise InvalidState("it has tenants, and no lineage")
    for number, tenant in enumerate(manifest["tenants"]):
        if tenants is None or tenant in tenants:
            fold.states[tenant] = TenantState.load(found.get(str(number), {}), policy=fold.policy, shadow=fold.shadow)
    fold.pool = {tenant: Membership(*part) for tenant, part in manifest["pool"].items()}
    fold.position = fold.base = manifest["position"]
    fold.judges = Judges.of(manifest.get("judges"))
    fold.freezes, fold.learned = set(manifest["frozen"]), manifest["learned"]
    fold.saved = manifest["labels"]
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
        if np.array_equal(array, twin, equal_nan=array.dtype.kind == "f"):
            continue
        if array.dtype.kind != "f" or not (np.isfinite(array) & np.isfinite(twin)).all():
            return float("inf")
        largest = max(largest, float(np.abs(array - twin).max()))
    return largest
