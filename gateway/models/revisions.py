"""What admins said of models, append-only: each revision is a model's whole standing after a change."""

from __future__ import annotations

from typing import Literal

import msgspec
import sqlalchemy as sa

from gateway.governance.identity import Identity, pseudonym
from gateway.models.standing import Standing
from gateway.schema import cards
from gateway.transaction import Transaction

Change = Literal["create", "edit", "state", "delete"]


class Revision(msgspec.Struct, frozen=True):
    """A row: ``card`` is JSON, empty where none is declared by the API; without ``standing`` the card decides.

    ``at`` and ``created`` are in microseconds since the epoch, ``actor`` is a pseudonym as in the audit log.
    """

    seq: int
    model: str
    at: int
    actor: str
    change: str
    card: str
    standing: Standing | None
    created: int


def latest(connection: sa.Connection) -> dict[str, Revision]:
    """Every model's last revision, the first created first."""
    last = sa.select(sa.func.max(cards.c.seq)).group_by(cards.c.model)
    query = sa.select(cards).where(cards.c.seq.in_(last)).order_by(cards.c.created, cards.c.model)
    return {row.model: _revision(row) for row in connection.execute(query)}


def history(connection: sa.Connection, model: str, *, before: int | None, limit: int) -> list[Revision]:
    """A model's revisions, newest first; those before the one numbered ``before``."""
    query = sa.select(cards).where(cards.c.model == model).order_by(cards.c.seq.desc()).limit(limit)
    if before is not None:
        query = query.where(cards.c.seq < before)
    return [_revision(row) for row in connection.execute(query)]


def add(
    transaction: Transaction,
    *,
    model: str,
    actor: Identity,
    change: Change,
    card: str,
    standing: Standing | None,
    created: int | None,
) -> Revision:
    """Write a model's next revision; without ``created`` the model begins with it."""
    connection, at = transaction.connection, transaction.at
    values = {
        "model": model,
        "at": at,
        "actor": pseudonym(connection, actor),
        "change": change,
        "card": card,
        "state": "" if standing is None else standing.state,
        "share": 1.0 if standing is None else standing.share,
        "created": at if created is None else created,
    }
    inserted = connection.execute(cards.insert(), values)
    assert inserted.inserted_primary_key is not None
    row = connection.execute(sa.select(cards).where(cards.c.seq == inserted.inserted_primary_key[0])).one()
    return _revision(row)


def _revision(row: sa.Row[tuple[object, ...]]) -> Revision:
    standing = Standing(row.state, row.share) if row.state else None
    return Revision(row.seq, row.model, row.at, row.actor, row.change, row.card, standing, row.created)
