"""What a provider reports about a call or a message, in our words.

Adapters translate callbacks into these; nothing downstream knows a carrier's field names.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, get_args

from pydantic import TypeAdapter

from paging.errors import Row


@dataclass(frozen=True, slots=True)
class Receipt:
    """What ties an event to its attempt and tells a repeat from news.

    `key`: unique for this event of this provider; a repeated push carries the same. `ref` is ours
    as echoed, `provider_id` the provider's own, at least one is there. `address`: the callee as
    E.164. `at`: aware UTC, when the provider says it happened, else None. `caller`: the number that
    the callee saw, as the provider writes it. Ids and addresses mean something within `channel`.
    """

    provider: str
    key: str
    ref: str | None = None
    provider_id: str | None = None
    address: str | None = None
    at: datetime | None = None
    caller: str | None = None
    channel: Literal["voice", "sms"] = "voice"


@dataclass(frozen=True, slots=True)
class CallRinging:
    """The callee's phone rings."""

    receipt: Receipt


@dataclass(frozen=True, slots=True)
class CallAnswered:
    """Somebody, or a voicemail, answered."""

    receipt: Receipt


@dataclass(frozen=True, slots=True)
class DigitsPressed:
    """Keys of the callee, in order. `final`: all keys of the call, not only new ones."""

    receipt: Receipt
    digits: str
    final: bool = False


@dataclass(frozen=True, slots=True)
class CallEnded:
    """An answered call is over; keys, if any, came as DigitsPressed before it."""

    receipt: Receipt
    outcome: Literal["completed", "hung_up", "no_key"]
    code: str


@dataclass(frozen=True, slots=True)
class CallFailed:
    """The call reached nobody. `text` is the provider's reason, free of numbers and messages."""

    receipt: Receipt
    code: str
    row: Row
    text: str = ""


@dataclass(frozen=True, slots=True)
class CallNoted:
    """Something the provider says that moves nothing (dialling, a status with no word of ours)."""

    receipt: Receipt
    code: str


@dataclass(frozen=True, slots=True)
class MessageDelivered:
    """A text reached the phone."""

    receipt: Receipt


@dataclass(frozen=True, slots=True)
class MessageFailed:
    """A text did not reach the phone. `text` as for CallFailed."""

    receipt: Receipt
    code: str
    row: Row
    text: str = ""


@dataclass(frozen=True, slots=True)
class ReplyReceived:
    """Somebody answered a text. `receipt.address`: who; `receipt.caller`: the number answered to.

    Carriers tie it to no message of ours.
    """

    receipt: Receipt
    text: str


CallEvent = CallRinging | CallAnswered | DigitsPressed | CallEnded | CallFailed | CallNoted
Event = CallEvent | MessageDelivered | MessageFailed | ReplyReceived

_FORMS: dict[str, TypeAdapter[Event]] = {
    form.__name__: TypeAdapter(form) for form in get_args(Event)
}


def dump(event: Event) -> dict[str, Any]:
    """Return the event as JSON values, for the inbox."""
    name = type(event).__name__
    return {"type": name, "event": _FORMS[name].dump_python(event, mode="json")}


def load(stored: dict[str, Any]) -> Event:
    """Return what `dump` was given."""
    return _FORMS[stored["type"]].validate_python(stored["event"], strict=False)
