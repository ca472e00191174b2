"""Every voice adapter with its real SDK, against the sandbox over real HTTP."""

from collections.abc import Iterator, Sequence
from typing import Any

import httpx2
import pytest

from clouds.alibaba import AlibabaCredentials
from clouds.tencent import TencentCredentials
from paging.menu import DEFAULT, Menu
from paging.ports import Message
from sandbox.server import running
from telephony.alibaba import AlibabaVoice, AlibabaVoiceSettings
from telephony.tencent import TencentVoice, TencentVoiceSettings

Voice = AlibabaVoice | TencentVoice
NUMBER, TITLE = "+8613700000000", "数据库 db-1 down"
ADAPTERS = ("alibaba-ivr", "alibaba-tts", "tencent")
PAGES = {
    "alibaba-ivr": "${level}告警,${title},共${count}条。认领请按1。",
    "alibaba-tts": "${level}告警,${title}。请登录查看。",
    "tencent": "{1}告警,{2},共{3}条。认领请按1。",
}
REPLY, CODE = "已收到按键。", "您的验证码是${code}。"
APPROVED = {
    "alibaba": {
        "TTS_1": PAGES["alibaba-ivr"],
        "TTS_2": PAGES["alibaba-tts"],
        "TTS_3": REPLY,
        "TTS_4": CODE,
    },
    "tencent": {"1001": PAGES["tencent"]},
}


def request(to: str = NUMBER, ref: str = "r-0123456789abc", title: str = TITLE) -> Message:
    """What the engine hands over: 15 bytes of ref are the most that Alibaba takes."""
    fields = {"title": title, "severity": "critical", "count": "3", "number": "42"}
    return Message(ref, to, "zh-CN", "page", fields)


def make(
    adapter: str,
    endpoint: str,
    menu: Menu = DEFAULT,
    show_numbers: Sequence[str] = ("05710000000",),
) -> Voice:
    """One adapter, pointed at an endpoint."""
    if adapter == "tencent":
        page = {"id": "1001", "text": PAGES[adapter], "params": ["severity", "title", "count"]}
        settings = {
            "endpoint": endpoint,
            "sdk_app_id": "1400000000",
            "play_times": 3,
            "templates": {"page": page},
        }
        keys = TencentCredentials(secret_id="AKIDtest", secret_key="secret-of-tencent")
        return TencentVoice(TencentVoiceSettings.model_validate(settings), keys)
    ivr = adapter == "alibaba-ivr"
    params = {"level": "severity", "title": "title"} | ({"count": "count"} if ivr else {})
    page = {"id": "TTS_1" if ivr else "TTS_2", "text": PAGES[adapter], "params": params}
    settings = {
        "endpoint": endpoint,
        "mode": "ivr" if ivr else "tts",
        "show_numbers": show_numbers if ivr else [],
        "play_times": 3,
        "templates": {
            "page": page,
            "reply": {"id": "TTS_3", "text": REPLY},
            "code": {"id": "TTS_4", "text": CODE, "params": {"code": "code"}},
        },
    }
    keys = AlibabaCredentials(access_key_id="LTAI-test", access_key_secret="secret-of-alibaba")
    return AlibabaVoice(AlibabaVoiceSettings.model_validate(settings), keys, menu)


class Sandbox:
    """The sandbox as a test sees it."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._http = httpx2.Client(base_url=url, trust_env=False, timeout=10)

    def _put(self, path: str, body: object) -> None:
        answer = self._http.put(path, json=body)
        assert answer.is_success, answer.text

    def begin(self) -> None:
        """Forget the last test and know both accounts."""
        self._http.post("/sandbox/reset").raise_for_status()
        self.settings(
            alibaba={
                "access_key_id": "LTAI-test",
                "access_key_secret": "secret-of-alibaba",
                "show_numbers": ["05710000000"],
                "templates": APPROVED["alibaba"],
                "error_http_status": 200,
                "limits": False,
            },
            tencent={
                "secret_id": "AKIDtest",
                "secret_key": "secret-of-tencent",
                "sdk_app_ids": ["1400000000"],
                "templates": APPROVED["tencent"],
                "charset": False,
                "limits": False,
            },
        )

    def settings(self, **carriers: dict[str, Any]) -> None:
        """Tell it about the accounts."""
        self._put("/sandbox/settings", carriers)

    def fault(self, adapter: str, fault: str, **how: Any) -> None:
        """Say what goes wrong with the next call."""
        carrier = adapter.partition("-")[0]
        self._put(f"/sandbox/faults/{carrier}", [{"fault": fault, **how}])

    def requests(self) -> list[dict[str, Any]]:
        """Everything that either carrier was asked."""
        return self._http.get("/sandbox/requests").json()

    def calls(self) -> list[dict[str, Any]]:
        """Every call that was placed."""
        return self._http.get("/sandbox/state").json()["calls"]

    def close(self) -> None:
        """Say goodbye."""
        self._http.close()


@pytest.fixture(scope="session")
def _sandbox() -> Iterator[Sandbox]:
    with running() as served:
        sandbox = Sandbox(served.url)
        yield sandbox
        sandbox.close()


@pytest.fixture
def sandbox(_sandbox: Sandbox) -> Sandbox:
    """One sandbox for all, which remembers nothing of the test before."""
    _sandbox.begin()
    return _sandbox


@pytest.fixture(params=ADAPTERS)
def adapter(request: pytest.FixtureRequest) -> str:
    """The name of an adapter: every test of the suite runs with each."""
    return request.param


@pytest.fixture
def voice(adapter: str, sandbox: Sandbox) -> Voice:
    """The adapter, pointed at the sandbox."""
    return make(adapter, sandbox.url)
