"""Team files are checked whole, with file and line, before anything is sent."""

import json
from pathlib import Path
from typing import Any

import pytest

from paging.errors import SettingsError
from ringback.teamfile import plan, read

TEAM = """\
[responders."li.wei"]
name = "Li Wei"
phone = "+8613700000000"

[policies.ops]
name = "Operators"
[[policies.ops.steps]]
targets = ["responder:li.wei"]
notify = ["voice"]
"""

YAML = """\
responders:
  zhao.min:
    name: Zhao Min
    phone: "+8613700000001"
"""

SCHEDULE = """\
[schedules.night]
name = "Night"
timezone = "Europe/Berlin"
[schedules.night.rotation]
every = "week"
on = "monday"
at = 18:30:00
from = 2026-11-02
responders = ["li.wei"]

[[schedules.night.overrides]]
from = 2026-12-24T18:00:00
until = 2026-12-26T09:00:00
"""
YAML_SCHEDULE = """\
schedules:
  night:
    name: Night
    timezone: Europe/Berlin
    rotation:
      every: week
      on: monday
      at: 18:30
      from: 2026-11-02
      responders: [li.wei]
    overrides:
      - {from: 2026-12-24 18:00:00, until: 2026-12-26T09:00:00, responder: null}
"""

# file name, text, the line that is said about it (after the directory)
BAD = [
    ("t.toml", TEAM.replace('"+86', '"86'), "t.toml:3: responders.li.wei.phone: expected a phone"),
    ("t.toml", TEAM.replace('name = "Li Wei"', ""), "t.toml:1: responders.li.wei.name: missing"),
    ("t.toml", TEAM.replace("phone", "phon"), "t.toml:3: responders.li.wei.phon: unknown"),
    ("t.toml", TEAM.replace('"li.wei"', '"li wei"', 1), "t.toml:1: responders.li wei: expected 1"),
    (
        "t.toml",
        TEAM.replace("responder:li.wei", "bot:x"),
        "t.toml:8: policies.ops.steps.0.targets.0: 'bot' targets are not available yet",
    ),
    (
        "t.toml",
        TEAM.replace('["voice"]', '["slack"]'),
        "t.toml:9: policies.ops.steps.0.notify.0.channel: 'slack' is not available yet",
    ),
    ("t.toml", TEAM + "[bots.a]\n", "t.toml:10: bots: not available yet"),
    ("t.toml", TEAM + "[schedules.a]\n", "t.toml:10: schedules.a.name: missing"),
    (
        "t.toml",
        SCHEDULE.replace("2026-12-26T09:00:00", "2026-12-24T09:00:00"),
        "t.toml:13: schedules.night.overrides.0.until: expected a time after from",
    ),
    ("t.toml", SCHEDULE.replace("Europe", "Atlantis"), "t.toml:3: schedules.night.timezone: "),
    ("t.yaml", YAML_SCHEDULE.replace("18:30", "1830"), "t.yaml:8: schedules.night.rotation.at: "),
    ("t.toml", TEAM + "[polices.a]\n", "t.toml:10: polices: unknown; expected one of: responders"),
    ("t.toml", TEAM + "x =\n", "t.toml: not TOML: "),
    ("t.toml", "responders = 3\n", "t.toml:1: responders: expected a table by id"),
    ("t.yaml", YAML.replace('"', ""), "t.yaml:4: responders.zhao.min.phone: Input should be a va"),
    ("t.yaml", YAML + "  zhao.min: {}\n", "t.yaml:5: responders.zhao.min: written twice"),
    ("t.yaml", YAML + " bad", "t.yaml:5: not YAML: "),
    ("t.yaml", "- a\n", "t.yaml:1: expected tables: responders, schedules, policies"),
    ("t.json", "{}", "t.json: expected a file that ends in .toml, .yaml or .yml"),
]


