"""What in the database is a tenant's or an end user's, and removing it piece by piece.

Each function works within the caller's transaction. A table joins by the names of its columns alone: ``tenant`` says
whose a row is, ``source`` who said it, ``subject`` which decision it speaks of.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import sqlalchemy as sa

from gateway import npz
from gateway.events import (
    EVERYONE,
    Checkpoint,
    Decision,
    Feedback,
    FeedbackExcluded,
    FeedbackReleased,
    Payment,
    decode,
    encode,
)
from gateway.governance.receipt import Removed
from gateway.schema import RARE, erasures, events, keys, metadata, salts, spend
from gateway.transaction import Record, Transaction
from gateway.trust.credit import number
from router_models.trust.names import written

#: Positions of the log that one piece of work goes over, and decisions of an end user's.
PIECE, DECISIONS = 2_000, 200

#: Where names stand for other reasons: each is dealt with by itself.
APART = (events, keys, salts, erasures, spend)

#: What is taught by feedback.
_TEACHES = (Feedback.kind, FeedbackReleased.kind)


def extent(connection: sa.Connection, tenant: str) -> tuple[int, int]:
    """The positions of a tenant's first event, 0 for none, and of the log's last one."""
    position = sa.func.coalesce(sa.func.min(events.c.seq), 0)
    first = connection.execute(sa.select(position).where(events.c.tenant == tenant)).scalar_one()
    return first, connection.execute(sa.select(sa.func.max(events.c.seq))).scalar() or 0


def sweep(transaction: Transaction, tenant: str, *, after: int, upto: int) -> Removed:
    """Remove a tenant's events past ``after``, up to ``upto``."""
    transaction.flush()
    where = sa.and_(events.c.tenant == tenant, events.c.seq > after, events.c.seq <= upto)
    answers = sa.select(events.c.payload).where(where, events.c.kind == Payment.kind)
    spent = sum(_cost(payload) for payload in transaction.connection.execute(answers).scalars())
    return Removed(events=transaction.connection.execute(events.delete().where(where)).rowcount, spent=spent)


def decisions(connection: sa.Connection, tenant: str, source: str, *, after: int) -> list[bytes]:
    """The decisions of which an end user said something past ``after``, and so the requests that count as theirs."""
    said = (
        sa.select(events.c.subject)
        .where(events.c.tenant == tenant, events.c.source == source, events.c.seq > after)
        .distinct()
    )
    return [subject for subject in connection.execute(said).scalars() if subject is not None]


def withdraw(transaction: Transaction, tenant: str, source: str, subjects: Iterable[bytes]) -> tuple[Removed, int]:
    """Remove what an end user said of these decisions; returns also the position of the first of it, 0 for none.

    Where no other end user spoke of a decision, its request was theirs: all that was taught with it goes too, whoever
    said it, and the decision keeps nothing but what was chosen and what it cost.
    """
    removed, places = Removed(), set[int]()
    for subject in subjects:
        told = [record for record in transaction.about(subject) if record.tenant == tenant]
        alone = not any(_by_another(record, source) for record in told)
        gone = [r.seq for r in told if r.source == source or (alone and r.kind in _TEACHES)]
        transaction.connection.execute(events.delete().where(events.c.seq.in_(gone)))
        removed, places = removed.plus(Removed(events=len(gone))), places.union(gone)
        if alone:
            removed = removed.plus(
                Removed(redacted=_redact(transaction, told), others=_remove(transaction, subject=subject))
            )
    return removed, min(places, default=0)


