"""How often one number may be called, on the sandbox's clock. Times of day are China's."""

from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from tests.sandbox.conftest import KEYED, LI, RIGHT, WEI, Receiver, Sandbox, changed, code_of

CHINA = timezone(timedelta(hours=8))
LIMITED = {
    "alibaba": "isv.BUSINESS_LIMIT_CONTROL",
    "tencent": "LimitExceeded.DeliveryFrequencyLimit",
}
MINUTE, HOUR, DAY = 60.0, 3600.0, 86_400.0


@pytest.fixture
def limited(sandbox: Sandbox) -> Iterator[Sandbox]:
    """Both carriers' limits apply; it is noon; nobody can be reached, which counts all the same."""
    sandbox.settings(alibaba={"limits": True}, tencent={"limits": True})
    sandbox.phone(LI, "off")
    sandbox.phone(WEI, "off")
    go_to(sandbox, 12)
    return sandbox


def go_to(sandbox: Sandbox, hour: int, minute: int = 0, second: int = 0) -> None:
    """Let time pass until the next such time of day."""
    now = datetime.fromisoformat(sandbox.now()).astimezone(CHINA)
    then = now.replace(hour=hour, minute=minute, second=second, microsecond=0)
    sandbox.advance((then - now).total_seconds() % DAY)


def call(sandbox: Sandbox, carrier: str, **change: Any) -> bool:
    """Ask for a call; say whether it is made or refused for a limit."""
    action = KEYED[carrier]
    code = code_of(sandbox.ask(action, changed(action, change)))
    assert code in ("OK", LIMITED[carrier])
    return code == "OK"


# (carrier, the window in seconds, how many calls in it, how long from one to the next)
WINDOWS = [
    ("alibaba", MINUTE, 1, 0),
    ("alibaba", HOUR, 5, 61),
    ("alibaba", DAY, 20, 900),
    ("tencent", 30.0, 1, 0),
    ("tencent", 600.0, 2, 31),
    ("tencent", DAY, 3, 601),
]


@pytest.mark.parametrize(("carrier", "window_s", "most", "apart_s"), WINDOWS)
def test_so_many_calls_in_a_window_that_starts_at_the_first(
    limited: Sandbox, carrier: str, window_s: float, most: int, apart_s: float
) -> None:
    for _ in range(most):
        assert call(limited, carrier)
        limited.advance(max(apart_s, 2))
    passed = most * max(apart_s, 2)
    assert not call(limited, carrier)
    limited.advance(window_s - passed - 2)
    assert not call(limited, carrier)
    limited.advance(3)
    assert call(limited, carrier)


def test_an_hour_is_not_the_clocks_hour(limited: Sandbox) -> None:
    go_to(limited, 12, 55)
    for _ in range(5):
        assert call(limited, "alibaba")
        limited.advance(61)
    go_to(limited, 13, 5)
    assert not call(limited, "alibaba")
    go_to(limited, 13, 55, 2)
    assert call(limited, "alibaba")


@pytest.mark.parametrize("carrier", ["alibaba", "tencent"])
@pytest.mark.parametrize("behaviour", ["busy", "off", "bad_number", "over_concurrency", "answer"])
def test_a_call_counts_whatever_became_of_it(
    limited: Sandbox, carrier: str, behaviour: str
) -> None:
    limited.phone(LI, behaviour, after_s=1, hangup_after_s=1)
    assert call(limited, carrier)
    limited.advance(20)
    assert limited.calls()[0]["status"] == "ended"
    assert not call(limited, carrier)


@pytest.mark.parametrize("carrier", ["alibaba", "tencent"])
def test_another_number_and_the_other_carrier_have_their_own_limits(
    limited: Sandbox, carrier: str
) -> None:
    other = {"alibaba": "tencent", "tencent": "alibaba"}[carrier]
    wei = {"alibaba": WEI.removeprefix("+86"), "tencent": WEI}
    assert call(limited, carrier)
    assert call(limited, carrier, CalledNumber=wei[carrier])
    assert call(limited, other)


