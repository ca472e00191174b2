"""`ringback demo`: service and sandbox side by side, one incident, and a phone in the browser."""

import contextlib
import getpass
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from types import FrameType
from typing import Any

import httpx2

from paging.errors import SettingsError
from ringback import reports, settings, urls
from ringback.client import Api
from ringback.reports import say
from ringback.texts import approved, demo_templates

Json = dict[str, Any]

_HOST = "127.0.0.1"
_SERVICE_PORT, _SANDBOX_PORT = 8080, 9100
_PORTS_TRIED = 20
_STARTS_WITHIN_S = 30.0
_STOPS_WITHIN_S = 10.0
_POLL_S = 0.3
# One try, so that a call without a key is followed at once by what comes next.
_NOTIFY = (
    {"channel": "voice", "after": 0, "tries": 1},
    {"channel": "sms", "after": 30},
    {"channel": "email", "after": 60},
)
_TEAM: Json = {
    "responders": {
        "li.wei": {
            "name": "李伟",
            "phone": "+8613700000000",
            "email": "li.wei@example.com",
            "locale": "zh-CN",
        },
        "sam": {
            "name": "Sam",
            "phone": "+8613700000001",
            "email": "sam@example.com",
            "locale": "en",
        },
    },
    "policies": {
        "default": {
            "name": "Default",
            "steps": [
                {"targets": ["responder:li.wei"], "notify": _NOTIFY, "wait": 120},
                {"targets": ["responder:sam"], "notify": _NOTIFY, "wait": 120},
            ],
        }
    },
}
_SHOW_NUMBER = "05710000000"
_SDK_APP_ID, _SMS_SDK_APP_ID = "1400000000", "1400000001"
_SIGN_NAME = "ringback"
_MAIL_FROM = "oncall@example.com"


def demo(*, once: bool) -> int:
    """Run it until Ctrl-C, or with `once` until the incident is acknowledged.

    Raises SettingsError, ApiError when one of the two cannot be started or does not answer.
    """
    signal.signal(signal.SIGTERM, _interrupt)  # children must not outlive us
    with tempfile.TemporaryDirectory(prefix="ringback-demo-") as name:
        folder, sandbox_port = Path(name), _free_ports(_SANDBOX_PORT, 2)
        config = _write_settings(folder, _free_ports(_SERVICE_PORT, 1), sandbox_port)
        known = settings.load(config, {})
        sandbox_url, service_url = f"http://{_HOST}:{sandbox_port}", settings.local_url(known)
        with contextlib.ExitStack() as stack:
            children = [
                stack.enter_context(_running(folder, "sandbox", "--port", str(sandbox_port))),
                stack.enter_context(_running(folder, "serve", "--config", str(config))),
            ]
            _await(f"{sandbox_url}/sandbox/state", children)
            _await(f"{service_url}/readyz", children)
            _tell_sandbox(sandbox_url, config, known)
            token = known.security.admin_token.get_secret_value()
            api = stack.enter_context(Api(service_url, token))
            api.post("/v1/apply", _TEAM)
            alert = json.loads(resources.files("ringback").joinpath("demo_alert.json").read_text())
            opened = api.post("/v1/integrations/alertmanager/default", alert)
            say(*_where(sandbox_port, known.server.port, os.environ))
            _follow(api, opened["incident"]["id"], children)
            say("", "已认领;其余一切已停止。 / acknowledged; everything else has stopped.")
            if not once:
                say(f"API: {api.url}  Ctrl-C: 结束 / ends")
                _stay(children)
    return 0


@dataclass(frozen=True, slots=True)
class _Child:
    """A process of ours and where it writes what it says."""

    command: str
    process: subprocess.Popen[bytes]
    log: Path


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _free_ports(wanted: int, count: int) -> int:
    """Return the first of so many ports in a row: this one, or any other where one is taken."""
    for first in (wanted, *[0] * _PORTS_TRIED):
        with contextlib.suppress(OSError, OverflowError), contextlib.ExitStack() as probes:
            # 0 is whichever one is free.
            port = probes.enter_context(socket.create_server((_HOST, first))).getsockname()[1]
            for following in range(port + 1, port + count):
                probes.enter_context(socket.create_server((_HOST, following)))
            return int(port)
    raise SettingsError(f"{_HOST}: no free port")


