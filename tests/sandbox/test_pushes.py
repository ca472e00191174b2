"""Callbacks: their form, when they are pushed again, and what can go wrong with them."""

import itertools
import json
import queue
import re
import threading
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from tests.sandbox.conftest import KEYED, LI, Answer, Receiver, Sandbox

DATA = Path(__file__).parents[1] / "callback_samples"
CARRIERS = ("alibaba", "tencent")
MINUTE = 60.0


def codes(receiver: Receiver) -> list[str]:
    """The status codes of Alibaba's records in the order of their arrival."""
    return [record["status_code"] for body in receiver.bodies("alibaba") for record in body]


def one_push(sandbox: Sandbox, carrier: str) -> None:
    """Let this carrier push exactly once: at the end of a call."""
    if carrier == "alibaba":
        sandbox.settings(alibaba={"call_reports": False})
        sandbox.phone(LI, "off")
        sandbox.place("IvrCall")
        sandbox.advance(2.1)
    else:
        sandbox.phone(LI, "answer", after_s=1, hangup_after_s=1)
        sandbox.place("SendCodeVoice")
        sandbox.advance(4.1)


# --- the form -----------------------------------------------------------------------------------

# (a carrier's documented body, the action, what the phone does)
SAMPLES: list[tuple[str, str, dict[str, Any]]] = [
    *[
        (f"alibaba_voice_call_report_{stage}", "IvrCall", {"behaviour": "answer", "keys": "1"})
        for stage in ("started", "ringing", "answered", "dtmf", "ended")
    ],
    ("alibaba_voice_report_dtmf", "IvrCall", {"behaviour": "answer", "keys": "1"}),
    ("alibaba_voice_report_key_timeout", "IvrCall", {"behaviour": "answer"}),
    (
        "alibaba_voice_report_early_hangup",
        "IvrCall",
        {"behaviour": "answer", "hangup_after_s": 3},
    ),
    ("alibaba_voice_report_busy", "IvrCall", {"behaviour": "busy"}),
    ("alibaba_voice_report_no_answer", "IvrCall", {"behaviour": "no_answer"}),
    ("alibaba_voice_report_invalid_number", "IvrCall", {"behaviour": "bad_number"}),
    ("alibaba_voice_report_powered_off", "IvrCall", {"behaviour": "off"}),
    ("alibaba_voice_report_over_concurrency", "IvrCall", {"behaviour": "over_concurrency"}),
    ("tencent_voicekey", "SendTtsVoice", {"behaviour": "answer", "keys": "1"}),
    ("tencent_voiceprompt_answered", "SendTtsVoice", {"behaviour": "answer", "keys": "1"}),
    ("tencent_voiceprompt_no_answer", "SendTtsVoice", {"behaviour": "no_answer"}),
    ("tencent_voiceprompt_error", "SendTtsVoice", {"behaviour": "off"}),
    ("tencent_voice_failure", "SendTtsVoice", {"behaviour": "bad_number"}),
    ("tencent_voicecode", "SendCodeVoice", {"behaviour": "answer"}),
]
# Documented, but not in every layout.
OPTIONAL = {"toll_type", "dtmf"}
# What these say is this call's own; of the rest the sample's value is the right one.
OWN = {
    *("call_id", "out_id", "callid", "call_from", "duration", "hangup_direction"),
    *("status_time", "originate_time", "ring_time", "start_time", "b_start_time", "end_time"),
    *("start_calltime", "accept_time", "end_calltime"),
}


def record_of(body: Any) -> dict[str, Any]:
    """The one record of a push, whatever is around it."""
    assert len(body) == 1
    return body[0] if isinstance(body, list) else next(iter(body.values()))


def pattern(value: Any) -> str:
    """The value's form: `2026-11-22 10:00:04` and `2027-01-01 23:59:59` have the same."""
    return re.sub(r"[0-9a-f]+" if "-" in str(value) else "[0-9]+", "x", str(value))


