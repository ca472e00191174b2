"""The mail server, spoken to by Python's own client, which knows nothing of it."""

import base64
import gc
import smtplib
import socket
import warnings
from collections.abc import Iterator
from email.headerregistry import Address
from email.message import EmailMessage
from typing import Any

import httpx2
import pytest

from sandbox import server
from tests.sandbox.conftest import Sandbox

SENDER, LI, ZHAO = "oncall@example.com", "li.wei@example.com", "zhao@example.com"
SUBJECT = "告警:磁盘将满,请尽快认领,并在群里说明原因和预计恢复的时间"
NOTHING_FOR_S = 0.25


def letter(**headers: str) -> EmailMessage:
    """A mail in HTML with a plain twin, both in Chinese."""
    made = EmailMessage()
    made["From"] = Address("值班", addr_spec=SENDER)
    made["To"] = LI
    made["Subject"] = SUBJECT
    for name, value in headers.items():
        made[name.replace("_", "-")] = value
    made.set_content("磁盘将满\n.\n请认领")
    made.add_alternative(
        '<p>磁盘将满 <a href="https://example.com/a/x">认领</a></p>', subtype="html"
    )
    return made


@pytest.fixture
def client(sandbox: Sandbox) -> Iterator[smtplib.SMTP]:
    with smtplib.SMTP("127.0.0.1", sandbox.smtp_port, timeout=5) as connected:
        yield connected


def asked(sandbox: Sandbox) -> list[tuple[str, str]]:
    """What SMTP was asked for and the verdict, oldest first."""
    noted = sandbox.http.get("/sandbox/requests").json()[::-1]
    return [(one["action"], one["verdict"]) for one in noted if one["carrier"] == "smtp"]


def test_a_mail_arrives_as_its_reader_sees_it(sandbox: Sandbox, client: smtplib.SMTP) -> None:
    client.send_message(letter(Message_ID="<m-1@example.com>", Auto_Submitted="auto-generated"))
    (mail,) = sandbox.mails()
    assert (mail["via"], mail["from"], mail["to"]) == ("smtp", f"值班 <{SENDER}>", LI)
    assert mail["subject"] == mail["headers"]["Subject"] == SUBJECT
    assert mail["text"] == "磁盘将满\n.\n请认领\n"
    assert '<a href="https://example.com/a/x">认领</a>' in mail["html"]
    assert mail["headers"]["Message-ID"] == "<m-1@example.com>"
    assert mail["headers"]["Auto-Submitted"] == "auto-generated"
    assert sandbox.http.get(f"/sandbox/mails/{mail['id']}").json() == mail
    assert sandbox.http.get("/sandbox/state").json()["mails"] == [mail]
    assert asked(sandbox) == [("DATA", "accepted")]


def test_the_port_is_in_the_settings(sandbox: Sandbox) -> None:
    settings = sandbox.http.get("/sandbox/state").json()["settings"]["smtp"]
    assert settings == {"port": sandbox.smtp_port, "username": ""}


def test_each_recipient_has_a_mail_of_its_own(sandbox: Sandbox, client: smtplib.SMTP) -> None:
    """Who gets it is said by the envelope, not by the header."""
    client.sendmail(SENDER, ["Zhao@Example.com", LI], letter().as_bytes())
    assert [mail["to"] for mail in sandbox.mails()] == ["Zhao@Example.com", LI]
    assert [mail["to"] for mail in sandbox.mails(to=LI.upper())] == [LI]
    assert len(sandbox.mails(to=ZHAO)) == 1


def test_mails_of_both_ways_are_in_one_mailbox(sandbox: Sandbox, client: smtplib.SMTP) -> None:
    sandbox.ask_mail()
    client.send_message(letter())
    assert [mail["via"] for mail in sandbox.mails(to=LI)] == ["alibaba", "smtp"]


BODIES: list[tuple[str, bytes, str, str]] = [
    ("plain only", b"Content-Type: text/plain; charset=utf-8\r\n\r\n\xe6\xbb\xa1", "满", ""),
    (
        "HTML only",
        b"Content-Type: text/html; charset=utf-8\r\n\r\n<b>\xe6\xbb\xa1</b>",
        "",
        "<b>满</b>",
    ),
    ("GBK", b"Content-Type: text/plain; charset=gbk\r\n\r\n\xc2\xfa", "满", ""),
    (
        "an unknown character set",
        b"Content-Type: text/plain; charset=no-such\r\n\r\nfull",
        "full",
        "",
    ),
    ("nothing at all", b"\r\n", "", ""),
    ("no headers", b"full", "", ""),
]


