"""A person has a network look through the samples, and finds what excites a channel."""

import re

from playwright.sync_api import Browser, Page, expect

from tests.asking import MODEL
from tests.running import Laterna, wait_until

LAYER = "blocks.0.0.bn1"


def pictures_are_there(page: Page) -> None:
    """All pictures of what photos say of a channel have come."""
    pictures = page.locator(".cuts img")
    assert pictures.count() > 3
    for picture in pictures.all():
        picture.scroll_into_view_if_needed()
        wait_until(lambda: picture.evaluate("i => i.complete && i.naturalWidth > 20"))  # noqa: B023


def test_from_a_collection_to_what_excites_a_channel(chromium: Browser, server: Laterna) -> None:
    context = chromium.new_context(base_url=server.url, viewport={"width": 1280, "height": 800})
    page = context.new_page()
    page.goto("/collections")
    page.get_by_role("link", name="Sample photos").click()
    page.locator(f"a[href='/collections/samples/models/{MODEL}']").click()
    begin = page.get_by_role("button", name="Look through the photos")
    if begin.count():  # unless another test had it looked through before
        begin.click()
        expect(page.locator("#state")).to_be_visible()
        page.get_by_role("link", name="See what came of it").click()
    expect(page.get_by_role("heading", name="Dead channels")).to_be_visible()
    dots = page.locator(".depth circle:not(.near)")
    assert dots.count() > 10
    page.locator(f".depth a[href$='/{LAYER}']").click()
    expect(page).to_have_url(f"{server.url}/collections/samples/models/{MODEL}/layers/{LAYER}")
    page.get_by_role("link", name="highest first").click()
    page.locator("tbody th a").first.click()
    expect(page.get_by_role("heading", name="Lowest activation")).to_be_visible()
    pictures_are_there(page)
    values = [float(said) for said in page.locator(".cuts").first.locator("b").all_inner_texts()]
    assert values == sorted(values, reverse=True)
    page.locator(".cuts a").first.click()
    page.get_by_role("link", name="Look at it through a network").click()
    expect(page).to_have_url(re.compile(f"/images/.*/models/{MODEL}/layers/.*/channels/"))
    context.close()


def test_it_is_looked_through_without_javascript_too(chromium: Browser, server: Laterna) -> None:
    context = chromium.new_context(base_url=server.url, java_script_enabled=False)
    page = context.new_page()
    page.goto(f"/collections/samples/models/{MODEL}")
    begin = page.get_by_role("button", name="Look through the photos")
    if begin.count():
        begin.click()
        page.get_by_role("link", name="See what came of it").click()
    assert page.locator("#layer-table tbody tr").count() > 100
    context.close()
