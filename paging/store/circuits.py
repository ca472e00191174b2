"""The circuits, shared by every process: each change is made to the version that it was decided on.

A row that another process changed in between is left alone, and whoever lost decides anew.
"""

from dataclasses import fields
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, exists, insert, select, update
from sqlalchemy.engine import RowMapping

from paging.circuit import NEW, Circuit, Signal, after
from paging.store import Transaction
from paging.store.tables import circuit

_FIELDS = [field.name for field in fields(Circuit)]

_OF_CHANNEL = select(circuit).where(circuit.c.channel == bindparam("on_channel"))
_MOVE = (
    update(circuit)
    .where(
        circuit.c.provider == bindparam("whose"),
        circuit.c.channel == bindparam("on_channel"),
        circuit.c.version == bindparam("known"),
    )
    .values({name: bindparam(name) for name in _FIELDS})
)
_ROW = {column.name: bindparam(f"new_{column.name}", type_=column.type) for column in circuit.c}
_NEW_ROW = insert(circuit).from_select(
    list(_ROW),
    select(*_ROW.values()).where(
        ~exists().where(
            circuit.c.provider == _ROW["provider"], circuit.c.channel == _ROW["channel"]
        )
    ),
)


def load(conn: Transaction, channel: str) -> dict[str, Circuit]:
    """Return what is known of a channel's providers; of one that is not in it, nothing yet."""
    rows = conn.execute(_OF_CHANNEL, {"on_channel": channel}).mappings()
    return {row["provider"]: _circuit_of(row) for row in rows}


def _circuit_of(row: RowMapping) -> Circuit:
    values: dict[str, Any] = {name: row[name] for name in _FIELDS}
    values["open_for"] = timedelta(seconds=row["open_for"])
    return Circuit(**values)


def save(conn: Transaction, provider: str, channel: str, value: Circuit) -> bool:
    """Write it back; False, and nothing written, where it has been changed since it was loaded."""
    row = {name: getattr(value, name) for name in _FIELDS}
    row["open_for"] = round(value.open_for.total_seconds())
    row["version"] = value.version + 1
    if value.version == NEW.version:
        whole = {"provider": provider, "channel": channel, **row}
        new = conn.execute(_NEW_ROW, {f"new_{name}": whole[name] for name in whole})
        return bool(new.rowcount)
    asked = {"whose": provider, "on_channel": channel, "known": value.version}
    return bool(conn.execute(_MOVE, {**asked, **row}).rowcount)


def hear(  # noqa: PLR0913 - whose circuit, what happened, when
    conn: Transaction,
    provider: str,
    channel: str,
    signal: Signal,
    now: datetime,
    *,
    open_s: float,
) -> tuple[Circuit, Circuit]:
    """Move a circuit by a signal; return it as it was and as it is. `open_s` as for `after`."""
    while True:
        before = load(conn, channel).get(provider, NEW)
        moved = after(before, signal, now, open_s)
        if moved == before or save(conn, provider, channel, moved):
            return before, moved
