"""What becomes of one attempt: receipts in any order, each applied once, none moving it backwards.

Plain functions: they change the attempt they are given and return what its pages must hear.
"""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from paging.errors import DeliveryError, Row
from paging.events import (
    CallAnswered,
    CallEnded,
    CallEvent,
    CallFailed,
    CallNoted,
    CallRinging,
    DigitsPressed,
    Event,
    MessageDelivered,
    MessageFailed,
    ReplyReceived,
)
from paging.model import Attempt, Entry, Failure, Over, Rules
from paging.ports import Sent

KEY_COUNTS_FOR = timedelta(hours=24)  # later, nobody means that call any more
SUBMIT_TAKES_AT_MOST = timedelta(seconds=60)  # well above every deadline of an adapter
_SILENT = Failure("unknown", "no_receipt", "")
_ENDED_TEXT = {"completed": "no_key", "no_key": "no_key", "hung_up": "hung_up"}


@dataclass(slots=True)
class Effects:
    """What an attempt's pages must hear: timeline entries, digits pressed, and its end."""

    entries: list[Entry] = field(default_factory=list[Entry])
    digits: str = ""
    over: Over | None = None


def submitted(attempt: Attempt, sent: Sent, now: datetime, rules: Rules) -> Effects:
    """Note that the provider took it; where no receipts come, that is all there is to know."""
    attempt.provider_id = sent.provider_id
    attempt.submitted_at = now
    if attempt.status == "sending":
        attempt.status = "submitted"
    words = {"unverified": True} if attempt.unverified else {}
    entries = [_entry("attempt.submitted", attempt, "submitted", text=sent.text, **words)]
    match sent.silence_s:
        case None:
            attempt.silence_s = rules.text_silence_s
        case 0:
            attempt.ended_at, attempt.deadline_at = now, None
            return Effects(entries, over=Over(attempt, sent=True))
        case seconds:
            attempt.silence_s = max(seconds, rules.silence_floor_s)
    _alive(attempt, now)
    return Effects(entries)


def refused(attempt: Attempt, error: DeliveryError, now: datetime, rules: Rules) -> Effects:
    """Note that the provider did not take it, or that nobody knows whether it did."""
    failure = Failure(error.row.kind, error.row.outcome, error.code, error.text)
    if error.row.placed == "maybe":
        attempt.doubtful = True
        attempt.failure = failure
        wait = rules.carrier_error_wait_s if error.answered else _lost_wait_s(attempt, rules)
        if attempt.status == "sending":  # no receipt has overtaken the answer
            attempt.deadline_at = now + timedelta(seconds=wait)
        return Effects(
            [_entry("attempt.submitted", attempt, "doubtful", wait_s=wait, **_words(failure))]
        )
    return _fail(attempt, failure, error.row, now)


def unwanted(attempt: Attempt, now: datetime) -> Effects:
    """Note that it was never sent: the incident was taken in the meantime."""
    attempt.status, attempt.ended_at, attempt.deadline_at = "cancelled", now, None
    return Effects([_entry("attempt.cancelled", attempt, "no_longer_wanted")])


def orphaned(attempt: Attempt, now: datetime, rules: Rules) -> Effects:
    """Its process ended between storing it and storing the provider's answer."""
    attempt.doubtful = True
    wait = _lost_wait_s(attempt, rules)
    attempt.deadline_at = now + timedelta(seconds=wait)
    return Effects([_entry("attempt.submitted", attempt, "restarted", wait_s=wait)])


def _lost_wait_s(attempt: Attempt, rules: Rules) -> float:
    """Return how long to wait for a receipt: two texts are a smaller nuisance than two calls."""
    return rules.lost_answer_wait_s if attempt.channel == "voice" else rules.lost_text_wait_s


def silent(attempt: Attempt, now: datetime) -> Effects:
    """Its deadline has passed without a sign of life."""
    if attempt.status in ("answered", "acknowledged"):
        return _unheard(attempt, "no_key", now)
    attempt.status, attempt.deadline_at = "unconfirmed", None
    attempt.failure = attempt.failure or _SILENT
    return Effects(
        [_entry("attempt.unconfirmed", attempt, "doubtful" if attempt.doubtful else "silence")],
        over=Over(attempt, silent=True),
    )


def hear(attempt: Attempt, event: Event, now: datetime) -> Effects:
    """Apply one receipt."""
    if event.receipt.provider_id and attempt.provider_id is None:
        attempt.provider_id = event.receipt.provider_id
    match event:
        case MessageDelivered():
            return _delivered(attempt, now)
        case MessageFailed(code=code, row=row, text=text):
            if attempt.status in ("delivered", "failed", "acknowledged", "cancelled"):
                return Effects()
            return _fail(attempt, Failure(row.kind, row.outcome, code, text), row, now)
        case ReplyReceived():
            return Effects()  # no provider says which text it answers: `replies` finds out
        case _:
            return _hear_call(attempt, event, now)


