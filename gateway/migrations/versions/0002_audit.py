"""The audit log, its head, and the salts of its pseudonyms."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Create the tables."""
    number = sa.BigInteger().with_variant(sa.Integer, "sqlite")
    op.create_table(
        "audit",
        sa.Column("seq", number, primary_key=True),
        sa.Column("at", sa.BigInteger, nullable=False),
        *(
            sa.Column(name, sa.Text, nullable=False)
            for name in ("actor", "action", "subject", "detail", "previous", "hash", "signature")
        ),
    )
    op.create_table(
        "audit_head",
        sa.Column("seq", number, primary_key=True),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("hash", "public", "signature")),
    )
    op.create_table(
        "salts",
        *(sa.Column(name, sa.Text, primary_key=True) for name in ("kind", "tenant", "name")),
        sa.Column("salt", sa.LargeBinary(32), nullable=False),
    )


def downgrade() -> None:
    """Drop them."""
    for table in ("salts", "audit_head", "audit"):
        op.drop_table(table)
