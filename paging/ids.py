"""Identifiers: sortable ids for rows, unguessable refs for carriers."""

import base64
import secrets
from datetime import datetime

_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def new_id(now: datetime) -> str:
    """Return 26 characters that sort by `now` (48 bits of milliseconds, 80 random bits: a ULID)."""
    value = int(now.timestamp() * 1000) << 80 | secrets.randbits(80)
    return "".join(_CROCKFORD[value >> shift & 31] for shift in range(125, -1, -5))


def new_ref() -> str:
    """Return the 15 ASCII characters by which a carrier's callback finds its attempt.

    15 bytes is all that Alibaba's OutId holds (SDK dyvmsapi 5.3.0); 72 random bits are unguessable.
    """
    return base64.b32encode(secrets.token_bytes(9)).decode().rstrip("=").lower()
