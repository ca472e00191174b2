"""Contacts that prove themselves by a code, and the links of mails."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from sqlalchemy import text

from paging import contacts, linked, teams
from paging.errors import ConflictError, InvalidError, NotFoundError
from paging.people import Responder
from paging.store import contacts as rows
from paging.store import people, schema
from paging.store.database import connect
from paging.teams import Team
from tests.paging.conftest import LI, WEI, Call, Desk

MAIL = "li.wei@example.com"
POLICY = {
    "steps": [{"targets": ["responder:li"], "notify": ["email"], "wait": 300}],
    "repeat": 0,
}


@pytest.fixture
def li(desk: Desk) -> Iterator[Desk]:
    """A desk where Li has both contacts, neither of them proved."""
    desk.team(POLICY, li=Responder(name="Li", phone=LI, email=MAIL), wei=Responder(name="Wei"))
    return desk


def _verified(desk: Desk) -> frozenset[str]:
    return desk.work(lambda work: people.responders(work.conn, ["li"]))["li"].verified


def _ask(desk: Desk, channel: str = "sms") -> Call:
    desk.work(contacts.send_code, "li", channel)
    return desk.last()


def _confirm(desk: Desk, code: str, channel: str = "sms") -> str | None:
    """Return what is said to be wrong, if anything."""
    wrong = desk.work(contacts.confirm_code, "li", channel, code)
    return None if wrong is None else wrong.expected


@pytest.mark.parametrize(
    ("channel", "address", "contact"),
    [("sms", LI, "phone"), ("voice", LI, "phone"), ("email", MAIL, "email")],
)
def test_a_code_that_comes_back_proves_the_contact_that_it_was_sent_to(
    li: Desk, channel: str, address: str, contact: str
) -> None:
    sent = _ask(li, channel)
    assert (sent.channel, sent.to, sent.request.purpose) == (channel, address, "code")
    code = sent.request.fields["code"]
    assert code.isdecimal()
    assert len(code) == 6
    assert _verified(li) == frozenset()
    assert _confirm(li, code, channel) is None
    assert _verified(li) == {contact}


def test_a_code_serves_once(li: Desk) -> None:
    code = _ask(li).request.fields["code"]
    assert _confirm(li, code) is None
    assert "ask for a new one" in (_confirm(li, code) or "")


def test_a_code_is_good_for_ten_minutes(li: Desk) -> None:
    code = _ask(li).request.fields["code"]
    li.now += timedelta(minutes=10)
    assert "expired" in (_confirm(li, code) or "")
    assert _verified(li) == frozenset()


def test_after_five_wrong_tries_the_right_code_is_refused_too(li: Desk) -> None:
    code = _ask(li).request.fields["code"]
    wrong = f"{(int(code) + 1) % 10**6:06}"
    said = [_confirm(li, wrong) for _ in range(5)]
    assert [s and s.rpartition(" ")[2] for s in said] == ["4", "3", "2", "1", "one"]
    assert _confirm(li, code) is not None
    assert _verified(li) == frozenset()


def test_codes_are_sent_once_a_minute_and_five_times_an_hour(li: Desk) -> None:
    _ask(li)
    with pytest.raises(ConflictError, match="03:01:00"):
        _ask(li)
    for _ in range(4):
        li.now += timedelta(minutes=1)
        _ask(li, "voice")
        li.last().refused()
    li.now += timedelta(minutes=1)
    with pytest.raises(ConflictError, match="04:00:00"):
        _ask(li)
    li.now += timedelta(minutes=55)
    assert _ask(li).request.purpose == "code"


def test_a_new_code_ends_the_one_before(li: Desk) -> None:
    first = _ask(li).request.fields["code"]
    li.now += timedelta(minutes=1)
    second = _ask(li).request.fields["code"]
    if first != second:  # one time in a million
        assert _confirm(li, first) is not None
    assert _confirm(li, second) is None


def test_a_code_for_an_address_that_has_changed_proves_nothing(li: Desk) -> None:
    code = _ask(li).request.fields["code"]
    moved = Responder(name="Li", phone=WEI, email=MAIL)
    li.work(teams.apply, Team({"li": moved}), {}, dry_run=False)
    assert _confirm(li, code) is not None


def test_a_contact_stays_proved_until_it_changes(li: Desk) -> None:
    assert _confirm(li, _ask(li).request.fields["code"]) is None
    renamed = Responder(name="Li Wei", phone=LI, email=MAIL)
    li.work(teams.apply, Team({"li": renamed}), {}, dry_run=False)
    assert _verified(li) == {"phone"}
    moved = Responder(name="Li Wei", phone=WEI, email=MAIL)
    li.work(teams.apply, Team({"li": moved}), {}, dry_run=False)
    assert _verified(li) == frozenset()


@pytest.mark.parametrize(
    ("responder", "channel", "error"),
    [
        ("li", "pigeon", InvalidError),
        ("wei", "sms", InvalidError),
        ("wei", "email", InvalidError),
        ("nobody", "sms", NotFoundError),
    ],
)
def test_a_code_that_cannot_be_sent_says_why(
    li: Desk, responder: str, channel: str, error: type[Exception]
) -> None:
    with pytest.raises(error):
        li.work(contacts.send_code, responder, channel)
    assert li.calls == []


def test_the_code_is_not_to_be_read_in_the_database(li: Desk) -> None:
    code = _ask(li).request.fields["code"]
    stored = li.work(lambda work: rows.sent_code(work.conn, "li", "phone"))
    assert stored is not None
    assert code not in stored["digest"]


# Links.


def _acknowledge(desk: Desk, number: int, made_at: datetime) -> dict[str, Any]:
    return desk.work(linked.acknowledge, number, "li", made_at)


def test_the_link_of_a_mail_acknowledges_for_whoever_got_it(li: Desk) -> None:
    number = li.opens()
    li.last().accepted()
    made_at = li.now.replace(microsecond=0)
    li.now += timedelta(minutes=2)
    assert _acknowledge(li, number, made_at)["first"] is True
    seen = li.incident(number)
    assert (seen["status"], seen["acknowledged_by"]) == ("acknowledged", "li")
    assert [a["status"] for a in seen["attempts"]] == ["acknowledged"]
    line = seen["timeline"][-1]
    assert (line["type"], line["detail"]["via"]) == ("incident.acknowledged", "link")
    assert line["attempt"] == seen["attempts"][0]["id"]
    again = _acknowledge(li, number, made_at)
    assert (again["first"], again["owner"]) == (False, "Li")


def test_a_link_does_nothing_to_an_incident_that_was_opened_again_since(li: Desk) -> None:
    number = li.opens()
    made_at = li.now
    li.act(number, "acknowledge")
    li.now += timedelta(minutes=1)
    li.act(number, "unacknowledge")
    assert _acknowledge(li, number, made_at)["counts"] is False
    assert li.incident(number)["status"] == "triggered"


def test_a_link_shows_a_closed_incident_and_leaves_it_alone(li: Desk) -> None:
    number = li.opens()
    li.act(number, "close")
    before = li.types(number)
    shown = _acknowledge(li, number, li.now)
    assert (shown["counts"], shown["incident"]["status"]) == (False, "closed")
    assert li.types(number) == before


def test_a_link_of_somebody_who_is_gone_leads_nowhere(li: Desk) -> None:
    number = li.opens()
    with pytest.raises(NotFoundError):
        li.work(linked.acknowledge, number, "nobody", li.now)
    with pytest.raises(NotFoundError):
        li.work(linked.acknowledge, number + 1, "li", li.now)


# The schema.


def test_a_database_of_the_first_schema_keeps_its_attempts(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'old.db'}"
    engine = connect(url)
    with engine.connect() as conn:
        config = schema._config()
        config.attributes["connection"] = conn
        command.upgrade(config, "0001")
        conn.execute(
            text(
                "INSERT INTO attempt (id, ref, responder, channel, address, provider, purpose,"
                " locale, status, doubtful, silence_s, created_at, keys, keys_live, reached)"
                " VALUES ('A', 'ref', 'li', 'voice', '+8613700000000', 'alibaba', 'page',"
                " 'zh-CN', 'failed', 0, 180, 0, '', '', 0)"
            )
        )
        conn.commit()
    assert schema.upgrade(url) == ("0001", schema.newest())
    with engine.connect() as conn:
        assert conn.execute(text("SELECT ref, unverified FROM attempt")).all() == [("ref", 0)]
    engine.dispose()
