"""Incidents with their present page: loaded whole, decided on elsewhere, written back."""

import copy
import functools
import re
from collections import UserDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any, TypeVar

from pydantic import TypeAdapter
from sqlalchemy import Text, bindparam, case, cast, func, insert, select, update
from sqlalchemy.engine import RowMapping

from paging.alerts import Known, Pair
from paging.circuit import Circuit
from paging.model import Entry, Incident, Page, Run, Stored, Telling
from paging.people import Channel
from paging.store import Transaction, circuits, people, rosters
from paging.store.attempts import open_lines
from paging.store.documents import policies
from paging.store.tables import alert, attempt_incident, incident, page, timeline

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
V = TypeVar("V")

_PAGE_FIELDS = [field.name for field in fields(Page)]
_TELLINGS = TypeAdapter(list[Telling])
_INCIDENT_FIELDS = [field.name for field in fields(Incident) if field.name != "number"]
_PAGE_MOVES = (
    *("state", "round", "step", "step_ends_at", "next_at", "ended_at"),
    *("tellings", "held_for"),
)
# Built once: building a statement costs more than running it.
_NEW_INCIDENT = insert(incident).returning(incident.c.number)
_NEW_PAGE = insert(page)
_NEW_ENTRY = insert(timeline)
_OPEN_NUMBER = select(incident.c.number).where(
    incident.c.dedup_key == bindparam("dedup_key"), incident.c.status != "closed"
)
_INCIDENT_AND_PAGE = (
    select(
        incident,
        *(column.label(f"page_{column.name}") for column in page.c if column is not page.c.plan),
    )
    .add_columns(cast(page.c.plan, Text).label("page_plan"))
    .outerjoin(page, page.c.incident == incident.c.number)
    .where(incident.c.number == bindparam("row_number"))
    .order_by(page.c.ended_at.is_not(None), page.c.created_at.desc(), page.c.id.desc())
    .limit(1)
)
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
_REPLACE_PAGES = (
    update(page)
    .where(page.c.incident == bindparam("row_incident"), page.c.ended_at.is_(None))
    .values(state="replaced", ended_at=bindparam("at"), next_at=None, held_for=None)
)
_DUE = (
    select(page.c.incident)
    .where(page.c.next_at.is_not(None), page.c.next_at <= bindparam("now"))
    .order_by(page.c.next_at)
    .limit(bindparam("most"))
)
_NEXT_DUE = select(func.min(page.c.next_at)).where(page.c.next_at.is_not(None))
_LAST_NUMBER = select(func.max(incident.c.number)).where(
    incident.c.dedup_key == bindparam("dedup_key")
)
_BY_ID = select(incident.c.number).where(incident.c.id == bindparam("wanted"))
_BY_NUMBER = select(incident.c.number).where(incident.c.number == bindparam("wanted"))
_HELD_FIRST = (
    select(page.c.id)
    .join(incident, incident.c.number == page.c.incident)
    .where(
        page.c.held_for.is_not(None),
        page.c.held_for.contains(bindparam("whose")),
        page.c.next_at.is_not(None),
    )
    .order_by(
        case({"critical": 0, "warning": 1}, value=incident.c.severity, else_=2),
        page.c.created_at,
    )
    .limit(1)
)
_WAKE = update(page).where(page.c.id == bindparam("row_id")).values(next_at=bindparam("at"))
_ABOUT = (
    select(attempt_incident.c.incident, attempt_incident.c.telling)
    .where(attempt_incident.c.attempt == bindparam("row_attempt"))
    .order_by(attempt_incident.c.incident)
)


def insert_incident(conn: Transaction, new: Incident) -> Run:
    """Insert it, give it the next number, and return it as a run that has no page yet."""
    values = {name: getattr(new, name) for name in _INCIDENT_FIELDS}
    new.number = conn.execute(_NEW_INCIDENT, values).scalar_one()
    return _run(conn, new, None, [])


def open_number(conn: Transaction, dedup_key: str) -> int | None:
    """Return the number of the incident that is open under this key."""
    return conn.scalar(_OPEN_NUMBER, {"dedup_key": dedup_key})


def last_number(conn: Transaction, dedup_key: str) -> int | None:
    """Return the number of the newest incident under this key, open or closed."""
    return conn.scalar(_LAST_NUMBER, {"dedup_key": dedup_key})


def number_of(conn: Transaction, id_: str) -> int | None:
    """Find an incident by its id or its number."""
    by_id = conn.scalar(_BY_ID, {"wanted": id_})
    if by_id is None and re.fullmatch(r"[0-9]{1,18}", id_):
        return conn.scalar(_BY_NUMBER, {"wanted": int(id_)})
    return by_id


