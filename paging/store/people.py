"""Responders with their contacts.

What was written is read far more often than it changes: a text that was validated once is not
validated again.
"""

import functools
from collections.abc import Iterable
from datetime import datetime

from pydantic_core import from_json
from sqlalchemy import Text, bindparam, cast, delete, insert, select, update

from paging.ids import new_id
from paging.people import Person, Responder
from paging.store import Transaction
from paging.store.tables import contact, responder

_CONTACTS = {"phone": "phone", "email": "email"}  # field of a responder -> channel of a contact


_KEPT = 4096  # people that stay parsed
_RESPONDERS = (
    select(
        responder.c.id,
        cast(responder.c.body, Text),
        contact.c.channel,
        contact.c.address,
        contact.c.verified_at.is_not(None),
    )
    .outerjoin(contact, contact.c.responder == responder.c.id)
    .order_by(responder.c.id)
)
_RESPONDERS_OF = _RESPONDERS.where(responder.c.id.in_(bindparam("ids", expanding=True)))


@functools.lru_cache(_KEPT)
def _person_from(text: str, contacts: frozenset[tuple[str, str, bool]]) -> Person:
    addresses = {channel: address for channel, address, _ in contacts}
    verified = {channel for channel, _, is_verified in contacts if is_verified}
    return Person.model_validate(from_json(text) | addresses | {"verified": verified})


def responders(conn: Transaction, ids: Iterable[str] | None = None) -> dict[str, Person]:
    """Return all responders, or those of `ids` that exist, by id."""
    if ids is None:
        rows = conn.execute(_RESPONDERS)
    else:
        rows = conn.execute(_RESPONDERS_OF, {"ids": list(ids)})
    bodies: dict[str, tuple[str, set[tuple[str, str, bool]]]] = {}
    for id_, body, channel, address, is_verified in rows:
        _, contacts = bodies.setdefault(id_, (body, set()))
        if channel is not None:
            contacts.add((channel, address, bool(is_verified)))
    return {
        id_: _person_from(body, frozenset(contacts)) for id_, (body, contacts) in bodies.items()
    }


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
