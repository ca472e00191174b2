"""What phones do when they are called, and the sandbox's own API."""

import json
import queue
import threading
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import httpx2
import pytest

from tests.sandbox.conftest import KEYED, LI, RIGHT, WEI, Receiver, Sandbox, changed, code_of

CARRIERS = ("alibaba", "tencent")
each_carrier = pytest.mark.parametrize("carrier", CARRIERS)


def story(receiver: Receiver, carrier: str) -> list[str]:
    """What was pushed about a call, in order, in a few letters each."""
    told: list[str] = []
    for body in receiver.bodies(carrier):
        if carrier == "alibaba":
            (record,) = body
            kind = "end" if "callee" in record else "live"
            told.append(f"{kind} {record['status_code']} {record.get('dtmf', '')}".strip())
        else:
            ((name, record),) = body.items()
            what = record.get("keypress", record.get("failure_code", record.get("result")))
            told.append(f"{name.partition('_callback')[0]} {what}")
    return told


@dataclass(frozen=True)
class Life:
    """What a phone is told to do, and what becomes of a call to it."""

    behaviour: str
    how: dict[str, Any]
    outcome: str
    keys: str
    stages: list[str]
    alibaba: list[str]
    tencent: list[str]


LIVES = [
    Life(
        "answer",
        {"after_s": 3, "keys": "1"},
        "completed",
        "1",
        ["dialling", "ringing", "answered", "pressed 1", "ended: completed"],
        [
            "live 200101",
            "live 200201",
            "live 200102",
            "live 300000 1",
            "live 200100",
            "end 200000 1",
        ],
        ["voicekey 1", "voiceprompt 0"],
    ),
    Life(
        "answer",
        {"after_s": 0, "keys": "51"},
        "completed",
        "51",
        ["dialling", "ringing", "answered", "pressed 5", "pressed 1", "ended: completed"],
        [
            *("live 200101", "live 200201", "live 200102", "live 300000 5", "live 300000 1"),
            *("live 200100", "end 200000 51"),
        ],
        ["voicekey 5", "voicekey 1", "voiceprompt 0"],
    ),
    Life(
        "answer",
        {"after_s": 3, "hangup_after_s": 1},
        "hung_up",
        "",
        ["dialling", "ringing", "answered", "ended: hung_up"],
        ["live 200101", "live 200201", "live 200102", "live 200100", "end 200001"],
        ["voiceprompt 0"],
    ),
    Life(
        "ring",
        {},
        "no_answer",
        "",
        ["dialling", "ringing", "ended: no_answer"],
        ["live 200101", "live 200201", "live 200100", "end 200003"],
        ["voice_failure 5", "voiceprompt 1"],
    ),
    Life(
        "no_answer",
        {},
        "no_answer",
        "",
        ["dialling", "ringing", "ended: no_answer"],
        ["live 200101", "live 200201", "live 200100", "end 200003"],
        ["voice_failure 5", "voiceprompt 1"],
    ),
    Life(
        "reject",
        {"after_s": 2},
        "rejected",
        "",
        ["dialling", "ringing", "ended: rejected"],
        ["live 200101", "live 200201", "live 200100", "end 200005"],
        ["voice_failure 10", "voiceprompt 1"],
    ),
    *[
        Life(
            behaviour,
            {},
            behaviour,
            "",
            ["dialling", f"ended: {behaviour}"],
            ["live 200101", "live 200100", f"end {alibaba}"],
            [f"voice_failure {tencent}", "voiceprompt 2"],
        )
        for behaviour, alibaba, tencent in (
            ("busy", "200002", 10),
            ("bad_number", "200004", 8),
            ("out_of_coverage", "200007", 3),
            ("off", "200010", 1),
            ("suspended", "200011", 7),
            ("over_concurrency", "200121", 9),
        )
    ],
]


@each_carrier
@pytest.mark.parametrize("life", LIVES, ids=[f"{life.behaviour} {life.how}" for life in LIVES])
def test_a_phone_does_what_it_was_told(
    sandbox: Sandbox, receiver: Receiver, carrier: str, life: Life
) -> None:
    sandbox.phone(LI, life.behaviour, **life.how)
    sandbox.place(KEYED[carrier])
    sandbox.advance(300)
    (call,) = sandbox.calls()
    assert (call["status"], call["outcome"], call["keys"]) == ("ended", life.outcome, life.keys)
    log = [line["text"] for line in call["log"]]
    assert [line for line in log if not line.startswith("hears")] == life.stages
    expected = {"alibaba": life.alibaba, "tencent": life.tencent}
    assert story(receiver, carrier) == expected[carrier]


