"""What a text says: what carriers would refuse never reaches them, and it stays readable."""

import re
import unicodedata
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clouds.templates import Rules, Template, Templates
from paging.menu import DEFAULT, Menu
from paging.people import Locale
from paging.ports import Message
from sms import text
from sms.alibaba import AlibabaSmsSettings
from sms.tencent import TencentSmsSettings
from tests.sms.conftest import ALIBABA_TEXTS, SIGN, make, request, settings_of

# What the carriers' pages forbid, written down apart from the adapters.
LINK = re.compile(r"(?i)://|www\.|[a-z0-9]\.[a-z]{2,}")
IP = re.compile(r"(?i)\d{1,3}(\.\d{1,3}){3}|([0-9a-f]{1,4}:){3,}|[0-9a-f]{0,4}::[0-9a-f]")
REFUSED = set("【】[]{}$¥★☞✓※→•①^&#√")
CAPS = {"alibaba": 35, "tencent": 6, "tencent raised": 12}
RULES = {
    "alibaba": text.signed(text.ALIBABA, SIGN),
    "tencent": text.signed(text.TENCENT, SIGN),
    "tencent raised": text.signed(text.TENCENT, SIGN, 12),
}


def template(written: str, params: object) -> Template:
    return Template.model_validate({"id": "T", "text": written, "params": params})


def carried(carrier: str, one: Template, values: dict[str, str], locale: Locale) -> str:
    """The text as it is sent, once nothing in it is as carriers refuse it."""
    message = Message("r", "+8613700000000", locale, "page", values)
    filled = text.fill(one, message, RULES[carrier])
    said = filled.params.values() if isinstance(filled.params, dict) else filled.params
    for value in said:
        assert 1 <= len(value) <= CAPS[carrier], value
        assert value == value.strip()
        assert not LINK.search(value), value
        assert not IP.search(value), value
        assert not REFUSED & set(value), value
        assert all(unicodedata.category(char)[0] != "C" and char <= "\uffff" for char in value)
    assert len(f"【{SIGN}】{filled.text}") <= 500
    return filled.text


class Written(NamedTuple):
    """A title and what is left of it in 60 characters."""

    title: str
    text: str


@pytest.mark.parametrize(
    "one",
    [
        Written("db-1 down", "db-1 down"),
        Written("数据库主库宕机,共3台", "数据库主库宕机,共3台"),
        Written("db-1.example.com is down.", "db-1 example com is down."),
        Written("ping 10.0.0.1:8080 失败", "ping 10-0-0-1:8080 失败"),
        Written("http://10.0.0.1/x?a=1", "10-0-0-1/x?a=1"),
        Written("see https://grafana.example.com/d/a", "see grafana example com/d/a"),
        Written("www.example.com", "example com"),
        Written("1.https://grafana.example.com/d/a", "grafana example com/d/a"),
        Written("://x -ftp://y awww.z", "x y a z"),
        Written("10.0.0.1 and 1.2.3.4.5", "10-0-0-1 and 1-2-3-4-5"),
        Written("fe80::1 aa:bb:cc:dd:ee:ff", "fe80--1 aa-bb-cc-dd-ee-ff"),
        Written("10:30:00 v1.2.3 99.5%", "10:30:00 v1.2.3 99.5%"),
        Written("例子.中国 打不开", "例子 中国 打不开"),
        Written("[P1]【支付】{prod}", "(P1)(支付)(prod)"),
        Written("CPU ≥ 90% → 95%", "CPU >= 90% -> 95%"),
        Written("🔥 磁盘满 ⚠\ufe0f 👨\u200d👩\u200d👧", "磁盘满"),
        Written("\u202eevil\u202c \u200fمرحبا", "evil مرحبا"),
        Written("one\ntwo\tthree\x00\x1b[31m", "one two three (31m"),
        Written("Ｆｕｌｌ：１２", "Full:12"),
        Written("a.🔥com b\u200b.com", "a. com b com"),
        Written("José O’Neill", "José O Neill"),
        Written("half \ud83d a character", "half a character"),
        Written("🔥🔥 ★", ""),
        Written(" \u3000 ", ""),
    ],
    ids=repr,
)
def test_a_title_is_written_as_carriers_take_it_and_stays_readable(one: Written) -> None:
    assert text.plain(one.title, 60) == one.text


def test_what_is_too_long_is_cut_and_says_so() -> None:
    assert text.plain("数据库集群主库连接数已满", 6) == "数据库集群…"
    assert text.plain("db-1 connections", 6) == "db-1…"
    assert len(text.plain("长" * 10_000, 35)) == 35
    assert text.plain("क्षत्रिय क्षत्रिय", 6) == "क्षत्…"  # not in the middle of a syllable's mark


