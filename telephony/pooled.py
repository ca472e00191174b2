"""A voice adapter as the engine uses it: in bounded threads, within a deadline."""

from collections.abc import Callable
from typing import Protocol

from clouds.threads import CallPool, DeadlineError, NoThreadLeftError
from paging.errors import DeliveryError, Row
from paging.ports import CallRequest, Placed

_LATE = Row("unknown", "not_sent", placed="maybe")
_NEVER_BEGUN = Row("provider_down", "not_sent")

RING_S = 60.0  # as long as a phone rings: neither carrier has a parameter for it
SLACK_S = 30.0


def silence_s(spoken_s: float, play_times: int, key_wait_s: float) -> float:
    """Return how long a call may be heard nothing of: ringing, listening, and the key's wait."""
    return RING_S + play_times * spoken_s + key_wait_s + SLACK_S


class Carrier(Protocol):
    """The blocking half of an adapter."""

    name: str

    def serves(self, number: str) -> bool:
        """Say whether this E.164 number can be called."""
        ...

    def place_call(self, call: CallRequest) -> Placed:
        """Place one call; block. Raises DeliveryError and nothing else."""
        ...


class PooledVoice:
    """Satisfies `paging.ports.VoiceProvider`."""

    def __init__(self, carrier: Carrier, pool: CallPool, *, deadline_s: float) -> None:
        self.name = carrier.name
        self._carrier, self._pool, self._deadline_s = carrier, pool, deadline_s

    def serves(self, number: str) -> bool:
        """Say whether this E.164 number can be called by this provider."""
        return self._carrier.serves(number)

    async def place_call(
        self, call: CallRequest, *, still_wanted: Callable[[], bool]
    ) -> Placed | None:
        """Place one call, or return None when it is not wanted any more. Raises DeliveryError."""

        def send() -> Placed | None:
            return self._carrier.place_call(call) if still_wanted() else None

        try:
            return await self._pool.run(send, deadline_s=self._deadline_s)
        except DeadlineError as exc:
            row = _LATE if exc.began else _NEVER_BEGUN
            raise DeliveryError(self.name, "deadline", row, answered=False) from exc
        except NoThreadLeftError as exc:
            raise DeliveryError(self.name, "no_thread_left", _NEVER_BEGUN) from exc
