"""Schedules, and what the calendars behind them said."""

import sqlalchemy as sa
from alembic import op

from paging.store.tables import Moment

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add two tables; nothing that is there changes."""
    op.create_table(
        "schedule",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.Column("updated_at", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "feed",
        sa.Column("schedule", sa.String(length=64), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("events", sa.Text(), nullable=False),
        sa.Column("read_at", Moment(), nullable=False),
        sa.Column("next_at", Moment(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["schedule"], ["schedule.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("schedule"),
    )
    op.create_index("feed_due", "feed", ["next_at"])
