"""Neighbours and the map of a collection in a real browser, by keyboard and with the mouse."""

from typing import Any

import pytest
from axe_core_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.asking import MODEL, made
from tests.running import Laterna, wait_until

SAMPLES = f"/collections/samples/models/{MODEL}"
LATE = f"{SAMPLES}/layers/blocks.6.0"


@pytest.fixture(scope="module", autouse=True)
def _looked_through(server: Laterna) -> None:
    with server.client() as client:
        made(client, {"kind": "index", "collection": "samples", "model": MODEL})


def complaints_of_axe(page: Page, options: dict[str, Any] | None = None) -> list[str]:
    found = Axe().run(page, options=options)["violations"]
    return [
        f"{violation['id']} {[node['target'] for node in violation['nodes'][:3]]}"
        for violation in found
        if violation["impact"] in ("serious", "critical")
    ]


def view(page: Page) -> list[float]:
    """x, y and width of what is seen of the map."""
    box = page.locator("#photo-map").get_attribute("viewBox") or ""
    x, y, width, _ = (float(number) for number in box.split())
    return [x, y, width]


def test_from_photo_to_photo_and_from_layer_to_layer(page: Page) -> None:
    page.goto(f"{LATE}/neighbours?photo=1")
    nearest = page.locator(".nearest").first.locator("li")
    assert nearest.count() == 7
    first = nearest.first.locator(".what").inner_text()
    nearest.first.locator("a").click()
    expect(page.locator(".asked h2")).to_have_text(first)
    page.keyboard.press("]")
    expect(page.get_by_role("heading", level=1)).not_to_contain_text("blocks.6.0")
    expect(page.locator(".asked h2")).to_have_text(first)
    assert complaints_of_axe(page) == []
    for theme in ("dark", "projector"):
        page.request.post("/preferences", form={"theme": theme})
        page.reload()
        assert complaints_of_axe(page, {"runOnly": ["color-contrast"]}) == []
    page.set_viewport_size({"width": 390, "height": 844})
    for address in (f"{LATE}/neighbours", f"{LATE}/map"):
        page.goto(address)
        assert page.evaluate("document.querySelector('main').scrollWidth") <= 390


def test_the_map_is_walked_by_keys_and_moved_by_the_mouse(page: Page) -> None:
    page.goto(f"{LATE}/map?photo=2")
    chosen = page.locator("#photo-map a.chosen")
    expect(chosen).to_have_attribute("data-n", "2")
    before = view(page)
    chosen.focus()
    seen = set()
    for key in ("ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown") * 3:
        page.keyboard.press(key)
        seen.add(page.locator("#photo-map a.chosen").get_attribute("data-n"))
    assert len(seen) > 2
    number = page.locator("#photo-map a.chosen").get_attribute("data-n")
    name = page.locator("#photo-map a.chosen").get_attribute("aria-label") or "?"
    expect(page.locator("#chosen-name")).to_have_text(name)
    assert f"photo={number}" in page.url
    page.keyboard.press("+")
    wait_until(lambda: view(page)[2] < before[2])
    closer = view(page)
    stage = page.locator("#photo-map").bounding_box()
    assert stage is not None
    middle = (stage["x"] + stage["width"] / 2, stage["y"] + stage["height"] / 2)
    page.mouse.move(*middle)
    page.mouse.down()
    page.mouse.move(middle[0] + 40, middle[1] + 40, steps=4)
    page.mouse.up()
    wait_until(lambda: view(page)[0] != closer[0])
    assert view(page)[2] == closer[2]
    page.get_by_role("button", name="All").click()
    wait_until(lambda: view(page) == before)
    assert complaints_of_axe(page) == []
    page.locator("#photo-map a.chosen").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".asked h2")).to_have_text(name)


def test_a_map_by_tsne_comes_while_one_waits(page: Page) -> None:
    page.goto(f"{LATE}/map?method=tsne")
    page.get_by_role("button", name="Make the map").click()
    expect(page.locator("#state")).to_contain_text("It is done")
    page.get_by_role("link", name="See the photos on the map").click()
    expect(page.locator("#photo-map a[data-n]")).to_have_count(8)
    assert complaints_of_axe(page) == []


def test_without_labels_the_page_of_shares_says_why(page: Page) -> None:
    page.goto(f"{SAMPLES}/neighbours")
    expect(page.locator("main")).to_contain_text("nobody can say which neighbours are right")
    page.get_by_role("link", name="Neighbours in the last layer").click()
    expect(page.locator(".nearest").first.locator("li")).to_have_count(7)
