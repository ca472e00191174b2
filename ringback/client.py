"""The running service's API, as the command line uses it."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any, Self, cast

import httpx2

from ringback.reports import told

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
    """One running service; closed at the end of a `with`. Every method raises ApiError."""

    def __init__(self, url: str, token: str) -> None:
        self.url = url.rstrip("/")
        if not self.url.startswith(("http://", "https://")):
            raise ApiError(f"--url: {url}: expected http://HOST:PORT or https://HOST")
        self._http = httpx2.Client(
            base_url=self.url,
            headers={b"Authorization": f"Bearer {token}".encode()},
            timeout=_TIMEOUT_S,
            trust_env=False,  # a proxy has no business between a terminal and its service
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

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
                told(
                    f"{self.url} 没有 ringback 应答:`ringback serve` 在那里运行吗?",
                    f"no ringback answers at {self.url}; is `ringback serve` running there?",
                )
            ) from exc
        except (httpx2.HTTPError, httpx2.InvalidURL) as exc:
            raise ApiError(
                told(
                    f"{self.url} 没有应答({type(exc).__name__})",
                    f"{self.url} did not answer ({type(exc).__name__})",
                )
            ) from exc
        answer = _object(response)
        if answer is None:
            raise ApiError(
                told(
                    f"{self.url} 不是 ringback:返回 {response.status_code},不是 JSON",
                    f"{self.url} is no ringback: it answers {response.status_code}, not in JSON",
                )
            )
        if not response.is_success:
            raise _refusal(response.status_code, answer, self.url)
        return answer


def _object(response: httpx2.Response) -> Json | None:
    try:
        body: object = response.json()
    except ValueError:
        return None
    return cast("Json", body) if isinstance(body, dict) else None


def _refusal(status: int, problem: Json, url: str) -> ApiError:
    if status == HTTPStatus.UNAUTHORIZED:
        return ApiError(
            told(
                f"{url} 不认识此令牌:应为其设置中的 security.admin_token,"
                "取自设置文件或 RINGBACK_TOKEN",
                f"{url} does not know this token; expected its security.admin_token, from the "
                "settings or RINGBACK_TOKEN",
            )
        )
    errors = [
        (str(item.get("field", "")), str(item.get("expected", "")))
        for item in cast("list[Json]", problem.get("errors") or [])
    ]
    named = "; ".join(": ".join(part for part in error if part) for error in errors)
    said = named or problem.get("detail") or f"{url} answered {status} {problem.get('title', '')}"
    return ApiError(str(said).strip(), errors)
