"""A feed from any calendar program gives who is named when; anything else gives words that help."""

import asyncio
import contextlib
import gzip
import logging
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from outbound import calendars
from outbound.calendars import (
    MAX_BYTES,
    MAX_EVENTS,
    Calendars,
    Feed,
    fetch,
    read,
)
from outbound.http import client
from paging.errors import CalendarError
from paging.oncall import FeedEvent

SAMPLES = Path(__file__).parent / "calendars"
SHANGHAI = ZoneInfo("Asia/Shanghai")
BERLIN = ZoneInfo("Europe/Berlin")
YEAR = (datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC))

LI, ZHAO, WANG = "li.wei@example.com", "zhao.min@example.com", "wang.fang@example.com"
ROOM = "601t.example_a029mt9oo3j20r5okc98g4lfe4@group.calendar.google.com"
# By feed: the schedule's zone, and each event in UTC.
Row = tuple[str, str, str, list[str]]
EXPECTED: dict[str, tuple[ZoneInfo, list[Row]]] = {
    # A rule with an exception, a moved and a cancelled instance; the moved one comes first.
    "google": (
        SHANGHAI,
        [
            ("03-01 01:00", "03-02 01:00", "值班：李伟, 赵敏", [LI, ZHAO]),
            ("03-09 01:00", "03-10 01:00", "值班：王芳（换班）", [WANG]),
            ("03-15 01:00", "03-16 01:00", "值班：李伟, 赵敏", [LI, ZHAO]),
            ("03-17 12:00", "03-17 13:00", "替班", []),
            ("04-03 16:00", "04-06 16:00", "清明节", []),
            ("04-05 01:00", "04-06 01:00", "值班：李伟, 赵敏", [LI, ZHAO]),
        ],
    ),
    # Workspace writes each instance of a rule, and no rule.
    "google-busy": (
        SHANGHAI,
        [
            ("03-05 20:00", "03-05 21:00", "Busy", []),
            ("03-12 19:00", "03-12 20:00", "Busy", [ROOM]),
        ],
    ),
    # Windows's zones from 1601, one that is not in the feed, and one of the user's own.
    "exchange": (
        SHANGHAI,
        [
            ("03-20 01:00", "03-20 13:00", "值班 李伟", []),
            ("03-27 21:00", "03-28 05:00", "Night Schmidt", []),
            ("03-28 01:00", "03-28 13:00", "值班 李伟", []),
            ("03-28 13:00", "03-28 17:00", "Spätdienst", []),
            ("03-28 21:00", "03-29 04:00", "Night Schmidt", []),  # 7 hours: the clock goes forward
            ("03-29 12:00", "03-29 16:00", "Spätdienst", []),
            ("03-29 20:00", "03-30 04:00", "Night Schmidt", []),
            ("03-30 12:00", "03-30 16:00", "Spätdienst", []),
            ("04-10 01:00", "04-10 13:00", "值班 李伟", []),
        ],
    ),
    # Addresses beside a path, an alarm that makes no sense, an additional date (RDATE).
    "icloud": (
        SHANGHAI,
        [
            ("11-01 00:00", "11-01 13:00", "Night on call", ["jane.doe@example.com"]),  # 13 hours
            ("11-02 01:00", "11-02 13:00", "Night on call", ["jane.doe@example.com"]),
            ("11-03 01:00", "11-03 13:00", "Night on call", ["jane.doe@example.com"]),
            ("11-06 01:00", "11-06 13:00", "Night on call", ["jane.doe@example.com"]),
            ("11-10 01:00", "11-10 13:00", "Cover", []),
        ],
    ),
    # A byte order mark, weeks and a day across the end of summer time, a task.
    "nextcloud": (
        BERLIN,
        [
            ("10-12 06:00", "10-19 06:00", "Müller", ["mueller@example.de"]),
            ("10-24 10:00", "10-25 11:00", "Vertretung", []),
            ("10-24 22:00", "10-25 23:00", "Feiertag", []),
            ("10-26 07:00", "11-02 07:00", "Müller", ["mueller@example.de"]),
            ("11-09 07:00", "11-16 07:00", "Müller", ["mueller@example.de"]),
            ("11-23 07:00", "11-30 07:00", "Müller", ["mueller@example.de"]),
        ],
    ),
    # Bare addresses, a name folded at a space, and shifts that share one UID.
    "pagerduty": (
        SHANGHAI,
        [
            (
                "07-31 15:00",
                "08-07 15:00",
                "On Call - Jane Doe - On-Call Team",
                ["jane@example.com"],
            ),
            ("08-07 15:00", "08-14 15:00", "On Call - Li Wei - On-Call Team", [LI]),
        ],
    ),
    "grafana-oncall": (
        SHANGHAI,
        [("10-09 23:00", "10-16 23:00", "Rotation L1: user@example.com", [])],
    ),
    # A zone under the name of who wrote it down, with half its rules; an exception in UTC.
    "evolution": (
        SHANGHAI,
        [("03-27 20:00", "03-27 21:30", "call", []), ("03-29 19:00", "03-29 20:30", "call", [])],
    ),
    # No zone, no UID, small letters, and a last day that is counted in.
    "floating": (
        SHANGHAI,
        [
            ("03-01 04:00", "03-01 05:00", "weekly", []),
            ("03-01 16:00", "03-02 16:00", "the last day counted in", []),
            ("03-09 16:00", "03-10 16:00", "no end", []),
            ("03-11 00:00", "03-11 00:00", "a moment", []),
            ("03-15 04:00", "03-15 05:00", "weekly", []),
            ("03-22 04:00", "03-22 05:00", "weekly", []),
            ("03-29 04:00", "03-29 05:00", "weekly", []),
        ],
    ),
}