SUGGESTED = [(carrier, menu) for carrier in RULES for menu in ("default", "all", "one")]
MENUS: dict[str, Menu] = {
    "default": DEFAULT,
    "all": {"9": "close", "3": "mute", "2": "escalate", "1": "acknowledge"},
    "one": {"1": "acknowledge"},
}
LONGEST = {
    "title": "http://10.0.0.1/【x】#%" + "长" * 10_000,
    "severity": "critical",
    "count": "9" * 12,
    "number": "9" * 9,
    "responder": "José O’Neill 🔥 运维值班" * 20,
    "code": "999999",
    "details": "https://example.com/?q=%22x%22 " * 200,
}


@pytest.mark.parametrize(("carrier", "menu"), SUGGESTED)
def test_what_is_suggested_would_be_approved_and_carries_the_worst_incident(
    carrier: str, menu: str
) -> None:
    rules = RULES[carrier]
    texts = text.suggested(rules.syntax, MENUS[menu])
    assert {(one.purpose, one.locale) for one in texts} == {
        (purpose, locale) for purpose in ("page", "code", "notice") for locale in ("zh-CN", "en")
    }
    for one in texts:
        assert text.check(one.template, rules, purpose=one.purpose) == []
        plain = re.sub(r"\$?\{\w+\}", "", one.template.text)
        assert not REFUSED & set(plain)
        carried(carrier, one.template, LONGEST, one.locale)
        carried(carrier, one.template, {}, one.locale)
        if one.purpose == "code":
            assert "验证码" in one.template.text


def suggested(syntax: Any, purpose: str, locale: str, menu: str = "default") -> Template:
    [found] = [
        one.template
        for one in text.suggested(syntax, MENUS[menu])
        if (one.purpose, one.locale) == (purpose, locale)
    ]
    return found


VALUES = {
    "title": "数据库 db-1 down",
    "severity": "critical",
    "number": "42",
    "code": "7",
    "responder": "李伟",
}


@pytest.mark.parametrize(
    ("carrier", "purpose", "locale", "said"),
    [
        ("alibaba", "page", "zh-CN", "严重告警42:数据库 db-1 down。回复1认领,编号7。"),
        (
            "alibaba",
            "page",
            "en",
            "critical alert 42: 数据库 db-1 down. Reply 1 to acknowledge, code 7.",
        ),
        ("tencent", "page", "zh-CN", "告警42(严重)。回复1认领,指定某条请回复1空格加编号7。"),
        (
            "tencent",
            "page",
            "en",
            "Alert 42 (crit). Reply 1 to acknowledge, or 1, a space and code 7.",
        ),
        ("alibaba", "code", "zh-CN", "您的验证码是7,请勿告诉他人。"),
        (
            "tencent",
            "notice",
            "zh-CN",
            "告警42认领人:李伟。回复1认领,2转下一位,3静音30分钟;指定一条请在其后加空格和编号7。",
        ),
        (
            "alibaba",
            "notice",
            "en",
            (
                "Alert 42 is with: 李伟. Reply 1 to acknowledge, 2 for the next person, "
                "3 to mute 30 min; for this one add a space and code 7."
            ),
        ),
    ],
)
def test_the_suggested_texts_say_this(
    carrier: str, purpose: str, locale: Locale, said: str
) -> None:
    assert (
        carried(carrier, suggested(RULES[carrier].syntax, purpose, locale), VALUES, locale) == said
    )


@pytest.mark.parametrize(
    ("locale", "nobody"), [("zh-CN", "认领人:无人。"), ("en", "with: nobody.")]
)
def test_an_incident_that_nobody_has_says_so_in_the_same_text(locale: Locale, nobody: str) -> None:
    unclaimed = {**VALUES, "responder": ""}
    assert nobody in carried(
        "tencent", suggested("positional", "notice", locale), unclaimed, locale
    )


def test_every_key_of_the_menu_is_offered() -> None:
    notice = suggested("named", "notice", "zh-CN", "all")
    assert "回复1认领,2转下一位,3静音30分钟,9关闭;" in notice.text


@pytest.mark.parametrize(
    ("carrier", "severity", "said"),
    [
        ("alibaba", "critical", "critical"),
        ("tencent raised", "critical", "critical"),
        ("tencent", "critical", "crit"),
        ("tencent", "warning", "warn"),
        ("tencent", "info", "info"),
        ("tencent", "", "alert"),
    ],
)
def test_a_severity_is_said_in_the_room_that_there_is(
    carrier: str, severity: str, said: str
) -> None:
    one = template("${a}!" if carrier == "alibaba" else "{1}!", _params(carrier, "severity"))
    assert carried(carrier, one, {"severity": severity}, "en") == f"{said}!"


