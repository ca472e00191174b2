"""Opening, reading and listing incidents, and acting on them."""

from datetime import timedelta
from typing import Any

import pytest

from paging.events import CallEnded, Receipt
from tests.web.conftest import LI, START, WEI, WRITER, Web

INCIDENT_FIELDS = {
    "id",
    "number",
    "title",
    "details",
    "severity",
    "status",
    "policy",
    "dedup_key",
    "labels",
    "link",
    "acknowledged_by",
    "closed_by",
    "created_at",
    "acknowledged_at",
    "closed_at",
    "muted_until",
}
ATTEMPT_FIELDS = {
    "id",
    "ref",
    "responder",
    "channel",
    "provider",
    "provider_id",
    "purpose",
    "status",
    "incidents",
    "contact",
    "failure",
    "keys",
    "created_at",
    "submitted_at",
    "ringing_at",
    "answered_at",
    "ended_at",
}
ACTIONS = ("acknowledge", "unacknowledge", "mute", "unmute", "close", "escalate")
NOW = "2026-11-24T03:00:00.000Z"


def act(web: Web, incident: Any, action: str, **asked: Any) -> Any:
    """Act on an incident; a mute lasts ten minutes where nothing else is said."""
    if action == "mute" and not asked.keys() & {"minutes", "until"}:
        asked["minutes"] = 10
    return web.post(f"/v1/incidents/{incident['id']}/{action}", asked)


def types(web: Web, incident: Any) -> list[str]:
    """The types of its timeline's lines."""
    return [entry["type"] for entry in web.get(f"/v1/incidents/{incident['id']}")["timeline"]]


def test_an_incident_is_accepted_with_202_and_its_address(web: Web) -> None:
    asked = {
        "title": "  db-1 down ",
        "policy": "default",
        "details": "replication stopped",
        "severity": "warning",
        "dedup_key": "db-1",
        "labels": {"cluster": "prod"},
        "link": "https://grafana.example.com/d/1",
    }
    answer = web.ask("POST", "/v1/incidents", asked)
    assert answer.status_code == 202
    body = answer.json()
    assert answer.headers["location"] == f"/v1/incidents/{body['id']}"
    assert body.keys() == INCIDENT_FIELDS | {"created"}
    assert body == {
        **asked,
        "title": "db-1 down",
        "id": body["id"],
        "number": 1,
        "status": "triggered",
        "created": True,
        "created_at": NOW,
        "acknowledged_by": None,
        "acknowledged_at": None,
        "closed_by": None,
        "closed_at": None,
        "muted_until": None,
    }


def test_an_incident_without_a_severity_is_critical(web: Web) -> None:
    assert web.opens()["severity"] == "critical"


def test_a_dedup_key_that_is_open_already_is_answered_200_and_opens_nothing(web: Web) -> None:
    first = web.opens(dedup_key="db-1")
    again = web.ask(
        "POST", "/v1/incidents", {"title": "other", "policy": "default", "dedup_key": "db-1"}
    )
    assert again.status_code == 200
    assert again.json() == {**first, "created": False}
    assert again.headers["location"] == f"/v1/incidents/{first['id']}"
    assert len(web.get("/v1/incidents")["items"]) == 1
    assert types(web, first).count("incident.repeated") == 1


def test_a_dedup_key_opens_anew_once_its_incident_is_closed(web: Web) -> None:
    first = web.opens(dedup_key="db-1")
    act(web, first, "close")
    second = web.opens(dedup_key="db-1")
    assert second["created"]
    assert second["id"] != first["id"]


