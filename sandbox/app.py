"""One address for the carriers' APIs at `/`, the page, and the sandbox's own API; one for mail."""

import contextlib
import socket
from collections.abc import AsyncGenerator
from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from sandbox import alibaba, control, smtp, tencent
from sandbox.box import Box

_STATIC = Path(__file__).parent / "static"


def create_app(mail_socket: socket.socket) -> Starlette:
    """Return the application; to be called in the event loop that serves it.

    `mail_socket`: bound, where the mail server is to listen for as long as the application runs.
    """
    box = Box()
    mail_server = smtp.Server(box)

    async def carrier(request: Request) -> Response:
        """Tell the carriers apart by the headers that each one's SDK sends."""
        if "x-tc-action" in request.headers:
            return await tencent.serve(request, box)
        from_sdk = "x-acs-action" in request.headers or "Action" in request.query_params
        if request.method == "GET" and not from_sdk:
            return FileResponse(_STATIC / "index.html")
        return await alibaba.serve(request, box)

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncGenerator[None]:
        await mail_server.start(mail_socket)
        yield
        mail_server.close()
        await box.pusher.close()

    return Starlette(
        routes=[
            Route("/", carrier, methods=["GET", "POST"]),
            *control.routes(box),
            Mount("/static", StaticFiles(directory=_STATIC)),
        ],
        lifespan=lifespan,
    )
