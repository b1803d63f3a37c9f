"""In the browser: what changes by itself is right, whatever becomes of the stream of events."""

import re
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page, Request, expect

from app.settings import ROOT
from tests.asking import LONG, ask, finish
from tests.running import Laterna, laterna, wait_until

STEP = re.compile("^[1-9]")


class Proxy:
    """Something between browser and server; while it `swallows`, no event comes through it."""

    def __init__(self, server: Laterna) -> None:
        self.target = ("127.0.0.1", int(server.url.rpartition(":")[2]))
        self.swallows = False
        self.streams = 0
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                browser, _ = self._listening.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(browser,), daemon=True).start()

    def _serve(self, browser: socket.socket) -> None:
        """One request per connection; `Connection: close` is put into it."""
        head = b""
        while b"\r\n\r\n" not in head:
            part = browser.recv(65536)
            if not part:
                return
            head += part
        is_stream = b"/events" in head.split(b"\r\n")[0]
        self.streams += is_stream
        lines = [
            line for line in head.split(b"\r\n") if not line.lower().startswith(b"connection:")
        ]
        lines.insert(1, b"Connection: close")
        with socket.create_connection(self.target) as server, browser:
            server.sendall(b"\r\n".join(lines))
            try:
                while part := server.recv(65536):
                    if not (is_stream and self.swallows):
                        browser.sendall(part)
            except OSError:
                pass

    def close(self) -> None:
        self._listening.close()


@pytest.fixture
def proxy(server: Laterna) -> Iterator[Proxy]:
    between = Proxy(server)
    yield between
    between.close()


@pytest.fixture
def client(server: Laterna) -> Iterator[httpx.Client]:
    with server.client() as somebody:
        yield somebody


@pytest.fixture
def behind(chromium: Browser, proxy: Proxy) -> Iterator[Page]:
    """A tab of a browser that reaches the server through the proxy."""
    context = chromium.new_context(base_url=proxy.url, locale="en-GB")
    page = context.new_page()
    yield page
    context.close()


@pytest.fixture
def long_one(client: httpx.Client) -> Iterator[str]:
    """The id of what grows until it is stopped."""
    id = ask(client, LONG, seed=4711)
    yield id
    client.post(f"/visualizations/{id}/cancel.json")
    finish(client, id)


def stop(client: httpx.Client, id: str) -> None:
    client.post(f"/visualizations/{id}/cancel.json")
    finish(client, id)


def test_where_no_event_comes_through_the_page_is_asked_for(
    behind: Page, proxy: Proxy, client: httpx.Client, long_one: str
) -> None:
    proxy.swallows = True
    behind.goto(f"/visualizations/{long_one}")
    news = behind.locator("#news")
    expect(news).to_have_attribute("data-step", STEP)
    reached = news.get_attribute("data-step")
    expect(news).not_to_have_attribute("data-step", str(reached))
    expect(behind.locator("#growing")).to_have_attribute("src", re.compile("^data:"))
    stop(client, long_one)
    expect(behind.locator(".stage")).to_contain_text("stopped")
    assert behind.locator("[data-live]").count() == 0


def test_a_stream_that_dies_silently_is_opened_anew(
    behind: Page, proxy: Proxy, client: httpx.Client, long_one: str
) -> None:
    behind.clock.install()
    behind.goto(f"/visualizations/{long_one}")
    expect(behind.locator("#news")).to_have_attribute("data-step", STEP)
    proxy.swallows = True
    before = proxy.streams
    wait_until(lambda: bool(_ran(behind, 5_000)) and proxy.streams > before)
    proxy.swallows = False
    stop(client, long_one)
    wait_until(lambda: bool(_ran(behind, 5_000)) and "stopped" in behind.content())


def _ran(page: Page, milliseconds: int) -> bool:
    """Let time pass in the page."""
    page.clock.run_for(milliseconds)
    return True


@pytest.mark.parametrize("event", ["pageshow", "visibilitychange", "online"])
def test_who_comes_back_sees_what_is_so_now(
    behind: Page, proxy: Proxy, client: httpx.Client, long_one: str, event: str
) -> None:
    behind.goto(f"/visualizations/{long_one}")
    expect(behind.locator("#news")).to_have_attribute("data-step", STEP)
    proxy.swallows = True
    stop(client, long_one)
    target = "document" if event == "visibilitychange" else "window"
    made = {
        "pageshow": "new PageTransitionEvent('pageshow', {persisted: true})",
    }.get(event, f"new Event('{event}')")
    behind.evaluate(f"{target}.dispatchEvent({made})")
    expect(behind.locator(".stage")).to_contain_text("stopped")


