"""Every SMS adapter with its real SDK, against the sandbox over real HTTP."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest

from clouds.alibaba import AlibabaCredentials
from clouds.tencent import TencentCredentials
from paging.ports import Message, Purpose
from sandbox.server import running
from sms.alibaba import AlibabaSms, AlibabaSmsSettings
from sms.tencent import TencentSms, TencentSmsSettings
from tests.telephony.conftest import Sandbox

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


class Inbox(Sandbox):
    """The sandbox as a test of texts sees it."""

    def begin(self) -> None:
        """Forget the last test, know both accounts and push to nobody."""
        super().begin()
        told = {
            adapter: {
                "sms_sign_names": [SIGN],
                "sms_templates": {one["id"]: one["text"] for one in texts.values()},
                "sms_report_url": "",
                "sms_reply_url": "",
                "pushes": {"repeat": 1},
            }
            for adapter, texts in TEXTS.items()
        }
        told["alibaba"] |= {"sms_reply_gbk": False}
        told["tencent"] |= {
            "sms_sdk_app_ids": ["1400000001"],
            "sms_ext": False,
            "sms_variable_chars": 6,
        }
        self.settings(**told)

    def phone(self, number: str, **does: str) -> None:
        """Say what becomes of the texts to this number."""
        self._put(f"/sandbox/phones/{number}", does)

    def reply(self, number: str, text: str) -> None:
        """Let the owner of this number answer the last text."""
        self._http.post(f"/sandbox/texts/{number}/reply", json={"text": text}).raise_for_status()

    def advance(self, seconds: float) -> None:
        """Let this much of the sandbox's time pass, and what is pushed in it be answered."""
        self._http.post("/sandbox/clock", json={"advance_s": seconds}).raise_for_status()

    def to_a_full_minute(self) -> None:
        """Let time pass until the next minute of the sandbox's clock."""
        now = self._http.get("/sandbox/state").json()["clock"]["now"]
        self.advance(60 - datetime.fromisoformat(now).timestamp() % 60)

    def texts(self) -> list[dict[str, Any]]:
        """Every text that was taken, the newest first."""
        return self._http.get("/sandbox/texts").json()


@pytest.fixture(scope="session")
def _inbox() -> Iterator[Inbox]:
    with running() as served:
        inbox = Inbox(served.url)
        yield inbox
        inbox.close()


@pytest.fixture
def inbox(_inbox: Inbox) -> Inbox:
    """One sandbox for all, which remembers nothing of the test before."""
    _inbox.begin()
    return _inbox


@pytest.fixture(params=ADAPTERS)
def adapter(request: pytest.FixtureRequest) -> str:
    """The name of an adapter: every test of the suite runs with each."""
    return request.param


@pytest.fixture
def sms(adapter: str, inbox: Inbox) -> Sms:
    """The adapter, pointed at the sandbox."""
    return make(adapter, inbox.url)
