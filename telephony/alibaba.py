"""Alibaba Cloud voice: dyvmsapi 2017-05-25 (API pages IvrCall, SingleCallByTts; SDK 5.3.0).

Keys come back by IvrCall only, which needs a bought caller number and reaches mainland numbers.
Receipts: HTTP batch push pattern; VoiceReport, VoiceCallReport (read 2026-11-22).
"""

import itertools
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Annotated, Any, Literal

from alibabacloud_dyvmsapi20170525 import models
from alibabacloud_dyvmsapi20170525.client import Client
from pydantic import AfterValidator, Field, model_validator

from clouds import faults, pushes
from clouds.alibaba import NAME, AlibabaCredentials, config, error_of, probed, refused
from clouds.probes import Proof
from clouds.templates import Template, Templates
from paging.errors import DeliveryError, Row
from paging.events import (
    CallAnswered,
    CallEnded,
    CallFailed,
    CallNoted,
    CallRinging,
    DigitsPressed,
    Event,
    Receipt,
)
from paging.menu import Menu
from paging.people import Strict
from paging.ports import Callback, Message, Purpose, Reading, Sent
from telephony.speech import silence_s, spoken_seconds
from telephony.templates import ALIBABA_DEDICATED, ALIBABA_SHARED, fill, refuse_unfit

OFFICIAL = "dyvmsapi.aliyuncs.com"
KEY_WAIT_S = 10.0
CODE_TIMES = 2  # so that there is time to write it down
_IVR_PRODUCT = 11000000300005

_REJECTED_ELSEWHERE = Row("recipient_rejected", "blocked")
_WRONG = Row("misconfigured", "not_sent")
_CONTENT = Row("misconfigured", "not_sent", again="never")
_NO_CREDIT = Row("out_of_credit", "not_sent")
_NOT_NOW = Row("rate_limited", "limited", scope="account")

# API error codes 178344 and errorcodes of dyvmsapi.
CODES: dict[str, Row] = {
    "isv.BUSINESS_LIMIT_CONTROL": Row("rate_limited", "limited", scope="number"),
    "isv.MOBILE_NUMBER_ILLEGAL": Row("recipient_rejected", "bad_number", again="never"),
    "isv.COMPLAINT_REJECT": _REJECTED_ELSEWHERE,
    "ComplaintReject": _REJECTED_ELSEWHERE,
    "isv.DISPLAY_NUMBER_ILLEGAL": _WRONG,
    "isv.BILLID_NOT_EXIST": _WRONG,
    "BillidNotExist": _WRONG,
    "isv.TTS_TEMPLATE_ILLEGAL": _WRONG,
    "isv.TEMPLATE_ILLEGAL": _WRONG,
    "isv.VOICE_FILE_ILLEGAL": _WRONG,
    "isv.TEMPLATE_MISSING_PARAMETERS": _CONTENT,
    "isv.TEMPLATE_PARAMS_ILLEGAL": _CONTENT,
    "isv.PARAM_LENGTH_LIMIT": _CONTENT,
    "isv.PARAM_NOT_SUPPORT_URL": _CONTENT,
    "isv.BLACK_KEY_CONTROL_LIMIT": _CONTENT,
    "isv.INVALID_PARAMETERS": _CONTENT,
    "InvalidParameters": _CONTENT,
    "isv.INVALID_JSON_PARAM": _CONTENT,
    "isv.PRODUCT_UN_SUBSCRIPT": _WRONG,
    "isv.PRODUCT_UNSUBSCRIBE": _WRONG,
    "isv.ACCOUNT_NOT_EXISTS": _WRONG,
    "isv.OUT_OF_SERVICE": _NO_CREDIT,
    "isv.AMOUNT_NOT_ENOUGH": _NO_CREDIT,
    "isv.AMOUNT_NOT_ENOUG": _NO_CREDIT,  # so spelt in the table of the document
    "isv.ACCOUNT_ABNORMAL": _NO_CREDIT,
    "isv.VOICE_ROBOT_NOT_PERIOD": _NOT_NOW,
    "isv.VOICE_CALL_PERIOD_ERROR": _NOT_NOW,
    "isv.VOICE_CALL_FAIL": Row("transient", "not_sent", placed="maybe"),
    "isv.MOBILE_COUNT_OVER_LIMIT": _WRONG,
    "isv.VOICE_ROBOT_CALLEE_LIMIT": _WRONG,
}

Heard = Literal["completed", "hung_up", "no_key"]


def _recipient(
    outcome: str, *, other: bool = False, again: Literal["never", "later"] = "later"
) -> Row:
    return Row("recipient_rejected", outcome, other_provider=other, again=again)


