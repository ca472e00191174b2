"""Everything that one sandbox holds."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

from sandbox.calls import Call, Exchange, iso
from sandbox.clock import VirtualClock
from sandbox.faults import SMTP_KINDS, Faults
from sandbox.limits import Limits
from sandbox.mails import Mail, Mails
from sandbox.messages import message_for
from sandbox.phones import Phones
from sandbox.pushes import Pusher
from sandbox.settings import defaults, shown
from sandbox.text_messages import reply_for, report_for
from sandbox.texts import Text, Texts

_SHOWN = 200
_NONCES_KEPT = 100_000


class Box:
    """One sandbox; belongs to one event loop."""

    def __init__(self) -> None:
        self.clock = VirtualClock()
        self.settings = defaults()
        self.faults = {"alibaba": Faults(), "tencent": Faults(), "smtp": Faults(SMTP_KINDS)}
        self.phones, self.limits = Phones(), Limits()
        self.exchange = Exchange(self.clock, self.phones, self._heard, self._changed)
        self.texts = Texts(self.clock, self.phones, self._heard_of_text, self._text_changed)
        self.mails = Mails()
        self.requests: list[dict[str, Any]] = []
        self.pusher = Pusher(self.clock, lambda carrier: self.settings[carrier])
        self.nonces: dict[str, None] = {}
        self._listeners: set[asyncio.Queue[tuple[str, Any]]] = set()

    def forget(self) -> None:
        """Forget all that happened, phones, faults and limits; keep settings and nonces."""
        self.exchange.forget()
        self.texts.forget()
        self.mails.all.clear()
        self.pusher.forget()
        self.phones.known.clear()
        self.requests.clear()
        self.limits = Limits()
        for faults in self.faults.values():
            faults.put([])
        self.tell("state", self.state())

    async def pass_time(self, seconds: float) -> None:
        """Let this much time pass: what falls due is done and its pushes are answered, in turn."""
        await self.pusher.idle()  # what was on its way before
        end = self.clock.now() + seconds
        while (due := self.clock.next_at()) is not None and due <= end:
            self.clock.run_until(due)
            await self.pusher.idle()
        self.clock.run_until(end)
        await self.pusher.idle()

    def _heard(self, call: Call, stage: str) -> None:
        for message in message_for(call, stage, self.clock.now(), self.settings[call.carrier]):
            self.pusher.push(call.carrier, "voice", message)

    def _changed(self, call: Call) -> None:
        self.tell("call", call.json(self.clock.now()))

    def _heard_of_text(self, text: Text, product: str) -> None:
        if product == "sms_reply":
            self.pusher.push(text.carrier, product, reply_for(text))
            return
        report = report_for(text, self.settings[text.carrier])
        # Alibaba's are put together by the pusher, as its settings say.
        self.pusher.push(text.carrier, product, report if text.carrier == "alibaba" else [report])

    def _text_changed(self, text: Text) -> None:
        self.tell("text", text.json())

    def receive(self, mail: Mail) -> None:
        """Put a mail into its mailbox."""
        self.mails.all[mail.id] = mail
        self.tell("mail", mail.json())

    def note_request(
        self, carrier: str, action: str, params: dict[str, Any], verdict: str, call_id: str | None
    ) -> None:
        """Remember what was asked, and the answer; `call_id` may be a text's or a mail's."""
        self.requests.append(
            {
                "at": iso(self.clock.now()),
                "carrier": carrier,
                "action": action,
                "params": params,
                "verdict": verdict,
                "call_id": call_id,
            }
        )
        self.tell("request", self.requests[-1])

    def is_new_nonce(self, nonce: str) -> bool:
        """Say whether this nonce was never used, and remember it."""
        if nonce in self.nonces:
            return False
        self.nonces[nonce] = None
        if len(self.nonces) > _NONCES_KEPT:
            del self.nonces[next(iter(self.nonces))]
        return True

    async def settle(self, call: Call) -> None:
        """Return when a phone that behaves by itself has done so at once, and all is pushed."""
        now = self.clock.now()  # each may bring the next: ringing, answer, keys
        while any(timer.do is not None and timer.at <= now for timer in call.timers):
            self.clock.run_until(now)
            now = self.clock.now()
        await self.pusher.idle()

    def state(self) -> dict[str, Any]:
        """Return what the page shows."""
        now = self.clock.now()
        calls = list(self.exchange.calls.values())
        return {
            "clock": {"now": iso(now), "speed": self.clock.speed},
            "settings": shown(self.settings),
            "phones": [
                phone.json(sum(call.number == phone.number for call in calls))
                for phone in self.phones.known.values()
            ],
            "calls": [call.json(now) for call in reversed(calls[-_SHOWN:])],
            "texts": [text.json() for text in reversed(self.texts.all[-_SHOWN:])],
            "mails": [mail.json() for mail in self.mails.to(None)[:_SHOWN]],
        }

    def tell(self, kind: str, data: object) -> None:
        """Tell every open page."""
        for queue in self._listeners:
            queue.put_nowait((kind, data))

    async def events(self) -> AsyncIterator[str]:
        """Yield server-sent events for as long as a page listens."""
        queue: asyncio.Queue[tuple[str, Any]] = asyncio.Queue()
        self._listeners.add(queue)
        try:
            yield _event("state", self.state())
            while True:
                kind, data = await queue.get()
                yield _event(kind, data)
        finally:
            self._listeners.discard(queue)


def _event(kind: str, data: object) -> str:
    return f"event: {kind}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n"
