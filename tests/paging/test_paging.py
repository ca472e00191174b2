"""From an incident to somebody who has it: what is dialled, when, and what the timeline says."""

import itertools
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from paging import dispatch, drills
from paging.errors import ConflictError, InvalidError, Row
from paging.events import DigitsPressed, Receipt
from paging.people import Responder
from paging.store import attempts as rows_of
from paging.store import views
from tests.paging.conftest import (
    BAD_NUMBER,
    BUSY,
    LI,
    LOST,
    NO_ANSWER,
    REFUSED,
    START,
    WEI,
    ZHAO,
    Call,
    Desk,
    Mainland,
    new_desk,
)

ONE = {"steps": [{"targets": ["responder:li"], "notify": ["voice"], "wait": 300}], "repeat": 0}
BAD_ELSEWHERE = Row("recipient_rejected", "bad_number", again="never")
TWO = {
    "steps": [
        {"targets": ["responder:li"], "notify": ["voice"], "wait": 300},
        {"targets": ["responder:wei"], "notify": ["voice"], "wait": 300},
    ],
    "repeat": 0,
}


def test_pressing_1_acknowledges_and_nothing_rings_afterwards(desk: Desk) -> None:
    desk.team(TWO)
    number = desk.opens()
    desk.last().accepted().rings().is_answered().presses("1").ends("completed")
    assert desk.advance(7200) == []
    seen = desk.incident(number)
    assert (seen["status"], seen["acknowledged_by"]) == ("acknowledged", "li")
    assert [a["status"] for a in seen["attempts"]] == ["acknowledged"]
    assert desk.types(number) == [
        "incident.triggered",
        "attempt.submitted",
        "attempt.ringing",
        "attempt.answered",
        "attempt.key_pressed",
        "incident.acknowledged",
    ]


def test_an_answered_call_without_a_key_is_a_missed_one(desk: Desk) -> None:
    """Voicemail answers too: only a key proves a human."""
    desk.team(TWO)
    number = desk.opens()
    desk.last().accepted().is_answered().ends("completed")
    assert desk.incident(number)["status"] == "triggered"
    assert desk.advance(89) == []
    (second,) = desk.advance(2)
    second.accepted().is_answered().ends("hung_up")
    assert desk.reasons(number, "attempt.failed") == ["no_key", "hung_up"]
    assert desk.dialled()[-1] == ("alibaba", WEI)  # nothing left in step 1: step 2 at once


def test_a_missed_call_is_made_again_after_its_gap_then_the_next_person_is_called(
    desk: Desk,
) -> None:
    desk.team(TWO)
    number = desk.opens()
    desk.last().accepted().fails(NO_ANSWER)
    assert desk.advance(89.9) == []
    desk.advance(0.2)
    assert desk.dialled() == [("alibaba", LI), ("alibaba", LI)]
    desk.last().accepted().fails(BUSY)
    assert desk.dialled()[-1] == ("alibaba", WEI)
    assert desk.reasons(number, "incident.escalated") == ["nothing_left"]


def test_the_next_step_starts_when_the_wait_is_over_although_a_phone_still_rings(
    desk: Desk,
) -> None:
    desk.team({**TWO, "steps": [{**TWO["steps"][0], "wait": 30}, TWO["steps"][1]]})
    number = desk.opens()
    desk.last().accepted().rings()
    assert [call.to for call in desk.advance(31)] == [WEI]
    assert desk.reasons(number, "incident.escalated") == ["wait_over"]


def test_a_wrong_number_is_not_called_again(desk: Desk) -> None:
    desk.team(TWO)
    desk.opens()
    desk.last().accepted().fails(BAD_NUMBER)
    assert desk.dialled() == [("alibaba", LI), ("alibaba", WEI)]


