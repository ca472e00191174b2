"""What is wrong with an input, in one line per field: its path, and what was expected."""

from collections.abc import Iterable

from pydantic import ValidationError

from paging.errors import InvalidError

_TAGS = {"personal", "list"}  # how `people.Step.notify` tells its two forms apart


def problems(error: ValidationError) -> list[InvalidError]:
    """Return one entry per wrong field, outermost first, without the input itself."""
    found = error.errors(include_url=False, include_input=False, include_context=False)
    paths = [_path(item["loc"]) for item in found]
    return [
        InvalidError(path, item["msg"].removeprefix("Value error, "))
        for path, item in zip(paths, found, strict=True)
        if not (item["type"] == "too_short" and _has_inner(path, paths))
    ]


def _path(loc: Iterable[int | str]) -> str:
    parts = [str(part) for part in loc]
    return ".".join(
        part
        for i, part in enumerate(parts)
        if not (part in _TAGS and i > 0 and parts[i - 1] == "notify")
    )


def _has_inner(path: str, paths: list[str]) -> bool:
    """Say whether a path holds others: a list whose items were all refused is not short as well."""
    return any(other.startswith(f"{path}.") for other in paths)
