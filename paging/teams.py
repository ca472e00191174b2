"""Changing who there is to page: all or nothing, with the plan of what changed."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Literal

from paging.errors import ConflictError, InvalidError, NotFoundError
from paging.oncall import FeedEvent
from paging.people import Person, Policy, Responder
from paging.schedules import Schedule
from paging.store import feeds, people
from paging.store.documents import policies, schedules
from paging.work import Work

Json = dict[str, Any]
Section = Literal["responders", "schedules", "policies"]
# A section before those that name its items; deleting goes the other way.
SECTIONS: tuple[Section, ...] = ("responders", "schedules", "policies")
KINDS: Mapping[Section, str] = {
    "responders": "responder",
    "schedules": "schedule",
    "policies": "policy",
}
READ_AGAIN = timedelta(minutes=15)  # a swap that is written at the last minute still counts


@dataclass(frozen=True, slots=True)
class Team:
    """What there is to be, by id; what it does not name stays as it is."""

    responders: Mapping[str, Responder] = field(default_factory=dict[str, Responder])
    schedules: Mapping[str, Schedule] = field(default_factory=dict[str, Schedule])
    policies: Mapping[str, Policy] = field(default_factory=dict[str, Policy])

    def section(self, name: Section) -> Mapping[str, Responder | Schedule | Policy]:
        """Return one kind of items."""
        return {
            "responders": self.responders,
            "schedules": self.schedules,
            "policies": self.policies,
        }[name]


def shown(id_: str, value: Responder | Schedule | Policy) -> Json:
    """Return an item as its owner wrote it."""
    written = value.model_dump(mode="json", exclude_none=True, exclude={"verified"})
    return {"id": id_, **written}


def seen(id_: str, person: Person) -> Json:
    """Return a responder as the API shows it: also which contacts are proved."""
    return {**shown(id_, person), "verified": sorted(person.verified)}


def apply(
    work: Work,
    team: Team,
    calendars: Mapping[str, Sequence[FeedEvent]],
    *,
    dry_run: bool,
    prune: Collection[Section] = (),
) -> list[Json]:
    """Return one entry per item: added, changed with before and after, removed, or unchanged.

    `calendars`: what the calendars say whose address is new, by schedule. `prune`: sections of
    which nothing stays that the team does not name. Raises InvalidError, naming the field, or
    ConflictError, before anything changes.
    """
    old = Team(people.responders(work.conn), schedules.all(work.conn), policies.all(work.conn))
    gone: dict[Section, set[str]] = {
        name: set(old.section(name)) - set(team.section(name)) if name in prune else set()
        for name in SECTIONS
    }
    _check_references(old, team, gone)
    for id_, person in team.responders.items():
        _check_number(work, id_, person)
    if work.rules.operators in gone["policies"]:
        raise ConflictError("[operators] policy names a policy that would go; keep it")
    written: list[tuple[Section, str, Any]] = [
        (name, id_, new) for name in SECTIONS for id_, new in team.section(name).items()
    ]
    removed: list[tuple[Section, str]] = [
        (name, id_) for name in reversed(SECTIONS) for id_ in sorted(gone[name])
    ]
    changes = [_change(name, id_, old.section(name).get(id_), new) for name, id_, new in written]
    if not dry_run:
        for change, (name, id_, new) in zip(changes, written, strict=True):
            if change["action"] != "unchanged":
                _PUT[name](work, id_, new)
        for id_, events in calendars.items():
            note_calendar(work, id_, team.schedules[id_].url or "", events)
        for name, id_ in removed:
            _DELETE[name](work, id_)
    return changes + [_change(name, id_, old.section(name)[id_], None) for name, id_ in removed]


def _put_schedule(work: Work, id_: str, new: Schedule) -> None:
    schedules.put(work.conn, id_, new, work.now)
    if new.url is None:
        feeds.forget(work.conn, id_)


_PUT: Mapping[Section, Callable[[Work, str, Any], None]] = {
    "responders": lambda work, id_, new: people.put_responder(work.conn, id_, new, work.now),
    "schedules": _put_schedule,
    "policies": lambda work, id_, new: policies.put(work.conn, id_, new, work.now),
}
_DELETE: Mapping[Section, Callable[[Work, str], bool]] = {
    "responders": lambda work, id_: people.delete_responder(work.conn, id_),
    "schedules": lambda work, id_: schedules.delete(work.conn, id_),
    "policies": lambda work, id_: policies.delete(work.conn, id_),
}


def note_calendar(work: Work, schedule: str, url: str, events: Sequence[FeedEvent]) -> None:
    """Note what a schedule's calendar says now."""
    feeds.put(work.conn, schedule, url, events, read_at=work.now, next_at=work.now + READ_AGAIN)


