"""What becomes of texts: reports, answers, and what the page and the tests are told of both."""

import itertools
import json
import threading
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from tests.sandbox.conftest import KEYED, LI, RIGHT, SIGN, WEI, Answer, Receiver, Sandbox, code_of

DATA = Path(__file__).parents[1] / "callback_samples"
CHINA = timezone(timedelta(hours=8))
CARRIERS = ("alibaba", "tencent")
each_carrier = pytest.mark.parametrize("carrier", CARRIERS)
DELIVERED = {"alibaba": "DELIVERED", "tencent": "DELIVRD"}
NUMBERS: dict[str, dict[str, Any]] = {
    "alibaba": {"PhoneNumbers": "13700000001"},
    "tencent": {"PhoneNumberSet": [WEI]},
}


def china(at: str) -> str:
    return datetime.fromisoformat(at).astimezone(CHINA).strftime("%Y-%m-%d %H:%M:%S")


# --- reports ------------------------------------------------------------------------------------

SAMPLES = [
    ("alibaba_sms_report", {}),
    ("alibaba_sms_report_failed", {"sms": "fail", "sms_error": "MK:0001"}),
    ("tencent_sms_status", {}),
    ("tencent_sms_status_failed", {"sms": "fail", "sms_error": "MK:0001"}),
]
OWN = {"send_time", "report_time", "user_receive_time", "biz_id", "sid", "out_id", "ext"}


@pytest.mark.parametrize(("name", "phone"), SAMPLES, ids=[name for name, _ in SAMPLES])
def test_a_report_has_the_documented_form(
    sandbox: Sandbox, receiver: Receiver, name: str, phone: dict[str, Any]
) -> None:
    carrier = name.partition("_")[0]
    (sample,) = json.loads((DATA / f"{name}.json").read_text())
    sandbox.settings(tencent={"sms_ext": "ext" in sample})
    sandbox.phone(LI, "ring", **phone)
    receipt = sandbox.text(carrier)
    sandbox.advance(3)
    ((record,),) = receiver.bodies(carrier, "report")
    assert {key: type(value) for key, value in record.items()} == {
        key: type(value) for key, value in sample.items()
    }
    assert {k: v for k, v in record.items() if k not in OWN} == {
        k: v for k, v in sample.items() if k not in OWN
    }
    assert record["biz_id" if carrier == "alibaba" else "sid"] == receipt
    assert {record[key] for key in ("out_id", "ext") if key in record} <= {"ref-1"}
    (text,) = sandbox.texts()
    assert record.get("send_time", china(text["at"])) == china(text["at"])


@each_carrier
def test_a_text_arrives_two_seconds_later_and_is_reported_then(
    sandbox: Sandbox, receiver: Receiver, carrier: str
) -> None:
    sandbox.text(carrier)
    sandbox.advance(1)
    assert (receiver.got, sandbox.texts()[0]["status"]) == ([], "sent")
    sandbox.advance(1.5)
    ((record,),) = receiver.bodies(carrier, "report")
    assert DELIVERED[carrier] in record.values()
    (text,) = sandbox.texts()
    assert (text["status"], text["error"]) == ("delivered", "")


@each_carrier
def test_a_text_fails_where_its_phone_says_so(
    sandbox: Sandbox, receiver: Receiver, carrier: str
) -> None:
    sandbox.phone(LI, "ring", sms="fail", sms_error="REJECTD")
    sandbox.text(carrier)
    sandbox.advance(3)
    ((record,),) = receiver.bodies(carrier, "report")
    assert "REJECTD" in record.values()
    (text,) = sandbox.texts()
    assert (text["status"], text["error"]) == ("failed", "REJECTD")


@each_carrier
def test_nobody_says_what_became_of_a_text_where_its_phone_is_silent(
    sandbox: Sandbox, receiver: Receiver, carrier: str
) -> None:
    sandbox.phone(LI, "ring", sms="silent")
    sandbox.text(carrier)
    sandbox.advance(86_400)
    assert receiver.got == []
    assert sandbox.pushes() == []
    assert sandbox.texts()[0]["status"] == "sent"


def test_tencent_hands_the_context_back_only_where_that_was_enabled(
    sandbox: Sandbox, receiver: Receiver
) -> None:
    for enabled in (False, True):
        sandbox.settings(tencent={"sms_ext": enabled})
        sandbox.text("tencent")
        sandbox.advance(3)
    (first,), (second,) = receiver.bodies("tencent", "report")
    assert "ext" not in first
    assert second["ext"] == "ref-1"


