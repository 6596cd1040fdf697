"""The tables, once for every database. Alembic's migrations in ``migrations/`` bring a database here."""

from __future__ import annotations

import sqlalchemy as sa

metadata = sa.MetaData()

#: The event log: ``seq`` orders it, ``subject`` is the decision that a row speaks of, ``at`` is in microseconds.
events = sa.Table(
    "events",
    metadata,
    sa.Column("seq", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("tenant", sa.Text, nullable=False),
    sa.Column("subject", sa.LargeBinary(16)),
    sa.Column("source", sa.Text),
    sa.Column("payload", sa.LargeBinary, nullable=False),
    sa.Index("events_subject", "subject"),
)

#: Saved folds: each a cache of the log's prefix up to ``position``.
snapshots = sa.Table(
    "snapshots",
    metadata,
    sa.Column("position", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Column("checksum", sa.Text, nullable=False),
    sa.Column("archive", sa.LargeBinary, nullable=False),
)

#: Keys, hashed; the secret itself is shown once and never stored.
keys = sa.Table(
    "keys",
    metadata,
    sa.Column("digest", sa.LargeBinary(32), primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("tenant", sa.Text, nullable=False),
    sa.Column("scope", sa.Text, nullable=False),
    sa.Column("at", sa.BigInteger, nullable=False),
)