def _params(carrier: str, *values: str) -> Any:
    if carrier == "alibaba":
        return dict(zip("abcdefg", values, strict=False))
    return list(values)


def test_a_number_too_long_for_its_variable_keeps_the_digits_that_tell_it_apart() -> None:
    one = template("{1},{2}条", ["number", "count"])
    values = {"number": "12345678", "count": "12345678"}
    assert carried("tencent", one, values, "zh-CN") == "345678,999999条"
    assert carried("tencent raised", one, values, "zh-CN") == "12345678,999999条"


ALL = ("severity", "title", "count", "number", "responder", "code", "details")
NAMED_ALL = ";".join(f"${{{name}}}" for name in "abcdefg")
LISTED_ALL = ";".join(f"{{{i}}}" for i in range(1, 8))
WORST = [
    *((carrier, LISTED_ALL, list(ALL)) for carrier in ("tencent", "tencent raised")),
    ("alibaba", NAMED_ALL, dict(zip("abcdefg", ALL, strict=True))),
    ("alibaba", "长" * 478 + "${a}:${b}", {"a": "severity", "b": "title"}),
    ("alibaba", "${a},再说一遍,${b}", {"a": "title", "b": "title"}),
    ("tencent", "长" * 483 + "{1},{2}", ["title", "details"]),
]
# Not `st.text()` alone: what a carrier refuses is rare in it.
PIECES = [
    *"http:// www. a.com 10.0.0.1 fe80::1 :: : . 1 9 x 。 中 🔥 【 ${a} {1} １ ． ﷺ ① é".split(),  # noqa: SIM905 - easier read
    *("\u200b", "\u202e", "\ud800", "e\u0301", " ", "\n"),
]
TITLES = st.text(max_size=60) | st.lists(st.sampled_from(PIECES), max_size=40).map("".join)


@pytest.mark.parametrize("locale", ["zh-CN", "en"])
@pytest.mark.parametrize(("carrier", "written", "params"), WORST)
def test_the_worst_incident_fits_every_text_that_passed(
    carrier: str, written: str, params: Any, locale: Locale
) -> None:
    one = template(written, params)
    assert text.check(one, RULES[carrier], purpose="page") == []
    carried(carrier, one, LONGEST, locale)
    carried(carrier, one, {}, locale)


@settings(max_examples=300, deadline=None, derandomize=True, database=None)
@given(
    title=TITLES,
    details=TITLES,
    responder=TITLES,
    which=st.sampled_from(range(len(WORST))),
    locale=st.sampled_from(["zh-CN", "en"]),
)
def test_whatever_an_incident_says_a_text_that_passed_is_taken(
    title: str, details: str, responder: str, which: int, locale: Locale
) -> None:
    carrier, written, params = WORST[which]
    values = LONGEST | {"title": title, "details": details, "responder": responder}
    carried(carrier, template(written, params), values, locale)


# What the settings refuse.

PAGE = ALIBABA_TEXTS["page"]
NAMED = {"id": "S", "text": "告警${a}。", "params": {"a": "title"}}
LISTED = {"id": "1", "text": "告警{1}。", "params": ["title"]}
# (adapter, templates, what is said about them)
WRONG: list[tuple[str, dict[str, Any], str]] = [
    *((name, {}, "templates.page: missing") for name in ("alibaba", "tencent")),
    (
        "alibaba",
        {"page": {**NAMED, "text": "告警${b}。"}},
        r"templates.page: ${b} is not in params",
    ),
    ("alibaba", {"page": {**NAMED, "params": {"a": "link"}}}, "link cannot stand in a text"),
    ("alibaba", {"page": {**NAMED, "params": {"a": "host"}}}, "Input should be 'title'"),
    ("alibaba", {"page": LISTED}, "templates.page: params: expected a table"),
    ("tencent", {"page": NAMED}, "templates.page: params: expected a list"),
    ("tencent", {"page": {**LISTED, "params": ["link"]}}, "link cannot stand in a text"),
    ("tencent", {"page": {**LISTED, "text": "告警{1}{2}"}}, "the text has {1}, {2}, params has 1"),
    *(
        ("alibaba", {"page": {**NAMED, "text": f"{mark}告警${{a}}"}}, f"holds {mark}")
        for mark in "【】★※→"
    ),
    ("tencent", {"page": {**LISTED, "text": "见 a.example.com {1}"}}, "holds a link"),
    ("alibaba", {"page": {**NAMED, "text": "见10.0.0.1 ${a}"}}, "holds a link"),
    (
        "alibaba",
        {"page": {"id": "S", "text": "${a}告警${b}条", "params": {"a": "severity", "b": "count"}}},
        "templates.page: does not say which incident it is; expected number, code or title",
    ),
    ("tencent", {"page": {"id": "1", "text": "有告警。"}}, "does not say which incident it is"),
    (
        "alibaba",
        {"page": PAGE, "notice": {"en": {**NAMED, "text": "长" * 491 + "${a}"}}},
        "templates.notice.en: leaves 5 characters for free text; the worst incident needs 6",
    ),
    ("tencent", {"page": {**LISTED, "text": "长" * 500 + "{1}"}}, "leaves -4 characters"),
    (
        "alibaba",
        {"page": PAGE, "reply": {"id": "R", "text": "已收到。"}},
        "templates.reply: is what a",
    ),
    (
        "alibaba",
        {"page": PAGE, "code": NAMED},
        "templates.code: does not say the code; expected code in it",
    ),
]


