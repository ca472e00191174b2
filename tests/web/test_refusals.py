"""Every field of every request: what does not fit is named, and nothing is stored."""

import copy
from typing import Any, NamedTuple

import pytest

from tests.web.conftest import Web
from tests.web.test_people import POLICY, RESPONDER

NONE: Any = object()  # the field is left out

ALERTS: dict[str, Any] = {
    "version": "4",
    "groupKey": '{}:{alertname="DiskFull"}',
    "status": "firing",
    "groupLabels": {"alertname": "DiskFull"},
    "commonLabels": {"alertname": "DiskFull"},
    "commonAnnotations": {"summary": "disk full"},
    "externalURL": "http://alertmanager.example.com",
    "truncatedAlerts": 0,
    "alerts": [
        {
            "status": "firing",
            "labels": {"alertname": "DiskFull"},
            "annotations": {"summary": "disk full"},
            "startsAt": "2026-11-24T02:59:00Z",
            "endsAt": "0001-01-01T00:00:00Z",
            "fingerprint": "a1b2c3",
        }
    ],
}


class Request(NamedTuple):
    """A request that would be taken as it is."""

    method: str
    path: str
    body: dict[str, Any]


REQUESTS = {
    "incident": Request("POST", "/v1/incidents", {"title": "db-1 down", "policy": "default"}),
    "acknowledge": Request("POST", "/v1/incidents/1/acknowledge", {}),
    "unacknowledge": Request("POST", "/v1/incidents/1/unacknowledge", {}),
    "mute": Request("POST", "/v1/incidents/1/mute", {"minutes": 5}),
    "mute until": Request("POST", "/v1/incidents/1/mute", {"until": "2026-11-24T04:00:00Z"}),
    "unmute": Request("POST", "/v1/incidents/1/unmute", {}),
    "close": Request("POST", "/v1/incidents/1/close", {}),
    "escalate": Request("POST", "/v1/incidents/1/escalate", {}),
    "alertmanager": Request("POST", "/v1/integrations/alertmanager/default", ALERTS),
    "responder": Request("PUT", "/v1/responders/new", RESPONDER),
    "policy": Request("PUT", "/v1/policies/new", POLICY),
    "apply": Request(
        "POST", "/v1/apply", {"responders": {"new": RESPONDER}, "policies": {"new": POLICY}}
    ),
    "drill": Request("POST", "/v1/responders/li.wei/test", {"channel": "voice"}),
    "verify": Request("POST", "/v1/responders/li.wei/verify", {"channel": "sms"}),
    "confirm": Request(
        "POST", "/v1/responders/li.wei/verify/confirm", {"channel": "sms", "code": "000000"}
    ),
}
ACTIONS = ("acknowledge", "unacknowledge", "mute", "unmute", "close", "escalate")

