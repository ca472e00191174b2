"""One transaction of the domain: what it may look at, and what must follow its commit."""

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog

from paging import attempts, circuit, pages, words
from paging.circuit import Signal
from paging.ids import new_id, new_ref
from paging.menu import Action
from paging.model import Alarm, Attempt, Entry, Incident, Over, Probe, Rules, Run, Submit
from paging.people import Channel, Locale
from paging.ports import Message, Purpose
from paging.store import Transaction, answers, circuits, people, runs, savepoint
from paging.store import attempts as attempt_rows
from paging.store.documents import policies

log = structlog.get_logger(__name__)

_ALARM_KINDS = ("misconfigured", "out_of_credit")


@dataclass(slots=True)
class Work:
    """Functions of one transaction.

    `room`: how many submits may follow it. `up_since`: from when this process has taken callbacks.
    `to_submit`: attempts to hand to their provider after
    it. `next_at`: the earliest time at which something that it stored falls due. `told`: lines that
    it added to timelines, each with its incident's number.
    """

    conn: Transaction
    now: datetime
    rules: Rules
    room: int
    up_since: datetime
    to_submit: list[tuple[Attempt, Message]] = field(default_factory=list[tuple[Attempt, Message]])
    next_at: datetime | None = None
    told: list[tuple[int, Entry]] = field(default_factory=list[tuple[int, Entry]])

    @property
    def room_left(self) -> int:
        """How many more submits may be asked for."""
        return self.room - len(self.to_submit)

    def alone(self, do: Callable[[], None], **whose: str | int) -> bool:
        """Do one part of the transaction so that whatever it raises undoes that part alone.

        Returns whether it went well: a page that cannot be decided on holds up no other.
        """
        asked_before, told_before = len(self.to_submit), len(self.told)
        try:
            with savepoint(self.conn):
                do()
        except Exception as exc:
            del self.to_submit[asked_before:], self.told[told_before:]
            log.exception("work.broken", **whose, exc_info=exc)
            return False
        return True

    def change(self, number: int, decide: Callable[[Run], None]) -> Run:
        """Load an incident's run, let `decide` change it, and store what came of it."""
        run = runs.load(self.conn, number)
        decide(run)
        self.store(run)
        return run

    def tick(self, run: Run) -> None:
        """Do what is due for this run, and store it."""
        pages.tick(run, self.now, self.rules)
        self.store(run)

    def begin(self, run: Run) -> None:
        """Store a run whose page is new, with its first calls where there is room for them.

        What cannot be begun now, be it for a fault of ours, is left to the engine: it is accepted.
        """
        if self.room_left > 0:
            untouched = copy.copy(run.page), list(run.entries)
            try:
                pages.tick(run, self.now, self.rules)
            except Exception:
                log.exception("work.broken", incident=run.incident.number)
                run.page, run.entries = untouched
                run.tellings, run.commands = [], []
        self.store(run)

    def store(self, run: Run) -> None:
        """Write a run back and carry out its commands."""
        runs.save(self.conn, run)
        self.tell(run.incident.number, run.entries)
        if run.page is not None:
            self._falls_due(run.page.next_at)
        for command in run.commands:
            match command:
                case Submit():
                    self._submit(run, command)
                case Probe():
                    # Where another process was faster, two probes are out: a nuisance, no more.
                    circuits.save(self.conn, command.provider, command.channel, command.circuit)
                case Alarm():
                    self.alarm(command)

    def tell(self, number: int, entries: Sequence[Entry]) -> None:
        """Add lines to an incident's timeline."""
        runs.add_entries(self.conn, number, entries, self.now)
        self.told += [(number, entry) for entry in entries]

    def _falls_due(self, at: datetime | None) -> None:
        if at is not None and (self.next_at is None or at < self.next_at):
            self.next_at = at

    def _submit(self, run: Run, command: Submit) -> None:
        attempt = new_attempt(
            command.responder,
            (command.channel, command.address),
            command.provider,
            command.locale,
            self.now,
            id_=command.attempt,
            unverified=command.unverified,
        )
        page = run.page.id if run.page is not None else ""
        about = (run.incident.number, page, command.telling)
        attempt_rows.insert_attempt(self.conn, attempt, [about])
        fields = self._fields(run.incident, attempt)
        fields["responder"] = run.people[command.responder].name
        self.submit(attempt, fields, thread=run.incident.id)

    def _fields(self, incident: Incident, attempt: Attempt) -> dict[str, str]:
        """Return what a message about this incident may say on its channel."""
        fields = {
            "title": _title_in(incident, attempt.locale),
            "severity": incident.severity,
            "count": str(incident.alerts),
            "number": str(incident.number),
            "details": incident.details or "",
        }
        match attempt.channel:
            case "sms":
                code = answers.code_for(self.conn, attempt.address, incident.number)
                return {**fields, "code": str(code)}
            case "email" if self.rules.links is not None:
                to = (incident.number, attempt.responder)
                return {
                    **fields,
                    "link": self.rules.links.acknowledge(*to, self.now),
                    "callers": self.rules.links.callers(self.now),
                }
            case _:
                return fields

    def submit(
        self, attempt: Attempt, fields: Mapping[str, str], *, thread: str | None = None
    ) -> None:
        """Have this attempt handed to its provider once this transaction is committed."""
        self._falls_due(attempt.deadline_at)
        request = Message(
            attempt.ref, attempt.address, attempt.locale, attempt.purpose, fields, thread
        )
        self.to_submit.append((attempt, request))

    def notice(self, responder: str, run: Run) -> bool:
        """Text this person who has the incident, and what may be replied; where there is a text.

        Returns whether it is on its way.
        """
        owner = run.incident.acknowledged_by
        ids = [responder] if owner is None else [responder, owner]
        known = people.responders(self.conn, ids)
        person = known.get(responder)
        if person is None or person.phone is None:
            return False
        serving = self.rules.serving("sms", person.phone, "notice")
        if not serving:
            return False
        attempt = new_attempt(
            responder,
            ("sms", person.phone),
            self.choose("sms", serving),
            person.locale,
            self.now,
            purpose="notice",
        )
        page = run.page.id if run.page is not None else ""
        attempt_rows.insert_attempt(self.conn, attempt, [(run.incident.number, page, "")])
        fields = self._fields(run.incident, attempt)
        has_it = known.get(owner) if owner is not None else None
        fields["responder"] = has_it.name if has_it is not None else owner or ""
        self.submit(attempt, fields)
        return True

    def choose(self, channel: Channel, serving: Sequence[str]) -> str:
        """Return which of these providers to use now for what belongs to no page."""
        known = circuits.load(self.conn, channel)
        return circuit.order(serving, known, self.now).names[0]

    def judge(self, attempt: Attempt, signal: Signal | None) -> None:
        """Move the circuit of an attempt's provider; tell the operators once all are open."""
        if signal is None:
            return
        provider, channel = attempt.provider, attempt.channel
        before, after = circuits.hear(
            self.conn, provider, channel, signal, self.now, open_s=self.rules.breaker_open_s
        )
        if before.open_until == after.open_until:
            return
        log.warning(
            "circuit.moved",
            provider=provider,
            channel=channel,
            phase=after.phase(self.now),
            until=after.open_until and after.open_until.isoformat(),
        )
        everyone = circuits.load(self.conn, channel)
        alarm = circuit.alarm(channel, self.rules.channels.get(channel, {}), everyone)
        if alarm is not None:
            self.alarm(alarm)

    def alarm(self, alarm: Alarm) -> None:
        """Open, or repeat, the operators' incident for this cause."""
        operators = self.rules.operators
        plan = policies.one(self.conn, operators) if operators is not None else None
        if operators is None or plan is None:
            why = "no such policy" if operators else "operators.policy is none"
            log.error("operators.not_told", cause=alarm.cause, policy=operators, why=why)
            return
        key = f"ringback:{alarm.cause}"
        known = runs.open_number(self.conn, key)
        if known is not None:
            self.tell(known, [Entry("incident.repeated", {"reason": alarm.reason, **alarm.params})])
            return
        told = {name: str(value) for name, value in alarm.params.items()}
        told["reason"] = alarm.reason
        said = words.sentence("incident.triggered", told)
        incident = Incident(
            number=0,
            id=new_id(self.now),
            title=f"ringback: {said['zh-CN']} / {said['en']}"[:1024],
            labels=told,
            severity=alarm.severity,
            policy=operators,
            status="triggered",
            created_at=self.now,
            opened_at=self.now,
            dedup_key=key,
            from_ringback=True,
        )
        run = runs.insert_incident(self.conn, incident)
        run.note("incident.triggered", alarm.reason, **alarm.params)
        pages.new_page(run, plan, self.now)
        self.begin(run)

    def after(self, attempt: Attempt, effects: attempts.Effects) -> None:
        """Store an attempt, tell the pages that it is about, and free its line."""
        about = runs.pages_of(self.conn, attempt.id)
        over = effects.over
        if effects.digits or over is not None:
            loaded = [(runs.load(self.conn, number), telling) for number, telling in about]
        else:
            loaded = []
            for number, _ in about:
                self.tell(number, effects.entries)
        for run, _ in loaded:
            run.entries += effects.entries
        for digit in effects.digits:
            self._press(attempt, digit, [run for run, _ in loaded])
        attempt_rows.save(self.conn, attempt)
        self._falls_due(attempt.deadline_at)
        for run, telling in loaded:
            if over is not None:
                pages.attempt_over(run, telling, over, self.now, self.rules)
            self.store(run)
        if over is not None:
            self._blame(over)
        if not attempt.is_open and runs.wake_held(self.conn, attempt.responder, self.now):
            self._falls_due(self.now)

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

    def _press(self, attempt: Attempt, digit: str, in_the_call: list[Run]) -> None:
        """Do what the key means, for everything that was in the call."""
        action = self.rules.menu.get(digit)
        first = not attempt.reached
        counted = not in_the_call  # a drill has nothing to act on, and yet proves a human
        for run in in_the_call:
            counts = self.counts(attempt, run, attempts.KEY_COUNTS_FOR)
            run.entries.append(attempts.pressed(attempt, digit, action=action, acted=counts))
            if counts:
                self.act(run, action, attempt, "key")
            counted = counted or counts
        if action is not None and counted:
            self.reached(attempt, action)
            if first and in_the_call:
                self.notice(attempt.responder, in_the_call[0])

    def counts(self, attempt: Attempt, run: Run, within: timedelta) -> bool:
        """Say whether what answers this attempt still means the incident as it is now."""
        late = self.now - attempt.created_at > within
        return not late and run.incident.opened_at <= attempt.created_at

    @staticmethod
    def reached(attempt: Attempt, action: Action) -> None:
        """Note that a human acted on this attempt."""
        attempt.reached = True
        if action == "acknowledge":
            attempt.status = "acknowledged"

    def act(self, run: Run, action: Action | None, attempt: Attempt, via: str) -> None:
        """Do to the incident what was asked for by whoever this attempt reached."""
        who, now = attempt.responder, self.now
        match action:
            case "acknowledge":
                pages.acknowledge(run, now, by=who, via=via, responder=who, attempt=attempt.id)
            case "escalate":
                pages.escalate(run, now, self.rules, by=who, responder=who, via=via)
            case "mute":
                pages.mute(run, now + pages.KEY_MUTES_FOR, by=who, via=via)
            case "close":
                pages.close(run, now, by=who, via=via, by_hand=True)
            case None:
                pass


def _title_in(incident: Incident, locale: Locale) -> str:
    """Return what to say: of our own incidents, which are titled in both, one language."""
    if not incident.from_ringback:
        return incident.title
    return f"ringback: {words.sentence('incident.triggered', incident.labels)[locale]}"


def new_attempt(  # noqa: PLR0913 - the fields of a row
    responder: str,
    contact: tuple[Channel, str],
    provider: str,
    locale: Locale,
    now: datetime,
    *,
    id_: str | None = None,
    purpose: Purpose = "page",
    unverified: bool = False,
) -> Attempt:
    """Return an attempt on its way to its provider. `contact`: the channel and the address."""
    return Attempt(
        id=id_ or new_id(now),
        ref=new_ref(),
        responder=responder,
        channel=contact[0],
        address=contact[1],
        provider=provider,
        purpose=purpose,
        locale=locale,
        status="sending",
        created_at=now,
        deadline_at=now + attempts.SUBMIT_TAKES_AT_MOST,
        unverified=unverified,
    )
