"""The acknowledge page, as a mail leads to it: looking changes nothing, its button acknowledges."""

import asyncio
import re
import sqlite3
from collections.abc import Mapping
from datetime import timedelta
from html.parser import HTMLParser
from typing import Any, NoReturn

import httpx2
import pytest

from tests.web.conftest import Web
from tests.web.test_unavailable import locked, pragma
from web.links import Links

HOST = "http://web"
SAFE = {
    "content-security-policy": "default-src 'none'; style-src 'self'; img-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
    "x-robots-tag": "noindex",
    "x-content-type-options": "nosniff",
}
EMPTY = {"meta", "link", "br", "hr", "img", "input"}
WEEK = timedelta(days=7)
CHINESE = re.compile("[\u4e00-\u9fff]")


class Seen(HTMLParser):
    """A page as its reader sees it: its words, where it leads, and what it is made of."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, Mapping[str, str | None]]] = []
        self._open: list[str] = []
        self._texts: list[tuple[str, str]] = []
        self.feed(html)
        self.close()
        assert self._open == [], "an element was not closed"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in EMPTY:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self._texts.append((self._open[-1] if self._open else "", data))

    def of(self, tag: str) -> str:
        """Return the text that is directly in elements of this kind."""
        return "".join(data for within, data in self._texts if within == tag)

    def all(self, tag: str) -> list[Mapping[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]

    @property
    def text(self) -> str:
        return "".join(data for _, data in self._texts)

    @property
    def button(self) -> str:
        """What can be pressed; nothing where there is no button."""
        return self.of("button")

    @property
    def says(self) -> str:
        """Where the incident stands: the first line of the second part of the page."""
        return self.of("h2").partition("详情")[0].partition("Details")[0]


def link(web: Web, incident: Any, responder: str = "li.wei") -> str:
    """Return the address that a mail to this responder would hold now."""
    return web.links.acknowledge(incident["number"], responder, web.clock.now())


def visit(web: Web, address: str, method: str = "GET", **headers: str) -> httpx2.Response:
    return web.ask(method, address, token=None, **headers)


def seen(web: Web, address: str) -> Seen:
    answer = visit(web, address)
    assert answer.status_code == 200, answer.text
    return Seen(answer.text)


def press(web: Web, address: str) -> Seen:
    """Press the button, and go where the answer says."""
    answer = visit(web, address, "POST")
    assert (answer.status_code, answer.text) == (303, "")
    return seen(web, str(httpx2.URL(address).join(answer.headers["location"])))


def test_the_page_shows_all_that_there_is_to_know(web: Web) -> None:
    opened = web.opens(
        severity="critical",
        details="host: db-1\n  disk: 100%\n",
        link="https://grafana.example.com/d/1?a=1&b=2",
    )
    page = seen(web, link(web, opened))
    assert page.of("h1") == "db-1 down"
    assert f"#{opened['number']} db-1 down" in page.of("title")
    assert f"严重 告警 #{opened['number']}" in page.text
    assert page.of("pre") == "host: db-1\n  disk: 100%\n"
    assert "https://grafana.example.com/d/1?a=1&b=2" in [a["href"] for a in page.all("a")]
    assert (page.says, page.button) == ("尚无人认领", "认领")
    assert "发给\u2068李伟\u2069" in page.text
    assert page.all("form") == [{"method": "post"}]


@pytest.mark.parametrize(
    ("responder", "since"), [("li.wei", "2026-11-24 11:00 起"), ("sam", "since 2026-11-24 04:00")]
)
def test_times_are_those_of_the_responders_clock(web: Web, responder: str, since: str) -> None:
    opened = web.opens()
    address = link(web, opened, responder)
    assert seen(web, address).of("time") == since
    web.clock.advance(3600)
    page = press(web, address)
    assert page.of("time") == since
    assert since.replace("11:00", "12:00").replace("04:00", "05:00") in page.of("p")


def test_what_an_incident_does_not_have_is_not_on_the_page(web: Web) -> None:
    page = seen(web, link(web, web.opens()))
    assert page.all("pre") == []
    assert "详情" not in page.text
    assert len(page.all("a")) == 1  # to the card of the callers


def test_a_title_of_ten_thousand_characters_is_whole(web: Web) -> None:
    title = "磁盘" * 5000
    assert seen(web, link(web, web.opens(title, details="x\n" * 30_000))).of("h1") == title


@pytest.mark.parametrize(
    ("method", "headers", "status"),
    [
        ("GET", {}, 200),
        ("HEAD", {}, 200),
        ("GET", {"Sec-Purpose": "prefetch;prerender"}, 200),
        ("GET", {"Purpose": "prefetch", "X-Moz": "prefetch"}, 200),
        ("GET", {"X-HTTP-Method-Override": "POST"}, 200),
        ("OPTIONS", {}, 405),
        ("PUT", {}, 405),
        ("PATCH", {}, 405),
        ("DELETE", {}, 405),
    ],
)
def test_whatever_looks_at_the_page_changes_nothing(
    web: Web, method: str, headers: Mapping[str, str], status: int
) -> None:
    address = link(web, web.opens())
    known = web.everything()
    for url in (address, f"{address}?_method=POST"):
        answer = visit(web, url, method, **headers)
        assert answer.status_code == status
        assert status == 200 or set(answer.headers["allow"].split(", ")) == {"GET", "HEAD", "POST"}
    assert web.everything() == known


def test_the_button_acknowledges_for_whoever_got_the_mail(web: Web) -> None:
    opened = web.opens()
    page = press(web, link(web, opened))
    assert (page.says, page.button) == ("✓ 已由您认领", "")
    incident = web.get(f"/v1/incidents/{opened['id']}")
    assert (incident["status"], incident["acknowledged_by"]) == ("acknowledged", "li.wei")
    assert incident["timeline"][-1]["detail"]["via"] == "link"
    web.clock.advance(3600)
    web.settles(opened["id"])
    assert len(web.alibaba.calls) == 1, "somebody was called after it was acknowledged"


def test_the_link_of_a_mail_that_was_sent_is_the_one_that_acknowledges(web: Web) -> None:
    """From the policy's mail to the button: nothing is made up by the test."""
    mailed = {"steps": [{"targets": ["responder:li.wei"], "notify": ["email"]}], "repeat": 0}
    web.ask("PUT", "/v1/policies/mailed", {"name": "Mailed", **mailed})
    opened = web.opens(policy="mailed")
    (mail,) = web.until(lambda: web.mails.calls)
    assert press(web, mail.fields["link"]).says == "✓ 已由您认领"
    assert web.get(f"/v1/incidents/{opened['id']}")["attempts"][0]["status"] == "acknowledged"
    assert visit(web, mail.fields["callers"]).headers["content-type"].startswith("text/vcard")


