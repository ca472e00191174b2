"""The engine as others use it: what may be asked of it, and the loop that does what is due."""

import asyncio
import functools
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Concatenate, ParamSpec, TypeVar

import structlog

from paging import contacts, dispatch, drills, incidents, linked, receipts, teams, why
from paging.errors import DeliveryError, InvalidError, NotFoundError, Row, UnavailableError
from paging.events import Event
from paging.feeds import Feeds
from paging.model import Attempt, Entry, Rules
from paging.people import Channel, Policy, Responder
from paging.ports import Calendars, Clock, Message, Provider, Sent
from paging.requests import AlertGroup, NewIncident
from paging.schedules import Schedule
from paging.store import Transaction, people, runs, schema, views
from paging.store import attempts as attempt_rows
from paging.store import contacts as contact_rows
from paging.store.database import ACCEPTS, ENGINE, RECEIPTS, Store
from paging.store.documents import policies, schedules
from paging.teams import Section, Team
from paging.waiting import woken_or
from paging.work import Work

log = structlog.get_logger(__name__)

SUBMITS_AT_ONCE = 64  # each is a call that a crash may repeat: measured, see docs/adr/0001
_AGAIN_S = 0.5  # between tries to reach a database that does not answer
_NET = timedelta(seconds=1)  # the engine looks this often although nobody woke it
_SHOWN_SINCE = timedelta(hours=24)
_BROKEN = Row("unknown", "not_sent", placed="maybe")

P = ParamSpec("P")
T = TypeVar("T")
Json = dict[str, Any]


