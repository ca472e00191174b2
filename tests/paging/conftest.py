"""A desk: the domain on a real SQLite file, with time and carriers in the test's own hands."""

import itertools
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import pytest
from sqlalchemy import insert
from sqlalchemy.engine import Engine

from paging import dispatch, incidents, receipts, teams
from paging.errors import DeliveryError, Row
from paging.events import (
    CallAnswered,
    CallEnded,
    CallFailed,
    CallRinging,
    DigitsPressed,
    Event,
    MessageDelivered,
    MessageFailed,
    Receipt,
    ReplyReceived,
)
from paging.menu import DEFAULT
from paging.model import Attempt, Rules
from paging.people import Policy, Responder
from paging.ports import Message, Sent
from paging.requests import AlertGroup, NewIncident
from paging.store import schema, views
from paging.store.database import connect
from paging.store.tables import inbox
from paging.teams import Team
from paging.work import Work

T = TypeVar("T")
START = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
LI, WEI, ZHAO = "+8613700000000", "+8613700000001", "+8613700000002"
NO_ANSWER = Row("recipient_rejected", "no_answer", other_provider=False)
BUSY = Row("recipient_rejected", "busy", other_provider=False)
BAD_NUMBER = Row("recipient_rejected", "bad_number", other_provider=False, again="never")
REFUSED = Row("provider_down", "not_sent")
LOST = Row("unknown", "not_sent", placed="maybe")


class Everyone:
    """A provider that reaches everyone, and has a text for everything."""

    purposes = frozenset({"page", "test", "code", "notice"})

    def serves(self, address: str) -> bool:
        return bool(address)


class Mainland(Everyone):
    """A provider that reaches mainland numbers only, and has no text for notices."""

    purposes = frozenset({"page", "test", "code"})

    def serves(self, address: str) -> bool:
        return address.startswith("+86")


class Links:
    """Stands in for the signed links: what they hold can be read."""

    def acknowledge(self, number: int, responder: str, at: datetime) -> str:
        return f"https://ringback.test/a/{number}/{responder}/{at:%H%M%S}"

    def callers(self, at: datetime) -> str:
        return f"https://ringback.test/callers.vcf?{at:%H%M%S}"


class Call:
    """A submit that left the domain, and the carrier's side of it."""

    def __init__(self, desk: "Desk", attempt: Attempt, request: Message) -> None:
        self._desk, self.attempt, self.request = desk, attempt, request
        self.channel = attempt.channel
        self.to, self.provider, self.ref = attempt.address, attempt.provider, attempt.ref
        self.provider_id = f"id-{attempt.ref}"
        self._events = 0

    def accepted(self) -> "Call":
        """The carrier took it."""
        silence_s = {"voice": 150, "sms": None, "email": 0}[self.channel]
        sent = Sent(self.provider_id, "spoken", silence_s)
        self._desk.work(dispatch.answered, self.attempt.id, sent)
        self._desk.settle()
        return self

    def refused(self, row: Row = REFUSED, *, answered: bool = True) -> None:
        """The carrier refused it, or its answer is lost."""
        error = DeliveryError(self.provider, "code", row, answered=answered)
        self._desk.work(dispatch.answered, self.attempt.id, error)

    def lost(self) -> None:
        """Nobody knows whether the carrier took it."""
        self.refused(LOST, answered=False)

    def receipt(self, *, by_ref: bool = True, key: str | None = None) -> Receipt:
        """A receipt as this carrier would send it; each call of this is another one."""
        self._events += 1
        return Receipt(
            self.provider,
            key or f"{self.ref}:{self._events}",
            ref=self.ref if by_ref else None,
            provider_id=self.provider_id,
            address=self.to,
            channel="sms" if self.channel == "sms" else "voice",
        )

    def rings(self) -> "Call":
        """The phone rings."""
        return self._hear(CallRinging(self.receipt()))

    def is_answered(self) -> "Call":
        """Somebody answers."""
        return self._hear(CallAnswered(self.receipt()))

    def presses(self, digits: str, *, final: bool = False) -> "Call":
        """Keys are pressed."""
        return self._hear(DigitsPressed(self.receipt(), digits, final))

    def ends(self, outcome: Any = "no_key") -> "Call":
        """An answered call ends."""
        return self._hear(CallEnded(self.receipt(), outcome, "200000"))

    def fails(self, row: Row = NO_ANSWER) -> "Call":
        """The call reaches nobody."""
        return self._hear(CallFailed(self.receipt(), "200003", row))

    def is_delivered(self) -> "Call":
        """The text is on the phone."""
        return self._hear(MessageDelivered(self.receipt()))

    def is_undelivered(self, row: Row = BAD_NUMBER) -> "Call":
        """The text reaches no phone."""
        return self._hear(MessageFailed(self.receipt(), "MK:0001", row))

    def _hear(self, event: Event) -> "Call":
        self._desk.hear(event)
        return self


