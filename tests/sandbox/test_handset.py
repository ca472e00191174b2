"""The handset page in a real browser: what somebody sees, hears and presses.

Headless Chromium has no voices, so that what the page hands to `speechSynthesis` is noted instead
of heard, and each oscillator that it starts counts as a tone.
"""

import functools
import os
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, NoReturn
from urllib.parse import urlsplit

import httpx2
import pytest
from alibabacloud_dyvmsapi20170525 import models as alibaba
from alibabacloud_dyvmsapi20170525.client import Client
from alibabacloud_tea_openapi.models import Config
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect, sync_playwright
from tencentcloud.common.credential import Credential
from tencentcloud.common.exception.tencent_cloud_sdk_exception import TencentCloudSDKException
from tencentcloud.common.profile.client_profile import ClientProfile
from tencentcloud.common.profile.http_profile import HttpProfile
from tencentcloud.vms.v20200902 import models as tencent
from tencentcloud.vms.v20200902.vms_client import VmsClient

from sandbox.server import Running, running

LI, SAM = "+8613700000000", "+8613700000001"
APP = "1400000000"
CALLER = "05710000000"
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
    context.new_page()  # keeps the window open: a tab in it comes faster than another window
    return context


Contexts = Callable[[str, tuple[int, int]], BrowserContext]


@pytest.fixture(scope="module")
def contexts(browser: Browser) -> Contexts:
    """One for each language and window: making it takes longer than most tests."""
    return functools.cache(functools.partial(new_context, browser))


class Desk:
    """A sandbox, and the carriers' own SDKs to call its phones."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.api = httpx2.Client(base_url=url, trust_env=False, timeout=10)
        keys = {"access_key_id": "LTAI-test-id", "access_key_secret": "test-secret-of-alibaba"}
        self._alibaba: Any = Client(
            Config(**keys, endpoint=urlsplit(url).netloc, protocol="http", read_timeout=10_000)
        )
        self.tell(
            {
                "alibaba": {
                    **keys,
                    "show_numbers": [CALLER],
                    "templates": {"TTS_1": "${text}", "TTS_2": "已收到按键。"},
                    "limits": False,
                },
                "tencent": {
                    "secret_id": "AKIDtest",
                    "secret_key": "test-secret-of-tencent",
                    "sdk_app_ids": [APP],
                    "voice_url": "",
                    "templates": {"1": "{1}"},
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

    def tencent_calls(self, number: str, text: str, *, read_s: float = 10.0) -> None:
        """Place a call; Tencent plays nothing after a key. Raises TencentCloudSDKException."""
        http = HttpProfile(protocol="http", endpoint=urlsplit(self.url).netloc, reqTimeout=read_s)
        client = VmsClient(
            Credential("AKIDtest", "test-secret-of-tencent"),
            "ap-guangzhou",
            ClientProfile(httpProfile=http),
        )
        request: Any = tencent.SendTtsVoiceRequest()
        request.TemplateId, request.TemplateParamSet = "1", [text]
        request.CalledNumber, request.VoiceSdkAppid, request.PlayTimes = number, APP, 2
        client.SendTtsVoice(request)

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
def sandbox() -> Iterator[Running]:
    """One sandbox for all."""
    with running() as sandbox:
        yield sandbox


@pytest.fixture
def desk(sandbox: Running) -> Iterator[Desk]:
    """The sandbox, as if it had just been started."""
    httpx2.post(f"{sandbox.url}/sandbox/reset", trust_env=False).raise_for_status()
    desk = Desk(sandbox.url)
    yield desk
    desk.api.close()


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
        expect(self.phone(number)).to_have_attribute("data-status", status)

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

    def card(self, carrier: str) -> Locator:
        """One carrier's panel."""
        return self.page.locator(f".carrier-card[data-carrier='{carrier}']")


Opens = Callable[..., Handset]


@pytest.fixture
def opens(contexts: Contexts, desk: Desk) -> Iterator[Opens]:
    """Open the page; nothing may go wrong in it, nor may it ask another host."""
    opened: list[Handset] = []

    def open_page(
        *,
        locale: str = "en-US",
        size: tuple[int, int] = LAPTOP,
        context: BrowserContext | None = None,
    ) -> Handset:
        handset = Handset((context or contexts(locale, size)).new_page())
        opened.append(handset)
        page, errors = handset.page, handset.errors
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on(
            "console",
            lambda said: errors.append(said.text) if said.type in ("error", "warning") else None,
        )
        page.on("request", lambda request: handset.hosts.add(urlsplit(request.url).netloc))
        page.goto(desk.url)
        expect(handset.phone(SAM)).to_be_visible()
        return handset

    yield open_page
    for handset in opened:
        handset.page.evaluate("localStorage.clear()")
        handset.page.close()
        assert handset.errors == []
        assert handset.hosts == {urlsplit(desk.url).netloc}


@pytest.fixture
def handset(opens: Opens) -> Handset:
    """The page on a laptop, in English."""
    return opens()


@pytest.fixture
def steered(browser: Browser, opens: Opens) -> Handset:
    """The same with its timers in our hands, which are its whole context's."""
    context = new_context(browser, "en-US", LAPTOP)
    context.clock.install()
    return opens(context=context)


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


