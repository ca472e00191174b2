"""The handset page in a real browser: what somebody sees, hears and presses.

Headless Chromium has no voices, so that what the page hands to `speechSynthesis` is noted instead
of heard, and each oscillator that it starts counts as a tone.
"""

import functools
import json
import os
import re
import shutil
import smtplib
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from email.message import EmailMessage
from typing import Any, NoReturn
from urllib.parse import urlsplit

import httpx2
import pytest
from alibabacloud_dyvmsapi20170525 import models as alibaba
from alibabacloud_dyvmsapi20170525.client import Client
from alibabacloud_tea_openapi.models import Config
from playwright.sync_api import (
    Browser,
    BrowserContext,
    Locator,
    Page,
    Request,
    expect,
    sync_playwright,
)
from tencentcloud.common.credential import Credential
from tencentcloud.common.exception.tencent_cloud_sdk_exception import TencentCloudSDKException
from tencentcloud.common.profile.client_profile import ClientProfile
from tencentcloud.common.profile.http_profile import HttpProfile
from tencentcloud.vms.v20200902 import models as tencent
from tencentcloud.vms.v20200902.vms_client import VmsClient

from sandbox.server import running
from tests.sandbox.signing import acs3, tc3

LI, SAM = "+8613700000000", "+8613700000001"
APP = "1400000000"
CALLER = "05710000000"
KEYS = {"access_key_id": "LTAI-test-id", "access_key_secret": "test-secret-of-alibaba"}
LAPTOP, PHONE = (1280, 800), (390, 664)  # what the bars of a browser leave of 844
# As root, and with nobody to talk to outside this machine.
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--renderer-process-limit=1",
    "--autoplay-policy=user-gesture-required",
]
NOTE_SOUNDS = """
window.said = [];
window.tones = 0;
SpeechSynthesis.prototype.speak = ({ text, lang }) => window.said.push({ text, lang });
const start = OscillatorNode.prototype.start;
OscillatorNode.prototype.start = function (...when) {
  window.tones += 1;
  return start.apply(this, when);
};
"""

# What the browser says when it keeps a mail from running or loading something.
KEPT_FROM = re.compile(r"Blocked script execution|(Loading the image|JavaScript URL).* violates")

expect.set_options(timeout=15_000)


def _lack(what: str) -> NoReturn:
    """Skip, but fail where everything is meant to be installed."""
    reason = f"{what} is not installed: the page cannot be looked at"
    if "RINGBACK_CI" in os.environ:
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One browser for all; every test has a page of its own."""
    executable = shutil.which("chromium") or _lack("chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=ARGUMENTS)
        yield browser
        browser.close()


def new_context(browser: Browser, locale: str, size: tuple[int, int]) -> BrowserContext:
    """Somebody's browser: their language, their window, no animation to wait for."""
    context = browser.new_context(
        locale=locale,
        viewport={"width": size[0], "height": size[1]},
        timezone_id="Asia/Shanghai",
        reduced_motion="reduce",
    )
    context.add_init_script(NOTE_SOUNDS)
    context.set_default_timeout(15_000)
    return context


class Desk:
    """A sandbox, and the carriers' own SDKs to call its phones; texts are signed by hand."""

    def __init__(self, url: str, smtp_port: int) -> None:
        self.url, self._smtp_port = url, smtp_port
        self.api = httpx2.Client(base_url=url, trust_env=False, timeout=10)
        self._host = urlsplit(url).netloc
        self._alibaba: Any = Client(
            Config(**KEYS, endpoint=self._host, protocol="http", read_timeout=10_000)
        )

    def begin(self) -> None:
        """Be as if just started, with two phones, whose owners the carriers may call and text."""
        self.api.post("/sandbox/reset").raise_for_status()
        self.tell(
            {
                "alibaba": {
                    **KEYS,
                    "show_numbers": [CALLER],
                    "templates": {"TTS_1": "${text}", "TTS_2": "已收到按键。"},
                    "sms_sign_names": ["铃回"],
                    "sms_templates": {"SMS_1": "告警：${title}。回复1认领。"},
                    "sms_reply_url": "",
                    "mail_account_names": ["page@ringback.example"],
                    "limits": False,
                },
                "tencent": {
                    "secret_id": "AKIDtest",
                    "secret_key": "test-secret-of-tencent",
                    "sdk_app_ids": [APP],
                    "voice_url": "",
                    "templates": {"1": "{1}"},
                    "sms_sdk_app_ids": [APP],
                    "sms_sign_names": ["Ringback"],
                    "sms_templates": {"9": "Alert: {1}. Reply 1 to acknowledge."},
                    "sms_variable_chars": 500,
                    "sms_reply_url": "",
                    "limits": False,
                },
            }
        )
        self.own("Li", LI)
        self.own("Sam", SAM)

    def tell(self, settings: dict[str, Any]) -> None:
        """Change the carriers' settings."""
        self.api.put("/sandbox/settings", json=settings).raise_for_status()

    def own(self, name: str, number: str) -> None:
        """Put somebody's phone on the desk."""
        told = {"behaviour": "ring", "label": name}
        self.api.put(f"/sandbox/phones/{number}", json=told).raise_for_status()

    def alibaba_calls(
        self, number: str, text: str, *, plays: int = 2, wait_ms: int = 10_000
    ) -> None:
        """Place a call with a menu of one key, which is answered."""
        reply = alibaba.IvrCallRequestMenuKeyMap(key="1", code="TTS_2", tts_params="{}")
        answer = self._alibaba.ivr_call(
            alibaba.IvrCallRequest(
                called_number=number.removeprefix("+86"),
                called_show_number=CALLER,
                start_code="TTS_1",
                start_tts_params=f'{{"text": "{text}"}}',
                menu_key_map=[reply],
                play_times=plays,
                timeout=wait_ms,
                out_id="ref",
            )
        )
        assert answer.body.code == "OK", answer.body

    def tencent_calls(self, number: str, text: str) -> None:
        """Place a call; Tencent plays nothing after a key. Raises TencentCloudSDKException."""
        http = HttpProfile(protocol="http", endpoint=self._host, reqTimeout=10)
        client = VmsClient(
            Credential("AKIDtest", "test-secret-of-tencent"),
            "ap-guangzhou",
            ClientProfile(httpProfile=http),
        )
        request: Any = tencent.SendTtsVoiceRequest()
        request.TemplateId, request.TemplateParamSet = "1", [text]
        request.CalledNumber, request.VoiceSdkAppid, request.PlayTimes = number, APP, 2
        client.SendTtsVoice(request)

    def texts(self, carrier: str, number: str, title: str) -> None:
        """Have a carrier text this number, and let its receipt come."""
        if carrier == "alibaba":
            signed = acs3(
                self._host,
                "SendSms",
                {
                    "PhoneNumbers": number.removeprefix("+86"),
                    "SignName": "铃回",
                    "TemplateCode": "SMS_1",
                    "TemplateParam": json.dumps({"title": title}),
                },
            )
        else:
            told = {
                "PhoneNumberSet": [number],
                "SmsSdkAppId": APP,
                "SignName": "Ringback",
                "TemplateId": "9",
                "TemplateParamSet": [title],
            }
            signed = tc3(self._host, "SendSms", told, version="2021-01-11", service="sms")
        answer = self.api.post(signed.target, headers=signed.headers, content=signed.body)
        assert re.search('"Code": ?"(OK|Ok)"', answer.text), answer.text
        self.pass_time(10)

    def mails(self, subject: str, html: str, text: str = "plain") -> None:
        """Have a mail arrive by SMTP."""
        mail = EmailMessage()
        mail["From"], mail["To"] = "Ringback <page@ringback.example>", "li@example.com"
        mail["Subject"], mail["Auto-Submitted"] = subject, "auto-generated"
        mail.set_content(text)
        mail.add_alternative(html, subtype="html")
        with smtplib.SMTP("127.0.0.1", self._smtp_port, timeout=10) as smtp:
            smtp.send_message(mail)

    def directmails(self, subject: str, html: str) -> None:
        """Have a mail arrive by Alibaba Cloud's DirectMail, without a plain twin."""
        told = {
            "AccountName": "page@ringback.example",
            "AddressType": "1",
            "ReplyToAddress": "false",
            "ToAddress": "li@example.com",
            "Subject": subject,
            "HtmlBody": html,
            "FromAlias": "铃回",
            "Headers": '{"Auto-Submitted": "auto-generated"}',
        }
        signed = acs3(self._host, "SingleSendMail", told, version="2015-11-23", in_body=True)
        answer = self.api.post(signed.target, headers=signed.headers, content=signed.body)
        answer.raise_for_status()

    def pass_time(self, seconds: float) -> None:
        """Let this much of the sandbox's time pass at once."""
        self.api.post("/sandbox/clock", json={"advance_s": seconds}).raise_for_status()

    def rings(self, number: str, text: str) -> None:
        """Have Alibaba call this number until its phone rings."""
        self.alibaba_calls(number, text)
        self.pass_time(2)

    def calls(self, number: str = LI) -> list[Any]:
        """The calls of this number, newest first."""
        return self.api.get("/sandbox/calls", params={"number": number}).json()


