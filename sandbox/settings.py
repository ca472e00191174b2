"""What the sandbox was told about the two accounts, changed by merge-patch."""

from typing import Any, cast

from sandbox.phones import BadInputError

_PUSHES: dict[str, Any] = {
    "delay_s": 0.0,
    "repeat": 1,
    "drop": False,
    "before_response": False,
    "reorder": False,
}


def defaults() -> dict[str, Any]:
    """Return both accounts as they are before anybody says anything."""
    return {
        "alibaba": {
            "access_key_id": "",
            "access_key_secret": "",
            "show_numbers": [],
            "templates": {},
            "voice_url": "",
            "call_reports": True,
            "error_http_status": 200,
            "limits": True,
            "pushes": dict(_PUSHES),
        },
        "tencent": {
            "secret_id": "",
            "secret_key": "",
            "sdk_app_ids": [],
            "templates": {},
            "voice_url": "",
            "limits": True,
            "charset": False,
            "pushes": dict(_PUSHES),
        },
    }


def merge(known: dict[str, Any], told: dict[str, Any], path: str = "") -> None:
    """Change what is told, in place. Raises BadInputError for a key or a kind that does not fit."""
    for key, value in told.items():
        here = f"{path}{key}"
        if key not in known:
            raise BadInputError(f"{here}: unknown; expected one of: {', '.join(known)}")
        now: Any = known[key]
        if isinstance(now, dict) and key != "templates":
            if not isinstance(value, dict):
                raise BadInputError(f"{here}: expected a table")
            inner = cast("dict[str, Any]", now)
            merge(inner, cast("dict[str, Any]", value), f"{here}.")
        elif not _same_kind(now, value):
            raise BadInputError(f"{here}: expected {_expected(now)}")
        else:
            known[key] = value


_KINDS: dict[type, str] = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "a text",
    list: "a list",
    dict: "a table",
}


def _expected(value: Any) -> str:  # noqa: ANN401 - any JSON
    return _KINDS[type(value)]


def _same_kind(now: Any, value: Any) -> bool:  # noqa: ANN401 - any JSON
    if isinstance(now, bool) or isinstance(value, bool):
        return isinstance(now, bool) and isinstance(value, bool)
    if isinstance(now, float):
        return isinstance(value, int | float)
    return type(now) is type(value)


def shown(known: dict[str, Any]) -> dict[str, Any]:
    """Return the settings without the secrets."""
    hidden = {"access_key_secret", "secret_key"}
    return {
        carrier: {key: value for key, value in table.items() if key not in hidden}
        for carrier, table in known.items()
    }