def test_pressing_twice_is_harmless(web: Web) -> None:
    opened = web.opens()
    address = link(web, opened)
    press(web, address)
    web.clock.advance(60)
    assert "2026-11-24 11:00 起" in press(web, address).of("p")
    incident = web.get(f"/v1/incidents/{opened['id']}")
    assert incident["acknowledged_at"] == "2026-11-24T03:00:00.000Z"


def test_the_second_one_sees_who_has_it_and_takes_nothing_away(web: Web) -> None:
    opened = web.opens()
    press(web, link(web, opened))
    address = link(web, opened, "sam")
    page = seen(web, address)
    assert (page.says, page.button) == ("✓ \u2068李伟\u2069 has it", "")
    assert "since 2026-11-24 04:00" in page.of("p")
    assert (
        press(web, address).says == page.says
    )  # a page that was opened before still has its button
    assert web.get(f"/v1/incidents/{opened['id']}")["acknowledged_by"] == "li.wei"


def test_of_two_who_press_at_once_one_has_it_and_both_see_who(web: Web) -> None:
    opened = web.opens()
    addresses = [link(web, opened, responder) for responder in ("li.wei", "sam")]

    async def at_once() -> list[httpx2.Response]:
        return await asyncio.gather(*(web.client.post(address) for address in addresses))

    assert [answer.status_code for answer in web.run(at_once())] == [303, 303]
    owner = web.get(f"/v1/incidents/{opened['id']}")["acknowledged_by"]
    says = [seen(web, address).says for address in addresses]
    assert (
        says
        == {
            "li.wei": ["✓ 已由您认领", "✓ \u2068李伟\u2069 has it"],
            "sam": ["✓ 已由\u2068Sam\u2069认领", "✓ You have it"],
        }[owner]
    )


def test_an_acknowledgement_by_a_token_is_told_by_its_name(web: Web) -> None:
    opened = web.opens()
    web.post(f"/v1/incidents/{opened['id']}/acknowledge")
    assert seen(web, link(web, opened)).says == "✓ 已由\u2068admin\u2069认领"


def test_of_a_closed_incident_there_is_nothing_to_press(web: Web) -> None:
    opened = web.opens()
    address = link(web, opened)
    web.post(f"/v1/incidents/{opened['id']}/close")
    page = seen(web, address)
    assert (page.says, page.button) == ("✓ 已关闭", "")
    known = web.everything()
    assert press(web, address).says == page.says
    assert web.everything() == known


