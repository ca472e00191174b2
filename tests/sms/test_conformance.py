"""What every SMS adapter does alike, with its real SDK against the sandbox over real HTTP."""

import asyncio
import contextlib
import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import pytest
from structlog.testing import capture_logs

from clouds import alibaba as alibaba_cloud
from clouds import faults
from clouds import tencent as tencent_cloud
from clouds.pooled import Pooled
from clouds.threads import CallPool
from paging.errors import DeliveryError, Row
from paging.ports import Purpose, Sent
from sms import alibaba, tencent
from tests.sms import documented
from tests.sms.conftest import NUMBER, SIGN, TEXTS, Inbox, Sms, make, request
from tests.telephony.documented import ALIBABA_COMMON, EXAMPLES, TENCENT_COMMON, Refusal
from tests.telephony.wire import (
    BROKEN_ANSWERS,
    DOWN,
    JSON,
    LOST,
    Expected,
    Raw,
    answering,
    check,
    check_probe,
    check_probe_of_nobody,
    closed_port,
    refused,
)

WRITTEN = {
    "alibaba": "严重告警42:数据库 db-1 example com down。回复1认领,编号7。",
    "tencent": "告警42(严重)。回复1认领,编号7。",
}


def refusal_of(send: Callable[[], object], caplog: pytest.LogCaptureFixture) -> DeliveryError:
    """The one error that may come of this; no trace of number or message comes with it."""
    return refused(send, caplog, NUMBER.removeprefix("+86"), "db-1", "数据库")


# What is sent.


def test_a_text_arrives_with_its_number_words_and_ref(adapter: str, sms: Sms, inbox: Inbox) -> None:
    sent = sms.send(request())
    [text] = inbox.texts()
    assert (text["id"], text["carrier"], text["number"]) == (sent.provider_id, adapter, NUMBER)
    assert (text["sign"], text["ref"]) == (SIGN, "r-0123456789abc")
    assert text["text"] == sent.text == WRITTEN[adapter]
    assert sent.silence_s is None  # receipts come, within the time that the settings allow


@pytest.mark.parametrize(
    ("purpose", "fields", "said"),
    [
        ("test", {}, "编号7。"),
        ("code", {"code": "012345"}, "您的验证码是012345。"),
        ("notice", {"responder": "李伟"}, "告警42认领人:李伟。"),
    ],
)
def test_each_purpose_has_its_text(
    purpose: Purpose, fields: dict[str, str], said: str, sms: Sms, inbox: Inbox
) -> None:
    sms.send(request(purpose=purpose, **fields))
    [text] = inbox.texts()
    assert text["text"].endswith(said)


def test_what_cannot_be_written_as_it_is_arrives_all_the_same(adapter: str, inbox: Inbox) -> None:
    """Links, addresses, emoji, right-to-left marks, and ten thousand characters."""
    text = {"alibaba": "告警${a},${b}", "tencent": "告警{1},{2}"}[adapter]
    params: Any = ["title", "details"] if adapter == "tencent" else {"a": "title", "b": "details"}
    page = {"id": "9001", "text": text, "params": params}
    inbox.settings(**{adapter: {"sms_templates": {"9001": text}}})
    sms = make(adapter, inbox.url, templates={"page": page})
    hard = (
        'http://10.0.0.1:80/x?y=%22#1 【¥】[★] ^_^& <b>10:30</b> "🔥\u202e\u200f\x00'
        + "长" * 10_000
    )
    for title, details in ((hard, "HTTP 500 at a.example.com"), ("🔥", hard[::-1])):
        sent = sms.send(request(title=title, details=details))
        assert inbox.texts()[0]["text"] == sent.text
    assert len(inbox.texts()) == 2


def test_alibaba_is_given_numbers_without_their_country(inbox: Inbox) -> None:
    make("alibaba", inbox.url).send(request())
    [asked] = inbox.requests()
    assert asked["params"]["PhoneNumbers"] == "13700000000"


