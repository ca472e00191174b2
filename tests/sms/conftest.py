"""Every SMS adapter with its real SDK, against the sandbox over real HTTP."""

from typing import Any

import pytest

from clouds.alibaba import AlibabaCredentials
from clouds.tencent import TencentCredentials
from paging.ports import Message, Purpose
from sms.alibaba import AlibabaSms, AlibabaSmsSettings
from sms.tencent import TencentSms, TencentSmsSettings

Sms = AlibabaSms | TencentSms
ADAPTERS = ("alibaba", "tencent")
NUMBER, TITLE, SIGN = "+8613700000000", "数据库 db-1.example.com down", "示例"
ALIBABA_TEXTS: dict[str, dict[str, Any]] = {
    "page": {
        "id": "SMS_1",
        "text": "${level}告警${number}:${title}。回复1认领,编号${code}。",
        "params": {"level": "severity", "number": "number", "title": "title", "code": "code"},
    },
    "code": {"id": "SMS_2", "text": "您的验证码是${code}。", "params": {"code": "code"}},
    "notice": {
        "id": "SMS_3",
        "text": "告警${number}认领人:${who}。",
        "params": {"number": "number", "who": "responder"},
    },
}
TENCENT_TEXTS: dict[str, dict[str, Any]] = {
    "page": {
        "id": "1001",
        "text": "告警{1}({2})。回复1认领,编号{3}。",
        "params": ["number", "severity", "code"],
    },
    "code": {"id": "1002", "text": "您的验证码是{1}。", "params": ["code"]},
    "notice": {"id": "1003", "text": "告警{1}认领人:{2}。", "params": ["number", "responder"]},
}
TEXTS = {"alibaba": ALIBABA_TEXTS, "tencent": TENCENT_TEXTS}


def request(
    to: str = NUMBER,
    ref: str = "r-0123456789abc",
    title: str = TITLE,
    purpose: Purpose = "page",
    **fields: str,
) -> Message:
    """What the engine hands over: 15 bytes of ref are the most that it makes."""
    told = {"title": title, "severity": "critical", "count": "3", "number": "42", "code": "7"}
    return Message(ref, to, "zh-CN", purpose, told | fields)


def settings_of(adapter: str, endpoint: str = "", **changes: Any) -> dict[str, Any]:
    """The settings' table of an adapter, in which all goes well."""
    table = {"endpoint": endpoint, "sign_name": SIGN, "templates": TEXTS[adapter]}
    return table | ({"sdk_app_id": "1400000001"} if adapter == "tencent" else {}) | changes


def make(adapter: str, endpoint: str, **changes: Any) -> Sms:
    """One adapter, pointed at an endpoint."""
    table = settings_of(adapter, endpoint, **changes)
    if adapter == "tencent":
        keys = TencentCredentials(secret_id="AKIDtest", secret_key="secret-of-tencent")
        return TencentSms(TencentSmsSettings.model_validate(table), keys)
    keys = AlibabaCredentials(access_key_id="LTAI-test", access_key_secret="secret-of-alibaba")
    return AlibabaSms(AlibabaSmsSettings.model_validate(table), keys)


@pytest.fixture(params=ADAPTERS)
def adapter(request: pytest.FixtureRequest) -> str:
    """The name of an adapter: every test of the suite runs with each."""
    return request.param