def _row(event: FeedEvent) -> Row:
    assert event.begins.tzinfo is event.ends.tzinfo is UTC
    span = (f"{moment:%m-%d %H:%M}" for moment in (event.begins, event.ends))
    return (*span, event.summary, list(event.attendees))


def _calendar(*lines: str) -> bytes:
    return "\r\n".join(("BEGIN:VCALENDAR", "VERSION:2.0", *lines, "END:VCALENDAR", "")).encode()


def _event(*lines: str, at: str = ":20260401T080000Z") -> bytes:
    """Return a calendar with one event of an hour, called "on call"."""
    event = (f"DTSTART{at}", "DURATION:PT1H", "UID:1", "SUMMARY:on call", *lines)
    return _calendar("BEGIN:VEVENT", *event, "END:VEVENT")


def _read(text: bytes, zone: ZoneInfo = SHANGHAI) -> tuple[FeedEvent, ...]:
    return read(text, *YEAR, zone=zone)


@pytest.mark.parametrize("name", EXPECTED)
def test_a_feed_of_a_calendar_program_gives_its_events(name: str) -> None:
    zone, rows = EXPECTED[name]
    text = (SAMPLES / f"{name}.ics").read_bytes()
    assert [_row(event) for event in _read(text, zone)] == rows


@pytest.mark.parametrize("name", EXPECTED)
def test_the_other_line_ends_change_nothing(name: str) -> None:
    text = (SAMPLES / f"{name}.ics").read_bytes()
    lf = text.replace(b"\r\n", b"\n")
    assert _read(lf) == _read(lf.replace(b"\n", b"\r\n")) == _read(text)


def test_every_sample_is_expected() -> None:
    assert {path.stem for path in SAMPLES.glob("*.ics")} == set(EXPECTED)


