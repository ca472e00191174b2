"""Who is told next: the decisions about one page, as plain functions.

Each takes a run, what happened and `now`, changes the run and leaves timeline entries and commands
in it. No database, no clock, no carrier: production, simulation and replay drive the same code.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from paging import circuit
from paging.errors import Row
from paging.ids import new_id
from paging.menu import MUTE_MINUTES
from paging.model import Alarm, Over, Page, Probe, Rules, Run, Submit, Telling
from paging.people import CONTACT_OF, Notification, Policy, Responder, Step

KEY_MUTES_FOR = timedelta(minutes=MUTE_MINUTES)
LIVE = ("waiting", "out")
TO_COME = (*LIVE, "postponed")
PLANNED = ("waiting", "postponed")
# Most greylists let a mail through after five minutes; RFC 5321 4.5.4.1 leaves the times to us.
POSTPONED_FOR_S = (60, 300)
_BUSY = "busy"


def new_page(run: Run, plan: Policy, now: datetime) -> None:
    """Start a page of `plan`; the present one, if any, is replaced."""
    if run.page is not None and run.page.ended_at is None:
        _end(run, "replaced", now)
    run.page = Page(
        id=new_id(now),
        incident=run.incident.number,
        plan=plan,
        state="running",
        created_at=now,
        next_at=now,
    )
    run.tellings = []


@dataclass(frozen=True, slots=True)
class Asked:
    """Who wants the next step although this one's wait is not over, and what the timeline says."""

    responder: str | None
    figures: Mapping[str, str]


def tick(run: Run, now: datetime, rules: Rules, *, asked: Asked | None = None) -> None:
    """Do all that is due at `now` and set the page's `next_at`."""
    page = run.page
    if page is None or page.ended_at is not None:
        return
    if page.state == "muted":
        if run.incident.muted_until and run.incident.muted_until > now:
            page.next_at = run.incident.muted_until
            return
        unmute(run, now, by=None)
    if page.step < 0:
        _begin_step(run, now, rules)
    going_on = True
    while going_on and page.ended_at is None:
        _fire_due(run, now, rules)
        reason = "asked" if asked else _why_next(run, page, now)
        going_on = reason is not None and _next_step(run, page, now, reason, rules, asked=asked)
        asked = None
    _set_next_at(run)


def _why_next(run: Run, page: Page, now: datetime) -> str | None:
    """Return why the next step starts now, or None while this one still has its time."""
    current = [t for t in run.tellings if (t.round, t.step) == (page.round, page.step)]
    # What arrived may be acted on for as long as the step lasts.
    hoped_for = LIVE if page.step_ends_at is None else (*LIVE, "sent")
    if all(t.state not in hoped_for for t in current):
        return "nothing_left"
    if page.step_ends_at is not None and page.step_ends_at <= now:
        return "wait_over"
    return None


def _set_next_at(run: Run) -> None:
    page = run.page
    if page is None:
        return
    if page.ended_at is not None:
        page.next_at = None
        return
    times = [t.due_at for t in run.tellings if t.state in PLANNED and t.due_at is not None]
    if page.step_ends_at is not None:
        times.append(page.step_ends_at)
    page.next_at = min(times, default=None)


def _begin_step(run: Run, now: datetime, rules: Rules) -> None:
    """Give every target of the next step its tellings."""
    page = _page(run)
    page.step += 1
    step = page.plan.steps[page.step]
    page.step_ends_at = now + timedelta(seconds=step.wait)
    for responder, schedule in _told(run, step, now).items():
        _cancel(run, responder)  # whoever is told anew is not told the old way as well
        person = run.people.get(responder)
        if person is None:
            run.note("notification.skipped", "no_responder", responder=responder)
            continue
        severity = run.incident.severity
        wanted = step.notifications(person, severity, rules.channels)
        for position, spec in enumerate(wanted):
            telling = Telling(
                id=new_id(now),
                page=page.id,
                round=page.round,
                step=page.step,
                position=position,
                responder=responder,
                spec=spec,
                state="waiting",
                due_at=now + timedelta(seconds=spec.after),
                schedule=schedule,
            )
            run.tellings.append(telling)
            if not spec.is_for(run.incident.severity):
                _skip(run, telling, "severity", severity=run.incident.severity)
        _chain(run, responder, now)


