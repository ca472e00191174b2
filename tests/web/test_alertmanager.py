"""Alertmanager's webhook over HTTP, with payloads as a real Alertmanager 0.25 sent them."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.web.conftest import LI, WRITER, Web
from tests.web.test_incidents import INCIDENT_FIELDS, types
from tests.web.test_refusals import ALERTS

PAYLOADS = Path(__file__).parents[1] / "paging" / "data"
ADDRESS = "/v1/integrations/alertmanager/default"


def payload(name: str) -> Any:
    """Return what Alertmanager sent."""
    return json.loads((PAYLOADS / f"{name}.json").read_text())


def sends(web: Web, name: str) -> Any:
    """Let Alertmanager send this, and the engine do what is to be done about it now."""
    said = web.post(ADDRESS, payload(name))
    web.settles(said["incident"]["id"])
    return said


def test_a_firing_group_is_answered_202_with_its_incident_and_rings(web: Web) -> None:
    answer = web.ask("POST", ADDRESS, payload("01_firing"))
    assert answer.status_code == 202
    body = answer.json()
    assert body.keys() == {"action", "incident"}
    assert body["action"] == "opened"
    assert body["incident"].keys() == INCIDENT_FIELDS
    assert body["incident"]["policy"] == "default"
    assert web.rings(body["incident"]["id"])["contact"]["address"] == LI


def test_a_group_through_its_life_is_one_incident(web: Web) -> None:
    said = []
    for name in sorted(path.stem for path in PAYLOADS.glob("*.json")):
        answer = web.ask("POST", ADDRESS, payload(name), token=WRITER)
        body = answer.json()
        said.append((name[:2], answer.status_code, body["action"], body["incident"]["number"]))
    assert said == [
        ("01", 202, "opened", 1),
        ("02", 200, "repeated", 1),
        ("03", 200, "repeated", 1),
        ("04", 202, "opened", 2),
        ("05", 200, "closed", 1),
    ]


def test_the_same_firing_again_repeats_and_opens_nothing(web: Web) -> None:
    opened = sends(web, "01_firing")["incident"]
    again = web.ask("POST", ADDRESS, payload("01_firing"))
    assert again.status_code == 200
    assert again.json()["action"] == "repeated"
    assert again.json()["incident"] == opened
    assert len(web.get("/v1/incidents")["items"]) == 1
    assert types(web, opened).count("incident.repeated") == 1


def test_a_firing_that_comes_late_after_resolved_is_ignored(web: Web) -> None:
    sends(web, "02_firing_second_alert_joins")
    sends(web, "05_resolved")
    known = web.everything()
    late = web.ask("POST", ADDRESS, payload("01_firing"))
    assert late.status_code == 200
    assert late.json()["action"] == "ignored"
    assert web.everything() == known


def test_a_resolved_group_that_was_never_opened_is_ignored(web: Web) -> None:
    answer = web.ask("POST", ADDRESS, payload("05_resolved"))
    assert (answer.status_code, answer.json()) == (200, {"action": "ignored", "incident": None})
    assert web.get("/v1/incidents")["items"] == []


def test_two_policies_make_two_incidents_of_one_group(web: Web) -> None:
    first = web.post(ADDRESS, payload("01_firing"))
    second = web.post("/v1/integrations/alertmanager/ops", payload("01_firing"))
    assert [first["action"], second["action"]] == ["opened", "opened"]
    assert first["incident"]["id"] != second["incident"]["id"]


@pytest.mark.parametrize("policy", ["no-such", "two%20words", "x" * 65])
def test_a_policy_that_is_not_there_is_refused_by_name(shared: Web, policy: str) -> None:
    known = shared.everything()
    answer = shared.ask("POST", f"/v1/integrations/alertmanager/{policy}", ALERTS)
    assert answer.status_code == 422
    (error,) = answer.json()["errors"]
    assert error["field"] == "policy"
    assert "the id of an existing one" in error["expected"]
    assert shared.everything() == known


def test_what_a_later_alertmanager_adds_is_let_through(web: Web) -> None:
    body = {**ALERTS, "notificationReason": "new", "receiver": "x"}
    body["alerts"] = [{**ALERTS["alerts"][0], "generatorURL": "http://x", "added": {"a": [1]}}]
    assert web.ask("POST", ADDRESS, body).status_code == 202


def test_what_alertmanager_leaves_out_is_not_missed(web: Web) -> None:
    alert = {name: ALERTS["alerts"][0][name] for name in ("status", "labels", "startsAt")}
    body = {name: ALERTS[name] for name in ("version", "groupKey", "status")}
    answer = web.ask("POST", ADDRESS, {**body, "alerts": [{**alert, "fingerprint": "a"}]})
    assert answer.status_code == 202
    assert answer.json()["incident"]["title"] == "DiskFull"


def test_a_long_description_is_cut_and_the_page_goes_out(web: Web) -> None:
    alert = {**ALERTS["alerts"][0], "annotations": {"description": "x" * 1_000_000}}
    opened = web.post(ADDRESS, {**ALERTS, "alerts": [alert]})["incident"]
    assert len(opened["details"]) == 65_536
    web.rings(opened["id"])
