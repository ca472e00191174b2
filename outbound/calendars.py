"""iCalendar feeds: fetched over HTTP, and read into who is named from when until when.

A feed is written by whoever edits the calendar, so its text, its rules and the work that it makes
are bounded. Its address is a secret (it holds the token that opens the calendar) and is in no text.
"""

import asyncio
import itertools
import re
import sys
import threading
import warnings
from collections.abc import Generator, Iterable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from time import thread_time
from typing import Any, cast
from urllib.parse import urljoin
from zoneinfo import ZoneInfo

import httpx2
import icalendar
import recurring_ical_events
from icalendar.error import GloballyUniqueTZIDGuessed
from icalendar.timezone import tzp

from outbound import http
from paging.errors import CalendarError
from paging.oncall import FeedEvent

MAX_BYTES = 2_000_000
MAX_EVENTS = 5_000  # within what is asked for
MAX_REDIRECTS = 3
MAX_KEPT = 50
DEADLINE_S = 10  # of each request
NOT_MODIFIED = 304
REDIRECTS = frozenset((301, 302, 303, 307, 308))
MAX_WORK_S = 2.0  # of one CPU, while reading

WEB_PAGE = "a web page instead of a calendar (is a login needed?)"
# What says when and who. Most of a real feed is descriptions, and they are what is broken in it.
PROPERTIES = frozenset(
    (
        *("UID", "SEQUENCE", "STATUS", "SUMMARY", "ATTENDEE"),
        *("DTSTART", "DTEND", "DURATION", "RRULE", "EXRULE", "RDATE", "EXDATE", "RECURRENCE-ID"),
        *("CALSCALE", "X-WR-TIMEZONE", "TZID", "TZNAME", "TZOFFSETFROM", "TZOFFSETTO"),
    )
)
COMPONENTS = frozenset(("VCALENDAR", "VEVENT", "VTIMEZONE", "STANDARD", "DAYLIGHT"))
TIMES = ("DTSTART", "DTEND", "RECURRENCE-ID", "RDATE", "EXDATE")
# Nobody is on call for a second, and a small text would make millions of events.
TOO_OFTEN = {"SECONDLY": "every second", "MINUTELY": "every minute"}
# What the libraries raise on a text that their authors did not think of.
UNREADABLE = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    OSError,  # a zone called "Europe", which is a folder
    TypeError,
    ValueError,
)

_FOLD = re.compile(rb"\r?\n[ \t]")  # of bytes: it may be within a character
_NAME = re.compile(r"[A-Za-z0-9-]+(?=[;:])")
_zones = threading.Lock()  # icalendar knows a feed's own time zones by name, in one global table


@dataclass(frozen=True, slots=True)
class Feed:
    """What came. `validators`: headers that ask for it again only if it has changed."""

    body: bytes
    validators: Mapping[str, str]


class Calendars:
    """Satisfies `paging.ports.Calendars`. Keeps what came last, to ask only for what is new."""

    def __init__(self, client: httpx2.AsyncClient) -> None:
        self._client = client
        self._kept: dict[str, Feed] = {}  # by address, the one read last at the end

    async def read(
        self, url: str, since: datetime, until: datetime, *, zone: ZoneInfo
    ) -> tuple[FeedEvent, ...]:
        """Fetch a feed and read it in another thread. Raises CalendarError."""
        feed = await fetch(self._client, url, known=self._kept.pop(url, None))
        if feed.validators:
            self._kept[url] = feed
        if len(self._kept) > MAX_KEPT:
            del self._kept[next(iter(self._kept))]
        return await asyncio.to_thread(read, feed.body, since, until, zone=zone)


