"""Signed addresses: what was signed is read back, and nothing else ever is."""

from datetime import UTC, datetime, timedelta

import pytest

from web.links import Links

AT = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
OLD, NEW, FOREIGN = "the key of last year", "the key of this year", "somebody else's key"
LINKS = Links([NEW, OLD], "https://ringback.example.com")


def _token(address: str) -> str:
    """Return what the page, or the card, is given of an address."""
    return address.rpartition("=")[2] if "=" in address else address.rpartition("/")[2]


def test_a_link_holds_the_incident_the_responder_and_the_time() -> None:
    link = LINKS.acknowledge(7, "li.wei", AT)
    assert link.startswith("https://ringback.example.com/a/")
    assert LINKS.read_acknowledge(_token(link), AT) == (7, "li.wei", AT)


def test_a_link_tells_the_second_in_which_it_was_made() -> None:
    link = LINKS.acknowledge(7, "li.wei", AT + timedelta(milliseconds=900))
    assert LINKS.read_acknowledge(_token(link), AT) == (7, "li.wei", AT)


def test_an_address_needs_no_escaping() -> None:
    """Whatever a mail client does to it, letters and - _ . stay as they are."""
    for address in (LINKS.acknowledge(10**9, "x" * 64, AT), LINKS.callers(AT)):
        token = _token(address)
        assert token.isascii()
        assert set(token) - set("-_.") == {char for char in token if char.isalnum()}


@pytest.mark.parametrize(("age", "good"), [(timedelta(days=7), False), (timedelta(), True)])
def test_a_link_is_good_for_seven_days(age: timedelta, good: bool) -> None:  # noqa: FBT001
    token = _token(LINKS.acknowledge(7, "li.wei", AT))
    assert (LINKS.read_acknowledge(token, AT + age) is not None) is good
    before = AT + timedelta(days=7, seconds=-1)
    assert LINKS.read_acknowledge(token, before) is not None


def test_the_address_of_the_card_is_good_for_thirty_days() -> None:
    address = LINKS.callers(AT)
    assert address.startswith("https://ringback.example.com/callers.vcf?token=")
    assert LINKS.may_read_callers(_token(address), AT + timedelta(days=30, seconds=-1))
    assert not LINKS.may_read_callers(_token(address), AT + timedelta(days=30))


def test_what_an_older_key_signed_is_read_until_that_key_is_taken_away() -> None:
    before = Links([OLD], "https://ringback.example.com")
    link, card = before.acknowledge(7, "li.wei", AT), before.callers(AT)
    assert LINKS.read_acknowledge(_token(link), AT) == (7, "li.wei", AT)
    assert LINKS.may_read_callers(_token(card), AT)
    after = Links([NEW], "https://ringback.example.com")
    assert after.read_acknowledge(_token(link), AT) is None
    assert not after.may_read_callers(_token(card), AT)


def test_the_newest_key_signs() -> None:
    token = _token(LINKS.acknowledge(7, "li.wei", AT))
    assert Links([NEW], "").read_acknowledge(token, AT) is not None
    assert Links([OLD], "").read_acknowledge(token, AT) is None


def test_an_address_for_one_purpose_is_none_for_another() -> None:
    link, card = LINKS.acknowledge(7, "li.wei", AT), LINKS.callers(AT)
    assert LINKS.read_acknowledge(_token(card), AT) is None
    assert not LINKS.may_read_callers(_token(link), AT)


def test_of_a_link_no_character_can_be_changed_left_out_or_put_in() -> None:
    token = _token(LINKS.acknowledge(7, "li.wei", AT))
    for i, char in enumerate(token):
        other = "A" if char not in "ABCD" else "Q"  # the last one's two lowest bits hold nothing
        for changed in (token[:i] + other + token[i + 1 :], token[:i] + token[i + 1 :]):
            assert LINKS.read_acknowledge(changed, AT) is None, i
        assert LINKS.read_acknowledge(token[:i] + "A" + token[i:], AT) is None, i


@pytest.mark.parametrize(
    "token",
    [
        "",
        ".",
        "..",
        ".x.y",
        "x" * 100_000,
        "告警",
        "\x00",
        "WzcsImxpLndlaSIsMTc5NTQ4OTIwMF0",
        "WzcsImxpLndlaSIsMTc5NTQ4OTIwMF0.",
        _token(Links([FOREIGN], "").acknowledge(7, "li.wei", AT)),
        _token(Links([FOREIGN], "").callers(AT)),
    ],
    ids=lambda token: repr(token[:24]),
)
def test_what_we_did_not_sign_is_nothing(token: str) -> None:
    assert LINKS.read_acknowledge(token, AT) is None
    assert not LINKS.may_read_callers(token, AT)
