"""Alibaba Cloud's voice API (dyvmsapi 2017-05-25): SingleCallByTts, IvrCall and the query."""

import json
import re

from sandbox import templates
from sandbox.actions import Action, Done, placing
from sandbox.box import Box
from sandbox.calls import Call
from sandbox.limits import TOGETHER_S
from sandbox.messages import alibaba_detail
from sandbox.phones import e164
from sandbox.refusals import RefusedError

OUT_ID_BYTES = 15
_DAY_S = 86_400
_MAINLAND = re.compile(r"1[3-9][0-9]{9}|0[1-9][0-9]{8,10}")
_PRODUCTS = {"SingleCallByTts": "11010000138001", "IvrCall": "11000000300005"}
_POOL_NUMBER = "095000000000"  # stands in for one of the numbers of the shared mode


def _numbers(params: dict[str, str]) -> list[str]:
    number = params.get("CalledNumber", "")
    return [e164(number) if _MAINLAND.fullmatch(number) else number]


def _place(box: Box, action: str, params: dict[str, str]) -> Done:
    call = _call(box, action, params)
    body = {"Code": "OK", "Message": "OK", "CallId": call.id}
    return Done(call.id, body, placing(box, call))


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
            templates.alibaba_variables(params.get("StartTtsParams", "")),
            shared=False,
        )
        replies = _menu(settings["templates"], params)
        if "ByeCode" in params:
            templates.alibaba_goodbye(
                settings["templates"],
                params["ByeCode"],
                templates.alibaba_variables(params.get("ByeTtsParams", "")),
            )
    else:
        text = templates.alibaba_text(
            settings["templates"],
            params.get("TtsCode", ""),
            templates.alibaba_variables(params.get("TtsParam", "")),
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
        given = templates.alibaba_variables(params.get(f"MenuKeyMap.{row}.TtsParams", ""))
        replies[key] = templates.alibaba_reply(approved, code or "", given)
    return replies


def _whole(params: dict[str, str], name: str, default: int, low: int, high: int) -> int:
    text = params.get(name, str(default))
    if not re.fullmatch(r"-?[0-9]{1,6}", text) or not low <= int(text) <= high:
        raise RefusedError("isv.INVALID_PARAMETERS", f"{name} is a number from {low} to {high}.")
    return int(text)


def _detail(box: Box, _action: str, params: dict[str, str]) -> Done:
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
        raise RefusedError("isv.INVALID_PARAMETERS", "No such call of this product on this day.")
    data = json.dumps(alibaba_detail(call), ensure_ascii=False)
    return Done(call.id, {"Code": "OK", "Message": "OK", "Data": data})


def _cancel(_box: Box, _action: str, _params: dict[str, str]) -> Done:
    raise RefusedError("isv.INVALID_PARAMETERS", "CancelCall is for calls of ClickToDial only.")


_CALL = Action(_place, _numbers, empty={"Code": "OK", "Message": "OK"})
ACTIONS = {
    "SingleCallByTts": _CALL,
    "IvrCall": _CALL,
    "QueryCallDetailByCallId": Action(_detail),
    "CancelCall": Action(_cancel),
}
