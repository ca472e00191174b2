"""The running service's API, as the command line uses it."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any, cast

import httpx2

Json = dict[str, Any]
_TIMEOUT_S = 15.0  # an accept that waits longer than this for its commit will not come


class ApiError(Exception):
    """The service refused, or was not there. The text is one line for the person at the terminal.

    `errors`: the wrong fields as (path, what was expected), where the service named them.
    """

    def __init__(self, text: str, errors: Sequence[tuple[str, str]] = ()) -> None:
        super().__init__(text)
        self.errors = tuple(errors)


class Api:
    """One running service. Every method raises ApiError."""

    def __init__(self, url: str, token: str) -> None:
        self.url = url.rstrip("/")
        self._http = httpx2.Client(
            base_url=self.url,
            headers={"Authorization": f"Bearer {token}"},
            timeout=_TIMEOUT_S,
            trust_env=False,  # a proxy has no business between a terminal and its service
        )

    def get(self, path: str, **params: str | int) -> Json:
        """GET a JSON object."""
        return self._ask("GET", path, params=params)

    def post(self, path: str, body: Json | None = None) -> Json:
        """POST a JSON object and return what it answers."""
        return self._ask("POST", path, json=body or {})

    def _ask(self, method: str, path: str, **request: Any) -> Json:  # noqa: ANN401 - passed on
        try:
            response = self._http.request(method, path, **request)
        except httpx2.ConnectError as exc:
            raise ApiError(
                f"no ringback answers at {self.url}; is `ringback serve` running there?"
            ) from exc
        except (httpx2.HTTPError, httpx2.InvalidURL) as exc:
            raise ApiError(f"{self.url} did not answer ({type(exc).__name__})") from exc
        if response.is_success:
            return _object(response)
        raise _refusal(response, self.url)


def _object(response: httpx2.Response) -> Json:
    try:
        body: object = response.json()
    except ValueError:
        body = None
    return cast("Json", body) if isinstance(body, dict) else {}


def _refusal(response: httpx2.Response, url: str) -> ApiError:
    if response.status_code == HTTPStatus.UNAUTHORIZED:
        return ApiError(
            f"{url} does not know this token; expected its security.admin_token, from the settings "
            "or RINGBACK_TOKEN"
        )
    problem = _object(response)
    errors = [
        (str(item.get("field", "")), str(item.get("expected", "")))
        for item in cast("list[Json]", problem.get("errors") or [])
    ]
    named = "; ".join(": ".join(part for part in error if part) for error in errors)
    said = named or problem.get("detail") or problem.get("title")
    return ApiError(str(said or f"{url} answered {response.status_code}"), errors)
