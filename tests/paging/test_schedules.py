"""Who is on call: rotations across clock changes, overrides, feeds, and what is refused."""

import json
import tomllib
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from itertools import cycle, pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import yaml
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from paging.errors import InvalidError
from paging.invalid import problems
from paging.oncall import FeedEvent, Next, Now, Unmatched, matched, on_call, shifts
from paging.people import Responder
from paging.schedules import Schedule, Shift, instant

DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)
LI_ZHAO = {
    "every": "week",
    "on": "monday",
    "at": "09:00",
    "from": "2026-11-02",
    "responders": ["li.wei", "zhao.min"],
}


def schedule(**fields: Any) -> Schedule:
    """Li and Zhao by weeks in Shanghai, unless the case says otherwise."""
    usual = {"name": "Payments", "timezone": "Asia/Shanghai"}
    source = {} if "url" in fields else {"rotation": LI_ZHAO}
    return Schedule.model_validate({**usual, **source, **fields})


def override(begins: str, until: str, responder: str | None = None) -> dict[str, Any]:
    return {"from": begins, "until": until, "responder": responder}


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def shift(begins: str, ends: str, who: str | None) -> Shift:
    return Shift(utc(begins), utc(ends), who)


FEED = "https://calendar.example.com/payments.ics"


# Each row: zone, hand-over, and when it comes on three days around a change of the clock, in UTC.
@pytest.mark.parametrize(
    ("zone", "at", "first_day", "hand_overs"),
    [
        # The clock jumps from 02:00 to 03:00 on 8 March.
        (
            "America/New_York",
            "09:00",
            "2026-03-07",
            ["2026-03-07T14:00", "2026-03-08T13:00", "2026-03-09T13:00"],
        ),
        (
            "America/New_York",
            "02:30",
            "2026-03-07",
            ["2026-03-07T07:30", "2026-03-08T07:00", "2026-03-09T06:30"],
        ),
        (
            "America/New_York",
            "03:00",
            "2026-03-07",
            ["2026-03-07T08:00", "2026-03-08T07:00", "2026-03-09T07:00"],
        ),
        # It goes back from 02:00 to 01:00 on 1 November.
        (
            "America/New_York",
            "09:00",
            "2026-10-31",
            ["2026-10-31T13:00", "2026-11-01T14:00", "2026-11-02T14:00"],
        ),
        (
            "America/New_York",
            "01:30",
            "2026-10-31",
            ["2026-10-31T05:30", "2026-11-01T05:30", "2026-11-02T06:30"],
        ),
        # From 02:00 to 03:00 on 29 March, back from 03:00 to 02:00 on 25 October.
        (
            "Europe/Berlin",
            "02:30",
            "2026-03-28",
            ["2026-03-28T01:30", "2026-03-29T01:00", "2026-03-30T00:30"],
        ),
        (
            "Europe/Berlin",
            "02:30",
            "2026-10-24",
            ["2026-10-24T00:30", "2026-10-25T00:30", "2026-10-26T01:30"],
        ),
        (
            "Europe/Berlin",
            "09:00",
            "2026-10-24",
            ["2026-10-24T07:00", "2026-10-25T08:00", "2026-10-26T08:00"],
        ),
        # By half an hour: back from 02:00 to 01:30 on 5 April, from 02:00 to 02:30 on 4 October.
        (
            "Australia/Lord_Howe",
            "01:45",
            "2026-04-04",
            ["2026-04-03T14:45", "2026-04-04T14:45", "2026-04-05T15:15"],
        ),
        (
            "Australia/Lord_Howe",
            "02:15",
            "2026-10-03",
            ["2026-10-02T15:45", "2026-10-03T15:30", "2026-10-04T15:15"],
        ),
        # Midnight itself is skipped on 6 September.
        (
            "America/Santiago",
            "00:00",
            "2026-09-05",
            ["2026-09-05T04:00", "2026-09-06T04:00", "2026-09-07T03:00"],
        ),
        (
            "Asia/Shanghai",
            "09:00",
            "2026-03-28",
            ["2026-03-28T01:00", "2026-03-29T01:00", "2026-03-30T01:00"],
        ),
    ],
)
def test_the_hand_over_is_by_the_wall_clock_across_its_changes(
    zone: str, at: str, first_day: str, hand_overs: list[str]
) -> None:
    rota = schedule(
        timezone=zone,
        rotation={"every": "day", "at": at, "from": first_day, "responders": ["a", "b", "c"]},
    )
    times = [utc(text) for text in hand_overs]
    assert shifts(rota, times[0] - DAY, times[2] + SECOND) == (
        Shift(times[0] - DAY, times[0], None),
        Shift(times[0], times[1], "a"),
        Shift(times[1], times[2], "b"),
        Shift(times[2], times[2] + SECOND, "c"),
    )
    assert [on_call(rota, time).who for time in times] == ["a", "b", "c"]
    assert [on_call(rota, time - SECOND).who for time in times] == [None, "a", "b"]


