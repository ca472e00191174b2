"""Changing who there is to page: all or nothing, with the plan of what changed."""

from collections.abc import Mapping
from typing import Any

from paging.errors import ConflictError, InvalidError, NotFoundError
from paging.people import Person, Policy, Responder
from paging.store import people
from paging.work import Work

Json = dict[str, Any]


def shown(id_: str, value: Responder | Policy) -> Json:
    """Return a responder or policy as its owner wrote it."""
    written = value.model_dump(mode="json", exclude_none=True, exclude={"verified"})
    return {"id": id_, **written}


def seen(id_: str, person: Person) -> Json:
    """Return a responder as the API shows it: also which contacts are proved."""
    return {**shown(id_, person), "verified": sorted(person.verified)}


def apply(
    work: Work,
    responders: Mapping[str, Responder],
    policies: Mapping[str, Policy],
    *,
    dry_run: bool,
) -> list[Json]:
    """Return one entry per item: added, changed with before and after, or unchanged.

    Raises InvalidError, before anything changes, for a reference to nobody.
    """
    old_people, old_policies = people.responders(work.conn), people.policies(work.conn)
    _check_references(policies, old_people.keys() | responders.keys())
    for id_, person in responders.items():
        _check_number(work, id_, person)
    changes = [
        *(_change("responder", id_, old_people.get(id_), new) for id_, new in responders.items()),
        *(_change("policy", id_, old_policies.get(id_), new) for id_, new in policies.items()),
    ]
    if not dry_run:
        moved = {(c["kind"], c["id"]) for c in changes if c["action"] != "unchanged"}
        for id_, person in responders.items():
            if ("responder", id_) in moved:
                people.put_responder(work.conn, id_, person, work.now)
        for id_, policy in policies.items():
            if ("policy", id_) in moved:
                people.put_policy(work.conn, id_, policy, work.now)
    return changes


def _change(
    kind: str, id_: str, before: Responder | Policy | None, after: Responder | Policy
) -> Json:
    was, will_be = None if before is None else shown(id_, before), shown(id_, after)
    action = "added" if was is None else "unchanged" if was == will_be else "changed"
    return {"kind": kind, "id": id_, "action": action, "before": was, "after": will_be}


def _check_references(policies: Mapping[str, Policy], known: set[str]) -> None:
    for id_, policy in policies.items():
        for i, step in enumerate(policy.steps):
            for j, target in enumerate(step.targets):
                if target.partition(":")[2] not in known:
                    raise InvalidError(
                        f"policies.{id_}.steps.{i}.targets.{j}",
                        f"{target!r} does not exist; expected the id of a responder",
                    )


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


def delete_responder(work: Work, id_: str) -> None:
    """Delete a responder, unless a policy would then tell nobody."""
    for policy_id, policy in people.policies(work.conn).items():
        if id_ in policy.responders:
            raise ConflictError(f"policy {policy_id!r} names this responder; change it first")
    if not people.delete_responder(work.conn, id_):
        raise NotFoundError(f"no responder {id_!r}")


def delete_policy(work: Work, id_: str) -> None:
    """Delete a policy. Pages that run it keep their copy."""
    if id_ == work.rules.operators:
        raise ConflictError("[operators] policy names this policy; change the settings first")
    if not people.delete_policy(work.conn, id_):
        raise NotFoundError(f"no policy {id_!r}")
