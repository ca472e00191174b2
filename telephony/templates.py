"""The texts that voice carriers approved: what they refuse, and how values are said in them."""

import re
import unicodedata
from collections.abc import Mapping

from clouds import templates
from clouds.templates import (
    LOCALES,
    Filled,
    Purpose,
    Rules,
    Suggestion,
    Template,
    Templates,
    Value,
    Writing,
    plain_text,
    suggestion,
)
from paging.menu import Menu
from paging.people import Locale
from telephony.speech import SHORTEST, speakable

_SEVERITIES = {
    "critical": ("严重", "critical"),
    "warning": ("警告", "warning"),
    "info": ("提示", "info"),
}
# Where there is nothing to say; a carrier refuses an empty variable.
_ABSENT = {"responder": ("无", "none"), "details": ("无详情", "no details")}
# What a reply has to say, and words in which it would say more.
_KEY_RECEIVED = re.compile(r"收到.*键|键.*收到|\b(?:got|received)\b.*\bkey|\bkey\b.*\breceived\b")
_CLAIMS = re.compile(
    r"[认認][领領]|[确確][认認]|受理|接[单單手管]|[处處]理|[关關][闭閉]|停止|取消|[静靜]音|升[级級]"
    r"|[转轉]|成功|完成|生效"
    r"|\b(?:ack|confirm|accept|tak|took|claim|assign|yours|handl|resolv|clos|stop|cancel|mut|escalat"
    r"|success|done|complet)"
)
# 语音模板规范: variables together under 250 characters, a template at most 1,000.
ALIBABA_DEDICATED = Rules(
    syntax="named",
    variables_chars=249,
    content_chars=1000,
    forbidden="#/:-%¥【】$[]{}",
    reserved=("email", "mobile", "id", "nick", "site"),
)
ALIBABA_SHARED = Rules(
    syntax="named",
    variables_chars=249,
    content_chars=1000,
    variables=2,
    forbidden="#/:-%¥【】$[]{}",
    reserved=("email", "mobile", "id", "nick", "site"),
)
# SendTtsVoice: 350 characters in all; one variable's own cap is not documented.
TENCENT = Rules(syntax="positional", variables_chars=350, content_chars=350, forbidden="¥★^_&☞✓※{}")


def _said(value: Value, given: str, locale: Locale, most: int) -> str:
    language = LOCALES.index(locale)
    match value:
        case "severity":
            return _SEVERITIES.get(given, (given, given))[language][:most]
        case "code":
            return " ".join(given)[:most] or "0"
        case "count" | "number":
            return given[:most] or "0"
        case "responder" | "details" if not given.strip():
            return _ABSENT[value][language]
        case _:
            return speakable(given, locale, max_chars=most)


SPOKEN = Writing(
    short={"severity": 8, "count": 6, "number": 12, "code": 20},
    # No more than somebody just woken listens to.
    free={"title": 120, "responder": 40, "details": 160},
    shortest=SHORTEST,
    write=_said,
)


def check(template: Template, rules: Rules, *, purpose: str) -> list[str]:
    """Return what the carrier would refuse, in words; nothing when all is well."""
    found = templates.check(template, rules, SPOKEN)
    if purpose == "reply" and (wrong := _check_reply(plain_text(template, rules), template)):
        found.append(wrong)
    if purpose == "code" and "code" not in template.values:
        found.append("does not say the code; expected code in it")
    return found


def _check_reply(plain: str, template: Template) -> str | None:
    """Return what is wrong: a reply is played before anyone knows of the key."""
    if free := [value for value in template.values if value in SPOKEN.free]:
        return f"a reply says the same for every incident; expected no {free[0]} in it"
    heard = unicodedata.normalize("NFKC", plain).lower()
    heard = re.sub(r"(?<=[^\x00-\x7f])\W+(?=[^\x00-\x7f])", "", heard)
    if _KEY_RECEIVED.search(heard) and not _CLAIMS.search(heard):
        return None
    return (
        "it is played before anyone knows of the key: expected it to say that the key was "
        "received, and never that the incident is acknowledged"
    )


def refuse_unfit(texts: Templates, rules: Rules) -> None:
    """Raise ValueError, naming the key, for the first text that the carrier would refuse."""
    templates.refuse_unfit(texts, lambda purpose, one: check(one, rules, purpose=purpose))


def fill(template: Template, values: Mapping[str, str], rules: Rules, locale: Locale) -> Filled:
    """Return the text with these values; whatever they hold, the carrier's rules are kept."""
    return templates.fill(template, values, rules, SPOKEN, locale)


_ACTIONS = {
    "acknowledge": ("认领请按{}", "Press {} to acknowledge"),
    "escalate": ("转给下一位请按{}", "{} for the next person"),
    "mute": ("静音请按{}", "{} to mute"),
    "close": ("关闭请按{}", "{} to close"),
}


_PAGE = (
    "{severity}告警,{title},共{count}条。%s。",
    "{severity} alert, {title}, {count} in all. %s.",
)
_SHORT_PAGE = ("{severity}告警,{title}。%s。", "{severity} alert, {title}. %s.")
_REPLY = ("已收到按键。", "Your key was received.")
_CODE = ("您的验证码是{code}。", "Your code is {code}.")


def suggested(rules: Rules, menu: Menu) -> list[Suggestion]:
    """Return the texts to submit, in the carrier's own variable syntax."""
    found: list[Suggestion] = []
    for language, locale in enumerate(LOCALES):
        keys = (",", ", ")[language].join(
            _ACTIONS[action][language].format(digit) for digit, action in sorted(menu.items())
        )
        page = _PAGE if rules.variables is None else _SHORT_PAGE
        texts: dict[Purpose, str] = {"page": page[language] % keys}
        if rules.syntax == "named":
            # Tencent plays nothing after a key, and reads codes out without a text.
            texts |= {"reply": _REPLY[language], "code": _CODE[language]}
        found += [
            suggestion(purpose, locale, text, rules.syntax) for purpose, text in texts.items()
        ]
    return found