def _told(run: Run, step: Step, now: datetime) -> dict[str, str | None]:
    """Return whom a step tells, each with the schedule by which they are on call, if by one.

    Read now, not when the page began: it may be hours old. Nobody on call is in the timeline.
    """
    told: dict[str, str | None] = dict.fromkeys(step.named("responder"))
    for schedule in step.named("schedule"):
        roster = run.rosters.get(schedule)
        if roster is None:
            run.note("oncall.gap", "no_schedule", schedule=schedule)
            continue
        turn = roster.at(now)
        if turn.who is None:
            run.note("oncall.gap", turn.why, schedule=schedule)
            continue
        person = run.people.get(turn.who)
        run.note(
            "oncall.read",
            turn.why,
            responder=turn.who,
            person=person.name if person is not None else turn.who,
            schedule=schedule,
            until=turn.until and turn.until.isoformat(),
        )
        told.setdefault(turn.who, schedule)
    return told


def _fire_due(run: Run, now: datetime, rules: Rules) -> None:
    """Send what is due, including what becomes due because an earlier one had to be skipped."""
    due = True
    while due:
        due = [telling for telling in run.tellings if _is_due(run, telling, now)]
        for telling in due:
            _fire(run, telling, now, rules)
            if telling.state not in LIVE:
                _chain(run, telling.responder, now)


def _is_due(run: Run, telling: Telling, now: datetime) -> bool:
    """Say whether its time has come, or the line is free that it was held back for."""
    if telling.state not in PLANNED or telling.due_at is None:
        return False
    return telling.due_at <= now or (telling.held and _busy_until(run, telling, now) is None)


def _busy_until(run: Run, telling: Telling, now: datetime) -> datetime | None:
    """Return until when this person may be in a call of ours; None when the line is free."""
    if telling.spec.channel != "voice":
        return None
    person = run.people.get(telling.responder)
    until = run.lines.get(person.phone) if person is not None and person.phone else None
    return until if until is not None and until > now else None


def _fire(run: Run, telling: Telling, now: datetime, rules: Rules) -> None:
    person = run.people.get(telling.responder)
    if person is None:
        _skip(run, telling, "no_responder")
        return
    if not _in_hours(telling.spec, person, now) and run.incident.severity != "critical":
        _skip(run, telling, "hours", hours=telling.spec.hours)
        return
    channel = telling.spec.channel
    kind, address = CONTACT_OF[channel], person.contact(channel)
    if address is None:
        _skip(run, telling, f"no_{kind}")
        return
    unverified = kind not in person.verified
    if unverified and _page(run).plan.unverified == "skip":
        _skip(run, telling, "unverified")
        return
    serving = rules.serving(channel, address)
    if not serving:
        _skip(run, telling, "no_provider")
        return
    busy_until = _busy_until(run, telling, now)
    if busy_until is not None:
        telling.due_at = busy_until
        if not telling.held:
            telling.held = True
            run.note("notification.delayed", "on_a_call", responder=telling.responder)
        return
    left = [name for name in serving if name not in telling.tried]
    if telling.state == "postponed" and telling.postponed_by in serving:
        left, telling.postponed_by = [telling.postponed_by], None
    telling.attempt = new_id(now)
    provider = _trusted(run, telling, left or serving, now)
    telling.state, telling.due_at, telling.held = "out", None, False
    telling.tried = (*telling.tried, provider)
    if channel == "voice":
        run.lines[address] = now + timedelta(seconds=rules.silence_floor_s)
    run.commands.append(
        Submit(
            attempt=telling.attempt,
            telling=telling.id,
            responder=telling.responder,
            channel=channel,
            address=address,
            locale=person.locale,
            provider=provider,
            unverified=unverified,
        )
    )


