"""The approved texts of SMS and what may stand in their variables, as the carriers check it.

Alibaba: SendSms, 短信模板规范 (1 to 35 characters a variable, no URL, no IP, no 【】, 500 in
all). Tencent: SendSms (6 characters a variable for new accounts, 500 in all), 模板相关问题 13301
(no link in a variable, short ones included). Neither says how it knows a link.
"""

import re
from collections.abc import Mapping, Sequence

from sandbox.refusals import RefusedError
from sandbox.templates import (
    ALIBABA_RESERVED,
    ALIBABA_VARIABLE,
    IP,
    TENCENT_FORBIDDEN,
    TENCENT_VARIABLE,
    tencent_filled,
    tencent_template,
)

MOST = 500
ALIBABA_CHARACTERS = 35
_BRACKETS = re.compile("[【】]")
# What a phone makes a link of; unlike in calls, "HTTP 500" may be said.
_LINK = re.compile(
    r"[a-z][a-z0-9+.-]*://|www\.|[a-z0-9]\.(com|cn|net|org|io|dev)\b|[a-z0-9]\.[a-z]{2,}/",
    re.IGNORECASE | re.ASCII,
)


def unfit_for_alibaba(text: str) -> str | None:
    """Return why this text would never be approved, or None."""
    names = ALIBABA_VARIABLE.findall(text)
    if not text.strip() or len(text) > MOST:
        return f"a text of 1 to {MOST} characters"
    for name in names:
        if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", name) or name in ALIBABA_RESERVED:
            return f"no variable named {name!r}"
    return "no 【】: the sign name is put in front" if _BRACKETS.search(text) else None


def unfit_for_tencent(text: str) -> str | None:
    """Return why this text would never be approved, or None."""
    names = TENCENT_VARIABLE.findall(text)
    if not text.strip() or len(text) > MOST:
        return f"a text of 1 to {MOST} characters"
    if sorted(names) != sorted(str(i) for i in range(1, len(names) + 1)):
        return "variables {1}, {2} and so on, each once"
    return "none of ¥ ★ ^_^& ☞ ✓ ※" if TENCENT_FORBIDDEN.search(text) else None


def is_code(text: str) -> bool:
    """Say whether this approved text sends a code, to which other limits apply."""
    return re.search("验证码|(verification|your) code", text, re.IGNORECASE) is not None


def alibaba_text(
    templates: Mapping[str, str], code: str, given: Mapping[str, object], *, sign: str
) -> str:
    """Return what is texted, without the sign name. Raises RefusedError with an `isv.` code."""
    text = templates.get(code)
    if text is None:
        raise RefusedError("isv.SMS_TEMPLATE_ILLEGAL", "The template is not approved.")
    names = set(ALIBABA_VARIABLE.findall(text))
    if missing := names - given.keys():
        raise RefusedError(
            "isv.TEMPLATE_MISSING_PARAMETERS", f"Missing variables: {', '.join(sorted(missing))}."
        )
    if extra := given.keys() - names:
        raise RefusedError(
            "isv.TEMPLATE_PARAMS_ILLEGAL", f"Unknown variables: {', '.join(sorted(extra))}."
        )
    for name, value in given.items():
        _check_alibaba(name, value)
    filled = ALIBABA_VARIABLE.sub(lambda found: str(given[found[1]]), text)
    if len(f"【{sign}】{filled}") > MOST:
        raise RefusedError("isv.PARAM_LENGTH_LIMIT", f"The text is over {MOST} characters.")
    return filled


def _check_alibaba(name: str, value: object) -> None:
    if not isinstance(value, str):
        raise RefusedError("isv.TEMPLATE_PARAMS_ILLEGAL", f"{name} is not a string.")
    if not value.strip():
        raise RefusedError("isv.TEMPLATE_PARAMS_ILLEGAL", f"{name} is empty.")
    if len(value) > ALIBABA_CHARACTERS:
        raise RefusedError(
            "isv.PARAM_LENGTH_LIMIT", f"{name} is over {ALIBABA_CHARACTERS} characters."
        )
    if _LINK.search(value) or IP.search(value):
        raise RefusedError("isv.PARAM_NOT_SUPPORT_URL", f"{name} holds a URL or an IP address.")
    if _BRACKETS.search(value):
        raise RefusedError("isv.SMS_CONTENT_ILLEGAL", f"{name} holds 【 or 】.")


def tencent_text(
    templates: Mapping[str, str],
    template: str,
    given: Sequence[object],
    *,
    sign: str,
    characters: int,
) -> str:
    """Return what is texted, without the sign name; a variable has so many `characters` at most.

    Raises RefusedError with a Tencent code.
    """
    text = tencent_template(
        templates,
        template,
        given,
        miscounted="FailedOperation.TemplateParamSetNotMatchApprovedTemplate",
    )
    for i, value in enumerate(given, 1):
        _check_tencent(i, value, characters)
    filled = tencent_filled(text, given)
    if len(f"【{sign}】{filled}") > MOST:
        raise RefusedError(
            "InvalidParameterValue.ContentLengthLimit", f"The text is over {MOST} characters."
        )
    return filled


def _check_tencent(i: int, value: object, characters: int) -> None:
    if not isinstance(value, str) or not value.strip():
        raise RefusedError(
            "InvalidParameterValue.TemplateParameterFormatError", f"Variable {i} is empty."
        )
    if _LINK.search(value) or IP.search(value):
        raise RefusedError(
            "InvalidParameterValue.ProhibitedUseUrlInTemplateParameter",
            f"Variable {i} holds a URL or an IP address.",
        )
    if len(value) > characters:
        raise RefusedError(
            "InvalidParameterValue.TemplateParameterLengthLimit",
            f"Variable {i} is over {characters} characters.",
        )
    if TENCENT_FORBIDDEN.search(value):
        raise RefusedError(
            "FailedOperation.ContainSensitiveWord", f"Variable {i} holds forbidden text."
        )
