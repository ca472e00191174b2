"""Every check of DirectMail, each with a request that is wrong in one way."""

from typing import Any

import pytest

from tests.sandbox.conftest import ACCOUNT, RIGHT_MAIL, Sandbox, code_of
from tests.sandbox.signing import acs3, rpc1

Change = dict[str, Any]
WRONG: list[tuple[str, Change, int, str]] = [
    ("no account", {"AccountName": None}, 404, "InvalidMailAddress.NotFound"),
    ("another account", {"AccountName": "x@example.com"}, 404, "InvalidMailAddress.NotFound"),
    ("no address type", {"AddressType": None}, 400, "InvalidMailAddressSendType.Malformed"),
    ("address type 2", {"AddressType": "2"}, 400, "InvalidMailAddressSendType.Malformed"),
    ("no word on replies", {"ReplyToAddress": None}, 400, "InvalidReplyToAddress"),
    ("another word on replies", {"ReplyToAddress": "0"}, 400, "InvalidReplyToAddress"),
    ("no address", {"ToAddress": None}, 400, "InvalidToAddress"),
    ("an address without @", {"ToAddress": "li.wei"}, 400, "InvalidToAddress"),
    ("an address without a domain", {"ToAddress": "li.wei@"}, 400, "InvalidToAddress"),
    ("an address with a line end", {"ToAddress": "a@b.cn\r\nBcc: c@d.cn"}, 400, "InvalidToAddress"),
    ("one wrong address of two", {"ToAddress": "a@b.cn,c"}, 400, "InvalidToAddress"),
    ("101 addresses", {"ToAddress": ",".join(["a@b.cn"] * 101)}, 400, "InvalidToAddress"),
    ("no subject", {"Subject": None}, 400, "InvalidSubject.Malformed"),
    ("a subject of 257 characters", {"Subject": "满" * 257}, 400, "InvalidSubject.Malformed"),
    ("a subject of two lines", {"Subject": "a\r\nBcc: c@d.cn"}, 400, "InvalidSubject.Malformed"),
    ("no body", {"HtmlBody": None, "TextBody": None}, 400, "InvalidBody"),
    ("an alias of 15 characters", {"FromAlias": "x" * 15}, 400, "InvalidFromALias.Malformed"),
    ("an alias of two lines", {"FromAlias": "x\ny"}, 400, "InvalidFromALias.Malformed"),
    ("headers that are no JSON", {"Headers": "{"}, 400, "InvalidHeaders"),
    ("headers that are a list", {"Headers": "[]"}, 400, "InvalidHeaders"),
    ("a header that is a number", {"Headers": '{"X-A": 1}'}, 400, "InvalidHeaders"),
    ("a header of two lines", {"Headers": '{"X-A": "1\\nX-B: 2"}'}, 400, "InvalidHeaders"),
    ("a header without a right name", {"Headers": '{"X A:": "1"}'}, 400, "InvalidHeaders"),
    (
        "11 headers",
        {"Headers": str({f"X-{i}": "1" for i in range(11)}).replace("'", '"')},
        400,
        "InvalidHeaders",
    ),
]


@pytest.mark.parametrize(
    ("change", "status", "code"), [row[1:] for row in WRONG], ids=[row[0] for row in WRONG]
)
def test_a_wrong_request_is_an_http_error_and_mails_nobody(
    sandbox: Sandbox, change: Change, status: int, code: str
) -> None:
    response = sandbox.ask_mail(change)
    assert (response.status_code, code_of(response)) == (status, code)
    assert response.json().keys() == {"RequestId", "HostId", "Code", "Message", "Recommend"}
    assert sandbox.mails() == []


RIGHT_ONES: list[tuple[str, Change]] = [
    ("everything", {}),
    ("HTML only", {"TextBody": None}),
    ("text only", {"HtmlBody": None}),
    ("no alias", {"FromAlias": None}),
    ("no headers", {"Headers": None}),
    ("the other word on replies", {"ReplyToAddress": "true"}),
    ("a subject of 256 characters", {"Subject": "满" * 256}),
    ("an alias of 14 characters", {"FromAlias": "x" * 14}),
    ("10 headers", {"Headers": str({f"X-{i}": "1" for i in range(10)}).replace("'", '"')}),
    ("a large body", {"HtmlBody": "满" * 100_000}),
]


@pytest.mark.parametrize("change", [c for _, c in RIGHT_ONES], ids=[n for n, _ in RIGHT_ONES])
def test_a_right_request_is_accepted_in_the_documented_shape(
    sandbox: Sandbox, change: Change
) -> None:
    response = sandbox.ask_mail(change)
    assert response.status_code == 200, response.text
    assert response.json().keys() == {"RequestId", "EnvId"}
    assert [mail["id"] for mail in sandbox.mails()] == [response.json()["EnvId"]]


def test_the_mail_is_what_was_sent(sandbox: Sandbox) -> None:
    env_id = sandbox.ask_mail().json()["EnvId"]
    mail = sandbox.http.get(f"/sandbox/mails/{env_id}").json()
    del mail["at"]
    assert mail == {
        "id": env_id,
        "via": "alibaba",
        "from": f"ringback <{ACCOUNT}>",
        "to": "li.wei@example.com",
        "subject": "告警:磁盘将满",
        "html": "<p>磁盘将满</p>",
        "text": "磁盘将满",
        "headers": {"Auto-Submitted": "auto-generated"},
    }
    assert sandbox.http.get("/sandbox/state").json()["mails"][0]["id"] == env_id