@pytest.mark.parametrize(
    ("zone", "on", "at", "hand_overs"),
    [
        ("America/New_York", "monday", "09:00", ["2026-03-02T14:00", "2026-03-09T13:00"]),
        ("Europe/Berlin", "sunday", "02:30", ["2026-03-01T01:30", "2026-03-08T01:30"]),
        ("Europe/Berlin", "friday", "18:00", ["2026-03-06T17:00", "2026-03-13T17:00"]),
        ("Australia/Lord_Howe", "monday", "09:00", ["2026-03-01T22:00", "2026-03-08T22:00"]),
        ("Asia/Shanghai", "wednesday", "00:00", ["2026-03-03T16:00", "2026-03-10T16:00"]),
    ],
)
def test_a_weekly_rotation_begins_on_its_first_weekday(
    zone: str, on: str, at: str, hand_overs: list[str]
) -> None:
    """1 March 2026 is a Sunday."""
    rota = schedule(timezone=zone, rotation={**LI_ZHAO, "on": on, "at": at, "from": "2026-03-01"})
    first, second = (utc(text) for text in hand_overs)
    assert on_call(rota, first - SECOND) == Now(None, None, first, "gap", Next("li.wei", first))
    assert on_call(rota, second - SECOND) == Now(
        "li.wei", first, second, "rotation", Next("zhao.min", second)
    )


def test_without_a_weekday_weeks_begin_on_that_of_the_first_day() -> None:
    rotation = {**LI_ZHAO, "from": "2026-11-05"}  # a Thursday
    del rotation["on"]
    now = on_call(schedule(rotation=rotation), utc("2026-11-11T00:00"))
    assert (now.who, now.since, now.until) == (
        "li.wei",
        utc("2026-11-05T01:00"),
        utc("2026-11-12T01:00"),
    )


def test_a_shift_may_last_several_periods_and_a_person_come_several_times() -> None:
    rotation = {**LI_ZHAO, "shifts": 2, "responders": ["a", "a", "b"]}
    seen = shifts(schedule(rotation=rotation), utc("2026-11-02T01:00"), utc("2027-01-25T01:00"))
    assert [one.who for one in seen] == ["a", "a", "b", "a", "a", "b"]
    assert {one.ends - one.begins for one in seen} == {14 * DAY}


def test_a_clock_put_back_to_before_the_hand_over_takes_no_one_off_again() -> None:
    """The first 01:30 hands over; at the second 01:15, 45 minutes on, nobody goes back."""
    rotation = {**LI_ZHAO, "every": "day", "on": None, "at": "01:30", "from": "2026-10-31"}
    rota = schedule(timezone="America/New_York", rotation=rotation)
    assert on_call(rota, utc("2026-11-01T05:15")).who == "li.wei"  # the first 01:15
    assert on_call(rota, utc("2026-11-01T06:15")).who == "zhao.min"
    assert on_call(rota, utc("2026-11-01T06:45")).who == "zhao.min"


def test_a_day_that_a_zone_skipped_is_no_one_s_shift() -> None:
    """Samoa had no 30 December 2011: its shift has no time, and the next begins at once."""
    rotation = {
        "every": "day",
        "at": "00:00",
        "from": "2011-12-29",
        "responders": ["a", "b", "c"],
    }
    rota = schedule(timezone="Pacific/Apia", rotation=rotation)
    assert shifts(rota, utc("2011-12-29T10:00"), utc("2012-01-01T10:00")) == (
        shift("2011-12-29T10:00", "2011-12-30T10:00", "a"),
        shift("2011-12-30T10:00", "2011-12-31T10:00", "c"),
        shift("2011-12-31T10:00", "2012-01-01T10:00", "a"),
    )


def test_the_far_end_of_a_rotation_is_as_its_beginning() -> None:
    rotation = {**LI_ZHAO, "every": "day", "on": None, "from": "2000-01-01"}
    now = on_call(schedule(rotation=rotation), utc("2199-12-31T02:00"))
    days = (date(2199, 12, 31) - date(2000, 1, 1)).days
    assert now.who == ("li.wei", "zhao.min")[days % 2]
    assert (now.since, now.until) == (utc("2199-12-31T01:00"), utc("2200-01-01T01:00"))