class _OnDemand(UserDict[str, V]):
    """Loaded when first looked into: most decisions need neither people nor lines."""

    def __init__(self, load: Callable[[], dict[str, V]]) -> None:
        self._load = load

    @functools.cached_property
    def data(self) -> dict[str, V]:  # pyright: ignore[reportIncompatibleVariableOverride]
        """What there is, from the first look on."""
        return self._load()


class _Circuits(dict[Channel, dict[str, Circuit]]):
    """A channel's circuits, loaded when one of its providers is to be chosen."""

    def __init__(self, conn: Transaction) -> None:
        super().__init__()
        self._conn = conn

    def __missing__(self, channel: Channel) -> dict[str, Circuit]:
        """Load a channel's."""
        self[channel] = circuits.load(self._conn, channel)
        return self[channel]


def load(conn: Transaction, number: int) -> Run:
    """Return the incident, its newest page, and everyone whom that page may tell."""
    row = conn.execute(_INCIDENT_AND_PAGE, {"row_number": number}).mappings().one()
    found = Incident(**{name: row[name] for name in ("number", *_INCIDENT_FIELDS)})
    if row["page_id"] is None:
        return _run(conn, found, None, [])
    return _run(conn, found, _page(row), _TELLINGS.validate_json(row["page_tellings"]))


def _run(conn: Transaction, found: Incident, its_page: Page | None, its: list[Telling]) -> Run:
    stored = Stored(copy.copy(found), copy.copy(its_page), [copy.copy(one) for one in its])
    run = Run(found, its_page, its, {}, {}, _Circuits(conn), {}, stored)
    run.rosters = _OnDemand(
        lambda: rosters.load(conn, run.page.plan.named("schedule")) if run.page else {}
    )
    run.people = _OnDemand(lambda: people.responders(conn, _whom(run)))
    run.lines = _OnDemand(
        lambda: open_lines(conn, [one.phone for one in run.people.values() if one.phone])
    )
    return run


def _whom(run: Run) -> set[str]:
    """Return the ids of everyone whom the page tells, or has told."""
    if run.page is None:
        return set()
    named = set(run.page.plan.named("responder")) | {one.responder for one in run.tellings}
    if run.page.plan.named("schedule"):
        named.update(*(roster.responders for roster in run.rosters.values()))
    return named


def _page(row: RowMapping) -> Page:
    values: dict[str, Any] = {name: row[f"page_{name}"] for name in _PAGE_FIELDS}
    values["plan"] = policies.parsed(row["page_plan"])
    return Page(**values)


def save(conn: Transaction, run: Run) -> None:
    """Write what changed since the run was read."""
    stored = run.stored
    if stored.incident != run.incident:
        moved = {name: getattr(run.incident, name) for name in _INCIDENT_MOVES}
        conn.execute(_MOVE_INCIDENT, {"row_number": run.incident.number, **moved})
    if (stored.page, stored.tellings) != (run.page, run.tellings):
        _save_page(conn, run)


def _save_page(conn: Transaction, run: Run) -> None:
    """Insert or update the present page; one that it replaces is ended."""
    value, before = run.page, run.stored.page
    if value is None:
        return
    row = {name: getattr(value, name) for name in _PAGE_FIELDS if name != "plan"}
    row["tellings"] = _TELLINGS.dump_json(run.tellings).decode()
    held = [one.responder for one in run.tellings if one.held and one.state == "waiting"]
    row["held_for"] = f"|{'|'.join(held)}|" if held else None
    if before is not None and before.id == value.id:
        conn.execute(_MOVE_PAGE, {"row_id": value.id, **{name: row[name] for name in _PAGE_MOVES}})
        return
    if before is not None:
        conn.execute(_REPLACE_PAGES, {"row_incident": value.incident, "at": value.created_at})
    conn.execute(_NEW_PAGE, {**row, "plan": value.plan.model_dump(mode="json")})


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


def postpone(conn: Transaction, number: int, until: datetime) -> None:
    """Look at an incident's pages again at this time."""
    conn.execute(
        update(page)
        .where(page.c.incident == number, page.c.next_at.is_not(None))
        .values(next_at=until)
    )


def next_due(conn: Transaction) -> datetime | None:
    """Return when the next page has something to do."""
    return conn.scalar(_NEXT_DUE)


def wake_held(conn: Transaction, responder: str, now: datetime) -> bool:
    """Make the worst page due that holds a call back until this person's line is free.

    The others stay held: there is one line.
    """
    first = conn.scalar(_HELD_FIRST, {"whose": f"|{responder}|"})
    if first is not None:
        conn.execute(_WAKE, {"row_id": first, "at": now})
    return first is not None


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
