"""What every SMS adapter does alike, with its real SDK against the sandbox over real HTTP."""

import contextlib
import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest

from clouds import alibaba as alibaba_cloud
from clouds import tencent as tencent_cloud
from paging.errors import DeliveryError, Row
from sms import alibaba, tencent
from tests.sms import documented
from tests.sms.conftest import NUMBER, make, request
from tests.telephony.documented import ALIBABA_COMMON, TENCENT_COMMON, Refusal
from tests.telephony.wire import (
    JSON,
    Expected,
    Raw,
    answering,
    check,
    check_probe,
    check_probe_of_nobody,
    closed_port,
    refused,
)


def refusal_of(send: Callable[[], object], caplog: pytest.LogCaptureFixture) -> DeliveryError:
    """The one error that may come of this; no trace of number or message comes with it."""
    return refused(send, caplog, NUMBER.removeprefix("+86"), "db-1", "数据库")


# Every code of the documents.

TABLES: dict[str, tuple[dict[str, Row], Sequence[Refusal]]] = {
    "alibaba": (alibaba.CODES, documented.ALIBABA_SMS),
    "tencent": (tencent.CODES, documented.TENCENT_SMS),
}
COMMON = {"alibaba": ALIBABA_COMMON, "tencent": TENCENT_COMMON}


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


# Every way in which the wire breaks.


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
