"""The acknowledge link of a mail: bound to one responder and one incident, as it was when made."""

from datetime import datetime
from typing import Any

from paging import pages
from paging.errors import NotFoundError
from paging.model import Incident
from paging.store import Transaction, answers, people, runs, views
from paging.store import attempts as rows
from paging.work import Work

Json = dict[str, Any]


def shown(conn: Transaction, number: int, responder: str, made_at: datetime) -> Json:
    """Return the incident, whose link it is, and who has it; `counts`: whether it may be taken.

    Raises NotFoundError when the incident or the responder is gone.
    """
    if runs.number_of(conn, str(number)) is None:
        raise NotFoundError(f"no incident {number}")
    incident = runs.load(conn, number).incident
    owner = incident.acknowledged_by
    known = people.responders(conn, [responder, *([owner] if owner else [])])
    person = known.get(responder)
    if person is None:
        raise NotFoundError(f"no responder {responder!r}")
    has_it = known.get(owner) if owner else None
    return {
        "incident": views.of_incident(incident),
        "responder": {
            "id": responder,
            "name": person.name,
            "locale": person.locale,
            "timezone": person.timezone,
        },
        "owner": has_it.name if has_it else owner,
        "counts": _counts(incident, made_at),
    }


def acknowledge(work: Work, number: int, responder: str, made_at: datetime) -> Json:
    """Acknowledge for this responder, if the link still counts; return what it shows then."""
    before = shown(work.conn, number, responder, made_at)
    first = False
    if before["counts"]:
        run = runs.load(work.conn, number)
        mail = answers.last_mail(work.conn, responder, number)
        first = pages.acknowledge(
            run,
            work.now,
            by=responder,
            via="link",
            responder=responder,
            attempt=mail.id if mail is not None else None,
        )
        if mail is not None:
            work.reached(mail, "acknowledge")
            rows.save(work.conn, mail)
        work.store(run)
    return {**shown(work.conn, number, responder, made_at), "first": first}


def _counts(incident: Incident, made_at: datetime) -> bool:
    """Say whether the incident is open, and still the one that the link was made for.

    A link tells the second in which it was made.
    """
    return incident.status != "closed" and incident.opened_at.replace(microsecond=0) <= made_at
