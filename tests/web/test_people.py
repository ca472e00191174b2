"""Responders and policies: declared, read, deleted, applied as a whole; drills and providers."""

from typing import Any

import pytest

from paging.errors import DeliveryError
from tests.web.conftest import LI, REFUSED, TEAM, WEI, Web

RESPONDER: dict[str, Any] = {
    "name": "Zhao Min",
    "phone": "+86 137 0000 0002",
    "email": "zhao.min@example.com",
    "locale": "en",
    "timezone": "Asia/Tokyo",
    "role": "admin",
    "preferences": {"warning": ["voice"]},
    "accounts": {"slack": "U0123456"},
}
SHOWN_RESPONDER: dict[str, Any] = {
    **RESPONDER,
    "id": "zhao.min",
    "verified": [],
    "phone": "+8613700000002",
    "preferences": {"warning": [{"channel": "voice", "after": 0, "tries": 0, "gap": 90}]},
}
SCHEDULE: dict[str, Any] = {
    "name": "Night",
    "timezone": "Europe/Berlin",
    "rotation": {
        "every": "week",
        "shifts": 2,
        "on": "monday",
        "at": "18:30",
        "from": "2026-11-02",
        "responders": ["li.wei", "sam"],
    },
    "overrides": [
        {"from": "2026-12-24T18:00:00", "until": "2026-12-26T09:00:00", "responder": "sam"},
        {"from": "2026-12-31T18:00:00+01:00", "until": "2027-01-01T09:00:00+01:00"},
    ],
}
WRITTEN_RESPONDER = {name: SHOWN_RESPONDER[name] for name in SHOWN_RESPONDER.keys() - {"verified"}}
POLICY: dict[str, Any] = {
    "name": "Payments",
    "repeat": 1,
    "steps": [
        {
            "targets": ["responder:li.wei", "responder:sam"],
            "notify": [
                {
                    "channel": "voice",
                    "after": 30,
                    "tries": 3,
                    "gap": 60,
                    "severities": ["critical"],
                    "hours": "08:00-22:00",
                }
            ],
            "wait": 120,
        },
        {"targets": ["responder:sam"]},
    ],
}
SHOWN_POLICY: dict[str, Any] = {
    **POLICY,
    "id": "payments",
    "unverified": "use",
    "steps": [
        POLICY["steps"][0],
        {"targets": ["responder:sam"], "notify": "personal", "wait": 300},
    ],
}
DECLARED = {
    "responder": ("/v1/responders/zhao.min", RESPONDER, SHOWN_RESPONDER),
    "policy": ("/v1/policies/payments", POLICY, SHOWN_POLICY),
    "schedule": ("/v1/schedules/night", SCHEDULE, {"id": "night", **SCHEDULE}),
}
kinds = pytest.mark.parametrize(("path", "body", "shown"), DECLARED.values(), ids=DECLARED.keys())


@kinds
def test_a_put_creates_with_201_and_the_same_put_changes_nothing(
    web: Web, path: str, body: Any, shown: Any
) -> None:
    created = web.ask("PUT", path, body)
    assert (created.status_code, created.json()) == (201, shown)
    known = web.everything()
    again = web.ask("PUT", path, body)
    assert (again.status_code, again.json()) == (200, shown)
    assert web.everything() == known


@kinds
def test_what_was_put_is_read_alone_and_in_the_list(
    web: Web, path: str, body: Any, shown: Any
) -> None:
    web.ask("PUT", path, body)
    assert web.get(path) == shown
    listed = web.get(path.rpartition("/")[0])
    assert listed.keys() == {"items", "next"}
    assert listed["next"] is None
    assert shown in listed["items"]


@kinds
def test_what_was_read_can_be_put_back(web: Web, path: str, body: Any, shown: Any) -> None:
    web.ask("PUT", path, body)
    answer = web.ask("PUT", path, web.get(path))
    assert (answer.status_code, answer.json()) == (200, shown)


@kinds
def test_a_put_replaces_what_was_there(web: Web, path: str, body: Any, shown: Any) -> None:
    web.ask("PUT", path, body)
    answer = web.ask("PUT", path, {**body, "name": "Another"})
    assert answer.status_code == 200
    assert web.get(path) == {**shown, "name": "Another"}


@kinds
def test_a_put_under_another_id_than_its_own_is_refused(
    web: Web, path: str, body: Any, shown: Any
) -> None:
    answer = web.ask("PUT", path, {**body, "id": "other"})
    assert answer.status_code == 422
    assert answer.json()["errors"] == [
        {"field": "id", "expected": f"expected {shown['id']!r}, as in the address, or nothing"}
    ]
    assert web.ask("GET", path).status_code == 404


@kinds
def test_a_delete_is_204_then_404(web: Web, path: str, body: Any, shown: Any) -> None:
    web.ask("PUT", path, body)
    deleted = web.ask("DELETE", path)
    assert (deleted.status_code, deleted.content) == (204, b"")
    assert web.ask("GET", path).status_code == 404
    assert web.ask("DELETE", path).status_code == 404


@pytest.mark.parametrize(
    ("path", "detail"),
    [
        ("/v1/responders/li.wei", "schedule 'payments' names this responder; change it first"),
        ("/v1/policies/ops", "[operators] policy names this policy; change the settings first"),
    ],
)
def test_what_is_in_use_is_not_deleted(web: Web, path: str, detail: str) -> None:
    answer = web.ask("DELETE", path)
    assert (answer.status_code, answer.json()["detail"]) == (409, detail)
    assert answer.headers["content-type"] == "application/problem+json"
    assert web.get(path)


