"""The texts that carriers approved, and what may be put into them.

Settings are refused when the worst incident would break a carrier's rules, so that a failover does
not die on the other one's template.
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Literal, get_args

from pydantic import AfterValidator, BeforeValidator, Discriminator, Field, Tag

from paging.menu import Menu
from paging.people import Locale, Strict
from telephony.speech import SHORTEST, speakable

Value = Literal["title", "severity", "count", "number", "responder", "code", "details"]
Purpose = Literal["page", "bundle", "reply", "code", "notice"]
LOCALES: tuple[Locale, ...] = ("zh-CN", "en")
PURPOSES: tuple[Purpose, ...] = ("page", "bundle", "reply", "code", "notice")
# What pydantic adds to an error's place after these keys: nothing that anybody wrote.
UNION_TAGS = {"params": ("table", "list"), **dict.fromkeys(PURPOSES, ("one", "by_locale"))}

# What a value holds at most, in characters; free text shares what is left, the title first.
_AT_MOST = {"severity": 8, "count": 6, "number": 12, "code": 20}
_FREE: tuple[Value, ...] = ("title", "responder", "details")
_LISTENED_TO = {"title": 120, "responder": 40, "details": 160}
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
_LINK = re.compile(r"(?i)https?|www\.|[a-z0-9]\.(?:com|cn|net|org|io|dev)\b|\d+(?:\.\d+){3}")


def _value(value: object) -> object:
    if value == "link":
        msg = f"link cannot be read out; expected one of: {', '.join(get_args(Value))}"
        raise ValueError(msg)
    return value


Param = Annotated[Value, BeforeValidator(_value)]


def _params_form(value: object) -> str:
    return "list" if isinstance(value, list | tuple) else "table"


def _not_blank(value: str) -> str:
    if not value.strip():
        msg = "expected the approved text, word for word"
        raise ValueError(msg)
    return value


class Template(Strict):
    """One approved text. `params`: by name for Alibaba, in order for Tencent."""

    id: str = Field(min_length=1, description="the id that the carrier gave to the text")
    text: Annotated[str, AfterValidator(_not_blank)] = Field(
        description="the approved text, word for word"
    )
    params: Annotated[
        Annotated[dict[str, Param], Tag("table")] | Annotated[tuple[Param, ...], Tag("list")],
        Discriminator(_params_form),
    ] = Field(default_factory=dict)

    @property
    def values(self) -> tuple[Value, ...]:
        """The values in the order of the variables."""
        return tuple(self.params.values()) if isinstance(self.params, dict) else self.params


def _template_form(value: object) -> str:
    one = isinstance(value, Template) or (isinstance(value, dict) and "id" in value)
    locales = isinstance(value, dict) and not value.keys() - set(LOCALES)
    return "one" if one or not locales else "by_locale"


ByLocale = dict[Locale, Template]
Choice = Annotated[
    Annotated[Template, Tag("one")] | Annotated[ByLocale, Tag("by_locale"), Field(min_length=1)],
    Discriminator(_template_form),
]


class Templates(Strict):
    """The approved texts by purpose, each one for all or a table by locale."""

    page: Choice | None = None
    bundle: Choice | None = None
    reply: Choice | None = None
    code: Choice | None = None
    notice: Choice | None = None

    def choose(self, purpose: str, locale: str) -> Template | None:
        """Return the text in this language, else in the other, else none."""
        found: Template | ByLocale | None = getattr(self, purpose)
        if isinstance(found, dict):
            return found.get(locale) or next(iter(found.values()), None)  # pyright: ignore[reportArgumentType,reportCallIssue]
        return found

    def all(self) -> list[tuple[str, str, Template]]:
        """Return (key, purpose, text) of every one that is there."""
        found: list[tuple[str, str, Template]] = []
        for purpose in PURPOSES:
            value: Template | ByLocale | None = getattr(self, purpose)
            if isinstance(value, dict):
                found += [(f"{purpose}.{locale}", purpose, one) for locale, one in value.items()]
            elif value is not None:
                found.append((purpose, purpose, value))
        return found


@dataclass(frozen=True, slots=True)
class Rules:
    """One carrier's rules. `variables`: at most so many; the two sizes count characters."""

    syntax: Literal["named", "positional"]
    variables_chars: int
    content_chars: int
    variables: int | None = None
    forbidden: str = ""
    reserved: tuple[str, ...] = ()


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

