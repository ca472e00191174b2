"""Prometheus Alertmanager itself, of which the other tests only have the posts."""

import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.scenarios.conftest import LI, TOKEN, Stack, free_port

PROGRAM = shutil.which("prometheus-alertmanager") or shutil.which("alertmanager")
CONFIG = """
route:
  receiver: ringback
  group_by: [alertname]
  group_wait: 0s
  group_interval: 1s
  repeat_interval: 1s
receivers:
  - name: ringback
    webhook_configs:
      - url: {url}/v1/integrations/alertmanager/default
        http_config: {{ authorization: {{ credentials: "{token}" }} }}
"""
WITHIN_S = 30.0


class Alertmanager:
    """A running Alertmanager whose only receiver is the service; its times are real."""

    def __init__(self, port: int) -> None:
        self._http = httpx2.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=10)

    def is_ready(self) -> bool:
        """Say whether it takes alerts."""
        try:
            return self._http.get("/-/ready").status_code == 200
        except httpx2.TransportError:
            return False

    def fire(self, instance: str, *, starts_at: datetime, over: bool = False) -> None:
        """Send one alert as Prometheus does; `over`: it has ended."""
        alert: dict[str, Any] = {
            "labels": {"alertname": "DiskFull", "instance": instance, "severity": "critical"},
            "annotations": {"summary": f"{instance} 磁盘将满"},
            "startsAt": starts_at.isoformat(),
        }
        if over:
            alert["endsAt"] = datetime.now(UTC).isoformat()
        answer = self._http.post("/api/v2/alerts", content=json.dumps([alert]), headers=_JSON)
        assert answer.is_success, answer.text

    def close(self) -> None:
        """Close the connection to it."""
        self._http.close()


_JSON = {"Content-Type": "application/json"}


def until(condition: Callable[[], bool]) -> None:
    """Wait in real time, since Alertmanager knows no other."""
    deadline = time.monotonic() + WITHIN_S
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.fixture
def alertmanager(stack: Stack, tmp_path: Path) -> Iterator[Alertmanager]:
    """Alertmanager, posting to the stack's service."""
    if PROGRAM is None:
        message = "Alertmanager is not installed (Debian: prometheus-alertmanager)"
        if os.environ.get("RINGBACK_CI"):
            pytest.fail(message)
        pytest.skip(message)
    config, port = tmp_path / "alertmanager.yml", free_port()
    config.write_text(CONFIG.format(url=stack.url, token=TOKEN))
    process = subprocess.Popen(
        [
            PROGRAM,
            f"--config.file={config}",
            f"--storage.path={tmp_path / 'alertmanager'}",
            f"--web.listen-address=127.0.0.1:{port}",
            "--cluster.listen-address=",
        ],
        stderr=subprocess.DEVNULL,
    )
    manager = Alertmanager(port)
    try:
        until(manager.is_ready)
        yield manager
    finally:
        manager.close()
        process.terminate()
        process.wait(20)


@pytest.mark.parametrize("first", ["alibaba"], indirect=True)
def test_a_real_alertmanager_rings_a_phone_repeats_nothing_and_closes_what_is_resolved(
    stack: Stack, alertmanager: Alertmanager
) -> None:
    began = datetime.now(UTC) - timedelta(minutes=1)
    alertmanager.fire("db-1", starts_at=began)
    until(lambda: bool(stack.get("/v1/incidents")["items"]))
    call = stack.answer(LI)
    assert "磁盘将满" in stack.calls()[0]["text"]
    alertmanager.fire("db-2", starts_at=began)
    until(lambda: stack.types().count("incident.repeated") >= 2)  # it sends again each second
    stack.press(call, "1")
    stack.until(lambda: stack.status() == "acknowledged", 30)
    for instance in ("db-1", "db-2"):
        alertmanager.fire(instance, starts_at=began, over=True)
    until(lambda: stack.status() == "closed")
    alertmanager.fire("db-1", starts_at=datetime.now(UTC))
    until(lambda: len(stack.get("/v1/incidents")["items"]) == 2)
    assert stack.status(2) == "triggered"
    assert len([call for call in stack.called() if call == ("alibaba", LI)]) <= 2
