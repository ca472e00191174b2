"""What is stored as its owner wrote it: policies and schedules, each a body under an id.

What was written is read far more often than it changes: a text that was validated once is not
validated again.
"""

import functools
from collections.abc import Iterable
from datetime import datetime
from typing import Generic, TypeVar

from sqlalchemy import Table, Text, bindparam, cast, delete, insert, select, update

from paging.people import Policy, Strict
from paging.schedules import Schedule
from paging.store import Transaction, tables

_KEPT = 4096  # texts of each kind that stay parsed

Model = TypeVar("Model", bound=Strict)


class Documents(Generic[Model]):
    """All of one kind."""

    def __init__(self, table: Table, model: type[Model]) -> None:
        self._table = table
        self.parsed = functools.lru_cache(_KEPT)(model.model_validate_json)
        body = cast(table.c.body, Text)
        self._one = select(body).where(table.c.id == bindparam("wanted"))
        self._all = select(table.c.id, body).order_by(table.c.id)
        self._some = self._all.where(table.c.id.in_(bindparam("ids", expanding=True)))

    def all(self, conn: Transaction) -> dict[str, Model]:
        """Return all by id."""
        return {id_: self.parsed(body) for id_, body in conn.execute(self._all)}

    def some(self, conn: Transaction, ids: Iterable[str]) -> dict[str, Model]:
        """Return those of `ids` that exist, by id."""
        found = conn.execute(self._some, {"ids": list(ids)})
        return {id_: self.parsed(body) for id_, body in found}

    def one(self, conn: Transaction, id_: str) -> Model | None:
        """Return one."""
        body = conn.scalar(self._one, {"wanted": id_})
        return None if body is None else self.parsed(body)

    def put(self, conn: Transaction, id_: str, value: Model, now: datetime) -> None:
        """Insert or replace."""
        row = {"body": value.model_dump(mode="json"), "updated_at": now}
        table = self._table
        if not conn.execute(update(table).where(table.c.id == id_).values(row)).rowcount:
            conn.execute(insert(table).values(id=id_, **row))

    def delete(self, conn: Transaction, id_: str) -> bool:
        """Return whether it was there."""
        table = self._table
        return bool(conn.execute(delete(table).where(table.c.id == id_)).rowcount)


# Pages that run keep the policy that they began with.
policies = Documents(tables.policy, Policy)
schedules = Documents(tables.schedule, Schedule)
