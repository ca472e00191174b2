"""`ringback check`: what is wrong or missing, said before a carrier or a night says it."""

import asyncio
import socket
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from clouds.probes import Proof
from email_sender.smtp import SmtpEmail
from outbound.http import Answer, OutboundError, client, fetch
from paging.errors import UnavailableError
from paging.people import CONTACT_OF, Channel, Person, Policy
from paging.rosters import Roster
from paging.store import documents, people, rosters, schema
from paging.store.database import Store, file_of
from ringback.adapters import Adapter, Adapters, adapters
from ringback.settings import Settings
from ringback.urls import callback_url

Verdict = Literal["ok", "note", "proved", "unprovable", "wrong"]

CALLBACK_MS = 700  # Alibaba pushes again when it has waited this long (HTTP batch push pattern)
_DEADLINE_S = 10.0
_MOST_BYTES = 65_536
_LOOKED_AHEAD = timedelta(days=14)  # in which a schedule should have somebody at all times
_LABELS: dict[Verdict, str] = {
    "ok": "正常 ok",
    "note": "提示 note",
    "proved": "已证实 proved",
    "unprovable": "不拨打无法证实 not provable without a call",
    "wrong": "有误 wrong",
}
_MARKS: dict[Verdict, str] = {
    "ok": "[ok]",
    "note": "[ -]",
    "proved": "[ok]",
    "unprovable": "[ ?]",
    "wrong": "[!!]",
}
# Bodies that each carrier's reader takes and that hold no event, so that nothing is changed by
# them, least of all what is known of when the carrier itself last called back.
_EMPTY_CALLBACKS: dict[tuple[str, str], bytes] = {
    ("alibaba", "voice"): b"[]",
    ("alibaba", "sms-report"): b"[]",
    ("alibaba", "sms-reply"): b"[]",
    ("tencent", "voice"): b"{}",
    ("tencent", "sms-report"): b"[]",
    ("tencent", "sms-reply"): b"{}",
}
_OFF: dict[Channel, tuple[str, str]] = {
    "voice": (
        "没有启用任何语音服务商:填写 [providers.alibaba.voice] 或 [providers.tencent.voice]",
        "no voice provider is on: write [providers.alibaba.voice] or [providers.tencent.voice]",
    ),
    "sms": (
        "没有启用短信:电话打不通时无法改发短信",
        "no provider of texts is on: a call that fails is followed by none",
    ),
    "email": (
        "没有启用邮件:电话打不通时无法改发邮件",
        "no mail server is on: a call that fails is followed by no mail",
    ),
}
# By channel and purpose: what goes without, for want of a text. A page's own is always there.
_WITHOUT: dict[str, dict[str, tuple[str, str]]] = {
    "voice": {
        "bundle": ("同时发生的告警逐个呼叫", "incidents at the same time come one by one"),
        "code": ("无法用电话验证号码", "numbers cannot be verified by a call"),
    },
    "sms": {
        "code": ("无法用短信验证号码", "numbers cannot be verified by a text"),
        "notice": ("按键或回复之后没有短信告知结果", "nobody is texted what a key or a reply did"),
    },
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at. `wrong` says what to do."""

    verdict: Verdict
    about: str
    zh: str
    en: str

    @property
    def is_wrong(self) -> bool:
        """Say whether something has to be done about it."""
        return self.verdict == "wrong"


def lines(findings: list[Finding]) -> list[str]:
    """Return the findings for a terminal."""
    shown: list[str] = []
    for finding in findings:
        shown.append(f"{_MARKS[finding.verdict]} {finding.about}: {_LABELS[finding.verdict]}")
        shown += [f"     {text}" for text in (finding.zh, finding.en) if text]
    wrong = sum(finding.is_wrong for finding in findings)
    return [
        *shown,
        "",
        f"{wrong} 项有误,须先处理 / {wrong} wrong, to be mended first"
        if wrong
        else "没有发现错误 / nothing wrong was found",
    ]


def check(settings: Settings, path: Path, *, live: bool) -> list[Finding]:
    """Return what was found; live asks each carrier, and calls back through public_url."""
    made = adapters(settings)
    findings = [
        Finding("ok", "settings", "", str(path)),
        *_providers(settings, made),
        *_public_url(settings.server.public_url),
        *check_team(settings, made),
    ]
    if live:
        findings += asyncio.run(_live(settings, made))
    return findings


def _providers(settings: Settings, made: Adapters) -> Iterator[Finding]:
    """Say which channels there are, and what a missing text makes unavailable.

    That the texts that are there fit was seen while loading.
    """
    for channel, (zh, en) in _OFF.items():
        on = made.by_channel[channel]
        if not on:
            verdict: Verdict = "wrong" if channel == "voice" else "note"
            yield Finding(verdict, f"channels.{channel}", zh, en)
        if len(on) == 1 and channel != "email":
            yield Finding(
                "note",
                f"channels.{channel}",
                "只有一家服务商,无法故障切换",
                "one provider only: nothing to fail over to",
            )
        for name in on:
            if channel != "email":  # mails are ours to write
                yield from _templates(settings, channel, name)


def _templates(settings: Settings, channel: str, provider: str) -> Iterator[Finding]:
    table = getattr(getattr(settings.providers, provider), channel)
    templates, about = table.templates, f"{provider}.{channel}.templates"
    for purpose, (zh, en) in _WITHOUT[channel].items():
        if (channel, purpose, provider) == ("voice", "code", "tencent"):
            continue  # SendCodeVoice reads out a code without a template
        if templates.choose(purpose, "zh-CN") is None:
            yield Finding("note", f"{about}.{purpose}", f"缺少:{zh}", f"missing: {en}")
    if templates.page and templates.choose("page", "zh-CN") == templates.choose("page", "en"):
        yield Finding(
            "note",
            f"{about}.page",
            "只有一种语言,对所有人都用它",
            "one language only, used for everyone",
        )
    if (channel, provider) == ("voice", "alibaba") and table.mode == "tts":
        yield Finding(
            "wrong" if len(settings.on("voice")) == 1 else "note",
            "alibaba.voice.mode",
            'tts 只响铃和朗读,收不到按键:购买号码后改为 "ivr"',
            'tts rings and reads out, but no key comes back: buy a number, then "ivr"',
        )


def _public_url(url: str) -> Iterator[Finding]:
    parts = urlsplit(url)
    host = parts.hostname or ""
    if host in ("localhost", "127.0.0.1", "::1") or host.endswith(".localhost"):
        yield Finding(
            "wrong",
            "server.public_url",
            "运营商无法访问本机地址:填写公网域名",
            "no carrier reaches this machine by that name: write its public one",
        )
    elif host == "example.com" or host.endswith(".example.com"):
        yield Finding(
            "wrong",
            "server.public_url",
            "仍是示例地址:填写您自己的公网域名",
            "still the example: write your own public address",
        )
    elif parts.scheme != "https":
        yield Finding(
            "wrong",
            "server.public_url",
            "按键回调会以明文经过公网:改用 https",
            "key presses would cross the internet in clear: use https",
        )
    else:
        yield Finding("ok", "server.public_url", "", url)


def check_team(settings: Settings, made: Adapters) -> Iterator[Finding]:
    """Say whether the database is new enough, and whom a policy names that cannot be called.

    Nothing is created, and a service that runs on it is not disturbed.
    """
    file = file_of(settings.database.url)
    if not file.exists():
        yield Finding(
            "wrong",
            "database",
            f"{file} 还不存在:运行 `ringback db upgrade`,再 `ringback apply team.toml`",
            f"{file} is not there yet: run `ringback db upgrade`, then `ringback apply team.toml`",
        )
        return
    store = Store(settings.database.url)
    try:
        found, newest = store.read_here(schema.revision), schema.newest()
        if found != newest:
            yield Finding(
                "wrong",
                "database",
                f"表结构为 {found},需要 {newest}:运行 `ringback db upgrade`",
                f"its schema is {found}, {newest} is needed: run `ringback db upgrade`",
            )
            return
        team = Team(
            responders=store.read_here(people.responders),
            policies=store.read_here(documents.policies.all),
            rosters=store.read_here(rosters.load),
        )
    except UnavailableError:
        yield Finding(
            "wrong",
            "database",
            f"无法读取 {file}:检查权限与磁盘",
            f"{file} cannot be read: look at its permissions and the disk",
        )
        return
    finally:
        store.close()
    yield Finding("ok", "database", "", f"{file}, schema {newest}")
    yield from _team(settings, made, team)


@dataclass(frozen=True, slots=True)
class Team:
    """Who there is, as the database has it."""

    responders: Mapping[str, Person]
    policies: Mapping[str, Policy]
    rosters: Mapping[str, Roster]


def _team(settings: Settings, made: Adapters, team: Team) -> Iterator[Finding]:
    operators = settings.operators.policy_id
    if operators is None:
        yield Finding(
            "note",
            "operators.policy",
            "ringback 自身出问题时不会呼叫任何人",
            "nobody is paged about ringback itself",
        )
    elif operators not in team.policies:
        yield Finding(
            "wrong",
            "operators.policy",
            f"策略 {operators} 不存在:写入 team.toml 并 `ringback apply`",
            f"there is no policy {operators}: write it into team.toml and `ringback apply` it",
        )
    if not team.policies:
        yield Finding(
            "wrong",
            "policies",
            "还没有任何策略:`ringback apply team.toml`",
            "there is no policy yet: `ringback apply team.toml`",
        )
    for id_, person in team.responders.items():
        gaps = list(_gaps(id_, person, made, team))
        yield from gaps or [Finding("ok", f"responder {id_}", "", "")]
    for id_, roster in team.rosters.items():
        yield from _schedule(id_, roster)
    missing = {id_: name for name, plan in team.policies.items() for id_ in plan.named("responder")}
    for id_ in missing.keys() - team.responders.keys():
        yield Finding(
            "wrong",
            f"responder {id_}",
            f"查无此人,但策略 {missing[id_]} 会通知此人",
            f"is nobody, and policy {missing[id_]} would tell them",
        )


_CONTACTS = {"phone": ("电话号码", "phone number"), "email": ("邮箱地址", "email address")}


def _schedule(id_: str, roster: Roster) -> Iterator[Finding]:
    """Say when nobody is on call in the next days, and what in its calendar is no one's."""
    now = datetime.now(UTC)
    about = f"schedule {id_}"
    gaps = [shift for shift in roster.shifts(now, now + _LOOKED_AHEAD) if shift.who is None]
    if gaps:
        begins, ends = (f"{at:%Y-%m-%d %H:%M}Z" for at in (gaps[0].begins, gaps[0].ends))
        yield Finding(
            "note",
            about,
            f"{begins} 至 {ends} 无人值班",
            f"nobody is on call from {begins} to {ends}",
        )
    for one in roster.unmatched:
        whom = ", ".join(one.candidates)
        yield Finding(
            "wrong",
            about,
            f"日历事件“{one.text}”" + (f"对应多人:{whom}" if whom else "不对应任何人员"),
            f"its event {one.text!r} " + (f"names several: {whom}" if whom else "names nobody"),
        )
    if not gaps and not roster.unmatched:
        yield Finding("ok", about, "", "")


def _gaps(id_: str, person: Person, made: Adapters, team: Team) -> Iterator[Finding]:
    """Say by which channels a policy would tell this person and cannot."""
    on = [channel for channel, providers in made.by_channel.items() if providers]
    phone_providers = [
        one for channel in ("voice", "sms") for one in made.by_channel[channel].values()
    ]
    if (
        person.phone
        and phone_providers
        and not any(one.serves(person.phone) for one in phone_providers)
    ):
        yield Finding(
            "wrong",
            f"responder {id_}",
            "没有已启用的服务商可服务该号码",
            "no provider that is on serves this number",
        )
        return
    wanted: dict[Channel, tuple[str, Policy]] = {}
    schedules = [name for name, roster in team.rosters.items() if id_ in roster.responders]
    for name, policy in team.policies.items():
        for channel in policy.channels_for(id_, person, on, schedules=schedules):
            wanted.setdefault(channel, (name, policy))
    for channel, (name, policy) in wanted.items():
        about, kind = f"responder {id_}, {channel}", CONTACT_OF[channel]
        address = person.contact(channel)
        providers = made.by_channel[channel].values()
        if address is None:
            zh, en = _CONTACTS[kind]
            yield Finding(
                "wrong",
                about,
                f"没有{zh},但策略 {name} 要用",
                f"has no {en}, and policy {name} would use it",
            )
        elif providers and not any(one.serves(address) for one in providers):
            yield Finding(
                "wrong",
                about,
                "没有已启用的服务商可服务该地址",
                "no provider that is on serves this address",
            )
        elif not providers and channel != "voice":  # of voice it was said once for all
            yield Finding(
                "wrong",
                about,
                f"策略 {name} 要用,但没有启用服务商",
                f"policy {name} would use it, and no provider of it is on",
            )
        elif policy.unverified == "skip" and kind not in person.verified:
            yield Finding(
                "wrong",
                about,
                f"未经验证,策略 {name} 会跳过",
                f"is not verified, and policy {name} skips what is not",
            )


async def _live(settings: Settings, made: Adapters) -> list[Finding]:
    url = settings.server.public_url
    public = await _is_public(urlsplit(url).hostname or "")
    findings = [await _edge(url, public=public)]
    for channel, providers in made.by_channel.items():
        for name, one in providers.items():
            verdict, said = await _probed(one)
            findings.append(Finding(verdict, f"{name} {channel}: keys", *said.values()))
            findings += [
                await callback(settings, (name, product), reader.accepted, public=public)
                for (whose, product), reader in made.readers.items()
                if whose == name and product.partition("-")[0] == channel
            ]
            zh, en = _BY_TEST[channel]
            run = f"`ringback test RESPONDER --channel {channel} --provider {name}`"
            findings.append(Finding("unprovable", f"{name} {channel}", f"{zh}{run}", f"{en} {run}"))
    return findings


_BY_TEST: dict[Channel, tuple[str, str]] = {
    "voice": (
        "模板、主叫号码、夜间:昼夜各运行一次 ",
        "texts, caller number, calls at night: once by day and once at night run",
    ),
    "sms": ("模板、签名、送达与回复:运行 ", "texts, sign name, delivery and replies: run"),
    "email": ("发信地址与是否进垃圾箱:运行 ", "sender, and whether it lands in spam: run"),
}


async def _probed(adapter: Adapter) -> Proof:
    if isinstance(adapter, SmtpEmail):
        return await adapter.probe()
    return await asyncio.to_thread(adapter.probe)


async def _is_public(host: str) -> bool:
    """Say whether this name leads from here to where carriers would be led as well."""
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except OSError:
        return False
    return all(ip_address(str(entry[4][0]).partition("%")[0]).is_global for entry in found)


def _reached(about: str, said: str, *, public: bool) -> Finding:
    """Return the finding for what answered as it should."""
    if public:
        return Finding("proved", about, "", said)
    return Finding(
        "unprovable",
        about,
        f"{said};但从这里解析到的是私有地址,不等于运营商能访问",
        f"{said}; but from here its name is a private address: carriers may not be led there",
    )


async def _edge(public_url: str, *, public: bool) -> Finding:
    about = "server.public_url"
    try:
        answer = await _asked("GET", f"{public_url}/healthz")
    except OutboundError as exc:
        return Finding(
            "wrong",
            about,
            f"从这里访问不到 {public_url}/healthz:服务在运行吗?检查域名、防火墙与反向代理",
            f"{public_url}/healthz cannot be had from here ({exc}): does the service run? look at "
            "the name, the firewall and the proxy",
        )
    if answer.status != _OK:
        return Finding(
            "wrong",
            about,
            f"{public_url}/healthz 返回 {answer.status}:反向代理是否转发到了 ringback?",
            f"{public_url}/healthz answers {answer.status}: does the proxy lead to ringback?",
        )
    return _reached(about, f"{public_url}/healthz: {answer.took_ms:.0f} ms", public=public)


async def callback(
    settings: Settings, whose: tuple[str, str], accepted: bytes, *, public: bool
) -> Finding:
    """Send ourselves a callback without events, the way the carrier would.

    `whose`: provider and product, such as ("alibaba", "sms-report").
    """
    provider, product = whose
    about = f"{provider} {product}: callbacks"
    if settings.security.allowed_networks.get(provider):
        return Finding(
            "unprovable",
            about,
            "security.allowed_networks 只放行运营商的网络",
            "security.allowed_networks lets only the carrier's networks in",
        )
    url = callback_url(settings, provider, product)
    try:
        answer = await _asked("POST", url, _EMPTY_CALLBACKS[whose])
    except OutboundError as exc:
        return Finding(
            "wrong",
            about,
            "回调地址没有应答:服务在运行吗?检查域名、防火墙与反向代理",
            f"its address does not answer ({exc}): does the service run? look at the name, the "
            "firewall and the proxy",
        )
    if answer.status != _OK or answer.body != accepted:
        return Finding(
            "wrong",
            about,
            f"返回 {answer.status},不是 ringback 的应答:检查反向代理,并用现在的设置重启服务",
            f"its address answers {answer.status}, not as ringback does: look at the proxy before "
            "it, and restart the service with these settings",
        )
    if answer.took_ms > CALLBACK_MS:
        return Finding(
            "wrong",
            about,
            f"用时 {answer.took_ms:.0f} 毫秒,超过 {CALLBACK_MS} 毫秒会被重推:检查网络与反向代理",
            f"took {answer.took_ms:.0f} ms, over {CALLBACK_MS} ms it is pushed again: look at the "
            "network and the proxy",
        )
    return _reached(about, f"{answer.took_ms:.0f} ms / {CALLBACK_MS} ms", public=public)


_OK = 200


async def _asked(method: str, url: str, content: bytes = b"") -> Answer:
    # Private addresses are no secret to whoever wrote them into these settings.
    async with client(allow_private=True) as http:
        return await fetch(
            http,
            method,
            url,
            deadline_s=_DEADLINE_S,
            most_bytes=_MOST_BYTES,
            content=content,
            headers={"Content-Type": "application/json"} if content else None,
        )
