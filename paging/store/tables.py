"""The schema. Once landed it changes by migration only; times are microseconds since 1970, UTC."""

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    false,
)
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class Moment(TypeDecorator[datetime]):
    """An aware UTC datetime as an integer: one order and one index on every database."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:  # noqa: ARG002
        """Refuse naive times: they have no place in a pager."""
        if value is None:
            return None
        return (value - _EPOCH) // _MICROSECOND

    def process_result_value(self, value: Any | None, dialect: Dialect) -> datetime | None:  # noqa: ANN401, ARG002
        """Return an aware UTC datetime."""
        return None if value is None else _EPOCH + value * _MICROSECOND


metadata = MetaData()
_Id = String(64)
_Number = BigInteger().with_variant(Integer, "sqlite")  # only INTEGER counts up on SQLite

responder = Table(
    "responder",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("body", JSON, nullable=False),  # what paging.people.Responder holds, without contacts
    Column("updated_at", Moment, nullable=False),
)

contact = Table(
    "contact",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("responder", _Id, ForeignKey("responder.id", ondelete="CASCADE"), nullable=False),
    Column("channel", _Id, nullable=False),  # phone, email
    Column("address", Text, nullable=False),
    Column("verified_at", Moment),
    UniqueConstraint("responder", "channel", "address"),
)

policy = Table(
    "policy",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("body", JSON, nullable=False),
    Column("updated_at", Moment, nullable=False),
)

schedule = Table(
    "schedule",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("body", JSON, nullable=False),  # what paging.schedules.Schedule holds
    Column("updated_at", Moment, nullable=False),
)

# What the calendar behind a schedule's address said when it was last read.
feed = Table(
    "feed",
    metadata,
    Column("schedule", _Id, ForeignKey("schedule.id", ondelete="CASCADE"), primary_key=True),
    Column("url", Text, nullable=False),
    Column("events", Text, nullable=False),  # JSON, a list of paging.oncall.FeedEvent
    Column("read_at", Moment, nullable=False),  # when it was last good
    Column("next_at", Moment, nullable=False),
    Column("failures", Integer, nullable=False),  # in a row, since it was last good
    Column("error", Text),  # what was wrong the last time, in words
)
Index("feed_due", feed.c.next_at)

incident = Table(
    "incident",
    metadata,
    Column("number", _Number, primary_key=True, autoincrement=True),
    Column("id", _Id, nullable=False, unique=True),
    Column("dedup_key", Text),
    Column("title", Text, nullable=False),
    Column("details", Text),
    Column("severity", _Id, nullable=False),
    Column("labels", JSON, nullable=False),
    Column("link", Text),
    Column("policy", _Id, nullable=False),
    Column("status", _Id, nullable=False),
    Column("alerts", Integer, nullable=False),
    Column("from_ringback", Boolean, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("opened_at", Moment, nullable=False),
    Column("acknowledged_at", Moment),
    Column("acknowledged_by", Text),
    Column("closed_at", Moment),
    Column("closed_by", Text),
    Column("closed_by_hand", Boolean, nullable=False),
    Column("muted_until", Moment),
    sqlite_autoincrement=True,
)
Index(
    "incident_open_dedup_key",
    incident.c.dedup_key,
    unique=True,
    sqlite_where=incident.c.status != "closed",
    postgresql_where=incident.c.status != "closed",
)
Index("incident_by_dedup_key", incident.c.dedup_key, incident.c.number)
Index("incident_by_status", incident.c.status, incident.c.number)

alert = Table(
    "alert",
    metadata,
    Column("key", Text, primary_key=True),  # the dedup key of the incidents that it belongs to
    Column("fingerprint", _Id, primary_key=True),
    Column("starts_at", Moment, primary_key=True),
    Column("resolved", Boolean, nullable=False),
    Column("severity", _Id, nullable=False),
    sqlite_with_rowid=False,
)

page = Table(
    "page",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("incident", _Number, ForeignKey("incident.number"), nullable=False),
    Column("plan", JSON, nullable=False),
    Column("state", _Id, nullable=False),
    Column("round", Integer, nullable=False),
    Column("step", Integer, nullable=False),
    Column("step_ends_at", Moment),
    Column("next_at", Moment),
    Column("tellings", Text, nullable=False),  # JSON: read and written with their page, or not
    Column("held_for", Text),  # the responders of held calls, as |li.wei|sam|
    Column("created_at", Moment, nullable=False),
    Column("ended_at", Moment),
)
Index(
    "page_due",
    page.c.next_at,
    sqlite_where=page.c.next_at.is_not(None),
    postgresql_where=page.c.next_at.is_not(None),
)
Index(
    "page_held",
    page.c.created_at,
    sqlite_where=page.c.held_for.is_not(None),
    postgresql_where=page.c.held_for.is_not(None),
)
Index("page_by_incident", page.c.incident, page.c.created_at)

attempt = Table(
    "attempt",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("ref", String(15), nullable=False, unique=True),
    Column("responder", _Id, nullable=False),
    Column("channel", _Id, nullable=False),
    Column("address", Text, nullable=False),
    Column("provider", _Id, nullable=False),
    Column("provider_id", Text),
    Column("purpose", _Id, nullable=False),
    Column("locale", _Id, nullable=False),
    Column("status", _Id, nullable=False),
    Column("doubtful", Boolean, nullable=False),
    Column("silence_s", Integer, nullable=False),
    Column("failure", JSON),
    Column("created_at", Moment, nullable=False),
    Column("deadline_at", Moment),
    Column("submitted_at", Moment),
    Column("ringing_at", Moment),
    Column("answered_at", Moment),
    Column("ended_at", Moment),
    Column("keys", Text, nullable=False),
    Column("keys_live", Text, nullable=False),
    Column("reached", Boolean, nullable=False),
    Column("unverified", Boolean, nullable=False, server_default=false()),
)
Index("attempt_by_provider_id", attempt.c.provider, attempt.c.provider_id)
Index(
    "attempt_due",
    attempt.c.deadline_at,
    sqlite_where=attempt.c.deadline_at.is_not(None),
    postgresql_where=attempt.c.deadline_at.is_not(None),
)
Index(
    "attempt_open_line",
    attempt.c.address,
    sqlite_where=attempt.c.deadline_at.is_not(None),
    postgresql_where=attempt.c.deadline_at.is_not(None),
)
Index("attempt_by_address", attempt.c.address, attempt.c.created_at)
Index("attempt_by_responder", attempt.c.responder, attempt.c.id)

attempt_incident = Table(
    "attempt_incident",
    metadata,
    Column("attempt", _Id, ForeignKey("attempt.id"), primary_key=True),
    Column("incident", _Number, ForeignKey("incident.number"), primary_key=True),
    Column("page", _Id, ForeignKey("page.id"), nullable=False),
    Column("telling", _Id, nullable=False),
    sqlite_with_rowid=False,
)
Index("attempt_incident_by_incident", attempt_incident.c.incident)

inbox = Table(
    "inbox",
    metadata,
    Column("provider", _Id, primary_key=True),
    Column("event_key", Text, primary_key=True),
    Column("event", JSON, nullable=False),
    Column("provider_id", Text),
    Column("address", Text),
    Column("attempt", _Id),  # none: parked until its attempt is known
    Column("at", Moment, nullable=False),
    sqlite_with_rowid=False,
)
Index(
    "inbox_parked",
    inbox.c.provider,
    inbox.c.at,
    sqlite_where=inbox.c.attempt.is_(None),
    postgresql_where=inbox.c.attempt.is_(None),
)
Index("inbox_by_time", inbox.c.provider, inbox.c.at)

timeline = Table(
    "timeline",
    metadata,
    Column("id", _Number, primary_key=True, autoincrement=True),
    Column("incident", _Number, ForeignKey("incident.number"), nullable=False),
    Column("at", Moment, nullable=False),
    Column("type", _Id, nullable=False),
    Column("responder", _Id),
    Column("attempt", _Id),
    Column("detail", JSON, nullable=False),
)
Index("timeline_by_incident", timeline.c.incident, timeline.c.id)

reply_code = Table(
    "reply_code",
    metadata,
    Column("address", Text, primary_key=True),
    Column("code", Integer, primary_key=True),  # short: somebody just woken types it
    Column("incident", _Number, ForeignKey("incident.number"), nullable=False),
    UniqueConstraint("address", "incident"),
    sqlite_with_rowid=False,
)

help_sent = Table(
    "help_sent",
    metadata,
    Column("address", Text, primary_key=True),
    Column("count", Integer, nullable=False),  # since this number last replied with an action
    sqlite_with_rowid=False,
)

verification = Table(
    "verification",
    metadata,
    Column("responder", _Id, ForeignKey("responder.id", ondelete="CASCADE"), primary_key=True),
    Column("contact", _Id, primary_key=True),  # phone, email
    Column("address", Text, nullable=False),
    Column("digest", Text),  # none: used up
    Column("expires_at", Moment, nullable=False),
    Column("tries_left", Integer, nullable=False),
    Column("sent_at", Moment, nullable=False),
    Column("sent", Integer, nullable=False),  # within the hour that began at since
    Column("since", Moment, nullable=False),
    sqlite_with_rowid=False,
)

caller = Table(
    "caller",
    metadata,
    Column("provider", _Id, primary_key=True),
    Column("channel", _Id, primary_key=True),
    Column("number", _Id, primary_key=True),  # as the provider writes it
    Column("seen_at", Moment, nullable=False),
    sqlite_with_rowid=False,
)

# One row per provider and channel that ever had something to its circuit's account.
circuit = Table(
    "circuit",
    metadata,
    Column("provider", _Id, primary_key=True),
    Column("channel", _Id, primary_key=True),
    Column("refused", Integer, nullable=False),
    Column("lost", Integer, nullable=False),
    Column("since", Moment),
    Column("open_until", Moment),
    Column("open_for", Integer, nullable=False),  # seconds
    Column("stage", _Id),
    Column("kind", _Id),
    Column("probe", _Id),
    Column("probe_at", Moment),
    Column("rests_until", Moment),
    Column("version", Integer, nullable=False),  # counts up by one with every change
    sqlite_with_rowid=False,
)
