"""The command line as somebody types it who is new here, or just woken."""

import contextlib
import os
import re
import signal
import socket
import sqlite3
import stat
import subprocess
import sys
import tomllib
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

from paging.people import Policy
from paging.store import schema
from ringback import settings, teamfile
from ringback.cli import _parser
from tests.ringback.conftest import ROOT, SETTINGS, Run, Stack, spawn
from tests.scenarios.conftest import free_port

COMMANDS = [
    ["init"],
    ["templates"],
    ["serve"],
    ["check"],
    ["urls"],
    ["apply"],
    ["test"],
    ["who"],
    ["why"],
    ["incidents"],
    ["incidents", "list"],
    ["incidents", "show"],
    ["incidents", "ack"],
    ["incidents", "close"],
    ["db"],
    ["sandbox"],
    ["demo"],
]
TEAM = """\
[responders."{who}"]
name = "Zhao Min"
phone = "{phone}"

[policies.{who}]
name = "Of {who}"
[[policies.{who}.steps]]
targets = ["responder:{who}"]
notify = ["voice"]
"""


# Help and wrong words


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
@pytest.mark.parametrize(
    ("locale", "example"), [("C.UTF-8", "example: "), ("zh_CN.UTF-8", "示例: ")]
)
def test_the_help_of_each_command_has_an_example_that_can_be_typed(
    ringback: Run, monkeypatch: pytest.MonkeyPatch, words: list[str], locale: str, example: str
) -> None:
    monkeypatch.setenv("LC_ALL", locale)
    monkeypatch.setenv("COLUMNS", "200")
    said = ringback(*words, "--help")
    assert (said.status, said.err) == (0, "")
    shown = said.out.split(example)[1].strip().split()
    assert shown[: len(words) + 1] == ["ringback", *words]
    assert _parser().parse_args(shown[1:])


def test_help_lists_every_command(ringback: Run) -> None:
    said = ringback("--help").out
    assert all(f"    {words[0]}" in said for words in COMMANDS)


def test_the_version_is_told(ringback: Run) -> None:
    assert ringback("--version").out == f"{version('ringback')}\n"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "ringback: the following arguments are required: COMMAND; see ringback --help"),
        (["explode"], "ringback: argument COMMAND: invalid choice: 'explode'"),
        (["test"], "ringback test: the following arguments are required: RESPONDER"),
        (["test", "li", "--channel", "x"], "ringback test: argument --channel: invalid choice"),
        (["test", "li", "--provider", "x"], "ringback test: argument --provider: invalid choice"),
        (["apply"], "ringback apply: the following arguments are required: FILE"),
        (["incidents", "ack"], "ringback incidents ack: the following arguments are required"),
        (["incidents", "list", "--limit", "x"], "ringback incidents list: argument --limit"),
        (["incidents", "list", "--status", "x"], "ringback incidents list: argument --status"),
        (["db"], "ringback db: the following arguments are required: action"),
        (["db", "downgrade"], "ringback db: argument action: invalid choice: 'downgrade'"),
        (["sandbox", "--port", "http"], "ringback sandbox: argument --port: 'http': expected a po"),
        (["sandbox", "--port", "99999"], "ringback sandbox: argument --port: '99999': expected a"),
        (["urls", "--loud"], "ringback: unrecognized arguments: --loud"),
    ],
)
def test_wrong_words_are_one_line_and_status_2(ringback: Run, words: list[str], said: str) -> None:
    ran = ringback(*words)
    assert (ran.status, ran.out) == (2, "")
    assert ran.line.startswith(said)


@pytest.mark.parametrize(
    "words",
    [
        ["serve"],
        ["check"],
        ["check", "--live"],
        ["urls"],
        ["test", "li"],
        ["incidents"],
        ["incidents", "ack", "1"],
        ["db", "upgrade"],
    ],
)
def test_without_settings_one_line_says_where_they_come_from(
    ringback: Run, words: list[str]
) -> None:
    assert ringback(*words).line == (
        "ringback: ringback.toml: no such file; `ringback init` writes one, --config names another"
    )


