"""Changing who there is to page: all or nothing, with the plan of what changed."""

from collections.abc import Mapping
from typing import Any

from paging.errors import ConflictError, InvalidError, NotFoundError
from paging.people import Policy, Responder
from paging.store import people
from paging.work import Work

Json = dict[str, Any]


def shown(id_: str, value: Responder | Policy) -> Json:
    """Return a responder or policy as the API shows it."""
    return {"id": id_, **value.model_dump(mode="json", exclude_none=True)}


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
    action = "added" if before is None else "unchanged" if before == after else "changed"
    return {
        "kind": kind,
        "id": id_,
        "action": action,
        "before": None if before is None else shown(id_, before),
        "after": shown(id_, after),
    }


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
    phone = person.phone
    if phone and not any(serves(phone) for serves in work.rules.voice.values()):
        on = ", ".join(work.rules.voice) or "none"
        raise InvalidError(
            f"responders.{id_}.phone",
            f"expected a number that a voice provider serves which is on: {on}",
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