def _hear_call(  # noqa: PLR0911 - one answer a kind of receipt
    attempt: Attempt, event: CallEvent, now: datetime
) -> Effects:
    match event:
        case CallRinging():
            if attempt.status not in ("sending", "submitted"):
                return Effects()
            attempt.status, attempt.ringing_at = "ringing", now
            _alive(attempt, now)
            return Effects([_entry("attempt.ringing", attempt, "ringing")])
        case CallAnswered():
            return Effects(_answered(attempt, now))
        case DigitsPressed(digits=digits, final=final):
            entries = _answered(attempt, now)
            pressed = _new_digits(attempt, digits, final=final)
            return Effects(entries, digits=pressed)
        case CallEnded(outcome=outcome):
            entries = _answered(attempt, now)
            effects = _unheard(attempt, _ENDED_TEXT[outcome], now)
            return Effects(entries + effects.entries, over=effects.over)
        case CallFailed(code=code, row=row, text=text):
            if attempt.status in ("answered", "acknowledged", "failed", "cancelled"):
                return Effects()
            was_open = attempt.is_open
            effects = _fail(attempt, Failure(row.kind, row.outcome, code, text), row, now)
            return effects if was_open else Effects(effects.entries)
        case CallNoted():
            _alive(attempt, now)
            return Effects()


def _delivered(attempt: Attempt, now: datetime) -> Effects:
    """Note that the text is on the phone, also when it was given up before."""
    if attempt.status in ("delivered", "acknowledged", "cancelled"):
        attempt.deadline_at = None
        return Effects()
    late = attempt.status in ("failed", "unconfirmed")
    attempt.status, attempt.failure = "delivered", None
    attempt.ended_at, attempt.deadline_at = now, None
    entries = [_entry("attempt.delivered", attempt, "delivered")]
    return Effects(entries) if late else Effects(entries, over=Over(attempt, sent=True))


def pressed(attempt: Attempt, digit: str, *, action: str | None, acted: bool) -> Entry:
    """Return the timeline's line for one digit; `acted` false: it came too late to count."""
    reason = "not_in_menu" if action is None else action if acted else "too_late"
    return _entry("attempt.key_pressed", attempt, reason, digit=digit)


def _alive(attempt: Attempt, now: datetime) -> None:
    if attempt.is_open:
        attempt.deadline_at = now + timedelta(seconds=attempt.silence_s)


def _answered(attempt: Attempt, now: datetime) -> list[Entry]:
    if attempt.status in ("answered", "acknowledged", "cancelled"):
        _alive(attempt, now)
        return []
    if attempt.ended_at is None and attempt.deadline_at is None:
        attempt.deadline_at = now  # unconfirmed, and yet alive
    attempt.status, attempt.answered_at = "answered", now
    attempt.failure = None
    _alive(attempt, now)
    return [_entry("attempt.answered", attempt, "answered")]


def _new_digits(attempt: Attempt, digits: str, *, final: bool) -> str:
    """Return the digits not acted on yet, in order, and remember them.

    A final report repeats what was reported live; a live report may come after the final one.
    """
    if not final:
        attempt.keys_live += digits
    seen, reported = Counter(attempt.keys), Counter(digits if final else attempt.keys_live)
    news = ""
    for digit in digits:
        if reported[digit] > seen[digit]:
            seen[digit] += 1
            news += digit
    attempt.keys += news
    return news


def _unheard(attempt: Attempt, outcome: str, now: datetime) -> Effects:
    """Note that the call is over; without a key that counted it was a missed one."""
    if attempt.ended_at is not None:
        return Effects()
    attempt.ended_at, attempt.deadline_at = now, None
    if attempt.reached:
        return Effects()
    outcome = "wrong_key" if attempt.keys else outcome
    attempt.failure = Failure("recipient_rejected", outcome, "")
    return Effects([_entry("attempt.failed", attempt, outcome)], over=Over(attempt))


def _fail(attempt: Attempt, failure: Failure, row: Row, now: datetime) -> Effects:
    attempt.status, attempt.failure = "failed", failure
    attempt.ended_at, attempt.deadline_at = now, None
    return Effects(
        [_entry("attempt.failed", attempt, failure.outcome, **_words(failure))],
        over=Over(attempt, row),
    )


def _words(failure: Failure) -> dict[str, str]:
    return {"kind": failure.kind, "code": failure.code, "text": failure.text}


def _entry(type_: str, attempt: Attempt, reason: str, **params: object) -> Entry:
    if attempt.purpose == "notice":
        params["purpose"] = attempt.purpose
    return Entry(
        type_,
        {"reason": reason, "provider": attempt.provider, "channel": attempt.channel, **params},
        attempt.responder,
        attempt.id,
    )
