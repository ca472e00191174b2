"""Alibaba Cloud's voice API (dyvmsapi 2017-05-25): SingleCallByTts, IvrCall and the query.

Business refusals come as HTTP 200 with a Code, or as HTTP 400/500 where the settings say so: the
documents have both.
"""

import json
import re
import secrets
from typing import cast
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import Response

from sandbox import templates, wire
from sandbox.box import Box
from sandbox.calls import Call
from sandbox.faults import Fault
from sandbox.limits import TOGETHER_S
from sandbox.messages import alibaba_detail
from sandbox.phones import e164
from sandbox.refusals import RefusedError
from sandbox.signatures import SignatureError, check_acs3, check_rpc1

VERSION = "2017-05-25"
OUT_ID_BYTES = 15
_DAY_S = 86_400
_SERVER_CODES = ("isp.SYSTEM_ERROR", "isp.GATEWAY_ERROR", "InternalError")
_MAINLAND = re.compile(r"1[3-9][0-9]{9}|0[1-9][0-9]{8,10}")
_PRODUCTS = {"SingleCallByTts": "11010000138001", "IvrCall": "11000000300005"}
_POOL_NUMBER = "095000000000"  # stands in for one of the numbers of the shared mode


async def serve(request: Request, box: Box) -> Response:
    """Answer one request of an SDK."""
    body = await request.body()
    target = request.scope["raw_path"].decode()
    if query := request.scope["query_string"].decode():
        target = f"{target}?{query}"
    headers = {name: value for name, value in request.headers.items()}  # noqa: C416 - lower case
    params = dict(parse_qsl(query, keep_blank_values=True))
    params |= dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))
    action = headers.get("x-acs-action") or params.get("Action", "")
    version = headers.get("x-acs-version") or params.get("Version", "")
    shown = {k: v for k, v in params.items() if k not in ("Signature", "AccessKeyId")}
    settings = box.settings["alibaba"]
    keys = {settings["access_key_id"]: settings["access_key_secret"]}
    try:
        if "authorization" in headers:
            nonce = check_acs3(
                request.method, target, headers, body, keys=keys, now=wire.real_now()
            )
        else:
            nonce = check_rpc1(request.method, target, body, keys=keys, now=wire.real_now())
        _check_nonce(box, nonce)
    except SignatureError as exc:
        box.note_request("alibaba", action, shown, exc.code, None)
        status = 404 if exc.code == "InvalidAccessKeyId.NotFound" else 400
        return _error(exc.code, exc.message, status)
    if version != VERSION:
        box.note_request("alibaba", action, shown, "InvalidVersion", None)
        return _error("InvalidVersion", "Specified parameter Version is not valid.", 400)
    match action:
        case "SingleCallByTts" | "IvrCall":
            return await _placing(request, box, action, shown)
        case "QueryCallDetailByCallId":
            return _detail(box, shown)
        case "CancelCall":
            box.note_request("alibaba", action, shown, "isv.INVALID_PARAMETERS", None)
            return _refusal(
                box, "isv.INVALID_PARAMETERS", "CancelCall is for calls of ClickToDial only."
            )
        case _:
            box.note_request("alibaba", action, shown, "InvalidAction.NotFound", None)
            return _error("InvalidAction.NotFound", "Specified api is not found.", 404)


async def _placing(request: Request, box: Box, action: str, params: dict[str, str]) -> Response:
    number = params.get("CalledNumber", "")
    fault = box.faults["alibaba"].next_for(e164(number) if _MAINLAND.fullmatch(number) else number)
    if fault is not None and not fault.places:
        box.note_request("alibaba", action, params, f"fault: {fault.fault}", None)
        return await _broken(request, box, fault)
    try:
        call = _call(box, action, params)
    except RefusedError as exc:
        box.note_request("alibaba", action, params, exc.code, None)
        return _refusal(box, exc.code, exc.message)
    box.note_request("alibaba", action, params, "accepted", call.id)
    at_once = box.settings["alibaba"]["pushes"]["before_response"]
    box.exchange.place(call, at_once=at_once)
    if at_once:
        await box.settle(call)
    good = wire.answer(
        {"RequestId": _request_id(), "Code": "OK", "Message": "OK", "CallId": call.id}
    )
    if fault is None:
        return good
    broken = _error("InternalError", "The request has failed.", 500)
    return await wire.after_placing(request, fault, good, broken)


