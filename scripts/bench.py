"""How fast the main way is, each figure beside its floor from the same run: `make bench`.

The floor of an accept and of a callback is a bare Starlette handler that parses the same JSON and
makes one commit of one row, through the same store (one writer thread, group commit, WAL,
synchronous FULL), on the same server, loop, connections and concurrency. The floor of a call is the
carrier's own SDK called bare, its client reused. Machines are noisy: trust the ratios.
"""

import argparse
import asyncio
import contextlib
import json
import os
import platform
import re
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Awaitable, Callable, Generator, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Self

from alibabacloud_dyvmsapi20170525.client import Client
from alibabacloud_dyvmsapi20170525.models import IvrCallRequest
from alibabacloud_tea_openapi.models import Config

from paging.store.database import connect

ROOT = Path(__file__).parent.parent
TOKEN = "admin-token-of-the-bench"  # noqa: S105 - of a throw-away service
CALLBACK_TOKEN = "callback-token-of-the-bench"  # noqa: S105 - as above
READY_WITHIN_S = 30.0
_CLEAN = {k: v for k, v in os.environ.items() if not k.lower().endswith("_proxy")}

SETTINGS = """
[server]
port = {port}
public_url = "http://127.0.0.1:{port}"
[database]
url = "sqlite:///{folder}/ringback.db"
[security]
secret_keys = ["secret-key-of-the-bench"]
admin_token = "{token}"
callback_tokens = ["{callback_token}"]
[operators]
policy = "none"
[providers.alibaba]
access_key_id = "LTAI-bench"
access_key_secret = "secret-of-the-bench"
[providers.alibaba.voice]
endpoint = "http://127.0.0.1:{carrier}"
show_numbers = ["05710000000"]
[providers.alibaba.voice.templates]
page = {{ id = "TTS_1", text = "告警${{title}}。认领请按1。", params = {{ title = "title" }} }}
reply = {{ id = "TTS_2", text = "已收到按键。", params = {{}} }}
"""

FLOOR = """
import contextlib, sys
import uvicorn
from sqlalchemy import text
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route
from paging.store.database import ACCEPTS, Store

store = Store(f"sqlite:///{sys.argv[2]}/floor.db")
with store.engine.connect() as conn:
    conn.exec_driver_sql("CREATE TABLE floor (id INTEGER PRIMARY KEY, body TEXT)")
INSERT = text("INSERT INTO floor (body) VALUES (:body)")

def one_row(conn, body):
    conn.execute(INSERT, {"body": body})

async def handler(request):
    body = await request.json()
    await store.write(ACCEPTS, one_row, str(body)[:200])
    return JSONResponse({"code": 0}, 202)

async def ready(request):
    return JSONResponse({})

@contextlib.asynccontextmanager
async def lifespan(app):
    store.start()
    yield
    store.close()

app = Starlette(
    routes=[Route("/", handler, methods=["POST"]), Route("/readyz", ready)], lifespan=lifespan
)
uvicorn.run(app, port=int(sys.argv[1]), loop="uvloop", http="httptools", access_log=False,
            log_config=None, server_header=False)
"""