async def fetch(
    client: httpx2.AsyncClient,
    url: str,
    *,
    known: Feed | None = None,
    deadline_s: float = DEADLINE_S,
) -> Feed:
    """Fetch a feed, or return `known` where it is still that one. Raises CalendarError.

    webcal:// is https://. Redirects are followed, each within the deadline and checked as the first
    address is; never to plain HTTP.
    """
    headers = {
        "Accept": "text/calendar, */*;q=0.1",
        "Accept-Encoding": "identity",  # a small answer must not become a large one
        **(known.validators if known else {}),
    }
    address = re.sub("^webcals?://", "https://", url, flags=re.IGNORECASE)
    for _ in range(1 + MAX_REDIRECTS):
        try:
            answer = await http.fetch(
                client,
                "GET",
                address,
                deadline_s=deadline_s,
                most_bytes=MAX_BYTES,
                headers=headers,
            )
        except http.OutboundError as exc:
            raise CalendarError(str(exc)) from None  # its cause may hold the address
        if answer.status == NOT_MODIFIED and known:
            return known
        if answer.status not in REDIRECTS:
            return _feed(answer)
        address = _redirected(address, answer.headers.get("location", ""))
    raise CalendarError(f"more than {MAX_REDIRECTS} redirects")


def _redirected(address: str, location: str) -> str:
    try:
        target = urljoin(address, location)
    except ValueError:
        target = ""
    plain = () if address.lower().startswith("https:") else ("http://",)
    if not target.startswith(("https://", *plain)):
        raise CalendarError("a redirect to what is no safe address")
    return target


def _feed(answer: http.Answer) -> Feed:
    match answer.status:
        case 200:
            pass
        case 401 | 403:
            raise CalendarError(f"the server answers {answer.status} (is a login needed?)")
        case 404 | 410:
            raise CalendarError(f"the server answers {answer.status} (is the address out of date?)")
        case status:
            raise CalendarError(f"the server answers {status}")
    if (encoding := answer.headers.get("content-encoding", "identity")) != "identity":
        raise CalendarError(f"the answer is compressed ({encoding}), which was not asked for")
    is_page = answer.headers.get("content-type", "").startswith("text/html")
    # Scripts that write calendars forget the type, and then it is text/html too.
    if is_page and not _begins(answer.body, b"BEGIN:VCALENDAR"):
        raise CalendarError(WEB_PAGE)
    _refuse_what_is_none(answer.body)
    asks = {"ETag": "If-None-Match", "Last-Modified": "If-Modified-Since"}
    return Feed(
        answer.body,
        {asks[name]: answer.headers[name] for name in asks if name in answer.headers},
    )


def _begins(text: bytes, wanted: bytes) -> bool:
    return text[:200].removeprefix(b"\xef\xbb\xbf").lstrip().upper().startswith(wanted)


def _refuse_what_is_none(text: bytes) -> None:
    if _begins(text, b"<"):
        raise CalendarError(WEB_PAGE)
    if len(text) > MAX_BYTES:
        raise CalendarError(f"larger than {MAX_BYTES / 1e6:g} MB")


def read(text: bytes, since: datetime, until: datetime, *, zone: ZoneInfo) -> tuple[FeedEvent, ...]:
    """Return what happens between two aware times, the earliest first. Raises CalendarError.

    `zone`: where days are whole days, and where times without a zone are unless the calendar names
    one. Cancelled events are left out; attendees are in lower case, summaries at most 200
    characters. Takes about two seconds of CPU at most, whatever the text.
    """
    _refuse_what_is_none(text)
    try:
        lines = _FOLD.sub(b"", text).decode("utf-8-sig").split("\n")
    except UnicodeDecodeError as exc:
        raise CalendarError("not UTF-8, which calendars are written in") from exc
    if not _begins(text, b"BEGIN:VCALENDAR"):
        raise CalendarError("not a calendar: it does not begin with BEGIN:VCALENDAR")
    with _bounded_work():
        found: list[FeedEvent] = []
        for series in _series(_parsed("\n".join(_wanted(lines)))):
            found += _occurrences(series, since, until, zone)
            if len(found) > MAX_EVENTS:
                raise CalendarError(f"more than {MAX_EVENTS} events in {(until - since).days} days")
    return tuple(sorted(found, key=lambda event: (event.begins, event.ends, event.summary)))


