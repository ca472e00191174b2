"""Text made understandable by ear, in Chinese and in English, of characters every carrier reads.

What is forbidden in variables (Alibaba 语音模板规范, Tencent 语音消息审核, read 2026-11-22): links,
IP addresses, `http`, and `# / : - % $ [ ] & ^ _` among other signs. So 10.0.3.17 becomes
"10点0点3点17" or "10 dot 0 dot 3 dot 17", and only letters, digits, Chinese, blanks, commas and full
stops come out.

Two titles never become the same speech: what is said is read back, and where that is not the title
letter for letter, a check code of the title follows.
"""

import hashlib
import html
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from ipaddress import IPv6Address
from typing import Literal
from urllib.parse import unquote, urlsplit

from paging.people import Locale

SHORTEST = 16  # characters that the check code alone takes
CJK_PER_S = 4.0  # both rates are slower than the carriers' voices, so that estimates are long
WORDS_PER_S = 2.5
_PAUSE_S = 0.4
_NUMBER_DIGITS = 6  # more are not said as one number, but digit by digit

Side = Literal["tight", "spaced"]
_T: Side = "tight"
_S: Side = "spaced"


@dataclass(frozen=True, slots=True)
class _Symbol:
    """A sign and its words; the sides say how it is usually written against its neighbours."""

    sign: str
    zh: str
    en: str
    left: Side = _T
    right: Side = _T


_SYMBOLS = (
    _Symbol("->", "箭头", "arrow", _S, _S),
    _Symbol(">=", "大于等于号", "greater or equal", _S, _S),
    _Symbol("<=", "小于等于号", "less or equal", _S, _S),
    _Symbol("!=", "不等号", "not equal", _S, _S),
    _Symbol("-", "杠", "dash"),
    _Symbol(".", "点", "dot"),
    _Symbol("/", "斜杠", "slash"),
    _Symbol("\\", "反斜杠", "backslash"),
    _Symbol(":", "冒号", "colon"),
    _Symbol("_", "下划线", "underscore"),
    _Symbol("@", "艾特", "at sign"),
    _Symbol("#", "井号", "hash", _S, _T),
    _Symbol("%", "百分号", "percent sign", _T, _S),
    _Symbol("+", "加号", "plus"),
    _Symbol("=", "等号", "equals"),
    _Symbol("<", "小于号", "less than", _S, _S),
    _Symbol(">", "大于号", "greater than", _S, _S),
    _Symbol("&", "和号", "ampersand", _S, _S),
    _Symbol("*", "星号", "star"),
    _Symbol("|", "竖线", "vertical bar", _S, _S),
    _Symbol("~", "波浪号", "tilde"),
    _Symbol("^", "脱字符", "caret"),
    _Symbol("$", "美元符", "dollar sign", _S, _T),
    _Symbol("¥", "人民币", "yuan sign", _S, _T),
    _Symbol("€", "欧元符", "euro sign", _S, _T),
    _Symbol("°", "度", "degrees", _T, _S),
)
_MINUS = _Symbol("-", "负", "minus", _S, _T)
_BY_SIGN = {symbol.sign: symbol for symbol in _SYMBOLS}
_SAME_SIGNS = str.maketrans(
    {"→": "->", "⇒": "->", "≥": ">=", "≤": "<=", "≠": "!=", "‐": "-", "‑": "-", "−": "-"}
)