def free_port() -> int:
    """Return a port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextlib.contextmanager
def server(command: Sequence[str], port: int) -> Generator[tuple[subprocess.Popen[bytes], float]]:
    """Run a server; give it with the seconds that it took to be ready."""
    began = time.perf_counter()
    process = subprocess.Popen(  # noqa: S603 - our own command
        command, cwd=ROOT, env={**_CLEAN, "PYTHONPATH": str(ROOT)}, stderr=subprocess.DEVNULL
    )
    try:
        while not _answers(port):
            if process.poll() is not None or time.perf_counter() - began > READY_WITHIN_S:
                sys.exit(f"{command[1:3]} did not become ready")
            time.sleep(0.005)
        yield process, time.perf_counter() - began
    finally:
        process.terminate()
        process.wait(30)


def _answers(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), 1) as conn:
            conn.sendall(b"GET /readyz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            return b" 200 " in conn.recv(100)
    except OSError:
        return False


class Connection:
    """One kept-alive HTTP connection, as thin as can be, so that it is not what is measured."""

    def __init__(self, port: int) -> None:
        self._port = port

    async def __aenter__(self) -> Self:
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._writer.close()

    async def send(self, method: str, path: str, body: object) -> tuple[int, bytes]:
        """Return the status and the body of the answer."""
        data = json.dumps(body, ensure_ascii=False).encode()
        self._writer.write(
            f"{method} {path} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {TOKEN}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(data)}\r\n\r\n".encode()
            + data
        )
        head = await self._reader.readuntil(b"\r\n\r\n")
        length = re.search(rb"content-length: (\d+)", head, re.IGNORECASE)
        answer = await self._reader.readexactly(int(length[1])) if length else b""
        return int(head[9:12]), answer


class Carrier:
    """An endpoint that takes every call and remembers when each reached it."""

    def __init__(self) -> None:
        self.port = free_port()
        self.reached: dict[str, tuple[float, str]] = {}  # number -> (when, ref)
        self._loop = asyncio.new_event_loop()
        self._stop = asyncio.Event()
        self._writers: list[asyncio.StreamWriter] = []
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        while not _listens(self.port):
            time.sleep(0.005)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._listen())

    async def _listen(self) -> None:
        server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        await self._stop.wait()
        server.close()
        for writer in self._writers:
            writer.close()
            await writer.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.append(writer)
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                at = time.perf_counter()
                number, ref = (
                    re.search(rb"[?&]%s=(\w+)" % name, head) for name in (b"CalledNumber", b"OutId")
                )
                if number and ref:
                    self.reached[number[1].decode()] = (at, ref[1].decode())
                body = b'{"RequestId":"r","Code":"OK","Message":"OK","CallId":"1^%d"}' % len(
                    self.reached
                )
                writer.write(
                    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n"
                    b"\r\n%s" % (len(body), body)
                )


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


def number(i: int) -> str:
    """Return the i-th test number, without country code."""
    return f"137{i:08d}"


async def timed(
    port: int, connections: int, count: int, one: Callable[[Connection, int], Awaitable[None]]
) -> tuple[list[float], float]:
    """Run `one` for 0..count-1 over kept-alive connections; return each one's seconds and all's."""
    left, took = iter(range(count)), list[float]()

    async def worker() -> None:
        async with Connection(port) as conn:
            for i in left:
                began = time.perf_counter()
                await one(conn, i)
                took.append(time.perf_counter() - began)

    began = time.perf_counter()
    await asyncio.gather(*(worker() for _ in range(connections)))
    return took, time.perf_counter() - began


def percentile(values: Sequence[float], share: float) -> float:
    """Return this percentile."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def row(name: str, ours: Sequence[float], floor: Sequence[float], aim: str) -> None:
    """Print the median and the 99th percentile beside the floor's, in milliseconds."""
    for label, share in (("p50", 0.5), ("p99", 0.99)):
        a, b = percentile(ours, share) * 1000, percentile(floor, share) * 1000
        print(f"{name:<44} {label}  {a:8.2f} ms  {b:8.2f} ms  {a / b:5.2f}x  {aim}")


def _expect(status: int, wanted: int, body: bytes) -> None:
    if status != wanted:
        sys.exit(f"expected {wanted}, got {status}: {body[:300]!r}")


async def team(port: int, people: int) -> None:
    """Put distinct responders in place, each with a policy that rings at once or in an hour."""
    responders = {f"r{i}": {"name": f"R{i}", "phone": f"+86{number(i)}"} for i in range(people)}
    policies = {
        f"{name}{i}": {
            "name": name,
            "steps": [
                {"targets": [f"responder:r{i}"], "notify": [{"channel": "voice", "after": after}]}
            ],
        }
        for i in range(people)
        for name, after in (("now", 0), ("later", 3600))
    }
    async with Connection(port) as conn:
        status, body = await conn.send(
            "POST", "/v1/apply", {"responders": responders, "policies": policies, "dry_run": False}
        )
        _expect(status, 200, body)


def incident(policy: str, i: int) -> dict[str, str]:
    """Return the body of one accept."""
    return {"title": f"db-{i} down", "policy": f"{policy}{i}", "dedup_key": f"{policy}-{i}"}


async def accepts(port: int, connections: int, count: int, skip: int) -> list[float]:
    """Time POST to 202."""

    async def one(conn: Connection, i: int) -> None:
        _expect(*_with(await conn.send("POST", "/v1/incidents", incident("later", skip + i)), 202))

    return (await timed(port, connections, count, one))[0]


def _with(answer: tuple[int, bytes], wanted: int) -> tuple[int, int, bytes]:
    return answer[0], wanted, answer[1]


async def bare(port: int, connections: int, count: int, body: object) -> list[float]:
    """Time the floor."""

    async def one(conn: Connection, _i: int) -> None:
        _expect(*_with(await conn.send("POST", "/", body), 202))

    return (await timed(port, connections, count, one))[0]


async def calls(port: int, carrier: Carrier, count: int) -> list[float]:
    """Time from sending an accept to its call reaching the carrier, one at a time."""
    took: list[float] = []
    async with Connection(port) as conn:
        for i in range(count):
            began = time.perf_counter()
            _expect(*_with(await conn.send("POST", "/v1/incidents", incident("now", i)), 202))
            while number(i) not in carrier.reached:  # noqa: ASYNC110 - in another thread
                await asyncio.sleep(0.0002)
            took.append(carrier.reached[number(i)][0] - began)
    return took