@pytest.fixture(scope="module")
def only_desk() -> Iterator[Desk]:
    """One sandbox for all."""
    with running() as sandbox:
        desk = Desk(sandbox.url, sandbox.smtp_port)
        yield desk
        desk.api.close()


@pytest.fixture
def desk(only_desk: Desk) -> Desk:
    """The sandbox, as if it had just been started."""
    only_desk.begin()
    return only_desk


@dataclass(slots=True)
class Handset:
    """The open page. `errors`: what the browser complained about; `hosts`: whom it asked."""

    page: Page
    errors: list[str] = field(default_factory=list[str])
    hosts: set[str] = field(default_factory=set[str])

    def phone(self, number: str = LI) -> Locator:
        """One phone with the card that lies under it."""
        return self.page.locator(f".phone[data-number='{number}']")

    def press(self, name: str, number: str = LI) -> None:
        """Press a button of this phone by the name that it has for everybody."""
        self.phone(number).get_by_role("button", name=name, exact=True).click()

    def is_in(self, status: str, number: str = LI) -> None:
        """Wait until this phone shows a call in this state."""
        # Looks at every frame, which `expect` does not.
        self.page.locator(f".phone[data-number='{number}'][data-status='{status}']").wait_for()

    def turn_sound_on(self) -> None:
        """Make the gesture without which no browser lets a page sound."""
        self.page.get_by_role("button", name="Turn sound on").click()
        expect(self.page.get_by_role("button", name="Sound is on: press to mute")).to_be_visible()

    def said(self, text: str) -> list[Any]:
        """Wait until the voice was given this text, and return all it was given."""
        self.page.wait_for_function(
            "text => window.said.map((part) => part.text).join('').endsWith(text)", arg=text
        )
        return self.page.evaluate("window.said")

    def tones(self) -> int:
        """How many tones were started."""
        return self.page.evaluate("window.tones")

    def opens_messages(self, number: str = LI) -> Locator:
        """Open the messages of this phone, and return them."""
        self.phone(number).get_by_role("tab", name="Messages").click()
        return self.phone(number).get_by_role("log")

    def card(self, carrier: str) -> Locator:
        """One carrier's panel."""
        return self.page.locator(f".carrier-card[data-carrier='{carrier}']")


def new_handset(browser: Browser, locale: str, size: tuple[int, int]) -> Handset:
    """A window of somebody's, with nothing in it yet."""
    handset = Handset(new_context(browser, locale, size).new_page())
    page, errors = handset.page, handset.errors
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on(
        "console",
        lambda said: (
            errors.append(said.text)
            if said.type in ("error", "warning") and not KEPT_FROM.search(said.text)
            else None
        ),
    )

    def ended(request: Request) -> None:
        if request.failure != "csp":  # which was stopped before it asked anybody
            handset.hosts.add(urlsplit(request.url).netloc)

    page.on("requestfinished", ended)
    page.on("requestfailed", ended)
    return handset


Handsets = Callable[[str, tuple[int, int]], Handset]


@pytest.fixture(scope="module")
def handsets(browser: Browser) -> Handsets:
    """One for each language and window, loaded anew by each test: making it takes longer."""
    return functools.cache(functools.partial(new_handset, browser))


Opens = Callable[..., Handset]


