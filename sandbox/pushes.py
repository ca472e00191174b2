"""Pushing callbacks as the carriers do: deadlines, repeats, re-pushes, and never when told so.

Alibaba: HTTP 200 with a numeric `code` within 700 ms, else again after 1, 5 and 10 minutes (HTTP
batch push). Tencent documents neither for voice: 3 s and 2 more tries a minute apart stand in.
"""

import asyncio
import json
import re
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, cast

import httpx2

from sandbox.calls import iso
from sandbox.clock import VirtualClock

DEADLINE_S = {"alibaba": 0.7, "tencent": 3.0}
AGAIN_AFTER_S = {"alibaba": (60.0, 300.0, 600.0), "tencent": (60.0, 60.0)}
_REORDER_HOLDS_S = 3.0
_OK = 200


@dataclass(slots=True)
class Push:
    """One callback on its way. `state`: waiting, taken, dropped (given up), or withheld."""

    carrier: str
    url: str
    body: bytes
    at: float
    state: str = "waiting"
    tries: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])

    def json(self) -> dict[str, Any]:
        """Return it without the token of its address."""
        return {
            "at": iso(self.at),
            "carrier": self.carrier,
            "url": re.sub(r"[^/]+$", "…", self.url),
            "body": json.loads(self.body),
            "state": self.state,
            "tries": self.tries,
        }


class Pusher:
    """Sends each carrier's callbacks one after the other."""

    def __init__(self, clock: VirtualClock, settings: Callable[[str], dict[str, Any]]) -> None:
        self._clock, self._settings = clock, settings
        self._client = httpx2.AsyncClient(trust_env=False)
        self._turns = {carrier: asyncio.Lock() for carrier in DEADLINE_S}
        self._tasks: set[asyncio.Task[None]] = set()
        self._held: dict[str, list[Push]] = {}
        self.log: list[Push] = []

    def push(self, carrier: str, message: object) -> None:
        """Send this to the carrier's callback address, as its settings say."""
        settings = self._settings(carrier)
        how = settings["pushes"]
        body = json.dumps([message] if carrier == "alibaba" else message, ensure_ascii=False)
        for _ in range(how["repeat"]):
            push = Push(carrier, settings["voice_url"], body.encode(), self._clock.now())
            self.log.append(push)
            if how["drop"] or not push.url:
                push.state = "withheld"
            elif how["delay_s"] > 0:
                self._clock.later(how["delay_s"], self._begin(push))
            elif how["reorder"]:
                self._out_of_order(push)
            else:
                self._begin(push)()

    def _out_of_order(self, push: Push) -> None:
        """Hold every second one back until the next has gone."""
        held = self._held.setdefault(push.carrier, [])
        if held:
            self._begin(push)()
            self._begin(held.pop())()
            return
        held.append(push)

        def give_up_holding() -> None:
            if push in held:
                held.remove(push)
                self._begin(push)()

        self._clock.later(_REORDER_HOLDS_S, give_up_holding)

    def _begin(self, push: Push) -> Callable[[], None]:
        return lambda: self._start(self._try(push))

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _try(self, push: Push) -> None:
        async with self._turns[push.carrier]:
            began, status, ok = time.monotonic(), None, False
            try:
                async with asyncio.timeout(DEADLINE_S[push.carrier]):
                    answer = await self._client.post(
                        push.url, content=push.body, headers={"Content-Type": "application/json"}
                    )
                status, ok = answer.status_code, _is_taken(push.carrier, answer)
            except (TimeoutError, httpx2.TransportError) as exc:
                status = type(exc).__name__
            took_ms = round((time.monotonic() - began) * 1000, 1)
            push.tries.append(
                {"at": iso(self._clock.now()), "status": status, "took_ms": took_ms, "ok": ok}
            )
        if ok:
            push.state = "taken"
            return
        again = AGAIN_AFTER_S[push.carrier]
        if len(push.tries) > len(again):
            push.state = "dropped"
            return
        self._clock.later(again[len(push.tries) - 1], self._begin(push))

    async def idle(self) -> None:
        """Return when nothing is being sent just now."""
        while self._tasks:
            await asyncio.wait(set(self._tasks))

    async def close(self) -> None:
        """End everything that is being sent."""
        for task in self._tasks:
            task.cancel()
        await self._client.aclose()


def _is_taken(carrier: str, answer: httpx2.Response) -> bool:
    try:
        body = answer.json()
    except ValueError:
        return False
    if answer.status_code != _OK or not isinstance(body, dict):
        return False
    said = cast("dict[str, object]", body)
    if carrier == "alibaba":
        return isinstance(said.get("code"), int | float)  # all that the document says is checked
    return said.get("result") == 0
