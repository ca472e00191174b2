"""The approved texts of calls and what may stand in their variables, as the carriers check it.

Alibaba: 语音模板规范; SingleCallByTts (variables under 250 characters together, no URL, no IP).
Tencent: 语音消息审核; SendTtsVoice (350 characters together).
"""

import json
import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import cast

from sandbox.refusals import RefusedError

ALIBABA_TEMPLATE = 1000
ALIBABA_VARIABLES = 250
ALIBABA_SHARED_VARIABLES = 2
TENCENT_CONTENT = 350
LINK = re.compile(r"https?|www\.|[a-z0-9]\.(com|cn|net|org|io|dev)\b", re.IGNORECASE | re.ASCII)
IP = re.compile(
    r"[0-9]{1,3}(\.[0-9]{1,3}){3}|([0-9a-f]{1,4}:){3,}|[0-9a-f]{0,4}::[0-9a-f]", re.IGNORECASE
)
_ALIBABA_FORBIDDEN = re.compile(r"[#/:\-%¥￥【】$\[\]]")
ALIBABA_RESERVED = {"email", "mobile", "id", "nick", "site"}
TENCENT_FORBIDDEN = re.compile(r"[¥￥★☞✓※]|\^_\^&?")
ALIBABA_VARIABLE = re.compile(r"\$\{([^{}]*)\}")
TENCENT_VARIABLE = re.compile(r"\{([^{}]*)\}")
# What a reply must say, and the words in which it would say more.
_KEY_RECEIVED = re.compile(
    r"收到.*(键|鍵|选择|選擇|输入|輸入)|(键|鍵|选择|選擇|输入|輸入).*收到|"
    r"\b(received|got)\b.*\b(key|digit|input|choice)|\b(key|digit|input|choice)\b.*\breceived\b"
)
_CLAIMS_CHINESE = re.compile(
    "[认認][领領]|[确確][认認]|受理|接[单單手管受]|[领領]取|[处處]理|[负負][责責]|[归歸交由][您你]|"
    "解[决決]|[关關][闭閉]|停止|取消|静音|靜音|升[级級]|[转轉]|成功|完成|生效"
)
_CLAIMS_ENGLISH = re.compile(
    r"\b(ack|acks|acked|acknowledg\w*|confirm\w*|accept\w*|tak(e|es|en|ing)|took|claim\w*|"
    r"assign\w*|own(s|ed|er|ership)?|yours|handl\w*|resolv\w*|clos(e|es|ed|ing)|stop\w*|"
    r"cancel\w*|mut(e|es|ed|ing)|escalat\w*|success\w*|done|complet\w*)\b"
)


def unfit_for_alibaba(text: str) -> str | None:
    """Return why this text would never be approved, or None."""
    names = ALIBABA_VARIABLE.findall(text)
    plain = ALIBABA_VARIABLE.sub("\0", text)
    if not text.strip() or len(text) > ALIBABA_TEMPLATE:
        return f"a text of 1 to {ALIBABA_TEMPLATE} characters"
    for name in names:
        if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", name) or name in ALIBABA_RESERVED:
            return f"no variable named {name!r}"
    if len(set(names)) < len(names):
        return "each variable once"
    if "\0\0" in plain:
        return "something between two variables"
    if _ALIBABA_FORBIDDEN.search(plain) or LINK.search(plain) or IP.search(plain):
        return "none of # / : - % ¥ 【 】 $ [ ], no URL, no IP address"
    return None


def unfit_for_tencent(text: str) -> str | None:
    """Return why this text would never be approved, or None."""
    names = TENCENT_VARIABLE.findall(text)
    if not text.strip() or len(text) > TENCENT_CONTENT:
        return f"a text of 1 to {TENCENT_CONTENT} characters"
    if sorted(names) != sorted(str(i) for i in range(1, len(names) + 1)):
        return "variables {1}, {2} and so on, each once"
    if TENCENT_FORBIDDEN.search(text):
        return "none of ¥ ★ ^_^& ☞ ✓ ※"
    return None


def alibaba_variables(text: str) -> dict[str, object]:
    """Return what is to stand in the variables, a JSON object as text. Raises RefusedError."""
    if not text:
        return {}
    try:
        found = json.loads(text)
    except ValueError as exc:
        raise RefusedError("isv.INVALID_JSON_PARAM", "The variables are not JSON.") from exc
    if not isinstance(found, dict):
        raise RefusedError("isv.INVALID_JSON_PARAM", "The variables are no JSON object.")
    return cast("dict[str, object]", found)