@pytest.mark.parametrize(
    ("carrier", "outcome", "end"),
    [("alibaba", "key_timeout", "end 200008"), ("tencent", "completed", "voiceprompt 0")],
)
def test_a_voicemail_answers_listens_and_presses_nothing(
    sandbox: Sandbox, receiver: Receiver, carrier: str, outcome: str, end: str
) -> None:
    sandbox.phone(LI, "voicemail", after_s=3)
    sandbox.place(KEYED[carrier])
    sandbox.advance(300)
    (call,) = sandbox.calls()
    assert (call["outcome"], call["keys"]) == (outcome, "")
    assert call["answered_at"] is not None
    assert story(receiver, carrier)[-1] == end


def test_a_call_without_a_menu_returns_no_keys(sandbox: Sandbox, receiver: Receiver) -> None:
    sandbox.phone(LI, "answer", after_s=1, keys="1")
    sandbox.place("SingleCallByTts")
    sandbox.advance(300)
    assert sandbox.calls()[0]["keys"] == "1"
    assert story(receiver, "alibaba") == [
        *("live 200101", "live 200201", "live 200102", "live 200100", "end 200000"),
    ]


def test_a_code_call_returns_no_keys(sandbox: Sandbox, receiver: Receiver) -> None:
    sandbox.phone(LI, "answer", after_s=1, keys="1")
    sandbox.place("SendCodeVoice")
    sandbox.advance(300)
    assert story(receiver, "tencent") == ["voicecode 0"]


def test_a_menus_key_is_answered_and_ends_the_call(sandbox: Sandbox) -> None:
    sandbox.phone(LI, "answer", after_s=1, keys="2")
    sandbox.place("IvrCall")
    sandbox.advance(8)
    (call,) = sandbox.calls()
    assert "hears: 已收到按键。" in [line["text"] for line in call["log"]]
    assert call["status"] == "ended"


def test_the_same_key_twice_is_heard_twice(sandbox: Sandbox, receiver: Receiver) -> None:
    sandbox.phone(LI, "answer", after_s=1, keys="9")
    sandbox.approve("REPLY", "已收到按键," + "请稍候," * 10)
    call_id = sandbox.place("IvrCall")
    sandbox.advance(5.1)
    for _ in range(2):
        assert sandbox.act(call_id, "press", digit="1").status_code == 200
    sandbox.advance(60)
    assert story(receiver, "alibaba").count("live 300000 1") == 2
    assert story(receiver, "alibaba")[-1] == "end 200000 911"


def test_a_wrong_key_keeps_the_call(sandbox: Sandbox) -> None:
    call_id = sandbox.place("IvrCall")
    sandbox.advance(2.1)
    sandbox.act(call_id, "answer")
    sandbox.act(call_id, "press", digit="9")
    sandbox.advance(5)
    assert sandbox.calls()[0]["status"] == "answered"
    sandbox.advance(60)
    assert sandbox.calls()[0]["outcome"] == "key_timeout"


@each_carrier
def test_a_call_is_dialled_rings_and_is_answered_by_hand(
    sandbox: Sandbox, receiver: Receiver, carrier: str
) -> None:
    call_id = sandbox.place(KEYED[carrier])
    assert sandbox.calls()[0]["status"] == "queued"
    sandbox.advance(2.1)
    (call,) = sandbox.calls()
    assert call["status"] == "ringing"
    assert 55 < call["ring_s_left"] <= 60
    assert sandbox.act(call_id, "answer").json()["status"] == "answered"
    assert sandbox.act(call_id, "press", digit="1").json()["keys"] == "1"
    assert sandbox.act(call_id, "hangup").json()["outcome"] == "hung_up"
    sandbox.advance(0)
    expected = {"alibaba": "end 200001 1", "tencent": "voiceprompt 0"}
    assert story(receiver, carrier)[-1] == expected[carrier]


@each_carrier
def test_a_ringing_call_is_declined_by_hand(sandbox: Sandbox, carrier: str) -> None:
    call_id = sandbox.place(KEYED[carrier])
    sandbox.advance(2.1)
    assert sandbox.act(call_id, "reject").json()["outcome"] == "rejected"


