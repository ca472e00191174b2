"""What carriers push about texts, read into our events: samples, layouts, and everything else."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paging.errors import CallbackMalformedError
from paging.events import (
    Event,
    MessageDelivered,
    MessageFailed,
    Receipt,
    ReplyReceived,
    dump,
    load,
)
from paging.ports import Callback, CallbackReader, Reading
from sms.alibaba import AlibabaSmsReplies, AlibabaSmsReports
from sms.receipts import RECEIPTS
from sms.tencent import TencentSmsReplies, TencentSmsReports

DATA = Path(__file__).parents[1] / "callback_samples"
SAMPLES = sorted(path.stem for path in DATA.glob("*_sms_*.json"))
READERS: dict[str, CallbackReader] = {
    "alibaba_sms_report": AlibabaSmsReports(),
    "alibaba_sms_report_failed": AlibabaSmsReports(),
    "alibaba_sms_up": AlibabaSmsReplies(),
    "tencent_sms_status": TencentSmsReports(),
    "tencent_sms_status_failed": TencentSmsReports(),
    "tencent_sms_reply": TencentSmsReplies(),
}
REPLIES = ("alibaba_sms_up", "tencent_sms_reply")


def sample(name: str) -> Any:
    return json.loads((DATA / f"{name}.json").read_bytes())


def changed(name: str, **changes: Any) -> Any:
    """The sample with fields of its first record changed; one that is to be ... is left out."""
    body = sample(name)
    records = body if isinstance(body, list) else [body]
    for field, value in changes.items():
        records[0][field] = value
        if value is ...:
            del records[0][field]
    return body


def read(name: str, body: object) -> Reading:
    """Read a body, given as bytes or as its JSON value."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return READERS[name].read_callback(Callback(raw))


def unkeyed(events: Any) -> list[Event]:
    return [replace(event, receipt=replace(event.receipt, key="")) for event in events]


AT = datetime(2026, 11, 22, 2, 0, 5, tzinfo=UTC)
WHO = "+8613700000000"
ALI = Receipt("alibaba", "", "pg-7Q3F9A", "900000000000000001^0", WHO, AT, None, "sms")
TEN = Receipt("tencent", "", "pg-7Q3F9A", "8:0000000000000001", WHO, AT, None, "sms")
EXPECTED: dict[str, Event] = {
    "alibaba_sms_report": MessageDelivered(ALI),
    "alibaba_sms_report_failed": MessageFailed(ALI, "MK:0001", RECEIPTS["MK:0001"]),
    "alibaba_sms_up": ReplyReceived(
        Receipt(
            "alibaba",
            "",
            address=WHO,
            at=datetime(2026, 11, 22, 2, 2, tzinfo=UTC),
            caller="1234",
            channel="sms",
        ),
        "1",
    ),
    "tencent_sms_status": MessageDelivered(TEN),
    "tencent_sms_status_failed": MessageFailed(
        replace(TEN, ref=None), "MK:0001", RECEIPTS["MK:0001"]
    ),
    "tencent_sms_reply": ReplyReceived(
        Receipt(
            "tencent",
            "",
            address=WHO,
            at=datetime.fromtimestamp(1795341720, UTC),
            channel="sms",
        ),
        "1",
    ),
}


@pytest.mark.parametrize("name", SAMPLES)
def test_a_sample_says_exactly_this(name: str) -> None:
    reading = read(name, sample(name))
    assert unkeyed(reading.events) == [EXPECTED[name]]
    assert reading.skipped == 0
    assert all(event.receipt.key.startswith("sms:") for event in reading.events)


def test_every_sample_has_its_meaning_written_down() -> None:
    assert sorted(EXPECTED) == SAMPLES


@pytest.mark.parametrize("name", SAMPLES)
def test_what_was_read_survives_the_inbox(name: str) -> None:
    events = read(name, sample(name)).events
    assert [load(json.loads(json.dumps(dump(event)))) for event in events] == list(events)


@pytest.mark.parametrize(
    ("reader", "accepted"),
    [
        (AlibabaSmsReports(), {"code": 0, "msg": "接收成功"}),
        (AlibabaSmsReplies(), {"code": 0, "msg": "接收成功"}),
        (TencentSmsReports(), {"result": 0, "errmsg": "OK"}),
        (TencentSmsReplies(), {"result": 0, "errmsg": "OK"}),
    ],
)
def test_what_was_taken_is_answered_as_the_carrier_asks(
    reader: CallbackReader, accepted: dict[str, Any]
) -> None:
    assert json.loads(reader.accepted) == accepted


# Whether it arrived.


class Undelivered(NamedTuple):
    """A network's word, and what it means: as lists of third parties agree."""

    code: str
    outcome: str
    other_provider: bool
    again: str
    kind: str = "recipient_rejected"