# Carrier response error codes, and the statuses of a call: an answered call's end, or a failure.
RECEIPTS: dict[str, Row | Heard] = {
    "200000": "completed",
    "200001": "hung_up",
    "200008": "no_key",
    "200002": _recipient("busy"),
    "200003": _recipient("no_answer"),
    "200004": _recipient("bad_number", again="never"),
    "200005": _recipient("unreachable", other=True),
    "200006": Row("misconfigured", "not_sent"),
    "200007": _recipient("out_of_coverage"),
    "200010": _recipient("off"),
    "200011": _recipient("suspended", again="never"),
    "200012": _recipient("blocked", other=True),
    "200104": Row("misconfigured", "blocked"),
    "200105": _recipient("blocked", other=True),
    "200111": _recipient("rejected"),
    "200112": _recipient("busy"),
    "200113": _recipient("no_answer"),
    "200116": _recipient("bad_number", again="never"),
    "200117": Row("misconfigured", "not_sent"),
    "200118": Row("rate_limited", "limited", scope="account"),
    "200119": Row("rate_limited", "limited", scope="number"),
    "200120": _recipient("out_of_coverage"),
    "200121": Row("rate_limited", "limited", scope="account"),
    "200130": Row("unknown", "unreachable", other_provider=False),
    "400": Row("transient", "not_sent"),
    "408": _recipient("no_answer"),
    "476": Row("misconfigured", "not_sent"),
    "482": _recipient("unreachable"),
    "487": _recipient("no_answer"),
    "500": Row("provider_down", "not_sent"),
    "999999": Row("provider_down", "not_sent"),
    "9996": Row("unknown", "not_sent", other_provider=False),
}
# Said during the call; what stands beside no event moves nothing. The English page prints 200000 in
# place of 300000 for a key.
MOMENTS: dict[str, type[CallRinging | CallAnswered] | None] = {
    "200101": None,
    "200201": CallRinging,
    "200102": CallAnswered,
    "200100": None,
    "300000": None,
}
_KEY, _KEY_MISPRINTED = "300000", "200000"


class AlibabaVoiceSettings(Strict):
    """`[providers.alibaba.voice]`."""

    endpoint: Annotated[str, AfterValidator(faults.check_endpoint)] = ""
    mode: Literal["ivr", "tts"] = "ivr"
    show_numbers: tuple[Annotated[str, Field(pattern=r"^\d{5,15}$")], ...] = Field(
        (), description='a list of bought caller numbers, such as ["05710000000"]'
    )
    play_times: int = Field(2, ge=1, le=3, description="how often the text is read, 1 to 3")
    templates: Templates = Templates()

    @model_validator(mode="after")
    def _can_call(self) -> "AlibabaVoiceSettings":
        if self.mode == "ivr" and not self.show_numbers:
            msg = (
                "show_numbers: expected a bought caller number, since keys come back by no other; "
                'or mode = "tts"'
            )
            raise ValueError(msg)
        refuse_unfit(self.templates, ALIBABA_DEDICATED if self.show_numbers else ALIBABA_SHARED)
        if self.mode == "ivr" and self.templates.reply is None:
            msg = "templates.reply: missing; expected the approved text said after a key"
            raise ValueError(msg)
        return self


