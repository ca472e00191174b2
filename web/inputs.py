"""Reading what was sent: a bounded body, as JSON, as one of our models."""

import re
from typing import Annotated, TypeVar

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    Field,
    ValidationError,
)
from pydantic_core import from_json
from starlette.exceptions import HTTPException
from starlette.requests import Request

from paging.errors import InvalidError
from paging.invalid import problems
from web.problems import RefusedError

LARGEST = 2 * 1024 * 1024  # bytes

Model = TypeVar("Model", bound=BaseModel)

Limit = Annotated[int, Field(ge=1, le=200)]


def _time(value: object) -> object:
    """Let nothing but a written time through: of a bare number nobody knows the unit."""
    if not isinstance(value, str) or not re.match(r"\d{4}-\d{2}-\d{2}[Tt ]", value):
        msg = "expected a time with its offset, such as 2026-11-25T12:00:00Z"
        raise ValueError(msg)
    return value


Moment = Annotated[AwareDatetime, BeforeValidator(_time)]


def given_out(form: str) -> AfterValidator:
    """Return the check of a list's cursor, whose form is what the list gave out as `next`."""

    def check(value: str) -> str:
        if not re.fullmatch(form, value):
            msg = "expected the `next` of an earlier answer"
            raise ValueError(msg)
        return value

    return AfterValidator(check)


async def sent(request: Request, model: type[Model]) -> Model:
    """Return the body as `model`; no body at all counts as an empty object.

    Raises RefusedError or InvalidError naming the fields, or HTTPException: 400 when it is not
    JSON, 413 when it is too large.
    """
    return parsed(model, await json_object(request))


async def json_object(request: Request) -> dict[str, object]:
    """Return the body, an object; errors as `sent`."""
    body = await _body(request)
    if not body.strip():
        return {}
    try:
        value = from_json(body, allow_inf_nan=False)
    except ValueError as exc:  # its text holds a position, nothing of the body
        raise HTTPException(400, f"the body is not JSON in UTF-8: {exc}") from exc
    if not isinstance(value, dict):
        raise InvalidError("body", "expected a JSON object")
    return value  # pyright: ignore[reportUnknownVariableType]


def parsed(model: type[Model], value: object) -> Model:
    """Return `value` as `model`. Raises RefusedError naming every wrong field."""
    try:
        return model.model_validate(value)
    except ValidationError as exc:
        raise RefusedError(problems(exc, model)) from exc


def queried(request: Request, model: type[Model]) -> Model:
    """Return the query as `model`; a parameter without a value counts as absent."""
    return parsed(model, {key: value for key, value in request.query_params.items() if value})


async def _body(request: Request) -> bytes:
    """Return the body, never holding more than is allowed, whatever its headers say."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > LARGEST:
            raise HTTPException(413, f"the body is larger than {LARGEST // 1024 // 1024} MB")
    return bytes(body)