def test_each_address_has_a_mail_of_its_own(sandbox: Sandbox) -> None:
    sandbox.ask_mail({"ToAddress": "li.wei@example.com,zhao@example.com"})
    assert [mail["to"] for mail in sandbox.mails()] == ["li.wei@example.com", "zhao@example.com"]
    assert [mail["to"] for mail in sandbox.mails(to="Zhao@example.com")] == ["zhao@example.com"]
    assert sandbox.mails(to="nobody@example.com") == []


def test_a_mail_that_is_not_there_is_not_found(sandbox: Sandbox) -> None:
    answer = sandbox.http.get("/sandbox/mails/1")
    assert (answer.status_code, answer.json()["error"]) == (404, "mail: no such mail")


def test_the_older_signature_is_as_good(sandbox: Sandbox) -> None:
    signed = rpc1(sandbox.host, "SingleSendMail", RIGHT_MAIL, version="2015-11-23")
    assert sandbox.send(signed).status_code == 200


@pytest.mark.parametrize(
    ("how", "status", "code"),
    [
        ({"keys": ("LTAI-test-id", "x")}, 400, "SignatureDoesNotMatch"),
        ({"version": "2017-05-25"}, 404, "InvalidAction.NotFound"),
    ],
)
def test_a_request_that_is_not_rightly_addressed_is_refused(
    sandbox: Sandbox, how: dict[str, Any], status: int, code: str
) -> None:
    how = {"version": "2015-11-23", "in_body": True, **how}
    response = sandbox.send(acs3(sandbox.host, "SingleSendMail", RIGHT_MAIL, **how))
    assert (response.status_code, code_of(response)) == (status, code)
    assert sandbox.mails() == []


def test_a_body_that_was_changed_is_refused(sandbox: Sandbox) -> None:
    how: dict[str, Any] = {"version": "2015-11-23", "in_body": True}
    signed = acs3(sandbox.host, "SingleSendMail", RIGHT_MAIL, **how)
    response = sandbox.http.post("/", headers=signed.headers, content=signed.body + b"&X=1")
    assert code_of(response) == "SignatureDoesNotMatch"


def ask_addresses(sandbox: Sandbox, **params: str) -> dict[str, Any]:
    how: dict[str, Any] = {"version": "2015-11-23"}
    return sandbox.send(acs3(sandbox.host, "QueryMailAddressByParam", params, **how)).json()


def test_the_senders_addresses_can_be_asked_for_without_sending(sandbox: Sandbox) -> None:
    body = ask_addresses(sandbox, KeyWord=ACCOUNT)
    assert body.keys() == {"RequestId", "TotalCount", "PageNumber", "PageSize", "data"}
    ((address,), count) = (body["data"]["mailAddress"], body["TotalCount"])
    assert (address["AccountName"], address["AccountStatus"], count) == (ACCOUNT, "0", 1)
    assert sandbox.mails() == []


NAMES = [f"a{i:02}@mail.example.com" for i in range(12)]
ASKED: list[tuple[str, dict[str, str], list[str], int]] = [
    ("everything, by tens", {}, NAMES[:10], 12),
    ("the next ten", {"PageNo": "2"}, NAMES[10:], 12),
    ("fives", {"PageNo": "2", "PageSize": "5"}, NAMES[5:10], 12),
    ("after the last", {"PageNo": "3"}, [], 12),
    ("a part", {"KeyWord": "a1"}, NAMES[10:], 2),
    ("a whole one", {"KeyWord": NAMES[11]}, NAMES[11:], 1),
    ("nobody", {"KeyWord": "nobody"}, [], 0),
]


@pytest.mark.parametrize(
    ("params", "names", "count"), [row[1:] for row in ASKED], ids=[row[0] for row in ASKED]
)
def test_those_that_hold_a_word_come_by_the_page(
    sandbox: Sandbox, params: dict[str, str], names: list[str], count: int
) -> None:
    sandbox.settings(alibaba={"mail_account_names": NAMES})
    body = ask_addresses(sandbox, **params)
    assert [one["AccountName"] for one in body["data"]["mailAddress"]] == names
    assert body["TotalCount"] == count


@pytest.mark.parametrize(
    "params",
    [{"KeyWord": "x" * 61}, {"KeyWord": "a b"}, {"PageNo": "0"}, {"PageSize": "ten"}],
    ids=str,
)
def test_a_wrong_question_about_addresses_is_refused(
    sandbox: Sandbox, params: dict[str, str]
) -> None:
    (name,) = params
    assert ask_addresses(sandbox, **params)["Code"] == f"Invalid{name}"


@pytest.mark.parametrize(
    ("fault", "status", "code", "sent"),
    [
        ({"fault": "error", "code": "InvalidSendMail.Spam"}, 400, "InvalidSendMail.Spam", 0),
        ({"fault": "error", "code": "InternalServiceError"}, 500, "InternalServiceError", 0),
        ({"fault": "throttle"}, 400, "Throttling.User", 0),
        ({"fault": "server_error_after_placing"}, 500, "InternalError", 1),
    ],
)
def test_a_fault_comes_as_an_http_error(
    sandbox: Sandbox, fault: dict[str, Any], status: int, code: str, sent: int
) -> None:
    sandbox.faults("alibaba", fault)
    response = sandbox.ask_mail()
    assert (response.status_code, code_of(response)) == (status, code)
    assert len(sandbox.mails()) == sent


def test_an_empty_success_has_no_id(sandbox: Sandbox) -> None:
    sandbox.faults("alibaba", {"fault": "empty_success"})
    response = sandbox.ask_mail()
    assert (response.status_code, response.json().keys()) == (200, {"RequestId"})
    assert sandbox.mails() == []
