"""`ringback demo`: a stranger answers the phone, a text or a mail, here by the API of the page."""

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from ringback import settings
from ringback.client import Api
from ringback.demo import _free_ports
from tests.ringback.conftest import ROOT, WITHIN_S

LI, SAM = "+8613700000000", "+8613700000001"
PAGE = r"^ +(http://127\.0\.0\.1:\d+)/$"


class Demo:
    """A demo that runs in a process of its own."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self.process = process
        self.said: list[str] = []
        self.url = ""

    def reads(self, pattern: str) -> str:
        """Read on until a line like this; return what it has in brackets."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.said.append(line)
            if found := re.search(pattern, line):
                return found[1] if found.groups() else found[0]
        raise AssertionError(f"never said {pattern}:\n{''.join(self.said)}")

    def shows(self, path: str, **asked: str) -> list[dict[str, str]]:
        """Return what the page shows there, newest first: calls, texts or mails."""
        found: list[dict[str, str]] = httpx2.get(
            f"{self.url}/sandbox/{path}", params=asked, trust_env=False
        ).json()
        return found

    def awaits(self, path: str, count: int = 1, **like: str) -> list[dict[str, str]]:
        """Wait until it shows so many like this; return them."""
        end = time.monotonic() + WITHIN_S
        while (
            len(found := [one for one in self.shows(path) if like.items() <= one.items()]) < count
        ):
            assert time.monotonic() < end, "".join(self.said)
            time.sleep(0.05)  # another process has no event to wait for
        return found

    def does(self, path: str, **body: str) -> None:
        """Do something on the page."""
        httpx2.post(f"{self.url}/sandbox/{path}", json=body, trust_env=False).raise_for_status()

    def answers(self) -> str:
        """Wait until it rings and answer; return the address of the call."""
        call = f"calls/{self.awaits('calls', status='ringing')[0]['id']}"
        self.does(f"{call}/answer")
        return call

    def refuses(self, carrier: str, action: str) -> None:
        """Let the carrier say from now on that this is too often."""
        fault = {"fault": "throttle", "action": action, "times": None}
        url = f"{self.url}/sandbox/faults/{carrier}"
        httpx2.put(url, json=[fault], trust_env=False).raise_for_status()

    def rest(self) -> str:
        """Return what it said besides what was read."""
        assert self.process.stdout is not None
        return self.process.stdout.read()

    def children(self) -> list[int]:
        """Return the processes that it started."""
        path = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return [int(pid) for pid in path.read_text().split()]


@contextlib.contextmanager
def demo(folder: Path, *words: str, **environ: str) -> Iterator[Demo]:
    """Run it; afterwards nothing of it is left, neither process nor file."""
    process = subprocess.Popen(
        [sys.executable, "-m", "ringback", "demo", *words],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(folder), **environ},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    demo = Demo(process)
    patience = threading.Timer(WITHIN_S, process.terminate)  # nobody reads on for ever
    patience.start()
    try:
        yield demo
    finally:
        patience.cancel()
        process.terminate()  # killed, it could not end its children
        process.wait(WITHIN_S)
        if process.stdout is not None:
            process.stdout.close()


def test_once_ends_with_success_when_1_was_pressed(tmp_path: Path) -> None:
    proxy = {"HTTP_PROXY": "http://127.0.0.1:9", "http_proxy": "http://127.0.0.1:9"}
    with demo(tmp_path, "--once", SSH_CONNECTION="1.2.3.4 5 10.0.0.7 22", **proxy) as shown:
        shown.url = shown.reads(PAGE)
        port = shown.url.rpartition(":")[2]
        service = r"-L (\d+):127\.0\.0\.1:\1"
        assert shown.reads(rf"ssh -L {port}:127\.0\.0\.1:{port} {service} \S+@10\.0\.0\.7")
        shown.does(f"{shown.answers()}/press", digit="1")
        assert shown.reads("acknowledged; everything else has stopped")
        assert [(call["number"], call["keys"]) for call in shown.shows("calls")] == [(LI, "1")]
        assert shown.process.wait(WITHIN_S) == 0
    said = "".join(shown.said)
    assert "li.wei acknowledged" in said
    assert "Alibaba Cloud took the call" in said
    assert "Traceback" not in said
    assert list(tmp_path.iterdir()) == []