def _change(
    section: Section,
    id_: str,
    before: Responder | Schedule | Policy | None,
    after: Responder | Schedule | Policy | None,
) -> Json:
    was = None if before is None else shown(id_, before)
    will_be = None if after is None else shown(id_, after)
    if was == will_be:
        action = "unchanged"
    elif was is None:
        action = "added"
    else:
        action = "removed" if will_be is None else "changed"
    return {"kind": KINDS[section], "id": id_, "action": action, "before": was, "after": will_be}


def _check_references(old: Team, new: Team, gone: Mapping[Section, Collection[str]]) -> None:
    """Raise for whatever would name an item that is not there afterwards."""
    stays = {
        name: (old.section(name).keys() - gone[name]) | new.section(name).keys()
        for name in SECTIONS
    }
    for one in _references(new):
        if one.names not in stays[one.section]:
            kind = KINDS[one.section]
            raise InvalidError(
                f"{one.owner}.{one.id}.{one.field}",
                f"'{kind}:{one.names}' does not exist; expected the id of a {kind}",
            )
    for one in _references(old):
        rewritten = one.id in new.section(one.owner) or one.id in gone[one.owner]
        if not rewritten and one.names in gone[one.section]:
            raise ConflictError(
                f"{KINDS[one.owner]} {one.id!r} names {KINDS[one.section]} {one.names!r}, "
                "which would be removed; change it first"
            )


@dataclass(frozen=True, slots=True)
class _Reference:
    """An item's field that names an item of `section`."""

    owner: Section
    id: str
    field: str
    section: Section
    names: str


def _references(team: Team) -> Iterator[_Reference]:
    for id_, schedule in team.schedules.items():
        for i, name in enumerate(schedule.rotation.responders if schedule.rotation else ()):
            yield _Reference("schedules", id_, f"rotation.responders.{i}", "responders", name)
        for i, override in enumerate(schedule.overrides):
            if override.responder is not None:
                path = f"overrides.{i}.responder"
                yield _Reference("schedules", id_, path, "responders", override.responder)
    for id_, policy in team.policies.items():
        for i, step in enumerate(policy.steps):
            for j, target in enumerate(step.targets):
                kind, _, name = target.partition(":")
                section: Section = "schedules" if kind == "schedule" else "responders"
                yield _Reference("policies", id_, f"steps.{i}.targets.{j}", section, name)


def _check_number(work: Work, id_: str, person: Responder) -> None:
    """Find out now, not at night, that no provider serves a number."""
    phone, rules = person.phone, work.rules
    if phone and not any(rules.serving(channel, phone) for channel in ("voice", "sms")):
        on = [
            f"{name} {channel}"
            for channel in ("voice", "sms")
            for name in rules.channels.get(channel, ())
        ]
        raise InvalidError(
            f"responders.{id_}.phone",
            f"expected a number that a provider serves which is on: {', '.join(on) or 'none'}",
        )


def delete(work: Work, section: Section, id_: str) -> None:
    """Delete one item. Raises ConflictError while another names it. Running pages keep their plan.

    Raises NotFoundError.
    """
    if section == "policies" and id_ == work.rules.operators:
        raise ConflictError("[operators] policy names this policy; change the settings first")
    known = Team(schedules=schedules.all(work.conn), policies=policies.all(work.conn))
    for one in _references(known):
        if (one.section, one.names) == (section, id_):
            raise ConflictError(
                f"{KINDS[one.owner]} {one.id!r} names this {KINDS[section]}; change it first"
            )
    if not _DELETE[section](work, id_):
        raise NotFoundError(f"no {KINDS[section]} {id_!r}")
