"""Identifiers: sortable ids for rows, unguessable refs for carriers."""

import base64
import secrets
from datetime import datetime

_TO_CROCKFORD = bytes.maketrans(
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", b"0123456789ABCDEFGHJKMNPQRSTVWXYZ"
)


def new_id(now: datetime) -> str:
    """Return 26 characters that sort by `now` (48 bits of milliseconds, 80 random bits: a ULID)."""
    value = int(now.timestamp() * 1000) << 80 | secrets.randbits(80)
    # 20 bytes fill base32 without padding; the 128 bits are in its last 26 characters.
    return base64.b32encode(value.to_bytes(20, "big"))[-26:].translate(_TO_CROCKFORD).decode()


def new_ref() -> str:
    """Return the 15 ASCII characters by which a carrier's callback finds its attempt.

    15 bytes is all that Alibaba's OutId holds (SDK dyvmsapi 5.3.0); 72 random bits are unguessable.
    """
    return base64.b32encode(secrets.token_bytes(9)).decode().rstrip("=").lower()
