"""What carriers push, read into our events: every sample, every layout, and everything else."""

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paging.errors import CallbackMalformedError, Row
from paging.events import (
    CallAnswered,
    CallEnded,
    CallFailed,
    CallNoted,
    CallRinging,
    DigitsPressed,
    Event,
    Receipt,
    dump,
    load,
)
from paging.ports import Callback, Reading
from telephony import alibaba, tencent
from tests.telephony import documented
from tests.telephony.conftest import make

DATA = Path(__file__).parents[1] / "callback_samples"
SAMPLES = sorted(path.name for path in DATA.glob("*_voice*.json"))
READERS = {
    "alibaba": make("alibaba-ivr", "http://127.0.0.1:9"),
    "tencent": make("tencent", "http://127.0.0.1:9"),
}


def read(carrier: str, body: object) -> Reading:
    """Read a body, given as bytes or as its JSON value."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return READERS[carrier].read_callback(Callback(raw))


def sample(name: str) -> Any:
    return json.loads((DATA / name).read_bytes())


def keys(events: Sequence[Event]) -> list[str]:
    return [event.receipt.key for event in events]


def unkeyed(events: Sequence[Event]) -> list[Event]:
    """The events without the keys, whose form is nobody's business."""
    return [replace(event, receipt=replace(event.receipt, key="")) for event in events]


# Every sample.

ALI = Receipt("alibaba", "", ref="pg-7Q3F9A", provider_id="116000000001^102000000001")
REPORTED = replace(ALI, address="+8613700000000", caller="05710000000")
TEN = Receipt(
    "tencent",
    "",
    provider_id="00000000-aaaa-bbbb-cccc-000000000001",
    address="+8613700000000",
)


def china(minute: int, second: int) -> datetime:
    """10 o'clock in Shanghai, a little later."""
    return datetime(2026, 11, 22, 2, minute, second, tzinfo=UTC)


