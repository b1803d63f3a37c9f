"""A real Chromium, driven by Playwright; every page is watched for errors and foreign requests."""

import os
import shutil
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    Request,
    expect,
    sync_playwright,
)

from tests.running import PATIENCE, Laterna

ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """Debian's chromium; skips where there is none, except in CI, where that is a failure."""
    executable = shutil.which("chromium")
    if executable is None:
        message = "needs chromium: sudo apt-get install chromium"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)
    expect.set_options(timeout=PATIENCE * 1000)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=list(ARGUMENTS))
        open_context = browser.new_context

        def patient(**options: Any) -> BrowserContext:
            context = open_context(**options)
            context.set_default_timeout(PATIENCE * 1000)
            return context

        browser.new_context = patient  # type: ignore[method-assign]  # for all who open one
        yield browser
        browser.close()


@pytest.fixture
def context(chromium: Browser, server: Laterna) -> Iterator[BrowserContext]:
    """A person's browser: 1280x800, English, JavaScript on."""
    made = chromium.new_context(
        base_url=server.url, viewport={"width": 1280, "height": 800}, locale="en-GB"
    )
    yield made
    made.close()


@pytest.fixture
def complaints() -> list[str]:
    """What a page did that it may not; a test that means to may take it out."""
    return []


@pytest.fixture
def page(context: BrowserContext, server: Laterna, complaints: list[str]) -> Iterator[Page]:
    """A tab. At the end: no console error, nothing thrown, no request to another host."""
    tab = context.new_page()
    watch(tab, server, complaints)
    yield tab
    assert complaints == []


@pytest.fixture
def page_without_javascript(chromium: Browser, server: Laterna) -> Iterator[Page]:
    """A tab of a browser that runs no scripts."""
    made = chromium.new_context(base_url=server.url, java_script_enabled=False, locale="en-GB")
    tab = made.new_page()
    yield tab
    made.close()


def watch(tab: Page, server: Laterna, complaints: list[str]) -> None:
    """Collect what a page may not do."""

    def told(message: ConsoleMessage) -> None:
        if message.type == "error":
            complaints.append(message.text)

    def asked(request: Request) -> None:
        if not request.url.startswith((server.url, "blob:", "data:")):
            complaints.append(f"asked {request.url}")

    tab.on("console", told)
    tab.on("pageerror", lambda error: complaints.append(str(error)))
    tab.on("request", asked)
