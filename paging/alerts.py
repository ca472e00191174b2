"""What a group of Alertmanager's alerts means for the incident of its key: plain functions.

An alert is told from another by its fingerprint and the time it started, so that what fires again
is news and what is repeated, late or out of order is not.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from paging.model import Incident
from paging.people import Severity
from paging.requests import Alert, AlertGroup

Pair = tuple[str, datetime]
Verdict = Literal["open", "reopen", "repeat", "page_again", "close", "ignore"]

_RANK: dict[Severity, int] = {"info": 0, "warning": 1, "critical": 2}
_WORDS: dict[str, Severity] = {
    "page": "critical",
    "critical": "critical",
    "error": "critical",
    "info": "info",
    "none": "info",
}


@dataclass(frozen=True, slots=True)
class Known:
    """An alert that the incident remembers."""

    resolved: bool
    severity: Severity


def pair(alert: Alert) -> Pair:
    """Return what tells this alert from every other."""
    return alert.fingerprint, alert.starts_at


def severity_of(alert: Alert) -> Severity:
    """Return our word for its severity label; a warning where it has none that we know."""
    return _WORDS.get(alert.labels.get("severity", "").lower(), "warning")


def worst(severities: list[Severity]) -> Severity:
    """Return the most severe."""
    return max(severities, key=_RANK.__getitem__)


def rises(before: Severity, after: Severity) -> bool:
    """Say whether it got worse."""
    return _RANK[after] > _RANK[before]


def title_of(group: AlertGroup) -> str:
    """Return the summary of the worst alert that fires, else the alert's name."""
    firing = [alert for alert in group.alerts if alert.status == "firing"] or list(group.alerts)
    first = max(firing, key=lambda alert: _RANK[severity_of(alert)])
    for text in (
        first.annotations.get("summary"),
        first.annotations.get("title"),
        first.labels.get("alertname"),
    ):
        if text and text.strip():
            return text.strip()[:16_384]
    return "Alertmanager"


def details_of(group: AlertGroup) -> str | None:
    """Return the descriptions of the alerts, one a line."""
    texts = [
        alert.annotations.get("description") or alert.annotations.get("message")
        for alert in group.alerts
    ]
    return "\n".join(dict.fromkeys(text for text in texts if text)) or None


def live(group: AlertGroup, known: Mapping[Pair, Known]) -> dict[Pair, Severity]:
    """Return what truly fires: an alert that was resolved before is only a late message."""
    return {
        pair(alert): severity_of(alert)
        for alert in group.alerts
        if alert.status == "firing" and not (pair(alert) in known and known[pair(alert)].resolved)
    }


def decide(  # noqa: PLR0911, PLR0913 - one verdict a rule, asked in this order
    group: AlertGroup,
    incident: Incident | None,
    known: Mapping[Pair, Known],
    *,
    page_is_exhausted: bool,
    reopen_after: timedelta,
    now: datetime,
) -> Verdict:
    """Say what this group does.

    `incident`: the newest under its key; `known`: all alerts that this key ever had.
    """
    firing = live(group, known)
    new = firing.keys() - known.keys()
    if incident is None:
        return "open" if firing else "ignore"
    if incident.status == "closed":
        if new:
            return "open"
        quiet_until = (incident.closed_at or now) + reopen_after
        if firing and incident.closed_by_hand and now >= quiet_until:
            return "reopen"
        return "ignore"
    if _is_over(group, known):
        return "close"
    if not firing:
        return "ignore"
    if incident.muted_until is None and (
        page_is_exhausted or rises(incident.severity, worst(list(firing.values())))
    ):
        return "page_again"
    return "repeat"


def remembered(
    group: AlertGroup, known: Mapping[Pair, Known], verdict: Verdict
) -> dict[Pair, Known]:
    """Return what is to be stored anew: what is over stays over."""
    changed = {
        pair(alert): Known(resolved=alert.status == "resolved", severity=severity_of(alert))
        for alert in group.alerts
    }
    if verdict == "close":  # a silenced alert's end is never sent: the group's end is its end
        changed |= {key: Known(resolved=True, severity=k.severity) for key, k in known.items()}
    return {
        key: value
        for key, value in changed.items()
        if known.get(key) != value and not (key in known and known[key].resolved)
    }


def _is_over(group: AlertGroup, known: Mapping[Pair, Known]) -> bool:
    """Say whether nothing of the incident fires any more.

    A resolved group of one peer may arrive after the other's newer firing: alerts that began after
    all that this group ends are still on.
    """
    if group.status != "resolved":
        return False
    ended = {pair(alert) for alert in group.alerts}
    last_end = max(alert.ends_at or alert.starts_at for alert in group.alerts)
    return all(alert.resolved or key in ended or key[1] <= last_end for key, alert in known.items())
