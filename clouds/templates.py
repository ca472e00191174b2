"""The texts that carriers approved, and what may be put into them: the same for calls and texts.

Settings are refused when the worst incident would break a carrier's rules, so that a failover does
not die on the other one's template.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Literal, get_args

from pydantic import AfterValidator, BeforeValidator, Discriminator, Field, Tag

from paging.people import Locale, Strict

Value = Literal["title", "severity", "count", "number", "responder", "code", "details"]
Purpose = Literal["page", "bundle", "reply", "code", "notice"]
Syntax = Literal["named", "positional"]
LOCALES: tuple[Locale, ...] = ("zh-CN", "en")
PURPOSES: tuple[Purpose, ...] = ("page", "bundle", "reply", "code", "notice")
# What pydantic adds to an error's place after these keys: nothing that anybody wrote.
UNION_TAGS = {"params": ("table", "list"), **dict.fromkeys(PURPOSES, ("one", "by_locale"))}

_LINK = re.compile(r"(?i)https?|www\.|[a-z0-9]\.(?:com|cn|net|org|io|dev)\b|\d+(?:\.\d+){3}")


def _value(value: object) -> object:
    if value == "link":
        msg = (
            "link cannot stand in a text that a carrier approves; expected one of: "
            f"{', '.join(get_args(Value))}"
        )
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
    """One carrier's rules. `variables`: at most so many; the sizes count characters.

    `variable_chars`: of each variable; `variables_chars`: of all together; `content_chars`: of the
    whole text.
    """

    syntax: Syntax
    variables_chars: int
    content_chars: int
    variables: int | None = None
    variable_chars: int | None = None
    forbidden: str = ""
    reserved: tuple[str, ...] = ()

    def fits(self, chars: int) -> int:
        """Return how much of so many characters one variable takes."""
        return chars if self.variable_chars is None else min(chars, self.variable_chars)


@dataclass(frozen=True, slots=True)
class Writing:
    """How a channel writes the values of an incident.

    `short`: what these hold at most, in characters. The others are free text, which shares what is
    left, the title first; `free`: no more of it than anybody takes in, `shortest`: nor less than
    makes sense. `write`: given value, text, locale and most characters, returns what is sent, never
    blank and never longer.
    """

    short: Mapping[Value, int]
    free: Mapping[Value, int]
    shortest: int
    write: Callable[[Value, str, Locale, int], str]


VARIABLE = {
    "named": re.compile(r"\$\{([^}]*)\}"),
    "positional": re.compile(r"\{([^}]*)\}"),
}


def plain_text(template: Template, rules: Rules) -> str:
    """Return the text without its variables."""
    return VARIABLE[rules.syntax].sub("", template.text)


def check(template: Template, rules: Rules, writing: Writing) -> list[str]:
    """Return what the carrier would refuse, in words; nothing when all is well."""
    names = VARIABLE[rules.syntax].findall(template.text)
    found = _check_names(names, template, rules)
    if rules.variables is not None and len(names) > rules.variables:
        found.append(f"has {len(names)} variables; this mode allows {rules.variables}")
    if rules.syntax == "named" and re.search(r"\}\s*\$\{", template.text):
        found.append("two variables stand side by side; expected a word between them")
    plain = plain_text(template, rules)
    if bad := sorted(set(rules.forbidden) & set(plain)):
        found.append(f"the text holds {' '.join(bad)}, which the carrier refuses")
    if _LINK.search(plain):
        found.append("the text holds a link or an IP address, which the carrier refuses")
    room, least = _room(template, rules, writing), _least(template.values, rules, writing)
    if not found and room < least:
        found.append(
            f"leaves {room} characters for free text; the worst incident needs {least}: shorten "
            "the text or use fewer variables"
        )
    return found


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


def _room(template: Template, rules: Rules, writing: Writing) -> int:
    """Return the characters left for free text when all other values are at their longest."""
    fixed = sum(rules.fits(writing.short[v]) for v in template.values if v in writing.short)
    content = rules.content_chars - len(plain_text(template, rules))
    return min(rules.variables_chars, content) - fixed


def _least(values: Sequence[Value], rules: Rules, writing: Writing) -> int:
    return rules.fits(writing.shortest) * sum(value in writing.free for value in values)


def _turn(value: Value) -> int:
    """Return what is written first: the title has what others leave, details what it leaves."""
    return ("title", "details").index(value) + 1 if value in ("title", "details") else 0


@dataclass(frozen=True, slots=True)
class Filled:
    """A text ready to be sent: its variables as the carrier takes them, and the whole."""

    params: dict[str, str] | list[str]
    text: str


def fill(
    template: Template, values: Mapping[str, str], rules: Rules, writing: Writing, locale: Locale
) -> Filled:
    """Return the text with these values; whatever they hold, the carrier's rules are kept."""
    room = _room(template, rules, writing)
    said: dict[Value, str] = {}
    for value in sorted(set(template.values), key=_turn):
        given = values.get(value, "")
        if value in writing.short:
            most = rules.fits(writing.short[value])
            said[value] = writing.write(value, given, locale, most)
        else:
            times = template.values.count(value)
            later: list[Value] = [
                other for other in template.values if other not in said and other != value
            ]
            most = (room - _least(later, rules, writing)) // times
            most = rules.fits(min(most, writing.free[value]))
            least = rules.fits(writing.shortest)
            said[value] = writing.write(value, given, locale, max(most, least))
            room -= len(said[value]) * times
    ordered = [said[value] for value in template.values]
    if isinstance(template.params, dict):
        params: dict[str, str] | list[str] = dict(zip(template.params, ordered, strict=True))
        by_name: Mapping[str, str] = params
    else:
        params, by_name = ordered, {str(i): text for i, text in enumerate(ordered, 1)}
    text = VARIABLE[rules.syntax].sub(lambda found: by_name.get(found[1], ""), template.text)
    return Filled(params, text)


def refuse_unfit(templates: Templates, faults: Callable[[str, Template], Sequence[str]]) -> None:
    """Raise ValueError, naming the key, for the first text in which `faults` finds any.

    `faults`: given purpose and text, what the carrier would refuse. A page is always needed.
    """
    if templates.page is None:
        msg = "templates.page: missing; expected the approved text of a page"
        raise ValueError(msg)
    for key, purpose, template in templates.all():
        if found := faults(purpose, template):
            msg = f"templates.{key}: {found[0]}"
            raise ValueError(msg)


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A text to have approved, and the settings to fill in once it is."""

    purpose: Purpose
    locale: Locale
    template: Template


def suggestion(purpose: Purpose, locale: Locale, text: str, syntax: Syntax) -> Suggestion:
    """Return a text in which values stand as `{title}`, in the carrier's own variable syntax."""
    values = re.findall(r"\{(\w+)\}", text)
    # Alibaba's own pages call it so; "severity" would be as good.
    names = {value: "level" if value == "severity" else value for value in values}
    if syntax == "named":
        written = re.sub(r"\{(\w+)\}", lambda found: f"${{{names[found[1]]}}}", text)
        params: object = {name: value for value, name in names.items()}
    else:
        written = re.sub(r"\{(\w+)\}", lambda found: f"{{{values.index(found[1]) + 1}}}", text)
        params = values
    template = Template.model_validate({"id": "…", "text": written, "params": params})
    return Suggestion(purpose, locale, template)
