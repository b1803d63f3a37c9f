"""In the browser: something is asked for, watched as it grows, stopped, and found again."""

import re
from collections.abc import Iterator

import httpx
import pytest
from axe_core_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, Route, expect

from tests.asking import ATLAS, CHANNEL, CLASS, LONG, MODEL, REBUILT, STRIP, ask, made
from tests.running import Laterna, wait_until

KINDS = {"class": CLASS, "channel": CHANNEL, "atlas": ATLAS, "rebuilt": REBUILT, "strip": STRIP}
FORM = "/visualizations/new?kind=channel&layer=blocks.1.0&channel=3"
DONE = "#made.done"


@pytest.fixture(scope="module")
def addresses(server: Laterna) -> dict[str, str]:
    """A finished page of each kind."""
    with server.client() as client:
        return {kind: made(client, body)["url"] for kind, body in KINDS.items()}


@pytest.fixture
def long_one(server: Laterna, page: Page) -> Iterator[str]:
    """The page of one that grows until it is stopped, asked for by the very browser."""
    page.goto("/")
    answer = page.request.post("/visualizations.json", data=LONG | {"seed": hash(page) % 10**6})
    id = answer.json()["id"]
    yield f"/visualizations/{id}"
    page.request.post(f"/visualizations/{id}/cancel.json")


def let_it_grow(page: Page, address: str) -> None:
    """Send the form as it is filled in, and come to the page of what grows."""
    page.goto(address)
    page.get_by_role("button", name="Generate").click()
    page.wait_for_url(re.compile("/visualizations/[0-9a-f]{32}$"))


def test_asked_watched_and_found_again(page: Page) -> None:
    """The picture changes in its frame, nothing moves, and its address shows it ever after."""
    let_it_grow(page, f"{FORM}&steps=120&size=192&seed=11")
    frame = page.locator(".stage .frame")
    growing = page.locator("#growing")
    expect(growing).to_have_attribute("src", re.compile("^data:image/jpeg"))
    before = growing.get_attribute("src")
    box = frame.bounding_box()
    expect(growing).not_to_have_attribute("src", str(before))
    expect(page.locator("#news")).to_contain_text(re.compile(r"step \d+ of 120"))
    expect(page.locator(".u-wrap canvas")).to_be_visible()
    expect(page.locator(DONE)).to_be_visible()
    expect(page.locator("#grown")).to_be_visible()
    assert frame.bounding_box() == box
    expect(page.locator("main")).to_contain_text("as strong as what the best sample photo gives")
    address = page.url
    assert page.locator("#permalink").input_value() == address
    page.goto("/visualizations")
    page.get_by_role("link", name="Channel 3 of blocks.1.0").first.click()
    expect(page).to_have_url(address)
    expect(page.locator(DONE)).to_be_visible()


def test_stopped_and_made_after_all(page: Page, long_one: str) -> None:
    page.goto(long_one)
    expect(page.locator("#growing")).to_have_attribute("src", re.compile("^data:"))
    page.get_by_role("button", name="Stop it").click()
    expect(page.locator(".stage")).to_contain_text("It was stopped")
    expect(page.get_by_role("button", name="Make it after all")).to_be_visible()
    page.get_by_role("button", name="Make it after all").click()
    expect(page).to_have_url(re.compile(long_one + "$"))
    expect(page.get_by_role("button", name="Stop it")).to_be_visible()


def test_the_tab_can_be_closed_and_opened_again(page: Page, long_one: str) -> None:
    """What was there before is there at once, and it goes on from there."""
    page.goto(long_one)
    expect(page.locator("#news")).to_contain_text(re.compile(r"step [1-9]"))
    reached = int(page.locator("#news").get_attribute("data-step") or 0)
    page.goto("about:blank")
    page.goto(long_one, wait_until="commit")
    first = page.locator("#news")
    assert int(first.get_attribute("data-step") or 0) >= reached
    assert str(page.locator("#growing").get_attribute("src")).startswith("data:")
    wait_until(lambda: int(first.get_attribute("data-step") or 0) > reached + 1)


def test_it_is_live_however_slowly_the_scripts_come(page: Page, long_one: str) -> None:
    def late(route: Route) -> None:
        page.wait_for_timeout(400)
        route.continue_()

    page.route("**/live*.js", late)
    with page.expect_response(f"**{long_one}/events"):
        page.goto(long_one)


