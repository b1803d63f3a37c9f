"""A real Chromium, driven by Playwright; every page is watched for errors and foreign requests."""

import os
import shutil
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from threading import Timer
from typing import Any
from uuid import uuid4

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Error,
    Page,
    Playwright,
    Request,
    expect,
    sync_playwright,
)

from tests.running import Laterna

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


#: Seconds until what a page should show counts as never coming.
PATIENCE = 240.0


class Chromium:
    """A browser that is ended, and started again, when it stands still.

    Rarely, one never answers that a context is opened or closed, and Playwright waits for ever.
    """

    def __init__(self, playwright: Playwright, executable: str) -> None:
        self.playwright = playwright
        self.executable = executable
        self.name = f"--started-by={uuid4().hex}"
        self._browser: Browser | None = None

    def browser(self) -> Browser:
        """The one that runs; its contexts are patient."""
        if self._browser is None or not self._browser.is_connected():
            browser = self.playwright.chromium.launch(
                executable_path=self.executable, args=[*ARGUMENTS, self.name]
            )
            open_context = browser.new_context
            browser.new_context = partial(self._context, open_context)  # type: ignore[method-assign]
            self._browser = browser
        return self._browser

    def _context(self, open_context: Callable[..., BrowserContext], **options: Any) -> Any:
        try:
            with self._watched():
                made = open_context(**options)
        except Error:
            if self._browser and self._browser.is_connected():
                raise
            return self.browser().new_context(**options)
        made.set_default_timeout(PATIENCE * 1000)
        open_page, close = made.new_page, made.close

        def patient_page() -> Page:
            with self._watched():
                return open_page()

        def patient_close(**_: Any) -> None:
            with self._watched(), suppress(Error):
                close()

        made.new_page, made.close = patient_page, patient_close  # type: ignore[method-assign]
        return made

    @contextmanager
    def _watched(self) -> Iterator[None]:
        """End the browser if what is done takes for ever."""
        watch = Timer(PATIENCE, self._end)
        watch.start()
        try:
            yield
        finally:
            watch.cancel()

    def _end(self) -> None:
        for folder in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                line = (folder / "cmdline").read_bytes().split(b"\0")
                if self.name.encode() in line and not any(p.startswith(b"--type=") for p in line):
                    os.kill(int(folder.name), signal.SIGKILL)


@pytest.fixture(scope="session")
def chromiums() -> Iterator[Chromium]:
    """Debian's chromium; skips where there is none, except in CI, where that is a failure."""
    executable = shutil.which("chromium")
    if executable is None:
        message = "needs chromium: sudo apt-get install chromium"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)
    expect.set_options(timeout=PATIENCE * 1000)
    with sync_playwright() as playwright:
        made = Chromium(playwright, executable)
        yield made
        made.browser().close()


@pytest.fixture
def chromium(chromiums: Chromium) -> Browser:
    """A browser that answers."""
    return chromiums.browser()


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
