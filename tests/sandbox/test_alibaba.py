"""Every check of Alibaba's stand-in, each with a request that is wrong in one way."""

import json
import re
import time
from datetime import datetime
from typing import Any

import httpx2
import pytest

from tests.sandbox.conftest import CALLER, LI, RIGHT, Sandbox, changed, code_of
from tests.sandbox.signing import acs3, rpc1

CALLS = ("SingleCallByTts", "IvrCall")
PARAMS = {"SingleCallByTts": "TtsParam", "IvrCall": "StartTtsParams"}
TEMPLATE = {"SingleCallByTts": "TtsCode", "IvrCall": "StartCode"}
Change = dict[str, str | None]


def variables(**values: object) -> str:
    """TtsParam with these in place of the right ones."""
    return json.dumps({"title": "磁盘将满", "level": "严重", **values}, ensure_ascii=False)


ILLEGAL_NUMBER, ILLEGAL_CALLER = "isv.MOBILE_NUMBER_ILLEGAL", "isv.DISPLAY_NUMBER_ILLEGAL"
ILLEGAL_TEMPLATE, ILLEGAL_PARAMS = "isv.TTS_TEMPLATE_ILLEGAL", "isv.TEMPLATE_PARAMS_ILLEGAL"
INVALID, INVALID_JSON = "isv.INVALID_PARAMETERS", "isv.INVALID_JSON_PARAM"
MISSING, TOO_LONG = "isv.TEMPLATE_MISSING_PARAMETERS", "isv.PARAM_LENGTH_LIMIT"
NO_URL = "isv.PARAM_NOT_SUPPORT_URL"

