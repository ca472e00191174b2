"""What answers need: texts and mails that went out, short codes per number, help that was sent."""

from datetime import datetime

from sqlalchemy import bindparam, delete, func, insert, select, update

from paging.model import Attempt
from paging.store import Transaction
from paging.store.attempts import attempt_of
from paging.store.tables import Moment, attempt, attempt_incident, help_sent, incident, reply_code

_CODE_OF = select(reply_code.c.code).where(
    reply_code.c.address == bindparam("to"), reply_code.c.incident == bindparam("about")
)
_CODES_TAKEN = (
    select(reply_code.c.code, incident.c.status)
    .join(incident, incident.c.number == reply_code.c.incident)
    .where(reply_code.c.address == bindparam("to"))
)
_sent_at = func.coalesce(attempt.c.submitted_at, attempt.c.created_at)
# What a reply may answer: anything that was sent, or may have been, and that asks for something.
_ANSWERABLE = (
    select(attempt)
    .where(
        attempt.c.address == bindparam("to"),
        attempt.c.channel == "sms",
        attempt.c.purpose.in_(("page", "test")),
        attempt.c.submitted_at.is_not(None) | attempt.c.doubtful,
        attempt.c.created_at >= bindparam("since"),
    )
    .order_by(_sent_at.desc(), attempt.c.id.desc())
    .limit(1)
)
_BEFORE = _ANSWERABLE.where(_sent_at <= bindparam("before", type_=Moment))
_ABOUT = _ANSWERABLE.join(attempt_incident, attempt_incident.c.attempt == attempt.c.id).where(
    attempt_incident.c.incident == bindparam("about")
)


def code_for(conn: Transaction, address: str, number: int) -> int:
    """Return the code by which this number means this incident.

    The smallest that is free: one is given again only once its incident is closed.
    """
    known = conn.scalar(_CODE_OF, {"to": address, "about": number})
    if known is not None:
        return known
    rows = conn.execute(_CODES_TAKEN, {"to": address})
    taken: dict[int, str] = {row.code: row.status for row in rows}
    code = 1
    while taken.get(code, "closed") != "closed":
        code += 1
    if code in taken:
        mine = (reply_code.c.address == address) & (reply_code.c.code == code)
        conn.execute(delete(reply_code).where(mine))
    conn.execute(insert(reply_code).values(address=address, code=code, incident=number))
    return code


def incident_of(conn: Transaction, address: str, code: int) -> int | None:
    """Return the incident that this code means for this number."""
    return conn.scalar(
        select(reply_code.c.incident).where(
            reply_code.c.address == address, reply_code.c.code == code
        )
    )


def last_text(
    conn: Transaction,
    address: str,
    since: datetime,
    *,
    before: datetime | None = None,
    about: int | None = None,
) -> Attempt | None:
    """Return the newest text to this number: sent at `before` or earlier, or about an incident."""
    asked = {"to": address, "since": since}
    if about is not None:
        row = conn.execute(_ABOUT, {**asked, "about": about})
    elif before is not None:
        row = conn.execute(_BEFORE, {**asked, "before": before})
    else:
        row = conn.execute(_ANSWERABLE, asked)
    found = row.mappings().one_or_none()
    return None if found is None else attempt_of(found)


def last_mail(conn: Transaction, responder: str, number: int) -> Attempt | None:
    """Return the newest mail to this responder about this incident."""
    row = conn.execute(
        select(attempt)
        .join(attempt_incident, attempt_incident.c.attempt == attempt.c.id)
        .where(
            attempt_incident.c.incident == number,
            attempt.c.responder == responder,
            attempt.c.channel == "email",
        )
        .order_by(attempt.c.id.desc())
        .limit(1)
    )
    found = row.mappings().one_or_none()
    return None if found is None else attempt_of(found)


def is_alone(conn: Transaction, text: Attempt, since: datetime) -> bool:
    """Say whether this number got no other text since then that a reply could mean."""
    others = (
        (attempt.c.address == text.address)
        & (attempt.c.channel == "sms")
        & attempt.c.purpose.in_(("page", "test"))
        & (attempt.c.created_at >= since)
        & (attempt.c.id != text.id)
    )
    return conn.scalar(select(attempt.c.id).where(others).limit(1)) is None


def help_count(conn: Transaction, address: str) -> int:
    """Return how often this number was helped since its last action."""
    count = conn.scalar(select(help_sent.c.count).where(help_sent.c.address == address))
    return count or 0


def count_help(conn: Transaction, address: str) -> None:
    """Count one more."""
    mine = help_sent.c.address == address
    changed = conn.execute(update(help_sent).where(mine).values(count=help_sent.c.count + 1))
    if not changed.rowcount:
        conn.execute(insert(help_sent).values(address=address, count=1))


def forget_help(conn: Transaction, address: str) -> None:
    """Begin anew: this number replied with an action."""
    conn.execute(delete(help_sent).where(help_sent.c.address == address))
