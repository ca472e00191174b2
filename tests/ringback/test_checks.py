"""`ringback check`: each thing that is wrong or missing is said, with what to do about it."""

import asyncio
import contextlib
import sqlite3
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from paging.oncall import FeedEvent
from paging.people import Policy, Responder
from paging.schedules import Schedule
from paging.store import documents, feeds, people, schema
from paging.store.database import connect
from ringback import checks, settings
from tests.ringback.conftest import SETTINGS, Run, Said, Stack
from tests.scenarios.conftest import CALLBACK_TOKEN, TOKEN, free_port

NOW = datetime(2026, 11, 24, tzinfo=UTC)
PEOPLE: dict[str, Any] = {"li": {"name": "Li", "phone": "+8613700000000"}}
STEP = {"targets": ["responder:li"], "notify": ["voice"]}
POLICIES: dict[str, Any] = {"ops": {"name": "Ops", "steps": [STEP]}}
ALIBABA_ONLY = SETTINGS[: SETTINGS.index("[providers.tencent]")]
BOTH = '{ zh-CN = { id = "1", text = "告警{1}。", params = ["title"] }, \
en = { id = "2", text = "Alert {1}.", params = ["title"] } }'


def database(
    folder: Path,
    responders: dict[str, Any],
    policies: dict[str, Any],
    schedule: dict[str, Any] | None = None,
    *events: FeedEvent,
) -> None:
    """Make the database of an installation with this team; `events`: in its schedule's calendar."""
    url = f"sqlite:///{folder / 'ringback.db'}"
    schema.upgrade(url)
    engine = connect(url)
    with engine.connect() as conn:
        for id_, body in responders.items():
            people.put_responder(conn, id_, Responder.model_validate(body), NOW)
        for id_, body in policies.items():
            documents.policies.put(conn, id_, Policy.model_validate(body), NOW)
        if schedule is not None:
            value = Schedule.model_validate(schedule)
            documents.schedules.put(conn, "s", value, NOW)
            if value.url is not None:
                feeds.put(conn, "s", value.url, events, read_at=NOW, next_at=NOW)
    engine.dispose()


def finding(said: Said, about: str) -> str:
    """Return all that is said about one thing, in one line."""
    blocks = said.out.replace("\n     ", " ").splitlines()
    return "\n".join(line for line in blocks if f" {about}: " in line[:60])


def old_schema(here: Path) -> None:
    database(here, PEOPLE, POLICIES)
    with contextlib.closing(sqlite3.connect(here / "ringback.db", isolation_level=None)) as conn:
        conn.execute("UPDATE alembic_version SET version_num = '0000'")


def no_team(here: Path) -> None:
    database(here, {}, {})


def no_database(_: Path) -> None:
    pass


def not_a_database(here: Path) -> None:
    (here / "ringback.db").write_text("not a database, and longer than the header of one would be")


def a_team(**changes: dict[str, Any]) -> Callable[[Path], None]:
    return lambda here: database(here, changes.get("responders", PEOPLE), POLICIES)


def by_rotation(**changes: Any) -> dict[str, Any]:
    """A schedule that Li has on all days since long ago."""
    plan = {"every": "day", "at": "09:00", "from": "2026-01-01", "responders": ["li"]}
    return {"name": "S", "timezone": "UTC", "rotation": {**plan, **changes}}


def without_anyone(in_days: float) -> dict[str, Any]:
    """Such a schedule with nobody for two hours, so many days from now."""
    begins = datetime.now(UTC) + timedelta(days=in_days)
    hours = {"from": begins.isoformat(), "until": (begins + timedelta(hours=2)).isoformat()}
    return {**by_rotation(), "overrides": [hours]}


def calendar_with(summary: str) -> Callable[[Path], None]:
    """Li has the whole month by a calendar, which holds an event of this name besides."""
    now = datetime.now(UTC)
    month = FeedEvent(now - timedelta(days=1), now + timedelta(days=30), "li")
    event = FeedEvent(now + timedelta(days=1), now + timedelta(days=2), summary)
    feed = {"name": "S", "timezone": "UTC", "url": "https://calendar.example.com/s.ics"}
    pair = {**PEOPLE, "wei": {"name": "Wei", "phone": "+8613700000001"}}
    return lambda here: database(here, pair, POLICIES, feed, month, event)


