"""Hearing what became of a message: each receipt once, in any order, with its effects at once."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from paging import attempts, circuit, events, replies
from paging.events import CallEnded, CallFailed, Event, ReplyReceived
from paging.model import Attempt
from paging.store import attempts as rows
from paging.store import contacts
from paging.work import Work

KEPT_FOR = timedelta(hours=24)  # as long as an attempt whose answer was lost may be matched


def record(work: Work, provider: str, heard: Sequence[Event]) -> int:
    """Store and apply these receipts; return how many were new."""
    news = 0
    for event in heard:
        receipt = event.receipt
        if receipt.caller and isinstance(event, CallEnded | CallFailed | ReplyReceived):
            contacts.learn_caller(
                work.conn, provider, receipt.channel, receipt.caller[:64], work.now
            )
        if isinstance(event, ReplyReceived):
            news += replies.record(work, event)
            continue
        attempt = _attempt_of(work, event, work.now)
        if not rows.receive(
            work.conn,
            provider=provider,
            key=receipt.key,
            event=events.dump(event),
            provider_id=receipt.provider_id,
            address=receipt.address,
            at=work.now,
            attempt_id=None if attempt is None else attempt.id,
        ):
            continue
        news += 1
        if attempt is not None:
            _hear(work, attempt, event)
    return news


def _hear(work: Work, attempt: Attempt, event: Event) -> None:
    """Apply one receipt to its attempt, and to what is known of its provider."""
    work.judge(attempt, circuit.of_receipt(attempt, event, work.now))
    work.after(attempt, attempts.hear(attempt, event, work.now))


def settle_parked(work: Work, attempt: Attempt) -> None:
    """Apply what came for this message, or its number, before an answer said whose it is."""
    parked = rows.parked(
        work.conn,
        attempt.provider,
        provider_id=attempt.provider_id,
        address=attempt.address,
        since=work.now - KEPT_FOR,
    )
    for event, at in parked:
        same_channel = event.receipt.channel == attempt.channel
        found = _attempt_of(work, event, at) if same_channel else None
        if found is not None:
            rows.claim_receipt(work.conn, found.provider, event.receipt.key, found.id)
            _hear(work, found, event)


def _attempt_of(work: Work, event: Event, at: datetime) -> Attempt | None:
    """Find whose receipt this is: by our ref, by the provider's id, or by an answer that was lost.

    A lost answer leaves only the number to go by: the oldest such attempt takes it, unless another
    submit to that number is on its way and may be the one. None: it stays parked.
    """
    receipt = event.receipt
    if receipt.ref:
        found = rows.by_ref(work.conn, receipt.ref)
        return found if found is not None and found.provider == receipt.provider else None
    if not receipt.provider_id:
        return None
    found = rows.by_provider_id(work.conn, receipt.provider, receipt.channel, receipt.provider_id)
    if found is not None or receipt.address is None:
        return found
    on_its_way, lost = (
        rows.without_provider_id(
            work.conn,
            receipt.provider,
            receipt.channel,
            receipt.address,
            doubtful=doubtful,
            begun=(at - KEPT_FOR, at),
        )
        for doubtful in (False, True)
    )
    return None if on_its_way else lost