def test_a_long_text_counts_as_several(sandbox: Sandbox, receiver: Receiver) -> None:
    """70 characters with the sign name are one, of more each has 67."""
    lengths = (70, 71, 134, 135)
    texts = {str(n): "满" * (n - len(f"【{SIGN}】")) for n in lengths}
    sandbox.settings(alibaba={"sms_templates": texts})
    for name in texts:
        sandbox.text("alibaba", TemplateCode=name, TemplateParam=None)
    sandbox.advance(3)
    sizes = [record["sms_size"] for (record,) in receiver.bodies("alibaba", "report")]
    assert sizes == ["1", "2", "2", "3"]


@each_carrier
def test_the_report_may_come_before_the_answer_to_the_request(
    sandbox: Sandbox, receiver: Receiver, carrier: str
) -> None:
    sandbox.settings(**{carrier: {"pushes": {"before_response": True}}})
    receipt = sandbox.text(carrier)
    assert receipt in json.dumps(receiver.bodies(carrier, "report"))


SCHEDULES = {"alibaba": (60, 300, 600), "tencent": (60, 60)}


@each_carrier
def test_a_report_that_nobody_takes_is_tried_on_schedule_and_then_dropped(
    sandbox: Sandbox, receiver: Receiver, carrier: str
) -> None:
    receiver.answers.extend([Answer(status=500)] * 10)
    sandbox.text(carrier)
    sandbox.advance(3600)
    (push,) = sandbox.pushes()
    assert (push["product"], push["state"]) == ("sms_report", "dropped")
    at = [datetime.fromisoformat(one["at"]).timestamp() for one in push["tries"]]
    apart = [round(later - earlier) for earlier, later in itertools.pairwise(at)]
    assert tuple(apart) == SCHEDULES[carrier]


@each_carrier
def test_a_report_is_repeated_late_or_never_where_told_so(
    sandbox: Sandbox, receiver: Receiver, carrier: str
) -> None:
    sandbox.settings(**{carrier: {"pushes": {"repeat": 2, "delay_s": 10}}})
    sandbox.text(carrier)
    sandbox.advance(11)
    assert receiver.got == []
    sandbox.advance(2)
    first, second = receiver.bodies(carrier, "report")
    assert first == second
    sandbox.settings(**{carrier: {"pushes": {"repeat": 1, "delay_s": 0, "drop": True}}})
    sandbox.text(carrier)
    sandbox.advance(3600)
    assert len(receiver.got) == 2


@each_carrier
def test_reports_overtake_each_other_where_told_so(
    sandbox: Sandbox, receiver: Receiver, carrier: str
) -> None:
    sandbox.settings(**{carrier: {"pushes": {"reorder": True}}})
    receipts = [sandbox.text(carrier) for _ in range(2)]
    sandbox.advance(3)
    came = [
        receipt
        for body in receiver.bodies(carrier, "report")
        for receipt in receipts
        if receipt in json.dumps(body)
    ]
    assert came == receipts[::-1]


def test_reports_share_a_push_with_their_like_only(sandbox: Sandbox, receiver: Receiver) -> None:
    sandbox.settings(alibaba={"pushes": {"batch_s": 30}})
    receipts = [sandbox.text("alibaba") for _ in range(3)]
    sandbox.reply(LI, "1")
    sandbox.advance(60)
    (reports,) = receiver.bodies("alibaba", "report")
    assert [record["biz_id"] for record in reports] == receipts
    ((reply,),) = receiver.bodies("alibaba", "reply")
    assert reply["content"] == "1"


@each_carrier
def test_a_call_does_not_wait_behind_a_report_that_nobody_answers(
    sandbox: Sandbox, receiver: Receiver, carrier: str
) -> None:
    """Each product has its own turn: the report is answered only once the call has been heard of.

    Nobody advances the clock here, since that would wait for the report.
    """
    heard = threading.Event()

    class Telling(list[Any]):
        """Tells of every callback of a call."""

        def append(self, item: Any) -> None:
            super().append(item)
            if item[0].endswith("/token"):
                heard.set()

    receiver.got = Telling()
    receiver.answers.append(Answer(waits_for=heard))
    sandbox.phone(WEI, "off")
    sandbox.text(carrier)
    sandbox.put_right("/sandbox/clock", {"speed": 600}, post=True)
    while not receiver.got:
        pass  # the report is on its way
    number = {"alibaba": "13700000001", "tencent": WEI}[carrier]
    sandbox.place(KEYED[carrier], CalledNumber=number)
    assert heard.wait(5)
    sandbox.put_right("/sandbox/clock", {"speed": 1}, post=True)
    sandbox.advance(0)
    (report,) = [push for push in sandbox.pushes() if push["product"] == "sms_report"]
    assert [attempt["ok"] for attempt in report["tries"]] == [True]


