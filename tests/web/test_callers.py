"""The card of the numbers that call, as a phone reads it."""

import re
from datetime import timedelta

import pytest

from paging.events import CallEnded, Receipt
from tests.web.conftest import ADMIN, READER, Web
from tests.web.test_access import problem
from web import callers

MONTH = timedelta(days=30)


def _read(content: bytes) -> list[tuple[str, str]]:
    """Return (property, value) of a vCard (RFC 2426: lines end in CRLF, long ones are folded)."""
    assert content.endswith(b"\r\n")
    lines = content.removesuffix(b"\r\n").split(b"\r\n")
    assert all(len(line) <= 75 for line in lines)
    assert all(line.decode().isprintable() for line in lines)  # a fold never parts a character
    whole = content.decode().replace("\r\n ", "")
    return [
        (name.partition(";")[0], value)
        for name, _, value in (line.partition(":") for line in whole.splitlines())
    ]


def _numbers(web: Web) -> list[str]:
    answer = web.ask("GET", "/callers.vcf")
    assert answer.status_code == 200
    return [value for name, value in _read(answer.content) if name == "TEL"]


def _calls_from(web: Web, *numbers: str) -> None:
    """Let the carrier report calls that it made from these numbers."""
    for i, number in enumerate(numbers):
        receipt = Receipt("tencent", f"{i}:ended", ref="x", caller=number)
        web.hears(CallEnded(receipt, "no_answer", "1"))


def test_the_card_is_a_contact_that_a_phone_takes(web: Web) -> None:
    answer = web.ask("GET", "/callers.vcf", token=READER)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/vcard; charset=utf-8"
    assert answer.headers["content-disposition"] == 'attachment; filename="ringback.vcf"'
    assert answer.headers["cache-control"] == "no-store"
    card = _read(answer.content)
    assert (card[0], card[1], card[-1]) == (
        ("BEGIN", "VCARD"),
        ("VERSION", "3.0"),
        ("END", "VCARD"),
    )
    fields = dict(card)
    assert (fields["FN"], fields["N"]) == ("ringback", "ringback;;;;")
    assert fields["TEL"] == "+865710000000"
    assert "勿扰" in fields["NOTE"]
    assert "do-not-disturb" in fields["NOTE"]
    assert not re.search(r"(?<!\\)[,;]", fields["NOTE"])  # they would end the value


@pytest.mark.parametrize(
    ("reported", "written"),
    [
        ("057100000000", "+8657100000000"),
        ("0571-00000000", "+8657100000000"),
        ("8657100000000", "+8657100000000"),
        ("008657100000000", "+8657100000000"),
        ("+8657100000000", "+8657100000000"),
        ("13700000000", "+8613700000000"),
        ("4000000000", "+864000000000"),
        ("+85290000000", "+85290000000"),
        ("95000", "95000"),
        ("9510000000", "9510000000"),  # not a line in the area 951
        ("1069000000", "1069000000"),  # nor one in the area 10
        ("1069000000000000", "1069000000000000"),
    ],
)
def test_a_number_is_written_as_any_phone_knows_it(web: Web, reported: str, written: str) -> None:
    _calls_from(web, reported)
    assert _numbers(web) == ["+865710000000", written]


def test_a_number_is_on_the_card_once_however_it_was_written(web: Web) -> None:
    _calls_from(web, "057100000000", "+8657100000000", "05710000000")
    assert _numbers(web) == ["+865710000000", "+8657100000000"]


def test_what_is_no_number_is_not_on_the_card(web: Web) -> None:
    _calls_from(web, "anonymous", "\r\nTEL:evil", "\r\nEND:VCARD", "铃回")
    assert _numbers(web) == ["+865710000000"]
    assert b"evil" not in web.ask("GET", "/callers.vcf").content


def test_lines_are_folded_between_characters_however_long_they_are() -> None:
    line = "NOTE:" + "a勿" * 100
    assert _read(f"{callers._folded(line)}\r\n".encode()) == [("NOTE", "a勿" * 100)]


def test_the_cards_own_address_needs_no_token_of_the_api(web: Web) -> None:
    """It is opened by a phone, and for thirty days."""
    address = web.links.callers(web.clock.now())
    known = web.everything()
    answer = web.ask("GET", address, token=None)
    assert answer.status_code == 200
    assert answer.content == web.ask("GET", "/callers.vcf").content
    assert web.everything() == known
    web.clock.advance(MONTH.total_seconds() - 1)
    assert web.ask("GET", address, token=None).status_code == 200
    web.clock.advance(1)
    assert "ask for a new one" in problem(web.ask("GET", address, token=None), 403)["detail"]


def test_another_token_in_the_address_opens_nothing(web: Web) -> None:
    now = web.clock.now()
    link = web.links.acknowledge(1, "li.wei", now).rpartition("/")[2]
    good = web.links.callers(now).rpartition("=")[2]
    for token in ("", "x", link, good[:-2], ADMIN, "%00", "%FF"):
        problem(web.ask("GET", f"/callers.vcf?token={token}", token=None), 403)