@pytest.mark.parametrize(
    "words", [["serve"], ["check"], ["urls"], ["incidents"], ["db", "upgrade"]]
)
def test_wrong_settings_are_one_line_that_names_the_key(
    ringback: Run, here: Path, words: list[str]
) -> None:
    (here / "ringback.toml").write_text(SETTINGS.replace("[operators]\npolicy", "# policy"))
    line = ringback(*words).line
    assert line.startswith("ringback: ringback.toml:1: operators: missing; expected the table")
    assert list(here.iterdir()) == [here / "ringback.toml"]


def test_a_mistake_of_a_user_is_no_traceback_in_a_process_of_its_own(tmp_path: Path) -> None:
    """As `python -m ringback`, where the terminal knows no Chinese."""
    said = spawn("serve", cwd=tmp_path, PYTHONIOENCODING="ascii", LC_ALL="zh_CN.UTF-8")
    assert said.line.startswith("ringback: ringback.toml: no such file")
    said = spawn("templates", cwd=tmp_path, PYTHONIOENCODING="ascii")
    assert (said.status, said.err) == (0, "")


# init, templates, urls


def test_init_writes_settings_that_load_with_secrets_of_its_own(ringback: Run, here: Path) -> None:
    said = ringback("init")
    assert said.status == 0
    assert said.out.splitlines()[:2] == ["ringback.toml", "team.toml"]
    assert "ringback check" in said.out
    for name in ("ringback.toml", "team.toml"):
        assert stat.S_IMODE((here / name).stat().st_mode) == 0o600
    first = settings.load(here / "ringback.toml", {})
    assert first.operators.policy_id == "ops"
    assert ringback("init", "other").status == 0
    second = settings.load(here / "other" / "ringback.toml", {})
    for known in (first, second):
        assert len(known.security.admin_token.get_secret_value()) >= 32
    assert first.security.admin_token != second.security.admin_token
    assert first.security.secret_keys != second.security.secret_keys
    assert first.security.callback_tokens != second.security.callback_tokens


@pytest.mark.parametrize("name", ["ringback.toml", "team.toml"])
def test_init_overwrites_nothing(ringback: Run, here: Path, name: str) -> None:
    (here / name).write_text("mine")
    assert ringback("init").line.startswith(f"ringback: {name}: is there already")
    assert (here / name).read_text() == "mine"
    assert list(here.iterdir()) == [here / name]


def test_init_into_a_directory_that_cannot_be_is_one_line(ringback: Run, here: Path) -> None:
    (here / "file").write_text("")
    assert ringback("init", "file/inside").line == "ringback: file/inside: Not a directory"


def test_every_line_that_init_comments_out_can_be_switched_on(ringback: Run, here: Path) -> None:
    """Whoever takes the marks away has settings that load, once the texts are there."""
    ringback("init")
    written = (here / "ringback.toml").read_text("utf-8")
    active = re.sub(r"(?m)^# (?=\[[a-z.]+\]|\w+ = )", "", written)
    said = ringback("templates").out
    filled = re.sub(r"(\w+) = \"\"", r'\1 = "1"', f"{active}\n{said}")
    (here / "ringback.toml").write_text(filled, "utf-8")
    known = settings.load(here / "ringback.toml", {})
    assert known.order("voice") == known.order("sms") == ("alibaba", "tencent")
    assert known.order("email") == ("alibaba", "smtp")
    assert known.menu["9"] == "close"


def test_the_team_that_init_writes_pages_by_what_is_switched_on(ringback: Run, here: Path) -> None:
    """Calls alone at first; texts and mails where their lines lose the mark, as their tables do."""
    ringback("init")
    path = here / "team.toml"

    def channels() -> list[str]:
        policy = Policy.model_validate(teamfile.read([path]).items["policies"]["default"])
        (step,) = policy.steps
        assert not isinstance(step.notify, str)
        return [one.channel for one in step.notify]

    assert channels() == ["voice"]
    path.write_text(re.sub(r"(?m)^( *)# (?=\{|\w+ = )", r"\1", path.read_text("utf-8")), "utf-8")
    assert channels() == ["voice", "sms", "email"]
    assert teamfile.read([path]).items["responders"]["you"].keys() >= {"phone", "email"}


