"""What every voice adapter does alike, with its real SDK against the sandbox over real HTTP.

Which answers prove that nothing was placed decides between calling elsewhere at once and waiting:
too much waiting leaves an incident unheard, too little rings a phone twice.
"""

import asyncio
import contextlib
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import pytest
from structlog.testing import capture_logs

from clouds import alibaba as alibaba_cloud
from clouds import faults
from clouds import tencent as tencent_cloud
from clouds.pooled import Pooled
from clouds.threads import CallPool
from paging.errors import DeliveryError, Row
from paging.ports import Sent
from telephony import alibaba, tencent
from tests.telephony import documented
from tests.telephony.conftest import NUMBER, Sandbox, Voice, make, request
from tests.telephony.documented import EXAMPLES, Refusal
from tests.telephony.wire import (
    BROKEN_ANSWERS,
    DOWN,
    JSON,
    LOST,
    Expected,
    Raw,
    answering,
    check,
    check_probe,
    check_probe_of_nobody,
    closed_port,
    refused,
)

SPOKEN = {"zh-CN": "数据库 db 杠 1 down"}


def refusal_of(place: Callable[[], object], caplog: pytest.LogCaptureFixture) -> DeliveryError:
    """The one error that may come of this; no trace of number or message comes with it."""
    return refused(place, caplog, NUMBER.removeprefix("+86"), "db 杠 1", "db-1")


# What is placed.


def test_a_call_arrives_with_its_number_text_and_ref(
    adapter: str, voice: Voice, sandbox: Sandbox
) -> None:
    placed = voice.send(request())
    [call] = sandbox.calls()
    assert (call["id"], call["number"]) == (placed.provider_id, NUMBER)
    assert call["ref"] == "r-0123456789abc"
    assert call["text"] == placed.text
    assert placed.text.startswith(f"严重告警,{SPOKEN['zh-CN']}")
    [asked] = sandbox.requests()
    assert str(asked["params"]["PlayTimes"]) == "3"


def test_every_key_of_the_menu_is_answered_by_the_reply(sandbox: Sandbox) -> None:
    """Alibaba hears no key that has no row of its own; Tencent's calls have no menu to give."""
    menu = {"1": "acknowledge", "2": "escalate", "3": "mute", "9": "close"}
    make("alibaba-ivr", sandbox.url, menu).send(request())  # pyright: ignore[reportArgumentType]
    [call] = sandbox.calls()
    assert call["reply_texts"] == dict.fromkeys(menu, "已收到按键。")


def test_what_cannot_be_spoken_as_it_is_written_arrives_all_the_same(
    voice: Voice, sandbox: Sandbox
) -> None:
    hard = 'http://10.0.0.1:80/x?y=%22#1 【¥】[★] ^_^& <b>10:30</b> "' + "长" * 600
    placed = voice.send(request(title=hard))
    [call] = sandbox.calls()
    assert call["text"] == placed.text


def test_silence_counts_ringing_every_reading_the_key_and_some_slack(
    adapter: str, voice: Voice
) -> None:
    short = voice.send(request(title="a")).silence_s
    long = voice.send(request(title="数据库宕机" * 4)).silence_s
    key_wait = {"alibaba-ivr": 10, "alibaba-tts": 0, "tencent": 10}[adapter]
    assert 60 + 30 + key_wait < short < 60 + 30 + key_wait + 3 * 20
    # 20 characters more, at 4 a second, three times; less the one letter, a word of 0.4 s.
    assert long - short == pytest.approx(3 * (20 / 4 - 0.4))


def test_many_calls_at_once_each_get_their_own_answer(
    adapter: str, voice: Voice, sandbox: Sandbox
) -> None:
    numbers = [f"+86137000001{i:02}" for i in range(40)]

    async def place() -> list[Sent | None]:
        pool = CallPool(adapter, 16)
        pooled = Pooled(voice, pool, deadline_s=10)
        calls = [
            pooled.send(request(to=number, ref=f"ref-{number[-4:]}"), still_wanted=_yes)
            for number in numbers
        ]
        placed = await asyncio.gather(*calls)
        pool.close()
        return placed

    placed = asyncio.run(place())
    by_id = {call["id"]: (call["number"], call["ref"]) for call in sandbox.calls()}
    assert [by_id[one.provider_id] for one in placed if one] == [
        (number, f"ref-{number[-4:]}") for number in numbers
    ]


