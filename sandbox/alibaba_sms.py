"""Alibaba Cloud's SMS API (dysmsapi 2017-05-25): SendSms and QuerySendDetails.

Only the mainland's mobile numbers: the product for others has other actions.
"""

import re
from datetime import datetime, timedelta
from typing import Any

from sandbox import templates, text_templates
from sandbox.actions import Action, Done, sending
from sandbox.box import Box
from sandbox.limits import ALIBABA_CODES, ALIBABA_NOTICES, CHINA
from sandbox.messages import china, mainland
from sandbox.refusals import RefusedError
from sandbox.texts import Text

MOST_NUMBERS = 1000
_NUMBER = re.compile(r"(?:\+86|0086|86|\+)?(1[3-9][0-9]{9})")
_STATUS = {"sent": 1, "failed": 2, "delivered": 3}
_KEPT_DAYS = 30
_MOST_ON_A_PAGE = 50


def _e164(number: str) -> str | None:
    found = _NUMBER.fullmatch(number)
    return found and f"+86{found[1]}"


def _numbers(params: dict[str, str]) -> list[str]:
    told = params.get("PhoneNumbers", "").split(",")
    return [_e164(number) or number for number in told]


def _send(box: Box, _action: str, params: dict[str, str]) -> Done:
    """Check everything and return the texts. Raises RefusedError."""
    settings = box.settings["alibaba"]
    sign, template = params.get("SignName", ""), params.get("TemplateCode", "")
    numbers = _checked_numbers(params.get("PhoneNumbers", ""))
    if sign not in settings["sms_sign_names"]:
        raise RefusedError("isv.SMS_SIGNATURE_ILLEGAL", "The sign name is not approved.")
    given = templates.alibaba_variables(params.get("TemplateParam", ""))
    said = text_templates.alibaba_text(settings["sms_templates"], template, given, sign=sign)
    if not re.fullmatch("[0-9]{0,12}", params.get("SmsUpExtendCode", "")):
        raise RefusedError("isv.EXTEND_CODE_ERROR", "SmsUpExtendCode is digits only.")
    if settings["limits"]:
        _check_limits(box, numbers, sign, template)
    biz_id = box.texts.next_receipt("alibaba")
    texts = [
        Text(
            id=f"{biz_id}.{i}" if i else biz_id,
            carrier="alibaba",
            number=number,
            sign=sign,
            text=said,
            template=template,
            ref=params.get("OutId", ""),
            receipt=biz_id,
        )
        for i, number in enumerate(numbers)
    ]
    body = {"Code": "OK", "Message": "OK", "BizId": biz_id}
    return Done(biz_id, body, sending(box, texts))


def _checked_numbers(told: str) -> list[str]:
    numbers = [_e164(number) for number in told.split(",")]
    if len(numbers) > MOST_NUMBERS:
        raise RefusedError("isv.MOBILE_COUNT_OVER_LIMIT", f"Over {MOST_NUMBERS} numbers.")
    right = [number for number in numbers if number is not None]
    if len(right) < len(numbers):
        raise RefusedError("isv.MOBILE_NUMBER_ILLEGAL", "PhoneNumbers are mobiles of the mainland.")
    return list(dict.fromkeys(right))


def _check_limits(box: Box, numbers: list[str], sign: str, template: str) -> None:
    """Raise RefusedError where a limit is reached; a code has its own, whatever its template."""
    is_code = text_templates.is_code(box.settings["alibaba"]["sms_templates"][template])
    rules = ALIBABA_CODES if is_code else ALIBABA_NOTICES
    of = ("code", sign) if is_code else ("notice", sign, template)
    broken = box.limits.broken(
        [((*of, number), rule) for number in numbers for rule in rules], box.clock.now()
    )
    if broken:
        raise RefusedError(
            "isv.BUSINESS_LIMIT_CONTROL", f"触发{broken.name}流控Permits:{broken.most}"
        )


def _details(box: Box, _action: str, params: dict[str, str]) -> Done:
    """Answer what became of the texts to one number on one day of the last 30, newest first."""
    number = _e164(params.get("PhoneNumber", ""))
    if number is None:
        raise RefusedError("isv.MOBILE_NUMBER_ILLEGAL", "PhoneNumber is a mobile of the mainland.")
    day = _day(params.get("SendDate", ""), datetime.fromtimestamp(box.clock.now(), CHINA))
    size = _whole(params, "PageSize", _MOST_ON_A_PAGE)
    page = _whole(params, "CurrentPage", 1_000_000)
    found = [
        text
        for text in reversed(box.texts.all)
        if (text.carrier, text.number, text.direction) == ("alibaba", number, "out")
        and china(text.at).startswith(day)
        and params.get("BizId") in (None, "", text.receipt)
    ]
    shown = [_detail(text) for text in found[(page - 1) * size : page * size]]
    body = {
        "Code": "OK",
        "Message": "OK",
        "TotalCount": str(len(found)),
        "SmsSendDetailDTOs": {"SmsSendDetailDTO": shown},
    }
    return Done(None, body)


def _day(told: str, now: datetime) -> str:
    try:
        day = datetime.strptime(told, "%Y%m%d").replace(tzinfo=CHINA)
    except ValueError as exc:
        raise RefusedError("isv.INVALID_PARAMETERS", "SendDate is yyyyMMdd.") from exc
    if not now - timedelta(days=_KEPT_DAYS + 1) < day <= now:
        raise RefusedError("isv.INVALID_PARAMETERS", f"SendDate is of the last {_KEPT_DAYS} days.")
    return day.strftime("%Y-%m-%d")


def _whole(params: dict[str, str], name: str, most: int) -> int:
    told = params.get(name, "")
    if not re.fullmatch("[0-9]{1,7}", told) or not 1 <= int(told) <= most:
        raise RefusedError("isv.INVALID_PARAMETERS", f"{name} is a number from 1 to {most}.")
    return int(told)


def _detail(text: Text) -> dict[str, Any]:
    code = {"sent": "", "delivered": "DELIVERED", "failed": text.error}[text.status]
    return {
        "PhoneNum": mainland(text.number),
        "SendStatus": _STATUS[text.status],
        "ErrCode": code,
        "TemplateCode": text.template,
        "Content": f"【{text.sign}】{text.text}",
        "SendDate": china(text.at),
        "ReceiveDate": china(text.received_at),
        "OutId": text.ref,
    }


ACTIONS = {
    "SendSms": Action(_send, _numbers, empty={"Code": "OK", "Message": "OK"}),
    "QuerySendDetails": Action(_details),
}
