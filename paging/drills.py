"""Drills: a real message by the real way, marked as a test, about no incident."""

from paging.contacts import contact_of, refuse_busy_line
from paging.errors import InvalidError
from paging.people import Channel
from paging.store import attempts
from paging.work import Work, new_attempt

_TITLES: dict[Channel, dict[str, str]] = {
    "voice": {"zh-CN": "这是一次测试呼叫", "en": "This is a test call"},
    "sms": {"zh-CN": "测试短信", "en": "test message"},
    "email": {"zh-CN": "这是一封测试邮件", "en": "This is a test mail"},
}


def begin(work: Work, responder: str, asked: str, provider: str | None) -> str:
    """Send a test, by this provider or by the first that serves the address; return its id."""
    person, channel, address = contact_of(work, responder, asked)
    serving = work.rules.serving(channel, address, "test")
    if provider is not None and provider not in serving:
        known = ", ".join(serving) or "none"
        raise InvalidError("provider", f"expected one that serves this address: {known}")
    if not serving:
        raise InvalidError("channel", f"no provider of {channel} serves this responder")
    refuse_busy_line(work, channel, address)
    attempt = new_attempt(
        responder,
        (channel, address),
        provider or work.choose(channel, serving),
        person.locale,
        work.now,
        purpose="test",
    )
    attempts.insert_attempt(work.conn, attempt)
    fields = {
        "title": _TITLES[channel][person.locale],
        "severity": "info",
        "count": "1",
        "number": "0",
        "responder": person.name,
        "code": "0",
        "details": "",
    }
    work.submit(attempt, fields)
    return attempt.id