# --- answers ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["alibaba_sms_up", "tencent_sms_reply"])
def test_an_answer_has_the_documented_form(sandbox: Sandbox, receiver: Receiver, name: str) -> None:
    carrier = name.partition("_")[0]
    sample = json.loads((DATA / f"{name}.json").read_text())
    sandbox.text(carrier)
    sandbox.advance(3)
    told = sandbox.reply("13700000000", "1")
    sandbox.advance(0)
    (body,) = receiver.bodies(carrier, "reply")
    assert type(body) is type(sample)
    record, expected = (body[0], sample[0]) if carrier == "alibaba" else (body, sample)
    assert {key: type(value) for key, value in record.items()} == {
        key: type(value) for key, value in expected.items()
    }
    own = {"send_time", "sequence_id", "time"}
    assert {k: v for k, v in record.items() if k not in own} == {
        k: v for k, v in expected.items() if k not in own
    }
    at = datetime.fromisoformat(told["at"])
    if carrier == "alibaba":
        assert record["send_time"] == china(told["at"])
        assert len(record["sequence_id"]) == len(expected["sequence_id"])
    else:
        assert record["time"] == int(at.timestamp())


def test_an_answer_goes_to_the_carrier_of_the_last_text(
    sandbox: Sandbox, receiver: Receiver
) -> None:
    for carrier in ("alibaba", "tencent", "alibaba"):
        sandbox.text(carrier)
        assert sandbox.reply(LI, f"to {carrier}")["carrier"] == carrier
    sandbox.advance(0)
    assert [body["text"] for body in receiver.bodies("tencent", "reply")] == ["to tencent"]
    assert len(receiver.bodies("alibaba", "reply")) == 2


def test_a_text_to_another_number_is_not_the_last(sandbox: Sandbox, receiver: Receiver) -> None:
    sandbox.text("alibaba")
    sandbox.text("tencent", **NUMBERS["tencent"])
    assert sandbox.reply(LI, "1")["carrier"] == "alibaba"


@each_carrier
def test_an_answer_goes_to_the_carrier_that_is_asked_for(
    sandbox: Sandbox, receiver: Receiver, carrier: str
) -> None:
    """Also from a number that never got a text."""
    sandbox.text("alibaba")
    sandbox.text("tencent")
    for number in (LI, WEI):
        assert sandbox.reply(number, "1", carrier=carrier)["carrier"] == carrier
    sandbox.advance(0)
    assert [path for path, _, _ in receiver.got] == [f"/{carrier}/reply"] * 2


def test_an_answer_may_have_been_long_on_its_way(sandbox: Sandbox, receiver: Receiver) -> None:
    now = datetime.fromisoformat(sandbox.now())
    for carrier in CARRIERS:
        sandbox.text(carrier)
        sandbox.reply(LI, "1", at_age_s=3600)
    sandbox.advance(0)
    then = now - timedelta(hours=1)
    ((up,),) = receiver.bodies("alibaba", "reply")
    sent = datetime.strptime(up["send_time"], "%Y-%m-%d %H:%M:%S").replace(tzinfo=CHINA)
    assert abs((sent - then).total_seconds()) < 10
    (reply,) = receiver.bodies("tencent", "reply")
    assert abs(reply["time"] - then.timestamp()) < 10


def test_every_answer_of_alibaba_has_its_own_number(sandbox: Sandbox, receiver: Receiver) -> None:
    sandbox.text("alibaba")
    for _ in range(3):
        sandbox.reply(LI, "1")
    sandbox.advance(0)
    assert len({up["sequence_id"] for (up,) in receiver.bodies("alibaba", "reply")}) == 3


def test_an_answer_comes_in_gbk_where_told_so(sandbox: Sandbox, receiver: Receiver) -> None:
    sandbox.settings(alibaba={"sms_reply_gbk": True})
    sandbox.text("alibaba")
    sandbox.advance(3)
    sandbox.reply(LI, "认领１🔥")
    sandbox.advance(0)
    report, reply = receiver.raw
    assert "用户接收成功" in report.decode()
    assert "认领１?" in reply.decode("gbk")
    with pytest.raises(UnicodeDecodeError):
        reply.decode()
    assert sandbox.pushes()[-1]["body"][0]["content"] == "认领１🔥"


