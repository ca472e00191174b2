"""What is due, and what providers answered: the transactions around each submit."""

from collections.abc import Callable
from datetime import datetime

from paging import attempts, pages, receipts
from paging.errors import DeliveryError
from paging.model import Run
from paging.ports import Placed
from paging.store import attempts as rows
from paging.store import runs
from paging.work import Work


def claim(work: Work, most: int) -> tuple[int, datetime | None]:
    """Do what is due, about `most` submits of it; return how much that was and when the next is."""
    looked_at = 0
    for attempt in rows.due(work.conn, work.now, most):
        looked_at += 1
        work.after(attempt, attempts.silent(attempt, work.now))
    for number in runs.due(work.conn, work.now, most):
        if len(work.to_submit) >= most:
            break
        looked_at += 1
        work.change(number, _tick(work))
    times = [at for at in (rows.next_due(work.conn), runs.next_due(work.conn)) if at is not None]
    return looked_at, min(times, default=None)


def _tick(work: Work) -> Callable[[Run], None]:
    return lambda run: pages.tick(run, work.now, work.rules)


def answered(work: Work, attempt_id: str, answer: Placed | DeliveryError | None) -> None:
    """Store what became of a submit; None: it was not wanted any more and never sent."""
    attempt = rows.load(work.conn, attempt_id)
    if attempt is None:
        return
    match answer:
        case Placed():
            effects = attempts.submitted(attempt, answer, work.now, work.rules)
        case None:
            effects = attempts.unwanted(attempt, work.now)
        case _:
            effects = attempts.refused(attempt, answer, work.now, work.rules)
    work.after(attempt, effects)
    if attempt.provider_id is not None or attempt.doubtful:
        receipts.settle_parked(work, attempt)


def take_over(work: Work) -> int:
    """After a start: what was on its way when the last process ended may have been placed."""
    left = rows.interrupted(work.conn)
    for attempt in left:
        work.after(attempt, attempts.orphaned(attempt, work.now, work.rules))
        receipts.settle_parked(work, attempt)
    return len(left)
