"""A code that is called out: digit by digit, twice, and as nothing that a key could answer."""

import re

import pytest

from clouds.alibaba import AlibabaCredentials
from paging.errors import DeliveryError
from paging.menu import DEFAULT
from paging.ports import Message
from telephony.alibaba import AlibabaVoice, AlibabaVoiceSettings
from tests.telephony.conftest import NUMBER, Sandbox, Voice, make

CODE = Message("r-0123456789abc", NUMBER, "zh-CN", "code", {"code": "012345"})


def test_a_code_is_said_digit_by_digit_and_twice(
    adapter: str, voice: Voice, sandbox: Sandbox
) -> None:
    sent = voice.send(CODE)
    [call] = sandbox.calls()
    assert (call["id"], call["number"]) == (sent.provider_id, NUMBER)
    assert call["ref"] == "r-0123456789abc"
    assert re.sub(r"\D", "", sent.text) == "012345"
    [asked] = sandbox.requests()
    assert str(asked["params"]["PlayTimes"]) == "2"
    if adapter == "tencent":
        assert asked["params"]["CodeMessage"] == "012345"  # its carrier speaks single digits
    else:
        assert call["text"] == sent.text == "您的验证码是0 1 2 3 4 5。"


def test_a_code_waits_for_no_key_and_rings_from_the_number_that_was_bought(
    sandbox: Sandbox,
) -> None:
    """The text belongs to the mode of that number; IvrCall would ask for a key."""
    make("alibaba-ivr", sandbox.url).send(CODE)
    [asked] = sandbox.requests()
    assert asked["action"] == "SingleCallByTts"
    assert asked["params"]["CalledShowNumber"] == "05710000000"


def test_silence_after_a_code_counts_two_readings_and_no_key(voice: Voice) -> None:
    silence = voice.send(CODE).silence_s
    assert silence is not None
    assert 60 + 30 < silence < 60 + 30 + 2 * 10


def test_codes_are_offered_where_there_is_a_text_or_none_is_needed(adapter: str) -> None:
    voice = make(adapter, "http://127.0.0.1:9")
    assert voice.purposes == {"page", "test", "code"}


def test_without_a_text_alibaba_calls_out_no_code() -> None:
    page = {"id": "T", "text": "告警${a}。", "params": {"a": "title"}}
    told = {"endpoint": "http://127.0.0.1:9", "mode": "tts", "templates": {"page": page}}
    keys = AlibabaCredentials(access_key_id="LTAI-test", access_key_secret="secret-of-alibaba")
    voice = AlibabaVoice(AlibabaVoiceSettings.model_validate(told), keys, DEFAULT)
    assert voice.purposes == {"page", "test"}
    with pytest.raises(DeliveryError) as caught:
        voice.send(CODE)
    assert (caught.value.code, caught.value.row.placed) == ("no_template", "no")