# (what is wrong, the change, the code): of both actions.
WRONG: list[tuple[str, Change, str]] = [
    ("no number", {"CalledNumber": None}, ILLEGAL_NUMBER),
    ("an empty number", {"CalledNumber": ""}, ILLEGAL_NUMBER),
    ("a number with a plus", {"CalledNumber": "+8613700000000"}, ILLEGAL_NUMBER),
    ("a number with its country", {"CalledNumber": "8613700000000"}, ILLEGAL_NUMBER),
    ("a number of Hong Kong", {"CalledNumber": "85260000000"}, ILLEGAL_NUMBER),
    ("a number with spaces", {"CalledNumber": "137 0000 0000"}, ILLEGAL_NUMBER),
    ("a number too short", {"CalledNumber": "1370000000"}, ILLEGAL_NUMBER),
    ("two numbers", {"CalledNumber": "13700000000,13700000001"}, ILLEGAL_NUMBER),
    ("a number of full-width digits", {"CalledNumber": "１３７００００００００"}, ILLEGAL_NUMBER),
    ("a caller of somebody else", {"CalledShowNumber": "05719999999"}, ILLEGAL_CALLER),
    ("an OutId of 16 bytes", {"OutId": "0123456789abcdef"}, INVALID),
    ("an OutId of 18 bytes in 6 characters", {"OutId": "一二三四五六"}, INVALID),
    ("an OutId of 0 bytes", {"OutId": ""}, INVALID),
    ("PlayTimes 0", {"PlayTimes": "0"}, INVALID),
    ("PlayTimes 4", {"PlayTimes": "4"}, INVALID),
    ("PlayTimes in words", {"PlayTimes": "twice"}, INVALID),
    ("PlayTimes 1.5", {"PlayTimes": "1.5"}, INVALID),
    ("Volume 101", {"Volume": "101"}, INVALID),
    ("Speed 501", {"Speed": "501"}, INVALID),
    ("Speed -501", {"Speed": "-501"}, INVALID),
]
# The same of the variables.
WRONG_VARIABLES: list[tuple[str, str | None, str]] = [
    ("none", None, MISSING),
    ("an empty text", "", MISSING),
    ("no JSON", "{title", INVALID_JSON),
    ("a JSON list", '["磁盘将满", "严重"]', INVALID_JSON),
    ("a JSON text", '"磁盘将满"', INVALID_JSON),
    ("one missing", '{"title": "磁盘将满"}', MISSING),
    ("one too many", variables(count="3"), ILLEGAL_PARAMS),
    ("one empty", variables(level=""), ILLEGAL_PARAMS),
    ("one of white space", variables(level="  "), ILLEGAL_PARAMS),
    ("a number", variables(level=3), INVALID),
    ("null", variables(level=None), INVALID),
    ("250 characters", variables(title="满" * 248), TOO_LONG),
    ("a URL", variables(title="看https://example.com/x"), NO_URL),
    ("a URL in capitals", variables(title="HTTP开头"), NO_URL),
    ("www", variables(title="打开www.example"), NO_URL),
    ("a domain between Chinese words", variables(title="访问db1.example.com查看"), NO_URL),
    ("an IPv4 address", variables(title="主机10.0.0.1满"), NO_URL),
    ("an IPv6 address", variables(title="主机fe80::1满"), NO_URL),
    ("a long IPv6 address", variables(title="主机2001:db8:0:0:0:0:0:1"), NO_URL),
    *[
        (f"a {mark}", variables(title=f"磁盘{mark}满"), ILLEGAL_PARAMS)
        for mark in "#/:-%¥￥【】$[]"
    ],
]
OF_IVR: list[tuple[str, Change, str]] = [
    ("no caller", {"CalledShowNumber": None}, ILLEGAL_CALLER),
    ("an empty caller", {"CalledShowNumber": ""}, ILLEGAL_CALLER),
    ("no text", {"StartCode": None}, ILLEGAL_TEMPLATE),
    ("a key of two", {"MenuKeyMap.1.Key": "12"}, INVALID),
    ("a key that is a letter", {"MenuKeyMap.1.Key": "a"}, INVALID),
    ("no key", {"MenuKeyMap.1.Key": None}, INVALID),
    ("the same key twice", {"MenuKeyMap.2.Key": "1"}, INVALID),
    ("a key without a reply", {"MenuKeyMap.2.Code": None}, ILLEGAL_TEMPLATE),
    ("a reply that is not approved", {"MenuKeyMap.2.Code": "NONE"}, ILLEGAL_TEMPLATE),
    ("a reply without its variables", {"MenuKeyMap.2.Code": "PAGE"}, MISSING),
    ("variables of a reply that are no JSON", {"MenuKeyMap.2.TtsParams": "{"}, INVALID_JSON),
    ("variables of a reply without any", {"MenuKeyMap.2.TtsParams": '{"a":"b"}'}, ILLEGAL_PARAMS),
    ("a goodbye that is not approved", {"ByeCode": "NONE"}, ILLEGAL_TEMPLATE),
    ("a goodbye without its variables", {"ByeCode": "PAGE"}, MISSING),
    ("a wait in words", {"Timeout": "5s"}, INVALID),
    ("a wait below 0", {"Timeout": "-1"}, INVALID),
]
TABLE: list[tuple[str, str, Change, str]] = [
    *[(action, name, change, code) for action in CALLS for name, change, code in WRONG],
    *[
        (action, f"variables: {name}", {PARAMS[action]: value}, code)
        for action in CALLS
        for name, value, code in WRONG_VARIABLES
    ],
    *[
        (action, "a template that is not approved", {TEMPLATE[action]: "NONE"}, ILLEGAL_TEMPLATE)
        for action in CALLS
    ],
    *[("IvrCall", name, change, code) for name, change, code in OF_IVR],
    (
        "SingleCallByTts",
        "three variables in the shared mode",
        {"CalledShowNumber": None, "TtsCode": "THREE", "TtsParam": variables(count="3")},
        ILLEGAL_TEMPLATE,
    ),
]


@pytest.mark.parametrize(
    ("action", "change", "code"),
    [(action, change, code) for action, _, change, code in TABLE],
    ids=[f"{action} with {name}" for action, name, _, _ in TABLE],
)
def test_a_wrong_request_is_refused_and_calls_nobody(
    sandbox: Sandbox, action: str, change: Change, code: str
) -> None:
    response = sandbox.ask(action, changed(action, change))
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"
    body = response.json()
    assert body.keys() == {"RequestId", "Code", "Message"}
    assert body["Code"] == code, body
    assert body["Message"]
    assert sandbox.calls() == []


