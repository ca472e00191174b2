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
from collections.abc import Iterator, Mapping
from importlib import resources
from pathlib import Path
from types import FrameType
from typing import Any

import httpx2

from paging.errors import SettingsError
from paging.store import schema
from ringback import reports, settings, urls
from ringback.client import Api
from ringback.texts import demo_templates

Json = dict[str, Any]

_SERVICE_PORT, _SANDBOX_PORT = 8080, 9100
_STARTS_WITHIN_S = 30.0
_STOPS_WITHIN_S = 10.0
_POLL_S = 0.3
_TEAM: Json = {
    "responders": {
        "li.wei": {"name": "李伟", "phone": "+8613700000000", "locale": "zh-CN"},
        "sam": {"name": "Sam", "phone": "+8613700000001", "locale": "en"},
    },
    "policies": {
        "default": {
            "name": "Default",
            "steps": [
                {"targets": ["responder:li.wei"], "notify": ["voice"], "wait": 120},
                {"targets": ["responder:sam"], "notify": ["voice"], "wait": 120},
            ],
        }
    },
}
_SHOW_NUMBER = "05710000000"
_SDK_APP_ID = "1400000000"


def demo(*, once: bool) -> int:
    """Run it until Ctrl-C, or with `once` until the incident is acknowledged.

    Raises SettingsError, ApiError when one of the two cannot be started or does not answer.
    """
    signal.signal(signal.SIGTERM, _interrupt)  # children must not outlive us
    with tempfile.TemporaryDirectory(prefix="ringback-demo-") as directory:
        ports = _free_port(_SERVICE_PORT), _free_port(_SANDBOX_PORT)
        config = _write_settings(Path(directory), *ports)
        known = settings.load(config, {})
        schema.upgrade(known.database.url)
        sandbox_url = f"http://127.0.0.1:{ports[1]}"
        with (
            _running(Path(directory), "sandbox", "--port", str(ports[1])) as sandbox,
            _running(Path(directory), "serve", "--config", str(config)) as service,
        ):
            children = {"sandbox": sandbox, "service": service}
            _await(f"{sandbox_url}/sandbox/state", children, Path(directory))
            _await(f"{settings.local_url(known)}/readyz", children, Path(directory))
            _tell_sandbox(sandbox_url, known)
            api = Api(
                settings.local_url(known), known.security.admin_token.get_secret_value()
            )
            api.post("/v1/apply", _TEAM)
            alert = json.loads(resources.files(__package__).joinpath("demo_alert.json").read_text())
            opened = api.post("/v1/integrations/alertmanager/default", alert)
            _say_where(sandbox_url, ports[1], os.environ)
            _follow(api, opened["incident"]["id"], children, Path(directory))
            print("\n已认领;其余一切已停止。 / acknowledged; everything else has stopped.", flush=True)
            if not once:
                print(f"API {api.url}  |  Ctrl-C", flush=True)
                _stay(children, Path(directory))
    return 0
