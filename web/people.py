"""Responders, schedules and policies: declared, shown, deleted, applied as a whole, and tested."""

import re
from collections.abc import Awaitable, Callable
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BaseModel, Field, TypeAdapter, ValidationError
from starlette.responses import JSONResponse, Response

from paging.errors import InvalidError
from paging.invalid import problems
from paging.people import Identifier, Policy, Responder, Strict
from paging.schedules import Schedule
from paging.teams import Section, Team
from web import masking
from web.api import Json
from web.calls import Call
from web.inputs import Moment, json_object, parsed, queried, sent

Model = TypeVar("Model", bound=BaseModel)

_IDENTIFIER: TypeAdapter[str] = TypeAdapter(Identifier)


class Applied(Strict):
    """The body of `POST /v1/apply`: what there is to be, by id.

    Others stay as they are, but for those of the sections that `prune` lists: they are removed.
    """

    responders: dict[Identifier, Responder] = Field(default_factory=dict)
    schedules: dict[Identifier, Schedule] = Field(default_factory=dict)
    policies: dict[Identifier, Policy] = Field(default_factory=dict)
    dry_run: Annotated[bool, Field(strict=True)] = False
    prune: tuple[Section, ...] = ()


class OnCall(Strict):
    """The query of `GET /v1/schedules/{id}/on-call`."""

    at: Moment | None = None


class Drill(Strict):
    """The body of `POST /v1/responders/{id}/test`."""

    channel: Annotated[str, Field(min_length=1, max_length=64)]
    provider: Annotated[str, Field(min_length=1, max_length=64)] | None = None


class Verified(Strict):
    """The body of `POST /v1/responders/{id}/verify`."""

    channel: Annotated[str, Field(min_length=1, max_length=64)]


def _six_digits(value: str) -> str:
    if not re.fullmatch("[0-9]{6}", value):
        msg = "expected the six digits that were sent"
        raise ValueError(msg)
    return value


class Confirmed(Verified):
    """The body of `POST /v1/responders/{id}/verify/confirm`."""

    code: Annotated[str, AfterValidator(_six_digits)]


async def put_responder(call: Call) -> Response:
    """Create (201) or replace (200) a responder."""
    return await _put(call, Responder, "responders", call.paging.put_responder)


async def put_policy(call: Call) -> Response:
    """Create (201) or replace (200) a policy."""
    return await _put(call, Policy, "policies", call.paging.put_policy)


async def put_schedule(call: Call) -> Response:
    """Create (201) or replace (200) a schedule."""
    return await _put(call, Schedule, "schedules", call.paging.put_schedule)


async def responder(call: Call) -> Response:
    """Answer with one responder."""
    return JSONResponse(call.shown(await call.paging.responder(call.id), masking.responder))


async def responders(call: Call) -> Response:
    """Answer with all responders."""
    found = await call.paging.responders()
    return _all([call.shown(view, masking.responder) for view in found])


async def policy(call: Call) -> Response:
    """Answer with one policy."""
    return JSONResponse(await call.paging.policy(call.id))


async def policies(call: Call) -> Response:
    """Answer with all policies."""
    return _all(await call.paging.policies())


async def schedule(call: Call) -> Response:
    """Answer with one schedule."""
    return JSONResponse(call.shown(await call.paging.schedule(call.id), masking.schedule))


async def schedules(call: Call) -> Response:
    """Answer with all schedules."""
    found = await call.paging.schedules()
    return _all([call.shown(view, masking.schedule) for view in found])


async def on_call(call: Call) -> Response:
    """Answer with who is on call, now or `at` a time, and who is next."""
    at = queried(call.request, OnCall).at
    return JSONResponse(await call.paging.on_call(call.id, at))


async def delete_responder(call: Call) -> Response:
    """Delete a responder."""
    await call.paging.delete_responder(call.id)
    return Response(status_code=204)


async def delete_policy(call: Call) -> Response:
    """Delete a policy."""
    await call.paging.delete_policy(call.id)
    return Response(status_code=204)


async def delete_schedule(call: Call) -> Response:
    """Delete a schedule."""
    await call.paging.delete_schedule(call.id)
    return Response(status_code=204)


async def apply(call: Call) -> Response:
    """Change a team, all or nothing, or with `dry_run` only say what would change."""
    asked = await sent(call.request, Applied)
    team = Team(asked.responders, asked.schedules, asked.policies)
    plan = await call.paging.apply(team, dry_run=asked.dry_run, prune=asked.prune)
    return JSONResponse(plan)


async def test(call: Call) -> Response:
    """Start a drill; answer 202 with its attempt, to be polled."""
    drill = await sent(call.request, Drill)
    view = await call.paging.test_responder(call.id, drill.channel, drill.provider)
    return JSONResponse(
        call.shown(view, masking.attempt), 202, {"Location": f"/v1/attempts/{view['id']}"}
    )


async def verify(call: Call) -> Response:
    """Send a code to a contact; answer 202 with the attempt, to be polled."""
    asked = await sent(call.request, Verified)
    view = await call.paging.send_code(call.id, asked.channel)
    return JSONResponse(
        call.shown(view, masking.attempt), 202, {"Location": f"/v1/attempts/{view['id']}"}
    )


async def confirm(call: Call) -> Response:
    """Note a contact as proved; answer with its responder, and where the callers' card is."""
    asked = await sent(call.request, Confirmed)
    view = await call.paging.confirm_code(call.id, asked.channel, asked.code)
    card = call.links.callers(call.clock.now())
    return JSONResponse({**call.shown(view, masking.responder), "callers": card})


async def _declared(call: Call, model: type[Model]) -> Model:
    """Return the body of a PUT, which may be what was read: with the id and what is proved."""
    try:
        _IDENTIFIER.validate_python(call.id)
    except ValidationError as exc:
        raise InvalidError("id", problems(exc)[0].expected) from exc
    body = await json_object(call.request)
    if body.pop("id", call.id) != call.id:
        raise InvalidError("id", f"expected {call.id!r}, as in the address, or nothing")
    if model is Responder:
        body.pop("verified", None)
    return parsed(model, body)


async def _put(
    call: Call,
    model: type[Model],
    section: Section,
    put: Callable[[str, Model], Awaitable[tuple[Json, bool]]],
) -> Response:
    """Declare one item; an error names its fields as the sender of one item knows them."""
    value = await _declared(call, model)
    try:
        view, created = await put(call.id, value)
    except InvalidError as exc:
        field = exc.field.removeprefix(f"{section}.{call.id}.")
        raise InvalidError(field, exc.expected) from exc
    return JSONResponse(view, 201 if created else 200)


def _all(views: list[Any]) -> Response:
    return JSONResponse({"items": views, "next": None})
