"""Tencent Cloud's voice API (vms 2020-09-02): SendTtsVoice and SendCodeVoice.

Errors are HTTP 200 with an Error inside; the content type is exactly `application/json`, unless the
settings ask for the variant in which an SDK finds no error.
"""

import json
import re
import secrets
from typing import Any, cast
from urllib.parse import parse_qsl

import phonenumbers
from starlette.requests import Request
from starlette.responses import Response

from sandbox import templates, wire
from sandbox.box import Box
from sandbox.calls import Call
from sandbox.faults import Fault
from sandbox.refusals import RefusedError
from sandbox.signatures import check_tc3

VERSION = "2020-09-02"
REGIONS = ("ap-beijing", "ap-guangzhou", "ap-nanjing")
CALLER = "075500000000"
MOST_PLAYS = 3
# What each action takes, and of which kind.
PARAMETERS: dict[str, dict[str, type]] = {
    "SendTtsVoice": {
        "TemplateId": str,
        "CalledNumber": str,
        "VoiceSdkAppid": str,
        "TemplateParamSet": list,
        "PlayTimes": int,
        "SessionContext": str,
    },
    "SendCodeVoice": {
        "CodeMessage": str,
        "CalledNumber": str,
        "VoiceSdkAppid": str,
        "PlayTimes": int,
        "SessionContext": str,
    },
}
REQUIRED = ("TemplateId", "CodeMessage", "CalledNumber", "VoiceSdkAppid")


async def serve(request: Request, box: Box) -> Response:
    """Answer one request of an SDK."""
    body = await request.body()
    query = request.scope["query_string"].decode()
    target = f"/?{query}" if query else "/"
    headers = dict(request.headers.items())
    action = headers.get("x-tc-action", "")
    settings = box.settings["tencent"]
    params: dict[str, Any] = {}
    try:
        check_tc3(
            request.method,
            target,
            headers,
            body,
            service="vms",
            keys={settings["secret_id"]: settings["secret_key"]},
            now=wire.real_now(),
        )
        _check_headers(headers)
        params = _params(request.method, query, body)
        _check_params(action, params)
    except RefusedError as exc:
        box.note_request("tencent", action, params, exc.code, None)
        return _error(box, exc.code, exc.message)
    return await _placing(request, box, action, params)


def _check_headers(headers: dict[str, str]) -> None:
    if headers.get("x-tc-version") != VERSION:
        raise RefusedError("NoSuchVersion", "The version does not exist.")
    if headers["x-tc-action"] not in PARAMETERS:
        raise RefusedError("InvalidAction", "The action does not exist.")
    if headers.get("x-tc-region") not in REGIONS:
        raise RefusedError("UnsupportedRegion", "The product is not in this region.")


def _params(method: str, query: str, body: bytes) -> dict[str, Any]:
    if method != "GET":
        try:
            found = json.loads(body)
        except ValueError as exc:
            raise RefusedError("FailedOperation.InvalidJsonParameters", "Not JSON.") from exc
        if not isinstance(found, dict):
            raise RefusedError("FailedOperation.InvalidJsonParameters", "No JSON object.")
        return cast("dict[str, Any]", found)
    params: dict[str, Any] = {}
    for name, value in parse_qsl(query, keep_blank_values=True):
        key, _, index = name.partition(".")
        if index:
            params.setdefault(key, []).append(value)
        else:
            params[key] = int(value) if key == "PlayTimes" and value.isdecimal() else value
    return params


def _check_params(action: str, params: dict[str, Any]) -> None:
    kinds = PARAMETERS[action]
    for name, value in params.items():
        if name not in kinds:
            raise RefusedError("UnknownParameter", f"{name} is not recognized.")
        if not isinstance(value, kinds[name]) or isinstance(value, bool):
            raise RefusedError("InvalidParameter", f"{name} is not of the right kind.")
    for name in REQUIRED:
        if name in kinds and not params.get(name):
            raise RefusedError("MissingParameter", f"{name} is missing.")


