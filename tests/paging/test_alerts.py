"""Alertmanager's posts, as version 0.25 sends them: one incident per group key."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.paging.conftest import BAD_NUMBER, LI, Desk

DATA = Path(__file__).parent / "data"
ONE = {"steps": [{"targets": ["responder:li"], "notify": ["voice"], "wait": 300}], "repeat": 0}


def post(name: str) -> dict[str, Any]:
    (path,) = DATA.glob(f"{name}_*.json")
    return json.loads(path.read_text())


def group(*alerts: tuple[str, str, str], status: str = "firing", **more: Any) -> dict[str, Any]:
    """A group of (fingerprint, minute it started, severity or `resolved`)."""
    return {
        "version": "4",
        "groupKey": '{}:{alertname="X"}',
        "status": status,
        "alerts": [
            {
                "status": "resolved" if how == "resolved" else "firing",
                "labels": {"alertname": "X", "severity": how},
                "annotations": {"summary": f"X on {fingerprint}"},
                "startsAt": f"2026-11-24T02:{minute}:00.123456789Z",
                "endsAt": f"2026-11-24T02:{int(minute) + 1:02}:00Z"
                if how == "resolved"
                else "0001-01-01T00:00:00Z",
                "fingerprint": fingerprint,
            }
            for fingerprint, minute, how in alerts
        ],
        **more,
    }


def test_a_group_is_one_incident_from_firing_to_resolved(desk: Desk) -> None:
    desk.team(ONE)
    verdicts = [desk.alerts(post(name)) for name in ("01", "02", "03")]
    assert verdicts == [("open", 1), ("repeat", 1), ("repeat", 1)]
    assert desk.alerts(post("04")) == ("open", 2)  # another group
    assert desk.alerts(post("05")) == ("close", 1)
    seen = desk.incident(1)
    assert (seen["title"], seen["severity"]) == ("磁盘将满 db-01 /data 97%", "critical")
    assert (seen["status"], seen["closed_by"]) == ("closed", "alertmanager")
    assert len([call for call in desk.calls if "db-01" in call.request.fields["title"]]) == 1


def test_severity_comes_from_the_label_and_is_a_warning_without_one(desk: Desk) -> None:
    desk.team(ONE)
    desk.alerts(post("04"))
    assert desk.incident(1)["severity"] == "warning"
    assert desk.incident(1)["title"] == "Watchdog"


@pytest.mark.parametrize(
    ("label", "severity"),
    [
        ("page", "critical"),
        ("critical", "critical"),
        ("error", "critical"),
        ("info", "info"),
        ("none", "info"),
        ("warning", "warning"),
        ("P3", "warning"),
    ],
)
def test_each_severity_label(desk: Desk, label: str, severity: str) -> None:
    desk.team(ONE)
    desk.alerts(group(("a", "00", label)))
    assert desk.incident(1)["severity"] == severity


def test_a_resent_firing_repeats_and_opens_nothing(desk: Desk) -> None:
    desk.team(ONE)
    assert desk.alerts(post("01")) == ("open", 1)
    for _ in range(5):
        assert desk.alerts(post("01")) == ("repeat", 1)
    assert [call.to for call in desk.calls] == [LI]
    assert desk.types(1).count("incident.repeated") == 5


def test_a_known_alert_that_fires_late_after_resolved_is_not_a_new_page(desk: Desk) -> None:
    """One peer's old message arrives after the other's resolved."""
    desk.team(ONE)
    firing = group(("a", "00", "critical"))
    desk.alerts(firing)
    desk.alerts(group(("a", "00", "resolved"), status="resolved"))
    desk.last().accepted().fails(BAD_NUMBER)
    assert desk.alerts(firing) == ("ignore", 1)
    assert desk.advance(7200) == []


def test_a_truly_new_alert_after_resolved_opens_a_new_incident(desk: Desk) -> None:
    desk.team(ONE)
    desk.alerts(group(("a", "00", "critical")))
    desk.last().accepted().is_answered().presses("1").ends("completed")
    desk.alerts(group(("a", "00", "resolved"), status="resolved"))
    assert desk.alerts(group(("a", "30", "critical"))) == ("open", 2)
    assert desk.alerts(group(("a", "00", "critical"))) == ("ignore", 2)  # still over


def test_a_late_resolved_of_an_earlier_firing_does_not_close_a_newer_one(desk: Desk) -> None:
    desk.team(ONE)
    desk.alerts(group(("a", "00", "critical")))
    desk.alerts(group(("a", "00", "critical"), ("a", "30", "critical")))
    assert desk.alerts(group(("a", "00", "resolved"), status="resolved")) == ("ignore", 1)
    assert desk.incident(1)["status"] == "triggered"
    assert desk.alerts(group(("a", "30", "resolved"), status="resolved")) == ("close", 1)


def test_resolved_for_a_group_never_seen_opens_nothing(desk: Desk) -> None:
    desk.team(ONE)
    assert desk.alerts(post("05")) == ("ignore", None)
    assert desk.calls == []


def test_a_rise_in_severity_pages_again_also_after_acknowledgement(desk: Desk) -> None:
    desk.team(ONE)
    desk.alerts(group(("a", "00", "warning")))
    desk.last().accepted().is_answered().presses("1").ends("completed")
    assert desk.alerts(group(("a", "00", "warning"))) == ("repeat", 1)
    assert len(desk.calls) == 1
    worse = group(("a", "00", "warning"), ("b", "01", "critical"))
    assert desk.alerts(worse) == ("page_again", 1)
    assert len(desk.calls) == 2
    assert desk.incident(1)["severity"] == "critical"


def test_a_repeat_starts_a_new_page_when_the_old_one_is_exhausted(desk: Desk) -> None:
    desk.team(ONE)
    desk.alerts(group(("a", "00", "critical")))
    desk.last().accepted().fails(BAD_NUMBER)
    assert desk.incident(1)["page"]["state"] == "exhausted"
    assert desk.alerts(group(("a", "00", "critical"))) == ("page_again", 1)
    assert [call.to for call in desk.calls].count(LI) == 2


def test_after_a_close_by_hand_known_alerts_stay_quiet_for_an_hour_then_reopen(desk: Desk) -> None:
    desk.team(ONE)
    firing = group(("a", "00", "critical"))
    desk.alerts(firing)
    desk.last().accepted()
    desk.act(1, "close")
    assert desk.alerts(firing) == ("ignore", 1)
    desk.now += timedelta(minutes=59)
    assert desk.alerts(firing) == ("ignore", 1)
    desk.now += timedelta(minutes=2)
    assert desk.alerts(firing) == ("reopen", 1)
    assert desk.incident(1)["status"] == "triggered"
    assert [call.to for call in desk.calls] == [LI, LI]


def test_a_mute_holds_although_the_severity_rises(desk: Desk) -> None:
    desk.team(ONE)
    desk.alerts(group(("a", "00", "warning")))
    desk.last().accepted().is_answered().presses("3").ends("completed")
    desk.alerts(group(("a", "00", "warning"), ("b", "01", "critical")))
    assert desk.incident(1)["severity"] == "critical"
    assert desk.advance(29 * 60) == []
    assert len(desk.advance(61)) == 1