@pytest.mark.parametrize(("name", "action", "phone"), SAMPLES, ids=[name for name, _, _ in SAMPLES])
def test_a_push_has_the_documented_form(
    sandbox: Sandbox, receiver: Receiver, name: str, action: str, phone: dict[str, Any]
) -> None:
    sandbox.phone(LI, **{"after_s": 3, **phone})
    sandbox.place(action)
    sandbox.advance(200)
    carrier = name.partition("_")[0]
    sample_body = json.loads((DATA / f"{name}.json").read_text())
    sample = record_of(sample_body)

    def is_it(body: Any) -> bool:
        record = record_of(body)
        if isinstance(body, dict):
            return body.keys() == sample_body.keys()
        return ("callee" in record, record["status_code"]) == (
            "callee" in sample,
            sample["status_code"],
        )

    (body,) = [body for body in receiver.bodies(carrier) if is_it(body)]
    assert type(body) is type(sample_body)
    record = record_of(body)
    assert sample.keys() <= record.keys()
    assert record.keys() - sample.keys() <= OPTIONAL
    for key, value in sample.items():
        assert type(record[key]) is type(value), key
        if key not in OWN:
            assert record[key] == value, key
        elif key.endswith("time") and (not value or not record[key]):
            # Some phones ring before they are busy, ours do not; the others must agree.
            assert name.endswith("busy") or value == record[key], key
        elif key not in ("out_id", "call_from", "hangup_direction"):
            assert pattern(record[key]) == pattern(value), key


def test_the_times_of_a_report_are_chinas_and_those_of_tencent_unix_seconds(
    sandbox: Sandbox, receiver: Receiver
) -> None:
    sandbox.phone(LI, "answer", after_s=3, keys="1", hangup_after_s=75)
    sandbox.place("SendTtsVoice")
    sandbox.advance(200)
    prompt = receiver.bodies("tencent")[-1]["voiceprompt_callback"]
    assert prompt["fee"] == "1"
    assert int(prompt["accept_time"]) - int(prompt["start_calltime"]) in (5, 6)
    sandbox.place("IvrCall")
    sandbox.advance(200)
    answered_at = datetime.fromisoformat(sandbox.calls()[-1]["answered_at"])
    report = receiver.bodies("alibaba")[-1][0]
    china = answered_at.astimezone(timezone(timedelta(hours=8)))
    assert report["start_time"] == china.strftime("%Y-%m-%d %H:%M:%S")
    assert report["out_id"] == "ref-1"


def test_a_call_of_over_a_minute_is_two_minutes_fee(sandbox: Sandbox, receiver: Receiver) -> None:
    sandbox.settings(tencent={"templates": {"1002": "有新的告警。" * 50}})
    sandbox.phone(LI, "answer", after_s=1, hangup_after_s=61)
    sandbox.place("SendTtsVoice", TemplateId="1002", TemplateParamSet=[])
    sandbox.advance(300)
    assert receiver.bodies("tencent")[-1]["voiceprompt_callback"]["fee"] == "2"


def test_a_landline_is_reported_as_it_was_dialled(sandbox: Sandbox, receiver: Receiver) -> None:
    sandbox.phone("+8657188888888", "off")
    sandbox.place("IvrCall", CalledNumber="057188888888")
    sandbox.advance(10)
    assert receiver.bodies("alibaba")[-1][0]["callee"] == "057188888888"


@pytest.mark.parametrize(
    ("number", "nationcode", "mobile"),
    [
        ("+85221234567", "852", "21234567"),
        ("+12025550123", "1", "2025550123"),
        ("+447700900123", "44", "7700900123"),
    ],
)
def test_a_foreign_number_is_split_at_its_country(
    sandbox: Sandbox, receiver: Receiver, number: str, nationcode: str, mobile: str
) -> None:
    sandbox.phone(number, "off")
    sandbox.place("SendTtsVoice", CalledNumber=number)
    sandbox.advance(10)
    failure = receiver.bodies("tencent")[0]["voice_failure_callback"]
    assert (failure["nationcode"], failure["mobile"]) == (nationcode, mobile)