@each_carrier
def test_an_answer_that_nobody_takes_is_pushed_again(
    sandbox: Sandbox, receiver: Receiver, carrier: str
) -> None:
    sandbox.text(carrier)
    sandbox.advance(3)
    receiver.answers.append(Answer(status=503))
    sandbox.reply(LI, "1")
    sandbox.advance(61)
    first, second = receiver.bodies(carrier, "reply")
    assert first == second


WRONG_REPLIES: list[tuple[str, Any, str]] = [
    (LI, {}, "text: "),
    (LI, {"text": ""}, "text: "),
    (LI, {"text": 1}, "text: "),
    (LI, {"text": "1" * 501}, "text: "),
    (LI, {"text": "1", "carrier": "smtp"}, "carrier: "),
    (LI, {"text": "1", "at_age_s": -1}, "at_age_s: "),
    (LI, {"text": "1", "at_age_s": None}, "at_age_s: "),
    (LI, {"text": "1", "colour": "red"}, "colour: "),
    (LI, [], "body: "),
    (WEI, {"text": "1"}, "carrier: expected alibaba or tencent, for a number without a text"),
    ("nobody", {"text": "1"}, "number: "),
]


@pytest.mark.parametrize(("number", "body", "error"), WRONG_REPLIES)
def test_a_wrong_answer_is_an_error_that_names_the_field(
    sandbox: Sandbox, number: str, body: Any, error: str
) -> None:
    sandbox.text("alibaba")
    answer = sandbox.http.post(f"/sandbox/texts/{number}/reply", json=body)
    assert (answer.status_code, answer.json()["error"][: len(error)]) == (422, error)
    assert len(sandbox.texts()) == 1


# --- what is told of them -----------------------------------------------------------------------


def test_texts_and_answers_are_in_the_state_newest_first(sandbox: Sandbox) -> None:
    sandbox.text("tencent")
    sandbox.reply(LI, "1")
    reply, text = sandbox.http.get("/sandbox/state").json()["texts"]
    assert (
        text.keys()
        == reply.keys()
        == {
            *("id", "carrier", "number", "sign", "text", "template", "ref"),
            *("at", "status", "error", "direction"),
        }
    )
    assert (reply["direction"], reply["text"], reply["number"]) == ("in", "1", LI)
    assert text["direction"] == "out"
    assert reply["id"] != text["id"]


def test_texts_can_be_asked_for_by_number(sandbox: Sandbox) -> None:
    for carrier in CARRIERS:
        sandbox.text(carrier)
        sandbox.text(carrier, **NUMBERS[carrier])
    assert [text["number"] for text in sandbox.texts(number="13700000001")] == [WEI, WEI]
    answer = sandbox.http.get("/sandbox/texts", params={"number": "nobody"})
    assert (answer.status_code, answer.json()["error"][:8]) == (422, "number: ")


def test_the_state_has_two_hundred_texts_and_mails_at_most(sandbox: Sandbox) -> None:
    addresses = ",".join(f"a{i}@example.com" for i in range(100))
    numbers = ",".join(f"1370000{i:04d}" for i in range(201))
    sandbox.text("alibaba", PhoneNumbers=numbers)
    for _ in range(3):
        sandbox.ask_mail({"ToAddress": addresses})
    state = sandbox.http.get("/sandbox/state").json()
    assert (len(state["texts"]), len(state["mails"])) == (200, 200)
    assert state["texts"][0]["number"] == "+8613700000200"
    assert (len(sandbox.texts()), len(sandbox.mails())) == (201, 300)


def test_the_page_is_told_of_every_text_answer_and_mail(sandbox: Sandbox) -> None:
    told: list[tuple[str, Any]] = []
    with sandbox.http.stream("GET", "/sandbox/events") as events:
        lines = events.iter_lines()
        sandbox_lines = (line for line in lines if line)
        assert next(sandbox_lines) == "event: state"
        next(sandbox_lines)
        sandbox.text("alibaba")
        sandbox.advance(3)
        sandbox.reply(LI, "1")
        sandbox.ask_mail()
        while len(told) < 4:
            kind = next(sandbox_lines).removeprefix("event: ")
            data = json.loads(next(sandbox_lines).removeprefix("data: "))
            if kind in ("text", "mail"):
                told.append((kind, data))
    assert [kind for kind, _ in told] == ["text", "text", "text", "mail"]
    assert [data["status"] for _, data in told[:2]] == ["sent", "delivered"]
    assert told[2][1]["direction"] == "in"
    assert told[3][1] == sandbox.mails()[0]


