"""Every check of Tencent's SMS, each with a request that is wrong in one way."""

import re
from datetime import datetime
from typing import Any

import pytest

from tests.sandbox.conftest import LI, RIGHT_TEXT, SIGN, SMS_TEMPLATES, WEI, Sandbox, code_of
from tests.sandbox.signing import tc3

Change = dict[str, Any]
NO_SIGN = "FailedOperation.SignatureIncorrectOrUnapproved"
UNAPPROVED = "FailedOperation.TemplateIncorrectOrUnapproved"
OTHER_COUNT = "FailedOperation.TemplateParamSetNotMatchApprovedTemplate"
TOO_LONG = "InvalidParameterValue.TemplateParameterLengthLimit"
URL = "InvalidParameterValue.ProhibitedUseUrlInTemplateParameter"
FORMAT = "InvalidParameterValue.TemplateParameterFormatError"
NO_APP = "UnauthorizedOperation.SmsSdkAppIdVerifyFail"


def values(*given: Any) -> Change:
    return {"TemplateParamSet": list(given)}


def numbers(*given: Any) -> Change:
    return {"PhoneNumberSet": list(given)}


WRONG: list[tuple[str, Change, str]] = [
    ("no numbers", {"PhoneNumberSet": None}, "MissingParameter.EmptyPhoneNumberSet"),
    ("an empty list of numbers", numbers(), "MissingParameter.EmptyPhoneNumberSet"),
    ("a number that is no list", {"PhoneNumberSet": LI}, "InvalidParameter"),
    ("201 numbers", numbers(*[LI] * 201), "LimitExceeded.PhoneNumberCountLimit"),
    (
        "numbers of two countries",
        numbers(LI, "+85221234567"),
        "UnsupportedOperation.ContainDomesticAndInternationalPhoneNumber",
    ),
    ("a foreign number for a text of the mainland", numbers("+85221234567"), UNAPPROVED),
    ("no application", {"SmsSdkAppId": None}, "MissingParameter"),
    ("another application", {"SmsSdkAppId": "1400000000"}, NO_APP),
    ("no sign name", {"SignName": None}, NO_SIGN),
    ("another sign name", {"SignName": "别人"}, NO_SIGN),
    ("no template", {"TemplateId": None}, "MissingParameter"),
    ("a template that is not approved", {"TemplateId": "9999"}, UNAPPROVED),
    ("a template that is a number", {"TemplateId": 2001}, "InvalidParameter"),
    ("a variable too few", values("磁盘将满"), OTHER_COUNT),
    ("a variable too many", values("磁盘将满", "7", "8"), OTHER_COUNT),
    ("no variables", {"TemplateParamSet": None}, OTHER_COUNT),
    ("variables for a text without any", {"TemplateId": "2002"}, OTHER_COUNT),
    ("an empty variable", values("磁盘将满", ""), FORMAT),
    ("a variable that is a number", values("磁盘将满", 7), FORMAT),
    ("a variable of 7 characters", values("满" * 7, "7"), TOO_LONG),
    ("a URL", values("https://example.com", "7"), URL),
    ("a domain", values("a.cn", "7"), URL),
    ("an IP address", values("10.0.0.1", "7"), URL),
    ("a forbidden sign", values("磁盘★", "7"), "FailedOperation.ContainSensitiveWord"),
    ("a context of 512 bytes", {"SessionContext": "x" * 512}, "InvalidParameterValue"),
    ("a parameter of a call", {"CalledNumber": LI}, "UnknownParameter"),
]


@pytest.mark.parametrize(
    ("change", "code"), [(c, code) for _, c, code in WRONG], ids=[name for name, _, _ in WRONG]
)
def test_a_wrong_request_is_refused_and_texts_nobody(
    sandbox: Sandbox, change: Change, code: str
) -> None:
    response = sandbox.ask_text("tencent", change)
    assert response.status_code == 200
    assert response.json()["Response"].keys() == {"Error", "RequestId"}
    assert code_of(response) == code
    assert sandbox.texts() == []


HOW: list[tuple[str, str, dict[str, Any], str]] = [
    ("a signature for calls", "SendSms", {"service": "vms"}, "AuthFailure.SignatureFailure"),
    ("the version of calls", "SendSms", {"version": "2020-09-02"}, "NoSuchVersion"),
    ("another region", "SendSms", {"region": "mars-1"}, "UnsupportedRegion"),
    ("an unknown action", "SendMagicSms", {}, "InvalidAction"),
    ("an unknown key", "SendSms", {"keys": ("AKIDother", "x")}, "AuthFailure.SecretIdNotFound"),
]


@pytest.mark.parametrize(
    ("action", "how", "code"), [row[1:] for row in HOW], ids=[row[0] for row in HOW]
)
def test_a_request_that_is_not_rightly_addressed_is_refused(
    sandbox: Sandbox, action: str, how: dict[str, Any], code: str
) -> None:
    how = {"version": "2021-01-11", "service": "sms", **how}
    response = sandbox.send(tc3(sandbox.host, action, RIGHT_TEXT["tencent"], **how))
    assert code_of(response) == code
    assert sandbox.texts() == []


def test_a_body_that_is_no_json_is_refused(sandbox: Sandbox) -> None:
    how = {"version": "2021-01-11", "service": "sms"}
    assert code_of(sandbox.send(tc3(sandbox.host, "SendSms", b"{", **how))) == (
        "FailedOperation.JsonParseFail"
    )


