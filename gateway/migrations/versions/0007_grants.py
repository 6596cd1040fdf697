"""What keys were given for, and secrets that end."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Create the table and add the columns."""
    op.create_table(
        "grants",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("tenant", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("document", sa.Text, nullable=False),
        sa.Column("revoked", sa.BigInteger),
    )
    op.add_column("keys", sa.Column("key", sa.Text, nullable=False, server_default=sa.text("''")))
    op.add_column("keys", sa.Column("until", sa.BigInteger))


def downgrade() -> None:
    """Drop them."""
    op.drop_column("keys", "until")
    op.drop_column("keys", "key")
    op.drop_table("grants")