async def _placing(request: Request, box: Box, action: str, params: dict[str, Any]) -> Response:
    number = params["CalledNumber"]
    fault = box.faults["tencent"].next_for(number)
    if fault is not None and not fault.places:
        box.note_request("tencent", action, params, f"fault: {fault.fault}", None)
        return await _broken(request, box, fault)
    try:
        call = _call(box, action, params)
    except RefusedError as exc:
        box.note_request("tencent", action, params, exc.code, None)
        return _error(box, exc.code, exc.message)
    box.note_request("tencent", action, params, "accepted", call.id)
    at_once = box.settings["tencent"]["pushes"]["before_response"]
    box.exchange.place(call, at_once=at_once)
    if at_once:
        await box.settle(call)
    context = params.get("SessionContext", "")
    good = _answer(box, {"SendStatus": {"CallId": call.id, "SessionContext": context}})
    if fault is None:
        return good
    broken = wire.answer({"message": "Internal Server Error"}, 500)
    return await wire.after_placing(request, fault, good, broken)


async def _broken(request: Request, box: Box, fault: Fault) -> Response:
    """Answer a request that places no call, as the fault says."""
    match fault.fault:
        case "empty_success":
            return _answer(box, {"SendStatus": None})
        case "throttle":
            return _error(box, "RequestLimitExceeded", "The request rate is too high.")
        case "server_error":
            return wire.answer({"message": "Internal Server Error"}, 500)
        case "error" if fault.http_status:
            return wire.answer({"message": fault.message}, fault.http_status)
        case "error":
            return _error(box, fault.code, fault.message or fault.code)
        case _:
            return await wire.unanswered(request, fault)


def _call(box: Box, action: str, params: dict[str, Any]) -> Call:
    """Check everything and return the call. Raises RefusedError."""
    settings = box.settings["tencent"]
    number = params["CalledNumber"]
    if not _is_e164(number):
        raise RefusedError(
            "InvalidParameterValue.CalledNumberVerifyFail", "CalledNumber is not E.164 with +."
        )
    if params["VoiceSdkAppid"] not in settings["sdk_app_ids"]:
        raise RefusedError("InvalidParameterValue.SdkAppidNotExist", "No such VoiceSdkAppid.")
    plays = params.get("PlayTimes", 2)
    if not 1 <= plays <= MOST_PLAYS:
        raise RefusedError("InvalidParameterValue", "PlayTimes is a number from 1 to 3.")
    text = _code(params["CodeMessage"]) if action == "SendCodeVoice" else _page(settings, params)
    if settings["limits"]:
        broken = box.limits.reached("tencent", number, box.clock.now())
        if broken:
            raise RefusedError("LimitExceeded.DeliveryFrequencyLimit", f"Limit: {broken}.")
    return Call(
        id=box.exchange.next_id("tencent"),
        carrier="tencent",
        action=action,
        number=number,
        caller=CALLER,
        text=text,
        plays=plays,
        ref=params.get("SessionContext", ""),
    )


def _is_e164(number: str) -> bool:
    if not re.fullmatch(r"\+[1-9][0-9]{6,14}", number):
        return False
    try:
        return phonenumbers.is_possible_number(phonenumbers.parse(number))
    except phonenumbers.NumberParseException:
        return False


def _code(code: str) -> str:
    if not re.fullmatch(r"[0-9]{1,10}", code):
        raise RefusedError("FailedOperation.InvalidParameters", "CodeMessage is digits only.")
    return f"您的验证码是{'、'.join(code)}"


def _page(settings: dict[str, Any], params: dict[str, Any]) -> str:
    given = params.get("TemplateParamSet", [])
    return templates.tencent_text(settings["templates"], params["TemplateId"], given)


def _error(box: Box, code: str, message: str) -> Response:
    return _answer(box, {"Error": {"Code": code, "Message": message}})


def _answer(box: Box, body: dict[str, Any]) -> Response:
    variant = "; charset=utf-8" if box.settings["tencent"]["charset"] else ""
    return wire.answer(
        {"Response": {**body, "RequestId": secrets.token_hex(16)}},
        content_type=f"application/json{variant}",
    )