def test_a_purpose_without_a_text_is_refused_before_anything_is_sent(
    adapter: str, inbox: Inbox
) -> None:
    sms = make(adapter, inbox.url, templates={"page": TEXTS[adapter]["page"]})
    with pytest.raises(DeliveryError) as caught:
        sms.send(request(purpose="notice"))
    assert (caught.value.code, caught.value.row.kind) == ("no_template", "misconfigured")
    assert inbox.requests() == []


def test_many_texts_at_once_each_get_their_own_answer(adapter: str, sms: Sms, inbox: Inbox) -> None:
    numbers = [f"+86137000001{i:02}" for i in range(40)]

    async def send() -> list[Sent | None]:
        pool = CallPool(adapter, 16)
        pooled = Pooled(sms, pool, deadline_s=10)
        texts = [
            pooled.send(request(to=number, ref=f"ref-{number[-4:]}"), still_wanted=lambda: True)
            for number in numbers
        ]
        sent = await asyncio.gather(*texts)
        pool.close()
        return sent

    sent = asyncio.run(send())
    by_id = {text["id"]: (text["number"], text["ref"]) for text in inbox.texts()}
    assert [by_id[one.provider_id] for one in sent if one] == [
        (number, f"ref-{number[-4:]}") for number in numbers
    ]


# Every code of the documents.

TABLES: dict[str, tuple[dict[str, Row], Sequence[Refusal]]] = {
    "alibaba": (alibaba.CODES, documented.ALIBABA_SMS),
    "tencent": (tencent.CODES, documented.TENCENT_SMS),
}
COMMON = {"alibaba": ALIBABA_COMMON, "tencent": TENCENT_COMMON}


class Answer(NamedTuple):
    """A documented refusal in one of the forms in which it may come."""

    adapter: str
    refusal: Refusal
    http_status: int | None


def _answers() -> Iterator[Answer]:
    for adapter in TABLES:
        for refusal in (*TABLES[adapter][1], *COMMON[adapter]):
            yield Answer(adapter, refusal, None)
            if adapter == "alibaba" and refusal.code.startswith("isv."):
                yield Answer(adapter, refusal, 400)


@pytest.mark.parametrize(
    "answer", list(_answers()), ids=lambda a: f"{a.adapter}-{a.refusal.code}-{a.http_status or 200}"
)
def test_a_documented_refusal_means_what_its_row_says(
    answer: Answer, inbox: Inbox, caplog: pytest.LogCaptureFixture
) -> None:
    adapter, refusal, http_status = answer
    code = (EXAMPLES | documented.EXAMPLES).get(refusal.code, refusal.code)
    message = f"no text to {NUMBER}: db-1"
    inbox.fault(
        adapter, "error", code=code, http_status=http_status, message=message, action="SendSms"
    )
    sms = make(adapter, inbox.url)
    error = refusal_of(lambda: sms.send(request()), caplog)
    row = error.row
    assert error.code == code
    assert refusal == Refusal(
        refusal.code, row.kind, row.other_provider, row.placed, row.again, row.scope
    )
    assert error.answered
    assert (len(inbox.requests()), inbox.texts()) == (1, [])


@pytest.mark.parametrize("refusal", documented.TENCENT_SMS, ids=lambda refusal: refusal.code)
def test_what_is_wrong_with_one_number_is_said_beside_it(
    refusal: Refusal, caplog: pytest.LogCaptureFixture
) -> None:
    """Tencent's SDK raises nothing then."""
    code = documented.EXAMPLES.get(refusal.code, refusal.code)
    status = {"SerialNo": "", "PhoneNumber": NUMBER, "Code": code, "Message": f"{NUMBER}: db-1"}
    with _answering_tencent({"SendStatusSet": [status]}) as url:
        error = refusal_of(lambda: make("tencent", url).send(request()), caplog)
    row = error.row
    assert (error.code, error.answered) == (code, True)
    assert refusal == Refusal(
        refusal.code, row.kind, row.other_provider, row.placed, row.again, row.scope
    )


@contextlib.contextmanager
def _answering_tencent(response: dict[str, Any]) -> Iterator[str]:
    body = json.dumps({"Response": {**response, "RequestId": "1"}})
    with answering(Raw(200, body, JSON)) as (url, _, _):
        yield url


