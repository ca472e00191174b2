"""Which provider of a channel to trust now: one circuit each, moved by faults of the carrier alone.

Plain functions over plain values. A circuit is closed, open until a time, or half open: one real
attempt, the probe, is out to find out. Its reasons are in docs/adr/0006.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Literal

from paging.errors import DeliveryError, Kind, Row
from paging.events import (
    CallAnswered,
    CallEnded,
    CallFailed,
    CallNoted,
    CallRinging,
    DigitsPressed,
    Event,
    MessageDelivered,
    MessageFailed,
    ReplyReceived,
)
from paging.model import Alarm, Attempt
from paging.people import Channel
from paging.ports import Sent

FAULTS_OPEN = 3  # in a row: one or two are an accident, each further one costs somebody 45 s
LONGEST = timedelta(minutes=15)
PROBE_TAKES_AT_MOST = timedelta(minutes=5)  # longer than any submit and any silence of a call
RESTS_FOR = timedelta(seconds=60)  # carriers do not say how long: their shortest windows are this

# A provider may fail at taking a message, or take it and not carry it: one proves nothing of the
# other.
Stage = Literal["submit", "carriage"]
Phase = Literal["closed", "open", "half_open"]
Reason = Literal["circuit_open", "probe_out", "resting"]


@dataclass(frozen=True, slots=True)
class Circuit:
    """What is known of one provider on one channel.

    `refused`, `lost`: faults in a row at taking and at carrying messages, while closed. `since`:
    when it last opened or closed; what began before that is no news. Open while `open_until` is
    there, also once that is past: then the next attempt is its probe. `stage`, `kind`: which faults
    opened it. `open_for`: how long this time. `probe`: the attempt that is out to find out, begun
    at `probe_at`. `rests_until`: a limit of the account holds until then. `version`: of its row.
    """

    refused: int = 0
    lost: int = 0
    since: datetime | None = None
    open_until: datetime | None = None
    open_for: timedelta = timedelta()
    stage: Stage | None = None
    kind: Kind | None = None
    probe: str | None = None
    probe_at: datetime | None = None
    rests_until: datetime | None = None
    version: int = field(default=0, compare=False)

    def phase(self, now: datetime) -> Phase:
        """Name its state, for people."""
        if self.open_until is None:
            return "closed"
        return "open" if self.probe_ends_at is None or self.probe_ends_at <= now else "half_open"

    @property
    def probe_ends_at(self) -> datetime | None:
        """Until when its probe is waited for; a process may have been killed with it."""
        return None if self.probe_at is None else self.probe_at + PROBE_TAKES_AT_MOST


NEW = Circuit()


@dataclass(frozen=True, slots=True)
class Accepted:
    """The provider took the message."""

    attempt: str
    begun_at: datetime


@dataclass(frozen=True, slots=True)
class Carried:
    """It rang, was answered, or is on the phone."""

    attempt: str
    begun_at: datetime


@dataclass(frozen=True, slots=True)
class Fault:
    """The provider, and nobody else, is to blame."""

    attempt: str
    begun_at: datetime
    stage: Stage
    kind: Kind


@dataclass(frozen=True, slots=True)
class Rest:
    """A limit of the account: nothing will be taken until then, and nothing is broken."""

    attempt: str
    until: datetime


@dataclass(frozen=True, slots=True)
class Nothing:
    """The attempt is over and says nothing of its provider: a busy phone, a limit of a number."""

    attempt: str


Signal = Accepted | Carried | Fault | Rest | Nothing


def of_answer(attempt: Attempt, answer: Sent | DeliveryError | None, now: datetime) -> Signal:
    """Return what the end of a submit says; None: it was not wanted any more and never sent."""
    match answer:
        case Sent():
            return Accepted(attempt.id, attempt.created_at)
        case None:
            return Nothing(attempt.id)
        case DeliveryError(row=row, answered=answered):
            return _of_row(attempt, row, "submit", now, answered=answered)


def of_receipt(attempt: Attempt, event: Event, now: datetime) -> Signal | None:
    """Return what a receipt says, if anything."""
    match event:
        case CallRinging() | CallAnswered() | DigitsPressed() | CallEnded() | MessageDelivered():
            return Carried(attempt.id, attempt.created_at)
        case CallFailed(row=row) | MessageFailed(row=row):
            return _of_row(attempt, row, "carriage", now, answered=True)
        case CallNoted() | ReplyReceived():
            return None


def of_silence(attempt: Attempt) -> Signal:
    """Return what a silence says that was not our own fault.

    A text to a phone that is off is silent for hours, whoever carries it; a call never is.
    """
    if attempt.channel != "voice":
        return Nothing(attempt.id)
    return Fault(attempt.id, attempt.created_at, "carriage", "unknown")


def _of_row(attempt: Attempt, row: Row, stage: Stage, now: datetime, *, answered: bool) -> Signal:
    if row.kind == "rate_limited" and row.scope == "account":
        return Rest(attempt.id, now + RESTS_FOR)
    if _is_fault(attempt, row, answered=answered):
        return Fault(attempt.id, attempt.created_at, stage, row.kind)
    return Nothing(attempt.id)


def _is_fault(attempt: Attempt, row: Row, *, answered: bool) -> bool:
    match row.kind:
        case "provider_down" | "out_of_credit":
            return True
        case "transient":
            return row.placed == "maybe"
        case "misconfigured":
            # "never": this message's words. Other purposes have texts of their own to be wrong.
            return row.again == "later" and attempt.purpose == "page"
        case "unknown":
            return not answered  # a code that no table has may be about the phone
        case "recipient_rejected" | "rate_limited":
            return False


def after(  # noqa: PLR0911 - one answer a kind of signal
    circuit: Circuit, signal: Signal, now: datetime, open_s: float
) -> Circuit:
    """Return what a circuit becomes by a signal; itself where that changes nothing.

    `open_s`: how many seconds it is open the first time, doubled each time its probe fails.
    """
    match signal:
        case Nothing():
            return _without_probe(circuit, signal.attempt)
        case Rest(until=until):
            until = max(until, circuit.rests_until or until)
            return replace(_without_probe(circuit, signal.attempt), rests_until=until)
        case Accepted() | Carried() | Fault() if _is_stale(circuit, signal):
            return circuit
        case Fault():
            return _blame(circuit, signal, now, timedelta(seconds=open_s))
        case Accepted() if circuit.stage is None:
            return replace(circuit, refused=0)
        case Carried() if circuit.stage is None:
            return replace(circuit, lost=0)
        case Accepted() if circuit.stage == "carriage":
            return circuit
        case Accepted() | Carried():
            return Circuit(since=now, rests_until=circuit.rests_until, version=circuit.version)


def _is_stale(circuit: Circuit, signal: Accepted | Carried | Fault) -> bool:
    """Say whether it was begun before the circuit last changed, which was for all of that time."""
    if circuit.since is None or signal.attempt == circuit.probe:
        return False
    return signal.begun_at <= circuit.since


def _without_probe(circuit: Circuit, attempt: str) -> Circuit:
    """Let another attempt be the probe where this one was, and taught nothing."""
    return replace(circuit, probe=None, probe_at=None) if circuit.probe == attempt else circuit


def _blame(circuit: Circuit, fault: Fault, now: datetime, first: timedelta) -> Circuit:
    """Count a fault, and open the circuit where that was one too many or its probe's."""
    refused = circuit.refused + (fault.stage == "submit")
    lost = circuit.lost + (fault.stage == "carriage")
    at_once = fault.kind == "out_of_credit" or circuit.open_until is not None
    if not at_once and max(refused, lost) < FAULTS_OPEN:
        return replace(circuit, refused=refused, lost=lost)
    # Only a human can pay, so nobody is made to find out more often than must be.
    next_time = LONGEST if fault.kind == "out_of_credit" else circuit.open_for * 2 or first
    open_for = min(next_time, LONGEST)
    return Circuit(
        since=now,
        open_until=now + open_for,
        open_for=open_for,
        # What once failed to carry what it took is not trusted again for taking something.
        stage="carriage" if "carriage" in (circuit.stage, fault.stage) else "submit",
        kind=fault.kind,
        rests_until=circuit.rests_until,
        version=circuit.version,
    )


