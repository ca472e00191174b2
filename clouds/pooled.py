"""An adapter as the engine uses it: in bounded threads, within a deadline."""

from collections.abc import Callable
from typing import Protocol

from clouds.threads import CallPool, DeadlineError, NoThreadLeftError
from paging.errors import DeliveryError, Row
from paging.ports import Message, Purpose, Sent

_LATE = Row("unknown", "not_sent", placed="maybe")
_NEVER_BEGUN = Row("provider_down", "not_sent")


class Carrier(Protocol):
    """The blocking half of an adapter."""

    name: str
    purposes: frozenset[Purpose]

    def serves(self, number: str) -> bool:
        """Say whether this address can be reached."""
        ...

    def send(self, message: Message) -> Sent:
        """Send one message; block. Raises DeliveryError and nothing else."""
        ...


class Pooled:
    """Satisfies `paging.ports.Provider`."""

    def __init__(self, carrier: Carrier, pool: CallPool, *, deadline_s: float) -> None:
        self.name, self.purposes = carrier.name, carrier.purposes
        self._carrier, self._pool, self._deadline_s = carrier, pool, deadline_s

    def serves(self, address: str) -> bool:
        """Say whether this address can be reached by this provider."""
        return self._carrier.serves(address)

    async def send(self, message: Message, *, still_wanted: Callable[[], bool]) -> Sent | None:
        """Send one message, or return None when it is not wanted any more. Raises DeliveryError."""

        def send() -> Sent | None:
            return self._carrier.send(message) if still_wanted() else None

        try:
            return await self._pool.run(send, deadline_s=self._deadline_s)
        except DeadlineError as exc:
            row = _LATE if exc.began else _NEVER_BEGUN
            raise DeliveryError(self.name, "deadline", row, answered=False) from exc
        except NoThreadLeftError as exc:
            raise DeliveryError(self.name, "no_thread_left", _NEVER_BEGUN) from exc