@pytest.mark.parametrize(
    ("local", "zone", "moment"),
    [
        ("2026-12-01T09:00", "Asia/Shanghai", "2026-12-01T01:00"),
        ("2026-12-01T09:00+01:00", "Asia/Shanghai", "2026-12-01T08:00"),
        ("2026-03-29T01:59:59.500", "Europe/Berlin", "2026-03-29T00:59:59.500"),
        ("2026-03-29T02:00", "Europe/Berlin", "2026-03-29T01:00"),
        ("2026-03-29T02:59:59.500", "Europe/Berlin", "2026-03-29T01:00"),
        ("2026-03-29T03:00", "Europe/Berlin", "2026-03-29T01:00"),
        ("2011-12-30T12:00", "Pacific/Apia", "2011-12-30T10:00"),
    ],
)
def test_each_reading_of_a_wall_clock(local: str, zone: str, moment: str) -> None:
    assert instant(datetime.fromisoformat(local), ZoneInfo(zone)) == utc(moment)


def test_an_override_takes_its_time_and_gives_it_back() -> None:
    rota = schedule(
        overrides=[
            override("2026-11-06T09:00", "2026-11-07T09:00"),
            override("2026-11-04T09:00", "2026-11-05T02:00+01:00", "wang.fang"),
        ]
    )
    assert shifts(rota, utc("2026-11-02T01:00"), utc("2026-11-09T01:00")) == (
        shift("2026-11-02T01:00", "2026-11-04T01:00", "li.wei"),
        shift("2026-11-04T01:00", "2026-11-05T01:00", "wang.fang"),
        shift("2026-11-05T01:00", "2026-11-06T01:00", "li.wei"),
        shift("2026-11-06T01:00", "2026-11-07T01:00", None),
        shift("2026-11-07T01:00", "2026-11-09T01:00", "li.wei"),
    )
    assert on_call(rota, utc("2026-11-04T12:00")).why == "override"
    assert on_call(rota, utc("2026-11-06T12:00")) == Now(
        None,
        utc("2026-11-06T01:00"),
        utc("2026-11-07T01:00"),
        "override",
        Next("li.wei", utc("2026-11-07T01:00")),
    )
    assert on_call(rota, utc("2026-11-05T12:00")).next == Next("li.wei", utc("2026-11-07T01:00"))


def test_an_override_may_reach_across_hand_overs_and_before_the_first() -> None:
    rota = schedule(overrides=[override("2026-10-30", "2026-11-10", "wang.fang")])
    assert on_call(rota, utc("2026-10-29T00:00")) == Now(
        None,
        None,
        utc("2026-10-29T16:00"),
        "gap",
        Next("wang.fang", utc("2026-10-29T16:00")),
    )
    assert on_call(rota, utc("2026-11-03T00:00")) == Now(
        "wang.fang",
        utc("2026-10-29T16:00"),
        utc("2026-11-09T16:00"),
        "override",
        Next("zhao.min", utc("2026-11-09T16:00")),
    )


def test_a_feed_s_later_begun_event_has_the_time_and_of_two_at_once_the_shorter() -> None:
    rota = schedule(url=FEED)
    events = [
        shift("2026-11-02T00:00", "2026-11-09T00:00", "li.wei"),
        shift("2026-11-04T00:00", "2026-11-05T00:00", "zhao.min"),
        shift("2026-11-04T00:00", "2026-11-04T12:00", "wang.fang"),
        shift("2026-11-08T00:00", "2026-11-10T00:00", "zhao.min"),
    ]
    expected = (
        shift("2026-11-01T00:00", "2026-11-02T00:00", None),
        shift("2026-11-02T00:00", "2026-11-04T00:00", "li.wei"),
        shift("2026-11-04T00:00", "2026-11-04T12:00", "wang.fang"),
        shift("2026-11-04T12:00", "2026-11-05T00:00", "zhao.min"),
        shift("2026-11-05T00:00", "2026-11-08T00:00", "li.wei"),
        shift("2026-11-08T00:00", "2026-11-10T00:00", "zhao.min"),
        shift("2026-11-10T00:00", "2026-11-11T00:00", None),
    )
    for order in (events, events[::-1]):
        assert shifts(rota, utc("2026-11-01T00:00"), utc("2026-11-11T00:00"), order) == expected


