"""One SQLite database: a single writer thread that commits in groups, and any number of readers.

A function of a connection is one whole transaction: it runs in the writer thread inside a savepoint
of its own, and its caller is told only after the commit. Measured in docs/adr/0001.
"""

import asyncio
import contextlib
import fcntl
import itertools
import os
import queue
import sqlite3
import threading
from collections.abc import Awaitable, Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

import structlog
from sqlalchemy import Connection, create_engine, event
from sqlalchemy.engine import Engine, make_url
from sqlalchemy.exc import SQLAlchemyError

from paging.errors import SettingsError, UnavailableError

log = structlog.get_logger(__name__)

P = ParamSpec("P")
T = TypeVar("T")

RECEIPTS, ENGINE, ACCEPTS = 0, 1, 2  # what is written first when several wait
_MOST_PER_COMMIT = 256
_READERS = 4


@dataclass(order=True)
class _Job:
    priority: int
    turn: int
    run: Callable[[Connection], Any] | None = field(compare=False)
    future: asyncio.Future[Any] | None = field(compare=False, default=None)
    result: object = field(compare=False, default=None)
    error: BaseException | None = field(compare=False, default=None)


class Store:
    """Open it once per process; `write` and `read` belong to one event loop."""

    def __init__(self, url: str) -> None:
        self.engine = connect(url)
        self._jobs: queue.PriorityQueue[_Job] = queue.PriorityQueue()
        self._turns = itertools.count()
        self._readers = ThreadPoolExecutor(_READERS, thread_name_prefix="store-read")
        self._writer: threading.Thread | None = None

    def start(self) -> None:
        """Start the writer thread; call it inside the event loop that will write.

        Raises UnavailableError, here and not in the thread, when the database cannot be opened.
        """
        try:
            conn = self.engine.connect()
        except SQLAlchemyError as exc:
            raise _unavailable(exc) from exc
        self._writer = threading.Thread(
            target=self._write_all,
            args=(conn, asyncio.get_running_loop()),
            name="store-write",
            daemon=True,
        )
        self._writer.start()

    def close(self) -> None:
        """Finish what was given to the writer, then end both sides."""
        if self._writer is not None:
            self._jobs.put(_Job(ACCEPTS + 1, next(self._turns), None))
            self._writer.join()
            self._writer = None
        self._readers.shutdown()
        self.engine.dispose()

    def write(
        self,
        priority: int,
        fn: Callable[Concatenate[Connection, P], T],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> Awaitable[T]:
        """Run `fn` as one transaction; the result comes after its commit.

        Raises what `fn` raises, rolled back, or UnavailableError.
        """
        job = _Job(
            priority,
            next(self._turns),
            lambda conn: fn(conn, *args, **kwargs),
            asyncio.get_running_loop().create_future(),
        )
        self._jobs.put(job)
        assert job.future is not None  # noqa: S101 - two lines above
        return job.future

    async def read(
        self, fn: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run `fn` on one snapshot in a reader thread. Raises UnavailableError."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(
            self._readers, lambda: self.read_here(fn, *args, **kwargs)
        )

    def read_here(
        self, fn: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run `fn` on one snapshot in the calling thread. Raises UnavailableError."""
        try:
            with self.engine.connect() as conn:
                conn.exec_driver_sql("BEGIN")
                try:
                    return fn(conn, *args, **kwargs)
                finally:
                    conn.exec_driver_sql("ROLLBACK")
        except SQLAlchemyError as exc:
            log.warning("store.unavailable", error=type(exc).__name__)
            raise UnavailableError from exc

    def _write_all(self, conn: Connection, loop: asyncio.AbstractEventLoop) -> None:
        with conn:
            going_on = True
            while going_on:
                batch = [self._jobs.get()]
                with contextlib.suppress(queue.Empty):
                    while len(batch) < _MOST_PER_COMMIT:
                        batch.append(self._jobs.get_nowait())
                going_on = all(job.run is not None for job in batch)
                _commit(conn, batch)
                with contextlib.suppress(RuntimeError):  # the loop is gone, and with it the callers
                    loop.call_soon_threadsafe(_settle, batch)


def _commit(conn: Connection, batch: list[_Job]) -> None:
    """Run every job of the batch and commit them together."""
    raw = conn.connection.driver_connection
    assert isinstance(raw, sqlite3.Connection)  # noqa: S101 - the only database there is yet
    try:
        raw.execute("BEGIN IMMEDIATE")
        if len(batch) == 1:
            _run(conn, batch[0])
            raw.execute("COMMIT" if batch[0].error is None else "ROLLBACK")
            return
        for job in batch:
            raw.execute("SAVEPOINT job")
            _run(conn, job)
            if job.error is not None:
                raw.execute("ROLLBACK TO job")
            raw.execute("RELEASE job")
        raw.execute("COMMIT")
    except sqlite3.Error as exc:
        for job in batch:
            job.error = _unavailable(exc)
        with contextlib.suppress(sqlite3.Error):  # no transaction is left to roll back
            raw.execute("ROLLBACK")


def _run(conn: Connection, job: _Job) -> None:
    try:
        job.result = None if job.run is None else job.run(conn)
    except SQLAlchemyError as exc:
        job.error = _unavailable(exc)
    except Exception as exc:  # noqa: BLE001 - handed to whoever asked for this transaction
        job.error = exc


def _unavailable(cause: Exception) -> UnavailableError:
    log.warning("store.unavailable", error=type(cause).__name__)
    error = UnavailableError()
    error.__cause__ = cause
    return error


def _settle(batch: list[_Job]) -> None:
    for job in batch:
        if job.future is None or job.future.done():
            continue
        if job.error is not None:
            job.future.set_exception(job.error)
        else:
            job.future.set_result(job.result)


def connect(url: str) -> Engine:
    """Return an engine whose transactions are begun and ended by us, on durable settings."""
    if make_url(url).get_backend_name() != "sqlite":
        msg = "database.url: expected sqlite:///FILE; no other database is available yet"
        raise SettingsError(msg)
    engine = create_engine(
        url, isolation_level="AUTOCOMMIT", connect_args={"check_same_thread": False}
    )

    @event.listens_for(engine, "connect")
    def _settings(connection: Any, _record: object) -> None:  # noqa: ANN401 # pyright: ignore[reportUnusedFunction]
        cursor = connection.cursor()
        for pragma in (
            "journal_mode = WAL",
            "synchronous = FULL",
            "busy_timeout = 5000",
            "foreign_keys = ON",
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    return engine


def file_of(url: str) -> Path:
    """Return the file that holds the database. Raises SettingsError when it is to be none."""
    database = make_url(url).database
    if not database or database == ":memory:":
        msg = "database.url: expected a file, such as sqlite:///ringback.db"
        raise SettingsError(msg)
    return Path(database)


@contextlib.contextmanager
def only_server(url: str) -> Generator[None]:
    """Hold the lock that keeps a second `serve` away from this database, until the process ends.

    Raises SettingsError when another process holds it.
    """
    database = file_of(url)
    path = Path(f"{database}.lock")
    try:
        handle = path.open("a+")
    except OSError as exc:
        msg = f"database.url: cannot write beside {database}: {os.strerror(exc.errno or 0)}"
        raise SettingsError(msg) from exc
    with handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as exc:
            msg = f"database.url: another ringback serves {database} already"
            raise SettingsError(msg) from exc
        yield
