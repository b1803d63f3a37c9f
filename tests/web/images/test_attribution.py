"""Where a network looked, and what it needs, by HTTP: any class, any layer, one's own picture."""

import io
import json
import re

import httpx
import pytest
from PIL import Image

from app.vision import masks
from tests.asking import ask, finish
from tests.bad_pictures import encoded
from tests.running import PATIENCE, Laterna

MODEL = "efficientnet-lite0"
COFFEE = f"/images/coffee/models/{MODEL}"
WHERE, COVERING = f"{COFFEE}/where", f"{COFFEE}/covering"
ESPRESSO, CUP = 967, 968
#: Where the coffee is in what the network sees, and as large a piece of the table; in per cent.
BREW = {"left": 20, "top": 15, "width": 55, "height": 40}
TABLE = {"left": 45, "top": 60, "width": 55, "height": 40}


def test_the_likeliest_class_is_looked_for_unless_another_is_named(server: Laterna) -> None:
    with server.client() as client:
        first = client.get(f"{WHERE}.json").json()
        other = client.get(f"{WHERE}.json", params={"class": CUP, "layer": "blocks.4.0"}).json()
        top = client.get(f"{COFFEE}.json").json()["top"]
    assert (first["class"], first["label"]) == (top[0]["class"], top[0]["label"])
    assert first["probability"] == pytest.approx(top[0]["probability"], rel=1e-4)
    assert first["shape"] == [7, 7]
    assert len(first["map"]) == 7
    assert first["high"] == pytest.approx(max(max(row) for row in first["map"]), rel=0.01)
    assert first["scale"]["high"] == -first["scale"]["low"] == max(first["high"], -first["low"])
    assert (other["class"], other["label"], other["shape"]) == (CUP, "cup", [14, 14])


def test_pictures_and_page_say_the_same_class(server: Laterna) -> None:
    with server.client() as client:
        query: dict[str, str | int] = {"class": CUP, "layer": "blocks.6.0"}
        client.get(f"{WHERE}.json", params=query)
        page = client.get(WHERE, params=query | {"q": "coffee mug"}).text
        lit = client.get(f"{WHERE}.png", params=query)
        alone = client.get(f"{WHERE}.png", params=query | {"look": "map"})
    assert "for “cup”" in page
    assert re.search(r'href="[^"]*class=504[^"]*layer=blocks.6.0[^"]*">coffee mug</a>', page)
    assert f"{WHERE}.png?class={CUP}&amp;layer=blocks.6.0" in page
    for answer in (lit, alone):
        with Image.open(io.BytesIO(answer.content)) as picture:
            assert picture.size == (448, 448)
    with Image.open(io.BytesIO(alone.content)) as picture:
        cells = [picture.convert("RGB").getpixel((32 + 64 * x, 32)) for x in range(7)]
        assert len(set(cells)) > 1, "a map of 7 cells, magnified"
        assert picture.convert("RGB").getpixel((1, 1)) == picture.convert("RGB").getpixel((62, 62))
        assert json.loads(picture.info["Laterna recipe"])["class"] == CUP
        assert "image" not in json.loads(picture.info["Laterna recipe"])


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ({"class": 1000}, 404, "unknown_class"),
        ({"class": "x"}, 422, "wrong_field"),
        ({"layer": "nothing"}, 404, "unknown_layer"),
        ({"layer": "classifier"}, 409, "no_places"),
        ({"method": "guessing"}, 422, "wrong_field"),
        ({"method": "occlusion", "class": 3}, 409, "not_made"),
    ],
)
def test_what_cannot_be_looked_for_is_said(
    server: Laterna, query: dict[str, str | int], status: int, code: str
) -> None:
    with server.client() as client:
        answer = client.get(f"{WHERE}.png", params=query)
        assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)


def test_what_is_covered_decides_what_it_is_taken_for(server: Laterna) -> None:
    """Of two pieces as large as each other, the one with the coffee is what it needs."""
    with server.client() as client:
        told = {
            name: client.get(f"{COVERING}.json", params=part).json()
            for name, part in (("brew", BREW), ("table", TABLE))
        }
    after = {}
    for name, facts in told.items():
        assert facts["share"] == pytest.approx(0.55 * 0.4, abs=0.02)
        assert facts["before"][0]["class"] == ESPRESSO
        rows = {row["class"]: row for row in facts["moved"]}
        assert {row["class"] for row in (*facts["before"], *facts["after"])} == set(rows)
        assert rows[ESPRESSO]["before"] == facts["before"][0]["probability"]
        after[name] = rows[ESPRESSO]["after"]
    assert after["brew"] < after["table"]


