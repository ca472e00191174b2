"""Every check of Tencent's stand-in, each with a request that is wrong in one way."""

import json
import re
import time
from typing import Any

import httpx2
import pytest

from tests.sandbox.conftest import LI, RIGHT, Sandbox, changed, code_of
from tests.sandbox.signing import tc3

CALLS = ("SendTtsVoice", "SendCodeVoice")
Change = dict[str, Any]

BAD_NUMBER = "InvalidParameterValue.CalledNumberVerifyFail"
NO_APP = "InvalidParameterValue.SdkAppidNotExist"
SENSITIVE = "FailedOperation.ContainSensitiveWord"
TOO_LONG = "InvalidParameterValue.ContentLengthLimit"
UNAPPROVED = "FailedOperation.TemplateIncorrectOrUnapproved"
INVALID = "FailedOperation.InvalidParameters"

WRONG: list[tuple[str, Change, str]] = [
    ("no number", {"CalledNumber": None}, "MissingParameter"),
    ("an empty number", {"CalledNumber": ""}, "MissingParameter"),
    ("a number without a plus", {"CalledNumber": "8613700000000"}, BAD_NUMBER),
    ("a bare mainland number", {"CalledNumber": "13700000000"}, BAD_NUMBER),
    ("a number with 0086", {"CalledNumber": "008613700000000"}, BAD_NUMBER),
    ("a number with spaces", {"CalledNumber": "+86 13700000000"}, BAD_NUMBER),
    ("a number of no country", {"CalledNumber": "+99913700000000"}, BAD_NUMBER),
    ("a number too short", {"CalledNumber": "+86137"}, BAD_NUMBER),
    ("a number that is a number", {"CalledNumber": 8613700000000}, "InvalidParameter"),
    ("no application", {"VoiceSdkAppid": None}, "MissingParameter"),
    ("another application", {"VoiceSdkAppid": "1400000009"}, NO_APP),
    ("an application that is a number", {"VoiceSdkAppid": 1400000000}, "InvalidParameter"),
    ("PlayTimes 0", {"PlayTimes": 0}, "InvalidParameterValue"),
    ("PlayTimes 4", {"PlayTimes": 4}, "InvalidParameterValue"),
    ("PlayTimes -1", {"PlayTimes": -1}, "InvalidParameterValue"),
    ("PlayTimes as text", {"PlayTimes": "2"}, "InvalidParameter"),
    ("PlayTimes true", {"PlayTimes": True}, "InvalidParameter"),
    ("a context that is a table", {"SessionContext": {}}, "InvalidParameter"),
    ("a parameter that does not exist", {"OutId": "ref-1"}, "UnknownParameter"),
]


# What is left for the variables of the 350 characters.
MOST = 350 - len("告警,级别。认领请按1。")


def values(*given: Any) -> Change:
    return {"TemplateParamSet": list(given)}


OF_TTS: list[tuple[str, Change, str]] = [
    ("no template", {"TemplateId": None}, "MissingParameter"),
    ("a template that is not approved", {"TemplateId": "9999"}, UNAPPROVED),
    ("a template that is a number", {"TemplateId": 1001}, "InvalidParameter"),
    ("a template that is a list", {"TemplateId": ["1001"]}, "InvalidParameter"),
    ("no variables", {"TemplateParamSet": None}, UNAPPROVED),
    ("one variable too few", values("磁盘将满"), UNAPPROVED),
    ("one variable too many", values("磁盘将满", "严重", "3"), UNAPPROVED),
    ("variables for a text without any", {"TemplateId": "1002"}, UNAPPROVED),
    ("variables that are a table", {"TemplateParamSet": {"1": "a"}}, "InvalidParameter"),
    ("variables that are a text", {"TemplateParamSet": "磁盘"}, "InvalidParameter"),
    ("a variable that is a number", values("磁盘将满", 3), INVALID),
    ("an empty variable", values("磁盘将满", ""), INVALID),
    ("a variable of white space", values(" ", "严重"), INVALID),
    ("content of 351 characters", values("满" * (MOST - 1), "严重"), TOO_LONG),
    ("a very long variable", values("a" * 50_000, "严重"), TOO_LONG),
    ("a URL", values("见https://example.com", "严重"), SENSITIVE),
    ("a domain", values("访问db.example.cn查看", "严重"), SENSITIVE),
    ("an IPv4 address", values("主机10.0.0.1满", "严重"), SENSITIVE),
    ("an IPv6 address", values("主机fe80::1满", "严重"), SENSITIVE),
    *[(f"a {mark}", values(f"磁盘{mark}满", "严重"), SENSITIVE) for mark in "¥￥★☞✓※"],
    ("a ^_^&", values("磁盘^_^&满", "严重"), SENSITIVE),
    ("a code", {"CodeMessage": "1234"}, "UnknownParameter"),
]
OF_CODE: list[tuple[str, Change, str]] = [
    ("no code", {"CodeMessage": None}, "MissingParameter"),
    ("an empty code", {"CodeMessage": ""}, "MissingParameter"),
    ("a code with a letter", {"CodeMessage": "12a4"}, INVALID),
    ("a code of full-width digits", {"CodeMessage": "１２３４"}, INVALID),
    ("a code that is a number", {"CodeMessage": 1234}, "InvalidParameter"),
    ("a template", {"TemplateId": "1001"}, "UnknownParameter"),
]
TABLE: list[tuple[str, str, Change, str]] = [
    *[(action, name, change, code) for action in CALLS for name, change, code in WRONG],
    *[("SendTtsVoice", name, change, code) for name, change, code in OF_TTS],
    *[("SendCodeVoice", name, change, code) for name, change, code in OF_CODE],
]