PAGES = [
    (
        ("alibaba", "voice"),
        "zh-CN",
        "${level}告警,${title},共${count}条。认领请按1,转给下一位请按2,静音请按3。",
    ),
    (
        ("tencent", "voice"),
        "en",
        "{1} alert, {2}, {3} in all. Press 1 to acknowledge, 2 for the next person, 3 to mute.",
    ),
    (("alibaba", "sms"), "zh-CN", "${level}告警${number}:${title}。回复1认领,编号${code}。"),
    (
        ("tencent", "sms"),
        "en",
        "Alert {1} ({2}). Reply 1 to acknowledge, or 1, a space and code {3}.",
    ),
]


def test_templates_are_printed_before_there_are_settings(ringback: Run) -> None:
    said = ringback("templates")
    assert (said.status, said.err) == (0, "")
    tables = tomllib.loads(said.out)["providers"]
    texts = {
        (provider, channel): table["templates"]
        for provider, channels in tables.items()
        for channel, table in channels.items()
    }
    assert {way: set(by_purpose) for way, by_purpose in texts.items()} == {
        ("alibaba", "voice"): {"page", "reply", "code"},
        ("alibaba", "sms"): {"page", "code", "notice"},
        # Plays nothing after a key, and reads codes out without a text.
        ("tencent", "voice"): {"page"},
        ("tencent", "sms"): {"page", "code", "notice"},
    }
    for way, locale, text in PAGES:
        one = texts[way]["page"][locale]
        assert (one["id"], one["text"]) == ("", text)
    for by_purpose in texts.values():
        for by_locale in by_purpose.values():
            assert by_locale.keys() == {"zh-CN", "en"}
            for one in by_locale.values():
                alone = f"\n#     {one['text']}\n"
                assert alone in said.out, "the text stands alone, to be copied"


SETUP = """\
[server]
public_url = "https://pager.example.org/"
[security]
secret_keys = ["secret-key-of-32-characters-long"]
admin_token = "admin-token-of-32-characters-lon"
callback_tokens = ["callback-token-new"]
[operators]
policy = "ops"
[providers.alibaba]
access_key_id = "x"
access_key_secret = "x"
[providers.alibaba.voice]
{voice}
[providers.alibaba.sms]
sign_name = "值班"
[providers.tencent]
secret_id = "x"
secret_key = "x"
[providers.tencent.voice]
sdk_app_id = "1400000000"
[providers.tencent.sms]
sdk_app_id = "1400000001"
sign_name = "值班"
"""
VOICES = {
    "a bought number": 'show_numbers = ["05710000000"]',
    "no number": 'mode = "tts"',
    "another menu": 'show_numbers = ["05710000000"]\n[menu]\n1 = "acknowledge"\n9 = "close"',
}


@pytest.mark.parametrize("voice", VOICES.values(), ids=VOICES.keys())
def test_what_templates_prints_is_what_the_settings_lack(
    ringback: Run, here: Path, voice: str
) -> None:
    """Without these texts the settings do not load; with them, and their ids, they do."""
    path = here / "ringback.toml"
    path.write_text(SETUP.format(voice=voice), "utf-8")
    assert "templates.page: missing" in ringback("urls").line
    printed = ringback("templates").out
    path.write_text(f"{path.read_text()}{printed}", "utf-8")
    assert ".id: expected the id that the carrier gave to the text" in ringback("urls").line
    path.write_text(path.read_text().replace('id = ""', 'id = "1"'), "utf-8")
    assert ringback("urls").status == 0