@pytest.mark.parametrize("plays", [1, 3])
def test_the_text_is_said_as_often_as_the_carrier_plays_it(
    desk: Desk, handset: Handset, plays: int
) -> None:
    end = "认领请按1。"
    text = "数据库磁盘已满，" * 12 + "请尽快处理。" + end  # about 26 s
    handset.turn_sound_on()
    desk.alibaba_calls(LI, text, plays=plays, wait_ms=60_000)
    desk.pass_time(2)
    handset.press("Answer")
    handset.said(text)
    for minute in ("0:3", "1:0", "1:3")[:plays]:
        handset.page.get_by_role("button", name="Advance by 30 s").click()
        expect(handset.phone().locator(".timer")).to_have_text(re.compile(f"^{minute}"))
    said = [part["text"] for part in handset.page.evaluate("window.said")]
    assert said.count(end) == plays


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


@pytest.mark.parametrize(
    ("locale", "stages"),
    [
        (
            "en-US",
            [
                "dialling",
                "ringing",
                "answered",
                "pressed 1",
                "hears: 已收到按键。",
                "ended: Hung up",
            ],
        ),
        (
            "zh-CN",
            ["呼出", "响铃", "接听", "按键 1", "听到：已收到按键。", "结束：已挂断"],
        ),
    ],
)
def test_the_log_tells_a_call_stage_by_stage(
    desk: Desk, opens: Opens, locale: str, stages: list[str]
) -> None:
    handset = opens(locale=locale)
    desk.rings(LI, "数据库已满")
    handset.is_in("ringing")
    call = desk.calls()[0]["id"]
    for action in ("answer", "press", "hangup"):
        answer = desk.api.post(f"/sandbox/calls/{call}/{action}", json={"digit": "1"})
        answer.raise_for_status()
    handset.is_in("ended")
    log = handset.phone().locator(".log")
    log.locator("summary").click()
    expect(log.locator(".steps li")).to_have_count(len(stages))
    for line, stage in zip(log.locator(".steps li").all(), stages, strict=True):
        expect(line).to_contain_text(stage)
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
        ("is switched off", "off", ""),
        ("rings, nobody answers", "no_answer", ""),
        ("voicemail answers", "key_timeout", ""),
        ("declines", "rejected", ""),
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
        Broken("throttles", "RequestLimitExceeded", 0),
        Broken("hangs, places nothing", "ClientNetworkError", 0),
        Broken("closes the connection, places nothing", "ClientNetworkError", 0),
        Broken("places the call, then resets the connection", "ClientNetworkError", 1),
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
            desk.tencent_calls(LI, "数据库已满", read_s=0.5)
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
    assert handset.page.locator("img[src='x']").count() == 0
    assert handset.page.evaluate("window.hacked") is None


def test_the_page_comes_back_when_the_sandbox_was_away(browser: Browser) -> None:
    page = browser.new_context(locale="en-US", reduced_motion="reduce").new_page()
    phone = page.locator(f".phone[data-number='{LI}']")
    with running() as first:
        Desk(first.url).api.close()
        page.goto(first.url)
        expect(phone).to_be_visible()
    expect(page.get_by_text("The sandbox does not answer. Trying again…")).to_be_visible()
    with running(urlsplit(first.url).port or 0) as second:
        desk = Desk(second.url)
        desk.rings(LI, "数据库已满")
        expect(phone).to_have_attribute("data-status", "ringing")
        expect(page.get_by_text("The sandbox does not answer.")).to_be_hidden()
        # It hears again, too.
        desk.api.post(f"/sandbox/calls/{desk.calls()[0]['id']}/answer").raise_for_status()
        expect(phone).to_have_attribute("data-status", "answered")
        desk.api.close()
        page.context.close()


WIDER_THAN_THE_WINDOW = """() => [...document.querySelectorAll("body *")]
  .filter((element) => !element.closest(".phones, .roster, .sprite, .visually-hidden"))
  .filter((element) => element.getBoundingClientRect().right > innerWidth + 0.5)
  .map((element) => element.outerHTML.slice(0, 120))"""


@pytest.mark.parametrize("locale", ["en-US", "zh-CN"])
def test_a_phones_screen_holds_the_page_and_its_keys_fit_a_thumb(
    desk: Desk, opens: Opens, locale: str
) -> None:
    handset = opens(locale=locale, size=PHONE)
    for number in (LI, SAM, "+8613700000009"):
        desk.tencent_calls(number, "The gateway is down. " * 10)
    desk.pass_time(2)
    handset.is_in("ringing", SAM)
    handset.phone(LI).locator("[data-action='answer']").click()
    handset.is_in("answered")
    for action in ("[data-key='1']", "[data-key='#']", "[data-action='hangup']"):
        expect(handset.phone(LI).locator(action)).to_be_in_viewport(ratio=1)
    page = handset.page
    page.evaluate("document.querySelectorAll('details').forEach((d) => { d.open = true; })")
    expect(page.locator("#pushes li").first).to_be_visible()
    assert page.evaluate(WIDER_THAN_THE_WINDOW) == []
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE[0]
    for key in handset.phone(LI).locator(".keypad button").all():
        box = key.bounding_box()
        assert box is not None
        assert min(box["width"], box["height"]) >= 44  # WCAG 2.5.5
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= PHONE[0]
    # Two others ring out of sight: the roster shows and reaches them.
    page.locator("#roster").get_by_role("button", name="Sam").click()
    expect(handset.phone(SAM).locator("[data-action='answer']")).to_be_in_viewport()


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
    desk.alibaba_calls(LI, "数据库已满")
    desk.tencent_calls(SAM, "The gateway is down.")
    desk.pass_time(2)
    handset.press("Answer", SAM)
    handset.is_in("answered", SAM)
    page = handset.page
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
