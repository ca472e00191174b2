"""What the API shows: rows as JSON values, times as RFC 3339 UTC."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.engine import RowMapping

from paging import words
from paging.circuit import NEW, Circuit
from paging.errors import NotFoundError
from paging.model import Incident
from paging.people import CONTACT_OF
from paging.store import Transaction, circuits, feeds, rosters
from paging.store.attempts import of_channel
from paging.store.tables import attempt, attempt_incident, inbox, incident, page, timeline

Json = dict[str, Any]
_INCIDENT_SHOWN = (
    "id",
    "number",
    "title",
    "details",
    "severity",
    "status",
    "policy",
    "dedup_key",
    "labels",
    "link",
    "acknowledged_by",
    "closed_by",
)
_INCIDENT_TIMES = ("created_at", "acknowledged_at", "closed_at", "muted_until")
_ATTEMPT_TIMES = ("created_at", "submitted_at", "ringing_at", "answered_at", "ended_at")


def moment(value: datetime | None) -> str | None:
    """Return RFC 3339 in UTC, to the millisecond."""
    if value is None:
        return None
    return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _incident(row: RowMapping) -> Json:
    return {
        **{name: row[name] for name in _INCIDENT_SHOWN},
        **{name: moment(row[name]) for name in _INCIDENT_TIMES},
    }


def of_incident(value: Incident) -> Json:
    """Return an incident that is at hand."""
    return {
        **{name: getattr(value, name) for name in _INCIDENT_SHOWN},
        **{name: moment(getattr(value, name)) for name in _INCIDENT_TIMES},
    }


def incident_by_number(conn: Transaction, number: int, *, whole: bool) -> Json:
    """Return one incident; `whole` adds its page, attempts and timeline."""
    row = conn.execute(select(incident).where(incident.c.number == number)).mappings().one()
    view = _incident(row)
    if whole:
        view["page"] = _page(conn, number)
        view["attempts"] = attempts(conn, incidents=[number], limit=1000)
        view["timeline"] = entries(conn, number, view["id"])
    return view


def _page(conn: Transaction, number: int) -> Json | None:
    row = (
        conn.execute(
            select(page)
            .where(page.c.incident == number)
            .order_by(page.c.ended_at.is_not(None), page.c.created_at.desc(), page.c.id.desc())
            .limit(1)
        )
        .mappings()
        .one_or_none()
    )
    if row is None:
        return None
    return {
        "state": row["state"],
        "step": max(row["step"], 0) + 1,
        "round": row["round"] + 1,
        "next_at": moment(row["next_at"]),
    }


def incidents(
    conn: Transaction, *, status: str | None, severity: str | None, before: int | None, limit: int
) -> list[Json]:
    """Return incidents, newest first, with numbers below `before`."""
    query = select(incident).order_by(incident.c.number.desc()).limit(limit)
    if status is not None:
        query = query.where(incident.c.status == status)
    if severity is not None:
        query = query.where(incident.c.severity == severity)
    if before is not None:
        query = query.where(incident.c.number < before)
    return [_incident(row) for row in conn.execute(query).mappings()]


def entries(conn: Transaction, number: int, incident_id: str) -> list[Json]:
    """Return an incident's timeline, oldest first."""
    rows = conn.execute(
        select(timeline).where(timeline.c.incident == number).order_by(timeline.c.id)
    ).mappings()
    return [
        {
            "id": row["id"],
            "at": moment(row["at"]),
            "type": row["type"],
            "incident": incident_id,
            "responder": row["responder"],
            "attempt": row["attempt"],
            "detail": {**row["detail"], "text": words.sentence(row["type"], row["detail"])},
        }
        for row in rows
    ]


def _attempt(row: RowMapping, about: Sequence[str]) -> Json:
    shown = ("id", "ref", "responder", "channel", "provider", "provider_id", "purpose", "status")
    return {
        **{name: row[name] for name in shown},
        "incidents": list(about),
        "contact": {"channel": CONTACT_OF[row["channel"]], "address": row["address"]},
        "failure": row["failure"],
        "keys": row["keys"],
        **{name: moment(row[name]) for name in _ATTEMPT_TIMES},
    }


def attempt_by_id(conn: Transaction, id_: str) -> Json | None:
    """Return one attempt."""
    found = _shown(conn, select(attempt).where(attempt.c.id == id_))
    return found[0] if found else None


