"""Each fault does on the wire what its name says; seen by a client that hides nothing."""

import contextlib
import re
import socket
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.sandbox.conftest import KEYED, LI, RIGHT, WEI, Sandbox, changed, code_of
from tests.sandbox.signing import acs3, tc3

CARRIERS = ("alibaba", "tencent")
each_carrier = pytest.mark.parametrize("carrier", CARRIERS)
NOTHING_FOR_S = 0.25


@contextlib.contextmanager
def asking(sandbox: Sandbox, carrier: str) -> Iterator[socket.socket]:
    """A socket on which a right request was sent whole."""
    sign = {"alibaba": acs3, "tencent": tc3}[carrier]
    signed = sign(sandbox.host, KEYED[carrier], RIGHT[KEYED[carrier]])
    host, _, port = sandbox.host.partition(":")
    with socket.create_connection((host, int(port)), timeout=5) as open_socket:
        open_socket.sendall(signed.raw())
        yield open_socket


def read_to_the_end(open_socket: socket.socket) -> bytes:
    """Everything until the other side closes or resets."""
    said = b""
    with contextlib.suppress(ConnectionResetError):
        while part := open_socket.recv(65_536):
            said += part
    return said


def read_answer(open_socket: socket.socket) -> bytes:
    """One whole answer; the connection stays open."""
    said = b""
    while b"\r\n\r\n" not in said:
        said += open_socket.recv(65_536)
    head, _, body = said.partition(b"\r\n\r\n")
    length = int(re.search(rb"content-length: (\d+)", head)[1])
    while len(body) < length:
        body += open_socket.recv(65_536)
    return head + b"\r\n\r\n" + body


def says_nothing(open_socket: socket.socket) -> bool:
    """Whether the connection stays open and silent."""
    open_socket.settimeout(NOTHING_FOR_S)
    try:
        open_socket.recv(1)
    except TimeoutError:
        return True
    return False


def ask(sandbox: Sandbox, carrier: str, **change: Any) -> Any:
    return sandbox.ask(KEYED[carrier], changed(KEYED[carrier], change))


@each_carrier
@pytest.mark.parametrize(("fault", "placed"), [("accept_then_hang", 0), ("place_then_hang", 1)])
def test_hanging_is_silence_on_an_open_connection(
    sandbox: Sandbox, carrier: str, fault: str, placed: int
) -> None:
    sandbox.faults(carrier, {"fault": fault})
    with asking(sandbox, carrier) as open_socket:
        assert says_nothing(open_socket)
        assert len(sandbox.calls()) == placed


@each_carrier
@pytest.mark.parametrize(("fault", "placed"), [("close_mid_request", 0), ("place_then_reset", 1)])
def test_cutting_ends_the_connection_without_a_byte(
    sandbox: Sandbox, carrier: str, fault: str, placed: int
) -> None:
    sandbox.faults(carrier, {"fault": fault})
    with asking(sandbox, carrier) as open_socket:
        assert read_to_the_end(open_socket) == b""
    assert len(sandbox.calls()) == placed


@each_carrier
def test_a_connection_that_was_kept_alive_can_be_cut_under_the_next_request(
    sandbox: Sandbox, carrier: str
) -> None:
    sign = {"alibaba": acs3, "tencent": tc3}[carrier]
    with asking(sandbox, carrier) as open_socket:
        assert read_answer(open_socket).startswith(b"HTTP/1.1 200")
        sandbox.faults(carrier, {"fault": "close_mid_request"})
        open_socket.sendall(sign(sandbox.host, KEYED[carrier], RIGHT[KEYED[carrier]]).raw())
        assert read_to_the_end(open_socket) == b""
    assert len(sandbox.calls()) == 1


@each_carrier
@pytest.mark.parametrize(
    ("fault", "placed"), [("server_error", 0), ("server_error_after_placing", 1)]
)
def test_a_server_error_is_500_in_json(
    sandbox: Sandbox, carrier: str, fault: str, placed: int
) -> None:
    sandbox.faults(carrier, {"fault": fault})
    response = ask(sandbox, carrier)
    assert response.status_code == 500
    assert response.headers["content-type"] == "application/json"
    said = response.json()
    assert said.get("Code", "InternalError") == "InternalError"
    assert "CallId" not in str(said)
    assert len(sandbox.calls()) == placed