@pytest.fixture
def opens(handsets: Handsets, desk: Desk) -> Iterator[Opens]:
    """Open the page; nothing may go wrong in it, nor may it ask another host."""
    opened: list[Handset] = []

    def open_page(
        *, locale: str = "en-US", size: tuple[int, int] = LAPTOP, handset: Handset | None = None
    ) -> Handset:
        handset = handset or handsets(locale, size)
        opened.append(handset)
        handset.page.goto(desk.url)
        handset.phone(SAM).wait_for()
        return handset

    yield open_page
    for handset in opened:
        handset.page.evaluate("localStorage.clear()")
        handset.page.goto("about:blank")  # it would go on drawing all that the next test does
        errors, hosts = handset.errors.copy(), handset.hosts.copy()
        handset.errors.clear()
        handset.hosts.clear()
        assert errors == []
        assert hosts == {urlsplit(desk.url).netloc}


@pytest.fixture
def handset(opens: Opens) -> Handset:
    """The page on a laptop, in English."""
    return opens()


@pytest.fixture
def steered(browser: Browser, opens: Opens) -> Handset:
    """The same with its timers in our hands, which are its whole context's."""
    handset = new_handset(browser, "en-US", LAPTOP)
    handset.page.clock.install()
    return opens(handset=handset)


def test_an_incoming_call_is_seen_on_the_phone_and_in_the_title(
    desk: Desk, handset: Handset
) -> None:
    expect(handset.page).to_have_title("ringback sandbox: the phones")
    desk.rings(LI, "数据库已满")
    handset.is_in("ringing")
    screen = handset.phone().locator(".ringing")
    expect(screen).to_contain_text("Incoming call · Li")
    expect(screen).to_contain_text(CALLER)
    expect(screen).to_contain_text("Alibaba Cloud")
    handset.page.wait_for_function("document.title === '☎ Incoming call Li'")
    handset.is_in("idle", SAM)


def test_the_phone_rings_aloud_from_the_first_gesture_until_it_is_answered(
    desk: Desk, steered: Handset
) -> None:
    desk.rings(LI, "数据库已满")
    steered.is_in("ringing")
    assert steered.tones() == 0, "browsers forbid sound before a gesture"
    steered.turn_sound_on()
    steered.page.wait_for_function("window.tones > 0")
    once = steered.tones()
    steered.page.clock.run_for(3_500)
    again = steered.tones()
    assert again > once
    steered.press("Answer")
    steered.is_in("answered")
    steered.page.clock.run_for(7_000)
    assert steered.tones() == again


def test_a_muted_page_neither_rings_nor_speaks(desk: Desk, handset: Handset) -> None:
    handset.turn_sound_on()
    handset.page.get_by_role("button", name="Sound is on: press to mute").click()
    desk.rings(LI, "数据库已满")
    handset.press("Answer")
    expect(handset.phone().locator(".spoken mark")).to_contain_text("数据库")  # it is read along
    assert handset.tones() == 0
    assert handset.page.evaluate("window.said") == []


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("严重告警,db 杠 1 磁盘已满。认领请按1,静音请按3。", "zh-CN"),
        ("Critical alert, disk full on db dash 1. Press 1 to acknowledge, 3 to mute.", "en-US"),
        ("Critical alert, 支付网关 is down. Press 1.", "zh-CN"),
    ],
)
def test_the_text_is_said_whole_in_its_own_language(
    desk: Desk, handset: Handset, text: str, language: str
) -> None:
    handset.turn_sound_on()
    desk.rings(LI, text)
    handset.press("Answer")
    said = handset.said(text)
    assert "".join(part["text"] for part in said) == text
    assert {part["lang"] for part in said} == {language}
    expect(handset.phone().locator(".spoken")).to_have_text(text)


def test_the_text_is_said_as_often_as_the_carrier_plays_it(desk: Desk, handset: Handset) -> None:
    end = "认领请按1。"
    text = "数据库磁盘已满，" * 12 + "请尽快处理。" + end  # about 26 s
    handset.turn_sound_on()
    desk.alibaba_calls(LI, text, plays=3, wait_ms=60_000)
    desk.pass_time(2)
    handset.press("Answer")
    handset.said(text)
    for minute in ("0:3", "1:0", "1:3"):
        handset.page.get_by_role("button", name="Advance by 30 s").click()
        expect(handset.phone().locator(".timer")).to_have_text(re.compile(f"^{minute}"))
    said = [part["text"] for part in handset.page.evaluate("window.said")]
    assert said.count(end) == 3


def test_a_key_reaches_the_carrier_and_its_reply_is_heard(desk: Desk, handset: Handset) -> None:
    handset.turn_sound_on()
    desk.rings(LI, "数据库已满。")
    handset.press("Answer")
    handset.said("数据库已满。")
    handset.press("Key 5")
    handset.press("Key 1")
    handset.said("已收到按键。")
    assert desk.calls()[0]["keys"] == "51"
    phone = handset.phone()
    expect(phone.locator(".answered .keys-pressed")).to_have_text("Pressed 5 1")
    expect(phone.locator(".answered .spoken")).to_have_text("已收到按键。")
    desk.pass_time(3)
    handset.is_in("ended")
    expect(phone.locator(".ended")).to_contain_text("Heard to the end")


@pytest.mark.parametrize(
    ("buttons", "outcome", "words"),
    [
        (["Decline"], "rejected", "Declined"),
        (["Answer", "Hang up"], "hung_up", "Hung up"),
    ],
)
def test_a_call_is_ended_by_hand(
    desk: Desk, handset: Handset, buttons: list[str], outcome: str, words: str
) -> None:
    desk.rings(LI, "数据库已满")
    for button in buttons:
        handset.press(button)
    handset.is_in("ended")
    expect(handset.phone().locator(".ended .outcome")).to_have_text(words)
    assert desk.calls()[0]["outcome"] == outcome
    handset.press("Done")
    handset.is_in("idle")
    expect(handset.phone().locator(".notice")).to_contain_text(words)


