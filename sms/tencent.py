"""Tencent Cloud SMS: sms 2021-01-11 (SDK 3.1.153; callback pages 短信下发状态通知, 短信回复).

A template serves either the mainland or the rest of the world: these are the mainland's. What is
wrong with one number comes without an exception, beside it.
"""

import hashlib
from collections.abc import Iterator
from typing import Annotated, Any

from pydantic import AfterValidator, Field, model_validator
from tencentcloud.sms.v20210111 import models
from tencentcloud.sms.v20210111.sms_client import SmsClient

from clouds import faults, pushes
from clouds.probes import Proof
from clouds.templates import Templates
from clouds.tencent import COMMON, NAME, TencentCredentials, credential, error_of, probed, profile
from paging.errors import DeliveryError, Row
from paging.events import Event, MessageDelivered, MessageFailed, Receipt, ReplyReceived
from paging.people import Strict
from paging.ports import Callback, Message, Reading, Sent
from sms.receipts import RECEIPTS, UNDELIVERED
from sms.text import TENCENT, choose, fill, is_mainland_mobile, purposes, refuse_unfit, signed

OFFICIAL = "sms.tencentcloudapi.com"
ACCEPTED = b'{"result":0,"errmsg":"OK"}'

_WRONG = Row("misconfigured", "not_sent")
_CONTENT = Row("misconfigured", "not_sent", again="never")
_NO_CREDIT = Row("out_of_credit", "not_sent")
_NUMBER_LIMIT = Row("rate_limited", "limited", scope="number")
_ACCOUNT_LIMIT = Row("rate_limited", "limited", scope="account")
_BAD_NUMBER = Row("recipient_rejected", "bad_number", again="never")
_UPSTREAM = Row("transient", "not_sent", placed="maybe")

# Those of the SDK's list that SendSms can give for a mainland number.
CODES: dict[str, Row] = {
    "LimitExceeded.PhoneNumberThirtySecondLimit": _NUMBER_LIMIT,
    "LimitExceeded.PhoneNumberOneHourLimit": _NUMBER_LIMIT,
    "LimitExceeded.PhoneNumberDailyLimit": _NUMBER_LIMIT,
    "LimitExceeded.PhoneNumberSameContentDailyLimit": _NUMBER_LIMIT,
    "LimitExceeded.DeliveryFrequencyLimit": _NUMBER_LIMIT,
    "LimitExceeded.AppDailyLimit": _ACCOUNT_LIMIT,
    "LimitExceeded.AppMainlandChinaDailyLimit": _ACCOUNT_LIMIT,
    "LimitExceeded.DailyLimit": _ACCOUNT_LIMIT,
    "LimitExceeded.AppGlobalDailyLimit": _ACCOUNT_LIMIT,
    "LimitExceeded.GlobalSmsSendingRateLimit": _ACCOUNT_LIMIT,
    "LimitExceeded.PhoneNumberCountLimit": _WRONG,
    "InvalidParameterValue.IncorrectPhoneNumber": _BAD_NUMBER,
    "FailedOperation.PhoneNumberParseFail": _BAD_NUMBER,
    # Unsubscribed, or on a network's list of those who want no texts.
    "FailedOperation.PhoneNumberInBlacklist": Row("recipient_rejected", "blocked"),
    "FailedOperation.ContainSensitiveWord": _CONTENT,
    "InvalidParameter.DirtyWordFound": _CONTENT,
    "InvalidParameterValue.ProhibitedUseUrlInTemplateParameter": _CONTENT,
    "InvalidParameterValue.TemplateParameterLengthLimit": _CONTENT,
    "InvalidParameterValue.TemplateParameterFormatError": _CONTENT,
    "InvalidParameterValue.ContentLengthLimit": _CONTENT,
    "FailedOperation.SignatureIncorrectOrUnapproved": _WRONG,
    "FailedOperation.TemplateIncorrectOrUnapproved": _WRONG,
    "FailedOperation.TemplateUnapprovedOrNotExist": _WRONG,
    "FailedOperation.TemplateParamSetNotMatchApprovedTemplate": _WRONG,
    "FailedOperation.FailResolvePacket": _WRONG,
    "FailedOperation.JsonParseFail": _WRONG,
    "UnauthorizedOperation.*": _WRONG,
    "UnsupportedOperation*": _WRONG,
    "FailedOperation.InsufficientBalanceInSmsPackage": _NO_CREDIT,
    "UnauthorizedOperation.ServiceSuspendDueToArrears": _NO_CREDIT,
    "InternalError.JsonParseFail": _WRONG,
    "InternalError.RequestTimeException": _WRONG,  # our clock is more than 10 minutes off
    "InternalError.RestApiInterfaceNotExist": _WRONG,
    "InternalError.SigFieldMissing": _WRONG,
    "InternalError.SigVerificationFail": _WRONG,
    "InternalError.Timeout": _UPSTREAM,
    "InternalError.SendAndRecvFail": _UPSTREAM,
    "InternalError.OtherError": _UPSTREAM,
    "InternalError.UnknownError": _UPSTREAM,
    "InternalError.ParseBackendResponseFail": _UPSTREAM,
}

_ACCOUNT_UNUSABLE = (
    "UnauthorizedOperation",
    "InvalidParameterValue.SdkAppIdNotExist",
    "FailedOperation.InsufficientBalanceInSmsPackage",
)


