"""The calendars behind schedules, as they were when they were last read."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from pydantic import TypeAdapter
from sqlalchemy import bindparam, delete, insert, select, update

from paging.oncall import FeedEvent
from paging.store import Transaction
from paging.store.tables import feed

_EVENTS = TypeAdapter(tuple[FeedEvent, ...])
_OF = select(feed).where(feed.c.schedule.in_(bindparam("ids", expanding=True)))
_DUE = select(feed.c.schedule, feed.c.url).where(feed.c.next_at <= bindparam("now"))


@dataclass(frozen=True, slots=True)
class Feed:
    """`read_at`: when it was last good; `failures`: how often in a row it was not, since then."""

    schedule: str
    url: str
    events: Sequence[FeedEvent]
    read_at: datetime
    failures: int
    error: str | None


def of(conn: Transaction, schedules: Iterable[str]) -> dict[str, Feed]:
    """Return what is known of these schedules' calendars."""
    rows = conn.execute(_OF, {"ids": list(schedules)}).mappings()
    return {
        row["schedule"]: Feed(
            row["schedule"],
            row["url"],
            _EVENTS.validate_json(row["events"]),
            row["read_at"],
            row["failures"],
            row["error"],
        )
        for row in rows
    }


def due(conn: Transaction, now: datetime) -> list[tuple[str, str]]:
    """Return (schedule, address) of every calendar that is to be read again."""
    return [(schedule, url) for schedule, url in conn.execute(_DUE, {"now": now})]


def put(  # noqa: PLR0913 - the fields of a row
    conn: Transaction,
    schedule: str,
    url: str,
    events: Sequence[FeedEvent],
    *,
    read_at: datetime,
    next_at: datetime,
) -> None:
    """Note what a calendar says now."""
    row = {
        "url": url,
        "events": _EVENTS.dump_json(tuple(events)).decode(),
        "read_at": read_at,
        "next_at": next_at,
        "failures": 0,
        "error": None,
    }
    if not conn.execute(update(feed).where(feed.c.schedule == schedule).values(row)).rowcount:
        conn.execute(insert(feed).values(schedule=schedule, **row))


def forget(conn: Transaction, schedule: str) -> None:
    """Forget what a calendar said: its schedule has none any more."""
    conn.execute(delete(feed).where(feed.c.schedule == schedule))


def fail(conn: Transaction, schedule: str, url: str, error: str, *, next_at: datetime) -> int:
    """Note what is wrong with a calendar, keep what it last said; return how often in a row.

    0 where the schedule has another address by now.
    """
    mine = (feed.c.schedule == schedule) & (feed.c.url == url)
    conn.execute(
        update(feed).where(mine).values(failures=feed.c.failures + 1, error=error, next_at=next_at)
    )
    return conn.scalar(select(feed.c.failures).where(mine)) or 0
