"""How every page is answered: from a template, with headers that let it do nothing by itself."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import structlog
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from paging.errors import NotFoundError, UnavailableError
from web.pages.words import BOTH, local_time
from web.problems import RETRY_AFTER_S

log = structlog.get_logger(__name__)

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",  # the address is all that it takes to acknowledge
    "Cache-Control": "no-store",
    "X-Robots-Tag": "noindex",
    "X-Content-Type-Options": "nosniff",
}
_TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).parents[1] / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_TEMPLATES.globals["local_time"] = local_time  # pyright: ignore[reportArgumentType]

Endpoint = Callable[[Request], Awaitable[Response]]


def page(name: str, status: int = 200, **values: Any) -> Response:  # noqa: ANN401 - as the template asks
    """Return the page that this template makes of these values."""
    return HTMLResponse(_TEMPLATES.get_template(name).render(values), status, HEADERS)


def gone() -> Response:
    """Answer a link that is broken, too old, or about what is gone: nobody learns which."""
    return _said(404, "link_gone", "what_then")


def guarded(inner: Endpoint) -> Endpoint:
    """Answer whatever goes wrong with a page as well; its address is not for the log.

    No deadline of ours: it would leave behind a write that is still to be committed. The store has
    its own.
    """

    async def endpoint(request: Request) -> Response:
        try:
            return await inner(request)
        except NotFoundError:
            return gone()
        except UnavailableError:
            answer = _said(503, "unavailable", "try_again")
            answer.headers["Retry-After"] = str(RETRY_AFTER_S)
            return answer
        except Exception as exc:  # noqa: BLE001 - the outermost: nothing of ours may reach the server's log
            log.error("page.failed", error=type(exc).__name__)  # noqa: TRY400 - texts hold numbers
            return _said(500, "unavailable", "try_again")

    return endpoint


def _said(status: int, head: str, then: str) -> Response:
    """Return a page that says one thing, to somebody whose language is not known."""
    return page("said.html", status, lang="zh-CN", languages=BOTH, head=head, then=then)
