"""What we send ourselves ends in time, reads no more than asked, and stays out of our network."""

import asyncio
import socket
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from outbound.http import Answer, OutboundError, client, fetch

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def serving(serve: Serve) -> AsyncGenerator[str]:
    """Run a raw server on a loopback port and give its address."""

    async def once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        try:
            await serve(reader, writer)
        finally:
            writer.close()

    server = await asyncio.start_server(once, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    async with server:
        yield f"http://{host}:{port}/"


def answering(response: bytes) -> Serve:
    """Return a server that says this and closes."""

    async def serve(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(response)
        await writer.drain()

    return serve


async def _ask(
    url: str, *, allow_private: bool = True, deadline_s: float = 5, most_bytes: int = 1000
) -> Answer:
    async with client(allow_private=allow_private) as http:
        return await fetch(http, "GET", url, deadline_s=deadline_s, most_bytes=most_bytes)


def _asking(serve: Serve, *, deadline_s: float = 5, most_bytes: int = 1000) -> Answer:
    async def run() -> Answer:
        async with serving(serve) as url:
            return await _ask(url, deadline_s=deadline_s, most_bytes=most_bytes)

    return asyncio.run(run())


def test_an_answer_comes_with_status_body_and_time() -> None:
    answer = _asking(answering(b"HTTP/1.1 201 OK\r\nContent-Length: 2\r\n\r\nok"))
    assert (answer.status, answer.body) == (201, b"ok")
    assert 0 < answer.took_ms < 5000


def test_a_redirect_is_not_followed() -> None:
    answer = _asking(
        answering(b"HTTP/1.1 302 Found\r\nLocation: http://10.0.0.1/\r\nContent-Length: 0\r\n\r\n")
    )
    assert answer.status == 302


def test_an_answer_larger_than_allowed_is_given_up() -> None:
    with pytest.raises(OutboundError, match="larger than 1000 bytes"):
        _asking(answering(b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 1001))


def test_a_trickling_answer_ends_at_the_deadline() -> None:
    """Each byte comes well within any time-out between two bytes."""

    async def trickle(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while not writer.is_closing():
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.01)

    began = time.monotonic()
    with pytest.raises(OutboundError, match=r"no answer within 0\.2 s"):
        _asking(trickle, deadline_s=0.2)
    assert time.monotonic() - began < 2


def test_a_refused_connection_is_said_in_words() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(OutboundError, match="the connection is refused"):
        asyncio.run(_ask(f"http://127.0.0.1:{port}/"))


def test_an_answer_that_is_no_http_is_said_in_words() -> None:
    with pytest.raises(OutboundError, match="the request fails"):
        _asking(answering(b"SSH-2.0-x\r\n"))


def test_an_address_that_is_none_is_said_in_words() -> None:
    for url in ("http://[::1", "ftp://example.com/", "nothing"):
        with pytest.raises(OutboundError):
            asyncio.run(_ask(url))


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "localhost",
        "2130706433",  # the same as a number
        "0.0.0.0",  # noqa: S104
        "10.0.0.1",
        "172.16.0.1",
        "192.168.0.1",
        "169.254.169.254",  # cloud metadata
        "100.64.0.1",
        "224.0.0.1",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[fe80::1]",
        "[fd00::1]",
    ],
)
def test_private_addresses_are_refused_before_anything_is_sent(host: str) -> None:
    with pytest.raises(OutboundError, match="is on a private network"):
        asyncio.run(_ask(f"http://{host}:9/", allow_private=False))


def test_a_proxy_in_the_environment_is_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    answer = _asking(answering(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"))
    assert answer.status == 200