@pytest.mark.parametrize(
    ("since", "until", "expected"),
    [
        ("2026-04-01 07:00", "2026-04-01 08:00", 0),
        ("2026-04-01 07:00", "2026-04-01 08:01", 1),
        ("2026-04-01 08:59", "2026-04-01 10:00", 1),
        ("2026-04-01 09:00", "2026-04-01 10:00", 0),
    ],
)
@pytest.mark.parametrize("at", [":20260401T080000Z", ":20260401T160000"])
def test_only_what_happens_within_the_window_is_returned(
    at: str, since: str, until: str, expected: int
) -> None:
    """The end is not in it; a time without a zone is the schedule's, 8 hours ahead."""
    window = (datetime.fromisoformat(f"{text}+00:00") for text in (since, until))
    assert len(read(_event(at=at), *window, zone=SHANGHAI)) == expected


@pytest.mark.parametrize(
    ("named", "begins"),
    [("Europe/Berlin", "06:00"), ("W. Europe Standard Time", "06:00"), (None, "00:00")],
)
def test_times_without_a_zone_are_in_the_calendars_own_where_it_names_one(
    named: str | None, begins: str
) -> None:
    text = _event(at=":20260401T080000")
    if named:
        text = text.replace(b"VERSION:2.0", f"X-WR-TIMEZONE:{named}".encode())
    (event,) = _read(text)
    assert f"{event.begins:%H:%M}" == begins


def test_zones_of_one_feed_are_not_those_of_the_next() -> None:
    """The library keeps a feed's own zones by name, and all of Outlook's have the same name."""
    for offset, begins in (("+0300", "05:00"), ("-0500", "13:00"), ("+0300", "05:00")):
        zone = ("TZID:Customized Time Zone", "BEGIN:STANDARD", "DTSTART:16010101T000000")
        offsets = (f"TZOFFSETFROM:{offset}", f"TZOFFSETTO:{offset}", "END:STANDARD")
        text = _event(at=";TZID=Customized Time Zone:20260401T080000").replace(
            b"VERSION:2.0",
            "\r\n".join(("BEGIN:VTIMEZONE", *zone, *offsets, "END:VTIMEZONE")).encode(),
        )
        (event,) = _read(text)
        assert f"{event.begins:%H:%M}" == begins
    with pytest.raises(CalendarError, match="a time zone that is not known"):
        _read(_event(at=";TZID=Customized Time Zone:20260401T080000"))


def test_the_newest_version_of_an_event_counts() -> None:
    old = ("BEGIN:VEVENT", "UID:1", "SEQUENCE:1", "DTSTART:20260401T080000Z", "END:VEVENT")
    new = ("BEGIN:VEVENT", "UID:1", "SEQUENCE:2", "DTSTART:20260402T080000Z", "END:VEVENT")
    assert [event.begins.day for event in _read(_calendar(*new, *old))] == [2]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"", "not a calendar: it does not begin with BEGIN:VCALENDAR"),
        (b"BEGIN:VCARD\nEND:VCARD\n", "not a calendar: it does not begin with"),
        (b"\n<!doctype html><title>Sign in", "a web page instead of a calendar (is a login needed"),
        (b'{"error":"expired"}', "not a calendar: it does not begin with BEGIN:VCALENDAR"),
        (_event("SUMMARY:值班").decode().encode("gbk"), "not UTF-8"),
        (_event().decode().encode("utf-16"), "not UTF-8"),
        (_event()[:-20], "not a calendar: it ends early"),
        (_event() + _event(), "not a calendar: it ends early, or holds more than one"),
        (_calendar("END:VEVENT"), "not a calendar: "),
        (_event() + b" " * MAX_BYTES, "larger than 2 MB"),
        (
            _event().replace(b"DTSTART", b"DTSTAMP"),
            "an event without a beginning (DTSTART): 'on ca",
        ),
        (_event(at=":tomorrow"), "an event whose DTSTART cannot be read: 'on call'"),
        (_event(at=":20260230T080000Z"), "an event whose DTSTART cannot be read: 'on call'"),
        (_event("RRULE:FREQ=SOMETIMES"), "an event whose RRULE cannot be read: 'on call'"),
        (_event("RRULE:COUNT=2"), "an event whose times make no sense: 'on call'"),
        (_event("EXDATE:never"), "an event whose EXDATE cannot be read: 'on call'"),
        (_event("RRULE:FREQ=SECONDLY"), "an event that repeats every second: 'on call'"),
        (_event("RRULE:FREQ=minutely"), "an event that repeats every minute: 'on call'"),
        (_event("EXRULE:FREQ=DAILY"), "an event with an EXRULE"),
        (_event(at=";TZID=Nowhere:20260401T080000"), "a time zone that is not known ('Nowhere')"),
        (_event("EXDATE;TZID=Nowhere:20260401T080000"), "a time zone that is not known ('Nowhere'"),
        (_event("DTEND:20260401T070000Z").replace(b"DURATION:PT1H\r\n", b""), "ends before it"),
        (_event().replace(b"PT1H", b"-PT1H"), "ends before it begins: 'on call'"),
        (_event().replace(b"VERSION:2.0", b"X-WR-TIMEZONE:Nowhere"), "not known: 'Nowhere'"),
        (_event().replace(b"VERSION:2.0", b"CALSCALE:JULIAN"), "make no sense"),
    ],
)
def test_a_text_that_is_no_calendar_is_refused_in_words(text: bytes, said: str) -> None:
    with pytest.raises(CalendarError) as refused:
        _read(text)
    assert said in str(refused.value)