def test_a_feed_without_more_events_has_a_gap_without_end() -> None:
    rota = schedule(url=FEED)
    assert on_call(rota, utc("2026-11-02T00:00")) == Now(None, None, None, "gap", None)
    only = shift("2026-11-02T00:00", "2026-11-03T00:00", "li.wei")
    assert on_call(rota, utc("2026-11-02T12:00"), [only]) == Now(
        "li.wei", only.begins, only.ends, "feed", None
    )
    assert on_call(rota, only.ends, [only]) == Now(None, only.ends, None, "gap", None)


def test_an_override_goes_before_a_feed_and_an_event_of_nobody_before_nothing() -> None:
    rota = schedule(
        url=FEED, overrides=[override("2026-11-03T08:00", "2026-11-04T08:00", "zhao.min")]
    )
    events = [
        shift("2026-11-02T00:00", "2026-11-09T00:00", "li.wei"),
        shift("2026-11-05T00:00", "2026-11-06T00:00", None),
        shift("2026-11-05T00:00", "2026-11-05T00:00", "wang.fang"),
    ]
    assert shifts(rota, utc("2026-11-02T00:00"), utc("2026-11-09T00:00"), events) == (
        shift("2026-11-02T00:00", "2026-11-03T00:00", "li.wei"),
        shift("2026-11-03T00:00", "2026-11-04T00:00", "zhao.min"),
        shift("2026-11-04T00:00", "2026-11-09T00:00", "li.wei"),
    )


def test_times_that_no_schedule_knows_are_refused() -> None:
    rota = schedule()
    for year in (1, 1999, 2200, 9999):
        with pytest.raises(InvalidError, match=r"^at: expected a time in the years 2000 to 2199$"):
            on_call(rota, datetime(year, 12, 31, 23, tzinfo=UTC))
    start = utc("2026-11-02T00:00")
    for until in (start, start - DAY, start + 366 * DAY + SECOND):
        with pytest.raises(InvalidError, match=r"^until: expected up to 366 days after since$"):
            shifts(rota, start, until)
    assert shifts(rota, start, start + 366 * DAY)[-1].ends == start + 366 * DAY


KNOWN = {
    "li.wei": Responder(name="李伟", email="Li.Wei@example.com"),
    "li": Responder(name="Li Jing", email="li@example.com"),
    "jorg": Responder(name="Jörg Müller", email="jorg@example.com"),
    "anna": Responder(name="Anna Smith"),
    "mary": Responder(name="Mary Anna Smith", email="team@example.com"),
    "duty": Responder(name="值班手机", email="team@example.com"),
}


@pytest.mark.parametrize(
    ("summary", "attendees", "who"),
    [
        # An attendee decides, whatever the summary says.
        ("On call", ["LI.WEI@EXAMPLE.COM"], ["li.wei"]),
        ("On call: Anna Smith", ["li@example.com"], ["li"]),
        ("On call", ["room-4@example.com", "li@example.com"], ["li"]),
        ("On call", ["li@example.com", "jorg@example.com"], ["jorg", "li"]),
        ("On call", ["team@example.com"], ["duty", "mary"]),
        # Where none is known, the summary does.
        ("On call: Anna Smith", ["stranger@example.com"], ["anna"]),
        ("li.wei", [], ["li.wei"]),
        ("LI.WEI on call", [], ["li.wei"]),
        ("On call is li.wei.", [], ["li.wei"]),
        ("On call (li), week 45", [], ["li"]),
        ("On call <li@example.com>", [], ["li"]),
        ("li.wei@example.com", [], ["li.wei"]),
        ("li li.wei", [], ["li", "li.wei"]),
        ("anna / jorg", [], ["anna", "jorg"]),
        ("jorg (Jörg Müller)", [], ["jorg"]),
        ("on call: jo\u0308rg  mu\u0308ller", [], ["jorg"]),  # as macOS composes them
        ("Mary Anna Smith", [], ["mary"]),
        ("ＡＮＮＡ　ＳＭＩＴＨ", [], ["anna"]),  # as Chinese input methods type it
        # Chinese puts no spaces.
        ("李伟值班", [], ["li.wei"]),
        ("值班人员:李伟", [], ["li.wei"]),
        ("支付夜班李伟", [], ["li.wei"]),
        ("支付李伟", [], []),
        ("李伟明值班", [], []),  # another person
        ("值班手机", [], ["duty"]),
        # A part of a word is no name.
        ("Lisa on call", [], []),
        ("li-ming on call", [], []),
        ("a+li@example.com", [], []),
        ("li@example.com.cn", [], []),
        ("x.li on call", [], []),
        ("Joanna Smithers", [], []),
        ("Team lunch", [], []),
        ("", [], []),
    ],
)
def test_each_event_is_whose_it_names(summary: str, attendees: list[str], who: list[str]) -> None:
    begins, ends = utc("2026-11-02T01:00"), utc("2026-11-03T01:00")
    found, unmatched = matched([FeedEvent(begins, ends, summary, tuple(attendees))], KNOWN)
    if len(who) == 1:
        assert (found, unmatched) == ((Shift(begins, ends, who[0]),), ())
    else:
        assert (found, unmatched) == ((), (Unmatched(begins, summary, tuple(who)),))


