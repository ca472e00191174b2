"""The API over the real engine on a real SQLite file; only the carrier is a stand-in.

What a carrier may do belongs to the adapters' own suites and to the scenarios. Here one takes every
call at once, so that each answer of the API is the same each time.
"""

import asyncio
import contextlib
import shutil
import sqlite3
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import httpx2
import pytest
from structlog.testing import capture_logs

from paging.errors import DeliveryError, Row
from paging.events import DigitsPressed, Event, Receipt
from paging.menu import DEFAULT
from paging.model import Rules
from paging.ports import Message, Sent
from paging.service import Paging
from paging.store import schema
from paging.store.database import Store
from tests.paging.calendars import Calendars
from web import app, auth
from web.links import Links

T = TypeVar("T")
START = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
ADMIN, READER, WRITER = "admin-token-of-the-tests", "token-of-a-reader", "token-of-a-writer"
LI, WEI = "+8613700000000", "+8613700000001"
WAIT_S = 10.0
REFUSED = Row("misconfigured", "not_sent")

CALLERS = {
    ADMIN.encode(): auth.ADMIN,
    READER.encode(): auth.Caller("dashboard", frozenset({"incidents:read"})),
    WRITER.encode(): auth.Caller("bot", frozenset({"incidents:read", "incidents:write"})),
}

TEAM: dict[str, Any] = {
    "responders": {
        "li.wei": {"name": "李伟", "phone": LI, "email": "li.wei@example.com"},
        "sam": {"name": "Sam", "phone": WEI, "locale": "en", "timezone": "Europe/Berlin"},
        "nobody": {"name": "Nobody"},
    },
    "schedules": {
        "payments": {
            "name": "Payments",
            "timezone": "Asia/Shanghai",
            "rotation": {
                "every": "day",
                "at": "09:00",
                "from": "2026-11-01",
                "responders": ["li.wei", "sam"],
            },
        }
    },
    "policies": {
        "default": {
            "name": "Default",
            "repeat": 0,
            "steps": [
                {"targets": ["responder:li.wei"], "notify": ["voice"], "wait": 600},
                {"targets": ["responder:sam"], "notify": "personal", "wait": 600},
            ],
        },
        "ops": {"name": "Ops", "steps": [{"targets": ["responder:sam"], "notify": ["voice"]}]},
    },
}


class Clock:
    """Satisfies `paging.ports.Clock`; only the test moves it."""

    def __init__(self) -> None:
        self._now = START
        self._moved = asyncio.Event()

    def now(self) -> datetime:
        return self._now

    async def sleep_until(self, at: datetime) -> None:
        while self._now < at:
            await self._moved.wait()

    def advance(self, seconds: float) -> None:
        """Move on, and wake whoever waits for it."""
        self._now += timedelta(seconds=seconds)
        self._moved.set()
        self._moved = asyncio.Event()


class Carrier:
    """Stands in for a carrier behind `paging.ports.Provider`.

    Takes what is for the mainland, and mail, at once.
    """

    purposes = frozenset({"page", "test", "code"})

    def __init__(self, name: str) -> None:
        self.name = name
        self.calls: list[Message] = []
        self.refuses: DeliveryError | None = None

    def serves(self, number: str) -> bool:
        return number.startswith("+86") or "@" in number

    async def send(self, call: Message, *, still_wanted: Callable[[], bool]) -> Sent | None:
        if not still_wanted():
            return None
        self.calls.append(call)
        if self.refuses is not None:
            raise self.refuses
        return Sent(f"{self.name}-{len(self.calls)}", f"spoken: {call.fields.get('title')}", 150)