def test_a_refused_submit_goes_to_the_next_provider_at_once(desk: Desk) -> None:
    desk.team(ONE)
    number = desk.opens()
    desk.last().refused()
    assert desk.dialled() == [("alibaba", LI), ("tencent", LI)]
    desk.last().accepted().is_answered().presses("1")
    assert desk.incident(number)["status"] == "acknowledged"
    assert desk.reasons(number, "provider.failed_over") == ["refused"]


def test_when_every_provider_refuses_the_try_is_used_up_and_made_again_later(desk: Desk) -> None:
    desk.team(ONE)
    desk.opens()
    desk.last().refused()
    desk.last().refused()
    assert [call.provider for call in desk.advance(91)] == ["alibaba"]


def test_a_lost_answer_waits_for_a_receipt_then_uses_the_other_provider(desk: Desk) -> None:
    """A second call is a nuisance, a missing one is an outage."""
    desk.team(ONE)
    number = desk.opens()
    desk.last().lost()
    assert desk.advance(44) == []
    (second,) = desk.advance(2)
    assert second.provider == "tencent"
    assert desk.reasons(number, "attempt.unconfirmed") == ["doubtful"]
    desk.calls[0].presses("1")  # the call that nobody knew of
    assert desk.incident(number)["status"] == "acknowledged"


def test_a_receipt_within_the_wait_keeps_the_other_provider_away(desk: Desk) -> None:
    desk.team(ONE)
    desk.opens()
    desk.last().lost()
    desk.advance(10)
    desk.last().rings()
    assert desk.advance(100) == []


def test_busy_on_the_second_call_of_an_ambiguous_try_uses_up_no_try(desk: Desk) -> None:
    """The line is busy with our own first call."""
    desk.team(ONE)
    desk.opens()
    desk.last().lost()
    (second,) = desk.advance(46)
    second.accepted().fails(BUSY)
    (third,) = desk.advance(91)
    third.accepted().fails(NO_ANSWER)
    assert [call.to for call in desk.advance(91)] == [LI]  # only one try was used so far


def test_silence_after_an_accepted_submit_fails_over(desk: Desk) -> None:
    desk.team(ONE)
    number = desk.opens()
    desk.last().accepted()
    assert desk.advance(149) == []
    assert [call.provider for call in desk.advance(2)] == ["tencent"]
    assert desk.reasons(number, "provider.failed_over") == ["silence"]


def test_a_key_after_failover_still_acknowledges(desk: Desk) -> None:
    desk.team(ONE)
    number = desk.opens()
    desk.last().accepted()
    desk.advance(151)
    desk.last().accepted().rings()
    desk.calls[0].presses("1")
    assert desk.incident(number)["status"] == "acknowledged"


def test_the_policy_repeats_then_is_exhausted_and_the_operators_are_paged(desk: Desk) -> None:
    desk.team({**ONE, "repeat": 1})
    number = desk.opens()
    desk.last().accepted().fails(NO_ANSWER)
    desk.advance(91)
    desk.last().accepted().fails(NO_ANSWER)  # two tries, then at once the second round
    desk.last().accepted().fails(NO_ANSWER)
    desk.advance(91)
    desk.last().accepted().fails(NO_ANSWER)
    seen = desk.incident(number)
    assert (seen["status"], seen["page"]["state"]) == ("triggered", "exhausted")
    assert [call.to for call in desk.calls] == [LI, LI, LI, LI, ZHAO]
    assert "无人认领" in desk.last().request.fields["title"]


def test_an_exhausted_operators_page_pages_nobody_about_itself(desk: Desk) -> None:
    desk.team(ONE)
    number = desk.opens(policy="ops")
    for _ in range(40):
        if desk.calls[-1].attempt.status == "sending":
            desk.last().accepted().fails(BAD_NUMBER)
        desk.advance(60)
    opened = [n for n in (number, number + 1, number + 2) if _exists(desk, n)]
    # the page of an ordinary incident under the operators' policy alarms once, its alarm never
    assert opened == [number, number + 1]


