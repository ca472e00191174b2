"""How long `apply` takes for a large team: 200 responders, 20 schedules, 20 policies.

A real service on a file of its own; the floor beside it is the smallest request of the same
service, a team of nothing. Then the same again, which changes nothing, and a mistake's answer.
"""

import argparse
import contextlib
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Generator
from pathlib import Path
from typing import Any

import httpx2

from scripts.bench import CALLBACK_TOKEN, SETTINGS, TOKEN, free_port, server

Json = dict[str, Any]
PEOPLE, SCHEDULES, ROUNDS = 200, 20, 20


def team(people: int, schedules: int, *, at: str = "09:00") -> Json:
    """Return a team whose schedules hand over at this time, each with a policy."""
    ids = [f"r{i}" for i in range(people)]
    share = max(people // schedules, 1)
    return {
        "responders": {
            id_: {
                "name": f"Responder {i}",
                "phone": f"+861370000{i:04d}",
                "email": f"r{i}@example.com",
            }
            for i, id_ in enumerate(ids)
        },
        "schedules": {
            f"s{i}": {
                "name": f"Schedule {i}",
                "timezone": "Asia/Shanghai",
                "rotation": {
                    "every": "week",
                    "on": "monday",
                    "at": at,
                    "from": "2026-11-02",
                    "responders": ids[i * share : (i + 1) * share] or ids[:1],
                },
                "overrides": [
                    {
                        "from": f"2026-12-{day:02d}T09:00",
                        "until": f"2026-12-{day:02d}T18:00",
                        "responder": ids[i % people],
                    }
                    for day in range(1, 29)
                ],
            }
            for i in range(schedules)
        },
        "policies": {
            f"p{i}": {
                "name": f"Policy {i}",
                "steps": [{"targets": [f"schedule:s{i}"], "notify": ["voice"]}],
            }
            for i in range(schedules)
        },
    }


def timed(api: httpx2.Client, body: Json) -> tuple[float, Json]:
    """Apply once; return milliseconds and the answer."""
    began = time.perf_counter()
    answer = api.post("/v1/apply", json=body)
    took = (time.perf_counter() - began) * 1000
    answer.raise_for_status()
    return took, answer.json()


def changes(answer: Json) -> str:
    """Return what it did, counted."""
    actions = [change["action"] for change in answer["changes"]]
    return ", ".join(f"{actions.count(kind)} {kind}" for kind in dict.fromkeys(actions))


@contextlib.contextmanager
def serving() -> Generator[httpx2.Client]:
    """Yield a client of a service that runs until the block ends."""
    port = free_port()
    url, headers = f"http://127.0.0.1:{port}", {"Authorization": f"Bearer {TOKEN}"}
    with tempfile.TemporaryDirectory(prefix="ringback-bench-") as folder:
        config = Path(folder) / "ringback.toml"
        told = {"folder": folder, "token": TOKEN, "callback_token": CALLBACK_TOKEN}
        # Nothing is sent, so the carrier's port is never asked.
        config.write_text(SETTINGS.format(port=port, carrier=port, **told))
        serve = [sys.executable, "-m", "ringback", "serve", "--config", str(config)]
        client = httpx2.Client(base_url=url, headers=headers, trust_env=False, timeout=60)
        with server(serve, port), client as api:
            yield api


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=PEOPLE)
    parser.add_argument("--schedules", type=int, default=SCHEDULES)
    args = parser.parse_args()
    body = team(args.people, args.schedules)
    with serving() as api:
        floor = statistics.median(timed(api, {})[0] for _ in range(ROUNDS))
        first, made = timed(api, body)
        again = [timed(api, body) for _ in range(ROUNDS)]
        moved, changed = timed(api, team(args.people, args.schedules, at="10:00"))
        body["schedules"]["s0"]["rotation"]["responders"] = ["nobody"]
        mistake = api.post("/v1/apply", json=body).json()
    print(f"floor: apply of nothing        {floor:8.1f} ms")
    print(f"first apply                    {first:8.1f} ms  {changes(made)}")
    print(
        f"second apply, median of {ROUNDS}     {statistics.median(t for t, _ in again):8.1f} ms  "
        f"{changes(again[-1][1])}"
    )
    print(f"every schedule changed         {moved:8.1f} ms  {changes(changed)}")
    print("a mistake:", json.dumps(mistake["errors"]))


if __name__ == "__main__":
    main()
