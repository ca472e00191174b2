"""How often one number may be texted, on the sandbox's clock."""

import json
from datetime import datetime
from typing import Any

import pytest

from tests.sandbox.conftest import SIGN, SMS_TEMPLATES, WEI, Sandbox

MINUTE, HOUR, DAY = 60.0, 3600.0, 86_400.0
CODE: dict[str, Any] = {"TemplateCode": "CODE", "TemplateParam": '{"code": "482916"}'}


@pytest.fixture
def limited(sandbox: Sandbox) -> Sandbox:
    """Both carriers' limits apply, from the first second of an hour."""
    sandbox.settings(alibaba={"limits": True}, tencent={"limits": True})
    to_the_next(sandbox, HOUR)
    return sandbox


def to_the_next(sandbox: Sandbox, seconds: float) -> None:
    """Let time pass until a full minute or hour of the clock."""
    now = datetime.fromisoformat(sandbox.now()).timestamp()
    sandbox.advance(seconds - now % seconds)


def alibaba(sandbox: Sandbox, **change: Any) -> str:
    """What a text is answered: OK, or the limit that it breaks."""
    body = sandbox.ask_text("alibaba", change).json()
    assert body["Code"] in ("OK", "isv.BUSINESS_LIMIT_CONTROL"), body
    return body["Message"]


def tencent(sandbox: Sandbox, title: str = "磁盘", **change: Any) -> str:
    asked = {"TemplateParamSet": [title, "7"], **change}
    body = sandbox.ask_text("tencent", asked).json()["Response"]
    assert "Error" not in body
    (status,) = body["SendStatusSet"]
    assert bool(status["SerialNo"]) == (status["Code"] == "Ok")
    return status["Code"].rpartition(".")[2]


DAY_OF_NOTICES = "触发天级流控Permits:50"


def test_alibaba_texts_a_notification_fifty_times_in_24_hours(limited: Sandbox) -> None:
    assert [alibaba(limited) for _ in range(50)] == ["OK"] * 50
    assert alibaba(limited) == DAY_OF_NOTICES
    limited.advance(DAY - 10)
    assert alibaba(limited) == DAY_OF_NOTICES
    limited.advance(15)
    assert alibaba(limited) == "OK"
    assert len(limited.texts()) == 51


def test_another_number_template_or_sign_name_has_its_own_limit(limited: Sandbox) -> None:
    limited.settings(alibaba={"sms_sign_names": [SIGN, "另一"]})
    assert [alibaba(limited) for _ in range(51)][-1] == DAY_OF_NOTICES
    assert alibaba(limited, PhoneNumbers="13700000001") == "OK"
    assert alibaba(limited, SignName="另一") == "OK"
    assert alibaba(limited, TemplateCode="PLAIN", TemplateParam=None) == "OK"


def test_one_number_over_its_limit_has_the_whole_request_refused(limited: Sandbox) -> None:
    assert [alibaba(limited) for _ in range(50)][-1] == "OK"
    assert alibaba(limited, PhoneNumbers="13700000001,13700000000") == DAY_OF_NOTICES
    assert limited.texts(number=WEI) == []


def test_alibaba_sends_one_code_a_minute_of_the_clock(limited: Sandbox) -> None:
    limited.advance(50)
    assert alibaba(limited, **CODE) == "OK"
    assert alibaba(limited, **CODE) == "触发分钟级流控Permits:1"
    limited.advance(11)  # the next minute of the clock
    assert alibaba(limited, **CODE) == "OK"


def test_alibaba_sends_five_codes_an_hour_of_the_clock(limited: Sandbox) -> None:
    limited.advance(50 * MINUTE)
    for _ in range(5):
        assert alibaba(limited, **CODE) == "OK"
        limited.advance(61)
    assert alibaba(limited, **CODE) == "触发小时级流控Permits:5"
    to_the_next(limited, HOUR)
    assert alibaba(limited, **CODE) == "OK"


