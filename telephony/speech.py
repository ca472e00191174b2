"""Making text understandable by ear, in Chinese and in English, for somebody just woken.

Carriers refuse URLs, IPs and many characters (Alibaba: `# / : - % ¥ 【 】 $ [ ]`, http; Tencent:
¥ ★ ^_^& ☞ ✓ ※), so that what is sent holds only letters, digits, Chinese, spaces and pauses.
Punctuation becomes words, each standing alone between spaces.

Two different titles never yield the same speech: where anything is lost, or a title says one of our
words itself, a check code of six digits follows. Titles that differ only in white space, or in the
width of characters, are the same title.
"""

import hashlib
import re
import unicodedata
from typing import Literal
from urllib.parse import unquote

Locale = Literal["zh-CN", "en"]

SHORTEST = 40  # below this a cut title and its code would not both fit
_CHINESE_A_SECOND = 4.0
_WORDS_A_SECOND = 2.5

_MARKS: dict[str, tuple[str, str]] = {
    ".": ("点", "dot"),
    "-": ("杠", "dash"),
    "/": ("斜杠", "slash"),
    ":": ("冒号", "colon"),
    "_": ("下划线", "underscore"),
    "%": ("百分号", "percent sign"),
    "#": ("井号", "hash"),
    "@": ("艾特", "at sign"),
    "&": ("和号", "ampersand"),
    "+": ("加号", "plus"),
    "=": ("等号", "equals"),
    "<": ("小于", "less than"),
    ">": ("大于", "greater than"),
    "*": ("星号", "star"),
    "|": ("竖线", "bar"),
    "\\": ("反斜杠", "backslash"),
    "~": ("波浪号", "tilde"),
    "^": ("尖号", "caret"),
    "`": ("反引号", "backtick"),
    "$": ("美元符", "dollar sign"),
    "¥": ("元符", "yen sign"),
    "[": ("左方括号", "left square bracket"),
    "]": ("右方括号", "right square bracket"),
    "【": ("左实括号", "left black bracket"),
    "】": ("右实括号", "right black bracket"),
    "{": ("左花括号", "left curly bracket"),
    "}": ("右花括号", "right curly bracket"),
    "(": ("左括号", "left bracket"),
    ")": ("右括号", "right bracket"),
    "!": ("叹号", "exclamation mark"),
    "?": ("问号", "question mark"),
    ";": ("分号", "semicolon"),
    '"': ("引号", "quote"),
    "'": ("单引号", "apostrophe"),
    "“": ("左引号", "left quote"),
    "”": ("右引号", "right quote"),
}
_OTHER_WORDS = (
    ("网址", "安全网址", "识别码", "符号", "尾号"),
    (
        "web address",
        "secure web address",
        "code",
        "symbol",
        "percent",
        "ending in",
    ),
)
_PAUSES = ",。、"
_UNSPEAKABLE = ("标题无法朗读的告警", "an alert whose title cannot be read out")

_MARK = re.compile(f"[{re.escape(''.join(_MARKS))}{_PAUSES}]")
_ESCAPES = re.compile(r"(?<!\d)(?:%[0-9A-Fa-f]{2})+")
_TAG = re.compile(r"</?[a-zA-Z][^<>]*>")
_UUID = re.compile(r"(?i)\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b")
_SCHEME = re.compile(r"(?i)\b(https?)://")
_DATE = re.compile(r"(?<![\w.-])(\d{4})-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])(?![\w-])", re.ASCII)
_TIME = re.compile(r"(?<![\w:.])([01]?\d|2[0-3]):([0-5]\d)(?::([0-5]\d))?(?![\w:])", re.ASCII)
_PERCENT = re.compile(r"(?<![\w.])(\d+(?:\.\d+)?)%", re.ASCII)
_SPELT = re.compile(r"(?i)https?|www")
_SAID_BY_ITSELF = re.compile(r"\d点\d|百分之|\d年\d|\d月\d")
_NUMBERS = re.compile(r"(?<!\S)\d+(?: \d+)+(?!\S)", re.ASCII)
_CHINESE = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff]")


def speakable(text: str, locale: Locale, *, max_chars: int) -> str:
    """Return the text as it is to be read out, at most `max_chars` (40 or more), never blank."""
    language = 0 if locale == "zh-CN" else 1
    plain = _unescaped(text)
    title = _canonical(plain)
    spoken, lossless = _spoken(title, language)
    lossless = lossless and plain == text
    if not re.search(r"\w", spoken):
        spoken, lossless = _UNSPEAKABLE[language], False
    if lossless and len(spoken) <= max_chars:
        return spoken
    code = _code(_canonical(text), language)
    return f"{_cut(spoken, max_chars - len(code) - 1)} {code}"


def _canonical(text: str) -> str:
    """Return what two equal titles have in common: no width, no needless white space."""
    flat = " ".join(unicodedata.normalize("NFKC", text).split())
    return re.sub(rf" ?({_MARK.pattern}) ?", r"\1", flat)


