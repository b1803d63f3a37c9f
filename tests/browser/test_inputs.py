"""Maps, photos and covers lie on each other where a network's input is not square."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import watch
from tests.running import Laterna, laterna
from tests.zoo.odd_inputs import SIDES, odd_inputs

LAYER = "layer2.0"
OF = "/images/chelsea/models/{name}"
DRAWN = "id => { const c = document.getElementById(id); return [c.height, c.width]; }"
#: Whether a canvas has light in each quarter.
LIT = """id => {
  const canvas = document.getElementById(id), pen = canvas.getContext("2d");
  const w = canvas.width / 2, h = canvas.height / 2;
  return [[0, 0], [w, 0], [0, h], [w, h]].every(([x, y]) =>
    pen.getImageData(x, y, w, h).data.some((value, k) => k % 4 < 3 && value > 30));
}"""


@pytest.fixture(scope="module")
def own_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Laterna]:
    folder: Path = tmp_path_factory.mktemp("inputs")
    models = odd_inputs(folder / "models")
    with laterna(folder / "data", LATERNA_MODELS_DIR=str(models)) as server:
        yield server.wait_until_ready()


@pytest.fixture
def tab(chromium: Browser, own_server: Laterna) -> Iterator[Page]:
    """A tab of a person's browser on that server, watched for errors."""
    complaints: list[str] = []
    context = chromium.new_context(
        base_url=own_server.url, viewport={"width": 1280, "height": 800}, locale="en-GB"
    )
    page = context.new_page()
    watch(page, own_server, complaints)
    yield page
    context.close()
    assert complaints == []


@pytest.mark.parametrize("name", [*SIDES, "grey-untrained"])
def test_the_sheet_lays_maps_over_the_photo_as_the_network_sees_it(tab: Page, name: str) -> None:
    height, width = SIDES[name.removesuffix("-untrained")]
    tab.goto(f"{OF.format(name=name)}/layers/{LAYER}")
    expect(tab.locator("#numbers[data-facts]")).to_be_attached()
    tab.wait_for_function("document.querySelector('#sheet img').naturalWidth > 0")
    tab.locator("#sheet").focus()
    tab.keyboard.press("Home")
    down, across = tab.evaluate(DRAWN, "over-photo")
    assert across / down == pytest.approx(width / height, rel=0.02)
    tab.wait_for_function(LIT, arg="over-photo")
    down, across = tab.evaluate(DRAWN, "closeup")
    assert across / down == pytest.approx(width / height, rel=0.1)
    marked = tab.locator("#sheet .cursor").bounding_box()
    assert marked is not None
    assert marked["width"] / marked["height"] == pytest.approx(width / height, rel=0.15)


@pytest.mark.parametrize("name", [*SIDES, "tall-untrained"])
def test_a_cell_is_marked_at_the_same_place_of_map_and_photo(tab: Page, name: str) -> None:
    tab.goto(f"{OF.format(name=name)}/layers/{LAYER}/channels/1")
    expect(tab.locator("#numbers[data-crop]")).to_be_attached()
    tab.wait_for_function("document.querySelector('#map').naturalWidth > 0")
    tab.wait_for_function(LIT, arg="over-photo")
    shape = tab.evaluate("JSON.parse(document.querySelector('#map').dataset.shape)")
    shown = tab.evaluate(
        """() => {
          const map = document.querySelector("#map"), box = map.getBoundingClientRect();
          const scale = Math.min(box.width / map.naturalWidth, box.height / map.naturalHeight);
          const [wide, high] = [map.naturalWidth * scale, map.naturalHeight * scale];
          const [, rows, columns] = JSON.parse(map.dataset.shape);
          return { x: box.left + (box.width - wide) / 2, y: box.top + (box.height - high) / 2,
                   wide, high: wide * rows / columns };
        }"""
    )
    rows, columns = shape[1:]
    row, column = rows - 1, columns - 2
    tab.mouse.move(
        shown["x"] + (column + 0.5) / columns * shown["wide"],
        shown["y"] + (row + 0.5) / rows * shown["high"],
    )
    expect(tab.locator("#sees")).to_contain_text(f"cell ({row}, {column})")
    mark = tab.locator(".frame:has(#map) .field-mark")
    expect(mark).to_be_visible()
    box = mark.bounding_box()
    assert box is not None
    assert box["width"] == pytest.approx(shown["wide"] / columns, abs=6)
    assert box["height"] == pytest.approx(shown["high"] / rows, abs=6)
    assert box["y"] + box["height"] == pytest.approx(shown["y"] + shown["high"], abs=6)


@pytest.mark.parametrize("name", [*SIDES, "grey-untrained"])
def test_what_the_brush_covers_is_what_is_covered(tab: Page, name: str) -> None:
    """The lower right corner of the picture as it is shown, and nothing else."""
    tab.goto(f"{OF.format(name=name)}/covering")
    expect(tab.locator("#numbers h2, #numbers table").first).to_be_visible()
    tab.wait_for_function("document.querySelector('#cover img').naturalWidth > 0")
    height, width = SIDES[name.removesuffix("-untrained")]
    place = tab.evaluate(
        """([height, width]) => {
          const cover = document.getElementById("cover"), image = cover.querySelector("img");
          const box = image.getBoundingClientRect();
          const scale = Math.min(box.width / image.naturalWidth, box.height / image.naturalHeight);
          return { x: box.left + (box.width - image.naturalWidth * scale) / 2,
                   y: box.top + (box.height - image.naturalHeight * scale) / 2,
                   wide: width * scale, high: height * scale };
        }""",
        [height, width],
    )
    tab.mouse.click(place["x"] + 0.95 * place["wide"], place["y"] + 0.95 * place["high"])
    tab.wait_for_url("**mask=**")
    cells = tab.evaluate(
        """() => { const side = Number(document.getElementById("cover").dataset.side);
          return [...document.getElementById("cover").covering.cells].flatMap(
            (cell, k) => cell ? [[Math.floor(k / side) / side, k % side / side]] : []); }"""
    )
    assert cells
    middle = [sum(axis) / len(cells) for axis in zip(*cells, strict=True)]
    assert middle == pytest.approx([0.94, 0.94], abs=0.05)
