"""Checking what was saved against the log: the whole of it is folded anew, and compared wherever a state was saved."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

import sqlalchemy as sa

from gateway.archive import contents, difference, pack, unpack
from gateway.controls import Controls
from gateway.database import moment
from gateway.fold import Fold
from gateway.history import archives, records, restore
from gateway.tenants import PolicyMaker
from gateway.versions.version import altered


@dataclass(slots=True, kw_only=True)
class Verification:
    """``saved`` is the checksum of the state that the next start would have, ``refolded`` of what the log says;
    ``gap`` their largest difference. ``versions`` are the largest differences of saved versions, by position;
    ``superseded`` those that hold under no controls known now, and are never used; ``altered`` the columns in which
    a version's row tells something else than its state does.
    """

    events: int = 0
    feedback: int = 0
    saved: str = ""
    refolded: str = ""
    gap: float = 0.0
    versions: dict[int, float] = field(default_factory=dict)
    superseded: list[int] = field(default_factory=list)
    altered: dict[int, list[str]] = field(default_factory=dict)

    @property
    def largest(self) -> float:
        """The largest difference of all."""
        return max([self.gap, *self.versions.values()])


def verify(
    connection: sa.Connection, *, make_policy: PolicyMaker, progress: Callable[[int], None] = lambda seq: None
) -> Verification:
    """Fold everything from the first event; ``progress`` is told each position. A gateway may write meanwhile.

    Raises :class:`router_models.policy.InvalidState` for a damaged version, and
    :class:`gateway.events.UnknownEvent`.
    """
    with moment(connection):
        return _verified(connection, make_policy=make_policy, progress=progress)


def _verified(connection: sa.Connection, *, make_policy: PolicyMaker, progress: Callable[[int], None]) -> Verification:
    controls = Controls.read(connection)
    found, groups = _grouped(connection, controls, make_policy=make_policy)
    now = groups.pop(controls.last, _Group(controls, []))
    for group in groups.values():
        _fold(connection, group, found, make_policy=make_policy, upto=group.positions[0])
    fold = _fold(connection, now, found, make_policy=make_policy, progress=progress)
    found.versions.update(dict.fromkeys(now.positions, math.inf))  # they are ahead of the log
    start = restore(connection, make_policy=make_policy)
    found.events, found.feedback, found.gap = fold.position, fold.lessons, _gap(start, fold)
    found.saved, found.refolded = pack(contents(start)).checksum, pack(contents(fold)).checksum
    return found


class _Group(NamedTuple):
    """Versions that were folded under the same controls: their positions, last first."""

    controls: Controls
    positions: list[int]


def _grouped(
    connection: sa.Connection, controls: Controls, *, make_policy: PolicyMaker
) -> tuple[Verification, dict[int, _Group]]:
    """The versions by the last of their controls: today's, or those that were known when they were saved."""
    found, groups = Verification(), dict[int, _Group]()
    for archive in archives(connection):
        saved = unpack(archive, make_policy=make_policy)
        if wrong := altered(connection, archive.position, saved):
            found.altered[archive.position] = wrong
        own = controls if not saved.stale(controls) else Controls.read(connection, upto=archive.position)
        if saved.stale(own):
            found.superseded.append(archive.position)
        else:
            groups.setdefault(own.last, _Group(own, [])).positions.append(archive.position)
    return found, groups


def _fold(
    connection: sa.Connection,
    group: _Group,
    found: Verification,
    *,
    make_policy: PolicyMaker,
    upto: int | None = None,
    progress: Callable[[int], None] = lambda seq: None,
) -> Fold:
    """Fold under the group's controls, and note the differences of its versions on the way."""
    fold = Fold(make_policy=make_policy, controls=group.controls)
    for record in records(connection, upto=upto):
        found.versions.update(_passed(connection, fold, group.positions, upto=record.seq - 1))
        fold.apply(record)
        progress(record.seq)
    found.versions.update(_passed(connection, fold, group.positions, upto=upto or fold.position))
    return fold


def _passed(connection: sa.Connection, fold: Fold, positions: list[int], *, upto: int) -> Iterator[tuple[int, float]]:
    """The versions that the fold comes by on its way to ``upto``, and their differences from it."""
    while positions and positions[-1] <= upto:
        position = positions.pop()
        saved = unpack(next(archives(connection, upto=position)), make_policy=fold.make_policy)
        saved.govern(fold.controls)
        yield position, _gap(saved, fold)


def _gap(saved: Fold, fold: Fold) -> float:
    """How far apart they are, where the saved one stands: the event there may have been erased since."""
    fold.position = max(fold.position, saved.position)
    return difference(contents(saved), contents(fold))