def test_a_link_from_before_it_was_opened_again_says_so_and_a_newer_one_acknowledges(
    web: Web,
) -> None:
    opened = web.opens()
    before = link(web, opened)
    press(web, before)
    web.clock.advance(60)
    web.post(f"/v1/incidents/{opened['id']}/unacknowledge")
    web.settles(opened["id"])
    page = seen(web, before)
    assert (page.says, page.button) == ("已重新打开", "")
    assert "最新邮件" in page.text
    known = web.everything()
    assert press(web, before).says == page.says
    assert web.everything() == known
    assert press(web, link(web, opened)).says == "✓ 已由您认领"


def _gone(web: Web, opened: Any) -> dict[str, str]:
    """Return addresses that lead nowhere, and why."""
    good = link(web, opened)
    now = web.clock.now()
    foreign = Links(["somebody else's key"], HOST)
    return {
        "expired": web.links.acknowledge(opened["number"], "li.wei", now - WEEK),
        "tampered": good.replace("/a/W", "/a/X"),
        "cut": good[:-5],
        "foreign": foreign.acknowledge(opened["number"], "li.wei", now),
        "another purpose": web.links.callers(now).replace("/callers.vcf?token=", "/a/"),
        "no such incident": web.links.acknowledge(404, "li.wei", now),
        "a number that no database holds": web.links.acknowledge(2**63, "li.wei", now),
        "no such responder": web.links.acknowledge(opened["number"], "no-such", now),
        "not a token": f"{HOST}/a/%00%E5%91%8A",
    }


def test_a_link_that_leads_nowhere_says_what_to_do_and_not_why(web: Web) -> None:
    """All alike: nobody learns from it what there is."""
    opened = web.opens()
    known = web.everything()
    answers = set[str]()
    for why, address in _gone(web, opened).items():
        for method in ("GET", "POST"):
            answer = visit(web, address, method)
            assert answer.status_code == 404, why
            answers.add(answer.text)
    web.logged.clear()  # a number that is too large for the database is told as such
    (html,) = answers
    page = Seen(html)
    assert page.button == ""
    assert "链接已失效" in page.of("h1")
    assert "This link no longer works" in page.of("h1")
    assert "请打开最新一封邮件中的链接，或联系管理员。" in page.of("p")
    assert "Open the link in the newest mail, or ask an administrator." in page.of("p")
    assert web.everything() == known


def test_a_link_of_seven_days_less_a_second_is_good(web: Web) -> None:
    address = link(web, web.opens())
    web.clock.advance(WEEK.total_seconds() - 1)
    assert seen(web, address).button == "认领"
    web.clock.advance(1)
    assert visit(web, address).status_code == 404


MARKUP = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</pre></h1></title><form action=//evil.example>",
    "{{ 7 * 7 }}{% raw %}",
    "{name} {0} %s %(x)s",
    "&amp;&lt;b&gt;",
    "<!-- x",
    "' onclick='alert(1)",
]


@pytest.mark.parametrize("markup", MARKUP)
def test_markup_is_text(web: Web, markup: str) -> None:
    web.ask("PUT", "/v1/responders/mark", {"name": markup})
    plain = web.opens("db-1 down", details="x", link="https://example.com/")
    marked = web.opens(markup, details=markup, link=f"https://example.com/{markup}")
    press(web, link(web, plain, "mark"))
    press(web, link(web, marked, "mark"))
    first, second = (seen(web, link(web, each)) for each in (plain, marked))
    assert (second.of("h1"), second.of("pre")) == (markup, markup)
    assert f"\u2068{markup}\u2069" in second.says
    assert f"https://example.com/{markup}" in [a["href"] for a in second.all("a")]
    assert [tag for tag, _ in second.elements] == [tag for tag, _ in first.elements]
    assert [set(a) for _, a in second.elements] == [set(a) for _, a in first.elements]


@pytest.mark.parametrize("text", ["قاعدة البيانات متوقفة", "שרת למטה 🔥", "\u202egnp.exe"])
def test_writing_from_right_to_left_keeps_to_its_own_place(web: Web, text: str) -> None:
    web.ask("PUT", "/v1/responders/rtl", {"name": text, "locale": "en"})
    opened = web.opens(text, details=text)
    press(web, link(web, opened, "rtl"))
    page = seen(web, link(web, opened, "sam"))
    assert (page.of("h1"), page.of("pre")) == (text, text)
    assert page.all("h1")[0]["dir"] == page.all("pre")[0]["dir"] == "auto"
    assert page.says == f"✓ \u2068{text}\u2069 has it"


def _every_face(web: Web, responder: str) -> list[Seen]:
    """Return the page in every state that it can be in."""
    first, second = (web.opens("x", details="y", link="https://x.example") for _ in range(2))
    mine, others = link(web, first, responder), link(web, second, responder)
    faces = [seen(web, mine), press(web, mine)]
    web.post(f"/v1/incidents/{second['id']}/acknowledge")
    faces.append(seen(web, others))
    web.clock.advance(1)
    web.post(f"/v1/incidents/{second['id']}/unacknowledge")
    faces.append(seen(web, others))
    web.post(f"/v1/incidents/{second['id']}/close")
    faces.append(seen(web, others))
    assert len({face.says for face in faces}) == 5
    return faces


