"""Incidents with their present page: loaded whole, decided on elsewhere, written back."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, fields
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, exists, func, insert, select, update
from sqlalchemy.engine import RowMapping

from paging.alerts import Known, Pair
from paging.model import Entry, Incident, Page, Run, Telling
from paging.people import Notification, Policy
from paging.store import Transaction, people
from paging.store.attempts import open_lines
from paging.store.tables import alert, attempt_incident, incident, page, telling, timeline


def insert_incident(conn: Transaction, new: Incident) -> None:
    """Insert it and give it the next number."""
    values = asdict(new)
    del values["number"]
    new.number = conn.execute(
        insert(incident).values(**values).returning(incident.c.number)
    ).scalar_one()


def open_number(conn: Transaction, dedup_key: str) -> int | None:
    """Return the number of the incident that is open under this key."""
    return conn.scalar(
        select(incident.c.number).where(
            incident.c.dedup_key == dedup_key, incident.c.status != "closed"
        )
    )


def last_number(conn: Transaction, dedup_key: str) -> int | None:
    """Return the number of the newest incident under this key, open or closed."""
    return conn.scalar(select(func.max(incident.c.number)).where(incident.c.dedup_key == dedup_key))


def number_of(conn: Transaction, id_: str) -> int | None:
    """Find an incident by its id or its number."""
    by_id = conn.scalar(select(incident.c.number).where(incident.c.id == id_))
    if by_id is None and id_.isdecimal():
        return conn.scalar(select(incident.c.number).where(incident.c.number == int(id_)))
    return by_id


def load(conn: Transaction, number: int) -> Run:
    """Return the incident, its newest page, and everyone whom that page may tell."""
    row = conn.execute(select(incident).where(incident.c.number == number)).mappings().one()
    newest = (
        conn.execute(
            select(page)
            .where(page.c.incident == number)
            .order_by(page.c.ended_at.is_not(None), page.c.created_at.desc(), page.c.id.desc())
            .limit(1)
        )
        .mappings()
        .one_or_none()
    )
    if newest is None:
        return Run(Incident(**row), None, [], {}, {})
    plan = Policy.model_validate(newest["plan"])
    tellings = [
        _telling(item)
        for item in conn.execute(
            select(telling).where(telling.c.page == newest["id"]).order_by(telling.c.id)
        ).mappings()
    ]
    known = people.responders(conn, plan.responders)
    return Run(
        Incident(**row),
        _page(newest, plan),
        tellings,
        known,
        open_lines(conn, [person.phone for person in known.values() if person.phone]),
    )


def _page(row: RowMapping, plan: Policy) -> Page:
    values: dict[str, Any] = dict(row)
    values["plan"] = plan
    return Page(**values)


def _telling(row: RowMapping) -> Telling:
    values: dict[str, Any] = dict(row)
    values["spec"] = Notification.model_validate(row["spec"])
    values["tried"] = tuple(row["tried"])
    return Telling(**values)


_INCIDENT_MOVES = (
    "severity",
    "status",
    "alerts",
    "opened_at",
    "acknowledged_at",
    "acknowledged_by",
    "closed_at",
    "closed_by",
    "closed_by_hand",
    "muted_until",
)
_PAGE_FIELDS = [field.name for field in fields(Page)]
_TELLING_FIELDS = [field.name for field in fields(Telling)]


def add(conn: Transaction, run: Run, now: datetime) -> None:
    """Write the first page of an incident that was just inserted."""
    if run.page is not None:
        conn.execute(insert(page).values(**_page_row(run.page), plan=_plan_row(run.page)))
    add_entries(conn, run.incident.number, run.entries, now)


def _page_row(value: Page) -> dict[str, Any]:
    return {name: getattr(value, name) for name in _PAGE_FIELDS if name != "plan"}


def _plan_row(value: Page) -> dict[str, Any]:
    return value.plan.model_dump(mode="json")


def save(conn: Transaction, run: Run, now: datetime) -> None:
    """Write the run back, with its new lines of the timeline."""
    conn.execute(
        update(incident)
        .where(incident.c.number == run.incident.number)
        .values({name: getattr(run.incident, name) for name in _INCIDENT_MOVES})
    )
    if run.page is not None:
        save_page(conn, run.page)
        save_tellings(conn, run.tellings)
    add_entries(conn, run.incident.number, run.entries, now)


def save_page(conn: Transaction, value: Page) -> None:
    """Insert or update one page; a page that it replaces is ended."""
    row = _page_row(value)
    if conn.execute(update(page).where(page.c.id == value.id).values(row)).rowcount:
        return
    conn.execute(
        update(page)
        .where(page.c.incident == value.incident, page.c.ended_at.is_(None))
        .values(state="replaced", ended_at=value.created_at, next_at=None)
    )
    conn.execute(insert(page).values(**row, plan=_plan_row(value)))


def save_tellings(conn: Transaction, values: Sequence[Telling]) -> None:
    """Insert the new ones and update the others."""
    if not values:
        return
    known = set(conn.scalars(select(telling.c.id).where(telling.c.page == values[0].page)))
    rows = [_telling_row(value) for value in values]
    new = [row for row in rows if row["id"] not in known]
    old = [{"row_id": row.pop("id"), **row} for row in rows if row["id"] in known]
    if new:
        conn.execute(insert(telling), new)
    if old:
        names = [name for name in _TELLING_FIELDS if name != "id"]
        conn.execute(
            update(telling)
            .where(telling.c.id == bindparam("row_id"))
            .values({name: bindparam(name) for name in names}),
            old,
        )


def _telling_row(value: Telling) -> dict[str, Any]:
    row = {name: getattr(value, name) for name in _TELLING_FIELDS}
    row["spec"] = value.spec.model_dump(mode="json")
    row["tried"] = list(value.tried)
    return row


def add_entries(conn: Transaction, number: int, entries: Sequence[Entry], now: datetime) -> None:
    """Append lines to one incident's timeline."""
    if entries:
        conn.execute(
            insert(timeline),
            [
                {
                    "incident": number,
                    "at": now,
                    "type": entry.type,
                    "responder": entry.responder,
                    "attempt": entry.attempt,
                    "detail": dict(entry.detail),
                }
                for entry in entries
            ],
        )


