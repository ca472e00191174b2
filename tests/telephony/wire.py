"""Every way in which the wire breaks, and what may be seen and said of it."""

import contextlib
import http.server
import json
import logging
import socket
import threading
import traceback
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import pytest
from structlog.testing import capture_logs

from clouds.probes import Proof
from paging.errors import DeliveryError


def refused(
    place: Callable[[], object], caplog: pytest.LogCaptureFixture, *private: str
) -> DeliveryError:
    """The one error that may come of this; no trace of what is private comes with it."""
    caplog.set_level(logging.INFO)
    with capture_logs() as logged, pytest.raises(DeliveryError) as caught:
        place()
    error = caught.value
    shown = [
        str(error),
        repr(error),
        error.text,
        str(logged),
        caplog.text,
        *traceback.format_exception(error),
    ]
    for secret in (*private, "secret-of"):
        assert secret not in "".join(shown)
    return error


@contextlib.contextmanager
def closed_port() -> Iterator[str]:
    with socket.socket() as bound:  # bound and not listening: refused, and nobody else's
        bound.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{bound.getsockname()[1]}"


class Raw(NamedTuple):
    """An answer that no document knows: no sandbox gives it."""

    status: int
    body: str
    headers: dict[str, str]


@contextlib.contextmanager
def answering(raw: Raw, *, keep_alive: bool = False) -> Iterator[tuple[str, list[str], set[Any]]]:
    """A server that answers everything alike: its address, what it was asked, and by whom."""
    asked: list[str] = []
    connections: set[Any] = set()

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1" if keep_alive else "HTTP/1.0"

        def do_POST(self) -> None:
            asked.append(self.path)
            connections.add(self.client_address)
            self.rfile.read(int(self.headers["Content-Length"] or 0))
            body = raw.body.encode()
            self.send_response(raw.status)
            for name, value in raw.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Print nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", asked, connections
        server.shutdown()
        thread.join()


JSON = {"Content-Type": "application/json"}


class Expected(NamedTuple):
    """`codes`: Alibaba's and Tencent's. `exists`: what was asked for does, all the same."""

    fault: str
    codes: tuple[str, str]
    kind: str
    placed: str
    exists: bool = False
    answered: bool = False


LOST, DOWN = ("answer_lost", "answer_lost"), ("InternalError", "ServerNetworkError")
BROKEN_ANSWERS = [
    Expected("accept_then_hang", LOST, "unknown", "maybe"),
    Expected("place_then_hang", LOST, "unknown", "maybe", exists=True),
    Expected("place_then_reset", LOST, "unknown", "maybe", exists=True),
    Expected("close_mid_request", LOST, "unknown", "maybe"),
    Expected("slow_body", LOST, "unknown", "maybe", exists=True),
    Expected("server_error", DOWN, "provider_down", "maybe", answered=True),
    Expected(
        "server_error_after_placing", DOWN, "provider_down", "maybe", exists=True, answered=True
    ),
    Expected("empty_success", ("no_call_id", "no_call_id"), "unknown", "maybe"),
    Expected(
        "throttle", ("Throttling.User", "RequestLimitExceeded"), "rate_limited", "no", answered=True
    ),
]


def check(error: DeliveryError, expected: Expected, adapter: str) -> None:
    """Assert that an error says this."""
    assert error.code == expected.codes[adapter == "tencent"]
    assert (error.row.kind, error.row.placed) == (expected.kind, expected.placed)
    assert error.row.other_provider
    assert error.answered == expected.answered


def check_probe(
    probe: Callable[[str], Proof], adapter: str, answer: tuple[int, dict[str, Any]], verdict: str
) -> None:
    """Assert that a carrier is asked once, and that no more is claimed than its answer says."""
    status, said = answer
    if adapter == "tencent":
        error = {"Error": {**said["Error"], "Message": "-"}} if "Error" in said else said
        said = {"Response": {**error, "RequestId": "1"}}
    with answering(Raw(status, json.dumps(said), JSON)) as (url, asked, _):
        told, words = probe(url)
    assert told == verdict
    assert set(words) == {"zh-CN", "en"}
    assert len(asked) == 1


def check_probe_of_nobody(probe: Callable[[str], Proof]) -> None:
    """Assert that what does not answer is said to be wrong, and where to look."""
    with closed_port() as endpoint:
        told, words = probe(endpoint)
    assert told == "wrong"
    assert "endpoint" in words["en"]
