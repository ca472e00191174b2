"""Who is on call: by arithmetic, not by walking; an override goes before rotation or feed.

Also whose shift a calendar's event is.
"""

import heapq
import re
import unicodedata
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Literal

from paging.errors import InvalidError
from paging.people import Responder
from paging.schedules import YEARS, Rotation, Schedule, Shift, instant

Why = Literal["rotation", "override", "feed", "gap"]
LONGEST_SHOWN = timedelta(days=366)
TEXT_SHOWN = 80  # characters of an event that is no one's
_ALWAYS = datetime.min.replace(tzinfo=UTC)
_NEVER = datetime.max.replace(tzinfo=UTC)
# Chinese puts no space between these and a name.
_DUTY = re.compile("(值班|轮值|值守|待命)(人员|人|员|长)?|[主副备白早中晚夜]班")
# A word of its own: "li" is neither in "li.wei" nor in "a-li", but in "li." at a sentence's end.
_WORD = r"(?<![\w@+-])(?<!\w\.)(?:{})(?![\w@+-]|\.\w)"


@dataclass(frozen=True, slots=True)
class Next:
    """Who has the next shift that anyone has, and from when."""

    responder: str
    begins: datetime


@dataclass(frozen=True, slots=True)
class Now:
    """Who is on call, from `since` to before `until` (UTC; None: as far as is known, no end).

    `who` None: nobody; `why` is then "override" (by design) or "gap". `next` may be the same person
    again, in a later shift, and begins after `until` where nobody comes between.
    """

    who: str | None
    since: datetime | None
    until: datetime | None
    why: Why
    next: Next | None


def on_call(schedule: Schedule, at: datetime, feed_shifts: Sequence[Shift] = ()) -> Now:
    """Return who is on call at a time (aware). `feed_shifts`: of its feed, in any order.

    Raises InvalidError for a time that no schedule knows.
    """
    roster = _Roster(schedule, feed_shifts)
    turn = following = roster.turn(_known("at", at))
    while following.ends.year in YEARS:
        following = roster.turn(following.ends)
        if following.who is not None:
            break
    return Now(
        who=turn.who,
        since=None if turn.begins == _ALWAYS else turn.begins,
        until=None if turn.ends == _NEVER else turn.ends,
        why=turn.why,
        next=None
        if following is turn or following.who is None
        else Next(following.who, following.begins),
    )


def shifts(
    schedule: Schedule, since: datetime, until: datetime, feed_shifts: Sequence[Shift] = ()
) -> tuple[Shift, ...]:
    """Return who has what from `since` to `until`, without holes: a gap is a shift of nobody.

    The outermost are cut to these times. Raises InvalidError for times that cannot be shown.
    """
    at, end = _known("since", since), _known("until", until)
    if not timedelta() < end - at <= LONGEST_SHOWN:
        raise InvalidError("until", f"expected up to {LONGEST_SHOWN.days} days after since")
    roster = _Roster(schedule, feed_shifts)
    found: list[Shift] = []
    while at < end:
        turn = roster.turn(at)
        found.append(Shift(at, min(turn.ends, end), turn.who))
        at = turn.ends
    return tuple(found)


def _known(field: str, at: datetime) -> datetime:
    if at.year not in YEARS:
        raise InvalidError(field, f"expected a time in the years {YEARS[0]} to {YEARS[-1]}")
    return at.astimezone(UTC)


@dataclass(frozen=True, slots=True)
class _Turn:
    """The longest time around a moment for which one answer holds."""

    begins: datetime
    ends: datetime
    who: str | None
    why: Why


class _Roster:
    """A schedule with its feed laid out."""

    def __init__(self, schedule: Schedule, feed_shifts: Iterable[Shift]) -> None:
        self._schedule = schedule
        self._feed = _laid_out(feed_shifts)

    def turn(self, at: datetime) -> _Turn:
        override = _among(self._schedule.override_shifts, at, "override")
        if override.why == "override":
            return override
        rotation = self._schedule.rotation
        below = self._rotated(rotation, at) if rotation else _among(self._feed, at, "feed")
        return replace(
            below,
            begins=max(below.begins, override.begins),
            ends=min(below.ends, override.ends),
        )

    def _rotated(self, rotation: Rotation, at: datetime) -> _Turn:
        zone = self._schedule.zone

        def begins(number: int) -> datetime:
            return instant(rotation.first + number * rotation.period, zone)

        local = at.astimezone(zone).replace(tzinfo=None)
        number = (local - rotation.first) // rotation.period
        if begins(number + 1) <= at:  # the clock was put back to before this hand-over
            number += 1
        if number < 0:
            return _Turn(_ALWAYS, begins(0), None, "gap")
        who = rotation.responders[number % len(rotation.responders)]
        return _Turn(begins(number), begins(number + 1), who, "rotation")


