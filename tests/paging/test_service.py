"""The engine's loop: how much at once, what a fault of ours costs, what a stop leaves behind."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from paging import pages
from paging.menu import DEFAULT
from paging.model import Rules, Run
from paging.people import Policy, Responder
from paging.ports import Message, Sent
from paging.requests import NewIncident
from paging.service import SUBMITS_AT_ONCE, Paging
from paging.store import schema
from paging.store.database import Store
from paging.teams import Team
from tests.paging.calendars import Calendars


class SystemClock:
    """The system's time: nothing in these tests waits for a time."""

    def now(self) -> datetime:
        """Now, aware UTC."""
        return datetime.now(UTC)

    async def sleep_until(self, at: datetime) -> None:
        """Sleep."""
        await asyncio.sleep(max(0.0, (at - self.now()).total_seconds()))


class Carrier:
    """Takes a call once its gate is open. A stand-in: the order of events is the test's own."""

    name = "alibaba"
    purposes = frozenset({"page", "test"})

    def __init__(self) -> None:
        self.gate = asyncio.Event()
        self.asked: list[str] = []

    def serves(self, number: str) -> bool:
        return number.startswith("+86")

    async def send(self, call: Message, *, still_wanted: Callable[[], bool]) -> Sent | None:
        self.asked.append(call.to)
        await self.gate.wait()
        if not await asyncio.to_thread(still_wanted):
            return None
        return Sent(f"id-{call.ref}", "spoken", 150.0)


def run(path: Path, body: Callable[[Paging, Carrier], Awaitable[None]], people: int = 1) -> None:
    """Run the engine with so many people, each with a policy of their own, around `body`."""
    url = f"sqlite:///{path / 'engine.db'}"
    schema.upgrade(url)

    async def main() -> None:
        carrier = Carrier()
        offers = {"voice": {"alibaba": carrier}}
        rules = Rules(channels=offers, menu=DEFAULT, operators=None)
        paging = Paging(Store(url), SystemClock(), rules, offers, Calendars())
        await paging.start()
        try:
            everyone = range(people)
            phones = {i: f"+861370000{i:04d}" for i in everyone}
            team = Team(
                {f"r{i}": Responder(name="R", phone=phones[i]) for i in everyone},
                policies={f"p{i}": Policy.model_validate(_policy(i)) for i in everyone},
            )
            await paging.apply(team, dry_run=False)
            await body(paging, carrier)
        finally:
            carrier.gate.set()
            await paging.stop()

    asyncio.run(main())


def _policy(i: int) -> dict[str, Any]:
    return {"name": "P", "steps": [{"targets": [f"responder:r{i}"], "notify": ["voice"]}]}


def new(i: int = 0, **fields: Any) -> NewIncident:
    """An incident that calls the i-th person."""
    return NewIncident.model_validate({"title": "db-1 down", "policy": f"p{i}", **fields})


async def until(condition: Callable[[], bool]) -> None:
    """Let the engine work until this holds."""
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110 - what another thread does has no event here
            await asyncio.sleep(0.005)


async def all_of(paging: Paging) -> list[dict[str, Any]]:
    """Every attempt."""
    return (await paging.list_attempts(None, None, None, 200))["items"]


def test_no_more_submits_are_in_flight_than_a_crash_may_leave_in_doubt(tmp_path: Path) -> None:
    """The others wait as pages that are due, and are made when there is room again."""
    people = SUBMITS_AT_ONCE + 20

    async def body(paging: Paging, carrier: Carrier) -> None:
        await asyncio.gather(*(paging.open_incident(new(i)) for i in range(people)))
        await until(lambda: len(carrier.asked) >= SUBMITS_AT_ONCE)
        assert len(await all_of(paging)) == SUBMITS_AT_ONCE
        carrier.gate.set()
        await until(lambda: len(carrier.asked) == people)
        assert len(set(carrier.asked)) == people

    run(tmp_path, body, people)


def test_a_stop_leaves_no_call_in_doubt(tmp_path: Path) -> None:
    """What is stored as on its way has its answer stored before the process may end."""

    async def body(paging: Paging, carrier: Carrier) -> None:
        await asyncio.gather(*(paging.open_incident(new(i)) for i in range(10)))
        await until(lambda: len(carrier.asked) == 10)
        stopping = asyncio.create_task(paging.stop())
        await until(lambda: paging._engine is not None and paging._engine.done())
        done, _ = await asyncio.wait({stopping}, timeout=0.2)  # that it has not ended has no event
        assert not done
        carrier.gate.set()
        await stopping

    run(tmp_path, body, 10)
    store = Store(f"sqlite:///{tmp_path / 'engine.db'}")
    with store.engine.connect() as conn:
        states = conn.exec_driver_sql("SELECT status, count(*) FROM attempt GROUP BY 1").all()
    store.close()
    assert states == [("submitted", 10)]


def test_an_incident_is_accepted_although_its_page_cannot_be_begun(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fault of ours delays a call by a minute at most; it never refuses or loses an incident."""
    tick, broken = pages.tick, True

    def breaks(state: Run, now: datetime, rules: Rules, *, asked: Any = None) -> None:
        if broken and state.incident.title == "breaks":
            raise ZeroDivisionError
        tick(state, now, rules, asked=asked)

    monkeypatch.setattr(pages, "tick", breaks)

    async def body(paging: Paging, carrier: Carrier) -> None:
        carrier.gate.set()
        view, created = await paging.open_incident(new(0, title="breaks"))
        assert created
        await paging.open_incident(new(1))
        await until(lambda: carrier.asked == ["+8613700000001"])
        seen = await paging.incident(view["id"])
        assert (seen["status"], seen["page"]["state"]) == ("triggered", "running")
        assert [entry["type"] for entry in seen["timeline"]] == ["incident.triggered"]

    run(tmp_path, body, 2)


def test_the_engine_goes_on_after_a_fault_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from paging import dispatch

    claim, faults = dispatch.claim, iter([ZeroDivisionError("once")])

    def breaks_once(work: Any) -> Any:
        for fault in faults:
            raise fault
        return claim(work)

    monkeypatch.setattr(dispatch, "claim", breaks_once)

    async def body(paging: Paging, carrier: Carrier) -> None:
        carrier.gate.set()
        await until(lambda: next(faults, None) is None)
        people = SUBMITS_AT_ONCE + 2  # more than the accepts themselves may begin
        await asyncio.gather(*(paging.open_incident(new(i)) for i in range(people)))
        await until(lambda: len(carrier.asked) == people)
        await paging.ready()

    run(tmp_path, body, SUBMITS_AT_ONCE + 2)