def test_reset_forgets_texts_and_mails_and_reports_none(
    sandbox: Sandbox, receiver: Receiver
) -> None:
    for carrier in CARRIERS:
        sandbox.text(carrier)
    sandbox.ask_mail()
    sandbox.put_right("/sandbox/reset", post=True)
    sandbox.advance(60)
    assert (sandbox.texts(), sandbox.mails(), receiver.got) == ([], [], [])
    state = sandbox.http.get("/sandbox/state").json()
    assert (state["texts"], state["mails"]) == ([], [])
    answer = sandbox.http.post(f"/sandbox/texts/{LI}/reply", json={"text": "1"})
    assert answer.status_code == 422


def test_requests_are_noted_with_their_verdict(sandbox: Sandbox) -> None:
    sandbox.text("alibaba")
    sandbox.ask_text("tencent", {"TemplateId": "9999"})
    sandbox.ask_text("tencent", {"PhoneNumberSet": ["+861"]})
    env_id = sandbox.ask_mail().json()["EnvId"]
    noted = sandbox.http.get("/sandbox/requests").json()[::-1]
    assert [(one["carrier"], one["action"], one["verdict"]) for one in noted] == [
        ("alibaba", "SendSms", "accepted"),
        ("tencent", "SendSms", "FailedOperation.TemplateIncorrectOrUnapproved"),
        ("tencent", "SendSms", "InvalidParameterValue.IncorrectPhoneNumber"),
        ("alibaba", "SingleSendMail", "accepted"),
    ]
    assert noted[0]["params"]["OutId"] == "ref-1"
    assert noted[3]["params"]["Subject"] == "告警:磁盘将满"
    assert noted[3]["call_id"] == env_id


# --- faults -------------------------------------------------------------------------------------

FAULT = {"fault": "error", "code": "Some.Code", "times": None}


def codes(sandbox: Sandbox, carrier: str) -> list[str]:
    """What a call, a text and, at Alibaba, a mail are answered."""
    action = KEYED[carrier]
    asked = [sandbox.ask(action, RIGHT[action]), sandbox.ask_text(carrier)]
    if carrier == "alibaba":
        mailed = sandbox.ask_mail()
        return [*map(code_of, asked), mailed.json().get("Code", "OK")]
    return [code_of(one) if "Error" in one.text else "OK" for one in asked]


@each_carrier
def test_a_fault_hits_every_product_of_its_carrier(sandbox: Sandbox, carrier: str) -> None:
    sandbox.faults(carrier, FAULT)
    assert set(codes(sandbox, carrier)) == {"Some.Code"}
    assert sandbox.texts() == []


@pytest.mark.parametrize(
    ("carrier", "action", "hit"),
    [
        ("alibaba", "IvrCall", [1, 0, 0]),
        ("alibaba", "SendSms", [0, 1, 0]),
        ("alibaba", "SingleSendMail", [0, 0, 1]),
        ("tencent", "SendTtsVoice", [1, 0]),
        ("tencent", "SendSms", [0, 1]),
    ],
)
def test_a_fault_of_one_action_leaves_others_alone(
    sandbox: Sandbox, carrier: str, action: str, hit: list[int]
) -> None:
    sandbox.faults(carrier, {**FAULT, "action": action})
    assert [code == "Some.Code" for code in codes(sandbox, carrier)] == [bool(one) for one in hit]


@each_carrier
def test_a_fault_of_one_number_hits_its_texts_only(sandbox: Sandbox, carrier: str) -> None:
    sandbox.faults(carrier, {**FAULT, "number": "13700000001"})
    sandbox.text(carrier)
    assert code_of(sandbox.ask_text(carrier, NUMBERS[carrier])) == "Some.Code"


@each_carrier
def test_a_text_whose_answer_was_lost_arrives_all_the_same(
    sandbox: Sandbox, receiver: Receiver, carrier: str
) -> None:
    sandbox.faults(carrier, {"fault": "server_error_after_placing"})
    assert sandbox.ask_text(carrier).status_code == 500
    sandbox.advance(3)
    assert [text["status"] for text in sandbox.texts()] == ["delivered"]
    assert len(receiver.bodies(carrier, "report")) == 1


