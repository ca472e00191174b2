"""`ringback check`: what is wrong or missing, said before a carrier or a night says it."""

import asyncio
import socket
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from outbound.http import Answer, OutboundError, client, fetch
from paging.errors import UnavailableError
from paging.people import Policy, Responder
from paging.store import people, schema
from paging.store.database import Store, file_of
from ringback.carriers import Voice, voices
from ringback.settings import Settings
from ringback.urls import callback_url

Verdict = Literal["ok", "note", "proved", "unprovable", "wrong"]

CALLBACK_MS = 700  # Alibaba pushes again when it has waited this long (HTTP batch push pattern)
_DEADLINE_S = 10.0
_MOST_BYTES = 65_536
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
_EMPTY_CALLBACKS: dict[str, bytes] = {"alibaba": b"[]", "tencent": b"{}"}
_WITHOUT: dict[str, tuple[Verdict, str, str]] = {
    "page": ("wrong", "任何电话都无法拨打", "no call can be made"),
    "bundle": ("note", "同时发生的告警逐个呼叫", "incidents at the same time come one by one"),
    "code": ("note", "无法用电话验证号码", "numbers cannot be verified by a call"),
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
    adapters = voices(settings)
    findings = [
        Finding("ok", "settings", "", str(path)),
        *_providers(settings, adapters),
        *_public_url(settings.server.public_url),
        *check_team(settings, adapters),
    ]
    if live:
        findings += asyncio.run(_live(settings, adapters))
    return findings


def _providers(settings: Settings, adapters: Mapping[str, Voice]) -> Iterator[Finding]:
    if not adapters:
        yield Finding(
            "wrong",
            "channels.voice",
            "没有启用任何语音服务商:填写 [providers.alibaba.voice] 或 [providers.tencent.voice]",
            "no voice provider is on: write [providers.alibaba.voice] or [providers.tencent.voice]",
        )
    if len(adapters) == 1:
        yield Finding(
            "note",
            "channels.voice",
            "只有一家语音服务商,无法故障切换",
            "one voice provider only: nothing to fail over to",
        )
    for name in adapters:
        yield from _templates(settings, name)


def _templates(settings: Settings, provider: str) -> Iterator[Finding]:
    """Name what a missing text makes unavailable. That those there fit was seen while loading."""
    cloud = getattr(settings.providers, provider)
    templates, about = cloud.voice.templates, f"{provider}.voice.templates"
    for purpose, (verdict, zh, en) in _WITHOUT.items():
        if purpose == "code" and provider == "tencent":
            continue  # SendCodeVoice reads out a code without a template
        if templates.choose(purpose, "zh-CN") is None:
            yield Finding(verdict, f"{about}.{purpose}", f"缺少:{zh}", f"missing: {en}")
    if templates.page and templates.choose("page", "zh-CN") == templates.choose("page", "en"):
        yield Finding(
            "note",
            f"{about}.page",
            "只有一种语言,对所有人都用它",
            "one language only, used for everyone",
        )
    if provider == "alibaba" and cloud.voice.mode == "tts":
        yield Finding(
            "wrong" if len(settings.voice_on) == 1 else "note",
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


def check_team(settings: Settings, adapters: Mapping[str, Voice]) -> Iterator[Finding]:
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
        responders = store.read_here(people.responders)
        policies = store.read_here(people.policies)
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
    yield from _team(settings, adapters, responders, policies)


def _team(
    settings: Settings,
    adapters: Mapping[str, Voice],
    responders: Mapping[str, Responder],
    policies: Mapping[str, Policy],
) -> Iterator[Finding]:
    operators = settings.operators.policy_id
    if operators is None:
        yield Finding(
            "note",
            "operators.policy",
            "ringback 自身出问题时不会呼叫任何人",
            "nobody is paged about ringback itself",
        )
    elif operators not in policies:
        yield Finding(
            "wrong",
            "operators.policy",
            f"策略 {operators} 不存在:写入 team.toml 并 `ringback apply`",
            f"there is no policy {operators}: write it into team.toml and `ringback apply` it",
        )
    if not policies:
        yield Finding(
            "wrong",
            "policies",
            "还没有任何策略:`ringback apply team.toml`",
            "there is no policy yet: `ringback apply team.toml`",
        )
    named = {id_: policy for policy, plan in policies.items() for id_ in plan.responders}
    for id_ in {**responders, **named}:
        yield from _reachable(id_, responders.get(id_), adapters, named.get(id_))


def _reachable(
    id_: str, person: Responder | None, adapters: Mapping[str, Voice], policy: str | None
) -> Iterator[Finding]:
    """Say whether this person can be called. `policy`: one that would, if any does."""
    about = f"responder {id_}"
    phone = person.phone if person is not None else None
    if phone is None and policy is not None:
        yield Finding(
            "wrong",
            about,
            f"没有电话号码,但策略 {policy} 会呼叫此人",
            f"has no phone number, and policy {policy} would call",
        )
    elif phone is None or (adapters and any(voice.serves(phone) for voice in adapters.values())):
        yield Finding("ok", about, "", "")
    elif adapters:  # without any provider each number would only say so once more
        yield Finding(
            "wrong",
            about,
            "没有已启用的服务商可呼叫该号码",
            "no provider that is on serves this number",
        )


async def _live(settings: Settings, adapters: Mapping[str, Voice]) -> list[Finding]:
    url = settings.server.public_url
    public = await _is_public(urlsplit(url).hostname or "")
    findings = [await _edge(url, public=public)]
    for name, voice in adapters.items():
        verdict, said = await asyncio.to_thread(voice.probe)
        findings += [
            Finding(verdict, f"{name} voice: keys", said["zh-CN"], said["en"]),
            await callback(settings, name, voice.accepted, public=public),
            Finding(
                "unprovable",
                f"{name} voice: call",
                f"模板、主叫号码、夜间:昼夜各运行一次 `ringback test RESPONDER --provider {name}`",
                "texts, caller number, calls at night: run "
                f"`ringback test RESPONDER --provider {name}` once by day and once at night",
            ),
        ]
    return findings


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


async def callback(settings: Settings, provider: str, accepted: bytes, *, public: bool) -> Finding:
    """Send ourselves a callback without events, the way the carrier would."""
    about = f"{provider} voice: callbacks"
    if settings.security.allowed_networks.get(provider):
        return Finding(
            "unprovable",
            about,
            "security.allowed_networks 只放行运营商的网络",
            "security.allowed_networks lets only the carrier's networks in",
        )
    url = callback_url(settings, provider)
    try:
        answer = await _asked("POST", url, _EMPTY_CALLBACKS[provider])
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