RIGHT_ONES: list[tuple[str, str, Change]] = [
    *[(action, "everything", {}) for action in CALLS],
    *[(action, "a landline", {"CalledNumber": "057100000000"}) for action in CALLS],
    *[(action, "an OutId of 15 bytes", {"OutId": "0123456789abcde"}) for action in CALLS],
    *[(action, "no OutId", {"OutId": None}) for action in CALLS],
    *[(action, f"PlayTimes {n}", {"PlayTimes": n}) for action in CALLS for n in "123"],
    *[
        (action, "249 characters of variables", {PARAMS[action]: variables(title="满" * 247)})
        for action in CALLS
    ],
    *[(a, "a time of day spoken", {PARAMS[a]: variables(title="10点30分")}) for a in CALLS],
    *[
        (action, "no variables", {TEMPLATE[action]: "PLAIN", PARAMS[action]: None})
        for action in CALLS
    ],
    ("SingleCallByTts", "the shared mode", {"CalledShowNumber": None}),
    (
        "SingleCallByTts",
        "three variables and a number of one's own",
        {"TtsCode": "THREE", "TtsParam": variables(count="3")},
    ),
    ("SingleCallByTts", "volume and speed", {"Volume": "0", "Speed": "-500"}),
    ("IvrCall", "star and hash", {"MenuKeyMap.1.Key": "*", "MenuKeyMap.2.Key": "#"}),
    ("IvrCall", "a goodbye", {"ByeCode": "BYE"}),
    ("IvrCall", "no menu", {f"MenuKeyMap.{i}.{x}": None for i in (1, 2) for x in ("Key", "Code")}),
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
    assert body.keys() == {"RequestId", "Code", "Message", "CallId"}
    assert (body["Code"], body["Message"]) == ("OK", "OK")
    assert re.fullmatch(r"\d+\^\d+", body["CallId"])
    (call,) = sandbox.calls()
    assert call["id"] == body["CallId"]


def test_the_call_is_what_was_asked_for(sandbox: Sandbox) -> None:
    sandbox.place("IvrCall")
    (call,) = sandbox.calls()
    assert call["number"] == LI
    assert call["from"] == CALLER
    assert call["ref"] == "ref-1"
    assert call["text"] == "告警磁盘将满,级别严重。认领请按1。"
    assert call["reply_texts"] == {"1": "已收到按键。", "2": "已收到按键。"}


def test_every_call_has_its_own_id(sandbox: Sandbox) -> None:
    assert len({sandbox.place("IvrCall") for _ in range(3)}) == 3


# A reply is played before anybody knows of the key.
CLAIMS = [
    "已认领。",
    "认领成功。",
    "您已成功认领该告警。",
    "告警已确认。",
    "告警已被确认。",
    "确认收到按键。",
    "已收到按键,告警已认领。",
    "已收到按键,已 认 领。",
    "已收到按键,已认、领。",
    "已收到按鍵,已認領。",
    "已收到按键,已受理。",
    "已收到按键,已接单。",
    "已收到按键,告警归您处理。",
    "已收到按键,该告警归您。",
    "已收到按键,操作成功。",
    "已收到按键,告警已关闭。",
    "已收到按键,已静音三十分钟。",
    "已收到按键,已转给下一位。",
    "已收到按键,不再呼叫,问题已解决。",
    "Acknowledged.",
    "The incident has been acknowledged.",
    "Your key was received. Acknowledged.",
    "ACKNOWLEDGED. Key received.",
    "Acknowledgement received.",
    "Your acknowledgment key was received.",
    "Key received, acking it now, ack.",
    "Key received. Incident taken.",
    "Key received. You have taken the incident.",
    "Key received. The incident is yours.",
    "Key received. You own it.",
    "Key received. It is assigned to you.",
    "Key received. Confirmed.",
    "Key received. Your request was accepted.",
    "Key received. Incident closed.",
    "Key received. The alert is muted.",
    "Key received. It was escalated.",
    "Key received. Success.",
    "Key received. Ａｃｋｎｏｗｌｅｄｇｅｄ.",
    # These say nothing of a key.
    "谢谢。",
    "Thank you. Goodbye.",
    "好的。",
]
MODEST = [
    "已收到按键。",
    "您的按键已收到,稍后以短信告知结果。",
    "收到您的选择,谢谢。",
    "已收到您的输入。",
    "Your key was received.",
    "We received your key press. Thank you, goodbye.",
    "Key received. The result follows by text message.",
    "We got the key, back to sleep in a moment.",
]


@pytest.mark.parametrize("text", CLAIMS)
def test_a_reply_that_says_more_than_received_is_refused(sandbox: Sandbox, text: str) -> None:
    sandbox.approve("CLAIM", text)
    response = sandbox.ask("IvrCall", changed("IvrCall", {"MenuKeyMap.2.Code": "CLAIM"}))
    assert code_of(response) == ILLEGAL_TEMPLATE
    assert "never that the incident is acknowledged" in response.json()["Message"]
    assert sandbox.calls() == []


@pytest.mark.parametrize("text", MODEST)
def test_a_reply_that_says_received_is_played(sandbox: Sandbox, text: str) -> None:
    sandbox.approve("MODEST", text)
    sandbox.place("IvrCall", **{"MenuKeyMap.1.Code": "MODEST"})
    assert sandbox.calls()[0]["reply_texts"]["1"] == text


def test_a_claim_put_into_a_reply_by_a_variable_is_refused(sandbox: Sandbox) -> None:
    sandbox.approve("CLAIM", "已收到按键,${what}。")
    for what, code in (("谢谢", "OK"), ("告警已认领", ILLEGAL_TEMPLATE)):
        given = {
            "MenuKeyMap.1.Code": "CLAIM",
            "MenuKeyMap.1.TtsParams": json.dumps({"what": what}),
        }
        assert code_of(sandbox.ask("IvrCall", changed("IvrCall", given))) == code


def test_a_goodbye_may_claim_no_more(sandbox: Sandbox) -> None:
    sandbox.approve("CLAIM", "告警已认领,再见。")
    response = sandbox.ask("IvrCall", changed("IvrCall", {"ByeCode": "CLAIM"}))
    assert code_of(response) == ILLEGAL_TEMPLATE


# Who asks.
def test_an_unknown_key_is_not_found(sandbox: Sandbox) -> None:
    response = sandbox.ask("IvrCall", RIGHT["IvrCall"], keys=("LTAI-other", "x"))
    assert (response.status_code, code_of(response)) == (404, "InvalidAccessKeyId.NotFound")
    assert response.json().keys() == {"RequestId", "HostId", "Code", "Message", "Recommend"}


AUTHENTICATION: list[tuple[str, dict[str, Any], str]] = [
    ("another secret", {"keys": ("LTAI-test-id", "other")}, "SignatureDoesNotMatch"),
    ("a time 16 minutes ago", {"at": -960}, "InvalidTimeStamp.Expired"),
    ("a time in 16 minutes", {"at": 960}, "InvalidTimeStamp.Expired"),
    ("another version", {"version": "2017-05-26"}, "InvalidVersion"),
]


@pytest.mark.parametrize("sign", [acs3, rpc1])
@pytest.mark.parametrize(
    ("how", "code"),
    [(how, code) for _, how, code in AUTHENTICATION],
    ids=[name for name, _, _ in AUTHENTICATION],
)
def test_a_request_that_is_not_rightly_signed_is_a_bad_request(
    sandbox: Sandbox, sign: Any, how: dict[str, Any], code: str
) -> None:
    if "at" in how:
        how = {"at": time.time() + how["at"]}
    response = sandbox.send(sign(sandbox.host, "IvrCall", RIGHT["IvrCall"], **how))
    assert (response.status_code, code_of(response)) == (400, code)
    assert response.json().keys() == {"RequestId", "HostId", "Code", "Message", "Recommend"}
    assert sandbox.calls() == []


@pytest.mark.parametrize("sign", [acs3, rpc1])
def test_both_schemes_are_accepted(sandbox: Sandbox, sign: Any) -> None:
    assert code_of(sandbox.send(sign(sandbox.host, "IvrCall", RIGHT["IvrCall"]))) == "OK"


@pytest.mark.parametrize("sign", [acs3, rpc1])
def test_a_used_nonce_is_refused(sandbox: Sandbox, sign: Any) -> None:
    signed = sign(sandbox.host, "IvrCall", RIGHT["IvrCall"])
    assert code_of(sandbox.send(signed)) == "OK"
    again = sandbox.send(signed)
    assert (again.status_code, code_of(again)) == (400, "SignatureNonceUsed")
    assert len(sandbox.calls()) == 1


def test_a_refused_signature_does_not_use_up_its_nonce(sandbox: Sandbox) -> None:
    how: dict[str, Any] = {"nonce": "0123456789abcdef-1"}
    wrong = sandbox.ask("IvrCall", RIGHT["IvrCall"], keys=("LTAI-test-id", "other"), **how)
    assert code_of(wrong) == "SignatureDoesNotMatch"
    assert code_of(sandbox.ask("IvrCall", RIGHT["IvrCall"], **how)) == "OK"


def test_a_request_without_any_signature_is_incomplete(sandbox: Sandbox) -> None:
    response = sandbox.http.post("/", params={"Action": "IvrCall"})
    assert (response.status_code, code_of(response)) == (400, "IncompleteSignature")


def test_a_signature_of_odd_bytes_is_refused(sandbox: Sandbox) -> None:
    signed = rpc1(sandbox.host, "IvrCall", RIGHT["IvrCall"])
    target, _, _ = signed.target.rpartition("&Signature=")
    response = sandbox.http.post(f"{target}&Signature=%E5%A5%BD")
    assert (response.status_code, code_of(response)) == (400, "SignatureDoesNotMatch")


def test_an_action_that_does_not_exist_is_not_found(sandbox: Sandbox) -> None:
    response = sandbox.ask("SingleCallByMagic", RIGHT["IvrCall"])
    assert (response.status_code, code_of(response)) == (404, "InvalidAction.NotFound")


def test_no_call_of_ours_can_be_cancelled(sandbox: Sandbox) -> None:
    """CancelCall is documented for ClickToDial alone."""
    call_id = sandbox.place("IvrCall")
    response = sandbox.ask("CancelCall", {"CallId": call_id})
    assert (response.status_code, code_of(response)) == (200, INVALID)
    assert sandbox.calls()[0]["status"] != "ended"


# The form of a refusal.
@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("isv.BUSINESS_LIMIT_CONTROL", 400),
        ("isv.MOBILE_NUMBER_ILLEGAL", 400),
        ("isp.SYSTEM_ERROR", 500),
        ("isp.GATEWAY_ERROR", 500),
        ("InternalError", 500),
    ],
)
def test_a_refusal_is_200_and_a_code_or_a_status_where_told_so(
    sandbox: Sandbox, code: str, status: int
) -> None:
    sandbox.faults("alibaba", {"fault": "error", "code": code, "message": "no", "times": None})
    answer = sandbox.ask("IvrCall", RIGHT["IvrCall"])
    assert (answer.status_code, answer.json()["Code"]) == (200, code)
    assert answer.json()["Message"] == "no"
    sandbox.settings(alibaba={"error_http_status": 400})
    answer = sandbox.ask("IvrCall", RIGHT["IvrCall"])
    assert (answer.status_code, answer.json()["Code"]) == (status, code)
    assert answer.json().keys() == {"RequestId", "HostId", "Code", "Message", "Recommend"}


