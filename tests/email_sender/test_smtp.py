"""Mail by SMTP, against real servers: plain, STARTTLS and TLS, and every way they refuse."""

import asyncio
import socket
import time
from email.message import EmailMessage
from typing import Any

import pytest
from pydantic import ValidationError

from email_sender.smtp import ACCOUNT_CODES, CODES, SmtpEmail, SmtpSettings
from paging.errors import DeliveryError, Row
from tests.email_sender.conftest import (
    ADDRESS,
    PASSWORD,
    SENDER,
    USERNAME,
    Authority,
    Mailbox,
    Server,
    a_message,
    provider,
    run,
    send,
    serving,
)


def refused(smtp: SmtpEmail, **how: Any) -> DeliveryError:
    """What sending raises."""
    with pytest.raises(DeliveryError) as caught:
        send(smtp, a_message(**how))
    return caught.value


def part(mail: EmailMessage, kind: str) -> str:
    """One body of a mail, as a mail program shows it."""
    body = mail.get_body((kind,))
    assert body is not None
    return body.get_content()


def test_a_mail_has_a_time_of_a_known_zone_and_its_place_in_the_queue_is_kept(
    server: Server,
) -> None:
    sent = send(provider(server))
    assert sent is not None
    assert sent.provider_id == "4Wg7x12T"
    (mail,) = server.letters
    assert mail["Date"].datetime.tzinfo is not None
    assert not server.secure


def test_a_server_that_names_no_queue_leaves_the_message_id(server: Server) -> None:
    server.says["DATA"] = "250 OK"
    sent = send(provider(server))
    assert sent is not None
    assert sent.provider_id == server.letters[0]["Message-ID"]


def test_mails_about_one_incident_are_one_thread_and_a_repeat_is_one_mail(server: Server) -> None:
    """Also for a sender whose domain is too long for one line."""
    sender = f"oncall@{'a' * 40}.{'b' * 40}.example.com"
    domain = sender.partition("@")[2]
    for ref in ("r-1", "r-2", "r-2"):
        send(provider(server, **{"from": sender}), a_message(ref=ref))
    for raw in server.raw:  # as it travels: mail programs decode no id
        assert f"\r\nReferences: <incident.01JDINCIDENT@{domain}>\r\n" in raw
        assert f"\r\nIn-Reply-To: <incident.01JDINCIDENT@{domain}>\r\n" in raw
    ids = [mail["Message-ID"] for mail in server.letters]
    assert ids == [f"<r-1@{domain}>", f"<r-2@{domain}>", f"<r-2@{domain}>"]


def test_no_auto_responder_answers_and_nothing_is_filed_as_bulk(server: Server) -> None:
    send(provider(server))
    (mail,) = server.letters
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["X-Auto-Response-Suppress"] == "All"
    assert mail["Precedence"] is None
    assert (mail["Importance"], mail["X-Priority"]) == ("high", "1")


def test_a_warning_is_not_marked_as_urgent(server: Server) -> None:
    send(provider(server), a_message(fields={"severity": "warning"}))
    assert server.letters[0]["Importance"] is None


@pytest.mark.parametrize("name", ["title", "number", "severity", "responder", "details"])
def test_no_field_can_add_a_header_or_a_recipient(server: Server, name: str) -> None:
    evil = "x\r\nBcc: spy@example.com\r\n\r\n<script>\n.\r\nMAIL FROM:<x>\u2028Bcc: y\x00\x85Bcc: z"
    send(provider(server), a_message(fields={name: evil}))
    (mail,) = server.letters
    assert "Bcc" not in mail
    assert mail["To"] == ADDRESS
    assert mail.get_content_type() == "multipart/alternative"
    assert len(str(mail["Subject"]).splitlines()) == 1
    assert "<script>" not in part(mail, "html")


def test_neither_ref_nor_thread_can_add_a_header(server: Server) -> None:
    send(provider(server), a_message(ref="r>\r\nBcc: x@y.z", thread="t\r\nBcc: x@y.z"))
    assert "Bcc" not in server.letters[0]


def test_an_address_that_is_none_is_refused_before_anyone_else_gets_the_mail(
    server: Server,
) -> None:
    error = refused(provider(server), to="li@example.com>\r\nRCPT TO:<spy@example.com")
    assert (error.row.kind, error.row.placed, error.code) == (
        "recipient_rejected",
        "no",
        "bad_address",
    )
    assert server.letters == []


def test_an_address_in_chinese_is_reached(server: Server) -> None:
    send(provider(server), a_message(to="李伟@例子.cn"))
    (to,) = server.letters[0]["To"].addresses
    # Python's parser leaves RFC 6532's headers as the bytes that they are.
    assert to.username.encode("ascii", "surrogateescape").decode() == "李伟"
    assert to.domain == "xn--fsqu00a.cn"


