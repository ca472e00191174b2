"""What the domain needs of others. Adapters satisfy these; `ringback/` hands them over."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol

from paging.events import CallEvent

Purpose = Literal["page", "test"]


class Clock(Protocol):
    """The only source of `now`; tests drive it."""

    def now(self) -> datetime:
        """Return the time, aware UTC."""
        ...

    async def sleep_until(self, at: datetime) -> None:
        """Return when `now()` has reached `at`."""
        ...


@dataclass(frozen=True, slots=True)
class CallRequest:
    """One call to be placed: what to say, not how a provider says it.

    `to`: E.164. `ref`: at most 15 bytes, echoed by the provider where it can. `fields`: the values
    that templates may name: title, severity, count, number, responder, code, details.
    """

    ref: str
    to: str
    locale: Literal["zh-CN", "en"]
    purpose: Purpose
    fields: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Placed:
    """The provider took the call.

    `text`: what will be read out; `silence_s`: how long without any sign of life is still normal
    for this call, ringing and listening included.
    """

    provider_id: str
    text: str
    silence_s: float


class VoiceProvider(Protocol):
    """A voice provider as the engine uses it."""

    name: str

    def serves(self, number: str) -> bool:
        """Say whether this E.164 number can be called by this provider."""
        ...

    async def place_call(
        self, call: CallRequest, *, still_wanted: Callable[[], bool]
    ) -> Placed | None:
        """Place one call, or return None when `still_wanted`, asked last thing, says no.

        Never blocks the event loop; raises DeliveryError, and nothing else, within its deadline.
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

    events: Sequence[CallEvent]
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

    def record(self, provider: str, events: Sequence[CallEvent]) -> Awaitable[None]:
        """Return once the events and all their effects are committed."""
        ...