# (request, field, values that do not fit it, what the answer says of what is expected, and where
# in the field the fault is, if not in all of it)
BAD: list[tuple[Any, ...]] = [
    ("incident", "title", [NONE], ""),
    ("incident", "title", [None, 5, ["x"], {"x": 1}, True], "string"),
    ("incident", "title", ["", "  ", "\n\t", "\u3000"], "not blank"),
    ("incident", "title", ["x" * 16_385], "16384"),
    ("incident", "policy", [NONE], ""),
    ("incident", "policy", [None, 5, []], "string"),
    ("incident", "policy", ["", "two words", "x" * 65, "-x", "a/b"], "1 to 64 of"),
    ("incident", "policy", ["no-such"], "the id of an existing one"),
    ("incident", "details", [5, [], {}], "string"),
    ("incident", "severity", ["fatal", "CRITICAL", "", 5, None], "'critical', 'warning' or 'info'"),
    ("incident", "dedup_key", [5, []], "string"),
    ("incident", "dedup_key", [""], "1"),
    ("incident", "dedup_key", ["x" * 513], "512"),
    ("incident", "labels", [5, "x", [], None], ""),
    ("incident", "labels", [{str(i): "x" for i in range(65)}], "64"),
    ("incident", "labels", [{"a": 5}, {"a": None}, {"b": "x", "a": []}], "string", ".a"),
    ("incident", "labels", [{"a": "x" * 4097}], "4096", ".a"),
    ("incident", "link", ["ftp://x", "example.com", "javascript:alert(1)", ""], "http or https"),
    ("incident", "link", ["http://" + "x" * 2048], "2048"),
    ("incident", "link", [5, []], "string"),
    ("incident", "titel", ["x"], ""),
    *((action, "by", [5, [], {}], "string") for action in ACTIONS),
    *((action, "by", ["", "two words", "x" * 65], "1 to 64 of") for action in ACTIONS),
    *((action, "by", ["no-such"], "the id of an existing one") for action in ACTIONS),
    *((action, "note", [5, [], {}], "string") for action in ACTIONS),
    *((action, "note", ["x" * 4097], "4096") for action in ACTIONS),
    *((action, "nota", ["x"], "") for action in ACTIONS),
    ("mute", "minutes", [NONE, None], "either minutes (1 to 10080) or until"),
    ("mute", "minutes", ["5", 5.5, True, [], {}], "integer"),
    ("mute", "minutes", [0, -5], "1"),
    ("mute", "minutes", [10_081, 10**30], "10080"),
    (
        "mute until",
        "until",
        ["tomorrow", "1795489300", 1795489300, True, [], {}, ""],
        "such as 2026",
    ),
    ("mute until", "until", ["2026-11-24T04:00:00"], "timezone"),
    ("mute until", "until", ["2026-13-24T04:00:00Z", "2026-11-24T04:00:00+99:00"], ""),
    ("mute until", "until", ["2026-11-24T02:59:59Z", "2026-11-24T03:00:00Z"], "next 7 days"),
    ("mute until", "until", ["2026-12-01T03:00:01Z", "9999-12-31T23:59:59Z"], "next 7 days"),
    ("mute until", "minutes", [5], "either minutes"),
    ("alertmanager", "version", [NONE, "3", 4, None], ""),
    ("alertmanager", "groupKey", [NONE, "", 5, None, "x" * 4097], ""),
    ("alertmanager", "status", [NONE, "pending", 5], ""),
    ("alertmanager", "alerts", [NONE, [], {}, "x", None], ""),
    ("alertmanager", "groupLabels", [5, [], None], ""),
    ("alertmanager", "commonLabels", [{"a": 5}], "string", ".a"),
    ("alertmanager", "commonAnnotations", ["x"], ""),
    ("alertmanager", "externalURL", [5, None], "string"),
    ("alertmanager", "truncatedAlerts", ["many", [], None, 1.5], "integer"),
    ("alertmanager", "alerts", [["x"], [None], [5]], "", ".0"),
    ("alertmanager", "alerts.0.status", [NONE, "pending", 5, None], ""),
    ("alertmanager", "alerts.0.labels", [NONE, None, [], "x"], ""),
    ("alertmanager", "alerts.0.labels", [{"a": 5}], "string", ".a"),
    ("alertmanager", "alerts.0.annotations", [None, [], "x"], ""),
    ("alertmanager", "alerts.0.startsAt", [NONE, None, "today", "2026-11-24T02:59:00", []], ""),
    ("alertmanager", "alerts.0.endsAt", ["today", "2026-11-24T02:59:00", []], ""),
    ("alertmanager", "alerts.0.fingerprint", [NONE, "", 5, None, "x" * 65], ""),
    ("responder", "name", [NONE, None, 5, "", "x" * 101], ""),
    ("responder", "phone", ["13700000000", "", "+86", "+1", "call me", "+8613700000000000"], "+86"),
    ("responder", "phone", [8613700000000, [], {}], "string"),
    ("responder", "phone", ["+85291234567"], "a number that a provider serves"),
    ("responder", "email", ["x", "a@b", "a b@example.com", "@example.com", ""], "name@example.com"),
    ("responder", "email", ["x" * 250 + "@example.com"], "254"),
    ("responder", "email", [5, []], "string"),
    ("responder", "locale", ["zh", "de", "", 5, None], "'zh-CN' or 'en'"),
    ("responder", "timezone", ["Beijing", "UTC+8", "", "../etc/passwd"], "Asia/Shanghai"),
    ("responder", "timezone", [8, None], "string"),
    ("responder", "role", ["owner", "", 5, None], "'member' or 'admin'"),
    ("responder", "preferences", [5, "x", [], None], ""),
    ("responder", "preferences", [{"critical": []}, {"critical": 5}], "", ".critical"),
    ("responder", "preferences", [{"info": ["x"]}], "one of: voice", ".info.0.channel"),
    ("responder", "preferences", [{"info": ["slack"]}], "not available yet", ".info.0.channel"),
    ("responder", "accounts", [5, "x", [], None], ""),
    ("responder", "accounts", [{"slack": 5}, {"slack": None}], "string", ".slack"),
    ("responder", "nmae", ["x"], ""),
    ("policy", "name", [NONE, None, 5, "", "x" * 101], ""),
    ("policy", "repeat", [-1, 21, "many", 1.5, None, []], ""),
    ("policy", "ack_timeout", [14_400], "not available yet; leave it out"),
    ("policy", "unverified", ["never", 5], "'skip'"),
    ("policy", "steps", [NONE, None, [], {}, "x", 5], ""),
    ("policy", "steps", [[{"targets": ["responder:sam"]}] * 21], "20"),
    ("policy", "steps", [["x"], [None], [5]], "", ".0"),
    ("policy", "steps.0.targets", [NONE, None, [], "responder:sam", 5], ""),
    ("policy", "steps.0.targets", [["responder:sam"] * 51], "50"),
    ("policy", "steps.0.targets", [["sam"], [""], [5], ["responder:"]], "responder:ID", ".0"),
    ("policy", "steps.0.targets", [["bot:x"], ["chat:slack:x"]], "not available yet", ".0"),
    ("policy", "steps.0.targets", [["responder:sam", "responder:x"]], "does not exist", ".1"),
    ("policy", "steps.0.notify", ["everybody", [], 5, None, {}], ""),
    ("policy", "steps.0.notify", [["voice"] * 21], "20"),
    ("policy", "steps.0.notify", [["x"], [{"channel": 5}]], "one of: voice", ".0.channel"),
    ("policy", "steps.0.notify", [["teams"], ["slack"]], "not available yet", ".0.channel"),
    ("policy", "steps.0.notify", [[{}]], "", ".0.channel"),
    ("policy", "steps.0.notify.0.after", [-1, 86_401, "soon", 1.5, None], ""),
    ("policy", "steps.0.notify.0.tries", [-1, 11, "some", 1.5, None], ""),
    ("policy", "steps.0.notify.0.gap", [0, -1, 86_401, "some", 1.5, None], ""),
    ("policy", "steps.0.notify.0.severities", [["fatal"], [5]], "critical", ".0"),
    ("policy", "steps.0.notify.0.severities", ["critical", 5], ""),
    ("policy", "steps.0.notify.0.hours", ["8-22", "08:00-08:00", "25:00-26:00", ""], "08:00-22:00"),
    ("policy", "steps.0.notify.0.hours", [5, []], "string"),
    ("policy", "steps.0.notify.0.volume", [11], ""),
    ("policy", "steps.0.wait", [-1, 86_401, "some", 1.5, None], ""),
    ("policy", "steps.0.color", ["red"], ""),
    ("policy", "colour", ["red"], ""),
    ("apply", "responders", [5, "x", [], None], ""),
    ("apply", "policies", [5, "x", [], None], ""),
    ("apply", "dry_run", ["yes", 1, 0, None], "boolean"),
    ("apply", "responders.new.phone", ["13700000000"], "+86"),
    ("apply", "policies.new.steps.0.wait", [-1], "0"),
    ("apply", "policies.new.steps.0.targets", [["responder:x"]], "does not exist", ".0"),
    ("apply", "teams", [{}], ""),
    ("drill", "channel", [NONE, None, "", 5, "x" * 65], ""),
    ("drill", "channel", ["slack", "pigeon"], "one of: voice, sms, email"),
    ("drill", "provider", ["", 5, "x" * 65], ""),
    ("drill", "provider", ["twilio"], "alibaba, tencent"),
    ("drill", "loud", [True], ""),
    *((step, "channel", [NONE, None, "", 5, [], "x" * 65], "") for step in ("verify", "confirm")),
    *(
        (step, "channel", ["slack", "pigeon"], "one of: voice, sms, email")
        for step in ("verify", "confirm")
    ),
    ("verify", "code", ["000000"], "unknown"),
    ("confirm", "code", [NONE], "missing"),
    ("confirm", "code", [None, 5, 123456, [], {}], "string"),
    ("confirm", "code", ["", "12345", "1234567", "12345\n", "１２３４５６"], "the six digits"),
    ("confirm", "code", ["000000"], "ask for a new one"),
    ("confirm", "cod", ["000000"], "unknown"),
]


