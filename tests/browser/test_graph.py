"""The drawn network: folding, choosing, finding, saving; and it never looks like spaghetti."""

import re
from dataclasses import asdict
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from playwright.sync_api import Locator, Page, expect
from torch import Tensor, nn

from app.zoo.graph import graph_of
from app.zoo.tracing import traced
from tests.running import Laterna

#: What of the drawing is not as it should be, and how much there is of it.
TANGLES = (Path(__file__).parent / "tangles.js").read_text("utf-8")


def drawn(page: Page, model: str, query: str = "") -> Locator:
    """Open the drawing, and wait until it is there; the network is described first."""
    assert page.request.get(f"/models/{model}/graph.json").status == 200
    page.goto(f"/models/{model}/graph{query}")
    stage = page.locator("#graph[data-drawn]")
    expect(stage).to_be_visible()
    return stage


def body(page: Page, name: str) -> Locator:
    return page.locator(f'[data-id="{name}"] > .body')


def open_box(page: Page, name: str) -> None:
    body(page, name).click(position={"x": 5, "y": 30})
    expect(page.locator(f'.open[data-id="{name}"]')).to_be_attached()


def tangles(page: Page) -> dict[str, Any]:
    found: dict[str, Any] = page.evaluate(TANGLES)
    return found


def in_view(page: Page, name: str) -> bool:
    inside: bool = page.evaluate(
        """(name) => {
          const a = document.querySelector('#graph').getBoundingClientRect();
          const b = document.querySelector(`[data-id="${name}"] > .body`).getBoundingClientRect();
          return b.top >= a.top && b.bottom <= a.bottom && b.left >= a.left && b.right <= a.right;
        }""",
        name,
    )
    return inside


def test_an_inception_module_unfolds_to_its_branches(page: Page) -> None:
    drawn(page, "googlenet-2014")
    expect(page.locator(".node")).to_have_count(7)
    open_box(page, "@28x28.1")
    before = body(page, "inception_3a").bounding_box()
    open_box(page, "inception_3a")
    after = page.locator('[data-id="inception_3a"] > .head').bounding_box()
    assert before is not None
    assert after is not None
    assert abs(before["y"] - after["y"]) < 3, "what is pressed stays where it is"
    inside = page.locator('[data-id^="inception_3a."], [data-id="@0"]')
    expect(inside).to_have_count(8)
    names = [text.split("\n")[0] for text in inside.locator(".name").all_text_contents()]
    assert sorted(names) == sorted(
        ["3 × 3 convolution", "5 × 5 convolution", "3 × 3 max pool", "concatenation"]
        + ["1 × 1 convolution"] * 4
    )
    expect(page.locator("#chosen h2")).to_have_text("inception_3a")
    expect(page.locator("#chosen")).to_contain_text("163,696")
    expect(page).to_have_url(re.compile(r"layer=inception_3a$"))
    page.locator('[data-id="inception_3a"] > .head').click(position={"x": 3, "y": 10})
    expect(inside).to_have_count(0)


@pytest.mark.parametrize("model", ["vgg16", "googlenet", "densenet121", "resnet50"])
def test_nothing_is_tangled_folded_or_unfolded(page: Page, model: str) -> None:
    """No line runs through a box, nothing overlaps, no two lines cross."""
    drawn(page, model)
    folded = tangles(page)
    assert 5 <= folded["items"] <= 14
    many = 0
    while (now := tangles(page))["items"] > many:
        assert (now["through"], now["overlapping"], now["crossing"]) == ([], [], [])
        many = now["items"]
        page.click("[data-do=unfold]")
    assert many == page.evaluate("drawing.tree.items.size")


