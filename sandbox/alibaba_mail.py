"""Alibaba Cloud's DirectMail (dm 2015-11-23): SingleSendMail and QueryMailAddressByParam.

Its pages name no code for a wrong ReplyToAddress, FromAlias or Headers, nor for a wrong KeyWord,
PageNo or PageSize: those are made up.
"""

import json
import re
from typing import Any, cast

from sandbox.actions import Action, Done, receiving
from sandbox.box import Box
from sandbox.mails import Mail
from sandbox.refusals import RefusedError

MOST_ADDRESSES = 100
SUBJECT = 256
ALIAS = 15
MOST_HEADERS = 10
BODY_BYTES = 8 * 1024 * 1024
_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")
_LINE_END = re.compile(r"[\r\n]")
_BOOLEANS = ("true", "false")  # in any case: the Python SDK sends them as True and False


def _send(box: Box, _action: str, params: dict[str, str]) -> Done:
    """Check everything and return the mails. Raises RefusedError."""
    account, alias = params.get("AccountName", ""), params.get("FromAlias", "")
    if account not in box.settings["alibaba"]["mail_account_names"]:
        raise RefusedError("InvalidMailAddress.NotFound", "The AccountName does not exist.")
    if params.get("AddressType") not in ("0", "1"):
        raise RefusedError("InvalidMailAddressSendType.Malformed", "AddressType is 0 or 1.")
    if params.get("ReplyToAddress", "").lower() not in _BOOLEANS:
        raise RefusedError("InvalidReplyToAddress", "ReplyToAddress is true or false.")
    if len(alias) >= ALIAS or _LINE_END.search(alias):
        raise RefusedError("InvalidFromALias.Malformed", f"FromAlias is under {ALIAS} characters.")
    addresses = params.get("ToAddress", "").split(",")
    if len(addresses) > MOST_ADDRESSES or not all(map(_ADDRESS.fullmatch, addresses)):
        raise RefusedError("InvalidToAddress", "ToAddress is not right.")
    subject = params.get("Subject", "")
    if not 1 <= len(subject) <= SUBJECT or _LINE_END.search(subject):
        raise RefusedError("InvalidSubject.Malformed", f"Subject is 1 to {SUBJECT} characters.")
    html, text = params.get("HtmlBody", ""), params.get("TextBody", "")
    if not (html or text) or max(len(html.encode()), len(text.encode())) > BODY_BYTES:
        raise RefusedError("InvalidBody", "HtmlBody or TextBody is missing, or too long.")
    headers = _headers(params.get("Headers", ""))
    mails = [
        Mail(
            id=box.mails.next_id(),
            via="alibaba",
            sender=f"{alias} <{account}>" if alias else account,
            to=address,
            subject=subject,
            html=html,
            text=text,
            headers=headers,
            at=box.clock.now(),
        )
        for address in addresses
    ]
    return Done(mails[0].id, {"EnvId": mails[0].id}, receiving(box, mails))


def _headers(told: str) -> dict[str, str]:
    if not told:
        return {}
    try:
        found = json.loads(told)
    except ValueError as exc:
        raise RefusedError("InvalidHeaders", "Headers is not JSON.") from exc
    headers = cast("dict[str, Any]", found)
    are_right = isinstance(found, dict) and all(
        re.fullmatch("[A-Za-z0-9-]{1,76}", name)
        and isinstance(value, str)
        and not _LINE_END.search(value)
        for name, value in headers.items()
    )
    if not are_right or len(headers) > MOST_HEADERS:
        raise RefusedError("InvalidHeaders", f"Headers is an object of {MOST_HEADERS} texts.")
    return headers


def _addresses(box: Box, _action: str, params: dict[str, str]) -> Done:
    """Answer which sender's addresses hold KeyWord, a page of them. Raises RefusedError."""
    word = params.get("KeyWord", "")
    if not re.fullmatch(r"[A-Za-z0-9.@-]{0,60}", word):
        raise RefusedError("InvalidKeyWord", "KeyWord is up to 60 letters, digits, '.', '-', '@'.")
    page, size = _whole(params, "PageNo", 1), _whole(params, "PageSize", 10)
    known = enumerate(box.settings["alibaba"]["mail_account_names"], 1)
    found = [_address(i, name) for i, name in known if word in name]
    body = {
        "TotalCount": len(found),
        "PageNumber": page,
        "PageSize": size,
        "data": {"mailAddress": found[(page - 1) * size : page * size]},
    }
    return Done(None, body)


def _whole(params: dict[str, str], name: str, usual: int) -> int:
    told = params.get(name, str(usual))
    if not re.fullmatch("[1-9][0-9]{0,6}", told):
        raise RefusedError(f"Invalid{name}", f"{name} is a whole number above 0.")
    return int(told)


def _address(i: int, name: str) -> dict[str, str]:
    """Return one address in good standing, all as text as the page shows it (2025-12)."""
    return {
        "MailAddressId": str(i),
        "AccountName": name,
        "AccountStatus": "0",  # 1 is frozen
        "ReplyAddress": "",
        "ReplyStatus": "0",
        "Sendtype": "trigger",
        "CreateTime": "2026-01-01T00:00Z",
        "DomainStatus": "0",
        "DailyCount": "2000",
        "DailyReqCount": "0",
        "MonthCount": "60000",
        "MonthReqCount": "0",
    }


ACTIONS = {
    "SingleSendMail": Action(_send, empty={}),
    "QueryMailAddressByParam": Action(_addresses),
}
