"""Reading the calendars behind schedules: before one is accepted, and then again and again.

Between readings, and while one cannot be read, what it last said holds.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta

import structlog

from paging.errors import CalendarError, InvalidError, UnavailableError
from paging.model import Alarm
from paging.oncall import FeedEvent
from paging.ports import Calendars, Clock
from paging.schedules import Schedule
from paging.store import Transaction, feeds
from paging.store.database import Store
from paging.store.documents import schedules
from paging.teams import note_calendar
from paging.waiting import woken_or
from paging.work import Work

log = structlog.get_logger(__name__)

KEPT_AHEAD = timedelta(days=90)  # what stays known should a calendar never be read again
KEPT_BACK = timedelta(days=1)
FAULT_AGAIN = timedelta(minutes=5)
TOLD_AFTER = 3  # faults in a row: a calendar's server that restarts wakes nobody
_LOOK = timedelta(minutes=1)

# Runs a function of one transaction, and returns once that is committed.
Transact = Callable[[Callable[[Work], None]], Awaitable[None]]


class Feeds:
    """One per process; `run` ends after `stop`."""

    def __init__(
        self, store: Store, clock: Clock, calendars: Calendars, transact: Transact
    ) -> None:
        self._store, self._clock = store, clock
        self._calendars, self._transact = calendars, transact
        self._wake = asyncio.Event()
        self._stopping = False

    async def read_new(self, wanted: Mapping[str, Schedule]) -> dict[str, Sequence[FeedEvent]]:
        """Return what the calendars say whose address is new. Raises InvalidError, naming it."""
        known = await self._store.read(schedules.some, wanted.keys())
        new = {
            id_: (value, value.url)
            for id_, value in wanted.items()
            if value.url is not None
            and (id_ not in known or (known[id_].url, known[id_].zone) != (value.url, value.zone))
        }
        found = await asyncio.gather(
            *(self._read(value, url) for value, url in new.values()), return_exceptions=True
        )
        read: dict[str, Sequence[FeedEvent]] = {}
        for id_, said in zip(new, found, strict=True):
            if isinstance(said, CalendarError):
                raise InvalidError(f"schedules.{id_}.url", f"cannot be used: {said}")
            if isinstance(said, BaseException):
                raise said
            read[id_] = said
        return read

    async def _read(self, schedule: Schedule, url: str) -> Sequence[FeedEvent]:
        now = self._clock.now()
        return await self._calendars.read(
            url, now - KEPT_BACK, now + KEPT_AHEAD, zone=schedule.zone
        )

    def wake(self) -> None:
        """Look at what is due."""
        self._wake.set()

    def stop(self) -> None:
        """Have `run` end."""
        self._stopping = True
        self._wake.set()

    async def run(self) -> None:
        """Read each calendar when it is due."""
        while not self._stopping:
            self._wake.clear()
            try:
                for id_, schedule, url in await self._store.read(_due, self._clock.now()):
                    await self._read_again(id_, schedule, url)
            except UnavailableError:
                log.warning("calendars.not_read", why="the database cannot be used now")
            except Exception:
                log.exception("calendars.broken")
            if not self._stopping:
                await woken_or(self._wake, self._clock, self._clock.now() + _LOOK)

    async def _read_again(self, id_: str, schedule: Schedule, url: str) -> None:
        try:
            events = await self._read(schedule, url)
        except CalendarError as exc:
            log.warning("calendar.refused", schedule=id_, why=str(exc))
            error = str(exc)
            await self._transact(lambda work: _failed(work, id_, url, error))
        else:
            await self._transact(lambda work: _read_well(work, id_, url, events))


def _due(conn: Transaction, now: datetime) -> list[tuple[str, Schedule, str]]:
    """Return every calendar that is to be read, with its schedule."""
    due = feeds.due(conn, now)
    known = schedules.some(conn, [id_ for id_, _ in due])
    return [(id_, known[id_], url) for id_, url in due if known[id_].url == url]


def _read_well(work: Work, schedule: str, url: str, events: Sequence[FeedEvent]) -> None:
    value = schedules.one(work.conn, schedule)
    if value is not None and value.url == url:  # still: it took a while to read
        note_calendar(work, schedule, url, events)


def _failed(work: Work, schedule: str, url: str, error: str) -> None:
    next_at = work.now + FAULT_AGAIN
    if feeds.fail(work.conn, schedule, url, error, next_at=next_at) == TOLD_AFTER:
        params = {"schedule": schedule, "error": error}
        work.alarm(Alarm(f"calendar:{schedule}", "calendar", params, "warning"))