def test_an_unmatched_event_is_told_once_from_its_first_time_and_cut() -> None:
    start = utc("2026-11-02T01:00")
    events = [
        FeedEvent(start + n * DAY, start + (n + 1) * DAY, "Who\n is " + "this" * 50)
        for n in (2, 0, 1)
    ]
    found, (one,) = matched(events, KNOWN)
    assert found == ()
    assert (one.begins, one.candidates) == (start, ())
    assert one.text == ("Who is " + "this" * 50)[:80]


def test_with_nobody_known_no_event_is_anyone_s() -> None:
    begins, ends = utc("2026-11-02T01:00"), utc("2026-11-03T01:00")
    event = FeedEvent(begins, ends, "On call: li", ("li@example.com",))
    assert matched([event], {}) == ((), (Unmatched(begins, "On call: li", ()),))


JSON = """{"name": "Payments", "timezone": "Asia/Shanghai",
 "rotation": {"every": "week", "on": "monday", "at": "09:00", "from": "2026-11-02",
              "responders": ["li.wei", "zhao.min"]},
 "overrides": [{"from": "2026-12-01T09:00", "until": "2026-12-02T09:00+09:00",
                "responder": "zhao.min"},
               {"from": "2026-12-25", "until": "2026-12-26", "responder": null}]}"""
TOML = """
name = "Payments"
timezone = "Asia/Shanghai"
overrides = [
  { from = 2026-12-01T09:00:00, until = 2026-12-02T09:00:00+09:00, responder = "zhao.min" },
  { from = 2026-12-25, until = 2026-12-26 },
]
[rotation]
every = "week"
on = "monday"
at = 09:00:00
from = 2026-11-02
responders = ["li.wei", "zhao.min"]
"""
YAML = """
name: Payments
timezone: Asia/Shanghai
rotation: {every: week, "on": monday, at: 09:00, from: 2026-11-02, responders: [li.wei, zhao.min]}
overrides:
  - {from: 2026-12-01T09:00:00, until: 2026-12-02T09:00:00+09:00, responder: zhao.min}
  - {from: 2026-12-25, until: 2026-12-26, responder: null}
"""


def test_json_toml_and_yaml_write_the_same_schedule() -> None:
    written = [json.loads(JSON), tomllib.loads(TOML), yaml.safe_load(YAML)]
    from_json, from_toml, from_yaml = (Schedule.model_validate(one) for one in written)
    assert from_json == from_toml == from_yaml
    assert from_json.override_shifts == (
        shift("2026-12-01T01:00", "2026-12-02T00:00", "zhao.min"),
        shift("2026-12-24T16:00", "2026-12-25T16:00", None),
    )


def test_a_schedule_is_shown_as_written_and_reads_back_the_same() -> None:
    rota = Schedule.model_validate_json(JSON)
    assert (
        on_call(rota, utc("2026-12-01T02:00")).who == "zhao.min"
    )  # leaves no trace in what is shown
    shown = rota.model_dump(mode="json", exclude_none=True)
    assert shown["rotation"] == {**LI_ZHAO, "shifts": 1}
    assert shown["overrides"][1] == {"from": "2026-12-25T00:00:00", "until": "2026-12-26T00:00:00"}
    assert set(shown) == {"name", "timezone", "rotation", "overrides"}
    again = Schedule.model_validate(shown)
    assert again == rota
    assert again.model_dump(mode="json", exclude_none=True) == shown


def test_a_schedule_says_whom_it_names() -> None:
    rota = schedule(
        rotation={**LI_ZHAO, "responders": ["li.wei", "zhao.min", "li.wei"]},
        overrides=[
            override("2026-11-03", "2026-11-04", "wang.fang"),
            override("2026-11-05", "2026-11-06"),
        ],
    )
    assert rota.responders == ("li.wei", "zhao.min", "wang.fang")
    assert schedule(url=FEED).responders == ()