def _trusted(run: Run, telling: Telling, names: Sequence[str], now: datetime) -> str:
    """Return the first of these providers that is trusted, else the next due to be tried."""
    channel = telling.spec.channel
    known = run.circuits[channel]
    choice = circuit.order(names, known, now)
    chosen = choice.names[0]
    for name, skip in choice.skipped.items():
        run.note(
            "provider.failed_over",
            skip.reason,
            responder=telling.responder,
            provider=name,
            channel=channel,
            to=chosen,
            until=skip.until.isoformat(),
        )
    if choice.probe and telling.attempt is not None:
        known[chosen] = circuit.probing(known[chosen], telling.attempt, now)
        run.commands.append(Probe(channel, chosen, known[chosen]))
    return chosen


def attempt_over(run: Run, telling_id: str, over: Over, now: datetime, rules: Rules) -> None:
    """Go on after an attempt that acknowledged nothing: other provider, next try, or next telling.

    Does nothing for a telling that no longer waits for it (acknowledged, cancelled, moved on).
    """
    telling = next((t for t in run.tellings if t.id == telling_id), None)
    attempt, row = over.attempt, over.row
    if telling is None or telling.state != "out" or telling.attempt != attempt.id:
        return
    if attempt.channel == "voice":
        run.lines.pop(attempt.address, None)
    if over.sent:
        _arrived(telling, now)
        tick(run, now, rules)
        return
    telling.hopeless = telling.hopeless and row is not None and row.again == "never"
    if row is not None and row.postpones:
        telling.postponed_by = attempt.provider
    if _other_provider_helps(over):
        serving = rules.serving(attempt.channel, attempt.address)
        left = [name for name in serving if name not in telling.tried]
        telling.doubtful = telling.doubtful or attempt.doubtful
        if left:
            telling.state, telling.due_at = "waiting", now
            run.note(
                "provider.failed_over",
                "silence" if over.silent else "refused" if row else "failed",
                responder=telling.responder,
                attempt=attempt.id,
                provider=attempt.provider,
                to=left[0],
                outcome=row.outcome if row else None,
            )
            tick(run, now, rules)
            return
    _use_up_try(run, telling, row, now)
    tick(run, now, rules)


def _other_provider_helps(over: Over) -> bool:
    return over.silent or (over.row is not None and over.row.other_provider)


def _arrived(telling: Telling, now: datetime) -> None:
    """Note that it got there: sent again, `gap` after this, where there are tries left."""
    telling.tries_used += 1
    _next_try(telling, now, at_last="sent")


def _use_up_try(run: Run, telling: Telling, row: Row | None, now: datetime) -> None:
    """End the present try; plan the next one, `gap` after this, or give the telling up."""
    # A phone that is busy with the first, unseen call of this very try was not a missed call.
    rung_twice = telling.doubtful and row is not None and row.outcome == _BUSY
    telling.tries_used += 0 if rung_twice else 1
    postponed_by, tried = telling.postponed_by, telling.tried
    _next_try(telling, now, at_last="failed", hopeless=telling.hopeless)
    if telling.state == "failed" and postponed_by and telling.postponements < len(POSTPONED_FOR_S):
        _postpone(run, telling, postponed_by, tried, now)
    if telling.state in ("failed", "postponed"):
        _chain(run, telling.responder, now)


def _next_try(
    telling: Telling, now: datetime, *, at_last: Literal["sent", "failed"], hopeless: bool = False
) -> None:
    """Plan the next try, `gap` after this; where none is left, or can help, the telling ends so."""
    telling.attempt = None
    telling.tried, telling.doubtful, telling.hopeless = (), False, True
    telling.postponed_by = None
    if hopeless or telling.tries_used >= telling.spec.tries_allowed:
        telling.state, telling.due_at = at_last, None
    else:
        telling.state, telling.due_at = "waiting", now + timedelta(seconds=telling.spec.gap)