class Paging:
    """One per process. Every method is one transaction, committed before it returns."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        rules: Rules,
        providers: Mapping[Channel, Mapping[str, Provider]],
        calendars: Calendars,
    ) -> None:
        self._store = store
        self._clock = clock
        self._rules = rules
        self._providers = providers
        self._feeds = Feeds(store, clock, calendars, functools.partial(self._work, ENGINE))
        self._reading: asyncio.Task[None] | None = None
        self._up_since = clock.now()
        self._wake = asyncio.Event()
        self._submits: set[asyncio.Task[None]] = set()
        self._engine: asyncio.Task[None] | None = None
        self._stopping = False
        self._next_at: datetime | None = None  # until when the engine sleeps
        # Submits asked for, counted by the writer's thread alone, and ended, by the loop's alone.
        self._begun = self._ended = 0

    async def start(self) -> None:
        """Take over what an earlier process left, then do what is due until `stop`."""
        self._store.start()
        self._up_since = self._clock.now()
        left = await self._work(ENGINE, dispatch.take_over)
        if left:
            log.info("attempts.taken_over", count=left)
        operators = self._rules.operators
        if operators is not None and await self._store.read(policies.one, operators) is None:
            log.warning("operators.not_there_yet", policy=operators)
        self._engine = asyncio.create_task(self._run(), name="engine")
        self._reading = asyncio.create_task(self._feeds.run(), name="calendars")

    async def stop(self) -> None:
        """Begin nothing more, finish what is under way, and close the store.

        The engine is asked, not cancelled: a call that is stored is also made, or the next start
        would have to take it for one that may have been placed.
        """
        self._stopping = True
        self._wake.set()
        self._feeds.stop()
        for task in (self._engine, self._reading):
            if task is not None:
                await task
        while self._submits:
            await asyncio.wait(self._submits)
        await asyncio.to_thread(self._store.close)

    async def _work(
        self,
        priority: int,
        fn: Callable[Concatenate[Work, P], T],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """Run `fn` as one transaction; submit what it asked for once that is committed."""
        asked = 0

        def transaction(conn: Transaction) -> tuple[T, Work]:
            nonlocal asked
            room = SUBMITS_AT_ONCE - (self._begun - self._ended)
            work = Work(conn, self._clock.now(), self._rules, room, self._up_since)
            result = fn(work, *args, **kwargs)
            asked = len(work.to_submit)
            self._begun += asked
            return result, work

        try:
            result, work = await self._store.write(priority, transaction)
        except UnavailableError:
            self._ended += asked
            raise
        for attempt, request in work.to_submit:
            task = asyncio.create_task(self._submit(attempt, request))
            self._submits.add(task)
            task.add_done_callback(self._submit_ended)
        self._look_at(work.next_at)
        if work.told:  # after whoever waits has been answered
            asyncio.get_running_loop().call_soon(_log_entries, work.told)
        return result

    def _submit_ended(self, task: asyncio.Task[None]) -> None:
        self._submits.discard(task)
        was_full = self._begun - self._ended >= SUBMITS_AT_ONCE
        self._ended += 1
        if was_full:
            self._wake.set()

    def _look_at(self, at: datetime | None) -> None:
        """Have the engine look at what is due by then."""
        if at is not None and (self._next_at is None or at < self._next_at):
            self._next_at = at
            self._wake.set()

    async def _run(self) -> None:
        """Do what is due, then sleep until more is."""
        while not self._stopping:
            self._wake.clear()
            try:
                await self._claim()
            except UnavailableError:
                await asyncio.sleep(_AGAIN_S)
            except Exception:
                log.exception("engine.broken")
                await asyncio.sleep(_AGAIN_S)

    async def _claim(self) -> None:
        """Do what is due as far as there is room, and sleep when there is no more to be done."""
        self._next_at = None
        done, next_at = await self._work(ENGINE, dispatch.claim)
        self._look_at(next_at)
        if done == 0 and not self._stopping:
            await self._sleep()

    async def _sleep(self) -> None:
        until = self._clock.now() + _NET
        if self._next_at is not None and self._begun - self._ended < SUBMITS_AT_ONCE:
            until = min(until, self._next_at)
        self._wake.clear()
        await woken_or(self._wake, self._clock, until)

    async def _submit(self, attempt: Attempt, request: Message) -> None:
        """Hand one message to its provider and store what it answered."""
        with structlog.contextvars.bound_contextvars(
            incident=request.fields.get("number"),
            attempt=attempt.id,
            provider=attempt.provider,
            channel=attempt.channel,
        ):
            answer = await self._answer(attempt, request)
            while True:
                try:
                    await self._work(ENGINE, dispatch.answered, attempt.id, answer)
                except UnavailableError:
                    await asyncio.sleep(_AGAIN_S)
                else:
                    break

    async def _answer(self, attempt: Attempt, request: Message) -> Sent | DeliveryError | None:
        try:
            provider = self._providers[attempt.channel][attempt.provider]
            sent = await provider.send(request, still_wanted=lambda: self._still_wanted(attempt))
        except DeliveryError as exc:
            log.warning("message.refused", code=exc.code, kind=exc.row.kind, placed=exc.row.placed)
            return exc
        except Exception as exc:  # noqa: BLE001 - the outermost loop: a page must go on
            log.error("message.broken", error=type(exc).__name__)  # noqa: TRY400 - texts hold numbers
            return DeliveryError(attempt.provider, type(exc).__name__, _BROKEN, answered=False)
        if sent is not None:
            log.info("message.taken")
        return sent

    def _still_wanted(self, attempt: Attempt) -> bool:
        """Read, not remembered, in the sending thread.

        A database that cannot be asked does not keep a phone from ringing. Who has an incident is
        said all the more once somebody has it.
        """
        if attempt.purpose == "notice":
            return True
        try:
            return self._store.read_here(attempt_rows.still_wanted, attempt.id)
        except UnavailableError:
            return True

    async def record(self, provider: str, events: Sequence[Event]) -> None:
        """Store and apply receipts; they go before queued accepts."""
        news = await self._work(RECEIPTS, receipts.record, provider, events)
        if news < len(events):
            log.info("callback.repeated", provider=provider, count=len(events) - news)

    async def open_incident(self, new: NewIncident) -> tuple[Json, bool]:
        """Accept an incident; the second value is false when it was open already."""
        return await self._work(ACCEPTS, _accept, new)

    async def act(  # noqa: PLR0913 - one request's fields
        self,
        id_: str,
        action: str,
        *,
        by: str | None,
        by_name: str,
        note: str | None,
        until: datetime | None,
    ) -> Json:
        """Acknowledge, unacknowledge, mute, unmute, close or escalate; return the incident."""
        return await self._work(
            RECEIPTS, _act, id_, action, by=by, by_name=by_name, note=note, until=until
        )

    async def alertmanager(self, policy: str, group: AlertGroup) -> Json:
        """Do what a group of alerts asks for."""
        answer = await self._work(ACCEPTS, _alertmanager, policy, group)
        log.info(
            "alertmanager.received",
            action=answer["action"],
            incident=answer["incident"] and answer["incident"]["number"],
        )
        return answer

    async def list_incidents(
        self, status: str | None, severity: str | None, cursor: str | None, limit: int
    ) -> Json:
        """Return incidents, newest first."""
        before = _cursor_number(cursor)
        items = await self._store.read(
            views.incidents, status=status, severity=severity, before=before, limit=limit + 1
        )
        return _listed(items, limit, "number")

    async def incident(self, id_: str) -> Json:
        """Return one incident, by id or number, with attempts and timeline."""
        return await self._store.read(_incident, id_)

    async def put_responder(self, id_: str, value: Responder) -> tuple[Json, bool]:
        """Create or replace a responder; a contact that stays the same stays proved."""
        created = await self._put(Team(responders={id_: value}))
        return await self.responder(id_), created

    async def put_policy(self, id_: str, value: Policy) -> tuple[Json, bool]:
        """Create or replace a policy; running pages keep the plan they began with."""
        return teams.shown(id_, value), await self._put(Team(policies={id_: value}))

    async def put_schedule(self, id_: str, value: Schedule) -> tuple[Json, bool]:
        """Create or replace a schedule whose calendar, if it has one, can be read."""
        return teams.shown(id_, value), await self._put(Team(schedules={id_: value}))

    async def _put(self, one: Team) -> bool:
        """Apply a team of one item; return whether it is new."""
        (change,) = (await self.apply(one, dry_run=False))["changes"]
        return change["action"] == "added"

    async def apply(self, team: Team, *, dry_run: bool, prune: Collection[Section] = ()) -> Json:
        """Change a team, all or nothing; return the plan. A new calendar is read before."""
        read = await self._feeds.read_new(team.schedules)
        changes = await self._work(ACCEPTS, teams.apply, team, read, dry_run=dry_run, prune=prune)
        self._feeds.wake()
        return {"changes": changes}

    async def responders(self) -> list[Json]:
        """Return all responders."""
        return [
            teams.seen(id_, value)
            for id_, value in (await self._store.read(people.responders)).items()
        ]

    async def responder(self, id_: str) -> Json:
        """Return one responder."""
        known = await self._store.read(people.responders, [id_])
        if id_ not in known:
            raise NotFoundError(f"no responder {id_!r}")
        return teams.seen(id_, known[id_])

    async def delete_responder(self, id_: str) -> None:
        """Delete a responder whom no policy and no schedule names."""
        await self._work(ACCEPTS, teams.delete, "responders", id_)

    async def policies(self) -> list[Json]:
        """Return all policies."""
        return [
            teams.shown(id_, value) for id_, value in (await self._store.read(policies.all)).items()
        ]

    async def policy(self, id_: str) -> Json:
        """Return one policy."""
        value = await self._store.read(policies.one, id_)
        if value is None:
            raise NotFoundError(f"no policy {id_!r}")
        return teams.shown(id_, value)

    async def delete_policy(self, id_: str) -> None:
        """Delete a policy that is not the operators'."""
        await self._work(ACCEPTS, teams.delete, "policies", id_)

    async def schedules(self) -> list[Json]:
        """Return all schedules."""
        return [
            teams.shown(id_, value)
            for id_, value in (await self._store.read(schedules.all)).items()
        ]

    async def schedule(self, id_: str) -> Json:
        """Return one schedule."""
        value = await self._store.read(schedules.one, id_)
        if value is None:
            raise NotFoundError(f"no schedule {id_!r}")
        return teams.shown(id_, value)

    async def delete_schedule(self, id_: str) -> None:
        """Delete a schedule that no policy names."""
        await self._work(ACCEPTS, teams.delete, "schedules", id_)

    async def on_call(self, id_: str, at: datetime | None) -> Json:
        """Return who is on call by a schedule, now or at a time, and who is next."""
        return await self._store.read(views.on_call, id_, at or self._clock.now())

    async def why(self, incident: str, responder: str) -> Json:
        """Return in words why this person was or was not told of this incident."""
        return await self._store.read(why.why, incident, responder)

    async def test_responder(self, id_: str, channel: str, provider: str | None) -> Json:
        """Start a drill: a real message, marked as a test."""
        attempt_id = await self._work(ENGINE, drills.begin, id_, channel, provider)
        return await self.attempt(attempt_id)

    async def attempt(self, id_: str) -> Json:
        """Return one attempt."""
        found = await self._store.read(views.attempt_by_id, id_)
        if found is None:
            raise NotFoundError(f"no attempt {id_!r}")
        return found

    async def list_attempts(
        self, incident: str | None, responder: str | None, cursor: str | None, limit: int
    ) -> Json:
        """Return attempts, newest first; an incident's oldest first."""
        items = await self._store.read(
            _attempts, incident, responder=responder, before=cursor, limit=limit + 1
        )
        return _listed(items, limit, "id")

    async def send_code(self, responder: str, channel: str) -> Json:
        """Send a code by which a contact proves itself; return its attempt."""
        return await self.attempt(await self._work(ENGINE, contacts.send_code, responder, channel))

    async def confirm_code(self, responder: str, channel: str, code: str) -> Json:
        """Note a contact as proved; return its responder."""
        wrong = await self._work(ENGINE, contacts.confirm_code, responder, channel, code)
        if wrong is not None:
            raise wrong
        return await self.responder(responder)

    async def callers(self) -> list[Json]:
        """Return every number that may call or text, configured or learnt."""
        learnt = await self._store.read(contact_rows.callers)
        return [
            {"provider": provider, "channel": channel, "number": number}
            for provider, channel, number in dict.fromkeys((*self._rules.callers, *learnt))
        ]

    async def linked(self, number: int, responder: str, made_at: datetime) -> Json:
        """Return what an acknowledge link shows."""
        return await self._store.read(linked.shown, number, responder, made_at)

    async def acknowledge_by_link(self, number: int, responder: str, made_at: datetime) -> Json:
        """Acknowledge by a link; return what it shows then."""
        return await self._work(RECEIPTS, linked.acknowledge, number, responder, made_at)

    async def providers(self) -> list[Json]:
        """Return how each provider did in the last 24 hours."""
        now = self._clock.now()
        return [
            await self._store.read(views.provider, name, channel, now - _SHOWN_SINCE, now)
            for channel, offers in self._rules.channels.items()
            for name in offers
        ]

    async def ready(self) -> None:
        """Return when an incident can be taken. Raises UnavailableError with the reason."""
        if self._engine is None or self._engine.done():
            raise UnavailableError("the engine is not running")
        if await self._store.read(schema.revision) != schema.newest():
            raise UnavailableError("the database needs `ringback db upgrade`")
        await self._store.write(RECEIPTS, lambda _: None)


