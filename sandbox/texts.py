"""Texts on their way to a phone, and what its owner answers, on the sandbox's clock.

Every change is told to `changed`; what the carrier would push is told to `heard` by its product.
"""

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from sandbox.calls import iso
from sandbox.clock import Timer, VirtualClock
from sandbox.phones import Phones

DELIVER_S = 2.0  # until the network says whether it arrived
_ONE_PART = 70
_OF_MANY_PARTS = 67  # a text of several parts spends the rest on putting them together


@dataclass(slots=True)
class Text:
    """One text. `at`: seconds of sandbox time since 1970; `ref` is the sender's own word for it.

    `receipt`: BizId or SerialNo, which several texts of one request share at Alibaba; empty for an
    answer (`direction` "in").
    """

    id: str
    carrier: str
    number: str
    sign: str
    text: str
    template: str = ""
    ref: str = ""
    receipt: str = ""
    at: float = 0.0
    status: str = "sent"
    error: str = ""
    direction: str = "out"
    received_at: float | None = None

    @property
    def parts(self) -> int:
        """Return how many messages the carrier counts, with the sign name in front."""
        length = len(f"【{self.sign}】{self.text}")
        return 1 if length <= _ONE_PART else -(-length // _OF_MANY_PARTS)

    def json(self) -> dict[str, Any]:
        """Return it as the page shows it."""
        return {
            "id": self.id,
            "carrier": self.carrier,
            "number": self.number,
            "sign": self.sign,
            "text": self.text,
            "template": self.template,
            "ref": self.ref,
            "at": iso(self.at),
            "status": self.status,
            "error": self.error,
            "direction": self.direction,
        }


@dataclass(slots=True)
class Texts:
    """Delivers texts and takes answers."""

    clock: VirtualClock
    phones: Phones
    heard: Callable[[Text, str], None]
    changed: Callable[[Text], None]
    all: list[Text] = field(default_factory=list[Text])
    _timers: list[Timer] = field(default_factory=list[Timer])
    _numbers: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))

    def next_receipt(self, carrier: str) -> str:
        """Return a BizId (`digits^0`) or a SerialNo, as this carrier makes them."""
        turn, stamp = next(self._numbers), int(self.clock.now() * 1000)
        return f"{stamp}{turn:06d}^0" if carrier == "alibaba" else f"8:{stamp:013d}{turn:06d}"

    def send(self, texts: list[Text], *, at_once: bool) -> None:
        """Send them; `at_once`: the network says at once what became of them."""
        self._timers = [timer for timer in self._timers if timer.do is not None]
        for text in texts:
            text.at = self.clock.now()
            self.all.append(text)
            self.changed(text)
        for text in texts:
            if at_once:
                self._arrive(text)
            else:
                self._timers.append(self.clock.later(DELIVER_S, self._arrival(text)))

    def _arrival(self, text: Text) -> Callable[[], None]:
        return lambda: self._arrive(text)

    def _arrive(self, text: Text) -> None:
        phone = self.phones.get(text.number)
        if phone.sms == "silent":
            return
        text.received_at = self.clock.now()
        if phone.sms == "fail":
            text.status, text.error = "failed", phone.sms_error
        else:
            text.status = "delivered"
        self.changed(text)
        self.heard(text, "sms_report")

    def last_to(self, number: str, carrier: str | None) -> Text | None:
        """Return the last text that was sent to this number, by this carrier or any."""
        for text in reversed(self.all):
            is_theirs = text.number == number and carrier in (None, text.carrier)
            if is_theirs and text.direction == "out":
                return text
        return None

    def answer(self, carrier: str, number: str, sign: str, said: str, at: float) -> Text:
        """Let the owner of the number have sent this to the carrier at this time."""
        text = Text(
            id=f"reply-{next(self._numbers)}",
            carrier=carrier,
            number=number,
            sign=sign,
            text=said,
            at=at,
            status="delivered",
            direction="in",
        )
        self.all.append(text)
        self.changed(text)
        self.heard(text, "sms_reply")
        return text

    def forget(self) -> None:
        """Forget them all, and let none arrive."""
        for timer in self._timers:
            timer.cancel()
        self._timers.clear()
        self.all.clear()