@pytest.mark.parametrize(
    ("stage", "action"),
    [
        ("queued", "answer"),
        ("queued", "press"),
        ("queued", "hangup"),
        ("ringing", "press"),
        ("ringing", "hangup"),
        ("answered", "answer"),
        ("answered", "reject"),
        ("ended", "answer"),
        ("ended", "press"),
        ("ended", "hangup"),
        ("ended", "reject"),
    ],
)
def test_a_hand_cannot_do_what_the_call_does_not_allow(
    sandbox: Sandbox, stage: str, action: str
) -> None:
    call_id = sandbox.place("IvrCall")
    if stage != "queued":
        sandbox.advance(2.1)
    if stage == "answered":
        sandbox.act(call_id, "answer")
    if stage == "ended":
        sandbox.advance(61)
    answer = sandbox.act(call_id, action, digit="1")
    assert answer.status_code == 422
    assert answer.json()["error"].startswith(f"call: it is {stage}; expected one that is ")
    assert sandbox.calls()[0]["status"] == stage


@each_carrier
def test_a_phone_in_a_call_is_busy_for_the_next(
    sandbox: Sandbox, receiver: Receiver, carrier: str
) -> None:
    other = {"alibaba": "tencent", "tencent": "alibaba"}[carrier]
    first = sandbox.place(KEYED[carrier])
    sandbox.advance(2.1)
    sandbox.place(KEYED[other])
    sandbox.advance(2.1)
    one, two = sandbox.calls()
    assert (one["status"], two["outcome"]) == ("ringing", "busy")
    assert (
        story(receiver, other)[-1] == {"alibaba": "end 200002", "tencent": "voiceprompt 2"}[other]
    )
    sandbox.act(first, "reject")
    sandbox.place(KEYED[other])
    sandbox.advance(2.1)
    assert sandbox.calls()[-1]["status"] == "ringing"


def test_phones_do_not_disturb_each_other(sandbox: Sandbox) -> None:
    doing = {
        "13700000000": ("answer", {"after_s": 1, "keys": "1"}, "completed"),
        "13700000001": ("off", {}, "off"),
        "13700000002": ("reject", {"after_s": 1}, "rejected"),
        "13700000003": ("busy", {}, "busy"),
        "13700000004": ("ring", {}, "no_answer"),
    }
    for number, (behaviour, how, _) in doing.items():
        sandbox.phone(number, behaviour, **how)
        sandbox.place("IvrCall", CalledNumber=number)
    sandbox.advance(300)
    ended = {call["number"].removeprefix("+86"): call["outcome"] for call in sandbox.calls()}
    assert ended == {number: outcome for number, (_, _, outcome) in doing.items()}


def test_a_number_nobody_set_up_rings(sandbox: Sandbox) -> None:
    sandbox.place("IvrCall", CalledNumber="13700000009")
    sandbox.advance(2.1)
    assert sandbox.calls()[0]["status"] == "ringing"
    phones = sandbox.http.get("/sandbox/state").json()["phones"]
    assert [(phone["number"], phone["behaviour"]) for phone in phones] == [
        ("+8613700000009", "ring")
    ]


def test_how_long_a_call_takes_follows_its_text(sandbox: Sandbox) -> None:
    """Four characters a second, as often as it is played, then the wait for a key."""
    text = "有新的告警。" * 10
    sandbox.approve("LONG", text)
    sandbox.phone(LI, "answer", after_s=0)
    sandbox.place("SingleCallByTts", TtsCode="LONG", TtsParam=None, PlayTimes="2")
    sandbox.advance(2.1)
    sandbox.advance(2 * len(text) / 4 - 3)
    assert sandbox.calls()[0]["status"] == "answered"
    sandbox.advance(3)
    assert sandbox.calls()[0]["status"] == "ended"


# --- its own API --------------------------------------------------------------------------------