async def _broken(request: Request, box: Box, fault: Fault) -> Response:
    """Answer a request that places no call, as the fault says."""
    match fault.fault:
        case "empty_success":
            return wire.answer({"RequestId": _request_id(), "Code": "OK", "Message": "OK"})
        case "throttle":
            response = _error("Throttling.User", "Request was denied due to throttling.", 400)
            response.headers["x-acs-retry-after"] = str(fault.retry_after_ms)
            return response
        case "server_error":
            return _error("InternalError", "The request has failed.", 500)
        case "error" if fault.http_status:
            return _error(fault.code, fault.message or fault.code, fault.http_status)
        case "error":
            return _refusal(box, fault.code, fault.message or fault.code)
        case _:
            return await wire.unanswered(request, fault)


def _check_nonce(box: Box, nonce: str) -> None:
    if not box.is_new_nonce(nonce):
        raise SignatureError("SignatureNonceUsed", "The nonce was used before.")


def _call(box: Box, action: str, params: dict[str, str]) -> Call:
    """Check everything and return the call. Raises RefusedError."""
    settings = box.settings["alibaba"]
    number, shown = params.get("CalledNumber", ""), params.get("CalledShowNumber", "")
    out_id = params.get("OutId", "")
    if not _MAINLAND.fullmatch(number):
        raise RefusedError("isv.MOBILE_NUMBER_ILLEGAL", "CalledNumber is no mainland number.")
    if (action == "IvrCall" and not shown) or (shown and shown not in settings["show_numbers"]):
        raise RefusedError(
            "isv.DISPLAY_NUMBER_ILLEGAL", "CalledShowNumber is not one of this account's numbers."
        )
    if "OutId" in params and not 1 <= len(out_id.encode()) <= OUT_ID_BYTES:
        raise RefusedError("isv.INVALID_PARAMETERS", "OutId has 1 to 15 bytes.")
    plays = _whole(params, "PlayTimes", 3, 1, 3)
    _whole(params, "Volume", 100, 0, 100)
    _whole(params, "Speed", 0, -500, 500)
    replies: dict[str, str] = {}
    if action == "IvrCall":
        text = templates.alibaba_text(
            settings["templates"],
            params.get("StartCode", ""),
            _table(params.get("StartTtsParams", "")),
            shared=False,
        )
        replies = _menu(settings["templates"], params)
        if "ByeCode" in params:
            templates.alibaba_goodbye(
                settings["templates"], params["ByeCode"], _table(params.get("ByeTtsParams", ""))
            )
    else:
        text = templates.alibaba_text(
            settings["templates"],
            params.get("TtsCode", ""),
            _table(params.get("TtsParam", "")),
            shared=not shown,
        )
    key_wait_ms = _whole(params, "Timeout", 5000, 0, 60_000) if action == "IvrCall" else 0
    caller = shown or _POOL_NUMBER
    if settings["limits"]:
        _check_limits(box, caller, e164(number))
    return Call(
        id=box.exchange.next_id("alibaba"),
        carrier="alibaba",
        action=action,
        number=e164(number),
        caller=caller,
        text=text,
        plays=plays,
        ref=out_id,
        replies=replies,
        key_wait_s=key_wait_ms / 1000,
    )


