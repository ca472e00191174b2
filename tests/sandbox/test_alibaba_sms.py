"""Every check of Alibaba's SMS, each with a request that is wrong in one way."""

import json
import re
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from tests.sandbox.conftest import LI, RIGHT_TEXT, SIGN, SMS_TEMPLATES, WEI, Sandbox, code_of
from tests.sandbox.signing import acs3, rpc1

CHINA = timezone(timedelta(hours=8))
BAD_NUMBER, NO_SIGN = "isv.MOBILE_NUMBER_ILLEGAL", "isv.SMS_SIGNATURE_ILLEGAL"
NO_TEMPLATE, TOO_LONG = "isv.SMS_TEMPLATE_ILLEGAL", "isv.PARAM_LENGTH_LIMIT"
MISSING, WRONG_VALUE = "isv.TEMPLATE_MISSING_PARAMETERS", "isv.TEMPLATE_PARAMS_ILLEGAL"
NOT_JSON, URL = "isv.INVALID_JSON_PARAM", "isv.PARAM_NOT_SUPPORT_URL"
Change = dict[str, Any]


def title(value: Any) -> Change:
    return {"TemplateParam": json.dumps({"title": value, "code": "7"})}


WRONG: list[tuple[str, Change, str]] = [
    ("no number", {"PhoneNumbers": None}, BAD_NUMBER),
    ("an empty number", {"PhoneNumbers": ""}, BAD_NUMBER),
    ("a number too short", {"PhoneNumbers": "1370000000"}, BAD_NUMBER),
    ("a landline", {"PhoneNumbers": "057188888888"}, BAD_NUMBER),
    ("a foreign number", {"PhoneNumbers": "85221234567"}, BAD_NUMBER),
    ("one wrong number of two", {"PhoneNumbers": "13700000000,137"}, BAD_NUMBER),
    ("a list that ends in a comma", {"PhoneNumbers": "13700000000,"}, BAD_NUMBER),
    (
        "1001 numbers",
        {"PhoneNumbers": ",".join(f"1370000{i:04d}" for i in range(1001))},
        "isv.MOBILE_COUNT_OVER_LIMIT",
    ),
    ("no sign name", {"SignName": None}, NO_SIGN),
    ("another sign name", {"SignName": "别人"}, NO_SIGN),
    ("a sign name in brackets", {"SignName": f"【{SIGN}】"}, NO_SIGN),
    ("no template", {"TemplateCode": None}, NO_TEMPLATE),
    ("a template that is not approved", {"TemplateCode": "OTHER"}, NO_TEMPLATE),
    ("no variables", {"TemplateParam": None}, MISSING),
    ("a variable too few", {"TemplateParam": '{"title": "磁盘将满"}'}, MISSING),
    (
        "a variable too many",
        {"TemplateParam": '{"title": "磁盘", "code": "7", "level": "x"}'},
        WRONG_VALUE,
    ),
    ("variables for a text without any", {"TemplateCode": "PLAIN"}, WRONG_VALUE),
    ("variables that are no JSON", {"TemplateParam": "{"}, NOT_JSON),
    ("variables that are a list", {"TemplateParam": '["磁盘将满"]'}, NOT_JSON),
    ("a variable that is a list", title(["磁盘将满"]), WRONG_VALUE),
    ("an empty variable", title(""), WRONG_VALUE),
    ("a variable of white space", title("  "), WRONG_VALUE),
    ("a variable of 36 characters", title("满" * 36), TOO_LONG),
    ("a URL", title("见https://example.com"), URL),
    ("a domain", title("访问db.example.cn查看"), URL),
    ("an IPv4 address", title("主机10.0.0.1满"), URL),
    ("an IPv6 address", title("主机fe80::1满"), URL),
    ("a bracket", title("【磁盘将满"), "isv.SMS_CONTENT_ILLEGAL"),
    ("the other bracket", title("磁盘将满】"), "isv.SMS_CONTENT_ILLEGAL"),
    ("an extension with a letter", {"SmsUpExtendCode": "12a"}, "isv.EXTEND_CODE_ERROR"),
]