RIGHT_ONES: list[tuple[str, Change]] = [
    ("everything", {}),
    ("no context", {"SessionContext": None}),
    ("a variable of 6 characters", values("满" * 6, "7")),
    ("a context of 511 bytes", {"SessionContext": "x" * 511}),
    ("no variables", {"TemplateId": "2002", "TemplateParamSet": []}),
    *[(f"a number in the form {n}", numbers(n)) for n in ("13700000000", "008613700000000")],
]


@pytest.mark.parametrize("change", [c for _, c in RIGHT_ONES], ids=[name for name, _ in RIGHT_ONES])
def test_a_right_request_is_accepted_in_the_documented_shape(
    sandbox: Sandbox, change: Change
) -> None:
    response = sandbox.ask_text("tencent", change)
    assert response.headers["content-type"] == "application/json"
    assert response.json()["Response"].keys() == {"SendStatusSet", "RequestId"}, response.text
    (status,) = response.json()["Response"]["SendStatusSet"]
    assert re.fullmatch(r"8:\d+", status.pop("SerialNo"))
    context = {**RIGHT_TEXT["tencent"], **change}["SessionContext"] or ""
    assert status == {
        "PhoneNumber": LI,
        "Fee": 1,
        "SessionContext": context,
        "Code": "Ok",
        "Message": "send success",
        "IsoCode": "CN",
    }
    (text,) = sandbox.texts()
    assert (text["carrier"], text["number"], text["sign"]) == ("tencent", LI, SIGN)
    assert text["ref"] == context


def test_the_text_is_the_approved_one_with_its_variables(sandbox: Sandbox) -> None:
    serial = sandbox.text("tencent")
    (text,) = sandbox.texts()
    assert text["text"] == "告警磁盘将满,回复1认领,编号7。"
    assert (text["id"], text["template"], text["ref"]) == (serial, "2001", "ref-1")


def test_a_variable_may_be_longer_where_the_account_may(sandbox: Sandbox) -> None:
    sandbox.settings(tencent={"sms_variable_chars": 12})
    assert sandbox.text("tencent", TemplateParamSet=["满" * 12, "7"])
    assert code_of(sandbox.ask_text("tencent", values("满" * 13, "7"))) == TOO_LONG


def test_a_text_over_500_characters_with_its_sign_name_is_refused(sandbox: Sandbox) -> None:
    fixed = 500 - len(f"【{SIGN}】") - 2
    for length in (fixed, fixed + 1):
        templates = {**SMS_TEMPLATES["tencent"], "2003": "满" * length + "{1}"}
        sandbox.settings(tencent={"sms_templates": templates})
        response = sandbox.ask_text("tencent", {"TemplateId": "2003", **values("ab")})
        if length == fixed:
            assert response.json()["Response"]["SendStatusSet"][0]["Fee"] == 8
        else:
            assert code_of(response) == "InvalidParameterValue.ContentLengthLimit"


def test_what_is_wrong_with_one_number_stands_beside_it(sandbox: Sandbox) -> None:
    asked = numbers(LI, "+861370000000", "nobody", WEI)
    body = sandbox.ask_text("tencent", asked).json()["Response"]
    assert "Error" not in body
    statuses = body["SendStatusSet"]
    bad = "InvalidParameterValue.IncorrectPhoneNumber"
    assert [status["Code"] for status in statuses] == ["Ok", bad, bad, "Ok"]
    assert [bool(status["SerialNo"]) for status in statuses] == [True, False, False, True]
    assert statuses[0]["SerialNo"] != statuses[3]["SerialNo"]
    assert [text["number"] for text in sandbox.texts()] == [LI, WEI]


def test_statuses_can_be_pulled_for_a_number(sandbox: Sandbox) -> None:
    began = int(datetime.fromisoformat(sandbox.now()).timestamp())
    sandbox.phone(WEI, "ring", sms="fail", sms_error="REJECTD")
    serials = [sandbox.text("tencent", PhoneNumberSet=[number]) for number in (LI, WEI, LI)]

    def pulled(number: str, **change: Any) -> Any:
        asked = {"BeginTime": began, "Offset": 0, "Limit": 10, "PhoneNumber": number, **change}
        asked["SmsSdkAppId"] = "1400000001"
        how = {"version": "2021-01-11", "service": "sms"}
        signed = tc3(sandbox.host, "PullSmsSendStatusByPhoneNumber", asked, **how)
        return sandbox.send(signed).json()["Response"]

    assert pulled(LI)["PullSmsSendStatusSet"] == []
    sandbox.advance(3)
    found = pulled(LI)["PullSmsSendStatusSet"]
    assert [one["SerialNo"] for one in found] == [serials[0], serials[2]]
    assert {one["ReportStatus"] for one in found} == {"SUCCESS"}
    (failed,) = pulled(WEI)["PullSmsSendStatusSet"]
    assert (failed["ReportStatus"], failed["Description"]) == ("FAIL", "REJECTD")
    assert (failed["CountryCode"], failed["SubscriberNumber"]) == ("86", WEI.removeprefix("+86"))
    assert len(pulled(LI, Limit=1)["PullSmsSendStatusSet"]) == 1
    assert pulled(LI, BeginTime=began + 3600)["PullSmsSendStatusSet"] == []
    assert pulled(LI, Limit=101)["Error"]["Code"] == "InvalidParameterValue"
