"""The edge that carriers push to, driven as a server would drive it."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from ipaddress import ip_network
from typing import Any

import httpx2
import pytest
from starlette.applications import Starlette
from structlog.testing import capture_logs

from callbacks.edge import COMMIT_WITHIN_S, LARGEST, routes
from paging.errors import CallbackMalformedError, UnavailableError
from paging.events import CallRinging, Event, Receipt
from paging.ports import Callback, Reading

NEW, OLD = "newest-token-0001", "older-token-00002"
ADDRESS = f"/callbacks/borealis/voice/{NEW}"
NUMBER = "+8613700000000"
BODY = json.dumps([{"id": "1", "to": NUMBER}, {"id": "2", "to": NUMBER}]).encode()


class Reader:
    """Reads a list of items; one without an id is a bad item."""

    name = "borealis"
    accepted = b'{"code":0}'

    def read_callback(self, callback: Callback) -> Reading:
        try:
            items: list[dict[str, Any]] = json.loads(callback.body)
        except ValueError as exc:
            raise CallbackMalformedError from exc
        if not isinstance(items, list):
            raise CallbackMalformedError
        if callback.query.get("explode"):
            raise KeyError(NUMBER)
        good = [item for item in items if item.get("id")]
        events = [CallRinging(Receipt(self.name, item["id"], ref="r")) for item in good]
        return Reading(events, len(items) - len(good))


class Sink:
    """Keeps what it is given, once `gate` is open; raises `error` where there is one."""

    def __init__(self, error: Exception | None = None) -> None:
        self.gate = asyncio.Event()
        self.gate.set()
        self.error = error
        self.kept: list[tuple[str, Sequence[Event]]] = []

    async def record(self, provider: str, events: Sequence[Event]) -> None:
        await self.gate.wait()
        if self.error is not None:
            raise self.error
        self.kept.append((provider, events))


Ask = Callable[[httpx2.AsyncClient], Awaitable[httpx2.Response]]


def _app(sink: Sink, networks: Mapping[str, Sequence[str]] | None = None) -> Starlette:
    allowed = {
        provider: [ip_network(one) for one in them] for provider, them in (networks or {}).items()
    }
    return Starlette(
        routes=routes(
            {("borealis", "voice"): Reader()}, sink, tokens=[NEW, OLD], allowed_networks=allowed
        )
    )


def _client(app: Starlette, *, caller: str = "203.0.113.7") -> httpx2.AsyncClient:
    transport = httpx2.ASGITransport(app=app, client=(caller, 40_000))
    return httpx2.AsyncClient(transport=transport, base_url="http://edge", trust_env=False)


def _push(
    address: str = ADDRESS,
    body: bytes | AsyncIterator[bytes] = BODY,
    *,
    sink: Sink | None = None,
    networks: Mapping[str, Sequence[str]] | None = None,
    caller: str = "203.0.113.7",
    method: str = "POST",
) -> httpx2.Response:
    """Push once, in a loop of its own."""

    async def ask() -> httpx2.Response:
        app = _app(sink or Sink(), networks)
        async with _client(app, caller=caller) as client:
            return await client.request(method, address, content=body)

    return asyncio.run(ask())


@pytest.mark.parametrize("token", [NEW, OLD])
def test_each_token_opens_the_address_and_the_answer_is_the_providers_own(token: str) -> None:
    sink = Sink()
    response = _push(f"/callbacks/borealis/voice/{token}", sink=sink)
    assert (response.status_code, response.content) == (200, Reader.accepted)
    assert response.headers["content-type"] == "application/json"
    [(provider, events)] = sink.kept
    assert provider == "borealis"
    assert [event.receipt.key for event in events] == ["1", "2"]


@pytest.mark.parametrize(
    "address",
    [
        "/callbacks/borealis/voice/wrong-token-00000",
        f"/callbacks/borealis/voice/{NEW}x",
        f"/callbacks/borealis/voice/{NEW[:-1]}",
        f"/callbacks/borealis/voice/{NEW.upper()}",
        "/callbacks/borealis/voice/%E5%BC%A0%FF%00",
        f"/callbacks/borealis/sms-report/{NEW}",
        f"/callbacks/unheard-of/voice/{NEW}",
        f"/callbacks/borealis/{NEW}",
        f"/callbacks/borealis/voice/{NEW}/more",
        "/nothing/here",
    ],
)
def test_whatever_is_wrong_in_the_address_the_answer_is_that_of_any_unknown_one(
    address: str,
) -> None:
    sink = Sink()
    unknown = _push("/no-such-address", sink=sink)
    response = _push(address, sink=sink)
    assert response.status_code == unknown.status_code == 404
    assert response.content == unknown.content
    assert dict(response.headers) == dict(unknown.headers)
    assert sink.kept == []


def test_a_wrong_token_is_refused_before_the_body_is_read() -> None:
    """Who has no token cannot make the service hold anything."""
    pulled = 0

    async def body() -> AsyncIterator[bytes]:
        nonlocal pulled
        for _ in range(8):
            pulled += 1
            yield b"x" * 1024

    async def ask() -> int:
        sent: list[Any] = []
        chunks = body()

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": await anext(chunks), "more_body": True}

        async def send(message: Any) -> None:
            sent.append(message)

        await _app(Sink())(_scope("/callbacks/borealis/voice/wrong"), receive, send)
        return sent[0]["status"]

    assert asyncio.run(ask()) == 404
    assert pulled == 0


def _scope(path: str, headers: Sequence[tuple[bytes, bytes]] = ()) -> dict[str, Any]:
    return {
        "type": "http",
        "method": "POST",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": list(headers),
        "client": ("203.0.113.7", 40_000),
        "server": ("edge", 80),
        "scheme": "http",
        "http_version": "1.1",
        "root_path": "",
    }


@pytest.mark.parametrize("claimed", [(), ((b"content-length", b"10"),)])
def test_a_body_that_never_ends_is_refused_at_the_limit_whatever_its_headers_claim(
    claimed: Sequence[tuple[bytes, bytes]],
) -> None:
    chunk, pulled, sink = b"x" * 65_536, 0, Sink()
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        nonlocal pulled
        pulled += len(chunk)
        return {"type": "http.request", "body": chunk, "more_body": True}

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(_app(sink)(_scope(ADDRESS, claimed), receive, send))
    assert sent[0]["status"] == 413
    assert pulled == LARGEST + len(chunk)
    assert sink.kept == []


def test_a_body_of_just_the_limit_is_read() -> None:
    body = BODY + b" " * (LARGEST - len(BODY))
    assert _push(body=body).status_code == 200
    assert _push(body=body + b" ").status_code == 413


@pytest.mark.parametrize("body", [b"", b"{", b"null", b"{}", b"\xff\xfe", b"[" * 100_000])
def test_what_cannot_be_read_is_400_or_asked_for_again_and_never_stored(body: bytes) -> None:
    sink = Sink()
    response = _push(body=body, sink=sink)
    assert response.status_code == (503 if body.startswith(b"[") else 400)
    assert response.content == b""
    assert sink.kept == []


def test_good_items_are_applied_and_bad_ones_counted() -> None:
    sink = Sink()
    with capture_logs() as logs:
        response = _push(body=b'[{"id": "1"}, {"id": ""}, {}]', sink=sink)
    assert response.content == Reader.accepted
    assert [len(events) for _, events in sink.kept] == [1]
    [entry] = logs
    assert (entry["event"], entry["events"], entry["skipped"]) == ("callback.received", 1, 2)


def test_nothing_to_store_needs_no_database() -> None:
    sink = Sink(UnavailableError())
    assert _push(body=b"[]", sink=sink).content == Reader.accepted
    assert _push(body=b"[{}]", sink=sink).content == Reader.accepted


@pytest.mark.parametrize("error", [UnavailableError(), TimeoutError(), RuntimeError(NUMBER)])
def test_a_database_that_fails_is_503_so_that_it_is_pushed_again(error: Exception) -> None:
    with capture_logs() as logs:
        response = _push(sink=Sink(error))
    assert (response.status_code, response.content) == (503, b"")
    [entry] = logs
    assert (entry["event"], entry["error"]) == ("callback.rejected", type(error).__name__)


def test_a_reader_that_breaks_is_503_and_says_only_its_class() -> None:
    with capture_logs() as logs:
        response = _push(f"{ADDRESS}?explode=1")
    assert (response.status_code, response.content) == (503, b"")
    assert logs[0]["error"] == "KeyError"
    assert NUMBER not in str(logs)


def test_a_slow_database_is_503_in_half_a_second_and_its_write_still_lands() -> None:
    """Alibaba waits 700 ms; the push that comes again is then a harmless repeat."""

    async def scenario() -> tuple[httpx2.Response, float, httpx2.Response, Sink]:
        sink = Sink()
        sink.gate.clear()
        async with _client(_app(sink)) as client:
            began = time.perf_counter()
            first = await client.post(ADDRESS, content=BODY)
            took = time.perf_counter() - began
            assert sink.kept == []
            sink.gate.set()
            second = await client.post(ADDRESS, content=BODY)
        return first, took, second, sink

    with capture_logs() as logs:
        first, took, second, sink = asyncio.run(scenario())
    assert first.status_code == 503
    assert COMMIT_WITHIN_S <= took < 0.65
    assert second.status_code == 200
    assert len(sink.kept) == 2
    assert [entry["event"] for entry in logs] == [
        "callback.rejected",
        "callback.settled_late",
        "callback.received",
    ]
    assert logs[1]["error"] is None


def test_a_write_that_fails_after_its_503_is_logged_by_its_class(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def scenario() -> None:
        sink = Sink(RuntimeError(NUMBER))
        sink.gate.clear()
        async with _client(_app(sink)) as client:
            assert (await client.post(ADDRESS, content=BODY)).status_code == 503
            sink.gate.set()
            assert (await client.post(ADDRESS, content=BODY)).status_code == 503

    with capture_logs() as logs:
        asyncio.run(scenario())
    late = [entry for entry in logs if entry["event"] == "callback.settled_late"]
    assert [entry["error"] for entry in late] == ["RuntimeError"]
    assert NUMBER not in str(logs) + caplog.text


def test_a_caller_who_hangs_up_stores_nothing() -> None:
    sink = Sink()
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(_app(sink)(_scope(ADDRESS), receive, send))
    assert sent[0]["status"] == 400
    assert sink.kept == []


@pytest.mark.parametrize(
    ("caller", "status"),
    [
        ("203.0.113.7", 200),
        ("::ffff:203.0.113.7", 200),
        ("2001:db8::1", 200),
        ("198.51.100.1", 404),
        ("2001:db9::1", 404),
        ("not-an-address", 404),
    ],
)
def test_only_allowed_networks_may_call_where_a_provider_has_some(caller: str, status: int) -> None:
    networks = {"borealis": ["203.0.113.0/24", "2001:db8::/32"]}
    assert _push(networks=networks, caller=caller).status_code == status


def test_an_empty_list_of_networks_lets_nobody_in_and_others_lists_do_not_count() -> None:
    assert _push(networks={"borealis": []}).status_code == 404
    assert _push(networks={"aurora": ["198.51.100.0/24"]}).status_code == 200


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_only_post_is_taken(method: str) -> None:
    response = _push(method=method, body=b"")
    assert response.status_code == 405
    assert response.headers["allow"] == "POST"


@pytest.mark.parametrize(
    ("address", "body"),
    [
        (ADDRESS, BODY),
        (ADDRESS, b"{" + NUMBER.encode()),
        (ADDRESS, BODY + b" " * LARGEST),
        (f"{ADDRESS}?explode=1", BODY),
        (ADDRESS.replace(NEW, "wrong-token-00000"), BODY),
    ],
)
def test_neither_log_nor_answer_holds_token_number_or_body(address: str, body: bytes) -> None:
    with capture_logs() as logs:
        response = _push(address, body)
    said = str(logs) + response.text + str(response.headers)
    assert logs
    for secret in (NEW, "wrong-token", "13700000000"):
        assert secret not in said
    for entry in logs:
        assert (entry["provider"], entry["product"]) == ("borealis", "voice")