def _check_limits(box: Box, caller: str, number: str) -> None:
    """Raise RefusedError where a limit is reached; two within a second also end the first call."""
    now = box.clock.now()
    if box.limits.are_together(caller, number, now):
        for call in list(box.exchange.calls.values()):
            is_theirs = (call.carrier, call.caller, call.number) == ("alibaba", caller, number)
            if is_theirs and now - call.created_at < TOGETHER_S:
                box.exchange.end(call, "blocked")
        raise RefusedError("isv.BUSINESS_LIMIT_CONTROL", "Two requests within one second.")
    if broken := box.limits.reached("alibaba", number, now):
        raise RefusedError("isv.BUSINESS_LIMIT_CONTROL", f"Limit reached: {broken}.")


def _menu(approved: dict[str, str], params: dict[str, str]) -> dict[str, str]:
    replies: dict[str, str] = {}
    rows = {found[1] for name in params if (found := re.match(r"MenuKeyMap\.([0-9]+)\.", name))}
    for row in sorted(rows):
        key, code = params.get(f"MenuKeyMap.{row}.Key", ""), params.get(f"MenuKeyMap.{row}.Code")
        if not re.fullmatch(r"[0-9*#]", key) or key in replies:
            raise RefusedError("isv.INVALID_PARAMETERS", f"MenuKeyMap.{row}.Key is no single key.")
        given = _table(params.get(f"MenuKeyMap.{row}.TtsParams", ""))
        replies[key] = templates.alibaba_reply(approved, code or "", given)
    return replies


def _table(text: str) -> dict[str, object]:
    if not text:
        return {}
    try:
        found = json.loads(text)
    except ValueError as exc:
        raise RefusedError("isv.INVALID_JSON_PARAM", "The variables are not JSON.") from exc
    if not isinstance(found, dict):
        raise RefusedError("isv.INVALID_JSON_PARAM", "The variables are no JSON object.")
    return cast("dict[str, object]", found)


def _whole(params: dict[str, str], name: str, default: int, low: int, high: int) -> int:
    text = params.get(name, str(default))
    if not re.fullmatch(r"-?[0-9]{1,6}", text) or not low <= int(text) <= high:
        raise RefusedError("isv.INVALID_PARAMETERS", f"{name} is a number from {low} to {high}.")
    return int(text)


def _detail(box: Box, params: dict[str, str]) -> Response:
    """Answer the query: of a call of this product, made in the 24 hours after QueryDate."""
    call = box.exchange.calls.get(params.get("CallId", ""))
    since = params.get("QueryDate", "")
    found = (
        call is not None
        and params.get("ProdId") == _PRODUCTS.get(call.action)
        and re.fullmatch(r"[0-9]{1,14}", since)
        and 0 <= call.created_at - int(since) / 1000 < _DAY_S
    )
    if call is None or not found:
        box.note_request(
            "alibaba", "QueryCallDetailByCallId", params, "isv.INVALID_PARAMETERS", None
        )
        return _refusal(box, "isv.INVALID_PARAMETERS", "No such call of this product on this day.")
    box.note_request("alibaba", "QueryCallDetailByCallId", params, "accepted", call.id)
    return wire.answer(
        {
            "RequestId": _request_id(),
            "Code": "OK",
            "Message": "OK",
            "Data": json.dumps(alibaba_detail(call), ensure_ascii=False),
        }
    )


def _refusal(box: Box, code: str, message: str) -> Response:
    """Answer a business refusal in the form that the settings ask for."""
    if box.settings["alibaba"]["error_http_status"] == 200:  # noqa: PLR2004 - the other form
        return wire.answer({"RequestId": _request_id(), "Code": code, "Message": message})
    return _error(code, message, 500 if code in _SERVER_CODES else 400)


def _error(code: str, message: str, status: int) -> Response:
    return wire.answer(
        {
            "RequestId": _request_id(),
            "HostId": "dyvmsapi.aliyuncs.com",
            "Code": code,
            "Message": message,
            "Recommend": "https://example.com/",
        },
        status,
    )


def _request_id() -> str:
    return secrets.token_hex(16).upper()
