"""Pushing callbacks as the carriers do: deadlines, repeats, re-pushes, and never when told so.

Alibaba: HTTP 200 with a numeric `code` within 700 ms, else again after 1, 5 and 10 minutes (HTTP
batch push). Tencent: 2 more tries for SMS (短信下发状态通知), without saying when, and nothing for
voice: 3 s, and 2 more tries a minute apart, stand in for both.

Each product of a carrier has an address of its own: `voice_url`, `sms_report_url`, `sms_reply_url`.
"""

import asyncio
import functools
import json
import re
import time
from collections import defaultdict
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

    way: tuple[str, str]  # carrier and product: voice, sms_report, sms_reply
    url: str
    message: object
    body: bytes
    at: float
    state: str = "waiting"
    tries: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])

    def json(self) -> dict[str, Any]:
        """Return it without the token of its address."""
        return {
            "at": iso(self.at),
            "carrier": self.way[0],
            "product": self.way[1],
            "url": re.sub(r"[^/]+$", "…", self.url),
            "body": self.message,
            "state": self.state,
            "tries": self.tries,
        }


class Pusher:
    """Sends the callbacks of each product one after the other."""

    def __init__(self, clock: VirtualClock, settings: Callable[[str], dict[str, Any]]) -> None:
        self._clock, self._settings = clock, settings
        self._client = httpx2.AsyncClient(trust_env=False)
        self._turns: defaultdict[tuple[str, str], asyncio.Lock] = defaultdict(asyncio.Lock)
        self._tasks: set[asyncio.Task[None]] = set()
        self._timers: list[Timer] = []
        # Alibaba's records that wait for others, by product.
        self._batches: defaultdict[str, list[object]] = defaultdict(list)
        self._held: dict[tuple[str, str], Push] = {}
        self.log: list[Push] = []

    def push(self, carrier: str, product: str, message: object) -> None:
        """Send this to the product's callback address, as the carrier's settings say."""
        if carrier != "alibaba":
            self._send((carrier, product), message)
            return
        batch = self._batches[product]
        batch.append(message)
        batch_s = self._settings(carrier)["pushes"]["batch_s"]
        if batch_s == 0 or len(batch) == _MOST_RECORDS:
            self._send_batch(product)
        elif len(batch) == 1:
            self._later(batch_s, lambda: self._send_batch(product))

    def _send_batch(self, product: str) -> None:
        if batch := self._batches.pop(product, None):
            self._send(("alibaba", product), batch)

    def _send(self, way: tuple[str, str], message: object) -> None:
        carrier, product = way
        settings = self._settings(carrier)
        how = settings["pushes"]
        in_gbk = product == "sms_reply" and settings.get("sms_reply_gbk", False)
        written = json.dumps(message, ensure_ascii=False).encode(
            "gbk" if in_gbk else "utf-8", "replace"
        )
        for _ in range(how["repeat"]):
            push = Push(way, settings[f"{product}_url"], message, written, self._clock.now())
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
        held = self._held.pop(push.way, None)
        if held is not None:
            self._begin(push)
            self._begin(held)
            return
        self._held[push.way] = push
        self._later(_REORDER_HOLDS_S, lambda: self._let_go(push))

    def _let_go(self, push: Push) -> None:
        if self._held.get(push.way) is push:
            del self._held[push.way]
            self._begin(push)

    def _later(self, seconds: float, do: Callable[[], None]) -> None:
        self._timers = [timer for timer in self._timers if timer.do is not None]
        self._timers.append(self._clock.later(seconds, do))

    def _begin(self, push: Push) -> None:
        task = asyncio.get_running_loop().create_task(self._try(push))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _try(self, push: Push) -> None:
        carrier = push.way[0]
        async with self._turns[push.way]:
            began, status, ok = time.monotonic(), None, False
            try:
                async with asyncio.timeout(DEADLINE_S[carrier]):
                    answer = await self._client.post(
                        push.url, content=push.body, headers={"Content-Type": "application/json"}
                    )
                status, ok = answer.status_code, _is_taken(carrier, answer)
            except (TimeoutError, httpx2.RequestError, httpx2.InvalidURL) as exc:
                status = type(exc).__name__
            took_ms = round((time.monotonic() - began) * 1000, 1)
            push.tries.append(
                {"at": iso(self._clock.now()), "status": status, "took_ms": took_ms, "ok": ok}
            )
        if ok:
            push.state = "taken"
            return
        again = AGAIN_AFTER_S[carrier]
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
        self._batches.clear()
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
