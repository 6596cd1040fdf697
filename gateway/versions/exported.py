"""What one tenant's router has learned, as a file that can be taken elsewhere.

An ``.npz`` of arrays without pickles: ``manifest`` is JSON in UTF-8, and each ``state/<name>`` is one of the policy's
arrays (README.md in ``router_models`` tells what they are). The manifest names the format, the feature space (embedder
and dimensions), the policy with all of its hyperparameters, the arms, and a SHA-256 over the arrays: of each in order
of their names, its name, dtype and shape as text and its bytes. Equal states give equal files, byte for byte. Who told
what stays at home, where people are known: elsewhere all that was learned is as if vouched for.
"""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec

from gateway.npz import Contents, document, dump, read, text, unpacked
from gateway.tenants import Tenants
from router_models.policy import TELLTALE, InvalidState

FORMAT = "polyculture-state/1"

#: Most that a file may take unpacked: a state of 4,000 models. A small file can be packed of terabytes of zeros.
MOST_BYTES = 256 * 2**20

_PREFIX = "state/"


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What an exported file says of itself; ``checksum`` is over its arrays."""

    format: str
    embedder: str
    dimensions: int
    policy: str
    parameters: dict[str, Any]
    arms: list[str]
    checksum: str


class Exported(msgspec.Struct, frozen=True):
    """An exported file, read."""

    manifest: Manifest
    arrays: Contents


def export(tenants: Tenants, tenant: str) -> bytes:
    """What this tenant's policy has learned. Raises ``LookupError`` before the first lineage."""
    state, policy = tenants.state(tenant), tenants.policy
    assert policy is not None
    arrays = {name: array for name, array in state.arrays().items() if name not in TELLTALE}
    manifest = Manifest(
        format=FORMAT,
        embedder=tenants.started.embedder,
        dimensions=tenants.started.dimensions,
        policy=tenants.live.policy,
        parameters=dict(policy.parameters),
        arms=list(state.snapshot().arms),
        checksum=checksum(arrays),
    )
    named = {f"{_PREFIX}{name}": arrays[name] for name in sorted(arrays)}
    return dump({"manifest": text(msgspec.to_builtins(manifest)), **named})


def exported(data: bytes) -> Exported:
    """Read an exported file. Raises :class:`InvalidState` for one that is none, or damaged."""
    try:
        if unpacked(data) > MOST_BYTES:
            raise ValueError(f"unpacked, it takes more than {MOST_BYTES} bytes")
        arrays = read(data)
        manifest = msgspec.convert(document(arrays.pop("manifest")), Manifest)
    except Exception as error:  # a file that others wrote can be wrong in any way
        raise InvalidState(f"this is no exported state: {error}") from error
    if manifest.format != FORMAT:
        raise InvalidState(f"this file is of the format {manifest.format!r}, not {FORMAT!r}")
    state = {name.removeprefix(_PREFIX): array for name, array in arrays.items() if name.startswith(_PREFIX)}
    if checksum(state) != manifest.checksum or len(state) != len(arrays):
        raise InvalidState("this exported state is damaged: its arrays do not match its checksum")
    return Exported(manifest, state)


def checksum(arrays: Contents) -> str:
    """The SHA-256 that the manifest tells, in hexadecimal."""
    digest = hashlib.sha256()
    for name in sorted(arrays):
        array = arrays[name]
        digest.update(f"{name} {array.dtype.str} {array.shape}".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()