# name: settings, what is set up, the thing, its mark, and words of what is said
FINDINGS: dict[str, tuple[str, Callable[[Path], None], str, str, list[str]]] = {
    "no provider": (
        SETTINGS[: SETTINGS.index("[providers.alibaba]")],
        a_team(),
        "channels.voice",
        "[!!]",
        ["没有启用任何语音服务商", "no voice provider is on: write [providers.alibaba.voice]"],
    ),
    "one provider": (
        ALIBABA_ONLY,
        a_team(),
        "channels.voice",
        "[ -]",
        ["无法故障切换", "nothing to fail over to"],
    ),
    "the example's address": (
        SETTINGS.replace("pager.example.org", "ringback.example.com"),
        a_team(),
        "server.public_url",
        "[!!]",
        ["仍是示例地址", "still the example"],
    ),
    "an address in clear": (
        SETTINGS.replace("https://pager", "http://pager"),
        a_team(),
        "server.public_url",
        "[!!]",
        ["改用 https", "use https"],
    ),
    "this machine": (
        SETTINGS.replace("pager.example.org", "localhost:8080"),
        a_team(),
        "server.public_url",
        "[!!]",
        ["填写公网域名", "write its public one"],
    ),
    "no database": (
        SETTINGS,
        no_database,
        "database",
        "[!!]",
        ["ringback.db 还不存在", "run `ringback db upgrade`, then `ringback apply team.toml`"],
    ),
    "an old schema": (
        SETTINGS,
        old_schema,
        "database",
        "[!!]",
        ["表结构为 0000", "its schema is 0000", "run `ringback db upgrade`"],
    ),
    "no database at all": (
        SETTINGS,
        not_a_database,
        "database",
        "[!!]",
        ["无法读取", "ringback.db cannot be read"],
    ),
    "no policy": (SETTINGS, no_team, "policies", "[!!]", ["there is no policy yet"]),
    "no operators' policy": (
        SETTINGS,
        no_team,
        "operators.policy",
        "[!!]",
        ["策略 ops 不存在", "there is no policy ops: write it into team.toml"],
    ),
    "no operators": (
        SETTINGS.replace('policy = "ops"', 'policy = "none"'),
        a_team(),
        "operators.policy",
        "[ -]",
        ["不会呼叫任何人", "nobody is paged about ringback itself"],
    ),
    "a responder without a phone": (
        SETTINGS,
        a_team(responders={"li": {"name": "Li"}}),
        "responder li, voice",
        "[!!]",
        ["没有电话号码", "has no phone number, and policy ops would use it"],
    ),
    "a responder that is gone": (
        SETTINGS,
        a_team(responders={}),
        "responder li",
        "[!!]",
        ["查无此人", "is nobody, and policy ops would tell them"],
    ),
    "a mail that nobody can get": (
        SETTINGS,
        lambda here: database(
            here, PEOPLE, {"ops": {"name": "Ops", "steps": [{**STEP, "notify": ["email"]}]}}
        ),
        "responder li, email",
        "[!!]",
        ["没有邮箱地址", "has no email address, and policy ops would use it"],
    ),
    "a text that nobody sends": (
        SETTINGS,
        lambda here: database(
            here, PEOPLE, {"ops": {"name": "Ops", "steps": [{**STEP, "notify": ["sms"]}]}}
        ),
        "responder li, sms",
        "[!!]",
        ["没有启用服务商", "policy ops would use it, and no provider of it is on"],
    ),
    "a contact that a policy skips": (
        SETTINGS,
        lambda here: database(
            here, PEOPLE, {"ops": {"name": "Ops", "steps": [STEP], "unverified": "skip"}}
        ),
        "responder li, voice",
        "[!!]",
        ["未经验证", "is not verified, and policy ops skips what is not"],
    ),
    "a gap within two weeks": (
        SETTINGS,
        lambda here: database(here, PEOPLE, POLICIES, without_anyone(13)),
        "schedule s",
        "[ -]",
        ["无人值班", "nobody is on call from "],
    ),
    "a gap later than that": (
        SETTINGS,
        lambda here: database(here, PEOPLE, POLICIES, without_anyone(15)),
        "schedule s",
        "[ok]",
        [],
    ),
    "an event of no one's": (
        SETTINGS,
        calendar_with("Team lunch"),
        "schedule s",
        "[!!]",
        ["日历事件“Team lunch”不对应任何人员", "its event 'Team lunch' names nobody"],
    ),
    "an event of several": (
        SETTINGS,
        calendar_with("li, wei"),
        "schedule s",
        "[!!]",
        ["对应多人:li, wei", "its event 'li, wei' names several: li, wei"],
    ),
    "a calendar in which all is well": (SETTINGS, calendar_with("wei"), "schedule s", "[ok]", []),
    "a contact that a schedule's policy needs": (
        SETTINGS,
        lambda here: database(
            here,
            {**PEOPLE, "wei": {"name": "Wei"}},
            {**POLICIES, "p": {"name": "P", "steps": [{**STEP, "targets": ["schedule:s"]}]}},
            by_rotation(responders=["li", "wei"]),
        ),
        "responder wei, voice",
        "[!!]",
        ["没有电话号码", "has no phone number, and policy p would use it"],
    ),
    "no texts": (
        SETTINGS,
        a_team(),
        "channels.sms",
        "[ -]",
        ["没有启用短信", "no provider of texts is on"],
    ),
    "a number that nobody serves": (
        ALIBABA_ONLY,
        a_team(responders={"li": {"name": "Li", "phone": "+85291234567"}}),
        "responder li",
        "[!!]",
        ["没有已启用的服务商可服务该号码", "no provider that is on serves this number"],
    ),
    "such a number in no policy": (
        ALIBABA_ONLY,
        a_team(responders={**PEOPLE, "far": {"name": "Far", "phone": "+85291234567"}}),
        "responder far",
        "[!!]",
        ["no provider that is on serves this number"],
    ),
    "no text for codes": (
        SETTINGS,
        a_team(),
        "alibaba.voice.templates.code",
        "[ -]",
        ["无法用电话验证号码", "numbers cannot be verified by a call"],
    ),
    "no text for bundles": (
        SETTINGS,
        a_team(),
        "tencent.voice.templates.bundle",
        "[ -]",
        ["逐个呼叫", "come one by one"],
    ),
    "one language": (
        SETTINGS,
        a_team(),
        "tencent.voice.templates.page",
        "[ -]",
        ["只有一种语言", "one language only"],
    ),
    "no keys": (
        ALIBABA_ONLY.replace(
            "[providers.alibaba.voice]", '[providers.alibaba.voice]\nmode = "tts"'
        ),
        a_team(),
        "alibaba.voice.mode",
        "[!!]",
        ["收不到按键", "no key comes back: buy a number"],
    ),
    "no keys by one of two": (
        SETTINGS.replace("[providers.alibaba.voice]", '[providers.alibaba.voice]\nmode = "tts"'),
        a_team(),
        "alibaba.voice.mode",
        "[ -]",
        ["no key comes back"],
    ),
}