@contextmanager
def _bounded_work() -> Generator[None]:
    """Stop what runs too long, wherever it is.

    A rule such as "30 February of each year" keeps dateutil's loop busy until the year 9999 without
    yielding anything, so it can be stopped only from inside: this thread looks at the clock between
    its calls. It is the thread's own clock, so a busy machine changes no answer.
    """
    calls = itertools.count(1)
    end = thread_time() + MAX_WORK_S

    def look(_frame: object, _event: str, _argument: object) -> None:
        if next(calls) % 1024 == 0 and thread_time() > end:
            raise _TooMuchWorkError

    before = sys.getprofile()
    sys.setprofile(look)
    try:
        yield
    except _TooMuchWorkError:
        raise CalendarError(
            f"more than {MAX_WORK_S:g} s of work to read: too many events, "
            "or a rule that goes on without an event"
        ) from None
    finally:
        sys.setprofile(before)


class _TooMuchWorkError(BaseException):
    """Not an Exception, so that no library takes it for one of its own."""


def _wanted(lines: Iterable[str]) -> Generator[str]:
    skipped = ""  # the outermost component that is of no interest, such as an alarm
    for line in lines:
        found = _NAME.match(line)
        name = found[0].upper() if found else ""
        if name in {"BEGIN", "END"}:
            component = line[len(name) + 1 :].strip().upper()
            if not skipped and component in COMPONENTS:
                yield f"{name}:{component}"
            elif not skipped and name == "BEGIN":
                skipped = component
            elif skipped == component and name == "END":
                skipped = ""
        elif name in PROPERTIES and not skipped:
            # Windows's zones begin in 1601, and dateutil counts every change since.
            yield re.sub("^(DTSTART:)1601", r"\g<1>2000", line.rstrip("\r"))


def _parsed(text: str) -> icalendar.Calendar:
    try:
        with _zones, warnings.catch_warnings():
            # Evolution's zones are "/freeassociation.sourceforge.net/Europe/Berlin".
            warnings.simplefilter("ignore", GloballyUniqueTZIDGuessed)
            icalendar.use_zoneinfo()  # forgets the zones of the feed before
            for name in re.findall("^TZID:(.*)", text, re.MULTILINE):
                # One that is known goes before the feed's own, which dateutil reads much slower,
                # and which in Exchange's feeds has only this year's rule.
                tzp.timezone(name)
            calendars = icalendar.Calendar.from_ical(text, multiple=True)
            for calendar in calendars:
                _name_zone(calendar)
    except UNREADABLE as exc:
        raise CalendarError("not a calendar: its lines do not follow RFC 5545") from exc
    match calendars:
        case [icalendar.Calendar() as calendar]:
            return calendar
        case _:
            raise CalendarError("not a calendar: it ends early, or holds more than one")


def _name_zone(calendar: icalendar.Component) -> None:
    """Write the calendar's zone as the tz database spells it: Exchange has Windows's names."""
    if name := str(calendar.get("X-WR-TIMEZONE", "")):
        match cast("object", tzp.timezone(name)):
            case ZoneInfo(key=str(key)):
                calendar["X-WR-TIMEZONE"] = key
            case _:
                raise CalendarError(f"a time zone that is not known: {name!r}")


def _series(calendar: icalendar.Calendar) -> Iterable[icalendar.Calendar]:
    """Split into one calendar per event and its exceptions.

    A UID belongs to one event, and the library keeps one of those that share it. But some programs
    give all shifts the same one, and a shift that is lost is nobody on call.
    """
    whole: dict[object, icalendar.Calendar] = {}
    firsts: dict[str, icalendar.Component] = {}
    for number, event in enumerate(calendar.walk("VEVENT")):
        try:
            for fault in _faults(event):
                raise _about(event, fault)
        except UNREADABLE as exc:
            raise _about(event, "an event whose times make no sense") from exc
        uid = str(event.get("UID", number))
        key: object = uid
        if "RECURRENCE-ID" not in event:
            first = firsts.setdefault(uid, event)
            if first["DTSTART"] != event["DTSTART"] and first.get("SEQUENCE") == event.get(
                "SEQUENCE"
            ):
                key = (uid, number)
        if key not in whole:
            whole[key] = icalendar.Calendar(calendar)
        whole[key].add_component(event)
    return whole.values()


