"""Drills: a real message by the real way, marked as a test, about no incident."""

from paging.errors import ConflictError, InvalidError, NotFoundError
from paging.people import CONTACT_OF, Channel
from paging.requests import channel_of
from paging.store import attempts, people
from paging.work import Work, new_attempt

_TITLES: dict[Channel, dict[str, str]] = {
    "voice": {"zh-CN": "这是一次测试呼叫", "en": "This is a test call"},
    "sms": {"zh-CN": "测试短信", "en": "test message"},
    "email": {"zh-CN": "这是一封测试邮件", "en": "This is a test mail"},
}
_CONTACTS = {"phone": "phone number", "email": "email address"}


def begin(work: Work, responder: str, asked: str, provider: str | None) -> str:
    """Send a test, by this provider or by the first that serves the address; return its id."""
    channel = channel_of(asked)
    person = people.responders(work.conn, [responder]).get(responder)
    if person is None:
        raise NotFoundError(f"no responder {responder!r}")
    address = person.contact(channel)
    if address is None:
        contact = _CONTACTS[CONTACT_OF[channel]]
        raise InvalidError("channel", f"responder {responder!r} has no {contact}")
    serving = work.rules.serving(channel, address, "test")
    if provider is not None and provider not in serving:
        known = ", ".join(serving) or "none"
        raise InvalidError("provider", f"expected one that serves this address: {known}")
    if not serving:
        raise InvalidError("channel", f"no provider of {channel} serves this responder")
    if channel == "voice" and attempts.open_lines(work.conn, [address]):
        raise ConflictError("this responder is in another call of ours; try again later")
    attempt = new_attempt(
        responder,
        (channel, address),
        provider or serving[0],
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