@pytest.mark.parametrize(
    ("change", "code"), [(c, code) for _, c, code in WRONG], ids=[name for name, _, _ in WRONG]
)
def test_a_wrong_request_is_refused_and_texts_nobody(
    sandbox: Sandbox, change: Change, code: str
) -> None:
    response = sandbox.ask_text("alibaba", change)
    assert response.status_code == 200
    assert response.json().keys() == {"RequestId", "Code", "Message"}
    assert code_of(response) == code
    assert sandbox.texts() == []


def test_a_refusal_is_http_400_where_told_so(sandbox: Sandbox) -> None:
    sandbox.settings(alibaba={"error_http_status": 400})
    response = sandbox.ask_text("alibaba", {"SignName": "别人"})
    assert (response.status_code, code_of(response)) == (400, NO_SIGN)
    assert response.json()["HostId"] == sandbox.host


def test_a_text_over_500_characters_with_its_sign_name_is_refused(sandbox: Sandbox) -> None:
    fixed = 500 - len(f"【{SIGN}】") - 2
    for length, code in ((fixed, "OK"), (fixed + 1, TOO_LONG)):
        template = {"LONG": "满" * length + "${a}"}
        sandbox.settings(alibaba={"sms_templates": {**SMS_TEMPLATES["alibaba"], **template}})
        asked = {"TemplateCode": "LONG", "TemplateParam": '{"a": "ab"}'}
        if length > fixed:
            asked["TemplateParam"] = '{"a": "ab"}'
        assert code_of(sandbox.ask_text("alibaba", asked)) == code


@pytest.mark.parametrize(
    ("how", "status", "code"),
    [
        ({"keys": ("LTAI-other", "x")}, 404, "InvalidAccessKeyId.NotFound"),
        ({"keys": ("LTAI-test-id", "x")}, 400, "SignatureDoesNotMatch"),
        ({"version": "2015-11-23"}, 404, "InvalidAction.NotFound"),
        ({"version": "2016-01-01"}, 400, "InvalidVersion"),
    ],
)
def test_a_request_that_is_not_rightly_addressed_is_refused(
    sandbox: Sandbox, how: dict[str, Any], status: int, code: str
) -> None:
    signed = acs3(sandbox.host, "SendSms", RIGHT_TEXT["alibaba"], **how)
    response = sandbox.send(signed)
    assert (response.status_code, code_of(response)) == (status, code)
    assert sandbox.texts() == []


RIGHT_ONES: list[tuple[str, Change, str]] = [
    ("everything", {}, "告警磁盘将满,回复1认领,编号7。"),
    ("no OutId", {"OutId": None}, "告警磁盘将满,回复1认领,编号7。"),
    ("a text without variables", {"TemplateCode": "PLAIN", "TemplateParam": None}, "有新的告警。"),
    (
        "an empty table of variables",
        {"TemplateCode": "PLAIN", "TemplateParam": "{}"},
        "有新的告警。",
    ),
    ("a variable of 35 characters", title("满" * 35), f"告警{'满' * 35},回复1认领,编号7。"),
    ("what a call may not say", title("db-1: 90% #3/4"), "告警db-1: 90% #3/4,回复1认领,编号7。"),
    ("emoji", title("磁盘🔥"), "告警磁盘🔥,回复1认领,编号7。"),
    *[
        (
            f"a number in the form {number}",
            {"PhoneNumbers": number},
            "告警磁盘将满,回复1认领,编号7。",
        )
        for number in ("+8613700000000", "8613700000000", "008613700000000", "+13700000000")
    ],
]


@pytest.mark.parametrize(
    ("change", "said"), [(c, said) for _, c, said in RIGHT_ONES], ids=[n for n, _, _ in RIGHT_ONES]
)
def test_a_right_request_is_accepted_in_the_documented_shape(
    sandbox: Sandbox, change: Change, said: str
) -> None:
    body = sandbox.ask_text("alibaba", change).json()
    assert body.keys() == {"RequestId", "Code", "Message", "BizId"}
    assert body["Code"] == "OK"
    assert re.fullmatch(r"\d+\^0", body["BizId"])
    (text,) = sandbox.texts()
    assert (text["id"], text["carrier"], text["number"]) == (body["BizId"], "alibaba", LI)
    assert (text["sign"], text["text"]) == (SIGN, said)
    assert (text["status"], text["direction"]) == ("sent", "out")


