"""What each carrier says about a text, in its own form.

Alibaba: SmsReport and SmsUp (HTTP batch push), arrays; times are UTC+8 without a zone. Tencent:
短信下发状态通知 (2026-01), an array, and 短信回复, an object whose time is in Unix seconds.
"""

from typing import Any

from sandbox.messages import china, mainland, split
from sandbox.texts import Text

_DELIVERED = {"alibaba": "DELIVERED", "tencent": "DELIVRD"}
_SAID = {
    "MK:0001": "空号",
    "MK:0005": "停机",
    "MK:0010": "关机或不在服务区",
    "REJECTD": "被网关拒绝",
    "EXPIRED": "超过有效期",
}
_DEST_CODE = "1234"


def report_for(text: Text, settings: dict[str, Any]) -> dict[str, Any]:
    """Return one record of a delivery report."""
    arrived = text.status == "delivered"
    code = _DELIVERED[text.carrier] if arrived else text.error
    if text.carrier == "alibaba":
        return {
            "phone_number": mainland(text.number),
            "send_time": china(text.at),
            "report_time": china(text.received_at),
            "success": arrived,
            "err_code": code,
            "err_msg": "用户接收成功" if arrived else _SAID.get(code, "短信发送失败"),
            "sms_size": str(text.parts),
            "biz_id": text.receipt,
            "out_id": text.ref,
        }
    nation, mobile = split(text.number)
    report = {
        "user_receive_time": china(text.received_at),
        "nationcode": nation,
        "mobile": mobile,
        "report_status": "SUCCESS" if arrived else "FAIL",
        "errmsg": code,
        "description": "用户短信送达成功" if arrived else _SAID.get(code, "短信发送失败"),
        "sid": text.receipt,
    }
    return {**report, "ext": text.ref} if settings["sms_ext"] else report


def reply_for(text: Text) -> dict[str, Any]:
    """Return an answer as the carrier hands it on."""
    if text.carrier == "alibaba":
        return {
            "phone_number": mainland(text.number),
            "content": text.text,
            "send_time": china(text.at),
            "sign_name": text.sign,
            "dest_code": _DEST_CODE,
            "sequence_id": text.id.removeprefix("reply-").zfill(10),
        }
    nation, mobile = split(text.number)
    return {
        "extend": "",
        "mobile": mobile,
        "nationcode": nation,
        "sign": text.sign,
        "text": text.text,
        "time": int(text.at),
    }
