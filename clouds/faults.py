"""Telling "never connected" from "maybe placed" in what the SDKs raise.

Both wrap requests' and urllib3's exceptions; only these prove that nothing was sent (observed by
driving alibabacloud-tea-openapi 0.4.6 and tencentcloud-sdk-python-common 3.1.195 against faults).
"""

import functools
import traceback
from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

import structlog

from paging.errors import DeliveryError, Row

log = structlog.get_logger(__name__)

CONNECT_S = 3.0  # a healthy endpoint of either cloud connects in far less than one
READ_S = 5.0  # the carriers' own pages advise at least 1 s; past this nobody knows

UNREACHABLE = Row("provider_down", "not_sent")
LOST = Row("unknown", "not_sent", placed="maybe")
UNLISTED = Row("unknown", "not_sent", placed="maybe")

_NEVER_CONNECTED = {"NewConnectionError", "ConnectTimeoutError", "NameResolutionError"}


def never_connected(error: BaseException) -> bool:
    """Say whether this proves that the request never left."""
    return any(
        type(cause).__name__ in _NEVER_CONNECTED or _was_shaking_hands(cause)
        for cause in _causes(error)
    )


def _was_shaking_hands(error: BaseException) -> bool:
    """Say whether TLS was still being set up, which ends before a request begins."""
    frames = traceback.walk_tb(error.__traceback__)
    return any(frame.f_code.co_name == "do_handshake" for frame, _ in frames)


def of_connection(provider: str, error: BaseException) -> DeliveryError:
    """Return our error for a request without a readable answer; the SDK's text stays behind."""
    if never_connected(error):
        return DeliveryError(provider, "not_connected", UNREACHABLE)
    return DeliveryError(provider, "answer_lost", LOST, answered=False)


def without_id(provider: str, code: str) -> DeliveryError:
    """Return our error for an answer that reads like a success and names no call or message.

    It may exist, and nothing but its receipts can say so. `code`: which id is missing.
    """
    return DeliveryError(provider, code, LOST, answered=False)


def row_of(provider: str, code: str, *tables: Mapping[str, Row]) -> Row:
    """Return the row of a code, from the product's table before the common one.

    A table may end a code with `*` for all that begin so. One in no table is logged once.
    """
    for table in tables:
        if code in table:
            return table[code]
    for table in tables:
        for known, row in table.items():
            if known.endswith("*") and code.startswith(known[:-1]):
                return row
    _warn_once(provider, code)
    return UNLISTED


@functools.lru_cache(maxsize=256)
def _warn_once(provider: str, code: str) -> None:
    log.warning("code.unlisted", provider=provider, code=code)


def address(endpoint: str) -> tuple[str, str] | None:
    """Return (protocol, host and port) of an endpoint such as http://127.0.0.1:9100, if any."""
    if not endpoint:
        return None
    parts = urlsplit(endpoint)
    return parts.scheme, parts.netloc


def check_endpoint(value: str) -> str:
    """Validate the setting: empty, or an http(s) address without a path."""
    if value and not _is_address(value):
        msg = 'expected "" for the official one, or an address such as http://127.0.0.1:9100'
        raise ValueError(msg)
    return value


def _is_address(value: str) -> bool:
    try:
        parts = urlsplit(value)
        port = parts.port
    except ValueError:  # no port, or half an IPv6 address
        return False
    bare = parts.path in ("", "/") and not (parts.query or parts.fragment or parts.username)
    return parts.scheme in ("http", "https") and bool(parts.hostname) and bare and port != 0


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield the error and everything that it wraps, however it is wrapped."""
    todo, seen = [error], set[int]()
    while todo:
        one = todo.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        inner = (
            one.__cause__,
            one.__context__,
            getattr(one, "inner_exception", None),
            getattr(one, "reason", None),
            *one.args,
        )
        todo += [cause for cause in inner if isinstance(cause, BaseException)]
