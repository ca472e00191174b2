"""Tencent Cloud voice: vms 2020-09-02 (SDK 3.0.1459; callback pages 51533 to 51536).

Two actions only: no cancel, no query. Receipts carry the call's id and no ref of ours. Whether it
calls abroad is not documented: routes decide which numbers are given to it.
"""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, Literal, cast

from pydantic import AfterValidator, Field, model_validator
from tencentcloud.vms.v20200902 import models
from tencentcloud.vms.v20200902.vms_client import VmsClient

from clouds import faults
from clouds.tencent import NAME, TencentCredentials, credential, error_of, profile
from paging.errors import CallbackMalformedError, DeliveryError, Row
from paging.events import CallAnswered, CallEnded, CallEvent, CallFailed, DigitsPressed, Receipt
from paging.menu import Menu
from paging.people import Strict
from paging.ports import Callback, CallRequest, Placed, Reading
from telephony.pooled import silence_s
from telephony.speech import spoken_seconds
from telephony.templates import TENCENT, Templates, fill, refuse_unfit

OFFICIAL = "vms.tencentcloudapi.com"
KEY_WAIT_S = 10.0  # after the text; the carrier documents none

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


def _recipient(outcome: str, *, again: Literal["never", "later"] = "later") -> Row:
    return Row("recipient_rejected", outcome, other_provider=False, again=again)