@pytest.mark.parametrize(("adapter", "templates", "said"), WRONG)
def test_the_settings_name_the_text_that_would_fail_at_night(
    adapter: str, templates: dict[str, Any], said: str
) -> None:
    model = AlibabaSmsSettings if adapter == "alibaba" else TencentSmsSettings
    with pytest.raises(ValueError, match=re.escape(said)):
        model.model_validate(settings_of(adapter, templates=templates))


@pytest.mark.parametrize("adapter", ["alibaba", "tencent"])
def test_a_longer_sign_name_leaves_less_room(adapter: str) -> None:
    written = {**(NAMED if adapter == "alibaba" else LISTED)}
    written["text"] = written["text"].replace("告警", "长" * 489)
    model: Any = AlibabaSmsSettings if adapter == "alibaba" else TencentSmsSettings
    model.model_validate(settings_of(adapter, templates={"page": written}))
    longer = settings_of(adapter, templates={"page": written}, sign_name="示例公")
    with pytest.raises(ValueError, match="leaves 5 characters"):
        model.model_validate(longer)


@pytest.mark.parametrize("wrong", ["", "【示例】", "例" * 51])
def test_a_sign_name_is_written_without_the_brackets_that_it_gets(adapter: str, wrong: str) -> None:
    with pytest.raises(ValueError, match="sign_name"):
        make(adapter, "http://127.0.0.1:9", sign_name=wrong)


@pytest.mark.parametrize(("key", "wrong"), [("variable_chars", 5), ("sdk_app_id", "app")])
def test_a_setting_of_tencents_that_cannot_be_is_refused(key: str, wrong: object) -> None:
    with pytest.raises(ValueError, match=key):
        make("tencent", "http://127.0.0.1:9", **{key: wrong})


def test_a_raised_account_of_tencents_writes_more_of_a_title() -> None:
    page = {**LISTED, "text": "告警{1}。"}
    said = [
        make("tencent", "http://127.0.0.1:9", templates={"page": page}, variable_chars=chars)
        for chars in (6, 12)
    ]
    rules: list[Rules] = [one._rules for one in said]
    texts = [text.fill(Template.model_validate(page), request(), one).text for one in rules]
    assert texts == ["告警数据库 d…。", "告警数据库 db-1 ex…。"]


def test_purposes_are_what_there_is_a_text_for(adapter: str) -> None:
    texts = settings_of(adapter)["templates"]
    page = {"page": texts["page"]}
    nowhere = "http://127.0.0.1:9"
    assert make(adapter, nowhere).purposes == {"page", "test", "code", "notice"}
    assert make(adapter, nowhere, templates=page).purposes == {"page", "test"}
    coded = make(adapter, nowhere, templates=page | {"code": texts["code"]})
    assert coded.purposes == {"page", "test", "code"}


def test_a_drill_reads_like_a_page_and_in_the_responders_language() -> None:
    chinese, english = template("告警${a}", {"a": "title"}), template("Alert ${a}", {"a": "title"})
    texts = Templates(page={"zh-CN": chinese, "en": english})
    assert text.choose(texts, request(purpose="test")) == chinese
    assert text.choose(texts, Message("r", "+8613700000000", "en", "page", {})) == english
    assert text.choose(texts, request(purpose="notice")) is None


def test_only_mobile_numbers_of_the_mainland_are_texted(adapter: str) -> None:
    sms = make(adapter, "http://127.0.0.1:9")
    served = ["+8613700000000", "+8619900000000"]
    others = ["+85251000000", "+8657100000000", "+86137000000000", "13700000000"]
    assert [number for number in [*served, *others] if sms.serves(number)] == served
