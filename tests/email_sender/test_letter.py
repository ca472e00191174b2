"""What a mail says, in both languages and both forms, whatever is put into it."""

import re
from html.parser import HTMLParser
from typing import Any

import pytest

from email_sender import letter
from email_sender.letter import Letter
from paging.people import Locale
from paging.ports import Purpose
from tests.email_sender.conftest import FIELDS, SENDER, a_message

LOCALES: tuple[Locale, ...] = ("zh-CN", "en")
# What a reader has to find, in whichever form the mail is read.
SAYS: dict[Purpose, tuple[str, ...]] = {
    "page": ("title", "number", "count", "responder", "details", "link", "callers"),
    "test": ("title", "responder", "details", "callers"),
    "code": ("code", "minutes", "responder"),
    "notice": ("title", "number", "responder", "details", "link"),
}
WORDS: dict[tuple[Purpose, Locale], tuple[str, ...]] = {
    ("page", "zh-CN"): ("严重", "去认领"),
    ("page", "en"): ("Critical", "Acknowledge"),
    ("test", "zh-CN"): ("只是一次测试", "无需任何操作"),
    ("test", "en"): ("only a test", "nothing to do"),
    ("code", "zh-CN"): ("请忽略此邮件", "分钟内有效"),
    ("code", "en"): ("ignore this mail", "within 10 minutes"),
    ("notice", "zh-CN"): ("李伟已认领",),
    ("notice", "en"): ("李伟 has taken it",),
}
KINDS = [(purpose, locale) for purpose in SAYS for locale in LOCALES]
KIND_IDS = [f"{purpose} {locale}" for purpose, locale in KINDS]


class Seen(HTMLParser):
    """A mail as its reader sees it: its text, where its links lead, and its elements."""

    VOID = frozenset({"meta", "br", "img", "link", "hr", "input"})

    def __init__(self, html: str) -> None:
        super().__init__()
        self.text, self.links = "", list[str]()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self._open: list[str] = []
        self.feed(html)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self._open.append(tag)
        if tag == "a":
            self.links.append(dict(attrs)["href"] or "")

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if not {"head", "style", "title"} & set(self._open):
            self.text += data

    def around(self, value: str) -> dict[str, str | None]:
        """The attributes of the element that holds nothing but this value."""
        found = re.search(rf"<(\w+)([^>]*)>{re.escape(value)}</\1>", self.rawdata_all)
        assert found is not None
        return dict(Seen(f"<{found[1]}{found[2]}></{found[1]}>").tags[0][1])

    def feed(self, data: str) -> None:
        self.rawdata_all = data
        super().feed(data)


def written(purpose: Purpose = "page", locale: Locale = "zh-CN", **fields: Any) -> Letter:
    return letter.write(a_message(purpose=purpose, locale=locale, fields=fields))


@pytest.mark.parametrize(("purpose", "locale"), KINDS, ids=KIND_IDS)
def test_both_forms_say_everything(purpose: Purpose, locale: Locale) -> None:
    mail = written(purpose, locale)
    seen = Seen(mail.html)
    for name in SAYS[purpose]:
        assert FIELDS[name] in mail.text, name
        assert FIELDS[name] in seen.text or FIELDS[name] in seen.links, name
    for words in WORDS[purpose, locale]:
        assert words in mail.text
        assert words in seen.text


@pytest.mark.parametrize(("purpose", "locale"), KINDS, ids=KIND_IDS)
def test_the_plain_text_has_every_link_and_every_paragraph(
    purpose: Purpose, locale: Locale
) -> None:
    """But for the hint about a button that does not open: there is none in plain text."""
    mail = written(purpose, locale)
    for link in Seen(mail.html).links:
        assert link in mail.text
    plain = re.sub(r"\s", "", mail.text)
    for inner in re.findall(r"<(?:p|h1)\b[^>]*>(.*?)</(?:p|h1)>", mail.html, re.DOTALL):
        paragraph = re.sub(r"\s", "", Seen(inner).text)
        if "callers.vcf" not in inner and not re.search("打不开|doesnotopen", paragraph):
            assert paragraph in plain


@pytest.mark.parametrize(("purpose", "locale"), KINDS, ids=KIND_IDS)
def test_a_phone_shows_it_as_meant(purpose: Purpose, locale: Locale) -> None:
    """In its language and direction, one column, for light and dark, without outside images."""
    html = written(purpose, locale).html
    tags = Seen(html).tags
    assert html.lstrip().startswith("<!DOCTYPE html>")
    assert dict(tags)["html"] == {"lang": locale, "dir": "ltr"}
    assert {"name": "color-scheme", "content": "light dark"} in [attrs for _, attrs in tags]
    assert any(attrs.get("name") == "viewport" for _, attrs in tags)
    assert not {"img", "script", "iframe", "link", "video"} & {tag for tag, _ in tags}
    assert "url(" not in html


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("name", ["title", "details", "responder", "number", "severity"])
def test_nothing_from_outside_is_markup(locale: Locale, name: str) -> None:
    evil = """<img src=x onerror=alert(1)><a href="https://evil.example">&amp;'"{{ 7*7 }}"""
    for purpose in ("page", "notice", "test"):
        seen = Seen(written(purpose, locale, **{name: evil}).html)
        assert "img" not in {tag for tag, _ in seen.tags}
        assert all("evil" not in link for link in seen.links)
        assert "49" not in seen.text
    assert evil in Seen(written("page", locale, title=evil).html).text


