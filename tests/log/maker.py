"""Makes a long log, as many requests leave it: decisions and answers, and now and then feedback.

``python -m tests.log.maker DIRECTORY EVENTS BEHIND`` adds EVENTS events to the database in DIRECTORY, which a gateway
has written to before, and saves a snapshot that is BEHIND events behind its end; with BEHIND 0, none.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from itertools import chain, count, islice
from pathlib import Path

import numpy as np
import sqlalchemy as sa

from gateway.archive import contents, pack
from gateway.database import begin, connect
from gateway.events import Event
from gateway.fold import Fold
from gateway.history import restore
from gateway.schema import snapshots
from gateway.transaction import Record, Transaction
from router_models import make
from tests.log.samples import TENANT, answer, decision, feedback

#: Every so many requests, one gets feedback.
FEEDBACK_EVERY = 100

#: Events in one transaction of the maker's.
BLOCK = 10_000


def lengthen(data_dir: Path, *, by: int, behind: int) -> int:
    """Add ``by`` events, and a snapshot ``behind`` events before the last. Returns the log's end."""
    with connect(data_dir).connect() as connection:
        fold = restore(connection, make_policy=make)
        end = fold.position + by
        made = islice(chain.from_iterable(_requests(fold)), by)
        while fold.position < end:
            records = _append(connection, fold.position, islice(made, BLOCK))
            for each in records:
                if behind and each.seq == end - behind + 1:
                    _save(connection, fold)
                assert fold.apply(each)
    return end


def _requests(fold: Fold) -> Iterator[list[tuple[bytes, Event]]]:
    names, dimensions = list(fold.arms), fold.started.dimensions
    decisions = [
        decision(name, arms=names, seed=seed, lineage=fold.lineage, dimensions=dimensions)
        for seed, name in enumerate(islice(chain.from_iterable([names] * 64), 64))
    ]
    rng = np.random.default_rng(0)
    for number in count():
        seed = int(rng.integers(64))
        chosen = decisions[seed].chosen
        subject = number.to_bytes(16, "big")
        request: list[tuple[bytes, Event]] = [(subject, decisions[seed]), (subject, answer(chosen))]
        if number % FEEDBACK_EVERY == 0:
            said = feedback(chosen, float(rng.random()), seed=seed, lineage=fold.lineage, dimensions=dimensions)
            request.append((subject, said))
        yield request


def _append(connection: sa.Connection, position: int, made: Iterator[tuple[bytes, Event]]) -> list[Record]:
    transaction = Transaction(connection=connection, position=position, at=1)
    with begin(connection):
        for subject, event in made:
            transaction.append(event, tenant=TENANT, subject=subject, source=None)
        transaction.flush()
    return transaction.records


def _save(connection: sa.Connection, fold: Fold) -> None:
    archive = pack(contents(fold))
    row = {"position": archive.position, "at": 1, "checksum": archive.checksum, "archive": archive.data}
    with begin(connection):
        connection.execute(snapshots.delete())
        connection.execute(snapshots.insert(), row)


if __name__ == "__main__":
    directory, wanted, lag = sys.argv[1:]
    print("log ends at", lengthen(Path(directory), by=int(wanted), behind=int(lag)))
