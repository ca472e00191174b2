"""The whole service from its settings: adapters, engine, callbacks and API, in one process."""

import contextlib
import gc
import time
from collections.abc import AsyncGenerator, Mapping, Sequence
from datetime import datetime
from importlib.metadata import version
from zoneinfo import ZoneInfo

import httpx2
import structlog
import uvicorn
from starlette.applications import Starlette
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from callbacks import edge
from outbound import http
from paging.model import Offer, Rules
from paging.oncall import FeedEvent
from paging.people import Channel
from paging.ports import Calendars, Clock
from paging.service import Paging
from paging.store import schema
from paging.store.database import Store, only_server
from ringback import adapters
from ringback.clock import SystemClock
from ringback.listening import listen
from ringback.settings import Settings
from web import app
from web.links import Links

log = structlog.get_logger(__name__)

GRACE_S = 15  # for requests and submits that are under way when the service is told to stop


def application(settings: Settings, clock: Clock) -> Starlette:
    """Return the service. It starts and stops with the application's lifespan."""
    made = adapters.adapters(settings)
    providers = made.providers()
    links = Links(
        [key.get_secret_value() for key in settings.security.secret_keys],
        settings.server.public_url,
    )
    outside = http.client(allow_private=settings.network.allow_private)
    paging = Paging(
        Store(settings.database.url),
        clock,
        rules(settings, providers, links),
        providers,
        OnDemandCalendars(outside),
    )

    @contextlib.asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncGenerator[None]:
        await paging.start()
        # What the imports made stays: looking through it again stopped everything for 90 ms.
        gc.collect()
        gc.freeze()
        on = {channel: list(offers) for channel, offers in providers.items()}
        log.info("service.started", version=version("ringback"), **on)
        yield
        await paging.stop()
        await outside.aclose()
        for pool in made.pools:
            pool.close()
        log.info("service.stopped")

    return app.application(
        [
            *edge.routes(
                made.readers,
                paging,
                tokens=[token.get_secret_value() for token in settings.security.callback_tokens],
                allowed_networks=settings.security.allowed_networks,
            ),
            *app.routes(
                paging, admin_token=settings.security.admin_token, clock=clock, links=links
            ),
        ],
        lifespan=lifespan,
    )


class OnDemandCalendars:
    """Satisfies `paging.ports.Calendars`: its libraries' 5 MB are for whoever has a calendar."""

    def __init__(self, client: httpx2.AsyncClient) -> None:
        self._client = client
        self._made: Calendars | None = None

    async def read(
        self, url: str, since: datetime, until: datetime, *, zone: ZoneInfo
    ) -> Sequence[FeedEvent]:
        """Fetch and read a calendar. Raises CalendarError."""
        if self._made is None:
            from outbound import calendars  # noqa: PLC0415 - see above

            self._made = calendars.Calendars(self._client)
        return await self._made.read(url, since, until, zone=zone)


def rules(
    settings: Settings, channels: Mapping[Channel, Mapping[str, Offer]], links: Links | None = None
) -> Rules:
    """Return what the settings decide for the domain."""
    silence, doubt = settings.timing.receipt_silence, settings.timing.ambiguous_wait
    return Rules(
        channels=channels,
        menu=settings.menu,
        operators=settings.operators.policy_id,
        silence_floor_s=silence.voice,
        text_silence_s=silence.sms,
        lost_answer_wait_s=doubt.voice,
        lost_text_wait_s=doubt.sms,
        carrier_error_wait_s=doubt.carrier_error,
        breaker_open_s=settings.timing.breaker_open,
        links=links,
        callers=adapters.callers(settings),
        secret=settings.security.secret_keys[0].get_secret_value().encode(),
    )


class AccessLog:
    """Our own access log: it names the route, never the path, which holds a callback's token."""

    def __init__(self, inner: ASGIApp) -> None:
        self._inner = inner

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request and log what was answered."""
        if scope["type"] != "http":
            await self._inner(scope, receive, send)
            return
        began, status = time.perf_counter(), 0

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        await self._inner(scope, receive, noting)
        route = scope.get("route")
        log.info(
            "request.answered",
            method=scope["method"],
            route=getattr(route, "path", None),
            status=status,
            took_ms=round((time.perf_counter() - began) * 1000, 1),
        )


def serve(settings: Settings, clock: Clock | None = None) -> None:
    """Run the service until it is told to stop.

    Raises SettingsError when another one runs, or something else listens on its address.
    """
    with (
        only_server(settings.database.url),
        # Before the engine begins: what cannot be called back must not call.
        listen(settings.server.host, settings.server.port) as listening,
    ):
        schema.upgrade(settings.database.url)
        config = uvicorn.Config(
            AccessLog(application(settings, clock or SystemClock())),
            loop="uvloop",
            http="httptools",
            access_log=False,
            log_config=None,
            server_header=False,
            timeout_graceful_shutdown=GRACE_S,
        )
        uvicorn.Server(config).run([listening])