def test_every_push_is_json_to_the_configured_address(sandbox: Sandbox, receiver: Receiver) -> None:
    for carrier in CARRIERS:
        one_push(sandbox, carrier)
    assert [(path, kind) for path, kind, _ in receiver.got] == [
        ("/alibaba/token", "application/json"),
        ("/tencent/token", "application/json"),
    ]


def test_the_token_of_the_address_is_not_shown(sandbox: Sandbox, receiver: Receiver) -> None:
    one_push(sandbox, "alibaba")
    (push,) = sandbox.pushes()
    assert push["url"] == f"{receiver.url}/alibaba/…"
    assert push["body"] == receiver.bodies("alibaba")[0]


# --- taken, or pushed again ---------------------------------------------------------------------

TAKEN = [
    ("alibaba", b'{"code":0,"msg":"OK"}'),
    ("alibaba", b'{"code":0}'),
    ("alibaba", b'{"code":500,"msg":"only a number is asked for"}'),
    ("tencent", b'{"result":0,"errmsg":"OK"}'),
    ("tencent", b'{"result":0}'),
]
NOT_TAKEN = [
    *[(carrier, 200, b"") for carrier in CARRIERS],
    *[(carrier, 200, b"OK") for carrier in CARRIERS],
    *[(carrier, 200, b"\xff") for carrier in CARRIERS],
    *[(carrier, 200, b"{}") for carrier in CARRIERS],
    *[(carrier, 200, b"[0]") for carrier in CARRIERS],
    ("alibaba", 200, b'{"code":"0"}'),
    ("alibaba", 200, b'{"code":true}'),
    ("alibaba", 200, b'{"code":null}'),
    ("alibaba", 200, b'{"result":0}'),
    ("tencent", 200, b'{"result":1}'),
    ("tencent", 200, b'{"result":"0"}'),
    ("tencent", 200, b'{"result":false}'),
    ("tencent", 200, b'{"code":0}'),
    *[(carrier, status, None) for carrier in CARRIERS for status in (204, 302, 404, 500, 503)],
]


@pytest.mark.parametrize(("carrier", "body"), TAKEN)
def test_a_good_answer_takes_a_push(
    sandbox: Sandbox, receiver: Receiver, carrier: str, body: bytes
) -> None:
    receiver.answers.append(Answer(body=body))
    one_push(sandbox, carrier)
    (push,) = sandbox.pushes()
    assert push["state"] == "taken"
    assert [(attempt["status"], attempt["ok"]) for attempt in push["tries"]] == [(200, True)]


@pytest.mark.parametrize(("carrier", "status", "body"), NOT_TAKEN)
def test_any_other_answer_has_it_pushed_again(
    sandbox: Sandbox, receiver: Receiver, carrier: str, status: int, body: bytes | None
) -> None:
    said = b"" if status == 204 else body
    receiver.answers.append(Answer(status=status, body=said))
    one_push(sandbox, carrier)
    (push,) = sandbox.pushes()
    assert push["state"] == "waiting"
    assert [(attempt["status"], attempt["ok"]) for attempt in push["tries"]] == [(status, False)]
    sandbox.advance(61)
    assert sandbox.pushes()[0]["state"] == "taken"
    first, second = receiver.bodies(carrier)
    assert first == second


# Alibaba's is documented; Tencent documents none for voice, these stand in.
SCHEDULES = {"alibaba": (1 * MINUTE, 5 * MINUTE, 10 * MINUTE), "tencent": (MINUTE, MINUTE)}


