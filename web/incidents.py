"""Opening incidents and acting on them."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Annotated, Literal

from pydantic import Field
from starlette.responses import JSONResponse, Response

from paging.errors import InvalidError
from paging.people import Identifier, Severity, Strict
from paging.requests import AlertGroup, NewIncident
from web import masking
from web.calls import Call
from web.inputs import Limit, Moment, given_out, queried, sent

_PAGING_BEGINS = ("opened", "reopened")


class Listed(Strict):
    """The query of `GET /v1/incidents`."""

    status: Literal["triggered", "acknowledged", "closed"] | None = None
    severity: Severity | None = None
    cursor: Annotated[str, given_out("[0-9]{1,18}")] | None = None
    limit: Limit = 50


class Asked(Strict):
    """The body of an action, all of it optional. `by`: the id of the responder who acts."""

    by: Identifier | None = None
    note: Annotated[str, Field(max_length=4096)] | None = None


class MuteAsked(Asked):
    """The body of a mute: for so many minutes, or until a time."""

    minutes: Annotated[int, Field(ge=1, le=10_080, strict=True)] | None = None
    until: Moment | None = None


async def create(call: Call) -> Response:
    """Answer 202 once the incident and its page are committed, 200 when it was open already."""
    view, created = await call.paging.open_incident(await sent(call.request, NewIncident))
    answer = {**call.shown(view, masking.incident), "created": created}
    return JSONResponse(
        answer, 202 if created else 200, {"Location": f"/v1/incidents/{view['id']}"}
    )


async def listed(call: Call) -> Response:
    """Answer with incidents, newest first."""
    query = queried(call.request, Listed)
    found = await call.paging.list_incidents(
        query.status, query.severity, query.cursor, query.limit
    )
    return JSONResponse(
        {**found, "items": [call.shown(item, masking.incident) for item in found["items"]]}
    )


async def one(call: Call) -> Response:
    """Answer with one incident, its attempts and its timeline."""
    return JSONResponse(call.shown(await call.paging.incident(call.id), masking.incident))


def action(name: str) -> Callable[[Call], Awaitable[Response]]:
    """Return the operation of one action whose body may only say who and why."""

    async def act(call: Call) -> Response:
        return await _acted(call, name, await sent(call.request, Asked), None)

    return act


async def mute(call: Call) -> Response:
    """Stop paging for everyone until a time."""
    asked = await sent(call.request, MuteAsked)
    if (asked.minutes is None) == (asked.until is None):
        raise InvalidError("minutes", "expected either minutes (1 to 10080) or until, one of them")
    until = asked.until or call.clock.now() + timedelta(minutes=asked.minutes or 0)
    return await _acted(call, "mute", asked, until)


async def _acted(call: Call, name: str, asked: Asked, until: datetime | None) -> Response:
    view = await call.paging.act(
        call.id, name, by=asked.by, by_name=call.caller.name, note=asked.note, until=until
    )
    return JSONResponse(call.shown(view, masking.incident))


async def alertmanager(call: Call) -> Response:
    """Take Alertmanager's webhook, version 4: 202 when paging begins, else 200."""
    group = await sent(call.request, AlertGroup)
    done = await call.paging.alertmanager(call.id, group)
    seen = done["incident"] and call.shown(done["incident"], masking.incident)
    return JSONResponse(
        {**done, "incident": seen}, 202 if done["action"] in _PAGING_BEGINS else 200
    )