def _exists(desk: Desk, number: int) -> bool:
    return desk.work(
        lambda work: bool(
            work.conn.exec_driver_sql("SELECT 1 FROM incident WHERE number = ?", (number,)).first()
        )
    )


def test_a_late_acknowledgement_after_exhaustion_counts(desk: Desk) -> None:
    desk.team(ONE)
    number = desk.opens()
    desk.last().accepted().fails(BAD_NUMBER)
    assert desk.incident(number)["page"]["state"] == "exhausted"
    desk.calls[0].presses("1")
    assert desk.incident(number)["status"] == "acknowledged"


def test_key_2_calls_the_next_person_now_and_not_the_presser_again(desk: Desk) -> None:
    desk.team(TWO)
    number = desk.opens()
    desk.last().accepted().is_answered().presses("2").ends("completed")
    assert desk.dialled() == [("alibaba", LI), ("alibaba", WEI)]
    desk.last().accepted().is_answered().presses("1")
    assert desk.advance(3600) == []
    assert desk.reasons(number, "incident.escalated") == ["asked"]
    assert desk.reasons(number, "attempt.failed") == []


def test_key_3_mutes_for_half_an_hour_then_the_page_starts_again(desk: Desk) -> None:
    desk.team(TWO)
    number = desk.opens()
    desk.last().accepted().is_answered().presses("3").ends("completed")
    assert desk.advance(29 * 60) == []
    assert [call.to for call in desk.advance(61)] == [LI]
    assert desk.incident(number)["status"] == "triggered"


def test_a_key_outside_the_menu_is_recorded_and_does_nothing(desk: Desk) -> None:
    desk.team(ONE)
    number = desk.opens()
    desk.last().accepted().is_answered().presses("7").presses("9").ends()
    assert desk.incident(number)["status"] == "triggered"
    assert desk.reasons(number, "attempt.key_pressed") == ["not_in_menu", "not_in_menu"]
    assert desk.reasons(number, "attempt.failed") == ["wrong_key"]


@pytest.mark.parametrize("order", list(itertools.permutations(range(4))))
def test_receipts_in_any_order_acknowledge_once(desk: Desk, order: tuple[int, ...]) -> None:
    desk.team(ONE)
    number = desk.opens()
    call = desk.last().accepted()
    heard = [
        call.rings,
        call.is_answered,
        lambda: call.presses("1"),
        lambda: call.ends("completed"),
    ]
    for i in order:
        heard[i]()
    seen = desk.incident(number)
    assert seen["status"] == "acknowledged"
    assert seen["attempts"][0]["status"] == "acknowledged"
    assert seen["attempts"][0]["keys"] == "1"
    assert desk.advance(3600) == []


def test_a_final_report_adds_only_the_digits_not_seen_yet(desk: Desk) -> None:
    desk.team(ONE)
    number = desk.opens()
    call = desk.last().accepted().is_answered().presses("5")
    call.presses("51", final=True).presses("1")
    assert desk.incident(number)["attempts"][0]["keys"] == "51"
    assert desk.types(number).count("incident.acknowledged") == 1
    assert "incident.acknowledged_again" not in desk.types(number)


def test_the_same_receipt_a_hundred_times_is_one_line(desk: Desk) -> None:
    from paging.events import DigitsPressed

    desk.team(ONE)
    number = desk.opens()
    call = desk.last().accepted().is_answered()
    event = DigitsPressed(call.receipt(key="same"), "1")
    assert sum(desk.hear(event) for _ in range(100)) == 1
    assert desk.types(number).count("attempt.key_pressed") == 1


def test_a_receipt_that_overtakes_the_submits_answer_is_not_lost(desk: Desk) -> None:
    """Tencent's callbacks carry its call id only: parked until the answer says whose it is."""
    from paging.events import DigitsPressed

    desk.team(ONE)
    number = desk.opens()
    call = desk.last()
    desk.hear(DigitsPressed(call.receipt(by_ref=False), "1"))
    assert desk.incident(number)["status"] == "triggered"
    call.accepted()
    assert desk.incident(number)["status"] == "acknowledged"