@pytest.mark.parametrize("case", FINDINGS.values(), ids=FINDINGS.keys())
def test_what_is_wrong_or_missing_is_said_in_both_languages(
    ringback: Run,
    here: Path,
    case: tuple[str, Callable[[Path], None], str, str, list[str]],
) -> None:
    text, set_up, about, mark, words = case
    (here / "ringback.toml").write_text(text, "utf-8")
    set_up(here)
    said = ringback("check")
    assert said.out.startswith("[ok] settings: "), "nothing but what was found"
    assert said.err == ""
    found = finding(said, about)
    assert found.startswith(f"{mark} {about}: ")
    for word in words:
        assert word in found
    assert said.status == int("[!!]" in said.out)
    if mark == "[!!]":
        assert "wrong, to be mended first" in said.out.splitlines()[-1]


def test_nothing_wrong_is_said_as_well(ringback: Run, here: Path) -> None:
    (here / "ringback.toml").write_text(SETTINGS, "utf-8")
    database(here, PEOPLE, POLICIES)
    said = ringback("check")
    assert (said.status, said.err) == (0, "")
    assert said.out.splitlines()[-1] == "没有发现错误 / nothing wrong was found"
    assert finding(said, "responder li").startswith("[ok] ")


def test_a_text_in_both_languages_is_no_finding(ringback: Run, here: Path) -> None:
    start = SETTINGS.index("page = ", SETTINGS.index("[providers.tencent.voice.templates]"))
    (here / "ringback.toml").write_text(f"{SETTINGS[:start]}page = {BOTH}\n", "utf-8")
    assert finding(ringback("check"), "tencent.voice.templates.page") == ""


def test_check_creates_nothing(ringback: Run, here: Path) -> None:
    (here / "ringback.toml").write_text(SETTINGS, "utf-8")
    ringback("check")
    assert list(here.iterdir()) == [here / "ringback.toml"]


# --live


def live(ringback: Run, stack: Stack) -> Said:
    """Check the stack."""
    said = ringback("check", "--live", "--config", str(stack.config))
    assert said.err == ""
    assert not [secret for secret in (TOKEN, CALLBACK_TOKEN) if secret in said.out]
    return said


def test_live_says_what_is_proved_and_what_no_one_can_prove(ringback: Run, stack: Stack) -> None:
    heard = [each["last_callback_at"] for each in stack.api.get("/v1/providers").json()["items"]]
    requests = len(stack.sandbox.get("/sandbox/calls").json())
    said = live(ringback, stack)
    for name in ("alibaba", "tencent"):
        assert "[ok]" in finding(said, f"{name} voice: keys")
        assert "已证实 proved 密钥有效" in finding(said, f"{name} voice: keys")
        assert " ms / 700 ms; but from here its name is a private address" in finding(
            said, f"{name} voice: callbacks"
        )
        call = finding(said, f"{name} voice")
        assert "不拨打无法证实 not provable without a call" in call
        assert f"`ringback test RESPONDER --channel voice --provider {name}`" in call
    assert "/healthz: " in finding(said, "server.public_url")
    assert said.status == 1, "a public_url on this machine is wrong, whatever answers there"
    now = [each["last_callback_at"] for each in stack.api.get("/v1/providers").json()["items"]]
    assert now == heard, "a callback of our own is none of the carrier's"
    assert len(stack.sandbox.get("/sandbox/calls").json()) == requests, "nobody was called"