@pytest.mark.parametrize("cloud", ["alibaba", "tencent"])
def test_every_documented_code_has_one_row_and_no_row_is_made_up(cloud: str) -> None:
    table, refusals = TABLES[cloud]
    assert sorted(refusal.code for refusal in refusals) == sorted(table)
    common = {"alibaba": alibaba_cloud.COMMON, "tencent": tencent_cloud.COMMON}[cloud]
    assert not table.keys() & common.keys()


def test_a_code_that_no_document_names_may_have_sent_the_text_and_is_logged_once(
    adapter: str, sms: Sms, inbox: Inbox
) -> None:
    code = f"Brand.New.Sms.{adapter}"
    logged: list[Any] = []
    for _ in range(2):
        inbox.fault(adapter, "error", code=code)
        with capture_logs() as lines, pytest.raises(DeliveryError) as caught:
            sms.send(request())
        logged += lines
        row = caught.value.row
        assert (caught.value.code, row.kind, row.placed) == (code, "unknown", "maybe")
        assert row.other_provider
    assert [(line["event"], line["code"]) for line in logged] == [("code.unlisted", code)]


# What a carrier refuses by its own rules.

MISCONFIGURED: list[tuple[str, str, dict[str, Any], str]] = [
    ("alibaba", "another key", {"access_key_id": "LTAI-x"}, "InvalidAccessKeyId.NotFound"),
    ("alibaba", "another secret", {"access_key_secret": "x"}, "SignatureDoesNotMatch"),
    ("alibaba", "another sign name", {"sms_sign_names": ["x"]}, "isv.SMS_SIGNATURE_ILLEGAL"),
    ("alibaba", "no such template", {"sms_templates": {}}, "isv.SMS_TEMPLATE_ILLEGAL"),
    (
        "alibaba",
        "a template with more variables",
        {"sms_templates": {"SMS_1": "${level}${number}${title}${code}${host}"}},
        "isv.TEMPLATE_MISSING_PARAMETERS",
    ),
    (
        "alibaba",
        "a template with fewer variables",
        {"sms_templates": {"SMS_1": "告警${number}。"}},
        "isv.TEMPLATE_PARAMS_ILLEGAL",
    ),
    ("tencent", "another key", {"secret_id": "AKIDx"}, "AuthFailure.SecretIdNotFound"),
    ("tencent", "another secret", {"secret_key": "x"}, "AuthFailure.SignatureFailure"),
    (
        "tencent",
        "another application",
        {"sms_sdk_app_ids": ["1400000002"]},
        "UnauthorizedOperation.SmsSdkAppIdVerifyFail",
    ),
    (
        "tencent",
        "another sign name",
        {"sms_sign_names": ["x"]},
        "FailedOperation.SignatureIncorrectOrUnapproved",
    ),
    (
        "tencent",
        "no such template",
        {"sms_templates": {}},
        "FailedOperation.TemplateIncorrectOrUnapproved",
    ),
    (
        "tencent",
        "a template with fewer variables",
        {"sms_templates": {"1001": "告警{1}。"}},
        "FailedOperation.TemplateParamSetNotMatchApprovedTemplate",
    ),
    (
        "tencent",
        "fewer characters in a variable",
        {"sms_variable_chars": 1},
        "InvalidParameterValue.TemplateParameterLengthLimit",
    ),
]


@pytest.mark.parametrize(
    ("adapter", "account", "code"),
    [(adapter, account, code) for adapter, _, account, code in MISCONFIGURED],
    ids=[f"{adapter} {name}" for adapter, name, _, _ in MISCONFIGURED],
)
def test_an_account_that_is_not_as_the_settings_say_is_misconfigured(
    adapter: str,
    account: dict[str, Any],
    code: str,
    inbox: Inbox,
    caplog: pytest.LogCaptureFixture,
) -> None:
    inbox.settings(**{adapter: account})
    sms = make(adapter, inbox.url)
    error = refusal_of(lambda: sms.send(request()), caplog)
    assert (error.code, error.row.kind, error.row.placed) == (code, "misconfigured", "no")
    assert error.row.other_provider
    assert inbox.texts() == []