def test_the_keyboard_answers_presses_keys_and_hangs_up(desk: Desk, handset: Handset) -> None:
    keyboard = handset.page.keyboard
    desk.rings(LI, "数据库已满")
    handset.is_in("ringing")
    keyboard.press("Enter")
    handset.is_in("answered")
    keyboard.press("5")
    keyboard.press("#")
    expect(handset.phone().locator(".answered .keys-pressed")).to_have_text("Pressed 5 #")
    keyboard.press("Escape")
    handset.is_in("ended")
    call = desk.calls()[0]
    assert (call["keys"], call["outcome"]) == ("5#", "hung_up")


def test_escape_declines_a_call_that_rings(desk: Desk, handset: Handset) -> None:
    desk.rings(LI, "数据库已满")
    handset.is_in("ringing")
    handset.page.keyboard.press("Escape")
    handset.is_in("ended")
    assert desk.calls()[0]["outcome"] == "rejected"


def test_digits_typed_into_a_field_are_no_keys(desk: Desk, handset: Handset) -> None:
    desk.rings(LI, "数据库已满")
    handset.press("Answer")
    handset.is_in("answered")
    handset.page.get_by_label("Number", exact=True).fill("13700000002")
    handset.page.get_by_label("Number", exact=True).press("1")
    handset.press("Key 3")
    expect(handset.phone().locator(".answered .keys-pressed")).to_have_text("Pressed 3")
    assert desk.calls()[0]["keys"] == "3"


def test_the_log_tells_a_call_stage_by_stage(desk: Desk, handset: Handset) -> None:
    desk.rings(LI, "数据库已满")
    handset.is_in("ringing")
    call = desk.calls()[0]["id"]
    for action in ("answer", "press", "hangup"):
        answer = desk.api.post(f"/sandbox/calls/{call}/{action}", json={"digit": "1"})
        answer.raise_for_status()
    handset.is_in("ended")
    log = handset.phone().locator(".log")
    log.locator("summary").click()
    expect(log.locator(".steps li")).to_contain_text(
        ["dialling", "ringing", "answered", "pressed 1", "hears: 已收到按键。", "ended: Hung up"]
    )
    expect(log.locator("dd").first).to_have_text("数据库已满")


def test_two_phones_ring_at_once_and_each_says_its_own_text(desk: Desk, handset: Handset) -> None:
    handset.turn_sound_on()
    desk.alibaba_calls(LI, "数据库已满。")
    desk.tencent_calls(SAM, "The gateway is down.")
    desk.pass_time(2)
    handset.is_in("ringing", LI)
    handset.is_in("ringing", SAM)
    handset.press("Answer", SAM)
    handset.said("The gateway is down.")
    handset.is_in("ringing", LI)
    handset.press("Answer", LI)
    handset.said("数据库已满。")
    expect(handset.phone(LI).locator(".spoken")).to_have_text("数据库已满。")
    expect(handset.phone(SAM).locator(".spoken")).to_have_text("The gateway is down.")
    handset.press("Key 2", SAM)
    expect(handset.phone(SAM).locator(".answered .keys-pressed")).to_have_text("Pressed 2")
    assert (desk.calls(LI)[0]["keys"], desk.calls(SAM)[0]["keys"]) == ("", "2")


def test_a_number_that_nobody_set_up_appears_when_it_is_called(
    desk: Desk, handset: Handset
) -> None:
    desk.rings("+8613700000009", "数据库已满")
    handset.is_in("ringing", "+8613700000009")


def test_a_phone_is_put_on_the_desk_by_hand(handset: Handset) -> None:
    handset.page.get_by_label("Number", exact=True).fill("137 0000 0002")
    handset.page.get_by_label("Whose is it? (optional)").fill("Zhao")
    handset.page.get_by_role("button", name="Put it on the desk").click()
    expect(handset.phone("+8613700000002").locator(".card .label")).to_have_text("Zhao")
    expect(handset.phone("+8613700000002")).to_be_focused()


@pytest.mark.parametrize(
    ("chosen", "outcome", "keys"),
    [
        ("answers and presses keys", "completed", "1"),
        ("is busy", "busy", ""),
        ("voicemail answers", "key_timeout", ""),
    ],
)
def test_the_next_call_meets_what_was_chosen_for_the_number(
    desk: Desk, handset: Handset, chosen: str, outcome: str, keys: str
) -> None:
    with handset.page.expect_response("**/sandbox/phones/*"):
        handset.phone().get_by_label("When called").select_option(label=chosen)
    desk.alibaba_calls(LI, "数据库已满")
    desk.pass_time(80)
    handset.is_in("ended")
    call = desk.calls()[0]
    assert (call["outcome"], call["keys"]) == (outcome, keys)


@dataclass(frozen=True, slots=True)
class Broken:
    """A fault as it is chosen on the page, and what the next request of the SDK gets from it."""

    fault: str
    code: str | None
    calls: int
    fields: dict[str, str] = field(default_factory=dict[str, str])


@pytest.mark.parametrize(
    "broken",
    [
        Broken(
            "refuses with an error code",
            "FailedOperation.InsufficientBalance",
            0,
            {"Error code": "FailedOperation.InsufficientBalance"},
        ),
        Broken("does what was asked, then resets the connection", "ClientNetworkError", 1),
        Broken("answers late", None, 1, {"Seconds": "0.1"}),
    ],
    ids=lambda broken: broken.fault,
)
def test_the_next_request_meets_what_was_broken_on_the_page(
    desk: Desk, handset: Handset, broken: Broken
) -> None:
    card = handset.card("tencent")
    expect(card).to_contain_text("Works as it should.")
    card.locator("summary").click()
    card.get_by_label("What happens").select_option(label=broken.fault)
    for label, value in broken.fields.items():
        card.locator(".break").get_by_label(label, exact=True).fill(value)
    card.get_by_role("button", name="Break it").click()
    expect(card.locator(".faults li")).to_contain_text(f"{broken.fault}")
    if broken.code is None:
        desk.tencent_calls(LI, "数据库已满")
    else:
        with pytest.raises(TencentCloudSDKException) as refused:
            desk.tencent_calls(LI, "数据库已满")
        assert refused.value.code == broken.code
    assert len(desk.calls()) == broken.calls
    # It was for once: the page says that all is well again, and what the request met.
    expect(card).to_contain_text("Works as it should.")
    handset.page.get_by_text("Requests from ringback").click()
    expect(handset.page.locator("#requests li summary")).to_contain_text("SendTtsVoice")
    desk.tencent_calls(SAM, "数据库已满")


