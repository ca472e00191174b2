"""Running the sandbox: as a command, or in a thread of a test."""

import asyncio
import contextlib
import functools
import socket
import threading
from collections.abc import Generator
from concurrent.futures import Future, wait
from dataclasses import dataclass

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from sandbox.app import create_app
from sandbox.wire import TRANSPORT

_WITHIN_S = 10.0  # to come up, and to end


class Protocol(HttpToolsProtocol):
    """uvicorn's own, which also lets a fault close the connection without an answer."""

    def on_message_begin(self) -> None:
        """Put the connection where `wire.cut` finds it."""
        super().on_message_begin()
        self.scope[TRANSPORT] = self.transport  # pyright: ignore[reportGeneralTypeIssues]


def _config(host: str, port: int, mail_socket: socket.socket) -> uvicorn.Config:
    return uvicorn.Config(
        functools.partial(create_app, mail_socket),
        factory=True,
        host=host,
        port=port,
        http=Protocol,
        loop="asyncio",
        log_level="critical",
        access_log=False,
        lifespan="on",
        timeout_graceful_shutdown=0,  # open pages and hanging answers would wait for ever
    )


def serve(host: str, port: int, smtp_port: int | None = None) -> None:
    """Run until interrupted; without `smtp_port` the mail server takes a free one.

    Raises OSError for an `smtp_port` in use.
    """
    with _bound(host, smtp_port or 0) as mail_socket:
        uvicorn.Server(_config(host, port, mail_socket)).run()


def _bound(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Named TCP, because asyncio sends small answers at once on such sockets only.
    made = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind((host, port))
        made.listen(128)
    except OSError:
        made.close()
        raise
    return made


@dataclass(frozen=True, slots=True)
class Running:
    """A sandbox in a thread."""

    url: str
    smtp_port: int


@contextlib.contextmanager
def running(port: int = 0, smtp_port: int = 0) -> Generator[Running]:
    """Run a sandbox on loopback, by default on free ports, until the block ends.

    Raises OSError for a port in use, RuntimeError when the sandbox does not come up, TimeoutError
    when it does not end.
    """
    with (
        _bound("127.0.0.1", port) as listening,
        _bound("127.0.0.1", smtp_port) as mail_socket,
    ):
        known = Running(
            f"http://127.0.0.1:{listening.getsockname()[1]}", mail_socket.getsockname()[1]
        )
        server = uvicorn.Server(_config("127.0.0.1", port, mail_socket))
        up, ended = threading.Event(), Future[None]()

        async def run() -> None:
            serving = asyncio.create_task(server.serve([listening]))
            while not server.started and not serving.done():  # noqa: ASYNC110 - no event for it
                await asyncio.sleep(0.005)
            up.set()
            await serving

        def work() -> None:
            try:
                asyncio.run(run())
            except BaseException as exc:  # noqa: BLE001 - raised to whoever runs the sandbox
                ended.set_exception(exc)
            else:
                ended.set_result(None)
            finally:
                up.set()

        threading.Thread(target=work, name="sandbox", daemon=True).start()
        up.wait(_WITHIN_S)
        if not server.started:
            server.should_exit = True
            wait([ended], _WITHIN_S)
            why = ended.exception() if ended.done() else None
            raise RuntimeError("the sandbox did not come up") from why
        try:
            yield known
        finally:
            server.should_exit = True
            ended.result(_WITHIN_S)  # raises what ended it early
