"""Attempts, and the inbox of receipts that find them."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, fields
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, bindparam, exists, func, insert, select, update
from sqlalchemy.engine import RowMapping

from paging import events
from paging.events import Event
from paging.model import Attempt, Failure
from paging.store import Transaction
from paging.store.tables import attempt, attempt_incident, inbox, incident

_FIELDS = [field.name for field in fields(Attempt)]

# Built once: building a statement costs more than running it.
_NEW = insert(attempt)
_NEW_LINK = insert(attempt_incident)
_MOVE = (
    update(attempt)
    .where(attempt.c.id == bindparam("row_id"))
    .values({name: bindparam(name) for name in _FIELDS})
)
_BY_ID = select(attempt).where(attempt.c.id == bindparam("wanted"))
_BY_REF = select(attempt).where(attempt.c.ref == bindparam("wanted"))
_NEXT_DUE = select(func.min(attempt.c.deadline_at)).where(attempt.c.deadline_at.is_not(None))
_DUE = (
    select(attempt)
    .where(attempt.c.deadline_at.is_not(None), attempt.c.deadline_at <= bindparam("now"))
    .order_by(attempt.c.deadline_at)
    .limit(bindparam("most"))
)
_WANTED = (
    select(incident.c.status, incident.c.muted_until)
    .join(attempt_incident, attempt_incident.c.incident == incident.c.number)
    .where(attempt_incident.c.attempt == bindparam("wanted"))
)
_RECEIPT = {column.name: bindparam(f"new_{column.name}", type_=column.type) for column in inbox.c}
_NEW_RECEIPT = insert(inbox).from_select(
    list(_RECEIPT),
    select(*_RECEIPT.values()).where(
        ~exists().where(
            inbox.c.provider == _RECEIPT["provider"], inbox.c.event_key == _RECEIPT["event_key"]
        )
    ),
)
_BY_PROVIDER_ID = (
    select(attempt)
    .where(
        attempt.c.provider == bindparam("whose"),
        attempt.c.provider_id == bindparam("provider_id"),
        attempt.c.channel == bindparam("on_channel"),
    )
    .order_by(attempt.c.id)
    .limit(1)
)
_OPEN_LINES = (
    select(attempt.c.address, func.max(attempt.c.deadline_at))
    .where(
        attempt.c.address.in_(bindparam("addresses", expanding=True)),
        attempt.c.deadline_at.is_not(None),
        attempt.c.channel == "voice",
    )
    .group_by(attempt.c.address)
)
_PARKED = (
    select(inbox.c.event, inbox.c.at)
    .where(
        inbox.c.provider == bindparam("whose"),
        inbox.c.attempt.is_(None),
        inbox.c.at >= bindparam("since"),
        (inbox.c.address == bindparam("address")) | (inbox.c.provider_id == bindparam("id")),
    )
    .order_by(inbox.c.at)
)
_CLAIM_RECEIPT = (
    update(inbox)
    .where(inbox.c.provider == bindparam("whose"), inbox.c.event_key == bindparam("key"))
    .values(attempt=bindparam("found"))
)


def insert_attempt(
    conn: Transaction, new: Attempt, about: Iterable[tuple[int, str, str]] = ()
) -> None:
    """Insert it with what it is about: (incident, page, telling); nothing for a drill."""
    conn.execute(_NEW, _row(new))
    links = [
        {"attempt": new.id, "incident": number, "page": page, "telling": telling}
        for number, page, telling in about
    ]
    if links:
        conn.execute(_NEW_LINK, links)


def save(conn: Transaction, value: Attempt) -> None:
    """Write it back."""
    conn.execute(_MOVE, {"row_id": value.id, **_row(value)})


def _row(value: Attempt) -> dict[str, Any]:
    row = {name: getattr(value, name) for name in _FIELDS}
    row["failure"] = None if value.failure is None else asdict(value.failure)
    row["silence_s"] = round(value.silence_s)
    return row


def attempt_of(row: RowMapping) -> Attempt:
    """Return the attempt that this row holds."""
    values: dict[str, Any] = dict(row)
    values["failure"] = Failure(**row["failure"]) if row["failure"] else None
    return Attempt(**values)


def load(conn: Transaction, id_: str) -> Attempt | None:
    """Return one attempt."""
    return _one(conn, _BY_ID, wanted=id_)


def by_ref(conn: Transaction, ref: str) -> Attempt | None:
    """Return the attempt that a provider echoes."""
    return _one(conn, _BY_REF, wanted=ref)


def _one(conn: Transaction, query: Select[Any], **asked: str) -> Attempt | None:
    row = conn.execute(query, asked).mappings().one_or_none()
    return None if row is None else attempt_of(row)


def by_provider_id(
    conn: Transaction, provider: str, channel: str, provider_id: str
) -> Attempt | None:
    """Return the attempt that a provider knows by this id on this channel."""
    asked = {"whose": provider, "on_channel": channel, "provider_id": provider_id}
    return _one(conn, _BY_PROVIDER_ID, **asked)


def without_provider_id(  # noqa: PLR0913 - as the carrier's record has it
    conn: Transaction,
    provider: str,
    channel: str,
    address: str,
    *,
    doubtful: bool,
    begun: tuple[datetime, datetime],
) -> Attempt | None:
    """Return the oldest attempt to a number whose provider's id is not known yet.

    `doubtful`: its answer is lost; else it is on its way. `begun`: earliest and latest.
    """
    where = (
        (attempt.c.address == address)
        & (attempt.c.provider == provider)
        & (attempt.c.channel == channel)
        & attempt.c.provider_id.is_(None)
        & attempt.c.created_at.between(*begun)
        & (attempt.c.doubtful == doubtful)
        & attempt.c.status.in_(("sending", "unconfirmed") if doubtful else ("sending",))
    )
    return _one(conn, select(attempt).where(where).order_by(attempt.c.id).limit(1))


def open_lines(conn: Transaction, addresses: Sequence[str]) -> dict[str, datetime]:
    """Return until when each of these numbers may still be in a call of ours."""
    if not addresses:
        return {}
    rows = conn.execute(_OPEN_LINES, {"addresses": list(addresses)})
    return {row[0]: row[1] for row in rows}


def postpone(conn: Transaction, id_: str, until: datetime) -> None:
    """Look at an attempt again at this time."""
    conn.execute(update(attempt).where(attempt.c.id == id_).values(deadline_at=until))


def due(conn: Transaction, now: datetime, most: int) -> list[Attempt]:
    """Return the attempts about which silence has lasted too long."""
    rows = conn.execute(_DUE, {"now": now, "most": most}).mappings()
    return [attempt_of(row) for row in rows]


def next_due(conn: Transaction) -> datetime | None:
    """Return when the next silence will have lasted too long."""
    return conn.scalar(_NEXT_DUE)


def interrupted(conn: Transaction) -> list[Attempt]:
    """Return the attempts that were on their way when the process before this one ended."""
    rows = conn.execute(
        select(attempt).where(attempt.c.status == "sending", attempt.c.doubtful.is_(False))
    ).mappings()
    return [attempt_of(row) for row in rows]


def still_wanted(conn: Transaction, attempt_id: str) -> bool:
    """Say whether any incident of this attempt is still unacknowledged and not muted.

    True for a drill, which is about none.
    """
    rows = conn.execute(_WANTED, {"wanted": attempt_id}).all()
    return not rows or any(status == "triggered" and muted is None for status, muted in rows)


def receive(  # noqa: PLR0913 - one row's columns
    conn: Transaction,
    *,
    provider: str,
    key: str,
    event: dict[str, Any],
    provider_id: str | None,
    address: str | None,
    at: datetime,
    attempt_id: str | None,
) -> bool:
    """Store one receipt; False when it was stored before. Without its attempt it is parked."""
    row = {
        "provider": provider,
        "event_key": key,
        "event": event,
        "at": at,
        "provider_id": provider_id,
        "address": address,
        "attempt": attempt_id,
    }
    new = conn.execute(_NEW_RECEIPT, {f"new_{name}": value for name, value in row.items()})
    return bool(new.rowcount)


def ever_called_back(conn: Transaction, provider: str, channel: str) -> bool:
    """Say whether anything was ever heard of a provider's messages on a channel."""
    mine = (inbox.c.provider == provider) & of_channel(channel)
    return conn.scalar(select(inbox.c.event_key).where(mine).limit(1)) is not None


def of_channel(channel: str) -> ColumnElement[bool]:
    """Return which rows of the inbox are of this channel: every reader of texts says so."""
    is_text = inbox.c.event_key.startswith("sms:")
    return is_text if channel == "sms" else ~is_text


def claim_receipt(conn: Transaction, provider: str, key: str, attempt_id: str) -> None:
    """Say which attempt a parked receipt belongs to."""
    conn.execute(_CLAIM_RECEIPT, {"whose": provider, "key": key, "found": attempt_id})


def parked(
    conn: Transaction, provider: str, *, provider_id: str | None, address: str, since: datetime
) -> list[tuple[Event, datetime]]:
    """Return receipts of this call or number that found no attempt, each with when it came.

    Oldest first.
    """
    asked = {"whose": provider, "id": provider_id, "address": address, "since": since}
    rows = conn.execute(_PARKED, asked)
    return [(events.load(event), at) for event, at in rows]