@pytest.mark.parametrize("number", ["+8612000000000", "+865710000000", "+85251000000"])
def test_a_number_that_is_not_served_would_be_refused(number: str, sms: Sms, inbox: Inbox) -> None:
    assert sms.serves(NUMBER)
    assert not sms.serves(number)
    with pytest.raises(DeliveryError) as caught:
        sms.send(request(to=number))
    assert caught.value.row.placed == "no"
    assert inbox.texts() == []


class Limit(NamedTuple):
    """So many texts are taken, the next is refused, and one after `rest_s` is taken again."""

    adapter: str
    name: str
    taken: int
    code: str
    rest_s: float
    purpose: Purpose = "page"
    alike: bool = True


LIMITS = [
    Limit("alibaba", "a day's notices", 50, "isv.BUSINESS_LIMIT_CONTROL", 86_400),
    Limit("alibaba", "a minute's codes", 1, "isv.BUSINESS_LIMIT_CONTROL", 60, "code"),
    Limit("tencent", "the same text", 1, "LimitExceeded.PhoneNumberThirtySecondLimit", 30),
    Limit(
        "tencent", "a day's texts", 10, "LimitExceeded.PhoneNumberDailyLimit", 86_400, alike=False
    ),
]


@pytest.mark.parametrize("limit", LIMITS, ids=lambda limit: f"{limit.adapter} {limit.name}")
def test_a_number_over_its_limit_is_not_texted_until_later(
    limit: Limit, inbox: Inbox, caplog: pytest.LogCaptureFixture
) -> None:
    inbox.settings(**{limit.adapter: {"limits": True}})
    inbox.to_a_full_minute()
    sms = make(limit.adapter, inbox.url)

    def send(i: int) -> None:
        number = "42" if limit.alike else str(i)
        sms.send(request(purpose=limit.purpose, number=number))

    for i in range(limit.taken):
        send(i)
    error = refusal_of(lambda: send(limit.taken), caplog)
    row = error.row
    assert (error.code, row.kind, row.scope) == (limit.code, "rate_limited", "number")
    assert (row.placed, row.other_provider, row.again) == ("no", True, "later")
    inbox.advance(limit.rest_s)
    send(limit.taken)
    assert len(inbox.texts()) == limit.taken + 1


# Every way in which the wire breaks.


