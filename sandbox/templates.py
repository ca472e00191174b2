"""The approved texts and what may stand in their variables, as the carriers check it.

Alibaba: 语音模板规范; SingleCallByTts (variables under 250 characters together, no URL, no IP).
Tencent: 语音消息审核; SendTtsVoice (350 characters together).
"""

import re
from collections.abc import Mapping, Sequence

ALIBABA_VARIABLES = 250
ALIBABA_SHARED_VARIABLES = 2
TENCENT_CONTENT = 350
_LINK = re.compile(
    r"https?|www\.|\b[a-z0-9-]+(\.[a-z0-9-]+)*\.(com|cn|net|org|io|dev)\b", re.IGNORECASE
)
_IP = re.compile(r"\d{1,3}(\.\d{1,3}){3}|([0-9a-f]{1,4}:){2,}", re.IGNORECASE)
_ALIBABA_FORBIDDEN = set("#/:-%¥【】$[]")
_TENCENT_FORBIDDEN = set("¥★☞✓※")
_CLAIMS = re.compile(
    r"已?认领成功|已(被)?认领|已(被)?确认|已受理|acknowledged|confirmed", re.IGNORECASE
)


class TemplateError(Exception):
    """What the carrier answers. `code` is its own word, without the carrier's prefix."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def alibaba_text(
    templates: Mapping[str, str], code: str, given: Mapping[str, object], *, shared: bool
) -> str:
    """Return what is read out. Raises TemplateError with an `isv.` code."""
    text = templates.get(code)
    if text is None:
        raise TemplateError("isv.TTS_TEMPLATE_ILLEGAL", "The template is not approved.")
    names = re.findall(r"\$\{(\w+)\}", text)
    if shared and len(names) > ALIBABA_SHARED_VARIABLES:
        raise TemplateError(
            "isv.TTS_TEMPLATE_ILLEGAL", "A template of the shared mode has at most 2 variables."
        )
    if missing := set(names) - given.keys():
        raise TemplateError(
            "isv.TEMPLATE_MISSING_PARAMETERS", f"Missing variables: {', '.join(sorted(missing))}."
        )
    if extra := given.keys() - set(names):
        raise TemplateError(
            "isv.TEMPLATE_PARAMS_ILLEGAL", f"Unknown variables: {', '.join(sorted(extra))}."
        )
    if sum(len(str(value)) for value in given.values()) >= ALIBABA_VARIABLES:
        raise TemplateError("isv.PARAM_LENGTH_LIMIT", "The variables are 250 characters or more.")
    for name, value in given.items():
        _check_alibaba(name, value)
    return re.sub(r"\$\{(\w+)\}", lambda found: str(given[found[1]]), text)


def _check_alibaba(name: str, value: object) -> None:
    if not isinstance(value, str):
        raise TemplateError("isv.INVALID_PARAMETERS", f"{name} is not a string.")
    if not value.strip():
        raise TemplateError("isv.TEMPLATE_PARAMS_ILLEGAL", f"{name} is empty.")
    if _LINK.search(value) or _IP.search(value):
        raise TemplateError("isv.PARAM_NOT_SUPPORT_URL", f"{name} holds a URL or an IP address.")
    if bad := _ALIBABA_FORBIDDEN & set(value):
        raise TemplateError("isv.TEMPLATE_PARAMS_ILLEGAL", f"{name} holds {''.join(sorted(bad))}.")


def alibaba_reply(templates: Mapping[str, str], code: str, given: Mapping[str, object]) -> str:
    """Return what is said after a key: it may not claim what is not known yet."""
    text = alibaba_text(templates, code, given, shared=False)
    if _CLAIMS.search(text):
        raise TemplateError(
            "isv.TTS_TEMPLATE_ILLEGAL",
            "A reply is played before anyone knows of the key: it may say that the key was "
            "received, never that the incident is acknowledged.",
        )
    return text


def tencent_text(templates: Mapping[str, str], template: str, given: Sequence[object]) -> str:
    """Return what is read out. Raises TemplateError with a Tencent code."""
    text = templates.get(template)
    if text is None:
        raise TemplateError(
            "FailedOperation.TemplateIncorrectOrUnapproved", "The template is not approved."
        )
    names = re.findall(r"\{(\d+)\}", text)
    if len(given) != len(set(names)):
        raise TemplateError(
            "FailedOperation.InvalidParameters",
            f"The template has {len(set(names))} variables, {len(given)} were given.",
        )
    for i, value in enumerate(given, 1):
        if not isinstance(value, str) or not value.strip():
            raise TemplateError("FailedOperation.InvalidParameters", f"Variable {i} is empty.")
        if _LINK.search(value) or _IP.search(value) or _TENCENT_FORBIDDEN & set(value):
            raise TemplateError(
                "FailedOperation.ContainSensitiveWord", f"Variable {i} holds forbidden text."
            )
    filled = re.sub(r"\{(\d+)\}", lambda found: str(given[int(found[1]) - 1]), text)
    if len(filled) > TENCENT_CONTENT:
        raise TemplateError(
            "InvalidParameterValue.ContentLengthLimit", "The content is over 350 characters."
        )
    return filled