# failure_code of voice_failure_callback (语音消息 错误码 37531, a list cut after 20).
RECEIPTS: dict[str, Row] = {
    "1": _recipient("off"),
    "2": _recipient("busy"),
    "3": _recipient("out_of_coverage"),
    "4": _recipient("suspended"),
    "5": _recipient("no_answer"),
    "6": _recipient("unreachable"),
    "7": _recipient("suspended"),
    "8": _recipient("bad_number", again="never"),
    "9": Row("transient", "not_sent"),
    "10": _recipient("busy"),
    "11": Row("unknown", "unreachable"),
    "12": Row("unknown", "blocked"),
    "13": _recipient("suspended"),
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
        if self.templates.page is None:
            msg = "templates.page: missing; expected the approved text of a page"
            raise ValueError(msg)
        refuse_unfit(self.templates, TENCENT)
        return self


class TencentVoice:
    """Satisfies `paging.ports.CallbackReader` and `telephony.pooled.Carrier`."""

    name = NAME
    accepted = b'{"result":0,"errmsg":"OK"}'

    def __init__(
        self, settings: TencentVoiceSettings, credentials: TencentCredentials, _menu: Menu
    ) -> None:
        self._settings = settings
        self._client: Any = VmsClient(
            credential(credentials), credentials.region, profile(settings.endpoint, OFFICIAL)
        )

    def serves(self, number: str) -> bool:
        """Say whether this number can be called: any E.164 number is given to the carrier."""
        return number.startswith("+")

    def place_call(self, call: CallRequest) -> Placed:
        """Place one call; block. Raises DeliveryError and nothing else."""
        page = self._settings.templates.choose("page", call.locale)
        if page is None:
            raise DeliveryError(NAME, "no_template", _WRONG)
        spoken = fill(page, call.fields, TENCENT, call.locale)
        request: Any = models.SendTtsVoiceRequest()
        request.TemplateId = page.id
        request.TemplateParamSet = spoken.params
        request.CalledNumber = call.to
        request.VoiceSdkAppid = self._settings.sdk_app_id
        request.PlayTimes = self._settings.play_times
        request.SessionContext = call.ref
        try:
            answer = self._client.SendTtsVoice(request)
        except Exception as exc:
            raise error_of(exc, CODES) from exc
        status = answer.SendStatus
        if status is None or not status.CallId:
            # The SDK looks for an error only under two content types: this may have been one.
            raise DeliveryError(NAME, "no_call_id", faults.UNREADABLE)
        return Placed(
            str(status.CallId),
            spoken.text,
            silence_s(spoken_seconds(spoken.text), self._settings.play_times, KEY_WAIT_S),
        )

    def probe(self) -> tuple[Literal["proved", "unprovable", "wrong"], dict[str, str]]:
        """Ask for a call without a number or a template, which can send nothing.

        A refusal that is not about the keys proves them.
        """
        request: Any = models.SendTtsVoiceRequest()
        request.TemplateId, request.CalledNumber, request.VoiceSdkAppid = "", "", ""
        try:
            self._client.SendTtsVoice(request)
        except Exception as exc:  # noqa: BLE001 - whatever it is, its code says what to do
            error = error_of(exc, CODES)
            if error.code.startswith("AuthFailure"):
                return "wrong", {
                    "zh-CN": f"密钥被拒绝({error.code}):检查 SecretId 与 SecretKey",
                    "en": f"the keys were refused ({error.code}): check SecretId and SecretKey",
                }
            if error.code in ("not_connected", "answer_lost"):
                return "wrong", {
                    "zh-CN": f"连接不上({error.code}):检查网络与 endpoint",
                    "en": f"not reached ({error.code}): check the network and endpoint",
                }
        return "proved", {"zh-CN": "密钥有效", "en": "the keys are right"}

    def read_callback(self, callback: Callback) -> Reading:
        """Translate one push: an object with one key that says what it is."""
        try:
            body: Any = json.loads(callback.body)
        except ValueError as exc:
            raise CallbackMalformedError(NAME) from exc
        if not isinstance(body, dict):
            raise CallbackMalformedError(NAME)
        found: list[CallEvent] = []
        skipped = 0
        for kind, item in cast("dict[str, Any]", body).items():
            try:
                found += _events(kind, item)
            except (KeyError, TypeError, ValueError, AttributeError):
                skipped += 1
        return Reading(found, skipped)


def _events(kind: str, item: Mapping[str, Any]) -> Iterator[CallEvent]:
    """Translate one push; raises for one that cannot be read."""
    match kind:
        case "voicekey_callback":
            digits = "".join(re.findall(r"[0-9*#]", str(item["keypress"])))
            if not digits:
                raise ValueError("keypress")
            yield DigitsPressed(_receipt(kind, item), digits)
        case "voiceprompt_callback" | "voicecode_callback":
            result = str(item["result"])
            if result == "0":
                answered_at = _unix(item.get("accept_time"))
                yield CallAnswered(_receipt(kind, item, "answered", answered_at))
                yield CallEnded(_receipt(kind, item, "ended"), "completed", result)
            else:
                row = RESULTS.get(result) or faults.row_of(NAME, f"result {result}")
                yield CallFailed(_receipt(kind, item), f"result {result}", row)
        case "voice_failure_callback":
            code = str(item["failure_code"])
            row = RECEIPTS.get(code) or faults.row_of(NAME, f"failure {code}")
            yield CallFailed(_receipt(kind, item), code, row)
        case _:
            raise ValueError("kind")


def _receipt(
    kind: str, item: Mapping[str, Any], what: str = "", at: datetime | None = None
) -> Receipt:
    """Return what ties it to its call; a repeat has the same content and so the same key."""
    call_id, mobile = str(item["callid"]), str(item.get("mobile") or "")
    content = json.dumps(item, sort_keys=True).encode()
    return Receipt(
        NAME,
        f"{call_id}:{kind}:{what}:{hashlib.sha256(content).hexdigest()[:16]}",
        provider_id=call_id,
        address=f"+{item.get('nationcode') or '86'}{mobile}" if mobile else None,
        at=at or _unix(item.get("end_calltime")),
        caller=str(item["call_from"]) if item.get("call_from") else None,
    )


def _unix(value: object) -> datetime | None:
    """Return Unix seconds as aware UTC; the carrier writes 0 for never."""
    seconds = int(str(value)) if value not in (None, "") else 0
    return datetime.fromtimestamp(seconds, UTC) if seconds else None
