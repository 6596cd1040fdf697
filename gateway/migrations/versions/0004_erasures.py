"""Prompts, for tenants that want them kept, and erasures."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "prompts",
        sa.Column("subject", sa.LargeBinary(16), primary_key=True),
        sa.Column("tenant", sa.Text, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
    )
    op.create_index("prompts_tenant", "prompts", ["tenant", "at"])
    op.create_table(
        "erasures",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("step", sa.Text, nullable=False),
        sa.Column("document", sa.LargeBinary, nullable=False),
    )


def downgrade() -> None:
    """Drop them."""
    op.drop_table("erasures")
    op.drop_index("prompts_tenant", "prompts")
    op.drop_table("prompts")
