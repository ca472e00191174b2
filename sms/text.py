"""What a text says, and how a title, a host or a name is written in it so that carriers take it.

Alibaba: 通知短信模板规范 463270 (no 【】, no ★ → • ① and the like, at most 500 characters with the
sign name), SendSms (a variable has 1 to 35 characters, no URL). Tencent: 正文模板审核标准 39023
(none of ¥ ★ ^_^ & ☞ ✓ ※, no URL), and the error texts of SDK 3.1.153 (new accounts have 6
characters a variable). Read 2026-11-25.

A text says the number of its incident, so that two titles may look alike in it: what a carrier
might refuse is left out or written plainly, and what is too long is cut.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import replace

from clouds import templates
from clouds.templates import (
    LOCALES,
    Filled,
    Purpose,
    Rules,
    Suggestion,
    Syntax,
    Template,
    Templates,
    Value,
    Writing,
    suggestion,
)
from paging.menu import MUTE_MINUTES, Menu
from paging.people import Locale
from paging.ports import Message
from paging.ports import Purpose as Use

MOST_CHARS = 500
_LOOKED_AT = 1000  # characters of a text: more than any variable takes
_FORBIDDEN = "【】¥★^&☞✓※→•"

ALIBABA = Rules(
    syntax="named",
    variables_chars=MOST_CHARS,
    content_chars=MOST_CHARS,
    variable_chars=35,
    forbidden=_FORBIDDEN,
    reserved=("email", "mobile", "id", "nick", "site"),
)
TENCENT = Rules(
    syntax="positional",
    variables_chars=MOST_CHARS,
    content_chars=MOST_CHARS,
    variable_chars=6,
    forbidden=_FORBIDDEN,
)


def is_mainland_mobile(number: str) -> bool:
    """Say whether this E.164 number gets the texts of the mainland's templates."""
    return re.fullmatch(r"\+861[3-9]\d{9}", number) is not None


def signed(rules: Rules, sign_name: str, variable_chars: int | None = None) -> Rules:
    """Return the rules for texts behind this sign name, which counts as 【sign name】."""
    return replace(
        rules,
        content_chars=MOST_CHARS - len(f"【{sign_name}】"),
        variable_chars=variable_chars or rules.variable_chars,
    )


# In full where there is room, else short; new accounts of Tencent's have six characters.
_SEVERITIES: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "critical": (("严重",), ("critical", "crit")),
    "warning": (("警告",), ("warning", "warn")),
    "info": (("提示",), ("info",)),
}
_NO_SEVERITY = (("告警",), ("alert",))
# Where nothing is there, or nothing that can be written: an empty variable is refused.
_ABSENT = {"title": ("无标题", "alert"), "responder": ("无人", "nobody"), "details": ("无", "none")}

_PLAINER = str.maketrans(
    {
        **dict(zip("[]{}【】〔〕〖〗「」『』《》", "()" * 8, strict=True)),
        "≥": ">=",
        "≤": "<=",
        "→": "->",
        "×": "x",
    }
)
# Plain marks that are no symbols; a "·" or a "$" might be one to somebody.
_MARKS = set(" .,:;!?()+-_/=%'\"@*<>,。、!?:;…")
_SCHEME = re.compile(r"(?<![a-z0-9+.-])[a-z0-9+.-]*://|www\.", re.IGNORECASE)
_ADDRESS = re.compile(r"(?<![0-9])[0-9]+(?:\.[0-9]+){3,}")
_COLONS = re.compile(r"[0-9A-Fa-f]*(?::[0-9A-Fa-f]*){3,}|[0-9A-Fa-f]*::[0-9A-Fa-f]*")
# The dot of a name, such as db-1.example.com; that of a number or a version stays.
_NAME_DOT = re.compile(r"(?<=[^\W_])\.+(?=[^\W\d_])|(?<=[^\W\d_])\.+(?=[^\W_])")


def plain(text: str, max_chars: int) -> str:
    """Return the text as carriers take it, at most `max_chars`; empty when nothing is left.

    Links and addresses stay readable but lead nowhere: 10.0.0.1 is 10-0-0-1, db-1.example.com is
    db-1 example com.
    """
    folded = unicodedata.normalize("NFKC", text[:_LOOKED_AT]).translate(_PLAINER)
    kept = "".join(_kept(char) for char in folded)
    kept = _SCHEME.sub(" ", kept)
    kept = _ADDRESS.sub(lambda found: found[0].replace(".", "-"), kept)
    kept = _COLONS.sub(lambda found: found[0].replace(":", "-"), kept)
    kept = " ".join(_NAME_DOT.sub(" ", kept).split())
    return _cut(kept, max_chars) if re.search(r"\w", kept) else ""