def test_a_call_without_a_key_is_followed_by_a_text_whose_reply_acknowledges(
    tmp_path: Path,
) -> None:
    with demo(tmp_path, "--once", LC_ALL="zh_CN.UTF-8") as shown:
        shown.url = shown.reads(PAGE)
        shown.does(f"{shown.answers()}/hangup")
        (text,) = shown.awaits("texts")
        assert (text["number"], text["text"]) == (
            LI,
            "严重告警1:支付网关 pay-02 97% 请求超时。回复1认领,编号1。",
        )
        shown.does(f"texts/{LI}/reply", text="1")
        assert shown.process.wait(WITHIN_S) == 0
        said = shown.rest()
    assert "阿里云已受理短信" in said
    assert "回复“1”:认领" in said
    assert "li.wei已认领" in said


def test_where_no_text_gets_through_a_mail_comes_whose_link_acknowledges(tmp_path: Path) -> None:
    with demo(tmp_path, "--once", SSH_CONNECTION="1.2.3.4 5 10.0.0.7 22") as shown:
        shown.url = shown.reads(PAGE)
        service = shown.reads(r"ssh -L \S+ -L (\d+):")
        for carrier in ("alibaba", "tencent"):
            shown.refuses(carrier, "SendSms")
        shown.does(f"{shown.answers()}/hangup")
        (mail,) = shown.awaits("mails")
        assert (mail["to"], mail["subject"]) == (
            "li.wei@example.com",
            "[严重] #1 支付网关 pay-02 97% 请求超时",
        )
        found = re.search(rf"http://127\.0\.0\.1:{service}/a/\S+", mail["text"])
        assert found, mail["text"]
        assert "认领" in httpx2.get(found[0], trust_env=False).text
        assert httpx2.post(found[0], trust_env=False).status_code == 303
        assert shown.process.wait(WITHIN_S) == 0
        said = shown.rest()
    assert "Alibaba Cloud took the mail" in said
    assert "li.wei acknowledged" in said


def test_every_provider_of_texts_and_mails_is_set_up(tmp_path: Path) -> None:
    """One that is next in line is not seen before the first one fails: a drill by each."""
    ways = {("sms", "alibaba"), ("sms", "tencent"), ("email", "alibaba"), ("email", "smtp")}
    with demo(tmp_path) as shown:
        shown.url = shown.reads(PAGE)
        (written,) = tmp_path.glob("ringback-demo-*/ringback.toml")
        known = settings.load(written, {})
        with Api(
            settings.local_url(known), known.security.admin_token.get_secret_value()
        ) as service:
            for channel, provider in ways:
                asked = {"channel": channel, "provider": provider}
                service.post("/v1/responders/sam/test", asked)
        texts = shown.awaits("texts", 2, number=SAM)
        mails = shown.awaits("mails", 2, to="sam@example.com")
        said_by_sandbox = written.with_name("sandbox.log").read_text("utf-8").splitlines()
    sent = {("sms", text["carrier"]) for text in texts} | {("email", mail["via"]) for mail in mails}
    assert sent == ways
    assert known.providers.smtp
    assert said_by_sandbox[::2] == [
        f"{shown.url}/",
        f"smtp://127.0.0.1:{known.providers.smtp.port}",
    ], "the sandbox says where its page and its mail server are"


@pytest.mark.parametrize("above", [0, 1], ids=["the page's", "the mail server's"])
def test_a_taken_port_moves_the_sandbox_to_a_free_pair(above: int) -> None:
    wanted = _free_ports(0, 2)
    assert _free_ports(wanted, 2) == wanted
    with socket.create_server(("127.0.0.1", wanted + above)):
        other = _free_ports(wanted, 2)
    assert not {other, other + 1} & {wanted + above}
    for port in (other, other + 1):
        socket.create_server(("127.0.0.1", port)).close()


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM], ids=lambda how: how.name)
def test_it_takes_its_children_with_it(tmp_path: Path, how: signal.Signals) -> None:
    with demo(tmp_path) as shown:
        shown.reads(r"http://127\.0\.0\.1:\d+/$")
        children = shown.children()
        assert len(children) == 2
        shown.process.send_signal(how)
        assert shown.process.wait(WITHIN_S) == 130
        for pid in children:
            assert not Path(f"/proc/{pid}").exists()
    assert "Traceback" not in "".join(shown.said)
    assert list(tmp_path.iterdir()) == []
