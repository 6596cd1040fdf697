"""What a saved fold is as a version."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def columns() -> list[sa.Column[Any]]:
    """The new columns."""
    texts = {"parent": "''", "embedder": "''", "policy": "''", "parameters": "'{}'", "figures": "'{}'", "reason": "''"}
    return [
        sa.Column("lineage", sa.BigInteger, nullable=False, server_default="0"),
        *(sa.Column(name, sa.Text, nullable=False, server_default=sa.text(text)) for name, text in texts.items()),
        sa.Column("pinned", sa.Boolean, nullable=False, server_default=sa.false()),
    ]


def upgrade() -> None:
    """Add the columns; what was saved so far is of an older schema, and is made anew from the log."""
    op.execute("DELETE FROM snapshots")
    for column in columns():
        op.add_column("snapshots", column)


def downgrade() -> None:
    """Drop them."""
    for column in columns():
        op.drop_column("snapshots", column.name)