class TencentSmsSettings(Strict):
    """`[providers.tencent.sms]`."""

    endpoint: Annotated[str, AfterValidator(faults.check_endpoint)] = ""
    sdk_app_id: str = Field(pattern=r"^\d{4,20}$", description='an SdkAppId, such as "1400000001"')
    sign_name: str = Field(
        pattern="^[^【】]{1,50}$", description="the approved sign name, without 【】"
    )
    variable_chars: int = Field(
        6,
        ge=6,
        le=100,
        description="how many characters the console allows in a variable, 6 to 100; 6 for "
        "accounts made since 2024 and not raised",
    )
    templates: Templates = Templates()

    @model_validator(mode="after")
    def _can_text(self) -> "TencentSmsSettings":
        refuse_unfit(self.templates, signed(TENCENT, self.sign_name, self.variable_chars))
        return self


class TencentSms:
    """Satisfies `clouds.pooled.Carrier`."""

    name = NAME

    def __init__(self, settings: TencentSmsSettings, credentials: TencentCredentials) -> None:
        self._settings = settings
        self._rules = signed(TENCENT, settings.sign_name, settings.variable_chars)
        self._client: Any = SmsClient(
            credential(credentials), credentials.region, profile(settings.endpoint, OFFICIAL)
        )
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
        request: Any = models.SendSmsRequest()
        request.PhoneNumberSet = [message.to]
        request.SmsSdkAppId = self._settings.sdk_app_id
        request.SignName = self._settings.sign_name
        request.TemplateId = template.id
        request.TemplateParamSet = written.params
        request.SessionContext = message.ref
        try:
            statuses = self._client.SendSms(request).SendStatusSet
        except Exception as exc:  # noqa: BLE001 - as documented, and as the wire surprises
            # From None: a traceback that anyone prints would show the number and the message.
            raise error_of(exc, CODES) from None
        status = statuses[0] if statuses else None
        code = str(status.Code) if status and status.Code else "Ok"
        if code != "Ok":
            raise DeliveryError(NAME, code, faults.row_of(NAME, code, CODES, COMMON))
        if status is None or not status.SerialNo:
            # The SDK looks for an error only under two content types: this may have been one.
            raise faults.without_id(NAME, "no_message_id")
        return Sent(str(status.SerialNo), written.text)

    def probe(self) -> Proof:
        """Ask for a text to nobody without a template, which can send nothing.

        A refusal that is about these proves the keys.
        """
        request: Any = models.SendSmsRequest()
        request.PhoneNumberSet, request.TemplateId = [], ""
        request.SmsSdkAppId = self._settings.sdk_app_id
        return probed(lambda: self._client.SendSms(request), CODES, _ACCOUNT_UNUSABLE)


class TencentSmsReports:
    """Satisfies `paging.ports.CallbackReader` for the status push: whether a text arrived."""

    name = NAME
    accepted = ACCEPTED

    def read_callback(self, callback: Callback) -> Reading:
        """Translate a batch of at most a hundred."""
        return pushes.read_each(pushes.listed(NAME, callback.body), _reported)


class TencentSmsReplies:
    """Satisfies `paging.ports.CallbackReader` for the reply push: what somebody answers."""

    name = NAME
    accepted = ACCEPTED

    def read_callback(self, callback: Callback) -> Reading:
        """Translate one reply."""
        return pushes.read_each([pushes.table(NAME, callback.body)], _replied)


def _reported(item: object) -> Iterator[Event]:
    record = pushes.record(item)
    serial, ref = pushes.text(record, "sid"), pushes.hint(record, "ext")
    status = pushes.text(record, "report_status")
    if not serial or status not in ("SUCCESS", "FAIL"):
        raise ValueError("sid, report_status")
    code = pushes.hint(record, "errmsg") or "unnamed"
    receipt = Receipt(
        NAME,
        f"sms:{serial}:{'arrived' if status == 'SUCCESS' else code}",
        ref=ref or None,
        provider_id=serial,
        address=_e164(record),
        at=pushes.china_time(record, "user_receive_time"),
        channel="sms",
    )
    if status == "SUCCESS":
        yield MessageDelivered(receipt)
    else:
        yield MessageFailed(receipt, code, RECEIPTS.get(code, UNDELIVERED))


def _replied(item: object) -> Iterator[Event]:
    record = pushes.record(item)
    number, text = _e164(record), pushes.said(record, "text")
    if number is None:
        raise ValueError("mobile")
    # A reply has no number of its own; one that comes again is the same in all of these.
    told = "\0".join((pushes.hint(record, "time"), number, text))
    receipt = Receipt(
        NAME,
        f"sms:reply:{hashlib.sha256(told.encode()).hexdigest()[:32]}",
        address=number,
        at=pushes.unix_time(record, "time"),
        caller=pushes.hint(record, "extend") or None,
        channel="sms",
    )
    yield ReplyReceived(receipt, text)


def _e164(record: pushes.Record) -> str | None:
    """Return the number, whose country is written beside it."""
    mobile, country = pushes.hint(record, "mobile"), pushes.hint(record, "nationcode") or "86"
    return f"+{country}{mobile}" if mobile.isdecimal() and country.isdecimal() else None
