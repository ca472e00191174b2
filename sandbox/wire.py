"""How a carrier's answer leaves, or does not leave: the faults of the wire."""

import asyncio
import json
import time
from collections.abc import AsyncIterator

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response, StreamingResponse

from sandbox.faults import Fault

TRANSPORT = "sandbox.transport"  # put into the scope by `server.Protocol`
_TRICKLE_S = 0.2


def answer(body: object, status: int = 200, *, content_type: str = "application/json") -> Response:
    """Return exactly this content type: an SDK looks for errors in no other."""
    response = Response(json.dumps(body, ensure_ascii=False).encode(), status)
    response.headers["content-type"] = content_type
    return response


async def hang(request: Request) -> Response:
    """Answer nothing until the caller gives up."""
    while True:
        message = await request.receive()
        if message["type"] == "http.disconnect":
            return Response(status_code=499)


def cut(request: Request) -> Response:
    """Close the connection without an answer."""
    request.scope[TRANSPORT].abort()
    return Response(status_code=499)


async def unanswered(request: Request, fault: Fault) -> Response:
    """Break off a request that places no call."""
    match fault.fault:
        case "accept_then_hang":
            return await hang(request)
        case "close_mid_request":
            return cut(request)
        case _:
            return page(fault.http_status or 502)


async def after_placing(
    request: Request, fault: Fault, good: Response, server_error: Response
) -> Response:
    """Break the answer to a call that exists."""
    match fault.fault:
        case "place_then_hang":
            return await hang(request)
        case "place_then_reset":
            return cut(request)
        case "server_error_after_placing":
            return server_error
        case "slow_body":
            return _trickled(good)
        case _:
            await asyncio.sleep(fault.after_s)
            return good


def _trickled(good: Response) -> Response:
    """Send the headers at once and the body a byte at a time, for as long as anyone reads."""

    async def drops() -> AsyncIterator[bytes]:
        for byte in bytes(good.body):
            yield bytes([byte])
            await asyncio.sleep(_TRICKLE_S)

    return StreamingResponse(drops(), headers={"content-type": good.headers["content-type"]})


def page(status: int) -> Response:
    """Return what a broken gateway returns."""
    return HTMLResponse(f"<html><body>{status}</body></html>", status)


def real_now() -> float:
    """Return the real time: the SDKs sign with it, whatever the sandbox's clock says."""
    return time.time()