@pytest.mark.parametrize("carrier", CARRIERS)
def test_a_push_that_nobody_takes_is_tried_on_schedule_and_then_dropped(
    sandbox: Sandbox, receiver: Receiver, carrier: str
) -> None:
    receiver.answers.extend([Answer(status=500)] * 10)
    one_push(sandbox, carrier)
    for i, wait_s in enumerate(SCHEDULES[carrier], 1):
        assert len(receiver.got) == i
        assert sandbox.pushes()[0]["state"] == "waiting"
        sandbox.advance(wait_s - 2)
        assert len(receiver.got) == i
        sandbox.advance(2)
    tries = len(SCHEDULES[carrier]) + 1
    assert len(receiver.got) == tries
    assert sandbox.pushes()[0]["state"] == "dropped"
    sandbox.advance(86_400)
    assert len(receiver.got) == tries


def test_the_schedule_holds_when_time_jumps(sandbox: Sandbox, receiver: Receiver) -> None:
    receiver.answers.extend([Answer(status=500)] * 10)
    one_push(sandbox, "alibaba")
    sandbox.advance(3600)
    (push,) = sandbox.pushes()
    assert push["state"] == "dropped"
    at = [datetime.fromisoformat(attempt["at"]).timestamp() for attempt in push["tries"]]
    apart = [round(later - earlier) for earlier, later in itertools.pairwise(at)]
    assert apart == [60, 300, 600]


def test_a_push_that_is_answered_late_is_pushed_again(sandbox: Sandbox, receiver: Receiver) -> None:
    """Alibaba waits 700 ms; Tencent documents no deadline, 3 s stand in."""
    never = threading.Event()
    receiver.answers.extend([Answer(waits_for=never)] * 2)
    for carrier in CARRIERS:
        one_push(sandbox, carrier)
    took = {push["carrier"]: push["tries"][0] for push in sandbox.pushes()}
    never.set()
    assert 700 <= took["alibaba"]["took_ms"] < 2000
    assert 3000 <= took["tencent"]["took_ms"] < 5000
    assert [one["status"] for one in took.values()] == ["TimeoutError"] * 2
    sandbox.advance(61)
    assert [len(receiver.bodies(carrier)) for carrier in CARRIERS] == [2, 2]


def test_a_push_that_is_answered_within_the_deadline_is_taken(
    sandbox: Sandbox, receiver: Receiver
) -> None:
    receiver.answers.append(Answer(waits_for=threading.Event(), waits_s=0.15))
    one_push(sandbox, "alibaba")
    (push,) = sandbox.pushes()
    assert push["state"] == "taken"
    assert push["tries"][0]["took_ms"] >= 120


def test_an_address_that_nobody_listens_on_is_tried_again(
    sandbox: Sandbox, receiver: Receiver
) -> None:
    sandbox.settings(alibaba={"voice_url": "http://127.0.0.1:9/alibaba/token"})
    one_push(sandbox, "alibaba")
    (push,) = sandbox.pushes()
    assert (push["state"], push["tries"][0]["status"]) == ("waiting", "ConnectError")
    sandbox.advance(1000)
    assert len(sandbox.pushes()[0]["tries"]) == 4


def test_an_address_that_is_none_fails_like_one(sandbox: Sandbox, receiver: Receiver) -> None:
    sandbox.settings(alibaba={"voice_url": "http://[::1/alibaba/token"})
    one_push(sandbox, "alibaba")
    assert sandbox.pushes()[0]["tries"][0]["ok"] is False


def test_without_an_address_nothing_is_pushed(sandbox: Sandbox, receiver: Receiver) -> None:
    sandbox.settings(alibaba={"voice_url": ""})
    one_push(sandbox, "alibaba")
    sandbox.advance(1000)
    assert receiver.got == []
    assert [push["state"] for push in sandbox.pushes()] == ["withheld"]


# --- what can be made to go wrong ---------------------------------------------------------------


@pytest.mark.parametrize("carrier", CARRIERS)
def test_a_push_is_repeated_where_told_so(
    sandbox: Sandbox, receiver: Receiver, carrier: str
) -> None:
    sandbox.settings(**{carrier: {"pushes": {"repeat": 3}}})
    one_push(sandbox, carrier)
    bodies = receiver.bodies(carrier)
    assert len(bodies) == 3
    assert bodies[0] == bodies[1] == bodies[2]
    sandbox.advance(0)
    assert len(receiver.bodies(carrier)) == 3


