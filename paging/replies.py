"""What somebody means who answers a text, and doing it."""

import re
import unicodedata
from dataclasses import dataclass
from datetime import timedelta

from paging import events
from paging.events import ReplyReceived
from paging.menu import Action, Menu
from paging.model import Attempt, Entry, Run
from paging.store import answers, runs
from paging.store import attempts as rows
from paging.work import Work

READ_FIRST = timedelta(seconds=15)  # nobody has read, and answered, a text any sooner
COUNTS_FOR = timedelta(hours=48)  # as long as carriers match a reply to a text
HELPED_AT_MOST = 5
_UNSEEN = ("Cc", "Cf")
_KEPT = 70  # characters of a reply in the timeline: one text

_WORDS: dict[str, Action] = {
    **dict.fromkeys(("认领", "認領", "ack", "acknowledge", "a"), "acknowledge"),
    **dict.fromkeys(("转下一位", "转", "轉", "escalate", "next"), "escalate"),
    **dict.fromkeys(("静音", "靜音", "mute"), "mute"),
    **dict.fromkeys(("关闭", "關閉", "close", "c"), "close"),
}
_BETWEEN = r"[\s,.;:#\-_、。号號编編]"
_AROUND = r"[\s,.;:、。!?'\"“”‘’()\[\]【】]"
_DIGIT = re.compile(rf"([0-9*#])(?:{_BETWEEN}+([0-9]{{1,9}}))?")
_NAMES = "|".join(sorted(_WORDS, key=len, reverse=True))
_WORD = re.compile(rf"({_NAMES}){_BETWEEN}*([0-9]{{1,9}})?")


@dataclass(frozen=True, slots=True)
class Meaning:
    """An action, and the code of the incident that is meant; None: that of the last text."""

    action: Action
    code: int | None


def understood(text: str, menu: Menu) -> Meaning | None:
    """Return what a reply means; None for anything that is not plainly one of the actions.

    Full-width digits, capitals and marks around it make no difference. "13" is not "1 3".
    """
    plain = unicodedata.normalize("NFKC", text).casefold()
    # Unseen characters come along where a text was copied, or written from right to left.
    plain = "".join(c for c in plain if c.isspace() or unicodedata.category(c) not in _UNSEEN)
    plain = re.sub(rf"^{_AROUND}+|{_AROUND}+$", "", plain)
    if found := _DIGIT.fullmatch(plain):
        action = menu.get(found[1])
    elif found := _WORD.fullmatch(plain):
        action = _WORDS[found[1]] if _WORDS[found[1]] in menu.values() else None
    else:
        return None
    return None if action is None else Meaning(action, int(found[2]) if found[2] else None)


def record(work: Work, event: ReplyReceived) -> bool:
    """Store a reply and do what it asks for; False when it was stored before.

    One from a number that was never texted changes nothing and is not answered.
    """
    receipt = event.receipt
    address = receipt.address or ""
    meaning = understood(event.text, work.rules.menu)
    number = _incident_meant(work, address, meaning.code) if meaning and meaning.code else None
    text = _meant(work, event, meaning, number)
    if not rows.receive(
        work.conn,
        provider=receipt.provider,
        key=receipt.key,
        event=events.dump(event),
        provider_id=None,
        address=receipt.address,
        at=work.now,
        attempt_id="" if text is None else text.id,  # never parked: nothing else will claim it
    ):
        return False
    last = text or answers.last_text(work.conn, address, work.now - COUNTS_FOR)
    if last is None:
        return True
    loaded = [runs.load(work.conn, number) for number, _ in runs.pages_of(work.conn, last.id)]
    said = {"text": event.text.strip()[:_KEPT], "channel": "sms", "provider": receipt.provider}
    if text is None or meaning is None:
        reason = "not_understood" if meaning is None else "unknown_code"
        _help(work, last, loaded, Entry("reply.received", {"reason": reason, **said}))
        return True
    if meaning.code is not None:
        loaded = [run for run in loaded if run.incident.number == number]
    _do(work, text, loaded, meaning, said)
    return True


def _meant(
    work: Work, event: ReplyReceived, meaning: Meaning | None, number: int | None
) -> Attempt | None:
    """Return the text that this reply answers. `number`: the incident that its code means, if any.

    Without a code, the last one sent well before the reply; or the only one of these days, however
    young, since nothing else can be meant.
    """
    address, since = event.receipt.address or "", work.now - COUNTS_FOR
    if meaning is None:
        return None
    if meaning.code is not None:
        return (
            None if number is None else answers.last_text(work.conn, address, since, about=number)
        )
    said_at = min(event.receipt.at or work.now, work.now)
    found = answers.last_text(work.conn, address, since, before=said_at - READ_FIRST)
    if found is not None:
        return found
    only = answers.last_text(work.conn, address, since)
    alone = only is not None and answers.is_alone(work.conn, only, since)
    return only if alone else None


def _incident_meant(work: Work, address: str, code: int) -> int | None:
    """Return the incident that this number may mean by `code`: by its code, or by its number."""
    by_code = answers.incident_of(work.conn, address, code)
    if by_code is not None:
        return by_code
    known = answers.last_text(work.conn, address, work.now - COUNTS_FOR, about=code)
    return None if known is None else code


def _do(
    work: Work, text: Attempt, about: list[Run], meaning: Meaning, said: dict[str, str]
) -> None:
    """Do what was asked for, to everything that the text was about, and answer."""
    counted = not about  # a drill has nothing to act on, and yet proves a human
    for run in about:
        counts = work.counts(text, run, COUNTS_FOR)
        reason = meaning.action if counts else "too_late"
        run.entries.append(
            Entry("reply.received", {"reason": reason, **said}, text.responder, text.id)
        )
        if counts:
            work.act(run, meaning.action, text, "reply")
        counted = counted or counts
    if counted:
        work.reached(text, meaning.action)
    rows.save(work.conn, text)
    for run in about:
        work.store(run)
    answers.forget_help(work.conn, text.address)
    if about:
        work.notice(text.responder, about[0])


def _help(work: Work, last: Attempt, about: list[Run], entry: Entry) -> None:
    """Record it, and say what is understood: not for ever, the other side may be a machine."""
    whose = Entry(entry.type, entry.detail, last.responder, last.id)
    for run in about:
        work.tell(run.incident.number, [whose])
    may_help = answers.help_count(work.conn, last.address) < HELPED_AT_MOST
    if about and may_help and work.notice(last.responder, about[0]):
        answers.count_help(work.conn, last.address)
