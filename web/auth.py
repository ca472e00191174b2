"""Who calls, and what they may do: `Authorization: Bearer TOKEN` (RFC 6750)."""

import hmac
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from pydantic import SecretStr
from starlette.exceptions import HTTPException
from starlette.requests import Request

Scope = Literal["incidents:read", "incidents:write", "admin"]


@dataclass(frozen=True, slots=True)
class Caller:
    """Whoever holds a token. `name`: the token's, credited where an action names nobody."""

    name: str
    scopes: frozenset[Scope]

    @property
    def sees_addresses(self) -> bool:
        """Phone numbers and addresses are masked for everybody else."""
        return "admin" in self.scopes


FindCaller = Callable[[bytes], Caller | None]

NOBODY = Caller("nobody", frozenset())
ADMIN = Caller("admin", frozenset({"incidents:read", "incidents:write", "admin"}))


def admin_only(token: SecretStr) -> FindCaller:
    """Return the finder of an installation whose only token is `security.admin_token`."""
    expected = token.get_secret_value().encode()
    return lambda given: ADMIN if hmac.compare_digest(given, expected) else None


def identify(request: Request, scope: Scope, find: FindCaller) -> Caller:
    """Return who calls. Raises HTTPException: 401 without a good token, 403 without the scope."""
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    token = token.strip(" ")  # no more: what else counts as a blank may be a byte of a character
    if kind.lower() != "bearer" or not token:
        raise _unauthorized("expected the header Authorization: Bearer TOKEN", "")
    caller = find(token.encode("latin-1"))  # headers are read as Latin-1: the bytes as they came
    if caller is None:
        raise _unauthorized("this token is not known", ', error="invalid_token"')
    if scope not in caller.scopes:
        challenge = f'Bearer realm="ringback", error="insufficient_scope", scope="{scope}"'
        raise HTTPException(
            403, f"this token lacks the scope {scope}", {"WWW-Authenticate": challenge}
        )
    return caller


def _unauthorized(detail: str, more: str) -> HTTPException:
    return HTTPException(401, detail, {"WWW-Authenticate": f'Bearer realm="ringback"{more}'})