@pytest.mark.parametrize("carrier", CARRIERS)
def test_a_push_is_late_where_told_so(sandbox: Sandbox, receiver: Receiver, carrier: str) -> None:
    sandbox.settings(**{carrier: {"pushes": {"delay_s": 5}}})
    one_push(sandbox, carrier)
    sandbox.advance(4)
    assert receiver.got == []
    sandbox.advance(1.5)
    assert len(receiver.bodies(carrier)) == 1


@pytest.mark.parametrize("carrier", CARRIERS)
def test_a_push_never_comes_where_told_so(
    sandbox: Sandbox, receiver: Receiver, carrier: str
) -> None:
    sandbox.settings(**{carrier: {"pushes": {"drop": True}}})
    one_push(sandbox, carrier)
    sandbox.advance(2000)
    assert receiver.got == []
    assert {push["state"] for push in sandbox.pushes()} == {"withheld"}


STAGES = ["200101", "200201", "200102", "300000", "200100", "200000"]


def test_pushes_come_in_the_order_of_the_call(sandbox: Sandbox, receiver: Receiver) -> None:
    sandbox.phone(LI, "answer", after_s=1, keys="1")
    sandbox.place("IvrCall")
    sandbox.advance(30)
    assert codes(receiver) == STAGES


def test_pushes_overtake_each_other_where_told_so(sandbox: Sandbox, receiver: Receiver) -> None:
    sandbox.settings(alibaba={"pushes": {"reorder": True}})
    sandbox.phone(LI, "answer", after_s=1, keys="1")
    sandbox.place("IvrCall")
    sandbox.advance(30)
    assert codes(receiver) == ["200201", "200101", "300000", "200102", "200000", "200100"]


def test_a_push_held_back_comes_when_no_other_follows(sandbox: Sandbox, receiver: Receiver) -> None:
    sandbox.settings(alibaba={"pushes": {"reorder": True}})
    one_push(sandbox, "alibaba")
    assert receiver.got == []
    sandbox.advance(3.5)
    assert codes(receiver) == ["200010"]


def test_late_and_out_of_order_go_together(sandbox: Sandbox, receiver: Receiver) -> None:
    sandbox.settings(alibaba={"pushes": {"reorder": True, "delay_s": 100}})
    sandbox.phone(LI, "answer", after_s=1, keys="1")
    sandbox.place("IvrCall")
    sandbox.advance(90)
    assert receiver.got == []
    sandbox.advance(60)
    assert codes(receiver) == ["200201", "200101", "300000", "200102", "200000", "200100"]


def test_records_share_a_push_where_told_so(sandbox: Sandbox, receiver: Receiver) -> None:
    sandbox.settings(alibaba={"pushes": {"batch_s": 30}})
    receiver.answers.append(Answer(status=500))
    for number in ("13700000000", "13700000001"):
        sandbox.phone(number, "off")
        sandbox.place("IvrCall", CalledNumber=number, OutId=f"ref-{number[-1]}")
    sandbox.advance(29)
    assert receiver.got == []
    sandbox.advance(2)
    first = [(record["out_id"], record["status_code"]) for record in receiver.got[0][2]]
    assert first == [
        *(("ref-0", "200101"), ("ref-1", "200101")),
        *(("ref-0", "200100"), ("ref-0", "200010"), ("ref-1", "200100"), ("ref-1", "200010")),
    ]
    sandbox.advance(61)  # it was not taken, and comes again as it was
    assert [body for _, _, body in receiver.got[1:]] == [receiver.got[0][2]]


