"""Is it alive, and could it take an incident now? Both without a token."""

import asyncio

from starlette.responses import JSONResponse, Response

from paging.errors import UnavailableError
from web import problems
from web.calls import Call

READY_WITHIN_S = 2.0


async def live(_call: Call) -> Response:
    """Answer 200 as long as the event loop turns."""
    return JSONResponse({"status": "ok"})


async def ready(call: Call) -> Response:
    """Answer 200 when an incident can be taken, else 503 with the reason."""
    try:
        await asyncio.wait_for(call.paging.ready(), READY_WITHIN_S)
    except TimeoutError:
        return problems.unavailable(f"the database did not answer within {READY_WITHIN_S:g} s")
    except UnavailableError as exc:
        return problems.unavailable(str(exc) or "the database does not answer")
    return JSONResponse({"status": "ready"})
