"""Pictures are brought in every way a person would try, in a real browser."""

import base64
import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from app.settings import ROOT
from tests.proxies import Habits, proxy
from tests.running import Laterna, wait_until

CHELSEA = ROOT / "static" / "samples" / "chelsea.jpg"
COFFEE = ROOT / "static" / "samples" / "coffee.jpg"

#: Gives the page files as a person's drag or paste would: (event, [[name, type, base64]…]).
BRING = """([event, files]) => {
    const bag = new DataTransfer();
    for (const [name, type, data] of files) {
        const bytes = Uint8Array.from(atob(data), (sign) => sign.charCodeAt(0));
        bag.items.add(new File([bytes], name, { type }));
    }
    const made = event === "paste"
        ? new ClipboardEvent("paste", { clipboardData: bag, bubbles: true })
        : new DragEvent("drop", { dataTransfer: bag, bubbles: true, cancelable: true });
    document.body.dispatchEvent(made);
}"""


def as_file(path: Path, name: str = "") -> list[str]:
    return [name or path.name, "image/jpeg", base64.b64encode(path.read_bytes()).decode()]


def test_a_chosen_picture_is_recognised_and_can_be_deleted(page: Page) -> None:
    page.goto("/")
    page.set_input_files("#file", CHELSEA)
    page.wait_for_url("**/images/*")
    expect(page.locator("main")).to_contain_text("cat")
    expect(page.locator("main")).to_contain_text(re.compile("23 hours|24 hours|1 day"))
    address = page.url
    page.get_by_role("button", name="Delete").first.click()
    page.wait_for_load_state()
    assert page.request.get(address).status == 404


def test_a_dropped_picture_is_taken(page: Page) -> None:
    page.goto("/")
    page.evaluate(BRING, ["drop", [as_file(CHELSEA)]])
    page.wait_for_url("**/images/*")


def test_a_pasted_picture_is_taken(page: Page) -> None:
    page.goto("/images")
    page.evaluate(BRING, ["paste", [as_file(COFFEE, "image.png")]])
    page.wait_for_url("**/images/*")


def test_several_pictures_have_a_bar_each_and_a_bad_one_its_reason(
    page: Page, complaints: list[str]
) -> None:
    page.goto("/images")
    bad = ["notes.jpg", "image/jpeg", base64.b64encode(b"<html>no picture</html>").decode()]
    page.evaluate(BRING, ["drop", [as_file(CHELSEA), bad, as_file(COFFEE)]])
    rows = page.locator("#uploads li")
    expect(rows).to_have_count(3)
    expect(rows.nth(0).get_by_role("link")).to_be_visible()
    expect(rows.nth(2).get_by_role("link")).to_be_visible()
    expect(rows.nth(0).locator("progress")).to_have_count(1)
    expect(rows.nth(1)).to_contain_text("not a picture")
    expect(page.locator("#pictures .photos > li")).to_have_count(2)
    assert len(complaints) == 1, "the browser itself tells of the refusal"
    assert "415" in complaints.pop()


def test_what_is_dropped_during_an_upload_is_taken_too(page: Page) -> None:
    page.goto("/images")
    both = [
        ["drop", [as_file(CHELSEA)]],
        ["drop", [as_file(COFFEE), as_file(CHELSEA, "again.jpg")]],
    ]
    page.evaluate(f"both => both.forEach({BRING})", both)  # before the first can be through
    rows = page.locator("#uploads li")
    expect(rows).to_have_count(3)
    expect(rows.get_by_role("link")).to_have_count(3)
    expect(page.locator("#pictures .photos > li")).to_have_count(3)
    assert page.url.endswith("/images"), "more than one was brought, so one stays here"


def test_a_photo_is_taken_with_the_camera(page: Page) -> None:
    page.goto("/")
    page.locator("#camera-open").click()
    wait_until(lambda: page.evaluate("document.querySelector('#camera video').videoWidth > 0"))
    page.locator("#camera-shoot").click()
    page.wait_for_url("**/images/*")


@pytest.mark.parametrize(
    ("status", "sentence"),
    [
        (413, "as too large (413)"),
        (502, "cannot reach Laterna (502)"),
        (503, "cannot reach Laterna (503)"),
        (504, "cannot reach Laterna (504)"),
        (200, "sign in first"),
        (401, "sign in first"),
        (418, "refused this (418)"),
        (302, "sign in first"),
    ],
)
def test_what_something_in_between_refuses_is_told_as_its_own(
    context: BrowserContext, server: Laterna, status: int, sentence: str
) -> None:
    habits = Habits()
    with proxy(server.url, habits) as address:
        page = context.new_page()
        page.goto(f"{address}/images")
        # From now on it does not let uploads through.
        habits.refuses = status
        page.set_input_files("#file", CHELSEA)
        expect(page.locator("#uploads li")).to_contain_text(sentence, timeout=60_000)
        page.close()


def test_a_server_that_is_away_is_told_as_away(context: BrowserContext, server: Laterna) -> None:
    page = context.new_page()
    with proxy(server.url, Habits()) as address:
        page.goto(f"{address}/images")
    page.set_input_files("#file", CHELSEA)
    expect(page.locator("#uploads li")).to_contain_text("cannot be reached", timeout=60_000)
    page.close()


