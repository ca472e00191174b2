"""A contact proves itself: a code goes there, and comes back by the API."""

import json
from typing import Any

import pytest

from tests.web.conftest import ADMIN, LI, Carrier, Web
from tests.web.test_access import problem

ASKED, RETURNED = "/v1/responders/li.wei/verify", "/v1/responders/li.wei/verify/confirm"
CHANNELS = [("sms", LI, "phone"), ("voice", LI, "phone"), ("email", "li.wei@example.com", "email")]


def _code(web: Web, channel: str) -> str:
    """Ask for a code, and return it as whoever has the contact gets it."""
    attempt = web.post(ASKED, {"channel": channel})
    web.until(lambda: web.get(f"/v1/attempts/{attempt['id']}")["submitted_at"])
    carrier: Carrier = {"voice": web.alibaba, "sms": web.texts, "email": web.mails}[channel]
    message = carrier.calls[-1]
    assert message.purpose == "code"
    return message.fields["code"]


def _wrong(code: str) -> str:
    return f"{(int(code) + 1) % 10**6:06}"


@pytest.mark.parametrize(("channel", "address", "kind"), CHANNELS)
def test_a_code_is_answered_202_with_its_attempt_to_be_polled(
    web: Web, channel: str, address: str, kind: str
) -> None:
    answer = web.ask("POST", ASKED, {"channel": channel})
    assert answer.status_code == 202
    attempt = answer.json()
    assert answer.headers["location"] == f"/v1/attempts/{attempt['id']}"
    assert (attempt["purpose"], attempt["incidents"]) == ("code", [])
    assert (attempt["channel"], attempt["contact"]["address"]) == (channel, address)
    web.until(lambda: web.get(answer.headers["location"])["submitted_at"])


@pytest.mark.parametrize(("channel", "address", "kind"), CHANNELS)
def test_the_code_proves_the_contact_and_offers_the_callers(
    web: Web, channel: str, address: str, kind: str
) -> None:
    code = _code(web, channel)
    assert web.get("/v1/responders/li.wei")["verified"] == []
    seen = web.post(RETURNED, {"channel": channel, "code": code})
    card = seen.pop("callers")
    assert seen == web.get("/v1/responders/li.wei")
    assert (seen["id"], seen["verified"]) == ("li.wei", [kind])
    answer = web.ask("GET", card, token=None)
    assert answer.headers["content-type"] == "text/vcard; charset=utf-8"


def test_a_wrong_code_is_422_and_says_how_many_tries_are_left(web: Web) -> None:
    wrong = _wrong(_code(web, "sms"))
    body = problem(web.ask("POST", RETURNED, {"channel": "sms", "code": wrong}), 422)
    (error,) = body["errors"]
    assert (error["field"], "tries left: 4" in error["expected"]) == ("code", True)
    assert web.get("/v1/responders/li.wei")["verified"] == []


@pytest.mark.parametrize("code", ["12345", "1234567", "12345x", "１２３４５６", " 12345", ""])
def test_what_is_no_code_costs_no_try(web: Web, code: str) -> None:
    good = _code(web, "sms")
    for _ in range(6):
        body = problem(web.ask("POST", RETURNED, {"channel": "sms", "code": code}), 422)
        assert body["errors"][0]["expected"] == "expected the six digits that were sent"
    assert web.post(RETURNED, {"channel": "sms", "code": good})["verified"] == ["phone"]


def test_too_many_codes_are_409_which_says_until_when(web: Web) -> None:
    _code(web, "sms")
    known = web.everything()
    detail = problem(web.ask("POST", ASKED, {"channel": "voice"}), 409)["detail"]
    assert "2026-11-24T03:01:00.000Z" in detail
    assert web.everything() == known


@pytest.mark.parametrize(
    ("responder", "channel"),
    [("nobody", "sms"), ("nobody", "email"), ("sam", "email"), ("li.wei", "pigeon")],
)
@pytest.mark.parametrize("step", ["verify", "verify/confirm"])
def test_a_contact_that_is_not_there_is_named(
    shared: Web, responder: str, channel: str, step: str
) -> None:
    known = shared.everything()
    code = {"code": "000000"} if step == "verify/confirm" else {}
    asked = {"channel": channel, **code}
    answer = shared.ask("POST", f"/v1/responders/{responder}/{step}", asked)
    assert [error["field"] for error in problem(answer, 422)["errors"]] == ["channel"]
    assert shared.everything() == known


@pytest.mark.parametrize("step", ["verify", "verify/confirm"])
def test_nobody_proves_nothing(shared: Web, step: str) -> None:
    body = {"channel": "sms", **({"code": "000000"} if step == "verify/confirm" else {})}
    answer = shared.ask("POST", f"/v1/responders/no-such/{step}", body)
    assert problem(answer, 404)["detail"] == "no responder 'no-such'"


def test_what_was_read_can_be_put_back_and_proves_nothing_more(web: Web) -> None:
    web.post(RETURNED, {"channel": "sms", "code": _code(web, "sms")})
    seen = web.get("/v1/responders/li.wei")
    known = web.everything()
    answer = web.ask("PUT", "/v1/responders/li.wei", seen)
    assert (answer.status_code, answer.json()) == (200, seen)
    assert web.everything() == known
    claimed = {**seen, "verified": ["phone", "email"]}
    assert web.ask("PUT", "/v1/responders/li.wei", claimed).json() == seen
    assert web.ask("PUT", "/v1/responders/li.wei", {**seen, "verified": 5}).json() == seen


def test_a_code_is_seen_by_nobody_but_who_gets_it(web: Web) -> None:
    codes = [_code(web, "sms")]
    web.clock.advance(60)
    codes.append(_code(web, "email"))
    shown: list[Any] = [web.get("/v1/attempts", token=ADMIN), web.logged, web.everything()]
    text = json.dumps(shown, default=str, ensure_ascii=False)
    for code in codes:
        assert f"'{code}'" not in text
        assert f'"{code}"' not in text
