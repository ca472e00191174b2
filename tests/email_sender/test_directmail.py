"""DirectMail by its real SDK over real HTTP, against a stand-in that answers as it is told."""

import asyncio
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

import pytest
from pydantic import ValidationError

from clouds.alibaba import AlibabaCredentials
from clouds.pooled import Pooled
from clouds.threads import CallPool
from email_sender.directmail import CODES, AlibabaEmail, AlibabaEmailSettings, official
from paging.errors import DeliveryError
from paging.ports import Message
from tests.email_sender.conftest import ADDRESS, SENDER, a_message

WITHIN_S = 10.0
TAKEN: dict[str, Any] = {"EnvId": "600000012345678", "RequestId": "0"}


class DirectMail(ThreadingHTTPServer):
    """`answer`: (status, body) of the next requests. `asked`: (headers, form) of those before."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answer: tuple[int, object] | None = (200, TAKEN)
        self.asked: list[tuple[dict[str, str], dict[str, str]]] = []

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.server_address[1]}"

    def refuse(self, status: int, code: str) -> None:
        """Answer with an error as the API pages print it."""
        said = f"The specified {ADDRESS} is wrong."
        self.answer = status, {"Code": code, "Message": said, "RequestId": "0", "HostId": "dm"}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: DirectMail

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        form = parse_qs(body, keep_blank_values=True)
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.server.asked.append((headers, {name: values[0] for name, values in form.items()}))
        if self.server.answer is None:
            self.close_connection = True
            return
        status, answer = self.server.answer
        payload = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(payload)))
        self.end_headers()
        self.wfile.write(payload)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - its name there
        """Say nothing."""


@pytest.fixture
def carrier() -> Iterator[DirectMail]:
    with DirectMail() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def adapter(url: str, **settings: Any) -> AlibabaEmail:
    keys = AlibabaCredentials(access_key_id="LTAI-test", access_key_secret="secret-of-alibaba")
    given = {"endpoint": url, "account_name": SENDER} | settings
    return AlibabaEmail(AlibabaEmailSettings.model_validate(given), keys)


def form_of(carrier: DirectMail, message: Message | None = None) -> dict[str, str]:
    """What reaches the carrier."""
    adapter(carrier.url).send(message or a_message())
    ((headers, form),) = carrier.asked
    assert headers["x-acs-action"] == "SingleSendMail"
    assert headers["x-acs-version"] == "2015-11-23"
    return form


def refused(carrier: DirectMail) -> DeliveryError:
    with pytest.raises(DeliveryError) as caught:
        adapter(carrier.url).send(a_message())
    return caught.value


def test_a_mail_is_sent_with_both_bodies(carrier: DirectMail) -> None:
    form = form_of(carrier)
    assert form["AccountName"] == SENDER
    assert form["ToAddress"] == ADDRESS
    assert form["FromAlias"] == "ringback"
    assert form["AddressType"] == "1"
    assert form["ReplyToAddress"].lower() == "false"
    assert form["ClickTrace"] == "0"
    assert form["Subject"] == "[严重] #198 数据库 db-1 down"
    assert "https://ringback.example.com/a/token-1?a=1&b=2" in form["TextBody"]
    assert 'href="https://ringback.example.com/a/token-1?a=1&amp;b=2"' in form["HtmlBody"]


def test_nobody_can_unsubscribe_from_being_paged(carrier: DirectMail) -> None:
    assert form_of(carrier)["UnSubscribeLinkType"] == "disabled"


def test_only_headers_that_directmail_takes_are_named(carrier: DirectMail) -> None:
    headers = json.loads(form_of(carrier)["Headers"])
    assert headers == {"Message-ID": "<r-0123456789abc@mail.example.com>"}


def test_its_answer_is_kept_and_no_receipt_is_waited_for(carrier: DirectMail) -> None:
    sent = adapter(carrier.url).send(a_message())
    assert sent.provider_id == "600000012345678"
    assert (sent.text, sent.silence_s) == ("[严重] #198 数据库 db-1 down", 0)


def test_a_long_title_fits_the_shortest_limit_that_is_documented(carrier: DirectMail) -> None:
    subject = form_of(carrier, a_message(fields={"title": "磁盘" * 5000}))["Subject"]
    assert len(subject) == 100
    assert subject.endswith("…")


@pytest.mark.parametrize("code", CODES)
def test_a_refusal_means_what_its_row_says(carrier: DirectMail, code: str) -> None:
    carrier.refuse(500 if code == "InternalServiceError" else 400, code)
    error = refused(carrier)
    assert (error.provider, error.code, error.row) == ("alibaba", code, CODES[code])
    assert ADDRESS not in f"{error}{error.text}"
    assert error.__suppress_context__


@pytest.mark.parametrize(
    ("code", "kind", "placed"),
    [
        ("InvalidToAddress", "recipient_rejected", "no"),
        ("InvalidToAddress.Spam", "recipient_rejected", "no"),
        ("InvalidMailAddress.NotFound", "misconfigured", "no"),
        ("InvalidSendMail.Spam", "rate_limited", "no"),
        ("InternalServiceError", "provider_down", "maybe"),
        ("SignatureDoesNotMatch", "misconfigured", "no"),
        ("Forbidden", "misconfigured", "no"),
        ("Throttling.User", "rate_limited", "no"),
        ("NeverHeardOf", "unknown", "maybe"),
    ],
)
def test_the_codes_are_of_the_documented_kinds(
    carrier: DirectMail, code: str, kind: str, placed: str
) -> None:
    carrier.refuse(400, code)
    row = refused(carrier).row
    assert (row.kind, row.placed) == (kind, placed)


def test_an_answer_without_an_id_leaves_the_mail_open(carrier: DirectMail) -> None:
    carrier.answer = 200, {"RequestId": "0"}
    error = refused(carrier)
    assert (error.row.kind, error.row.placed, error.answered) == ("unknown", "maybe", False)


def test_a_lost_answer_leaves_the_mail_open(carrier: DirectMail) -> None:
    carrier.answer = None
    error = refused(carrier)
    assert (error.row.placed, error.answered) == ("maybe", False)


def test_nobody_there_is_not_the_mails_fate() -> None:
    with pytest.raises(DeliveryError) as caught:
        adapter("http://127.0.0.1:1").send(a_message())
    assert (caught.value.row.kind, caught.value.row.placed) == ("provider_down", "no")


@pytest.mark.parametrize("wanted", [True, False])
def test_the_engine_is_asked_last_thing_whether_the_mail_is_wanted(
    carrier: DirectMail, *, wanted: bool
) -> None:
    pool = CallPool("alibaba-email", 2)
    pooled = Pooled(adapter(carrier.url), pool, deadline_s=WITHIN_S)
    sent = asyncio.run(pooled.send(a_message(), still_wanted=lambda: wanted))
    pool.close()
    assert (sent is not None) is wanted
    assert len(carrier.asked) == wanted


def addresses(*names: str) -> dict[str, Any]:
    """An answer of QueryMailAddressByParam."""
    return {"RequestId": "0", "data": {"mailAddress": [{"AccountName": name} for name in names]}}


def test_the_probe_sends_nothing_and_finds_the_senders_address(carrier: DirectMail) -> None:
    carrier.answer = 200, addresses(f"x{SENDER}", SENDER)
    assert adapter(carrier.url).probe()[0] == "proved"
    ((headers, _),) = carrier.asked
    assert headers["x-acs-action"] == "QueryMailAddressByParam"


@pytest.mark.parametrize("known", [(), ("other@mail.example.com",)])
def test_the_probe_says_that_the_senders_address_is_not_known(
    carrier: DirectMail, known: tuple[str, ...]
) -> None:
    carrier.answer = 200, addresses(*known)
    result, words = adapter(carrier.url).probe()
    assert result == "wrong"
    assert all("account_name" in said for said in words.values())


@pytest.mark.parametrize(
    ("code", "result", "hint"),
    [
        ("SignatureDoesNotMatch", "wrong", "AccessKey"),
        ("Forbidden.RAM", "wrong", "AccessKey"),
        ("Throttling.User", "unprovable", "later"),
    ],
)
def test_the_probe_says_what_a_refusal_means(
    carrier: DirectMail, code: str, result: str, hint: str
) -> None:
    carrier.refuse(400, code)
    found, words = adapter(carrier.url).probe()
    assert found == result
    assert hint in words["en"]


def test_it_serves_mail_addresses(carrier: DirectMail) -> None:
    assert adapter(carrier.url).serves(ADDRESS)
    assert not adapter(carrier.url).serves("+8613700000000")


@pytest.mark.parametrize(
    ("region", "host"),
    [
        ("cn-hangzhou", "dm.aliyuncs.com"),
        ("cn-shanghai", "dm.aliyuncs.com"),
        ("ap-southeast-1", "dm.ap-southeast-1.aliyuncs.com"),
        ("eu-central-1", "dm.eu-central-1.aliyuncs.com"),
    ],
)
def test_the_mainland_has_one_address_and_regions_abroad_their_own(region: str, host: str) -> None:
    assert official(region) == host


@pytest.mark.parametrize(
    ("wrong", "key"),
    [
        ({"account_name": "nobody"}, "account_name"),
        ({"account_name": "a@b.c\n"}, "account_name"),
        ({"from_alias": "x" * 15}, "from_alias"),
        ({"from_alias": "ring\nback"}, "from_alias"),
        ({"endpoint": "dm.aliyuncs.com"}, "endpoint"),
        ({"alias": "x"}, "alias"),
    ],
)
def test_a_wrong_setting_is_named(wrong: dict[str, Any], key: str) -> None:
    with pytest.raises(ValidationError) as caught:
        AlibabaEmailSettings.model_validate({"account_name": SENDER} | wrong)
    (found,) = caught.value.errors()
    assert found["loc"] == (key,)