@pytest.mark.parametrize(
    ("number", "wire"), [("+8613700000000", "13700000000"), ("+8657100000000", "057100000000")]
)
def test_alibaba_is_given_numbers_as_the_mainland_dials_them(
    number: str, wire: str, sandbox: Sandbox
) -> None:
    make("alibaba-ivr", sandbox.url).send(request(to=number))
    [asked] = sandbox.requests()
    assert asked["params"]["CalledNumber"] == wire
    assert [call["number"] for call in sandbox.calls()] == [number]


def test_the_numbers_that_were_bought_take_turns(sandbox: Sandbox) -> None:
    """Each has a cap of its own on calls at once."""
    numbers = ["05710000000", "05710000001"]
    sandbox.settings(alibaba={"show_numbers": numbers})
    voice = make("alibaba-ivr", sandbox.url, show_numbers=numbers)
    for i in range(4):
        voice.send(request(to=f"+861370000000{i}"))
    assert [call["from"] for call in sandbox.calls()][::-1] == numbers * 2


def test_a_connection_is_used_again(adapter: str) -> None:
    """A new one costs a handshake of TLS, a tenth of a second on a bad night's way."""
    both = '{"Code": "OK", "CallId": "1", "Response": {"SendStatus": {"CallId": "1"}}}'
    with answering(Raw(200, both, JSON), keep_alive=True) as (url, _, connections):
        voice = make(adapter, url)
        for _ in range(5):
            voice.send(request())
        assert len(connections) == 1


# Every code of the documents.

TABLES: dict[str, tuple[dict[str, Row], Sequence[Refusal]]] = {
    "alibaba": (
        alibaba_cloud.COMMON | alibaba.CODES,
        [*documented.ALIBABA_COMMON, *documented.ALIBABA_VOICE],
    ),
    "tencent": (
        tencent_cloud.COMMON | tencent.CODES,
        [*documented.TENCENT_COMMON, *documented.TENCENT_VOICE],
    ),
}


class Answer(NamedTuple):
    """A documented refusal in one of the forms in which it may come."""

    adapter: str
    refusal: Refusal
    http_status: int | None


def _answers() -> Iterator[Answer]:
    for refusal in TABLES["alibaba"][1]:
        server = refusal.code in ("isp.SYSTEM_ERROR", "isp.GATEWAY_ERROR", "InternalError")
        for adapter in ("alibaba-ivr", "alibaba-tts"):
            # The documents have business errors as HTTP 200 with a Code, and as 400 or 500.
            yield Answer(adapter, refusal, None)
            yield Answer(adapter, refusal, 500 if server else 400)
    for refusal in TABLES["tencent"][1]:
        yield Answer("tencent", refusal, None)


