"""Schedules over the API: who is on call, calendars, pruning, and why somebody was told or not."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from paging.errors import CalendarError
from paging.oncall import FeedEvent
from tests.web.conftest import LI, READER, START, WEI, Web

URL = "https://calendar.example.com/private-4711/basic.ics"
FEED = {"name": "Feed", "timezone": "Asia/Shanghai", "url": URL}
HOUR = timedelta(hours=1)
LI_NOW = FeedEvent(START - HOUR, START + 8 * HOUR, "李伟值班")
SAM_LATER = FeedEvent(START + 8 * HOUR, START + 16 * HOUR, "on call: sam")


def errors(answer: Any) -> Any:
    """What a 422 says, as {field: expected}."""
    assert answer.status_code == 422, answer.text
    return {item["field"]: item["expected"] for item in answer.json()["errors"]}


def test_who_is_on_call_now_and_at_a_time_and_who_is_next(web: Web) -> None:
    # 2026-11-24 11:00 in Shanghai: the 24th day since 2026-11-01, an odd one, is Sam's.
    assert web.get("/v1/schedules/payments/on-call") == {
        "schedule": "payments",
        "at": "2026-11-24T03:00:00.000Z",
        "responder": "sam",
        "why": "rotation",
        "since": "2026-11-24T01:00:00.000Z",
        "until": "2026-11-25T01:00:00.000Z",
        "next": {"responder": "li.wei", "from": "2026-11-25T01:00:00.000Z"},
        "calendar": None,
    }
    later = web.get("/v1/schedules/payments/on-call?at=2026-11-25T09:00:00%2B08:00")
    assert (later["responder"], later["at"]) == ("li.wei", "2026-11-25T01:00:00.000Z")


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("at=tomorrow", "expected a time with its offset"),
        ("at=2026-11-25T09:00:00", "Input should have timezone info"),
        ("at=1999-01-01T00:00:00Z", "expected a time in the years 2000 to 2199"),
    ],
)
def test_a_time_that_no_schedule_knows_is_named(web: Web, query: str, expected: str) -> None:
    answer = web.ask("GET", f"/v1/schedules/payments/on-call?{query}")
    assert errors(answer)["at"].startswith(expected)


def test_a_schedule_that_is_not_there_is_404(web: Web) -> None:
    assert web.ask("GET", "/v1/schedules/none/on-call").status_code == 404


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"timezone": "Asia/Nowhere"}, "timezone"),
        ({"rotation": None}, "rotation"),
        ({"url": URL}, "url"),
        ({"rotation": {"every": "month"}}, "rotation.every"),
        ({"rotation": {"responders": []}}, "rotation.responders"),
        ({"rotation": {"responders": ["li.wei", "ghost"]}}, "rotation.responders.1"),
        ({"rotation": {"at": "25:00"}}, "rotation.at"),
        (
            {"overrides": [{"from": "2026-12-02T09:00", "until": "2026-12-01T09:00"}]},
            "overrides.0.until",
        ),
        (
            {
                "overrides": [
                    {"from": "2026-12-01T09:00", "until": "2026-12-03T09:00"},
                    {"from": "2026-12-02T09:00", "until": "2026-12-04T09:00"},
                ]
            },
            "overrides.1.from",
        ),
        (
            {
                "overrides": [
                    {"from": "2026-12-01", "until": "2026-12-02", "responder": "ghost"},
                ]
            },
            "overrides.0.responder",
        ),
    ],
)
def test_a_schedule_with_a_mistake_is_refused_naming_it(
    web: Web, change: dict[str, Any], field: str
) -> None:
    before = web.get("/v1/schedules/payments")
    body = {**before, **change}
    if isinstance(change.get("rotation"), dict):
        body["rotation"] = {**before["rotation"], **change["rotation"]}
    assert field in errors(web.ask("PUT", "/v1/schedules/payments", body))
    assert web.get("/v1/schedules/payments") == before


def test_a_calendar_says_who_is_on_call_and_what_in_it_is_no_ones(web: Web) -> None:
    lunch = FeedEvent(START, START + HOUR, "Team lunch")
    web.calendars.says[URL] = (LI_NOW, SAM_LATER, lunch)
    assert web.ask("PUT", "/v1/schedules/feed", FEED).status_code == 201
    seen = web.get("/v1/schedules/feed/on-call")
    assert (seen["responder"], seen["why"], seen["next"]["responder"]) == ("li.wei", "feed", "sam")
    assert seen["calendar"] == {
        "read_at": "2026-11-24T03:00:00.000Z",
        "error": None,
        "unmatched": [{"from": "2026-11-24T03:00:00.000Z", "text": "Team lunch", "candidates": []}],
    }


def test_the_address_of_a_calendar_is_for_admins_alone(web: Web) -> None:
    web.calendars.says[URL] = ()
    web.ask("PUT", "/v1/schedules/feed", FEED)
    assert web.get("/v1/schedules/feed")["url"] == URL
    for path in ("/v1/schedules/feed", "/v1/schedules"):
        assert "private-4711" not in web.ask("GET", path, token=READER).text


def test_a_calendar_that_cannot_be_read_is_refused_and_the_last_good_state_stays(web: Web) -> None:
    web.calendars.says[URL] = (LI_NOW,)
    web.ask("PUT", "/v1/schedules/feed", FEED)
    bad = "https://calendar.example.com/bad.ics"
    web.calendars.says[bad] = CalendarError("a web page instead of a calendar")
    answer = web.ask("PUT", "/v1/schedules/feed", {**FEED, "url": bad})
    assert errors(answer) == {"url": "cannot be used: a web page instead of a calendar"}
    assert web.get("/v1/schedules/feed")["url"] == URL
    assert web.get("/v1/schedules/feed/on-call")["responder"] == "li.wei"


def minutes(web: Web, condition: Callable[[], object]) -> None:
    """Let time pass, a minute at a time, until this holds."""

    def holds() -> object:
        web.clock.advance(60)
        return condition()

    web.until(holds)


def test_a_calendar_is_read_again_and_its_last_good_state_holds_while_it_fails(web: Web) -> None:
    web.calendars.says[URL] = (LI_NOW,)
    web.ask("PUT", "/v1/schedules/feed", FEED)
    swapped = FeedEvent(LI_NOW.begins, LI_NOW.ends, "sam")
    web.calendars.says[URL] = (swapped,)
    minutes(web, lambda: web.get("/v1/schedules/feed/on-call")["responder"] == "sam")
    web.calendars.says[URL] = CalendarError("the server answers 500")
    read_before = web.calendars.read_times
    minutes(web, lambda: web.get("/v1/incidents")["items"])
    (told,) = web.get("/v1/incidents")["items"]
    assert web.calendars.read_times >= read_before + 3, "one fault wakes nobody"
    assert told["policy"] == "ops"
    assert "the calendar of schedule feed cannot be read" in told["title"]
    seen = web.get("/v1/schedules/feed/on-call")
    assert (seen["responder"], seen["calendar"]["error"]) == ("sam", "the server answers 500")


def test_the_same_schedule_again_reads_its_calendar_no_more(web: Web) -> None:
    web.calendars.says[URL] = (LI_NOW,)
    web.ask("PUT", "/v1/schedules/feed", FEED)
    web.ask("PUT", "/v1/schedules/feed", {**FEED, "name": "Another name"})
    assert web.calendars.read_times == 1


def test_a_page_tells_whoever_is_on_call_when_its_step_fires(web: Web) -> None:
    steps = [
        {"targets": ["schedule:payments"], "notify": ["voice"], "wait": 23 * 3600},
        {"targets": ["schedule:payments"], "notify": ["voice"]},
    ]
    web.ask("PUT", "/v1/policies/p", {"name": "P", "steps": steps, "repeat": 0})
    number = web.ask("POST", "/v1/incidents", {"title": "x", "policy": "p"}).json()["number"]
    web.until(lambda: [call.to for call in web.alibaba.calls] == [WEI])
    web.clock.advance(23 * 3600)
    web.until(lambda: LI in [call.to for call in web.alibaba.calls])
    entries = web.get(f"/v1/incidents/{number}")["timeline"]
    said = [entry["detail"]["text"]["en"] for entry in entries if entry["type"] == "oncall.read"]
    assert said[0] == "schedule payments: Sam is on call"
    assert said[-1] == "schedule payments: 李伟 is on call"


def test_nobody_on_call_is_in_the_timeline_and_the_next_step_begins_at_once(web: Web) -> None:
    rotation = web.get("/v1/schedules/payments")
    rotation["overrides"] = [{"from": "2026-11-24T00:00", "until": "2026-11-25T00:00"}]
    web.ask("PUT", "/v1/schedules/payments", rotation)
    steps = [
        {"targets": ["schedule:payments"], "notify": ["voice"], "wait": 600},
        {"targets": ["responder:li.wei"], "notify": ["voice"]},
    ]
    web.ask("PUT", "/v1/policies/p", {"name": "P", "steps": steps})
    web.ask("POST", "/v1/incidents", {"title": "x", "policy": "p"})
    web.until(lambda: [call.to for call in web.alibaba.calls] == [LI])
    types = [entry["type"] for entry in web.get("/v1/incidents/1")["timeline"]]
    assert types[:3] == ["incident.triggered", "oncall.gap", "incident.escalated"]


def applied(web: Web, **body: Any) -> Any:
    """Apply, and return {kind id: action}."""
    answer = web.ask("POST", "/v1/apply", body)
    assert answer.status_code == 200, answer.text
    return {f"{one['kind']} {one['id']}": one["action"] for one in answer.json()["changes"]}


def test_prune_removes_what_is_not_named_in_the_sections_asked_for(web: Web) -> None:
    kept = {"default": web.get("/v1/policies/default"), "ops": web.get("/v1/policies/ops")}
    kept = {id_: {k: v for k, v in body.items() if k != "id"} for id_, body in kept.items()}
    web.ask("PUT", "/v1/policies/old", {"name": "Old", "steps": kept["ops"]["steps"]})
    known = web.everything()
    dry = applied(web, policies=kept, prune=["policies"], dry_run=True)
    assert dry == {
        "policy default": "unchanged",
        "policy ops": "unchanged",
        "policy old": "removed",
    }
    assert web.everything() == known
    assert applied(web, policies=kept, prune=["policies"]) == dry
    assert web.ask("GET", "/v1/policies/old").status_code == 404
    assert web.get("/v1/schedules/payments")


def test_prune_keeps_what_is_still_named(web: Web) -> None:
    known = web.everything()
    answer = web.ask("POST", "/v1/apply", {"responders": {}, "prune": ["responders"]})
    assert answer.status_code == 409
    assert "which would be removed; change it first" in answer.json()["detail"]
    answer = web.ask("POST", "/v1/apply", {"policies": {}, "prune": ["policies"]})
    assert answer.json()["detail"] == "[operators] policy names a policy that would go; keep it"
    assert web.everything() == known


def why(web: Web, responder: str) -> list[str]:
    """Why this person was or was not told of incident 1, in English."""
    said = web.get(f"/v1/why?incident=1&responder={responder}")
    return [reason["en"] for reason in said["reasons"]]


def test_why_says_who_was_told_by_which_step_and_who_was_not(web: Web) -> None:
    steps = [
        {"targets": ["schedule:payments"], "notify": ["voice"], "wait": 600},
        {"targets": ["responder:nobody"], "notify": ["voice"], "wait": 600},
    ]
    web.ask("PUT", "/v1/policies/p", {"name": "P", "steps": steps})
    web.ask("POST", "/v1/incidents", {"title": "x", "policy": "p"})
    web.until(lambda: web.alibaba.calls)
    web.until(lambda: "told 1 time, as the timeline says" in why(web, "sam"))
    assert why(web, "sam")[1:] == ["step 1 told them by payments"]
    assert why(web, "li.wei") == [
        "step 1 tells whoever is on call by payments, which was not this person"
    ]
    assert why(web, "nobody") == ["step 2 tells this person, but has not begun"]
    web.ask("POST", "/v1/incidents/1/acknowledge", {"by": "sam"})
    assert why(web, "nobody")[-1] == "it was acknowledged, and the rest stopped (sam)"
    web.ask("PUT", "/v1/responders/new", {"name": "New"})
    assert why(web, "new")[0].startswith("policy p tells this person in no step")


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("incident=99&responder=sam", 404),
        ("incident=1&responder=ghost", 404),
        ("incident=1", 422),
        ("responder=sam", 422),
    ],
)
def test_why_about_nobody_or_nothing_is_refused(web: Web, query: str, status: int) -> None:
    web.ask("POST", "/v1/incidents", {"title": "x", "policy": "default"})
    assert web.ask("GET", f"/v1/why?{query}").status_code == status