def test_templates_speak_of_the_keys_of_the_settings(ringback: Run, here: Path) -> None:
    menu = '[menu]\n1 = "acknowledge"\n9 = "close"\n'
    (here / "ringback.toml").write_text(menu)
    said = ringback("templates").out
    assert "认领请按1,关闭请按9。" in said
    assert "Reply 1 to acknowledge, 9 to close;" in said
    (here / "ringback.toml").write_text(menu.replace("close", "explode"))
    assert ringback("templates").line.startswith("ringback: ringback.toml: menu: expected keys wi")


def test_urls_are_those_of_the_newest_token_with_the_place_to_paste_them(
    ringback: Run, settings_file: Path
) -> None:
    said = ringback("urls", "--config", str(settings_file)).out
    for provider in ("alibaba", "tencent"):
        url = f"https://pager.example.org/callbacks/{provider}/voice/callback-token-new"
        assert f"    {url}\n" in said
    assert "VoiceCallReport" in said
    assert "腾讯云" in said
    assert "callback-token-old" not in said


# db, serve, sandbox


def test_db_upgrade_says_what_it_did_and_does_nothing_twice(ringback: Run, here: Path) -> None:
    (here / "ringback.toml").write_text(SETTINGS)
    newest = schema.newest()
    assert ringback("db", "upgrade").out == f"schema upgraded: empty -> {newest}\n"
    assert ringback("db", "upgrade").out == f"the schema is the newest already: {newest}\n"


def test_a_kill_in_the_middle_of_db_upgrade_leaves_the_old_schema(
    ringback: Run, here: Path
) -> None:
    (here / "ringback.toml").write_text(SETTINGS)
    script = """
import os, signal, sys
from sqlalchemy import event
from sqlalchemy.engine import Engine
from ringback import cli

@event.listens_for(Engine, "before_cursor_execute")
def die(conn, cursor, statement, *rest):
    if "timeline_by_incident" in statement:
        os.kill(os.getpid(), signal.SIGKILL)

cli.main(["db", "upgrade"])
"""
    died = subprocess.run(
        [sys.executable, "-c", script],
        cwd=here,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        check=False,
    )
    assert died.returncode == -signal.SIGKILL
    with contextlib.closing(sqlite3.connect(here / "ringback.db")) as conn:
        assert conn.execute("SELECT count(*) FROM sqlite_master").fetchone() == (0,)
    assert ringback("db", "upgrade").status == 0


@pytest.mark.parametrize("words", [["db", "upgrade"], ["serve"]], ids=" ".join)
def test_a_file_that_is_no_database_is_one_line(
    ringback: Run, here: Path, words: list[str]
) -> None:
    (here / "ringback.toml").write_text(f"{SETTINGS}\n[database]\nurl = 'sqlite:///bad.db'\n")
    (here / "bad.db").write_text("not a database, and longer than the header of one would be")
    assert "bad.db" in ringback(*words).line


def test_a_second_serve_on_the_same_database_is_one_line(ringback: Run, stack: Stack) -> None:
    line = ringback("serve", "--config", str(stack.config)).line
    assert line.startswith("ringback: database.url: another ringback serves ")


