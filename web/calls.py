"""One call of the API: who makes it, and the guard that answers whatever goes wrong in it."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

import structlog
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from paging.ports import Clock
from web import problems
from web.api import Json, PagingApi
from web.auth import NOBODY, Caller, FindCaller, Scope, identify
from web.links import Links

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Call:
    """What an operation is given."""

    request: Request
    caller: Caller
    paging: PagingApi
    clock: Clock
    links: Links
    find: FindCaller

    @property
    def id(self) -> str:
        """Whatever the path names."""
        return self.request.path_params["id"]

    def shown(self, view: Json, mask: Callable[[Json], Json]) -> Json:
        """Return the view as this caller may see it."""
        return view if self.caller.sees_addresses else mask(view)


@dataclass(frozen=True, slots=True)
class Operation:
    """What one method of one address does. `scope`: what a token needs for it; None: no token."""

    scope: Scope | None
    answer: Callable[[Call], Awaitable[Response]]


def route(  # noqa: PLR0913, PLR0917 - what every operation is given
    path: str,
    operations: Mapping[str, Operation],
    paging: PagingApi,
    clock: Clock,
    find: FindCaller,
    links: Links,
) -> Route:
    """Return one address with all its methods, so that a 405 can name each of them."""

    async def endpoint(request: Request) -> Response:
        operation = operations["GET" if request.method == "HEAD" else request.method]
        try:
            caller = identify(request, operation.scope, find) if operation.scope else NOBODY
            return await operation.answer(Call(request, caller, paging, clock, links, find))
        except Exception as exc:  # noqa: BLE001 - the outermost: nothing of ours may reach the server's log
            answer = problems.known(exc)
            if answer is None:
                log.error(  # noqa: TRY400 - texts and tracebacks hold numbers and bodies
                    "request.failed",
                    method=request.method,
                    route=path,
                    error=type(exc).__name__,
                )
                answer = problems.problem(500)
            return answer

    return Route(path, endpoint, methods=list(operations))
