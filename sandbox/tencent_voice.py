"""Tencent Cloud's voice API (vms 2020-09-02): SendTtsVoice and SendCodeVoice."""

import re
from typing import Any

from sandbox import templates
from sandbox.actions import Action, Done, placing
from sandbox.box import Box
from sandbox.calls import Call
from sandbox.phones import is_possible_e164
from sandbox.refusals import RefusedError
from sandbox.tencent_products import Product

CALLER = "075500000000"
MOST_PLAYS = 3
# What each action takes, and of which kind.
_PARAMETERS: dict[str, dict[str, type]] = {
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
_REQUIRED = ("TemplateId", "CodeMessage", "CalledNumber", "VoiceSdkAppid")


def _numbers(params: dict[str, Any]) -> list[str]:
    return [params["CalledNumber"]]


def _place(box: Box, action: str, params: dict[str, Any]) -> Done:
    call = _call(box, action, params)
    context = params.get("SessionContext", "")
    return Done(
        call.id, {"SendStatus": {"CallId": call.id, "SessionContext": context}}, placing(box, call)
    )


def _call(box: Box, action: str, params: dict[str, Any]) -> Call:
    """Check everything and return the call. Raises RefusedError."""
    settings = box.settings["tencent"]
    number = params["CalledNumber"]
    if not is_possible_e164(number):
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


def _code(code: str) -> str:
    if not re.fullmatch(r"[0-9]{1,10}", code):
        raise RefusedError("FailedOperation.InvalidParameters", "CodeMessage is digits only.")
    return f"您的验证码是{'、'.join(code)}"


def _page(settings: dict[str, Any], params: dict[str, Any]) -> str:
    given = params.get("TemplateParamSet", [])
    return templates.tencent_text(settings["templates"], params["TemplateId"], given)


_CALL = Action(_place, _numbers, empty={"SendStatus": None})
PRODUCT = Product(
    service="vms",
    version="2020-09-02",
    actions={"SendTtsVoice": _CALL, "SendCodeVoice": _CALL},
    parameters=_PARAMETERS,
    required=_REQUIRED,
    not_json="FailedOperation.InvalidJsonParameters",
)