def test_a_mail_that_is_not_wanted_any_more_is_not_handed_over(server: Server) -> None:
    assert send(provider(server), wanted=False) is None
    assert server.asked == ["EHLO", "MAIL", "RCPT"]


def test_starttls_protects_name_password_and_mail(authority: Authority) -> None:
    with serving(Server(), authority.of_loopback(), auth=True) as server:
        send(
            provider(
                server,
                security="starttls",
                ca_file=authority.ca_file,
                username=USERNAME,
                password=PASSWORD,
            )
        )
        assert (server.secure, server.logged_in) == (True, True)


def test_tls_protects_from_the_first_byte(authority: Authority) -> None:
    with serving(Server(), authority.of_loopback(), implicit=True, auth=True) as server:
        send(
            provider(
                server,
                security="tls",
                ca_file=authority.ca_file,
                username=USERNAME,
                password=PASSWORD,
            )
        )
        assert (server.secure, server.logged_in) == (True, True)


def test_a_wrong_password_is_a_wrong_setting(authority: Authority) -> None:
    with serving(Server(), authority.of_loopback(), auth=True) as server:
        error = refused(
            provider(
                server,
                security="starttls",
                ca_file=authority.ca_file,
                username=USERNAME,
                password="wrong",
            )
        )
    assert (error.row.kind, error.row.placed, error.code) == ("misconfigured", "no", "535 5.7.8")
    assert ADDRESS not in error.text
    assert "Bad credentials" in error.text


def test_a_server_that_wants_a_login_is_a_missing_setting(authority: Authority) -> None:
    with serving(Server(), authority.of_loopback(), auth=True) as server:
        error = refused(provider(server, security="starttls", ca_file=authority.ca_file))
    assert (error.row.kind, error.code) == ("misconfigured", "530 5.7.0")


@pytest.mark.parametrize(
    ("told", "code"),
    [
        ({"username": USERNAME, "password": PASSWORD}, None),
        ({"username": USERNAME, "password": "wrong"}, "535"),
        ({}, "530"),
    ],
    ids=["right", "wrong", "none"],
)
def test_on_our_own_machine_a_login_needs_no_tls(
    told: dict[str, str], code: str | None, mailbox: Mailbox
) -> None:
    mailbox.settings(smtp={"username": USERNAME, "password": PASSWORD})
    smtp = provider(mailbox, **told)
    if code is None:
        assert probed(smtp)[0] == "proved"
        assert send(smtp) is not None
    else:
        assert probed(smtp)[0] == "wrong"
        error = refused(smtp)
        assert (error.code[:3], error.row.kind, error.row.placed) == (code, "misconfigured", "no")
    assert len(mailbox.mails()) == (code is None)


@pytest.mark.parametrize("implicit", [False, True], ids=["starttls", "tls"])
@pytest.mark.parametrize("fault", ["another name", "unknown authority"])
def test_a_certificate_that_does_not_prove_the_server_ends_it(
    authority: Authority, fault: str, *, implicit: bool
) -> None:
    """Operators are told, since no repeat helps: the setting is wrong, or somebody listens."""
    other = fault == "another name"
    certificate = authority.of_another() if other else authority.of_loopback()
    trusted = {"ca_file": authority.ca_file} if other else {}
    with serving(Server(), certificate, implicit=implicit) as server:
        smtp = provider(server, security="tls" if implicit else "starttls", **trusted)
        error = refused(smtp)
        assert server.letters == []
    assert (error.row.kind, error.row.placed) == ("misconfigured", "no")
    assert error.code == "certificate_refused"


def test_without_starttls_nothing_is_sent(server: Server) -> None:
    """Whoever strips the offer from the server's greeting must not get to read the mail."""
    error = refused(provider(server, security="starttls"))
    assert (error.row.kind, error.row.placed, error.code) == ("misconfigured", "no", "not_offered")
    assert server.letters == []


@pytest.mark.parametrize("command", ["RCPT", "DATA"])
def test_greylisting_is_tried_again_later(command: str, mailbox: Mailbox) -> None:
    """Nothing was sent the first time, so that trying again sends one mail."""
    said = "4.7.1 Greylisted, please try again in 300 seconds"
    mailbox.fault("smtp", "error", code="451", message=said, action=command)
    smtp = provider(mailbox)
    error = refused(smtp)
    row = error.row
    assert (row.kind, row.again, row.placed, row.other_provider) == (
        "transient",
        "later",
        "no",
        True,
    )
    assert (error.code, error.text, error.answered) == ("451 4.7.1", said, True)
    assert mailbox.mails() == []
    assert send(smtp) is not None
    assert len(mailbox.mails()) == 1


