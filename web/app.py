"""Every address of the API in one table, and the application that serves it."""

from collections.abc import Sequence
from pathlib import Path

from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.routing import BaseRoute, Mount
from starlette.staticfiles import StaticFiles
from starlette.types import Lifespan

from paging.ports import Clock
from web import attempts, callers, health, incidents, people, problems
from web.api import PagingApi
from web.auth import FindCaller, admin_only
from web.calls import Operation, route
from web.links import Links
from web.pages import acknowledge

_READ, _WRITE, _ADMIN = "incidents:read", "incidents:write", "admin"

_TABLE: dict[str, dict[str, Operation]] = {
    "/v1/incidents": {
        "GET": Operation(_READ, incidents.listed),
        "POST": Operation(_WRITE, incidents.create),
    },
    "/v1/incidents/{id}": {"GET": Operation(_READ, incidents.one)},
    "/v1/incidents/{id}/mute": {"POST": Operation(_WRITE, incidents.mute)},
    **{
        f"/v1/incidents/{{id}}/{name}": {"POST": Operation(_WRITE, incidents.action(name))}
        for name in ("acknowledge", "unacknowledge", "unmute", "close", "escalate")
    },
    "/v1/integrations/alertmanager/{id}": {"POST": Operation(_WRITE, incidents.alertmanager)},
    "/v1/responders": {"GET": Operation(_READ, people.responders)},
    "/v1/responders/{id}": {
        "GET": Operation(_READ, people.responder),
        "PUT": Operation(_ADMIN, people.put_responder),
        "DELETE": Operation(_ADMIN, people.delete_responder),
    },
    "/v1/responders/{id}/test": {"POST": Operation(_ADMIN, people.test)},
    "/v1/responders/{id}/verify": {"POST": Operation(_ADMIN, people.verify)},
    "/v1/responders/{id}/verify/confirm": {"POST": Operation(_ADMIN, people.confirm)},
    "/v1/policies": {"GET": Operation(_READ, people.policies)},
    "/v1/policies/{id}": {
        "GET": Operation(_READ, people.policy),
        "PUT": Operation(_ADMIN, people.put_policy),
        "DELETE": Operation(_ADMIN, people.delete_policy),
    },
    "/v1/schedules": {"GET": Operation(_READ, people.schedules)},
    "/v1/schedules/{id}": {
        "GET": Operation(_READ, people.schedule),
        "PUT": Operation(_ADMIN, people.put_schedule),
        "DELETE": Operation(_ADMIN, people.delete_schedule),
    },
    "/v1/schedules/{id}/on-call": {"GET": Operation(_READ, people.on_call)},
    "/v1/why": {"GET": Operation(_READ, attempts.why)},
    "/v1/apply": {"POST": Operation(_ADMIN, people.apply)},
    "/v1/attempts": {"GET": Operation(_READ, attempts.listed)},
    "/v1/attempts/{id}": {"GET": Operation(_READ, attempts.one)},
    "/v1/providers": {"GET": Operation(_READ, attempts.providers)},
    "/callers.vcf": {"GET": Operation(None, callers.card)},  # asks for one of two tokens itself
    "/healthz": {"GET": Operation(None, health.live)},
    "/readyz": {"GET": Operation(None, health.ready)},
}


def routes(
    paging: PagingApi, *, admin_token: SecretStr, clock: Clock, links: Links
) -> list[BaseRoute]:
    """Return the addresses of the API and of the pages.

    `clock`: for how long from now a mute in minutes lasts, and a link is good.
    """
    return routes_for(paging, find=admin_only(admin_token), clock=clock, links=links)


def routes_for(
    paging: PagingApi, *, find: FindCaller, clock: Clock, links: Links
) -> list[BaseRoute]:
    """Return the same for callers that `find` knows by their tokens."""
    api = [
        route(path, operations, paging, clock, find, links) for path, operations in _TABLE.items()
    ]
    return [
        *api,
        acknowledge.route(paging, links, clock),
        Mount("/static", StaticFiles(directory=Path(__file__).parent / "static")),
    ]


def application(
    all_routes: Sequence[BaseRoute], *, lifespan: Lifespan[Starlette] | None = None
) -> Starlette:
    """Return the application: unknown addresses and methods are problems in JSON as well."""
    app = Starlette(
        routes=all_routes, lifespan=lifespan, exception_handlers={HTTPException: problems.handle}
    )
    app.router.redirect_slashes = False  # a redirect would repeat a callback's token in its answer
    return app
