"""A stack: the sandbox, the service as a process of its own, and one clock for both."""

import itertools
import json
import os
import signal
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

import httpx2
import pytest

from sandbox.server import Running, running
from tests.scenarios import letters
from tests.scenarios.letters import CALLBACK_TOKEN

T = TypeVar("T")
LI, WEI, ZHAO = "+8613700000000", "+8613700000001", "+8613700000002"
TOKEN = "admin-token-of-the-tests"
READY_WITHIN_S = 30.0
SUBMITS_WITHIN_S = 30.0

LI_MAIL, WEI_MAIL = "li.wei@example.com", "wei@example.com"
PAGE_ZH = "告警${title},级别${level}。认领请按1,转给下一位请按2,静音请按3。"
TEMPLATES = {
    "alibaba": {"TTS_1": PAGE_ZH, "TTS_2": "已收到按键。"},
    "tencent": {"1001": "告警{1},级别{2}。认领请按1,转给下一位请按2,静音请按3。"},
}


def config(
    sandbox: Running, port: int, order: Sequence[str], database: Path, *, with_texts: bool
) -> str:
    """The settings of a service whose carriers are the sandbox."""
    endpoint = f'endpoint = "{sandbox.url}"'
    return f"""
[server]
port = {port}
public_url = "http://127.0.0.1:{port}"
[database]
url = "sqlite:///{database}"
[security]
secret_keys = ["secret-key-of-the-tests"]
admin_token = "{TOKEN}"
callback_tokens = ["{CALLBACK_TOKEN}"]
[operators]
policy = "ops"
[network]
allow_private = true
[channels]
voice = {json.dumps(list(order))}
{letters.channels(order) if with_texts else ""}
[providers.alibaba]
access_key_id = "LTAI-test-id"
access_key_secret = "test-secret-of-alibaba"
[providers.alibaba.voice]
{endpoint}
show_numbers = ["05710000000"]
[providers.alibaba.voice.templates]
page = {{ id = "TTS_1", text = "{PAGE_ZH}", params = {{ title = "title", level = "severity" }} }}
reply = {{ id = "TTS_2", text = "已收到按键。", params = {{}} }}
[providers.tencent]
secret_id = "AKIDtest"
secret_key = "test-secret-of-tencent"
[providers.tencent.voice]
{endpoint}
sdk_app_id = "1400000000"
[providers.tencent.voice.templates]
page = {{ id = "1001", text = "{TEMPLATES["tencent"]["1001"]}", params = ["title", "severity"] }}
{letters.providers(sandbox) if with_texts else ""}
"""


TEAM = {
    "responders": {
        "li": {"name": "Li", "phone": LI, "email": LI_MAIL},
        "wei": {"name": "Wei", "phone": WEI, "email": WEI_MAIL, "locale": "en"},
        "zhao": {"name": "Zhao", "phone": ZHAO},
    },
    "policies": {
        "default": {
            "name": "Default",
            "repeat": 0,
            "steps": [
                {"targets": ["responder:li"], "notify": ["voice"], "wait": 600},
                {"targets": ["responder:wei"], "notify": ["voice"], "wait": 600},
            ],
        },
        "chain": {
            "name": "Chain",
            "repeat": 0,
            "steps": [{"targets": ["responder:li"], "notify": letters.CHAIN, "wait": 300}],
        },
        "chain-en": {
            "name": "Chain of whoever reads English",
            "repeat": 0,
            "steps": [{"targets": ["responder:wei"], "notify": letters.CHAIN, "wait": 300}],
        },
        "both": {
            "name": "Both",
            "repeat": 0,
            "steps": [{"targets": ["responder:li", "responder:wei"], "notify": ["voice"]}],
        },
        "ops": {
            "name": "Ops",
            "repeat": 0,
            "steps": [{"targets": ["responder:zhao"], "notify": ["voice"]}],
        },
    },
}


