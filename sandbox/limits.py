"""How often one number may be called or texted, as the carriers count it.

Calls, Alibaba: 1 a minute, 5 an hour, 20 in 24 hours, and two within one second from one caller
number block each other (API page SingleCallByTts; Voice notification FAQ). Tencent: 1 in 30 s, 2 in
10 minutes, 3 a day, one between 22:00 and 08:00 (语音消息 常见问题, 2025-08). Failed calls count; a
window starts at its first call.

Texts, Alibaba (短信发送规则): 50 in 24 hours of one notification; codes 1 a minute, 5 an hour, 10 a
day, minute and hour by the clock. Tencent (短信默认频率限制): the same content 1 in 30 s; 10 a day.
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone

CHINA = timezone(timedelta(hours=8))
NIGHT = {"tencent": (22, 8)}
NIGHT_CALLS = 1
TOGETHER_S = 1.0


@dataclass(frozen=True, slots=True)
class Rule:
    """At most so many in a window, which starts at its first or, `by_the_clock`, at a full one."""

    most: int
    length_s: float
    name: str = ""
    by_the_clock: bool = False


CALLS = {
    "alibaba": (Rule(1, 60.0), Rule(5, 3600.0), Rule(20, 86_400.0)),
    "tencent": (Rule(1, 30.0), Rule(2, 600.0), Rule(3, 86_400.0)),
}
ALIBABA_NOTICES = (Rule(50, 86_400.0, "天级"),)
ALIBABA_CODES = (
    Rule(1, 60.0, "分钟级", by_the_clock=True),
    Rule(5, 3600.0, "小时级", by_the_clock=True),
    Rule(10, 86_400.0, "天级"),
)
TENCENT_CONTENT = Rule(1, 30.0, "LimitExceeded.PhoneNumberThirtySecondLimit")
TENCENT_DAY = Rule(10, 86_400.0, "LimitExceeded.PhoneNumberDailyLimit")


@dataclass(slots=True)
class Limits:
    """What was called and texted when."""

    windows: dict[tuple[Hashable, Rule], tuple[float, int]] = field(
        default_factory=dict[tuple[Hashable, Rule], tuple[float, int]]
    )
    nights: dict[tuple[str, str, str], int] = field(default_factory=dict[tuple[str, str, str], int])
    last: dict[tuple[str, str], float] = field(default_factory=dict[tuple[str, str], float])

    def are_together(self, caller: str, number: str, now: float) -> bool:
        """Remember this request to Alibaba; say whether another was made within one second."""
        previous = self.last.get((caller, number))
        self.last[caller, number] = now
        return previous is not None and now - previous < TOGETHER_S

    def broken(self, rules: Sequence[tuple[Hashable, Rule]], now: float) -> Rule | None:
        """Count one more for each of these, unless it breaks a rule; return that rule."""
        counted: dict[tuple[Hashable, Rule], tuple[float, int]] = {}
        for key, rule in rules:
            start = now - now % rule.length_s if rule.by_the_clock else now
            began, count = self.windows.get((key, rule), (start, 0))
            if now - began >= rule.length_s:
                began, count = start, 0
            if count >= rule.most:
                return rule
            counted[key, rule] = (began, count + 1)
        self.windows |= counted
        return None

    def reached(self, carrier: str, number: str, now: float) -> str | None:
        """Count this call, unless it breaks a rule; return that rule."""
        night = (carrier, number, self._night(carrier, now))
        if night[2] and self.nights.get(night, 0) >= NIGHT_CALLS:
            return f"{NIGHT_CALLS} at night"
        rules = [(("call", carrier, number), rule) for rule in CALLS[carrier]]
        if rule := self.broken(rules, now):
            return f"{rule.most} in {rule.length_s:.0f} s"
        if night[2]:
            self.nights[night] = self.nights.get(night, 0) + 1
        return None

    def _night(self, carrier: str, now: float) -> str:
        """Return the night's name, that of the evening it began; empty by day."""
        if carrier not in NIGHT:
            return ""
        start, end = NIGHT[carrier]
        local = datetime.fromtimestamp(now, CHINA)
        if end <= local.hour < start:
            return ""
        evening = local if local.hour >= start else local - timedelta(days=1)
        return evening.strftime("%Y-%m-%d")