def test_a_second_serve_on_the_same_port_is_one_line_and_touches_no_database(
    ringback: Run, stack: Stack, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RINGBACK_DATABASE__URL", "sqlite:///other.db")
    line = ringback("serve", "--config", str(stack.config)).line
    assert line == f"ringback: cannot listen on 127.0.0.1:{stack.port}: Address already in use"
    assert not (here / "other.db").exists()


@pytest.mark.parametrize(
    ("host", "said"),
    [
        ("192.0.2.1", "Cannot assign requested address"),
        ("no.such.host.invalid", "tests ask no name server"),
    ],
)
def test_an_address_that_is_not_this_machines_is_one_line(
    ringback: Run, here: Path, host: str, said: str
) -> None:
    (here / "ringback.toml").write_text(SETTINGS.replace("[server]", f'[server]\nhost = "{host}"'))
    assert ringback("serve").line == f"ringback: cannot listen on {host}:8080: {said}"


@pytest.mark.parametrize("above", [0, 1], ids=["its own", "its mail server's"])
def test_a_sandbox_on_a_taken_port_is_one_line(ringback: Run, above: int) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ran = ringback("sandbox", "--port", str(port - above))
    assert ran.line == f"ringback: cannot listen on 127.0.0.1:{port}: Address already in use"
    assert ran.out == ""


# apply


def team(here: Path, who: str, phone: str = "+8613700000009") -> Path:
    """Write a team of one."""
    path = here / "team.toml"
    path.write_text(TEAM.format(who=who, phone=phone), "utf-8")
    return path


def test_apply_shows_what_changes_and_changes_nothing_the_second_time(
    ringback: Run, stack: Stack, here: Path
) -> None:
    how = ("--config", str(stack.config))
    path = str(team(here, "ann"))
    planned = ringback("apply", path, "--dry-run", *how)
    assert planned.out.splitlines() == [
        "+ responder ann: added",
        "+ policy ann: added",
        "2 added, 0 changed, 0 unchanged; nothing was written (--dry-run)",
    ]
    assert stack.api.get("/v1/responders/ann").status_code == 404
    assert ringback("apply", path, *how).out.splitlines()[-1] == "2 added, 0 changed, 0 unchanged"
    assert stack.api.get("/v1/responders/ann").json()["name"] == "Zhao Min"
    assert ringback("apply", path, *how).out.splitlines() == [
        "= responder ann: unchanged",
        "= policy ann: unchanged",
        "0 added, 0 changed, 2 unchanged",
    ]
    team(here, "ann", "+8613700000008")
    assert ringback("apply", path, *how).out.splitlines() == [
        "~ responder ann: changed",
        "    phone: +8613700000009 -> +8613700000008",
        "= policy ann: unchanged",
        "0 added, 1 changed, 1 unchanged",
    ]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (('phone = "+86', 'phone = "86'), "team.toml:3: responders.bob.phone: expected a phone"),
        (("name = ", "nmae = "), "team.toml:2: responders.bob.nmae: "),
        ((":bob", ":nobody"), "team.toml:8: policies.bob.steps.0.targets.0: 'responder:nobody' do"),
        (('["voice"]', '["voice"'), "team.toml: not TOML: "),
    ],
)
def test_a_mistake_in_a_team_is_told_with_file_and_line_before_anything_changes(
    ringback: Run, stack: Stack, here: Path, change: tuple[str, str], said: str
) -> None:
    path = team(here, "bob")
    path.write_text(path.read_text().replace(*change, 1))
    ran = ringback("apply", "team.toml", "--config", str(stack.config))
    assert (ran.status, ran.out) == (1, "")
    lines = ran.err.removeprefix("ringback: ").splitlines()
    assert any(line.startswith(said) for line in lines), lines
    assert stack.api.get("/v1/responders/bob").status_code == 404


def test_a_team_file_that_is_not_there_is_one_line(ringback: Run) -> None:
    assert ringback("apply", "gone.toml").line == "ringback: gone.toml: No such file or directory"


# What talks to the service


def test_a_service_that_is_not_there_is_one_line(ringback: Run, stack: Stack) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    line = ringback("incidents", "--config", str(stack.config), "--url", url).line
    assert line == f"ringback: no ringback answers at {url}; is `ringback serve` running there?"


@pytest.mark.parametrize("url", ["localhost:8080", "ftp://x", ""])
def test_an_address_without_a_scheme_is_refused(ringback: Run, stack: Stack, url: str) -> None:
    said = ringback("incidents", "--config", str(stack.config), "--url", url or "x")
    assert said.line.startswith("ringback: --url: ")


def test_another_server_than_ringback_is_named_as_such(ringback: Run, stack: Stack) -> None:
    url = str(stack.sandbox.base_url).rstrip("/")
    line = ringback("incidents", "--config", str(stack.config), "--url", url).line
    assert line == f"ringback: {url} is no ringback: it answers 404, not in JSON"


