"""Who was told, how, when, with what result; and how the providers do."""

from typing import Annotated

from starlette.responses import JSONResponse, Response

from paging.people import Identifier, Strict
from web import masking
from web.calls import Call
from web.inputs import Limit, given_out, queried


class Listed(Strict):
    """The query of `GET /v1/attempts`. `incident`: its id or number."""

    incident: Identifier | None = None
    responder: Identifier | None = None
    cursor: Annotated[str, given_out("[0-9A-Z]{26}")] | None = None
    limit: Limit = 50


async def listed(call: Call) -> Response:
    """Answer with attempts."""
    query = queried(call.request, Listed)
    found = await call.paging.list_attempts(
        query.incident, query.responder, query.cursor, query.limit
    )
    return JSONResponse(
        {**found, "items": [call.shown(item, masking.attempt) for item in found["items"]]}
    )


async def one(call: Call) -> Response:
    """Answer with one attempt."""
    return JSONResponse(call.shown(await call.paging.attempt(call.id), masking.attempt))


class Why(Strict):
    """The query of `GET /v1/why`. `incident`: its id or number."""

    incident: Identifier
    responder: Identifier


async def why(call: Call) -> Response:
    """Answer in words why somebody was, or was not, told of an incident."""
    query = queried(call.request, Why)
    return JSONResponse(await call.paging.why(query.incident, query.responder))


async def providers(call: Call) -> Response:
    """Answer with how each provider does."""
    return JSONResponse({"items": await call.paging.providers(), "next": None})