def rotation(**fields: Any) -> dict[str, Any]:
    return {"rotation": {**LI_ZHAO, **fields}}


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        (rotation(responders=[]), "rotation.responders: expected at least one responder"),
        (rotation(responders=["a"] * 201), "rotation.responders: Tuple should have at most 200"),
        (rotation(responders=["li wei"]), "rotation.responders.0: expected 1 to 64 of"),
        (rotation(every="month"), "rotation.every: Input should be 'day' or 'week'"),
        (rotation(every="day"), 'rotation.on: only where every is "week"; leave it out'),
        (rotation(on="Monday"), "rotation.on: Input should be 'monday'"),
        (rotation(shifts=0), "rotation.shifts: Input should be greater than or equal to 1"),
        (rotation(shifts=101), "rotation.shifts: Input should be less than or equal to 100"),
        (rotation(shifts="2"), "rotation.shifts: Input should be a valid integer"),
        (rotation(at="24:00"), 'rotation.at: expected a time of day in quotes, such as "09:00"'),
        (rotation(at="9:00"), "rotation.at: expected a time of day"),
        (rotation(at="09:00:00"), "rotation.at: expected a time of day"),
        (rotation(at="٠٩:٠٠"), "rotation.at: expected a time of day"),
        (rotation(at=1110), "rotation.at: expected a time of day in quotes"),
        (rotation(at=time(9, 0, 30)), "rotation.at: expected a time of day"),
        (
            rotation(**{"from": "soon"}),
            'rotation.from: expected a date such as "2026-11-02", in the years 2000 to 2199',
        ),
        (rotation(**{"from": "2026-02-30"}), "rotation.from: expected a date"),
        (rotation(**{"from": "2026-11-02T09:00"}), "rotation.from: expected a date"),
        (rotation(**{"from": datetime(2026, 11, 2)}), "rotation.from: expected a date"),  # noqa: DTZ001
        (rotation(**{"from": 1793577600}), "rotation.from: expected a date"),
        (rotation(**{"from": "1999-12-31"}), "rotation.from: expected a date"),
        (rotation(**{"from": "2200-01-01"}), "rotation.from: expected a date"),
        (rotation(until="2026-12-01"), "rotation.until: unknown; expected one of: every, shifts, "),
        ({"timezone": "Asia/Peking"}, "timezone: expected a timezone of the IANA database"),
        ({"timezone": "../etc/passwd"}, "timezone: expected a timezone of the IANA database"),
        ({"name": " "}, "name: expected a name that is not blank"),
        ({"rotation": None}, "rotation: missing; expected a rotation or the url of an iCalendar"),
        ({"rotation": LI_ZHAO, "url": FEED}, "url: expected either a rotation or a url, not both"),
        ({"url": "webcal://example.com/a.ics"}, "url: expected an http or https address (for we"),
        ({"url": "https://"}, "url: expected an http or https address"),
        ({"url": "https://a b"}, "url: expected an http or https address"),
        ({"url": FEED + "x" * 2048}, "url: String should have at most 2048 characters"),
        (
            {"overrides": [override("2026-12-02", "2026-12-02", "li.wei")]},
            "overrides.0.until: expected a time after from",
        ),
        (
            {"overrides": [override("2026-12-02T09:00", "2026-12-02T09:00+07:00")]},
            None,
        ),
        (
            {"overrides": [override("2026-12-02T09:00", "2026-12-02T09:00+08:00")]},
            "overrides.0.until: expected a time after from",
        ),
        (
            {
                "timezone": "Europe/Berlin",
                "overrides": [override("2026-03-29T02:10", "2026-03-29T02:50")],
            },
            "overrides.0.until: expected a time after from",  # both are when the clock jumps
        ),
        (
            {"overrides": [{"from": "noon", "until": "2026-12-02"}]},
            'overrides.0.from: expected a time such as "2026-12-01T09:00", in the years 2000 to',
        ),
        (
            {"overrides": [{"from": 1793577600, "until": "20261202"}]},
            "overrides.0.from: expected a time",
        ),
        ({"overrides": [{"from": "2026-12-02"}]}, "overrides.0.until: missing"),
        (
            {"overrides": [override("2026-12-02", "2200-12-02")]},
            "overrides.0.until: expected a time",
        ),
        (
            {"overrides": [override("2026-12-02", "2026-12-03", "li wei")]},
            "overrides.0.responder: expected 1 to 64 of",
        ),
        (
            {"overrides": [{**override("2026-12-02", "2026-12-03"), "who": "li"}]},
            "overrides.0.who: unknown; expected one of: from, until, responder",
        ),
        (
            {"overrides": [override("2026-12-01", "2026-12-02")] * 1001},
            "overrides: Tuple should have at most 1000",
        ),
        (
            {
                "overrides": [
                    override("2026-12-01T09:00", "2026-12-02T09:00", "li.wei"),
                    override("2026-12-02T08:59", "2026-12-03T09:00"),
                ]
            },
            "overrides.1.from: overlaps with overrides.0",
        ),
        (
            {  # one that is touched by nothing beside it, but lies in a long one before
                "overrides": [
                    override("2026-12-05", "2026-12-06"),
                    override("2026-12-03", "2026-12-04"),
                    override("2026-12-01", "2026-12-05"),
                ]
            },
            "overrides.2.from: overlaps with overrides.1",
        ),
        (
            {
                "overrides": [
                    override("2026-12-01", "2026-12-02"),
                    override("2026-12-02", "2026-12-03"),
                ]
            },
            None,
        ),
    ],
)
def test_each_mistake_is_named_with_its_field(fields: dict[str, Any], expected: str | None) -> None:
    if expected is None:
        _ = schedule(**fields)
        return
    with pytest.raises(ValidationError) as caught:
        schedule(**fields)
    (problem,) = problems(caught.value, Schedule)
    assert str(problem).startswith(expected)


