"""Addresses that need no login: signed, for one purpose, and good for some days only."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from itsdangerous import BadData, URLSafeSerializer

ACKNOWLEDGE_FOR = timedelta(days=7)
CALLERS_FOR = timedelta(days=30)


class Links:
    """Satisfies `paging.ports.Links`. `secret_keys`: newest first, the newest one signs."""

    def __init__(self, secret_keys: Sequence[str], public_url: str) -> None:
        self._keys, self._public_url = list(reversed(secret_keys)), public_url

    def acknowledge(self, number: int, responder: str, at: datetime) -> str:
        """Return where this responder acknowledges this incident, as it is at this time."""
        token = self._signer("acknowledge").dumps([number, responder, int(at.timestamp())])
        return f"{self._public_url}/a/{_text(token)}"

    def read_acknowledge(self, token: str, now: datetime) -> tuple[int, str, datetime] | None:
        """Return (incident, responder, when it was made); None for one that is not good any more.

        The time is that of the whole second in which it was made.
        """
        match self._read("acknowledge", token):
            case [int(number), str(responder), int(seconds)]:
                made_at = datetime.fromtimestamp(seconds, UTC)
                return (number, responder, made_at) if now - made_at < ACKNOWLEDGE_FOR else None
            case _:
                return None

    def callers(self, at: datetime) -> str:
        """Return where the numbers that may call can be had."""
        token = self._signer("callers").dumps(int(at.timestamp()))
        return f"{self._public_url}/callers.vcf?token={_text(token)}"

    def may_read_callers(self, token: str, now: datetime) -> bool:
        """Say whether this token of such an address is still good."""
        match self._read("callers", token):
            case int(seconds):
                return now - datetime.fromtimestamp(seconds, UTC) < CALLERS_FOR
            case _:
                return False

    def _signer(self, purpose: str) -> URLSafeSerializer:
        return URLSafeSerializer(self._keys, salt=purpose)

    def _read(self, purpose: str, token: str) -> Any:  # noqa: ANN401 - whatever was signed
        try:
            return self._signer(purpose).loads(token)
        except BadData:
            return None


def _text(token: str | bytes) -> str:
    return cast("str", token)  # so it is wherever the serializer writes text, as JSON does
