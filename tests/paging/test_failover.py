"""Which provider is tried: health decides, and only what is the provider's own fault counts."""

from datetime import timedelta
from pathlib import Path

import pytest

from paging.errors import Row
from paging.people import Responder
from paging.store import views
from tests.paging.conftest import (
    BAD_NUMBER,
    LI,
    NO_ANSWER,
    REFUSED,
    Desk,
    Everyone,
    new_desk,
)

TEXT = {"steps": [{"targets": ["responder:li"], "notify": ["sms"], "wait": 300}], "repeat": 0}
CALL = {
    "steps": [{"targets": ["responder:li"], "notify": [{"channel": "voice", "tries": 1}]}],
    "repeat": 0,
}
OF_THE_ACCOUNT = Row("rate_limited", "limited", scope="account")
OF_THE_NUMBER = Row("rate_limited", "limited", scope="number")
NO_CREDIT = Row("out_of_credit", "not_sent")


def _team(desk: Desk, policy: dict[str, object]) -> None:
    people = {"li": Responder(name="Li", phone=LI), "zhao": Responder(name="Zhao", phone=LI)}
    desk.team(policy, **people)


def _refuse_three(desk: Desk, row: Row = REFUSED) -> None:
    """Have Alibaba refuse three texts, which Tencent takes."""
    for _ in range(3):
        desk.opens()
        assert desk.last().provider == "alibaba"
        desk.last().refused(row)
        desk.settle()
        assert desk.last().provider == "tencent"
        desk.last().accepted().is_delivered()
        desk.advance(1)


def _state(desk: Desk, provider: str, channel: str = "sms") -> str:
    since = desk.now - timedelta(hours=24)
    seen = desk.work(lambda work: views.provider(work.conn, provider, channel, since, desk.now))
    return seen["circuit"]["state"]


def test_a_carrier_that_fails_three_times_in_a_row_is_left_alone_and_the_timeline_says_so(
    desk: Desk,
) -> None:
    _team(desk, TEXT)
    _refuse_three(desk)
    assert _state(desk, "alibaba") == "open"
    number = desk.opens()
    assert desk.last().provider == "tencent"
    assert desk.reasons(number, "provider.failed_over") == ["circuit_open"]


def test_after_a_minute_one_attempt_finds_out_and_the_carrier_is_trusted_again(desk: Desk) -> None:
    _team(desk, TEXT)
    _refuse_three(desk)
    desk.advance(60)
    desk.opens()
    probe = desk.last()
    assert (probe.provider, _state(desk, "alibaba")) == ("alibaba", "half_open")
    desk.opens()
    assert desk.last().provider == "tencent", "one finds out, nobody else waits for it"
    probe.accepted()
    assert _state(desk, "alibaba") == "closed"
    desk.opens()
    assert desk.last().provider == "alibaba"


def test_a_probe_that_fails_opens_it_for_twice_as_long_and_its_page_goes_on(desk: Desk) -> None:
    _team(desk, TEXT)
    _refuse_three(desk)
    desk.advance(60)
    desk.opens()
    desk.last().refused(REFUSED)
    desk.settle()
    assert desk.last().provider == "tencent"
    desk.last().accepted().is_delivered()
    desk.advance(119)
    desk.opens()
    assert desk.last().provider == "tencent"
    desk.advance(2)
    desk.opens()
    assert desk.last().provider == "alibaba"


@pytest.mark.parametrize("row", [BAD_NUMBER, NO_ANSWER, OF_THE_NUMBER])
def test_what_is_about_a_phone_never_counts_against_a_carrier(desk: Desk, row: Row) -> None:
    _team(desk, TEXT)
    for _ in range(5):
        desk.opens()
        assert desk.last().provider == "alibaba"
        desk.last().accepted().is_undelivered(row)
        desk.advance(400)
    assert _state(desk, "alibaba") == "closed"


def test_a_limit_of_the_account_rests_a_carrier_for_a_minute(desk: Desk) -> None:
    _team(desk, TEXT)
    desk.opens()
    desk.last().refused(OF_THE_ACCOUNT)
    number = desk.opens()
    assert desk.last().provider == "tencent"
    assert desk.reasons(number, "provider.failed_over") == ["resting"]
    assert _state(desk, "alibaba") == "closed"
    desk.advance(61)
    desk.opens()
    assert desk.last().provider == "alibaba"


def test_when_every_carrier_fails_the_message_is_tried_all_the_same_and_operators_are_told_once(
    tmp_path: Path,
) -> None:
    carriers, mails = {"alibaba": Everyone(), "tencent": Everyone()}, {"smtp": Everyone()}
    channels = {"voice": carriers, "sms": carriers, "email": mails}
    desk = new_desk(tmp_path / "desk.db", channels=channels)
    _team(desk, TEXT)
    for _ in range(4):
        desk.opens()
        while desk.last().attempt.status == "sending" and desk.last().channel == "sms":
            last = desk.last()
            last.refused(REFUSED)
            desk.settle()
            if desk.last() is last:
                break
    assert (_state(desk, "alibaba"), _state(desk, "tencent")) == ("open", "open")
    before = len(desk.calls)
    desk.opens()
    assert [call.channel for call in desk.calls[before:]][:1] == ["sms"], "trying beats giving up"
    items = desk.work(
        lambda work: views.incidents(work.conn, status=None, severity=None, before=None, limit=50)
    )
    titles = [item["title"] for item in items]
    assert sum("every provider of texts is failing" in title for title in titles) == 1


def test_a_carrier_without_credit_is_left_alone_at_once(desk: Desk) -> None:
    _team(desk, TEXT)
    desk.opens()
    desk.last().refused(NO_CREDIT)
    desk.opens()
    assert [c.provider for c in desk.calls if c.channel == "sms"][-1] == "tencent"
    assert _state(desk, "alibaba") == "open"


def _silent_calls(desk: Desk, count: int) -> None:
    for _ in range(count):
        number = desk.opens()
        desk.last().accepted()
        desk.advance(151)  # silence: the other one is called
        desk.last().accepted().rings().is_answered().presses("1").ends()
        assert desk.incident(number)["status"] == "acknowledged"
        desk.advance(1)


def test_calls_that_a_carrier_takes_and_never_makes_count_against_it(desk: Desk) -> None:
    _team(desk, CALL)
    _silent_calls(desk, 3)
    assert _state(desk, "alibaba", "voice") == "open"
    desk.opens()
    assert desk.last().provider == "tencent"


def test_silence_across_a_restart_of_ours_counts_against_nobody(desk: Desk) -> None:
    _team(desk, CALL)
    for _ in range(4):
        number = desk.opens()
        assert desk.last().provider == "alibaba"
        desk.last().accepted()
        desk.up_since = desk.now + timedelta(seconds=10)
        desk.advance(151)
        desk.last().accepted().rings().is_answered().presses("1").ends()
        assert desk.incident(number)["status"] == "acknowledged"
        desk.advance(1)
    assert _state(desk, "alibaba", "voice") == "closed"


def test_silence_of_a_carrier_that_has_never_called_back_is_our_address_and_operators_hear_it(
    tmp_path: Path,
) -> None:
    desk = new_desk(tmp_path / "desk.db", called_back=False)
    _team(desk, CALL)
    _silent_calls(desk, 1)
    assert _state(desk, "alibaba", "voice") == "closed"
    items = desk.work(
        lambda work: views.incidents(work.conn, status=None, severity=None, before=None, limit=50)
    )
    (told,) = [item for item in items if "no callback of Alibaba Cloud" in item["title"]]
    assert (told["policy"], told["severity"]) == ("ops", "critical")