def test_without_javascript_the_page_comes_by_itself(
    page_without_javascript: Page, server: Laterna
) -> None:
    page = page_without_javascript
    page.goto("/visualizations/new?kind=class&q=banana")
    expect(page.get_by_role("radio", name="banana")).to_be_checked()
    page.locator("details summary", has_text="Size, steps and noise").click()
    page.locator("input[name=steps]").fill("24")
    page.locator("input[name=size]").fill("128")
    page.get_by_role("button", name="Generate").click()
    expect(page.locator("h1")).to_contain_text("banana")
    expect(page.locator(DONE)).to_be_visible()
    expect(page.locator("svg.nojs polyline")).to_be_attached()
    page.goto(f"/models/{MODEL}/layers/bn1/channels/5")
    assert page.get_by_role("button", name="Visualize this channel (max-filter image)").is_visible()


def test_the_keyboard_alone_asks(page: Page) -> None:
    page.goto(f"/models/{MODEL}/layers/bn1/channels/9")
    button = page.get_by_role("button", name="Visualize this channel (max-filter image)")
    for _ in range(30):
        if button.evaluate("button => button === document.activeElement"):
            break
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("/visualizations/[0-9a-f]{32}$"))
    expect(page.locator("h1")).to_contain_text("Channel 9 of bn1")
    page.get_by_role("button", name="Stop it").or_(page.locator(DONE)).first.wait_for()


def test_the_inspector_asks_for_the_channel_under_the_cursor(page: Page) -> None:
    page.goto(f"/images/chelsea/models/{MODEL}/layers/bn1")
    expect(page.locator("#numbers[data-facts]")).to_be_attached()
    page.locator("#sheet").focus()
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    expect(page.locator("#inspected")).to_contain_text("Channel 1")
    assert page.locator("#excite input[name=channel]").input_value() == "1"
    expect(page.get_by_role("button", name="Visualize this channel", exact=True)).to_be_visible()


def test_a_class_is_found_and_asked_for_on_the_networks_page(page: Page) -> None:
    page.goto(f"/models/{MODEL}")
    page.fill("#q", "volcano")
    page.get_by_role("button", name="volcano").click()
    page.wait_for_url(re.compile("/visualizations/[0-9a-f]{32}$"))
    expect(page.locator("h1")).to_contain_text("volcano")
    page.get_by_role("button", name="Stop it").click()
    expect(page.get_by_role("button", name="Stop it")).to_have_count(0)


def test_the_form_follows_what_is_chosen(page: Page) -> None:
    page.goto("/visualizations/new?kind=class")
    page.fill("#class-q", "great shark")
    expect(page.locator("#choices label")).to_have_count(1)
    expect(page.locator("#choices")).to_contain_text("great white shark")
    page.get_by_role("link", name="Feature visualization").click()
    page.select_option("select[name=layer]", "conv_head")
    expect(page.locator("input[name=channel]")).to_have_attribute("max", "1279")


@pytest.mark.parametrize("width", [390, 1280])
def test_nothing_is_wider_than_the_screen(
    chromium: Browser, server: Laterna, addresses: dict[str, str], width: int
) -> None:
    context = chromium.new_context(
        base_url=server.url, viewport={"width": width, "height": 844}, locale="en-GB"
    )
    page = context.new_page()
    pages = ("/visualizations", "/visualizations/new?kind=strip", FORM, *addresses.values())
    for address in pages:
        page.goto(address)
        wide = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
        assert wide[0] <= wide[1], address
    context.close()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_serious(
    chromium: Browser, server: Laterna, addresses: dict[str, str], theme: str
) -> None:
    context = chromium.new_context(base_url=server.url, viewport={"width": 1280, "height": 800})
    page = context.new_page()
    context.request.post("/preferences", form={"theme": theme})
    answer = context.request.post("/visualizations.json", data=LONG | {"seed": 77})
    grows = answer.json()["id"]
    pages = (
        f"/visualizations/{grows}",
        "/visualizations",
        "/visualizations/new?kind=class",
        "/visualizations/new?kind=strip",
        *addresses.values(),
    )
    found = []
    for address in pages:
        page.goto(address)
        page.locator("main").wait_for()
        for violation in Axe().run(page)["violations"]:
            if violation["impact"] in ("serious", "critical"):
                nodes = [node["target"] for node in violation["nodes"][:3]]
                found.append(f"{address}: {violation['id']} {nodes}")
    context.request.post(f"/visualizations/{grows}/cancel")
    context.close()
    assert found == []


def test_thirty_watch_and_leave_nothing_behind(server: Laterna) -> None:
    """Streams that are dropped in the middle do not hold anything up."""
    with server.client() as client:
        id = ask(client, LONG, seed=999)
        for _ in range(30):
            with httpx.stream("GET", f"{server.url}/visualizations/{id}/events") as stream:
                assert next(stream.iter_lines()) == "event: progress"
        wait_until(lambda: "laterna_watchers 0.0" in client.get("/metrics").text)
        client.post(f"/visualizations/{id}/cancel")
