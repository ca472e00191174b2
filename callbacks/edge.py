"""Taking callbacks: check the address, read, store, and only then say that it was taken.

A carrier waits 700 ms at most and pushes again whatever was not answered 200, so nothing here
raises, nothing is echoed, and a 200 always means: committed.
"""

import asyncio
import hmac
import time
from collections.abc import Awaitable, Mapping, Sequence
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address

import structlog
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from paging.errors import CallbackMalformedError, UnavailableError
from paging.ports import Callback, CallbackReader, ReceiptSink

log = structlog.get_logger(__name__)

LARGEST = 256 * 1024  # bytes
COMMIT_WITHIN_S = 0.5  # of the 700 ms that Alibaba waits

Networks = Mapping[str, Sequence[IPv4Network | IPv6Network]]


class _TooLargeError(Exception):
    """The body is larger than LARGEST."""


def routes(
    readers: Mapping[tuple[str, str], CallbackReader],
    sink: ReceiptSink,
    *,
    tokens: Sequence[str],
    allowed_networks: Networks,
) -> list[Route]:
    """Return `POST /callbacks/{provider}/{product}/{token}`.

    `readers`: by (provider, product), such as ("alibaba", "voice"). `tokens`: each of them opens
    every address. `allowed_networks`: by provider; one that is not named may call from anywhere.
    The caller's address is the one that the server reports, proxies taken into account there.

    Answers 404 as for any unknown address to a wrong token, provider or network; 413 over 256 KB;
    400 to what the reader refuses; 503 when the events are not committed within 500 ms, so that
    they are pushed again; else 200 and the reader's own `accepted`.
    """
    late: set[asyncio.Future[None]] = set()  # a write that nobody holds may vanish before it ends

    async def take(request: Request) -> Response:
        provider, product = request.path_params["provider"], request.path_params["product"]
        reader = readers.get((provider, product))
        token_is_ours = _is_one_of(request.path_params["token"], tokens)
        if reader is None:
            raise HTTPException(404)
        whose = {"provider": provider, "product": product}
        if not token_is_ours:
            log.warning("callback.rejected", **whose, status=404, reason="token")
            raise HTTPException(404)
        if not _is_allowed(request, allowed_networks.get(provider)):
            log.warning("callback.rejected", **whose, status=404, reason="network")
            raise HTTPException(404)
        began = time.perf_counter()
        status, said = await _taken(request, provider, reader, sink, late)
        took_ms = round((time.perf_counter() - began) * 1000, 1)
        if status == _OK:
            log.info("callback.received", **whose, **said, took_ms=took_ms)
            return Response(reader.accepted, media_type="application/json")
        log.warning("callback.rejected", **whose, status=status, **said, took_ms=took_ms)
        return Response(status_code=status)

    return [Route("/callbacks/{provider}/{product}/{token}", take, methods=["POST"])]


_OK, _MALFORMED, _TOO_LARGE, _UNAVAILABLE = 200, 400, 413, 503


async def _taken(
    request: Request,
    provider: str,
    reader: CallbackReader,
    sink: ReceiptSink,
    late: set[asyncio.Future[None]],
) -> tuple[int, dict[str, str | int]]:
    """Read and store one callback; return the status to answer and what to log, never the body."""
    try:
        body = await _body(request)
        reading = reader.read_callback(
            Callback(body, dict(request.headers), dict(request.query_params))
        )
        counts: dict[str, str | int] = {"events": len(reading.events), "skipped": reading.skipped}
        if reading.events:
            await _stored(sink.record(provider, reading.events), late)
    except _TooLargeError:
        return _TOO_LARGE, {"reason": "too_large"}
    except CallbackMalformedError:
        return _MALFORMED, {"reason": "malformed"}
    except ClientDisconnect:
        return _MALFORMED, {"reason": "disconnected"}
    except (TimeoutError, UnavailableError) as exc:
        return _UNAVAILABLE, {"reason": "store", "error": type(exc).__name__}
    except Exception as exc:  # noqa: BLE001 - whatever it is, the carrier has to push again
        return _UNAVAILABLE, {"reason": "broken", "error": type(exc).__name__}
    return _OK, counts


async def _stored(writing: Awaitable[None], late: set[asyncio.Future[None]]) -> None:
    """Return once it is committed. Raises TimeoutError when that takes too long.

    It goes on all the same, and the push that then comes again is a harmless repeat.
    """
    task = asyncio.ensure_future(writing)
    late.add(task)
    task.add_done_callback(late.discard)
    done, _ = await asyncio.wait({task}, timeout=COMMIT_WITHIN_S)
    if not done:
        task.add_done_callback(_log_late)
        raise TimeoutError
    task.result()


def _log_late(task: asyncio.Future[None]) -> None:
    error = None if task.cancelled() else task.exception()
    log.warning("callback.settled_late", error=error and type(error).__name__)


async def _body(request: Request) -> bytes:
    """Return the body, never holding more than is allowed, whatever its headers say."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > LARGEST:
            raise _TooLargeError
    return bytes(body)


def _is_one_of(token: str, tokens: Sequence[str]) -> bool:
    """Compare with all of them, each in constant time."""
    given = token.encode()
    matches = [hmac.compare_digest(given, known.encode()) for known in tokens]
    return any(matches)


def _is_allowed(request: Request, networks: Sequence[IPv4Network | IPv6Network] | None) -> bool:
    if networks is None:
        return True
    try:
        address = ip_address(request.client.host if request.client else "")
    except ValueError:
        return False
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    return any(address in network for network in networks)