def test_the_checks_of_a_request_take_the_same_form(sandbox: Sandbox) -> None:
    sandbox.settings(alibaba={"error_http_status": 400})
    answer = sandbox.ask("IvrCall", changed("IvrCall", {"PlayTimes": "4"}))
    assert (answer.status_code, code_of(answer)) == (400, INVALID)


# The query.
def detail(sandbox: Sandbox, call_id: str, **change: str) -> httpx2.Response:
    hour_ago = datetime.fromisoformat(sandbox.now()).timestamp() - 3600
    params = {
        "CallId": call_id,
        "ProdId": "11000000300005",
        "QueryDate": str(int(hour_ago * 1000)),
        **change,
    }
    return sandbox.ask("QueryCallDetailByCallId", params)


def test_the_query_tells_a_call_but_not_its_keys(sandbox: Sandbox) -> None:
    sandbox.phone(LI, "answer", after_s=1, keys="9", hangup_after_s=10)
    call_id = sandbox.place("IvrCall")
    sandbox.advance(60)
    answer = detail(sandbox, call_id)
    assert answer.json().keys() == {"RequestId", "Code", "Message", "Data"}
    data = json.loads(answer.json()["Data"])
    assert data.keys() == {
        *("caller", "callee", "callerShowNumber", "calleeShowNumber", "startDate", "endDate"),
        *("duration", "state", "stateDesc", "gmtCreate"),
        *("aRingTime", "aEndTime", "bRingTime", "bEndTime"),
    }
    assert (data["callee"], data["caller"]) == ("13700000000", CALLER)
    assert (data["duration"], data["state"]) == (10, "200001")
    for name in ("startDate", "endDate", "gmtCreate", "bRingTime"):
        assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", data[name])


@pytest.mark.parametrize(
    "change",
    [
        {"CallId": "1^1"},
        {"ProdId": "11010000138001"},
        {"ProdId": ""},
        {"QueryDate": "today"},
        {"QueryDate": "0"},
        {"QueryDate": "4102444800000"},
    ],
    ids=["another call", "another product", "no product", "no date", "1970", "2100"],
)
def test_the_query_knows_no_other_call(sandbox: Sandbox, change: dict[str, str]) -> None:
    call_id = sandbox.place("IvrCall")
    assert code_of(detail(sandbox, call_id)) == "OK"
    answer = detail(sandbox, call_id, **change)
    assert (answer.status_code, code_of(answer)) == (200, INVALID)


def test_the_query_knows_no_call_of_the_other_carrier(sandbox: Sandbox) -> None:
    assert code_of(detail(sandbox, sandbox.place("SendTtsVoice"))) == INVALID