class Web:
    """One service, asked over HTTP. Between two questions of the test nothing moves."""

    def __init__(self, database: Path, runner: asyncio.Runner) -> None:
        self._runner = runner
        self.database = database
        self.clock = Clock()
        self.alibaba, self.tencent = Carrier("alibaba"), Carrier("tencent")
        self.texts, self.mails = Carrier("alibaba"), Carrier("smtp")
        channels = {
            "voice": {carrier.name: carrier for carrier in (self.alibaba, self.tencent)},
            "sms": {self.texts.name: self.texts},
            "email": {self.mails.name: self.mails},
        }
        self.links = Links(["a key of the tests", "an older key"], "http://web")
        rules = Rules(
            channels=channels,
            menu=DEFAULT,
            operators="ops",
            links=self.links,
            callers=[("alibaba", "voice", "05710000000")],
            secret=b"a key of the tests",
        )
        self.calendars = Calendars()
        store = Store(f"sqlite:///{database}")
        self.paging = Paging(store, self.clock, rules, channels, self.calendars)
        self.application = app.application(
            app.routes_for(self.paging, find=CALLERS.get, clock=self.clock, links=self.links)
        )
        self.client = self._client(self.application)
        self.logged: list[Any] = []

    def _client(self, application: Any) -> httpx2.AsyncClient:
        transport = httpx2.ASGITransport(app=application)
        return httpx2.AsyncClient(transport=transport, base_url="http://web", trust_env=False)

    def run(self, coroutine: Any) -> Any:
        """Run one coroutine in the service's loop; the engine goes on meanwhile."""
        return self._runner.run(coroutine)

    def ask(
        self, method: str, path: str, body: object = None, *, token: str | None = ADMIN, **how: Any
    ) -> httpx2.Response:
        """Ask once. `body` is sent as JSON, bytes as they are."""
        headers = {**({"Authorization": f"Bearer {token}"} if token else {}), **how}
        sent = {"content": body} if isinstance(body, bytes) else {"json": body}
        return self.run(self.client.request(method, path, headers=headers, **sent))

    def get(self, path: str, *, token: str = ADMIN) -> Any:
        """Read what must be there."""
        answer = self.ask("GET", path, token=token)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def post(self, path: str, body: object = None, *, token: str = ADMIN) -> Any:
        """Post what must be taken."""
        answer = self.ask("POST", path, {} if body is None else body, token=token)
        assert answer.is_success, answer.text
        return answer.json()

    def opens(self, title: str = "db-1 down", **fields: Any) -> Any:
        """Open an incident, and let the engine do all that is to be done about it now."""
        opened = self.post("/v1/incidents", {"title": title, "policy": "default", **fields})
        self.settles(opened["id"])
        return opened

    def settles(self, incident: str) -> None:
        """Return once nothing about this incident is due, and no call is on its way."""

        def settled() -> bool:
            seen = self.get(f"/v1/incidents/{incident}")
            due = seen["page"]["next_at"]
            later = due is None or datetime.fromisoformat(due) > self.clock.now()
            return later and all(each["status"] != "sending" for each in seen["attempts"])

        self.until(settled)

    def until(self, condition: Callable[[], T]) -> T:
        """Let the engine go on until this holds; return what it said."""
        end = time.monotonic() + WAIT_S
        while not (said := condition()):
            assert time.monotonic() < end, f"not within {WAIT_S} s"
            self.run(asyncio.sleep(0.001))  # the writer is another thread: let it have its turn
        return said

    def rings(self, incident: str) -> Any:
        """Return the newest attempt of this incident once its carrier has taken it."""
        path = f"/v1/attempts?incident={incident}"
        return self.until(
            lambda: next((a for a in self.get(path)["items"] if a["submitted_at"]), None)
        )

    def presses(self, attempt: Any, digit: str) -> None:
        """Let whoever is called press a key."""
        receipt = Receipt(attempt["provider"], f"{attempt['ref']}:{digit}", ref=attempt["ref"])
        self.hears(DigitsPressed(receipt, digit))

    def hears(self, event: Event) -> None:
        """Let the carrier report something."""
        self.run(self.paging.record(event.receipt.provider, [event]))

    def everything(self) -> list[str]:
        """Return all that is stored, row by row, as another process reads it."""
        with contextlib.closing(sqlite3.connect(self.database)) as conn:
            return list(conn.iterdump())


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a database without rows, made once: an upgrade takes longer than a test."""
    path = tmp_path_factory.mktemp("web") / "empty.db"
    schema.upgrade(f"sqlite:///{path}")
    return path


@contextlib.contextmanager
def serving(database: Path) -> Iterator[Web]:
    """Run a service with its team in place; afterwards nothing of ours may have broken in it."""
    with capture_logs() as logged, asyncio.Runner() as runner:
        web = Web(database, runner)
        web.logged = logged
        runner.run(web.paging.start())
        try:
            web.post("/v1/apply", TEAM)
            yield web
        finally:
            runner.run(web.client.aclose())
            runner.run(web.paging.stop())
    assert [line for line in logged if line["log_level"] == "error"] == []


@pytest.fixture
def web(empty_database: Path, tmp_path: Path) -> Iterator[Web]:
    """A service of this test's own."""
    shutil.copy(empty_database, tmp_path / "ringback.db")
    with serving(tmp_path / "ringback.db") as web:
        yield web


@pytest.fixture(scope="module")
def shared(empty_database: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    """A service for tests that by their claim change nothing in it, or only what is their own."""
    folder = tmp_path_factory.mktemp("shared")
    shutil.copy(empty_database, folder / "ringback.db")
    with serving(folder / "ringback.db") as web:
        yield web
