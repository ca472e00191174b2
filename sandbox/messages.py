"""What each carrier says about a call, in its own form.

Alibaba: VoiceCallReport during the call, VoiceReport after it; times are UTC+8 without a zone.
Tencent: voicekey_callback, voice_failure_callback, and voiceprompt_callback or, for SendCodeVoice,
voicecode_callback; Unix seconds as strings.
"""

import math
import re
from datetime import datetime
from typing import Any

import phonenumbers

from sandbox.calls import Call
from sandbox.limits import CHINA

_ALIBABA_STAGES = {
    "dialling": "200101",
    "ringing": "200201",
    "answered": "200102",
    "key": "300000",
    "ended": "200100",
}
_ALIBABA_OUTCOMES = {
    "completed": "200000",
    "hung_up": "200001",
    "busy": "200002",
    "no_answer": "200003",
    "bad_number": "200004",
    "rejected": "200005",
    "out_of_coverage": "200007",
    "key_timeout": "200008",
    "off": "200010",
    "suspended": "200011",
    "blocked": "200119",
    "over_concurrency": "200121",
}
_TENCENT_FAILURES = {
    "off": (1, "关机"),
    "busy": (10, "用户忙"),
    "out_of_coverage": (3, "不在服务区"),
    "no_answer": (5, "无应答"),
    "suspended": (7, "停机"),
    "bad_number": (8, "空号"),
    "over_concurrency": (9, "线路忙"),
    "rejected": (10, "用户忙"),
}


def message_for(call: Call, stage: str, now: float, settings: dict[str, Any]) -> list[Any]:
    """Return what the carrier pushes at this stage of the call, in order."""
    if call.carrier == "alibaba":
        live = [_call_report(call, stage, now)] if settings["call_reports"] else []
        return [*live, _report(call)] if stage == "ended" else live
    if stage == "key":
        return [{"voicekey_callback": {**_tencent_call(call), "keypress": call.keys[-1]}}]
    return _tencent_end(call) if stage == "ended" else []


def _call_report(call: Call, stage: str, now: float) -> dict[str, str]:
    report = {
        "call_id": call.id,
        "status_code": _ALIBABA_STAGES[stage],
        "status_time": china(now),
        "out_id": call.ref,
    }
    return {**report, "dtmf": call.keys[-1]} if stage == "key" else report


def _report(call: Call) -> dict[str, str]:
    return {
        "call_id": call.id,
        "out_id": call.ref,
        "caller": call.caller,
        "callee": mainland(call.number),
        "voice_type": "voice",
        "toll_type": "UNKNOWN",
        "originate_time": china(call.created_at),
        "ring_time": china(call.ringing_at),
        "start_time": china(call.answered_at),
        "b_start_time": china(call.answered_at),
        "end_time": china(call.ended_at),
        "duration": str(round(_talked_s(call))),
        "status_code": _alibaba_code(call),
        "status_msg": "执行完成",
        "hangup_direction": "机器" if call.outcome in ("completed", "key_timeout") else "用户",
        "dtmf": call.keys if call.takes_keys else "",
    }


def alibaba_detail(call: Call) -> dict[str, str | int]:
    """Return QueryCallDetailByCallId's `Data`; it documents no keys."""
    return {
        "caller": call.caller,
        "callee": mainland(call.number),
        "callerShowNumber": call.caller,
        "calleeShowNumber": mainland(call.number),
        "startDate": china(call.answered_at),
        "endDate": china(call.ended_at),
        "duration": round(_talked_s(call)),
        "state": _alibaba_code(call),
        "stateDesc": call.outcome or call.status,
        "gmtCreate": china(call.created_at),
        "aRingTime": "",
        "aEndTime": "",
        "bRingTime": china(call.ringing_at),
        "bEndTime": china(call.ended_at),
    }


def _alibaba_code(call: Call) -> str:
    if call.outcome is not None:
        return _ALIBABA_OUTCOMES[call.outcome]
    return _ALIBABA_STAGES["dialling" if call.status == "queued" else call.status]


def mainland(number: str) -> str:
    """Return +8613700000000 as 13700000000, and +865710000000 as 05710000000."""
    bare = number.removeprefix("+86")
    return bare if re.fullmatch(r"1[0-9]{10}", bare) else f"0{bare}"


def split(number: str) -> tuple[str, str]:
    """Return an E.164 number's country and the rest: +8613700000000 as 86 and 13700000000."""
    found = phonenumbers.parse(number)
    return str(found.country_code), phonenumbers.national_significant_number(found)


def _talked_s(call: Call) -> float:
    if call.answered_at is None or call.ended_at is None:
        return 0.0
    return call.ended_at - call.answered_at


def _tencent_call(call: Call) -> dict[str, str]:
    nation, mobile = split(call.number)
    return {"callid": call.id, "mobile": mobile, "nationcode": nation, "call_from": call.caller}


def _tencent_end(call: Call) -> list[Any]:
    name = "voicecode_callback" if call.action == "SendCodeVoice" else "voiceprompt_callback"
    result = "0" if call.answered_at else "2" if call.ringing_at is None else "1"
    heard = {
        name: {
            **_tencent_call(call),
            "result": result,
            "start_calltime": str(int(call.created_at)),
            "accept_time": str(int(call.answered_at or 0)),
            "end_calltime": str(int(call.ended_at or 0)),
            "fee": str(max(1, math.ceil(_talked_s(call) / 60)) if call.answered_at else 0),
        }
    }
    if call.answered_at:
        return [heard]
    code, reason = _TENCENT_FAILURES[call.outcome or "no_answer"]
    failure = {**_tencent_call(call), "failure_code": code, "failure_reason": reason}
    return [{"voice_failure_callback": failure}, heard]


def china(at: float | None) -> str:
    """Return this time in China, without a zone; empty for none."""
    return "" if at is None else datetime.fromtimestamp(at, CHINA).strftime("%Y-%m-%d %H:%M:%S")
