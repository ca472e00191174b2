"""Who is trusted: what moves a circuit, who is tried next, and that two never send one probe."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection

from paging import circuit
from paging.circuit import (
    FAULTS_OPEN,
    LONGEST,
    NEW,
    PROBE_TAKES_AT_MOST,
    RESTS_FOR,
    Accepted,
    Carried,
    Circuit,
    Fault,
    Nothing,
    Rest,
    Signal,
    Skip,
    after,
    order,
    probing,
)
from paging.errors import DeliveryError, Row
from paging.events import (
    CallAnswered,
    CallEnded,
    CallFailed,
    CallNoted,
    CallRinging,
    DigitsPressed,
    Event,
    MessageDelivered,
    MessageFailed,
    Receipt,
)
from paging.model import Attempt
from paging.ports import Sent
from paging.store import circuits as rows
from paging.store import schema
from paging.store.database import connect
from paging.work import new_attempt
from tests.paging.conftest import BAD_NUMBER, BUSY, LI, LOST, NO_ANSWER, REFUSED, START

OPEN_S = 60.0
UPSTREAM = Row("transient", "not_sent", placed="maybe")
CONGESTED = Row("transient", "not_sent")
GREYLISTED = Row("transient", "not_sent", postpones=True)
NO_CREDIT = Row("out_of_credit", "not_sent")
WRONG_KEY = Row("misconfigured", "not_sent")
BAD_WORDS = Row("misconfigured", "not_sent", again="never")
NUMBER_LIMIT = Row("rate_limited", "limited", scope="number")
ACCOUNT_LIMIT = Row("rate_limited", "limited", scope="account")
BLOCKED_ELSEWHERE = Row("recipient_rejected", "blocked")
UNREACHABLE = Row("unknown", "unreachable")


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def attempt(channel: Any = "voice", purpose: Any = "page") -> Attempt:
    return new_attempt("li", (channel, LI), "alibaba", "en", START, id_="a", purpose=purpose)


def refusal(row: Row, *, answered: bool = True) -> DeliveryError:
    return DeliveryError("alibaba", "code", row, answered=answered)


def refused(begun_s: float, name: str = "a", kind: Any = "provider_down") -> Fault:
    return Fault(name, at(begun_s), "submit", kind)


def lost(begun_s: float, name: str = "a") -> Fault:
    return Fault(name, at(begun_s), "carriage", "unknown")


def moved(before: Circuit, *signals: Signal, now: float = 0) -> Circuit:
    for signal in signals:
        before = after(before, signal, at(now), OPEN_S)
    return before


def opened(fault: Any = refused, now: float = 0) -> Circuit:
    return moved(NEW, *[fault(now)] * FAULTS_OPEN, now=now)


def probed(before: Circuit, now: float, name: str = "probe") -> Circuit:
    return probing(before, name, at(now))


# --- what a submit, a receipt and a silence say -------------------------------------------------

FAULTY, SAYS_NOTHING, RESTS = "fault", "nothing", "rest"


@pytest.mark.parametrize(
    ("row", "answered", "says"),
    [
        (REFUSED, True, FAULTY),
        (REFUSED, False, FAULTY),
        (UPSTREAM, True, FAULTY),
        (LOST, False, FAULTY),
        (NO_CREDIT, True, FAULTY),
        (WRONG_KEY, True, FAULTY),
        (ACCOUNT_LIMIT, True, RESTS),
        (LOST, True, SAYS_NOTHING),  # a code that no table has
        (CONGESTED, True, SAYS_NOTHING),
        (GREYLISTED, True, SAYS_NOTHING),
        (BAD_WORDS, True, SAYS_NOTHING),
        (NUMBER_LIMIT, True, SAYS_NOTHING),
        (BUSY, True, SAYS_NOTHING),
        (BAD_NUMBER, True, SAYS_NOTHING),
        (BLOCKED_ELSEWHERE, True, SAYS_NOTHING),
    ],
    ids=str,
)
def test_a_refused_submit_blames_the_carrier_only_where_it_is_to_blame(
    row: Row, *, answered: bool, says: str
) -> None:
    signal = circuit.of_answer(attempt(), refusal(row, answered=answered), START)
    assert (
        signal
        == {
            FAULTY: Fault("a", START, "submit", row.kind),
            RESTS: Rest("a", START + RESTS_FOR),
            SAYS_NOTHING: Nothing("a"),
        }[says]
    )


@pytest.mark.parametrize(
    ("row", "says"),
    [
        (REFUSED, FAULTY),
        (WRONG_KEY, FAULTY),
        (ACCOUNT_LIMIT, RESTS),
        (CONGESTED, SAYS_NOTHING),
        (UNREACHABLE, SAYS_NOTHING),
        (NUMBER_LIMIT, SAYS_NOTHING),
        (NO_ANSWER, SAYS_NOTHING),
        (BUSY, SAYS_NOTHING),
        (BAD_NUMBER, SAYS_NOTHING),
    ],
    ids=str,
)
@pytest.mark.parametrize("failed", [CallFailed, MessageFailed])
def test_a_failed_delivery_blames_the_carrier_only_where_it_is_to_blame(
    failed: Any, row: Row, says: str
) -> None:
    signal = circuit.of_receipt(attempt(), failed(Receipt("alibaba", "1"), "code", row), START)
    assert (
        signal
        == {
            FAULTY: Fault("a", START, "carriage", row.kind),
            RESTS: Rest("a", START + RESTS_FOR),
            SAYS_NOTHING: Nothing("a"),
        }[says]
    )


HEARD = Receipt("alibaba", "1")


@pytest.mark.parametrize(
    "event",
    [
        CallRinging(HEARD),
        CallAnswered(HEARD),
        DigitsPressed(HEARD, "1"),
        CallEnded(HEARD, "no_key", "200000"),
        MessageDelivered(HEARD),
    ],
    ids=lambda event: type(event).__name__,
)
def test_what_reaches_a_phone_was_carried(event: Event) -> None:
    assert circuit.of_receipt(attempt(), event, START) == Carried("a", START)


def test_a_note_of_the_carrier_proves_nothing_and_ends_nothing() -> None:
    assert circuit.of_receipt(attempt(), CallNoted(HEARD, "300001"), START) is None


def test_a_taken_message_is_accepted_and_one_never_sent_says_nothing() -> None:
    assert circuit.of_answer(attempt(), Sent("id", "spoken"), START) == Accepted("a", START)
    assert circuit.of_answer(attempt(), None, START) == Nothing("a")


def test_a_template_of_another_purpose_is_not_held_against_pages() -> None:
    notice = attempt("sms", purpose="notice")
    assert circuit.of_answer(notice, refusal(WRONG_KEY), START) == Nothing("a")


def test_a_call_that_nothing_is_heard_of_is_the_carriers_fault_and_a_text_may_be_a_phone_off() -> (
    None
):
    assert circuit.of_silence(attempt()) == Fault("a", START, "carriage", "unknown")
    assert circuit.of_silence(attempt("sms")) == Nothing("a")


# --- how a circuit moves ------------------------------------------------------------------------


def test_one_fault_too_many_in_a_row_opens() -> None:
    almost = moved(NEW, *[refused(0)] * (FAULTS_OPEN - 1))
    assert almost.phase(at(0)) == "closed"
    now_open = moved(almost, refused(0))
    assert now_open.phase(at(0)) == "open"
    assert now_open.open_until == at(OPEN_S)


@pytest.mark.parametrize(
    ("fault", "cure", "other"), [(refused, Accepted, Carried), (lost, Carried, Accepted)]
)
def test_only_what_went_wrong_going_well_breaks_a_row_of_faults(
    fault: Any, cure: Any, other: Any
) -> None:
    """A carrier that takes everything and carries nothing is found out."""
    almost = [fault(0)] * (FAULTS_OPEN - 1)
    assert moved(NEW, *almost, cure("b", at(0)), fault(0)).phase(at(0)) == "closed"
    assert moved(NEW, *almost, other("b", at(0)), fault(0)).phase(at(0)) == "open"


def test_a_night_of_one_call_an_hour_counts_like_a_minute_of_many() -> None:
    now, state = 0.0, NEW
    for hour in range(FAULTS_OPEN):
        assert order(["alibaba"], {"alibaba": state}, at(now)).skipped == {}
        state, now = moved(state, refused(now, str(hour)), now=now), now + 3600
    assert state.open_until is not None
    choice = order(["alibaba", "tencent"], {"alibaba": state}, at(now))
    assert (choice.names[0], choice.probe) == ("alibaba", True)


def test_no_credit_opens_at_once_and_for_the_longest_time() -> None:
    assert moved(NEW, refused(0, kind="out_of_credit")).open_until == START + LONGEST


def test_an_accepted_probe_closes_and_a_failed_one_opens_for_twice_as_long() -> None:
    out = probed(opened(), 60)
    assert out.phase(at(61)) == "half_open"
    assert moved(out, Accepted("probe", at(60)), now=61).phase(at(61)) == "closed"
    again = moved(out, refused(60, "probe"), now=61)
    assert again.open_until == at(61 + 2 * OPEN_S)
    assert again.phase(at(61)) == "open"


def test_the_time_doubles_up_to_a_quarter_of_an_hour_and_starts_anew_after_trust() -> None:
    state, now, times = opened(), 0.0, list[float]()
    for _ in range(1100):  # eleven days of it
        now += LONGEST.total_seconds()
        state = moved(probed(state, now), refused(now, "probe"), now=now)
        times.append(state.open_for.total_seconds())
    assert times[:4] == [120, 240, 480, 900]
    assert set(times[4:]) == {900}
    trusted = moved(probed(state, now), Accepted("probe", at(now)), now=now)
    later = now + 10
    assert moved(trusted, *[refused(later)] * 3, now=later).open_until == at(later + OPEN_S)


def test_what_was_lost_is_trusted_again_only_when_a_probe_was_carried() -> None:
    out = moved(probed(opened(lost), 60), Accepted("probe", at(60)), now=61)
    assert out.phase(at(62)) == "half_open"
    assert moved(out, Carried("probe", at(60)), now=70).phase(at(70)) == "closed"
    assert moved(out, lost(60, "probe"), now=200).open_until == at(200 + 2 * OPEN_S)


def test_a_lost_probe_is_not_forgotten_over_a_refused_one() -> None:
    refused_too = moved(probed(opened(lost), 60), refused(60, "probe"), now=61)
    taken = moved(probed(refused_too, 200), Accepted("probe", at(200)), now=201)
    assert taken.phase(at(201)) == "half_open"


def test_a_burst_that_fails_together_opens_once() -> None:
    burst = [refused(0, str(number)) for number in range(64)]
    assert moved(NEW, *burst, now=5).open_until == at(5 + OPEN_S)


def test_late_news_of_older_attempts_neither_opens_nor_closes() -> None:
    state = opened(now=10)
    assert moved(state, Carried("old", at(5)), Accepted("old", at(5)), now=20) == state
    trusted = moved(probed(state, 70), Accepted("probe", at(70)), now=71)
    assert moved(trusted, *[lost(5, "old")] * 9, now=160) == trusted


def test_an_attempt_made_while_all_were_open_closes_its_circuit_too() -> None:
    state = opened()
    assert moved(state, Accepted("forced", at(20)), now=21).phase(at(21)) == "closed"


def test_a_probe_that_teaches_nothing_gives_its_place_up() -> None:
    out = probed(opened(), 60)
    assert order(["alibaba"], {"alibaba": out}, at(70)).probe is False
    freed = moved(out, Nothing("probe"), now=65)
    assert order(["alibaba"], {"alibaba": freed}, at(70)).probe is True
    assert moved(out, Nothing("another"), now=65) == out


def test_a_probe_whose_process_was_killed_blocks_for_minutes_and_not_for_ever() -> None:
    out, ends = probed(opened(), 60), 60 + PROBE_TAKES_AT_MOST.total_seconds()
    blocked = order(["alibaba", "tencent"], {"alibaba": out}, at(ends - 1))
    assert blocked.names[0] == "tencent"
    assert blocked.skipped == {"alibaba": Skip("probe_out", at(ends))}
    free = order(["alibaba", "tencent"], {"alibaba": out}, at(ends))
    assert (free.names[0], free.probe) == ("alibaba", True)


def test_a_limit_of_the_account_rests_and_opens_nothing() -> None:
    resting = moved(NEW, *[Rest("a", at(60))] * 9, Rest("b", at(30)))
    assert (resting.phase(at(1)), resting.rests_until) == ("closed", at(60))
    choice = order(["alibaba", "tencent"], {"alibaba": resting}, at(1))
    assert (choice.names[0], choice.probe) == ("tencent", False)
    assert choice.skipped == {"alibaba": Skip("resting", at(60))}
    assert order(["alibaba", "tencent"], {"alibaba": resting}, at(60)).names[0] == "alibaba"


# --- who is tried -------------------------------------------------------------------------------

TWO = ["alibaba", "tencent"]
OPEN_60, OPEN_100 = opened(), opened(now=40)


@pytest.mark.parametrize(
    ("alibaba", "tencent", "now", "names", "skipped", "probe"),
    [
        (NEW, NEW, 0, "alibaba tencent", {}, False),
        (OPEN_60, NEW, 1, "tencent alibaba", {"alibaba": "circuit_open"}, False),
        (OPEN_60, NEW, 60, "alibaba tencent", {}, True),
        (probed(OPEN_60, 60), NEW, 61, "tencent alibaba", {"alibaba": "probe_out"}, False),
        (NEW, OPEN_60, 1, "alibaba tencent", {}, False),
        (OPEN_100, OPEN_60, 50, "tencent alibaba", {"alibaba": "circuit_open"}, True),
        (OPEN_60, OPEN_100, 50, "alibaba tencent", {}, True),
        (OPEN_60, OPEN_60, 50, "alibaba tencent", {}, True),
        (probed(OPEN_60, 60), OPEN_100, 70, "tencent alibaba", {"alibaba": "probe_out"}, True),
        (probed(OPEN_60, 60), probed(OPEN_60, 61), 70, "alibaba tencent", {}, False),
        (
            replace(NEW, rests_until=at(60)),
            OPEN_100,
            50,
            "alibaba tencent",
            {},
            False,
        ),
    ],
)
def test_the_first_that_is_trusted_goes_first_and_else_the_next_due(
    alibaba: Circuit,
    tencent: Circuit,
    *,
    now: float,
    names: str,
    skipped: dict[str, str],
    probe: bool,
) -> None:
    choice = order(TWO, {"alibaba": alibaba, "tencent": tencent}, at(now))
    assert list(choice.names) == names.split()
    assert {name: skip.reason for name, skip in choice.skipped.items()} == skipped
    assert choice.probe is probe


@pytest.mark.parametrize(
    ("alibaba", "tencent", "loud"),
    [
        (OPEN_60, OPEN_60, True),
        (OPEN_60, probed(OPEN_60, 60), True),
        (OPEN_60, NEW, False),
        (OPEN_60, replace(NEW, rests_until=at(60)), False),
        (NEW, NEW, False),
    ],
)
def test_the_operators_hear_that_nobody_on_a_channel_is_trusted(
    alibaba: Circuit, tencent: Circuit, *, loud: bool
) -> None:
    alarm = circuit.alarm("voice", TWO, {"alibaba": alibaba, "tencent": tencent})
    assert (alarm and alarm.cause) == ("circuits:voice" if loud else None)


def test_a_channel_without_providers_alarms_nobody() -> None:
    assert circuit.alarm("email", [], {}) is None


# --- whatever happens ---------------------------------------------------------------------------

_STEPS = st.lists(
    st.tuples(
        st.sampled_from(
            ["accepted", "carried", "refused", "lost", "broke", "rest", "nothing", "killed"]
        ),
        st.integers(0, 1200),  # seconds until the next attempt
        st.integers(0, 400),  # how old its news is
    ),
    max_size=40,
)


def _signal(what: str, name: str, begun: datetime, now: datetime) -> Signal | None:
    return {
        "accepted": Accepted(name, begun),
        "carried": Carried(name, begun),
        "refused": Fault(name, begun, "submit", "provider_down"),
        "lost": Fault(name, begun, "carriage", "unknown"),
        "broke": Fault(name, begun, "submit", "out_of_credit"),
        "rest": Rest(name, now + RESTS_FOR),
        "nothing": Nothing(name),
        "killed": None,
    }[what]


def lived(steps: list[tuple[str, int, int]]) -> tuple[Circuit, datetime]:
    """Return a circuit after a history, with what it was asked and told on the way."""
    state, now = NEW, START
    for number, (what, pause, age) in enumerate(steps):
        now += timedelta(seconds=pause)
        if order(["alibaba"], {"alibaba": state}, now).probe:
            state = probing(state, f"{number}", now)
        signal = _signal(what, f"{number}", now - timedelta(seconds=age), now)
        state = state if signal is None else after(state, signal, now, OPEN_S)
    return state, now


@given(_STEPS)
def test_a_provider_that_works_again_is_tried_in_a_quarter_of_an_hour_and_then_trusted(
    steps: list[tuple[str, int, int]],
) -> None:
    """With a healthy second provider beside it, so that nothing forces anybody to try it."""
    state, now = lived(steps)
    limit = now + LONGEST
    while order(TWO, {"alibaba": state}, now).names[0] != "alibaba":
        now += timedelta(seconds=10)
        assert now <= limit + timedelta(seconds=10)
    now += timedelta(microseconds=1)
    if order(TWO, {"alibaba": state}, now).probe:
        state = probing(state, "last", now)
    state = after(state, Accepted("last", now), now, OPEN_S)
    state = after(state, Carried("last", now), now, OPEN_S)
    assert state.phase(now) == "closed"
    assert order(TWO, {"alibaba": state}, now).names[0] == "alibaba"


@given(
    steps=_STEPS,
    row=st.sampled_from([BUSY, NO_ANSWER, BAD_NUMBER, BLOCKED_ELSEWHERE, NUMBER_LIMIT]),
    refused_at_once=st.booleans(),
    was_the_probe=st.booleans(),
)
def test_a_phone_never_counts_for_or_against_its_provider(
    steps: list[tuple[str, int, int]], row: Row, *, refused_at_once: bool, was_the_probe: bool
) -> None:
    """All it can do is to give the probe's place to another attempt."""
    before, now = lived(steps)
    tried = attempt()
    before = probing(before, tried.id, now) if was_the_probe else before
    signal = (
        circuit.of_answer(tried, refusal(row), now)
        if refused_at_once
        else circuit.of_receipt(tried, CallFailed(HEARD, "code", row), now)
    )
    assert signal is not None
    left = replace(before, probe=None, probe_at=None) if was_the_probe else before
    assert after(before, signal, now, OPEN_S) == left