@pytest.mark.parametrize(
    ("lines", "begins"),
    [
        (["RDATE;VALUE=PERIOD:20260405T080000Z/PT3H"], ["0401 08", "0405 08"]),
        (
            ["RRULE:FREQ=DAILY;COUNT=2", "RRULE:FREQ=WEEKLY;COUNT=2"],
            ["0401 08", "0402 08", "0408 08"],
        ),
        (["RRULE:FREQ=MONTHLY;COUNT=3;BYDAY=-1FR"], ["0401 08", "0424 08", "0529 08", "0626 08"]),
        (
            [
                *("RRULE:FREQ=DAILY;COUNT=4", "END:VEVENT", "BEGIN:VEVENT", "UID:1"),
                "RECURRENCE-ID;RANGE=THISANDFUTURE:20260403T080000Z",
                *("DTSTART:20260403T100000Z", "DTEND:20260403T110000Z"),
            ],
            ["0401 08", "0402 08", "0403 10", "0404 10"],
        ),
        (["RRULE:FREQ=DAILY;COUNT=3", "STATUS:CANCELLED"], []),
        (["RRULE:FREQ=DAILY;COUNT=3", "EXDATE:20260401T080000Z,20260403T080000Z"], ["0402 08"]),
    ],
)
def test_rules_and_exceptions_give_their_days(lines: list[str], begins: list[str]) -> None:
    assert [f"{event.begins:%m%d %H}" for event in _read(_event(*lines))] == begins


def test_a_line_may_be_folded_within_a_character() -> None:
    """Programs fold at 75 bytes, and RFC 5545 (3.1) lets them."""
    for at in range(len("值班".encode())):
        name = "值班".encode()
        folded = name[:at] + b"\r\n " + name[at:]
        (event,) = _read(_event().replace(b"on call", folded))
        assert event.summary == "值班"


def test_what_is_broken_beside_the_shifts_does_not_matter() -> None:
    text = _event("DESCRIPTION:a line", "Summary not folded", "GEO:nowhere", "=?;:")
    assert len(_read(text.replace(b"VERSION:2.0", b"VERSION\r\nREFRESH-INTERVAL:?"))) == 1


def test_an_attendee_has_one_address() -> None:
    lines = (
        "ATTENDEE;EMAIL=alias@example.com:MAILTO:Li.Wei@example.com",
        "ATTENDEE:mailto:li.wei@example.com",
        "ATTENDEE:urn:uuid:0a1b",
    )
    (event,) = _read(_event(*lines))
    assert event.attendees == (LI,)


def test_a_large_feed_that_people_wrote_is_read() -> None:
    """2 MB, nearly all of it descriptions."""
    event = ("BEGIN:VEVENT", "DTSTART:20260401T080000Z", "DESCRIPTION:" + "x" * 1900, "END:VEVENT")
    assert len(_read(_calendar(*event * 1000))) == 1000