@pytest.mark.parametrize(
    "answer", list(_answers()), ids=lambda a: f"{a.adapter}-{a.refusal.code}-{a.http_status or 200}"
)
def test_a_documented_refusal_means_what_its_row_says(
    answer: Answer, sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    adapter, refusal, http_status = answer
    code = EXAMPLES.get(refusal.code, refusal.code)
    message = f"no call to {NUMBER}: db-1"
    sandbox.fault(adapter, "error", code=code, http_status=http_status, message=message)
    voice = make(adapter, sandbox.url)
    error = refusal_of(lambda: voice.send(request()), caplog)
    row = error.row
    assert error.code == code
    assert refusal == Refusal(
        refusal.code, row.kind, row.other_provider, row.placed, row.again, row.scope
    )
    assert error.answered
    assert (len(sandbox.requests()), sandbox.calls()) == (1, [])


@pytest.mark.parametrize("cloud", ["alibaba", "tencent"])
def test_every_documented_code_has_one_row_and_no_row_is_made_up(cloud: str) -> None:
    table, refusals = TABLES[cloud]
    assert sorted(refusal.code for refusal in refusals) == sorted(table)
    assert len(refusals) == {"alibaba": 46, "tencent": 36}[cloud]


def test_a_code_that_no_document_names_may_have_placed_the_call_and_is_logged_once(
    adapter: str, voice: Voice, sandbox: Sandbox
) -> None:
    code = f"Brand.New.{adapter}"
    logged: list[Any] = []
    for _ in range(2):
        sandbox.fault(adapter, "error", code=code)
        with capture_logs() as lines, pytest.raises(DeliveryError) as caught:
            voice.send(request())
        logged += lines
        row = caught.value.row
        assert (caught.value.code, row.kind, row.placed) == (code, "unknown", "maybe")
        assert row.other_provider
    assert [(line["event"], line["code"]) for line in logged] == [("code.unlisted", code)]


# Every way in which the wire breaks.


@pytest.mark.parametrize("expected", BROKEN_ANSWERS, ids=lambda e: e.fault)
def test_a_broken_answer_tells_whether_the_call_may_exist_and_is_never_asked_for_again(
    adapter: str,
    sandbox: Sandbox,
    expected: Expected,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(faults, "READ_S", 0.15)
    voice = make(adapter, sandbox.url)
    sandbox.fault(adapter, expected.fault)
    error = refusal_of(lambda: voice.send(request()), caplog)
    check(error, expected, adapter)
    assert len(sandbox.requests()) == 1
    assert len(sandbox.calls()) == expected.exists


def test_a_gateways_page_may_hide_a_call(
    adapter: str, voice: Voice, sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    """Alibaba's SDK loses the status of it, Tencent's does not."""
    sandbox.fault(adapter, "html")
    error = refusal_of(lambda: voice.send(request()), caplog)
    if adapter == "tencent":
        check(error, Expected("", DOWN, "provider_down", "maybe", answered=True), adapter)
    else:
        check(error, Expected("", LOST, "unknown", "maybe"), adapter)
    assert len(sandbox.requests()) == 1


def test_an_error_that_tencents_sdk_takes_for_a_success_is_no_success(
    sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    """The SDK looks for errors under exactly two content types."""
    sandbox.settings(tencent={"charset": True})
    sandbox.fault("tencent", "error", code="AuthFailure.SignatureFailure")
    voice = make("tencent", sandbox.url)
    error = refusal_of(lambda: voice.send(request()), caplog)
    assert (error.code, error.row.placed, error.answered) == ("no_call_id", "maybe", False)


@contextlib.contextmanager
def _full_backlog() -> Iterator[str]:
    """A port whose queue is full: the kernel answers no further handshake."""
    with contextlib.ExitStack() as stack:
        listening = stack.enter_context(socket.socket())
        listening.bind(("127.0.0.1", 0))
        listening.listen(0)
        for _ in range(4):
            waiting = stack.enter_context(socket.socket())
            waiting.settimeout(0)
            waiting.connect_ex(listening.getsockname())
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"


@contextlib.contextmanager
def _no_such_name() -> Iterator[str]:
    yield "http://voice.carrier.invalid"


@contextlib.contextmanager
def _accepting(then: Callable[[socket.socket], None]) -> Iterator[str]:
    """A port where each connection is accepted and then treated so."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            while True:
                try:
                    peer, _ = listening.accept()
                except OSError:
                    return  # closed: the test is over
                with peer:
                    then(peer)

        threading.Thread(target=serve, daemon=True).start()
        yield f"https://127.0.0.1:{listening.getsockname()[1]}"
        listening.shutdown(socket.SHUT_RDWR)


def _answer_without_tls(peer: socket.socket) -> None:
    peer.recv(4096)
    peer.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")


def _speaks_no_tls() -> contextlib.AbstractContextManager[str]:
    return _accepting(_answer_without_tls)


def _hangs_up_on_hello() -> contextlib.AbstractContextManager[str]:
    return _accepting(lambda peer: peer.shutdown(socket.SHUT_RDWR))


@pytest.mark.parametrize(
    "unreachable",
    [closed_port, _no_such_name, _full_backlog, _speaks_no_tls, _hangs_up_on_hello],
    ids=["refused", "no_such_name", "connect_timeout", "no_tls", "closed_in_tls"],
)
def test_a_request_that_never_left_placed_no_call(
    adapter: str,
    unreachable: Callable[[], contextlib.AbstractContextManager[str]],
    sandbox: Sandbox,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The other carrier may be called at once: nothing can ring twice."""
    monkeypatch.setattr(faults, "CONNECT_S", 0.2)
    with unreachable() as endpoint:
        voice = make(adapter, endpoint)
        error = refusal_of(lambda: voice.send(request()), caplog)
    check(
        error, Expected("", ("not_connected",) * 2, "provider_down", "no", answered=True), adapter
    )
    assert sandbox.requests() == []


@pytest.mark.parametrize(
    "raw",
    [
        *(Raw(200, body, JSON) for body in ("[]", "null", '"OK"', "1", "{}", "", "not JSON")),
        Raw(200, '{"Code": null}', JSON),
        Raw(200, '{"Code": "OK", "CallId": ""}', JSON),
        Raw(200, '{"Response": null}', JSON),
        Raw(200, '{"Response": {}}', JSON),
        Raw(200, '{"Response": {"SendStatus": []}}', JSON),
        Raw(200, '{"Response": {"SendStatus": {"CallId": ""}, "RequestId": "1"}}', JSON),
        Raw(200, '{"Response": {"Error": "?", "RequestId": "1"}}', JSON),
        Raw(204, "", {}),
        Raw(400, "{}", JSON),
        Raw(403, "[]", JSON),
        Raw(502, '{"message": "no upstream"}', JSON),
    ],
    ids=lambda raw: f"{raw.status} {raw.body}",
)
def test_an_answer_of_no_known_form_may_have_placed_the_call(
    adapter: str, raw: Raw, sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    with answering(raw) as (url, asked, _):
        voice = make(adapter, url)
        error = refusal_of(lambda: voice.send(request()), caplog)
    assert (error.row.placed, error.row.other_provider) == ("maybe", True)
    assert len(asked) == 1


def test_alibabas_throttling_header_counts_whatever_the_code(
    sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    raw = Raw(429, '{"Code": "Flow.Unheard"}', {**JSON, "x-acs-retry-after": "500"})
    with answering(raw) as (url, _, _):
        voice = make("alibaba-ivr", url)
        error = refusal_of(lambda: voice.send(request()), caplog)
    assert (error.row.kind, error.row.placed, error.row.scope) == ("rate_limited", "no", "account")


# Within a deadline, in bounded threads.


def _yes() -> bool:
    return True


def test_a_call_that_nobody_wants_any_more_is_never_sent(voice: Voice, sandbox: Sandbox) -> None:
    async def place() -> Sent | None:
        pool = CallPool("voice", 1)
        pooled = Pooled(voice, pool, deadline_s=5)
        placed = await pooled.send(request(), still_wanted=lambda: False)
        pool.close()
        return placed

    assert asyncio.run(place()) is None
    assert sandbox.requests() == []


def test_a_hanging_call_is_in_doubt_and_the_next_one_goes_on(
    adapter: str, voice: Voice, sandbox: Sandbox
) -> None:
    """The SDKs have no deadline of their own: the thread is given up, not waited for."""
    sandbox.fault(adapter, "place_then_hang")

    async def place() -> tuple[DeliveryError, int, Sent | None]:
        pool = CallPool("voice", 2)
        pooled = Pooled(voice, pool, deadline_s=0.3)
        with pytest.raises(DeliveryError) as caught:
            await pooled.send(request(), still_wanted=_yes)
        written_off = pool.written_off
        other = await pooled.send(request(to="+8613700000001"), still_wanted=_yes)
        pool.close()
        return caught.value, written_off, other

    error, written_off, other = asyncio.run(place())
    assert (error.code, error.row.kind, error.row.placed) == ("deadline", "unknown", "maybe")
    assert not error.answered
    assert written_off == 1
    assert other is not None
    assert {call["number"] for call in sandbox.calls()} == {NUMBER, "+8613700000001"}


def test_with_every_thread_written_off_the_other_provider_is_used_at_once(
    adapter: str, voice: Voice, sandbox: Sandbox
) -> None:
    sandbox.fault(adapter, "accept_then_hang")

    async def place() -> list[DeliveryError]:
        pool = CallPool("voice", 1)
        pooled = Pooled(voice, pool, deadline_s=0.3)
        errors: list[DeliveryError] = []
        for _ in range(2):
            with pytest.raises(DeliveryError) as caught:
                await pooled.send(request(), still_wanted=_yes)
            errors.append(caught.value)
        pool.close()
        return errors

    hanging, refused = asyncio.run(place())
    assert hanging.row.placed == "maybe"
    assert (refused.code, refused.row.kind, refused.row.placed) == (
        "no_thread_left",
        "provider_down",
        "no",
    )
    assert len(sandbox.requests()) == 1


def test_alibaba_is_given_mainland_numbers_only_and_tencent_any(adapter: str, voice: Voice) -> None:
    assert voice.serves("+8613700000000")
    assert voice.serves("+85251000000") == (adapter == "tencent")


def test_alibaba_is_not_given_a_number_that_would_call_itself() -> None:
    """So that whoever writes one down hears of it from `apply`, not at night."""
    voice = make("alibaba-ivr", "http://127.0.0.1:9", show_numbers=["05710000000"])
    assert not voice.serves("+865710000000")
    assert voice.serves("+865710000001")


# Whether the keys are right, asked without calling anybody.

PROBED = [
    ("alibaba-ivr", 200, {"Code": "isv.CALL_NOT_FOUND"}, "proved"),
    ("alibaba-ivr", 200, {"Code": "isv.INVALID_PARAMETERS"}, "proved"),
    ("alibaba-ivr", 400, {"Code": "isv.INVALID_PARAMETERS"}, "proved"),
    ("alibaba-ivr", 200, {"Code": "OK"}, "proved"),
    ("alibaba-ivr", 404, {"Code": "InvalidAccessKeyId.NotFound"}, "wrong"),
    ("alibaba-ivr", 200, {"Code": "isp.RAM_PERMISSION_DENY"}, "wrong"),
    ("alibaba-ivr", 200, {"Code": "isv.OUT_OF_SERVICE"}, "wrong"),
    ("alibaba-ivr", 200, {"Code": "isv.PRODUCT_UN_SUBSCRIPT"}, "wrong"),
    ("alibaba-ivr", 503, {"Code": "ServiceUnavailable"}, "unprovable"),
    ("alibaba-ivr", 400, {"Code": "Throttling.User"}, "unprovable"),
    ("tencent", 200, {"Error": {"Code": "MissingParameter"}}, "proved"),
    ("tencent", 200, {"Error": {"Code": "InvalidParameterValue.CalledNumberVerifyFail"}}, "proved"),
    ("tencent", 200, {"Error": {"Code": "AuthFailure.SecretIdNotFound"}}, "wrong"),
    ("tencent", 200, {"Error": {"Code": "InvalidParameterValue.SdkAppidNotExist"}}, "wrong"),
    ("tencent", 200, {"Error": {"Code": "UnauthorizedOperation.SdkAppidIsDisabled"}}, "wrong"),
    ("tencent", 200, {"Error": {"Code": "RequestLimitExceeded"}}, "unprovable"),
    ("tencent", 200, {"SendStatus": None}, "unprovable"),
    ("tencent", 502, {}, "unprovable"),
]


@pytest.mark.parametrize(("adapter", "status", "said", "verdict"), PROBED, ids=str)
def test_a_probe_sends_nothing_and_claims_no_more_than_it_was_told(
    adapter: str, status: int, said: dict[str, Any], verdict: str
) -> None:
    check_probe(lambda url: make(adapter, url).probe(), adapter, (status, said), verdict)


def test_a_probe_of_nobody_says_that_nobody_answers(adapter: str) -> None:
    check_probe_of_nobody(lambda url: make(adapter, url).probe())


def test_a_probe_calls_nobody(voice: Voice, sandbox: Sandbox) -> None:
    assert voice.probe()[0] == "proved"
    assert sandbox.calls() == []
