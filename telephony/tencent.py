"""Tencent Cloud voice: vms 2020-09-02 (SDK 3.0.1459; callback pages 51533 to 51536).

Two actions only: no cancel, no query. Receipts carry the call's id and no ref of ours. Whether it
calls abroad is not documented: routes decide which numbers are given to it.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, model_validator
from tencentcloud.vms.v20200902 import models
from tencentcloud.vms.v20200902.vms_client import VmsClient

from clouds import faults, pushes
from clouds.probes import Proof
from clouds.templates import Templates
from clouds.tencent import NAME, TencentCredentials, credential, error_of, probed, profile
from paging.errors import DeliveryError, Row
from paging.events import CallAnswered, CallEnded, CallFailed, DigitsPressed, Event, Receipt
from paging.people import Strict
from paging.ports import Callback, Message, Purpose, Reading, Sent
from telephony.speech import silence_s, spoken_seconds
from telephony.templates import TENCENT, fill, refuse_unfit

OFFICIAL = "vms.tencentcloudapi.com"
KEY_WAIT_S = 10.0  # after the text; the carrier documents none
CODE_TIMES = 2  # so that there is time to write it down

_WRONG = Row("misconfigured", "not_sent")
_CONTENT = Row("misconfigured", "not_sent", again="never")
_NO_CREDIT = Row("out_of_credit", "not_sent")
_UPSTREAM = Row("transient", "not_sent", placed="maybe")
_DOWN = Row("provider_down", "not_sent", placed="maybe")

# The full list of SDK 3.0.1459.
CODES: dict[str, Row] = {
    "LimitExceeded.DeliveryFrequencyLimit": Row("rate_limited", "limited", scope="number"),
    "InvalidParameterValue.CalledNumberVerifyFail": Row(
        "recipient_rejected", "bad_number", again="never"
    ),
    "FailedOperation.ContainSensitiveWord": _CONTENT,
    "InvalidParameterValue.ContentLengthLimit": _CONTENT,
    "FailedOperation.TemplateIncorrectOrUnapproved": _WRONG,
    "FailedOperation.PhonenumberUnappliedOrExpired": _WRONG,
    "FailedOperation.InvalidParameters": _WRONG,
    "FailedOperation.InvalidJsonParameters": _WRONG,
    "FailedOperation.JsonParseFail": _WRONG,
    "FailedOperation.FailResolvePacket": _WRONG,
    "InvalidParameterValue.SdkAppidNotExist": _WRONG,
    "UnauthorizedOperation.SdkAppidIsDisabled": _WRONG,
    "UnauthorizedOperation.VoiceSdkAppidVerifyFail": _WRONG,
    "InternalError.RequestTimeException": _WRONG,  # our clock is more than 10 minutes off
    "InternalError.RestApiInterfaceNotExist": _WRONG,
    "InternalError.SigVerificationFail": _WRONG,
    "UnsupportedOperation": _WRONG,
    "FailedOperation.InsufficientBalanceInVoicePackage": _NO_CREDIT,
    "UnauthorizedOperation.ServiceSuspendDueToArrears": _NO_CREDIT,
    "FailedOperation.AccessUpstreamTimeout": _UPSTREAM,
    "InternalError.AccessUpstreamTimeout": _UPSTREAM,
    "InternalError.SsoSendRecvFail": _UPSTREAM,
    "InternalError.UpstreamError": _DOWN,
    "FailedOperation.ParametersOtherError": _DOWN,
}

_ACCOUNT_UNUSABLE = (
    "UnauthorizedOperation",
    "InvalidParameterValue.SdkAppidNotExist",
    "FailedOperation.InsufficientBalanceInVoicePackage",
)


def _recipient(outcome: str, *, again: Literal["never", "later"] = "later") -> Row:
    return Row("recipient_rejected", outcome, other_provider=False, again=again)


# failure_code of voice_failure_callback (语音消息 错误码 37531, a list cut after 20).
RECEIPTS: dict[str, Row] = {
    "1": _recipient("off"),
    "2": _recipient("busy"),
    "3": _recipient("out_of_coverage"),
    "4": _recipient("suspended", again="never"),
    "5": _recipient("no_answer"),
    "6": _recipient("unreachable"),
    "7": _recipient("suspended", again="never"),
    "8": _recipient("bad_number", again="never"),
    "9": Row("transient", "not_sent"),
    "10": _recipient("busy"),
    "11": Row("unknown", "unreachable"),
    "12": Row("unknown", "blocked"),
    "13": _recipient("suspended", again="never"),
    "15": _recipient("bad_number", again="never"),
    "16": _recipient("unreachable"),
    "17": _recipient("bad_number", again="never"),
    "18": Row("transient", "not_sent"),
    "19": _recipient("unreachable"),
    "20": _recipient("no_answer"),
}
# result of voiceprompt_callback; "0" is answered.
RESULTS: dict[str, Row] = {
    "1": _recipient("no_answer"),
    "2": Row("unknown", "unreachable"),
}


class TencentVoiceSettings(Strict):
    """`[providers.tencent.voice]`."""

    endpoint: Annotated[str, AfterValidator(faults.check_endpoint)] = ""
    sdk_app_id: str = Field(pattern=r"^\d{4,20}$", description='an SdkAppid, such as "1400000000"')
    play_times: int = Field(2, ge=1, le=3, description="how often the text is read, 1 to 3")
    templates: Templates = Templates()

    @model_validator(mode="after")
    def _can_call(self) -> "TencentVoiceSettings":
        refuse_unfit(self.templates, TENCENT)
        return self


class TencentVoice:
    """Satisfies `paging.ports.CallbackReader` and `clouds.pooled.Carrier`."""

    name = NAME
    purposes: frozenset[Purpose] = frozenset({"page", "test", "code"})
    accepted = b'{"result":0,"errmsg":"OK"}'

    def __init__(self, settings: TencentVoiceSettings, credentials: TencentCredentials) -> None:
        self._settings = settings
        self._client: Any = VmsClient(
            credential(credentials), credentials.region, profile(settings.endpoint, OFFICIAL)
        )

    def serves(self, number: str) -> bool:
        """Say whether this number can be called: any E.164 number is given to the carrier."""
        return number.startswith("+")

    def send(self, message: Message) -> Sent:
        """Place one call; block. Raises DeliveryError and nothing else."""
        if message.purpose == "code":
            return self._place(*self._code(message), key_wait=0.0)
        return self._place(*self._page(message), key_wait=KEY_WAIT_S)

    def _page(self, message: Message) -> tuple[str, Any, str]:
        """Return the action, its request, and what will be heard."""
        page = self._settings.templates.choose("page", message.locale)
        if page is None:
            raise DeliveryError(NAME, "no_template", _WRONG)
        spoken = fill(page, message.fields, TENCENT, message.locale)
        request: Any = models.SendTtsVoiceRequest()
        request.TemplateId = page.id
        request.TemplateParamSet = spoken.params
        request.PlayTimes = self._settings.play_times
        return "SendTtsVoice", self._to(message, request), spoken.text

    def _code(self, message: Message) -> tuple[str, Any, str]:
        """Return the same of a code of digits: the carrier says these words before it."""
        request: Any = models.SendCodeVoiceRequest()
        request.CodeMessage = message.fields["code"]
        request.PlayTimes = CODE_TIMES
        return "SendCodeVoice", self._to(message, request), f"您的验证码是{request.CodeMessage}"

    def _to(self, message: Message, request: Any) -> Any:  # noqa: ANN401 - the SDK has no types
        request.CalledNumber = message.to
        request.VoiceSdkAppid = self._settings.sdk_app_id
        request.SessionContext = message.ref
        return request

    def _place(self, action: str, request: Any, text: str, *, key_wait: float) -> Sent:  # noqa: ANN401 - as above
        try:
            status = getattr(self._client, action)(request).SendStatus
        except Exception as exc:  # noqa: BLE001 - as documented, and as the wire surprises
            # From None: a traceback that anyone prints would show the number and the message.
            raise error_of(exc, CODES) from None
        if status is None or not status.CallId:
            # The SDK looks for an error only under two content types: this may have been one.
            raise faults.without_id(NAME, "no_call_id")
        silence = silence_s(spoken_seconds(text), request.PlayTimes, key_wait)
        return Sent(str(status.CallId), text, silence)

    def probe(self) -> Proof:
        """Ask for a call without a number or a template, which can send nothing.

        A refusal that is about these proves the keys.
        """
        request: Any = models.SendTtsVoiceRequest()
        request.TemplateId, request.CalledNumber = "", ""
        request.VoiceSdkAppid = self._settings.sdk_app_id
        return probed(lambda: self._client.SendTtsVoice(request), CODES, _ACCOUNT_UNUSABLE)

    def read_callback(self, callback: Callback) -> Reading:
        """Translate one push: an object with one key that says what it is."""
        return pushes.read_each(pushes.table(NAME, callback.body).items(), _events)


def _events(push: tuple[str, Any]) -> Iterator[Event]:
    """Translate one push. Raises ValueError for one that cannot be read."""
    kind, item = push[0], pushes.record(push[1])
    match kind:
        case "voicekey_callback":
            digits = pushes.keys(item, "keypress")
            if not digits:
                raise ValueError("keypress")
            yield DigitsPressed(_receipt(item, f"{kind}:{digits}"), digits)
        case "voiceprompt_callback" | "voicecode_callback":
            yield from _end(item, kind)
        case "voice_failure_callback":
            code = pushes.text(item, "failure_code")
            receipt = _receipt(item, f"{kind}:{code}")
            row = RECEIPTS.get(code) or faults.row_of(NAME, f"failure {code}")
            yield CallFailed(receipt, code, row)
        case _:
            raise ValueError("kind")


def _end(item: pushes.Record, kind: str) -> Iterator[Event]:
    result = pushes.text(item, "result")
    receipt = _receipt(item, f"{kind}:{result}")
    if result == "0":
        answered_at = pushes.unix_time(item, "accept_time")
        yield CallAnswered(replace(receipt, key=f"{receipt.key}:answered", at=answered_at))
        yield CallEnded(receipt, "completed", result)
    else:
        row = RESULTS.get(result) or faults.row_of(NAME, f"result {result}")
        yield CallFailed(receipt, f"result {result}", row)


def _receipt(item: pushes.Record, what: str) -> Receipt:
    """Return what ties it to its call. Raises ValueError.

    `what` happens once a call, as far as the carrier tells: a key has no time and no number of its
    own, so that one pressed twice cannot be told from one pushed twice.
    """
    call_id = pushes.text(item, "callid")
    if not call_id or what.endswith(":"):
        raise ValueError("callid")
    mobile, country = pushes.hint(item, "mobile"), pushes.hint(item, "nationcode") or "86"
    return Receipt(
        NAME,
        f"{call_id}:{what}",
        provider_id=call_id,
        address=f"+{country}{mobile}" if mobile else None,
        at=pushes.unix_time(item, "end_calltime"),
        caller=pushes.hint(item, "call_from") or None,
    )