def test_a_receipt_by_id_finds_the_attempt_whose_answer_was_lost(desk: Desk) -> None:
    from paging.events import DigitsPressed

    desk.team(ONE)
    number = desk.opens()
    desk.last().lost()
    desk.hear(DigitsPressed(desk.last().receipt(by_ref=False), "1"))
    assert desk.incident(number)["status"] == "acknowledged"


def test_an_unknown_call_id_waits_for_the_submit_on_its_way_before_it_is_taken_for_a_lost_one(
    desk: Desk,
) -> None:
    from paging.events import CallRinging, DigitsPressed

    desk.team(ONE, li=Responder(name="Li", phone=LI))
    desk.rules = new_rules_tencent_only(desk)
    number = desk.opens()
    first = desk.last()
    first.lost()
    desk.advance(46)
    desk.advance(91)
    second = desk.last()
    assert second is not first
    desk.hear(CallRinging(second.receipt(by_ref=False)))
    desk.hear(DigitsPressed(first.receipt(by_ref=False), "1"))
    assert desk.incident(number)["status"] == "triggered"
    second.accepted()
    seen = desk.incident(number)
    assert seen["status"] == "acknowledged"
    assert [a["keys"] for a in seen["attempts"]] == ["1", ""]


def new_rules_tencent_only(desk: Desk) -> Any:
    from dataclasses import replace

    return replace(desk.rules, channels={"voice": {"tencent": Mainland()}})


def test_nobody_is_in_two_calls_at_once(desk: Desk) -> None:
    desk.team(ONE)
    desk.opens()
    second = desk.opens(title="db-2 down")
    assert len(desk.calls) == 1
    assert desk.reasons(second, "notification.delayed") == ["on_a_call"]
    desk.last().accepted().is_answered().presses("1").ends("completed")
    assert [call.request.fields["title"] for call in desk.calls] == ["db-1 down", "db-2 down"]


def test_a_call_not_wanted_any_more_is_never_made(desk: Desk) -> None:
    desk.team(ONE)
    number = desk.opens()
    desk.act(number, "acknowledge", by="wei")
    desk.work(dispatch.answered, desk.last().attempt.id, None)
    seen = desk.incident(number)
    assert [a["status"] for a in seen["attempts"]] == ["cancelled"]
    assert seen["acknowledged_by"] == "wei"
    assert desk.advance(3600) == []


def test_a_second_acknowledgement_is_recorded_and_changes_nothing(desk: Desk) -> None:
    desk.team({**TWO, "steps": [{**TWO["steps"][0], "targets": ["responder:li", "responder:wei"]}]})
    number = desk.opens()
    first, second = desk.calls
    first.accepted().is_answered()
    second.accepted().is_answered()
    first.presses("1")
    second.presses("1")
    assert desk.incident(number)["acknowledged_by"] == "li"
    assert desk.reasons(number, "incident.acknowledged_again") == ["acknowledged"]


def test_resolved_while_ringing_ends_everything(desk: Desk) -> None:
    desk.team(TWO)
    number = desk.opens()
    desk.last().accepted().rings()
    desk.act(number, "close")
    desk.last().fails(NO_ANSWER)
    assert desk.advance(3600) == []
    assert desk.incident(number)["page"]["state"] == "closed"


def test_after_a_restart_what_was_on_its_way_is_waited_for_then_called_again(desk: Desk) -> None:
    desk.team(ONE)
    number = desk.opens()
    assert desk.work(dispatch.take_over) == 1
    assert desk.advance(44) == []
    assert [call.provider for call in desk.advance(2)] == ["tencent"]
    assert desk.reasons(number, "attempt.submitted") == ["restarted"]
    assert desk.work(dispatch.take_over) == 1  # the second call is on its way as well