def test_every_mistake_is_told_at_once() -> None:
    with pytest.raises(ValidationError) as caught:
        schedule(
            rotation=None,
            overrides=[
                override("2026-12-02", "2026-12-01"),
                override("2026-12-03", "2026-12-05"),
                override("2026-12-04", "2026-12-06"),
                override("2026-12-07", "2026-12-12"),
                override("2026-12-08", "2026-12-09"),
                override("2026-12-10", "2026-12-11"),  # in the one of five days
            ],
        )
    assert [str(one) for one in problems(caught.value, Schedule)] == [
        "rotation: missing; expected a rotation or the url of an iCalendar feed",
        "overrides.0.until: expected a time after from",
        "overrides.2.from: overlaps with overrides.1",
        "overrides.4.from: overlaps with overrides.3",
        "overrides.5.from: overlaps with overrides.3",
    ]


patient = settings(deadline=None)  # a zone's first use reads its file

ZONES = [
    "America/New_York",
    "Europe/Berlin",
    "Australia/Lord_Howe",
    "Asia/Shanghai",
    "America/Santiago",  # midnight skipped
    "Pacific/Apia",  # a day skipped in 2011
    "Antarctica/Casey",  # three hours back and forth
    "Africa/Casablanca",  # back for Ramadan
]
# Around these the clocks of some zones above change.
CHANGES = [
    "2011-12-30",
    "2018-03-11",
    "2026-03-08",
    "2026-03-29",
    "2026-04-05",
    "2026-09-06",
    "2026-10-04",
    "2026-10-25",
    "2026-11-01",
    "2150-03-08",
]
days = st.builds(
    lambda change, offset: date.fromisoformat(change) + offset * DAY,
    st.shared(st.sampled_from(CHANGES), key="change"),  # a whole case lies around one of them
    st.integers(-20, 20),
)
moments = st.builds(
    lambda day, minute: (
        datetime(day.year, day.month, day.day, tzinfo=UTC) + minute * timedelta(minutes=1)
    ),
    days,
    st.integers(0, 1439),
)
people = st.sampled_from(["a", "b", "c", "d"])


@st.composite
def _overrides(draw: st.DrawFn, who: st.SearchStrategy[str | None]) -> list[dict[str, Any]]:
    times = sorted(draw(st.sets(moments, max_size=12)))
    pairs = list(pairwise(times))[:: draw(st.sampled_from([1, 2]))]
    found = [override(begins.isoformat(), until.isoformat(), draw(who)) for begins, until in pairs]
    return draw(st.permutations(found))


@st.composite
def rotas(draw: st.DrawFn, who: st.SearchStrategy[str | None] = people) -> Schedule:
    every = draw(st.sampled_from(["day", "week"]))
    weekday = st.sampled_from(["monday", "thursday", "sunday"])
    return schedule(
        timezone=draw(st.sampled_from(ZONES)),
        rotation={
            "every": every,
            "shifts": draw(st.integers(1, 3)),
            "on": draw(weekday) if every == "week" else None,
            "at": f"{draw(st.integers(0, 23)):02}:{draw(st.sampled_from([0, 15, 30, 59])):02}",
            "from": draw(days),
            "responders": draw(st.lists(people, min_size=1, max_size=5)),
        },
        overrides=draw(_overrides(who)),
    )