# (address, body, the field that the error names)
ERRORS: list[tuple[str, str, Any, str]] = [
    ("PUT", "phones/13700000000", {"behaviour": "sleep"}, "behaviour: expected one of: ring"),
    ("PUT", "phones/13700000000", {"behaviour": None}, "behaviour: "),
    ("PUT", "phones/13700000000", {"after_s": -1}, "after_s: "),
    ("PUT", "phones/13700000000", {"after_s": True}, "after_s: "),
    ("PUT", "phones/13700000000", {"after_s": 1e12}, "after_s: "),
    ("PUT", "phones/13700000000", {"keys": "1a"}, "keys: "),
    ("PUT", "phones/13700000000", {"keys": 1}, "keys: "),
    ("PUT", "phones/13700000000", {"hangup_after_s": 0}, "hangup_after_s: "),
    ("PUT", "phones/13700000000", {"label": 1}, "label: "),
    ("PUT", "phones/13700000000", {"colour": "red"}, "colour: "),
    ("PUT", "phones/13700000000", [], "body: "),
    ("PUT", "phones/nobody", {}, "number: "),
    ("PUT", "phones/137", {}, "number: "),
    ("DELETE", "phones/nobody", None, "number: "),
    ("GET", "calls?number=nobody", None, "number: "),
    ("PUT", "settings", {"carrier": {}}, "carrier: unknown; expected one of: alibaba, tencent"),
    ("PUT", "settings", {"alibaba": {"secret": "x"}}, "alibaba.secret: unknown"),
    ("PUT", "settings", {"alibaba": 1}, "alibaba: "),
    ("PUT", "settings", {"alibaba": {"limits": 1}}, "alibaba.limits: "),
    ("PUT", "settings", {"alibaba": {"access_key_id": 1}}, "alibaba.access_key_id: "),
    ("PUT", "settings", {"alibaba": {"error_http_status": 404}}, "alibaba.error_http_status: "),
    ("PUT", "settings", {"alibaba": {"show_numbers": [1]}}, "alibaba.show_numbers: "),
    ("PUT", "settings", {"alibaba": {"voice_url": "here"}}, "alibaba.voice_url: "),
    ("PUT", "settings", {"alibaba": {"pushes": {"repeat": 0}}}, "alibaba.pushes.repeat: "),
    ("PUT", "settings", {"alibaba": {"pushes": {"delay_s": -1}}}, "alibaba.pushes.delay_s: "),
    ("PUT", "settings", {"alibaba": {"pushes": {"drop": "yes"}}}, "alibaba.pushes.drop: "),
    ("PUT", "settings", {"alibaba": {"pushes": []}}, "alibaba.pushes: "),
    ("PUT", "settings", {"tencent": {"sdk_app_ids": "1"}}, "tencent.sdk_app_ids: "),
    ("PUT", "settings", {"tencent": {"templates": {"1": 2}}}, "tencent.templates.1: "),
    ("PUT", "faults/alibaba", {}, "body: "),
    ("PUT", "faults/nobody", [], "carrier: "),
    ("PUT", "faults/alibaba", [1], "0: "),
    ("PUT", "faults/alibaba", [{"fault": "error", "code": "X"}, {"fault": "no"}], "1.fault: "),
    ("PUT", "faults/alibaba", [{}], "0.fault: "),
    ("PUT", "faults/alibaba", [{"fault": "error"}], "0.code: "),
    ("PUT", "faults/alibaba", [{"fault": "html", "times": 0}], "0.times: "),
    ("PUT", "faults/alibaba", [{"fault": "html", "times": "1"}], "0.times: "),
    ("PUT", "faults/alibaba", [{"fault": "html", "number": "nobody"}], "0.number: "),
    ("PUT", "faults/alibaba", [{"fault": "html", "http_status": 99}], "0.http_status: "),
    ("PUT", "faults/alibaba", [{"fault": "slow", "after_s": -1}], "0.after_s: "),
    ("PUT", "faults/alibaba", [{"fault": "slow", "wait": 1}], "0.wait: "),
    ("POST", "clock", {"advance_s": -1}, "body: expected advance_s of 0 or more"),
    ("POST", "clock", {"advance_s": 1e12}, "body: "),
    ("POST", "clock", {"speed": 0}, "body: "),
    ("POST", "clock", {"speed": 1e9}, "body: "),
    ("POST", "clock", {}, "body: "),
]


@pytest.mark.parametrize(
    ("method", "path", "body", "error"),
    ERRORS,
    ids=[f"{path} {json.dumps(body)}" for _, path, body, _ in ERRORS],
)
def test_an_error_names_the_field(
    sandbox: Sandbox, method: str, path: str, body: Any, error: str
) -> None:
    before = sandbox.http.get("/sandbox/state").json()
    answer = sandbox.http.request(method, f"/sandbox/{path}", json=body)
    assert answer.status_code == 422, answer.text
    assert answer.json()["error"].startswith(error)
    after = sandbox.http.get("/sandbox/state").json()
    assert (after["settings"], after["phones"]) == (before["settings"], before["phones"])
    assert sandbox.http.get("/sandbox/faults/alibaba").json() == []


