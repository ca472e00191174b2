"""One call and what becomes of it, on each carrier, from Alertmanager's post to its end."""

import contextlib
import json
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.scenarios.conftest import LI, WEI, Stack

ALERTS = Path(__file__).parents[1] / "paging" / "data"


def fires(stack: Stack, name: str = "01_firing") -> Any:
    """Post what a real Alertmanager sent."""
    body = json.loads((ALERTS / f"{name}.json").read_text())
    return stack.post("/v1/integrations/alertmanager/default", body)


def test_an_alert_rings_a_phone_and_1_acknowledges(stack: Stack, first: str) -> None:
    assert fires(stack)["action"] == "opened"
    call = stack.answer(LI)
    (heard,) = stack.calls()
    assert "磁盘将满" in heard["text"]
    assert "认领请按1" in heard["text"]
    stack.press(call, "1")
    stack.until(lambda: stack.status() == "acknowledged", 30)
    stack.until(lambda: stack.incident()["attempts"][0]["ended_at"], 120)
    stack.pass_time(1300)  # beyond every gap and wait of the policy
    assert stack.called() == [(first, LI)]
    seen = stack.incident()
    assert seen["acknowledged_by"] == "li"
    assert seen["attempts"][0]["keys"] == "1"
    assert seen["attempts"][0]["status"] == "acknowledged"
    logged = [json.loads(line) for line in stack.logs().splitlines()]
    story = [line["event"] for line in logged if line.get("incident") == 1]
    assert [event for event in story if event in stack.types()] == stack.types()
    (taken,) = [line for line in logged if line["event"] == "incident.acknowledged"]
    assert (taken["responder"], taken["attempt"]) == ("li", seen["attempts"][0]["id"])


def test_a_wrong_key_is_recorded_and_the_call_is_made_again(stack: Stack, first: str) -> None:
    fires(stack)
    call = stack.answer(LI)
    stack.press(call, "9")
    stack.until(lambda: "attempt.key_pressed" in stack.types(), 90)
    stack.hang_up(call)
    call = stack.answer(LI)
    stack.press(call, "1")
    stack.until(lambda: stack.status() == "acknowledged", 30)
    assert stack.called() == [(first, LI)] * 2


def test_an_answered_call_without_a_key_is_not_taken_for_a_human(stack: Stack, first: str) -> None:
    """A voicemail: answered, read out to, never a key."""
    stack.phone(LI, "voicemail")
    fires(stack)
    call = stack.answer(WEI)
    stack.press(call, "1")
    stack.until(lambda: stack.status() == "acknowledged", 30)
    assert stack.called() == [(first, LI)] * 2 + [(first, WEI)]
    assert stack.incident()["acknowledged_by"] == "wei"


def test_hung_up_at_once_is_a_missed_call(stack: Stack, first: str) -> None:
    stack.phone(LI, "answer", after_s=2, keys="", hangup_after_s=1)
    fires(stack)
    stack.until(lambda: "attempt.failed" in stack.types(), 120)
    stack.phone(LI, "answer", after_s=2, keys="1")
    stack.until(lambda: stack.status() == "acknowledged")
    assert stack.called() == [(first, LI)] * 2


def test_busy_twice_then_the_next_person(stack: Stack, first: str) -> None:
    stack.phone(LI, "busy")
    stack.phone(WEI, "answer", after_s=3, keys="1")
    fires(stack)
    stack.until(lambda: stack.status() == "acknowledged")
    assert stack.called() == [(first, LI)] * 2 + [(first, WEI)]
    outcomes = [a["failure"] and a["failure"]["outcome"] for a in stack.incident()["attempts"]]
    assert outcomes == ["busy", "busy", None]


def test_a_second_acknowledgement_changes_nothing(stack: Stack, first: str) -> None:
    stack.post("/v1/incidents", {"title": "db-1 down", "policy": "both"})
    li, wei = stack.answer(LI), stack.answer(WEI)
    stack.press(li, "1")
    stack.until(lambda: stack.status() == "acknowledged", 30)
    stack.press(wei, "1")
    stack.until(lambda: "incident.acknowledged_again" in stack.types(), 30)
    assert stack.incident()["acknowledged_by"] == "li"
    stack.pass_time(600)
    assert sorted(stack.called()) == [(first, LI), (first, WEI)]


def test_key_2_calls_the_next_person_at_once(stack: Stack, first: str) -> None:
    fires(stack)
    stack.press(stack.answer(LI), "2")
    call = stack.until(lambda: stack.ringing(WEI), 20)
    stack.sandbox.post(f"/sandbox/calls/{call['id']}/answer").raise_for_status()
    stack.press(call["id"], "1")
    stack.until(lambda: stack.status() == "acknowledged", 30)
    stack.pass_time(1300)
    assert stack.called() == [(first, LI), (first, WEI)]


def test_resolved_while_ringing_ends_everything(stack: Stack, first: str) -> None:
    fires(stack)
    stack.until(lambda: stack.ringing(LI))
    body = json.loads((ALERTS / "01_firing.json").read_text())
    body["status"] = body["alerts"][0]["status"] = "resolved"
    body["alerts"][0]["endsAt"] = "2026-11-23T01:59:00Z"
    answer = stack.post("/v1/integrations/alertmanager/default", body)
    assert answer["action"] == "closed"
    stack.pass_time(1300)
    assert stack.called() == [(first, LI)]
    assert stack.status() == "closed"


