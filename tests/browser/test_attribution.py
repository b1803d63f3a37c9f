"""The brush moves the classes, a cell shows its patch: by mouse, by keys, without JavaScript."""

import re

from playwright.sync_api import Page, expect

from tests.running import Laterna, wait_until

MODEL = "efficientnet-lite0"
COFFEE = f"/images/coffee/models/{MODEL}"
COVERING = f"{COFFEE}/covering"


def shares(page: Page) -> list[float]:
    """The probabilities that stand above the table: before, and after if something is covered."""
    told = page.locator("#moved b").inner_text()
    return [float(part) for part in re.findall(r"[\d.]+", told)]


def test_a_stroke_moves_the_classes_and_is_in_the_address(page: Page) -> None:
    page.goto(COVERING)
    expect(page.locator("#moved b")).to_have_text(re.compile(r"^[\d.]+%$"))
    before = shares(page)[0]
    box = page.locator("#cover").bounding_box()
    assert box is not None
    page.get_by_label("Size").fill("14")
    side = box["width"]

    def at(right: float, down: float) -> tuple[float, float]:
        return box["x"] + right * side, box["y"] + down * side

    page.mouse.move(*at(0.2, 0.25))
    page.mouse.down()
    for right, down in ((0.8, 0.25), (0.2, 0.45), (0.8, 0.45)):
        page.mouse.move(*at(right, down), steps=6)
    page.mouse.up()
    expect(page.locator("#moved b")).to_contain_text("→")
    covered = shares(page)
    assert covered[0] == before
    assert covered[1] < before
    assert "mask=" in page.url
    address = page.url
    page.keyboard.press("z")
    expect(page.locator("#moved b")).not_to_contain_text("→")
    assert "mask=" not in page.url
    page.keyboard.press("y")
    expect(page.locator("#moved b")).to_contain_text("→")
    assert page.url == address
    page.get_by_label("Cover it with").select_option("blur")
    wait_until(lambda: shares(page)[1] != covered[1])
    assert "fill=blur" in page.url
    page.goto(address)
    expect(page.locator("#moved b")).to_contain_text("→")
    assert shares(page) == covered, "the address holds what is covered"
    page.get_by_role("button", name="Uncover all").click()
    expect(page.locator("#moved b")).not_to_contain_text("→")


def test_the_brush_goes_by_keys(page: Page) -> None:
    page.goto(COVERING)
    expect(page.locator("#moved b")).to_be_visible()
    page.locator("#cover").focus()
    for key in ("ArrowUp", "ArrowLeft", "Space"):
        page.keyboard.press(key)
    expect(page.locator("#moved")).to_contain_text("of the picture covered")
    stamped = page.locator("#moved").inner_text()
    for key in ("+", "+", "ArrowRight", "Space"):
        page.keyboard.press(key)
    expect(page.locator("#moved")).not_to_have_text(stamped)
    for key in ("ArrowLeft", "Backspace", "ArrowRight", "Backspace"):
        page.keyboard.press(key)
    expect(page.locator("#moved")).to_contain_text("nothing covered")


def test_a_rectangle_and_a_class_without_javascript(
    page_without_javascript: Page, server: Laterna
) -> None:
    page = page_without_javascript
    with server.client() as client:  # what is known is in the page; only the cover is waited for
        for query in ("", "?class=504"):
            assert client.get(f"{COFFEE}/where.json{query}").status_code == 200
    page.goto(COVERING)
    page.get_by_text("A rectangle, by numbers").click()
    for name, value in (("left", "20"), ("top", "15"), ("width", "55"), ("height", "40")):
        page.locator(f"input[name={name}]").fill(value)
    page.get_by_role("button", name="Cover it").click()
    expect(page.locator("#moved b")).to_contain_text("→")
    expect(page.locator("table.moved tbody tr")).not_to_have_count(0)
    page.get_by_role("link", name="Where did it look?").click()
    expect(page.locator(".bars li").first).to_be_visible()
    page.get_by_label("Another class").fill("coffee mug")
    page.get_by_role("button", name="Find").click()
    page.get_by_role("link", name="coffee mug").first.click()
    expect(page.locator("h1")).to_contain_text("for “coffee mug”")