def test_the_back_button_shows_what_is_so_now(
    chromium: Browser, server: Laterna, client: httpx.Client, long_one: str
) -> None:
    """With the back-forward cache, which Playwright switches off unless it is told not to."""
    browser = chromium.browser_type.launch(
        executable_path="/usr/bin/chromium",
        args=["--no-sandbox", "--disable-gpu"],
        ignore_default_args=["--disable-back-forward-cache"],
    )
    page = browser.new_page(base_url=server.url)
    page.goto(f"/visualizations/{long_one}")
    expect(page.locator("#news")).to_have_attribute("data-step", STEP)
    page.goto("/lecture")
    stop(client, long_one)
    page.evaluate("history.back()")
    expect(page.locator(".stage")).to_contain_text("stopped", timeout=60_000)
    browser.close()


def test_a_tab_that_is_not_seen_holds_no_stream(
    page: Page, client: httpx.Client, long_one: str
) -> None:
    page.goto(f"/visualizations/{long_one}")
    expect(page.locator("#news")).to_have_attribute("data-step", STEP)
    page.evaluate(
        "Object.defineProperty(document, 'hidden', {value: true});"
        "document.dispatchEvent(new Event('visibilitychange'))"
    )
    wait_until(lambda: "laterna_watchers 0.0" in client.get("/metrics").text)


class Trickle(BaseHTTPRequestHandler):
    """A mirror whose files come so slowly that they are still coming when the test ends."""

    over = threading.Event()

    def do_HEAD(self) -> None:
        self.send_response(200)
        self.end_headers()

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "100000000")
        self.end_headers()
        try:
            while not self.over.wait(0.2):
                self.wfile.write(bytes(300_000))
        except OSError:
            pass

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def fetching(tmp_path: Path) -> Iterator[Laterna]:
    """A server of its own, whose mirror trickles."""
    mirror = ThreadingHTTPServer(("127.0.0.1", 0), Trickle)
    threading.Thread(target=mirror.serve_forever, daemon=True).start()
    models = tmp_path / "models"
    models.mkdir()
    (models / "catalogue.toml").write_bytes((ROOT / "models" / "catalogue.toml").read_bytes())
    places = {
        "LATERNA_WEIGHTS_MIRROR": f"http://127.0.0.1:{mirror.server_port}",
        "LATERNA_MODELS_DIR": str(models),
    }
    with laterna(tmp_path / "data", **places) as running:
        yield running
    Trickle.over.set()
    mirror.shutdown()
    mirror.server_close()


def test_many_downloads_take_one_stream_and_other_pages_load(
    chromium: Browser, fetching: Laterna
) -> None:
    with fetching.client() as client:

        def available() -> list[str]:
            rows = client.get("/models.json").json()["models"]
            return [row["name"] for row in rows if row["status"] == "available"]

        wait_until(lambda: len(available()) >= 7)
        names = available()[:7]
        for name in names:
            assert client.post(f"/models/{name}/fetch.json").status_code == 202
    context = chromium.new_context(base_url=fetching.url, locale="en-GB")
    streams: list[str] = []

    def asked(request: Request) -> None:
        if request.url.endswith("/events"):
            streams.append(request.url)

    context.on("request", asked)
    for address in ("/models", "/"):
        page = context.new_page()
        page.goto(address)
        for name in names:
            progress = page.locator(f'[id="state-{name}"] progress[value]')
            expect(progress).to_be_visible(timeout=60_000)
    assert len(streams) == 2, "one for each page"
    for address in ("/lecture", "/queue", "/images"):
        page = context.new_page()
        page.goto(address, timeout=60_000)
        expect(page.locator("h1")).to_be_visible()
    stopped = page.context.pages[0]
    stopped.bring_to_front()
    stopped.locator(f'[id="state-{names[0]}"]').get_by_role("button", name="Stop").click()
    expect(stopped.locator(f'[id="state-{names[0]}"] progress')).to_have_count(0, timeout=60_000)
    context.close()
