"""Sleeping until a time, unless woken before."""

import asyncio
from datetime import datetime

from paging.ports import Clock


async def woken_or(wake: asyncio.Event, clock: Clock, at: datetime) -> None:
    """Return when `wake` is set or the clock has reached `at`, whichever is first."""
    waits = [asyncio.ensure_future(wake.wait()), asyncio.ensure_future(clock.sleep_until(at))]
    try:
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()