def test_a_cell_shows_its_patch_and_a_pixel_its_cells(page: Page, server: Laterna) -> None:
    layer = "blocks.1.0"
    with server.client() as client:
        field = client.get(f"/models/{MODEL}/layers/{layer}.json").json()["field"]
    page.goto(f"{COFFEE}/layers/{layer}/channels/3")
    expect(page.locator("#numbers[data-crop]")).to_be_attached()
    wait_until(lambda: page.evaluate("document.getElementById('map').naturalWidth > 0"))
    side = page.evaluate("document.getElementById('map').clientWidth")
    # Of 56 cells a side: the one in row 20, column 30.
    page.locator("#map").hover(position={"x": side * 30.5 / 56, "y": side * 20.5 / 56})
    first = [field["start"][0] + 20 * field["jump"][0], field["start"][1] + 30 * field["jump"][1]]
    last = [start + size - 1 for start, size in zip(first, field["size"], strict=True)]
    said = page.locator("#sees")
    expect(said).to_contain_text("Receptive field of cell (20, 30): ")
    expect(said).to_contain_text(
        f"rows {first[0]}–{last[0]}, columns {first[1]}–{last[1]} of the input)."
    )
    mark = page.locator(".frame:has(#over-photo) .field-mark").bounding_box()
    photo = page.locator("#over-photo").bounding_box()
    assert mark is not None
    assert photo is not None
    shown = photo["width"] / 224
    assert abs((mark["y"] - photo["y"]) / shown - first[0]) < 1
    assert abs((mark["x"] - photo["x"]) / shown - first[1]) < 1
    assert abs(mark["width"] / shown - field["size"][1]) < 1
    # The middle pixel of that patch is seen by that cell, and by as many others as windows overlap.
    middle = [(start + end) / 2 + 0.5 for start, end in zip(first, last, strict=True)]
    page.locator("#over-photo").hover(position={"x": middle[1] * shown, "y": middle[0] * shown})
    pixel = [int(place) for place in middle]
    cells = [
        sum(
            field["start"][a] + n * field["jump"][a]
            <= pixel[a]
            < field["start"][a] + n * field["jump"][a] + field["size"][a]
            for n in range(56)
        )
        for a in range(2)
    ]
    expect(said).to_have_text(f"This pixel reaches {cells[0] * cells[1]} of 3136 cells.")
    page.locator(".frame:has(#map)").focus()
    page.keyboard.press("ArrowDown")
    expect(said).to_contain_text("Receptive field of cell (21, 30): ")
    assert page.url.endswith("/channels/3"), "the arrow keys stay on the map"


def test_the_sheet_shows_what_the_cell_under_the_pointer_sees(page: Page) -> None:
    page.goto(f"{COFFEE}/layers/blocks.2.0")
    expect(page.locator("#numbers[data-facts]")).to_be_attached()
    wait_until(lambda: page.evaluate("document.querySelector('#sheet img').naturalWidth > 0"))
    page.locator("#sheet").hover(position={"x": 120, "y": 130})
    expect(page.locator("#sees")).to_contain_text("35 × 35 px")
    expect(page.locator("#inspector .field-mark:visible")).to_have_count(2)
    page.locator("#over-photo").hover(position={"x": 90, "y": 90})
    expect(page.locator("#sees")).to_contain_text("of 784 cells")
    page.keyboard.press("]")
    expect(page.locator("h1")).to_contain_text("blocks.2.1")
    page.locator("#sheet").hover(position={"x": 130, "y": 120})
    expect(page.locator("#sees")).to_contain_text("Receptive field of cell")
