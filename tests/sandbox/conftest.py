"""A sandbox whose two accounts are known, a customer of both carriers, a taker of callbacks."""

import json
import threading
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

import httpx2
import pytest

from sandbox.server import running
from tests.sandbox.signing import ALIBABA_KEYS, TENCENT_KEYS, Signed, acs3, tc3

LI, WEI = "+8613700000000", "+8613700000001"
CALLER = "05710000000"
TEMPLATES = {
    "alibaba": {
        "PAGE": "告警${title},级别${level}。认领请按1。",
        "THREE": "告警${title},级别${level},共${count}条。认领请按1。",
        "PLAIN": "有新的告警。",
        "REPLY": "已收到按键。",
        "BYE": "再见。",
    },
    "tencent": {"1001": "告警{1},级别{2}。认领请按1。", "1002": "有新的告警。"},
}
SMS_TEMPLATES = {
    "alibaba": {
        "PAGE": "告警${title},回复1认领,编号${code}。",
        "CODE": "您的验证码是${code}。",
        "PLAIN": "有新的告警。",
    },
    "tencent": {"2001": "告警{1},回复1认领,编号{2}。", "2002": "有新的告警。"},
}
SIGN, ACCOUNT = "示例", "oncall@mail.example.com"
# One right request of each action that places a call; a test changes what it is about.
RIGHT: dict[str, dict[str, Any]] = {
    "SingleCallByTts": {
        "CalledNumber": "13700000000",
        "CalledShowNumber": CALLER,
        "TtsCode": "PAGE",
        "TtsParam": '{"title": "磁盘将满", "level": "严重"}',
        "PlayTimes": "2",
        "OutId": "ref-1",
    },
    "IvrCall": {
        "CalledNumber": "13700000000",
        "CalledShowNumber": CALLER,
        "StartCode": "PAGE",
        "StartTtsParams": '{"title": "磁盘将满", "level": "严重"}',
        "MenuKeyMap.1.Key": "1",
        "MenuKeyMap.1.Code": "REPLY",
        "MenuKeyMap.2.Key": "2",
        "MenuKeyMap.2.Code": "REPLY",
        "PlayTimes": "2",
        "Timeout": "5000",
        "OutId": "ref-1",
    },
    "SendTtsVoice": {
        "TemplateId": "1001",
        "CalledNumber": LI,
        "VoiceSdkAppid": "1400000000",
        "TemplateParamSet": ["磁盘将满", "严重"],
        "PlayTimes": 2,
        "SessionContext": "ref-1",
    },
    "SendCodeVoice": {
        "CodeMessage": "1234",
        "CalledNumber": LI,
        "VoiceSdkAppid": "1400000000",
        "PlayTimes": 2,
        "SessionContext": "ref-1",
    },
}
# The same of each carrier's SendSms, and of SingleSendMail.
RIGHT_TEXT: dict[str, dict[str, Any]] = {
    "alibaba": {
        "PhoneNumbers": "13700000000",
        "SignName": SIGN,
        "TemplateCode": "PAGE",
        "TemplateParam": '{"title": "磁盘将满", "code": "7"}',
        "OutId": "ref-1",
    },
    "tencent": {
        "PhoneNumberSet": [LI],
        "SmsSdkAppId": "1400000001",
        "TemplateId": "2001",
        "SignName": SIGN,
        "TemplateParamSet": ["磁盘将满", "7"],
        "SessionContext": "ref-1",
    },
}
RIGHT_MAIL: dict[str, Any] = {
    "AccountName": ACCOUNT,
    "AddressType": "1",
    "ReplyToAddress": "False",
    "ToAddress": "li.wei@example.com",
    "Subject": "告警:磁盘将满",
    "HtmlBody": "<p>磁盘将满</p>",
    "TextBody": "磁盘将满",
    "FromAlias": "ringback",
    "Headers": '{"Auto-Submitted": "auto-generated"}',
}
KEYED = {"alibaba": "IvrCall", "tencent": "SendTtsVoice"}


def changed(action: str, change: dict[str, Any]) -> dict[str, Any]:
    """The right request of this action with some parameters changed (None: left out)."""
    return _with(RIGHT[action], change)


