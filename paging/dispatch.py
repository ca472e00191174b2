"""What is due, and what providers answered: the transactions around each submit."""

from collections.abc import Callable
from datetime import datetime, timedelta

from paging import attempts, circuit, receipts
from paging.circuit import Nothing
from paging.errors import DeliveryError
from paging.model import Alarm, Attempt
from paging.ports import Sent
from paging.store import attempts as rows
from paging.store import runs
from paging.work import Work

AT_ONCE = 64  # rows of each kind in one transaction: others wait for it
BROKEN_AGAIN = timedelta(seconds=60)  # until a page that could not be decided on is tried again


def claim(work: Work) -> tuple[int, datetime | None]:
    """Do what is due, as far as there is room; return how much that was and when the next is."""
    looked_at = 0
    for attempt in rows.due(work.conn, work.now, AT_ONCE):
        if work.room_left <= 0:
            break
        looked_at += 1
        if not work.alone(_silent(work, attempt), attempt=attempt.id):
            rows.postpone(work.conn, attempt.id, work.now + BROKEN_AGAIN)
    for number in runs.due(work.conn, work.now, AT_ONCE):
        if work.room_left <= 0:
            break
        looked_at += 1
        if not work.alone(_tick(work, number), incident=number):
            runs.postpone(work.conn, number, work.now + BROKEN_AGAIN)
            work.alone(_alarm(work, number), incident=number)
    times = [at for at in (rows.next_due(work.conn), runs.next_due(work.conn)) if at is not None]
    return looked_at, min(times, default=None)


def _silent(work: Work, attempt: Attempt) -> Callable[[], None]:
    def over() -> None:
        # Of a lost answer its provider was blamed already, and what rang was carried.
        if attempt.status == "submitted" and not attempt.doubtful:
            _blame_silence(work, attempt)
        work.after(attempt, attempts.silent(attempt, work.now))

    return over


def _blame_silence(work: Work, attempt: Attempt) -> None:
    """Hold a silence against its provider, unless it may be ours."""
    deaf = work.up_since > attempt.created_at
    heard_ever = rows.ever_called_back(work.conn, attempt.provider, attempt.channel)
    if heard_ever and not deaf:
        work.judge(attempt, circuit.of_silence(attempt))
        return
    work.judge(attempt, Nothing(attempt.id))
    if not heard_ever:
        work.alarm(
            Alarm(
                cause=f"no_callback:{attempt.provider}:{attempt.channel}",
                reason="no_callback",
                params={"provider": attempt.provider, "channel": attempt.channel},
                severity="critical",
            )
        )


def _tick(work: Work, number: int) -> Callable[[], None]:
    return lambda: work.tick(runs.load(work.conn, number))


def _alarm(work: Work, number: int) -> Callable[[], None]:
    alarm = Alarm(f"broken:{number}", "broken", {"number": number}, "critical")
    return lambda: work.alarm(alarm)


def answered(work: Work, attempt_id: str, answer: Sent | DeliveryError | None) -> None:
    """Store what became of a submit; None: it was not wanted any more and never sent."""
    attempt = rows.load(work.conn, attempt_id)
    if attempt is None:
        return
    match answer:
        case Sent():
            effects = attempts.submitted(attempt, answer, work.now, work.rules)
        case None:
            effects = attempts.unwanted(attempt, work.now)
        case _:
            effects = attempts.refused(attempt, answer, work.now, work.rules)
    work.judge(attempt, circuit.of_answer(attempt, answer, work.now))
    work.after(attempt, effects)
    receipts.settle_parked(work, attempt)


def take_over(work: Work) -> int:
    """After a start: what was on its way when the last process ended may have been placed."""
    left = rows.interrupted(work.conn)
    for attempt in left:
        work.judge(attempt, Nothing(attempt.id))
        work.after(attempt, attempts.orphaned(attempt, work.now, work.rules))
        receipts.settle_parked(work, attempt)
    return len(left)
