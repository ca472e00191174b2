"""Who is called when a schedule says so: across a hand-over, by a calendar, and when nobody is."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.scenarios.calendars import Calendar, served
from tests.scenarios.conftest import LI, WEI, ZHAO, Stack

pytestmark = pytest.mark.parametrize("first", ["alibaba"], indirect=True)  # any carrier does
HOUR = timedelta(hours=1)


def policy(*steps: dict[str, Any]) -> dict[str, Any]:
    """A policy of these steps, each by one call."""
    by_call = {"notify": [{"channel": "voice", "tries": 1}], "wait": 600}
    return {"name": "P", "repeat": 0, "steps": [{**by_call, **step} for step in steps]}


def put(stack: Stack, path: str, body: dict[str, Any]) -> None:
    """Declare something."""
    answer = stack.api.put(path, json=body)
    assert answer.is_success, answer.text


def rotation(begins: datetime, *responders: str) -> dict[str, Any]:
    """A daily rotation whose first hand-over was at this time, to the minute."""
    return {
        "name": "Rotation",
        "timezone": "UTC",
        "rotation": {
            "every": "day",
            "at": f"{begins:%H:%M}",
            "from": f"{begins:%Y-%m-%d}",
            "responders": responders,
        },
    }


def test_an_incident_rings_whoever_is_on_call_and_after_a_hand_over_the_next(
    stack: Stack,
) -> None:
    # The next hand-over is some five minutes away.
    begins = datetime.now(UTC) + timedelta(minutes=5) - timedelta(days=2)
    put(stack, "/v1/schedules/s", rotation(begins, "li", "wei"))
    # Its second try keeps the first step going until the wait is over.
    patient = {"notify": [{"channel": "voice", "tries": 2, "gap": 900}], "wait": 400}
    steps = ({"targets": ["schedule:s"], **patient}, {"targets": ["schedule:s"]})
    put(stack, "/v1/policies/p", policy(*steps))
    expected = {"li": LI, "wei": WEI}
    now = stack.get("/v1/schedules/s/on-call")
    before, after = now["responder"], now["next"]["responder"]
    assert {before, after} == {"li", "wei"}

    stack.post("/v1/incidents", {"title": "one", "policy": "p"})
    call = stack.answer(expected[before])
    stack.hang_up(call)
    # The page's second step begins after the hand-over, and tells the one who has it then.
    call = stack.answer(expected[after])
    stack.press(call, "1")
    stack.until(lambda: stack.status() == "acknowledged", 60)
    stack.hang_up(call)
    read = [e["responder"] for e in stack.incident()["timeline"] if e["type"] == "oncall.read"]
    assert read == [before, after]

    stack.post("/v1/incidents", {"title": "two", "policy": "p"})
    stack.answer(expected[after])
    assert [number for _, number in stack.called()][-1] == expected[after]


def test_nobody_on_call_calls_the_next_step_at_once(stack: Stack) -> None:
    later = datetime.now(UTC) + timedelta(days=30)
    put(stack, "/v1/schedules/s", rotation(later, "li"))
    steps = ({"targets": ["schedule:s"]}, {"targets": ["responder:wei"]})
    put(stack, "/v1/policies/p", policy(*steps))
    stack.post("/v1/incidents", {"title": "one", "policy": "p"})
    stack.until(lambda: stack.ringing(WEI), 60)
    assert stack.types()[:3] == ["incident.triggered", "oncall.gap", "incident.escalated"]


def test_a_calendar_decides_a_swap_is_seen_and_a_login_page_changes_nothing_but_is_loud(
    stack: Stack,
) -> None:
    now = datetime.now(UTC)
    calendar = Calendar()
    calendar.has((now - HOUR, now + 10 * HOUR, "Li on call"))
    with served(calendar) as url:
        put(stack, "/v1/schedules/s", {"name": "S", "timezone": "UTC", "url": url})
        put(stack, "/v1/policies/p", policy({"targets": ["schedule:s"]}))
        stack.post("/v1/incidents", {"title": "one", "policy": "p"})
        call = stack.answer(LI)
        stack.press(call, "1")
        stack.until(lambda: stack.status() == "acknowledged", 60)
        stack.hang_up(call)

        # Wei takes over two hours, written over Li's plan.
        calendar.has((now - HOUR, now + 10 * HOUR, "Li on call"), (now, now + 2 * HOUR, "Wei"))
        stack.until(lambda: stack.get("/v1/schedules/s/on-call")["responder"] == "wei", 1200)

        calendar.asks_for_a_login()
        read_before = calendar.asked
        stack.until(lambda: stack.ringing(ZHAO), 3600)  # the operators
        assert calendar.asked >= read_before + 3, "one fault wakes nobody"
        seen = stack.get("/v1/schedules/s/on-call")
        assert seen["responder"] == "wei"
        assert "a login needed" in seen["calendar"]["error"]
        refused = stack.api.put(
            "/v1/schedules/t", json={"name": "T", "timezone": "UTC", "url": url}
        )
        assert refused.status_code == 422
        assert refused.json()["errors"][0]["field"] == "url"
        assert "private-4711" not in refused.text
    assert "private-4711" not in stack.logs()