def accounts(service_url: str) -> dict[str, Any]:
    """What the sandbox is told of the two accounts that `config` names: limits off."""
    callbacks = f"{service_url}/callbacks"
    return {
        "alibaba": {
            "access_key_id": "LTAI-test-id",
            "access_key_secret": "test-secret-of-alibaba",
            "show_numbers": ["05710000000"],
            "templates": TEMPLATES["alibaba"],
            "voice_url": f"{callbacks}/alibaba/voice/{CALLBACK_TOKEN}",
            **letters.account("alibaba", callbacks),
            "limits": False,
        },
        "tencent": {
            "secret_id": "AKIDtest",
            "secret_key": "test-secret-of-tencent",
            "sdk_app_ids": ["1400000000"],
            "templates": TEMPLATES["tencent"],
            "voice_url": f"{callbacks}/tencent/voice/{CALLBACK_TOKEN}",
            **letters.account("tencent", callbacks),
            "limits": False,
        },
    }


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Stack:
    """One service and one sandbox. Time moves in both by `until` and `pass_time` only."""

    def __init__(
        self, sandbox: Running, folder: Path, order: Sequence[str], *, with_texts: bool = False
    ) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.folder, self.order = folder, order
        self.sandbox = httpx2.Client(base_url=sandbox.url, trust_env=False, timeout=10)
        self.api = httpx2.Client(
            base_url=self.url,
            trust_env=False,
            timeout=10,
            headers={"Authorization": f"Bearer {TOKEN}"},
        )
        self.config = folder / "ringback.toml"
        database = folder / "ringback.db"
        self.config.write_text(config(sandbox, self.port, order, database, with_texts=with_texts))
        self._clock = folder / "clock"
        self._clock.write_bytes(struct.pack("d", 0.0))
        self._ahead = 0.0
        self._runs = itertools.count()
        self.process: subprocess.Popen[bytes] | None = None
        self.log = b""

    def start(self) -> None:
        """Start the service and wait until it can take an incident."""
        log = (self.folder / f"service-{next(self._runs)}.log").open("wb")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.scenarios.steered", str(self.config), str(self._clock)],
            stderr=log,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        )
        log.close()
        deadline = time.monotonic() + READY_WITHIN_S
        while not self._is_ready():
            assert self.process.poll() is None, f"the service ended:\n{self.logs()}"
            assert time.monotonic() < deadline, f"the service was not ready:\n{self.logs()}"
            time.sleep(0.02)  # a process has no event to wait for before its port is open

    def _is_ready(self) -> bool:
        try:
            return self.api.get("/readyz").status_code == 200
        except httpx2.TransportError:
            return False

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        """End the service, by default in good order."""
        if self.process is not None:
            self.process.send_signal(how)
            self.process.wait(30)
            self.process = None

    def logs(self) -> str:
        """Everything that the service has logged."""
        return "".join(path.read_text() for path in sorted(self.folder.glob("service-*.log")))

    def step(self, seconds: float) -> None:
        """Move both clocks."""
        self._ahead += seconds
        with self._clock.open("r+b") as clock:  # in place: the service has it mapped
            clock.write(struct.pack("d", self._ahead))
        self.sandbox.post("/sandbox/clock", json={"advance_s": seconds}).raise_for_status()

    def until(self, condition: Callable[[], T], within_s: float = 900.0) -> T:
        """Let time pass, a second at a time, until the condition holds; return what it said."""
        passed = 0.0
        while True:
            self._let_it_submit()
            if said := condition():
                return said
            assert passed < within_s, f"not within {within_s} s:\n{self.story()}\n{self.logs()}"
            self.step(1.0)
            passed += 1.0

    def _let_it_submit(self) -> None:
        """Wait until no call is on its way to a carrier, which takes real time."""
        deadline = time.monotonic() + SUBMITS_WITHIN_S
        while any(
            attempt["status"] == "sending" and attempt["failure"] is None  # one has an answer lost
            for attempt in self.get("/v1/attempts?limit=20")["items"]
        ):
            assert time.monotonic() < deadline, f"a submit took too long:\n{self.logs()}"
            time.sleep(0.01)

    def pass_time(self, seconds: float) -> None:
        """Let this much time pass, asking the service in between so that it keeps up."""
        end = self._ahead + seconds
        while self._ahead < end:
            self.step(5.0)
            self.get("/v1/incidents?limit=1")

    def post(self, path: str, body: object = None) -> Any:
        """Post to the API, which must agree."""
        answer = self.api.post(path, json=body if body is not None else {})
        assert answer.is_success, answer.text
        return answer.json()

    def get(self, path: str) -> Any:
        """Read from the API."""
        answer = self.api.get(path)
        assert answer.is_success, answer.text
        return answer.json()

    def incident(self, number: int = 1) -> Any:
        """One incident, whole."""
        return self.get(f"/v1/incidents/{number}")

    def status(self, number: int = 1) -> str:
        """Whether anybody has it."""
        return self.incident(number)["status"]

    def types(self, number: int = 1) -> list[str]:
        """The types of its timeline's lines."""
        return [entry["type"] for entry in self.incident(number)["timeline"]]

    def story(self) -> str:
        """Every incident's timeline, for a test that failed."""
        return "\n".join(
            f"{entry['at']} {entry['type']} {entry['detail']}"
            for item in self.get("/v1/incidents")["items"]
            for entry in self.incident(item["number"])["timeline"]
        )

    def phone(self, number: str, behaviour: str, **how: Any) -> None:
        """Say what this number does when it is called."""
        body = {"behaviour": behaviour, **how}
        answer = self.sandbox.put(f"/sandbox/phones/{number}", json=body)
        assert answer.is_success, answer.text

    def faults(self, carrier: str, *faults: dict[str, Any]) -> None:
        """Say what goes wrong at this carrier."""
        answer = self.sandbox.put(f"/sandbox/faults/{carrier}", json=list(faults))
        assert answer.is_success, answer.text

    def calls(self) -> list[Any]:
        """Every call that any phone got, oldest first."""
        return list(reversed(self.sandbox.get("/sandbox/state").json()["calls"]))

    def called(self) -> list[tuple[str, str]]:
        """(carrier, number) of every call, oldest first."""
        return [(call["carrier"], call["number"]) for call in self.calls()]

    def texts(self, number: str) -> list[Any]:
        """Every text that this number got, oldest first."""
        found = self.sandbox.get("/sandbox/texts", params={"number": number}).json()
        return [text for text in reversed(found) if text["direction"] == "out"]

    def reply(self, number: str, text: str, **how: Any) -> None:
        """Answer the last text."""
        body = {"text": text, **how}
        self.sandbox.post(f"/sandbox/texts/{number}/reply", json=body).raise_for_status()

    def mails(self, address: str) -> list[Any]:
        """Every mail that this address got, oldest first."""
        return list(reversed(self.sandbox.get("/sandbox/mails", params={"to": address}).json()))

    def ringing(self, number: str) -> Any:
        """The call that rings at this number now, or None."""
        found = [c for c in self.calls() if c["number"] == number and c["status"] == "ringing"]
        return found[0] if found else None

    def answer(self, number: str) -> str:
        """Wait until this phone rings, and answer; return the call's id."""
        call = self.until(lambda: self.ringing(number))
        self.sandbox.post(f"/sandbox/calls/{call['id']}/answer").raise_for_status()
        return call["id"]

    def press(self, call: str, digit: str) -> None:
        """Press a key in this call."""
        self.sandbox.post(f"/sandbox/calls/{call}/press", json={"digit": digit}).raise_for_status()

    def hang_up(self, call: str) -> None:
        """Hang up."""
        self.sandbox.post(f"/sandbox/calls/{call}/hangup").raise_for_status()


