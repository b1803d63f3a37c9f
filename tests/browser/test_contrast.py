"""In high contrast what is chosen, bars and scales are told apart by the system's colours."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from tests.asking import MODEL
from tests.running import Laterna

GRID = f"/images/chelsea/models/{MODEL}/layers/bn1"
#: Where something is chosen or is here: a page, and the selectors of that and of another like it.
CHOSEN = [
    ("/models", ".top nav [aria-current]", ".top nav a:not([aria-current])"),
    ("/visualizations/new", ".switch [aria-current]", ".switch a:not([aria-current])"),
    (GRID, ".side .layers [aria-current]", ".side .layers a:not([aria-current])"),
    ("/models", "[name=theme][aria-pressed=true]", "[name=theme][aria-pressed=false]"),
]
STYLE = """element => {
    const style = getComputedStyle(element);
    return [style.backgroundColor, style.color, style.outlineStyle];
}"""
#: The colours that system colours come to on this machine.
SYSTEM = """names => names.map(name => {
    const probe = document.createElement("i");
    probe.style.cssText = `forced-color-adjust: none; color: ${name}`;
    document.body.append(probe);
    const color = getComputedStyle(probe).color;
    probe.remove();
    return color;
})"""


@pytest.fixture(params=["light", "dark"])
def forced(chromium: Browser, server: Laterna, request: pytest.FixtureRequest) -> Iterator[Page]:
    """A browser in high contrast, on a white or a black screen."""
    context = chromium.new_context(
        base_url=server.url, forced_colors="active", color_scheme=request.param, locale="en-GB"
    )
    page = context.new_page()
    page.set_default_timeout(60_000)
    yield page
    context.close()


def test_what_is_chosen_is_highlighted_and_nothing_else(forced: Page) -> None:
    for address, chosen, other in CHOSEN:
        forced.goto(address)
        highlight, text = forced.evaluate(SYSTEM, ["Highlight", "HighlightText"])
        here = forced.locator(chosen).first.evaluate(STYLE)
        there = forced.locator(other).first.evaluate(STYLE)
        assert here[:2] == [highlight, text], (address, chosen)
        assert there[0] != highlight, (address, other)


def test_a_chosen_radio_stands_out(forced: Page) -> None:
    forced.goto("/visualizations/new?kind=class&q=cat")
    chosen = forced.locator("label:has(> input[type=radio]:checked)").first
    other = forced.locator("label:has(> input[type=radio]:not(:checked))").first
    assert chosen.evaluate(STYLE)[2] == "solid"
    assert other.evaluate(STYLE)[2] == "none"


def test_bars_scales_and_texts_of_drawings_are_seen(forced: Page) -> None:
    forced.goto(f"/images/chelsea/models/{MODEL}")
    forced.locator(".bars:not(.empty) rect").first.wait_for()
    canvas, ink = forced.evaluate(SYSTEM, ["Canvas", "CanvasText"])
    fill = "element => getComputedStyle(element).fill"
    assert forced.locator(".bars rect").first.evaluate(fill) != canvas
    forced.goto(GRID)
    legend = forced.locator(".legend svg").first
    legend.wait_for()
    assert legend.evaluate("svg => getComputedStyle(svg).forcedColorAdjust") == "none"
    assert legend.locator("stop").count() > 2
    forced.goto(f"/models/{MODEL}/layers/conv_stem/filters")
    label = forced.locator("svg.chart text").first
    label.wait_for(state="attached")
    assert label.evaluate(fill) == ink