def test_what_a_server_says_is_shown_without_addresses_numbers_and_links(server: Server) -> None:
    said = (
        f"550 5.1.1 <{ADDRESS}>: no mailbox li.wei (13700000000), "
        "see https://ringback.example.com/a/token-1 " + "x" * 400
    )
    server.says["RCPT"] = said
    error = refused(provider(server))
    for secret in (ADDRESS, "li.wei", "13700000000", "token-1"):
        assert secret not in error.text
    assert "no mailbox" in error.text
    assert len(error.text) == 200
    assert error.__cause__ is None
    assert error.__suppress_context__


REJECTED = "recipient_rejected"
# An answer, its kind, whether another provider may help, whether this one may later.
ABOUT_THE_MAIL = [
    ("421 Service not available", ("transient", True, "later")),
    ("450 Mailbox busy", ("transient", True, "later")),
    ("452 Too many recipients", ("transient", True, "later")),
    ("530 5.7.0 Authentication required", ("misconfigured", True, "later")),
    ("550 5.1.1 No such user", (REJECTED, False, "never")),
    ("550 User unknown", (REJECTED, False, "never")),
    ("550 5.7.1 Relaying denied", (REJECTED, True, "later")),
    ("551 Not local", (REJECTED, False, "never")),
    ("552 5.2.2 Mailbox full", (REJECTED, False, "later")),
    ("552 Quota exceeded", ("out_of_credit", True, "later")),
    ("553 Mailbox name not allowed", (REJECTED, False, "never")),
    ("554 5.7.1 Rejected as spam", (REJECTED, True, "later")),
    ("559 Invalid rcptto", (REJECTED, False, "never")),
    ("563 Invalid rcptto", (REJECTED, False, "never")),
    ("502 Not implemented", ("misconfigured", True, "later")),
    ("571 Blocked", (REJECTED, True, "later")),
]


@pytest.mark.parametrize("command", ["RCPT", "DATA"])
@pytest.mark.parametrize(
    ("answer", "meaning"), ABOUT_THE_MAIL, ids=[answer for answer, _ in ABOUT_THE_MAIL]
)
def test_an_answer_about_the_recipient_or_the_mail_decides_what_is_next(
    mailbox: Mailbox, command: str, answer: str, meaning: tuple[str, bool, str]
) -> None:
    code, _, message = answer.partition(" ")
    mailbox.fault("smtp", "error", code=code, message=message, action=command)
    row = refused(provider(mailbox)).row
    assert (row.kind, row.other_provider, row.again) == meaning
    assert row.placed == "no"
    assert mailbox.mails() == []


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        ("451 4.3.0 Try later", "transient"),
        ("436 Sender does not match", "misconfigured"),
        ("550 5.7.1 Sender not yours", "misconfigured"),
        ("553 Mail from must equal authorized user", "misconfigured"),
        ("552 Quota exceeded", "out_of_credit"),
    ],
)
def test_an_answer_about_the_sender_is_never_the_recipients_fault(
    server: Server, answer: str, kind: str
) -> None:
    server.says["MAIL"] = answer
    row = refused(provider(server)).row
    assert (row.kind, row.placed) == (kind, "no")


@pytest.mark.parametrize("table", [CODES, ACCOUNT_CODES], ids=["mail", "account"])
def test_no_refusal_leaves_the_fate_of_a_mail_open(table: dict[str, Row]) -> None:
    assert {row.placed for row in table.values()} == {"no"}


@pytest.mark.parametrize("command", ["EHLO", "MAIL", "RCPT"])
def test_a_connection_lost_before_the_mail_was_handed_over_proves_that_it_was_not(
    server: Server, command: str
) -> None:
    server.cut = command
    error = refused(provider(server))
    assert (error.row.kind, error.row.placed) == ("provider_down", "no")


def test_a_connection_lost_after_the_mail_was_handed_over_leaves_it_open(server: Server) -> None:
    server.cut = "DATA"
    error = refused(provider(server))
    assert (error.row.kind, error.row.placed, error.answered) == ("unknown", "maybe", False)


def test_a_server_that_never_answers_ends_at_the_deadline(mailbox: Mailbox) -> None:
    mailbox.fault("smtp", "hang", action="RCPT")
    began = time.monotonic()
    error = refused(provider(mailbox, deadline_s=0.3))
    assert time.monotonic() - began < 0.9
    assert (error.row.kind, error.row.placed, error.code) == ("provider_down", "no", "deadline")


def test_a_server_that_takes_the_mail_and_never_says_so_leaves_it_open(mailbox: Mailbox) -> None:
    mailbox.fault("smtp", "hang", action="DATA")
    error = refused(provider(mailbox, deadline_s=0.3))
    assert (error.row.placed, error.answered) == ("maybe", False)


