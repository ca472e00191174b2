"""Making text understandable by ear, in Chinese and in English, for somebody just woken.

Carriers refuse URLs, IPs and many characters (Alibaba: `# / : - % ¥ 【 】 $ [ ]`, http; Tencent:
¥ ★ ^_^& ☞ ✓ ※), so that what is sent holds only letters, digits, Chinese, spaces, pauses and the
apostrophe of a word. What else a title holds is said in words, as one would on the phone: times,
dates and percentages as such, brackets as one word before and a pause after, marks by their names.

Two different titles never yield the same speech. Whoever hears a speech can write down one title
only (`_written`): a title that is not this one, because something of it was lost or because it says
our words itself, is followed by a check code of six digits. Titles that differ only in white space,
or in the width of characters, are the same title.
"""

import hashlib
import html
import re
import unicodedata
from collections.abc import Iterable
from typing import Literal
from urllib.parse import unquote

Locale = Literal["zh-CN", "en"]

SHORTEST = 40  # below this a cut title and its code would not both fit
_LOOKED_AT = 1000  # characters of a text: nobody listens to more
_CHINESE_A_SECOND = 4.0
_WORDS_A_SECOND = 2.5
RING_S = 60.0  # as long as a phone rings: neither carrier has a parameter for it
SLACK_S = 30.0

# The Chinese words are no parts of others, but for those that therefore have to stand alone.
_MARKS: dict[str, tuple[str, str]] = {
    "http://": ("网址", "web address"),
    "https://": ("安全网址", "secure web address"),
    ".": ("点", "dot"),
    "-": ("杠", "dash"),
    "–": ("短横线", "en dash"),
    "—": ("破折号", "em dash"),
    "/": ("斜杠", "slash"),
    "\\": ("反斜杠", "backslash"),
    ":": ("冒号", "colon"),
    ";": ("分号", "semicolon"),
    "_": ("下划线", "underscore"),
    "%": ("百分号", "percent sign"),
    "#": ("井号", "hash"),
    "@": ("艾特", "at sign"),
    "&": ("与号", "ampersand"),
    "+": ("加号", "plus"),
    "=": ("等号", "equals"),
    "<": ("小于号", "less than"),
    ">": ("大于号", "greater than"),
    "≤": ("小于等于号", "at most"),
    "≥": ("大于等于号", "at least"),
    "*": ("星号", "asterisk"),
    "×": ("乘号", "times sign"),
    "|": ("竖线", "vertical bar"),
    "~": ("波浪号", "tilde"),
    "^": ("尖角号", "caret"),
    "`": ("反引号", "backtick"),
    "·": ("间隔号", "middle dot"),
    "…": ("省略号", "ellipsis"),
    "→": ("右箭头", "right arrow"),
    "←": ("左箭头", "left arrow"),
    "°": ("度数符", "degree sign"),
    "℃": ("摄氏度", "degrees Celsius"),
    "$": ("美元符", "dollar sign"),
    "¥": ("元符", "yuan sign"),
    "!": ("叹号", "exclamation mark"),
    "?": ("问号", "question mark"),
    "'": ("撇号", "apostrophe"),
    "’": ("右单引号", "right single quote"),
    "‘": ("左单引号", "left single quote"),
    '"': ("直引号", "quotation mark"),
    "“": ("左双引号", "left quote"),
    "”": ("右双引号", "right quote"),
    "(": ("左括号", "left bracket"),
    ")": ("右括号", "right bracket"),
    "[": ("左方括号", "left square bracket"),
    "]": ("右方括号", "right square bracket"),
    "{": ("左花括号", "left curly bracket"),
    "}": ("右花括号", "right curly bracket"),
    "【": ("左实括号", "left black bracket"),
    "】": ("右实括号", "right black bracket"),
    "《": ("左书名号", "left title mark"),
    "》": ("右书名号", "right title mark"),
    "🔥": ("火焰图标", "fire symbol"),
    "🚨": ("警灯图标", "siren symbol"),
    "⚠\ufe0f": ("警告图标", "warning symbol"),
    "✅": ("对勾图标", "check mark symbol"),
    "❌": ("叉号图标", "cross symbol"),
    "🔴": ("红灯图标", "red light symbol"),
    "🟡": ("黄灯图标", "yellow light symbol"),
    "🟢": ("绿灯图标", "green light symbol"),
}
_STAND_ALONE = {"点", "网址", "安全网址"}
# What surrounds something short: one word before it, a pause after it.
_PAIRS: dict[str, tuple[str, str]] = {
    "()": ("括号", "in brackets"),
    "[]": ("方括号", "tag"),
    "【】": ("标签", "label"),
    "{}": ("花括号", "in braces"),
    '""': ("引号", "quote"),
    "“”": ("双引号", "quoted"),
    "《》": ("书名号", "titled"),
}
_MONTHS = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]
_CODE = ("识别码", "code")
_SYMBOL = ("符号", "symbol")
_UUID_WORDS = ("UUID 尾号", "UUID ending in")
_UNSPEAKABLE = ("无法朗读的内容", "a text that cannot be read out")