def unix(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _row(failures: Sequence[documented.Failure], code: str) -> Row:
    [found] = [failure for failure in failures if failure.code == code]
    return Row(
        found.kind,  # pyright: ignore[reportArgumentType]
        found.outcome,
        other_provider=found.helps == "other",
        again=found.again,
        scope=found.scope,  # pyright: ignore[reportArgumentType]
    )


def _failed(receipt: Receipt, code: str) -> CallFailed:
    return CallFailed(receipt, code, _row(documented.ALIBABA_RECEIPTS, code))


_ENDED = replace(REPORTED, at=china(0, 31))
_UNHEARD = replace(REPORTED, at=china(1, 4))
_OTHER = replace(
    _ENDED,
    ref="pg-7Q3F9B",
    provider_id="116000000001^102000000002",
    address="+8613700000001",
)
_HEARD_AND_PRESSED = [
    DigitsPressed(_ENDED, "1", final=True),
    CallEnded(_ENDED, "completed", "200000"),
]
_PROMPTED = replace(TEN, at=unix(1795341631))
_CODE = replace(TEN, caller="075500000000")
EXPECTED: dict[str, list[Event]] = {
    "alibaba_voice_call_report_started.json": [CallNoted(replace(ALI, at=china(0, 0)), "200101")],
    "alibaba_voice_call_report_ringing.json": [CallRinging(replace(ALI, at=china(0, 4)))],
    "alibaba_voice_call_report_answered.json": [CallAnswered(replace(ALI, at=china(0, 11)))],
    "alibaba_voice_call_report_dtmf.json": [DigitsPressed(replace(ALI, at=china(0, 17)), "1")],
    "alibaba_voice_call_report_ended.json": [CallNoted(replace(ALI, at=china(0, 31)), "200100")],
    "alibaba_voice_report_dtmf.json": _HEARD_AND_PRESSED,
    "alibaba_voice_report_batch_with_repeat.json": [
        *_HEARD_AND_PRESSED,
        _failed(_OTHER, "200002"),
        *_HEARD_AND_PRESSED,
    ],
    "alibaba_voice_report_early_hangup.json": [
        CallEnded(replace(REPORTED, at=china(0, 14)), "hung_up", "200001")
    ],
    "alibaba_voice_report_key_timeout.json": [CallEnded(_ENDED, "no_key", "200008")],
    "alibaba_voice_report_busy.json": [_failed(_UNHEARD, "200002")],
    "alibaba_voice_report_no_answer.json": [_failed(_UNHEARD, "200003")],
    "alibaba_voice_report_invalid_number.json": [_failed(_UNHEARD, "200004")],
    "alibaba_voice_report_powered_off.json": [_failed(_UNHEARD, "200010")],
    "alibaba_voice_report_over_concurrency.json": [_failed(_UNHEARD, "200121")],
    "tencent_voicekey.json": [DigitsPressed(TEN, "1")],
    "tencent_voiceprompt_answered.json": [
        CallAnswered(replace(TEN, at=unix(1795341611))),
        CallEnded(_PROMPTED, "completed", "0"),
    ],
    "tencent_voicecode.json": [
        CallAnswered(replace(_CODE, at=unix(1795341614))),
        CallEnded(replace(_CODE, at=unix(1795341622)), "completed", "0"),
    ],
    "tencent_voiceprompt_no_answer.json": [
        CallFailed(
            replace(TEN, at=unix(1795341660)), "result 1", _row(documented.TENCENT_RESULTS, "1")
        )
    ],
    "tencent_voiceprompt_error.json": [
        CallFailed(
            replace(TEN, at=unix(1795341602)), "result 2", _row(documented.TENCENT_RESULTS, "2")
        )
    ],
    "tencent_voice_failure.json": [
        CallFailed(replace(TEN, caller="075500000000"), "8", _row(documented.TENCENT_FAILURES, "8"))
    ],
}


@pytest.mark.parametrize("name", SAMPLES)
def test_a_sample_says_exactly_this(name: str) -> None:
    reading = read(name.partition("_")[0], sample(name))
    assert unkeyed(reading.events) == EXPECTED[name]
    assert reading.skipped == 0


def test_every_sample_has_its_meaning_written_down() -> None:
    assert sorted(EXPECTED) == SAMPLES


@pytest.mark.parametrize("name", SAMPLES)
def test_what_was_read_survives_the_inbox(name: str) -> None:
    events = read(name.partition("_")[0], sample(name)).events
    assert [load(json.loads(json.dumps(dump(event)))) for event in events] == list(events)


# Every documented code.


def _report(**changes: Any) -> dict[str, Any]:
    """Alibaba's report of a call in which 1 was pressed."""
    return {**sample("alibaba_voice_report_dtmf.json")[0], **changes}


def _live(**changes: Any) -> dict[str, Any]:
    """Alibaba's word of a key, during the call."""
    return {**sample("alibaba_voice_call_report_dtmf.json")[0], **changes}


@pytest.mark.parametrize("failure", documented.ALIBABA_RECEIPTS, ids=lambda f: f.code)
def test_a_code_of_alibabas_report_means_what_its_row_says(failure: documented.Failure) -> None:
    [event] = read("alibaba", [_report(status_code=failure.code, dtmf="")]).events
    assert isinstance(event, CallFailed)
    assert event.row == _row(documented.ALIBABA_RECEIPTS, failure.code)


@pytest.mark.parametrize(("code", "outcome"), documented.ALIBABA_ANSWERED.items())
def test_an_answered_call_ends(code: str, outcome: str) -> None:
    [event] = read("alibaba", [_report(status_code=code, dtmf="")]).events
    assert isinstance(event, CallEnded)
    assert event.outcome == outcome


@pytest.mark.parametrize("failure", documented.TENCENT_FAILURES, ids=lambda f: f.code)
@pytest.mark.parametrize("kind", [int, str])
def test_a_failure_code_of_tencent_means_what_its_row_says(
    failure: documented.Failure, kind: type
) -> None:
    push = sample("tencent_voice_failure.json")
    push["voice_failure_callback"]["failure_code"] = kind(failure.code)
    [event] = read("tencent", push).events
    assert isinstance(event, CallFailed)
    assert (event.code, event.row) == (
        failure.code,
        _row(documented.TENCENT_FAILURES, failure.code),
    )


@pytest.mark.parametrize("failure", documented.TENCENT_RESULTS, ids=lambda f: f.code)
def test_a_result_of_tencent_means_what_its_row_says(failure: documented.Failure) -> None:
    push = sample("tencent_voiceprompt_error.json")
    push["voiceprompt_callback"]["result"] = int(failure.code)
    [event] = read("tencent", push).events
    assert isinstance(event, CallFailed)
    assert event.row == _row(documented.TENCENT_RESULTS, failure.code)


def test_every_documented_receipt_has_one_row_and_no_row_is_made_up() -> None:
    ours = sorted([*alibaba.RECEIPTS, *alibaba.MOMENTS])
    listed = [failure.code for failure in documented.ALIBABA_RECEIPTS]
    assert ours == sorted([*listed, *documented.ALIBABA_ANSWERED, *documented.ALIBABA_MOMENTS])
    assert sorted(tencent.RECEIPTS) == sorted(f.code for f in documented.TENCENT_FAILURES)
    assert sorted(tencent.RESULTS) == sorted(f.code for f in documented.TENCENT_RESULTS)


@pytest.mark.parametrize(
    ("carrier", "body"),
    [
        ("alibaba", [_report(status_code="200199", dtmf="")]),
        ("tencent", {"voice_failure_callback": {"callid": "1", "failure_code": 21}}),
        ("tencent", {"voiceprompt_callback": {"callid": "1", "result": "7"}}),
    ],
)
def test_a_code_that_no_document_names_sends_the_page_elsewhere(carrier: str, body: Any) -> None:
    [event] = read(carrier, body).events
    assert isinstance(event, CallFailed)
    assert (event.row.kind, event.row.other_provider) == ("unknown", True)


# Every layout.

_TIMES = {"status_time": "2026-11-22 10:00:17"}
LAYOUTS: dict[str, dict[str, Any]] = {
    "b_start_time only": {"start_time": ...},
    "start_time only": {"b_start_time": ...},
    "neither": {"start_time": ..., "b_start_time": ...},
    "leg times": {"b_ring_time": "2026-11-22 10:00:04", "b_duration": 20, "a_duration": None},
    "duration is a number": {"duration": 20},
    "duration with its unit": {"duration": "10秒"},
    "status_code is a number": {"status_code": 200000},
    "dtmf is a number": {"dtmf": 1},
    "dtmf in spaces": {"dtmf": " 1 "},
    "call_id missing": {"call_id": ...},
    "call_id null": {"call_id": None},
    "out_id null": {"out_id": None},
    "callee is a number": {"callee": 13700000000},
    "callee is nonsense": {"callee": {"number": "1"}},
    "hang-up by a leg": {"hangup_direction": "aleg"},
    "end_time empty": {"end_time": ""},
    "end_time of another form": {"end_time": "2026-11-22T10:00:31+08:00"},
    "end_time in milliseconds": {"end_time": 1795341631000},
    "end_time out of all time": {"end_time": "0001-01-01 00:00:00"},
    "keys that nobody knows": {"extend": {"a": [1]}, "early_media_code": None, "x": math.pi},
    "a status_time as well": {"status_time": None},
    "times of the call as well": _TIMES,
}


def _changed(record: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """The record with some fields changed; one that is to be ... is left out."""
    return {name: value for name, value in {**record, **changes}.items() if value is not ...}


@pytest.mark.parametrize("changes", LAYOUTS.values(), ids=LAYOUTS)
def test_alibabas_report_says_the_same_in_every_layout(changes: dict[str, Any]) -> None:
    reading = read("alibaba", [_changed(_report(), changes)])
    pressed, ended = reading.events
    assert isinstance(pressed, DigitsPressed)
    assert (pressed.digits, pressed.final) == ("1", True)
    assert isinstance(ended, CallEnded)
    assert ended.outcome == "completed"
    assert reading.skipped == 0
    assert len(set(keys(reading.events))) == 2


NO_KEY: dict[str, Any] = {
    "missing": ...,
    "null": None,
    "empty": "",
    "a word": "null",
    "none": "-1",
    "a fraction": 1.0,
    "true": True,
    "letters among digits": "1a",
}


@pytest.mark.parametrize("dtmf", NO_KEY.values(), ids=NO_KEY)
def test_what_is_no_key_acknowledges_nothing(dtmf: object) -> None:
    """A key that nobody pressed would stop the calling."""
    [event] = read("alibaba", [_changed(_report(), {"dtmf": dtmf})]).events
    assert isinstance(event, CallEnded)


@pytest.mark.parametrize(
    ("dtmf", "digits"), [("51", "51"), ("5,1", "51"), ("0", "0"), (0, "0"), ("*1#", "*1#")]
)
def test_every_key_is_read_in_order(dtmf: object, digits: str) -> None:
    event = read("alibaba", [_report(dtmf=dtmf)]).events[0]
    assert isinstance(event, DigitsPressed)
    assert event.digits == digits


MOMENTS: dict[str, dict[str, Any]] = {
    "the misprinted code": {"status_code": "200000"},
    "the misprinted code as a number": {"status_code": 200000},
    "numbers for strings": {"status_code": 300000, "dtmf": 1, "out_id": 7},
    "no time": {"status_time": ...},
    "a time of another form": {"status_time": "10:00:17"},
    "keys that nobody knows": {"smart_status_code": None, "x": []},
}


@pytest.mark.parametrize("changes", MOMENTS.values(), ids=MOMENTS)
def test_a_key_during_the_call_is_heard_in_every_layout(changes: dict[str, Any]) -> None:
    [event] = read("alibaba", [_changed(_live(), changes)]).events
    assert isinstance(event, DigitsPressed)
    assert (event.digits, event.final) == ("1", False)


def test_a_misprint_without_a_key_ends_no_call() -> None:
    [event] = read("alibaba", [_live(status_code="200000", dtmf="")]).events
    assert isinstance(event, CallNoted)


@pytest.mark.parametrize(
    "changes",
    [{"keypress": 1}, {"call_from": None}, {"mobile": 13700000000}, {"fee": 0.5}, {"x": {}}],
    ids=str,
)
def test_a_key_of_tencent_is_heard_in_every_layout(changes: dict[str, Any]) -> None:
    push = sample("tencent_voicekey.json")
    push["voicekey_callback"] |= changes
    assert unkeyed(read("tencent", push).events) == EXPECTED["tencent_voicekey.json"]


def test_tencent_writes_0_for_a_time_that_never_came() -> None:
    push = sample("tencent_voiceprompt_answered.json")
    push["voiceprompt_callback"] |= {"accept_time": "0", "end_calltime": "soon"}
    assert [event.receipt.at for event in read("tencent", push).events] == [None, None]


def test_a_landline_that_alibaba_called_is_known_again() -> None:
    event = read("alibaba", [_report(callee="057100000000")]).events[0]
    assert event.receipt.address == "+8657100000000"


def test_a_number_abroad_keeps_its_country() -> None:
    push = sample("tencent_voicekey.json")
    push["voicekey_callback"] |= {"nationcode": "852", "mobile": "51000000"}
    [event] = read("tencent", push).events
    assert event.receipt.address == "+85251000000"


# Repeats.


@pytest.mark.parametrize("name", SAMPLES)
def test_a_push_that_comes_again_is_known_by_its_keys(name: str) -> None:
    carrier = name.partition("_")[0]
    assert keys(read(carrier, sample(name)).events) == keys(read(carrier, sample(name)).events)


@pytest.mark.parametrize("carrier", ["alibaba", "tencent"])
def test_only_the_same_event_has_the_same_key(carrier: str) -> None:
    events = [
        e
        for name in SAMPLES
        if name.startswith(carrier)
        for e in read(carrier, sample(name)).events
    ]
    assert len({event.receipt.key for event in events}) == len(set(events))


REPUSHED: dict[str, tuple[str, Callable[[], Any], Callable[[], Any]]] = {
    "a number where a string was": (
        "alibaba",
        lambda: [_live()],
        lambda: [_live(status_code=300000, dtmf=1)],
    ),
    "a field that was not there": ("alibaba", lambda: [_report()], lambda: [_report(extend="1")]),
    "another duration": ("alibaba", lambda: [_report()], lambda: [_report(duration=21)]),
    "a caller that was not there": (
        "tencent",
        lambda: sample("tencent_voicekey.json"),
        lambda: {
            "voicekey_callback": {
                **sample("tencent_voicekey.json")["voicekey_callback"],
                "call_from": "075500000000",
            }
        },
    ),
}


@pytest.mark.parametrize(("carrier", "first", "again"), REPUSHED.values(), ids=REPUSHED)
def test_a_repeat_never_counts_twice_although_it_is_written_otherwise(
    carrier: str, first: Callable[[], Any], again: Callable[[], Any]
) -> None:
    assert keys(read(carrier, first()).events) == keys(read(carrier, again()).events)


def test_two_keys_are_two_events() -> None:
    pressed = [_live(), _live(dtmf="2"), _live(status_time="2026-11-22 10:00:18")]
    events = read("alibaba", pressed).events
    assert len({e.receipt.key for e in events if isinstance(e, DigitsPressed)}) == 3


def test_a_key_pressed_twice_in_one_second_comes_with_the_report() -> None:
    """During the call the two pushes are the same in every field, as a repeat would be."""
    live = read("alibaba", [_live(), _live()]).events
    assert len({e.receipt.key for e in live if isinstance(e, DigitsPressed)}) == 1
    [final, _] = read("alibaba", [_report(dtmf="11")]).events
    assert isinstance(final, DigitsPressed)
    assert (final.digits, final.final) == ("11", True)
    assert final.receipt.key not in keys(live)


# What is not as it should be.


def _nested(depth: int) -> bytes:
    return b"[" * depth + b"]" * depth


UNREADABLE = {
    "empty": b"",
    "no JSON": b"status=1",
    "not UTF-8": b'[{"call_id": "\xff\xfe"}]',
    "cut off": b'[{"call_id": "1"',
    "nested without end": _nested(100_000),
    "a number of a million digits": b"1" * 200_000,
    "null": b"null",
    "a string": b'"x"',
    "a number": b"1",
}


@pytest.mark.parametrize("carrier", ["alibaba", "tencent"])
@pytest.mark.parametrize("body", UNREADABLE.values(), ids=UNREADABLE)
def test_a_body_that_cannot_be_read_is_refused(carrier: str, body: bytes) -> None:
    with pytest.raises(CallbackMalformedError) as caught:
        read(carrier, body)
    assert str(caught.value) == carrier


def test_a_body_of_the_other_carriers_form_is_refused() -> None:
    with pytest.raises(CallbackMalformedError):
        read("alibaba", {})
    with pytest.raises(CallbackMalformedError):
        read("tencent", [])


@pytest.mark.parametrize(("carrier", "body"), [("alibaba", []), ("tencent", {})])
def test_an_empty_body_says_nothing(carrier: str, body: object) -> None:
    assert read(carrier, body) == Reading([], 0)


BAD_ITEMS: dict[str, Any] = {
    "no object": 7,
    "null": None,
    "empty": {},
    "no status": {"call_id": "1"},
    "no id": {"status_code": "200000"},
    "ids empty": {"status_code": "200000", "call_id": "", "out_id": ""},
    "id of another kind": {"status_code": "200000", "call_id": ["1"]},
    "id too long": {"status_code": "200000", "call_id": "1" * 65},
    "half a character": {"status_code": "200000", "call_id": "\ud800"},
    "nothing that prints": {"status_code": "200000", "call_id": "1\x00"},
    "status is a table": {"status_code": {}, "call_id": "1"},
    "status is true": {"status_code": True, "call_id": "1"},
    "status is no number": {"status_code": math.nan, "call_id": "1"},
    "status beyond all numbers": {"status_code": math.inf, "call_id": "1"},
    "status without end": {"status_code": 10**400, "call_id": "1"},
}


@pytest.mark.parametrize("bad", BAD_ITEMS.values(), ids=BAD_ITEMS)
def test_a_bad_item_is_counted_and_the_others_are_read(bad: Any) -> None:
    reading = read("alibaba", [_live(), bad, _report(dtmf="")])
    assert reading.skipped == 1
    assert [type(event) for event in reading.events] == [DigitsPressed, CallEnded]


@pytest.mark.parametrize(
    "push",
    [
        {"voice_failed_callback": {"callid": "1", "failure_code": 8}},
        {"voicekey_callback": {"callid": "1"}},
        {"voicekey_callback": {"callid": "1", "keypress": "-1"}},
        {"voicekey_callback": {"callid": "", "keypress": "1"}},
        {"voicekey_callback": ["1"]},
        {"voiceprompt_callback": {"callid": "1"}},
        {"voiceprompt_callback": {"callid": "1", "result": None}},
        {"voice_failure_callback": {"callid": "1", "failure_code": None}},
        {"voice_failure_callback": {"callid": "1", "failure_code": 1.5}},
    ],
    ids=str,
)
def test_a_push_of_tencent_that_says_nothing_is_counted(push: Any) -> None:
    good = sample("tencent_voicekey.json")
    both = read("tencent", {**push, "voicekey_callback": {}, **good})
    assert read("tencent", push) == Reading([], 1)
    assert len(both.events) == 1


def test_a_table_nested_deep_inside_an_item_is_no_trouble() -> None:
    deep = b'[{"call_id": "1", "status_code": "200000", "x": ' + _nested(900) + b"}]"
    assert len(read("alibaba", deep).events) == 1


ODD = st.sampled_from(
    [None, True, 0, -1, 10**30, 200201, math.nan, 1e300, [], [["1"]], {"a": {}}]
) | st.sampled_from(
    ["", "0", "1", "12", " 1", "是", "\x00", "\ud800", "9" * 70, "200000", "2026-11-22 10:00:17"]
)
VALUES = ODD | st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(), inner, max_size=2),
    max_leaves=3,
)


