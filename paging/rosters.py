"""A schedule as it stands: what its owner wrote, and what the calendar behind it says."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from paging import oncall
from paging.oncall import FeedEvent, Now, Unmatched
from paging.people import Responder
from paging.schedules import Schedule, Shift


@dataclass(frozen=True, slots=True)
class Roster:
    """`feed`: the shifts in its calendar, `unmatched`: events in it that are no one's."""

    schedule: Schedule
    feed: Sequence[Shift] = ()
    unmatched: Sequence[Unmatched] = ()

    def at(self, now: datetime) -> Now:
        """Return who is on call."""
        return oncall.on_call(self.schedule, now, self.feed)

    def shifts(self, since: datetime, until: datetime) -> tuple[Shift, ...]:
        """Return who has what between these times, gaps included."""
        return oncall.shifts(self.schedule, since, until, self.feed)

    @property
    def responders(self) -> tuple[str, ...]:
        """Ids of everyone who may ever be on call by it."""
        by_feed = (shift.who for shift in self.feed if shift.who is not None)
        return tuple(dict.fromkeys((*self.schedule.responders, *by_feed)))


def roster(
    schedule: Schedule, events: Sequence[FeedEvent], known: Mapping[str, Responder]
) -> Roster:
    """Return a schedule with its calendar's events, each matched to whoever it names."""
    return Roster(schedule, *oncall.matched(events, known)) if events else Roster(schedule)