@pytest.mark.parametrize("token", ["wrong", "错误的令牌"])
def test_a_wrong_token_is_one_line_that_says_which_is_expected(
    ringback: Run, stack: Stack, monkeypatch: pytest.MonkeyPatch, token: str
) -> None:
    monkeypatch.setenv("RINGBACK_TOKEN", token)
    line = ringback("incidents", "--url", stack.url).line
    assert "does not know this token; expected its security.admin_token" in line
    assert token not in line


def opened(stack: Stack, title: str, **fields: Any) -> Any:
    """Open an incident that calls nobody: severity info does not ring."""
    body = {"title": title, "policy": "default", "severity": "info", **fields}
    return stack.post("/v1/incidents", body)


def test_incidents_are_listed_shown_acknowledged_and_closed(ringback: Run, stack: Stack) -> None:
    how = ("--config", str(stack.config))
    number = str(opened(stack, "replication\nstopped", details="for 5 min\nor so")["number"])
    (line,) = (
        line
        for line in ringback("incidents", *how).out.splitlines()
        if line.startswith(f"#{number} ")
    )
    assert line.endswith("info      triggered  replication stopped")
    acked = ringback("incidents", "ack", number, "--by", "li", "--note", "on it", *how)
    assert acked.status == 0
    assert "acknowledged (li)  replication stopped" in acked.out
    shown = ringback("incidents", "show", number, *how).out
    assert "for 5 min\nor so\n" in shown
    assert "li: li acknowledged (on it)" in shown
    listed = ringback("incidents", "list", "--status", "acknowledged", *how).out
    assert f"#{number} " in listed
    assert f"#{number} " not in ringback("incidents", "list", "--status", "triggered", *how).out
    closed = ringback("incidents", "close", number, *how)
    assert "closed (admin)" in closed.out
    assert stack.api.get(f"/v1/incidents/{number}").json()["closed_by"] == "admin"


@pytest.mark.parametrize("where", ["before", "after"])
def test_the_settings_may_be_named_before_the_action_and_after_it(
    ringback: Run, stack: Stack, where: str
) -> None:
    how = ["--config", str(stack.config), "--url", stack.url]
    words = ["incidents", *how, "list"] if where == "before" else ["incidents", "list", *how]
    assert ringback(*words).status == 0


def test_a_chinese_terminal_reads_chinese(
    ringback: Run, stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LC_ALL", "zh_CN.UTF-8")
    how = ("--config", str(stack.config))
    number = str(opened(stack, "磁盘将满")["number"])
    assert "提示  未认领  磁盘将满" in ringback("incidents", *how).out
    ringback("incidents", "ack", number, "--by", "li", *how)
    assert "li已认领" in ringback("incidents", "show", number, *how).out


def test_a_title_cannot_steer_the_terminal(ringback: Run, stack: Stack) -> None:
    number = str(opened(stack, "\x1b[2Jgone\x07 \x9b31m", details="a\x1b]0;x\x07")["number"])
    how = ("--config", str(stack.config))
    for words in (["list"], ["show", number]):
        said = ringback("incidents", *words, *how).out
        assert "gone" in said
        assert not set(said) & set("\x1b\x07\x9b")


def test_more_incidents_than_are_listed_are_hinted_at(ringback: Run, stack: Stack) -> None:
    for i in range(2):
        opened(stack, f"hint {i}")
    said = ringback("incidents", "list", "--limit", "1", "--config", str(stack.config)).out
    assert said.splitlines()[1:] == ["there are older ones: --limit lists more"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["incidents", "show", "999999"], "ringback: no incident '999999'"),
        (["incidents", "ack", "../x"], "ringback: http://127.0.0.1:"),
        (["incidents", "close", "a?b#c"], "ringback: no incident 'a?b#c'"),
        (["incidents", "list", "--limit", "0"], "ringback: limit: "),
        (["test", "nobody"], "ringback: no responder 'nobody'"),
        (["test", "a/b"], "ringback: http://127.0.0.1:"),
    ],
)
def test_what_the_service_refuses_is_one_line(
    ringback: Run, stack: Stack, words: list[str], said: str
) -> None:
    assert ringback(*words, "--config", str(stack.config)).line.startswith(said)


