"""Schedules at the command line: apply, prune, who, why."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.ringback.conftest import Run, Stack
from tests.scenarios.calendars import Calendar, served

ROTATION = """\
rotation = { every = "day", at = "09:00", from = 2026-11-02, responders = ["ana", "ben"] }"""
TEAM = """\
[responders.ana]
name = "Ana"
phone = "+8613700000011"

[responders.ben]
name = "Ben"
phone = "+8613700000012"

[schedules.nights]
name = "Nights"
timezone = "Asia/Shanghai"
{rotation}

[[schedules.nights.overrides]]
from = 2026-12-24T18:00:00
until = 2026-12-26T09:00:00

[policies.nights]
name = "Nights"
steps = [{ targets = ["schedule:nights"], notify = ["voice"] }]
""".replace("{rotation}", ROTATION)

OVERLAPPING = """\
[[schedules.nights.overrides]]
from = 2026-12-25T09:00:00
until = 2026-12-27T09:00:00
responder = "ana"

"""


@pytest.fixture
def how(stack: Stack) -> tuple[str, str]:
    """The words that say which service is meant."""
    return "--config", str(stack.config)


@pytest.fixture
def applied(ringback: Run, here: Path, how: tuple[str, str]) -> Path:
    """The team above, applied."""
    path = here / "team.toml"
    path.write_text(TEAM, "utf-8")
    assert ringback("apply", str(path), *how).status == 0
    return path


@pytest.mark.usefixtures("applied")
def test_the_second_apply_of_a_schedule_changes_nothing(
    ringback: Run, how: tuple[str, str]
) -> None:
    lines = ringback("apply", "team.toml", *how).out.splitlines()
    assert lines == [
        "= responder ana: unchanged",
        "= responder ben: unchanged",
        "= schedule nights: unchanged",
        "= policy nights: unchanged",
        "0 added, 0 changed, 4 unchanged",
    ]


def test_a_changed_rotation_is_shown_from_what_to_what(
    ringback: Run, how: tuple[str, str], applied: Path
) -> None:
    applied.write_text(TEAM.replace('"09:00"', '"10:00"'), "utf-8")
    said = ringback("apply", "team.toml", "--dry-run", *how).out
    assert "~ schedule nights: changed\n    rotation.at: 09:00 -> 10:00\n" in said


@pytest.fixture
def in_shanghai(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The terminal's clock."""
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "Asia/Shanghai")
        time.tzset()
        yield
    time.tzset()


