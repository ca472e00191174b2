"""Contacts that are proved to be somebody's, and the numbers that our own calls come from."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import delete, exists, insert, select, update

from paging.store import Transaction
from paging.store.tables import caller, contact, verification


def sent_code(conn: Transaction, responder: str, kind: str) -> dict[str, Any] | None:
    """Return what is known of the codes sent to this contact: a row of `verification`."""
    row = conn.execute(select(verification).where(_of(responder, kind))).mappings().one_or_none()
    return None if row is None else dict(row)


def put_code(conn: Transaction, responder: str, kind: str, row: dict[str, Any]) -> None:
    """Remember a code in place of the one before."""
    conn.execute(delete(verification).where(_of(responder, kind)))
    conn.execute(insert(verification).values(**{**row, "responder": responder, "contact": kind}))


def spend_try(conn: Transaction, responder: str, kind: str, *, last: bool) -> None:
    """Count a try; after the last one the code is used up."""
    values: dict[str, Any] = {"tries_left": verification.c.tries_left - 1}
    conn.execute(
        update(verification)
        .where(_of(responder, kind))
        .values(values | ({"digest": None} if last else {}))
    )


def verify(conn: Transaction, responder: str, kind: str, address: str, at: datetime) -> None:
    """Note that this contact is proved; its code is used up."""
    mine = (contact.c.responder == responder) & (contact.c.channel == kind)
    conn.execute(update(contact).where(mine, contact.c.address == address).values(verified_at=at))
    conn.execute(update(verification).where(_of(responder, kind)).values(digest=None))


def _of(responder: str, kind: str) -> Any:  # noqa: ANN401 - an expression
    return (verification.c.responder == responder) & (verification.c.contact == kind)


def learn_caller(conn: Transaction, provider: str, channel: str, number: str, at: datetime) -> None:
    """Remember a number that a call or text came from, once."""
    same = (
        (caller.c.provider == provider)
        & (caller.c.channel == channel)
        & (caller.c.number == number)
    )
    if not conn.scalar(select(exists().where(same))):
        conn.execute(
            insert(caller).values(provider=provider, channel=channel, number=number, seen_at=at)
        )


def callers(conn: Transaction) -> Sequence[tuple[str, str, str]]:
    """Return (provider, channel, number) of all that were learnt."""
    rows = conn.execute(
        select(caller.c.provider, caller.c.channel, caller.c.number).order_by(
            caller.c.provider, caller.c.channel, caller.c.number
        )
    )
    return [(provider, channel, number) for provider, channel, number in rows]
