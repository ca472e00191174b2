"""What is said for a title: understood by somebody just woken, never the same for two titles."""

import itertools
import re
import unicodedata

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sandbox.templates import alibaba_text, tencent_text
from telephony.speech import SHORTEST, Locale, speakable, spoken_seconds

TITLES: dict[str, tuple[str, str, str]] = {
    "hostname": (
        "web-01.prod.example.com is down",
        "web 杠 01 点 prod 点 example 点 com is down",
        "web dash 01 dot prod dot example dot com is down",
    ),
    "IP address and port": (
        "192.168.1.10:8080 refused",
        "192 点 168 点 1 点 10 冒号 8080 refused",
        "192 dot 168 dot 1 dot 10 colon 8080 refused",
    ),
    "IPv6": (
        "2001:db8::1 lost",
        "2001 冒号 db8 冒号 冒号 1 lost",
        "2001 colon db8 colon colon 1 lost",
    ),
    "time": ("备份10:30未完成", "备份 10点30分 未完成", "备份 10 30 未完成"),
    "time with seconds": (
        "down since 22:05:09",
        "down since 22点05分09秒",
        "down since 22 05 and 09 seconds",
    ),
    "from one time to another": (
        "window 10:30-11:45",
        "window 10点30分 杠 11点45分",
        "window 10 30 dash 11 45",
    ),
    "date and time": (
        "2026-11-05 10:30 backup failed",
        "2026年11月5日 10点30分 backup failed",
        "November 5 2026 10 30 backup failed",
    ),
    "timestamp": (
        "2026-11-22T10:30:00Z restart",
        "2026年11月22日 T 10点30分00秒 Z restart",
        "November 22 2026 T 10 30 and 00 seconds Z restart",
    ),
    "percentage": (
        "CPU > 97.5% on db-1",
        "CPU 大于号 百分之97点5 on db 杠 1",
        "CPU greater than 97 point 5 percent on db dash 1",
    ),
    "decimal": ("load 3.5", "load 3点5", "load 3 point 5"),
    "version": ("v2.3.1 failed", "v2 点 3 点 1 failed", "v2 dot 3 dot 1 failed"),
    "escaped quotes": (
        "%22db-1%22 down",
        "引号 db 杠 1, down, 识别码 1 9 8 9 5 4",
        "quote db dash 1, down, code 1 9 8 9 5 4",
    ),
    "UUID": (
        "pod 123e4567-e89b-12d3-a456-426614174000 crashed",
        "pod UUID 尾号 4 0 0 0 crashed, 识别码 8 3 5 4 2 7",
        "pod UUID ending in 4 0 0 0 crashed, code 8 3 5 4 2 7",
    ),
    "Chinese and English": (
        "数据库db-1宕机",
        "数据库db 杠 1宕机",
        "数据库db dash 1宕机",
    ),
    "colon before words": ("告警:主库宕机", "告警; 主库宕机", "告警; 主库宕机"),
    "Alertmanager's own": (
        "[FIRING:1] HighErrorRate (prod)",
        "方括号 FIRING 冒号 1, High Error Rate 括号 prod",
        "tag FIRING colon 1, High Error Rate in brackets prod",
    ),
    "black brackets": ("【P1】支付失败", "标签 P1, 支付失败", "label P1, 支付失败"),
    "emoji": ("🔥 db down", "火焰图标 db down", "fire symbol db down"),
    "an emoji without a word of ours": (
        "🐧 panic",
        "符号 penguin, panic",
        "symbol penguin, panic",
    ),
    "URL": (
        "https://a.example.com/x?y=1 down",
        "安全网址 a 点 example 点 com 斜杠 x 问号 y 等号 1 down",
        "secure web address a dot example dot com slash x question mark y equals 1 down",
    ),
    "HTTP": ("HTTP 5xx on httpd", "H T T P 5xx on h t t p d", "H T T P 5xx on h t t p d"),
    "metric": (
        "node_disk_bytes",
        "node 下划线 disk 下划线 bytes",
        "node underscore disk underscore bytes",
    ),
    "words run together": ("KubePodOOMKilled", "Kube Pod OOM Killed", "Kube Pod OOM Killed"),
    "plurals of initials": ("APIs and VMs", "APIs and VMs", "APIs and VMs"),
    "path": ("/dev/sda1: full", "斜杠 dev 斜杠 sda1; full", "slash dev slash sda1; full"),
    "sentences": (
        "Can't connect. Check disk!",
        "Can't connect. Check disk!",
        "Can't connect. Check disk!",
    ),
    "thousands": ("1,234 errors", "1,234 errors", "1,234 errors"),
    "temperature": ("机房35℃", "机房35 摄氏度", "机房35 degrees Celsius"),
    "address of mail": (
        "ops@example.com bounced",
        "ops 艾特 example 点 com bounced",
        "ops at sign example dot com bounced",
    ),
    "markup": (
        "<b>db</b> &amp; co",
        "db 与号 co, 识别码 3 0 3 9 3 3",
        "db ampersand co, code 3 0 3 9 3 3",
    ),
    "no markup": (
        "image <none>",
        "image 小于号 none 大于号",
        "image less than none greater than",
    ),
    "full width": ("DB宕机!", "DB宕机!", "DB宕机!"),
    "only forbidden characters": (
        "#/:-%¥【】$[]★",
        "井号 斜杠 冒号 杠 百分号 元符 左实括号 右实括号 美元符 左方括号 右方括号 符号 black star",
        (
            "hash slash colon dash percent sign yuan sign left black bracket right black bracket "
            "dollar sign left, code 6 0 1 1 3 4"
        ),
    ),
    "nothing at all to say": (
        "\u200b",
        "无法朗读的内容, 识别码 0 7 3 4 1 1",
        "a text that cannot be read out, code 0 7 3 4 1 1",
    ),
    "a script that no voice reads": (
        "сервер",
        "无法朗读的内容, 识别码 2 7 2 0 3 4",
        "a text that cannot be read out, code 2 7 2 0 3 4",
    ),
    "long": (
        "disk full " * 40,
        "disk full " * 9 + "disk full, 识别码 9 7 2 5 4 0",
        "disk full " * 9 + "disk full, code 9 7 2 5 4 0",
    ),
}