class Twice(nn.Module):
    """A block that reads two things, the second one late, as in no network of the catalogue."""

    class Late(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.one, self.two = nn.Conv2d(4, 512, 3), nn.Conv2d(512, 4, 3)

        def forward(self, early: Tensor, late: Tensor) -> Tensor:
            given: Tensor = self.two(self.one(early)) + late
            return given

    def __init__(self) -> None:
        super().__init__()
        self.stem, self.side, self.late = nn.Conv2d(3, 4, 3), nn.Conv2d(4, 4, 5), Twice.Late()

    def forward(self, picture: Tensor) -> Tensor:
        stem = self.stem(picture)
        given: Tensor = self.late(stem, self.side(stem))
        return given


def test_a_network_of_ones_own_is_drawn_as_well(page: Page) -> None:
    size = (3, 32, 32)
    graph = asdict(graph_of(traced(Twice().to("meta").eval(), size), size))
    for row in (*graph["nodes"], *graph["boxes"]):
        row["url"] = None
    told = {"model": "own", "title": "Own", "trained": True, "thumbnails": None, **graph}
    page.route("**/graph.json*", lambda route: route.fulfill(json=told))
    page.goto("/models/efficientnet-lite0/graph")
    expect(page.locator("#graph[data-drawn]")).to_be_visible()
    page.click("[data-do=unfold]")
    expect(page.locator('[data-id="late.two"]')).to_be_attached()
    now = tangles(page)
    assert (now["through"], now["overlapping"]) == ([], [])


def test_the_chosen_layer_is_in_view_and_stays_there(page: Page) -> None:
    name = "features.denseblock3.denselayer12.conv2"
    drawn(page, "densenet121", f"?layer={name}")
    expect(page.locator("#chosen h2")).to_have_text(name)
    assert in_view(page, name)
    page.click("[data-do=unfold]")
    assert in_view(page, name)
    page.click("[data-do=in]")
    page.click("[data-do=fold]")
    assert in_view(page, "features.denseblock3"), "the box that holds it"


def test_found_and_followed_by_keys_alone(page: Page) -> None:
    drawn(page, "resnet50")
    page.locator("#find").focus()
    page.keyboard.type("layer3.4 3")
    expect(page.locator("#found")).to_have_text(re.compile(r"of \d+"))
    page.keyboard.press("Enter")
    expect(page.locator("#found")).to_have_text(re.compile(r"^1 of \d+"))
    expect(page.locator(".node.chosen")).to_have_count(1)
    page.locator("#find").fill("layer2.1.conv2")
    page.keyboard.press("Enter")
    assert in_view(page, "layer2.1.conv2")
    page.locator("#graph").focus()
    page.keyboard.press("ArrowDown")
    expect(page.locator("#chosen h2")).to_have_text("layer2.1.bn2")
    page.keyboard.press("]")
    expect(page.locator("#chosen h2")).to_have_text("layer2.1.relu_1")
    page.keyboard.press("[")
    page.keyboard.press("ArrowUp")
    expect(page.locator("#told")).to_contain_text("3 × 3 convolution")
    before = page.evaluate("drawing.zoom")
    page.keyboard.press("+")
    assert page.evaluate("drawing.zoom") > before


def test_it_is_moved_by_dragging_and_sized_by_the_wheel(page: Page) -> None:
    drawn(page, "vgg16")
    page.click("[data-do=unfold]")
    page.evaluate("stage.scrollTop = 200")
    box = page.locator("#graph").bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + 200
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x, y - 60, steps=4)
    page.mouse.up()
    assert page.evaluate("stage.scrollTop") == 260
    expect(page.locator(".node.chosen")).to_have_count(0)
    zoom = page.evaluate("drawing.zoom")
    page.keyboard.down("Control")
    page.mouse.wheel(0, -150)
    page.keyboard.up("Control")
    page.wait_for_function(f"drawing.zoom > {zoom}")


def test_a_picture_shows_the_strongest_map_of_each_layer_and_all_is_saved(
    page: Page, tmp_path: Path
) -> None:
    drawn(page, "efficientnet-lite0", "?image=chelsea&layer=conv_stem")
    expect(page.locator("#graph[data-thumbs]")).to_be_visible()
    known = page.request.get("/images/chelsea/models/efficientnet-lite0/thumbnails.json").json()
    row = next(row for row in known["layers"] if row["layer"] == "conv_stem")
    grid = page.request.get(
        "/images/chelsea/models/efficientnet-lite0/layers/conv_stem.json?scale=layer"
    )
    numbers = grid.json()
    strongest = max(numbers["channels"], key=lambda one: max(one["max"], -one["min"]))
    assert row["channel"] == strongest["channel"]
    assert (row["low"], row["high"]) == (numbers["scale"]["low"], numbers["scale"]["high"])
    expect(page.locator("#thumb-link")).to_have_text(f"Channel {row['channel']}")
    expect(page.locator("#thumb-ends")).to_have_text(re.compile(r"^-?\d.*0.*\d$"))
    assert page.request.get(page.locator("#thumb-link").get_attribute("href") or "").ok
    shades = page.evaluate(
        """() => new Set(document.querySelector('#thumb').getContext('2d')
                  .getImageData(0, 0, 192, 192).data).size"""
    )
    assert shades > 20
    assert page.locator(".node use").count() >= 8
    with page.expect_download() as saving:
        page.click("[data-do=save]")
    file = tmp_path / "graph.svg"
    saving.value.save_as(file)
    text = file.read_text("utf-8")
    whole = ElementTree.fromstring(text)
    assert "conv_stem" in text
    assert "own scale" in text, "the scale is said"
    hrefs = [v for part in whole.iter() for k, v in part.attrib.items() if k.endswith("href")]
    assert all(href.startswith(("data:image/", "#")) for href in hrefs), "it needs nothing else"
    assert "class=" not in text
    fills = {part.get("fill") for part in whole.iter() if part.tag.endswith("rect")}
    assert len(fills) > 3


def test_the_network_is_on_screen_after_the_click(page: Page) -> None:
    """How soon is measured by benchmarks/graph.py."""
    page.goto("/models/densenet121")
    page.get_by_role("link", name="Architecture diagram").click()
    page.wait_for_selector("#graph[data-drawn]")


def test_an_untrained_network_says_so_in_red(page: Page) -> None:
    drawn(page, "alexnet-untrained", "?image=coffee")
    expect(page.locator("h1 .untrained")).to_be_visible()


def test_without_scripts_it_is_a_list_that_folds(
    page_without_javascript: Page, server: Laterna
) -> None:
    page = page_without_javascript
    assert page.request.get(f"{server.url}/models/resnet18/graph.json").status == 200
    page.goto(f"{server.url}/models/resnet18/graph?layer=layer1.0.conv1")
    expect(page.locator("#chosen h2")).to_have_text("layer1.0.conv1")
    page.locator("summary", has_text="layer1.0").click()
    page.locator(".graph-list a", has_text="conv1").nth(1).click()
    expect(page.locator("h1")).to_contain_text("conv1")