def test_one_incident_is_read_by_id_and_by_number_with_attempts_and_timeline(web: Web) -> None:
    opened = web.opens()
    attempt = web.rings(opened["id"])
    seen = web.get(f"/v1/incidents/{opened['id']}")
    assert seen == web.get(f"/v1/incidents/{opened['number']}")
    assert seen.keys() == INCIDENT_FIELDS | {"page", "attempts", "timeline"}
    assert seen["page"] == {
        "state": "running",
        "step": 1,
        "round": 1,
        "next_at": "2026-11-24T03:10:00.000Z",
    }
    assert seen["attempts"] == [attempt]
    triggered, submitted = seen["timeline"]
    assert (triggered["type"], submitted["type"]) == ("incident.triggered", "attempt.submitted")
    assert submitted == {
        "id": triggered["id"] + 1,
        "at": NOW,
        "type": "attempt.submitted",
        "incident": opened["id"],
        "responder": "li.wei",
        "attempt": attempt["id"],
        "detail": submitted["detail"],
    }
    assert submitted["detail"]["text"] == {
        "zh-CN": "阿里云已受理电话,该联系方式未经验证",
        "en": "Alibaba Cloud took the call; nobody has verified this contact",
    }


def test_an_attempt_says_who_was_called_how_when_and_with_what_result(web: Web) -> None:
    opened = web.opens()
    attempt = web.rings(opened["id"])
    web.presses(attempt, "1")
    web.hears(CallEnded(Receipt("alibaba", "end", ref=attempt["ref"]), "completed", "200000"))
    seen = web.get(f"/v1/attempts/{attempt['id']}")
    assert seen.keys() == ATTEMPT_FIELDS
    assert seen == {
        **attempt,
        "responder": "li.wei",
        "channel": "voice",
        "provider": "alibaba",
        "provider_id": "alibaba-1",
        "purpose": "page",
        "status": "acknowledged",
        "incidents": [opened["id"]],
        "contact": {"channel": "phone", "address": LI},
        "failure": None,
        "keys": "1",
        "answered_at": NOW,
        "ended_at": NOW,
    }
    assert web.get(f"/v1/incidents/{opened['id']}")["acknowledged_by"] == "li.wei"


def test_incidents_are_listed_newest_first_page_by_page(web: Web) -> None:
    opened = [web.opens(f"number {i}")["id"] for i in range(5)]
    seen: list[str] = []
    pages, cursor = 0, ""
    while True:
        page = web.get(f"/v1/incidents?limit=2{cursor}")
        assert page.keys() == {"items", "next"}
        assert all(item.keys() == INCIDENT_FIELDS for item in page["items"])
        seen += [item["id"] for item in page["items"]]
        pages += 1
        if page["next"] is None:
            break
        cursor = f"&cursor={page['next']}"
        if pages == 1:
            web.opens("one that comes in between")  # and moves no page that follows
    assert seen == opened[::-1]
    assert pages == 3


def test_attempts_are_listed_newest_first_page_by_page(web: Web) -> None:
    drills = []
    for _ in range(3):
        drills.append(web.post("/v1/responders/li.wei/test", {"channel": "voice"})["id"])
        ref = web.until(lambda: web.get(f"/v1/attempts/{drills[-1]}"))["ref"]
        web.hears(CallEnded(Receipt("alibaba", f"end {ref}", ref=ref), "no_key", "200008"))
        web.clock.advance(1)
    first = web.get("/v1/attempts?limit=2")
    rest = web.get(f"/v1/attempts?limit=2&cursor={first['next']}")
    assert [item["id"] for item in [*first["items"], *rest["items"]]] == drills[::-1]
    assert rest["next"] is None


@pytest.mark.parametrize(
    ("query", "titles"),
    [
        ("", ["c", "b", "a"]),
        ("?status=triggered", ["c"]),
        ("?status=acknowledged", ["b"]),
        ("?status=closed", ["a"]),
        ("?severity=warning", ["b"]),
        ("?severity=critical&status=triggered", ["c"]),
        ("?severity=info", []),
        ("?status=&severity=", ["c", "b", "a"]),
    ],
)
def test_incidents_are_filtered_by_status_and_severity(
    web: Web, query: str, titles: list[str]
) -> None:
    act(web, web.opens("a"), "close")
    act(web, web.opens("b", severity="warning"), "acknowledge")
    web.opens("c")
    assert [item["title"] for item in web.get(f"/v1/incidents{query}")["items"]] == titles


