"""Calls as a phone and its owner make them, on the sandbox's clock.

Every change is told to `changed`; what the carrier would push is told to `heard` by its stage.
"""

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sandbox.clock import Timer, VirtualClock
from sandbox.phones import BadInputError, Phone, Phones

DIAL_S = 2.0  # until the phone rings, or the network says why it does not
RING_S = 60.0
KEY_AFTER_S = 2.0  # between the keys of a phone that answers by itself
_CHARACTERS_A_SECOND = 4.0
_REPORTS_KEYS = ("IvrCall", "SendTtsVoice")
_NOT_RUNG = ("busy", "off", "bad_number", "out_of_coverage", "suspended", "over_concurrency")


def spoken_s(text: str) -> float:
    """Return how long this takes to say, at four characters a second."""
    return max(1.0, len(text) / _CHARACTERS_A_SECOND)


@dataclass(slots=True)
class Call:
    """One call. Times are seconds of sandbox time since 1970."""

    id: str
    carrier: str
    action: str
    number: str
    caller: str
    text: str
    plays: int
    ref: str
    replies: dict[str, str] = field(default_factory=dict[str, str])
    key_wait_s: float = 0.0
    status: str = "queued"
    keys: str = ""
    outcome: str | None = None
    created_at: float = 0.0
    ringing_at: float | None = None
    answered_at: float | None = None
    ended_at: float | None = None
    log: list[tuple[float, str]] = field(default_factory=list[tuple[float, str]])
    timers: list[Timer] = field(default_factory=list[Timer])
    reading: Timer | None = None

    @property
    def takes_keys(self) -> bool:
        """Say whether the carrier reports the keys of such a call."""
        return self.action in _REPORTS_KEYS

    def json(self, now: float) -> dict[str, Any]:
        """Return it as the page shows it."""
        left = None
        if self.status == "ringing" and self.ringing_at is not None:
            left = max(0.0, round(self.ringing_at + RING_S - now, 1))
        return {
            "id": self.id,
            "carrier": self.carrier,
            "number": self.number,
            "from": self.caller,
            "status": self.status,
            "text": self.text,
            "plays": self.plays,
            "reply_texts": self.replies,
            "keys": self.keys,
            "ref": self.ref,
            "outcome": self.outcome,
            "ring_s_left": left,
            "created_at": iso(self.created_at),
            "ringing_at": iso(self.ringing_at),
            "answered_at": iso(self.answered_at),
            "ended_at": iso(self.ended_at),
            "log": [{"at": iso(at), "text": text} for at, text in self.log],
        }


def iso(at: float | None) -> str | None:
    """Return RFC 3339, UTC."""
    return None if at is None else datetime.fromtimestamp(at, UTC).isoformat()