_EMOJI = {
    "🔥": ("火焰", "fire"),
    "🚨": ("警灯", "alarm light"),
    "⚠": ("警告标志", "warning sign"),
    "❌": ("叉号", "cross mark"),
    "✅": ("对勾", "check mark"),
    "❗": ("感叹号", "exclamation mark"),
    "🔴": ("红灯", "red light"),
    "🟠": ("橙灯", "orange light"),
    "🟡": ("黄灯", "yellow light"),
    "🟢": ("绿灯", "green light"),
    "💥": ("爆炸", "explosion"),
    "💀": ("骷髅", "skull"),
    "🚀": ("火箭", "rocket"),
    "📈": ("上升曲线", "rising chart"),
    "📉": ("下降曲线", "falling chart"),
    "🐛": ("虫子", "bug"),
    "⏰": ("闹钟", "alarm clock"),
    "🔔": ("铃铛", "bell"),
}
# A unit right after its number: ms is said in full, though "5 分钟" stays what people wrote in full.
_UNITS = {
    "ns": ("纳秒", "nanoseconds"),
    "us": ("微秒", "microseconds"),
    "μs": ("微秒", "microseconds"),
    "ms": ("毫秒", "milliseconds"),
    "s": ("秒", "seconds"),
    "m": ("分钟", "minutes"),
    "min": ("分钟", "minutes"),
    "h": ("小时", "hours"),
    "d": ("天", "days"),
    "KB": ("KB", "kilobytes"),
    "MB": ("MB", "megabytes"),
    "GB": ("GB", "gigabytes"),
    "TB": ("TB", "terabytes"),
    "°C": ("摄氏度", "degrees Celsius"),
}
_READ_BACK_UNITS = ("ms", "us", "ns", "KB", "MB", "GB", "TB")
_ZH_DIGITS = "零一二三四五六七八九"
_EN_DIGITS = ("Zero", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine")
_MONTHS = (
    "January February March April May June July August September October November December"
).split()
_NEGATIONS = "do|does|did|ca|wo|is|are|was|were|has|have|had|could|would|should"

_CODE = {"zh-CN": "识别码", "en": "code"}
_COMMA = {"zh-CN": "，", "en": ", "}
_NOTHING = {"zh-CN": "标题无法朗读的告警", "en": "an alert whose title cannot be read out"}


def speakable(text: str, locale: Locale, *, max_chars: int) -> str:
    """Return a title as it is to be read out, never blank, at most `max_chars` characters.

    Texts that differ by more than blanks give different speech: one that cannot be read back from
    its speech ends with six digits of its SHA-256. Raises ValueError below `SHORTEST` characters.
    """
    if max_chars < SHORTEST:
        raise ValueError(f"max_chars: expected at least {SHORTEST}")
    title = _collapsed(text)
    spoken, is_whole = _spoken(title, locale, max_chars)
    if is_whole and _heard(spoken, locale) == title and not _ends_with_code(spoken, locale):
        return spoken
    code = _check_code(title, locale)
    room = max_chars - len(code) - len(_COMMA[locale])
    spoken, _ = _spoken(title, locale, room)
    if not spoken and len(_NOTHING[locale]) <= room:
        spoken = _NOTHING[locale]
    return f"{spoken}{_COMMA[locale]}{code}" if spoken else code


def readable(text: str, locale: Locale, *, max_chars: int) -> str:
    """Return any other text as it is to be read out, cut without a check code; "" if nothing is."""
    return _spoken(_collapsed(text), locale, max_chars)[0]


def spelled(text: str) -> str:
    """Return letters and digits to be read out one by one."""
    return " ".join(re.sub(r"[^A-Za-z0-9]", "", text))


def spoken_seconds(text: str) -> float:
    """Return about how long a carrier takes to read this out once, rather too long than too short.

    A Chinese character takes 1/4 s; a word, and every digit, 1/2.5 s; a comma or a stop 0.4 s.
    """
    characters = len(re.findall(r"[\u4e00-\u9fff]", text))
    words = len(re.findall(r"[A-Za-z]+|\d", text))
    pauses = len(re.findall(r"[,.，。]", text))
    return characters / CJK_PER_S + words / WORDS_PER_S + pauses * _PAUSE_S


def _collapsed(text: str) -> str:
    return " ".join(text.split())


def _check_code(title: str, locale: Locale) -> str:
    digest = hashlib.sha256(title.encode("utf-8", "surrogatepass")).hexdigest()
    return f"{_CODE[locale]} {' '.join(f'{int(digest, 16) % 10**6:06}')}"


def _ends_with_code(spoken: str, locale: Locale) -> bool:
    return re.search(rf"{_CODE[locale]}( \d){{6}}$", spoken) is not None


# --- What is said -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Piece:
    """A part of the speech. "text" is as written, "said" is in other words than written."""

    kind: Literal["text", "said", "symbol", "mark", "pause"]
    speech: str
    is_spaced: bool  # a blank stood before it
    symbol: _Symbol | None = None


def _spoken(title: str, locale: Locale, max_chars: int) -> tuple[str, bool]:
    """Return the speech of as much as fits, and whether that is all; "" when nothing can be said."""
    # A title may be very long: what lies this far behind the limit cannot come to be said.
    begun = title[: 4 * max_chars + 400]
    pieces = list(_pieces(_plain(begun), locale))
    if not any(piece.kind in ("text", "said") for piece in pieces):
        return "", False
    spoken = ""
    before: _Piece | None = None
    for piece in pieces:
        longer = _joined(spoken, before, piece, locale)
        if len(longer.rstrip()) > max_chars:
            cut = spoken.rstrip(" ,，") or longer[:max_chars].rstrip(" ,，")
            return cut, False
        if longer != spoken:
            spoken, before = longer, piece
    return spoken.rstrip(), begun == title


def _joined(spoken: str, before: _Piece | None, piece: _Piece, locale: Locale) -> str:
    """Return the speech with one more piece."""
    if piece.kind == "pause":
        if not spoken or spoken.rstrip()[-1] in ",.，。":
            return spoken
        return spoken.rstrip() + _COMMA[locale].rstrip()
    if locale == "zh-CN":
        return spoken + (" " if piece.is_spaced and spoken else "") + piece.speech
    if before is None:
        return "" if piece.kind == "mark" else piece.speech
    if piece.kind == "mark":
        return spoken + piece.speech
    return spoken + _english_gap(before, piece) + piece.speech


def _english_gap(before: _Piece, piece: _Piece) -> str:
    if before.kind in ("mark", "pause"):
        tight = before.kind == "mark" and piece.kind == "text" and not piece.is_spaced
        return "" if tight else " "
    if before.symbol or piece.symbol:
        # A blank where none is usual, or none where one is, is said as a pause.
        is_usual = piece.is_spaced == _is_usually_spaced(before.symbol, piece.symbol)
        return " " if is_usual else ", "
    if piece.is_spaced or "said" in (before.kind, piece.kind):
        return " "
    return ""


def _is_usually_spaced(left: _Symbol | None, right: _Symbol | None) -> bool:
    if left and right:
        return False
    return (left.right if left else right.left if right else _T) == _S


def _plain(text: str) -> str:
    """Return the text without markup, escapes and look-alike characters."""
    escape = r"(?:%[0-9A-Fa-f]{2})+"
    if " " in text:
        escape = rf"(?<!\d){escape}"  # in running text a figure before it makes it a percentage
    text = re.sub(escape, _unescaped, text)
    text = html.unescape(text)
    text = re.sub(r"</?[A-Za-z][A-Za-z0-9]*(?:\s[^<>]*)?/?>", " ", text)
    text = re.sub(r"!?\[([^\[\]]+)\]\(\s*https?://[^\s()]*\)", r"\1", text)
    text = re.sub(r"(\*\*|__|`+)(?=\S)(.+?)(?<=\S)\1", r"\2", text)
    text = "".join(_folded(character) for character in text.translate(_SAME_SIGNS))
    return _collapsed(text)


def _unescaped(escape: re.Match[str]) -> str:
    decoded = unquote(escape[0])
    return escape[0] if "\ufffd" in decoded else decoded


def _folded(character: str) -> str:
    """Return a full-width or accented character as the plain one."""
    if character in "，：":
        return character
    compatible = unicodedata.normalize("NFKC", character)
    if compatible.isascii():
        return compatible
    base = unicodedata.normalize("NFKD", compatible)[0]
    return base if base.isascii() and base.isalpha() else compatible


_NOT_IN_WORD = r"(?<![A-Za-z0-9])"
_NOT_IN_NUMBER = r"(?<![A-Za-z0-9.])"
_WORD_ENDS = r"(?![A-Za-z0-9])"
_TOKEN = re.compile(
    "|".join(
        (
            r"(?P<link>(?i:https?)://[^\s<>\"'|，。]+)",
            rf"(?P<uuid>{_NOT_IN_WORD}[0-9A-Fa-f]{{8}}(?:-[0-9A-Fa-f]{{4}}){{3}}-[0-9A-Fa-f]{{12}}"
            rf"{_WORD_ENDS})",
            r"(?P<ipv6>(?<![A-Za-z0-9:])(?:[0-9A-Fa-f]{0,4}:){2,7}[0-9A-Fa-f]{0,4}(?![A-Za-z0-9:]))",
            rf"(?P<hash>{_NOT_IN_WORD}(?=[0-9A-Fa-f]*[0-9])(?=[0-9A-Fa-f]*[A-Fa-f])[0-9A-Fa-f]{{16,}}"
            rf"{_WORD_ENDS})",
            r"(?P<date>(?<![A-Za-z0-9.-])[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])"
            r"(?![0-9-]))",
            r"(?P<time>(?<![A-SU-Za-z0-9:.])(?:[01]?[0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9])?"
            r"(?![A-Za-z0-9:]|\.[0-9]))",
            rf"(?P<percentage>{_NOT_IN_NUMBER}[0-9]+(?:\.[0-9]+)?%)",
            rf"(?P<version>{_NOT_IN_WORD}[vV](?=[0-9]+\.[0-9]))",
            rf"(?P<status>{_NOT_IN_WORD}[1-5](?:xx|XX){_WORD_ENDS})",
            rf"(?P<quantity>{_NOT_IN_NUMBER}[0-9]+(?:\.[0-9]+)?(?:{'|'.join(_UNITS)}){_WORD_ENDS})",
            rf"(?P<decimal>{_NOT_IN_NUMBER}[0-9]+\.[0-9]+(?![A-Za-z0-9]|\.[0-9]))",
            rf"(?P<negation>{_NOT_IN_WORD}(?i:{_NEGATIONS})n['’]t{_WORD_ENDS})",
            r"(?P<word>[A-Za-z0-9]+)",
            r"(?P<chinese>[\u4e00-\u9fff])",
            r"(?P<minus>(?<![^\s(=,，:：<>])-(?=[0-9]))",
            r"(?P<mark>[,，。]|：|:(?=\s|$)|(?<=\S)\.(?=\s|$))",
            r"(?P<symbol>->|>=|<=|!=|[-./\\:_@#%+=<>&*|~^$¥€°](?<!\.\.)(?!\.))",
            r"(?P<pause>[;!?()\[\]{}【】《》〈〉—–…·•、.]+)",
            r"(?P<other>\S)",
        )
    )
)


def _pieces(text: str, locale: Locale) -> Iterator[_Piece]:
    """Yield what is said, in order; a character that cannot be said leaves a gap."""
    position = 0
    has_gap = False
    for token in _TOKEN.finditer(text):
        is_spaced = has_gap or token.start() > position
        position = token.end()
        has_gap = False
        kind, written = str(token.lastgroup), token[0]
        match kind:
            case "symbol":
                symbol = _BY_SIGN[written]
                yield _Piece("symbol", _one(symbol.zh, symbol.en, locale), is_spaced, symbol)
            case "minus":
                yield _Piece("symbol", _one(_MINUS.zh, _MINUS.en, locale), is_spaced, _MINUS)
            case "mark":
                yield _Piece("mark", _mark(written, locale), is_spaced)
            case "pause":
                yield _Piece("pause", "", is_spaced)
            case _:
                speech = _SAY[kind](written, locale)
                has_gap = not speech
                if speech:
                    yield _Piece("text" if speech == written else "said", speech, is_spaced)


def _one(zh: str, en: str, locale: Locale) -> str:
    return zh if locale == "zh-CN" else en


def _mark(written: str, locale: Locale) -> str:
    """Return a comma as a comma, a stop as a stop, and a colon before a blank as a stop too."""
    if locale == "zh-CN":
        return "。" if written in ":：" else written
    return "," if written in ",，" else "."


def _link(written: str, locale: Locale) -> str:
    try:
        host = urlsplit(written).hostname or ""
    except ValueError:
        host = ""
    host = _spoken(host, locale, len(written) * 12)[0]
    return f"{_one('链接 ', 'link to ', locale)}{host}" if host else _one("链接", "link", locale)


def _tail(name: tuple[str, str]) -> Callable[[str, Locale], str]:
    """Return what says an identifier by its last four characters."""

    def say(written: str, locale: Locale) -> str:
        return f"{_one(*name, locale)} {spelled(written[-4:])}"

    return say


def _ipv6(written: str, locale: Locale) -> str:
    try:
        IPv6Address(written)
    except ValueError:
        return _spoken(written.replace(":", " : "), locale, len(written) * 8)[0]
    last = written.rstrip(":").rpartition(":")[2]
    return f"{_one('IP v 6 地址尾号', 'IP v 6 address ending', locale)} {spelled(last)}"


def _date(written: str, locale: Locale) -> str:
    year, month, day = (int(part) for part in written.split("-"))
    # 号, not 日: a title with 日 is as it was written.
    return _one(f"{year}年{month}月{day}号", f"{_MONTHS[month - 1]} {day} {year}", locale)


def _time(written: str, locale: Locale) -> str:
    hour, minute, *second = written.split(":")
    if minute == "00" and not second:
        return _one(f"{hour}点整", f"{hour} o clock", locale)
    if second:
        return _one(f"{hour}点{minute}分{second[0]}秒", f"{hour} {minute} {second[0]}", locale)
    return _one(f"{hour}点{minute}分", f"{hour} {minute}", locale)


def _number(written: str, locale: Locale) -> str:
    whole, point, fraction = written.partition(".")
    if len(whole) > _NUMBER_DIGITS:
        whole = spelled(whole)
    return f"{whole}{_one('点', ' point ', locale)}{fraction}" if point else whole


def _percentage(written: str, locale: Locale) -> str:
    number = _number(written[:-1], locale)
    return _one(f"百分之{number}", f"{number} percent", locale)


def _quantity(written: str, locale: Locale) -> str:
    number = written.rstrip("".join(_UNITS))
    zh, en = _UNITS[written[len(number) :]]
    return _one(f"{_number(number, locale)}{zh}", f"{_number(number, locale)} {en}", locale)


def _word(written: str, locale: Locale) -> str:
    """Return letters and digits as they are if they are alone, else so that both are heard."""
    if written.isdigit():
        return _number(written, locale)
    parts = re.findall(r"[A-Za-z]+|[0-9]+", written)
    if locale == "zh-CN":
        return "".join(
            _letters(part) if part.isalpha() else "".join(_ZH_DIGITS[int(digit)] for digit in part)
            for part in parts
        )
    return " ".join(
        " ".join(_EN_DIGITS[int(digit)] for digit in part)
        if part.isdigit()
        else spelled(part)
        if place and len(part) <= 3  # noqa: PLR2004 - as in k8s: longer ones are words
        else _letters(part)
        for place, part in enumerate(parts)
    )


def _letters(written: str) -> str:
    """Return the words of a CamelCase name, with slight pauses; http is forbidden as a word."""
    if "http" in written.lower():
        return spelled(written)
    return re.sub(
        r"(?<=[A-Za-z][a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z]{2})", ",", written
    )


def _emoji(written: str, locale: Locale) -> str:
    if written in _EMOJI:
        return _one(*_EMOJI[written], locale)
    if unicodedata.category(written) == "So":
        return _one("表情", "emoji", locale)
    return ""


_SAY: dict[str, Callable[[str, Locale], str]] = {
    "link": _link,
    "uuid": _tail(("UUID 尾号", "UUID ending")),
    "ipv6": _ipv6,
    "hash": _tail(("编号尾号", "ID ending")),
    "date": _date,
    "time": _time,
    "percentage": _percentage,
    "version": lambda written, locale: _one(f"{written} ", written, locale),
    "status": lambda written, _locale: spelled(written),
    "quantity": _quantity,
    "decimal": _number,
    "negation": lambda written, _locale: written.replace("'", "").replace("’", ""),
    "word": _word,
    "chinese": lambda written, _locale: written,
    "other": _emoji,
}
