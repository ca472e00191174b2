"""The sandbox's own time: it runs as fast as it is told, and jumps when it is told.

Nothing polls: one timer of the event loop waits for the next thing that is due.
"""

import asyncio
import heapq
import itertools
import time
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(order=True)
class Timer:
    """Something that happens at a time (seconds since 1970, sandbox time) unless cancelled."""

    at: float
    turn: int
    do: Callable[[], None] | None = field(compare=False)

    def cancel(self) -> None:
        """Let it not happen."""
        self.do = None


class VirtualClock:
    """Belongs to one event loop; timers fire in order, each at its own time."""

    def __init__(self) -> None:
        self.speed = 1.0
        self._virtual = time.time()
        self._real = time.monotonic()
        self._timers: list[Timer] = []
        self._turns = itertools.count()
        self._waiting: asyncio.TimerHandle | None = None

    def now(self) -> float:
        """Return the sandbox's time, seconds since 1970."""
        return self._virtual + (time.monotonic() - self._real) * self.speed

    def later(self, seconds: float, do: Callable[[], None]) -> Timer:
        """Have something done in this many seconds of sandbox time."""
        timer = Timer(self.now() + seconds, next(self._turns), do)
        heapq.heappush(self._timers, timer)
        self._arm()
        return timer

    def next_at(self) -> float | None:
        """Return when the next thing is due, None when nothing is."""
        self._drop_cancelled()
        return self._timers[0].at if self._timers else None

    def set_speed(self, speed: float) -> None:
        """Run this many times as fast as the real time, from now on."""
        self._set(self.now())
        self.speed = speed
        self._arm()

    def _set(self, virtual: float) -> None:
        self._virtual, self._real = virtual, time.monotonic()

    def run_until(self, end: float) -> None:
        """Jump to this time, doing in order what falls due by then."""
        while self._timers and self._timers[0].at <= end:
            timer = heapq.heappop(self._timers)
            do, timer.do = timer.do, None
            if do is not None:
                if timer.at > self.now():
                    self._set(timer.at)
                do()
        if end > self.now():
            self._set(end)
        self._arm()

    def _arm(self) -> None:
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None
        self._drop_cancelled()
        if self._timers:
            wait = max(0.0, self._timers[0].at - self.now()) / self.speed
            self._waiting = asyncio.get_running_loop().call_later(wait, self._due)

    def _due(self) -> None:
        self._waiting = None
        self.run_until(self.now())

    def _drop_cancelled(self) -> None:
        while self._timers and self._timers[0].do is None:
            heapq.heappop(self._timers)