UNDELIVERED = [
    Undelivered("MK:0001", "bad_number", other_provider=False, again="never"),
    Undelivered("MK:0005", "suspended", other_provider=False, again="never"),
    Undelivered("MK:0010", "off", other_provider=False, again="later"),
    Undelivered("UNDELIV", "unreachable", other_provider=True, again="later"),
    Undelivered("EXPIRED", "unreachable", other_provider=False, again="later"),
    Undelivered("REJECTD", "blocked", other_provider=True, again="later"),
]
UNHEARD = [
    Undelivered(code, "undelivered", other_provider=True, again="later", kind="unknown")
    for code in ("CB:0113", "YX:7000", "0")
]


@pytest.mark.parametrize("said", [*UNDELIVERED, *UNHEARD], ids=lambda said: said.code)
@pytest.mark.parametrize(
    ("name", "field"), [("alibaba_sms_report_failed", "err_code"), ("tencent_sms_status", "errmsg")]
)
def test_a_text_that_did_not_arrive_says_why_and_what_helps(
    name: str, field: str, said: Undelivered
) -> None:
    failed = {"report_status": "FAIL"} if name.startswith("tencent") else {}
    [event] = read(name, changed(name, **{field: said.code}, **failed)).events
    assert isinstance(event, MessageFailed)
    row = event.row
    assert said == Undelivered(event.code, row.outcome, row.other_provider, row.again, row.kind)
    assert row.placed == "no"


def test_every_word_of_a_network_is_written_down_and_none_is_made_up() -> None:
    assert sorted(RECEIPTS) == sorted(said.code for said in UNDELIVERED)


@pytest.mark.parametrize("success", [True, "true", False, "false"])
@pytest.mark.parametrize("code", ["DELIVERED", "MK:0001", "", None, ...])
def test_alibabas_yes_or_no_decides_whatever_its_code_says(success: object, code: object) -> None:
    body = changed("alibaba_sms_report", success=success, err_code=code)
    [event] = read("alibaba_sms_report", body).events
    assert isinstance(event, MessageDelivered if success in (True, "true") else MessageFailed)


REPORT_LAYOUTS: list[tuple[str, dict[str, Any]]] = [
    *(
        ("alibaba_sms_report", changes)
        for changes in (
            {"sms_size": 1},
            {"phone_number": "+8613700000000"},
            {"phone_number": "8613700000000"},
            {"phone_number": 13700000000},
            {"err_msg": None, "x": {"y": []}},
            {"err_code": "DELIVRD"},
        )
    ),
    *(
        ("tencent_sms_status", changes)
        for changes in (
            {"mobile": 13700000000},
            {"nationcode": 86},
            {"nationcode": None},
            {"description": ["?"]},
        )
    ),
]


@pytest.mark.parametrize(("name", "changes"), REPORT_LAYOUTS, ids=str)
def test_a_report_says_the_same_in_every_layout(name: str, changes: dict[str, Any]) -> None:
    assert unkeyed(read(name, changed(name, **changes)).events) == [EXPECTED[name]]


def test_a_report_is_known_by_either_id(adapter: str) -> None:
    name = {"alibaba": "alibaba_sms_report", "tencent": "tencent_sms_status"}[adapter]
    ours = "out_id" if adapter == "alibaba" else "ext"
    [event] = read(name, changed(name, **{ours: ...})).events
    assert (event.receipt.ref, bool(event.receipt.provider_id)) == (None, True)


def test_failed_first_and_arrived_later_are_two_events() -> None:
    for first, then in (
        ("alibaba_sms_report_failed", "alibaba_sms_report"),
        ("tencent_sms_status_failed", "tencent_sms_status"),
    ):
        told = [read(name, sample(name)).events[0].receipt.key for name in (first, then)]
        assert len(set(told)) == 2


@pytest.mark.parametrize("name", ["alibaba_sms_report", "tencent_sms_status"])
def test_a_batch_is_read_to_its_end_and_bad_items_are_counted(name: str) -> None:
    good = sample(name)
    bad: list[Any] = [7, None, [], {}, {"biz_id": "1"}, {"sid": "1", "report_status": "?"}]
    bad += [{"biz_id": "1", "success": 1}, {"biz_id": ["1"], "sid": {}, "success": True}]
    reading = read(name, [*good, *bad, *good * 98])
    assert (len(reading.events), reading.skipped) == (99, len(bad))


# What somebody answered.

ANSWERS = [
    "1",
    "1 42",
    "１",
    "认领",
    "收到，马上处理",
    "👍",
    "",
    " 1 ",
    "ack\n",
]


@pytest.mark.parametrize("said", ANSWERS, ids=repr)
@pytest.mark.parametrize("encoding", ["utf-8", "gb18030"])
@pytest.mark.parametrize("name", REPLIES)
def test_a_reply_is_read_in_either_encoding(name: str, encoding: str, said: str) -> None:
    field = "content" if name == "alibaba_sms_up" else "text"
    body = json.dumps(changed(name, **{field: said}), ensure_ascii=False).encode(encoding)
    [event] = read(name, body).events
    assert isinstance(event, ReplyReceived)
    assert event.text == said.strip()
    assert event.receipt.address == WHO