def test_attempts_are_filtered_by_incident_and_responder(web: Web) -> None:
    first = web.opens("a")
    attempt = web.rings(first["id"])
    second = web.opens("b", policy="ops")
    other = web.rings(second["id"])
    assert (attempt["responder"], other["responder"]) == ("li.wei", "sam")
    for query, expected in [
        (f"incident={first['id']}", [attempt["id"]]),
        (f"incident={second['number']}", [other["id"]]),
        ("responder=sam", [other["id"]]),
        (f"responder=sam&incident={first['id']}", []),
        ("responder=nobody", []),
    ]:
        items = web.get(f"/v1/attempts?{query}")["items"]
        assert [item["id"] for item in items] == expected, query


def test_details_of_a_megabyte_are_cut_and_the_page_goes_out(web: Web) -> None:
    opened = web.opens(details="x" * 1_000_000)
    assert len(opened["details"]) == 65_536
    assert opened["details"].endswith("… (cut)")
    assert web.rings(opened["id"])["contact"]["address"] == LI


@pytest.mark.parametrize(
    ("action", "status"),
    [
        ("acknowledge", "acknowledged"),
        ("mute", "triggered"),
        ("close", "closed"),
        ("escalate", "triggered"),
    ],
)
def test_an_action_answers_200_with_the_incident_as_it_now_is(
    web: Web, action: str, status: str
) -> None:
    opened = web.opens()
    seen = act(web, opened, action)
    assert seen.keys() == INCIDENT_FIELDS
    assert (seen["id"], seen["status"]) == (opened["id"], status)
    whole = web.get(f"/v1/incidents/{opened['id']}")
    assert {name: whole[name] for name in INCIDENT_FIELDS} == seen


def test_an_acknowledgement_by_a_responder_is_theirs(web: Web) -> None:
    seen = act(web, web.opens(), "acknowledge", by="sam", note="on it")
    assert (seen["acknowledged_by"], seen["acknowledged_at"]) == ("sam", NOW)
    entry = web.get(f"/v1/incidents/{seen['id']}")["timeline"][-1]
    assert (entry["type"], entry["responder"]) == ("incident.acknowledged", "sam")
    assert entry["detail"] == {
        "reason": "acknowledged",
        "by": "sam",
        "via": "api",
        "note": "on it",
        "text": {"zh-CN": "sam已认领", "en": "sam acknowledged"},
    }


def test_an_acknowledgement_by_nobody_is_credited_to_the_token(web: Web) -> None:
    opened = web.opens()
    seen = web.post(f"/v1/incidents/{opened['id']}/acknowledge", token=WRITER)
    assert seen["acknowledged_by"] == "bot"


def test_an_action_needs_no_body(web: Web) -> None:
    opened = web.opens()
    answer = web.ask("POST", f"/v1/incidents/{opened['id']}/acknowledge", b"")
    assert (answer.status_code, answer.json()["status"]) == (200, "acknowledged")


def test_the_first_acknowledgement_wins_and_the_second_is_recorded(web: Web) -> None:
    opened = web.opens()
    act(web, opened, "acknowledge", by="sam")
    seen = act(web, opened, "acknowledge", by="li.wei")
    assert (seen["status"], seen["acknowledged_by"]) == ("acknowledged", "sam")
    assert types(web, opened)[-1] == "incident.acknowledged_again"


def test_an_acknowledgement_ends_the_page(web: Web) -> None:
    opened = web.opens()
    act(web, opened, "acknowledge")
    web.clock.advance(3600)
    web.until(lambda: web.get(f"/v1/incidents/{opened['id']}")["page"]["state"] == "acknowledged")
    assert [call.to for call in web.alibaba.calls] == [LI]


@pytest.mark.parametrize("action", ACTIONS)
def test_repeating_an_action_is_harmless(web: Web, action: str) -> None:
    opened = web.opens()
    if action == "unacknowledge":
        act(web, opened, "acknowledge")
    if action == "unmute":
        act(web, opened, "mute")
    once = act(web, opened, action)
    assert act(web, opened, action) == once


