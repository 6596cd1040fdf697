"""An index over the rare events."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Create it."""
    usual = sa.text("kind NOT IN ('decision', 'answer', 'feedback')")
    op.create_index("events_rare", "events", ["kind"], sqlite_where=usual, postgresql_where=usual)


def downgrade() -> None:
    """Drop it."""
    op.drop_index("events_rare", "events")
