"""The acknowledge page in a real browser, without JavaScript, on a phone and on a desk."""

import asyncio
import contextlib
import os
import shutil
import socket
from collections.abc import AsyncGenerator, Iterator
from typing import Any, Literal, NamedTuple, NoReturn

import pytest
import uvicorn
from playwright.async_api import Browser, Page, Request, Response, async_playwright

from tests.web.conftest import Web

PHONE, DESK = (375, 667), (1280, 800)
LEAST_TOUCHED = 44  # CSS pixels: what a thumb hits
DETAILS = "host: db-1\n" + "disk /var/lib/postgresql 100% " * 12 + "\n" + "x" * 400


def _lack(what: str) -> NoReturn:
    """Skip, but fail where everything is meant to be installed."""
    reason = f"{what} is not installed: the page cannot be looked at"
    if "RINGBACK_CI" in os.environ:
        pytest.fail(reason)
    pytest.skip(reason)


@contextlib.asynccontextmanager
async def _opened(web: Web, executable: str) -> AsyncGenerator[Browser]:
    """Serve this application on a port of its own, and start a browser that finds it as http://web."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        config = uvicorn.Config(web.application, lifespan="off", log_config=None)
        server = uvicorn.Server(config)
        serving = asyncio.create_task(server.serve([listening]))
        arguments = [
            "--no-sandbox",
            "--disable-gpu",
            "--disable-background-networking",
            f"--host-resolver-rules=MAP web:80 127.0.0.1:{listening.getsockname()[1]}",
        ]
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path=executable, args=arguments)
            yield browser
            await browser.close()
        server.should_exit = True
        await serving


@pytest.fixture(scope="module")
def browser(shared: Web) -> Iterator[Browser]:
    """One browser for all; every test has a window of its own."""
    executable = shutil.which("chromium") or _lack("chromium")
    opened = _opened(shared, executable)
    yield shared.run(opened.__aenter__())
    shared.run(opened.__aexit__(None, None, None))


class Window:
    """Somebody's browser, at one page."""

    def __init__(self, web: Web, browser: Browser, **how: Any) -> None:
        self._web = web
        self.refused: list[str] = []
        self.page: Page = web.run(browser.new_page(**how))
        self.page.set_default_timeout(15_000)
        self.page.on("requestfailed", self._failed)
        self.page.on("response", self._answered)
        self.page.on("console", lambda message: self.refused.append(message.text))

    def _failed(self, request: Request) -> None:
        if request.failure != "net::ERR_ABORTED":  # the button leaves a page that is still loading
            self.refused.append(request.url)

    def _answered(self, response: Response) -> None:
        if response.status >= 400:
            self.refused.append(response.url)

    def goes_to(self, address: str) -> None:
        self._web.run(self.page.goto(address))

    def sees(self, selector: str) -> str:
        return self._web.run(self.page.locator(selector).first.inner_text())

    def count(self, selector: str) -> int:
        return self._web.run(self.page.locator(selector).count())

    def box(self, selector: str) -> Any:
        return self._web.run(self.page.locator(selector).first.bounding_box())

    def presses(self) -> None:
        self._web.run(self.page.locator("button").click())

    def close(self) -> None:
        self._web.run(self.page.close())


def _address(web: Web, incident: Any, responder: str) -> str:
    return web.links.acknowledge(incident["number"], responder, web.clock.now())


class Visit(NamedTuple):
    """Who opens the page, on what, and what it says to them."""

    responder: str
    size: tuple[int, int]
    scheme: Literal["light", "dark"]
    button: str
    then: str


@pytest.mark.parametrize(
    "visit",
    [
        Visit("li.wei", PHONE, "light", "认领", "✓ 已由您认领"),
        Visit("sam", PHONE, "dark", "Acknowledge", "✓ You have it"),
        Visit("sam", DESK, "light", "Acknowledge", "✓ You have it"),
    ],
    ids=lambda visit: f"{visit.responder} {visit.size[0]} {visit.scheme}",
)
def test_the_button_is_seen_at_once_and_acknowledges_without_javascript(
    shared: Web, browser: Browser, visit: Visit
) -> None:
    width, height = visit.size
    opened = shared.opens(
        "disk full on db-1", severity="critical", details=DETAILS, link="https://grafana.example/"
    )
    window = Window(
        shared,
        browser,
        java_script_enabled=False,
        viewport={"width": width, "height": height},
        color_scheme=visit.scheme,
    )
    window.goes_to(_address(shared, opened, visit.responder))
    assert window.sees("button") == visit.button
    box = window.box("button")
    assert box["y"] + box["height"] <= height, "one has to scroll to the button"
    assert box["height"] >= LEAST_TOUCHED
    for selector in ("main", "pre", "h1", "button"):
        inside = window.box(selector)
        assert inside["x"] >= 0
        assert inside["x"] + inside["width"] <= width, f"{selector} is wider than the window"
    assert shared.get(f"/v1/incidents/{opened['id']}")["status"] == "triggered"
    window.presses()
    assert window.sees(".good") == visit.then
    assert window.count("button") == 0
    assert shared.get(f"/v1/incidents/{opened['id']}")["acknowledged_by"] == visit.responder
    shared.run(window.page.reload())
    assert window.sees(".good") == visit.then
    assert window.refused == []
    window.close()


def _luminance(colour: str) -> float:
    """Return the relative luminance of rgb(r, g, b) (WCAG 2.2)."""
    parts = [int(part) / 255 for part in colour.removeprefix("rgb(").removesuffix(")").split(",")]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


COLOURS = """elements => elements.map(element => {
  let behind = element;
  while (getComputedStyle(behind).backgroundColor === "rgba(0, 0, 0, 0)") {
    behind = behind.parentElement;
  }
  const text = element.innerText;
  return [text, getComputedStyle(element).color, getComputedStyle(behind).backgroundColor];
})"""


def test_however_long_a_title_is_the_button_is_seen_at_once(shared: Web, browser: Browser) -> None:
    window = Window(shared, browser, viewport={"width": PHONE[0], "height": PHONE[1]})
    title = "磁盘" * 5000
    window.goes_to(_address(shared, shared.opens(title), "li.wei"))
    box = window.box("button")
    assert box["y"] + box["height"] <= PHONE[1]
    assert window.sees("h1") == title
    window.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_everything_can_be_read_in_light_and_in_dark(
    shared: Web, browser: Browser, scheme: str
) -> None:
    """4.5 to 1, as WCAG 2.2 has it for text of any size."""
    window = Window(shared, browser, color_scheme=scheme)
    texts = window.page.locator("h1, h2, p, a, pre, button, .badge, .brand, time")
    read = 0
    for severity in ("critical", "warning", "info"):
        opened = shared.opens(severity=severity, details="x", link="https://grafana.example/")
        for action in ("acknowledge", "close"):
            window.goes_to(_address(shared, opened, "li.wei"))
            for text, *colours in shared.run(texts.evaluate_all(COLOURS)):
                dark, light = sorted(_luminance(colour) for colour in colours)
                assert (light + 0.05) / (dark + 0.05) >= 4.5, (text, colours)
                read += 1
            shared.post(f"/v1/incidents/{opened['id']}/{action}")
    assert read > 60
    window.close()


def test_the_link_that_no_longer_works_is_a_page_too(shared: Web, browser: Browser) -> None:
    window = Window(shared, browser, java_script_enabled=False)
    address = f"{_address(shared, shared.opens(), 'li.wei')}x"
    window.goes_to(address)
    assert window.sees("h1") == "链接已失效"
    window.close()
