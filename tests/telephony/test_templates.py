"""Texts that carriers approved: refused in the settings before a night proves them wrong."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clouds.templates import Rules, Template, Templates
from paging.menu import DEFAULT, Menu
from sandbox.templates import (
    alibaba_reply,
    alibaba_text,
    tencent_text,
    unfit_for_alibaba,
    unfit_for_tencent,
)
from telephony.alibaba import AlibabaVoiceSettings
from telephony.templates import (
    ALIBABA_DEDICATED,
    ALIBABA_SHARED,
    TENCENT,
    check,
    fill,
    suggested,
)
from tests.telephony.conftest import Sandbox, make, request

RULES = {"shared": ALIBABA_SHARED, "dedicated": ALIBABA_DEDICATED, "tencent": TENCENT}
GOOD_NAMED: dict[str, Any] = {
    "id": "TTS_1",
    "text": "${level}告警,${title}。认领请按1。",
    "params": {"level": "severity", "title": "title"},
}
GOOD_LISTED: dict[str, Any] = {
    "id": "1",
    "text": "{1}告警,{2}。认领请按1。",
    "params": ["severity", "title"],
}


def template(text: str, params: object, id_: str = "T") -> Template:
    return Template.model_validate({"id": id_, "text": text, "params": params})


@pytest.mark.parametrize("rules", RULES)
def test_a_good_text_passes(rules: str) -> None:
    good = GOOD_LISTED if rules == "tencent" else GOOD_NAMED
    assert check(Template.model_validate(good), RULES[rules], purpose="page") == []


TITLE = {"title": "title"}
ALL_NAMED = {name: name for name in ("title", "severity", "count", "number", "responder")}
# (rules, purpose, text, params, what is said about it)
WRONG: list[tuple[str, str, str, Any, str]] = [
    ("dedicated", "page", "告警${title}${x}", {"title": "title"}, "${x} is not in params"),
    ("dedicated", "page", "告警${title}", {**TITLE, "x": "count"}, "params.x: the text has no"),
    ("dedicated", "page", "${title},重复${title}", TITLE, "${title} stands twice"),
    ("dedicated", "page", "${1title}告警", {"1title": "title"}, "expected a letter"),
    ("dedicated", "page", "${标题}告警", {"标题": "title"}, "expected a letter"),
    *(
        ("dedicated", "page", f"告警${{{name}}}", {name: "title"}, "expected a letter")
        for name in ("email", "mobile", "id", "nick", "site")
    ),
    (
        "dedicated",
        "page",
        "${a}${b}告警",
        {"a": "severity", "b": "title"},
        "two variables stand side by side",
    ),
    (
        "dedicated",
        "page",
        "${a} ${b}告警",
        {"a": "severity", "b": "title"},
        "two variables stand side by side",
    ),
    (
        "shared",
        "page",
        "${a}告警,${b},${c}条",
        {"a": "severity", "b": "title", "c": "count"},
        "has 3 variables; this mode allows 2",
    ),
    *(
        ("dedicated", "page", f"告警${{title}}{char}", TITLE, f"holds {char}, which the carrier")
        for char in "#/:-%¥【】$[]{}"
    ),
    *(
        ("tencent", "page", f"告警{{1}}{char}", ["title"], f"holds {char}, which the carrier")
        for char in "¥★☞✓※&^_{}"
    ),
    *(
        (rules, "page", text, params, "holds a link or an IP address")
        for rules, variable, params in (
            ("dedicated", "${title}", TITLE),
            ("tencent", "{1}", ["title"]),
        )
        for text in (
            f"告警{variable}见http",
            f"告警{variable}见www.example",
            f"告警{variable}见a.example.com",
            f"告警{variable}见10.0.0.1",
        )
    ),
    ("dedicated", "page", "告警${title}", ["title"], "expected a table by name"),
    ("tencent", "page", "告警{1}", {"1": "title"}, "expected a list in the order"),
    ("tencent", "page", "告警{1}", [], "the text has {1}, params has 0"),
    ("tencent", "page", "告警", ["title"], "the text has no variables, params has 1"),
    ("tencent", "page", "告警{1},{1}", ["title", "count"], "expected each of {1}, {2}"),
    ("tencent", "page", "告警{2}", ["title"], "expected each of {1}, {2}"),
    ("tencent", "page", "告警{title}", ["title"], "expected each of {1}, {2}"),
    ("tencent", "page", "长" * 311 + "{1}", ["title"], "leaves 39 characters for free text"),
    ("tencent", "page", "长" * 351, [], "leaves -1 characters for free text"),
    ("dedicated", "page", "长" * 961 + "${title}", TITLE, "leaves 39 characters for free text"),
    ("dedicated", "page", "长" * 1001, {}, "leaves -1 characters for free text"),
    (
        "dedicated",
        "page",
        ",".join(f"${{v{i}}}" for i in range(7)),
        {f"v{i}": "title" for i in range(7)},
        "the worst incident needs 280",
    ),
    ("dedicated", "code", "您的验证码是${title}。", TITLE, "does not say the code"),
    ("dedicated", "reply", "已收到按键,${title}。", TITLE, "expected no title in it"),
    ("dedicated", "reply", "已收到按键,${d}。", {"d": "details"}, "expected no details in it"),
    *(
        ("dedicated", "reply", text, {}, "never that the incident is acknowledged")
        for text in (
            "已收到按键,告警已认领。",
            "已收到按键,已 认 领。",
            "已收到按键,認領完成。",
            "认领成功。",
            "已收到按键,已确认。",
            "已收到按键,已受理。",
            "已收到按键,已转给下一位。",
            "已收到按键,已静音。",
            "Your key was received, the incident is acknowledged.",
            "Your key was received: ACKed.",
            "Key 1 received, confirmed.",
            "Your key was received, it is yours.",
            "Your key was received and the calls have stopped.",
            "再见。",
            "Thank you.",
        )
    ),
]


@pytest.mark.parametrize(("rules", "purpose", "text", "params", "said"), WRONG)
def test_a_text_that_a_carrier_would_refuse_is_named(
    rules: str, purpose: str, text: str, params: Any, said: str
) -> None:
    found = check(template(text, params), RULES[rules], purpose=purpose)
    assert any(said in one for one in found), found


@pytest.mark.parametrize(
    "text",
    [
        "已收到按键。",
        "按键已收到。",
        "收到您的按键,稍后会短信通知结果。",
        "Your key was received.",
        "We received your key. We call back if it was too late.",
    ],
)
def test_a_reply_that_says_only_that_the_key_came_passes(text: str) -> None:
    assert check(template(text, {}), ALIBABA_DEDICATED, purpose="reply") == []
    assert alibaba_reply({"T": text}, "T", {}) == text


def test_the_settings_name_the_key_of_a_text_that_does_not_fit() -> None:
    claims = {"id": "R", "text": "已收到按键,已认领。"}
    told = {
        "show_numbers": ["05710000000"],
        "templates": {"page": GOOD_NAMED, "reply": {"zh-CN": claims}},
    }
    with pytest.raises(ValueError, match=r"templates\.reply\.zh-CN: it is played before"):
        AlibabaVoiceSettings.model_validate(told)


def test_a_link_has_no_place_in_a_call() -> None:
    with pytest.raises(ValueError, match="link cannot stand in a text"):
        template("告警${a}", {"a": "link"})


# What is sent.

LONGEST = {
    "title": "http://10.0.0.1/【x】#%" + "长" * 2000,
    "severity": "critical",
    "count": "9" * 12,
    "number": "9" * 20,
    "responder": "José O’Neill - 运维值班" * 20,
    "code": "9" * 12,
    "details": "https://example.com/?q=%22x%22 " * 200,
}
WORST: dict[str, tuple[Rules, str, Any]] = {
    "everything": (
        ALIBABA_DEDICATED,
        "${a},${b},${c},${d},${e},${f}。",
        {
            "a": "severity",
            "b": "title",
            "c": "count",
            "d": "number",
            "e": "responder",
            "f": "details",
        },
    ),
    "shared": (ALIBABA_SHARED, "${a}告警,${b}。", {"a": "severity", "b": "title"}),
    "a long text": (
        ALIBABA_DEDICATED,
        "长" * 950 + "${a}告警${b}",
        {"a": "severity", "b": "title"},
    ),
    "the title twice": (ALIBABA_DEDICATED, "${a},再说一遍,${b}。", {"a": "title", "b": "title"}),
    "the details twice": (
        ALIBABA_DEDICATED,
        "${a},再说一遍,${b}。",
        {"a": "details", "b": "details"},
    ),
    "a code": (ALIBABA_DEDICATED, "验证码${a}。", {"a": "code"}),
    "Tencent, everything": (
        TENCENT,
        "{1},{2},{3},{4},{5},{6}。",
        ["severity", "title", "count", "number", "responder", "details"],
    ),
    "Tencent, room for two at their shortest": (
        TENCENT,
        "长" * 268 + "{1},{2}",
        ["title", "details"],
    ),
    "Tencent, a long text": (TENCENT, "长" * 300 + "{1}告警{2}", ["severity", "title"]),
    "Tencent, three titles": (TENCENT, "{1},{2},{3}。", ["title", "details", "title"]),
}


def _carried(rules: Rules, text: Template, values: dict[str, str], locale: Any) -> str:
    """What the carrier reads out; it raises what it refuses."""
    filled = fill(text, values, rules, locale)
    if isinstance(filled.params, dict):
        shared = rules is ALIBABA_SHARED
        said = alibaba_text({text.id: text.text}, text.id, filled.params, shared=shared)
    else:
        said = tencent_text({text.id: text.text}, text.id, filled.params)
    assert said == filled.text
    return said


@pytest.mark.parametrize("locale", ["zh-CN", "en"])
@pytest.mark.parametrize(("rules", "text", "params"), WORST.values(), ids=WORST)
def test_the_worst_incident_fits_every_text_that_passed(
    rules: Rules, text: str, params: Any, locale: str
) -> None:
    worst = template(text, params)
    assert check(worst, rules, purpose="page") == []
    _carried(rules, worst, LONGEST, locale)
    endless = dict.fromkeys(("title", "responder", "details"), "长" * 600)
    _carried(rules, worst, LONGEST | endless, locale)
    _carried(rules, worst, dict.fromkeys(LONGEST, "") | {"severity": "info"}, locale)


@settings(max_examples=150, deadline=None, derandomize=True, database=None)
@given(
    values=st.fixed_dictionaries(
        {
            "title": st.text(max_size=400),
            "details": st.text(max_size=400),
            "responder": st.text(max_size=80),
            "severity": st.sampled_from(["critical", "warning", "info"]),
            "count": st.integers(1, 10**6 - 1).map(str),
            "number": st.integers(0, 10**9).map(str),
        }
    ),
    which=st.sampled_from([name for name in WORST if name != "a code"]),
    locale=st.sampled_from(["zh-CN", "en"]),
)
def test_whatever_an_incident_says_a_text_that_passed_is_taken(
    values: dict[str, str], which: str, locale: str
) -> None:
    rules, text, params = WORST[which]
    _carried(rules, template(text, params), values, locale)


def test_the_title_has_the_room_that_details_do_not_need() -> None:
    text = template("${a}。${b}", {"a": "title", "b": "details"})
    title = "数据库集群主库连接数已满" * 9
    values = {"title": title, "details": ""}
    filled = fill(text, values, ALIBABA_DEDICATED, "zh-CN")
    assert filled.text == f"{title}。无详情"
    assert fill(text, values, ALIBABA_DEDICATED, "en").text.endswith("no details")


def test_a_code_is_read_digit_by_digit() -> None:
    text = template("验证码{1}。", ["code"])
    assert fill(text, {"code": "123456"}, TENCENT, "zh-CN").text == "验证码1 2 3 4 5 6。"


@pytest.mark.parametrize("severity", ["critical", "warning", "info"])
def test_severities_are_said_in_the_responders_language(severity: str) -> None:
    text = template("{1}告警", ["severity"])
    said = {
        locale: fill(text, {"severity": severity}, TENCENT, locale).text
        for locale in ("zh-CN", "en")
    }
    chinese = {"critical": "严重", "warning": "警告", "info": "提示"}[severity]
    assert said == {"zh-CN": f"{chinese}告警", "en": f"{severity}告警"}


def test_a_text_in_ones_own_language_goes_before_any_other() -> None:
    chinese, english = template("告警", {}, "Z"), template("alert", {}, "E")
    both = Templates(page={"zh-CN": chinese, "en": english})
    one = Templates(page={"en": english})
    assert [both.choose("page", locale) for locale in ("zh-CN", "en")] == [chinese, english]
    assert one.choose("page", "zh-CN") == english
    assert one.choose("reply", "en") is None


# What is suggested.

MENUS: dict[str, Menu] = {
    "default": DEFAULT,
    "all": {"9": "close", "3": "mute", "2": "escalate", "1": "acknowledge"},
    "one": {"1": "acknowledge"},
}


@pytest.mark.parametrize("menu", MENUS.values(), ids=MENUS)
@pytest.mark.parametrize("rules", RULES)
def test_what_is_suggested_would_be_approved_and_carries_the_worst_incident(
    rules: str, menu: Menu
) -> None:
    texts = suggested(RULES[rules], menu)
    unfit = unfit_for_tencent if rules == "tencent" else unfit_for_alibaba
    purposes = {"page"} if rules == "tencent" else {"page", "reply", "code"}
    assert {(one.purpose, one.locale) for one in texts} == {
        (purpose, locale) for purpose in purposes for locale in ("zh-CN", "en")
    }
    for one in texts:
        assert check(one.template, RULES[rules], purpose=one.purpose) == []
        assert unfit(one.template.text) is None
        _carried(RULES[rules], one.template, LONGEST, one.locale)
        if one.purpose == "reply":
            alibaba_reply({"…": one.template.text}, "…", {})


def test_the_key_that_acknowledges_is_named_first_and_every_key_is() -> None:
    [page] = [
        one.template.text
        for one in suggested(TENCENT, MENUS["all"])
        if (one.purpose, one.locale) == ("page", "zh-CN")
    ]
    assert page.endswith("认领请按1,转给下一位请按2,静音请按3,关闭请按9。")


def test_the_sandbox_takes_the_worst_incident_from_every_adapter(
    adapter: str, sandbox: Sandbox
) -> None:
    placed = make(adapter, sandbox.url).send(request(title=LONGEST["title"]))
    [call] = sandbox.calls()
    assert call["text"] == placed.text
