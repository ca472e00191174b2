"""Incidents with their present page: loaded whole, decided on elsewhere, written back."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
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
_INCIDENT_FIELDS = [field.name for field in fields(Incident) if field.name != "number"]
_PAGE_MOVES = ("state", "round", "step", "step_ends_at", "next_at", "ended_at")
_TELLING_MOVES = (
    "state",
    "due_at",
    "attempt",
    "tries_used",
    "tried",
    "doubtful",
    "hopeless",
    "held",
)

# Built once: building a statement costs more than running it.
_NEW_INCIDENT = insert(incident).returning(incident.c.number)
_NEW_PAGE = insert(page)
_NEW_TELLING = insert(telling)
_NEW_ENTRY = insert(timeline)
_OPEN_NUMBER = select(incident.c.number).where(
    incident.c.dedup_key == bindparam("dedup_key"), incident.c.status != "closed"
)
_INCIDENT = select(incident).where(incident.c.number == bindparam("row_number"))
_PRESENT_PAGE = (
    select(page)
    .where(page.c.incident == bindparam("row_number"))
    .order_by(page.c.ended_at.is_not(None), page.c.created_at.desc(), page.c.id.desc())
    .limit(1)
)
_TELLINGS = select(telling).where(telling.c.page == bindparam("row_page")).order_by(telling.c.id)
_TELLING_IDS = select(telling.c.id).where(telling.c.page == bindparam("row_page"))
_MOVE_INCIDENT = (
    update(incident)
    .where(incident.c.number == bindparam("row_number"))
    .values({name: bindparam(name) for name in _INCIDENT_MOVES})
)
_MOVE_PAGE = (
    update(page)
    .where(page.c.id == bindparam("row_id"))
    .values({name: bindparam(name) for name in _PAGE_MOVES})
)
_MOVE_TELLING = (
    update(telling)
    .where(telling.c.id == bindparam("row_id"))
    .values({name: bindparam(name) for name in _TELLING_MOVES})
)
_DUE = (
    select(page.c.incident)
    .where(page.c.next_at.is_not(None), page.c.next_at <= bindparam("now"))
    .order_by(page.c.next_at)
    .limit(bindparam("most"))
)
_NEXT_DUE = select(func.min(page.c.next_at)).where(page.c.next_at.is_not(None))
_ABOUT = (
    select(attempt_incident.c.incident, attempt_incident.c.telling)
    .where(attempt_incident.c.attempt == bindparam("row_attempt"))
    .order_by(attempt_incident.c.incident)
)


def insert_incident(conn: Transaction, new: Incident) -> None:
    """Insert it and give it the next number."""
    values = {name: getattr(new, name) for name in _INCIDENT_FIELDS}
    new.number = conn.execute(_NEW_INCIDENT, values).scalar_one()


def open_number(conn: Transaction, dedup_key: str) -> int | None:
    """Return the number of the incident that is open under this key."""
    return conn.scalar(_OPEN_NUMBER, {"dedup_key": dedup_key})


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
    asked = {"row_number": number}
    row = conn.execute(_INCIDENT, asked).mappings().one()
    newest = conn.execute(_PRESENT_PAGE, asked).mappings().one_or_none()
    if newest is None:
        return Run(Incident(**row), None, [], {}, {})
    plan = Policy.model_validate(newest["plan"])
    tellings = [
        _telling(item) for item in conn.execute(_TELLINGS, {"row_page": newest["id"]}).mappings()
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


def add(conn: Transaction, run: Run, now: datetime) -> None:
    """Write the first page of an incident that was just inserted."""
    if run.page is not None:
        conn.execute(_NEW_PAGE, {**_page_row(run.page), "plan": _plan_row(run.page)})
    add_entries(conn, run.incident.number, run.entries, now)


def _page_row(value: Page) -> dict[str, Any]:
    return {name: getattr(value, name) for name in _PAGE_FIELDS if name != "plan"}


def _plan_row(value: Page) -> dict[str, Any]:
    return value.plan.model_dump(mode="json")


def save(conn: Transaction, run: Run, now: datetime) -> None:
    """Write the run back, with its new lines of the timeline."""
    moved = {name: getattr(run.incident, name) for name in _INCIDENT_MOVES}
    conn.execute(_MOVE_INCIDENT, {"row_number": run.incident.number, **moved})
    if run.page is not None:
        save_page(conn, run.page)
        save_tellings(conn, run.tellings)
    add_entries(conn, run.incident.number, run.entries, now)


def save_page(conn: Transaction, value: Page) -> None:
    """Insert or update one page; a page that it replaces is ended."""
    row = _page_row(value)
    moved = {name: row[name] for name in _PAGE_MOVES}
    if conn.execute(_MOVE_PAGE, {"row_id": value.id, **moved}).rowcount:
        return
    conn.execute(
        update(page)
        .where(page.c.incident == value.incident, page.c.ended_at.is_(None))
        .values(state="replaced", ended_at=value.created_at, next_at=None)
    )
    conn.execute(_NEW_PAGE, {**row, "plan": _plan_row(value)})


def save_tellings(conn: Transaction, values: Sequence[Telling]) -> None:
    """Insert the new ones and update the others."""
    if not values:
        return
    known = set(conn.scalars(_TELLING_IDS, {"row_page": values[0].page}))
    rows = [_telling_row(value) for value in values]
    new = [row for row in rows if row["id"] not in known]
    old = [
        {"row_id": row["id"], **{name: row[name] for name in _TELLING_MOVES}}
        for row in rows
        if row["id"] in known
    ]
    if new:
        conn.execute(_NEW_TELLING, new)
    if old:
        conn.execute(_MOVE_TELLING, old)


def _telling_row(value: Telling) -> dict[str, Any]:
    row = {name: getattr(value, name) for name in _TELLING_FIELDS}
    row["spec"] = value.spec.model_dump(mode="json")
    row["tried"] = list(value.tried)
    return row


def add_entries(conn: Transaction, number: int, entries: Sequence[Entry], now: datetime) -> None:
    """Append lines to one incident's timeline."""
    if entries:
        conn.execute(
            _NEW_ENTRY,
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
    return list(conn.scalars(_DUE, {"now": now, "most": most}))


def next_due(conn: Transaction) -> datetime | None:
    """Return when the next page has something to do."""
    return conn.scalar(_NEXT_DUE)


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
    rows = conn.execute(_ABOUT, {"row_attempt": attempt_id})
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
