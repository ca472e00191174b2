"""The system's clock."""

import asyncio
from datetime import UTC, datetime


class SystemClock:
    """Satisfies `paging.ports.Clock`."""

    def now(self) -> datetime:
        """Return the time, aware UTC."""
        return datetime.now(UTC)

    async def sleep_until(self, at: datetime) -> None:
        """Return when `now()` has reached `at`, also after the system's clock was set."""
        while self.now() < at:  # noqa: ASYNC110 - time itself has no event
            # In parts: a clock that jumps is noticed within one of them.
            await asyncio.sleep(max(0.0, min((at - self.now()).total_seconds(), 60.0)))
