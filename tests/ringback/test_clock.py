"""The system's clock, driven: nothing here waits."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from freezegun import freeze_time
from freezegun.api import FrozenDateTimeFactory

from ringback import clock
from ringback.clock import SystemClock

START = datetime(2026, 11, 25, 3, 0, tzinfo=UTC)


@pytest.fixture
def frozen() -> Iterator[FrozenDateTimeFactory]:
    """The system's time, standing still at three in the morning."""
    with freeze_time(START, real_asyncio=True) as factory:
        yield factory


def slept(
    frozen: FrozenDateTimeFactory, monkeypatch: pytest.MonkeyPatch, until: datetime, jump_s: float
) -> list[float]:
    """Sleep until then, a first sleep moving the clock by `jump_s` more; return all sleeps."""
    sleeps: list[float] = []

    async def sleep(seconds: float) -> None:
        frozen.tick(seconds + (jump_s if not sleeps else 0.0))
        sleeps.append(seconds)

    monkeypatch.setattr(clock.asyncio, "sleep", sleep)
    asyncio.run(SystemClock().sleep_until(until))
    return sleeps


def test_now_is_aware_and_in_utc(frozen: FrozenDateTimeFactory) -> None:
    assert SystemClock().now() == START
    assert SystemClock().now().tzinfo is UTC


def test_a_time_that_has_passed_is_not_waited_for(
    frozen: FrozenDateTimeFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert slept(frozen, monkeypatch, START - timedelta(seconds=1), 0.0) == []


def test_a_long_wait_ends_on_time(
    frozen: FrozenDateTimeFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    slept(frozen, monkeypatch, START + timedelta(seconds=150), 0.0)
    assert SystemClock().now() == START + timedelta(seconds=150)


def test_a_clock_that_is_set_forward_is_noticed_within_a_minute(
    frozen: FrozenDateTimeFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What fell due in the hour that was skipped is done now, not an hour later."""
    assert slept(frozen, monkeypatch, START + timedelta(hours=1), 3600.0) == [60.0]