def test_a_key_counts_for_24_hours_and_never_after_a_reopening(desk: Desk) -> None:
    desk.team(ONE)
    number = desk.opens()
    call = desk.last().accepted().rings()
    call.fails(BAD_NUMBER)
    desk.now += timedelta(hours=24, seconds=1)
    call.presses("1")
    assert desk.incident(number)["status"] == "triggered"
    desk.act(number, "acknowledge")
    desk.now += timedelta(seconds=1)
    desk.act(number, "unacknowledge")
    call.presses("11", final=True)
    assert desk.incident(number)["status"] == "triggered"
    assert desk.reasons(number, "attempt.key_pressed") == ["too_late", "too_late"]


def test_info_does_not_ring_unless_a_notification_says_so(desk: Desk) -> None:
    desk.team(ONE)
    number = desk.opens(severity="info")
    assert desk.calls == []
    assert set(desk.reasons(number, "notification.skipped")) == {"severity"}
    loud = {"channel": "voice", "severities": ["info"]}
    desk.team({**ONE, "steps": [{"targets": ["responder:li"], "notify": [loud]}]})
    desk.opens(severity="info")
    assert len([c for c in desk.calls if c.to == LI]) == 1


def test_hours_hold_for_warnings_and_never_for_critical(desk: Desk) -> None:
    """11:00 in Shanghai is outside 22:00-08:00."""
    night = {"channel": "voice", "hours": "22:00-08:00"}
    desk.team({**ONE, "steps": [{"targets": ["responder:li"], "notify": [night]}]})
    assert START.hour == 3
    number = desk.opens(severity="warning")
    assert LI not in [call.to for call in desk.calls]
    assert desk.reasons(number, "notification.skipped")[0] == "hours"
    desk.opens(severity="critical")
    assert [call.to for call in desk.calls if call.to == LI] == [LI]


def test_a_responder_without_a_number_is_a_gap_that_is_seen_and_the_next_step_starts_at_once(
    desk: Desk,
) -> None:
    desk.team(
        TWO,
        li=Responder(name="Li"),
        wei=Responder(name="Wei", phone=WEI),
        zhao=Responder(name="Zhao", phone=ZHAO),
    )
    number = desk.opens()
    assert [call.to for call in desk.calls] == [WEI]
    assert desk.reasons(number, "notification.skipped") == ["no_phone"]


def test_personal_preferences_are_followed(desk: Desk) -> None:
    person = Responder.model_validate(
        {"name": "Li", "phone": LI, "preferences": {"critical": [{"channel": "voice", "tries": 1}]}}
    )
    desk.team(
        {"steps": [{"targets": ["responder:li"], "notify": "personal"}], "repeat": 0},
        li=person,
        zhao=Responder(name="Zhao", phone=ZHAO),
    )
    number = desk.opens()
    desk.last().accepted().fails(NO_ANSWER)
    assert desk.incident(number)["page"]["state"] == "exhausted"


def test_a_notification_waits_for_its_time_unless_all_before_it_have_failed(desk: Desk) -> None:
    later = {"channel": "voice", "after": 120, "tries": 1}
    steps = [{"targets": ["responder:li"], "notify": [later], "wait": 600}]
    desk.team({"steps": steps, "repeat": 0})
    desk.opens()
    assert desk.advance(119) == []
    assert [call.to for call in desk.advance(2)] == [LI]
    first = {"channel": "voice", "tries": 1}
    desk.team({"steps": [{**steps[0], "notify": [first, later]}], "repeat": 0})
    desk.last().accepted().is_answered().presses("1").ends("completed")
    desk.opens()
    desk.last().accepted().fails(NO_ANSWER)
    assert [call.to for call in desk.calls] == [LI, LI, LI]


