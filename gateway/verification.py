"""Checking what was saved against the log: the whole of it is folded anew, and compared wherever a state was saved."""

from __future__ import annotations

import math
from collections.abc import Callable
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
        fold.apply(record)
        progress(record.seq)
        if record.seq in sound:
            sound.remove(record.seq)
            found.versions[record.seq] = _gap(_saved(connection, record.seq, make_policy=make_policy), fold)
    found.versions.update(dict.fromkeys(sound, math.inf))  # they are ahead of the log
    start = restore(connection, make_policy=make_policy)
    found.events, found.feedback, found.gap = fold.position, fold.lessons, _gap(start, fold)
    found.saved, found.refolded = pack(contents(start)).checksum, pack(contents(fold)).checksum
    return found


def _others(
    connection: sa.Connection, controls: Controls, *, make_policy: PolicyMaker
) -> tuple[Verification, set[int]]:
    """What there is to say of versions that were saved under other controls, and where the others are."""
    found, sound = Verification(), set()
    for archive in archives(connection):
        saved = unpack(archive, make_policy=make_policy)
        if not saved.stale(controls):
            sound.add(archive.position)
        elif not saved.stale(Controls.read(connection, upto=archive.position)):
            found.versions[archive.position] = _gap(
                saved, refold(connection, make_policy=make_policy, upto=archive.position)
            )
        else:
            found.superseded.append(archive.position)
    return found, sound


def _saved(connection: sa.Connection, position: int, *, make_policy: PolicyMaker) -> Fold:
    return unpack(next(archives(connection, upto=position)), make_policy=make_policy)


def _gap(saved: Fold, fold: Fold) -> float:
    return difference(contents(saved), contents(fold))