def drop(page: Page, paths: list[Path]) -> None:
    """Drag files and folders from outside onto the page, as the system does."""
    session = page.context.new_cdp_session(page)
    data = {"items": [], "files": [str(path) for path in paths], "dragOperationsMask": 1}
    for kind in ("dragEnter", "dragOver", "drop"):
        event = {"type": kind, "x": 300, "y": 300, "data": data}
        session.send("Input.dispatchDragEvent", event)


def test_a_dropped_folder_is_walked(page: Page, tmp_path: Path) -> None:
    folder = tmp_path / "holiday"
    (folder / "day 2" / "evening").mkdir(parents=True)
    for place, name in (("", "1.jpg"), ("day 2", "2.jpg"), ("day 2/evening", "3.JPG")):
        (folder / place / name).write_bytes(CHELSEA.read_bytes())
    (folder / "notes.txt").write_text("no picture")
    other = tmp_path / "coffee.jpg"
    other.write_bytes(COFFEE.read_bytes())
    page.goto("/images")
    drop(page, [folder, other])
    rows = page.locator("#uploads li")
    expect(rows).to_have_count(5, timeout=60_000)
    expect(rows.get_by_role("link")).to_have_count(4, timeout=120_000)
    names = rows.locator(".name").all_inner_texts()
    assert names == ["coffee.jpg", "1.jpg", "2.jpg", "3.JPG", "holiday"]
    expect(rows.nth(4)).to_contain_text("1 files were left out")


def test_a_folder_without_pictures_says_so(page: Page, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    page.goto("/images")
    drop(page, [tmp_path / "empty"])
    expect(page.locator("#uploads li")).to_contain_text("no pictures in this folder")


def test_a_browser_that_keeps_no_cookies_is_told_so(chromium: Browser, server: Laterna) -> None:
    """The proxy loses them, as some browsers do."""
    with proxy(server.url, Habits(loses_cookies=True)) as address:
        for scripts in (True, False):
            context = chromium.new_context(
                base_url=address, locale="en-GB", java_script_enabled=scripts
            )
            page = context.new_page()
            page.goto("/images")
            page.set_input_files("#file", CHELSEA)
            if not scripts:
                page.get_by_role("button", name="Upload").click()
            page.wait_for_url("**/images/*", timeout=60_000)
            expect(page.locator("main")).to_contain_text("keeps no cookies")
            page.goto("/images")
            page.set_input_files("#file", [CHELSEA, COFFEE])
            if not scripts:
                page.get_by_role("button", name="Upload").click()
            expect(page.locator("#pictures")).to_contain_text("keeps no cookies", timeout=60_000)
            context.close()


def test_strangers_do_not_see_a_picture_until_it_is_shared(page: Page) -> None:
    page.goto("/")
    page.set_input_files("#file", CHELSEA)
    page.wait_for_url("**/images/*")
    browser = page.context.browser
    assert browser is not None
    stranger = browser.new_context(locale="en-GB")
    assert stranger.request.get(page.url).status == 404
    page.get_by_role("button", name=re.compile("[Ss]hare")).first.click()
    page.wait_for_load_state("networkidle")
    address = page.url.split("?")[0]
    assert stranger.request.get(address).status == 200
    assert stranger.request.post(f"{address}/delete").status == 404
    stranger.close()


def test_without_javascript_the_form_does_it(page_without_javascript: Page) -> None:
    page = page_without_javascript
    page.goto("/")
    page.set_input_files("#file", CHELSEA)
    page.get_by_role("button", name="Upload").click()
    page.wait_for_url("**/images/*")
    expect(page.locator("main")).to_contain_text("chelsea")


#: Drops what another window's address bar or page gives: text, no file.
DROP_ADDRESS = """(type) => {
    const bag = new DataTransfer();
    bag.setData(type, "https://example.org/cat.jpg");
    const made = { dataTransfer: bag, bubbles: true, cancelable: true };
    const over = new DragEvent("dragover", made), dropped = new DragEvent("drop", made);
    document.body.dispatchEvent(over);
    document.body.dispatchEvent(dropped);
    return [over.defaultPrevented, dropped.defaultPrevented];
}"""


def test_a_dropped_address_is_answered_by_a_sentence(page: Page) -> None:
    for address in ("/", "/images"):
        for type_ in ("text/uri-list", "text/plain"):
            page.goto(address)
            assert page.evaluate(DROP_ADDRESS, type_) == [True, True]
            expect(page.locator("#uploads li")).to_have_count(1)
            expect(page.locator("#uploads li")).to_contain_text("Save the picture first")
            expect(page.locator("#uploads li")).to_contain_text("example.org/cat.jpg")


def test_what_is_dragged_within_the_page_is_left_alone(page: Page) -> None:
    page.goto("/")
    page.evaluate("document.body.dispatchEvent(new DragEvent('dragstart', {bubbles: true}))")
    assert page.evaluate(DROP_ADDRESS, "text/uri-list") == [False, False]
    expect(page.locator("#uploads li")).to_have_count(0)