def test_the_older_signature_is_as_good(sandbox: Sandbox) -> None:
    response = sandbox.send(rpc1(sandbox.host, "SendSms", RIGHT_TEXT["alibaba"]))
    assert code_of(response) == "OK"


def test_several_numbers_share_an_id_and_each_gets_its_text(sandbox: Sandbox) -> None:
    biz_id = sandbox.text("alibaba", PhoneNumbers="13700000000,13700000001,13700000000")
    texts = sandbox.texts()
    assert [text["number"] for text in texts] == [LI, WEI]
    assert texts[0]["id"] == biz_id
    assert len({text["id"] for text in texts}) == 2
    assert sandbox.text("alibaba") != biz_id


# --- the query ----------------------------------------------------------------------------------


def details(sandbox: Sandbox, **change: Any) -> Any:
    today = datetime.fromisoformat(sandbox.now()).astimezone(CHINA)
    asked = {
        "PhoneNumber": "13700000000",
        "SendDate": today.strftime("%Y%m%d"),
        "PageSize": "10",
        "CurrentPage": "1",
    }
    given = {k: v for k, v in {**asked, **change}.items() if v is not None}
    return sandbox.send(acs3(sandbox.host, "QuerySendDetails", given)).json()


@pytest.mark.parametrize(
    ("sms", "status", "code"),
    [("deliver", 3, "DELIVERED"), ("fail", 2, "MK:0001"), ("silent", 1, "")],
)
def test_the_query_says_what_became_of_a_text(
    sandbox: Sandbox, sms: str, status: int, code: str
) -> None:
    sandbox.phone(LI, "ring", sms=sms, sms_error="MK:0001")
    biz_id = sandbox.text("alibaba")
    sandbox.text("alibaba", PhoneNumbers="13700000001")
    sandbox.advance(3)
    body = details(sandbox, BizId=biz_id)
    assert (body["Code"], body["TotalCount"]) == ("OK", "1")
    (found,) = body["SmsSendDetailDTOs"]["SmsSendDetailDTO"]
    assert found["Content"] == f"【{SIGN}】告警磁盘将满,回复1认领,编号7。"
    assert (found["PhoneNum"], found["OutId"], found["TemplateCode"]) == (
        "13700000000",
        "ref-1",
        "PAGE",
    )
    assert (found["SendStatus"], found["ErrCode"]) == (status, code)
    assert bool(found["ReceiveDate"]) == (sms != "silent")


def test_the_query_has_pages(sandbox: Sandbox) -> None:
    ids = [sandbox.text("alibaba", OutId=f"ref-{i}") for i in range(3)]
    pages = [details(sandbox, PageSize="2", CurrentPage=page) for page in ("1", "2", "3")]
    refs = [
        [one["OutId"] for one in body["SmsSendDetailDTOs"]["SmsSendDetailDTO"]] for body in pages
    ]
    assert refs == [["ref-2", "ref-1"], ["ref-0"], []]
    assert details(sandbox, BizId=ids[1])["TotalCount"] == "1"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"PhoneNumber": None}, BAD_NUMBER),
        ({"SendDate": "today"}, "isv.INVALID_PARAMETERS"),
        ({"SendDate": "20000101"}, "isv.INVALID_PARAMETERS"),
        ({"PageSize": "51"}, "isv.INVALID_PARAMETERS"),
        ({"PageSize": None}, "isv.INVALID_PARAMETERS"),
        ({"CurrentPage": "0"}, "isv.INVALID_PARAMETERS"),
    ],
)
def test_a_wrong_query_is_refused(sandbox: Sandbox, change: Change, code: str) -> None:
    assert details(sandbox, **change)["Code"] == code