def probing(circuit: Circuit, attempt: str, now: datetime) -> Circuit:
    """Return the circuit with this attempt as its probe."""
    return replace(circuit, probe=attempt, probe_at=now)


@dataclass(frozen=True, slots=True)
class Skip:
    """Why a provider is passed over, and until when."""

    reason: Reason
    until: datetime


@dataclass(frozen=True, slots=True)
class Choice:
    """`names`: in the order to try them. `skipped`: those that came before the first of `names`.

    `probe`: the first of `names` is open, and whoever tries it must claim its probe.
    """

    names: Sequence[str]
    skipped: Mapping[str, Skip]
    probe: bool


def order(names: Sequence[str], circuits: Mapping[str, Circuit], now: datetime) -> Choice:
    """Choose among these providers, at least one, in their configured order.

    Those that cannot be trusted come last, next due first: trying beats giving up.
    """
    skips = {name: skip for name in names if (skip := _skip(circuits.get(name, NEW), now))}
    trusted = [name for name in names if name not in skips]
    chosen = (*trusted, *sorted(skips, key=lambda name: skips[name].until))
    first = circuits.get(chosen[0], NEW)
    return Choice(
        chosen,
        {name: skips[name] for name in names[: names.index(chosen[0])]},
        first.phase(now) == "open",
    )


def _skip(circuit: Circuit, now: datetime) -> Skip | None:
    """Return what keeps a provider from being tried longest; None where nothing does."""
    reasons: list[tuple[Reason, datetime | None]] = [
        ("resting", circuit.rests_until),
        ("circuit_open", circuit.open_until),
        ("probe_out", circuit.probe_ends_at),
    ]
    skips = [Skip(reason, until) for reason, until in reasons if until is not None and until > now]
    return max(skips, key=lambda skip: skip.until, default=None)


def alarm(
    channel: Channel, providers: Iterable[str], circuits: Mapping[str, Circuit]
) -> Alarm | None:
    """Return the operators' alarm when no provider of a channel is trusted any more."""
    names = list(providers)
    if not names or any(circuits.get(name, NEW).open_until is None for name in names):
        return None
    return Alarm(
        cause=f"circuits:{channel}",
        reason="circuits_open",
        params={"channel": channel, "providers": ", ".join(names)},
        severity="critical",
    )