def assert_refused(sandbox: Sandbox, response: httpx2.Response, code: str) -> None:
    """In the form of every error of this carrier, and with no call made."""
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"
    body = response.json()
    assert body.keys() == {"Response"}
    assert body["Response"].keys() == {"Error", "RequestId"}
    assert body["Response"]["Error"].keys() == {"Code", "Message"}
    assert body["Response"]["Error"]["Code"] == code, body
    assert body["Response"]["Error"]["Message"]
    assert sandbox.calls() == []


@pytest.mark.parametrize(
    ("action", "change", "code"),
    [(action, change, code) for action, _, change, code in TABLE],
    ids=[f"{action} with {name}" for action, name, _, _ in TABLE],
)
def test_a_wrong_request_is_refused_and_calls_nobody(
    sandbox: Sandbox, action: str, change: Change, code: str
) -> None:
    assert_refused(sandbox, sandbox.ask(action, changed(action, change)), code)


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b'"x"', b"\xff"], ids=["empty", "cut", "list", "text", "bytes"]
)
def test_a_body_that_is_no_json_object_is_refused(sandbox: Sandbox, body: bytes) -> None:
    response = sandbox.ask("SendTtsVoice", body)
    assert_refused(sandbox, response, "FailedOperation.InvalidJsonParameters")


HOW: list[tuple[str, dict[str, Any], str]] = [
    ("an unknown key", {"keys": ("AKIDother", "x")}, "AuthFailure.SecretIdNotFound"),
    ("another secret", {"keys": ("AKIDtest", "x")}, "AuthFailure.SignatureFailure"),
    ("a time 6 minutes ago", {"at": -360}, "AuthFailure.SignatureExpire"),
    ("a time in 6 minutes", {"at": 360}, "AuthFailure.SignatureExpire"),
    ("the signature of another day", {"date": "2026-11-22"}, "AuthFailure.SignatureFailure"),
    ("the signature of another product", {"service": "sms"}, "AuthFailure.SignatureFailure"),
    ("another version", {"version": "2021-01-11"}, "NoSuchVersion"),
    ("another region", {"region": "mars-1"}, "UnsupportedRegion"),
    ("no region", {"region": None}, "UnsupportedRegion"),
]


@pytest.mark.parametrize("action", CALLS)
@pytest.mark.parametrize(
    ("how", "code"), [(how, code) for _, how, code in HOW], ids=[name for name, _, _ in HOW]
)
def test_a_request_that_is_not_rightly_addressed_is_refused(
    sandbox: Sandbox, action: str, how: dict[str, Any], code: str
) -> None:
    if "at" in how:
        how = {"at": time.time() + how["at"]}
    assert_refused(sandbox, sandbox.ask(action, RIGHT[action], **how), code)


def test_an_action_that_does_not_exist_is_refused(sandbox: Sandbox) -> None:
    assert_refused(sandbox, sandbox.ask("SendMagicVoice", RIGHT["SendTtsVoice"]), "InvalidAction")