def test_a_fault_is_mended_on_the_page(desk: Desk, handset: Handset) -> None:
    card = handset.card("tencent")
    card.locator("summary").click()
    card.get_by_label("What happens").select_option(label="throttles")
    card.get_by_label("How often").select_option(label="until removed")
    card.get_by_role("button", name="Break it").click()
    with pytest.raises(TencentCloudSDKException, match="RequestLimitExceeded"):
        desk.tencent_calls(LI, "数据库已满")
    card.get_by_role("button", name="Mend: throttles").click()
    expect(card).to_contain_text("Works as it should.")
    desk.tencent_calls(LI, "数据库已满")


def test_the_carriers_limit_is_switched_on_the_page(desk: Desk, handset: Handset) -> None:
    with handset.page.expect_response("**/sandbox/settings"):
        handset.card("tencent").get_by_label("Per-number limits").check()
    desk.tencent_calls(LI, "数据库已满")
    with pytest.raises(TencentCloudSDKException, match="DeliveryFrequencyLimit"):
        desk.tencent_calls(LI, "数据库已满")


def test_a_callback_is_followed_until_it_is_given_up(desk: Desk, steered: Handset) -> None:
    nobody = "http://127.0.0.1:1/"  # no such port is ever open
    desk.tell({"tencent": {"voice_url": nobody}})
    desk.api.put(f"/sandbox/phones/{LI}", json={"behaviour": "busy"}).raise_for_status()
    desk.tencent_calls(LI, "数据库已满")
    desk.pass_time(2)
    steered.is_in("ended")
    steered.page.get_by_text("Callbacks to ringback").click()
    pushed = steered.page.locator("#pushes li", has_text="voice_failure_callback")
    expect(pushed).to_contain_text("on its way")
    steered.page.clock.run_for(1_000)  # nothing happens any more that would make the page look
    desk.pass_time(60)
    desk.pass_time(60)
    expect(pushed).to_contain_text("given up, 3 tries")


def test_a_text_is_shown_with_its_sender_and_its_carrier(desk: Desk, handset: Handset) -> None:
    desk.texts("alibaba", LI, "磁盘将满")
    desk.texts("tencent", LI, "磁盘将满")
    thread = handset.opens_messages()
    expect(thread.locator(".sender b")).to_have_text(["铃回", "Ringback"])
    expect(thread.locator(".carrier")).to_have_text(["Alibaba Cloud", "Tencent Cloud"])
    expect(thread.locator(".text")).to_have_text(
        ["告警：磁盘将满。回复1认领。", "Alert: 磁盘将满. Reply 1 to acknowledge."]
    )
    expect(handset.opens_messages(SAM)).to_contain_text("No messages yet.")


@pytest.mark.parametrize(
    ("chosen", "code", "fate"),
    [
        ("gets it", None, "delivered"),
        ("does not get it", "MOBILE_IN_BLACK", "not delivered: MOBILE_IN_BLACK"),
        ("gets it, no receipt ever comes", None, "waiting for the receipt"),
    ],
)
def test_the_next_text_meets_what_was_chosen_for_the_number(
    desk: Desk, handset: Handset, chosen: str, code: str | None, fate: str
) -> None:
    with handset.page.expect_response("**/sandbox/phones/*"):
        handset.phone().get_by_label("When texted").select_option(label=chosen)
    if code is not None:
        field = handset.phone().get_by_label("Code in the receipt")
        with handset.page.expect_response("**/sandbox/phones/*"):
            field.fill(code)
            field.blur()
    desk.texts("alibaba", LI, "磁盘将满")
    expect(handset.opens_messages().locator(".state")).to_have_text(fate)
    # What it does when called stays as it was, and so does its owner.
    expect(handset.phone().get_by_label("When called")).to_have_value("ring")
    expect(handset.phone().locator(".card .label")).to_have_text("Li")


def test_what_happens_to_texts_outlives_what_else_is_chosen(desk: Desk, handset: Handset) -> None:
    phone, page = handset.phone(), handset.page
    told = {"label": "Li", "sms": "fail", "sms_error": "MK:0001"}
    desk.api.put(f"/sandbox/phones/{LI}", json=told).raise_for_status()
    code = phone.get_by_label("Code in the receipt")
    expect(code).to_have_value("MK:0001")
    with page.expect_response("**/sandbox/phones/*"):
        phone.get_by_label("When called").select_option(label="is busy")
    desk.texts("alibaba", LI, "磁盘将满")
    expect(handset.opens_messages().locator(".state")).to_have_text("not delivered: MK:0001")
    with page.expect_response("**/sandbox/phones/*"):
        phone.get_by_label("When texted").select_option(label="gets it")
    (told, _) = desk.api.get("/sandbox/state").json()["phones"]
    assert (told["behaviour"], told["sms"], told["sms_error"]) == ("busy", "deliver", "MK:0001")


def test_a_text_waits_unread_until_its_messages_are_opened(desk: Desk, handset: Handset) -> None:
    page, phone = handset.page, handset.phone()
    handset.turn_sound_on()
    desk.texts("alibaba", LI, "磁盘将满")
    expect(phone.get_by_role("tab", name="Messages 1 unread")).to_be_visible()
    page.wait_for_function("window.tones === 2")  # two soft notes for each, and no ringing
    desk.texts("tencent", LI, "The gateway is down")
    expect(phone.get_by_role("tab", name="Messages 2 unread")).to_be_visible()
    expect(page).to_have_title("(2) ringback sandbox: the phones")
    expect(handset.phone(SAM).get_by_role("tab", name="Messages", exact=True)).to_be_visible()
    expect(page.locator("#announce")).to_have_text("Li: a message from Ringback.")
    page.wait_for_function("window.tones === 4")
    # The lock screen shows the newest, which leads to all.
    phone.get_by_role("button", name="The gateway is down").click()
    expect(phone.get_by_role("tab", name="Messages", exact=True)).to_be_focused()
    expect(page).to_have_title("ringback sandbox: the phones")
    expect(phone.get_by_role("log").locator(".text")).to_have_count(2)


