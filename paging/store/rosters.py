"""Schedules with their calendars, as the engine and the API look at them."""

from collections.abc import Iterable

from paging import rosters
from paging.rosters import Roster
from paging.store import Transaction, feeds, people
from paging.store.documents import schedules


def load(conn: Transaction, ids: Iterable[str] | None = None) -> dict[str, Roster]:
    """Return all schedules, or those of `ids` that exist, by id."""
    written = schedules.all(conn) if ids is None else schedules.some(conn, ids)
    by_calendar = [id_ for id_, schedule in written.items() if schedule.url is not None]
    read = feeds.of(conn, by_calendar) if by_calendar else {}
    known = people.responders(conn) if read else {}
    return {
        id_: rosters.roster(schedule, read[id_].events if id_ in read else (), known)
        for id_, schedule in written.items()
    }