def test_alibaba_sends_ten_codes_in_24_hours(limited: Sandbox) -> None:
    for _ in range(10):
        assert alibaba(limited, **CODE) == "OK"
        limited.advance(30 * MINUTE)
    assert alibaba(limited, **CODE) == "触发天级流控Permits:10"
    limited.advance(DAY - 10 * 30 * MINUTE)
    assert alibaba(limited, **CODE) == "OK"


@pytest.mark.parametrize(
    ("text", "is_code"),
    [
        ("您的验证码是${a}。", True),
        ("Your code is ${a}.", True),
        ("Verification code: ${a}", True),
        ("告警,编号${a}。", False),
        ("Alert, reply 1, code ${a}.", False),
    ],
)
def test_a_code_is_known_by_its_approved_text(limited: Sandbox, text: str, is_code: bool) -> None:  # noqa: FBT001 - a row of the table
    limited.settings(alibaba={"sms_templates": {**SMS_TEMPLATES["alibaba"], "X": text}})
    asked = {"TemplateCode": "X", "TemplateParam": json.dumps({"a": "7"})}
    assert alibaba(limited, **asked) == "OK"
    assert (alibaba(limited, **asked) != "OK") == is_code


THIRTY, DAILY = "PhoneNumberThirtySecondLimit", "PhoneNumberDailyLimit"


def test_tencent_texts_the_same_content_once_in_thirty_seconds(limited: Sandbox) -> None:
    assert tencent(limited) == "Ok"
    assert tencent(limited) == THIRTY
    assert tencent(limited, "另一个") == "Ok"
    assert tencent(limited, PhoneNumberSet=[WEI]) == "Ok"
    limited.advance(28)
    assert tencent(limited) == THIRTY
    limited.advance(3)
    assert tencent(limited) == "Ok"


def test_tencent_texts_a_number_ten_times_a_day(limited: Sandbox) -> None:
    assert [tencent(limited, f"磁盘{i}") for i in range(11)] == ["Ok"] * 10 + [DAILY]
    assert tencent(limited, PhoneNumberSet=[WEI]) == "Ok"
    limited.advance(DAY - 10)
    assert tencent(limited) == DAILY
    limited.advance(15)
    assert tencent(limited) == "Ok"


def test_one_number_over_its_limit_leaves_the_others_their_text(limited: Sandbox) -> None:
    assert tencent(limited) == "Ok"
    asked = {"TemplateParamSet": ["磁盘", "7"], "PhoneNumberSet": ["+8613700000000", WEI]}
    statuses = limited.ask_text("tencent", asked).json()["Response"]["SendStatusSet"]
    assert [status["Code"] for status in statuses] == [f"LimitExceeded.{THIRTY}", "Ok"]


def test_a_request_that_was_refused_does_not_count(limited: Sandbox) -> None:
    for _ in range(3):
        limited.ask_text("alibaba", {**CODE, "SignName": "别人"})
        limited.ask_text("tencent", {"SignName": "别人"})
    assert alibaba(limited, **CODE) == "OK"
    assert tencent(limited) == "Ok"


def test_calls_and_texts_are_counted_apart(limited: Sandbox) -> None:
    limited.place("IvrCall")
    limited.place("SendTtsVoice")
    assert alibaba(limited, **CODE) == "OK"
    assert tencent(limited) == "Ok"


def test_limits_can_be_switched_off_and_reset_forgets_them(limited: Sandbox) -> None:
    assert [alibaba(limited, **CODE), tencent(limited)] == ["OK", "Ok"]
    limited.settings(alibaba={"limits": False}, tencent={"limits": False})
    assert [alibaba(limited, **CODE), tencent(limited)] == ["OK", "Ok"]
    limited.settings(alibaba={"limits": True}, tencent={"limits": True})
    assert [alibaba(limited, **CODE), tencent(limited)] != ["OK", "Ok"]
    limited.put_right("/sandbox/reset", post=True)
    assert [alibaba(limited, **CODE), tencent(limited)] == ["OK", "Ok"]