def _postpone(
    run: Run, telling: Telling, provider: str, tried: tuple[str, ...], now: datetime
) -> None:
    """Give a provider the minutes that it asked for, and nobody else's chain a second of them."""
    wait_s = POSTPONED_FOR_S[telling.postponements]
    telling.state, telling.due_at = "postponed", now + timedelta(seconds=wait_s)
    telling.postponements += 1
    telling.postponed_by, telling.tried = provider, tried
    run.note(
        "notification.delayed",
        "postponed",
        responder=telling.responder,
        channel=telling.spec.channel,
        provider=provider,
        wait_s=wait_s,
    )


def _chain(run: Run, responder: str, now: datetime) -> None:
    """Make a telling due at once when all earlier ones of its step have definitely failed."""
    page = _page(run)
    mine = [
        t
        for t in run.tellings
        if t.responder == responder and (t.round, t.step) == (page.round, page.step)
    ]
    failed_before = False
    for telling in sorted(mine, key=lambda t: t.position):
        if telling.state in ("failed", "postponed", "skipped", "cancelled"):
            failed_before = failed_before or telling.state != "cancelled"
            continue
        untried = telling.state == "waiting" and not telling.tries_used and not telling.tried
        if failed_before and untried:
            telling.due_at = min(telling.due_at or now, now)
        return


def _next_step(  # noqa: PLR0913 - what, when, why, by whose rules and wish
    run: Run, page: Page, now: datetime, reason: str, rules: Rules, *, asked: Asked | None
) -> bool:
    """Start the next step or round, or exhaust the page; False when none has started."""
    if page.step + 1 >= len(page.plan.steps):
        if page.round >= page.plan.repeat:
            page.step_ends_at = None
            if not any(t.state in TO_COME for t in run.tellings):
                _exhaust(run, now, rules)
            return False
        page.round, page.step = page.round + 1, -1
    _begin_step(run, now, rules)
    run.note(
        "incident.escalated",
        reason,
        responder=asked and asked.responder,
        step=page.step + 1,
        round=page.round + 1,
        **(asked.figures if asked is not None else {}),
    )
    return True


def _exhaust(run: Run, now: datetime, rules: Rules) -> None:
    _end(run, "exhausted", now)
    run.note("incident.exhausted", "nobody_reached", rounds=_page(run).round + 1)
    if not run.incident.from_ringback and rules.operators is not None:
        run.commands.append(
            Alarm(
                cause=f"exhausted:{run.incident.number}",
                reason="exhausted",
                params={"number": run.incident.number, "title": run.incident.title},
                severity=run.incident.severity,
            )
        )


def acknowledge(  # noqa: PLR0913 - who, how and with what words
    run: Run,
    now: datetime,
    *,
    by: str,
    via: str,
    responder: str | None = None,
    attempt: str | None = None,
    note: str | None = None,
) -> bool:
    """Let the first one win and record a second; return whether this was the first."""
    incident = run.incident
    detail = {"by": by, "via": via} | ({"note": note} if note else {})
    if incident.status != "triggered":
        run.note(
            "incident.acknowledged_again",
            incident.status,
            responder=responder,
            attempt=attempt,
            owner=incident.acknowledged_by or incident.closed_by,
            **detail,
        )
        return False
    incident.status, incident.acknowledged_at, incident.acknowledged_by = "acknowledged", now, by
    incident.muted_until = None
    if run.page is not None and run.page.ended_at is None:
        _end(run, "acknowledged", now)
    elif run.page is not None:
        run.page.next_at = None
    run.note(
        "incident.acknowledged", "acknowledged", responder=responder, attempt=attempt, **detail
    )
    return True