@dataclass(slots=True)
class Exchange:
    """Places calls and lets their phones behave."""

    clock: VirtualClock
    phones: Phones
    heard: Callable[[Call, str], None]
    changed: Callable[[Call], None]
    calls: dict[str, Call] = field(default_factory=dict[str, Call])
    _numbers: "itertools.count[int]" = field(default_factory=itertools.count)

    def place(self, call: Call, *, at_once: bool) -> None:
        """Begin a call; `at_once`: dialling takes no time, nor does a phone that answers itself."""
        phone = self.phones.get(call.number)
        in_a_call = any(
            other.number == call.number and other.status != "ended" for other in self.calls.values()
        )
        call.created_at = self.clock.now()
        self.calls[call.id] = call
        self._note(call, "dialling")
        self.heard(call, "dialling")
        dial_s = 0.0 if at_once else DIAL_S
        if in_a_call:
            self._later(call, dial_s, lambda: self.end(call, "busy"))
        elif phone.behaviour in _NOT_RUNG:
            self._later(call, dial_s, lambda: self.end(call, phone.behaviour))
        else:
            self._later(call, dial_s, lambda: self._ring(call, phone, at_once=at_once))

    def _ring(self, call: Call, phone: Phone, *, at_once: bool) -> None:
        call.status, call.ringing_at = "ringing", self.clock.now()
        self._note(call, "ringing")
        self.heard(call, "ringing")
        self._later(call, RING_S, lambda: self.end(call, "no_answer"))
        if phone.behaviour in ("answer", "voicemail"):
            after = 0.0 if at_once else phone.after_s
            self._later(call, after, lambda: self._answers_itself(call, phone, at_once=at_once))
        elif phone.behaviour == "reject":
            self._later(call, phone.after_s, lambda: self.reject(call))

    def _answers_itself(self, call: Call, phone: Phone, *, at_once: bool) -> None:
        self.answer(call)
        if phone.behaviour == "voicemail":
            return
        for i, key in enumerate(phone.keys, 1):
            after = 0.0 if at_once else KEY_AFTER_S * i
            self._later(call, after, self._key(call, key))
        if phone.hangup_after_s is not None:
            self._later(call, phone.hangup_after_s, lambda: self.hang_up(call))

    def _key(self, call: Call, key: str) -> Callable[[], None]:
        return lambda: self.press(call, key) if call.status == "answered" else None

    def answer(self, call: Call) -> None:
        """Pick up: the text is read out, then a key is waited for."""
        _must_be(call, "ringing")
        self._forget_timers(call)
        call.status, call.answered_at = "answered", self.clock.now()
        self._note(call, "answered")
        self.heard(call, "answered")
        self._read_out(call)

    def _read_out(self, call: Call) -> None:
        listening = call.plays * spoken_s(call.text) + call.key_wait_s
        call.reading = self._later(call, listening, lambda: self._heard_out(call))

    def _heard_out(self, call: Call) -> None:
        waited = call.key_wait_s > 0 and not any(key in call.replies for key in call.keys)
        self.end(call, "key_timeout" if waited else "completed")

    def press(self, call: Call, digit: str) -> None:
        """Press a key: a menu's reply is played and ends the call, any other is only heard."""
        _must_be(call, "answered")
        call.keys += digit
        self._note(call, f"pressed {digit}")
        if call.takes_keys:
            self.heard(call, "key")
        if digit in call.replies and call.reading is not None:
            call.reading.cancel()
            self._note(call, f"hears: {call.replies[digit]}")
            call.reading = self._later(
                call, spoken_s(call.replies[digit]), lambda: self.end(call, "completed")
            )

    def hang_up(self, call: Call) -> None:
        """End the call by the callee's hand."""
        _must_be(call, "answered")
        self.end(call, "hung_up")

    def reject(self, call: Call) -> None:
        """Decline it while it rings."""
        _must_be(call, "ringing")
        self.end(call, "rejected")

    def end(self, call: Call, outcome: str) -> None:
        """End it."""
        if call.status == "ended":
            return
        self._forget_timers(call)
        call.status, call.outcome, call.ended_at = "ended", outcome, self.clock.now()
        self._note(call, f"ended: {outcome}")
        self.heard(call, "ended")

    def next_id(self, carrier: str) -> str:
        """Return an id as this carrier makes them (carriers answer `digits^digits`, or a UUID)."""
        turn = next(self._numbers)
        stamp = int(self.clock.now() * 1000)
        if carrier == "alibaba":
            return f"{stamp}^{102_000_000_000 + turn}"
        return f"{stamp:08x}-0000-4000-8000-{turn:012x}"[-36:]

    def forget(self) -> None:
        """Let nothing more happen in any call."""
        for call in self.calls.values():
            self._forget_timers(call)
        self.calls.clear()

    def _later(self, call: Call, seconds: float, do: Callable[[], None]) -> Timer:
        call.timers.append(self.clock.later(seconds, do))
        return call.timers[-1]

    def _forget_timers(self, call: Call) -> None:
        for timer in call.timers:
            timer.cancel()
        call.timers.clear()

    def _note(self, call: Call, text: str) -> None:
        call.log.append((self.clock.now(), text))
        self.changed(call)


def _must_be(call: Call, status: str) -> None:
    if call.status != status:
        raise BadInputError(f"call: it is {call.status}; expected one that is {status}")