def test_a_text_that_did_not_come_is_not_unread(desk: Desk, handset: Handset) -> None:
    told = {"label": "Li", "sms": "fail"}
    desk.api.put(f"/sandbox/phones/{LI}", json=told).raise_for_status()
    desk.texts("alibaba", LI, "磁盘将满")
    desk.texts("alibaba", SAM, "磁盘将满")
    expect(handset.page).to_have_title("(1) ringback sandbox: the phones")
    expect(handset.phone().get_by_role("tab", name="Messages", exact=True)).to_be_visible()


@pytest.mark.parametrize(
    ("carrier", "named", "field"),
    [("alibaba", "SmsUp", "content"), ("tencent", "SmsReply", "text")],
)
def test_a_reply_is_pushed_by_the_carrier_of_the_text(
    desk: Desk, handset: Handset, carrier: str, named: str, field: str
) -> None:
    nobody = "http://127.0.0.1:1/"  # no such port is ever open
    desk.tell({carrier: {"sms_reply_url": nobody}})
    thread = handset.opens_messages()
    expect(handset.phone().get_by_role("button", name="Reply 1")).to_be_disabled()
    desk.texts(carrier, LI, "磁盘将满")
    handset.press("Reply 1")
    expect(thread.locator(".outgoing .text")).to_have_text("1")
    handset.phone().get_by_label("Reply", exact=True).fill("认领 <1>")
    handset.page.keyboard.press("Enter")
    expect(thread.locator(".outgoing .text")).to_have_text(["1", "认领 <1>"])
    pushes = [push for push in desk.api.get("/sandbox/pushes").json() if push["url"] == nobody]
    bodies = [push["body"][0] if carrier == "alibaba" else push["body"] for push in pushes]
    assert sorted(body[field] for body in bodies) == ["1", "认领 <1>"]
    handset.page.get_by_text("Callbacks to ringback").click()
    expect(handset.page.locator("#pushes li", has_text=f"{named} 1")).to_be_visible()


def test_what_is_being_typed_is_not_overwritten(desk: Desk, handset: Handset) -> None:
    phone = handset.phone()
    phone.get_by_label("When texted").select_option(label="does not get it")
    phone.get_by_label("Code in the receipt").fill("MK:00")
    told = {"label": "Li Wei", "sms": "fail"}
    desk.api.put(f"/sandbox/phones/{LI}", json=told).raise_for_status()
    expect(phone.locator(".card .label")).to_have_text("Li Wei")
    expect(phone.get_by_label("Code in the receipt")).to_have_value("MK:00")


def test_the_owner_answers_the_last_text_that_came(desk: Desk, handset: Handset) -> None:
    thread, reply = handset.opens_messages(), handset.phone().get_by_role("button", name="Reply 1")
    told = {"label": "Li", "sms": "fail"}
    desk.api.put(f"/sandbox/phones/{LI}", json=told).raise_for_status()
    desk.texts("tencent", LI, "磁盘将满")
    expect(thread.locator(".state")).to_contain_text("not delivered")
    expect(reply).to_be_disabled()
    desk.own("Li", LI)
    desk.texts("alibaba", LI, "磁盘将满")
    desk.api.put(f"/sandbox/phones/{LI}", json=told).raise_for_status()
    desk.texts("tencent", LI, "磁盘已满")
    expect(thread.locator(".text")).to_have_count(3)
    reply.click()
    expect(thread.locator(".outgoing .text")).to_have_text("1")
    assert desk.api.get("/sandbox/texts").json()[0]["carrier"] == "alibaba"


def test_a_call_takes_the_screen_from_the_messages_and_gives_it_back(
    desk: Desk, handset: Handset
) -> None:
    thread = handset.opens_messages()
    desk.rings(LI, "数据库已满")
    handset.is_in("ringing")
    expect(thread).to_be_hidden()
    desk.texts("alibaba", LI, "磁盘将满")  # its owner does not see it now
    expect(handset.phone().locator(".dock")).to_be_hidden()
    handset.press("Decline")
    handset.is_in("ended")
    expect(handset.page).to_have_title("(1) ringback sandbox: the phones")
    handset.press("Done")
    expect(thread).to_contain_text("磁盘将满")
    expect(handset.page).to_have_title("ringback sandbox: the phones")


def test_the_tabs_of_a_phone_are_moved_through_with_the_arrow_keys(handset: Handset) -> None:
    phone = handset.phone()
    phone.get_by_role("tab", name="Phone").focus()
    handset.page.keyboard.press("ArrowRight")
    expect(phone.get_by_role("tab", name="Messages")).to_be_focused()
    expect(phone.get_by_role("tab", name="Messages")).to_have_attribute("aria-selected", "true")
    expect(phone.get_by_role("tab", name="Phone")).to_have_attribute("tabindex", "-1")
    expect(phone.get_by_role("log")).to_be_visible()
    handset.page.keyboard.press("ArrowRight")
    expect(phone.locator(".big-time")).to_be_visible()


def test_a_number_that_nobody_set_up_appears_when_it_is_texted(
    desk: Desk, handset: Handset
) -> None:
    desk.texts("alibaba", "+8613700000009", "磁盘将满")
    thread = handset.opens_messages("+8613700000009")
    expect(thread).to_contain_text("磁盘将满")
    with handset.page.expect_response("**/sandbox/state"):
        handset.press("Back to the default", "+8613700000009")
    expect(thread).to_contain_text("磁盘将满")


def test_a_mail_is_unread_until_it_is_opened_and_its_link_leads_on(
    desk: Desk, handset: Handset
) -> None:
    page = handset.page
    target = f"{desk.url}/static/icon.svg"
    desk.mails("[严重] 磁盘将满", f'<p>Full.</p><a href="{target}">Acknowledge</a>')
    box = page.get_by_role("region", name="Mailbox")
    expect(box.get_by_role("heading", name="Mailbox 1 unread")).to_be_visible()
    expect(page.get_by_role("link", name="Mailbox").get_by_label("1 unread")).to_be_visible()
    expect(page).to_have_title("(1) ringback sandbox: the phones")
    line = box.get_by_role("button", name="[严重] 磁盘将满")
    for words in ("New:", "page@ringback.example", "li@example.com", "SMTP"):
        expect(line).to_contain_text(words)
    line.click()
    expect(line).not_to_contain_text("New:")
    expect(page).to_have_title("ringback sandbox: the phones")
    with page.context.expect_page() as opened:
        box.frame_locator("iframe").get_by_role("link", name="Acknowledge").click()
    opened.value.wait_for_url(target)
    assert opened.value.evaluate("window.opener") is None
    opened.value.close()


