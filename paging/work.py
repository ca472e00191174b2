"""One transaction of the domain: what it may look at, and what must follow its commit."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from paging import attempts, pages
from paging.ids import new_id, new_ref
from paging.menu import Action
from paging.model import Alarm, Attempt, Dial, Entry, Incident, Over, Rules, Run
from paging.people import Locale
from paging.ports import CallRequest, Purpose
from paging.store import Transaction, people, runs
from paging.store import attempts as attempt_rows

_ALARM_TITLES = {
    "exhausted": "ringback: 告警{number}无人认领 / incident {number} reached nobody: {title}",
    "misconfigured": "ringback: {provider} 配置有误 / {provider} is misconfigured: {code}",
    "out_of_credit": "ringback: {provider} 余额不足 / {provider} is out of credit: {code}",
}
_ALARM_KINDS = ("misconfigured", "out_of_credit")


@dataclass(slots=True)
class Work:
    """Functions of one transaction. `to_submit`: attempts to hand to their provider after it."""

    conn: Transaction
    now: datetime
    rules: Rules
    to_submit: list[tuple[Attempt, CallRequest]] = field(
        default_factory=list[tuple[Attempt, CallRequest]]
    )

    def change(self, number: int, decide: Callable[[Run], None]) -> Run:
        """Load an incident's run, let `decide` change it, and store what came of it."""
        run = runs.load(self.conn, number)
        decide(run)
        self.store(run)
        return run

    def store(self, run: Run) -> None:
        """Write a run back and carry out its commands."""
        runs.save(self.conn, run, self.now)
        for command in run.commands:
            match command:
                case Dial():
                    self._dial(run, command)
                case Alarm():
                    self.alarm(command)

    def _dial(self, run: Run, dial: Dial) -> None:
        attempt = new_attempt(
            dial.responder,
            dial.address,
            dial.provider,
            dial.locale,
            self.now,
            id_=dial.attempt,
        )
        page = run.page.id if run.page is not None else ""
        attempt_rows.insert_attempt(self.conn, attempt, [(run.incident.number, page, dial.telling)])
        incident = run.incident
        self.submit(
            attempt,
            {
                "title": incident.title,
                "severity": incident.severity,
                "count": str(incident.alerts),
                "number": str(incident.number),
                "responder": run.people[dial.responder].name,
                "details": incident.details or "",
            },
        )

    def submit(self, attempt: Attempt, fields: Mapping[str, str]) -> None:
        """Have this attempt handed to its provider once this transaction is committed."""
        self.to_submit.append(
            (
                attempt,
                CallRequest(attempt.ref, attempt.address, attempt.locale, attempt.purpose, fields),
            )
        )

    def alarm(self, alarm: Alarm) -> None:
        """Open, or repeat, the operators' incident for this cause."""
        plan = (
            people.policy_of(self.conn, self.rules.operators)
            if self.rules.operators is not None
            else None
        )
        if plan is None or self.rules.operators is None:
            return
        key = f"ringback:{alarm.cause}"
        known = runs.open_number(self.conn, key)
        if known is not None:
            runs.add_entries(
                self.conn,
                known,
                [Entry("incident.repeated", {"reason": alarm.reason, **alarm.params})],
                self.now,
            )
            return
        incident = Incident(
            number=0,
            id=new_id(self.now),
            title=_ALARM_TITLES[alarm.reason].format(**alarm.params)[:1024],
            severity=alarm.severity,
            policy=self.rules.operators,
            status="triggered",
            created_at=self.now,
            opened_at=self.now,
            dedup_key=key,
            from_ringback=True,
        )
        runs.insert_incident(self.conn, incident)
        run = Run(incident, None, [], {}, {})
        run.note("incident.triggered", alarm.reason, **alarm.params)
        pages.new_page(run, plan, self.now)
        self.store(run)

    def after(self, attempt: Attempt, effects: attempts.Effects) -> None:
        """Store an attempt, tell the pages that it is about, and free its line."""
        attempt_rows.save(self.conn, attempt)
        about = runs.pages_of(self.conn, attempt.id)
        for number, _ in about:
            runs.add_entries(self.conn, number, effects.entries, self.now)
        for digit in effects.digits:
            self._press(attempt, digit, [number for number, _ in about])
        over = effects.over
        if over is not None:
            for number, telling in about:
                self.change(number, self._going_on(telling, over))
            self._blame(over)
        if not attempt.is_open:
            runs.wake_held(self.conn, [attempt.responder], self.now)

    def _going_on(self, telling: str, over: Over) -> Callable[[Run], None]:
        return lambda run: pages.attempt_over(run, telling, over, self.now, self.rules)

    def _blame(self, over: Over) -> None:
        """Tell the operators of what only they can mend."""
        row, attempt = over.row, over.attempt
        if row is None or row.kind not in _ALARM_KINDS:
            return
        code = attempt.failure.code if attempt.failure else ""
        self.alarm(
            Alarm(
                cause=f"{row.kind}:{attempt.provider}:{attempt.channel}",
                reason=row.kind,
                params={
                    "provider": attempt.provider,
                    "channel": attempt.channel,
                    "code": code,
                },
                severity="warning",
            )
        )

    def _press(self, attempt: Attempt, digit: str, numbers: list[int]) -> None:
        """Do what the key means, for everything that was in the call."""
        action = self.rules.menu.get(digit)
        counted = not numbers  # a drill has nothing to act on, and yet proves a human
        for number in numbers:
            counted = self._press_for(attempt, digit, action, number) or counted
        if action is not None and counted:
            attempt.reached = True
            if action == "acknowledge":
                attempt.status = "acknowledged"
            attempt_rows.save(self.conn, attempt)

    def _press_for(self, attempt: Attempt, digit: str, action: Action | None, number: int) -> bool:
        """Return whether the key counted; one that came too late is only recorded."""
        run = runs.load(self.conn, number)
        late = self.now - attempt.created_at > attempts.KEY_COUNTS_FOR
        counts = not late and run.incident.opened_at <= attempt.created_at
        run.entries.append(attempts.pressed(attempt, digit, action=action, acted=counts))
        if counts:
            self._act(run, action, attempt)
        self.store(run)
        return counts

    def _act(self, run: Run, action: Action | None, attempt: Attempt) -> None:
        who, now = attempt.responder, self.now
        match action:
            case "acknowledge":
                pages.acknowledge(run, now, by=who, via="key", responder=who, attempt=attempt.id)
            case "escalate":
                pages.escalate(run, now, self.rules, by=who, responder=who, via="key")
            case "mute":
                pages.mute(run, now + pages.KEY_MUTES_FOR, by=who, via="key")
            case "close":
                pages.close(run, now, by=who, via="key", by_hand=True)
            case None:
                pass


def new_attempt(  # noqa: PLR0913 - the fields of a row
    responder: str,
    address: str,
    provider: str,
    locale: Locale,
    now: datetime,
    *,
    id_: str | None = None,
    purpose: Purpose = "page",
) -> Attempt:
    """Return an attempt on its way to its provider."""
    return Attempt(
        id=id_ or new_id(now),
        ref=new_ref(),
        responder=responder,
        channel="voice",
        address=address,
        provider=provider,
        purpose=purpose,
        locale=locale,
        status="sending",
        created_at=now,
        deadline_at=now + attempts.SUBMIT_TAKES_AT_MOST,
    )