def test_what_was_given_back_is_paged_again_from_step_1(web: Web) -> None:
    opened = web.opens()
    act(web, opened, "acknowledge", by="sam")
    seen = act(web, opened, "unacknowledge", by="sam")
    assert (seen["status"], seen["acknowledged_by"], seen["acknowledged_at"]) == (
        "triggered",
        None,
        None,
    )
    page = web.get(f"/v1/incidents/{opened['id']}")["page"]
    assert (page["state"], page["step"]) == ("running", 1)


def test_a_mute_in_minutes_lasts_from_now(web: Web) -> None:
    seen = act(web, web.opens(), "mute", minutes=30)
    assert seen["muted_until"] == "2026-11-24T03:30:00.000Z"


def test_a_mute_until_a_time_is_told_in_utc(web: Web) -> None:
    seen = act(web, web.opens(), "mute", until="2026-11-24T12:00:00+08:00")
    assert seen["muted_until"] == "2026-11-24T04:00:00.000Z"


def test_a_mute_stops_paging_until_its_time_then_pages_from_step_1(web: Web) -> None:
    opened = web.opens(policy="ops")
    attempt = web.rings(opened["id"])
    act(web, opened, "mute", minutes=30)
    web.hears(CallEnded(Receipt("alibaba", "end", ref=attempt["ref"]), "no_key", "200008"))
    web.clock.advance(29 * 60)
    web.until(lambda: web.get(f"/v1/incidents/{opened['id']}")["page"]["state"] == "muted")
    assert len(web.alibaba.calls) == 1
    web.clock.advance(61)
    web.until(lambda: len(web.alibaba.calls) == 2)
    assert web.get(f"/v1/incidents/{opened['id']}")["muted_until"] is None


def test_an_unmute_pages_at_once(web: Web) -> None:
    opened = web.opens()
    act(web, opened, "mute")
    seen = act(web, opened, "unmute")
    assert seen["muted_until"] is None


def test_an_escalation_calls_the_next_person_now(web: Web) -> None:
    opened = web.opens()
    act(web, opened, "escalate", by="li.wei")
    web.until(lambda: len(web.alibaba.calls) == 2)
    assert [call.to for call in web.alibaba.calls] == [LI, WEI]


def test_a_close_by_hand_ends_everything(web: Web) -> None:
    opened = web.opens()
    seen = act(web, opened, "close", by="sam", note="restarted it")
    assert (seen["status"], seen["closed_by"], seen["closed_at"]) == ("closed", "sam", NOW)
    entry = web.get(f"/v1/incidents/{opened['id']}")["timeline"][-1]
    assert (entry["type"], entry["detail"]["note"]) == ("incident.closed", "restarted it")


@pytest.mark.parametrize(
    ("before", "action", "detail"),
    [
        ("acknowledge", "mute", "the incident is acknowledged; only a triggered one can be muted"),
        ("close", "mute", "the incident is closed; only a triggered one can be muted"),
        ("acknowledge", "escalate", "no page is running for this incident"),
        ("close", "escalate", "no page is running for this incident"),
        ("close", "unacknowledge", "the incident is closed; only an acknowledged one"),
    ],
)
def test_what_the_state_does_not_allow_is_409_and_changes_nothing(
    web: Web, before: str, action: str, detail: str
) -> None:
    opened = web.opens()
    act(web, opened, before)
    known = web.everything()
    body = {"minutes": 5} if action == "mute" else {}
    answer = web.ask("POST", f"/v1/incidents/{opened['id']}/{action}", body)
    assert answer.status_code == 409
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["detail"].startswith(detail)
    assert web.everything() == known


@pytest.mark.parametrize("minutes", [1, 10_080])
def test_a_mute_may_last_from_a_minute_to_a_week(web: Web, minutes: int) -> None:
    seen = act(web, web.opens(), "mute", minutes=minutes)
    until = START + timedelta(minutes=minutes)
    assert seen["muted_until"] == until.strftime("%Y-%m-%dT%H:%M:%S.000Z")
