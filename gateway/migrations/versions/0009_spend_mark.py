"""How far into the log the sums of what was spent reach."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Create the table: so far each answer was added as it was logged."""
    op.create_table(
        "spend_mark",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("position", sa.BigInteger, nullable=False),
    )
    op.execute("INSERT INTO spend_mark SELECT 1, COALESCE(MAX(seq), 0) FROM events")


def downgrade() -> None:
    """Drop it."""
    op.drop_table("spend_mark")
