"""Settings as an installation would write them, and the commands as a user types them."""

import logging
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import httpx2
import pytest
import structlog

from ringback import cli
from sandbox.server import Running, running
from tests.scenarios.conftest import (
    CALLBACK_TOKEN,
    LI,
    TEAM,
    TOKEN,
    WEI,
    accounts,
    config,
    free_port,
)

SETTINGS = """\
[server]
public_url = "https://pager.example.org/"

[security]
secret_keys = ["secret-key-of-32-characters-long"]
admin_token = "admin-token-of-32-characters-lon"
callback_tokens = ["callback-token-new", "callback-token-old"]

[operators]
policy = "ops"

[providers.alibaba]
access_key_id = "LTAI-test"
access_key_secret = "alibaba-secret"
[providers.alibaba.voice]
show_numbers = ["05710000000"]
[providers.alibaba.voice.templates]
page = { id = "TTS_1", text = "${level}告警,${title}。认领请按1。", \
params = { level = "severity", title = "title" } }
reply = { id = "TTS_2", text = "已收到按键。" }

[providers.tencent]
secret_id = "AKID-test"
secret_key = "tencent-secret"
[providers.tencent.voice]
sdk_app_id = "1400000000"
[providers.tencent.voice.templates]
page = { id = "1001", text = "{1}告警,{2}。认领请按1。", params = ["severity", "title"] }
"""
ROOT = Path(__file__).parents[2]
WITHIN_S = 60.0
SPEED = 60  # of the sandbox: a phone that rings in vain does so for one second

T = TypeVar("T")


@pytest.fixture(autouse=True)
def english(monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminal in English, and no settings but the test's."""
    for name in [name for name in os.environ if name.startswith("RINGBACK_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("LC_ALL", "C.UTF-8")


@pytest.fixture
def settings_file(tmp_path: Path) -> Path:
    """Return a settings file with both providers on."""
    path = tmp_path / "ringback.toml"
    path.write_text(SETTINGS, "utf-8")
    return path


@dataclass(frozen=True)
class Said:
    """What a command left behind."""

    status: int
    out: str
    err: str

    @property
    def line(self) -> str:
        """The one line that says why it failed."""
        assert self.status != 0, self
        assert "Traceback" not in self.err
        (line,) = self.err.splitlines()
        return line


Run = Callable[..., Said]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty directory, in which commands are typed."""
    path = tmp_path / "here"
    path.mkdir()
    monkeypatch.chdir(path)
    return path


@pytest.fixture
def ringback(here: Path, capfd: pytest.CaptureFixture[str]) -> Iterator[Run]:
    """Run a command in this process: what is typed most often need not start Python each time."""
    root = logging.getLogger()
    handlers, level = root.handlers, root.level

    def run(*words: str) -> Said:
        capfd.readouterr()
        try:
            status = cli.main(words)
        except SystemExit as exc:
            status = int(exc.code or 0)
        said = capfd.readouterr()
        return Said(status, said.out, said.err)

    yield run
    root.handlers, root.level = handlers, level
    structlog.reset_defaults()


def spawn(*words: str, cwd: Path, **environ: str) -> Said:
    """Run a command as a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "ringback", *words],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environ},
        capture_output=True,
        text=True,
        timeout=WITHIN_S,
        check=False,
    )
    return Said(done.returncode, done.stdout, done.stderr)


class Stack:
    """One service with its settings file, on a sandbox whose time flies."""

    def __init__(self, folder: Path, sandbox: Running) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.config = folder / "ringback.toml"
        database = folder / "ringback.db"
        both = ("alibaba", "tencent")
        self.config.write_text(config(sandbox, self.port, both, database, with_texts=True))
        self.sandbox = httpx2.Client(base_url=sandbox.url, trust_env=False, timeout=10)
        self.api = httpx2.Client(
            base_url=self.url,
            trust_env=False,
            timeout=10,
            headers={"Authorization": f"Bearer {TOKEN}"},
        )

    def tell_sandbox(self) -> None:
        """Tell the sandbox what the carriers' consoles would be told."""
        self.sandbox.put("/sandbox/settings", json=accounts(self.url)).raise_for_status()
        self.sandbox.post("/sandbox/clock", json={"speed": SPEED}).raise_for_status()

    def phone(self, number: str, behaviour: str, **how: Any) -> None:
        """Say what this number does when it is called."""
        body = {"behaviour": behaviour, **how}
        self.sandbox.put(f"/sandbox/phones/{number}", json=body).raise_for_status()

    def post(self, path: str, body: object) -> Any:
        """Post to the API, which must agree."""
        answer = self.api.post(path, json=body)
        assert answer.is_success, answer.text
        return answer.json()

    def until(self, condition: Callable[[], T]) -> T:
        """Wait until this holds; return what it said."""
        end = time.monotonic() + WITHIN_S
        while not (said := condition()):
            assert time.monotonic() < end, f"not within {WITHIN_S} s"
            time.sleep(0.02)  # another process has no event to wait for
        return said

    def is_ready(self) -> bool:
        """Say whether the service can take an incident."""
        try:
            return self.api.get("/readyz").status_code == 200
        except httpx2.TransportError:
            return False


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A running stack, the same one for all: each test uses people and incidents of its own."""
    folder = tmp_path_factory.mktemp("stack")
    with running() as sandbox, (folder / "serve.log").open("wb") as log:
        stack = Stack(folder, sandbox)
        process = subprocess.Popen(
            [sys.executable, "-m", "ringback", "serve", "--config", str(stack.config)],
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=log,
            stderr=log,
        )
        try:
            stack.tell_sandbox()
            stack.until(lambda: stack.is_ready() or process.poll() is not None)
            stack.post("/v1/apply", TEAM)
            yield stack
        finally:
            process.terminate()
            process.wait(WITHIN_S)
            stack.api.close()
            stack.sandbox.close()
    logged = (folder / "serve.log").read_text()
    assert "Traceback" not in logged
    assert "request.failed" not in logged
    for secret in (TOKEN, CALLBACK_TOKEN, LI, WEI):
        assert secret not in logged
