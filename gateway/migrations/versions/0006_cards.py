"""What admins said of models."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "cards",
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
        sa.Column("model", sa.Text, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("change", sa.Text, nullable=False),
        sa.Column("card", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("share", sa.Float, nullable=False),
        sa.Column("created", sa.BigInteger, nullable=False),
    )
    op.create_index("cards_model", "cards", ["model", "seq"])


def downgrade() -> None:
    """Drop it."""
    op.drop_index("cards_model", "cards")
    op.drop_table("cards")
