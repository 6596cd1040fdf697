"""What was spent, and limits of tenants that admins ordered."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "spend",
        *(sa.Column(name, sa.Text, primary_key=True) for name in ("tenant", "key", "model")),
        sa.Column("day", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
        *(
            sa.Column(name, sa.BigInteger, nullable=False)
            for name in ("requests", "estimated", "input_tokens", "output_tokens", "cost")
        ),
    )
    op.create_table(
        "tenant_limits",
        sa.Column("tenant", sa.Text, primary_key=True),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("document", sa.Text, nullable=False),
    )


def downgrade() -> None:
    """Drop them."""
    op.drop_table("tenant_limits")
    op.drop_table("spend")
