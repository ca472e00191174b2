"""How often one number may be called, as the carriers count it.

Alibaba: 1 a minute, 5 an hour, 20 in 24 hours, and two within one second from one caller number
block each other (API page SingleCallByTts; Voice notification FAQ). Tencent: 1 in 30 s, 2 in 10
minutes, 3 a day, one between 22:00 and 08:00 (语音消息 常见问题, 2025-08). Failed calls count; a
window starts at its first call.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone

CHINA = timezone(timedelta(hours=8))
WINDOWS = {
    "alibaba": ((60.0, 1), (3600.0, 5), (86_400.0, 20)),
    "tencent": ((30.0, 1), (600.0, 2), (86_400.0, 3)),
}
NIGHT = {"tencent": (22, 8)}
NIGHT_CALLS = 1
TOGETHER_S = 1.0


@dataclass(slots=True)
class Limits:
    """What was called when."""

    windows: dict[tuple[str, str, float], tuple[float, int]] = field(
        default_factory=dict[tuple[str, str, float], tuple[float, int]]
    )
    nights: dict[tuple[str, str, str], int] = field(default_factory=dict[tuple[str, str, str], int])
    last: dict[tuple[str, str], float] = field(default_factory=dict[tuple[str, str], float])

    def are_together(self, caller: str, number: str, now: float) -> bool:
        """Remember this request to Alibaba; say whether another was made within one second."""
        previous = self.last.get((caller, number))
        self.last[caller, number] = now
        return previous is not None and now - previous < TOGETHER_S

    def reached(self, carrier: str, number: str, now: float) -> str | None:
        """Count this request, unless it breaks a rule; return that rule."""
        key = (carrier, number)
        counted: dict[float, tuple[float, int]] = {}
        for length, most in WINDOWS[carrier]:
            began, count = self.windows.get((*key, length), (now, 0))
            if now - began >= length:
                began, count = now, 0
            if count >= most:
                return f"{most} in {length:.0f} s"
            counted[length] = (began, count + 1)
        if carrier in NIGHT and self._night(carrier, now):
            night = (*key, self._night(carrier, now))
            if self.nights.get(night, 0) >= NIGHT_CALLS:
                return f"{NIGHT_CALLS} at night"
            self.nights[night] = self.nights.get(night, 0) + 1
        for length, window in counted.items():
            self.windows[*key, length] = window
        return None

    def _night(self, carrier: str, now: float) -> str:
        """Return the night's name, that of the evening it began; empty by day."""
        start, end = NIGHT[carrier]
        local = datetime.fromtimestamp(now, CHINA)
        if end <= local.hour < start:
            return ""
        evening = local if local.hour >= start else local - timedelta(days=1)
        return evening.strftime("%Y-%m-%d")