def alibaba_text(
    templates: Mapping[str, str], code: str, given: Mapping[str, object], *, shared: bool
) -> str:
    """Return what is read out. Raises RefusedError with an `isv.` code."""
    text = templates.get(code)
    if text is None:
        raise RefusedError("isv.TTS_TEMPLATE_ILLEGAL", "The template is not approved.")
    names = ALIBABA_VARIABLE.findall(text)
    if shared and len(names) > ALIBABA_SHARED_VARIABLES:
        raise RefusedError(
            "isv.TTS_TEMPLATE_ILLEGAL", "A template of the shared mode has at most 2 variables."
        )
    if missing := set(names) - given.keys():
        raise RefusedError(
            "isv.TEMPLATE_MISSING_PARAMETERS", f"Missing variables: {', '.join(sorted(missing))}."
        )
    if extra := given.keys() - set(names):
        raise RefusedError(
            "isv.TEMPLATE_PARAMS_ILLEGAL", f"Unknown variables: {', '.join(sorted(extra))}."
        )
    if sum(len(str(value)) for value in given.values()) >= ALIBABA_VARIABLES:
        raise RefusedError("isv.PARAM_LENGTH_LIMIT", "The variables are 250 characters or more.")
    for name, value in given.items():
        _check_alibaba(name, value)
    return ALIBABA_VARIABLE.sub(lambda found: str(given[found[1]]), text)


def _check_alibaba(name: str, value: object) -> None:
    if not isinstance(value, str):
        raise RefusedError("isv.INVALID_PARAMETERS", f"{name} is not a string.")
    if not value.strip():
        raise RefusedError("isv.TEMPLATE_PARAMS_ILLEGAL", f"{name} is empty.")
    if LINK.search(value) or IP.search(value):
        raise RefusedError("isv.PARAM_NOT_SUPPORT_URL", f"{name} holds a URL or an IP address.")
    if found := _ALIBABA_FORBIDDEN.search(value):
        raise RefusedError("isv.TEMPLATE_PARAMS_ILLEGAL", f"{name} holds {found[0]}.")


def alibaba_reply(templates: Mapping[str, str], code: str, given: Mapping[str, object]) -> str:
    """Return what is said after a key: that it was received, and nothing that is not known yet."""
    text = alibaba_text(templates, code, given, shared=False)
    if not _says_only_received(text):
        raise RefusedError(
            "isv.TTS_TEMPLATE_ILLEGAL",
            "A reply is played before anyone knows of the key: it may say that the key was "
            "received, never that the incident is acknowledged.",
        )
    return text


def alibaba_goodbye(templates: Mapping[str, str], code: str, given: Mapping[str, object]) -> str:
    """Return what is said at the end, which may claim as little as a reply."""
    text = alibaba_text(templates, code, given, shared=False)
    if _claims(text):
        raise RefusedError("isv.TTS_TEMPLATE_ILLEGAL", "It says more than anyone knows by then.")
    return text


def _says_only_received(text: str) -> bool:
    return bool(_KEY_RECEIVED.search(_words(text))) and not _claims(text)


def _words(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def _claims(text: str) -> bool:
    words = _words(text)
    unspaced = re.sub(r"[\W_]+", "", words)  # the ear does not hear what stands in between
    return bool(_CLAIMS_CHINESE.search(unspaced) or _CLAIMS_ENGLISH.search(words))


def tencent_template(
    templates: Mapping[str, str], template: str, given: Sequence[object], *, miscounted: str
) -> str:
    """Return the approved text that this many variables fit.

    Raises RefusedError; `miscounted`: the product's code for another number of variables.
    """
    text = templates.get(template)
    if text is None:
        raise RefusedError(
            "FailedOperation.TemplateIncorrectOrUnapproved", "The template is not approved."
        )
    count = len(TENCENT_VARIABLE.findall(text))
    if len(given) != count:
        raise RefusedError(
            miscounted, f"The template has {count} variables, {len(given)} were given."
        )
    return text


def tencent_filled(text: str, given: Sequence[object]) -> str:
    """Return the text with each of these in its variable's place."""
    return TENCENT_VARIABLE.sub(lambda found: str(given[int(found[1]) - 1]), text)


def tencent_text(templates: Mapping[str, str], template: str, given: Sequence[object]) -> str:
    """Return what is read out. Raises RefusedError with a Tencent code."""
    text = tencent_template(
        templates, template, given, miscounted="FailedOperation.TemplateIncorrectOrUnapproved"
    )
    for i, value in enumerate(given, 1):
        if not isinstance(value, str) or not value.strip():
            raise RefusedError("FailedOperation.InvalidParameters", f"Variable {i} is empty.")
    filled = tencent_filled(text, given)
    if len(filled) > TENCENT_CONTENT:
        raise RefusedError(
            "InvalidParameterValue.ContentLengthLimit", "The content is over 350 characters."
        )
    for i, value in enumerate(map(str, given), 1):
        if LINK.search(value) or IP.search(value) or TENCENT_FORBIDDEN.search(value):
            raise RefusedError(
                "FailedOperation.ContainSensitiveWord", f"Variable {i} holds forbidden text."
            )
    return filled