# a setting, its value, the thing that it makes wrong, and words of what is said
WRONG: list[tuple[str, str, str, list[str]]] = [
    (
        "PROVIDERS__ALIBABA__ACCESS_KEY_SECRET",
        "another-secret",
        "alibaba voice: keys",
        ["密钥被拒绝", "the keys were refused", "check AccessKey"],
    ),
    (
        "PROVIDERS__TENCENT__SECRET_KEY",
        "another-secret",
        "tencent voice: keys",
        ["密钥被拒绝", "the keys were refused", "check SecretId"],
    ),
    (
        "PROVIDERS__TENCENT__VOICE__ENDPOINT",
        "http://127.0.0.1:{free}",
        "tencent voice: keys",
        ["连接不上", "not reached", "check the network and endpoint"],
    ),
    (
        "SECURITY__CALLBACK_TOKENS",
        '["another-token-of-the-settings"]',
        "alibaba voice: callbacks",
        ["返回 404", "answers 404, not as ringback does: look at the proxy"],
    ),
    (
        "SERVER__PUBLIC_URL",
        "http://127.0.0.1:{free}",
        "server.public_url",
        ["服务在运行吗", "(the connection is refused): does the service run?"],
    ),
    (
        "SERVER__PUBLIC_URL",
        "http://127.0.0.1:{free}",
        "tencent voice: callbacks",
        ["没有应答", "(the connection is refused): does the service run?"],
    ),
    (
        "SERVER__PUBLIC_URL",
        "{sandbox}",
        "server.public_url",
        ["返回 404", "answers 404: does the proxy lead to ringback?"],
    ),
]


@pytest.mark.parametrize("case", WRONG, ids=lambda case: f"{case[2]} by {case[0]}")
def test_live_says_what_is_wrong_and_what_to_do(
    ringback: Run,
    stack: Stack,
    monkeypatch: pytest.MonkeyPatch,
    case: tuple[str, str, str, list[str]],
) -> None:
    name, value, about, words = case
    sandbox = str(stack.sandbox.base_url).rstrip("/")
    value = value.replace("{free}", str(free_port())).replace("{sandbox}", sandbox)
    monkeypatch.setenv(f"RINGBACK_{name}", value)
    said = live(ringback, stack)
    found = finding(said, about)
    assert "[!!]" in found
    for word in words:
        assert word in found
    assert said.status == 1


def test_live_cannot_call_back_through_a_network_that_is_not_the_carriers(
    ringback: Run, stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RINGBACK_SECURITY__ALLOWED_NETWORKS", '{"tencent": ["203.0.113.0/24"]}')
    said = live(ringback, stack)
    assert "lets only the carrier's networks in" in finding(said, "tencent voice: callbacks")
    assert "[!!]" not in finding(said, "tencent voice: callbacks")


@contextlib.asynccontextmanager
async def _edge(answer: bytes, after_s: float) -> AsyncIterator[int]:
    """A proxy that answers this, so late; yields its port."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        await asyncio.sleep(after_s)  # the delay is what is under test
        head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(answer)}\r\nConnection: close\r\n\r\n"
        writer.write(head.encode() + answer)
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1]


@pytest.mark.parametrize(
    ("answer", "after_s", "verdict", "en"),
    [
        (b'{"code":0}', 0.0, "proved", " ms / 700 ms"),
        (b'{"code":0}', 0.71, "wrong", " ms, over 700 ms it is pushed again: look at the network"),
        (b"<html>", 0.0, "wrong", "its address answers 200, not as ringback does"),
    ],
)
def test_our_own_callback_has_700_ms(
    settings_file: Path, answer: bytes, after_s: float, verdict: str, en: str
) -> None:
    """As at a public address, which no test can have."""

    async def ask() -> checks.Finding:
        async with _edge(answer, after_s) as port:
            known = settings.load(
                settings_file, {"RINGBACK_SERVER__PUBLIC_URL": f"http://127.0.0.1:{port}"}
            )
            return await checks.callback(known, ("alibaba", "voice"), b'{"code":0}', public=True)

    found = asyncio.run(ask())
    assert found.verdict == verdict
    assert en in found.en
