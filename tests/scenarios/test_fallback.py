"""What happens when a call reaches nobody: a text, a mail, and what is done with them."""

import html
import json
import re
from html.parser import HTMLParser
from typing import Any

import httpx2
import pytest

from tests.scenarios.conftest import LI, LI_MAIL, WEI, WEI_MAIL, Stack
from tests.scenarios.letters import SIGN

TITLE = "db-1 磁盘将满"


@pytest.fixture
def with_texts() -> bool:
    """All channels are on."""
    return True


def opens(stack: Stack, policy: str = "chain", **fields: Any) -> None:
    """Open the incident."""
    stack.post("/v1/incidents", {"title": TITLE, "policy": policy, **fields})


def refuse_calls(stack: Stack) -> None:
    """Have both carriers refuse every call and take every text."""
    for carrier, action, code in (
        ("alibaba", "IvrCall", "isv.OUT_OF_SERVICE"),
        ("tencent", "SendTtsVoice", "UnauthorizedOperation.ServiceSuspendDueToArrears"),
    ):
        fault = {"fault": "error", "times": None, "action": action, "code": code}
        stack.faults(carrier, fault)


def channels(stack: Stack) -> list[tuple[str, str]]:
    """(channel, status) of every attempt, oldest first."""
    attempts = sorted(stack.incident()["attempts"], key=lambda attempt: attempt["created_at"])
    return [(attempt["channel"], attempt["status"]) for attempt in attempts]


