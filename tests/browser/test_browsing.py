"""Layers and channels are browsed by mouse, by keyboard, on a phone, without JavaScript."""

import re

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.running import Laterna, wait_until

MODEL = "efficientnet-lite0"
PICTURE = f"/images/chelsea/models/{MODEL}"
GRID = f"{PICTURE}/layers/blocks.2.0"
PAGES = (
    "/",
    "/models",
    "/images",
    f"/models/{MODEL}",
    f"/models/{MODEL}/graph?image=chelsea&layer=blocks.2.0",
    f"/models/{MODEL}/layers/conv_stem",
    f"/models/{MODEL}/layers/conv_stem/channels/3",
    PICTURE,
    GRID,
    f"{GRID}/channels/7",
    f"{PICTURE}/where",
    f"{PICTURE}/covering",
    "/side-by-side",
    f"{PICTURE}/firing",
    "/collections",
    "/collections/samples",
    "/queue",
    "/calculators",
    "/architectures",
    f"/models/{MODEL}/layers/conv_stem/filters?wait=1",
)


def numbers_are_there(page: Page) -> None:
    """Wait until the sheet and its numbers have come."""
    expect(page.locator("#numbers[data-facts]")).to_be_attached()
    wait_until(lambda: page.evaluate("document.querySelector('#sheet img').naturalWidth > 0"))


def test_from_home_to_a_channel_and_back(page: Page) -> None:
    page.goto("/")
    page.get_by_role("link", name="Chelsea, a cat").first.click()
    expect(page.locator("main")).to_contain_text("tiger cat")
    page.goto(GRID)
    numbers_are_there(page)
    page.locator("#sheet").click(position={"x": 60, "y": 120})
    page.wait_for_url("**/channels/*")
    expect(page.locator("h1")).to_contain_text(re.compile(r"Channel \d+"))
    page.go_back()
    expect(page).to_have_url(re.compile(re.escape(GRID) + "$"))
    expect(page.locator("h1")).to_contain_text("blocks.2.0")
    page.go_forward()
    page.wait_for_url("**/channels/*")
    expect(page.locator("h1")).to_contain_text(re.compile(r"Channel \d+"))


@pytest.mark.parametrize(("layer", "late"), [("blocks.3.1", "image"), ("blocks.3.2", "fetch")])
def test_what_is_pressed_before_the_sheet_is_ready_counts(
    page: Page, layer: str, late: str
) -> None:
    """Picture or numbers come late, and the press on where a channel will be opens it."""
    held: list[Route] = []

    def hold(route: Route) -> None:
        if route.request.resource_type == late:
            held.append(route)
        else:
            route.continue_()

    page.route(f"**/layers/{layer}*", hold)
    page.goto(f"{PICTURE}/layers/{layer}", wait_until="domcontentloaded")
    page.locator("#sheet").click(position={"x": 60, "y": 120})
    page.mouse.move(1, 1)
    wait_until(lambda: page.evaluate("1") == 1 and bool(held))
    assert "/channels/" not in page.url
    for route in held:
        route.continue_()
    page.wait_for_url("**/channels/*")


def test_a_channel_with_structure_is_looked_at_before_anything_is_pointed_at(page: Page) -> None:
    page.goto(GRID)
    numbers_are_there(page)
    facts = page.evaluate("JSON.parse(document.querySelector('#numbers').dataset.facts)")
    expect(page.locator("#inspected")).to_contain_text(f"Channel {facts['structured']}")


def test_the_order_goes_along_to_the_channel_and_back(page: Page, server: Laterna) -> None:
    """The next channel is the sheet's next, and all channels are in that order again."""
    with server.client() as client:
        rows = client.get(f"{GRID}.json?sort=max").json()["channels"]
    page.goto(f"{GRID}?sort=max")
    numbers_are_there(page)
    page.locator("#sheet").focus()
    page.keyboard.press("Home")
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_contain_text(f"Channel {rows[0]['channel']} ")
    expect(page.get_by_role("link", name="previous channel")).to_have_count(0)
    for row in rows[1:3]:
        page.get_by_role("link", name="next channel").click()
        expect(page.locator("h1")).to_contain_text(f"Channel {row['channel']} ")
    page.get_by_role("link", name="All channels of").click()
    page.wait_for_url("**/layers/blocks.2.0?sort=max")


def test_the_frame_has_no_bars_and_what_is_beyond_the_scale_is_counted(page: Page) -> None:
    page.goto(f"{PICTURE}/layers/conv_stem")
    numbers_are_there(page)
    sides = page.evaluate(
        "(({clientWidth, clientHeight, naturalWidth, naturalHeight}) =>"
        " [clientWidth / naturalWidth, clientHeight / naturalHeight])"
        "(document.querySelector('#sheet img'))"
    )
    assert abs(sides[0] / sides[1] - 1) < 0.01
    legend = page.locator("#numbers .legend")
    expect(legend).to_contain_text(re.compile(r"[\d.]+% of the values are beyond ±[\d.]+, up to"))
    expect(legend).to_contain_text("Brightness by γ 0.7")
    legend.get_by_role("link", name="Show the full range").click()
    expect(page.locator("#numbers .legend")).not_to_contain_text("beyond")
    expect(page.locator("#scale")).to_have_value("layer")
    page.locator("#gamma").select_option("1.0")
    expect(page.locator("#numbers .legend")).not_to_contain_text("γ")
    assert "gamma=1.0" in page.url