def test_a_page_speaks_english_alone_to_who_reads_english(web: Web) -> None:
    for page in _every_face(web, "sam"):
        assert page.all("html")[0]["lang"] == "en"
        assert not CHINESE.search(page.text)


def test_a_page_speaks_chinese_alone_to_who_reads_chinese(web: Web) -> None:
    for page in _every_face(web, "li.wei"):
        assert page.all("html")[0]["lang"] == "zh-CN"
        assert set(re.findall("[A-Za-z]{2,}", page.text)) <= {"ringback", "admin"}


def test_a_page_runs_nothing_and_fetches_nothing_from_elsewhere(web: Web) -> None:
    address = link(web, web.opens(details="x", link="https://grafana.example.com"))
    page = seen(web, address)
    assert not {"script", "img", "iframe", "style", "object"} & {tag for tag, _ in page.elements}
    assert not [a for _, a in page.elements if any(n.startswith(("on", "style")) for n in a)]
    fetched = [str(each["href"]) for each in page.all("link")]
    assert len(fetched) == 2
    for each in fetched:
        answer = visit(web, str(httpx2.URL(address).join(each)))
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith(("text/css", "image/svg+xml"))


def test_every_answer_keeps_the_address_to_itself(web: Web) -> None:
    opened = web.opens()
    address = link(web, opened)
    answers = [
        visit(web, address),
        visit(web, address, "HEAD"),
        visit(web, address, "POST"),
        visit(web, address[:-1]),
    ]
    pragma(web, "busy_timeout = 20")
    with locked(web):
        answers.append(visit(web, address, "POST"))
    assert [answer.status_code for answer in answers] == [200, 200, 303, 404, 503]
    for answer in answers:
        assert {name: answer.headers[name] for name in SAFE} == SAFE


def test_the_page_is_whole_behind_a_proxy_that_serves_us_under_a_path(web: Web) -> None:
    async def proxy(scope: Any, receive: Any, send: Any) -> None:
        assert scope["path"].startswith("/pager/"), "an address that the proxy does not pass on"
        path = scope["path"].removeprefix("/pager")
        await web.application({**scope, "path": path}, receive, send)

    address = link(web, web.opens()).replace(HOST, f"{HOST}/pager")
    web.client = web._client(proxy)
    assert press(web, address).says == "✓ 已由您认领"
    for each in seen(web, address).all("link"):
        assert visit(web, str(httpx2.URL(address).join(str(each["href"])))).status_code == 200


@pytest.mark.parametrize(
    "path", ["/a", "/a/", "/a/x/y", "/static", "/static/", "/static/%00", "/static/%2e%2e/app.py"]
)
def test_beside_the_pages_there_is_nothing(shared: Web, path: str) -> None:
    assert visit(shared, f"{HOST}{path}").status_code == 404


def _unavailable(answer: httpx2.Response, status: int) -> None:
    assert answer.status_code == status
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    page = Seen(answer.text)
    assert "暂时无法处理" in page.of("h1")
    assert "Not possible just now" in page.of("h1")
    assert "Try again in a moment" in page.of("p")


def test_a_button_that_cannot_be_heard_says_when_to_try_again(web: Web) -> None:
    address = link(web, web.opens())
    pragma(web, "busy_timeout = 20")
    known = web.everything()
    with locked(web):
        answer = visit(web, address, "POST")
        assert seen(web, address).button == "认领"
    _unavailable(answer, 503)
    assert int(answer.headers["retry-after"]) > 0
    assert web.everything() == known
    assert press(web, address).says == "✓ 已由您认领"


def test_a_page_whose_database_is_gone_says_when_to_try_again(web: Web) -> None:
    address = link(web, web.opens())
    web.paging._store.engine.dispose()
    web.database.unlink()
    answer = visit(web, address)
    _unavailable(answer, 503)
    assert int(answer.headers["retry-after"]) > 0


def test_a_fault_of_ours_is_a_page_too_and_the_log_has_neither_address_nor_number(
    web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(*_: object) -> NoReturn:
        raise sqlite3.ProgrammingError("+8613700000000")

    address = link(web, web.opens())
    monkeypatch.setattr(web.paging, "linked", breaks)
    _unavailable(visit(web, address), 500)
    (line,) = [line for line in web.logged if line["log_level"] == "error"]
    assert line == {"event": "page.failed", "error": "ProgrammingError", "log_level": "error"}
    web.logged.clear()
