"""Errors as RFC 9457 `application/problem+json`, one shape for all of them."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

from paging.errors import ConflictError, InvalidError, NotFoundError, UnavailableError

RETRY_AFTER_S = 2
_MOST_ERRORS = 100  # what a person can read; a list of bad items may hold thousands


class RefusedError(Exception):
    """Several fields are wrong: answered 422, each named."""

    def __init__(self, errors: Sequence[InvalidError]) -> None:
        super().__init__(f"{len(errors)} fields")
        self.errors = errors


def problem(
    status: int,
    detail: str = "",
    *,
    errors: Sequence[InvalidError] = (),
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Return `{type, title, status, detail?, errors?: [{field, expected}]}`."""
    body: dict[str, object] = {
        "type": "about:blank",  # RFC 9457, section 4.2.1: the title is then the status's own
        "title": HTTPStatus(status).phrase,
        "status": status,
    }
    if detail:
        body["detail"] = detail
    if errors:
        body["errors"] = [{"field": e.field, "expected": e.expected} for e in errors[:_MOST_ERRORS]]
    return JSONResponse(body, status, headers, media_type="application/problem+json")


def known(exc: Exception) -> Response | None:  # noqa: PLR0911 - one answer an error
    """Return the answer to an error that is one of ours, None to any other."""
    match exc:
        case HTTPException():
            return refused(exc)
        case RefusedError(errors=errors):
            return problem(422, str(errors[0]), errors=errors)
        case InvalidError():
            return problem(422, str(exc), errors=[exc])
        case NotFoundError():
            return problem(404, str(exc))
        case ConflictError():
            return problem(409, str(exc))
        case UnavailableError() | TimeoutError():
            return unavailable("the database does not answer; nothing was changed, try again")
        case ClientDisconnect():
            return problem(400, "the connection ended before the body did")
        case _:
            return None


def unavailable(detail: str) -> Response:
    """Return a 503 that says when to try again."""
    return problem(503, detail, headers={"Retry-After": str(RETRY_AFTER_S)})


def refused(exc: HTTPException) -> Response:
    """Return what the framework, or the edge, refuses: 400, 401, 403, 404, 405 or 413."""
    phrase = HTTPStatus(exc.status_code).phrase
    detail = "" if exc.detail == phrase else exc.detail
    return problem(exc.status_code, detail, headers=exc.headers)


async def handle(_request: Request, exc: Exception) -> Response:
    """Answer an HTTPException that no endpoint of ours caught, such as an unknown address."""
    if not isinstance(exc, HTTPException):
        raise exc
    return refused(exc)