_VARIABLE = {
    "named": re.compile(r"\$\{([^}]*)\}"),
    "positional": re.compile(r"\{([^}]*)\}"),
}


def check(template: Template, rules: Rules, *, purpose: str) -> list[str]:
    """Return what the carrier would refuse, in words; nothing when all is well."""
    names = _VARIABLE[rules.syntax].findall(template.text)
    found = _check_names(names, template, rules)
    if rules.variables is not None and len(names) > rules.variables:
        found.append(f"has {len(names)} variables; this mode allows {rules.variables}")
    if rules.syntax == "named" and re.search(r"\}\s*\$\{", template.text):
        found.append("two variables stand side by side; expected a word between them")
    plain = _VARIABLE[rules.syntax].sub("", template.text)
    if bad := sorted(set(rules.forbidden) & set(plain)):
        found.append(f"the text holds {' '.join(bad)}, which the carrier refuses")
    if _LINK.search(plain):
        found.append("the text holds a link or an IP address, which the carrier refuses")
    if purpose == "reply" and (wrong := _check_reply(plain, template)):
        found.append(wrong)
    if not found and _room(template, rules) < _least(template):
        found.append(
            f"leaves {_room(template, rules)} characters for free text; the worst incident needs "
            f"{_least(template)}: shorten the text or use fewer variables"
        )
    return found


def _check_reply(plain: str, template: Template) -> str | None:
    """Return what is wrong: a reply is played before anyone knows of the key."""
    if free := [value for value in template.values if value in _FREE]:
        return f"a reply says the same for every incident; expected no {free[0]} in it"
    heard = unicodedata.normalize("NFKC", plain).lower()
    heard = re.sub(r"(?<=[^\x00-\x7f])\W+(?=[^\x00-\x7f])", "", heard)
    if _KEY_RECEIVED.search(heard) and not _CLAIMS.search(heard):
        return None
    return (
        "it is played before anyone knows of the key: expected it to say that the key was "
        "received, and never that the incident is acknowledged"
    )


def _check_names(names: Sequence[str], template: Template, rules: Rules) -> list[str]:
    if rules.syntax == "positional":
        if not isinstance(template.params, tuple) and template.params:
            return ['params: expected a list in the order of {1}, {2}, such as ["title"]']
        expected = [str(i) for i in range(1, len(template.values) + 1)]
        if sorted(names, key=int if all(n.isdecimal() for n in names) else str) != expected:
            shown = ", ".join(f"{{{name}}}" for name in names) or "no variables"
            counts = f"the text has {shown}, params has {len(expected)}"
            return [f"{counts}; expected each of {{1}}, {{2}}, … once"]
        return []
    if isinstance(template.params, tuple) and template.params:
        return ['params: expected a table by name, such as { title = "title" }']
    params = template.params if isinstance(template.params, dict) else {}
    found = [f"${{{name}}} is not in params" for name in names if name not in params]
    found += [f"params.{name}: the text has no ${{{name}}}" for name in params if name not in names]
    found += [f"${{{name}}} stands twice" for name in dict.fromkeys(names) if names.count(name) > 1]
    reserved = ", ".join(rules.reserved)
    form = f"expected a letter, then letters, digits and _, and none of {reserved}"
    found += [
        f"${{{name}}}: {form}"
        for name in names
        if name in rules.reserved or not re.fullmatch(r"[A-Za-z]\w*", name, re.ASCII)
    ]
    return found


def _room(template: Template, rules: Rules) -> int:
    """Return the characters left for free text when all other values are at their longest."""
    plain = len(_VARIABLE[rules.syntax].sub("", template.text))
    fixed = sum(_AT_MOST[value] for value in template.values if value in _AT_MOST)
    return min(rules.variables_chars, rules.content_chars - plain) - fixed


def _least(template: Template) -> int:
    return sum(SHORTEST for value in template.values if value in _FREE)


@dataclass(frozen=True, slots=True)
class Filled:
    """A text ready to be sent: its variables as the carrier takes them, and all that is heard."""

    params: dict[str, str] | list[str]
    text: str