@st.composite
def bodies(draw: st.DrawFn, carrier: str) -> Any:
    """A sample, or a batch of them, in which some fields hold anything and some are missing."""
    names = [name for name in SAMPLES if name.startswith(carrier)]
    body = sample(draw(st.sampled_from(names)))
    items = body if isinstance(body, list) else list(body.values())
    for item in items:
        for field in draw(st.lists(st.sampled_from([*item, "status_time", "dtmf"]), max_size=3)):
            item[field] = draw(VALUES)
        for field in draw(st.lists(st.sampled_from(list(item)), max_size=1)):
            del item[field]
    if draw(st.integers(0, 9)) == 0:
        return draw(VALUES)
    if draw(st.integers(0, 4)) == 0:
        odd = draw(VALUES)
        return [*body, odd] if isinstance(body, list) else {**body, "x_callback": odd}
    return body


@pytest.mark.parametrize("carrier", ["alibaba", "tencent"])
@settings(max_examples=250, deadline=None, derandomize=True, database=None)
@given(data=st.data())
def test_whatever_comes_is_read_counted_or_refused(carrier: str, data: st.DataObject) -> None:
    try:
        reading = read(carrier, data.draw(bodies(carrier)))
    except CallbackMalformedError:
        return
    for event in reading.events:
        stored = json.dumps(dump(event), ensure_ascii=False).encode()
        assert load(json.loads(stored)) == event
        receipt = event.receipt
        assert receipt.ref or receipt.provider_id
        assert len(receipt.key) < 300
        assert receipt.at is None or receipt.at.tzinfo is UTC


@pytest.mark.parametrize("carrier", ["alibaba", "tencent"])
@settings(max_examples=100, deadline=None, derandomize=True, database=None)
@given(body=st.binary())
def test_whatever_bytes_come_are_read_or_refused(carrier: str, body: bytes) -> None:
    try:
        read(carrier, body)
    except CallbackMalformedError as exc:
        assert str(exc) == carrier  # noqa: PT017 - most bodies are refused, some are read
