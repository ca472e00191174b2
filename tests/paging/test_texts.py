"""Texts and mails: when they go out, what their receipts do, and what a reply to a text means."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from paging import drills, words
from paging.errors import Row
from paging.menu import DEFAULT
from paging.people import Responder
from paging.replies import Meaning, understood
from paging.store import views
from tests.paging.conftest import (
    BAD_NUMBER,
    LI,
    NO_ANSWER,
    REFUSED,
    WEI,
    Desk,
    Everyone,
    new_desk,
)

MAIL = "li.wei@example.com"
CHAIN = {
    "steps": [
        {
            "targets": ["responder:li"],
            "notify": [
                {"channel": "voice", "tries": 1},
                {"channel": "sms", "after": 60},
                {"channel": "email", "after": 120},
            ],
            "wait": 300,
        }
    ],
    "repeat": 0,
}
TEXT = {
    "steps": [{"targets": ["responder:li"], "notify": ["sms"], "wait": 300}],
    "repeat": 0,
}
ELSEWHERE = Row("unknown", "undelivered")
GREYLISTED = Row("transient", "not_sent", postpones=True)


def _team(desk: Desk, policy: dict[str, Any] = CHAIN, **fields: Any) -> None:
    li = Responder.model_validate({"name": "Li", "phone": LI, "email": MAIL, **fields})
    desk.team(policy, li=li, wei=Responder(name="Wei", phone=WEI, locale="en"))


def test_when_no_carrier_takes_the_call_a_text_goes_out_at_once(desk: Desk) -> None:
    _team(desk)
    number = desk.opens()
    desk.last().refused(BAD_NUMBER)
    assert desk.told() == [("voice", LI), ("sms", LI)]
    desk.last().accepted().is_delivered()
    desk.replies(LI, "1")
    seen = desk.incident(number)
    assert (seen["status"], seen["acknowledged_by"]) == ("acknowledged", "li")
    assert {a["status"] for a in seen["attempts"]} == {"failed", "acknowledged"}
    assert desk.advance(7200) == []


def test_a_call_that_rings_on_is_joined_by_a_text_and_a_mail_at_their_times(desk: Desk) -> None:
    _team(desk)
    desk.opens()
    desk.last().accepted().rings()
    assert desk.advance(59) == []
    assert [m.channel for m in desk.advance(2)] == ["sms"]
    desk.last().accepted().is_delivered()
    assert [(m.channel, m.to) for m in desk.advance(60)] == [("email", MAIL)]


def test_a_text_that_the_carrier_could_not_deliver_makes_the_mail_due_at_once(desk: Desk) -> None:
    _team(desk)
    number = desk.opens()
    desk.last().accepted().fails(NO_ANSWER)
    desk.last().accepted().is_undelivered(BAD_NUMBER)
    assert desk.told() == [("voice", LI), ("sms", LI), ("email", MAIL)]
    assert desk.reasons(number, "attempt.failed") == ["no_answer", "bad_number"]


def test_a_report_that_blames_the_carrier_sends_the_text_by_the_other(desk: Desk) -> None:
    _team(desk, TEXT)
    desk.opens()
    desk.last().accepted().is_undelivered(ELSEWHERE)
    assert desk.dialled() == [("alibaba", LI), ("tencent", LI)]


def test_a_text_without_a_report_is_sent_by_the_other_carrier_after_120_s(desk: Desk) -> None:
    _team(desk, TEXT)
    desk.opens()
    desk.last().accepted()
    assert desk.advance(119) == []
    assert [m.provider for m in desk.advance(2)] == ["tencent"]


def test_a_text_whose_answer_is_lost_waits_5_s_and_not_45(desk: Desk) -> None:
    _team(desk, TEXT)
    desk.opens()
    desk.last().lost()
    assert desk.advance(4.9) == []
    assert [m.provider for m in desk.advance(0.2)] == ["tencent"]


def test_a_delivered_text_proves_nobody_and_the_page_goes_on(desk: Desk) -> None:
    _team(desk, TEXT)
    number = desk.opens()
    desk.last().accepted().is_delivered()
    desk.advance(299)
    assert desk.incident(number)["page"]["state"] == "running"
    desk.advance(2)
    assert desk.incident(number)["page"]["state"] == "exhausted"
    assert desk.incident(number)["status"] == "triggered"


def test_a_failed_call_after_the_wait_exhausts_a_page_whose_text_was_delivered(desk: Desk) -> None:
    notify = [{"channel": "sms"}, {"channel": "voice", "tries": 1}]
    _team(
        desk, {"steps": [{"targets": ["responder:li"], "notify": notify, "wait": 30}], "repeat": 0}
    )
    number = desk.opens()
    text, call = desk.calls
    text.accepted().is_delivered()
    call.accepted().rings()
    desk.advance(60)
    assert desk.incident(number)["page"]["state"] == "running"  # the phone still rings
    call.fails(NO_ANSWER)
    assert desk.incident(number)["page"]["state"] == "exhausted"


def test_a_text_with_tries_left_is_sent_again_after_its_gap(desk: Desk) -> None:
    notify = [{"channel": "sms", "tries": 2, "gap": 100}]
    _team(
        desk, {"steps": [{"targets": ["responder:li"], "notify": notify, "wait": 300}], "repeat": 0}
    )
    desk.opens()
    desk.last().accepted().is_delivered()
    assert desk.advance(99) == []
    assert [m.channel for m in desk.advance(2)] == ["sms"]
    desk.last().accepted().is_delivered()
    assert desk.advance(150) == []


def test_a_mail_that_was_taken_is_over_and_silence_sends_no_other(desk: Desk) -> None:
    policy = {"steps": [{"targets": ["responder:li"], "notify": ["email"], "wait": 900}]}
    _team(desk, policy)
    number = desk.opens()
    desk.last().accepted()
    assert desk.advance(800) == []
    (mail,) = desk.incident(number)["attempts"]
    assert mail["status"] == "submitted"
    assert mail["ended_at"] is not None
    assert mail["contact"] == {"channel": "email", "address": MAIL}


def test_a_mail_that_is_greylisted_is_sent_again_while_the_chain_goes_on(desk: Desk) -> None:
    notify = ["email", {"channel": "sms", "after": 250}]
    _team(desk, {"steps": [{"targets": ["responder:li"], "notify": notify}], "repeat": 0})
    number = desk.opens()
    desk.last().refused(GREYLISTED)
    desk.settle()
    assert desk.told() == [("email", MAIL), ("sms", LI)], "the text waits for no mail server"
    desk.last().accepted().is_delivered()
    assert desk.advance(59) == []
    assert [made.channel for made in desk.advance(1)] == ["email"]
    desk.last().refused(GREYLISTED)
    assert desk.advance(299) == []
    (again,) = desk.advance(1)
    assert (again.channel, again.provider) == ("email", "smtp")
    again.accepted()
    assert desk.reasons(number, "notification.delayed") == ["postponed", "postponed"]
    (said, *_) = [
        words.sentence(entry["type"], entry["detail"])["en"]
        for entry in desk.incident(number)["timeline"]
        if entry["type"] == "notification.delayed"
    ]
    assert said.startswith("the mail server asked for some time: mail again in 60 s")


def test_a_mail_that_stays_greylisted_is_given_up_and_then_the_page(desk: Desk) -> None:
    _team(desk, {"steps": [{"targets": ["responder:li"], "notify": ["email"]}], "repeat": 0})
    number = desk.opens()
    for wait_s in (60, 300, 0):
        desk.last().refused(GREYLISTED)
        assert "incident.exhausted" not in desk.types(number) or not wait_s
        desk.advance(wait_s)
    assert len(desk.calls) == 3
    assert desk.types(number)[-1] == "incident.exhausted"


def test_a_mail_that_one_provider_refuses_and_one_postpones_goes_by_the_second_again(
    tmp_path: Path,
) -> None:
    mails, phones = {"smtp": Everyone(), "alibaba": Everyone()}, {"alibaba": Everyone()}
    desk = new_desk(tmp_path / "desk.db", channels={"voice": phones, "email": mails})
    _team(desk, {"steps": [{"targets": ["responder:li"], "notify": ["email"]}], "repeat": 0})
    desk.opens()
    desk.last().refused(GREYLISTED)
    desk.settle()
    desk.last().refused(REFUSED)
    desk.advance(60)
    assert desk.dialled() == [("smtp", MAIL), ("alibaba", MAIL), ("smtp", MAIL)]
    desk.last().refused(REFUSED)
    assert desk.advance(3600) == []


def test_an_acknowledgement_stops_a_mail_that_was_postponed(desk: Desk) -> None:
    _team(desk, {"steps": [{"targets": ["responder:li"], "notify": ["email", "sms"]}]})
    number = desk.opens()
    desk.last().refused(GREYLISTED)
    desk.act(number, "acknowledge")
    assert desk.advance(3600) == []


def test_a_mail_has_the_link_and_one_thread_and_a_text_has_neither(desk: Desk) -> None:
    _team(desk)
    number = desk.opens()
    desk.last().accepted().fails(NO_ANSWER)
    text = desk.last()
    text.accepted().is_undelivered(BAD_NUMBER)
    mail = desk.last()
    assert mail.request.fields["link"].startswith(f"https://ringback.test/a/{number}/li/")
    assert mail.request.thread == text.request.thread == desk.incident(number)["id"]
    assert "link" not in text.request.fields
    assert (text.request.fields["number"], text.request.fields["code"]) == (str(number), "1")


def test_a_late_delivery_after_failover_is_shown_and_sends_nothing(desk: Desk) -> None:
    _team(desk, TEXT)
    number = desk.opens()
    first = desk.last().accepted()
    desk.advance(121)
    desk.last().accepted()
    first.is_delivered()
    assert {a["status"] for a in desk.incident(number)["attempts"]} == {"delivered", "submitted"}
    assert len(desk.calls) == 2


def test_failed_after_delivered_changes_nothing(desk: Desk) -> None:
    _team(desk, TEXT)
    number = desk.opens()
    desk.last().accepted().is_delivered().is_undelivered(BAD_NUMBER)
    assert [a["status"] for a in desk.incident(number)["attempts"]] == ["delivered"]
    assert len(desk.calls) == 1


def test_a_text_that_waits_for_its_report_keeps_no_call_back(desk: Desk) -> None:
    policy = {
        "steps": [
            {
                "targets": ["responder:li"],
                "notify": [{"channel": "sms"}, {"channel": "voice", "after": 5}],
            }
        ]
    }
    _team(desk, policy)
    desk.opens()
    desk.last().accepted()
    assert [m.channel for m in desk.advance(6)] == ["voice"]


# Replies.

UNDERSTOOD: list[tuple[str, str | None, int | None]] = [
    ("1", "acknowledge", None),
    (" 1。", "acknowledge", None),
    ("1", "acknowledge", None),
    ("\u200e1", "acknowledge", None),
    ("'1'", "acknowledge", None),
    ("认领", "acknowledge", None),
    ("認領", "acknowledge", None),
    ("ACK", "acknowledge", None),
    ("Ack.", "acknowledge", None),
    ("a", "acknowledge", None),
    ("1 2", "acknowledge", 2),
    ("1 2", "acknowledge", 2),
    ("1,2", "acknowledge", 2),
    ("1#12", "acknowledge", 12),
    ("ack 12", "acknowledge", 12),
    ("ack12", "acknowledge", 12),
    ("认领3", "acknowledge", 3),
    ("2", "escalate", None),
    ("转下一位", "escalate", None),
    ("next", "escalate", None),
    ("3 4", "mute", 4),
    ("静音", "mute", None),
    ("13", None, None),
    ("11", None, None),
    ("9", None, None),
    ("close", None, None),  # not in this menu
    ("收到,我看看", None, None),
    ("I am on it", None, None),
    ("1 2 3", None, None),
    ("", None, None),
    ("😀", None, None),
    ("Automatic reply: I am away until 1", None, None),
]


@pytest.mark.parametrize(("text", "action", "code"), UNDERSTOOD)
def test_what_a_reply_means(text: str, action: Any, code: int | None) -> None:
    assert understood(text, DEFAULT) == (None if action is None else Meaning(action, code))


def test_close_is_understood_where_the_menu_has_it() -> None:
    menu = {**DEFAULT, "9": "close"}
    assert understood("9", menu) == understood("关闭", menu) == Meaning("close", None)


def _texted(desk: Desk, **fields: Any) -> int:
    """Open an incident whose text is delivered."""
    number = desk.opens(**fields)
    desk.last().accepted().is_delivered()
    return number


def test_a_bare_reply_means_the_last_text_that_could_have_been_read(desk: Desk) -> None:
    _team(desk, TEXT)
    older = _texted(desk)
    desk.advance(20)
    younger = _texted(desk)
    desk.advance(14)
    desk.replies(LI, "1")
    assert [desk.incident(n)["status"] for n in (older, younger)] == ["acknowledged", "triggered"]
    desk.advance(2)
    desk.replies(LI, "1")
    assert desk.incident(younger)["status"] == "acknowledged"


def test_the_time_of_a_reply_is_when_it_was_written(desk: Desk) -> None:
    _team(desk, TEXT)
    older = _texted(desk)
    desk.advance(20)
    written = desk.now
    younger = _texted(desk)
    desk.advance(60)
    desk.replies(LI, "1", at=written)
    assert [desk.incident(n)["status"] for n in (older, younger)] == ["acknowledged", "triggered"]


def test_the_only_text_of_these_days_may_be_answered_at_once(desk: Desk) -> None:
    _team(desk, TEXT)
    number = _texted(desk)
    desk.advance(3)
    desk.replies(LI, "1")
    assert desk.incident(number)["status"] == "acknowledged"


def test_a_code_means_its_incident_whatever_was_sent_last(desk: Desk) -> None:
    _team(desk, TEXT)
    first, second = _texted(desk), _texted(desk)
    codes = [call.request.fields["code"] for call in desk.calls]
    assert codes == ["1", "2"]
    desk.replies(LI, "1 1")
    assert [desk.incident(n)["status"] for n in (first, second)] == ["acknowledged", "triggered"]


def test_a_number_of_an_incident_does_as_well_as_its_code(desk: Desk) -> None:
    _team(desk, TEXT)
    for _ in range(4):
        desk.act(_texted(desk), "close")
    last = _texted(desk)  # its number is 5, its code 1
    desk.replies(LI, f"1 {last}")
    assert desk.incident(last)["status"] == "acknowledged"


def test_a_code_is_given_again_only_once_its_incident_is_closed(desk: Desk) -> None:
    _team(desk, TEXT)
    first = _texted(desk)
    _texted(desk)
    desk.act(first, "acknowledge")
    _texted(desk)
    desk.act(first, "close")
    _texted(desk)
    assert [call.request.fields["code"] for call in desk.calls] == ["1", "2", "3", "1"]


def test_the_code_of_another_number_does_nothing(desk_with_notices: Desk) -> None:
    desk = desk_with_notices
    both = {"steps": [{"targets": ["responder:li", "responder:wei"], "notify": ["sms"]}]}
    _team(desk, TEXT)
    mine = [_texted(desk) for _ in range(3)]
    _team(desk, both)
    theirs = desk.opens()
    for call in desk.calls[3:]:
        call.accepted().is_delivered()
    assert [c.request.fields["code"] for c in desk.calls if c.to == WEI] == ["1"]
    desk.replies(WEI, "1 2")  # 2 is a code, and an incident, of Li's alone
    assert {desk.incident(n)["status"] for n in (*mine, theirs)} == {"triggered"}
    assert desk.reasons(theirs, "reply.received") == ["unknown_code"]


def test_key_2_and_3_of_the_menu_work_by_text_as_well(desk: Desk) -> None:
    two = {**TEXT, "steps": [*TEXT["steps"], {"targets": ["responder:wei"], "notify": ["voice"]}]}
    _team(desk, two)
    number = _texted(desk)
    desk.replies(LI, "2")
    assert desk.told()[-1] == ("voice", WEI)
    assert desk.reasons(number, "incident.escalated") == ["asked"]
    desk.replies(LI, "3")
    assert desk.incident(number)["muted_until"] is not None
    assert desk.reasons(number, "reply.received") == ["escalate", "mute"]


def test_the_same_reply_pushed_again_counts_once(desk: Desk) -> None:
    _team(desk, TEXT)
    number = _texted(desk)
    assert desk.replies(LI, "1", key="sms:1") == 1
    assert desk.replies(LI, "1", key="sms:1") == 0
    assert desk.types(number).count("reply.received") == 1
    assert "incident.acknowledged_again" not in desk.types(number)


def test_a_reply_never_acknowledges_an_incident_that_was_opened_again_since(desk: Desk) -> None:
    _team(desk, TEXT)
    number = _texted(desk)
    desk.act(number, "acknowledge")
    desk.advance(60)
    desk.act(number, "unacknowledge")
    desk.calls[-1].refused(BAD_NUMBER)
    desk.replies(LI, "1")
    assert desk.incident(number)["status"] == "triggered"
    assert desk.reasons(number, "reply.received") == ["too_late"]


def test_a_reply_two_days_late_is_not_about_anything_any_more(desk: Desk) -> None:
    _team(desk, TEXT)
    number = _texted(desk)
    desk.advance(49 * 3600)
    desk.replies(LI, "1")
    assert desk.incident(number)["status"] == "triggered"


def test_a_reply_from_a_number_that_was_never_texted_changes_nothing(
    desk_with_notices: Desk,
) -> None:
    desk = desk_with_notices
    _team(desk, TEXT)
    number = _texted(desk)
    before = desk.incident(number)
    assert desk.replies(WEI, "1") == 1
    assert desk.replies(WEI, "hello") == 1
    assert desk.incident(number) == before
    assert len(desk.calls) == 1


def test_what_is_not_understood_is_answered_five_times_until_an_action(
    desk_with_notices: Desk,
) -> None:
    desk = desk_with_notices
    _team(desk, TEXT)
    number = _texted(desk)
    for _ in range(8):
        desk.replies(LI, "what?")
        desk.advance(1)
    answers = [call for call in desk.calls if call.request.purpose == "notice"]
    assert len(answers) == 5
    assert answers[0].request.fields["number"] == str(number)
    assert answers[0].request.fields["responder"] == ""  # nobody has it
    assert desk.reasons(number, "reply.received") == ["not_understood"] * 8
    assert desk.incident(number)["status"] == "triggered"
    desk.replies(LI, "3")
    desk.replies(LI, "what?")
    assert len([call for call in desk.calls if call.request.purpose == "notice"]) == 7


def test_whoever_acts_by_key_or_text_is_told_who_has_it(desk_with_notices: Desk) -> None:
    desk = desk_with_notices
    _team(desk)
    number = desk.opens()
    desk.last().accepted().is_answered().presses("1")
    notice = desk.last()
    assert (notice.channel, notice.to, notice.request.purpose) == ("sms", LI, "notice")
    fields = notice.request.fields
    assert (fields["responder"], fields["number"]) == ("Li", str(number))
    notice.accepted().is_delivered()
    assert {a["purpose"] for a in desk.incident(number)["attempts"]} == {"page", "notice"}
    assert desk.advance(600) == []


def test_a_second_key_in_the_same_call_sends_no_second_notice(desk_with_notices: Desk) -> None:
    desk = desk_with_notices
    _team(desk)
    desk.opens()
    desk.last().accepted().is_answered().presses("1").presses("1")
    assert [m.request.purpose for m in desk.calls] == ["page", "notice"]


def test_a_reply_to_a_drill_proves_a_human_and_touches_no_incident(desk: Desk) -> None:
    _team(desk, TEXT)
    drill = desk.work(drills.begin, "li", "sms", None)
    desk.last().accepted().is_delivered()
    desk.advance(20)
    desk.replies(LI, "1")
    seen = desk.work(lambda work: views.attempt_by_id(work.conn, drill))
    assert seen is not None
    assert (seen["status"], seen["purpose"]) == ("acknowledged", "test")


# Who is told, and by what.


def test_personal_preferences_by_severity_are_followed(desk: Desk) -> None:
    personal = {"steps": [{"targets": ["responder:li"], "notify": "personal"}], "repeat": 0}
    preferences = {"critical": ["sms"], "warning": ["email"]}
    _team(desk, personal, preferences=preferences)
    desk.opens(severity="critical")
    desk.opens(severity="warning")
    assert [m.channel for m in desk.calls] == ["sms", "email"]


def test_whoever_never_said_is_told_by_all_that_there_is(desk: Desk) -> None:
    personal = {"steps": [{"targets": ["responder:wei"], "notify": "personal"}], "repeat": 0}
    _team(desk, personal)
    number = desk.opens()
    desk.last().accepted().rings()
    assert [m.channel for m in desk.advance(119)] == ["sms"]  # Wei has no mail address
    assert "notification.skipped" not in desk.types(number)


def test_a_missing_contact_is_a_visible_gap_and_the_chain_goes_on_at_once(desk: Desk) -> None:
    _team(
        desk, {"steps": [{"targets": ["responder:li"], "notify": ["voice", "email"]}]}, phone=None
    )
    number = desk.opens()
    assert desk.told() == [("email", MAIL)]
    (skipped,) = [
        e for e in desk.incident(number)["timeline"] if e["type"] == "notification.skipped"
    ]
    assert skipped["detail"]["reason"] == "no_phone"
    assert skipped["detail"]["text"]["en"] == "not told: no phone number"


def test_info_goes_by_mail_and_not_by_phone_or_text(desk: Desk) -> None:
    _team(desk)
    number = desk.opens(severity="info")
    assert [m.channel for m in desk.calls] == ["email"]
    assert desk.reasons(number, "notification.skipped") == ["severity", "severity"]


def test_an_unverified_contact_is_used_with_a_warning_or_skipped_as_the_policy_says(
    desk: Desk,
) -> None:
    _team(desk, TEXT)
    number = desk.opens()
    desk.last().accepted()
    (line,) = [e for e in desk.incident(number)["timeline"] if e["type"] == "attempt.submitted"]
    assert line["detail"]["unverified"] is True
    assert "nobody has verified" in line["detail"]["text"]["en"]
    _team(desk, {**TEXT, "unverified": "skip"})
    number = desk.opens()
    assert desk.reasons(number, "notification.skipped") == ["unverified"]
    assert len(desk.calls) == 1


def test_a_reply_from_the_future_is_one_of_now(desk: Desk) -> None:
    _team(desk, TEXT)
    number = _texted(desk)
    desk.advance(5)
    younger = _texted(desk)
    desk.replies(LI, "1", at=desk.now + timedelta(days=1))
    assert [desk.incident(n)["status"] for n in (number, younger)] == ["triggered", "triggered"]
