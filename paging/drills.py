"""Drills: a real call by the real way, marked as a test, about no incident."""

from paging.errors import ConflictError, InvalidError, NotFoundError
from paging.store import attempts, people
from paging.work import Work, new_attempt

_TITLES = {"zh-CN": "这是一次测试呼叫", "en": "This is a test call"}


def begin(work: Work, responder: str, channel: str, provider: str | None) -> str:
    """Place a test call, by this provider or by the first that serves the number; return its id."""
    if channel != "voice":
        raise InvalidError("channel", "expected one of: voice")
    person = people.responders(work.conn, [responder]).get(responder)
    if person is None:
        raise NotFoundError(f"no responder {responder!r}")
    if person.phone is None:
        raise InvalidError("channel", f"responder {responder!r} has no phone number")
    serving = [name for name, serves in work.rules.voice.items() if serves(person.phone)]
    if provider is not None and provider not in serving:
        known = ", ".join(serving) or "none"
        raise InvalidError("provider", f"expected one that serves this number: {known}")
    if not serving:
        raise InvalidError("channel", "no provider serves this responder's number")
    if attempts.open_lines(work.conn, [person.phone]):
        raise ConflictError("this responder is in another call of ours; try again later")
    attempt = new_attempt(
        responder, person.phone, provider or serving[0], person.locale, work.now, purpose="test"
    )
    attempts.insert_attempt(work.conn, attempt)
    fields = {
        "title": _TITLES[person.locale],
        "severity": "info",
        "count": "1",
        "number": "0",
        "responder": person.name,
    }
    work.submit(attempt, fields)
    return attempt.id
