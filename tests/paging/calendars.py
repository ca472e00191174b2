"""The calendars of a test, by address: what each says, or what is wrong with it."""

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from paging.errors import CalendarError
from paging.oncall import FeedEvent


class Calendars:
    """Satisfies `paging.ports.Calendars`. An address that the test did not name fails it.

    Stands in for the web: reading real ones over HTTP belongs to tests/outbound and the scenarios.
    """

    def __init__(self) -> None:
        self.says: dict[str, Sequence[FeedEvent] | CalendarError] = {}
        self.read_times = 0

    async def read(
        self,
        url: str,
        since: datetime,
        until: datetime,
        *,
        zone: ZoneInfo,  # noqa: ARG002 - the port's
    ) -> Sequence[FeedEvent]:
        self.read_times += 1
        said = self.says[url]
        if isinstance(said, CalendarError):
            raise said
        return [event for event in said if event.begins < until and event.ends > since]