@pytest.mark.parametrize("expected", BROKEN_ANSWERS, ids=lambda e: e.fault)
def test_a_broken_answer_tells_whether_the_text_may_have_gone_and_is_never_asked_for_again(
    adapter: str,
    inbox: Inbox,
    expected: Expected,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(faults, "READ_S", 0.15)
    sms = make(adapter, inbox.url)
    inbox.fault(adapter, expected.fault)
    error = refusal_of(lambda: sms.send(request()), caplog)
    if expected.fault == "empty_success":
        expected = expected._replace(codes=("no_message_id",) * 2)
    check(error, expected, adapter)
    assert len(inbox.requests()) == 1
    assert len(inbox.texts()) == expected.exists


def test_a_gateways_page_may_hide_a_text(
    adapter: str, sms: Sms, inbox: Inbox, caplog: pytest.LogCaptureFixture
) -> None:
    inbox.fault(adapter, "html")
    error = refusal_of(lambda: sms.send(request()), caplog)
    if adapter == "tencent":
        check(error, Expected("", DOWN, "provider_down", "maybe", answered=True), adapter)
    else:
        check(error, Expected("", LOST, "unknown", "maybe"), adapter)


def test_a_request_that_never_left_sent_no_text(
    adapter: str, caplog: pytest.LogCaptureFixture
) -> None:
    with closed_port() as endpoint:
        sms = make(adapter, endpoint)
        error = refusal_of(lambda: sms.send(request()), caplog)
    never = Expected("", ("not_connected",) * 2, "provider_down", "no", answered=True)
    check(error, never, adapter)


@pytest.mark.parametrize(
    "raw",
    [
        *(Raw(200, body, JSON) for body in ("[]", "null", '"OK"', "{}", "", "not JSON")),
        Raw(200, '{"Code": "OK", "BizId": ""}', JSON),
        Raw(200, '{"Response": {"SendStatusSet": []}}', JSON),
        Raw(200, '{"Response": {"SendStatusSet": [{"Code": "Ok", "SerialNo": ""}]}}', JSON),
        Raw(200, '{"Response": {"SendStatusSet": [{"Code": "", "SerialNo": ""}]}}', JSON),
        Raw(200, '{"Response": {"SendStatusSet": ["?"], "RequestId": "1"}}', JSON),
        Raw(
            200,
            '{"Response": {"Error": {"Code": "AuthFailure", "Message": "-"}, "RequestId": "1"}}',
            {"Content-Type": "application/json; charset=utf-8"},
        ),
        Raw(204, "", {}),
        Raw(400, "{}", JSON),
        Raw(502, '{"message": "no upstream"}', JSON),
    ],
    ids=lambda raw: f"{raw.status} {raw.body}",
)
def test_an_answer_of_no_known_form_may_have_sent_the_text(
    adapter: str, raw: Raw, caplog: pytest.LogCaptureFixture
) -> None:
    with answering(raw) as (url, asked, _):
        sms = make(adapter, url)
        error = refusal_of(lambda: sms.send(request()), caplog)
    assert (error.row.placed, error.row.other_provider) == ("maybe", True)
    assert len(asked) == 1


def test_a_connection_is_used_again(adapter: str) -> None:
    status = {"SendStatusSet": [{"Code": "Ok", "SerialNo": "1"}], "RequestId": "1"}
    both = json.dumps({"Code": "OK", "BizId": "1", "Response": status})
    with answering(Raw(200, both, JSON), keep_alive=True) as (url, _, connections):
        sms = make(adapter, url)
        for _ in range(5):
            sms.send(request())
        assert len(connections) == 1


# Whether the keys are right, asked without texting anybody.

PROBED = [
    ("alibaba", 200, {"Code": "isv.INVALID_PARAMETERS"}, "proved"),
    ("alibaba", 400, {"Code": "isv.MOBILE_NUMBER_ILLEGAL"}, "proved"),
    ("alibaba", 200, {"Code": "OK", "TotalCount": 0}, "proved"),
    ("alibaba", 404, {"Code": "InvalidAccessKeyId.NotFound"}, "wrong"),
    ("alibaba", 200, {"Code": "isp.RAM_PERMISSION_DENY"}, "wrong"),
    ("alibaba", 200, {"Code": "isv.OUT_OF_SERVICE"}, "wrong"),
    ("alibaba", 200, {"Code": "isv.PRODUCT_UN_SUBSCRIPT"}, "wrong"),
    ("alibaba", 503, {"Code": "ServiceUnavailable"}, "unprovable"),
    ("tencent", 200, {"Error": {"Code": "MissingParameter.EmptyPhoneNumberSet"}}, "proved"),
    ("tencent", 200, {"Error": {"Code": "FailedOperation.TemplateUnapprovedOrNotExist"}}, "proved"),
    ("tencent", 200, {"Error": {"Code": "AuthFailure.SecretIdNotFound"}}, "wrong"),
    ("tencent", 200, {"Error": {"Code": "InvalidParameterValue.SdkAppIdNotExist"}}, "wrong"),
    ("tencent", 200, {"Error": {"Code": "UnauthorizedOperation.SmsSdkAppIdVerifyFail"}}, "wrong"),
    ("tencent", 200, {"Error": {"Code": "RequestLimitExceeded"}}, "unprovable"),
    ("tencent", 200, {"SendStatusSet": []}, "unprovable"),
    ("tencent", 502, {}, "unprovable"),
]


@pytest.mark.parametrize(("adapter", "status", "said", "verdict"), PROBED, ids=str)
def test_a_probe_sends_nothing_and_claims_no_more_than_it_was_told(
    adapter: str, status: int, said: dict[str, Any], verdict: str
) -> None:
    check_probe(lambda url: make(adapter, url).probe(), adapter, (status, said), verdict)


def test_a_probe_of_nobody_says_that_nobody_answers(adapter: str) -> None:
    check_probe_of_nobody(lambda url: make(adapter, url).probe())


def test_a_probe_texts_nobody(sms: Sms, inbox: Inbox) -> None:
    assert sms.probe()[0] == "proved"
    assert inbox.texts() == []
