"""Numbers are changed and pictures follow: with JavaScript at once, without it by a button."""

import re

from playwright.sync_api import Page, expect


def test_the_picture_follows_the_numbers_and_the_address_keeps_them(page: Page) -> None:
    page.goto("/calculators")
    drawn = page.locator("#stacking .versus svg rect")
    before = drawn.count()
    page.locator("[name=wide]").fill("7")
    expect(page.locator("#stacking .sums")).to_contain_text("= 49")
    expect(page.locator("#stacking .sums")).to_contain_text("= 27")
    assert drawn.count() > before, "a third small filter is drawn"
    expect(page.locator("[name=wide]")).to_be_focused()
    expect(page).to_have_url(re.compile(r"\?wide=7$"))
    page.get_by_role("link", name="VGG-16", exact=True).first.click()
    expect(page.locator("#seeing tbody tr").last).to_contain_text("212")
    page.locator("[name=reduced]").fill("480")
    expect(page.locator("#narrowing .sums")).to_contain_text("saves nothing")
    page.get_by_label("in use").check()
    expect(page.locator("#hanging .off")).to_have_count(2)
    page.reload()
    expect(page.locator("#stacking .sums")).to_contain_text("= 49")
    expect(page.locator("#hanging .off")).to_have_count(2)


def test_a_wrong_number_says_what_is_allowed(page: Page, complaints: list[str]) -> None:
    page.goto("/calculators")
    page.locator("[name=size]").fill("0")
    problem = page.locator("#slide [role=status]")
    expect(problem).to_contain_text("1 or more")
    expect(page.locator("#sliding .sums")).to_contain_text("= 55")
    page.locator("[name=size]").fill("35")
    expect(page.locator("#sliding .sums")).to_contain_text("= 7")
    expect(problem).to_be_empty()
    assert all("422" in complaint for complaint in complaints)
    complaints.clear()


def test_without_javascript_a_button_computes(page_without_javascript: Page) -> None:
    page = page_without_javascript
    page.goto("/calculators")
    page.locator("[name=map]").fill("28")
    page.locator("#bottleneck button").click()
    expect(page.locator("#narrowing .sums")).to_contain_text("451,584,000")
    assert page.url.endswith("#bottleneck")
    page.goto("/models/efficientnet-lite0/layers/conv_stem/filters")
    page.wait_for_selector(".hung img.pixels >> nth=1")
    expect(page.locator(".chart")).to_have_count(2)