# What of a timeline's figures goes into the log: never what was said or written.
_LOGGED = ("reason", "by", "via", "provider", "to", "outcome", "code", "digit", "step", "round")


def _log_entries(told: Sequence[tuple[int, Entry]]) -> None:
    """Log lines of timelines; that nobody was reached is loud."""
    for number, entry in told:
        whose = {"responder": entry.responder, "attempt": entry.attempt}
        figures = {name: entry.detail.get(name) for name in _LOGGED}
        known = {k: v for k, v in (whose | figures).items() if v is not None}
        say = log.warning if entry.type == "incident.exhausted" else log.info
        say(entry.type, incident=number, **known)


def _accept(work: Work, new: NewIncident) -> tuple[Json, bool]:
    incident, created = incidents.accept(work, new, "api")
    return views.of_incident(incident), created


def _act(work: Work, id_: str, action: str, **asked: Any) -> Json:  # noqa: ANN401 - passed on
    number = incidents.act(work, id_, action, **asked)
    return views.incident_by_number(work.conn, number, whole=False)


def _alertmanager(work: Work, policy: str, group: AlertGroup) -> Json:
    verdict, number = incidents.alertmanager(work, policy, group)
    seen = None if number is None else views.incident_by_number(work.conn, number, whole=False)
    return {"action": _DONE[verdict], "incident": seen}


_DONE = {
    "open": "opened",
    "reopen": "reopened",
    "repeat": "repeated",
    "page_again": "repeated",
    "close": "closed",
    "ignore": "ignored",
}


def _incident(conn: Transaction, id_: str) -> Json:
    number = runs.number_of(conn, id_)
    if number is None:
        raise NotFoundError(f"no incident {id_!r}")
    return views.incident_by_number(conn, number, whole=True)


def _attempts(
    conn: Transaction,
    incident: str | None,
    *,
    responder: str | None,
    before: str | None,
    limit: int,
) -> list[Json]:
    number = None if incident is None else runs.number_of(conn, incident)
    if incident is not None and number is None:
        raise NotFoundError(f"no incident {incident!r}")
    return views.attempts(
        conn,
        incidents=None if number is None else [number],
        responder=responder,
        before=before,
        limit=limit,
    )


def _cursor_number(cursor: str | None) -> int | None:
    if cursor is not None and not cursor.isdecimal():
        raise InvalidError("cursor", "expected the `next` of an earlier answer")
    return None if cursor is None else int(cursor)


def _listed(items: list[Json], limit: int, key: str) -> Json:
    shown = items[:limit]
    return {"items": shown, "next": str(shown[-1][key]) if len(items) > limit else None}