@given(_STEPS)
def test_every_provider_stays_in_the_order_whatever_is_known_of_it(
    steps: list[tuple[str, int, int]],
) -> None:
    state, now = lived(steps)
    assert sorted(order(TWO, {"tencent": state}, now).names) == TWO
    assert list(order(["alibaba"], {"alibaba": state}, now).names) == ["alibaba"]


# --- the rows -----------------------------------------------------------------------------------


@pytest.fixture
def two(tmp_path: Path) -> Iterator[tuple[Connection, Connection]]:
    """Two processes' connections to one database, each statement its own transaction."""
    url = f"sqlite:///{tmp_path / 'circuits.db'}"
    schema.upgrade(url)
    engine = connect(url)
    with engine.connect() as one, engine.connect() as other:
        yield one, other
    engine.dispose()


def test_a_circuit_is_read_as_it_was_written(two: tuple[Connection, Connection]) -> None:
    one, other = two
    whole = replace(probed(opened(lost), 60), rests_until=at(90))
    assert rows.load(one, "voice") == {}
    assert rows.save(one, "alibaba", "voice", whole)
    assert rows.save(one, "alibaba", "sms", NEW)
    assert rows.load(other, "voice") == {"alibaba": whole}
    assert rows.load(other, "sms") == {"alibaba": NEW}


