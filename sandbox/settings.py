"""What the sandbox was told about the two accounts and the mail server."""

from collections.abc import Callable
from typing import Any, cast

from sandbox import templates, text_templates
from sandbox.phones import BadInputError, is_seconds

_MOST_REPEATS = 100
_MOST_CHARACTERS = 500
_PUSHES: dict[str, Any] = {
    "delay_s": 0.0,
    "repeat": 1,
    "drop": False,
    "before_response": False,
    "reorder": False,
}


def defaults() -> dict[str, Any]:
    """Return all of them as they are before anybody says anything."""
    return {
        "alibaba": {
            "access_key_id": "",
            "access_key_secret": "",
            "show_numbers": [],
            "templates": {},
            "voice_url": "",
            "sms_sign_names": [],
            "sms_templates": {},
            "sms_report_url": "",
            "sms_reply_url": "",
            "sms_reply_gbk": False,
            "mail_account_names": [],
            "call_reports": True,
            "error_http_status": 200,
            "limits": True,
            "pushes": {**_PUSHES, "batch_s": 0.0},
        },
        "tencent": {
            "secret_id": "",
            "secret_key": "",
            "sdk_app_ids": [],
            "templates": {},
            "voice_url": "",
            "sms_sdk_app_ids": [],
            "sms_sign_names": [],
            "sms_templates": {},
            "sms_variable_chars": 6,
            "sms_ext": False,
            "sms_report_url": "",
            "sms_reply_url": "",
            "limits": True,
            "charset": False,
            "pushes": dict(_PUSHES),
        },
        # `port` is where it listens; without a `username` nobody has to log in.
        "smtp": {"port": 0, "username": "", "password": ""},
    }


def merge(known: dict[str, Any], told: dict[str, Any], path: str = "") -> dict[str, Any]:
    """Return what is known with what is told in its place; lists and templates as a whole.

    Raises BadInputError, naming the key, for what does not fit.
    """
    merged = dict(known)
    for key, value in told.items():
        here = f"{path}{key}"
        if key not in known:
            raise BadInputError(f"{here}: unknown; expected one of: {', '.join(known)}")
        now: Any = known[key]
        if isinstance(now, dict) and here not in _UNFIT:
            if not isinstance(value, dict):
                raise BadInputError(f"{here}: expected a table")
            inner = cast("dict[str, Any]", now)
            merged[key] = merge(inner, cast("dict[str, Any]", value), f"{here}.")
            continue
        if not _is_same_kind(now, value):
            raise BadInputError(f"{here}: expected {_expected(now)}")
        if here in _UNFIT:
            _check_templates(cast("dict[str, Any]", value), here)
        elif here == "smtp.port" and value != now:
            raise BadInputError(f"{here}: expected {now}: it is where the sandbox listens")
        elif key in _RULES and not _RULES[key][0](value):
            raise BadInputError(f"{here}: expected {_RULES[key][1]}")
        merged[key] = value
    return merged


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


def _is_same_kind(now: Any, value: Any) -> bool:  # noqa: ANN401 - any JSON
    if isinstance(now, bool) or isinstance(value, bool):
        return isinstance(now, bool) and isinstance(value, bool)
    if isinstance(now, float):
        return isinstance(value, int | float)
    return type(now) is type(value)


def _are_texts(value: list[Any]) -> bool:
    return all(isinstance(item, str) for item in value)


def _is_url(value: str) -> bool:
    return not value or value.startswith(("http://", "https://"))


_LISTS = ("show_numbers", "sdk_app_ids", "sms_sdk_app_ids", "sms_sign_names", "mail_account_names")
_URLS = ("voice_url", "sms_report_url", "sms_reply_url")
_RULES: dict[str, tuple[Callable[[Any], bool], str]] = {
    **dict.fromkeys(_LISTS, (_are_texts, "a list of texts")),
    **dict.fromkeys(_URLS, (_is_url, "an address that begins with http:// or https://")),
    "sms_variable_chars": (
        lambda most: 1 <= most <= _MOST_CHARACTERS,
        f"1 to {_MOST_CHARACTERS} characters",
    ),
    "error_http_status": (lambda status: status in (200, 400), "200 or 400"),
    "repeat": (lambda times: 1 <= times <= _MOST_REPEATS, f"1 to {_MOST_REPEATS}"),
    "delay_s": (is_seconds, "seconds, 0 or more"),
    "batch_s": (is_seconds, "seconds, 0 or more"),
}


# The tables of approved texts, and what says why one would never be approved.
_UNFIT: dict[str, Callable[[str], str | None]] = {
    "alibaba.templates": templates.unfit_for_alibaba,
    "alibaba.sms_templates": text_templates.unfit_for_alibaba,
    "tencent.templates": templates.unfit_for_tencent,
    "tencent.sms_templates": text_templates.unfit_for_tencent,
}


def _check_templates(told: dict[str, Any], path: str) -> None:
    for name, text in told.items():
        if not isinstance(text, str):
            raise BadInputError(f"{path}.{name}: expected a text")
        if why := _UNFIT[path](text):
            raise BadInputError(f"{path}.{name}: never approved; expected {why}")


def shown(known: dict[str, Any]) -> dict[str, Any]:
    """Return the settings without the secrets."""
    hidden = {"access_key_secret", "secret_key", "password"}
    return {
        name: {key: value for key, value in table.items() if key not in hidden}
        for name, table in known.items()
    }