def test_a_reply_that_is_a_bare_number_is_read() -> None:
    [event] = read("alibaba_sms_up", changed("alibaba_sms_up", content=1)).events
    assert isinstance(event, ReplyReceived)
    assert event.text == "1"


def test_a_reply_of_any_length_and_any_characters_can_be_stored() -> None:
    odd = "1\x00\ud800\u202e" + "长" * 5000
    [event] = read("tencent_sms_reply", changed("tencent_sms_reply", text=odd)).events
    assert isinstance(event, ReplyReceived)
    assert event.text.startswith("1 ?长")
    assert len(event.text) <= 1000
    event.text.encode()


@pytest.mark.parametrize("name", REPLIES)
def test_a_push_that_comes_again_is_known_by_its_key(name: str) -> None:
    again = {"x": 1} | ({"sequence_id": 1234567890} if name == "alibaba_sms_up" else {})
    keys = [
        read(name, body).events[0].receipt.key for body in (sample(name), changed(name, **again))
    ]
    assert keys[0] == keys[1]


OTHERS: list[tuple[str, dict[str, Any]]] = [
    ("alibaba_sms_up", {"sequence_id": "1234567891"}),
    # Lest a number used again lose somebody's answer.
    ("alibaba_sms_up", {"content": "2"}),
    ("alibaba_sms_up", {"send_time": "2026-11-22 10:02:01"}),
    ("alibaba_sms_up", {"phone_number": "13700000001"}),
    ("tencent_sms_reply", {"text": "2"}),
    ("tencent_sms_reply", {"time": 1795341721}),
    ("tencent_sms_reply", {"mobile": "13700000001"}),
]


@pytest.mark.parametrize(("name", "changes"), OTHERS, ids=str)
def test_another_reply_is_another_event(name: str, changes: dict[str, Any]) -> None:
    keys = [
        read(name, body).events[0].receipt.key for body in (sample(name), changed(name, **changes))
    ]
    assert keys[0] != keys[1]


def test_alibabas_layout_without_a_sequence_number_is_told_apart_too() -> None:
    bodies = [
        changed("alibaba_sms_up", sequence_id=..., content=content) for content in ("1", "1", "2")
    ]
    keys = [read("alibaba_sms_up", body).events[0].receipt.key for body in bodies]
    assert keys[0] == keys[1] != keys[2]


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        *(
            ("alibaba_sms_up", {"phone_number": number})
            for number in ("", None, ..., "not a number", ["1"], "85251000000")
        ),
        *(("alibaba_sms_up", {"content": content}) for content in (None, ..., [], True, 1.5)),
        *(("tencent_sms_reply", {"mobile": number}) for number in ("", None, ..., "x")),
        *(("tencent_sms_reply", {"text": text}) for text in (None, ..., {})),
    ],
    ids=str,
)
def test_a_reply_of_nobody_or_without_words_is_counted(name: str, changes: dict[str, Any]) -> None:
    assert read(name, changed(name, **changes)) == Reading([], 1)


# Bodies that are no such push.


@pytest.mark.parametrize("name", SAMPLES)
@pytest.mark.parametrize(
    "body", [b"", b"a=1", b'{"x": "\xff"}', b"null", b'"1"', b"[" * 100_000, b"1" * 200_000]
)
def test_a_body_that_cannot_be_read_is_refused(name: str, body: bytes) -> None:
    with pytest.raises(CallbackMalformedError):
        read(name, body)


@pytest.mark.parametrize("name", SAMPLES)
def test_a_body_of_another_form_is_refused(name: str) -> None:
    with pytest.raises(CallbackMalformedError):
        read(name, {} if isinstance(sample(name), list) else [])


ODD = st.sampled_from([None, True, 0, -1, 10**30, [], {"a": {}}, "", "1", "是", "\x00", "\ud800"])
VALUES = ODD | st.text() | st.integers() | st.floats()


@pytest.mark.parametrize("name", SAMPLES)
@settings(max_examples=80, deadline=None, derandomize=True, database=None)
@given(data=st.data())
def test_whatever_comes_is_read_counted_or_refused(name: str, data: st.DataObject) -> None:
    body = sample(name)
    record = body[0] if isinstance(body, list) else body
    for field in data.draw(st.lists(st.sampled_from(list(record)), max_size=3)):
        record[field] = data.draw(VALUES)
    reading = read(name, body)
    assert len(reading.events) + reading.skipped == 1
    for event in reading.events:
        stored = json.dumps(dump(event), ensure_ascii=False).encode()
        assert load(json.loads(stored)) == event
        assert len(event.receipt.key) < 200


@pytest.mark.parametrize("name", SAMPLES)
@settings(max_examples=60, deadline=None, derandomize=True, database=None)
@given(body=st.binary())
def test_whatever_bytes_come_are_read_or_refused(name: str, body: bytes) -> None:
    try:
        read(name, body)
    except CallbackMalformedError as exc:
        assert str(exc) in ("alibaba", "tencent")  # noqa: PT017 - most are refused, some are read