def test_an_acknowledgement_by_nobody_known_is_one_line(ringback: Run, stack: Stack) -> None:
    number = str(opened(stack, "x")["number"])
    line = ringback("incidents", "ack", number, "--by", "ghost", "--config", str(stack.config)).line
    assert line == "ringback: by: no responder 'ghost'; expected the id of an existing one"


# test


def person(stack: Stack, id_: str, number: str, behaviour: str, **how: Any) -> None:
    """Add a responder whose phone does this."""
    stack.phone(number, behaviour, **how)
    body = {"responders": {id_: {"name": id_, "phone": number, "locale": "en"}}}
    stack.post("/v1/apply", body)


@pytest.mark.parametrize("provider", ["alibaba", "tencent"])
def test_a_test_call_that_is_answered_with_1_is_shown_stage_by_stage(
    ringback: Run, stack: Stack, provider: str
) -> None:
    number = {"alibaba": "+8613700000010", "tencent": "+8613700000011"}[provider]
    person(stack, f"one.{provider}", number, "answer", keys="1")
    said = ringback(
        "test",
        f"one.{provider}",
        "--channel",
        "voice",
        "--provider",
        provider,
        "--config",
        str(stack.config),
    )
    assert (said.status, said.err) == (0, "")
    stages = [line.split("  ")[-1].strip() for line in said.out.splitlines()]
    assert stages[0] == "taken by the carrier"
    assert "answered" in stages
    assert "pressed 1" in stages
    (call,) = stack.sandbox.get("/sandbox/calls", params={"number": number}).json()
    assert call["carrier"] == provider
    assert "This is a test call" in call["text"]


@pytest.mark.parametrize(
    ("channel", "provider", "stages"),
    [
        ("sms", "alibaba", ["taken by the carrier", "its delivery was reported"]),
        ("sms", "tencent", ["taken by the carrier", "its delivery was reported"]),
        ("email", "alibaba", ["taken by the mail server"]),
        ("email", "smtp", ["taken by the mail server"]),
    ],
)
def test_a_test_text_or_mail_is_shown_stage_by_stage(
    ringback: Run, stack: Stack, channel: str, provider: str, stages: list[str]
) -> None:
    who = f"{channel}.{provider}"
    number = {"alibaba": "+8613700000020", "tencent": "+8613700000021"}.get(provider)
    body = {"name": who, "phone": number, "email": f"{who}@example.com"}
    stack.post("/v1/apply", {"responders": {who: body}})
    how = ("--channel", channel, "--provider", provider, "--config", str(stack.config))
    said = ringback("test", who, *how)
    assert (said.status, said.err) == (0, "")
    assert [line.split("  ")[-1] for line in said.out.splitlines()] == stages


@pytest.mark.parametrize(
    ("behaviour", "number", "said"),
    [
        ("voicemail", "+8613700000012", "Alibaba Cloud: answered, no key pressed"),
        ("no_answer", "+8613700000013", "Alibaba Cloud: no answer (200003)"),
        ("busy", "+8613700000014", "Alibaba Cloud: busy (200002)"),
        ("off", "+8613700000015", "Alibaba Cloud: switched off (200010)"),
    ],
)
def test_a_test_call_that_reaches_no_human_fails_and_says_why(
    ringback: Run, stack: Stack, behaviour: str, number: str, said: str
) -> None:
    person(stack, behaviour, number, behaviour)
    ran = ringback("test", behaviour, "--provider", "alibaba", "--config", str(stack.config))
    assert ran.line == f"ringback: {said}"
    assert "taken by the carrier" in ran.out


def test_a_test_call_to_somebody_without_a_phone_is_one_line(ringback: Run, stack: Stack) -> None:
    stack.post("/v1/apply", {"responders": {"mute": {"name": "Mute"}}})
    line = ringback("test", "mute", "--config", str(stack.config)).line
    assert line == "ringback: channel: responder 'mute' has no phone number"