def test_a_request_that_was_refused_does_not_count(limited: Sandbox) -> None:
    for carrier, action in KEYED.items():
        wrong = limited.ask(
            action, changed(action, {"PlayTimes": 4 if carrier == "tencent" else "4"})
        )
        assert code_of(wrong) != "OK"
        limited.advance(1.5)
        assert call(limited, carrier)


def test_a_refusal_for_a_limit_does_not_make_the_wait_longer(limited: Sandbox) -> None:
    assert call(limited, "alibaba")
    for _ in range(5):
        limited.advance(11)
        assert not call(limited, "alibaba")
    limited.advance(6)
    assert call(limited, "alibaba")


def test_a_code_counts_like_a_page(limited: Sandbox) -> None:
    assert code_of(limited.ask("SendCodeVoice", RIGHT["SendCodeVoice"])) == "OK"
    assert not call(limited, "tencent")


def test_two_requests_within_a_second_are_both_blocked(
    limited: Sandbox, receiver: Receiver
) -> None:
    limited.phone(LI, "answer", after_s=0, keys="1")
    assert call(limited, "alibaba")
    assert not call(limited, "alibaba")
    limited.advance(120)
    (blocked,) = limited.calls()
    assert blocked["outcome"] == "blocked"
    assert blocked["answered_at"] is None
    codes = [record["status_code"] for body in receiver.bodies("alibaba") for record in body]
    assert codes == ["200101", "200100", "200119"]


def test_two_refused_within_a_second_do_not_block_the_call_that_rings(limited: Sandbox) -> None:
    limited.phone(LI, "ring")
    assert call(limited, "alibaba")
    limited.advance(30)
    assert [call(limited, "alibaba") for _ in range(2)] == [False, False]
    assert limited.calls()[0]["status"] == "ringing"


def test_two_requests_a_second_apart_are_not_blocked(limited: Sandbox) -> None:
    limited.phone(LI, "answer", after_s=0, keys="1")
    assert call(limited, "alibaba")
    limited.advance(1)
    assert not call(limited, "alibaba")  # one a minute
    limited.advance(10)
    assert limited.calls()[0]["outcome"] == "completed"


def test_two_caller_numbers_do_not_block_each_other(limited: Sandbox) -> None:
    limited.phone(LI, "answer", after_s=0, keys="1")
    assert call(limited, "alibaba")
    assert not call(limited, "alibaba", CalledShowNumber="05710000001")  # one a minute
    limited.advance(10)
    assert limited.calls()[0]["outcome"] == "completed"


def test_tencent_calls_once_a_night(limited: Sandbox) -> None:
    go_to(limited, 21, 50)
    assert call(limited, "tencent")
    go_to(limited, 22, 5)
    assert call(limited, "tencent")
    go_to(limited, 23, 30)
    assert not call(limited, "tencent")
    go_to(limited, 7, 59, 50)
    assert not call(limited, "tencent")
    go_to(limited, 8, 0, 1)
    assert call(limited, "tencent")


def test_the_night_ends_at_midnight_for_nobody_and_comes_again(limited: Sandbox) -> None:
    go_to(limited, 23, 50)
    assert call(limited, "tencent")
    go_to(limited, 0, 10)
    assert not call(limited, "tencent")
    go_to(limited, 22, 1)
    assert call(limited, "tencent")


def test_alibaba_calls_all_night(limited: Sandbox) -> None:
    go_to(limited, 23)
    assert call(limited, "alibaba")
    limited.advance(61)
    assert call(limited, "alibaba")


def test_limits_can_be_switched_off(sandbox: Sandbox) -> None:
    for carrier in KEYED:
        assert [call(sandbox, carrier) for _ in range(25)] == [True] * 25


def test_reset_forgets_what_was_called(limited: Sandbox) -> None:
    assert [call(limited, carrier) for carrier in KEYED] == [True, True]
    limited.put_right("/sandbox/reset", post=True)
    assert [call(limited, carrier) for carrier in KEYED] == [True, True]
