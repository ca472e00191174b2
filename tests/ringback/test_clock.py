"""The system's clock, driven: nothing here waits.

The time is put in place in the clock's own module alone. A freeze of the whole process would also
stop the event loops of sandboxes that other tests keep in threads of it.
"""

import asyncio
from datetime import UTC, datetime, timedelta, tzinfo

import pytest

from ringback import clock
from ringback.clock import SystemClock

START = datetime(2026, 11, 25, 3, 0, tzinfo=UTC)


class Time:
    """The system's time as `datetime` and `asyncio` give it; it moves by being slept in alone."""

    def __init__(self) -> None:
        self.at = START
        self.jump = timedelta()  # made by the first sleep: somebody sets the clock
        self.sleeps: list[float] = []

    def now(self, zone: tzinfo) -> datetime:
        return self.at.astimezone(zone)

    async def sleep(self, seconds: float) -> None:
        self.sleeps.append(seconds)
        self.at += timedelta(seconds=seconds) + self.jump
        self.jump = timedelta()


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> Time:
    """Three in the morning, standing still."""
    driven = Time()
    monkeypatch.setattr(clock, "datetime", driven)
    monkeypatch.setattr(clock, "asyncio", driven)
    return driven


def test_now_is_aware_and_in_utc(time: Time) -> None:
    assert SystemClock().now() == START
    assert SystemClock().now().tzinfo is UTC


def test_a_time_that_has_passed_is_not_waited_for(time: Time) -> None:
    asyncio.run(SystemClock().sleep_until(START - timedelta(seconds=1)))
    assert time.sleeps == []


def test_a_long_wait_ends_on_time(time: Time) -> None:
    asyncio.run(SystemClock().sleep_until(START + timedelta(seconds=150)))
    assert time.at == START + timedelta(seconds=150)


def test_a_clock_that_is_set_forward_is_noticed_within_a_minute(time: Time) -> None:
    """What fell due in the hour that was skipped is done now, not an hour later."""
    time.jump = timedelta(hours=1)
    asyncio.run(SystemClock().sleep_until(START + timedelta(hours=1)))
    assert time.sleeps == [60.0]