feeds = st.lists(
    st.builds(
        lambda begins, hours, who: Shift(begins, begins + timedelta(hours=hours), who),
        moments,
        st.integers(0, 100),
        people,
    ),
    max_size=12,
)
fed = _overrides(people | st.none()).map(lambda swaps: schedule(url=FEED, overrides=swaps))
any_rota = st.one_of(
    st.tuples(rotas(people | st.none()), st.just([])),
    st.tuples(fed, feeds),
)


@patient
@given(rota=rotas(), at=moments)
def test_at_every_instant_someone_is_on_call_where_no_gap_is_meant(
    rota: Schedule, at: datetime
) -> None:
    assert rota.rotation
    assume(at >= instant(rota.rotation.first, rota.zone))
    now = on_call(rota, at)
    assert now.who is not None
    assert now.since
    assert now.until
    assert now.since <= at < now.until
    assert now.next


@patient
@given(drawn=any_rota, since=moments, hours=st.integers(1, 24 * 40))
def test_shifts_tile_the_time_and_on_call_agrees_with_them(
    drawn: tuple[Schedule, list[Shift]], since: datetime, hours: int
) -> None:
    rota, feed = drawn
    until = since + timedelta(hours=hours)
    found = shifts(rota, since, until, feed)
    assert (found[0].begins, found[-1].ends) == (since, until)
    assert all(before.ends == after.begins for before, after in pairwise(found))
    assert all(one.begins < one.ends for one in found)
    for one in found:
        for at in (one.begins, one.begins + (one.ends - one.begins) / 2, one.ends - SECOND):
            now = on_call(rota, at, feed)
            assert now.who == one.who
            if one.begins != since:
                assert now.since == one.begins
            if one.ends != until:
                assert now.until == one.ends


@patient
@given(drawn=any_rota, at=moments)
def test_who_is_next_is_on_call_then_and_nobody_before(
    drawn: tuple[Schedule, list[Shift]], at: datetime
) -> None:
    rota, feed = drawn
    now = on_call(rota, at, feed)
    if now.next is None:
        assert rota.url
        later = shifts(rota, at, at + 60 * DAY, feed)[1:]
        assert all(one.who is None for one in later)
        return
    then = on_call(rota, now.next.begins, feed)
    assert (then.who, then.since) == (now.next.responder, now.next.begins)
    assert now.until
    if now.until < now.next.begins:
        between = shifts(rota, now.until, now.next.begins, feed)
        assert {one.who for one in between} == {None}


@patient
@given(rota=rotas(), count=st.integers(1, 15))
def test_each_hand_over_is_at_its_time_by_the_wall_clock_and_in_order(
    rota: Schedule, count: int
) -> None:
    plan = rota.rotation
    assert plan
    bare = schedule(timezone=rota.timezone, rotation=plan)
    start = instant(plan.first, rota.zone)
    found = shifts(bare, start, start + count * plan.period)
    # Walked day by day, which the code never does.
    expected: list[tuple[datetime, str]] = []
    day = plan.first
    for who in cycle(plan.responders):
        begins = _first_moment_at_or_after(day, rota.zone)
        if begins >= found[-1].ends:
            break
        if expected and expected[-1][0] == begins:  # its whole shift was skipped by the clock
            del expected[-1]
        expected.append((begins, who))
        day += plan.period
    assert [(one.begins, one.who) for one in found] == expected


def _first_moment_at_or_after(local: datetime, zone: ZoneInfo) -> datetime:
    """Look at every minute around until the wall clock has come to this time of this day."""
    at = local.replace(tzinfo=UTC) - timedelta(hours=15)
    return next(
        minute
        for minute in (at + n * timedelta(minutes=1) for n in range(3 * 24 * 60))
        if minute.astimezone(zone).replace(tzinfo=None) >= local
    )


@patient
@given(feed=feeds, at=moments)
def test_of_a_feed_s_events_at_a_time_the_later_begun_then_the_shorter_has_it(
    feed: Sequence[Shift], at: datetime
) -> None:
    running = [one for one in feed if one.begins <= at < one.ends]
    now = on_call(schedule(url=FEED), at, feed)
    if not running:
        assert (now.who, now.why) == (None, "gap")
        return
    latest = max(one.begins for one in running)
    shortest = min(one.ends for one in running if one.begins == latest)
    best = {one.who for one in running if (one.begins, one.ends) == (latest, shortest)}
    assert now.who in best
    assert now.why == "feed"