def test_a_mail_is_read_as_plain_text_and_with_its_headers(desk: Desk, handset: Handset) -> None:
    box = handset.page.get_by_role("region", name="Mailbox")
    desk.mails("Disk full", "<p>Full.</p>", "磁盘将满 <b>&amp;</b>")
    box.get_by_role("button", name="Disk full").click()
    expect(box.frame_locator("iframe").get_by_text("Full.")).to_be_visible()
    box.get_by_role("tab", name="Plain text").click()
    expect(box.get_by_role("tabpanel", name="Plain text")).to_contain_text("磁盘将满 <b>&amp;</b>")
    handset.page.keyboard.press("ArrowRight")
    expect(box.get_by_role("tabpanel", name="Headers")).to_contain_text("auto-generated")
    expect(box.locator("iframe")).to_be_hidden()


def test_mails_of_both_ways_lie_in_one_mailbox(desk: Desk, handset: Handset) -> None:
    """DirectMail tells no more of a mail than its sender told it."""
    box = handset.page.get_by_role("region", name="Mailbox")
    desk.mails("Disk full", "<p>Full.</p>")
    desk.directmails("磁盘将满", "<p>请认领。</p>")
    expect(box.get_by_role("listitem")).to_have_count(2)
    expect(box.get_by_role("listitem").first).to_contain_text("DirectMail")
    box.get_by_role("button", name="磁盘将满").click()
    expect(box.frame_locator("iframe").get_by_text("请认领。")).to_be_visible()
    letter = box.get_by_role("article")
    expect(letter).to_contain_text("From 铃回 <page@ringback.example>")
    expect(letter).to_contain_text("to li@example.com")
    expect(letter.get_by_role("tab", name="Plain text")).to_be_disabled()
    letter.get_by_role("tab", name="Headers").click()
    expect(letter.get_by_role("tabpanel", name="Headers")).to_contain_text("auto-generated")
    handset.page.get_by_text("Requests from ringback").click()
    asked = handset.page.locator("#requests li summary")
    expect(asked).to_contain_text(["SingleSendMail", "DATA"])
    expect(asked).to_contain_text(["li@example.com", "li@example.com"])


def test_a_mail_runs_no_script_and_asks_no_host(desk: Desk, handset: Handset) -> None:
    page = handset.page
    with socket.create_server(("127.0.0.1", 0)) as tracker:
        tracker.settimeout(0)
        url = f"http://127.0.0.1:{tracker.getsockname()[1]}/"
        html = f"""<meta http-equiv="refresh" content="0;url={url}">
        <link rel="preconnect" href="{url}"><link rel="stylesheet" href="{url}">
        <script>top.hacked = 1</script><p onclick="top.hacked = 1">Press</p>
        <img src="{url}" onerror="top.hacked = 1" alt="">
        <svg><a href="javascript:top.hacked = 1"><text y="20">Press this</text></a></svg>"""
        desk.mails("<b>Disk</b> full", html)
        with (
            page.expect_console_message(lambda said: "Blocked script" in said.text),
            page.expect_console_message(lambda said: "Loading the image" in said.text),
        ):
            page.get_by_role("button", name="<b>Disk</b> full").click()
        letter = page.frame_locator("iframe")
        letter.get_by_text("Press", exact=True).click()
        with page.expect_console_message(lambda said: "JavaScript URL" in said.text):
            letter.get_by_text("Press this").click()
        assert page.evaluate("window.hacked") is None
        with pytest.raises(BlockingIOError):  # nobody came
            tracker.accept()


def test_messages_and_mails_speak_the_readers_language(desk: Desk, opens: Opens) -> None:
    handset = opens(locale="zh-CN")
    desk.texts("alibaba", LI, "磁盘将满")
    desk.mails("Disk full", "<p>Full.</p>")
    handset.phone().get_by_role("tab", name="信息").click()
    expect(handset.phone().get_by_role("button", name="回复 3")).to_be_visible()
    expect(handset.phone().locator(".state")).to_have_text("已送达")
    box = handset.page.get_by_role("region", name="邮箱")
    box.get_by_role("button", name="Disk full").click()
    expect(box.get_by_role("tab", name="邮件头")).to_be_visible()


def test_the_page_speaks_the_readers_language_and_remembers_the_other(
    desk: Desk, opens: Opens
) -> None:
    handset = opens(locale="zh-CN")
    desk.rings(LI, "数据库已满")
    handset.is_in("ringing")
    page = handset.page
    expect(page.locator("html")).to_have_attribute("lang", "zh-CN")
    expect(handset.phone().get_by_role("button", name="接听", exact=True)).to_be_visible()
    page.get_by_role("button", name="English").click()
    page.reload()
    expect(page.locator("html")).to_have_attribute("lang", "en")
    expect(handset.phone().get_by_role("button", name="Answer", exact=True)).to_be_visible()
    expect(page.get_by_role("heading", name="Carriers")).to_be_visible()
    page.get_by_role("button", name="中文").click()
    expect(page.get_by_role("heading", name="运营商")).to_be_visible()


def test_every_word_is_there_in_both_languages(handset: Handset) -> None:
    words = handset.page.evaluate(
        """async () => {
          const { WORDS } = await import("/static/words.js");
          return Object.values(WORDS).map((table) => Object.keys(table).sort());
        }"""
    )
    assert words[0] == words[1]
    assert len(words[0]) > 100


def test_markup_in_a_text_or_a_name_is_shown_and_never_run(desk: Desk, handset: Handset) -> None:
    attack = """<img src=x onerror="window.hacked=1">'"<b>"""
    desk.own(attack[:40], LI)
    desk.tencent_calls(LI, attack)
    desk.pass_time(2)
    handset.press("Answer")
    phone = handset.phone()
    expect(phone.locator(".spoken")).to_have_text(attack)
    expect(phone.locator(".card .label")).to_have_text(attack[:40])
    phone.locator(".log summary").click()
    expect(phone.locator(".log dd").first).to_have_text(attack)
    handset.page.get_by_text("Requests from ringback").click()
    handset.page.locator("#requests li summary").click()
    expect(handset.page.locator("#requests pre")).to_contain_text("<img src=x")
    desk.pass_time(120)
    handset.press("Done")
    desk.texts("tencent", LI, attack)
    expect(handset.opens_messages().locator(".text")).to_contain_text(attack)
    assert handset.page.locator("img[src='x']").count() == 0
    assert handset.page.evaluate("window.hacked") is None


