"""Responders with their contacts, and policies."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, delete, insert, select, update

from paging.ids import new_id
from paging.people import Policy, Responder
from paging.store import Transaction
from paging.store.tables import contact, policy, responder

_CONTACTS = {"phone": "phone", "email": "email"}  # field of a responder -> channel of a contact


_POLICY = select(policy.c.body).where(policy.c.id == bindparam("wanted"))


def responders(conn: Transaction, ids: Iterable[str] | None = None) -> dict[str, Responder]:
    """Return all responders, or those of `ids` that exist, by id."""
    query = (
        select(responder.c.id, responder.c.body, contact.c.channel, contact.c.address)
        .outerjoin(contact, contact.c.responder == responder.c.id)
        .order_by(responder.c.id)
    )
    if ids is not None:
        query = query.where(responder.c.id.in_(list(ids)))
    bodies: dict[str, dict[str, Any]] = {}
    for id_, body, channel, address in conn.execute(query):
        known = bodies.setdefault(id_, dict(body))
        if channel is not None:
            known[channel] = address
    return {id_: Responder.model_validate(body) for id_, body in bodies.items()}


def put_responder(conn: Transaction, id_: str, value: Responder, now: datetime) -> None:
    """Insert or replace; a contact that stays the same stays verified."""
    fields = value.model_dump(mode="json", exclude=set(_CONTACTS))
    changed = conn.execute(
        update(responder).where(responder.c.id == id_).values(body=fields, updated_at=now)
    )
    if not changed.rowcount:
        conn.execute(insert(responder).values(id=id_, body=fields, updated_at=now))
    for channel in _CONTACTS.values():
        address: str | None = getattr(value, channel)
        mine = (contact.c.responder == id_) & (contact.c.channel == channel)
        stale = mine if address is None else mine & (contact.c.address != address)
        conn.execute(delete(contact).where(stale))
        if address is not None and not conn.scalar(select(contact.c.id).where(mine)):
            conn.execute(
                insert(contact).values(
                    id=new_id(now), responder=id_, channel=channel, address=address
                )
            )


def delete_responder(conn: Transaction, id_: str) -> bool:
    """Return whether it was there."""
    return bool(conn.execute(delete(responder).where(responder.c.id == id_)).rowcount)


def policies(conn: Transaction) -> dict[str, Policy]:
    """Return all policies by id."""
    rows = conn.execute(select(policy.c.id, policy.c.body).order_by(policy.c.id))
    return {id_: Policy.model_validate(body) for id_, body in rows}


def policy_of(conn: Transaction, id_: str) -> Policy | None:
    """Return one policy."""
    body = conn.scalar(_POLICY, {"wanted": id_})
    return None if body is None else Policy.model_validate(body)


def put_policy(conn: Transaction, id_: str, value: Policy, now: datetime) -> None:
    """Insert or replace. Pages that run keep the plan they began with."""
    fields = value.model_dump(mode="json")
    changed = conn.execute(
        update(policy).where(policy.c.id == id_).values(body=fields, updated_at=now)
    )
    if not changed.rowcount:
        conn.execute(insert(policy).values(id=id_, body=fields, updated_at=now))


def delete_policy(conn: Transaction, id_: str) -> bool:
    """Return whether it was there."""
    return bool(conn.execute(delete(policy).where(policy.c.id == id_)).rowcount)