def _with(right: dict[str, Any], change: dict[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in {**right, **change}.items() if v is not None}


def code_of(response: httpx2.Response) -> str:
    """The code that a carrier answered with; OK where it accepted."""
    body = response.json()
    if "Response" in body:
        return body["Response"].get("Error", {"Code": "OK"})["Code"]
    return body["Code"]


class Sandbox:
    """A running sandbox with the two accounts' settings, and its own API."""

    def __init__(self, url: str, smtp_port: int = 0) -> None:
        self.url, self.host, self.smtp_port = url, urlsplit(url).netloc, smtp_port
        self.http = httpx2.Client(base_url=url, trust_env=False, timeout=10)

    def begin(self) -> None:
        """Forget what was, and set both accounts up anew."""
        self.put_right("/sandbox/reset", post=True)
        self.put_right("/sandbox/clock", {"speed": 1}, post=True)
        pushes = {
            "delay_s": 0,
            "repeat": 1,
            "drop": False,
            "before_response": False,
            "reorder": False,
        }
        self.settings(
            alibaba={
                "access_key_id": ALIBABA_KEYS[0],
                "access_key_secret": ALIBABA_KEYS[1],
                "show_numbers": [CALLER, "05710000001"],
                "templates": TEMPLATES["alibaba"],
                "voice_url": "",
                "sms_sign_names": [SIGN],
                "sms_templates": SMS_TEMPLATES["alibaba"],
                "sms_report_url": "",
                "sms_reply_url": "",
                "sms_reply_gbk": False,
                "mail_account_names": [ACCOUNT],
                "call_reports": True,
                "error_http_status": 200,
                "limits": False,
                "pushes": {**pushes, "batch_s": 0},
            },
            tencent={
                "secret_id": TENCENT_KEYS[0],
                "secret_key": TENCENT_KEYS[1],
                "sdk_app_ids": ["1400000000"],
                "templates": TEMPLATES["tencent"],
                "voice_url": "",
                "sms_sdk_app_ids": ["1400000001"],
                "sms_sign_names": [SIGN],
                "sms_templates": SMS_TEMPLATES["tencent"],
                "sms_variable_chars": 6,
                "sms_ext": False,
                "sms_report_url": "",
                "sms_reply_url": "",
                "limits": False,
                "charset": False,
                "pushes": pushes,
            },
            smtp={"username": "", "password": ""},
        )

    def put_right(self, path: str, body: Any = None, *, post: bool = False) -> Any:
        """Tell the sandbox something that it must take."""
        answer = self.http.request("POST" if post else "PUT", path, json=body or {})
        assert answer.status_code == 200, answer.text
        return answer.json()

    def settings(self, **carriers: dict[str, Any]) -> None:
        self.put_right("/sandbox/settings", carriers)

    def approve(self, name: str, text: str) -> None:
        """One more template of Alibaba's account."""
        self.settings(alibaba={"templates": {**TEMPLATES["alibaba"], name: text}})

    def phone(self, number: str, behaviour: str, **how: Any) -> None:
        self.put_right(f"/sandbox/phones/{number}", {"behaviour": behaviour, **how})

    def faults(self, carrier: str, *faults: dict[str, Any]) -> None:
        answer = self.http.put(f"/sandbox/faults/{carrier}", json=list(faults))
        assert answer.status_code == 200, answer.text

    def advance(self, seconds: float) -> None:
        """Let this much of the sandbox's time pass, and what is pushed in it be answered."""
        self.put_right("/sandbox/clock", {"advance_s": seconds}, post=True)

    def now(self) -> str:
        return self.http.get("/sandbox/state").json()["clock"]["now"]

    def calls(self) -> list[Any]:
        """Every call, oldest first."""
        return self.http.get("/sandbox/calls").json()[::-1]

    def texts(self, **wanted: str) -> list[Any]:
        """Every text, oldest first."""
        return self.http.get("/sandbox/texts", params=wanted).json()[::-1]

    def mails(self, **wanted: str) -> list[Any]:
        """Every mail, oldest first."""
        return self.http.get("/sandbox/mails", params=wanted).json()[::-1]

    def pushes(self) -> list[Any]:
        """Every push, oldest first."""
        return self.http.get("/sandbox/pushes").json()[::-1]

    def act(self, call_id: str, action: str, **body: Any) -> httpx2.Response:
        return self.http.post(f"/sandbox/calls/{call_id}/{action}", json=body)

    def send(self, signed: Signed) -> httpx2.Response:
        """Send a carrier's request as it is."""
        return self.http.request(
            signed.method, signed.target, headers=signed.headers, content=signed.body
        )

    def ask(self, action: str, params: Any, **how: Any) -> httpx2.Response:
        """Sign a request to the carrier that has this action, and send it."""
        sign = tc3 if action.startswith("Send") else acs3
        return self.send(sign(self.host, action, params, **how))

    def ask_text(self, carrier: str, change: dict[str, Any] | None = None) -> httpx2.Response:
        """Ask for the right text with some parameters changed (None: left out)."""
        params = _with(RIGHT_TEXT[carrier], change or {})
        if carrier == "alibaba":
            return self.send(acs3(self.host, "SendSms", params))
        how = {"version": "2021-01-11", "service": "sms"}
        return self.send(tc3(self.host, "SendSms", params, **how))

    def text(self, carrier: str, **change: Any) -> str:
        """Send a text that must be accepted; return the id of its receipt."""
        body = self.ask_text(carrier, change).json()
        if carrier == "alibaba":
            assert body["Code"] == "OK", body
            return body["BizId"]
        (status,) = body["Response"]["SendStatusSet"]
        assert status["Code"] == "Ok", body
        return status["SerialNo"]

    def reply(self, number: str, text: str, **how: Any) -> Any:
        """Let the owner of the number answer."""
        body = {"text": text, **how}
        return self.put_right(f"/sandbox/texts/{number}/reply", body, post=True)

    def ask_mail(self, change: dict[str, Any] | None = None) -> httpx2.Response:
        """Ask DirectMail for the right mail with some parameters changed (None: left out)."""
        params = _with(RIGHT_MAIL, change or {})
        how: dict[str, Any] = {"version": "2015-11-23", "in_body": True}
        return self.send(acs3(self.host, "SingleSendMail", params, **how))

    def place(self, action: str, **change: Any) -> str:
        """Place a call that must be accepted; return its id."""
        response = self.ask(action, changed(action, change))
        assert code_of(response) == "OK", response.text
        body = response.json()
        return body["CallId"] if "CallId" in body else body["Response"]["SendStatus"]["CallId"]


@pytest.fixture(scope="session")
def running_sandbox() -> Iterator[Sandbox]:
    """One sandbox for the whole run: starting it takes longer than most tests."""
    with running() as server:
        known = Sandbox(server.url, server.smtp_port)
        yield known
        known.http.close()


@pytest.fixture
def sandbox(running_sandbox: Sandbox) -> Sandbox:
    """The sandbox as if it had just been started and told the two accounts."""
    running_sandbox.begin()
    return running_sandbox


@dataclass
class Answer:
    """What the taker of callbacks says: by default what the carrier wants to hear."""

    status: int = 200
    body: bytes | None = None
    waits_for: threading.Event | None = None
    waits_s: float = 30.0


GOOD = {"alibaba": b'{"code": 0, "msg": "OK"}', "tencent": b'{"result": 0, "errmsg": "OK"}'}


@dataclass
class Receiver:
    """A real HTTP server that takes callbacks. `got`: (path, content type, body), in order."""

    url: str
    got: list[tuple[str, str, Any]] = field(default_factory=list)
    raw: list[bytes] = field(default_factory=list)
    answers: deque[Answer] = field(default_factory=deque)

    def bodies(self, carrier: str, product: str = "token") -> list[Any]:
        return [body for path, _, body in self.got if path == f"/{carrier}/{product}"]


@pytest.fixture
def receiver(sandbox: Sandbox) -> Iterator[Receiver]:
    """Takes the callbacks of both carriers."""

    class Handler(BaseHTTPRequestHandler):
        """Records, then answers as told."""

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            known.raw.append(body)
            try:
                read = json.loads(body)
            except UnicodeDecodeError:
                read = json.loads(body.decode("gbk"))
            known.got.append((self.path, self.headers["content-type"], read))
            answer = known.answers.popleft() if known.answers else Answer()
            if answer.waits_for is not None:
                answer.waits_for.wait(answer.waits_s)
            said = GOOD[self.path.split("/")[1]] if answer.body is None else answer.body
            head = f"HTTP/1.0 {answer.status} X\r\nContent-Length: {len(said)}\r\n\r\n"
            self.wfile.write(head.encode() + said)

        def log_message(self, *_: Any) -> None:
            pass

    class Server(ThreadingHTTPServer):
        """Lets the other side hang up, as a carrier does after its deadline."""

        def handle_error(self, *_: Any) -> None:
            pass

    with Server(("127.0.0.1", 0), Handler) as server:
        known = Receiver(f"http://127.0.0.1:{server.server_address[1]}")
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        sandbox.settings(
            **{
                carrier: {
                    "voice_url": f"{known.url}/{carrier}/token",
                    "sms_report_url": f"{known.url}/{carrier}/report",
                    "sms_reply_url": f"{known.url}/{carrier}/reply",
                }
                for carrier in GOOD
            }
        )
        yield known
        sandbox.put_right("/sandbox/reset", post=True)  # nothing more is pushed to a closed port
        nowhere = {"voice_url": "", "sms_report_url": "", "sms_reply_url": ""}
        sandbox.settings(alibaba=nowhere, tencent=nowhere)
        server.shutdown()
        thread.join()
