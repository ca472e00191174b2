"""Alibaba Cloud SMS: dysmsapi 2017-05-25 (API page SendSms; SDK 4.6.0).

Its domestic templates serve the mainland's mobile numbers. Receipts and replies: HTTP batch push
pattern; SmsReport, SmsUp (read 2026-11-22).
"""

import hashlib
import json
import re
from collections.abc import Iterator
from typing import Annotated, Any

from pydantic import AfterValidator, Field, model_validator

from clouds import faults, pushes
from clouds.alibaba import NAME, AlibabaCredentials, config, error_of, probed, refused
from clouds.probes import Proof
from clouds.templates import Templates
from paging.errors import DeliveryError, Row
from paging.events import Event, MessageDelivered, MessageFailed, Receipt, ReplyReceived
from paging.people import Strict
from paging.ports import Callback, Message, Reading, Sent
from sms.receipts import RECEIPTS, UNDELIVERED
from sms.text import ALIBABA, choose, fill, is_mainland_mobile, purposes, refuse_unfit, signed

OFFICIAL = "dysmsapi.aliyuncs.com"
ACCEPTED = '{"code":0,"msg":"接收成功"}'.encode()

_WRONG = Row("misconfigured", "not_sent")
_CONTENT = Row("misconfigured", "not_sent", again="never")
_NO_CREDIT = Row("out_of_credit", "not_sent")
_ACCOUNT_LIMIT = Row("rate_limited", "limited", scope="account")

# 国内消息API错误码, and what the product shares with voice.
CODES: dict[str, Row] = {
    # A minute's, an hour's or a day's: its message alone says which.
    "isv.BUSINESS_LIMIT_CONTROL": Row("rate_limited", "limited", scope="number"),
    "isv.DAY_LIMIT_CONTROL": _ACCOUNT_LIMIT,
    "isv.MONTH_LIMIT_CONTROL": _ACCOUNT_LIMIT,
    "isv.MOBILE_NUMBER_ILLEGAL": Row("recipient_rejected", "bad_number", again="never"),
    "isv.SMS_SIGNATURE_ILLEGAL": _WRONG,
    "isv.SMS_SIGN_ILLEGAL": _WRONG,
    "isv.SIGN_STATE_ILLEGAL": _WRONG,
    "isv.SMS_SIGNATURE_SCENE_ILLEGAL": _WRONG,
    "isv.SMS_TEMPLATE_ILLEGAL": _WRONG,
    "isv.EXTEND_CODE_ERROR": _WRONG,
    "isv.DOMESTIC_NUMBER_NOT_SUPPORTED": _WRONG,
    "isv.DENY_IP_RANGE": _WRONG,
    "isv.PRODUCT_UN_SUBSCRIPT": _WRONG,
    "isv.PRODUCT_UNSUBSCRIBE": _WRONG,
    "isv.ACCOUNT_NOT_EXISTS": _WRONG,
    "isv.MOBILE_COUNT_OVER_LIMIT": _WRONG,
    "isv.SMS_CONTENT_ILLEGAL": _CONTENT,
    "isv.TEMPLATE_MISSING_PARAMETERS": _CONTENT,
    "isv.TEMPLATE_PARAMS_ILLEGAL": _CONTENT,
    "isv.PARAM_LENGTH_LIMIT": _CONTENT,
    "isv.PARAM_NOT_SUPPORT_URL": _CONTENT,
    "isv.BLACK_KEY_CONTROL_LIMIT": _CONTENT,
    "isv.INVALID_PARAMETERS": _CONTENT,
    "isv.INVALID_JSON_PARAM": _CONTENT,
    "isv.OUT_OF_SERVICE": _NO_CREDIT,
    "isv.AMOUNT_NOT_ENOUGH": _NO_CREDIT,
    "isv.ACCOUNT_ABNORMAL": _NO_CREDIT,
}


class AlibabaSmsSettings(Strict):
    """`[providers.alibaba.sms]`."""

    endpoint: Annotated[str, AfterValidator(faults.check_endpoint)] = ""
    sign_name: str = Field(
        pattern="^[^【】]{1,50}$", description="the approved sign name, without 【】"
    )
    templates: Templates = Templates()

    @model_validator(mode="after")
    def _can_text(self) -> "AlibabaSmsSettings":
        refuse_unfit(self.templates, signed(ALIBABA, self.sign_name))
        return self