@pytest.mark.parametrize(("name", "text", "said"), BAD)
def test_a_bad_team_file_is_refused_naming_file_line_and_field(
    tmp_path: Path, name: str, text: str, said: str
) -> None:
    path = tmp_path / name
    path.write_text(text, "utf-8")
    with pytest.raises(SettingsError) as caught:
        read([path])
    assert str(caught.value).startswith(f"{tmp_path}/{said}")


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"gone\.toml: No such file"):
        read([tmp_path / "gone.toml"])


def test_all_faults_are_told_at_once(tmp_path: Path) -> None:
    path = tmp_path / "t.toml"
    path.write_text(TEAM.replace('"+86', '"86').replace("Operators", ""), "utf-8")
    with pytest.raises(SettingsError) as caught:
        read([path])
    assert [line.split(": ")[1] for line in str(caught.value).splitlines()] == [
        "responders.li.wei.phone",
        "policies.ops.name",
    ]


def test_toml_and_yaml_files_make_one_team(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text(TEAM, "utf-8")
    (tmp_path / "b.yaml").write_text(YAML, "utf-8")
    team = read([tmp_path / "a.toml", tmp_path / "b.yaml"])
    assert set(team.items["responders"]) == {"li.wei", "zhao.min"}
    assert team.place("responders.zhao.min.phone") == f"{tmp_path}/b.yaml:4"
    assert team.place("policies.ops.steps.0.targets.0") == f"{tmp_path}/a.toml:8"


@pytest.mark.parametrize(("name", "text"), [("a.toml", SCHEDULE), ("a.yaml", YAML_SCHEDULE)])
def test_dates_and_times_that_a_file_knows_reach_the_service_as_json(
    tmp_path: Path, name: str, text: str
) -> None:
    (tmp_path / name).write_text(text, "utf-8")
    team = read([tmp_path / name])
    assert team.sections == ["schedules"]
    assert json.loads(json.dumps(team.items["schedules"])) == {
        "night": {
            "name": "Night",
            "timezone": "Europe/Berlin",
            "rotation": {
                "every": "week",
                "on": "monday",
                "at": "18:30",
                "from": "2026-11-02",
                "responders": ["li.wei"],
            },
            "overrides": [
                {"from": "2026-12-24T18:00:00", "until": "2026-12-26T09:00:00"}
                | ({"responder": None} if name == "a.yaml" else {})
            ],
        }
    }


def test_the_same_id_in_two_files_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text(TEAM, "utf-8")
    (tmp_path / "b.toml").write_text(TEAM, "utf-8")
    with pytest.raises(SettingsError) as caught:
        read([tmp_path / "a.toml", tmp_path / "b.toml"])
    assert str(caught.value).splitlines()[0] == (
        f"{tmp_path}/b.toml:1: responders.li.wei: written already in {tmp_path}/a.toml:1"
    )


def test_the_plan_shows_what_changes_from_what_to_what() -> None:
    changes: list[dict[str, Any]] = [
        {"kind": "responder", "id": "a", "action": "added", "before": None, "after": {"name": "A"}},
        {
            "kind": "policy",
            "id": "p",
            "action": "changed",
            "before": {"name": "P", "steps": [{"wait": 300}]},
            "after": {"name": "P", "steps": [{"wait": 60}, {"wait": 0}]},
        },
        {"kind": "policy", "id": "q", "action": "unchanged", "before": {}, "after": {}},
    ]
    assert plan(changes, dry_run=False) == [
        "+ responder a: added",
        "~ policy p: changed",
        "    steps.0.wait: 300 -> 60",
        "    steps.1.wait: (none) -> 0",
        "= policy q: unchanged",
        "1 added, 1 changed, 1 unchanged",
    ]


def test_a_dry_run_says_that_nothing_was_written() -> None:
    assert plan([], dry_run=True) == [
        "0 added, 0 changed, 0 unchanged; nothing was written (--dry-run)"
    ]
