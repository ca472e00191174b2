"""A database that cannot be written or read: 503, when to ask again, and nothing half done."""

import contextlib
import sqlite3
from collections.abc import Iterator
from typing import Any

import pytest

from paging.service import Paging
from tests.web.conftest import Web
from tests.web.test_access import problem
from tests.web.test_people import POLICY, RESPONDER
from tests.web.test_refusals import ALERTS
from web import app, health

WRITES: list[tuple[str, str, Any]] = [
    ("POST", "/v1/incidents", {"title": "x", "policy": "default"}),
    ("POST", "/v1/incidents/1/acknowledge", {}),
    ("POST", "/v1/incidents/1/mute", {"minutes": 5}),
    ("POST", "/v1/integrations/alertmanager/default", ALERTS),
    ("PUT", "/v1/responders/new", RESPONDER),
    ("PUT", "/v1/policies/new", POLICY),
    ("DELETE", "/v1/responders/nobody", None),
    ("POST", "/v1/apply", {"responders": {"new": RESPONDER}}),
    ("POST", "/v1/responders/sam/test", {"channel": "voice"}),
    ("POST", "/v1/responders/sam/verify", {"channel": "sms"}),
]
READS = [
    "v1/incidents",
    "v1/incidents/1",
    "v1/responders",
    "v1/policies/default",
    "v1/attempts",
    "v1/providers",
    "callers.vcf",
]


def pragma(web: Web, setting: str) -> None:
    """Change a setting of the connection that writes."""

    async def change() -> None:
        await web.paging._store.write(0, lambda conn: conn.exec_driver_sql(f"PRAGMA {setting}"))

    web.run(change())


@pytest.fixture
def ringing(web: Web) -> Web:
    """A service with one incident, whose phone rings; it waits 20 ms for a lock, not 5 s."""
    web.opens()
    pragma(web, "busy_timeout = 20")
    return web


@contextlib.contextmanager
def locked(web: Web) -> Iterator[None]:
    """Let another process hold the database's lock."""
    with contextlib.closing(sqlite3.connect(web.database, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


def unavailable(web: Web, method: str, path: str, body: Any = None) -> str:
    """Ask what cannot be answered now; return why."""
    answer = web.ask(method, path, body)
    detail = problem(answer, 503)["detail"]
    assert int(answer.headers["retry-after"]) > 0
    return detail


@pytest.mark.parametrize(("method", "path", "body"), WRITES)
def test_a_locked_database_is_503_and_nothing_is_half_done(
    ringing: Web, method: str, path: str, body: Any
) -> None:
    known = ringing.everything()
    with locked(ringing):
        detail = unavailable(ringing, method, path, body)
        assert detail == "the database does not answer; nothing was changed, try again"
        assert ringing.everything() == known
    assert ringing.everything() == known
    assert ringing.ask(method, path, body).is_success


@pytest.mark.parametrize("path", READS)
def test_a_locked_database_can_still_be_read(ringing: Web, path: str) -> None:
    with locked(ringing):
        answer = ringing.ask("GET", f"/{path}")
    assert (answer.status_code, bool(answer.content)) == (200, True)


def test_a_full_disk_is_503_and_nothing_is_half_done(ringing: Web) -> None:
    known = ringing.everything()
    pragma(ringing, "max_page_count = 1")  # SQLite takes the present size for it
    body = {"title": "x", "policy": "default", "details": "x" * 60_000}
    unavailable(ringing, "POST", "/v1/incidents", body)
    assert ringing.everything() == known
    pragma(ringing, "max_page_count = 100000")
    assert ringing.ask("POST", "/v1/incidents", body).status_code == 202


@pytest.mark.parametrize("path", READS)
def test_a_database_that_is_gone_is_503(ringing: Web, path: str) -> None:
    ringing.paging._store.engine.dispose()
    ringing.database.unlink()
    unavailable(ringing, "GET", f"/{path}")


def test_a_locked_database_is_alive_but_not_ready(ringing: Web) -> None:
    with locked(ringing):
        assert unavailable(ringing, "GET", "/readyz") == "the database does not answer"
        assert ringing.get("/healthz") == {"status": "ok"}
    assert ringing.get("/readyz") == {"status": "ready"}


def test_a_slow_database_is_not_ready(ringing: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "READY_WITHIN_S", 0.05)
    pragma(ringing, "busy_timeout = 1000")
    with locked(ringing):
        said = unavailable(ringing, "GET", "/readyz")
    assert said == "the database did not answer within 0.05 s"


def test_an_old_schema_is_not_ready(ringing: Web) -> None:
    with contextlib.closing(sqlite3.connect(ringing.database, isolation_level=None)) as other:
        other.execute("UPDATE alembic_version SET version_num = 'old'")
    said = unavailable(ringing, "GET", "/readyz")
    assert said == "the database needs `ringback db upgrade`"


def test_an_engine_that_does_not_run_is_not_ready(web: Web) -> None:
    idle = Paging(web.paging._store, web.clock, web.paging._rules, {}, web.calendars)
    routes = app.routes_for(idle, find={}.get, clock=web.clock, links=web.links)
    web.client = web._client(app.application(routes))
    assert unavailable(web, "GET", "/readyz") == "the engine is not running"
