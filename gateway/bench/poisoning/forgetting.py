"""What is known after feedback was revoked, beside the fold of a log that never had it."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import msgspec

from gateway.archive import difference
from gateway.controls import Controls
from gateway.database import connect
from gateway.events import Feedback
from gateway.fold import Fold
from gateway.history import records, restore
from gateway.keys import DEFAULT_TENANT
from gateway.npz import Contents
from gateway.versions.exported import export, exported
from router_models import make


class Forgotten(msgspec.Struct, frozen=True, kw_only=True):
    """``outcomes`` were left out of the log. ``live`` is the largest difference of what the running gateway exported,
    ``saved`` of all that it keeps of the tenant but the list of what does not count.
    """

    outcomes: int
    live: float
    saved: float


def forgotten(data_dir: Path, archive: bytes, *, users: Collection[str]) -> Forgotten:
    """Fold the log without these end users' feedback, and compare. The gateway has stopped by then."""
    sources = {f"{DEFAULT_TENANT}/{user}" for user in users}
    engine = connect(data_dir)
    with engine.connect() as connection:
        clean, outcomes = Fold(make_policy=make, controls=Controls.read(connection)), 0
        for record in records(connection):
            if record.kind == Feedback.kind and record.source in sources:
                outcomes += 1
            else:
                clean.apply(record)
        kept = restore(connection, make_policy=make)
    engine.dispose()
    live = difference(exported(archive).arrays, exported(export(clean, DEFAULT_TENANT)).arrays)
    return Forgotten(outcomes=outcomes, live=live, saved=difference(_known(kept), _known(clean)))


def _known(fold: Fold) -> Contents:
    """All that is kept of the tenant, less the list of what does not count."""
    arrays = fold.states[DEFAULT_TENANT].arrays()
    return {name: array for name, array in arrays.items() if not name.startswith("withheld/")}
