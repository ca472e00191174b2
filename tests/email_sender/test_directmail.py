"""DirectMail by its real SDK over real HTTP, against the sandbox."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from pydantic import ValidationError

from clouds import alibaba as alibaba_cloud
from clouds import faults
from email_sender.directmail import CODES, AlibabaEmailSettings, official
from paging.errors import DeliveryError
from paging.ports import Message
from tests.email_sender.conftest import ADDRESS, SENDER, Mailbox, a_message, directmail
from tests.telephony.documented import ALIBABA_COMMON, EXAMPLES, Refusal
from tests.telephony.wire import (
    BROKEN_ANSWERS,
    LOST,
    Expected,
    check,
    check_probe,
    check_probe_of_nobody,
    closed_port,
    refused,
)


def refusal_of(send: Callable[[], object], caplog: pytest.LogCaptureFixture) -> DeliveryError:
    """The one error that may come of this; no trace of address or mail comes with it."""
    return refused(send, caplog, ADDRESS, "li.wei", "db-1", "数据库", "token-1")


def form_of(mailbox: Mailbox, message: Message | None = None) -> dict[str, str]:
    """What reaches the carrier."""
    directmail(mailbox.url).send(message or a_message())
    (asked,) = mailbox.requests()
    assert (asked["action"], asked["verdict"]) == ("SingleSendMail", "accepted")
    return asked["params"]


# What is sent.


def test_a_mail_is_sent_by_the_address_of_the_settings(mailbox: Mailbox) -> None:
    form = form_of(mailbox)
    assert form["AccountName"] == SENDER
    assert form["AddressType"] == "1"
    assert form["ReplyToAddress"].lower() == "false"
    assert form["ClickTrace"] == "0"


def test_a_domain_that_is_not_ascii_travels_as_ascii(mailbox: Mailbox) -> None:
    assert form_of(mailbox, a_message(to="li@例子.cn"))["ToAddress"] == "li@xn--fsqu00a.cn"


def test_nobody_can_unsubscribe_from_being_paged(mailbox: Mailbox) -> None:
    form = form_of(mailbox)
    assert form["UnSubscribeLinkType"] == form["UnSubscribeFilterLevel"] == "disabled"


def test_only_headers_that_directmail_takes_are_named(mailbox: Mailbox) -> None:
    headers = json.loads(form_of(mailbox)["Headers"])
    assert headers == {"Message-ID": "<r-0123456789abc@mail.example.com>"}


def test_a_long_title_fits_the_shortest_limit_that_is_documented(mailbox: Mailbox) -> None:
    subject = form_of(mailbox, a_message(fields={"title": "磁盘" * 5000}))["Subject"]
    assert len(subject) == 100
    assert subject.endswith("…")


# Every code of the documents.


# DirectMail client errors; SingleSendMail.
DOCUMENTED = [
    Refusal("InvalidMailAddress.NotFound", "misconfigured"),
    Refusal("InvalidMailAddressStatus.Malformed", "misconfigured"),
    Refusal("InvalidMailAddressDomain.Malformed", "misconfigured"),
    Refusal("InvalidMailAddressSendType.Malformed", "misconfigured"),
    Refusal("InvalidFromAlias.Malformed", "misconfigured"),
    Refusal("InvalidFromALias.Malformed", "misconfigured"),
    Refusal("InvalidTemplate.NotFound", "misconfigured"),
    Refusal("InvalidBody", "misconfigured", again="never"),
    Refusal("InvalidSubject.Malformed", "misconfigured", again="never"),
    Refusal("InvalidToAddress", "recipient_rejected", again="never"),
    Refusal("InvalidToAddress.Spam", "recipient_rejected"),
    Refusal("InvalidSendMail.Spam", "rate_limited", scope="account"),
    Refusal("InternalServiceError", "provider_down", placed="maybe"),
]


@pytest.mark.parametrize("refusal", [*DOCUMENTED, *ALIBABA_COMMON], ids=lambda one: one.code)
def test_a_documented_refusal_means_what_its_row_says(
    refusal: Refusal, mailbox: Mailbox, caplog: pytest.LogCaptureFixture
) -> None:
    code = EXAMPLES.get(refusal.code, refusal.code)
    mailbox.fault("alibaba", "error", code=code, message=f"The specified {ADDRESS} is wrong.")
    error = refusal_of(lambda: directmail(mailbox.url).send(a_message()), caplog)
    row = error.row
    assert (error.provider, error.code, error.answered) == ("alibaba", code, True)
    assert refusal == Refusal(
        refusal.code, row.kind, row.other_provider, row.placed, row.again, row.scope
    )
    assert (len(mailbox.requests()), mailbox.mails()) == (1, [])


def test_every_documented_code_has_one_row_and_no_row_is_made_up() -> None:
    assert sorted(refusal.code for refusal in DOCUMENTED) == sorted(CODES)
    assert not CODES.keys() & alibaba_cloud.COMMON.keys()


def test_a_code_that_no_document_names_may_have_sent_the_mail(mailbox: Mailbox) -> None:
    mailbox.fault("alibaba", "error", code="Brand.New.Mail")
    with pytest.raises(DeliveryError) as caught:
        directmail(mailbox.url).send(a_message())
    assert (caught.value.row.kind, caught.value.row.placed) == ("unknown", "maybe")


# What DirectMail refuses by its own rules.

REFUSED: list[tuple[str, dict[str, Any], dict[str, Any], str, str]] = [
    ("another key", {"access_key_id": "x"}, {}, "InvalidAccessKeyId.NotFound", "misconfigured"),
    ("another secret", {"access_key_secret": "x"}, {}, "SignatureDoesNotMatch", "misconfigured"),
    (
        "another sender",
        {"mail_account_names": []},
        {},
        "InvalidMailAddress.NotFound",
        "misconfigured",
    ),
    ("an address that is none", {}, {"to": "li@wei@x"}, "InvalidToAddress", "recipient_rejected"),
    ("two addresses", {}, {"to": "a@b.cn;c@d.cn"}, "InvalidToAddress", "recipient_rejected"),
]


@pytest.mark.parametrize(
    ("account", "message", "code", "kind"),
    [row[1:] for row in REFUSED],
    ids=[r[0] for r in REFUSED],
)
def test_what_the_account_or_the_address_is_not_is_refused(
    account: dict[str, Any], message: dict[str, Any], code: str, kind: str, mailbox: Mailbox
) -> None:
    mailbox.settings(alibaba=account)
    with pytest.raises(DeliveryError) as caught:
        directmail(mailbox.url).send(a_message(**message))
    error = caught.value
    assert (error.code, error.row.kind, error.row.placed) == (code, kind, "no")
    assert mailbox.mails() == []


# Every way in which the wire breaks.


@pytest.mark.parametrize("expected", BROKEN_ANSWERS, ids=lambda e: e.fault)
def test_a_broken_answer_tells_whether_the_mail_may_have_gone_and_is_never_asked_for_again(
    mailbox: Mailbox,
    expected: Expected,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(faults, "READ_S", 0.15)
    sender = directmail(mailbox.url)
    mailbox.fault("alibaba", expected.fault)
    error = refusal_of(lambda: sender.send(a_message()), caplog)
    if expected.fault == "empty_success":
        expected = expected._replace(codes=("no_env_id",) * 2)
    check(error, expected, "alibaba")
    assert len(mailbox.requests()) == 1
    assert len(mailbox.mails()) == expected.exists


def test_a_gateways_page_may_hide_a_mail(
    mailbox: Mailbox, caplog: pytest.LogCaptureFixture
) -> None:
    mailbox.fault("alibaba", "html")
    error = refusal_of(lambda: directmail(mailbox.url).send(a_message()), caplog)
    check(error, Expected("", LOST, "unknown", "maybe"), "alibaba")


def test_a_request_that_never_left_sent_no_mail(caplog: pytest.LogCaptureFixture) -> None:
    with closed_port() as endpoint:
        sender = directmail(endpoint)
        error = refusal_of(lambda: sender.send(a_message()), caplog)
    never = Expected("", ("not_connected",) * 2, "provider_down", "no", answered=True)
    check(error, never, "alibaba")


# Whether keys and sender are right, asked without mailing anybody.


@pytest.mark.parametrize(
    "sender", [SENDER, "on_call+x@mail.example.com", f"{'x' * 64}@mail.example.com"]
)
def test_the_probe_sends_nothing_and_finds_the_senders_address(
    sender: str, mailbox: Mailbox
) -> None:
    """Whatever its signs and its length: not all of them may be asked for."""
    mailbox.settings(alibaba={"mail_account_names": [f"x{sender}", sender]})
    assert directmail(mailbox.url, account_name=sender).probe()[0] == "proved"
    assert [asked["action"] for asked in mailbox.requests()] == ["QueryMailAddressByParam"]
    assert mailbox.mails() == []


WRONG: list[tuple[str, dict[str, Any], str]] = [
    ("no address at all", {"mail_account_names": []}, "account_name"),
    ("others only", {"mail_account_names": ["x@mail.example.com"]}, "account_name"),
    ("one that holds it", {"mail_account_names": [f"x{SENDER}"]}, "account_name"),
    ("another key", {"access_key_id": "x"}, "AccessKey"),
    ("another secret", {"access_key_secret": "x"}, "AccessKey"),
]


@pytest.mark.parametrize(
    ("account", "hint"), [row[1:] for row in WRONG], ids=[row[0] for row in WRONG]
)
def test_the_probe_says_where_to_look(account: dict[str, Any], hint: str, mailbox: Mailbox) -> None:
    mailbox.settings(alibaba=account)
    result, words = directmail(mailbox.url).probe()
    assert result == "wrong"
    assert all(hint in said for said in words.values())


@pytest.mark.parametrize(
    ("status", "code", "verdict"),
    [
        (403, "Forbidden.RAM", "wrong"),
        (400, "InvalidMailAddressStatus.Malformed", "wrong"),
        (400, "InvalidBody", "proved"),
        (400, "Throttling.User", "unprovable"),
        (500, "InternalError", "unprovable"),
    ],
)
def test_a_probe_claims_no_more_than_it_was_told(status: int, code: str, verdict: str) -> None:
    answer = (status, {"Code": code})
    check_probe(lambda url: directmail(url).probe(), "alibaba", answer, verdict)


def test_a_probe_of_nobody_says_that_nobody_answers() -> None:
    check_probe_of_nobody(lambda url: directmail(url).probe())


# Its settings.


@pytest.mark.parametrize(
    ("region", "host"),
    [
        ("cn-hangzhou", "dm.aliyuncs.com"),
        ("cn-shanghai", "dm.aliyuncs.com"),
        ("ap-southeast-1", "dm.ap-southeast-1.aliyuncs.com"),
        ("eu-central-1", "dm.eu-central-1.aliyuncs.com"),
    ],
)
def test_the_mainland_has_one_address_and_regions_abroad_their_own(region: str, host: str) -> None:
    assert official(region) == host


@pytest.mark.parametrize(
    ("wrong", "key"),
    [
        ({"account_name": "nobody"}, "account_name"),
        ({"account_name": "a@b.c\n"}, "account_name"),
        ({"from_alias": "x" * 15}, "from_alias"),
        ({"from_alias": "ring\nback"}, "from_alias"),
        ({"endpoint": "dm.aliyuncs.com"}, "endpoint"),
        ({"alias": "x"}, "alias"),
    ],
)
def test_a_wrong_setting_is_named(wrong: dict[str, Any], key: str) -> None:
    with pytest.raises(ValidationError) as caught:
        AlibabaEmailSettings.model_validate({"account_name": SENDER} | wrong)
    (found,) = caught.value.errors()
    assert found["loc"] == (key,)