def _among(ordered: Sequence[Shift], at: datetime, why: Why) -> _Turn:
    """Return what holds by shifts that do not overlap, oldest first."""
    i = bisect_right(ordered, at, key=lambda shift: shift.begins)
    before = ordered[i - 1] if i else None
    if before and at < before.ends:
        return _Turn(before.begins, before.ends, before.who, why)
    return _Turn(
        before.ends if before else _ALWAYS,
        ordered[i].begins if i < len(ordered) else _NEVER,
        None,
        "gap",
    )


def _laid_out(events: Iterable[Shift]) -> list[Shift]:
    """Return shifts that do not overlap, oldest first.

    Of two events at one time the later begun has it, as a swap is usually written over the plan;
    of two begun at once the shorter. An event of nobody takes the time from no one.
    """
    kept = [one for one in events if one.who is not None and one.begins < one.ends]
    waiting = sorted(kept, key=lambda one: one.begins, reverse=True)
    running: list[tuple[float, datetime, str | None]] = []  # the one that has it first
    laid: list[Shift] = []
    at = _ALWAYS
    while waiting or running:
        if not running:
            at = max(at, waiting[-1].begins)
        while waiting and waiting[-1].begins <= at:
            one = waiting.pop()
            heapq.heappush(running, (-one.begins.timestamp(), one.ends, one.who))
        _, ends, who = running[0]
        if ends <= at:
            heapq.heappop(running)
            continue
        until = min(ends, waiting[-1].begins) if waiting else ends
        laid.append(Shift(at, until, who))
        at = until
    return laid


@dataclass(frozen=True, slots=True)
class FeedEvent:
    """One occurrence in a calendar (UTC). `attendees`: mail addresses, without `mailto:`."""

    begins: datetime
    ends: datetime
    summary: str
    attendees: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Unmatched:
    """An event that is no one's shift: of nobody known, or of several (`candidates`).

    `text` is the beginning of its summary, `begins` the first time that it occurs.
    """

    begins: datetime
    text: str
    candidates: tuple[str, ...]


def matched(
    events: Iterable[FeedEvent], known: Mapping[str, Responder]
) -> tuple[tuple[Shift, ...], tuple[Unmatched, ...]]:
    """Return the shifts of a feed, and the events that are no one's, each once.

    An attendee's mail address decides; where none is known, who is named in the summary does, by
    id, full name or mail address.
    """
    mails = _ids_by_word((one.email, id_) for id_, one in known.items())
    words = _ids_by_word(
        (word, id_) for id_, one in known.items() for word in (id_, one.name, one.email)
    )
    longest_first = sorted(words, key=len, reverse=True)
    named = re.compile(_WORD.format("|".join(map(re.escape, longest_first)) or "(?!)"))
    found: list[Shift] = []
    unmatched: dict[tuple[str, tuple[str, ...]], Unmatched] = {}
    for event in sorted(events, key=lambda event: event.begins):
        summary = _plain(event.summary)
        invited = {id_ for mail in event.attendees for id_ in mails.get(_plain(mail), ())}
        read = f"{summary}\n{_DUTY.sub(' ', summary)}"
        who = invited or {id_ for word in named.findall(read) for id_ in words[word]}
        if len(who) == 1:
            found.append(Shift(event.begins, event.ends, *who))
            continue
        text, candidates = " ".join(event.summary.split())[:TEXT_SHOWN], tuple(sorted(who))
        _ = unmatched.setdefault((text, candidates), Unmatched(event.begins, text, candidates))
    return tuple(found), tuple(unmatched.values())


def _ids_by_word(pairs: Iterable[tuple[str | None, str]]) -> Mapping[str, set[str]]:
    found: defaultdict[str, set[str]] = defaultdict(set)
    for word, id_ in pairs:
        if word is not None:
            found[_plain(word)].add(id_)
    return dict(found)


def _plain(text: str) -> str:
    """Return a text as it is compared; calendars differ in how they compose ö, and in spaces."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())
