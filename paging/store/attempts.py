"""Attempts, and the inbox of receipts that find them."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, fields
from datetime import datetime
from typing import Any

from sqlalchemy import func, insert, select, update
from sqlalchemy.engine import RowMapping

from paging import events
from paging.events import CallEvent
from paging.model import Attempt, Failure
from paging.store import Transaction
from paging.store.tables import attempt, attempt_incident, inbox, incident

_FIELDS = [field.name for field in fields(Attempt)]


def insert_attempt(
    conn: Transaction, new: Attempt, about: Iterable[tuple[int, str, str]] = ()
) -> None:
    """Insert it with what it is about: (incident, page, telling); nothing for a drill."""
    conn.execute(insert(attempt).values(_row(new)))
    links = [
        {"attempt": new.id, "incident": number, "page": page, "telling": telling}
        for number, page, telling in about
    ]
    if links:
        conn.execute(insert(attempt_incident), links)


def save(conn: Transaction, value: Attempt) -> None:
    """Write it back."""
    conn.execute(update(attempt).where(attempt.c.id == value.id).values(_row(value)))


def _row(value: Attempt) -> dict[str, Any]:
    row = {name: getattr(value, name) for name in _FIELDS}
    row["failure"] = None if value.failure is None else asdict(value.failure)
    row["silence_s"] = round(value.silence_s)
    return row


def _attempt(row: RowMapping) -> Attempt:
    values: dict[str, Any] = dict(row)
    values["failure"] = Failure(**row["failure"]) if row["failure"] else None
    return Attempt(**values)


def load(conn: Transaction, id_: str) -> Attempt | None:
    """Return one attempt."""
    return _one(conn, attempt.c.id == id_)


def by_ref(conn: Transaction, ref: str) -> Attempt | None:
    """Return the attempt that a provider echoes."""
    return _one(conn, attempt.c.ref == ref)


def by_provider_id(conn: Transaction, provider: str, provider_id: str) -> Attempt | None:
    """Return the attempt that a provider knows by this id."""
    return _one(conn, (attempt.c.provider == provider) & (attempt.c.provider_id == provider_id))


def without_provider_id(
    conn: Transaction,
    provider: str,
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
        & attempt.c.provider_id.is_(None)
        & attempt.c.created_at.between(*begun)
        & (attempt.c.doubtful == doubtful)
        & attempt.c.status.in_(("sending", "unconfirmed") if doubtful else ("sending",))
    )
    return _one(conn, where)


def _one(conn: Transaction, where: Any) -> Attempt | None:  # noqa: ANN401 - a clause
    row = (
        conn.execute(select(attempt).where(where).order_by(attempt.c.id).limit(1))
        .mappings()
        .one_or_none()
    )
    return None if row is None else _attempt(row)


def open_lines(conn: Transaction, addresses: Sequence[str]) -> dict[str, datetime]:
    """Return until when each of these numbers may still be in a call of ours."""
    if not addresses:
        return {}
    rows = conn.execute(
        select(attempt.c.address, func.max(attempt.c.deadline_at))
        .where(attempt.c.address.in_(addresses), attempt.c.deadline_at.is_not(None))
        .group_by(attempt.c.address)
    )
    return {row[0]: row[1] for row in rows}


def due(conn: Transaction, now: datetime, most: int) -> list[Attempt]:
    """Return the attempts about which silence has lasted too long."""
    rows = conn.execute(
        select(attempt)
        .where(attempt.c.deadline_at.is_not(None), attempt.c.deadline_at <= now)
        .order_by(attempt.c.deadline_at)
        .limit(most)
    ).mappings()
    return [_attempt(row) for row in rows]


def next_due(conn: Transaction) -> datetime | None:
    """Return when the next silence will have lasted too long."""
    return conn.scalar(
        select(func.min(attempt.c.deadline_at)).where(attempt.c.deadline_at.is_not(None))
    )


def interrupted(conn: Transaction) -> list[Attempt]:
    """Return the attempts that were on their way when the process before this one ended."""
    rows = conn.execute(
        select(attempt).where(attempt.c.status == "sending", attempt.c.doubtful.is_(False))
    ).mappings()
    return [_attempt(row) for row in rows]


def still_wanted(conn: Transaction, attempt_id: str) -> bool:
    """Say whether any incident of this attempt is still unacknowledged and not muted.

    True for a drill, which is about none.
    """
    rows = conn.execute(
        select(incident.c.status, incident.c.muted_until)
        .join(attempt_incident, attempt_incident.c.incident == incident.c.number)
        .where(attempt_incident.c.attempt == attempt_id)
    ).all()
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
) -> bool:
    """Store one receipt; False when it was stored before."""
    known = conn.scalar(
        select(inbox.c.at).where(inbox.c.provider == provider, inbox.c.event_key == key)
    )
    if known is not None:
        return False
    conn.execute(
        insert(inbox).values(
            provider=provider,
            event_key=key,
            event=event,
            provider_id=provider_id,
            address=address,
            at=at,
        )
    )
    return True


def claim_receipt(conn: Transaction, provider: str, key: str, attempt_id: str) -> None:
    """Say which attempt a receipt belongs to."""
    conn.execute(
        update(inbox)
        .where(inbox.c.provider == provider, inbox.c.event_key == key)
        .values(attempt=attempt_id)
    )


def parked(
    conn: Transaction, provider: str, *, provider_id: str | None, address: str, since: datetime
) -> list[tuple[CallEvent, datetime]]:
    """Return receipts of this call or number that found no attempt, each with when it came.

    Oldest first.
    """
    whose = inbox.c.address == address
    if provider_id is not None:
        whose = whose | (inbox.c.provider_id == provider_id)
    rows = conn.execute(
        select(inbox.c.event, inbox.c.at)
        .where(inbox.c.provider == provider, inbox.c.attempt.is_(None), inbox.c.at >= since, whose)
        .order_by(inbox.c.at)
    )
    return [(events.load(event), at) for event, at in rows]
