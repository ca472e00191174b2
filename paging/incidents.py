"""Accepting incidents, and what people and systems do to them: one transaction each."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from paging import alerts, pages
from paging.errors import ConflictError, InvalidError, NotFoundError
from paging.ids import new_id
from paging.model import Entry, Incident, Run
from paging.people import Policy, Severity
from paging.requests import AlertGroup, NewIncident
from paging.store import people, runs
from paging.store.documents import policies
from paging.work import Work

MUTE_AT_MOST = timedelta(days=7)


def accept(work: Work, new: NewIncident, source: str) -> tuple[Incident, bool]:
    """Store an incident and its page; return it and whether it is new.

    One that is already open under the same dedup key is repeated instead.
    """
    if new.dedup_key is not None:
        known = runs.open_number(work.conn, new.dedup_key)
        if known is not None:
            repeat(work, known, source)
            return runs.load(work.conn, known).incident, False
    return _open(work, new, source), True


def _open(work: Work, new: NewIncident, source: str, alert_count: int = 1) -> Incident:
    plan = _plan(work, new.policy)
    incident = Incident(
        number=0,
        id=new_id(work.now),
        title=new.title,
        severity=new.severity,
        policy=new.policy,
        status="triggered",
        created_at=work.now,
        opened_at=work.now,
        dedup_key=new.dedup_key,
        details=new.details,
        labels=new.labels,
        link=new.link,
        alerts=alert_count,
    )
    run = runs.insert_incident(work.conn, incident)
    run.note("incident.triggered", "accepted", source=source)
    pages.new_page(run, plan, work.now)
    work.begin(run)
    return incident


def repeat(work: Work, number: int, source: str) -> None:
    """Record that an open incident was reported again."""
    entry = Entry("incident.repeated", {"reason": "repeated", "source": source})
    work.tell(number, [entry])


def _plan(work: Work, policy: str) -> Policy:
    plan = policies.one(work.conn, policy)
    if plan is None:
        raise InvalidError("policy", f"no policy {policy!r}; expected the id of an existing one")
    return plan


def act(  # noqa: PLR0913 - one request's fields
    work: Work,
    id_: str,
    action: str,
    *,
    by: str | None,
    by_name: str,
    note: str | None,
    until: datetime | None,
) -> int:
    """Do to an incident what a person asked for; return its number. Repeating is harmless."""
    number = runs.number_of(work.conn, id_)
    if number is None:
        raise NotFoundError(f"no incident {id_!r}")
    if by is not None and by not in people.responders(work.conn, [by]):
        raise InvalidError("by", f"no responder {by!r}; expected the id of an existing one")
    work.change(number, _action(work, action, by=by, by_name=by_name, note=note, until=until))
    return number


def _action(  # noqa: PLR0913 - as above
    work: Work,
    action: str,
    *,
    by: str | None,
    by_name: str,
    note: str | None,
    until: datetime | None,
) -> Callable[[Run], None]:
    who, now = by or by_name, work.now
    noted = {"note": note} if note else {}

    def decide(run: Run) -> None:
        match action:
            case "acknowledge":
                pages.acknowledge(run, now, by=who, via="api", responder=by, note=note)
            case "unacknowledge":
                _unacknowledge(work, run, who, noted)
            case "mute":
                _mute(work, run, until, who, noted)
            case "unmute":
                pages.unmute(run, now, by=who, **noted)
                pages.tick(run, now, work.rules)
            case "close":
                pages.close(run, now, by=who, via="api", by_hand=True, **noted)
            case "escalate":
                _escalate(work, run, who, by, noted)
            case _:
                raise NotFoundError(f"no action {action!r}")

    return decide


def _mute(work: Work, run: Run, until: datetime | None, who: str, noted: Mapping[str, str]) -> None:
    if until is None or not work.now < until <= work.now + MUTE_AT_MOST:
        raise InvalidError("until", "expected a time within the next 7 days")
    if not pages.mute(run, until, by=who, via="api", **noted):
        raise ConflictError(
            f"the incident is {run.incident.status}; only a triggered one can be muted"
        )


def _escalate(work: Work, run: Run, who: str, by: str | None, noted: Mapping[str, str]) -> None:
    if not pages.escalate(run, work.now, work.rules, by=who, responder=by, via="api", **noted):
        raise ConflictError("no page is running for this incident; there is no next step to start")


def _unacknowledge(work: Work, run: Run, who: str, noted: Mapping[str, str]) -> None:
    if run.incident.status == "closed":
        raise ConflictError("the incident is closed; only an acknowledged one can be given back")
    if run.incident.status == "acknowledged":
        plan = policies.one(work.conn, run.incident.policy)
        if plan is None:
            raise ConflictError(f"its policy {run.incident.policy!r} is no more: nobody to page")
        pages.reopen(run, plan, work.now)
        run.note("incident.unacknowledged", "given_back", by=who, **noted)


def alertmanager(work: Work, policy: str, group: AlertGroup) -> tuple[alerts.Verdict, int | None]:
    """Do what a group of alerts asks for; return the verdict and the incident's number."""
    plan = _plan(work, policy)
    key = f"alertmanager:{policy}:{group.group_key}"
    number = runs.last_number(work.conn, key)
    run = runs.load(work.conn, number) if number is not None else None
    known = runs.alerts(work.conn, key)
    verdict = alerts.decide(
        group,
        run.incident if run is not None else None,
        known,
        page_is_exhausted=run is not None
        and run.page is not None
        and run.page.state == "exhausted",
        reopen_after=timedelta(seconds=work.rules.reopen_after_s),
        now=work.now,
    )
    if verdict == "open":
        opened = _open(work, _incident_of(policy, key, group), "alertmanager", _firing(group))
        number = opened.number
    elif run is not None and verdict != "ignore":
        _apply(work, run, verdict, group, plan, known)
    runs.put_alerts(work.conn, key, alerts.remembered(group, known, verdict))
    return verdict, number


def _incident_of(policy: str, key: str, group: AlertGroup) -> NewIncident:
    labels = dict(list({**group.common_labels, **group.group_labels}.items())[:64])
    firing: list[Severity] = [
        alerts.severity_of(alert) for alert in group.alerts if alert.status == "firing"
    ]
    link = group.external_url
    return NewIncident.model_construct(
        title=alerts.title_of(group),
        policy=policy,
        details=(alerts.details_of(group) or "")[:65_536] or None,
        severity=alerts.worst(firing),
        dedup_key=key,
        labels=labels,
        link=link if link.startswith(("http://", "https://")) else None,
    )


def _firing(group: AlertGroup) -> int:
    return sum(alert.status == "firing" for alert in group.alerts) + group.truncated_alerts


def _apply(  # noqa: PLR0913, PLR0917 - what was decided, and on what
    work: Work,
    run: Run,
    verdict: alerts.Verdict,
    group: AlertGroup,
    plan: Policy,
    known: Mapping[alerts.Pair, alerts.Known],
) -> None:
    incident = run.incident
    if verdict == "close":
        pages.close(run, work.now, by="alertmanager", via="resolved", by_hand=False)
        work.store(run)
        return
    run.note("incident.repeated", verdict, source="alertmanager", alerts=_firing(group))
    incident.alerts = max(_firing(group), 1)
    worst = alerts.worst(list(alerts.live(group, known).values()))
    if alerts.rises(incident.severity, worst):
        incident.severity = worst
    if verdict in ("reopen", "page_again"):
        pages.reopen(run, plan, work.now)
        run.note("incident.triggered", verdict, source="alertmanager")
    work.store(run)