def test_a_restart_while_ringing_loses_no_key_and_rings_nobody_twice(
    stack: Stack, first: str
) -> None:
    fires(stack)
    stack.until(lambda: stack.ringing(LI))
    stack.stop(signal.SIGKILL)
    stack.start()
    stack.press(stack.answer(LI), "1")
    stack.until(lambda: stack.status() == "acknowledged", 60)
    stack.pass_time(1300)
    assert stack.called() == [(first, LI)]


def test_what_is_due_survives_a_restart(stack: Stack, first: str) -> None:
    stack.phone(LI, "busy")
    fires(stack)
    stack.until(lambda: "attempt.failed" in stack.types(), 120)
    stack.stop(signal.SIGTERM)
    stack.phone(LI, "answer", after_s=2, keys="1")
    stack.start()
    stack.until(lambda: stack.status() == "acknowledged")
    assert stack.called() == [(first, LI)] * 2


def test_a_refused_submit_goes_to_the_other_carrier_at_once(
    stack: Stack, first: str, other: str
) -> None:
    code = {
        "alibaba": "isv.BUSINESS_LIMIT_CONTROL",
        "tencent": "LimitExceeded.DeliveryFrequencyLimit",
    }
    stack.faults(first, {"fault": "error", "code": code[first], "message": "no", "times": None})
    fires(stack)
    stack.press(stack.answer(LI), "1")
    stack.until(lambda: stack.status() == "acknowledged", 30)
    assert stack.called() == [(other, LI)]
    assert "provider.failed_over" in stack.types()


def test_a_call_whose_answer_was_lost_is_waited_for_and_its_key_counts(
    stack: Stack, first: str
) -> None:
    """The carrier placed the call, then broke the connection."""
    stack.faults(first, {"fault": "place_then_reset", "times": 1})
    fires(stack)
    stack.press(stack.answer(LI), "1")
    stack.until(lambda: stack.status() == "acknowledged", 30)
    stack.pass_time(1300)
    assert stack.called() == [(first, LI)]


def test_callbacks_twice_and_late_acknowledge_once(stack: Stack, first: str) -> None:
    pushes = {first: {"pushes": {"repeat": 3, "delay_s": 5}}}
    stack.sandbox.put("/sandbox/settings", json=pushes).raise_for_status()
    stack.phone(LI, "answer", after_s=3, keys="1")
    fires(stack)
    stack.until(lambda: stack.status() == "acknowledged")
    stack.pass_time(300)
    assert stack.types().count("incident.acknowledged") == 1
    assert "incident.acknowledged_again" not in stack.types()
    assert stack.called() == [(first, LI)]


def test_a_callback_before_the_submits_answer_is_not_lost(stack: Stack, first: str) -> None:
    pushes = {first: {"pushes": {"before_response": True}}}
    stack.sandbox.put("/sandbox/settings", json=pushes).raise_for_status()
    stack.phone(LI, "answer", after_s=0, keys="1")
    fires(stack)
    stack.until(lambda: stack.status() == "acknowledged", 120)
    assert stack.called() == [(first, LI)]


def test_nobody_reached_is_loud(stack: Stack, first: str) -> None:
    stack.phone(LI, "off")
    stack.phone(WEI, "off")
    fires(stack)
    stack.until(lambda: len(stack.get("/v1/incidents")["items"]) == 2)
    assert stack.incident()["page"]["state"] == "exhausted"
    assert "无人认领" in stack.incident(2)["title"]


def test_a_second_server_on_the_same_database_ends_with_one_line(stack: Stack) -> None:
    second = subprocess.run(
        [sys.executable, "-m", "ringback", "serve", "--config", str(stack.config)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        cwd=Path(__file__).parents[2],
    )
    assert second.returncode == 1
    assert second.stderr.count("\n") == 1
    assert "another ringback serves" in second.stderr


def test_a_drill_rings_and_is_answered_by_a_key(stack: Stack, first: str) -> None:
    attempt = stack.post("/v1/responders/li/test", {"channel": "voice"})
    stack.press(stack.answer(LI), "1")
    stack.until(lambda: stack.get(f"/v1/attempts/{attempt['id']}")["status"] == "acknowledged", 60)
    assert stack.called() == [(first, LI)]
    assert "测试" in stack.calls()[0]["text"]


def test_a_key_counts_once_although_the_database_is_locked_when_it_comes(
    stack: Stack, first: str
) -> None:
    """The carrier is told to push again rather than told a lie; whichever comes through counts."""
    fires(stack)
    call = stack.answer(LI)
    with contextlib.closing(sqlite3.connect(stack.folder / "ringback.db")) as other:
        other.execute("BEGIN IMMEDIATE")
        stack.press(call, "1")
        stack.until(lambda: [push for push in pushes(stack) if push["status"] == 503], 60)
        other.rollback()
    stack.until(lambda: stack.status() == "acknowledged", 120)
    stack.pass_time(900)
    assert stack.types().count("incident.acknowledged") == 1
    assert "incident.acknowledged_again" not in stack.types()
    assert stack.called() == [(first, LI)]


def pushes(stack: Stack) -> list[Any]:
    """Every try of the carriers to push something."""
    return [one for push in stack.sandbox.get("/sandbox/pushes").json() for one in push["tries"]]