def fill(template: Template, values: Mapping[str, str], rules: Rules, locale: Locale) -> Filled:
    """Return the text with these values; whatever they hold, the carrier's rules are kept."""
    language = LOCALES.index(locale)
    room = _room(template, rules)
    said: dict[str, str] = {}
    for value in sorted(set(template.values), key=lambda v: (v == "details", v == "title")):
        given = values.get(value, "")
        if value == "severity":
            said[value] = _SEVERITIES.get(given, (given, given))[language]
        elif value in _AT_MOST:
            spelt = " ".join(given) if value == "code" else given
            said[value] = spelt[: _AT_MOST[value]] or "0"
        else:
            times = template.values.count(value)
            later = [v for v in template.values if v in _FREE and v not in said and v != value]
            most = (room - SHORTEST * len(later)) // times
            # No more of it than somebody just woken listens to.
            most = min(most, _LISTENED_TO[value])
            if not given.strip() and value in _ABSENT:
                said[value] = _ABSENT[value][language]
            else:
                said[value] = speakable(given, locale, max_chars=max(most, SHORTEST))
            room -= len(said[value]) * times
    ordered = [said[value] for value in template.values]
    if isinstance(template.params, dict):
        params: dict[str, str] | list[str] = dict(zip(template.params, ordered, strict=True))
        by_name: Mapping[str, str] = params
    else:
        params, by_name = ordered, {str(i): text for i, text in enumerate(ordered, 1)}
    text = _VARIABLE[rules.syntax].sub(lambda found: by_name.get(found[1], ""), template.text)
    return Filled(params, text)


def refuse_unfit(templates: Templates, rules: Rules) -> None:
    """Raise ValueError, naming the key, for the first text that the carrier would refuse."""
    for key, purpose, template in templates.all():
        if faults := check(template, rules, purpose=purpose):
            msg = f"templates.{key}: {faults[0]}"
            raise ValueError(msg)


_ACTIONS = {
    "acknowledge": ("认领请按{}", "Press {} to acknowledge"),
    "escalate": ("转给下一位请按{}", "{} for the next person"),
    "mute": ("静音请按{}", "{} to mute"),
    "close": ("关闭请按{}", "{} to close"),
}


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A text to have approved, and the settings to fill in once it is."""

    purpose: Purpose
    locale: Locale
    template: Template


def suggested(rules: Rules, menu: Menu) -> list[Suggestion]:
    """Return the texts to submit, in the carrier's own variable syntax."""
    found: list[Suggestion] = []
    for language, locale in enumerate(LOCALES):
        keys = (",", ", ")[language].join(
            _ACTIONS[action][language].format(digit) for digit, action in sorted(menu.items())
        )
        end = ("。", ".")[language]
        for purpose, parts, values in _suggested_parts(rules, language, keys + end):
            text, params = _written(parts, values, rules)
            template = Template.model_validate({"id": "…", "text": text, "params": params})
            if purpose in ("reply", "code") and rules.syntax == "positional":
                continue  # Tencent plays nothing after a key, and reads codes out without a text
            found.append(Suggestion(purpose, locale, template))
    return found


def _suggested_parts(
    rules: Rules, language: int, keys: str
) -> list[tuple[Purpose, list[str], list[Value]]]:
    """Return (purpose, text around the variables, variables)."""
    few = rules.variables is not None
    texts: tuple[list[tuple[Purpose, list[str], list[Value]]], ...] = (
        [
            ("page", ["", "告警,", f"。{keys}"], ["severity", "title"])
            if few
            else ("page", ["", "告警,", ",共", f"条。{keys}"], ["severity", "title", "count"]),
            ("reply", ["已收到按键。"], []),
            ("code", ["您的验证码是", "。"], ["code"]),
        ],
        [
            ("page", ["", " alert, ", f". {keys}"], ["severity", "title"])
            if few
            else (
                "page",
                ["", " alert, ", ", ", f" in all. {keys}"],
                ["severity", "title", "count"],
            ),
            ("reply", ["Your key was received."], []),
            ("code", ["Your code is ", "."], ["code"]),
        ],
    )
    return texts[language]


def _written(
    parts: Sequence[str], values: Sequence[Value], rules: Rules
) -> tuple[str, dict[str, str] | list[str]]:
    names = list(values) if rules.syntax == "named" else [str(i + 1) for i in range(len(values))]
    names = ["level" if name == "severity" else name for name in names]
    mark = "${%s}" if rules.syntax == "named" else "{%s}"
    text = "".join(
        part + (mark % names[i] if i < len(names) else "") for i, part in enumerate(parts)
    )
    if rules.syntax == "named":
        return text, dict(zip(names, values, strict=True))
    return text, list(values)