def test_hovering_magnifies_the_very_map(page: Page) -> None:
    """Each pixel of the close-up has the colour of the sheet's pixel that it magnifies."""
    page.goto(GRID)
    numbers_are_there(page)
    page.locator("#sheet").focus()
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    same = page.evaluate("""() => {
        const sheet = document.querySelector("#sheet img");
        const said = JSON.parse(document.querySelector("#numbers").dataset.facts).sheet;
        const whole = document.createElement("canvas");
        whole.width = sheet.naturalWidth; whole.height = sheet.naturalHeight;
        const pen = whole.getContext("2d");
        pen.drawImage(sheet, 0, 0);
        const left = said.gap + said.tile + said.gap, top = said.gap;
        const closeup = document.getElementById("closeup");
        const large = closeup.getContext("2d");
        let alike = 0;
        for (let n = 0; n < 100; n++) {
            const [x, y] = [0, 1].map(() => Math.floor(Math.random() * said.tile));
            const step = closeup.width / said.tile;
            const small = pen.getImageData(left + x, top + y, 1, 1).data.join();
            const here = large.getImageData((x + 0.5) * step, (y + 0.5) * step, 1, 1).data.join();
            alike += small === here;
        }
        return alike;
    }""")
    assert same == 100


def test_the_scale_the_order_and_the_colours_are_in_the_address(page: Page) -> None:
    page.goto(GRID)
    numbers_are_there(page)
    page.select_option("#sort", "max")
    expect(page).to_have_url(re.compile("sort=max"))
    numbers_are_there(page)
    peaks = page.evaluate(
        "JSON.parse(document.querySelector('#numbers').dataset.facts).channels.map((row) => row[3])"
    )
    assert peaks == sorted(peaks, reverse=True)
    page.select_option("#colors", "viridis")
    expect(page).to_have_url(re.compile("colors=viridis"))
    page.reload()
    assert page.input_value("#sort") == "max"
    assert page.input_value("#colors") == "viridis"
    page.go_back()
    expect(page.locator("#colors")).to_have_value("")