def _kept(char: str) -> str:
    """Return a letter, a digit or a plain mark as it is, and space for anything else.

    Marks that only steer, such as those of the direction of writing, and what joins parts of an
    emoji, leave no space.
    """
    kind = unicodedata.category(char)
    if kind in ("Cf", "Me") or char in "\ufe0e\ufe0f":
        return ""
    if char > "\uffff":  # carriers count such a one as two, if they take it at all
        return " "
    return char if kind[0] in "LM" or kind == "Nd" or char in _MARKS else " "


def _cut(text: str, most: int) -> str:
    """Return at most so many characters; what is cut ends with …, and never inside a character."""
    if len(text) <= most:
        return text
    end = most - 1
    while end and unicodedata.category(text[end])[0] == "M":
        end -= 1
    return text[:end].rstrip(" ,.:;-_/(、。") + "…"


def _texted(value: Value, given: str, locale: Locale, most: int) -> str:
    language = LOCALES.index(locale)
    match value:
        case "severity":
            words = _SEVERITIES.get(given, _NO_SEVERITY)[language]
            return next((word for word in words if len(word) <= most), words[-1])
        case "count":
            return str(min(int(given), 10**most - 1)) if given.isdecimal() else "1"
        case "number" | "code":
            # The last digits tell one incident from the next.
            return re.sub(r"[^A-Za-z0-9]", "", given)[-most:] or "0"
        case _:
            return plain(given, most) or _ABSENT[value][language]


TEXTED = Writing(
    short={"severity": 8, "count": 6, "number": 12, "code": 6},
    free={"title": 120, "responder": 20, "details": 160},
    shortest=6,
    write=_texted,
)


def refuse_unfit(texts: Templates, rules: Rules) -> None:
    """Raise ValueError, naming the key, for the first text that the carrier would refuse."""
    templates.refuse_unfit(texts, lambda purpose, one: check(one, rules, purpose=purpose))


def check(template: Template, rules: Rules, *, purpose: str) -> list[str]:
    """Return what the carrier would refuse or nobody would understand; nothing when all is well."""
    found = templates.check(template, rules, TEXTED)
    if purpose == "reply":
        found.append("is what a call says after a key; a text has none: leave it out")
    if purpose == "page" and not {"number", "code", "title"} & set(template.values):
        found.append("does not say which incident it is; expected number, code or title in it")
    if purpose == "code" and "code" not in template.values:
        found.append("does not say the code; expected code in it")
    return found


def purposes(texts: Templates) -> frozenset[Use]:
    """Return what there is a text for; a drill is told with that of a page."""
    found: list[Use] = ["page", "test"]
    if texts.code:
        found.append("code")
    if texts.notice:
        found.append("notice")
    return frozenset(found)


def choose(texts: Templates, message: Message) -> Template | None:
    """Return the approved text for this message, if any."""
    purpose = "page" if message.purpose == "test" else message.purpose
    return texts.choose(purpose, message.locale)


def fill(template: Template, message: Message, rules: Rules) -> Filled:
    """Return the text of this message; whatever it holds, the carrier's rules are kept."""
    return templates.fill(template, message.fields, rules, TEXTED, message.locale)


_ACTIONS = {
    "acknowledge": ("{}认领", "{} to acknowledge"),
    "escalate": ("{}转下一位", "{} for the next person"),
    "mute": (f"{{}}静音{MUTE_MINUTES}分钟", f"{{}} to mute {MUTE_MINUTES} min"),
    "close": ("{}关闭", "{} to close"),
}
# A reply may name the incident after the key: of several pages it is the last one else.
_PAGES: dict[Syntax, tuple[str, str]] = {
    "named": (
        "{severity}告警{number}:{title}。回复1认领,编号{code}。",
        "{severity} alert {number}: {title}. Reply 1 to acknowledge, code {code}.",
    ),
    # Six characters say nothing of a title.
    "positional": (
        "告警{number}({severity})。回复1认领,指定某条请回复1空格加编号{code}。",
        "Alert {number} ({severity}). Reply 1 to acknowledge, or 1, a space and code {code}.",
    ),
}
_NOTICE = (
    "告警{number}认领人:{responder}。回复%s;指定一条请在其后加空格和编号{code}。",
    "Alert {number} is with: {responder}. Reply %s; for this one add a space and code {code}.",
)
# The form of a code has to say 验证码.
_CODE = ("您的验证码是{code},请勿告诉他人。", "验证码{code}. Your code, tell it to nobody.")


def suggested(syntax: Syntax, menu: Menu) -> Sequence[Suggestion]:
    """Return the texts to submit, in the carrier's own variable syntax."""
    found: list[Suggestion] = []
    for language, locale in enumerate(LOCALES):
        keys = (",", ", ")[language].join(
            _ACTIONS[action][language].format(digit) for digit, action in sorted(menu.items())
        )
        texts: dict[Purpose, str] = {
            "page": _PAGES[syntax][language],
            "code": _CODE[language],
            "notice": _NOTICE[language] % keys,
        }
        found += [suggestion(purpose, locale, text, syntax) for purpose, text in texts.items()]
    return found
