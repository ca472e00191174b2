"""Reading what carriers push: anyone may have sent it, and carriers vary in how they write it."""

import json
import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, cast

from paging.errors import CallbackMalformedError
from paging.events import Event
from paging.ports import Reading

Record = Mapping[str, Any]

_PLAIN = re.compile(r"[\x20-\x7e]{1,64}")
_KEYS = re.compile(r"[0-9*#]+")
_CHINA = timezone(timedelta(hours=8))
_SECONDS_DIGITS = 11
_SAID_CHARS = 1000


def parse(provider: str, body: bytes) -> Any:  # noqa: ANN401 - any JSON
    """Return the JSON value of a body, of UTF-8 or GB18030. Raises CallbackMalformedError."""
    try:
        try:
            return json.loads(body)
        except UnicodeDecodeError:
            return json.loads(body.decode("gb18030"))
    except (ValueError, RecursionError):  # the second for brackets nested without end
        raise CallbackMalformedError(provider) from None


def listed(provider: str, body: bytes) -> list[Any]:
    """Return the records of a body that is a JSON array. Raises CallbackMalformedError."""
    records = parse(provider, body)
    if not isinstance(records, list):
        raise CallbackMalformedError(provider)
    return cast("list[Any]", records)


def table(provider: str, body: bytes) -> dict[str, Any]:
    """Return a body that is a JSON object. Raises CallbackMalformedError."""
    found = parse(provider, body)
    if not isinstance(found, dict):
        raise CallbackMalformedError(provider)
    return cast("dict[str, Any]", found)


def read_each(items: Iterable[Any], events: Callable[[Any], Iterable[Event]]) -> Reading:
    """Translate each item by itself; one that raises ValueError is counted, the others go on."""
    found: list[Event] = []
    skipped = 0
    for item in items:
        try:
            found += list(events(item))
        except ValueError:
            skipped += 1
    return Reading(found, skipped)


def record(item: object) -> Record:
    """Return the item when it is a JSON object. Raises ValueError."""
    if not isinstance(item, dict):
        raise ValueError("expected an object")  # noqa: TRY004 - counted, like any bad item
    return cast("Record", item)


def text(item: Record, name: str) -> str:
    """Return a short field, written as a string or a number; empty when absent or null.

    Raises ValueError for anything else: ids, codes and numbers are plain ASCII.
    """
    value = item.get(name)
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise ValueError(name)  # noqa: TRY004 - as above
    plain = str(value).strip()
    if plain and not _PLAIN.fullmatch(plain):
        raise ValueError(name)
    return plain


def hint(item: Record, name: str) -> str:
    """Return a field that is good to have: as `text`, but empty when it cannot be read."""
    try:
        return text(item, name)
    except ValueError:
        return ""


def keys(item: Record, name: str) -> str:
    """Return the keys pressed, in order; empty for none.

    Nothing is picked out of a text that is not keys alone: a key that nobody pressed would stop
    the calling.
    """
    pressed = re.sub(r"[\s,]", "", hint(item, name))
    return pressed if _KEYS.fullmatch(pressed) else ""


def said(item: Record, name: str) -> str:
    """Return what a person wrote, at most 1,000 characters of it, without control characters.

    Raises ValueError when nothing was written down at all.
    """
    value = item.get(name)
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise ValueError(name)  # noqa: TRY004 - as above
    whole = str(value)[:_SAID_CHARS].encode("utf-8", "replace").decode()
    kinds = ((char, unicodedata.category(char)) for char in whole)
    return "".join(" " if kind == "Cc" else char for char, kind in kinds if kind != "Cf").strip()


def china_time(item: Record, name: str) -> datetime | None:
    """Return a time that carriers write without a zone, or None when it cannot be read."""
    try:
        local = datetime.strptime(hint(item, name), "%Y-%m-%d %H:%M:%S").replace(tzinfo=_CHINA)
        return local.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def unix_time(item: Record, name: str) -> datetime | None:
    """Return Unix seconds as a time, or None when it cannot be read; 0 is written for never."""
    seconds = hint(item, name)
    known = seconds.isdecimal() and len(seconds) <= _SECONDS_DIGITS and int(seconds) > 0
    return datetime.fromtimestamp(int(seconds), UTC) if known else None