def attempts(
    conn: Transaction,
    *,
    incidents: Iterable[int] | None = None,
    responder: str | None = None,
    before: str | None = None,
    limit: int,
) -> list[Json]:
    """Return attempts: an incident's oldest first, else newest first with ids below `before`."""
    query = select(attempt).limit(limit)
    if incidents is not None:
        about = select(attempt_incident.c.attempt).where(
            attempt_incident.c.incident.in_(list(incidents))
        )
        query = query.where(attempt.c.id.in_(about))
    if responder is not None:
        query = query.where(attempt.c.responder == responder)
    if before is not None:
        query = query.where(attempt.c.id < before)
    newest_first = incidents is None
    return _shown(conn, query.order_by(attempt.c.id.desc() if newest_first else attempt.c.id))


def _shown(conn: Transaction, query: Select[Any]) -> list[Json]:
    rows = conn.execute(query).mappings().all()
    about: dict[str, list[str]] = {}
    links = conn.execute(
        select(attempt_incident.c.attempt, incident.c.id)
        .join(incident, incident.c.number == attempt_incident.c.incident)
        .where(attempt_incident.c.attempt.in_([row["id"] for row in rows]))
        .order_by(incident.c.number)
    )
    for attempt_id, incident_id in links:
        about.setdefault(attempt_id, []).append(incident_id)
    return [_attempt(row, about.get(row["id"], [])) for row in rows]


def on_call(conn: Transaction, id_: str, at: datetime) -> Json:
    """Return who is on call by a schedule at a time, and who is next.

    `why`: rotation, override, feed or gap. `calendar`: how its calendar does, None without one.
    Raises NotFoundError.
    """
    roster = rosters.load(conn, [id_]).get(id_)
    if roster is None:
        raise NotFoundError(f"no schedule {id_!r}")
    turn = roster.at(at)
    feed = feeds.of(conn, [id_]).get(id_)
    return {
        "schedule": id_,
        "at": moment(at),
        "responder": turn.who,
        "why": turn.why,
        "since": moment(turn.since),
        "until": moment(turn.until),
        "next": turn.next and {"responder": turn.next.responder, "from": moment(turn.next.begins)},
        "calendar": feed
        and {
            "read_at": moment(feed.read_at),
            "error": feed.error,
            "unmatched": [
                {
                    "from": moment(one.begins),
                    "text": one.text,
                    "candidates": list(one.candidates),
                }
                for one in roster.unmatched
            ],
        },
    }


def provider(conn: Transaction, name: str, channel: str, since: datetime, now: datetime) -> Json:
    """Return how one provider did on one channel since then; milliseconds, None where unknown."""
    rows = (
        conn.execute(
            select(attempt)
            .where(
                attempt.c.provider == name,
                attempt.c.channel == channel,
                attempt.c.created_at >= since,
            )
            .order_by(attempt.c.id)
        )
        .mappings()
        .all()
    )
    taken = [row for row in rows if row["submitted_at"] is not None]
    heard = [
        (row["ringing_at"] or row["answered_at"] or row["ended_at"]) - row["submitted_at"]
        for row in taken
        if row["ringing_at"] or row["answered_at"] or row["ended_at"]
    ]
    failures = [row for row in rows if row["failure"] is not None]
    heard_at = select(func.max(inbox.c.at)).where(inbox.c.provider == name, of_channel(channel))
    last_callback = conn.scalar(heard_at) if channel != "email" else None
    return {
        "provider": name,
        "channel": channel,
        "circuit": _circuit(circuits.load(conn, channel).get(name, NEW), now),
        "since": moment(since),
        "attempts": len(rows),
        "success_rate": len(taken) / len(rows) if rows else None,
        "submit_ms": _percentiles([row["submitted_at"] - row["created_at"] for row in taken]),
        "receipt_ms": _percentiles(heard),
        "last_error": None
        if not failures
        else {**failures[-1]["failure"], "at": moment(failures[-1]["created_at"])},
        "last_callback_at": moment(last_callback),
    }


def _circuit(circuit: Circuit, now: datetime) -> Json:
    """Return whether a provider is trusted, and if not, until when and why."""
    resting = circuit.rests_until is not None and circuit.rests_until > now
    return {
        "state": circuit.phase(now),
        "kind": circuit.kind,
        "open_until": moment(circuit.open_until),
        "rests_until": moment(circuit.rests_until) if resting else None,
    }


def _percentiles(spans: Sequence[Any]) -> Json | None:
    """Return the median and the 95th percentile."""
    if not spans:
        return None
    ordered = sorted(span.total_seconds() * 1000 for span in spans)
    return {
        "p50": round(ordered[len(ordered) // 2], 1),
        "p95": round(ordered[min(len(ordered) - 1, len(ordered) * 95 // 100)], 1),
    }