class Links(HTMLParser):
    """Every address that an HTML mail leads to."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [value or "" for name, value in attrs if tag == "a" and name == "href"]


@pytest.mark.parametrize(
    ("policy", "number", "words"),
    [("chain", LI, "回复1认领"), ("chain-en", WEI, "Reply 1 to acknowledge")],
)
def test_calls_refused_by_both_carriers_become_a_text_at_once_and_1_acknowledges(
    stack: Stack, first: str, policy: str, number: str, words: str
) -> None:
    refuse_calls(stack)
    opens(stack, policy)
    (text,) = stack.until(lambda: stack.texts(number), 45)
    assert (text["carrier"], text["sign"]) == (first, SIGN)
    assert words in text["text"]
    stack.until(lambda: ("sms", "delivered") in channels(stack), 60)
    assert stack.status() == "triggered", "a delivered text proves nobody"
    stack.pass_time(20)
    stack.reply(number, "1")
    stack.until(lambda: stack.status() == "acknowledged", 60)
    assert channels(stack)[:3] == [
        ("voice", "failed"),
        ("voice", "failed"),
        ("sms", "acknowledged"),
    ]
    # Whoever replied is told who has it, by a text that is true.
    stack.until(lambda: len(stack.texts(number)) == 2, 60)
    stack.pass_time(900)
    assert len(stack.texts(number)) == 2
    assert stack.mails(LI_MAIL) == stack.mails(WEI_MAIL) == []
    assert stack.called() == []


@pytest.mark.parametrize(
    ("policy", "reader", "words"),
    [("chain", (LI, LI_MAIL), "认领"), ("chain-en", (WEI, WEI_MAIL), "Acknowledge")],
)
def test_a_call_that_nobody_answers_is_joined_by_a_text_then_a_mail_whose_link_acknowledges(
    stack: Stack, first: str, policy: str, reader: tuple[str, str], words: str
) -> None:
    number, address = reader
    opens(stack, policy)
    stack.until(lambda: stack.ringing(number))
    began = stack.incident()["created_at"]
    stack.until(lambda: stack.texts(number), 120)
    stack.until(lambda: stack.mails(address), 400)
    (mail,) = stack.mails(address)
    assert TITLE in mail["subject"]
    assert words in mail["html"]
    assert mail["via"] == {"alibaba": "alibaba", "tencent": "smtp"}[first]
    sms, email = (a for a in stack.incident()["attempts"] if a["channel"] in ("sms", "email"))
    assert {sms["channel"], email["channel"]} == {"sms", "email"}
    assert began < min(sms["created_at"], email["created_at"])
    (link,) = {found for found in Links(mail["html"]).found if "/a/" in found}
    page = httpx2.get(link, trust_env=False)
    assert page.status_code == 200
    assert TITLE in page.text
    assert stack.status() == "triggered", "opening the page, as mail scanners do, changes nothing"
    action = re.search(r'<form[^>]*method="post"[^>]*>', page.text)
    assert action is not None
    fields = dict(re.findall(r'name="([^"]+)" value="([^"]*)"', page.text))
    done = httpx2.post(link, data=fields, trust_env=False, follow_redirects=True)
    assert done.status_code == 200
    stack.until(lambda: stack.status() == "acknowledged", 60)
    seen = stack.incident()
    taken = next(e for e in seen["timeline"] if e["type"] == "incident.acknowledged")
    assert taken["detail"]["via"] == "link"
    told = len(stack.texts(number)), len(stack.mails(address)), len(stack.calls())
    stack.pass_time(900)
    assert (len(stack.texts(number)), len(stack.mails(address)), len(stack.calls())) == told


def test_a_text_that_was_not_delivered_makes_the_mail_due_at_once(stack: Stack, first: str) -> None:
    refuse_calls(stack)
    stack.phone(LI, "ring", sms="fail", sms_error="MK:0001")
    opens(stack)
    stack.until(lambda: stack.mails(LI_MAIL), 100)
    assert [status for channel, status in channels(stack) if channel == "sms"] == ["failed"]
    assert {text["carrier"] for text in stack.texts(LI)} == {first}, "no other carrier can help"
    assert ("email", "submitted") in channels(stack)


def test_a_text_that_its_carrier_lost_goes_by_the_other(
    stack: Stack, first: str, other: str
) -> None:
    refuse_calls(stack)
    stack.phone(LI, "ring", sms="silent")
    opens(stack)
    stack.until(lambda: len(stack.texts(LI)) == 2, 150)
    assert [text["carrier"] for text in stack.texts(LI)] == [first, other]


@pytest.mark.parametrize("first", ["alibaba"], indirect=True)
def test_a_mail_that_was_taken_is_the_end_of_its_attempt(stack: Stack) -> None:
    opens(stack, severity="info")  # calls and texts are for critical and warning
    stack.until(lambda: stack.mails(LI_MAIL), 400)
    stack.until(lambda: ("email", "submitted") in channels(stack), 60)
    stack.pass_time(200)
    assert len(stack.mails(LI_MAIL)) == 1
    assert channels(stack) == [("email", "submitted")]


@pytest.mark.parametrize("first", ["alibaba"], indirect=True)
def test_a_greylisted_mail_arrives_after_a_minute(stack: Stack) -> None:
    stack.faults("alibaba", {"fault": "error", "times": None, "code": "InvalidSendMail.Spam"})
    stack.faults("smtp", {"fault": "error", "times": 1, "code": "451", "message": "Greylisted"})
    opens(stack, severity="info")
    stack.until(lambda: "notification.delayed" in stack.types(), 50)
    assert stack.mails(LI_MAIL) == []
    stack.until(lambda: stack.mails(LI_MAIL), 400)
    assert stack.mails(LI_MAIL)[0]["via"] == "smtp"


@pytest.mark.parametrize("first", ["alibaba"], indirect=True)
def test_a_full_width_reply_with_a_code_takes_that_incident_and_no_other(stack: Stack) -> None:
    refuse_calls(stack)
    for name in ("one", "two"):
        stack.post("/v1/incidents", {"title": name, "policy": "chain"})
    stack.until(lambda: len(stack.texts(LI)) == 2, 45)
    code = re.search(r"编号(\d+)", stack.texts(LI)[0]["text"])
    assert code is not None
    stack.pass_time(20)
    stack.reply(LI, f"１ {code[1]}")
    stack.until(lambda: stack.status(1) == "acknowledged", 60)
    assert stack.status(2) == "triggered"


def test_a_reply_from_a_number_that_was_never_texted_changes_nothing(
    stack: Stack, first: str
) -> None:
    refuse_calls(stack)
    opens(stack)
    stack.until(lambda: ("sms", "delivered") in channels(stack), 60)
    stack.pass_time(20)
    stack.reply("+8613700000009", "1", carrier=first)
    stack.pass_time(10)
    assert stack.status() == "triggered"
    assert stack.texts("+8613700000009") == []


@pytest.mark.parametrize("first", ["alibaba"], indirect=True)
def test_emoji_a_hostile_title_and_a_long_one_are_told_on_every_channel(stack: Stack) -> None:
    title = "🔥 \u202edb-1\u202c <b>down</b> http://x.example.com/?a=1 " + "很长" * 5000
    refuse_calls(stack)
    opens(stack, title=title[:10_000], details="详情" * 5000)
    stack.until(lambda: stack.texts(LI), 45)
    stack.until(lambda: stack.mails(LI_MAIL), 400)
    (mail,) = stack.mails(LI_MAIL)
    assert "<b>down</b>" not in mail["html"]
    assert len(mail["subject"]) <= 256
    assert not json.dumps(mail["subject"]).count("\\n")
    assert len(mail["html"]) < 100_000
    assert title[:10_000] not in mail["html"]
    (link,) = {found for found in Links(mail["html"]).found if "/a/" in found}
    page = html.unescape(httpx2.get(link, trust_env=False).text)
    assert title[:10_000] in page, "the full text is on the page"
