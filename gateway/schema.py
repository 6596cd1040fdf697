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

#: Any kind but those that every request makes.
RARE = events.c.kind.not_in([sa.literal_column(f"'{kind}'") for kind in ("decision", "answer", "feedback")])

#: Finds the few events that say how the others are folded; requests pay nothing for it.
rare = sa.Index("events_rare", events.c.kind, sqlite_where=RARE, postgresql_where=RARE)

#: Saved folds: each a cache of the log's prefix up to ``position``, and a version to compare with and return to.
snapshots = sa.Table(
    "snapshots",
    metadata,
    sa.Column("position", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Column("checksum", sa.Text, nullable=False),
    sa.Column("archive", sa.LargeBinary, nullable=False),
    sa.Column("lineage", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("parent", sa.Text, nullable=False, server_default=sa.text("''")),
    sa.Column("embedder", sa.Text, nullable=False, server_default=sa.text("''")),
    sa.Column("policy", sa.Text, nullable=False, server_default=sa.text("''")),
    sa.Column("parameters", sa.Text, nullable=False, server_default="{}"),
    sa.Column("figures", sa.Text, nullable=False, server_default="{}"),
    sa.Column("pinned", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("reason", sa.Text, nullable=False, server_default=sa.text("''")),
)

#: Keys, hashed; the secret itself is shown once and never stored. Those that admins made have a ``key`` in ``grants``,
#: and while one is rotated two rows; ``until`` is when a row ends, in microseconds.
keys = sa.Table(
    "keys",
    metadata,
    sa.Column("digest", sa.LargeBinary(32), primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("tenant", sa.Text, nullable=False),
    sa.Column("scope", sa.Text, nullable=False),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Column("key", sa.Text, nullable=False, server_default=sa.text("''")),
    sa.Column("until", sa.BigInteger),
)

#: What keys that admins made were given for; the document is :class:`gateway.keys.Terms`, ``revoked`` when that ended.
grants = sa.Table(
    "grants",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("tenant", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Column("document", sa.Text, nullable=False),
    sa.Column("revoked", sa.BigInteger),
)

#: What was spent: sums of answers by whom, with which model, on which day since the epoch; see :mod:`gateway.ledger`.
spend = sa.Table(
    "spend",
    metadata,
    *(sa.Column(name, sa.Text, primary_key=True) for name in ("tenant", "key", "model")),
    sa.Column("day", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
    *(
        sa.Column(name, sa.BigInteger, nullable=False)
        for name in ("requests", "estimated", "input_tokens", "output_tokens", "cost")
    ),
)

#: The position of the log up to which that is written: one row.
spend_mark = sa.Table(
    "spend_mark",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("position", sa.BigInteger, nullable=False),
)

#: Limits of tenants that admins ordered; the document is :class:`gateway.config.Limits`.
tenant_limits = sa.Table(
    "tenant_limits",
    metadata,
    sa.Column("tenant", sa.Text, primary_key=True),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Column("document", sa.Text, nullable=False),
)

#: The audit log: see :mod:`gateway.governance.audit`, which says how its rows are chained and signed.
audit = sa.Table(
    "audit",
    metadata,
    sa.Column("seq", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("action", sa.Text, nullable=False),
    sa.Column("subject", sa.Text, nullable=False),
    sa.Column("detail", sa.Text, nullable=False),
    sa.Column("previous", sa.Text, nullable=False),
    sa.Column("hash", sa.Text, nullable=False),
    sa.Column("signature", sa.Text, nullable=False),
)

#: The audit log's signed end: one row.
audit_head = sa.Table(
    "audit_head",
    metadata,
    sa.Column("seq", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
    sa.Column("hash", sa.Text, nullable=False),
    sa.Column("public", sa.Text, nullable=False),
    sa.Column("signature", sa.Text, nullable=False),
)

#: What ties pseudonyms in the audit log to names, until it is shredded.
salts = sa.Table(
    "salts",
    metadata,
    sa.Column("kind", sa.Text, primary_key=True),
    sa.Column("tenant", sa.Text, primary_key=True),
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("salt", sa.LargeBinary(32), nullable=False),
)

#: What was asked, of tenants that want it kept; ``subject`` is the decision.
prompts = sa.Table(
    "prompts",
    metadata,
    sa.Column("subject", sa.LargeBinary(16), primary_key=True),
    sa.Column("tenant", sa.Text, nullable=False),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Index("prompts_tenant", "tenant", "at"),
)

#: Erasures: how far each one is. The document is a :class:`gateway.governance.progress.Progress`.
erasures = sa.Table(
    "erasures",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Column("step", sa.Text, nullable=False),
    sa.Column("document", sa.LargeBinary, nullable=False),
)

#: What admins said of models, append-only: see :mod:`gateway.models.revisions`.
cards = sa.Table(
    "cards",
    metadata,
    sa.Column("seq", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
    sa.Column("model", sa.Text, nullable=False),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("change", sa.Text, nullable=False),
    sa.Column("card", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("share", sa.Float, nullable=False),
    sa.Column("created", sa.BigInteger, nullable=False),
    sa.Index("cards_model", "model", "seq"),
)
