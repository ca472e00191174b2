"""What the sandbox pushes about texts that our adapters sent, read by our readers."""

import contextlib
import http.server
import queue
import threading
from collections.abc import Iterator

import pytest

from paging.errors import DeliveryError
from paging.events import Event, MessageDelivered, MessageFailed, ReplyReceived
from paging.ports import Callback, CallbackReader, Reading
from sms.alibaba import AlibabaSmsReplies, AlibabaSmsReports
from sms.tencent import TencentSmsReplies, TencentSmsReports
from tests.sms.conftest import ADAPTERS, NUMBER, Inbox, Sms, make, request

READERS: dict[str, CallbackReader] = {
    "/alibaba/report": AlibabaSmsReports(),
    "/alibaba/reply": AlibabaSmsReplies(),
    "/tencent/report": TencentSmsReports(),
    "/tencent/reply": TencentSmsReplies(),
}
LONGER_THAN_ANY_REPEAT_S = 1000.0
WITHIN_S = 5.0


class Pushes:
    """What came, in order."""

    def __init__(self) -> None:
        self._came: queue.SimpleQueue[tuple[str, Reading]] = queue.SimpleQueue()

    def take(self, path: str, body: bytes) -> bytes:
        """Read one push and answer it."""
        reader = READERS[path]
        self._came.put((path, reader.read_callback(Callback(body))))
        return reader.accepted

    def next(self, path: str) -> Event:
        """The one event of the next push, which comes to this address and leaves nothing unread."""
        came_to, reading = self._came.get(timeout=WITHIN_S)
        (event,) = reading.events
        assert (came_to, reading.skipped) == (path, 0)
        return event

    def is_over(self) -> bool:
        """Say whether nothing more came."""
        return self._came.empty()


@contextlib.contextmanager
def _served(pushes: Pushes) -> Iterator[str]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            said = pushes.take(self.path, self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.send_header("Content-Length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        def log_message(self, *_: object) -> None:
            """Print nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture
def pushes(inbox: Inbox) -> Iterator[Pushes]:
    """Takes the reports and replies of both carriers."""
    taken = Pushes()
    with _served(taken) as url:
        for adapter in ADAPTERS:
            addresses = {
                f"sms_{what}_url": f"{url}/{adapter}/{what}" for what in ("report", "reply")
            }
            inbox.settings(**{adapter: addresses})
        yield taken
        inbox.begin()  # nothing more is pushed to a closed port


@pytest.mark.parametrize(("adapter", "names_ref"), [("alibaba", True), ("tencent", False)])
def test_a_text_that_arrived_is_reported_once(
    adapter: str, *, names_ref: bool, sms: Sms, inbox: Inbox, pushes: Pushes
) -> None:
    """An answer that the carrier takes for none would bring the report again."""
    sent = sms.send(request())
    inbox.advance(LONGER_THAN_ANY_REPEAT_S)
    event = pushes.next(f"/{adapter}/report")
    assert isinstance(event, MessageDelivered)
    receipt = event.receipt
    assert (receipt.provider, receipt.channel, receipt.address) == (adapter, "sms", NUMBER)
    assert receipt.provider_id == sent.provider_id
    assert receipt.ref == ("r-0123456789abc" if names_ref else None)
    assert receipt.at is not None
    assert pushes.is_over()


def test_tencent_names_the_ref_where_that_was_enabled(inbox: Inbox, pushes: Pushes) -> None:
    """Without it, the report of a text whose answer was lost is nobody's."""
    inbox.settings(tencent={"sms_ext": True})
    make("tencent", inbox.url).send(request())
    inbox.advance(LONGER_THAN_ANY_REPEAT_S)
    event = pushes.next("/tencent/report")
    assert isinstance(event, MessageDelivered)
    assert event.receipt.ref == "r-0123456789abc"


def test_a_text_that_did_not_arrive_says_why(
    adapter: str, sms: Sms, inbox: Inbox, pushes: Pushes
) -> None:
    inbox.phone(NUMBER, sms="fail", sms_error="UNDELIV")
    sent = sms.send(request())
    inbox.advance(LONGER_THAN_ANY_REPEAT_S)
    event = pushes.next(f"/{adapter}/report")
    assert isinstance(event, MessageFailed)
    assert (event.code, event.row.outcome) == ("UNDELIV", "unreachable")
    assert event.receipt.provider_id == sent.provider_id


def test_the_report_of_a_text_whose_answer_was_lost_names_its_ref(
    inbox: Inbox, pushes: Pushes
) -> None:
    inbox.fault("alibaba", "place_then_reset")
    with pytest.raises(DeliveryError):
        make("alibaba", inbox.url).send(request())
    inbox.advance(LONGER_THAN_ANY_REPEAT_S)
    event = pushes.next("/alibaba/report")
    assert isinstance(event, MessageDelivered)
    assert event.receipt.ref == "r-0123456789abc"


@pytest.mark.parametrize("what", ["report", "reply"])
def test_what_comes_twice_has_one_key(
    what: str, adapter: str, sms: Sms, inbox: Inbox, pushes: Pushes
) -> None:
    inbox.settings(**{adapter: {"pushes": {"repeat": 2}}})
    inbox.phone(NUMBER, sms="deliver" if what == "report" else "silent")
    sms.send(request())
    if what == "reply":
        inbox.reply(NUMBER, "1")
    inbox.advance(LONGER_THAN_ANY_REPEAT_S)
    first, second = (pushes.next(f"/{adapter}/{what}") for _ in range(2))
    assert first == second
    assert pushes.is_over()


@pytest.mark.parametrize(
    ("adapter", "how"),
    [("alibaba", {}), ("alibaba", {"sms_reply_gbk": True}), ("tencent", {})],
    ids=["alibaba", "alibaba in GBK", "tencent"],
)
def test_a_reply_comes_with_the_number_of_whoever_wrote_it(
    adapter: str, how: dict[str, bool], sms: Sms, inbox: Inbox, pushes: Pushes
) -> None:
    inbox.settings(**{adapter: how})
    inbox.phone(NUMBER, sms="silent")
    sms.send(request())
    inbox.reply(NUMBER, "１ 认领")
    event = pushes.next(f"/{adapter}/reply")
    assert isinstance(event, ReplyReceived)
    assert (event.text, event.receipt.address, event.receipt.channel) == ("１ 认领", NUMBER, "sms")
    assert event.receipt.at is not None
    inbox.advance(LONGER_THAN_ANY_REPEAT_S)
    assert pushes.is_over()
