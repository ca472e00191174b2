"""`/a/{token}`: one incident as one responder sees it, and the button that acknowledges it."""

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from paging.ports import Clock
from web.api import Json, PagingApi
from web.links import Links
from web.pages.answers import HEADERS, gone, guarded, page
from web.pages.words import Words


def route(paging: PagingApi, links: Links, clock: Clock) -> Route:
    """Return the address that `Links.acknowledge` makes."""

    async def acknowledge(request: Request) -> Response:
        """Show the incident; only the button's POST acknowledges, since mail scanners follow links.

        A POST is answered with the way back, so that a reload sends nothing again.
        """
        token = request.path_params["token"]
        found = links.read_acknowledge(token, clock.now())
        if found is None:
            return gone()
        if request.method == "POST":
            await paging.acknowledge_by_link(*found)
            # Relative, as all addresses on the page: the public one may have a path before ours.
            return RedirectResponse(token, 303, HEADERS)
        shown = await paging.linked(*found)
        locale = shown["responder"]["locale"]
        return page(
            "acknowledge.html",
            t=Words(locale),
            lang=locale,
            state=_state(shown),
            callers=links.callers(clock.now()),
            **shown,
        )

    return Route("/a/{token}", guarded(acknowledge), methods=["GET", "POST"])


def _state(shown: Json) -> str:
    """Return which of its faces the page shows."""
    incident = shown["incident"]
    if incident["status"] == "closed":
        return "closed"
    if not shown["counts"]:
        return "opened_again"
    if incident["status"] == "triggered":
        return "open"
    mine = incident["acknowledged_by"] == shown["responder"]["id"]
    return "mine" if mine else "somebodys"
