"""What a mail says: its subject, and its body twice, as HTML and as plain text.

The templates are in `templates/`, one per purpose, locale and form. Whatever comes from outside is
cleaned of control characters, cut, and isolated where it is written from right to left.
"""

import re
import unicodedata
from dataclasses import dataclass

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from paging.people import Locale
from paging.ports import Message, Purpose

PURPOSES: frozenset[Purpose] = frozenset({"page", "test", "code", "notice"})
SUBJECT_AT_MOST = 200
_TITLE_AT_MOST = 300  # what a phone shows without scrolling; the page has all of it
_DETAILS_AT_MOST = 20_000
_NAME_AT_MOST = 100
# What a message may carry; absent is empty, since a mail that says less beats none.
_FIELDS = ("severity", "count", "number", "responder", "code", "link", "callers", "minutes")

_SEVERITIES: dict[Locale, dict[str, str]] = {
    "zh-CN": {"critical": "严重", "warning": "警告", "info": "提示"},
    "en": {"critical": "Critical", "warning": "Warning", "info": "Info"},
}
_TEST: dict[Locale, str] = {"zh-CN": "测试", "en": "Test"}
_CODE: dict[Locale, str] = {"zh-CN": "ringback 验证码", "en": "Your ringback code"}

# Controls that reorder what follows them, to its end: with none, nothing can spoof what is around.
_REORDERING = re.compile("[\u202a-\u202e\u2066-\u2069]")
_FIRST_STRONG_ISOLATE, _POP_ISOLATE = "\u2068", "\u2069"
_RIGHT_TO_LEFT = ("R", "AL", "AN")
_JOINERS = "\u200d\ufe0e\ufe0f "  # they would join a cut emoji to nothing


@dataclass(frozen=True, slots=True)
class Letter:
    """One mail without its addresses. `subject`: one line, at most 200 characters."""

    subject: str
    html: str
    text: str


def write(message: Message) -> Letter:
    """Return what this message says in its reader's language."""
    title = one_line(message.fields.get("title", ""))
    details = _lines(message.fields.get("details", ""))
    values: dict[str, object] = {
        **{name: one_line(message.fields.get(name, "")) for name in _FIELDS},
        "responder": cut(one_line(message.fields.get("responder", "")), _NAME_AT_MOST),
        "locale": message.locale,
        "severity_word": _severity(message),
        "title": cut(title, _TITLE_AT_MOST),
        "details": cut(details, _DETAILS_AT_MOST),
        "more_on_page": len(title) > _TITLE_AT_MOST or len(details) > _DETAILS_AT_MOST,
    }
    name = f"{message.purpose}.{message.locale}"
    return Letter(
        _subject(message, title),
        _templates.get_template(f"{name}.html").render(values),
        _templates.get_template(f"{name}.txt").render(values),
    )


def headers(message: Message, sender: str) -> dict[str, str]:
    """Return the headers that thread the mail, keep auto-responders quiet and say how urgent it is.

    `Message-ID` is the attempt's, so that a repeated submit is one mail (RFC 5322 3.6.4). The quiet
    ones: RFC 3834 5, and MS-OXCMAIL 2.1.3.2.10 for Exchange. No `Precedence: bulk`: it would be
    filed as such.
    """
    domain = domain_of(sender)
    found = {
        "Message-ID": message_id(message, sender),
        "Auto-Submitted": "auto-generated",
        "X-Auto-Response-Suppress": "All",
    }
    if message.thread:
        incident = f"<incident.{_atom(message.thread)}@{domain}>"
        found |= {"In-Reply-To": incident, "References": incident}
    if message.purpose == "page" and message.fields.get("severity") == "critical":
        found |= {"Importance": "high", "X-Priority": "1"}
    return found


def message_id(message: Message, sender: str) -> str:
    """Return the attempt's Message-ID, with its brackets."""
    return f"<{_atom(message.ref)}@{domain_of(sender)}>"


def domain_of(address: str) -> str:
    """Return what is behind the @."""
    return address.rpartition("@")[2]


def mailbox(address: str) -> str:
    """Return the address with its domain in ASCII, as every server reads it."""
    local, _, domain = address.rpartition("@")
    try:
        return f"{local}@{domain.encode('idna').decode()}"
    except UnicodeError:  # refused when it is named to the server
        return address


def one_line(value: str) -> str:
    """Return the value as one line: no line break, no control character, no reordering."""
    plain = _REORDERING.sub("", value)
    return " ".join("".join(" " if _breaks(sign) else sign for sign in plain).split())


def cut(value: str, at_most: int) -> str:
    """Return the value in at most so many characters, the last an ellipsis where it was longer."""
    if len(value) <= at_most:
        return value
    return value[: at_most - 1].rstrip(_JOINERS) + "…"


def isolated(value: str) -> str:
    """Return plain text that leaves the order of what is around it alone."""
    if any(unicodedata.bidirectional(sign) in _RIGHT_TO_LEFT for sign in value):
        return f"{_FIRST_STRONG_ISOLATE}{value}{_POP_ISOLATE}"
    return value


def _subject(message: Message, title: str) -> str:
    """Return the subject; a notice has its page's, since some programs thread by it."""
    match message.purpose:
        case "code":  # never the code itself: the timeline shows subjects
            return _CODE[message.locale]
        case "test":
            before = f"[{_TEST[message.locale]}] "
        case "page" | "notice":
            answer = "Re: " if message.purpose == "notice" else ""
            severity = f"[{_severity(message)}] " if _severity(message) else ""
            number = cut(one_line(message.fields.get("number", "")), _NAME_AT_MOST)
            before = f"{answer}{severity}#{number} "
    isolates = 2
    return before + isolated(cut(title, SUBJECT_AT_MOST - len(before) - isolates))


def _severity(message: Message) -> str:
    severity = message.fields.get("severity", "")
    return _SEVERITIES[message.locale].get(severity, cut(one_line(severity), _NAME_AT_MOST))


def _lines(value: str) -> str:
    """Return the value with its lines and tabs, and nothing else that a screen would obey."""
    plain = _REORDERING.sub("", re.sub(r"\r\n?|[\u0085\u2028\u2029]", "\n", value))
    return "".join(sign if sign in "\n\t" or not _breaks(sign) else " " for sign in plain).strip(
        "\n "
    )


def _breaks(sign: str) -> bool:
    """Say whether it is a control, a break of a line or a half of a character."""
    return unicodedata.category(sign) in ("Cc", "Cs", "Zl", "Zp")


def _atom(value: str) -> str:
    """Return the value as what may stand in a Message-ID before the @."""
    return re.sub(r"[^A-Za-z0-9._-]", "_", value)


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("email_sender"),
        autoescape=select_autoescape(["html"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["isolated"] = isolated  # pyright: ignore[reportArgumentType]
    return environment


_templates = _environment()