def _write_settings(directory: Path, service_port: int, sandbox_port: int) -> Path:
    """Write the settings of an installation whose carriers are the sandbox."""
    endpoint = f"http://{_HOST}:{sandbox_port}"
    tables: dict[str, Json] = {
        "server": {"port": service_port, "public_url": f"http://{_HOST}:{service_port}"},
        "database": {"url": f"sqlite:///{directory}/ringback.db"},
        "security": {
            "secret_keys": [secrets.token_urlsafe(32)],
            "admin_token": secrets.token_urlsafe(32),
            "callback_tokens": [secrets.token_urlsafe(32)],
        },
        "operators": {"policy": "none"},
        "providers.alibaba": {
            "access_key_id": "demo",
            "access_key_secret": secrets.token_urlsafe(16),
        },
        "providers.alibaba.voice": {"endpoint": endpoint, "show_numbers": [_SHOW_NUMBER]},
        "providers.alibaba.sms": {"endpoint": endpoint, "sign_name": _SIGN_NAME},
        "providers.alibaba.email": {"endpoint": endpoint, "account_name": _MAIL_FROM},
        "providers.tencent": {"secret_id": "demo", "secret_key": secrets.token_urlsafe(16)},
        "providers.tencent.voice": {"endpoint": endpoint, "sdk_app_id": _SDK_APP_ID},
        "providers.tencent.sms": {
            "endpoint": endpoint,
            "sdk_app_id": _SMS_SDK_APP_ID,
            "sign_name": _SIGN_NAME,
        },
        # The sandbox's mail server is on the port after its own.
        "providers.smtp": {"host": _HOST, "port": sandbox_port + 1, "from": _MAIL_FROM},
    }
    lines: list[str] = []
    for name, table in tables.items():
        lines.append(f"[{name}]")
        # What JSON writes of texts, whole numbers and lists of texts is TOML as well.
        lines += [f"{key} = {json.dumps(value)}" for key, value in table.items()]
    lines += demo_templates()
    path = directory / "ringback.toml"
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return path