def test_the_keyboard_alone_is_enough(page: Page) -> None:
    page.goto(GRID)
    numbers_are_there(page)
    page.locator("#sheet").focus()
    page.keyboard.press("Home")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowRight")
    columns = page.evaluate(
        "JSON.parse(document.querySelector('#numbers').dataset.facts).sheet.columns"
    )
    expect(page.locator("#inspected")).to_contain_text(f"Channel {columns + 1}")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/channels/{columns + 1}*")
    page.go_back()
    numbers_are_there(page)
    page.keyboard.press("]")
    expect(page).not_to_have_url(re.compile(re.escape(GRID) + "$"))
    page.keyboard.press("[")
    expect(page.locator("h1")).to_contain_text("blocks.2.0")
    page.keyboard.press("?")
    expect(page.locator("#keys")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#keys")).to_be_hidden()
    page.locator("#find").focus()
    page.keyboard.type("conv_head")
    shown = page.locator(".layers li:not([hidden]) a:visible")
    expect(shown.first).to_contain_text("conv_head")


def test_the_keys_work_before_anything_is_focused_and_back_finds_the_cursor(page: Page) -> None:
    page.goto(GRID)
    numbers_are_there(page)
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    expect(page.locator("#inspected")).to_contain_text("Channel 1")
    page.keyboard.press("Enter")
    page.wait_for_url("**/channels/1")
    expect(page.locator("#map")).to_be_visible()
    page.go_back()
    numbers_are_there(page)
    expect(page.locator("#inspected")).to_have_text("Channel 1")
    page.keyboard.press("ArrowRight")
    expect(page.locator("#inspected")).to_have_text("Channel 2")
    page.keyboard.press(".")
    expect(page.locator("h1")).not_to_contain_text("blocks.2.0 ")


def test_brackets_typed_with_alt_gr_change_the_layer(page: Page) -> None:
    page.goto(GRID)
    numbers_are_there(page)
    page.evaluate(
        "document.body.dispatchEvent(new KeyboardEvent('keydown', { key: ']', ctrlKey: true,"
        " altKey: true, modifierAltGraph: true, bubbles: true, cancelable: true }))"
    )
    expect(page.locator("h1")).not_to_contain_text("blocks.2.0 ")


def test_finding_says_when_nothing_is_left_and_gives_the_folds_back(page: Page) -> None:
    page.goto(GRID)
    folds = "[...document.querySelectorAll('.layers details')].map((fold) => fold.open)"
    before = page.evaluate(folds)
    page.fill("#find", "conv_pw no such layer")
    expect(page.locator(".find [role=status]")).to_have_text("nothing found")
    page.fill("#find", "")
    expect(page.locator(".find [role=status]")).to_have_text("")
    assert page.evaluate(folds) == before
    page.fill("#find", "conv_head")
    page.press("#find", "Enter")
    expect(page.locator("h1")).to_contain_text("conv_head")


def test_every_control_can_be_reached_by_tab_and_shows_where_it_is(page: Page) -> None:
    page.goto(GRID)
    numbers_are_there(page)
    seen: set[str] = set()
    for _ in range(80):
        page.keyboard.press("Tab")
        seen.add(page.evaluate("document.activeElement.id || document.activeElement.tagName"))
        ring = page.evaluate(
            "(() => { const s = getComputedStyle(document.activeElement);"
            " return s.outlineStyle !== 'none' || s.boxShadow !== 'none' })()"
        )
        assert ring or page.evaluate("document.activeElement === document.body")
    assert {"sheet", "scale", "sort", "colors"} <= seen


def test_without_javascript_every_channel_can_be_reached(page_without_javascript: Page) -> None:
    page = page_without_javascript
    page.goto(PICTURE)
    expect(page.locator("main")).to_contain_text("tiger cat")
    page.goto(GRID)
    expect(page.locator("#numbers")).to_contain_text("silent")
    page.get_by_text("All channels as a table").click()
    page.get_by_role("link", name="7", exact=True).click()
    page.wait_for_url("**/channels/7*")
    page.goto(GRID)
    page.select_option("#scale", "channel")
    page.get_by_role("button", name="Show").click()
    expect(page).to_have_url(re.compile("scale=channel"))


@pytest.mark.parametrize("address", PAGES)
def test_a_phone_never_scrolls_sideways(chromium: Browser, server: Laterna, address: str) -> None:
    context = chromium.new_context(
        base_url=server.url, viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True
    )
    page = context.new_page()
    page.goto(address)
    page.wait_for_load_state("networkidle")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    context.close()


def test_nothing_jumps_while_a_sheet_arrives(page: Page, complaints: list[str]) -> None:
    page.add_init_script(
        "window.shift = 0; new PerformanceObserver((list) => {"
        " for (const entry of list.getEntries())"
        " if (!entry.hadRecentInput) window.shift += entry.value;"
        "}).observe({ type: 'layout-shift', buffered: true });"
    )
    tries: list[Route] = []

    def not_yet(route: Route) -> None:
        """A busy device at first."""
        tries.append(route)
        if len(tries) > 1:
            route.continue_()
        else:
            route.fulfill(status=503, headers={"Retry-After": "1"}, json={"error": {"message": ""}})

    page.route("**/layers/blocks.3.1.png*", not_yet)
    page.goto(f"{PICTURE}/layers/blocks.3.1?sort=mean")
    numbers_are_there(page)
    page.wait_for_load_state("networkidle")
    page.evaluate("() => new Promise(done => requestAnimationFrame(() => setTimeout(done)))")
    assert page.evaluate("window.shift") < 0.02
    assert "503" in complaints.pop()


def test_danish_is_spoken_to_danes_and_on_request(chromium: Browser, server: Laterna) -> None:
    context = chromium.new_context(base_url=server.url, locale="da-DK")
    page = context.new_page()
    page.goto("/models")
    assert page.get_attribute("html", "lang") == "da"
    expect(page.locator("h1")).to_contain_text("Netværk")
    context.close()


def test_the_projector_mode_is_kept_and_larger(page: Page) -> None:
    page.goto(GRID)
    before = page.evaluate("parseFloat(getComputedStyle(document.body).fontSize)")
    page.get_by_text("View", exact=True).click()
    page.get_by_role("button", name="Projector").click()
    page.wait_for_load_state()
    assert page.get_attribute("html", "data-theme") == "projector"
    assert page.evaluate("parseFloat(getComputedStyle(document.body).fontSize)") > before
    page.goto("/models")
    assert page.get_attribute("html", "data-theme") == "projector"


def test_a_class_is_found_from_any_page_by_keys_alone(page: Page) -> None:
    """The slash, some letters, an arrow: what a class looks like to the network is being made."""
    page.goto("/lecture")
    page.keyboard.press("/")
    page.keyboard.type("goldfi")
    hit = page.locator("#hits button").first
    expect(hit).to_contain_text("goldfish")
    page.keyboard.press("ArrowDown")
    expect(hit).to_be_focused()
    page.keyboard.press("ArrowUp")
    expect(page.locator("#search")).to_be_focused()
    page.keyboard.press("Escape")
    expect(hit).to_be_hidden()
    page.keyboard.press("/")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("/visualizations/[0-9a-f]{32}$"))
    expect(page.locator("h1")).to_contain_text("goldfish")
    page.get_by_role("button", name="Stop it").click()
    expect(page.get_by_role("button", name="Stop it")).to_have_count(0)


def test_searching_needs_no_javascript(page_without_javascript: Page) -> None:
    page = page_without_javascript
    page.goto("/models")
    page.locator("#search").fill("blocks.2.0:17")
    page.locator("#search").press("Enter")
    page.get_by_role("link", name="blocks.2.0:17").first.click()
    expect(page.locator("h1")).to_contain_text("17")