_ZH = "\u3005\u3007\u3400-\u4dbf\u4e00-\u9fff"
_CHINESE = re.compile(f"[{_ZH}]")
_TAGS = "a|b|big|br|center|code|div|em|font|h[1-6]|hr|i|img|li|ol|p|pre|s|small|span|strong|sub|sup"
_TAG = re.compile(rf"(?i)</?(?:{_TAGS}|table|tbody|td|th|thead|tr|tt|u|ul)(?:\s[^<>]*)?/?>")
_ENTITY = re.compile(r"&(?:#\d{1,7}|#x[0-9a-fA-F]{1,6}|[a-zA-Z]{2,8}\d?);")
_UUID = re.compile(r"(?i)\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b")
_DATE = re.compile(
    r"(?<![\w.-])(\d{4})-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])(?:(?![\w-])|(T)(?=[0-2]\d:))",
    re.ASCII,
)
_TIME = re.compile(
    r"(?<![\w:.])([01]?\d|2[0-3]):([0-5]\d)(?::([0-5]\d))?(?:(?![\w:])|(?=Z\b))", re.ASCII
)
_DECIMAL = re.compile(r"(?<![\w.])(\d+)\.(\d+)(?!\d|\.\w)", re.ASCII)
_PERCENT = re.compile(r"(?<![\w.])(\d+(?:(?:点| point )\d+)?) ?%", re.ASCII)
_HUMP = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z]{2})")
_SPELT = re.compile(r"(?i)https?|www")


def _alternatives(texts: Iterable[str]) -> str:
    return "|".join(re.escape(text) for text in sorted(texts, key=len, reverse=True))


# What is read out as it stands comes first; ":" before a space is a pause of its own, the ";".
_PIECE = re.compile(
    rf"(?P<scheme>https?://)"
    rf"|(?P<as_is>[A-Za-z0-9 {_ZH}]+"
    rf"|(?<=\w)[.!?]+(?=[\s,]|$)|(?<=\w)[!?]+(?=[{_ZH}])"
    rf"|(?<=[A-Za-z])['’](?=[A-Za-z])|(?<=[0-9]),(?=[0-9]))"
    rf"|(?P<pause>[,。、])|(?P<colon>:(?=\s|$)|(?<=[{_ZH}]):|:(?=[{_ZH}]))"
    rf"|(?P<mark>{_alternatives(_MARKS)})|(?P<other>.)",
    re.DOTALL,
)
_INSIDE = f"[^{re.escape(''.join(_PAIRS))},。、]*"
_PAIR = re.compile(
    "|".join(rf"{re.escape(a)}{_INSIDE}\w{_INSIDE}{re.escape(b)}" for a, b in _PAIRS)
)


def speakable(text: str, locale: Locale, *, max_chars: int) -> str:
    """Return the text as it is to be read out, at most `max_chars` (40 or more), never blank."""
    language = 0 if locale == "zh-CN" else 1
    title = _folded(text)
    spoken = _spoken(title[:_LOOKED_AT], language)
    exact = _written(spoken, language) == "".join(title.split())
    if not re.search(r"\w", spoken):
        spoken, exact = _UNSPEAKABLE[language], False
    if exact and len(spoken) <= max_chars:
        return spoken
    code = f", {_CODE[language]} {_check_digits(title)}"
    return _cut(spoken, max_chars - len(code)) + code