def _faults(event: icalendar.Component) -> Generator[str]:
    """Say what the library would leave out, or take for something else, without a word."""
    for name, _ in event.errors:
        yield f"an event whose {name or 'lines'} cannot be read"
    if "DTSTART" not in event:
        yield "an event without a beginning (DTSTART)"
    if "EXRULE" in event:
        yield "an event with an EXRULE, which calendars no longer have"
    for rule in _values(event, "RRULE"):
        for frequency in rule.get("FREQ", ()):
            if frequency in TOO_OFTEN:
                yield f"an event that repeats {TOO_OFTEN[frequency]}"
    for zone in _unknown_zones(event):
        yield f"an event in a time zone that is not known ({zone!r})"
    begins = _utc(event.get("DTSTART").dt, UTC)
    ends = [_utc(value.dt, UTC) for value in _values(event, "DTEND")]
    ends += [begins + value.dt for value in _values(event, "DURATION")]
    if ends and min(ends) < begins:
        yield "an event that ends before it begins"


def _unknown_zones(event: icalendar.Component) -> Generator[str]:
    for name in TIMES:
        for value in _values(event, name):
            moments = [moment.dt for moment in getattr(value, "dts", [value])]
            if "TZID" in value.params and any(
                isinstance(moment, datetime) and moment.tzinfo is None for moment in moments
            ):
                yield str(value.params["TZID"])


def _about(event: icalendar.Component, reason: str) -> CalendarError:
    return CalendarError(f"{reason}: {_summary(event)!r}")


def _values(event: icalendar.Component, name: str) -> list[Any]:
    value: Any = event.get(name, [])
    return cast("list[Any]", value if isinstance(value, list) else [value])


def _summary(event: icalendar.Component) -> str:
    return " ".join(map(str, _values(event, "SUMMARY")))[:200]


def _occurrences(
    series: icalendar.Calendar, since: datetime, until: datetime, zone: ZoneInfo
) -> list[FeedEvent]:
    day = timedelta(days=1)
    found: list[FeedEvent] = []
    try:
        # Wider, because the library compares days and times without a zone as if they were UTC.
        for event in recurring_ical_events.of(series).between(since - day, until + day):
            begins, ends = event.get("DTSTART").dt, event.get("DTEND").dt
            if begins == ends and not isinstance(begins, datetime):
                ends += day  # programs that count the last day in
            begins, ends = _utc(begins, zone), _utc(ends, zone)
            is_cancelled = str(event.get("STATUS", "")).upper() == "CANCELLED"
            if begins < until and (since < ends or since <= begins) and not is_cancelled:
                found.append(FeedEvent(begins, ends, _summary(event), _attendees(event)))
    except UNREADABLE as exc:
        raise _about(series.walk("VEVENT")[0], "an event whose times make no sense") from exc
    return found


def _utc(moment: date, zone: tzinfo) -> datetime:
    if not isinstance(moment, datetime):
        moment = datetime.combine(moment, time())
    return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)


def _attendees(event: icalendar.Component) -> tuple[str, ...]:
    addresses: dict[str, None] = {}  # in order, each once
    for value in _values(event, "ATTENDEE"):
        # iCloud writes a path of its own as the value, and the address beside it.
        for written in (str(value), str(value.params.get("EMAIL", ""))):
            address = re.sub("^mailto:", "", written.strip().lower())
            if "@" in address:
                addresses[address] = None
                break
    return tuple(addresses)