@each_carrier
@pytest.mark.parametrize(("told", "status"), [({}, 502), ({"http_status": 200}, 200)])
def test_an_html_page_comes_with_any_status(
    sandbox: Sandbox, carrier: str, told: dict[str, Any], status: int
) -> None:
    sandbox.faults(carrier, {"fault": "html", **told})
    response = ask(sandbox, carrier)
    assert response.status_code == status
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    assert response.text.startswith("<html>")
    assert sandbox.calls() == []


@each_carrier
def test_a_slow_body_trickles_after_its_headers(sandbox: Sandbox, carrier: str) -> None:
    sandbox.faults(carrier, {"fault": "slow_body"})
    with asking(sandbox, carrier) as open_socket:
        said = b""
        while b"\r\n\r\n" not in said or said.endswith(b"\r\n\r\n"):
            said += open_socket.recv(65_536)
        head, _, body = said.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200")
        assert b"content-type: application/json\r\n" in head + b"\r\n"
        chunks = [body, open_socket.recv(65_536), open_socket.recv(65_536)]
        assert all(chunk.startswith(b"1\r\n") for chunk in chunks)  # a byte at a time
        assert not chunks[-1].endswith(b"0\r\n\r\n")
    assert len(sandbox.calls()) == 1


@each_carrier
def test_slow_answers_well_but_late(sandbox: Sandbox, carrier: str) -> None:
    sandbox.faults(carrier, {"fault": "slow", "after_s": 0.3})
    began = time.monotonic()
    assert code_of(ask(sandbox, carrier)) == "OK"
    assert time.monotonic() - began >= 0.3
    assert len(sandbox.calls()) == 1


def test_an_empty_success_of_alibaba_has_no_call_id(sandbox: Sandbox) -> None:
    sandbox.faults("alibaba", {"fault": "empty_success"})
    response = ask(sandbox, "alibaba")
    assert response.status_code == 200
    assert response.json().keys() == {"RequestId", "Code", "Message"}
    assert code_of(response) == "OK"
    assert sandbox.calls() == []


def test_an_empty_success_of_tencent_has_no_status(sandbox: Sandbox) -> None:
    sandbox.faults("tencent", {"fault": "empty_success"})
    response = ask(sandbox, "tencent")
    assert response.status_code == 200
    assert response.json()["Response"].keys() == {"SendStatus", "RequestId"}
    assert response.json()["Response"]["SendStatus"] is None
    assert sandbox.calls() == []


def test_alibaba_throttles_with_a_time_to_wait(sandbox: Sandbox) -> None:
    sandbox.faults("alibaba", {"fault": "throttle", "retry_after_ms": 2500})
    response = ask(sandbox, "alibaba")
    assert (response.status_code, code_of(response)) == (400, "Throttling.User")
    assert response.headers["x-acs-retry-after"] == "2500"
    assert sandbox.calls() == []


def test_no_other_refusal_of_alibaba_says_when_to_come_back(sandbox: Sandbox) -> None:
    sandbox.settings(alibaba={"error_http_status": 400})
    response = ask(sandbox, "alibaba", PlayTimes="4")
    assert response.status_code == 400
    assert "x-acs-retry-after" not in response.headers


def test_tencent_throttles_with_200(sandbox: Sandbox) -> None:
    sandbox.faults("tencent", {"fault": "throttle"})
    response = ask(sandbox, "tencent")
    assert (response.status_code, code_of(response)) == (200, "RequestLimitExceeded")
    assert sandbox.calls() == []


@each_carrier
def test_any_code_can_be_answered(sandbox: Sandbox, carrier: str) -> None:
    sandbox.faults(carrier, {"fault": "error", "code": "Some.Code", "message": "said so"})
    response = ask(sandbox, carrier)
    assert (response.status_code, code_of(response)) == (200, "Some.Code")
    assert "said so" in response.text
    assert sandbox.calls() == []


@each_carrier
def test_any_status_can_be_answered(sandbox: Sandbox, carrier: str) -> None:
    sandbox.faults(carrier, {"fault": "error", "code": "Some.Code", "http_status": 503})
    assert ask(sandbox, carrier).status_code == 503
    assert sandbox.calls() == []


# --- whom and how often -------------------------------------------------------------------------

FAULT = {"fault": "error", "code": "Some.Code"}