def _spoken(title: str, language: int) -> tuple[str, bool]:
    """Return the speech, and whether the title could be told from it."""
    lossless = not _says_our_words(title, language)
    text = _without_tags(title)
    lossless = lossless and text == title
    tails = ("UUID 尾号", "UUID ending in")
    short = _UUID.sub(lambda found: f" {tails[language]} {' '.join(found[0][-4:])} ", text)
    lossless = lossless and short == text
    times: list[str] = []
    short = _SCHEME.sub(lambda found: f" {_scheme(found[1], language)} ", short)
    short = _DATE.sub(r" \1年\2月\3日 ", short) if language == 0 else short
    short = _TIME.sub(lambda found: _time(found, language, times), short)
    short = _PERCENT.sub(lambda found: _percent(found[1], language), short)
    said, every_mark = _marks(short, language)
    spoken = " ".join(said.split())
    spoken = re.sub(rf" ([{_PAUSES}])", r"\1", spoken)
    if language == 1 and _NUMBERS.findall(spoken) != times:
        lossless = False
    return spoken, lossless and every_mark


def _says_our_words(title: str, language: int) -> bool:
    """Say whether the title itself holds a word that stands for a mark of another title."""
    if language == 0 and _SAID_BY_ITSELF.search(title):
        return True
    if re.search(r"(?i)(?<!\w)(?:h t t p|w w w)(?!\w)", title):
        return True
    words = " ".join(_MARK.sub(" ", title).lower().split())
    ours = (*(names[language] for names in _MARKS.values()), *_OTHER_WORDS[language])
    return any(f" {word} " in f" {words} " for word in ours)


def _unescaped(text: str) -> str:
    """Undo URL escapes such as %22; a percentage such as 97%ab is none."""
    try:
        return _ESCAPES.sub(lambda found: unquote(found[0], errors="strict"), text)
    except UnicodeDecodeError:
        return text


def _without_tags(text: str) -> str:
    return " ".join(_TAG.sub(" ", text).split())


def _scheme(name: str, language: int) -> str:
    return _OTHER_WORDS[language][name.lower() == "https"]


def _time(found: re.Match[str], language: int, times: list[str]) -> str:
    hour, minute, second = found.groups()
    if language == 0:
        return f" {hour}点{minute}分{f'{second}秒' if second else ''} "
    said = " ".join(part for part in (hour, minute, second) if part)
    times.append(said)
    return f" {said} "


def _percent(number: str, language: int) -> str:
    return f" 百分之{number} " if language == 0 else f" {number} percent "


def _marks(text: str, language: int) -> tuple[str, bool]:
    """Return the text with marks as words, and whether every character was spoken."""
    every_one, said = True, list[str]()
    text = _SPELT.sub(lambda found: f" {' '.join(found[0])} ", text)
    for at, char in enumerate(text):
        if char in _MARKS:
            inside_number = char == "." and _between_digits_of_percentage(text, at, language)
            said.append("点" if inside_number else f" {_MARKS[char][language]} ")
        elif char in _PAUSES:
            said.append(f"{char} ")
        elif char == " " or (char.isascii() and char.isalnum()) or _CHINESE.match(char):
            said.append(char)
        else:
            every_one = False
            said.append(_named(char, language))
    return "".join(said), every_one


def _between_digits_of_percentage(text: str, at: int, language: int) -> bool:
    """Say whether this dot belongs to a number such as 百分之97.5."""
    return language == 0 and bool(re.search(r"百分之\d+$", text[:at]))


def _named(char: str, language: int) -> str:
    """Return the name of a symbol, the plain letter of an accented one, nothing for the rest."""
    category = unicodedata.category(char)
    plain = unicodedata.normalize("NFD", char)[0]
    if plain.isascii() and plain.isalnum():
        return plain
    name = re.sub(r"[^A-Za-z0-9]+", " ", unicodedata.name(char, "")).lower()
    if category[0] in "SP" and name and not _SPELT.search(name):
        return f" {_OTHER_WORDS[language][3]} {name} "
    return " "


def _code(title: str, language: int) -> str:
    digest = int.from_bytes(hashlib.sha256(title.encode("utf-8", "replace")).digest()[:8], "big")
    return f"{_OTHER_WORDS[language][2]} {' '.join(f'{digest % 1_000_000:06}')}"


def _cut(text: str, most: int) -> str:
    """Return at most so many characters, ending with a whole word where one ends near."""
    if len(text) <= most:
        return text
    end = text.rfind(" ", most * 2 // 3, most + 1)
    return text[: end if end > 0 else most].rstrip(f" {_PAUSES}")


def spoken_seconds(text: str) -> float:
    """Return about how long this takes to say, rather too long than too short.

    Four Chinese characters, or two and a half words, a second; a number counts by its digits.
    """
    chinese = len(_CHINESE.findall(text))
    words = re.findall(r"[A-Za-z]+|\d", text)
    return chinese / _CHINESE_A_SECOND + len(words) / _WORDS_A_SECOND + 1.0