def test_a_huge_count_is_read_up_to_the_window() -> None:
    """From 8 o'clock on 1 April to the end of November."""
    assert len(_read(_event("RRULE:FREQ=DAILY;COUNT=2147483647"))) == 244


def test_more_events_than_anyone_can_use_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calendars, "MAX_WORK_S", 60)  # for a slow machine
    text = _event("RRULE:FREQ=HOURLY", at=":20260501T080000Z")
    with pytest.raises(CalendarError, match=f"more than {MAX_EVENTS} events in 334 days"):
        _read(text)


def _filled(line: str) -> bytes:
    """Return a calendar of 2 MB that says one thing over and over."""
    return _calendar(*[line] * ((MAX_BYTES - 100) // (len(line) + 2)))


ENDLESS = {
    "a rule that has never an event": _event("RRULE:FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30"),
    "a rule since before clocks": _event("RRULE:FREQ=HOURLY", at=":10010101T080000Z"),
    "a rule of each second of the year": _event(
        "RRULE:FREQ=YEARLY;BYMONTHDAY=1;BYHOUR={};BYMINUTE={};BYSECOND={}".format(
            *(",".join(map(str, range(count))) for count in (24, 60, 60))
        )
    ),
    "many small events": _filled("BEGIN:VEVENT\r\nDTSTART:20260401\r\nEND:VEVENT"),
    "a zone whose clock changes each second": _event(
        at=";TZID=Mine:20260401T080000",
    ).replace(
        b"VERSION:2.0",
        b"BEGIN:VTIMEZONE\r\nTZID:Mine\r\n"
        + b"".join(
            b"BEGIN:STANDARD\r\nDTSTART:16010101T000000\r\nRRULE:FREQ=SECONDLY\r\n"
            b"TZOFFSETFROM:+0100\r\nTZOFFSETTO:+0%d00\r\nEND:STANDARD\r\n" % hours
            for hours in (1, 2)
        )
        + b"END:VTIMEZONE",
    ),
}


@pytest.mark.parametrize("name", ENDLESS)
def test_a_feed_that_makes_endless_work_is_given_up_in_time(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calendars, "MAX_WORK_S", 0.5)
    began = time.thread_time()
    with pytest.raises(CalendarError, match="work to read"):
        _read(ENDLESS[name])
    assert time.thread_time() - began < 0.8
    assert _read(_event())  # the next one is read as ever
    assert sys.getprofile() is None


LINES = sorted({line for path in SAMPLES.glob("*.ics") for line in path.read_bytes().splitlines()})


@settings(max_examples=150, deadline=None)
@given(
    name=st.sampled_from(sorted(EXPECTED)),
    changes=st.lists(
        st.tuples(st.integers(0, 80), st.one_of(st.sampled_from(LINES), st.binary(max_size=30))),
        min_size=1,
        max_size=6,
    ),
)
@example(name="floating", changes=[(8, b"DTSTART;TZID=Europe:20260301T120000")])
def test_a_damaged_feed_is_read_or_refused_in_words(
    name: str, changes: list[tuple[int, bytes]]
) -> None:
    lines = (SAMPLES / f"{name}.ics").read_bytes().splitlines()
    for at, line in changes:
        lines[at % len(lines)] = line
    with contextlib.suppress(CalendarError):
        events = _read(b"\n".join(lines))
        assert all(event.begins <= event.ends for event in events)
        assert list(events) == sorted(events, key=lambda event: event.begins)


SECRET = "s3cr3t-t0k3n"
GOOD = _event()
Serve = Callable[[BaseHTTPRequestHandler], None]


def _answer(
    handler: BaseHTTPRequestHandler,
    status: int = 200,
    body: bytes = GOOD,
    **headers: str,
) -> None:
    handler.send_response(status)
    for name, value in headers.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body)


def _answer_for_ever(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.end_headers()
    try:
        while True:
            handler.wfile.write(b"BEGIN:VCALENDAR\r\n" * 1000)
    except ConnectionError:
        handler.close_connection = True


def _answer_in_part(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", "1000")
    handler.end_headers()
    handler.wfile.write(b"BEGIN:VCALENDAR\r\n")
    handler.rfile.read(1)  # until the client has gone


def _answer_as_asked(handler: BaseHTTPRequestHandler) -> None:
    """As nginx does: nothing, to who names the version that there is."""
    version = {"ETag": '"v1"', "Last_Modified": "Wed, 01 Apr 2026 08:00:00 GMT"}
    asked = handler.headers
    if asked["If-None-Match"] == '"v1"' and asked["If-Modified-Since"] == version["Last_Modified"]:
        _answer(handler, 304, b"", **version)
    else:
        _answer(handler, **version)


def _answer_zipped_if_asked(handler: BaseHTTPRequestHandler) -> None:
    if "gzip" in handler.headers["Accept-Encoding"]:
        _answer(handler, body=gzip.compress(GOOD), Content_Encoding="gzip")
    else:
        _answer(handler, Content_Type="text/calendar; charset=utf-8")


LOGIN = b"<!DOCTYPE html><html><title>Sign in</title></html>"
TO_LOGIN = "/login?from=/private/" + SECRET
PAGES: dict[str, Serve] = {
    "/good": _answer_zipped_if_asked,
    "/untyped": partial(_answer, Content_Type="text/html"),
    "/asked": _answer_as_asked,
    "/moved": partial(_answer, status=301, body=b"", Location="good"),
    "/login": partial(_answer, body=LOGIN, Content_Type="text/html; charset=utf-8"),
    "/mistyped-login": partial(_answer, body=b"\n" + LOGIN, Content_Type="text/calendar"),
    "/html": partial(_answer, body=b"Please sign in", Content_Type="text/html"),
    "/to-login": partial(_answer, status=302, body=b"", Location=TO_LOGIN),
    "/round": partial(_answer, status=302, body=b"", Location="/round"),
    "/nowhere": partial(_answer, status=302, body=b""),
    "/file": partial(_answer, status=302, body=b"", Location="file:///etc/passwd"),
    "/bad-location": partial(_answer, status=302, body=b"", Location="http://[" + SECRET),
    "/forbidden": partial(_answer, status=403, body=b"no"),
    "/unchanged": partial(_answer, status=304, body=b""),
    "/broken": partial(_answer, status=500, body=b"no"),
    "/zipped": partial(_answer, Content_Encoding="gzip"),
    "/large": partial(_answer, body=b"BEGIN:VCALENDAR" + b"\n" * 30_000_000),
    "/endless": _answer_for_ever,
    "/slow": _answer_in_part,
    "/gbk": partial(_answer, body=_event("SUMMARY:值班").decode().encode("gbk")),
}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        PAGES.get(path, partial(_answer, status=404, body=b"none"))(self)

    def log_message(self, *_: object) -> None:
        pass

    def handle(self) -> None:
        with contextlib.suppress(ConnectionError):  # a client that has read enough
            super().handle()


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def _fetch(url: str, *, known: Feed | None = None, deadline_s: float = 10) -> Feed:
    async def run() -> Feed:
        async with client(allow_private=True) as http:
            return await fetch(http, url, known=known, deadline_s=deadline_s)

    return asyncio.run(run())


@pytest.mark.parametrize("page", ["/good", "/untyped", "/moved"])
def test_a_feed_is_fetched(site: str, page: str) -> None:
    assert _fetch(f"{site}{page}?{SECRET}") == Feed(GOOD, {})


def test_a_feed_that_has_not_changed_is_not_sent_again(site: str) -> None:
    feed = _fetch(f"{site}/asked")
    assert feed.body == GOOD
    assert _fetch(f"{site}/asked", known=feed) is feed
    older = Feed(b"older", {**feed.validators, "If-None-Match": '"v0"'})
    assert _fetch(f"{site}/asked", known=older) == feed


def test_calendars_are_fetched_and_read(site: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was fetched is kept for the latest few that can be asked whether they have changed."""
    monkeypatch.setattr(calendars, "MAX_KEPT", 2)

    async def run() -> None:
        async with client(allow_private=True) as http:
            read_by = Calendars(http)
            for page in ("asked?1", "asked?2", "asked?1", "asked?3", "good"):
                events = await read_by.read(f"{site}/{page}", *YEAR, zone=SHANGHAI)
                assert events == _read(GOOD)
            assert [*read_by._kept] == [f"{site}/asked?1", f"{site}/asked?3"]

    asyncio.run(run())


@pytest.mark.parametrize(
    ("page", "said"),
    [
        ("/login", "a web page instead of a calendar (is a login needed?)"),
        ("/mistyped-login", "a web page instead of a calendar (is a login needed?)"),
        ("/html", "a web page instead of a calendar (is a login needed?)"),
        ("/to-login", "a web page instead of a calendar (is a login needed?)"),
        ("/round", "more than 3 redirects"),
        ("/nowhere", "more than 3 redirects"),
        ("/file", "a redirect to what is no safe address"),
        ("/bad-location", "a redirect to what is no safe address"),
        ("/forbidden", "the server answers 403 (is a login needed?)"),
        ("/none", "the server answers 404 (is the address out of date?)"),
        ("/unchanged", "the server answers 304"),
        ("/broken", "the server answers 500"),
        ("/zipped", "the answer is compressed (gzip), which was not asked for"),
        ("/large", "the answer is larger than 2000000 bytes"),
        ("/endless", "the answer is larger than 2000000 bytes"),
        ("/slow", "no answer within 0.5 s"),
    ],
)
def test_what_is_no_feed_is_refused_in_words(site: str, page: str, said: str) -> None:
    with pytest.raises(CalendarError) as refused:
        _fetch(f"{site}{page}", deadline_s=0.5 if page == "/slow" else 10)
    assert str(refused.value) == said


def test_a_redirect_never_leads_to_plain_http() -> None:
    assert calendars._redirected("http://a/feed", "https://a/feed") == "https://a/feed"
    for address in ("https://a/feed", "HTTPS://a/feed"):
        with pytest.raises(CalendarError, match="a redirect to what is no safe address"):
            calendars._redirected(address, "http://a/feed")


def test_a_feed_in_another_encoding_is_fetched_and_refused_when_read(site: str) -> None:
    text = _fetch(f"{site}/gbk").body
    with pytest.raises(CalendarError, match="not UTF-8"):
        _read(text)


def test_webcal_is_https(site: str) -> None:
    """The server here speaks no TLS, and is asked for it."""
    with pytest.raises(CalendarError, match=r"the request fails \(ConnectError\)"):
        _fetch(site.replace("http://", "WebCal://") + "/good")


@pytest.mark.parametrize(
    "address",
    [
        "{site}/{page}?{secret}",
        "http://a:{secret}/",
        "http://{secret}@[",
        "ftp://a/{secret}",
        "{secret}",
    ],
)
def test_the_address_is_never_said(
    site: str, address: str, caplog: pytest.LogCaptureFixture
) -> None:
    """It opens the calendar to whoever reads it in a log."""
    for page in ("login", "to-login", "bad-location", "round", "none", "broken", "large"):
        with caplog.at_level(logging.WARNING), pytest.raises(CalendarError) as refused:
            _fetch(address.format(site=site, page=page, secret=SECRET))
        assert SECRET not in "".join(traceback.format_exception(refused.value))
    assert SECRET not in caplog.text


def test_a_feed_on_a_private_address_is_refused(site: str) -> None:
    async def run() -> None:
        async with client() as http:
            await fetch(http, f"{site}/good")

    with pytest.raises(CalendarError, match="is on a private network"):
        asyncio.run(run())
