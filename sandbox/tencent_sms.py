"""Tencent Cloud's SMS API (sms 2021-01-11): SendSms and PullSmsSendStatusByPhoneNumber.

What is wrong with one number stands beside it in SendStatusSet, what is wrong with the request is
an Error. The approved templates here are those of the mainland: others need their own.
"""

import re
from typing import Any

from sandbox import text_templates
from sandbox.actions import Action, Done, sending
from sandbox.box import Box
from sandbox.limits import TENCENT_CONTENT, TENCENT_DAY
from sandbox.messages import split
from sandbox.phones import is_possible_e164
from sandbox.refusals import RefusedError
from sandbox.tencent_products import Product
from sandbox.texts import Text

MOST_NUMBERS = 200
CONTEXT_BYTES = 512
_PULLED = 100
_PARAMETERS: dict[str, dict[str, type]] = {
    "SendSms": {
        "PhoneNumberSet": list,
        "SmsSdkAppId": str,
        "TemplateId": str,
        "SignName": str,
        "TemplateParamSet": list,
        "ExtendCode": str,
        "SessionContext": str,
        "SenderId": str,
    },
    "PullSmsSendStatusByPhoneNumber": {
        "BeginTime": int,
        "Offset": int,
        "Limit": int,
        "PhoneNumber": str,
        "SmsSdkAppId": str,
        "EndTime": int,
    },
}
_REQUIRED = ("SmsSdkAppId", "TemplateId", "BeginTime", "Limit", "PhoneNumber")


def _e164(number: object) -> str:
    """Return +8613700000000 for the ways that are allowed of writing it; any other as it is."""
    found = re.fullmatch(r"(?:\+?86|0086)?(1[0-9]{10})", str(number))
    return f"+86{found[1]}" if found else str(number)


def _numbers(params: dict[str, Any]) -> list[str]:
    return [_e164(number) for number in params.get("PhoneNumberSet", [])]


def _send(box: Box, _action: str, params: dict[str, Any]) -> Done:
    """Check everything and return the texts. Raises RefusedError."""
    settings = box.settings["tencent"]
    numbers = _checked_numbers(params)
    _check_application(settings, params)
    sign = params.get("SignName", "")
    if sign not in settings["sms_sign_names"]:
        raise RefusedError(
            "FailedOperation.SignatureIncorrectOrUnapproved", "The sign name is not approved."
        )
    context = params.get("SessionContext", "")
    if len(context.encode()) >= CONTEXT_BYTES:
        raise RefusedError("InvalidParameterValue", f"SessionContext is {CONTEXT_BYTES} bytes.")
    said = text_templates.tencent_text(
        settings["sms_templates"],
        params["TemplateId"],
        params.get("TemplateParamSet", []),
        sign=sign,
        characters=settings["sms_variable_chars"],
    )
    texts: list[Text] = []
    statuses: list[dict[str, Any]] = []
    for number in numbers:
        code = _refused(box, number, said) or "Ok"
        serial = box.texts.next_receipt("tencent") if code == "Ok" else ""
        text = Text(
            id=serial,
            carrier="tencent",
            number=number,
            sign=sign,
            text=said,
            template=params["TemplateId"],
            ref=context,
            receipt=serial,
        )
        statuses.append(_status(text, code))
        if code == "Ok":
            texts.append(text)
    body = {"SendStatusSet": statuses}
    if not texts:
        return Done(None, body, verdict=statuses[0]["Code"])
    return Done(texts[0].id, body, sending(box, texts))


def _checked_numbers(params: dict[str, Any]) -> list[str]:
    numbers = _numbers(params)
    if not numbers:
        raise RefusedError("MissingParameter.EmptyPhoneNumberSet", "PhoneNumberSet is empty.")
    if len(numbers) > MOST_NUMBERS:
        raise RefusedError("LimitExceeded.PhoneNumberCountLimit", f"Over {MOST_NUMBERS} numbers.")
    foreign = [is_possible_e164(number) and not number.startswith("+86") for number in numbers]
    if any(foreign) and not all(foreign):
        raise RefusedError(
            "UnsupportedOperation.ContainDomesticAndInternationalPhoneNumber",
            "Numbers of the mainland and others do not go together.",
        )
    if any(foreign):
        raise RefusedError(
            "FailedOperation.TemplateIncorrectOrUnapproved",
            "The template is for numbers of the mainland.",
        )
    return numbers


def _check_application(settings: dict[str, Any], params: dict[str, Any]) -> None:
    if params["SmsSdkAppId"] not in settings["sms_sdk_app_ids"]:
        raise RefusedError("UnauthorizedOperation.SmsSdkAppIdVerifyFail", "No such SmsSdkAppId.")


def _refused(box: Box, number: str, said: str) -> str | None:
    """Return why this number gets nothing, or None."""
    if not re.fullmatch(r"\+861[3-9][0-9]{9}", number):
        return "InvalidParameterValue.IncorrectPhoneNumber"
    if not box.settings["tencent"]["limits"]:
        return None
    rules = [(("content", number, said), TENCENT_CONTENT), (("text", number), TENCENT_DAY)]
    broken = box.limits.broken(rules, box.clock.now())
    return broken and broken.name


def _status(text: Text, code: str) -> dict[str, Any]:
    is_sent = code == "Ok"
    return {
        "SerialNo": text.receipt,
        "PhoneNumber": text.number,
        "Fee": text.parts if is_sent else 0,
        "SessionContext": text.ref,
        "Code": code,
        "Message": "send success" if is_sent else code.partition(".")[2],
        "IsoCode": "CN" if is_sent else "",
    }


def _pull(box: Box, _action: str, params: dict[str, Any]) -> Done:
    """Answer what became of the texts to one number, oldest first, without using them up."""
    settings = box.settings["tencent"]
    _check_application(settings, params)
    if not 1 <= params["Limit"] <= _PULLED:
        raise RefusedError("InvalidParameterValue", f"Limit is a number from 1 to {_PULLED}.")
    number, end = _e164(params["PhoneNumber"]), params.get("EndTime") or box.clock.now()
    found = [
        _pulled(text, settings)
        for text in box.texts.all
        if (text.carrier, text.number, text.direction) == ("tencent", number, "out")
        and text.received_at is not None
        and params["BeginTime"] <= text.at <= end
    ]
    return Done(None, {"PullSmsSendStatusSet": found[: params["Limit"]]})


def _pulled(text: Text, settings: dict[str, Any]) -> dict[str, Any]:
    nation, mobile = split(text.number)
    arrived = text.status == "delivered"
    return {
        "UserReceiveTime": int(text.received_at or 0),
        "CountryCode": nation,
        "SubscriberNumber": mobile,
        "PhoneNumber": text.number,
        "SerialNo": text.receipt,
        "ReportStatus": "SUCCESS" if arrived else "FAIL",
        "Description": "DELIVRD" if arrived else text.error,
        "SessionContext": text.ref if settings["sms_ext"] else "",
    }


PRODUCT = Product(
    service="sms",
    version="2021-01-11",
    actions={
        "SendSms": Action(_send, _numbers, empty={"SendStatusSet": []}),
        "PullSmsSendStatusByPhoneNumber": Action(_pull),
    },
    parameters=_PARAMETERS,
    required=_REQUIRED,
    not_json="FailedOperation.JsonParseFail",
)