def test_the_same_dedup_key_repeats_and_opens_nothing(desk: Desk) -> None:
    desk.team(ONE)
    first = desk.opens(dedup_key="db-1")
    assert desk.opens(dedup_key="db-1") == first
    assert len(desk.calls) == 1
    assert desk.types(first).count("incident.repeated") == 1
    desk.act(first, "close")
    assert desk.opens(dedup_key="db-1") == first + 1


def test_an_unknown_policy_is_refused_and_nothing_is_stored(desk: Desk) -> None:
    desk.team(ONE)
    with pytest.raises(InvalidError, match="policy"):
        desk.opens(policy="nobody")
    assert not _exists(desk, 1)


def test_escalating_an_acknowledged_incident_is_refused(desk: Desk) -> None:
    desk.team(ONE)
    number = desk.opens()
    desk.act(number, "acknowledge")
    with pytest.raises(ConflictError):
        desk.act(number, "escalate")


def test_a_misconfigured_provider_pages_the_operators_once(desk: Desk) -> None:
    from paging.errors import Row

    wrong = Row("misconfigured", "not_sent")
    desk.team(ONE)
    desk.opens()
    desk.last().refused(wrong)
    desk.advance(1)
    to_operators = [call for call in desk.calls if call.to == ZHAO]
    assert len(to_operators) == 1
    to_operators[0].refused(wrong)
    assert len([c for c in desk.calls if c.to == ZHAO]) == 2  # the other provider, no new incident
    assert not _exists(desk, 3)


def test_unmuting_pages_again_from_step_1(desk: Desk) -> None:
    desk.team(TWO)
    number = desk.opens()
    desk.last().accepted().fails(BAD_NUMBER)
    assert desk.dialled()[-1][1] == WEI
    desk.act(number, "mute", until=desk.now + timedelta(hours=1))
    desk.last().accepted().fails(NO_ANSWER)
    assert desk.advance(600) == []
    desk.act(number, "unmute")
    assert desk.dialled()[-1][1] == LI


_EVENTS = st.lists(
    st.sampled_from(
        ["accept", "refuse", "lose", "ring", "answer", "1", "2", "9", "end", "fail", "wait", "ack"]
    ),
    max_size=25,
)


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(script=_EVENTS)
def test_nothing_is_dialled_after_an_acknowledgement(
    tmp_path_factory: pytest.TempPathFactory, script: list[str]
) -> None:
    """Whatever the carriers say, in whatever order."""
    desk = new_desk(Path(tmp_path_factory.mktemp("desk")) / "desk.db")
    desk.team({**TWO, "repeat": 1})
    number = desk.opens()
    calls_at_acknowledgement = None
    for i, word in enumerate(script):
        call = desk.calls[i % len(desk.calls)]
        _say(desk, number, call, word)
        if desk.incident(number)["status"] == "acknowledged":
            calls_at_acknowledgement = calls_at_acknowledgement or len(_about(desk))
    desk.advance(7200)
    if calls_at_acknowledgement is not None:
        assert len(_about(desk)) == calls_at_acknowledgement
    else:
        assert desk.incident(number)["page"]["state"] == "exhausted"
    desk._engine.dispose()


def _about(desk: Desk) -> list[Any]:
    return [call for call in desk.calls if call.to != ZHAO]


def _say(desk: Desk, number: int, call: Any, word: str) -> None:
    says = {
        "accept": call.accepted,
        "refuse": call.refused,
        "lose": call.lost,
        "ring": call.rings,
        "answer": call.is_answered,
        "end": call.ends,
        "fail": call.fails,
        "wait": lambda: desk.advance(100),
        "ack": lambda: desk.act(number, "acknowledge"),
    }
    if word in says:
        says[word]()
    else:
        call.presses(word)


