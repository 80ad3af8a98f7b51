"""A browser for the tests of the page, and pages in it that suffer no stranger and no error."""

import os
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)

REPLACED = re.compile(r"/api/plans/[0-9a-f]+(\?|$)")
"""A plan that waits gets another id whenever files come or go: asked for by the last one, it may be gone by then."""

OpenPage = Callable[..., Page]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """The system's Chromium."""
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine (Debian's package is called chromium)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"],
        )
        yield browser
        browser.close()


def told(message: ConsoleMessage) -> bool:
    """Whether the console tells of an error, other than of a plan that was replaced."""
    return message.type == "error" and not REPLACED.search(message.location.get("url", ""))


@contextmanager
def watched(browser: Browser, home: str, **context: Any) -> Iterator[Page]:
    """A page in a context of its own; a request to another host than ``home`` or an error in the console fails."""
    made = browser.new_context(**{"viewport": {"width": 1400, "height": 900}, **context})
    page = made.new_page()
    strangers: list[str] = []
    errors: list[str] = []
    page.on("request", lambda r: None if r.url.startswith((home, "data:", "blob:")) else strangers.append(r.url))
    page.on("console", lambda m: errors.append(m.text) if told(m) else None)
    page.on("pageerror", lambda e: errors.append(str(e)))
    yield page
    if shots := os.environ.get("PIXSORTD_TEST_SCREENSHOTS"):
        page.screenshot(path=str(Path(shots) / f"{os.environ['PYTEST_CURRENT_TEST'].split('::')[1].split()[0]}.png"))
    made.close()
    assert strangers == []
    assert errors == []


@pytest.fixture
def open_page(browser) -> Iterator[OpenPage]:
    """``open_page(home, path="/", **context)`` opens a watched page; each is checked and closed at the end."""
    with ExitStack() as pages:

        def opened(home: str, path: str = "/", **context: Any) -> Page:
            page = pages.enter_context(watched(browser, home, **context))
            page.goto(home + path)
            return page

        yield opened