def test_what_a_policy_names_is_not_deleted(web: Web) -> None:
    steps = [{"targets": ["responder:nobody", "schedule:payments"], "notify": ["voice"]}]
    web.ask("PUT", "/v1/policies/p", {"name": "P", "steps": steps})
    for path, kind in (("responders/nobody", "responder"), ("schedules/payments", "schedule")):
        answer = web.ask("DELETE", f"/v1/{path}")
        expected = f"policy 'p' names this {kind}; change it first"
        assert (answer.status_code, answer.json()["detail"]) == (409, expected)


def test_a_page_that_runs_keeps_the_plan_it_began_with(web: Web) -> None:
    opened = web.opens()
    web.ask("PUT", "/v1/policies/default", {**TEAM["policies"]["ops"], "name": "Default"})
    web.post(f"/v1/incidents/{opened['id']}/escalate")
    web.until(lambda: len(web.alibaba.calls) == 2)
    assert [call.to for call in web.alibaba.calls] == [LI, WEI]


def test_an_apply_says_what_is_added_changed_and_unchanged(web: Web) -> None:
    team = {
        "responders": {"zhao.min": RESPONDER, "sam": TEAM["responders"]["sam"]},
        "policies": {"ops": {**TEAM["policies"]["ops"], "repeat": 0}},
    }
    answer = web.ask("POST", "/v1/apply", team)
    assert answer.status_code == 200
    changes = answer.json()["changes"]
    assert [(c["kind"], c["id"], c["action"]) for c in changes] == [
        ("responder", "zhao.min", "added"),
        ("responder", "sam", "unchanged"),
        ("policy", "ops", "changed"),
    ]
    assert (changes[0]["before"], changes[0]["after"]) == (None, WRITTEN_RESPONDER)
    assert (changes[2]["before"]["repeat"], changes[2]["after"]["repeat"]) == (2, 0)
    assert web.get("/v1/policies/ops")["repeat"] == 0
    assert {c["action"] for c in web.post("/v1/apply", team)["changes"]} == {"unchanged"}


def test_a_dry_run_says_the_same_and_changes_nothing(web: Web) -> None:
    team = {"responders": {"zhao.min": RESPONDER}}
    known = web.everything()
    planned = web.post("/v1/apply", {**team, "dry_run": True})
    assert web.everything() == known
    assert web.post("/v1/apply", team) == planned


def test_one_mistake_in_a_team_changes_none_of_it(web: Web) -> None:
    known = web.everything()
    answer = web.ask(
        "POST",
        "/v1/apply",
        {"responders": {"zhao.min": RESPONDER, "abroad": {"name": "A", "phone": "+85291234567"}}},
    )
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == ["responders.abroad.phone"]
    assert web.everything() == known


def test_a_drill_is_answered_202_with_its_attempt_to_be_polled(web: Web) -> None:
    answer = web.ask("POST", "/v1/responders/li.wei/test", {"channel": "voice"})
    assert answer.status_code == 202
    drill = answer.json()
    assert answer.headers["location"] == f"/v1/attempts/{drill['id']}"
    assert (drill["purpose"], drill["incidents"]) == ("test", [])
    assert (drill["provider"], drill["contact"]["address"]) == ("alibaba", LI)
    taken = web.until(lambda: web.get(answer.headers["location"])["submitted_at"])
    assert taken == "2026-11-24T03:00:00.000Z"
    assert web.alibaba.calls[0].purpose == "test"


def test_a_drill_goes_by_the_provider_that_is_asked_for(web: Web) -> None:
    drill = web.post("/v1/responders/sam/test", {"channel": "voice", "provider": "tencent"})
    assert drill["provider"] == "tencent"
    web.until(lambda: web.tencent.calls)
    assert (web.alibaba.calls, web.tencent.calls[0].fields["title"]) == ([], "This is a test call")


def test_providers_tell_how_they_did(web: Web) -> None:
    web.opens()
    web.tencent.refuses = DeliveryError("tencent", "AuthFailure.SecretIdNotFound", REFUSED)
    web.post("/v1/responders/sam/test", {"channel": "voice", "provider": "tencent"})
    web.until(lambda: len(web.alibaba.calls) == 2)  # the second tells the operators of it
    alibaba, tencent, *others = web.until(
        lambda: (items := web.get("/v1/providers")["items"])[0]["success_rate"] == 1.0 and items
    )
    assert [(one["channel"], one["provider"]) for one in others] == [
        ("sms", "alibaba"),
        ("email", "smtp"),
    ]
    span = {"p50": 0.0, "p95": 0.0}
    assert alibaba == {
        "provider": "alibaba",
        "channel": "voice",
        "circuit": {"state": "closed", "kind": None, "open_until": None, "rests_until": None},
        "since": "2026-11-23T03:00:00.000Z",
        "attempts": 2,
        "success_rate": 1.0,
        "submit_ms": span,
        "receipt_ms": None,
        "last_error": None,
        "last_callback_at": None,
    }
    assert (tencent["success_rate"], tencent["attempts"]) == (0.0, 1)
    assert tencent["last_error"] == {
        "kind": "misconfigured",
        "outcome": "not_sent",
        "code": "AuthFailure.SecretIdNotFound",
        "text": "",
        "at": "2026-11-24T03:00:00.000Z",
    }