def unname(transaction: Transaction, tenant: str, names: Collection[str]) -> set[str]:
    """Take these sources out of the controls that name them, now that there is nothing left for them to exclude.

    A key's name stands for its end users too. Returns the tenants whose controls did.
    """
    naming = sa.select(events.c.seq, events.c.tenant, events.c.payload).where(
        events.c.tenant.in_([tenant, EVERYONE]), events.c.kind == FeedbackExcluded.kind, RARE
    )
    found: set[str] = set()
    for seq, whose, payload in transaction.connection.execute(naming).all():
        event = decode(FeedbackExcluded.kind, payload)
        assert isinstance(event, FeedbackExcluded)
        left = [each for each in event.sources or () if each not in names and each.partition("/")[0] not in names]
        if event.sources is not None and left != event.sources:
            _rewrite(transaction, seq, encode(msgspec.structs.replace(event, sources=left, note="")))
            found.add(whose)
    return found


def disguise(transaction: Transaction, tenant: str, source: str, alias: str) -> int:
    """Call an end user by another name in what stands for events that are not kept.

    What they said then is part of sums, and stays so; who they were does not. Returns the first position concerned, 0
    for none.
    """
    kept = sa.select(events.c.seq, events.c.payload).where(
        events.c.tenant == tenant, events.c.kind == Checkpoint.kind, RARE
    )
    found: list[int] = []
    for seq, payload in transaction.connection.execute(kept).all():
        event = decode(Checkpoint.kind, payload)
        assert isinstance(event, Checkpoint)
        arrays = npz.read(event.archive)
        told = {name: each for name, each in arrays.items() if each.dtype.kind in "Ui"}
        other = {name: _renamed(each, tenant, source, alias) for name, each in told.items()}
        if any((other[name] != each).any() for name, each in told.items()):
            _rewrite(transaction, seq, encode(Checkpoint(archive=npz.dump({**arrays, **other}))))
            found.append(seq)
    return min(found, default=0)


def _renamed(names: npt.NDArray[Any], tenant: str, source: str, alias: str) -> npt.NDArray[Any]:
    """The names with another one in the place of ``source``, be they plain, as :mod:`router_models.trust` writes, or
    numbers.
    """
    if names.dtype.kind == "i":
        return np.where(names == number(tenant, source), number(tenant, alias), names)
    for before, after in ((np.array([source]), np.array([alias])), (written([source]), written([alias]))):
        names = np.where(names == before, after, names)
    return names


def others(transaction: Transaction, tenant: str, source: str | None = None) -> int:
    """Remove the rows of all other tables: a tenant's, or what an end user of its said."""
    return _remove(transaction, tenant=tenant) if source is None else _remove(transaction, tenant=tenant, source=source)


def _remove(transaction: Transaction, **whose: object) -> int:
    gone = 0
    for table in metadata.sorted_tables:
        if table not in APART and all(name in table.c for name in whose):
            where = [table.c[name] == value for name, value in whose.items()]
            gone += transaction.connection.execute(table.delete().where(*where)).rowcount
    return gone


def redacted(decision: Decision) -> Decision:
    """A decision without what was made from its prompt; nothing is folded from that."""
    return msgspec.structs.replace(decision, features=b"", scores=b"")


def _redact(transaction: Transaction, told: Iterable[Record]) -> int:
    found = 0
    for record in told:
        if isinstance(record.event, Decision):
            _rewrite(transaction, record.seq, encode(redacted(record.event)))
            found += 1
    return found


def _rewrite(transaction: Transaction, seq: int, payload: bytes) -> None:
    transaction.connection.execute(events.update().where(events.c.seq == seq).values(payload=payload))


def _by_another(record: Record, source: str) -> bool:
    """Whether another end user said this; what the gateway saw by itself is by nobody."""
    said = record.source or ""
    return "/" in said and said != source and not said.startswith("implicit:")


def _cost(payload: bytes) -> int:
    event = decode(Payment.kind, payload, head=True)
    assert isinstance(event, Payment)
    return round((event.cost or 0.0) * 1e6)


def pieces(first: int, last: int) -> Iterator[tuple[int, int]]:
    """Ranges ``(after, upto)`` that together cover the positions from ``first``, 0 for none, to ``last``."""
    for after in range(first - 1, last if first else 0, PIECE):
        yield after, min(after + PIECE, last)