def _changed(body: dict[str, Any], field: str, value: Any) -> dict[str, Any]:
    """Return the body with this value where the field is."""
    changed: Any = copy.deepcopy(body)
    at, (*parents, last) = changed, (int(p) if p.isdecimal() else p for p in field.split("."))
    for part in parents:
        at = at[part]
    if value is NONE:
        del at[last]
    else:
        at[last] = value
    return changed


def _rows() -> list[Any]:
    """Return a case per value."""
    return [
        pytest.param(
            REQUESTS[name]._replace(body=_changed(REQUESTS[name].body, field, value)),
            field + "".join(inner),
            expected,
            id=f"{name} {field} {'nothing' if value is NONE else repr(value)[:30]}",
        )
        for name, field, values, expected, *inner in BAD
        for value in values
    ]


@pytest.fixture(scope="module")
def one_incident(shared: Web) -> Web:
    """The service with one incident, whose phone rings."""
    shared.opens()
    return shared


@pytest.mark.parametrize(("asked", "named", "expected"), _rows())
def test_a_field_that_does_not_fit_is_named_and_nothing_is_stored(
    one_incident: Web, asked: Request, named: str, expected: str
) -> None:
    known = one_incident.everything()
    answer = one_incident.ask(asked.method, asked.path, asked.body)
    assert answer.status_code == 422, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem.keys() == {"type", "title", "status", "detail", "errors"}
    assert (problem["type"], problem["status"]) == ("about:blank", 422)
    (error,) = problem["errors"]
    assert error["field"] == named
    assert error["expected"]
    assert expected in error["expected"]
    assert problem["detail"] == f"{named}: {error['expected']}"
    assert one_incident.everything() == known