@pytest.mark.parametrize(
    ("raw", "text", "html"), [row[1:] for row in BODIES], ids=[row[0] for row in BODIES]
)
def test_any_mail_is_taken(
    sandbox: Sandbox, client: smtplib.SMTP, raw: bytes, text: str, html: str
) -> None:
    client.sendmail(SENDER, LI, raw)
    (mail,) = sandbox.mails()
    assert (mail["text"].strip(), mail["html"].strip()) == (text, html) or raw == b"full"


# --- who may send -------------------------------------------------------------------------------


@pytest.fixture
def closed(sandbox: Sandbox) -> Iterator[Sandbox]:
    sandbox.settings(smtp={"username": "oncall", "password": "right-password"})
    return sandbox


def test_without_a_user_name_nobody_is_asked_to_log_in(client: smtplib.SMTP) -> None:
    client.ehlo()
    assert not client.has_extn("auth")


def test_with_a_user_name_nothing_is_sent_before_the_login(
    closed: Sandbox, client: smtplib.SMTP
) -> None:
    with pytest.raises(smtplib.SMTPSenderRefused) as refused:
        client.send_message(letter())
    assert refused.value.smtp_code == 530
    assert closed.mails() == []
    assert asked(closed) == [("MAIL", "530")]


@pytest.mark.parametrize("how", ["PLAIN", "LOGIN"])
def test_the_right_password_opens(closed: Sandbox, client: smtplib.SMTP, how: str) -> None:
    client.ehlo()
    client.user, client.password = "oncall", "right-password"
    answer = client.auth(how, getattr(client, f"auth_{how.lower()}"))
    assert answer[0] == 235
    client.send_message(letter())
    assert len(closed.mails()) == 1


@pytest.mark.parametrize(
    ("user", "password"), [("oncall", "wrong"), ("other", "right-password"), ("oncall", "密码")]
)
def test_any_other_does_not(
    closed: Sandbox, client: smtplib.SMTP, user: str, password: str
) -> None:
    client.ehlo()
    told = base64.b64encode(f"\0{user}\0{password}".encode()).decode()
    assert client.docmd("AUTH", f"PLAIN {told}")[0] == 535
    with pytest.raises(smtplib.SMTPSenderRefused):
        client.send_message(letter())
    assert ("AUTH", "535") in asked(closed)


def test_the_password_is_not_shown(closed: Sandbox) -> None:
    assert "right-password" not in closed.http.get("/sandbox/state").text


# --- what is refused ----------------------------------------------------------------------------


def test_an_address_that_is_none_is_refused(sandbox: Sandbox, client: smtplib.SMTP) -> None:
    with pytest.raises(smtplib.SMTPRecipientsRefused) as refused:
        client.sendmail(SENDER, "li.wei", letter().as_bytes())
    assert refused.value.recipients["li.wei"][0] == 553
    assert sandbox.mails() == []


def test_a_line_that_is_too_long_is_refused(sandbox: Sandbox, client: smtplib.SMTP) -> None:
    """998 characters and the line end (RFC 5321, 4.5.3.1.6)."""
    assert client.sendmail(SENDER, LI, b"\r\n" + b"x" * 998) == {}
    with pytest.raises(smtplib.SMTPDataError) as refused:
        client.sendmail(SENDER, LI, b"\r\n" + b"x" * 2000)
    assert refused.value.smtp_code == 500
    assert len(sandbox.mails()) == 1


def test_a_mail_that_is_too_large_is_refused(sandbox: Sandbox, client: smtplib.SMTP) -> None:
    with pytest.raises(smtplib.SMTPSenderRefused) as refused:
        client.sendmail(
            SENDER, LI, b"\r\n" + b"x" * 900 + b"\r\n" + (b"y" * 900 + b"\r\n") * 11_700
        )
    assert refused.value.smtp_code == 552
    assert sandbox.mails() == []


