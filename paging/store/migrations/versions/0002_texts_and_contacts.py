"""Texts and their replies, contacts that were verified, numbers that call."""

import sqlalchemy as sa
from alembic import op

from paging.store.tables import Moment

revision = "0002"
down_revision = "0001"

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Add a column and four tables; nothing that is there changes."""
    op.add_column(
        "attempt",
        sa.Column("unverified", sa.Boolean(), nullable=False, server_default=sa.false()),
    )
    op.create_table(
        "reply_code",
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("code", sa.Integer(), nullable=False),
        sa.Column("incident", _NUMBER, nullable=False),
        sa.ForeignKeyConstraint(["incident"], ["incident.number"]),
        sa.PrimaryKeyConstraint("address", "code"),
        sa.UniqueConstraint("address", "incident"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "help_sent",
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("address"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "verification",
        sa.Column("responder", sa.String(length=64), nullable=False),
        sa.Column("contact", sa.String(length=64), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=True),
        sa.Column("expires_at", Moment(), nullable=False),
        sa.Column("tries_left", sa.Integer(), nullable=False),
        sa.Column("sent_at", Moment(), nullable=False),
        sa.Column("sent", sa.Integer(), nullable=False),
        sa.Column("since", Moment(), nullable=False),
        sa.ForeignKeyConstraint(["responder"], ["responder.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("responder", "contact"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "caller",
        sa.Column("provider", sa.String(length=64), nullable=False),
        sa.Column("channel", sa.String(length=64), nullable=False),
        sa.Column("number", sa.String(length=64), nullable=False),
        sa.Column("seen_at", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("provider", "channel", "number"),
        sqlite_with_rowid=False,
    )