def due(conn: Transaction, now: datetime, most: int) -> list[int]:
    """Return the incidents whose pages have something to do, longest waiting first."""
    return list(
        conn.scalars(
            select(page.c.incident)
            .where(page.c.next_at.is_not(None), page.c.next_at <= now)
            .order_by(page.c.next_at)
            .limit(most)
        )
    )


def next_due(conn: Transaction) -> datetime | None:
    """Return when the next page has something to do."""
    return conn.scalar(select(func.min(page.c.next_at)).where(page.c.next_at.is_not(None)))


def wake_held(conn: Transaction, responders: Iterable[str], now: datetime) -> bool:
    """Make the pages due that hold a call back until these people's lines are free."""
    names = list(responders)
    held = (
        telling.c.held.is_(True) & telling.c.responder.in_(names) & (telling.c.state == "waiting")
    )
    if not names or not conn.scalar(select(exists().where(held))):
        return False
    pages = list(conn.scalars(select(telling.c.page).where(held)))
    conn.execute(update(telling).where(held).values(due_at=now))
    conn.execute(
        update(page).where(page.c.id.in_(pages), page.c.next_at.is_not(None)).values(next_at=now)
    )
    return True


def pages_of(conn: Transaction, attempt_id: str) -> list[tuple[int, str]]:
    """Return (incident, telling) of everything that this attempt is about."""
    rows = conn.execute(
        select(attempt_incident.c.incident, attempt_incident.c.telling)
        .where(attempt_incident.c.attempt == attempt_id)
        .order_by(attempt_incident.c.incident)
    )
    return [(number, telling_id) for number, telling_id in rows]


def alerts(conn: Transaction, key: str) -> dict[Pair, Known]:
    """Return all alerts that came under this key."""
    rows = conn.execute(select(alert).where(alert.c.key == key)).mappings()
    return {
        (row["fingerprint"], row["starts_at"]): Known(row["resolved"], row["severity"])
        for row in rows
    }


def put_alerts(conn: Transaction, key: str, values: Mapping[Pair, Known]) -> None:
    """Remember these, each as it now is."""
    for (fingerprint, starts_at), known in values.items():
        mine = (
            (alert.c.key == key)
            & (alert.c.fingerprint == fingerprint)
            & (alert.c.starts_at == starts_at)
        )
        row = {"resolved": known.resolved, "severity": known.severity}
        if not conn.execute(update(alert).where(mine).values(row)).rowcount:
            conn.execute(
                insert(alert).values(key=key, fingerprint=fingerprint, starts_at=starts_at, **row)
            )
