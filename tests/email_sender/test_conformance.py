"""What both ways of mailing do alike: DirectMail by its SDK and SMTP, against the sandbox."""

import asyncio

import pytest

from clouds.pooled import Pooled
from clouds.threads import CallPool
from paging.ports import Message, Sent
from tests.email_sender.conftest import (
    ADDRESS,
    SENDER,
    WITHIN_S,
    Mailbox,
    a_message,
    directmail,
    provider,
    send,
)

LINK = "https://ringback.example.com/a/token-1?a=1&b=2"


@pytest.fixture(params=["alibaba", "smtp"])
def way(request: pytest.FixtureRequest) -> str:
    """The name of an adapter: every test of the suite runs with each."""
    return request.param


def post(way: str, mailbox: Mailbox, message: Message, *, wanted: bool = True) -> Sent | None:
    """Send one mail as the engine does."""
    if way == "smtp":
        return send(provider(mailbox), message, wanted=wanted)
    pool = CallPool("alibaba-email", 2)
    pooled = Pooled(directmail(mailbox.url), pool, deadline_s=WITHIN_S)
    sent = asyncio.run(pooled.send(message, still_wanted=lambda: wanted))
    pool.close()
    return sent


def test_a_mail_arrives_with_both_bodies_and_no_receipt_is_waited_for(
    way: str, mailbox: Mailbox
) -> None:
    sent = post(way, mailbox, a_message())
    (mail,) = mailbox.mails()
    assert (mail["via"], mail["to"], mail["from"]) == (way, ADDRESS, f"ringback <{SENDER}>")
    assert mail["subject"] == "[严重] #198 数据库 db-1 down"
    assert mail["headers"]["Message-ID"] == "<r-0123456789abc@mail.example.com>"
    assert LINK in mail["text"]
    assert f'href="{LINK.replace("&", "&amp;")}"' in mail["html"]
    assert sent == Sent(mail["id"], mail["subject"], silence_s=0)


def test_what_is_hard_to_write_arrives_in_one_line_of_subject(way: str, mailbox: Mailbox) -> None:
    """Line ends, right-to-left marks, emoji, half a character and ten thousand signs."""
    hard = "a\r\nBcc: spy@example.com\r\n\r\n\u202e\u200f🔥\ud83d <b>'\"&\x00 " + "长" * 10_000
    sent = post(way, mailbox, a_message(fields={"title": hard, "details": hard}))
    assert sent is not None
    (mail,) = mailbox.mails()
    assert (mail["to"], mail["subject"]) == (ADDRESS, sent.text)
    assert len(mail["subject"].splitlines()) == 1
    assert "Bcc" not in mail["headers"]
    assert "长" * 9_000 in mail["text"]
    assert "<b>" not in mail["html"]


def test_a_mail_that_is_not_wanted_any_more_is_not_sent(way: str, mailbox: Mailbox) -> None:
    assert post(way, mailbox, a_message(), wanted=False) is None
    assert mailbox.mails() == []


@pytest.mark.parametrize("address", [ADDRESS, "李伟@例子.cn"])
def test_it_serves_mail_addresses(address: str, way: str, mailbox: Mailbox) -> None:
    adapter = directmail(mailbox.url) if way == "alibaba" else provider(mailbox)
    assert adapter.serves(address)
    assert not adapter.serves("+8613700000000")
