"""Proving that a contact is somebody's: a code is sent there, and comes back."""

import hmac
import secrets
from datetime import timedelta
from typing import Any

from paging.errors import ConflictError, InvalidError, NotFoundError
from paging.people import CONTACT_OF, Channel, Person
from paging.requests import channel_of
from paging.store import attempts, contacts, people
from paging.store.views import moment
from paging.work import Work, new_attempt

VALID_FOR = timedelta(minutes=10)
TRIES = 5
AGAIN_AFTER = timedelta(seconds=60)
SENT_IN_AN_HOUR = 5
_HOUR = timedelta(hours=1)


_NAMES = {"phone": "phone number", "email": "email address"}


def contact_of(work: Work, responder: str, asked: str) -> tuple[Person, Channel, str]:
    """Return who it is, the channel that was asked for, and the address that it uses.

    Raises NotFoundError, or InvalidError naming the channel.
    """
    channel = channel_of(asked)
    person = people.responders(work.conn, [responder]).get(responder)
    if person is None:
        raise NotFoundError(f"no responder {responder!r}")
    address = person.contact(channel)
    if address is None:
        raise InvalidError(
            "channel", f"responder {responder!r} has no {_NAMES[CONTACT_OF[channel]]}"
        )
    return person, channel, address


def refuse_busy_line(work: Work, channel: Channel, address: str) -> None:
    """Raise ConflictError where this would be a second call at once to one person."""
    if channel == "voice" and attempts.open_lines(work.conn, [address]):
        raise ConflictError("this responder is in another call of ours; try again later")


def send_code(work: Work, responder: str, asked: str) -> str:
    """Send a new code in place of the one before; return the attempt's id.

    Raises NotFoundError, InvalidError naming the channel, or ConflictError: too many were sent.
    """
    person, channel, address = contact_of(work, responder, asked)
    kind = CONTACT_OF[channel]
    serving = work.rules.serving(channel, address, "code")
    if not serving:
        raise InvalidError("channel", f"no provider of {channel} can send this responder a code")
    refuse_busy_line(work, channel, address)
    count, since = _counted(work, responder, kind)
    code = f"{secrets.randbelow(10**6):06}"
    row: dict[str, Any] = {
        "address": address,
        "digest": _digest(work, responder, address, code),
        "expires_at": work.now + VALID_FOR,
        "tries_left": TRIES,
        "sent_at": work.now,
        "sent": count + 1,
        "since": since,
    }
    contacts.put_code(work.conn, responder, kind, row)
    to = (channel, address)
    provider = work.choose(channel, serving)
    attempt = new_attempt(responder, to, provider, person.locale, work.now, purpose="code")
    attempts.insert_attempt(work.conn, attempt)
    work.submit(
        attempt,
        {
            "code": code,
            "minutes": str(VALID_FOR // timedelta(minutes=1)),
            "responder": person.name,
            "number": "0",
        },
    )
    return attempt.id


def confirm_code(work: Work, responder: str, channel: str, code: str) -> InvalidError | None:
    """Note the contact as proved, or return what is wrong: a refused try is committed as well."""
    _, known, address = contact_of(work, responder, channel)
    kind = CONTACT_OF[known]
    sent = contacts.sent_code(work.conn, responder, kind)
    if sent is None or sent["digest"] is None or sent["address"] != address:
        return InvalidError("code", "expected a code that was sent; ask for a new one")
    if sent["expires_at"] <= work.now:
        return InvalidError("code", "this code has expired; ask for a new one")
    if not hmac.compare_digest(sent["digest"], _digest(work, responder, address, code)):
        left = sent["tries_left"] - 1
        contacts.spend_try(work.conn, responder, kind, last=left < 1)
        more = f"tries left: {left}" if left else "ask for a new one"
        return InvalidError("code", f"not the code that was sent; {more}")
    contacts.verify(work.conn, responder, kind, address, work.now)
    return None


def _counted(work: Work, responder: str, kind: str) -> tuple[int, Any]:
    """Return how many codes were sent within the present hour, and when that began."""
    before = contacts.sent_code(work.conn, responder, kind)
    if before is None:
        return 0, work.now
    if work.now < before["sent_at"] + AGAIN_AFTER:
        at = moment(before["sent_at"] + AGAIN_AFTER)
        raise ConflictError(f"a code was sent just now; the next one may be asked for at {at}")
    if work.now >= before["since"] + _HOUR:
        return 0, work.now
    if before["sent"] >= SENT_IN_AN_HOUR:
        at = moment(before["since"] + _HOUR)
        raise ConflictError(f"too many codes were sent; the next one may be asked for at {at}")
    return before["sent"], before["since"]


def _digest(work: Work, responder: str, address: str, code: str) -> str:
    said = f"{responder}\0{address}\0{code}".encode()
    return hmac.digest(work.rules.secret, said, "sha256").hex()