class Desk:
    """The domain with a clock that only the test moves."""

    def __init__(self, engine: Engine, rules: Rules) -> None:
        self._engine, self.rules, self.now = engine, rules, START
        self.up_since = START
        self.calls: list[Call] = []
        self._replies = 0

    def work(self, fn: Callable[..., T], *args: Any, **kwargs: Any) -> T:
        """Run one transaction, then keep what it wants submitted."""
        with self._engine.connect() as conn:
            conn.exec_driver_sql("BEGIN IMMEDIATE")
            work = Work(conn, self.now, self.rules, room=64, up_since=self.up_since)
            try:
                result = fn(work, *args, **kwargs)
            except BaseException:
                conn.exec_driver_sql("ROLLBACK")
                raise
            conn.exec_driver_sql("COMMIT")
        self.calls += [Call(self, attempt, request) for attempt, request in work.to_submit]
        return result

    def team(self, policy: dict[str, Any], **people: Responder) -> None:
        """Set up three people, or these, and the policies `default` and `ops`."""
        known = people or {
            "li": Responder(name="Li", phone=LI),
            "wei": Responder(name="Wei", phone=WEI, locale="en"),
            "zhao": Responder(name="Zhao", phone=ZHAO),
        }
        ops = {"name": "Ops", "steps": [{"targets": ["responder:zhao"], "notify": ["voice"]}]}
        policies = {"default": Policy.model_validate({"name": "Default", **policy})}
        if "zhao" in known:
            policies["ops"] = Policy.model_validate(ops)
        self.work(teams.apply, Team(known, policies=policies), {}, dry_run=False)

    def opens(self, **fields: Any) -> int:
        """Accept an incident and let its page begin; return its number."""
        new = NewIncident.model_validate({"title": "db-1 down", "policy": "default", **fields})
        incident, _ = self.work(incidents.accept, new, "api")
        self.settle()
        return incident.number

    def alerts(self, group: dict[str, Any]) -> tuple[str, int | None]:
        """Take Alertmanager's post."""
        result = self.work(incidents.alertmanager, "default", AlertGroup.model_validate(group))
        self.settle()
        return result

    def act(self, number: int, action: str, **asked: Any) -> None:
        """Do what a person asked for through the API."""
        asked = {"by": None, "by_name": "admin", "note": None, "until": None, **asked}
        self.work(incidents.act, str(number), action, **asked)
        self.settle()

    def hear(self, *heard: Event) -> int:
        """Take receipts; return how many were new."""
        news = self.work(receipts.record, heard[0].receipt.provider, heard)
        self.settle()
        return news

    def replies(
        self, number: str, text: str, *, key: str | None = None, at: datetime | None = None
    ) -> int:
        """Take a reply from this number; return how many were new."""
        self._replies += 1
        receipt = Receipt(
            "alibaba",
            key or f"sms:reply:{self._replies}",
            address=number,
            at=at or self.now,
            caller="106900000000",
            channel="sms",
        )
        return self.hear(ReplyReceived(receipt, text))

    def settle(self) -> None:
        """Do all that is due now."""
        while self.work(dispatch.claim)[0]:
            pass

    def advance(self, seconds: float) -> list[Call]:
        """Let time pass, doing what falls due when it does; return the calls made meanwhile."""
        made, until = len(self.calls), self.now + timedelta(seconds=seconds)
        while True:
            _, next_at = self.work(dispatch.claim)
            if next_at is None or next_at > until:
                break
            self.now = max(self.now, next_at)
        self.now = until
        self.settle()
        return self.calls[made:]

    def last(self) -> Call:
        """Return the newest call."""
        return self.calls[-1]

    def told(self) -> list[tuple[str, str]]:
        """Return (channel, address) of every message so far."""
        return [(call.channel, call.to) for call in self.calls]

    def dialled(self) -> list[tuple[str, str]]:
        """Return (provider, number) of every call so far."""
        return [(call.provider, call.to) for call in self.calls]

    def incident(self, number: int) -> dict[str, Any]:
        """Return the incident as the API shows it."""
        return self.work(lambda work: views.incident_by_number(work.conn, number, whole=True))

    def types(self, number: int) -> list[str]:
        """Return the types of the timeline's lines."""
        return [entry["type"] for entry in self.incident(number)["timeline"]]

    def reasons(self, number: int, type_: str) -> list[str]:
        """Return the reasons of the timeline's lines of one type."""
        return [
            entry["detail"]["reason"]
            for entry in self.incident(number)["timeline"]
            if entry["type"] == type_
        ]


def new_desk(path: Path, *, called_back: bool = True, **changes: Any) -> Desk:
    """Return a desk on a new database at `path`; both carriers have called back before, or not."""
    url = f"sqlite:///{path}"
    schema.upgrade(url)
    phones, all_of_them = {"alibaba": Mainland(), "tencent": Mainland()}, Everyone()
    channels = {"voice": phones, "sms": phones, "email": {"smtp": all_of_them}}
    engine = connect(url)
    with engine.begin() as conn:
        for carrier, key in itertools.product(phones if called_back else (), ("call", "sms:text")):
            row = {"provider": carrier, "event_key": f"{key}:earlier", "event": {}, "at": START}
            conn.execute(insert(inbox).values(attempt="earlier", **row))
    return Desk(
        engine,
        Rules(
            **{
                "channels": channels,
                "menu": DEFAULT,
                "operators": "ops",
                "links": Links(),
                "secret": b"key",
                **changes,
            }
        ),
    )


@pytest.fixture
def desk_with_notices(tmp_path: Path) -> Iterator[Desk]:
    """A desk whose carriers have a text for notices as well."""
    phones, everyone = {"alibaba": Everyone(), "tencent": Everyone()}, {"smtp": Everyone()}
    channels = {"voice": phones, "sms": phones, "email": everyone}
    desk = new_desk(tmp_path / "desk.db", channels=channels)
    yield desk
    desk._engine.dispose()


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """A desk with two carriers, the usual menu and an operators' policy."""
    desk = new_desk(tmp_path / "desk.db")
    yield desk
    desk._engine.dispose()