def _folded(text: str) -> str:
    """Return what equal titles have in common: characters of one width, white space as one."""
    narrow = "".join(
        unicodedata.normalize("NFKC", char)
        if unicodedata.decomposition(char).startswith(("<wide>", "<narrow>"))
        else char
        for char in text
    )
    return " ".join(narrow.split())


def _spoken(title: str, language: int) -> str:
    text = _TAG.sub(" ", _ENTITY.sub(lambda found: html.unescape(found[0]), _unescaped(title)))
    text = _UUID.sub(
        lambda found: f" {_UUID_WORDS[language]} {' '.join(found[0][-4:])} ", _folded(text)
    )
    text = _DATE.sub(lambda found: _date(found, language), text)
    text = _TIME.sub(lambda found: _time(found, language), text)
    text = _DECIMAL.sub((r"\1点\2", r"\1 point \2")[language], text)
    text = _PERCENT.sub((r" 百分之\1 ", r" \1 percent ")[language], text)
    text = _PAIR.sub(lambda found: _pair(found, language), text)
    text = _HUMP.sub(" ", text)
    text = _PIECE.sub(lambda found: _piece(found, language), text)
    text = " ".join(_SPELT.sub(lambda found: f" {' '.join(found[0])} ", text).split())
    return re.sub(r" ([,。、;])", r"\1", text).strip(", ")


def _unescaped(text: str) -> str:
    """Undo URL escapes such as %22, where every % is one."""
    if re.search(r"%(?![0-9A-Fa-f]{2})", text):
        return text
    try:
        return unquote(text, errors="strict")
    except UnicodeDecodeError:
        return text


def _date(found: re.Match[str], language: int) -> str:
    year, month, day, hour_follows = found.groups()
    if language == 0:
        said = f"{year}年{int(month)}月{int(day)}日"
    else:
        said = f"{_MONTHS[int(month) - 1]} {int(day)} {year}"
    return f" {said} {hour_follows or ''} "


def _time(found: re.Match[str], language: int) -> str:
    hour, minute, second = found.groups()
    if language == 0:
        return f" {hour}点{minute}分{f'{second}秒' if second else ''} "
    return f" {hour} {minute} {f'and {second} seconds ' if second else ''}"


def _pair(found: re.Match[str], language: int) -> str:
    name = _PAIRS[found[0][0] + found[0][-1]][language]
    return f" {name} {found[0][1:-1]}, "


def _piece(found: re.Match[str], language: int) -> str:
    match found.lastgroup:
        case "as_is":
            return found[0]
        case "pause":
            return f"{found[0]} "
        case "colon":
            return "; "
        case "scheme" | "mark":
            return f" {_MARKS[found[0]][language]} "
        case _:
            return _named(found[0], language)


def _named(char: str, language: int) -> str:
    """Return the plain form of a letter or digit, the name of a symbol, nothing for the rest."""
    plain = unicodedata.normalize("NFKD", char)
    kept = "".join(re.findall(f"[A-Za-z0-9{_ZH}]", plain))
    if kept:
        return kept
    name = unicodedata.name(char, "").lower()
    if unicodedata.category(char)[0] in "SP" and re.fullmatch("[a-z0-9 -]+", name):
        return f" {_SYMBOL[language]} {name.replace('-', ' ')}, "
    return " "


