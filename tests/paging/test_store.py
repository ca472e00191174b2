"""The database: what is committed is there, what is not never was."""

import asyncio
import multiprocessing
import signal
import sqlite3
import subprocess
import sys
import textwrap
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, insert, select

from paging.errors import SettingsError, UnavailableError
from paging.store import schema
from paging.store.database import ACCEPTS, RECEIPTS, Store, only_server
from paging.store.tables import policy
from tests.paging.conftest import START


def url_of(path: Path) -> str:
    return f"sqlite:///{path / 'ringback.db'}"


def add(conn: Connection, id_: str) -> str:
    conn.execute(insert(policy).values(id=id_, body={}, updated_at=START))
    return id_


def names(conn: Connection) -> list[str]:
    return list(conn.scalars(select(policy.c.id).order_by(policy.c.id)))


def run(url: str, scenario: Callable[[Store], Awaitable[Any]]) -> Any:
    async def go() -> object:
        store = Store(url)
        store.start()
        try:
            return await scenario(store)
        finally:
            store.close()

    return asyncio.run(go())


def test_an_upgrade_is_safe_to_run_twice(tmp_path: Path) -> None:
    assert schema.upgrade(url_of(tmp_path)) == (None, schema.newest())
    assert schema.upgrade(url_of(tmp_path)) == (schema.newest(), schema.newest())


def test_upgrades_at_once_leave_one_schema(tmp_path: Path) -> None:
    with multiprocessing.get_context("spawn").Pool(3) as pool:
        befores = pool.map(schema.upgrade, [url_of(tmp_path)] * 3)
    assert sorted(before is None for before, _ in befores) == [False, False, True]


def test_a_kill_in_the_middle_of_an_upgrade_leaves_the_old_schema(tmp_path: Path) -> None:
    """The process dies at the last statement of the migration."""
    script = textwrap.dedent(
        """
        import os, signal, sys
        from sqlalchemy import event
        from sqlalchemy.engine import Engine
        from paging.store import schema

        @event.listens_for(Engine, "before_cursor_execute")
        def die(conn, cursor, statement, *rest):
            if "timeline_by_incident" in statement:
                os.kill(os.getpid(), signal.SIGKILL)

        schema.upgrade(sys.argv[1])
        """
    )
    died = subprocess.run([sys.executable, "-c", script, url_of(tmp_path)], check=False)
    assert died.returncode == -signal.SIGKILL
    with sqlite3.connect(tmp_path / "ringback.db") as conn:
        assert conn.execute("SELECT count(*) FROM sqlite_master").fetchone() == (0,)
    assert schema.upgrade(url_of(tmp_path)) == (None, schema.newest())


def test_the_models_and_the_migrations_agree(tmp_path: Path) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.runtime.migration import MigrationContext

    from paging.store.database import connect
    from paging.store.tables import metadata

    schema.upgrade(url_of(tmp_path))
    engine = connect(url_of(tmp_path))
    with engine.connect() as conn:
        assert compare_metadata(MigrationContext.configure(conn), metadata) == []
    engine.dispose()


def test_a_write_is_committed_before_it_is_answered(tmp_path: Path) -> None:
    schema.upgrade(url_of(tmp_path))

    async def scenario(store: Store) -> None:
        await store.write(ACCEPTS, add, "a")
        with sqlite3.connect(tmp_path / "ringback.db") as conn:
            assert conn.execute("SELECT id FROM policy").fetchall() == [("a",)]

    run(url_of(tmp_path), scenario)


def test_a_transaction_that_fails_takes_nothing_else_with_it(tmp_path: Path) -> None:
    schema.upgrade(url_of(tmp_path))

    def half(conn: Connection) -> None:
        add(conn, "half")
        raise SettingsError("no")

    async def scenario(store: Store) -> object:
        results = await asyncio.gather(
            store.write(ACCEPTS, add, "a"),
            store.write(ACCEPTS, half),
            store.write(ACCEPTS, add, "a"),
            store.write(ACCEPTS, add, "b"),
            return_exceptions=True,
        )
        return results, await store.read(names)

    results, seen = run(url_of(tmp_path), scenario)
    assert seen == ["a", "b"]
    assert [type(result) for result in results] == [str, SettingsError, UnavailableError, str]


def test_receipts_are_written_before_accepts_that_wait(tmp_path: Path) -> None:
    schema.upgrade(url_of(tmp_path))
    order: list[str] = []

    async def scenario(store: Store) -> None:
        import threading

        gate = threading.Event()
        begun = threading.Event()
        first = store.write(ACCEPTS, lambda _: (begun.set(), gate.wait(5)))
        await asyncio.to_thread(begun.wait, 5)
        waiting = [
            store.write(ACCEPTS, lambda _: order.append("accept")),
            store.write(RECEIPTS, lambda _: order.append("receipt")),
        ]
        gate.set()
        await asyncio.gather(first, *waiting)

    run(url_of(tmp_path), scenario)
    assert order == ["receipt", "accept"]


def test_a_second_server_ends_with_one_line(tmp_path: Path) -> None:
    with only_server(url_of(tmp_path)):
        code = f"""
from paging.errors import SettingsError
from paging.store.database import only_server
try:
    with only_server({url_of(tmp_path)!r}): pass
except SettingsError as exc: print(exc)
"""
        second = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True
        )
    assert second.stdout.count("\n") == 1
    assert "another ringback serves" in second.stdout
    with only_server(url_of(tmp_path)):
        pass


def test_another_kind_of_database_is_refused_by_name() -> None:
    with pytest.raises(SettingsError, match=r"database\.url"):
        Store("postgresql://localhost/x")


@pytest.mark.parametrize(
    ("query", "index"),
    [
        ("SELECT incident FROM page WHERE next_at IS NOT NULL AND next_at <= 1", "page_due"),
        ("SELECT min(next_at) FROM page WHERE next_at IS NOT NULL", "page_due"),
        ("SELECT min(deadline_at) FROM attempt WHERE deadline_at IS NOT NULL", "attempt_due"),
        ("SELECT 1 FROM attempt WHERE provider = 'a' AND provider_id = 'b'", "provider_id"),
        ("SELECT 1 FROM inbox WHERE provider = 'a' AND attempt IS NULL AND at > 1", "inbox_parked"),
    ],
)
def test_the_hot_queries_stay_on_their_indexes(tmp_path: Path, query: str, index: str) -> None:
    schema.upgrade(url_of(tmp_path))
    with sqlite3.connect(tmp_path / "ringback.db") as conn:
        plan = " ".join(str(row) for row in conn.execute(f"EXPLAIN QUERY PLAN {query}"))
    assert index in plan


def test_a_database_that_cannot_be_opened_is_said_at_once(tmp_path: Path) -> None:
    """Not in a thread whose end nobody notices."""

    async def start(store: Store) -> None:
        with pytest.raises(UnavailableError):
            store.start()

    store = Store(f"sqlite:///{tmp_path / 'nowhere' / 'ringback.db'}")
    asyncio.run(start(store))
    store.close()
