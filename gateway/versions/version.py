"""A version: what a saved state is, to people and to auditors."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Literal

import msgspec
import sqlalchemy as sa

from gateway.archive import Archive
from gateway.fold import Fold
from gateway.schema import snapshots
from gateway.transaction import Transaction

#: How many saved versions are kept beside the pinned ones.
KEEP = 20

#: Why a version was saved: now and then, at the end, after the past was folded anew, or because somebody asked.
Reason = Literal["routine", "stop", "refold", "asked", ""]


class UnknownVersion(LookupError):
    """There is no such version."""


class Version(msgspec.Struct, frozen=True):
    """A saved state. ``id`` is ``<lineage>.<position>``: the events up to there are in it.

    ``parent`` is the version that it went on from, ``at`` in microseconds since the epoch.
    """

    id: str
    position: int
    lineage: int
    parent: str
    at: int
    checksum: str
    embedder: str
    policy: str
    parameters: dict[str, Any]
    figures: dict[str, Any]
    pinned: bool
    reason: str


class Meaning(msgspec.Struct, frozen=True):
    """What a version is beside its arrays, told while the fold is at hand."""

    lineage: int
    parent: str
    embedder: str
    policy: str
    parameters: str
    figures: str
    reason: str

    @classmethod
    def of(cls, fold: Fold, *, parent: int, reason: Reason) -> Meaning:
        """What this fold is, saved now; ``parent`` is the position of the one it went on from, 0 for none."""
        return cls(
            lineage=fold.lineage,
            parent=name(fold.lineage, parent) if parent else "",
            embedder=fold.started.embedder,
            policy=fold.live.policy,
            parameters=fold.live.parameters,
            figures=json.dumps({"lessons": fold.lessons, "tenants": len(fold.states), "arms": len(fold.arms)}),
            reason=reason,
        )

    @property
    def recomputed(self) -> dict[str, Any]:
        """What of it the state alone tells, by its columns."""
        told = msgspec.structs.asdict(self)
        del told["parent"], told["reason"]
        return told


def name(lineage: int, position: int) -> str:
    """A version's id."""
    return f"{lineage}.{position}"


def place(version: str) -> tuple[int, int]:
    """A version's lineage and position. Raises :class:`UnknownVersion`."""
    lineage, dot, position = version.partition(".")
    if not (dot and lineage.isascii() and lineage.isdigit() and position.isascii() and position.isdigit()):
        raise UnknownVersion(f"there is no version {version!r}: versions are called like 1.200")
    return int(lineage), int(position)


def write(archive: Archive, meaning: Meaning, transaction: Transaction) -> None:
    """Put a saved state in, and the oldest ones that nobody pinned out."""
    connection, at = transaction.connection, snapshots.c.position
    pinned = connection.execute(sa.select(snapshots.c.pinned).where(at == archive.position)).scalar() or False
    connection.execute(snapshots.delete().where(at == archive.position))
    row = {"position": archive.position, "checksum": archive.checksum, "archive": archive.data, "at": transaction.at}
    connection.execute(snapshots.insert(), {**row, **msgspec.structs.asdict(meaning), "pinned": pinned})
    newest = sa.select(at).order_by(at.desc()).limit(KEEP)
    connection.execute(snapshots.delete().where(at.not_in(newest), ~snapshots.c.pinned))


def pin(position: int, pinned: bool, transaction: Transaction) -> None:
    """Keep a version for good, or no longer. Raises :class:`UnknownVersion`."""
    where = snapshots.c.position == position
    changed = transaction.connection.execute(snapshots.update().where(where).values(pinned=pinned))
    if not changed.rowcount:
        raise UnknownVersion(f"no version is saved at {position}")


def versions(connection: sa.Connection, *where: sa.ColumnElement[bool]) -> Iterator[Version]:
    """The saved versions, newest first."""
    columns = [column for column in snapshots.c if column.name != "archive"]
    query = sa.select(*columns).where(*where).order_by(snapshots.c.position.desc())
    for row in connection.execute(query).mappings():
        texts = {key: json.loads(row[key]) for key in ("parameters", "figures")}
        yield Version(**{**row, **texts, "id": name(row["lineage"], row["position"])})


def altered(connection: sa.Connection, position: int, saved: Fold) -> list[str]:
    """The columns of the version at ``position`` that tell something else than its state, which was ``saved``, does.

    When, why and for how long it was saved, and which earlier version it went on from, is told by its row alone.
    """
    told = {"position": saved.position, **Meaning.of(saved, parent=0, reason="").recomputed}
    columns = [snapshots.c[column] for column in (*told, "parent")]
    row = connection.execute(sa.select(*columns).where(snapshots.c.position == position)).mappings().one()
    wrong = [column for column, value in told.items() if row[column] != value]
    return wrong if _earlier(row["parent"], saved) else [*wrong, "parent"]


def _earlier(parent: object, saved: Fold) -> bool:
    """Whether a version can have gone on from this one."""
    if parent == "":
        return True
    try:
        lineage, position = place(str(parent))
    except UnknownVersion:
        return False
    return lineage == saved.lineage and 0 < position < saved.position and parent == name(lineage, position)
