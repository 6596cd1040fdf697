"""Checking what was saved against the log: the whole of it is folded anew, and compared wherever a state was saved."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import sqlalchemy as sa

from gateway.archive import contents, difference, pack, unpack
from gateway.controls import Controls
from gateway.fold import Fold
from gateway.history import archives, records, refold, restore
from gateway.tenants import PolicyMaker


@dataclass(slots=True, kw_only=True)
class Verification:
    """``saved`` is the checksum of the state that the next start would have, ``refolded`` of what the log says;
    ``gap`` their largest difference. ``versions`` are the largest differences of saved versions, by position;
    ``superseded`` those that hold under no controls known now, and are never used.
    """

    events: int = 0
    feedback: int = 0
    saved: str = ""
    refolded: str = ""
    gap: float = 0.0
    versions: dict[int, float] = field(default_factory=dict)
    superseded: list[int] = field(default_factory=list)

    @property
    def largest(self) -> float:
        """The largest difference of all."""
        return max([self.gap, *self.versions.values()])


def verify(
    connection: sa.Connection, *, make_policy: PolicyMaker, progress: Callable[[int], None] = lambda seq: None
) -> Verification:
    """Fold everything from the first event; ``progress`` is told each position.

    Raises :class:`router_models.policy.InvalidState` for a damaged version, and
    :class:`gateway.events.UnknownEvent`.
    """
    fold = Fold(make_policy=make_policy, controls=Controls.read(connection))
    found, sound = _others(connection, fold.controls, make_policy=make_policy)
    for record in records(connection):
        found.versions.update(_passed(connection, fold, sound, upto=record.seq - 1))
        fold.apply(record)
        progress(record.seq)
    found.versions.update(_passed(connection, fold, sound, upto=fold.position))
    found.versions.update(dict.fromkeys(sound, math.inf))  # they are ahead of the log
    start = restore(connection, make_policy=make_policy)
    found.events, found.feedback, found.gap = fold.position, fold.lessons, _gap(start, fold)
    found.saved, found.refolded = pack(contents(start)).checksum, pack(contents(fold)).checksum
    return found


def _others(
    connection: sa.Connection, controls: Controls, *, make_policy: PolicyMaker
) -> tuple[Verification, list[int]]:
    """What there is to say of versions that were saved under other controls, and where the others are, last first."""
    found, sound = Verification(), list[int]()
    for archive in archives(connection):
        saved = unpack(archive, make_policy=make_policy)
        if not saved.stale(controls):
            sound.append(archive.position)
        elif not saved.stale(Controls.read(connection, upto=archive.position)):
            anew = refold(connection, make_policy=make_policy, upto=archive.position)
            found.versions[archive.position] = _gap(saved, anew)
        else:
            found.superseded.append(archive.position)
    return found, sound


def _passed(connection: sa.Connection, fold: Fold, sound: list[int], *, upto: int) -> Iterator[tuple[int, float]]:
    """The versions that the fold comes by on its way to ``upto``, and their differences from it."""
    while sound and sound[-1] <= upto:
        position = sound.pop()
        saved = unpack(next(archives(connection, upto=position)), make_policy=fold.make_policy)
        saved.govern(fold.controls)
        yield position, _gap(saved, fold)


def _gap(saved: Fold, fold: Fold) -> float:
    """How far apart they are, where the saved one stands: the event there may have been erased since."""
    fold.position = max(fold.position, saved.position)
    return difference(contents(saved), contents(fold))