@contextlib.contextmanager
def _running(folder: Path, command: str, *arguments: str) -> Generator[_Child]:
    """Run one command of ours as a child, and end it in any case."""
    environ = {
        name: value
        for name, value in os.environ.items()
        # Both SDKs would send even loopback calls through a proxy; our settings are the file's.
        if not name.lower().endswith("_proxy") and not name.startswith(settings.PREFIX)
    }
    path = folder / f"{command}.log"
    with path.open("wb") as log:
        process = subprocess.Popen(  # noqa: S603 - our own program
            [sys.executable, "-m", "ringback", command, *arguments],
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,  # Ctrl-C is for us, who then end the children in order
        )
    try:
        yield _Child(command, process, path)
    finally:
        process.terminate()
        try:
            process.wait(_STOPS_WITHIN_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _look_after(children: Sequence[_Child]) -> None:
    """Raise SettingsError with a child's last words when it is gone."""
    for child in children:
        if child.process.poll() is not None:
            said = child.log.read_text("utf-8", "replace").splitlines()
            last = said[-1] if said else f"exit status {child.process.returncode}"
            raise SettingsError(f"{child.command} ended: {last}")


def _await(url: str, children: Sequence[_Child]) -> None:
    """Return once this address answers with success."""
    until = time.monotonic() + _STARTS_WITHIN_S
    while time.monotonic() < until:
        _look_after(children)
        with contextlib.suppress(httpx2.HTTPError):
            if httpx2.get(url, trust_env=False).is_success:
                return
        time.sleep(0.1)
    raise SettingsError(f"{url} did not answer within {_STARTS_WITHIN_S:g} s")


def _tell_sandbox(url: str, config: Path, known: settings.Settings) -> None:
    """Tell the carriers' stand-in what a carrier's console would be told."""
    providers: Json = tomllib.loads(config.read_text("utf-8"))["providers"]
    alibaba, tencent = providers["alibaba"], providers["tencent"]
    _put(
        f"{url}/sandbox/settings",
        {
            "alibaba": {
                "access_key_id": alibaba["access_key_id"],
                "access_key_secret": alibaba["access_key_secret"],
                "show_numbers": alibaba["voice"]["show_numbers"],
                "templates": approved(alibaba["voice"]["templates"]),
                "sms_sign_names": [alibaba["sms"]["sign_name"]],
                "sms_templates": approved(alibaba["sms"]["templates"]),
                "mail_account_names": [alibaba["email"]["account_name"]],
                **_callback_urls(known, "alibaba"),
            },
            "tencent": {
                "secret_id": tencent["secret_id"],
                "secret_key": tencent["secret_key"],
                "sdk_app_ids": [tencent["voice"]["sdk_app_id"]],
                "templates": approved(tencent["voice"]["templates"]),
                "sms_sdk_app_ids": [tencent["sms"]["sdk_app_id"]],
                "sms_sign_names": [tencent["sms"]["sign_name"]],
                "sms_templates": approved(tencent["sms"]["templates"]),
                **_callback_urls(known, "tencent"),
            },
        },
    )
    for person in _TEAM["responders"].values():
        _put(
            f"{url}/sandbox/phones/{person['phone']}",
            {"behaviour": "ring", "label": person["name"]},
        )


def _callback_urls(known: settings.Settings, carrier: str) -> dict[str, str]:
    return {
        "voice_url": urls.callback_url(known, carrier, "voice"),
        "sms_report_url": urls.callback_url(known, carrier, "sms-report"),
        "sms_reply_url": urls.callback_url(known, carrier, "sms-reply"),
    }


def _put(url: str, body: Json) -> None:
    response = httpx2.put(url, json=body, trust_env=False)
    if not response.is_success:
        raise SettingsError(f"sandbox: {response.text}")


def _where(sandbox_port: int, service_port: int, environ: Mapping[str, str]) -> list[str]:
    """Return where to press 1, and how to get there from another machine."""
    lines = [
        "ringback: 一条告警正在呼叫您。 / an incident is calling you.",
        "",
        f"    http://{_HOST}:{sandbox_port}/",
        "",
        "打开此页,接听电话,按 1 认领。 / open it, answer the phone, press 1.",
        "若拒接或不接,会收到短信:回复 1 认领。 / decline, or let it ring: a text comes, reply 1.",
        "一分钟后还有邮件,在页面的邮箱里。 / after a minute a mail comes, to the page's mailbox.",
    ]
    remote = environ.get("SSH_CONNECTION", "").split()  # client, its port, server, its port
    if remote or not (environ.get("DISPLAY") or environ.get("WAYLAND_DISPLAY")):
        host = remote[2] if remote[2:] else socket.gethostname()
        # The second one is where the link in the mail leads.
        ports = " ".join(f"-L {port}:{_HOST}:{port}" for port in (sandbox_port, service_port))
        lines += [
            "在您自己的机器上 / on your own machine:",
            f"    ssh {ports} {getpass.getuser()}@{host}",
        ]
    return [*lines, ""]


def _follow(api: Api, id_: str, children: Sequence[_Child]) -> None:
    """Tell the incident's timeline until somebody has it."""
    seen: set[int] = set()
    locale = reports.language(os.environ)
    while True:
        incident = api.get(f"/v1/incidents/{id_}")
        for entry in incident["timeline"]:
            if entry["id"] not in seen:
                seen.add(entry["id"])
                say(reports.timeline_line(entry, locale))
        if incident["status"] != "triggered":
            return
        _look_after(children)
        time.sleep(_POLL_S)


def _stay(children: Sequence[_Child]) -> None:
    """Keep both running until Ctrl-C."""
    with contextlib.suppress(KeyboardInterrupt):
        while True:
            _look_after(children)
            time.sleep(_POLL_S)
