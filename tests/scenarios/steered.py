"""`ringback serve` on a clock that a test moves: `python -m tests.scenarios.steered CONFIG CLOCK`.

CLOCK is a file of one double, the seconds by which this service is ahead of the system's clock.
"""

import asyncio
import mmap
import os
import struct
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from ringback import logs, settings, wiring

_LOOK_S = 0.005  # how often a moved clock is noticed


class FileClock:
    """Satisfies `paging.ports.Clock`."""

    def __init__(self, path: Path) -> None:
        with path.open("r+b") as file:
            self._ahead = mmap.mmap(file.fileno(), 8)

    def now(self) -> datetime:
        """The system's time and what the test added."""
        (ahead,) = struct.unpack("d", self._ahead[:8])
        return datetime.now(UTC) + timedelta(seconds=ahead)

    async def sleep_until(self, at: datetime) -> None:
        """Look often: the test moves the clock without telling."""
        while self.now() < at:  # noqa: ASYNC110 - the test cannot signal another process
            await asyncio.sleep(_LOOK_S)


if __name__ == "__main__":
    logs.configure()
    known = settings.load(Path(sys.argv[1]), os.environ)
    wiring.serve(known, FileClock(Path(sys.argv[2])))