class AlibabaSms:
    """Satisfies `clouds.pooled.Carrier`."""

    name = NAME

    def __init__(self, settings: AlibabaSmsSettings, credentials: AlibabaCredentials) -> None:
        self._settings = settings
        self._rules = signed(ALIBABA, settings.sign_name)
        # Not above: 3 MB that an installation without these texts does not owe.
        from alibabacloud_dysmsapi20170525 import client, models  # noqa: PLC0415

        self._models: Any = models
        self._client: Any = client.Client(config(credentials, settings.endpoint, OFFICIAL))
        self.purposes = purposes(settings.templates)

    def serves(self, number: str) -> bool:
        """Say whether this E.164 number can be texted: the mainland's mobile numbers can."""
        return is_mainland_mobile(number)

    def send(self, message: Message) -> Sent:
        """Send one text; block. Raises DeliveryError and nothing else."""
        template = choose(self._settings.templates, message)
        if template is None:
            raise DeliveryError(NAME, "no_template", _WRONG)
        written = fill(template, message, self._rules)
        request = self._models.SendSmsRequest(
            phone_numbers=message.to.removeprefix("+86"),
            sign_name=self._settings.sign_name,
            template_code=template.id,
            template_param=json.dumps(written.params, ensure_ascii=False),
            out_id=message.ref,
        )
        try:
            body = self._client.send_sms(request).body
            code, biz_id = body.code, body.biz_id
        except Exception as exc:  # noqa: BLE001 - as documented, and as the wire surprises
            # From None: a traceback that anyone prints would show the number and the message.
            raise error_of(exc, CODES) from None
        if code and code != "OK":
            raise refused(str(code), CODES)
        if not code or not biz_id:
            raise faults.without_id(NAME, "no_message_id")
        return Sent(str(biz_id), written.text)

    def probe(self) -> Proof:
        """Ask for the texts of a day before the product was, which sends nothing.

        An answer of the product itself, such as that it keeps no such days, proves the keys.
        """
        request = self._models.QuerySendDetailsRequest(
            phone_number="13000000000", send_date="20000101", page_size=1, current_page=1
        )
        return probed(
            lambda: self._client.query_send_details(request).body,
            CODES,
            account=("是否开通短信服务及余额", "the product and the balance"),
        )


class AlibabaSmsReports:
    """Satisfies `paging.ports.CallbackReader` for SmsReport: whether a text arrived."""

    name = NAME
    accepted = ACCEPTED

    def read_callback(self, callback: Callback) -> Reading:
        """Translate a batch of records."""
        return pushes.read_each(pushes.listed(NAME, callback.body), _reported)


class AlibabaSmsReplies:
    """Satisfies `paging.ports.CallbackReader` for SmsUp: what people answer."""

    name = NAME
    accepted = ACCEPTED

    def read_callback(self, callback: Callback) -> Reading:
        """Translate a batch of records."""
        return pushes.read_each(pushes.listed(NAME, callback.body), _replied)


def _reported(item: object) -> Iterator[Event]:
    record = pushes.record(item)
    biz_id, ref = pushes.text(record, "biz_id"), pushes.text(record, "out_id")
    if not (biz_id or ref):
        raise ValueError("biz_id")
    arrived = _is_true(record, "success")
    code = pushes.hint(record, "err_code") or "unnamed"
    receipt = Receipt(
        NAME,
        f"sms:{biz_id or ref}:{'arrived' if arrived else code}",
        ref=ref or None,
        provider_id=biz_id or None,
        address=_e164(pushes.hint(record, "phone_number")),
        at=pushes.china_time(record, "report_time"),
        channel="sms",
    )
    if arrived:
        yield MessageDelivered(receipt)
    else:
        yield MessageFailed(receipt, code, RECEIPTS.get(code, UNDELIVERED))


def _replied(item: object) -> Iterator[Event]:
    record = pushes.record(item)
    number, text = _e164(pushes.text(record, "phone_number")), pushes.said(record, "content")
    if number is None:
        raise ValueError("phone_number")
    # Repeats are the same in all of these; its number alone may be missing, or used again.
    told_apart = (pushes.hint(record, name) for name in ("sequence_id", "send_time"))
    digest = hashlib.sha256("\0".join((*told_apart, number, text)).encode()).hexdigest()
    receipt = Receipt(
        NAME,
        f"sms:reply:{digest[:32]}",
        address=number,
        at=pushes.china_time(record, "send_time"),
        caller=pushes.hint(record, "dest_code") or None,
        channel="sms",
    )
    yield ReplyReceived(receipt, text)


def _is_true(record: pushes.Record, name: str) -> bool:
    """Return a yes or no, which some write as text. Raises ValueError."""
    value = record.get(name)
    known = {"true": True, "false": False}.get(str(value).strip().lower())
    if known is None or not isinstance(value, bool | str):
        raise ValueError(name)
    return known


def _e164(number: str) -> str | None:
    """Return a mainland number, with or without its country in front, as E.164."""
    found = re.fullmatch(r"(?:\+?86|0086)?(1\d{10})", number)
    return found and f"+86{found[1]}"
