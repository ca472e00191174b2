"""Pushing callbacks as the carriers do: deadlines, repeats, re-pushes, and never when told so.

Alibaba: HTTP 200 with a numeric `code` within 700 ms, else again after 1, 5 and 10 minutes (HTTP
batch push). Tencent documents neither for voice: 3 s and 2 more tries a minute apart stand in.
"""

import asyncio
import functools
import json
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, cast

import httpx2

from sandbox.calls import iso
from sandbox.clock import Timer, VirtualClock

DEADLINE_S = {"alibaba": 0.7, "tencent": 3.0}
AGAIN_AFTER_S = {"alibaba": (60.0, 300.0, 600.0), "tencent": (60.0, 60.0)}
_REORDER_HOLDS_S = 3.0
_MOST_RECORDS = 100
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
        self._timers: list[Timer] = []
        self._batch: list[object] = []  # Alibaba's records that wait for others
        self._held: dict[str, Push | None] = {}
        self.log: list[Push] = []

    def push(self, carrier: str, message: object) -> None:
        """Send this to the carrier's callback address, as its settings say."""
        if carrier != "alibaba":
            self._send(carrier, message)
            return
        self._batch.append(message)
        batch_s = self._settings(carrier)["pushes"]["batch_s"]
        if batch_s == 0 or len(self._batch) == _MOST_RECORDS:
            self._send_batch()
        elif len(self._batch) == 1:
            self._later(batch_s, self._send_batch)

    def _send_batch(self) -> None:
        if self._batch:
            self._send("alibaba", self._batch)
            self._batch = []

    def _send(self, carrier: str, body: object) -> None:
        settings = self._settings(carrier)
        how = settings["pushes"]
        written = json.dumps(body, ensure_ascii=False).encode()
        for _ in range(how["repeat"]):
            push = Push(carrier, settings["voice_url"], written, self._clock.now())
            self.log.append(push)
            if how["drop"] or not push.url:
                push.state = "withheld"
                continue
            send = self._out_of_order if how["reorder"] else self._begin
            if how["delay_s"] > 0:
                self._later(how["delay_s"], functools.partial(send, push))
            else:
                send(push)

    def _out_of_order(self, push: Push) -> None:
        """Hold every second one back until the next has gone."""
        held = self._held.get(push.carrier)
        if held is not None:
            self._held[push.carrier] = None
            self._begin(push)
            self._begin(held)
            return
        self._held[push.carrier] = push
        self._later(_REORDER_HOLDS_S, lambda: self._let_go(push))

    def _let_go(self, push: Push) -> None:
        if self._held.get(push.carrier) is push:
            self._held[push.carrier] = None
            self._begin(push)

    def _later(self, seconds: float, do: Callable[[], None]) -> None:
        self._timers = [timer for timer in self._timers if timer.do is not None]
        self._timers.append(self._clock.later(seconds, do))

    def _begin(self, push: Push) -> None:
        task = asyncio.get_running_loop().create_task(self._try(push))
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
            except (TimeoutError, httpx2.RequestError, httpx2.InvalidURL) as exc:
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
        self._later(again[len(push.tries) - 1], lambda: self._begin(push))

    async def idle(self) -> None:
        """Return when nothing is being sent just now."""
        while self._tasks:
            await asyncio.wait(set(self._tasks))

    def forget(self) -> None:
        """Send nothing more of what was to be sent, and forget what was."""
        for timer in self._timers:
            timer.cancel()
        for task in self._tasks:
            task.cancel()
        self._timers.clear()
        self._batch.clear()
        self._held.clear()
        self.log.clear()

    async def close(self) -> None:
        """End everything that is being sent."""
        self.forget()
        await self.idle()
        await self._client.aclose()


def _is_taken(carrier: str, answer: httpx2.Response) -> bool:
    try:
        body = answer.json()
    except ValueError:
        return False
    if answer.status_code != _OK or not isinstance(body, dict):
        return False
    said = cast("dict[str, object]", body)
    told = said.get("code" if carrier == "alibaba" else "result")
    is_number = isinstance(told, int | float) and not isinstance(told, bool)
    # Alibaba's document says that nothing but this is checked.
    return is_number and (carrier == "alibaba" or told == 0)