def test_the_subject_says_how_bad_which_and_what() -> None:
    assert written().subject == "[严重] #198 数据库 db-1 down"
    assert written(locale="en", severity="warning").subject == "[Warning] #198 数据库 db-1 down"
    assert written("test", title="这是一封测试邮件").subject == "[测试] 这是一封测试邮件"


def test_a_notice_has_its_pages_subject_since_some_programs_thread_by_it() -> None:
    assert written("notice").subject == f"Re: {written().subject}"


@pytest.mark.parametrize("locale", LOCALES)
def test_a_code_is_never_in_the_subject(locale: Locale) -> None:
    """Subjects are shown in the timeline, to everyone."""
    assert FIELDS["code"] not in written("code", locale).subject


def test_a_title_of_10000_characters_is_cut_and_says_where_the_rest_is() -> None:
    mail = written(title="磁盘" * 5000)
    assert len(mail.subject) <= 200
    assert mail.subject.endswith("…")
    assert len(mail.text) < 1000
    assert len(Seen(mail.html).text) < 1200
    assert "全文见页面" in mail.text
    assert "全文见页面" in mail.html


@pytest.mark.parametrize("locale", LOCALES)
def test_details_are_cut_to_20000_characters_and_say_where_the_rest_is(locale: Locale) -> None:
    said = {"zh-CN": "全文见页面", "en": "the rest is on the page"}[locale]
    whole, cut = written(locale=locale, details="x" * 20_000), written(details="x" * 30_000)
    assert said not in whole.text
    assert "x" * 20_000 in whole.text
    assert "x" * 20_000 not in cut.text
    assert "x" * 19_999 + "…" in cut.text
    assert said in written(locale=locale, details="x" * 30_000).html


@pytest.mark.parametrize("sign", ["\r\n", "\n", "\r", "\x00", "\x1b", "\x85", "\u2028", "\u2029"])
def test_a_subject_is_always_one_line(sign: str) -> None:
    for name in ("title", "number", "severity"):
        subject = written(**{name: f"a{sign}Bcc: b@example.com"}).subject
        assert subject.isprintable()
        assert "a Bcc: b@example.com" in subject


def test_a_half_of_a_character_does_not_keep_a_mail_from_being_sent() -> None:
    mail = written(title="a\ud83d", details="b\udd25")
    for said in (mail.subject, mail.html, mail.text):
        assert said.encode()


def test_the_lines_of_details_stay_lines() -> None:
    mail = written(details="one\r\ntwo\rthree\n\tfour\x07\u2028five")
    for said in (mail.text, Seen(mail.html).text):
        assert "one\ntwo\nthree\n\tfour \nfive" in said


ARABIC = "قاعدة البيانات db-1 متوقفة"


def test_text_from_right_to_left_leaves_what_is_around_it_alone() -> None:
    mail = written(title=ARABIC, details=ARABIC, responder="محمد")
    assert mail.subject == f"[严重] #198 \u2068{ARABIC}\u2069"
    assert f"\u2068{ARABIC}\u2069\n" in mail.text
    assert "\u2068محمد\u2069，" in mail.text
    html = Seen(mail.html)
    assert html.around(ARABIC)["dir"] == "auto"
    assert html.around("محمد")["dir"] == "auto"


def test_a_long_title_from_right_to_left_is_closed_within_200_characters() -> None:
    subject = written(title="قاعدة " * 100).subject
    assert len(subject) <= 200
    assert subject.endswith("…\u2069")


def test_a_title_cannot_reorder_what_is_around_it() -> None:
    """By RIGHT-TO-LEFT OVERRIDE and its like, a title could read as another."""
    mail = written(title="a\u202eb\u2067c\u2069d", details="e\u202ef")
    for said in (mail.subject, mail.html, mail.text):
        assert not re.search("[\u202a-\u202e\u2066-\u2069]", said)


@pytest.mark.parametrize("emoji", ["🔥", "👩‍💻", "🇨🇳", "1️⃣"])
def test_emoji_arrive_whole(emoji: str) -> None:
    mail = written(title=f"磁盘将满 {emoji}")
    assert emoji in mail.subject
    assert emoji in mail.text
    assert emoji in Seen(mail.html).text


def test_a_cut_never_ends_in_half_an_emoji() -> None:
    """A joiner at the end would wait for what has been cut off."""
    assert letter.cut("ab👩‍💻 down", 5) == "ab👩…"


def test_one_alert_is_not_counted() -> None:
    assert "共 1 条" not in written(count="1").text
    assert "共 3 条" in written(count="3").text


@pytest.mark.parametrize(("purpose", "locale"), KINDS, ids=KIND_IDS)
def test_what_is_absent_is_left_out(purpose: Purpose, locale: Locale) -> None:
    """A mail that says less beats a page that was never sent."""
    message = a_message(purpose=purpose, locale=locale)
    object.__setattr__(message, "fields", {"title": "db-1 down", "number": "198", "code": "1"})
    mail = letter.write(message)
    assert "None" not in mail.html + mail.text
    assert Seen(mail.html).links == []


def test_only_a_critical_page_is_marked_as_urgent() -> None:
    def urgent(**how: Any) -> bool:
        return "Importance" in letter.headers(a_message(**how), SENDER)

    assert urgent()
    assert not urgent(fields={"severity": "warning"})
    assert not urgent(purpose="notice")


def test_what_is_about_no_incident_is_in_no_thread() -> None:
    found = letter.headers(a_message(purpose="code", thread=None), SENDER)
    assert "References" not in found
    assert found["Message-ID"] == "<r-0123456789abc@mail.example.com>"
