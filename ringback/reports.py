"""What the API answers, as lines for a terminal."""

import os
import re
import sys
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from paging import words
from paging.people import Locale

Json = dict[str, Any]
_TAKEN: tuple[str, dict[Locale, str]] = (
    "submitted_at",
    {"zh-CN": "运营商已受理", "en": "taken by the carrier"},
)
_STAGES: dict[str, tuple[tuple[str, dict[Locale, str]], ...]] = {
    "voice": (
        _TAKEN,
        ("ringing_at", {"zh-CN": "响铃", "en": "ringing"}),
        ("answered_at", {"zh-CN": "已接听", "en": "answered"}),
        ("keys", {"zh-CN": "按键", "en": "pressed"}),
        ("ended_at", {"zh-CN": "通话结束", "en": "the call is over"}),
    ),
    "sms": (_TAKEN, ("ended_at", {"zh-CN": "收到送达报告", "en": "its delivery was reported"})),
    "email": (("submitted_at", {"zh-CN": "邮件服务器已接收", "en": "taken by the mail server"}),),
}
_OVER = ("acknowledged", "failed", "unconfirmed", "cancelled")
_STATUSES = {"triggered": "未认领", "acknowledged": "已认领", "closed": "已关闭"}
_SEVERITIES = {"critical": "严重", "warning": "警告", "info": "提示"}
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def say(*lines: str) -> None:
    """Write lines to the terminal now, also where it is a pipe.

    A title comes from anybody: whatever in it would steer the terminal is left out.
    """
    sys.stdout.write("".join(f"{_CONTROL.sub('', line)}\n" for line in lines))
    sys.stdout.flush()


def language(environ: Mapping[str, str]) -> Locale:
    """Return the language of this terminal: Chinese where its locale says so, else English."""
    said = environ.get("LC_ALL") or environ.get("LC_MESSAGES") or environ.get("LANG") or ""
    return "zh-CN" if said.lower().startswith("zh") else "en"


def told(zh: str, en: str) -> str:
    """Return whichever of the two this terminal's language is."""
    return zh if language(os.environ) == "zh-CN" else en


def incident_line(incident: Json) -> str:
    """Return one incident in one line: number, when, how bad, whose, what."""
    status, severity = incident["status"], incident["severity"]
    title = " ".join(incident["title"].split())
    who = incident["closed_by"] or incident["acknowledged_by"]
    whose = f" ({who})" if who else ""
    return (
        f"#{incident['number']:<5} {_local(incident['created_at']):%Y-%m-%d %H:%M}  "
        f"{told(_SEVERITIES[severity], f'{severity:<8}')}  "
        f"{told(_STATUSES[status], status)}{whose}  {title}"
    )


def incident_lines(incident: Json, locale: Locale) -> list[str]:
    """Return one incident with its attempts and timeline."""
    lines = [incident_line(incident), f"{told('策略', 'policy')} {incident['policy']}"]
    if incident["muted_until"]:
        until = f"{_local(incident['muted_until']):%Y-%m-%d %H:%M}"
        lines.append(told(f"静音至 {until}", f"muted until {until}"))
    if incident["link"]:
        lines.append(incident["link"])
    if incident["details"]:
        lines += ["", *incident["details"].splitlines()]
    return [*lines, "", *(timeline_line(entry, locale) for entry in incident["timeline"])]


def timeline_line(entry: Json, locale: Locale) -> str:
    """Return one line of a timeline: local time, whom it is about, what happened."""
    who = f"{entry['responder']}: " if entry["responder"] else ""
    note = f" ({entry['detail']['note']})" if entry["detail"].get("note") else ""
    return f"{_local(entry['at']):%m-%d %H:%M:%S}  {who}{entry['detail']['text'][locale]}{note}"


_NOBODY = {
    "override": ("按安排无人值班", "nobody, by an override"),
    "gap": ("无人值班", "nobody"),
}
_HOW = {"override": (" (替班)", " (override)"), "feed": (" (日历)", " (calendar)")}


def on_call_lines(schedule: Json, seen: Json) -> list[str]:
    """Return who has a schedule's shift, until when, and who is next; what its calendar lacks."""
    who = seen["responder"]
    said = who + told(*_HOW.get(seen["why"], ("", ""))) if who else told(*_NOBODY[seen["why"]])
    until, following = _until(seen["until"]), seen["next"]
    lines = [f"{schedule['id']}: {said}{until}"]
    if following:
        begins = f"{_local(following['from']):%Y-%m-%d %H:%M}"
        then = following["responder"]
        lines.append(told(f"    下一位 {then},{begins} 起", f"    then {then}, from {begins}"))
    return lines + (_calendar_lines(seen["calendar"]) if seen["calendar"] else [])


def _calendar_lines(calendar: Json) -> list[str]:
    """Return what is wrong with a schedule's calendar."""
    lines: list[str] = []
    if calendar["error"]:
        read_at = f"{_local(calendar['read_at']):%Y-%m-%d %H:%M}"
        lines.append(
            told(
                f"    日历无法读取({calendar['error']}),沿用 {read_at} 的内容",
                f"    its calendar cannot be read ({calendar['error']}): as it was at {read_at}",
            )
        )
    for one in calendar["unmatched"]:
        candidates = ", ".join(one["candidates"])
        about = f" ({candidates})" if candidates else ""
        lines.append(
            told(f"    日历事件无人认得:{one['text']}", f"    an event of no one's: {one['text']}")
            + about
        )
    return lines


def _until(moment: str | None) -> str:
    if moment is None:
        return ""
    at = f"{_local(moment):%Y-%m-%d %H:%M}"
    return told(f",至 {at}", f", until {at}")


def why_lines(found: Json, locale: Locale) -> list[str]:
    """Return why somebody was told or not, then what happened to them."""
    reasons = [reason[locale] for reason in found["reasons"]]
    return [*reasons, "", *(timeline_line(entry, locale) for entry in found["timeline"])]


def new_stages(attempt: Json, shown: set[str], locale: Locale) -> Iterable[str]:
    """Return a line per stage not shown yet, with the time since the attempt began."""
    began = datetime.fromisoformat(attempt["created_at"])
    for field, names in _STAGES[attempt["channel"]]:
        value: str | None = attempt[field]
        if not value or field in shown:
            continue
        shown.add(field)
        if field == "keys":
            yield f"            {names[locale]} {value}"
        else:
            took = (datetime.fromisoformat(value) - began).total_seconds()
            yield f"{took:>8.1f} s  {names[locale]}"


def is_over(attempt: Json) -> bool:
    """Say whether nothing more is to be expected of this attempt."""
    return attempt["status"] in _OVER or attempt["ended_at"] is not None


def reached(attempt: Json) -> bool:
    """Say whether the test came as far as its channel can tell.

    Of a call that is a key: answered is not enough, a voicemail does that as well.
    """
    match attempt["channel"]:
        case "voice":
            return bool(attempt["keys"])
        case "sms":
            return attempt["status"] in ("delivered", "acknowledged")
        case _:
            return attempt["status"] == "submitted"


def failure(attempt: Json, locale: Locale) -> str:
    """Return why an attempt did not reach anybody, in words."""
    why: Json = attempt["failure"] or {"outcome": "no_receipt", "code": ""}
    detail = {"reason": why["outcome"], "provider": attempt["provider"], "code": why["code"]}
    return words.sentence("attempt.failed", detail)[locale]


def _local(moment: str) -> datetime:
    return datetime.fromisoformat(moment).astimezone()