def test_a_push_has_a_hundred_records_at_most(sandbox: Sandbox, receiver: Receiver) -> None:
    sandbox.settings(alibaba={"pushes": {"batch_s": 30}})
    sandbox.phone(LI, "off")
    for _ in range(67):  # three records each
        sandbox.place("IvrCall")
    sandbox.advance(40)
    assert [len(body) for body in receiver.bodies("alibaba")] == [100, 100, 1]


@pytest.mark.parametrize("carrier", CARRIERS)
def test_the_key_may_come_before_the_answer_to_the_request(
    sandbox: Sandbox, receiver: Receiver, carrier: str
) -> None:
    sandbox.settings(**{carrier: {"pushes": {"before_response": True}}})
    sandbox.phone(LI, "answer", after_s=30, keys="1")
    call_id = sandbox.place(KEYED[carrier])
    if carrier == "alibaba":
        assert codes(receiver) == ["200101", "200201", "200102", "300000"]
    else:
        assert [body["voicekey_callback"]["callid"] for body in receiver.bodies("tencent")] == [
            call_id
        ]


@pytest.mark.parametrize("carrier", CARRIERS)
def test_otherwise_no_key_comes_before_the_answer(
    sandbox: Sandbox, receiver: Receiver, carrier: str
) -> None:
    sandbox.phone(LI, "answer", after_s=0, keys="1")
    sandbox.place(KEYED[carrier])
    assert "voicekey" not in json.dumps(receiver.got)
    assert "300000" not in codes(receiver)
    sandbox.advance(10)
    assert "voicekey" in json.dumps(receiver.got) or "300000" in codes(receiver)


def test_without_call_reports_only_the_end_is_reported(
    sandbox: Sandbox, receiver: Receiver
) -> None:
    sandbox.settings(alibaba={"call_reports": False})
    sandbox.phone(LI, "answer", after_s=1, keys="1")
    sandbox.place("IvrCall")
    sandbox.advance(60)
    assert codes(receiver) == ["200000"]
    assert receiver.bodies("alibaba")[0][0]["dtmf"] == "1"


def test_reset_pushes_nothing_more(sandbox: Sandbox, receiver: Receiver) -> None:
    receiver.answers.append(Answer(status=500))
    one_push(sandbox, "alibaba")
    sandbox.settings(alibaba={"pushes": {"delay_s": 5}})
    sandbox.place("IvrCall", CalledNumber="13700000001")
    sandbox.settings(alibaba={"pushes": {"delay_s": 0, "reorder": True}})
    sandbox.place("IvrCall", CalledNumber="13700000002")
    sandbox.put_right("/sandbox/reset", post=True)
    assert sandbox.pushes() == []
    sandbox.advance(2000)
    assert len(receiver.got) == 1


@pytest.mark.parametrize("held_by", [{"reorder": True}, {"batch_s": 5}, {"delay_s": 5}])
def test_reset_forgets_a_push_that_was_held_back(
    sandbox: Sandbox, receiver: Receiver, held_by: dict[str, Any]
) -> None:
    sandbox.settings(alibaba={"pushes": held_by})
    sandbox.place("IvrCall", OutId="before")
    sandbox.put_right("/sandbox/reset", post=True)
    sandbox.place("IvrCall", OutId="after")
    sandbox.advance(20)
    refs = {record["out_id"] for body in receiver.bodies("alibaba") for record in body}
    assert refs == {"after"}


def test_a_faster_clock_brings_pushes_sooner(sandbox: Sandbox, receiver: Receiver) -> None:
    """Nobody advances it here: a ring of 60 s is over within the second."""
    arrived: queue.SimpleQueue[None] = queue.SimpleQueue()

    class Telling(list[Any]):
        """Tells of every callback."""

        def append(self, item: Any) -> None:
            super().append(item)
            arrived.put(None)

    receiver.got = Telling()
    sandbox.settings(alibaba={"call_reports": False})
    sandbox.place("IvrCall")
    sandbox.put_right("/sandbox/clock", {"speed": 600}, post=True)
    arrived.get(timeout=5)
    assert codes(receiver) == ["200003"]