@pytest.fixture(params=["alibaba", "tencent"])
def first(request: pytest.FixtureRequest) -> str:
    """The carrier that is tried first; every scenario runs with the roles swapped as well."""
    return request.param


@pytest.fixture
def other(first: str) -> str:
    """The carrier that is tried second."""
    return {"alibaba": "tencent", "tencent": "alibaba"}[first]


@pytest.fixture
def with_texts() -> bool:
    """Whether texts and mails are on besides calls; a module that needs them says so."""
    return False


@pytest.fixture
def stack(tmp_path: Path, first: str, other: str, with_texts: bool) -> Iterator[Stack]:  # noqa: FBT001 - a fixture
    """A stack with its team in place."""
    with running() as sandbox:
        stack = Stack(sandbox, tmp_path, (first, other), with_texts=with_texts)
        answer = stack.sandbox.put("/sandbox/settings", json=accounts(stack.url))
        assert answer.is_success, answer.text
        try:
            stack.start()
            stack.post("/v1/apply", {**TEAM, "dry_run": False})
            yield stack
        finally:
            stack.stop()
            stack.api.close()
            stack.sandbox.close()
        logged = stack.logs()
        assert "Traceback" not in logged
        assert LI.removeprefix("+86") not in logged, "a phone number is in the log"
        assert LI_MAIL not in logged, "a mail address is in the log"
        assert CALLBACK_TOKEN not in logged, "a callback's token is in the log"
