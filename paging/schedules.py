"""On-call schedules as their owners write them; these models validate API and files.

Times without an offset are the wall clock's in the schedule's timezone. TOML and unquoted YAML hand
over dates and times as Python's own, JSON as text: both are read.
"""

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from itertools import chain
from typing import Annotated, Literal, Self, get_args
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)
from pydantic_core import InitErrorDetails, PydanticCustomError

from paging.people import Count, Identifier, Name, Strict, Timezone

Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
WEEKDAYS: tuple[Weekday, ...] = get_args(Weekday)
YEARS = range(2000, 2200)  # so that no arithmetic leaves the calendar of Python
_DAYS: Mapping[str, int] = {"day": 1, "week": 7}
_SECOND = timedelta(seconds=1)


def instant(local: datetime, zone: ZoneInfo) -> datetime:
    """Return the moment, in UTC, at which the wall clock of `zone` says `local`.

    A time that the clock skips is the moment at which it jumps, one that it shows twice the first
    of them. A time with an offset is taken as it is.
    """
    if local.tzinfo is not None:
        return local.astimezone(UTC)
    after = local.replace(tzinfo=zone, fold=0).astimezone(UTC)
    if after.astimezone(zone).replace(tzinfo=None, fold=0) == local:
        return after
    # Skipped: by the offset before the jump this is after it, by the one after the jump before it.
    before = local.replace(tzinfo=zone, fold=1, microsecond=0).astimezone(UTC)
    old = before.astimezone(zone).utcoffset()
    jump = bisect_left(
        range((after - before) // _SECOND),
        x=True,
        key=lambda s: (before + s * _SECOND).astimezone(zone).utcoffset() != old,
    )
    return before + jump * _SECOND


def _date(value: object) -> object:
    expected = f'expected a date such as "2026-11-02", in the years {YEARS[0]} to {YEARS[-1]}'
    if isinstance(value, str):
        try:
            value = date.fromisoformat(value)
        except ValueError as exc:
            raise ValueError(expected) from exc
    # A datetime is a date to Python.
    if not isinstance(value, date) or isinstance(value, datetime) or value.year not in YEARS:
        raise ValueError(expected)
    return value


def _moment(value: object) -> object:
    """Read a time of a day; a date alone is its midnight."""
    expected = f'expected a time such as "2026-12-01T09:00", in the years {YEARS[0]} to {YEARS[-1]}'
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError as exc:
            raise ValueError(expected) from exc
    elif isinstance(value, date) and not isinstance(value, datetime):
        value = datetime.combine(value, time())
    if not isinstance(value, datetime) or value.year not in YEARS:
        raise ValueError(expected)
    return value


def _wall_clock(value: object) -> object:
    """Return "HH:MM". No number: 1030 may be half past ten, or YAML 1.1's reading of 17:10."""
    if isinstance(value, time):
        value = value.isoformat().removesuffix(":00")
    if not isinstance(value, str) or not re.fullmatch("([01][0-9]|2[0-3]):[0-5][0-9]", value):
        msg = 'expected a time of day in quotes, such as "09:00"'
        raise ValueError(msg)
    return value


def _someone(value: tuple[str, ...]) -> tuple[str, ...]:
    if not value:
        msg = "expected at least one responder"
        raise ValueError(msg)
    return value


def _url(value: str) -> str:
    if not re.fullmatch(r"https?://[^\s/]+(/\S*)?", value):
        msg = "expected an http or https address (for webcal:// write https://)"
        raise ValueError(msg)
    return value


def _refuse(found: Iterable[tuple[tuple[str | int, ...], str]]) -> None:
    """Raise one error that names every wrong field, as (path, what was expected)."""
    errors = [
        InitErrorDetails(
            type=PydanticCustomError("schedule", "{expected}", {"expected": expected}),
            loc=path,
            input=None,
        )
        for path, expected in found
    ]
    if errors:
        raise ValidationError.from_exception_data("Schedule", errors)


class _Written(Strict):
    """`from` is a word of Python, so that field has another name in code."""

    model_config = ConfigDict(serialize_by_alias=True)


class Rotation(_Written):
    """Who follows whom. The first shift begins on `first_day`, or on the first `on` after it."""

    every: Literal["day", "week"]
    shifts: Count = Field(1, ge=1, le=100)  # how many days or weeks one shift lasts
    on: Weekday | None = None
    at: Annotated[str, BeforeValidator(_wall_clock)]
    first_day: Annotated[date, BeforeValidator(_date)] = Field(alias="from")
    responders: Annotated[tuple[Identifier, ...], Field(max_length=200), AfterValidator(_someone)]

    @model_validator(mode="after")
    def _weekday_of_weeks(self) -> Self:
        if self.every == "day" and self.on is not None:
            _refuse([(("on",), 'only where every is "week"; leave it out')])
        return self

    @property
    def period(self) -> timedelta:
        """How long one shift lasts on the calendar; in hours, a clock change may differ."""
        return timedelta(days=_DAYS[self.every] * self.shifts)

    @property
    def first(self) -> datetime:
        """The wall clock's time of the first hand-over."""
        ahead = 0 if self.on is None else (WEEKDAYS.index(self.on) - self.first_day.weekday()) % 7
        day = self.first_day + timedelta(days=ahead)
        return datetime.combine(day, time.fromisoformat(self.at))


class Override(_Written):
    """A time that someone else has, or nobody (`responder` null or left out: TOML has no null)."""

    begins: Annotated[datetime, BeforeValidator(_moment)] = Field(alias="from")
    until: Annotated[datetime, BeforeValidator(_moment)]
    responder: Identifier | None = None


@dataclass(frozen=True, slots=True)
class Shift:
    """Who has a time, from `begins` to before `ends` (UTC); None: nobody."""

    begins: datetime
    ends: datetime
    who: str | None


class Schedule(_Written):
    """Who is on call when: by a rotation or an iCalendar feed, and the overrides to it."""

    name: Name
    timezone: Timezone
    rotation: Rotation | None = None
    url: Annotated[str, Field(max_length=2048), AfterValidator(_url)] | None = None
    overrides: tuple[Override, ...] = Field((), max_length=1000)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        _refuse(chain(self._wrong_sources(), self._wrong_overrides()))
        return self

    def _wrong_sources(self) -> Iterator[tuple[tuple[str | int, ...], str]]:
        if self.rotation is None and self.url is None:
            yield ("rotation",), "missing; expected a rotation or the url of an iCalendar feed"
        if self.rotation is not None and self.url is not None:
            yield ("url",), "expected either a rotation or a url, not both"

    def _wrong_overrides(self) -> Iterator[tuple[tuple[str | int, ...], str]]:
        shifts = self._overrides_as_written
        last: int | None = None  # of those seen, the one that ends last
        for i in sorted(range(len(shifts)), key=lambda i: shifts[i].begins):
            if shifts[i].ends <= shifts[i].begins:
                yield ("overrides", i, "until"), "expected a time after from"
                continue
            if last is not None and shifts[i].begins < shifts[last].ends:
                earlier, later = sorted((i, last))
                yield ("overrides", later, "from"), f"overlaps with overrides.{earlier}"
            if last is None or shifts[i].ends > shifts[last].ends:
                last = i

    @property
    def _overrides_as_written(self) -> list[Shift]:
        return [
            Shift(instant(one.begins, self.zone), instant(one.until, self.zone), one.responder)
            for one in self.overrides
        ]

    @cached_property
    def override_shifts(self) -> tuple[Shift, ...]:
        """The overrides, oldest first; none overlap."""
        return tuple(sorted(self._overrides_as_written, key=lambda shift: shift.begins))

    @property
    def zone(self) -> ZoneInfo:
        """Where its wall clock hangs."""
        return ZoneInfo(self.timezone)

    @property
    def responders(self) -> tuple[str, ...]:
        """Ids of everyone whom it names itself, each once; a feed's people are not known here."""
        rotation = self.rotation.responders if self.rotation else ()
        swaps = (one.responder for one in self.overrides if one.responder is not None)
        return tuple(dict.fromkeys((*rotation, *swaps)))