def test_only_one_of_two_processes_gets_the_probe(two: tuple[Connection, Connection]) -> None:
    one, other = two
    rows.save(one, "alibaba", "voice", opened())
    known = [rows.load(conn, "voice")["alibaba"] for conn in two]
    claimed = [
        rows.save(conn, "alibaba", "voice", probing(state, name, at(60)))
        for conn, state, name in zip(two, known, ["a", "b"], strict=True)
    ]
    assert claimed == [True, False]
    assert rows.load(other, "voice")["alibaba"].probe == "a"


def test_two_first_faults_at_once_make_one_row(two: tuple[Connection, Connection]) -> None:
    one, other = two
    assert rows.save(one, "alibaba", "voice", replace(NEW, refused=1))
    assert not rows.save(other, "alibaba", "voice", replace(NEW, refused=1))


def test_every_fault_counts_whichever_process_saw_it(two: tuple[Connection, Connection]) -> None:
    for conn in (*two, two[0]):
        before, now_is = rows.hear(conn, "alibaba", "voice", refused(0), at(0), open_s=OPEN_S)
    assert (before.phase(at(0)), now_is.phase(at(0))) == ("closed", "open")
    assert rows.load(two[1], "voice")["alibaba"] == opened()


def test_a_fault_that_another_process_overtook_is_counted_on_top(
    two: tuple[Connection, Connection], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other's change falls between this one's reading and its writing."""
    one, other = two
    load, overtaken = rows.load, list[bool]()

    def slow(conn: Connection, channel: str) -> dict[str, Circuit]:
        read = load(conn, channel)
        if not overtaken:
            overtaken.append(True)
            rows.hear(other, "alibaba", "voice", refused(0, "b"), at(0), open_s=OPEN_S)
        return read

    monkeypatch.setattr(rows, "load", slow)
    rows.hear(one, "alibaba", "voice", refused(0), at(0), open_s=OPEN_S)
    assert load(one, "voice")["alibaba"].refused == 2


def test_what_changes_nothing_writes_nothing(two: tuple[Connection, Connection]) -> None:
    rows.hear(two[0], "alibaba", "voice", Accepted("a", at(0)), at(0), open_s=OPEN_S)
    assert rows.load(two[0], "voice") == {}


def test_a_circuit_survives_a_restart(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'circuits.db'}"
    schema.upgrade(url)
    for write in (True, False):
        engine = connect(url)
        with engine.connect() as conn:
            if write:
                rows.save(conn, "alibaba", "voice", opened())
            else:
                assert rows.load(conn, "voice") == {"alibaba": opened()}
        engine.dispose()
