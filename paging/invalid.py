"""What is wrong with an input, in one line per field: its path, and what was expected."""

from collections.abc import Iterable, Sequence
from typing import Any, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from paging.errors import InvalidError

_TAGS = {"personal", "list"}  # how `people.Step.notify` tells its two forms apart
_KEY_ITSELF = "[key]"  # pydantic's word for the name of a table's entry, which is the path so far


def problems(error: ValidationError, model: type[BaseModel] | None = None) -> list[InvalidError]:
    """Return one entry per wrong field, outermost first, without the input itself.

    `model`: what was to be read, where there is one that knows its fields.
    """
    found = error.errors(include_url=False, include_input=False, include_context=False)
    paths = [_path(item["loc"]) for item in found]
    return [
        InvalidError(".".join(path), _expected(item, path, model))
        for path, item in zip(paths, found, strict=True)
        if not (item["type"] == "too_short" and _has_inner(path, paths))
    ]


def _expected(item: ErrorDetails, path: Sequence[str], model: type[BaseModel] | None) -> str:
    match item["type"]:
        case "extra_forbidden":
            return f"unknown; expected one of: {', '.join(fields_at(model, path[:-1]))}"
        case "missing":
            return "missing"
        case _:
            return item["msg"].removeprefix("Value error, ")


def fields_at(kind: Any, path: Sequence[str]) -> dict[str, FieldInfo]:  # noqa: ANN401 - any annotation
    """Return what the table at this place of a model may hold, by name; nothing for no table."""
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        fields = {field.alias or name: field for name, field in kind.model_fields.items()}
        if not path:
            return fields
        return fields_at(fields[path[0]].annotation, path[1:]) if path[0] in fields else {}
    inner = get_args(kind)
    if get_origin(kind) is dict:
        return fields_at(inner[-1], path[1:])
    if get_origin(kind) in (list, tuple):
        return fields_at(inner[0], path[1:])
    for one in inner:
        if found := fields_at(one, path):
            return found
    return {}


def _path(loc: Iterable[int | str]) -> list[str]:
    parts = [str(part) for part in loc if part != _KEY_ITSELF]
    return [
        part
        for i, part in enumerate(parts)
        if not (part in _TAGS and i > 0 and parts[i - 1] == "notify")
    ]


def _has_inner(path: Sequence[str], paths: Sequence[Sequence[str]]) -> bool:
    """Say whether a path holds others: a list whose items were all refused is not short as well."""
    return any(len(other) > len(path) and other[: len(path)] == path for other in paths)