def test_the_same_cover_has_the_same_address_by_cells_and_by_numbers(server: Laterna) -> None:
    mask = masks.written(masks.rectangle(**BREW))
    with server.client() as client:
        by_numbers = client.get(f"{COVERING}.json", params=BREW).json()
        by_cells = client.get(f"{COVERING}.json", params={"mask": mask}).json()
        padded = client.get(f"{COVERING}.json", params={"mask": mask + "AA"}).json()
        page = client.get(COVERING, params=BREW).text
        blurred = client.get(f"{COVERING}.png", params={"mask": mask, "fill": "blur"})
        grey = client.get(f"{COVERING}.png", params={"mask": mask})
        wrong = client.get(f"{COVERING}.json", params={"mask": "?"})
    assert by_numbers == by_cells == padded
    assert by_numbers["mask"] == mask
    assert f"mask={mask}" in page
    assert "Covered" in page
    assert blurred.content != grey.content
    with Image.open(io.BytesIO(grey.content)) as picture:
        assert picture.convert("RGB").getpixel((100, 80)) == (127, 127, 127)
        assert picture.convert("RGB").getpixel((100, 5)) != (127, 127, 127)
    assert wrong.status_code == 422
    assert "mask" in wrong.json()["error"]["message"]


def test_a_page_asks_for_its_numbers_and_tells_them_without_scripts(server: Laterna) -> None:
    fresh = {"left": 1, "top": 1, "width": 7, "height": 7}
    with server.client() as client:
        page = client.get(COVERING, params=fresh).text
        assert 'hx-trigger="load"' in page
        assert "<noscript><meta" in page
        headers = {
            "HX-Request": "true",
            "HX-Request-Type": "partial",
            "HX-Target": "section#numbers",
        }
        block = client.get(COVERING, params=fresh, headers=headers).text
        assert block.lstrip().startswith('<section id="numbers"')
        assert "espresso" in block
        assert "http-equiv" not in client.get(COVERING, params=fresh).text


def test_what_comes_of_ones_own_picture_is_ones_own(server: Laterna) -> None:
    with server.client() as mine, httpx.Client(base_url=server.url, timeout=PATIENCE) as other:
        id = mine.post("/images.json", files={"file": ("a.jpg", encoded("JPEG"))}).json()["id"]
        for page in ("where", "covering"):
            address = f"/images/{id}/models/{MODEL}/{page}"
            for suffix in ("", ".json", ".png"):
                assert mine.get(address + suffix).status_code == 200
                assert other.get(address + suffix).status_code == 404


def test_an_occlusion_map_is_asked_for_made_and_shown(server: Laterna) -> None:
    body = {"kind": "occlusion", "image": "coffee", "class": ESPRESSO, "window": 112}
    with server.client() as client:
        before = client.get(f"{WHERE}.json", params={"method": "occlusion"}).json()
        assert before["visualization"] is None
        assert before["ask"]["body"]["class"] == ESPRESSO
        made = finish(client, ask(client, body))
        assert made["state"] == "done", made["error"]
        page = client.get(made["url"]).text
        wrong = client.post("/visualizations.json", json=body | {"window": 500})
        state = finish(client, wrong.json()["id"])
        unknown = client.post("/visualizations.json", json=body | {"class": 5000})
    assert made["steps"] == len(made["probabilities"]) == 3
    assert made["method"]["passes"] == 9
    lowest = min(min(row) for row in made["probabilities"])
    assert made["worst"]["probability"] == pytest.approx(lowest, rel=0.01)
    left, top, right, bottom = made["worst"]["box"]
    assert right - left == bottom - top == 112
    assert "espresso in A cup of coffee, covered bit by bit" in page
    assert state["error"]["code"] == "wrong_field"
    assert (unknown.status_code, unknown.json()["error"]["code"]) == (404, "unknown_class")
