"""Running the sandbox: as a command, or in a thread of a test."""

import asyncio
import contextlib
import socket
import threading
from collections.abc import Generator
from dataclasses import dataclass

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from sandbox.app import create_app
from sandbox.wire import TRANSPORT


class Protocol(HttpToolsProtocol):
    """uvicorn's own, which also lets a fault close the connection without an answer."""

    def on_message_begin(self) -> None:
        """Put the connection where `wire.cut` finds it."""
        super().on_message_begin()
        self.scope[TRANSPORT] = self.transport  # pyright: ignore[reportGeneralTypeIssues]


def _config(host: str, port: int) -> uvicorn.Config:
    return uvicorn.Config(
        create_app,
        factory=True,
        host=host,
        port=port,
        http=Protocol,
        loop="asyncio",
        log_level="critical",
        access_log=False,
        lifespan="on",
        timeout_graceful_shutdown=1,
    )


def serve(host: str, port: int) -> None:
    """Run until interrupted."""
    uvicorn.Server(_config(host, port)).run()


@dataclass(frozen=True, slots=True)
class Running:
    """A sandbox in a thread."""

    url: str


@contextlib.contextmanager
def running(port: int = 0) -> Generator[Running]:
    """Run a sandbox on loopback, by default on a free port, until the block ends."""
    # Named TCP, because asyncio sends small answers at once on such sockets only.
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(("127.0.0.1", port))
        listening.listen(128)
        server = uvicorn.Server(_config("127.0.0.1", port))
        up = threading.Event()

        async def run() -> None:
            serving = asyncio.create_task(server.serve([listening]))
            while not server.started and not serving.done():  # noqa: ASYNC110 - no event for it
                await asyncio.sleep(0.005)
            up.set()
            await serving

        thread = threading.Thread(target=lambda: asyncio.run(run()), daemon=True)
        thread.start()
        up.wait(10)
        try:
            yield Running(f"http://127.0.0.1:{listening.getsockname()[1]}")
        finally:
            server.should_exit = True
            thread.join(10)