@pytest.mark.parametrize("text", [b"{", b"\xff", b'{"advance_s": NaN}', b'{"advance_s": Infinity}'])
def test_a_body_that_cannot_be_read_is_an_error(sandbox: Sandbox, text: bytes) -> None:
    answer = sandbox.http.post("/sandbox/clock", content=text)
    assert answer.status_code == 422
    assert answer.json()["error"].startswith("body: ")


def test_a_call_that_is_not_there_is_not_found(sandbox: Sandbox) -> None:
    answer = sandbox.act("1^1", "answer")
    assert (answer.status_code, answer.json()["error"]) == (404, "call: no such call")


@pytest.mark.parametrize("digit", ["", "12", "a", "１", 1, None])
def test_only_a_key_of_a_phone_can_be_pressed(sandbox: Sandbox, digit: Any) -> None:
    call_id = sandbox.place("IvrCall")
    sandbox.advance(2.1)
    sandbox.act(call_id, "answer")
    answer = sandbox.act(call_id, "press", digit=digit)
    assert (answer.status_code, answer.json()["error"][:7]) == (422, "digit: ")


def test_an_action_that_is_none_is_named(sandbox: Sandbox) -> None:
    answer = sandbox.act(sandbox.place("IvrCall"), "transfer")
    assert (answer.status_code, answer.json()["error"][:8]) == (422, "action: ")


@pytest.mark.parametrize(
    ("carrier", "text"),
    [
        *[("alibaba", f"告警{mark}${{title}}。") for mark in "#/:-%¥【】[]$"],
        ("alibaba", "见https开头的${title}"),
        ("alibaba", "主机10.0.0.1的${title}"),
        ("alibaba", "${level}${title}告警"),
        ("alibaba", "${title}告警,${title}"),
        ("alibaba", "${1st}告警"),
        ("alibaba", "${标题}告警"),
        *[("alibaba", f"告警${{{name}}}") for name in ("email", "mobile", "id", "nick", "site")],
        ("alibaba", "长" * 1001),
        ("alibaba", " "),
        ("tencent", "告警{1},{3}"),
        ("tencent", "告警{0}"),
        ("tencent", "告警{1},{1}"),
        ("tencent", "告警{title}"),
        ("tencent", "告警★{1}"),
        ("tencent", "长" * 351),
        ("tencent", ""),
    ],
)
def test_a_text_that_the_carrier_would_never_approve_is_no_template(
    sandbox: Sandbox, carrier: str, text: str
) -> None:
    answer = sandbox.http.put(
        "/sandbox/settings", json={carrier: {"limits": True, "templates": {"7": text}}}
    )
    assert answer.status_code == 422
    assert answer.json()["error"].startswith(f"{carrier}.templates.7: never approved; expected ")
    settings = sandbox.http.get("/sandbox/state").json()["settings"][carrier]
    assert "7" not in settings["templates"]
    assert settings["limits"] is False  # all of it is taken or nothing


def test_settings_are_changed_one_by_one_and_secrets_never_shown(sandbox: Sandbox) -> None:
    answer = sandbox.http.put("/sandbox/settings", json={"alibaba": {"pushes": {"repeat": 2}}})
    shown = answer.json()["alibaba"]
    assert shown["pushes"]["repeat"] == 2
    assert shown["pushes"]["delay_s"] == 0
    assert shown["access_key_id"] == "LTAI-test-id"
    for text in (answer.text, sandbox.http.get("/sandbox/state").text):
        assert "test-secret" not in text


@each_carrier
def test_every_request_is_shown_with_its_verdict(sandbox: Sandbox, carrier: str) -> None:
    action = KEYED[carrier]
    call_id = sandbox.place(action)
    sandbox.ask(action, changed(action, {"CalledNumber": "137"}))
    sandbox.faults(carrier, {"fault": "html"})
    sandbox.ask(action, RIGHT[action])
    sandbox.ask(action, RIGHT[action], keys=("other", "other"))
    requests = sandbox.http.get("/sandbox/requests").json()[::-1]
    refusals = {
        "alibaba": ("isv.MOBILE_NUMBER_ILLEGAL", "InvalidAccessKeyId.NotFound"),
        "tencent": (
            "InvalidParameterValue.CalledNumberVerifyFail",
            "AuthFailure.SecretIdNotFound",
        ),
    }
    bad_number, bad_key = refusals[carrier]
    assert [request["verdict"] for request in requests] == [
        *("accepted", bad_number, "fault: html", bad_key),
    ]
    assert [request["call_id"] for request in requests] == [call_id, None, None, None]
    assert requests[0]["params"]["CalledNumber"] == RIGHT[action]["CalledNumber"]
    assert "Signature" not in requests[0]["params"]