def test_the_page_comes_back_when_the_sandbox_was_away(browser: Browser) -> None:
    page = new_context(browser, "en-US", LAPTOP).new_page()
    page.clock.install()
    away = page.get_by_text("The sandbox does not answer. Trying again…")
    with running() as first:
        page.goto(first.url)
        expect(page.get_by_label("Number", exact=True)).to_be_visible()
    away.wait_for()
    with running(urlsplit(first.url).port or 0) as second:
        desk = Desk(second.url, second.smtp_port)
        desk.begin()
        desk.rings(LI, "数据库已满")
        page.clock.run_for(1_000)
        handset = Handset(page)
        handset.is_in("ringing")
        expect(away).to_be_hidden()
        # It hears again, too.
        desk.api.post(f"/sandbox/calls/{desk.calls()[0]['id']}/answer").raise_for_status()
        handset.is_in("answered")
        page.close()
        desk.api.close()


WIDER_THAN_THE_WINDOW = """() => [...document.querySelectorAll("body, body *")]
  .filter((element) => !element.closest(".phones, .roster, .sprite, .visually-hidden"))
  .filter((element) => element.getBoundingClientRect().right > innerWidth + 0.5)
  .map((element) => element.outerHTML.slice(0, 120))"""
# WCAG 2.5.5, and none of it beyond the window's edge.
UNFIT_FOR_A_THUMB = """(buttons) => buttons.filter((button) => {
    const { width, height, left, right } = button.getBoundingClientRect();
    return Math.min(width, height) < 44 || left < 0 || right > innerWidth;
  }).map((button) => button.outerHTML)"""


def hold(page: Page) -> None:
    """Assert that the window is as wide as what is in it, in both languages."""
    for other in ("中文", "English"):
        page.locator("#language").filter(has_text=other).click()
        page.locator("#language").filter(has_text=other).wait_for(state="detached")
        assert page.evaluate(WIDER_THAN_THE_WINDOW) == []
        assert page.evaluate("document.documentElement.scrollWidth") == PHONE[0]


def test_a_phones_screen_holds_the_page_and_its_keys_fit_a_thumb(desk: Desk, opens: Opens) -> None:
    handset = opens(size=PHONE)
    for number in (LI, SAM, "+8613700000009"):
        desk.tencent_calls(number, "The gateway is down. " * 10)
    desk.pass_time(2)
    handset.is_in("ringing", SAM)
    handset.press("Answer")
    handset.is_in("answered")
    phone, page = handset.phone(), handset.page
    for action in ("[data-key='1']", "[data-key='#']", "[data-action='hangup']"):
        expect(phone.locator(action)).to_be_in_viewport(ratio=1)
    keys = phone.locator(".keypad button")
    expect(keys).to_have_count(12)
    assert keys.evaluate_all(UNFIT_FOR_A_THUMB) == []
    page.evaluate("document.querySelectorAll('details').forEach((d) => { d.open = true; })")
    expect(page.locator("#pushes li").first).to_be_visible()
    hold(page)
    # Two others ring out of sight: the roster shows and reaches them.
    page.locator("#roster").get_by_role("button", name="Sam").click()
    expect(handset.phone(SAM).locator("[data-action='answer']")).to_be_in_viewport()


def test_a_phones_screen_holds_the_messages_and_the_mailbox(desk: Desk, opens: Opens) -> None:
    handset = opens(size=PHONE)
    for _ in range(5):
        desk.texts("tencent", LI, "gateway-" * 20)
    desk.mails("磁盘将满" + "x" * 120, f"<p>{'wide' * 100}</p>", "wide" * 100)
    page, phone = handset.page, handset.phone()
    handset.opens_messages()
    page.locator(".mails button").click()
    for part in page.locator(".parts button").all():
        part.click()
        hold(page)
    phone.locator(".device").scroll_into_view_if_needed()
    desk.texts("alibaba", LI, "磁盘将满")
    expect(phone.locator(".text").last).to_contain_text("磁盘将满")
    # The newest is in view, and everything that answers it fits a thumb.
    expect(phone.locator(".fate").last).to_be_in_viewport(ratio=1)
    assert phone.locator(".screen button:visible").evaluate_all(UNFIT_FOR_A_THUMB) == []


def test_a_call_moves_nothing_on_the_page(desk: Desk, handset: Handset) -> None:
    before = handset.phone().locator(".device").bounding_box()
    desk.rings(LI, "数据库已满,请尽快处理。" * 8)
    for status, button in (("ringing", "Answer"), ("answered", "Hang up"), ("ended", "Done")):
        handset.is_in(status)
        assert handset.phone().locator(".device").bounding_box() == before, status
        handset.press(button)
    handset.is_in("idle")
    assert handset.phone().locator(".device").bounding_box() == before


def test_everything_that_can_be_used_has_a_name(desk: Desk, handset: Handset) -> None:
    desk.texts("alibaba", "+8613700000009", "磁盘将满")
    handset.opens_messages("+8613700000009")
    desk.alibaba_calls(LI, "数据库已满")
    desk.tencent_calls(SAM, "The gateway is down.")
    desk.pass_time(2)
    handset.press("Answer", SAM)
    handset.is_in("answered", SAM)
    page = handset.page
    desk.mails("Disk full", "<p>Full.</p>")
    page.get_by_role("button", name="Disk full").click()
    page.evaluate("document.querySelectorAll('details').forEach((d) => { d.open = true; })")
    snapshot = page.locator("body").aria_snapshot()
    nameless = [
        line
        for line in snapshot.splitlines()
        if line.strip() in ("- button", "- textbox", "- combobox", "- checkbox", "- spinbutton")
    ]
    assert nameless == []
    assert '- button "Key 1"' in snapshot
    assert '- button "Answer"' in snapshot
    assert '- button "Reply 1"' in snapshot
    assert "- iframe" in snapshot