# How each kind of words is written down again, for both languages.
_MARK_OF = tuple({names[i].lower(): mark for mark, names in _MARKS.items()} for i in (0, 1))
_BEGINS, _ENDS = "(?<![^ ,。、;:.!?])", "(?![^ ,。、;:.!?])"
_MARK_WORD = (
    re.compile(
        f"{_BEGINS}(?:{_alternatives(_STAND_ALONE)}){_ENDS}"
        f"|{_alternatives(_MARK_OF[0].keys() - _STAND_ALONE)}"
    ),
    re.compile(f"(?i){_BEGINS}(?:{_alternatives(_MARK_OF[1])}){_ENDS}"),
)
_PAIR_OF = tuple({names[i].lower(): pair for pair, names in _PAIRS.items()} for i in (0, 1))
_PAIR_WORD = tuple(
    re.compile(f"(?i){_BEGINS}({_alternatives(_PAIR_OF[i])}) ([^,]*?) ?(?:,|$)") for i in (0, 1)
)
_SYMBOL_NAME = tuple(re.compile(f"{_BEGINS}{_SYMBOL[i]} ([a-z0-9 ]+?)(?:,|$)") for i in (0, 1))
_CODE_SAID = tuple(re.compile(rf"(?i){_CODE[i]}(?: [0-9]){{6}}$") for i in (0, 1))
_DATE_SAID = (
    re.compile(r"(\d{4})年(\d{1,2})月(\d{1,2})日", re.ASCII),
    re.compile(rf"(?i)\b({'|'.join(_MONTHS)}) (\d{{1,2}}) (\d{{4}})\b", re.ASCII),
)
_TIME_SAID = (
    re.compile(r"(?<!\d)(\d{1,2})点(\d\d)分(?:(\d\d)秒)?", re.ASCII),
    re.compile(
        r"(?:(?<![\w.:-])|(?<= \d\d-))([01]?\d|2[0-3]) ([0-5]\d)(?: and (\d\d) seconds)?(?!\w)",
        re.ASCII,
    ),
)
_PERCENT_SAID = (
    re.compile(r"百分之([0-9.]+)"),
    re.compile(r"(?i)(?<=[0-9]) percent\b"),
)


def _written(spoken: str, language: int) -> str | None:
    """Return the one title that somebody who hears this writes down, without white space.

    None when it ends like a check code.
    """
    if _CODE_SAID[language].search(spoken):
        return None
    text = spoken.replace(";", ":")
    text = _SYMBOL_NAME[language].sub(_symbol, text)
    text = _MARK_WORD[language].sub(lambda found: _MARK_OF[language][found[0].lower()], text)
    text = re.sub(rf" ?({_alternatives(_MARKS)}) ?", r"\1", text)
    text = _DATE_SAID[language].sub(_date_written, text)
    text = _TIME_SAID[language].sub(
        lambda found: ":".join(part for part in found.groups() if part), text
    )
    text = re.sub((r"(?<=\d)点(?=\d)", r"(?i)(?<=\d) point (?=\d)")[language], ".", text)
    text = _PERCENT_SAID[language].sub((r"\1%", "%")[language], text)
    text = _PAIR_WORD[language].sub(
        lambda found: found[2].join(_PAIR_OF[language][found[1].lower()]), text
    )
    return "".join(text.split())


def _symbol(found: re.Match[str]) -> str:
    try:
        return unicodedata.lookup(found[1].upper())
    except KeyError:
        return found[0]


def _date_written(found: re.Match[str]) -> str:
    first, second, third = found.groups()
    if first.isdecimal():
        return f"{first}-{int(second):02}-{int(third):02}"
    return f"{third}-{_MONTHS.index(first.capitalize()) + 1:02}-{int(second):02}"


def _check_digits(title: str) -> str:
    digest = hashlib.sha256("".join(title.split()).encode("utf-8", "surrogatepass")).digest()
    return " ".join(f"{int.from_bytes(digest[:8], 'big') % 1_000_000:06}")


def _cut(text: str, most: int) -> str:
    """Return at most so many characters, ending with a whole word where one ends near."""
    if len(text) <= most:
        return text
    end = text.rfind(" ", most * 2 // 3, most + 1)
    return text[: end if end > 0 else most].rstrip(" ,。、;")


def spoken_seconds(text: str) -> float:
    """Return about how long this takes to say, rather too long than too short.

    Four Chinese characters, or two and a half words, a second; a number counts by its digits.
    """
    chinese = len(_CHINESE.findall(text))
    words = re.findall(r"[A-Za-z]+|\d", text)
    return chinese / _CHINESE_A_SECOND + len(words) / _WORDS_A_SECOND + 1.0


def silence_s(spoken_s: float, play_times: int, key_wait_s: float) -> float:
    """Return how long a call may be heard nothing of: ringing, listening, and the key's wait."""
    return RING_S + play_times * spoken_s + key_wait_s + SLACK_S