@pytest.mark.parametrize("locale", ["zh-CN", "en"])
@pytest.mark.parametrize("kind", TITLES)
def test_a_title_is_said_as_a_person_would(kind: str, locale: Locale) -> None:
    title, chinese, english = TITLES[kind]
    expected = chinese if locale == "zh-CN" else english
    assert speakable(title, locale, max_chars=120) == expected


ORDINARY = [
    "db-1 down",
    "磁盘使用率大于90%",
    "CPU usage is above 90% for 5 minutes",
    "HTTP status code 500",
    "Error: no space left on /data",
    "node-3 10:30 restarted",
    "no backup in 24 hours",
    "mount point /mnt/nfs-1 is stale",
    "TargetDown: job=node, instance=10.0.0.1:9100",
    "订单服务超时:P99 延迟 3.2s",
    "Disk 95% full (db-1)",
    "kubelet on ip-10-0-0-1 stopped",
    "🚨 payments: error rate 12%",
    "温度 35°",
    "节点3失联",
    "9点起支付失败",
    "it's the node's disk, again",
]


@pytest.mark.parametrize("locale", ["zh-CN", "en"])
@pytest.mark.parametrize("title", ORDINARY)
def test_an_ordinary_title_needs_no_code(title: str, locale: Locale) -> None:
    spoken = speakable(title, locale, max_chars=120)
    assert "识别码" not in spoken
    assert not re.search(r"code( \d){6}", spoken)


def test_a_long_title_ends_with_a_whole_word_and_a_code() -> None:
    spoken = speakable("disk full on database " * 30, "en", max_chars=100)
    assert re.fullmatch(r"(disk|full|on|database| )+, code( \d){6}", spoken)
    assert len(spoken) > 80


@pytest.mark.parametrize(
    ("one", "same"),
    [("a  b", " a b\n"), ("DB:1", "DB:1"), ("a, b", "a,b"), ("カ", "カ")],
)
def test_white_space_and_width_make_no_other_title(one: str, same: str) -> None:
    assert speakable(one, "en", max_chars=80) == speakable(same, "en", max_chars=80)


@pytest.mark.parametrize("locale", ["zh-CN", "en"])
def test_a_title_that_ends_like_a_code_is_not_taken_for_one(locale: Locale) -> None:
    coded = speakable("%22db-1%22 down", locale, max_chars=120)
    title = '"db-1" down' + coded[coded.rindex(", ") :]
    assert speakable(title, locale, max_chars=120) != coded


# For every title that anybody may send.

