"""`ringback demo`: a stranger answers the phone in the browser, here through the page's API."""

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from tests.ringback.conftest import ROOT, WITHIN_S

LI = "+8613700000000"


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

    def calls(self) -> list[dict[str, str]]:
        """Return the calls that the phones got, newest first."""
        found: list[dict[str, str]] = httpx2.get(
            f"{self.url}/sandbox/calls", trust_env=False
        ).json()
        return found

    def answers(self) -> None:
        """Wait until it rings, answer, and press 1."""
        end = time.monotonic() + WITHIN_S
        while not (ringing := [c for c in self.calls() if c["status"] == "ringing"]):
            assert time.monotonic() < end
            time.sleep(0.05)  # another process has no event to wait for
        call = f"{self.url}/sandbox/calls/{ringing[0]['id']}"
        httpx2.post(f"{call}/answer", trust_env=False).raise_for_status()
        httpx2.post(f"{call}/press", json={"digit": "1"}, trust_env=False).raise_for_status()

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
    try:
        yield demo
    finally:
        process.kill()
        process.wait(WITHIN_S)
        if process.stdout is not None:
            process.stdout.close()


def test_once_ends_with_success_when_1_was_pressed(tmp_path: Path) -> None:
    proxy = {"HTTP_PROXY": "http://127.0.0.1:9", "http_proxy": "http://127.0.0.1:9"}
    with demo(tmp_path, "--once", SSH_CONNECTION="1.2.3.4 5 10.0.0.7 22", **proxy) as shown:
        shown.url = shown.reads(r"^ +(http://127\.0\.0\.1:\d+)/$")
        port = shown.url.rpartition(":")[2]
        assert shown.reads(rf"ssh -L {port}:127\.0\.0\.1:{port} \S+@10\.0\.0\.7")
        shown.answers()
        assert shown.reads("acknowledged; everything else has stopped")
        assert [(call["number"], call["keys"]) for call in shown.calls()] == [(LI, "1")]
        assert shown.process.wait(WITHIN_S) == 0
    said = "".join(shown.said)
    assert "li.wei acknowledged" in said
    assert "Alibaba Cloud took the call" in said
    assert "Traceback" not in said
    assert list(tmp_path.iterdir()) == []


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