CHANGED_AFTERWARDS: list[tuple[str, dict[str, str | None]]] = [
    ("no authorization", {"authorization": None}),
    ("an authorization of another scheme", {"authorization": "Bearer x"}),
    ("no time", {"x-tc-timestamp": None}),
    ("another time", {"x-tc-timestamp": "1795378129"}),
]


@pytest.mark.parametrize(
    "headers", [h for _, h in CHANGED_AFTERWARDS], ids=[name for name, _ in CHANGED_AFTERWARDS]
)
def test_a_header_that_was_changed_is_refused(
    sandbox: Sandbox, headers: dict[str, str | None]
) -> None:
    signed = tc3(sandbox.host, "SendTtsVoice", RIGHT["SendTtsVoice"]).changed(**headers)
    assert_refused(sandbox, sandbox.send(signed), "AuthFailure.SignatureFailure")


def test_a_body_that_was_changed_is_refused(sandbox: Sandbox) -> None:
    signed = tc3(sandbox.host, "SendTtsVoice", RIGHT["SendTtsVoice"])
    other = json.dumps(changed("SendTtsVoice", {"CalledNumber": "+8613700000001"}))
    response = sandbox.http.post("/", headers=signed.headers, content=other)
    assert_refused(sandbox, response, "AuthFailure.SignatureFailure")


RIGHT_ONES: list[tuple[str, str, Change]] = [
    *[(action, "everything", {}) for action in CALLS],
    *[(action, "no PlayTimes", {"PlayTimes": None}) for action in CALLS],
    *[(action, f"PlayTimes {n}", {"PlayTimes": n}) for action in CALLS for n in (1, 2, 3)],
    *[(action, "a foreign number", {"CalledNumber": "+85221234567"}) for action in CALLS],
    ("SendTtsVoice", "content of 350 characters", values("满" * (MOST - 2), "严重")),
    ("SendTtsVoice", "a time of day", values("10:30:45起", "严重")),
    ("SendTtsVoice", "Alibaba's forbidden marks", values("a-b/c:d#e%【f】", "严重")),
    ("SendTtsVoice", "no variables", {"TemplateId": "1002", "TemplateParamSet": []}),
    ("SendTtsVoice", "variables left out", {"TemplateId": "1002", "TemplateParamSet": None}),
]


@pytest.mark.parametrize(
    ("action", "change"),
    [(action, change) for action, _, change in RIGHT_ONES],
    ids=[f"{action} with {name}" for action, name, _ in RIGHT_ONES],
)
def test_a_right_request_is_accepted_in_the_documented_shape(
    sandbox: Sandbox, action: str, change: Change
) -> None:
    response = sandbox.ask(action, changed(action, change))
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"
    body = response.json()
    assert body.keys() == {"Response"}
    assert body["Response"].keys() == {"SendStatus", "RequestId"}, body
    status = body["Response"]["SendStatus"]
    assert status.keys() == {"CallId", "SessionContext"}
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", status["CallId"])
    assert status["SessionContext"] == "ref-1"
    (call,) = sandbox.calls()
    assert call["id"] == status["CallId"]


def test_the_call_is_what_was_asked_for(sandbox: Sandbox) -> None:
    sandbox.place("SendTtsVoice")
    (call,) = sandbox.calls()
    assert (call["number"], call["ref"]) == (LI, "ref-1")
    assert call["text"] == "告警磁盘将满,级别严重。认领请按1。"


def test_a_code_is_read_out_digit_by_digit(sandbox: Sandbox) -> None:
    sandbox.place("SendCodeVoice")
    assert "1、2、3、4" in sandbox.calls()[0]["text"]


def test_every_call_has_its_own_id(sandbox: Sandbox) -> None:
    assert len({sandbox.place("SendTtsVoice") for _ in range(3)}) == 3


def test_an_error_may_come_with_the_content_type_that_hides_it_from_the_sdk(
    sandbox: Sandbox,
) -> None:
    sandbox.settings(tencent={"charset": True})
    response = sandbox.ask("SendTtsVoice", changed("SendTtsVoice", {"PlayTimes": 4}))
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json; charset=utf-8"
    assert code_of(response) == "InvalidParameterValue"