def test_calls_can_be_asked_for_by_number(sandbox: Sandbox) -> None:
    sandbox.place("IvrCall")
    sandbox.place("SendTtsVoice", CalledNumber=WEI)
    found = sandbox.http.get("/sandbox/calls", params={"number": "137 0000 0001"}).json()
    assert [call["number"] for call in found] == [WEI]


@pytest.mark.parametrize(
    ("written", "number"),
    [
        ("13700000000", LI),
        ("137 0000 0000", LI),
        ("8613700000000", LI),
        ("+86 137-0000-0000", LI),
        ("0571-88888888", "+8657188888888"),
        ("(010)88888888", "+861088888888"),
        ("85221234567", "+85221234567"),
    ],
)
def test_a_number_may_be_written_in_any_way(sandbox: Sandbox, written: str, number: str) -> None:
    answer = sandbox.http.put(f"/sandbox/phones/{written}", json={})
    assert answer.json()["number"] == number


def test_a_phone_can_be_set_back(sandbox: Sandbox) -> None:
    sandbox.phone(LI, "busy", label="Li")
    assert sandbox.http.delete(f"/sandbox/phones/{LI}").status_code == 200
    sandbox.place("IvrCall")
    sandbox.advance(2.1)
    assert sandbox.calls()[0]["status"] == "ringing"


def test_reset_forgets_all_but_the_settings(sandbox: Sandbox, receiver: Receiver) -> None:
    sandbox.phone(LI, "busy")
    sandbox.phone(WEI, "answer", after_s=1, keys="1")
    sandbox.faults("alibaba", {"fault": "html", "times": None})
    sandbox.place("SendTtsVoice", CalledNumber=WEI)
    sandbox.put_right("/sandbox/reset", post=True)
    state = sandbox.http.get("/sandbox/state").json()
    assert (state["calls"], state["phones"]) == ([], [])
    for what in ("calls", "requests", "pushes", "faults/alibaba", "faults/tencent"):
        assert sandbox.http.get(f"/sandbox/{what}").json() == []
    assert state["settings"]["alibaba"]["access_key_id"] == "LTAI-test-id"
    sandbox.advance(300)
    assert receiver.got == []  # the forgotten call goes on nowhere
    assert code_of(sandbox.ask("IvrCall", RIGHT["IvrCall"])) == "OK"
    sandbox.advance(2.1)
    assert sandbox.calls()[0]["status"] == "ringing"


def test_the_clock_only_goes_forward_and_says_where_it_is(sandbox: Sandbox) -> None:
    before = sandbox.now()
    said = sandbox.put_right("/sandbox/clock", {"advance_s": 86_400}, post=True)
    assert said["speed"] == 1
    passed = datetime.fromisoformat(said["now"]) - datetime.fromisoformat(before)
    assert 86_400 <= passed.total_seconds() < 86_410


# --- what pages hear ----------------------------------------------------------------------------


def test_a_page_hears_of_calls_and_requests_as_they_happen(sandbox: Sandbox) -> None:
    heard: queue.SimpleQueue[tuple[str, Any]] = queue.SimpleQueue()
    stop = threading.Event()

    def listen() -> None:
        with (
            httpx2.Client(trust_env=False, timeout=10) as page,
            page.stream("GET", f"{sandbox.url}/sandbox/events") as stream,
        ):
            kind = ""
            for line in stream.iter_lines():
                if line.startswith("event: "):
                    kind = line.removeprefix("event: ")
                elif line.startswith("data: "):
                    heard.put((kind, json.loads(line.removeprefix("data: "))))
                    if stop.is_set():
                        return

    thread = threading.Thread(target=listen)
    thread.start()
    assert heard.get(timeout=5)[0] == "state"
    call_id = sandbox.place("IvrCall")
    kinds = [heard.get(timeout=5) for _ in range(2)]
    assert {kind for kind, _ in kinds} == {"call", "request"}
    (call,) = [data for kind, data in kinds if kind == "call"]
    assert (call["id"], call["status"]) == (call_id, "queued")
    stop.set()
    sandbox.put_right("/sandbox/reset", post=True)
    thread.join(5)
    assert not thread.is_alive()