ALLOWED = re.compile(r"[A-Za-z0-9 ,。、;.!?'’々〇\u3400-\u4dbf\u4e00-\u9fff]+")
LINK = re.compile(r"(?i)https?|www|[a-z0-9]\.[a-z]|\d\.\d")
CHARACTERS = st.characters(exclude_categories=()) | st.sampled_from(
    "abcHTPtps0123456789 .:/-%_#@()[]【】“”\"',。;!?&<>¥★☞✓※中文点杠🔥℃é①"
)
OUR_WORDS = """http https www :// 10:30 192.168.1.10 %22 97.5% dot dash point percent code 识别码
百分之 10点30分 2026-11-22 November symbol 符号 tag label quote 括号 and seconds &amp; <b>"""
WORDS = st.sampled_from(OUR_WORDS.split())
TITLE = st.lists(CHARACTERS | WORDS, min_size=1, max_size=60).map("".join) | st.text(min_size=1)
LOCALES = st.sampled_from(["zh-CN", "en"])
thoroughly = settings(max_examples=400, deadline=None, derandomize=True, database=None)


@thoroughly
@given(title=TITLE, locale=LOCALES, most=st.integers(SHORTEST, 160))
@example(title="", locale="en", most=SHORTEST)
@example(title="ⓗttp://ⓦww.", locale="en", most=SHORTEST)
@example(title="h\u200bttp ht\u0301tp", locale="en", most=SHORTEST)
@example(title="http" * 400, locale="zh-CN", most=SHORTEST)
def test_both_carriers_take_whatever_is_said(title: str, locale: Locale, most: int) -> None:
    spoken = speakable(title, locale, max_chars=most)
    assert 0 < len(spoken) <= most
    assert re.search(r"\w", spoken)
    assert ALLOWED.fullmatch(spoken)
    assert not LINK.search(spoken)
    assert alibaba_text({"T": "${a}"}, "T", {"a": spoken}, shared=True) == spoken
    assert tencent_text({"1": "{1}"}, "1", [spoken]) == spoken


def plain(title: str) -> str:
    """What titles have in common that are the same but for white space and width."""
    narrow = [
        unicodedata.normalize("NFKC", char)
        if re.match("<(wide|narrow)>", unicodedata.decomposition(char))
        else char
        for char in title
    ]
    return "".join("".join(narrow).split())


@thoroughly
@given(titles=st.lists(TITLE, min_size=2, max_size=6), locale=LOCALES)
def test_no_two_titles_sound_alike(titles: list[str], locale: Locale) -> None:
    spoken = {speakable(title, locale, max_chars=120) for title in titles}
    assert len(spoken) >= len({plain(title) for title in titles})


# Pieces of titles that are said as others are written, or leave little behind.
TRICKY = """5|10|30|点|dot|Dot|杠|-|.|:|;|,|!|(|)|in brackets |括号 |[|tag|%|percent|百分之|point|🔥
|☃|'|http|://|A|é|…|、|10:30|点30分|2026-11-22|code|识别码|symbol| |: | and 15 seconds|符号 snowman
|symbol snowman|fire symbol|November 22 2026|1 2 3 4 5 6|question mark"""
PIECES = TRICKY.replace("\n", "").split("|")


@pytest.mark.parametrize("locale", ["zh-CN", "en"])
def test_no_two_of_all_short_titles_of_tricky_pieces_sound_alike(locale: Locale) -> None:
    titles = {
        plain("".join(pieces)): "".join(pieces)
        for count in (1, 2)
        for pieces in itertools.product(PIECES, repeat=count)
    }
    titles |= {
        plain(f"{a} {b} {c}"): f"{a} {b} {c}"
        for a, b, c in itertools.product(PIECES[:14], PIECES, PIECES[14:31])
    }
    titles.pop("", None)
    assert len(titles) > 10_000
    assert len({speakable(t, locale, max_chars=200) for t in titles.values()}) == len(titles)


def test_a_title_of_any_length_is_said_at_once() -> None:
    """Nothing here may keep a thread busy: a title is whatever somebody's alert says."""
    for title in ("(" * 100_000, "a " * 50_000, "%41" * 50_000, "\u200b" * 100_000, '"a' * 50_000):
        assert len(speakable(title, "en", max_chars=120)) <= 120


@pytest.mark.parametrize(
    ("text", "seconds"), [("数据库宕机", 5 / 4 + 1), ("disk is full", 3 / 2.5 + 1), ("1 2", 1.8)]
)
def test_how_long_it_takes_to_say_is_guessed_rather_too_long(text: str, seconds: float) -> None:
    assert spoken_seconds(text) == pytest.approx(seconds)