@pytest.mark.usefixtures("applied", "in_shanghai")
def test_who_says_who_is_on_call_at_a_time_until_when_and_who_is_next(
    ringback: Run, how: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = ringback("who", "--at", "2026-12-01T12:00:00+08:00", *how).out.splitlines()
    at = lines.index("nights: ben, until 2026-12-02 09:00")
    assert lines[at + 1] == "    then ana, from 2026-12-02 09:00"
    lines = ringback("who", "--at", "2026-12-25T12:00:00+08:00", *how).out.splitlines()
    assert "nights: nobody, by an override, until 2026-12-26 09:00" in lines
    monkeypatch.setenv("LC_ALL", "zh_CN.UTF-8")
    assert (
        "nights: ben,至 2026-12-02 09:00"
        in ringback("who", "--at", "2026-12-01T12:00:00+08:00", *how).out.splitlines()
    )
    assert ringback("who", *how).status == 0


@pytest.mark.parametrize("at", ["tomorrow", "2026-12-01T12:00:00"])
def test_a_time_that_is_none_is_one_line(ringback: Run, how: tuple[str, str], at: str) -> None:
    ran = ringback("who", "--at", at, *how)
    assert (ran.status, ran.out) == (2, "")
    expected = f"argument --at: {at!r}: expected a time with its offset, such as"
    assert ran.line.startswith(f"ringback who: {expected} 2026-12-24T20:00:00+08:00")


def test_a_time_that_is_none_is_one_line_in_chinese_as_well(
    ringback: Run, how: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LC_ALL", "zh_CN.UTF-8")
    assert "'tomorrow': 应为带时区偏移的时刻" in ringback("who", "--at", "tomorrow", *how).line


@pytest.mark.usefixtures("applied")
def test_why_says_why_somebody_was_called_or_not(
    ringback: Run, how: tuple[str, str], stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = stack.post("/v1/incidents", {"title": "nights", "policy": "nights"})
    number = str(opened["number"])
    seen = stack.until(
        lambda: [
            entry["responder"]
            for entry in stack.api.get(f"/v1/incidents/{number}").json()["timeline"]
            if entry["type"] == "attempt.submitted"
        ]
    )
    told = seen[0]
    other = {"ana": "ben", "ben": "ana"}[told]
    stack.post(f"/v1/incidents/{number}/acknowledge", {"by": told})
    lines = ringback("why", number, told, *how).out.splitlines()
    assert lines[0].startswith("told 1 time")
    assert lines[1] == "step 1 told them by nights"
    name = {"ana": "Ana", "ben": "Ben"}[told]
    assert any(f"schedule nights: {name} is on call" in line for line in lines)
    lines = ringback("why", number, other, *how).out.splitlines()
    assert lines[0] == "step 1 tells whoever is on call by nights, which was not this person"
    assert ringback("why", number, "ghost", *how).line == "ringback: no responder 'ghost'"
    assert ringback("why", "99999", told, *how).line == "ringback: no incident '99999'"
    monkeypatch.setenv("LC_ALL", "zh_CN.UTF-8")
    assert "第 1 步经值班表 nights 通知此人" in ringback("why", number, told, *how).out
    lines = ringback("why", number, other, *how).out.splitlines()
    assert lines[0] == "第 1 步通知值班表 nights 当时的值班人,不是此人"


def test_prune_removes_what_the_files_do_not_name_and_says_so_before(
    ringback: Run, how: tuple[str, str], applied: Path, stack: Stack
) -> None:
    two = '\n[schedules.days]\nname = "Days"\ntimezone = "UTC"\nrotation = { every = "day", '
    two += 'at = "09:00", from = 2026-11-02, responders = ["ana"] }\n'
    applied.write_text(TEAM + two, "utf-8")
    assert ringback("apply", "team.toml", *how).status == 0
    (applied.parent / "schedules.toml").write_text(
        TEAM[TEAM.index("[schedules") : TEAM.index("[policies")], "utf-8"
    )
    planned = ringback("apply", "schedules.toml", "--prune", "--dry-run", *how).out.splitlines()
    assert "- schedule days: removed" in planned
    assert "1 removed" in planned[-1]
    assert stack.api.get("/v1/schedules/days").status_code == 200
    assert ringback("apply", "schedules.toml", "--prune", *how).status == 0
    assert stack.api.get("/v1/schedules/days").status_code == 404
    assert stack.api.get("/v1/responders/ana").status_code == 200, "no file names that section"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            ('["ana", "ben"]', '["ana", "bob"]'),
            "team.toml:12: schedules.nights.rotation.responders.1: 'responder:bob' does not exist",
        ),
        (
            ("2026-12-26", "2026-12-20"),
            "team.toml:16: schedules.nights.overrides.0.until: expected a time after from",
        ),
        (('"schedule:nights"', '"schedule:none"'), "team.toml:20: policies.nights.steps.0.targets"),
        (
            ("[policies.nights]", f"{OVERLAPPING}[policies.nights]"),
            "team.toml:19: schedules.nights.overrides.1.from: overlaps with overrides.0",
        ),
    ],
)
def test_a_mistake_in_a_schedule_is_told_with_file_and_line(
    ringback: Run, how: tuple[str, str], here: Path, change: tuple[str, str], said: str
) -> None:
    assert TEAM.count(change[0]) == 1
    (here / "team.toml").write_text(TEAM.replace(*change), "utf-8")
    ran = ringback("apply", "team.toml", *how)
    assert ran.status == 1
    assert ran.line.startswith(f"ringback: {said}")


def test_a_calendar_that_is_a_login_page_is_told_with_file_and_line_and_nothing_changes(
    ringback: Run, how: tuple[str, str], applied: Path, stack: Stack
) -> None:
    known = stack.api.get("/v1/schedules/nights").json()
    calendar = Calendar()
    calendar.asks_for_a_login()
    with served(calendar) as url:
        text = TEAM.replace(ROTATION, f'url = "{url}"').replace('"Ana"', '"Anna"')
        applied.write_text(text, "utf-8")
        ran = ringback("apply", "team.toml", *how)
    assert ran.line == (
        "ringback: team.toml:12: schedules.nights.url: cannot be used: "
        "a web page instead of a calendar (is a login needed?)"
    )
    assert calendar.asked == 1
    assert stack.api.get("/v1/schedules/nights").json() == known
    assert stack.api.get("/v1/responders/ana").json()["name"] == "Ana", "all or nothing"


def test_check_names_a_gap_and_what_a_schedules_member_lacks(
    ringback: Run, how: tuple[str, str], applied: Path
) -> None:
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    gap = TEAM.replace("2026-12-24T18:00:00", f"{tomorrow:%Y-%m-%dT%H:%M:00}")
    gap = gap.replace("2026-12-26T09:00:00", f"{tomorrow + timedelta(hours=2):%Y-%m-%dT%H:%M:00}")
    gap = gap.replace('phone = "+8613700000012"\n', "")
    applied.write_text(gap, "utf-8")
    assert ringback("apply", "team.toml", *how).status == 0
    said = ringback("check", *how).out
    assert "schedule nights: " in said
    assert "nobody is on call from " in said
    assert "has no phone number, and policy nights would use it" in said
