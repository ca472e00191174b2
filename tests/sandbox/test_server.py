"""Starting and ending a sandbox."""

import gc
import json
import socket
import subprocess
import sys
import threading
import time
import warnings
from typing import Any

import httpx2
import pytest

from sandbox import server
from tests.sandbox.conftest import LI, RIGHT, Sandbox
from tests.sandbox.signing import tc3


def sandboxes() -> int:
    """How many run in this process."""
    return [thread.name for thread in threading.enumerate()].count("sandbox")


def test_it_is_up_when_the_block_begins_and_gone_when_it_ends() -> None:
    before = sandboxes()
    began = time.monotonic()
    with server.running() as sandbox:
        assert httpx2.get(f"{sandbox.url}/sandbox/state", trust_env=False).status_code == 200
    took_s = time.monotonic() - began
    with pytest.raises(httpx2.ConnectError):
        httpx2.get(f"{sandbox.url}/sandbox/state", trust_env=False)
    assert sandboxes() == before
    assert took_s < 5  # measured 0.3 s


def test_two_run_side_by_side_and_know_nothing_of_each_other() -> None:
    with server.running() as one, server.running() as two:
        assert one.url != two.url
        httpx2.put(f"{one.url}/sandbox/phones/{LI}", json={"behaviour": "busy"}, trust_env=False)
        state = httpx2.get(f"{two.url}/sandbox/state", trust_env=False).json()
        assert state["phones"] == []


def test_a_port_can_be_chosen_and_used_again() -> None:
    with server.running() as first:
        port = int(first.url.rpartition(":")[2])
    with server.running(port) as second:
        assert second.url == first.url


def test_a_port_in_use_is_an_error() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(OSError, match="in use"), server.running(taken.getsockname()[1]):
            pass


def test_a_sandbox_that_does_not_come_up_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    """The application is made unable to start, since nothing on the machine can be taken away."""

    def broken(_: socket.socket) -> Any:
        msg = "no application"
        raise ValueError(msg)

    monkeypatch.setattr(server, "create_app", broken)
    before = sandboxes()
    with pytest.raises(RuntimeError, match="did not come up") as caught, server.running():
        pass
    assert isinstance(caught.value.__cause__, ValueError)
    assert sandboxes() == before


def test_an_error_in_the_block_ends_the_sandbox() -> None:
    def fail() -> None:
        with server.running() as sandbox:
            urls.append(sandbox.url)
            raise KeyError

    urls: list[str] = []
    with pytest.raises(KeyError):
        fail()
    with pytest.raises(httpx2.ConnectError):
        httpx2.get(f"{urls[0]}/sandbox/state", trust_env=False)


def test_it_ends_at_once_and_cleanly_whatever_is_going_on() -> None:
    """An open page, a hanging and a trickling answer, and a callback that nobody answers."""
    with (
        warnings.catch_warnings(record=True) as caught,
        socket.create_server(("127.0.0.1", 0)) as deaf,
    ):
        warnings.simplefilter("always")
        with server.running() as running:
            known = Sandbox(running.url)
            known.begin()
            known.settings(tencent={"voice_url": f"http://127.0.0.1:{deaf.getsockname()[1]}/t"})
            known.faults("tencent", {"fault": "place_then_hang"}, {"fault": "slow_body"})
            sockets = [socket.create_connection(known.host.split(":")) for _ in range(3)]
            for one in sockets[:2]:
                one.sendall(tc3(known.host, "SendTtsVoice", RIGHT["SendTtsVoice"]).raw())
            sockets[2].sendall(b"GET /sandbox/events HTTP/1.1\r\nhost: x\r\n\r\n")
            for one in sockets[1:]:
                assert one.recv(65_536).startswith(b"HTTP/1.1 200")
            known.phone(LI, "off")
            body = json.dumps({"advance_s": 3}).encode()
            advancing = threading.Thread(
                target=lambda: _ignore_the_end(f"{known.url}/sandbox/clock", body)
            )
            advancing.start()
            deaf.settimeout(10)
            deaf.accept()[0].close()  # its callback has come
            began = time.monotonic()
        took_s = time.monotonic() - began
        advancing.join()
        known.http.close()
        for one in sockets:
            one.close()
        gc.collect()
    assert took_s < 4  # measured 0.1 s; two of these last for ever
    assert [str(warning.message) for warning in caught] == []


def _ignore_the_end(url: str, body: bytes) -> None:
    try:
        httpx2.post(url, content=body, trust_env=False)
    except httpx2.TransportError:
        return


def test_nothing_is_left_open() -> None:
    """In a process of its own, so that every warning of the end is seen as well."""
    program = """
import gc
from tests.sandbox.conftest import Sandbox
from tests.sandbox.signing import tc3
from sandbox.server import running
for _ in range(2):
    with running() as server:
        known = Sandbox(server.url)
        known.begin()
        known.settings(tencent={"voice_url": f"{server.url}/"})  # a callback that is refused
        known.place("SendTtsVoice")
        known.advance(70)
        assert len(known.pushes()[0]["tries"]) == 1
        known.http.close()
    gc.collect()
"""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_the_page_is_at_the_root_and_a_carriers_request_is_not_taken_for_it(
    sandbox: Sandbox,
) -> None:
    page = sandbox.http.get("/")
    assert page.headers["content-type"].startswith("text/html")
    for headers in ({"x-acs-action": "IvrCall"}, {"x-tc-action": "SendTtsVoice"}):
        answer = sandbox.http.get("/", headers=headers)
        assert answer.headers["content-type"] == "application/json"
    assert sandbox.http.get("/", params={"Action": "IvrCall"}).status_code == 400