def test_a_server_that_accepts_and_never_greets_ends_at_the_deadline() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        server = Server(port=silent.getsockname()[1])
        error = refused(provider(server, deadline_s=0.3))
    assert (error.row.kind, error.row.placed) == ("provider_down", "no")


def test_nobody_there_is_not_the_mails_fate() -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        server = Server(port=gone.getsockname()[1])
    error = refused(provider(server))
    assert (error.row.kind, error.row.placed, error.code) == (
        "provider_down",
        "no",
        "not_connected",
    )


def test_a_name_that_nobody_knows_is_not_the_mails_fate() -> None:
    settings = {"host": "smtp.invalid", "from": SENDER}
    error = refused(SmtpEmail(SmtpSettings.model_validate(settings), deadline_s=5))
    assert (error.row.kind, error.code) == ("provider_down", "not_connected")


def test_the_event_loop_goes_on_while_it_is_asked_whether_the_mail_is_wanted(
    server: Server,
) -> None:
    """It asks a database; other mails and the engine must not wait for it."""

    async def ask() -> None:
        went_on = asyncio.Event()
        loop = asyncio.get_running_loop()

        def wanted() -> bool:
            asyncio.run_coroutine_threadsafe(_set(went_on), loop).result(5)
            return True

        assert await provider(server).send(a_message(), still_wanted=wanted)
        assert went_on.is_set()

    run(ask())


async def _set(event: asyncio.Event) -> None:
    event.set()


def probed(smtp: SmtpEmail) -> tuple[str, dict[str, str]]:
    return run(smtp.probe())


def test_the_probe_sends_nothing_and_proves_the_login(authority: Authority) -> None:
    with serving(Server(), authority.of_loopback(), auth=True) as server:
        smtp = provider(
            server,
            security="starttls",
            ca_file=authority.ca_file,
            username=USERNAME,
            password=PASSWORD,
        )
        assert probed(smtp)[0] == "proved"
        assert server.letters == []
        assert "DATA" not in server.asked
        assert "RCPT" not in server.asked


def test_the_probe_says_which_setting_is_wrong(authority: Authority) -> None:
    with serving(Server(), authority.of_loopback(), auth=True) as server:
        protected = {"security": "starttls", "ca_file": authority.ca_file}
        wrong = {"username": USERNAME, "password": "wrong"}
        result, words = probed(provider(server, **protected, **wrong))
        assert result == "wrong"
        assert "username" in words["en"]
        assert "username" in words["zh-CN"]
        result, words = probed(provider(server, security="starttls"))
        assert result == "wrong"
        assert "ca_file" in words["en"]
    result, words = probed(provider(server))
    assert result == "wrong"
    assert "not reached" in words["en"]


def test_a_server_with_a_passing_trouble_is_not_called_wrong(server: Server) -> None:
    server.says["MAIL"] = "451 4.3.0 Try later"
    assert probed(provider(server))[0] == "unprovable"


@pytest.mark.parametrize(
    ("host", "security"),
    [
        ("smtp.example.com", "starttls"),
        ("127.0.0.1", "none"),
        ("::1", "none"),
        ("localhost", "none"),
        ("10.0.0.1", "starttls"),
    ],
)
def test_only_our_own_machine_is_talked_to_without_tls_unless_told(
    host: str, security: str
) -> None:
    assert SmtpSettings.model_validate({"host": host, "from": SENDER}).transport == security


LOGIN = {"username": USERNAME, "password": PASSWORD}
WRONG_SETTINGS: list[tuple[dict[str, Any], str]] = [
    ({"username": "oncall"}, "password"),
    ({"password": "secret-1"}, "username"),
    ({"security": "none", **LOGIN}, "security"),
    ({"security": "ssl"}, "security"),
    ({"from": "nobody"}, "from"),
    ({"from": "a@b.c\nBcc: x@y.z"}, "from"),
    ({"from_name": "ring\nback"}, "from_name"),
    ({"ca_file": "/nowhere/ca.pem"}, "ca_file"),
    ({"port": 0}, "port"),
    ({"pasword": "x"}, "pasword"),
]


@pytest.mark.parametrize(
    ("wrong", "key"), WRONG_SETTINGS, ids=[str(list(wrong)) for wrong, _ in WRONG_SETTINGS]
)
def test_a_wrong_setting_is_named(wrong: dict[str, Any], key: str) -> None:
    given = {"host": "smtp.example.com", "from": SENDER} | wrong
    with pytest.raises(ValidationError) as caught:
        SmtpSettings.model_validate(given)
    (found,) = caught.value.errors()
    assert key in (*found["loc"], found["msg"].removeprefix("Value error, ").partition(":")[0])


def test_the_password_is_not_shown() -> None:
    settings = SmtpSettings.model_validate({"host": "h.example.com", "from": SENDER} | LOGIN)
    assert PASSWORD not in repr(settings)
