"""The sandbox's own API: what the page and the tests tell it."""

import json
from collections.abc import Awaitable, Callable
from typing import Any, cast

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from sandbox.box import Box
from sandbox.calls import Call
from sandbox.phones import BadInputError, e164, is_seconds
from sandbox.settings import merge, shown
from sandbox.texts import Text

_FASTEST = 3600.0
_LONGEST_REPLY = 500


def routes(box: Box) -> list[Route]:  # noqa: C901 - one short function an address
    """Return the addresses below /sandbox."""

    async def state(_: Request) -> Response:
        return JSONResponse(box.state())

    async def settings(request: Request) -> Response:
        told = await _table(request)
        box.settings = merge(box.settings, told)
        box.tell("state", box.state())
        return JSONResponse(shown(box.settings))

    async def phone(request: Request) -> Response:
        number = e164(request.path_params["number"])
        if request.method == "DELETE":
            box.phones.known.pop(number, None)
            box.tell("state", box.state())
            return JSONResponse({})
        made = box.phones.put(number, await _table(request))
        box.tell("state", box.state())
        calls = sum(call.number == number for call in box.exchange.calls.values())
        return JSONResponse(made.json(calls))

    async def calls(request: Request) -> Response:
        wanted = request.query_params.get("number")
        number = e164(wanted) if wanted else None
        now = box.clock.now()
        found = [c.json(now) for c in box.exchange.calls.values() if number in (None, c.number)]
        return JSONResponse(found[::-1])

    async def act(request: Request) -> Response:
        call = box.exchange.calls.get(request.path_params["id"])
        if call is None:
            return JSONResponse({"error": "call: no such call"}, 404)
        await _act(request, box, call)
        return JSONResponse(call.json(box.clock.now()))

    async def faults(request: Request) -> Response:
        known = box.faults.get(request.path_params["carrier"])
        if known is None:
            raise BadInputError(f"carrier: expected one of: {', '.join(box.faults)}")
        if request.method == "PUT":
            told = await _json(request)
            if not isinstance(told, list):
                raise BadInputError("body: expected a list of faults")
            known.put(cast("list[Any]", told))
            box.tell("state", box.state())
        return JSONResponse([fault.json() for fault in known.told])

    async def requests(_: Request) -> Response:
        return JSONResponse(box.requests[::-1])

    async def pushes(_: Request) -> Response:
        return JSONResponse([push.json() for push in reversed(box.pusher.log)])

    async def clock(request: Request) -> Response:
        told = await _table(request)
        match told:
            case {"advance_s": int() | float() as seconds} if is_seconds(seconds):
                await box.pass_time(float(seconds))
            case {"speed": int() | float() as speed} if is_seconds(speed) and 0 < speed <= _FASTEST:
                box.clock.set_speed(float(speed))
            case _:
                raise BadInputError(
                    f"body: expected advance_s of 0 or more, or speed up to {_FASTEST:.0f}"
                )
        box.tell("state", box.state())
        return JSONResponse(box.state()["clock"])

    async def reset(_: Request) -> Response:
        box.forget()
        return JSONResponse({})

    async def events(_: Request) -> Response:
        return StreamingResponse(
            box.events(), media_type="text/event-stream", headers={"Cache-Control": "no-store"}
        )

    return [
        Route("/sandbox/state", state),
        Route("/sandbox/settings", _guarded(settings), methods=["PUT"]),
        Route("/sandbox/phones/{number}", _guarded(phone), methods=["PUT", "DELETE"]),
        Route("/sandbox/calls", _guarded(calls)),
        Route("/sandbox/calls/{id}/{action}", _guarded(act), methods=["POST"]),
        *_letters(box),
        Route("/sandbox/faults/{carrier}", _guarded(faults), methods=["GET", "PUT"]),
        Route("/sandbox/requests", requests),
        Route("/sandbox/pushes", pushes),
        Route("/sandbox/clock", _guarded(clock), methods=["POST"]),
        Route("/sandbox/reset", reset, methods=["POST"]),
        Route("/sandbox/events", events),
    ]


def _letters(box: Box) -> list[Route]:
    """Return the addresses of texts and mails."""

    async def texts(request: Request) -> Response:
        wanted = request.query_params.get("number")
        number = e164(wanted) if wanted else None
        found = [text.json() for text in box.texts.all if number in (None, text.number)]
        return JSONResponse(found[::-1])

    async def reply(request: Request) -> Response:
        text = _reply(box, e164(request.path_params["number"]), await _table(request))
        return JSONResponse(text.json())

    async def mails(request: Request) -> Response:
        found = box.mails.to(request.query_params.get("to"))
        return JSONResponse([mail.json() for mail in found])

    async def mail(request: Request) -> Response:
        found = box.mails.all.get(request.path_params["id"])
        if found is None:
            return JSONResponse({"error": "mail: no such mail"}, 404)
        return JSONResponse(found.json())

    return [
        Route("/sandbox/texts", _guarded(texts)),
        Route("/sandbox/texts/{number}/reply", _guarded(reply), methods=["POST"]),
        Route("/sandbox/mails", mails),
        Route("/sandbox/mails/{id}", mail),
    ]


def _guarded(
    inner: Callable[[Request], Awaitable[Response]],
) -> Callable[[Request], Awaitable[Response]]:
    async def outer(request: Request) -> Response:
        try:
            return await inner(request)
        except BadInputError as exc:
            return JSONResponse({"error": str(exc)}, 422)

    return outer


async def _act(request: Request, box: Box, call: Call) -> None:
    match request.path_params["action"]:
        case "answer":
            box.exchange.answer(call)
        case "hangup":
            box.exchange.hang_up(call)
        case "reject":
            box.exchange.reject(call)
        case "press":
            digit = (await _table(request)).get("digit")
            if not isinstance(digit, str) or len(digit) != 1 or digit not in "0123456789*#":
                raise BadInputError("digit: expected one of 0 to 9, * and #")
            box.exchange.press(call, digit)
        case action:
            raise BadInputError(f"action: {action} is none of answer, press, hangup, reject")


def _reply(box: Box, number: str, told: dict[str, Any]) -> Text:
    """Let this number answer the last text it got. Raises BadInputError."""
    if unknown := told.keys() - {"text", "carrier", "at_age_s"}:
        raise BadInputError(f"{min(unknown)}: expected text, carrier and at_age_s only")
    text, carrier, age_s = told.get("text"), told.get("carrier"), told.get("at_age_s", 0)
    if not isinstance(text, str) or not 1 <= len(text) <= _LONGEST_REPLY:
        raise BadInputError(f"text: expected 1 to {_LONGEST_REPLY} characters")
    if not is_seconds(age_s):
        raise BadInputError("at_age_s: expected seconds, 0 or more")
    last = box.texts.last_to(number, carrier)
    if carrier is None and last is not None:
        carrier = last.carrier
    if carrier not in ("alibaba", "tencent"):
        raise BadInputError("carrier: expected alibaba or tencent, for a number without a text")
    sign = last.sign if last else next(iter(box.settings[carrier]["sms_sign_names"]), "")
    return box.texts.answer(carrier, number, sign, text, box.clock.now() - age_s)


async def _json(request: Request) -> Any:  # noqa: ANN401 - any JSON
    try:
        return json.loads(await request.body() or b"{}")
    except ValueError as exc:
        raise BadInputError("body: expected JSON") from exc


async def _table(request: Request) -> dict[str, Any]:
    told = await _json(request)
    if not isinstance(told, dict):
        raise BadInputError("body: expected a JSON object")
    return cast("dict[str, Any]", told)