def close(run: Run, now: datetime, *, by: str, via: str, by_hand: bool, **figures: str) -> bool:
    """End everything. Return whether it was open."""
    incident = run.incident
    if incident.status == "closed":
        return False
    incident.status, incident.closed_at, incident.closed_by = "closed", now, by
    incident.closed_by_hand, incident.muted_until = by_hand, None
    if run.page is not None and run.page.ended_at is None:
        _end(run, "closed", now)
    run.note("incident.closed", "closed", by=by, via=via, **figures)
    return True


def mute(run: Run, until: datetime, *, by: str, via: str, **figures: str) -> bool:
    """Stop paging for everyone until then. Return whether there was paging to stop."""
    if run.incident.status != "triggered":
        return False
    run.incident.muted_until = until
    page = run.page
    if page is not None:  # an exhausted one as well: it starts again when the mute is over
        page.state, page.next_at, page.ended_at = "muted", until, None
        page.step_ends_at = None
        _cancel(run, None)
    run.note("incident.muted", "muted", by=by, via=via, until=until.isoformat(), **figures)
    return True


def unmute(run: Run, now: datetime, *, by: str | None, **figures: str) -> bool:
    """Page again, from step 1. Return whether it was muted."""
    page = run.page
    if run.incident.muted_until is None:
        return False
    run.incident.muted_until = None
    if page is not None and page.state == "muted":
        page.state, page.round, page.step = "running", 0, -1
        page.step_ends_at, page.next_at = None, now
    run.note("incident.unmuted", "unmuted" if by else "time_over", by=by, **figures)
    return True


def escalate(  # noqa: PLR0913 - who, when and how
    run: Run,
    now: datetime,
    rules: Rules,
    *,
    by: str,
    responder: str | None,
    via: str,
    **figures: str,
) -> bool:
    """Start the next step now; the presser is not told again by what is left of theirs.

    Return whether there was a running page to move on.
    """
    page = run.page
    if page is None or page.state != "running" or run.incident.status != "triggered":
        return False
    if page.step < 0:
        _begin_step(run, now, rules)
    if responder is not None:
        _cancel(run, responder)
    where = (page.round, page.step)
    asked = Asked(responder, {"by": by, "via": via, **figures})
    tick(run, now, rules, asked=asked)
    if page.ended_at is None and where == (page.round, page.step):
        run.note("incident.escalated", "last_step", responder=responder, **asked.figures)
    return True


def reopen(run: Run, plan: Policy, now: datetime) -> None:
    """Make a closed or acknowledged incident a triggered one again, with a new page."""
    incident = run.incident
    incident.status, incident.opened_at = "triggered", now
    incident.acknowledged_at = incident.acknowledged_by = None
    incident.closed_at = incident.closed_by = None
    incident.closed_by_hand = False
    new_page(run, plan, now)


def _end(run: Run, state: str, now: datetime) -> None:
    page = _page(run)
    page.state, page.ended_at = state, now  # pyright: ignore[reportAttributeAccessIssue]
    page.next_at = page.step_ends_at = None
    _cancel(run, None)


def _cancel(run: Run, responder: str | None) -> None:
    """Cancel what is still to come for one responder, or for everyone."""
    for telling in run.tellings:
        if telling.state in TO_COME and responder in (None, telling.responder):
            telling.state, telling.due_at = "cancelled", None


def _skip(run: Run, telling: Telling, reason: str, **figures: str | None) -> None:
    telling.state, telling.due_at = "skipped", None
    run.note(
        "notification.skipped",
        reason,
        responder=telling.responder,
        channel=telling.spec.channel,
        **figures,
    )


def _in_hours(spec: Notification, person: Responder, now: datetime) -> bool:
    if spec.hours is None:
        return True
    start, _, end = spec.hours.partition("-")
    local = now.astimezone(person.zone).strftime("%H:%M")
    return start <= local < end if start < end else local >= start or local < end


def _page(run: Run) -> Page:
    if run.page is None:
        msg = "an incident without a page was asked about its page"
        raise LookupError(msg)
    return run.page