def test_an_empty_success_has_no_id(sandbox: Sandbox) -> None:
    for carrier in CARRIERS:
        sandbox.faults(carrier, {"fault": "empty_success"})
    assert sandbox.ask_text("alibaba").json().keys() == {"RequestId", "Code", "Message"}
    assert sandbox.ask_text("tencent").json()["Response"]["SendStatusSet"] == []
    assert sandbox.texts() == []


ERRORS: list[tuple[str, Any, str]] = [
    ("phones/13700000000", {"sms": "lost"}, "sms: expected one of: deliver, fail, silent"),
    ("phones/13700000000", {"sms": None}, "sms: "),
    ("phones/13700000000", {"sms_error": ""}, "sms_error: "),
    ("phones/13700000000", {"sms_error": "a b"}, "sms_error: "),
    ("settings", {"alibaba": {"sms_sign_names": [1]}}, "alibaba.sms_sign_names: "),
    ("settings", {"alibaba": {"sms_templates": {"A": 1}}}, "alibaba.sms_templates.A: "),
    (
        "settings",
        {"alibaba": {"sms_templates": {"A": "【x】"}}},
        "alibaba.sms_templates.A: never approved; expected ",
    ),
    ("settings", {"alibaba": {"sms_templates": {"A": "${1}"}}}, "alibaba.sms_templates.A: never"),
    ("settings", {"alibaba": {"sms_templates": {"A": "x" * 501}}}, "alibaba.sms_templates.A: "),
    ("settings", {"alibaba": {"sms_report_url": "here"}}, "alibaba.sms_report_url: "),
    ("settings", {"alibaba": {"sms_reply_url": "here"}}, "alibaba.sms_reply_url: "),
    ("settings", {"alibaba": {"sms_reply_gbk": 1}}, "alibaba.sms_reply_gbk: "),
    ("settings", {"alibaba": {"mail_account_names": "a"}}, "alibaba.mail_account_names: "),
    ("settings", {"tencent": {"sms_sdk_app_ids": [1]}}, "tencent.sms_sdk_app_ids: "),
    ("settings", {"tencent": {"sms_templates": {"1": "{2}"}}}, "tencent.sms_templates.1: never"),
    ("settings", {"tencent": {"sms_templates": {"1": "★"}}}, "tencent.sms_templates.1: never"),
    ("settings", {"tencent": {"sms_variable_chars": 0}}, "tencent.sms_variable_chars: "),
    ("settings", {"tencent": {"sms_ext": "yes"}}, "tencent.sms_ext: "),
    ("settings", {"smtp": {"port": 1}}, "smtp.port: "),
    ("settings", {"smtp": {"username": 1}}, "smtp.username: "),
    ("settings", {"smtp": {"host": "x"}}, "smtp.host: unknown"),
    ("faults/alibaba", [{"fault": "html", "action": 1}], "0.action: "),
    ("faults/alibaba", [{"fault": "hang"}], "0.fault: "),
    ("faults/smtp", [{"fault": "html"}], "0.fault: expected one of: error, hang"),
    ("faults/smtp", [{"fault": "error"}], "0.code: "),
    ("faults/smtp", [{"fault": "error", "code": "250"}], "0.code: "),
    ("faults/smtp", [{"fault": "error", "code": "451", "message": "a\r\nb"}], "0.message: "),
    ("faults/smtp", [{"fault": "hang", "action": "SendSms"}], "0.action: "),
    ("faults/nobody", [], "carrier: expected one of: alibaba, tencent, smtp"),
]


@pytest.mark.parametrize(
    ("path", "body", "error"), ERRORS, ids=[f"{path} {json.dumps(b)[:60]}" for path, b, _ in ERRORS]
)
def test_an_error_names_the_field(sandbox: Sandbox, path: str, body: Any, error: str) -> None:
    before = sandbox.http.get("/sandbox/state").json()
    answer = sandbox.http.put(f"/sandbox/{path}", json=body)
    assert (answer.status_code, answer.json()["error"][: len(error)]) == (422, error)
    after = sandbox.http.get("/sandbox/state").json()
    assert (after["settings"], after["phones"]) == (before["settings"], before["phones"])


def test_what_a_text_does_is_shown_with_its_phone(sandbox: Sandbox) -> None:
    sandbox.phone(LI, "ring", sms="fail", sms_error="EXPIRED")
    (phone,) = sandbox.http.get("/sandbox/state").json()["phones"]
    assert (phone["sms"], phone["sms_error"]) == ("fail", "EXPIRED")
