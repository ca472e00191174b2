"""Which providers are trusted."""

import sqlalchemy as sa
from alembic import op

from paging.store.tables import Moment

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Add a table; nothing that is there changes."""
    op.create_table(
        "circuit",
        sa.Column("provider", sa.String(length=64), nullable=False),
        sa.Column("channel", sa.String(length=64), nullable=False),
        sa.Column("refused", sa.Integer(), nullable=False),
        sa.Column("lost", sa.Integer(), nullable=False),
        sa.Column("since", Moment(), nullable=True),
        sa.Column("open_until", Moment(), nullable=True),
        sa.Column("open_for", sa.Integer(), nullable=False),
        sa.Column("stage", sa.String(length=64), nullable=True),
        sa.Column("kind", sa.String(length=64), nullable=True),
        sa.Column("probe", sa.String(length=64), nullable=True),
        sa.Column("probe_at", Moment(), nullable=True),
        sa.Column("rests_until", Moment(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("provider", "channel"),
        sqlite_with_rowid=False,
    )