def codes_of(sandbox: Sandbox, carrier: str, times: int, **change: Any) -> list[str]:
    return [code_of(ask(sandbox, carrier, **change)) for _ in range(times)]


@each_carrier
def test_a_fault_happens_once_unless_told_otherwise(sandbox: Sandbox, carrier: str) -> None:
    sandbox.faults(carrier, FAULT)
    assert codes_of(sandbox, carrier, 2) == ["Some.Code", "OK"]


@each_carrier
def test_a_fault_happens_so_many_times(sandbox: Sandbox, carrier: str) -> None:
    sandbox.faults(carrier, {**FAULT, "times": 2})
    assert codes_of(sandbox, carrier, 3) == ["Some.Code", "Some.Code", "OK"]


@each_carrier
def test_a_fault_without_times_happens_until_it_is_taken_away(
    sandbox: Sandbox, carrier: str
) -> None:
    sandbox.faults(carrier, {**FAULT, "times": None})
    assert codes_of(sandbox, carrier, 5) == ["Some.Code"] * 5
    sandbox.faults(carrier)
    assert codes_of(sandbox, carrier, 1) == ["OK"]


@each_carrier
def test_a_fault_of_one_number_leaves_others_alone(sandbox: Sandbox, carrier: str) -> None:
    sandbox.faults(carrier, {**FAULT, "number": "13700000000"})
    wei = WEI.removeprefix("+86") if carrier == "alibaba" else WEI
    assert codes_of(sandbox, carrier, 1, CalledNumber=wei) == ["OK"]
    assert codes_of(sandbox, carrier, 2) == ["Some.Code", "OK"]


def test_a_fault_may_be_of_a_landline(sandbox: Sandbox) -> None:
    sandbox.faults("alibaba", {**FAULT, "number": "057188888888"})
    assert codes_of(sandbox, "alibaba", 1) == ["OK"]
    assert codes_of(sandbox, "alibaba", 1, CalledNumber="057188888888") == ["Some.Code"]


@each_carrier
def test_faults_follow_each_other_in_order(sandbox: Sandbox, carrier: str) -> None:
    sandbox.faults(carrier, FAULT, {"fault": "error", "code": "Other.Code"})
    assert codes_of(sandbox, carrier, 3) == ["Some.Code", "Other.Code", "OK"]


@each_carrier
def test_a_fault_of_one_carrier_is_not_the_others(sandbox: Sandbox, carrier: str) -> None:
    other = {"alibaba": "tencent", "tencent": "alibaba"}[carrier]
    sandbox.faults(carrier, {**FAULT, "times": None})
    assert codes_of(sandbox, other, 1) == ["OK"]


def test_a_request_with_a_wrong_signature_uses_up_no_fault(sandbox: Sandbox) -> None:
    sandbox.faults("alibaba", FAULT)
    sandbox.ask("IvrCall", RIGHT["IvrCall"], keys=("LTAI-test-id", "other"))
    assert codes_of(sandbox, "alibaba", 2) == ["Some.Code", "OK"]


def test_what_is_left_of_a_fault_is_shown(sandbox: Sandbox) -> None:
    sandbox.faults("alibaba", {**FAULT, "times": 3})
    ask(sandbox, "alibaba")
    (shown,) = sandbox.http.get("/sandbox/faults/alibaba").json()
    assert (shown["fault"], shown["code"], shown["times"]) == ("error", "Some.Code", 2)


@each_carrier
def test_a_call_whose_answer_was_lost_rings_all_the_same(sandbox: Sandbox, carrier: str) -> None:
    sandbox.faults(carrier, {"fault": "place_then_reset"})
    with asking(sandbox, carrier) as open_socket:
        read_to_the_end(open_socket)
    sandbox.advance(2.1)
    (call,) = sandbox.calls()
    assert (call["number"], call["status"]) == (LI, "ringing")


def test_callers_that_hang_keep_nobody_else_waiting(sandbox: Sandbox) -> None:
    sandbox.faults("alibaba", {"fault": "accept_then_hang", "times": 10})
    with contextlib.ExitStack() as stack:
        for _ in range(10):
            stack.enter_context(asking(sandbox, "alibaba"))
        while len(sandbox.http.get("/sandbox/requests").json()) < 10:
            pass  # it tells of no event, but answers this only after what came before
        assert codes_of(sandbox, "alibaba", 1) == ["OK"]