class AlibabaVoice:
    """Satisfies `paging.ports.CallbackReader` and `clouds.pooled.Carrier`."""

    name = NAME
    accepted = '{"code":0,"msg":"接收成功"}'.encode()

    def __init__(
        self, settings: AlibabaVoiceSettings, credentials: AlibabaCredentials, menu: Menu
    ) -> None:
        self._settings, self._menu = settings, menu
        purposes: list[Purpose] = ["page", "test", *(["code"] if settings.templates.code else [])]
        self.purposes = frozenset(purposes)
        self._rules = ALIBABA_DEDICATED if settings.show_numbers else ALIBABA_SHARED
        self._client: Any = Client(config(credentials, settings.endpoint, OFFICIAL))
        self._numbers = itertools.cycle(settings.show_numbers or ("",))

    def serves(self, number: str) -> bool:
        """Say whether this E.164 number can be called: the mainland's can, but for our own."""
        own = _national(number) in self._settings.show_numbers
        return number.startswith("+86") and not own

    def send(self, message: Message) -> Sent:
        """Place one call; block. Raises DeliveryError and nothing else."""
        is_code = message.purpose == "code"
        text = self._text("code" if is_code else "page", message)
        spoken = fill(text, message.fields, self._rules, message.locale)
        times = CODE_TIMES if is_code else self._settings.play_times
        hears_keys = self._settings.mode == "ivr" and not is_code
        if hears_keys:
            send, request = self._client.ivr_call, self._ivr(message, text, spoken.params)
        else:
            send = self._client.single_call_by_tts
            request = self._tts(message, text, spoken.params, times)
        try:
            body = send(request).body
            code, call_id = body.code, body.call_id
        except Exception as exc:  # noqa: BLE001 - as documented, and as the wire surprises
            # From None: a traceback that anyone prints would show the number and the message.
            raise error_of(exc, CODES) from None
        if code and code != "OK":
            raise refused(str(code), CODES)
        if not code or not call_id:
            raise faults.without_id(NAME, "no_call_id")
        key_wait = KEY_WAIT_S if hears_keys else 0.0
        return Sent(
            str(call_id), spoken.text, silence_s(spoken_seconds(spoken.text), times, key_wait)
        )

    def _text(self, purpose: str, message: Message) -> Template:
        found = self._settings.templates.choose(purpose, message.locale)
        if found is None:
            raise DeliveryError(NAME, "no_template", _WRONG)
        return found

    def _ivr(self, message: Message, page: Template, params: object) -> models.IvrCallRequest:
        reply = self._text("reply", message)
        said = json.dumps(fill(reply, message.fields, self._rules, message.locale).params)
        return models.IvrCallRequest(
            called_number=_national(message.to),
            called_show_number=next(self._numbers),
            start_code=page.id,
            start_tts_params=json.dumps(params, ensure_ascii=False),
            menu_key_map=[
                models.IvrCallRequestMenuKeyMap(key=key, code=reply.id, tts_params=said)
                for key in self._menu
            ],
            play_times=self._settings.play_times,
            timeout=int(KEY_WAIT_S * 1000),
            out_id=message.ref,
        )

    def _tts(
        self, message: Message, text: Template, params: object, times: int
    ) -> models.SingleCallByTtsRequest:
        return models.SingleCallByTtsRequest(
            called_number=_national(message.to),
            called_show_number=next(self._numbers) or None,  # pyright: ignore[reportArgumentType]
            tts_code=text.id,
            tts_param=json.dumps(params, ensure_ascii=False),
            play_times=times,
            out_id=message.ref,
        )

    def probe(self) -> Proof:
        """Ask for a call that never was, which sends nothing.

        An answer of the product itself, such as that there is no such call, proves the keys.
        """
        request = models.QueryCallDetailByCallIdRequest(
            call_id="0^0", prod_id=_IVR_PRODUCT, query_date=0
        )
        return probed(
            lambda: self._client.query_call_detail_by_call_id(request).body,
            CODES,
            account=("是否开通语音服务及余额", "the product and the balance"),
        )

    def read_callback(self, callback: Callback) -> Reading:
        """Translate a batch of VoiceReport or VoiceCallReport records."""
        return pushes.read_each(pushes.listed(NAME, callback.body), _events)


def _events(item: object) -> Iterator[Event]:
    """Translate one record: a moment of the call, or its report afterwards."""
    record = pushes.record(item)
    code, digits = pushes.text(record, "status_code"), pushes.keys(record, "dtmf")
    status_time = pushes.hint(record, "status_time")
    during = "end_time" not in record and bool(code in MOMENTS or status_time)
    receipt = _receipt(record, f"{code}:{status_time if during else ''}:{digits}")
    if digits and during and code in (_KEY, _KEY_MISPRINTED):
        yield DigitsPressed(receipt, digits)
        return
    if digits:
        yield DigitsPressed(replace(receipt, key=f"{receipt.key}:dtmf"), digits, final=True)
    meaning = RECEIPTS.get(code)
    if during or code in MOMENTS:
        moment = MOMENTS.get(code)
        yield CallNoted(receipt, code) if moment is None else moment(receipt)
    elif isinstance(meaning, str):
        yield CallEnded(receipt, meaning, code)
    else:
        yield CallFailed(receipt, code, meaning or faults.row_of(NAME, code))


def _receipt(record: pushes.Record, what: str) -> Receipt:
    """Return what ties it to its call. Raises ValueError.

    A push that comes again is the same in every field. One key pressed twice in a second is too:
    the report after the call, which has all keys, brings the second.
    """
    call_id, ref = pushes.text(record, "call_id"), pushes.text(record, "out_id")
    if not pushes.text(record, "status_code") or not (call_id or ref):
        raise ValueError("call_id, status_code")
    callee = pushes.hint(record, "callee")
    return Receipt(
        NAME,
        f"{call_id or ref}:{what}",
        ref=ref or None,
        provider_id=call_id or None,
        address=f"+86{callee.lstrip('0')}" if callee else None,
        at=pushes.china_time(record, "status_time") or pushes.china_time(record, "end_time"),
        caller=pushes.hint(record, "caller") or None,
    )


def _national(number: str) -> str:
    """Return +8613700000000 as 13700000000, and a landline with its leading 0."""
    national = number.removeprefix("+86")
    return national if re.fullmatch(r"1[3-9]\d{9}", national) else f"0{national}"
