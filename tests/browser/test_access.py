"""axe-core finds nothing serious on any page, in any light."""

import pytest
from axe_core_python.sync_playwright import Axe
from playwright.sync_api import Browser

from tests.browser.test_browsing import PAGES
from tests.running import Laterna

#: What another light can change.
COLORS = {"runOnly": ["color-contrast", "link-in-text-block"]}


@pytest.mark.parametrize("theme", ["light", "dark", "projector"])
def test_axe_finds_nothing_serious(chromium: Browser, server: Laterna, theme: str) -> None:
    context = chromium.new_context(base_url=server.url, viewport={"width": 1280, "height": 800})
    page = context.new_page()
    context.request.post("/preferences", form={"theme": theme})
    found = []
    options = None if theme == "light" else COLORS
    for address in (*PAGES, "/images/nothing-here"):
        page.goto(address)
        page.wait_for_load_state("networkidle")
        for violation in Axe().run(page, options=options)["violations"]:
            if violation["impact"] in ("serious", "critical"):
                nodes = [node["target"] for node in violation["nodes"][:3]]
                found.append(f"{address}: {violation['id']} {nodes}")
    context.close()
    assert found == []