def test_a_page_that_cannot_be_decided_on_holds_up_no_other_and_is_told_to_the_operators(
    desk: Desk,
) -> None:
    """It is tried again each minute, and goes on where it was once it can be."""
    later = [{"channel": "voice", "after": 60}]
    desk.team({"steps": [{"targets": ["responder:li"], "notify": later}], "repeat": 0})
    broken = desk.opens(title="broken")
    desk.team({"steps": [{"targets": ["responder:wei"], "notify": later}], "repeat": 0})
    desk.opens(title="whole")
    (plan,) = desk.work(
        lambda work: work.conn.exec_driver_sql(
            "SELECT plan FROM page WHERE incident = ?", (broken,)
        ).one()
    )
    desk.work(
        lambda work: work.conn.exec_driver_sql(
            "UPDATE page SET plan = '{}' WHERE incident = ?", (broken,)
        )
    )
    desk.advance(61)
    assert sorted(desk.dialled()) == [("alibaba", WEI), ("alibaba", ZHAO)]
    assert desk.incident(3)["title"].startswith("ringback: 告警1因内部错误无法呼叫")
    desk.advance(120)
    assert [e["type"] for e in desk.incident(3)["timeline"]].count("incident.repeated") >= 1
    desk.work(
        lambda work: work.conn.exec_driver_sql(
            "UPDATE page SET plan = ? WHERE incident = ?", (plan, broken)
        )
    )
    desk.advance(60)
    assert ("alibaba", LI) in desk.dialled()


def test_a_parked_key_is_heard_when_the_call_that_it_might_have_been_of_is_refused(
    desk: Desk,
) -> None:
    """Of a call whose answer was lost only the number is known, and another was on its way."""
    desk.team(ONE)
    number = desk.opens()
    lost = desk.last()
    lost.lost()
    desk.advance(46)  # no receipt: over to the other provider
    desk.last().refused()
    (again,) = desk.advance(91)
    assert again.provider == lost.provider
    desk.hear(DigitsPressed(Receipt(lost.provider, "k", provider_id="unseen", address=LI), "1"))
    assert desk.incident(number)["status"] == "triggered"
    again.refused()
    assert desk.incident(number)["acknowledged_by"] == "li"


def test_a_failure_reported_after_an_answer_moves_nothing_backwards(desk: Desk) -> None:
    desk.team(ONE)
    number = desk.opens()
    call = desk.last().accepted().is_answered()
    call.fails(NO_ANSWER)
    assert desk.incident(number)["attempts"][0]["status"] == "answered"
    assert desk.advance(60) == []
    call.presses("1")
    assert desk.incident(number)["status"] == "acknowledged"


@pytest.mark.parametrize(("answered", "waits_s"), [(True, 5), (False, 45)])
def test_an_answered_fault_is_waited_for_less_long_than_a_lost_answer(
    desk: Desk, *, answered: bool, waits_s: float
) -> None:
    desk.team(ONE)
    desk.opens()
    desk.last().refused(LOST, answered=answered)
    assert desk.advance(waits_s - 1) == []
    assert [call.provider for call in desk.advance(2)] == ["tencent"]


@pytest.mark.parametrize(("floor_s", "fails_over_after_s"), [(90, 150), (400, 400)])
def test_silence_lasts_as_long_as_the_call_may_and_never_less_than_the_setting(
    tmp_path: Path, floor_s: float, fails_over_after_s: float
) -> None:
    """The carrier that takes every call here says that 150 s of silence are normal for it."""
    desk = new_desk(tmp_path / "desk.db", silence_floor_s=floor_s)
    desk.team({**ONE, "steps": [{**ONE["steps"][0], "wait": 3600}]})
    desk.opens()
    desk.last().accepted()
    assert desk.advance(fails_over_after_s - 1) == []
    assert [call.provider for call in desk.advance(2)] == ["tencent"]
    desk._engine.dispose()


