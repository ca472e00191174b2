"""What the domain needs of others. Adapters satisfy these; `ringback/` hands them over."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol
from zoneinfo import ZoneInfo

from paging.events import Event
from paging.oncall import FeedEvent
from paging.people import Locale

# "page" also for drills: they are the real message by the real way.
Purpose = Literal["page", "test", "code", "notice"]


class Clock(Protocol):
    """The only source of `now`; tests drive it."""

    def now(self) -> datetime:
        """Return the time, aware UTC."""
        ...

    async def sleep_until(self, at: datetime) -> None:
        """Return when `now()` has reached `at`."""
        ...


@dataclass(frozen=True, slots=True)
class Message:
    """One message to be sent: what to say, not how a provider says it.

    `to`: E.164, or a mail address. `ref`: at most 15 bytes, echoed by the provider where it can.
    `fields`: the values that templates may name: title, severity, count, number, responder, code,
    details; for mail and chat also link. `thread`: the same for all messages about one incident.
    """

    ref: str
    to: str
    locale: Locale
    purpose: Purpose
    fields: Mapping[str, str]
    thread: str | None = None


@dataclass(frozen=True, slots=True)
class Sent:
    """The provider took the message.

    `text`: what will be read out or was written; `silence_s`: how long without any sign of life is
    still normal for a call, ringing and listening included. None: receipts come, but the
    installation's setting decides how long that may take; 0: there are no receipts.
    """

    provider_id: str
    text: str
    silence_s: float | None = None


class Provider(Protocol):
    """One provider of one channel as the engine uses it. `purposes`: what it has a text for."""

    name: str
    purposes: frozenset[Purpose]

    def serves(self, address: str) -> bool:
        """Say whether this address can be reached by this provider."""
        ...

    async def send(self, message: Message, *, still_wanted: Callable[[], bool]) -> Sent | None:
        """Send one message, or return None when `still_wanted`, asked last thing, says no.

        Never blocks the event loop; raises DeliveryError, and nothing else, within its deadline.
        """
        ...


class Links(Protocol):
    """Addresses that need no login: whoever holds one may use it."""

    def acknowledge(self, number: int, responder: str, at: datetime) -> str:
        """Return where this responder acknowledges this incident, made at this time."""
        ...

    def callers(self, at: datetime) -> str:
        """Return where the numbers that may call can be had."""
        ...


class Calendars(Protocol):
    """Where the calendars behind schedules are read."""

    async def read(
        self, url: str, since: datetime, until: datetime, *, zone: ZoneInfo
    ) -> Sequence[FeedEvent]:
        """Return what a calendar says of this time. Raises CalendarError.

        `zone`: of whole days, and of times without one. Never blocks the event loop for long.
        """
        ...


@dataclass(frozen=True, slots=True)
class Callback:
    """A callback as it came: no framework's request."""

    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    query: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class Reading:
    """What a callback said. `skipped`: items in it that could not be read."""

    events: Sequence[Event]
    skipped: int = 0


class CallbackReader(Protocol):
    """The receiving half of an adapter. No I/O, so that a recorded body is a complete test."""

    name: str
    accepted: bytes  # the JSON body by which the provider knows that it need not push again

    def read_callback(self, callback: Callback) -> Reading:
        """Translate. Raises CallbackMalformedError when the body as a whole cannot be read."""
        ...


class ReceiptSink(Protocol):
    """Where the callback edge puts what it read."""

    def record(self, provider: str, events: Sequence[Event]) -> Awaitable[None]:
        """Return once the events and all their effects are committed."""
        ...