def bare_calls(carrier: Carrier, count: int) -> list[float]:
    """Time from calling the bare SDK to its request reaching the carrier."""
    client = Client(
        Config(
            access_key_id="LTAI-bench",
            access_key_secret="secret-of-the-bench",  # noqa: S106 - of no account
            endpoint=f"127.0.0.1:{carrier.port}",
            protocol="http",
        )
    )
    took: list[float] = []
    for i in range(count):
        began = time.perf_counter()
        client.ivr_call(
            IvrCallRequest(
                called_number=number(50_000 + i),
                called_show_number="05710000000",
                start_code="TTS_1",
                start_tts_params='{"title":"db 1 down"}',
                out_id=f"ref{i}",
            )
        )
        took.append(carrier.reached[number(50_000 + i)][0] - began)
    return took


def key_pressed(ref: str, i: int) -> list[dict[str, str]]:
    """Return Alibaba's push of key 1 during the call."""
    return [
        {
            "call_id": f"1^{i}",
            "status_code": "300000",
            "status_time": "2026-11-24 10:00:17",
            "out_id": ref,
            "dtmf": "1",
        }
    ]


async def callbacks(port: int, refs: Sequence[str], connections: int) -> list[float]:
    """Time from a key's callback to its answer, which comes after the acknowledgement's commit."""
    path = f"/callbacks/alibaba/voice/{CALLBACK_TOKEN}"

    async def one(conn: Connection, i: int) -> None:
        _expect(*_with(await conn.send("POST", path, key_pressed(refs[i], i)), 200))

    took, _ = await timed(port, connections, len(refs), one)
    async with Connection(port) as conn:
        for i in (0, len(refs) - 1):
            _, body = await conn.send("GET", f"/v1/attempts?responder=r{i}&limit=1", None)
            if json.loads(body)["items"][0]["status"] != "acknowledged":
                sys.exit("a key did not acknowledge: the bench measures nothing")
    return took


def conditions(folder: Path) -> str:
    """Return what both run on, the database's settings as a connection of the store has them."""
    names = ("journal_mode", "synchronous", "busy_timeout", "wal_autocheckpoint")
    with connect(f"sqlite:///{folder}/conditions.db").connect() as conn:
        pragmas = [f"{name}={conn.exec_driver_sql(f'PRAGMA {name}').scalar()}" for name in names]
    packages = [f"{name} {version(name)}" for name in ("uvicorn", "uvloop", "httptools")]
    return ", ".join([*packages, f"SQLite {sqlite3.sqlite_version}", *pragmas])


def memory_mb(pid: int) -> float:
    """Return a process's resident memory, in MB (2^20 bytes)."""
    status = Path(f"/proc/{pid}/status").read_text("utf-8")
    return int(re.findall(r"VmRSS:\s+(\d+)", status)[0]) / 1024


async def run(count: int, folder: Path) -> None:
    """Measure and print everything."""
    port, floor_port = free_port(), free_port()
    with Carrier() as carrier:
        (folder / "ringback.toml").write_text(
            SETTINGS.format(
                port=port,
                folder=folder,
                token=TOKEN,
                callback_token=CALLBACK_TOKEN,
                carrier=carrier.port,
            )
        )
        serve = [sys.executable, "-m", "ringback", "serve", "--config", f"{folder}/ringback.toml"]
        floor = [sys.executable, "-c", FLOOR, str(floor_port), str(folder)]
        with server(serve, port) as (service, ready_s), server(floor, floor_port):
            idle = memory_mb(service.pid)
            await team(port, 3 * count)
            body = incident("later", 0)
            await bare(floor_port, 8, 200, body)
            await accepts(port, 8, 200, 2 * count)
            print(f"{'':<44}            ours        floor  ratio  aim")
            for connections, part in ((1, 0), (16, 1)):
                ours = await accepts(port, connections, count, part * count)
                bottom = await bare(floor_port, connections, count, body)
                row(f"accept, {connections} connection(s), {count} of them", ours, bottom, "1.5x")
            ours = await calls(port, carrier, count // 2)
            row("accept to the carrier's endpoint", ours, bare_calls(carrier, count // 2), "")
            refs = [carrier.reached[number(i)][1] for i in range(count // 2)]
            ours = await callbacks(port, refs, 1)
            bottom = await bare(floor_port, 1, count // 2, key_pressed(refs[0], 0))
            row("callback to acknowledged, 1 connection", ours, bottom, "2x")
            print(f"{'memory of the idle service':<44}      {idle:8.1f} MB {'':25} < 120 MB")
            print(f"{'start to ready':<44}      {ready_s:8.2f} s")


def main() -> None:
    """Parse the command line and run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=400, help="requests per row")
    args = parser.parse_args()
    print(f"python {platform.python_version()}, {os.cpu_count()} cores, {platform.machine()}")
    with tempfile.TemporaryDirectory() as folder:
        print(f"ours and floor alike: {conditions(Path(folder))}; one uvicorn process each;")
        print("kept-alive connections, as many on both sides; numbers and limits never collide")
        asyncio.run(run(args.count, Path(folder)))


if __name__ == "__main__":
    main()