def test_a_hundred_recipients_are_the_most(sandbox: Sandbox, client: smtplib.SMTP) -> None:
    addresses = [f"a{i}@example.com" for i in range(101)]
    refused = client.sendmail(SENDER, addresses, letter().as_bytes())
    assert [(address, code) for address, (code, _) in refused.items()] == [
        ("a100@example.com", 452)
    ]
    assert len(sandbox.mails()) == 100


# --- faults -------------------------------------------------------------------------------------

GREY = {"fault": "error", "code": "451", "message": "4.7.1 Greylisted, try again"}


@pytest.mark.parametrize("code", ["451", "550"])
@pytest.mark.parametrize("action", [None, "RCPT"])
def test_a_recipient_is_refused_with_any_code_and_text(
    sandbox: Sandbox, client: smtplib.SMTP, code: str, action: str | None
) -> None:
    sandbox.faults("smtp", {**GREY, "code": code, "action": action})
    with pytest.raises(smtplib.SMTPRecipientsRefused) as refused:
        client.send_message(letter())
    assert refused.value.recipients[LI] == (int(code), b"4.7.1 Greylisted, try again")
    assert sandbox.mails() == []
    assert asked(sandbox) == [("RCPT", "fault: error")]
    client.send_message(letter())  # it happened once
    assert len(sandbox.mails()) == 1


@pytest.mark.parametrize("code", ["451", "554"])
def test_the_data_is_refused_with_any_code(
    sandbox: Sandbox, client: smtplib.SMTP, code: str
) -> None:
    sandbox.faults("smtp", {"fault": "error", "code": code, "action": "DATA"})
    with pytest.raises(smtplib.SMTPDataError) as refused:
        client.send_message(letter())
    assert refused.value.smtp_code == int(code)
    assert sandbox.mails() == []


@pytest.mark.parametrize("action", ["RCPT", "DATA"])
def test_a_server_that_hangs_says_nothing_and_keeps_nobody_else_waiting(
    sandbox: Sandbox, client: smtplib.SMTP, action: str
) -> None:
    sandbox.faults("smtp", {"fault": "hang", "action": action})
    assert client.sock is not None
    client.ehlo()
    client.sock.settimeout(NOTHING_FOR_S)
    with pytest.raises((TimeoutError, smtplib.SMTPServerDisconnected)):
        client.send_message(letter())
    assert sandbox.mails() == []
    with smtplib.SMTP("127.0.0.1", sandbox.smtp_port, timeout=5) as other:
        other.send_message(letter())
    assert len(sandbox.mails()) == 1


# --- starting and ending ------------------------------------------------------------------------


def test_the_port_can_be_chosen_and_one_in_use_is_an_error() -> None:
    with server.running() as first:
        port = first.smtp_port
        with pytest.raises(OSError, match="in use"), server.running(0, port):
            pass
        with pytest.raises(OSError, match="in use"):
            server.serve("127.0.0.1", 0, port)
    with server.running(0, port) as second:
        assert second.smtp_port == port
        state: Any = httpx2.get(f"{second.url}/sandbox/state", trust_env=False).json()
        assert state["settings"]["smtp"]["port"] == port


def test_it_hangs_up_on_everyone_when_it_ends() -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        with server.running() as running:
            known = Sandbox(running.url)
            known.faults("smtp", {"fault": "hang"})
            idle = socket.create_connection(("127.0.0.1", running.smtp_port), timeout=5)
            assert idle.recv(100).startswith(b"220")
            hanging = socket.create_connection(("127.0.0.1", running.smtp_port), timeout=5)
            hanging.sendall(b"EHLO x\r\nMAIL FROM:<a@b.cn>\r\nRCPT TO:<c@d.cn>\r\n")
            while not asked(known):
                pass  # it tells of no event, but answers this only after what came before
            known.http.close()
        for one in (idle, hanging):
            with one:
                assert ends(one)
        gc.collect()
    assert [str(warning.message) for warning in caught] == []


def ends(connection: socket.socket) -> bool:
    """Read until the other side closes or resets; a TimeoutError says that it does not."""
    try:
        while connection.recv(4096):
            pass
    except ConnectionResetError:
        return True
    return True
