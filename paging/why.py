"""Why somebody was told of an incident, told late, or not told, in words."""

from typing import Any

from paging.errors import NotFoundError
from paging.model import Page, Run
from paging.store import Transaction, people, runs, views

Json = dict[str, Any]
Said = dict[str, str]


def why(conn: Transaction, incident: str, responder: str) -> Json:
    """Return `{incident, responder, told, reasons, timeline}`.

    `reasons`: from the present page, in both languages; `timeline`: what happened to this person
    and to whoever was on call. Raises NotFoundError.
    """
    number = runs.number_of(conn, incident)
    if number is None:
        raise NotFoundError(f"no incident {incident!r}")
    if responder not in people.responders(conn, [responder]):
        raise NotFoundError(f"no responder {responder!r}")
    run = runs.load(conn, number)
    lines = views.entries(conn, number, run.incident.id)
    mine = [
        line
        for line in lines
        if line["responder"] == responder or line["type"].startswith("oncall.")
    ]
    sent = [
        line
        for line in mine
        if (line["responder"], line["type"]) == (responder, "attempt.submitted")
    ]
    return {
        "incident": run.incident.id,
        "responder": responder,
        "told": bool(sent),
        "reasons": _reasons(run, responder, times_told=len(sent)),
        "timeline": mine,
    }


def _reasons(run: Run, responder: str, *, times_told: int) -> list[Said]:
    page = run.page
    if page is None:
        return [_said("这条告警没有呼叫过任何人", "this incident has paged nobody")]
    reasons: list[Said] = []
    if times_told:
        reasons.append(
            _said(
                f"已发送 {times_told} 次,见时间线",
                f"told {times_told} time{'s' if times_told > 1 else ''}, as the timeline says",
            )
        )
    for i, step in enumerate(page.plan.steps):
        if responder in step.named("responder"):
            reasons.append(_in_step(page, i, "直接通知此人", "tells this person"))
        for schedule in step.named("schedule"):
            reasons += _by_schedule(run, page, i, schedule, responder)
    if len(reasons) == bool(times_told):
        reasons.append(
            _said(
                f"策略 {run.incident.policy} 没有任何一步通知此人,直接或经由值班表",
                f"policy {run.incident.policy} tells this person in no step, "
                "neither directly nor by a schedule",
            )
        )
    return [*reasons, *_ended(run, page)]


def _by_schedule(run: Run, page: Page, i: int, schedule: str, responder: str) -> list[Said]:
    """Say what a step that tells whoever is on call meant for this person."""
    if any(
        (one.step, one.responder, one.schedule) == (i, responder, schedule) for one in run.tellings
    ):
        return [_in_step(page, i, f"经值班表 {schedule} 通知此人", f"told them by {schedule}")]
    roster = run.rosters.get(schedule)
    if roster is None or responder not in roster.responders:
        return []
    return [
        _in_step(
            page,
            i,
            f"通知值班表 {schedule} 当时的值班人,不是此人",
            f"tells whoever is on call by {schedule}, which was not this person",
        )
    ]


def _in_step(page: Page, i: int, zh: str, en: str) -> Said:
    """Begin with which step it is, and end with whether it has begun."""
    if page.round or page.step >= i:
        return _said(f"第 {i + 1} 步{zh}", f"step {i + 1} {en}")
    return _said(f"第 {i + 1} 步{zh},但尚未走到", f"step {i + 1} {en}, but has not begun")


_ENDS = {
    "acknowledged": ("告警已被认领,其余通知停止", "it was acknowledged, and the rest stopped"),
    "closed": ("告警已关闭,其余通知停止", "it was closed, and the rest stopped"),
    "exhausted": ("策略已走完,无人认领", "the policy has run out, and nobody has it"),
    "muted": ("告警已静音", "it is muted"),
}


def _ended(run: Run, page: Page) -> list[Said]:
    known = _ENDS.get(page.state)
    if known is None:
        return []
    by = run.incident.acknowledged_by or run.incident.closed_by
    return [_said(*(f"{text} ({by})" if by else text for text in known))]


def _said(zh: str, en: str) -> Said:
    return {"zh-CN": zh, "en": en}