def test_whoever_is_told_anew_is_not_told_the_old_way_as_well(desk: Desk) -> None:
    """The same person in two steps: the second step's notifications replace the first's."""
    step = {"targets": ["responder:li"], "notify": [{"channel": "voice", "tries": 5, "gap": 90}]}
    desk.team({"steps": [{**step, "wait": 60}, {**step, "wait": 3600}], "repeat": 0})
    desk.opens()
    desk.last().accepted().fails(NO_ANSWER)
    (second,) = desk.advance(61)
    second.accepted().fails(NO_ANSWER)
    assert len(desk.advance(89)) == 0
    assert len(desk.advance(2)) == 1


def test_of_the_calls_that_wait_for_a_line_the_worst_goes_first(desk: Desk) -> None:
    desk.team(ONE)
    desk.opens(title="first")
    for title, severity in (("second", "warning"), ("third", "critical")):
        desk.opens(title=title, severity=severity)

    def to_li() -> list[Call]:
        return [call for call in desk.calls if call.to == LI]

    to_li()[-1].accepted().fails(BAD_NUMBER)
    to_li()[-1].accepted().fails(BAD_NUMBER)
    titles = [call.request.fields["title"] for call in to_li()]
    assert titles == ["first", "third", "second"]


def test_key_2_also_ends_what_the_presser_was_still_to_get(desk: Desk) -> None:
    """Whoever cannot is not called by the next notification of the same step either."""
    twice = [{"channel": "voice"}, {"channel": "voice", "after": 120}]
    first = {"targets": ["responder:li"], "notify": twice, "wait": 300}
    desk.team({"steps": [first, TWO["steps"][1]], "repeat": 0})
    desk.opens()
    desk.last().accepted().is_answered().presses("2").ends("completed")
    desk.last().accepted()
    assert LI not in [call.to for call in desk.advance(280)]


@pytest.mark.parametrize("rows", [(REFUSED, BAD_NUMBER), (BAD_ELSEWHERE, REFUSED)])
def test_a_try_in_which_any_failure_says_later_is_made_again(
    desk: Desk, rows: tuple[Row, Row]
) -> None:
    desk.team(ONE)
    desk.opens()
    for row in rows:
        desk.last().refused(row)
    assert [call.to for call in desk.advance(91)] == [LI]


def test_a_key_of_a_call_before_the_incident_was_given_back_does_not_take_it_again(
    desk: Desk,
) -> None:
    desk.team(ONE)
    number = desk.opens()
    call = desk.last().accepted().is_answered()
    desk.act(number, "acknowledge")
    desk.now += timedelta(seconds=1)
    desk.act(number, "unacknowledge")
    call.presses("1")
    assert desk.incident(number)["status"] == "triggered"
    assert desk.reasons(number, "attempt.key_pressed") == ["too_late"]


def test_a_call_is_not_wanted_while_the_incident_is_muted(desk: Desk) -> None:
    desk.team(ONE)
    number = desk.opens()
    attempt = desk.last().attempt.id
    assert desk.work(lambda work: rows_of.still_wanted(work.conn, attempt))
    desk.act(number, "mute", until=desk.now + timedelta(minutes=5))
    assert not desk.work(lambda work: rows_of.still_wanted(work.conn, attempt))


def test_a_ref_of_another_providers_call_moves_nothing(desk: Desk) -> None:
    desk.team(ONE)
    number = desk.opens()
    call = desk.last().accepted()
    desk.hear(DigitsPressed(Receipt("tencent", "k", ref=call.ref, address=LI), "1"))
    assert desk.incident(number)["status"] == "triggered"


def test_nobody_is_drilled_in_a_call_and_a_key_proves_who_was_drilled(desk: Desk) -> None:
    desk.team(ONE)
    drilled = desk.work(drills.begin, "wei", "voice", None)
    desk.last().accepted().is_answered().presses("1")
    seen = desk.work(lambda work: views.attempt_by_id(work.conn, drilled))
    assert (seen["status"], seen["failure"]) == ("acknowledged", None)
    desk.opens()
    with pytest.raises(ConflictError):
        desk.work(drills.begin, "li", "voice", None)
