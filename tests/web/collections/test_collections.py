"""Collections by address: looked through by a real network, then asked about in many ways."""

import io
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from PIL import Image

from tests.asking import MODEL, ask, finish, made
from tests.running import Laterna

LAYER = "blocks.0.0.bn1"
INDEX = {"kind": "index", "collection": "samples", "model": MODEL}
SAMPLES = f"/collections/samples/models/{MODEL}"


@pytest.fixture(scope="module")
def client(server: Laterna) -> Iterator[httpx.Client]:
    with server.client() as client:
        yield client


@pytest.fixture(scope="module")
def index(client: httpx.Client) -> dict[str, Any]:
    """The samples, looked through; all layers of the real network."""
    assert client.get(f"{SAMPLES}.json").json()["state"] in ("none", "done")
    return made(client, INDEX)


def picture(client: httpx.Client, url: str) -> Image.Image:
    answer = client.get(url)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "image/jpeg"
    return Image.open(io.BytesIO(answer.content))


def test_before_it_was_looked_through_the_page_says_how(client: httpx.Client) -> None:
    name = f"{MODEL}-untrained"
    page = client.get(f"/collections/samples/models/{name}").text
    assert "has not been run over these photos yet" in page
    assert 'value="index"' in page
    answer = client.get(f"/collections/samples/models/{name}/layers/{LAYER}.json")
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "not_indexed")


def test_photos_are_cut_to_size(client: httpx.Client) -> None:
    rows = client.get("/collections/samples.json").json()["photos"]
    assert len(rows) == 8
    whole = picture(client, rows[0]["picture"])
    assert whole.size == (451, 300)
    part = picture(client, f"{rows[0]['picture']}?crop=100,50,30,60&size=120")
    assert part.size == (60, 120)
    expected = whole.crop((100, 50, 130, 110)).resize((60, 120))
    difference = sum(
        abs(one - other) for one, other in zip(part.tobytes(), expected.tobytes(), strict=True)
    )
    assert difference / len(part.tobytes()) < 6
    beyond = picture(client, f"{rows[0]['picture']}?crop=-50,-50,100,100&size=100")
    assert beyond.getpixel((10, 10)) == pytest.approx((128, 128, 128), abs=4)
    for wrong in ("1,2,3", "a,b,c,d", "0,0,0,10", "nan,0,5,5", "0,0,1e99,5"):
        answer = client.get(f"{rows[0]['picture']}?crop={wrong}")
        assert (answer.status_code, answer.json()["error"]["code"]) == (422, "wrong_field")
    assert client.get("/collections/samples/photos/8.jpg").status_code == 404
    assert client.get("/collections/elsewhere.json").status_code == 404


def test_every_layer_tells_how_many_channels_never_fire(
    client: httpx.Client, index: dict[str, Any]
) -> None:
    said = client.get(f"{SAMPLES}.json").json()
    assert (said["state"], said["index"], said["current"]) == ("done", index["id"], True)
    described = client.get(f"/models/{MODEL}.json").json()
    assert [row["name"] for row in said["layers"]] == [row["name"] for row in described["layers"]]
    layer = client.get(f"{SAMPLES}/layers/{LAYER}.json").json()
    row = next(row for row in said["layers"] if row["name"] == LAYER)
    assert len(layer["dead"]) == row["dead"] < row["channels"] == len(layer["channels"])
    page = client.get(SAMPLES).text
    assert "Dead channels" in page
    assert client.get(f"{SAMPLES}/layers/{LAYER}?sort=highest").status_code == 200


def test_a_dead_channel_is_dead_in_every_grid(client: httpx.Client, index: dict[str, Any]) -> None:
    """What the index says of a channel is what the grids of the same photos say."""
    layer = client.get(f"{SAMPLES}/layers/{LAYER}.json").json()
    highest = [0.0] * len(layer["channels"])
    for photo in index["photos"]:
        grid = client.get(f"/images/{photo['image']}/models/{MODEL}/layers/{LAYER}.json").json()
        for row in grid["channels"]:
            highest[row["channel"]] = max(highest[row["channel"]], row["max"])
    assert [n for n, high in enumerate(highest) if high == 0] == layer["dead"]
    assert [row["high"] for row in layer["channels"]] == pytest.approx(highest, abs=1e-3)


def test_a_channel_shows_the_photos_that_excite_it_cut_to_what_it_sees(
    client: httpx.Client, index: dict[str, Any]
) -> None:
    alive = next(row for row in index_channels(client) if row["fired"])["channel"]
    url = f"/models/{MODEL}/layers/{LAYER}/channels/{alive}"
    found = client.get(f"{url}.json?collection=samples").json()["evidence"]
    values = [row["value"] for row in found["best"]]
    assert values == sorted(values, reverse=True)
    assert [row["value"] for row in found["least"]] == sorted(
        row["value"] for row in found["least"]
    )
    layers = client.get(f"/models/{MODEL}.json").json()["layers"]
    field = next(row for row in layers if row["name"] == LAYER)["field"]
    best = found["best"][0]
    photo = index["photos"][best["n"]]
    left, top, right, bottom = photo["crop"]
    scale = (right - left) / 224
    assert best["crop"][2] <= field["size"][1] * scale + 0.01
    assert left - 0.01 <= best["crop"][0] <= right
    assert top - 0.01 <= best["crop"][1] <= bottom
    start = left + (field["start"][1] + field["jump"][1] * best["position"][1]) * scale
    assert best["crop"][0] == pytest.approx(max(left, start), abs=0.02)
    picture(client, best["picture"])
    page = client.get(f"{url}?collection=samples").text
    assert "Borowski" in page
    assert best["picture"].replace("&", "&amp;") in page
    assert client.get(f"{url}?collection=elsewhere").status_code == 404


def index_channels(client: httpx.Client) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = client.get(f"{SAMPLES}/layers/{LAYER}.json").json()["channels"]
    return rows


def test_one_picture_has_a_curve_too(client: httpx.Client) -> None:
    url = f"/images/chelsea/models/{MODEL}"
    said = client.get(f"{url}/firing.json").json()["layers"]
    grid = client.get(f"{url}/layers/{LAYER}.json").json()
    assert next(row for row in said if row["name"] == LAYER)["dead"] == grid["dead"]
    page = client.get(f"{url}/firing").text
    assert page.count("<circle") > 10


def test_ones_own_pictures_are_looked_through_for_oneself_alone(server: Laterna) -> None:
    with server.client() as ada, server.client() as bob:
        noise = io.BytesIO()
        Image.effect_noise((80, 80), 90).convert("RGB").save(noise, "PNG")
        image = ada.post("/images.json", files={"file": ("dot.png", noise.getvalue())}).json()
        empty = bob.post("/visualizations.json", json=INDEX | {"collection": "uploads"})
        assert (empty.status_code, empty.json()["error"]["code"]) == (409, "empty_collection")
        id = ask(ada, INDEX | {"collection": "uploads"})
        assert finish(ada, id)["state"] == "done"
        for url in (
            f"/visualizations/{id}",
            f"/visualizations/{id}.json",
            f"/visualizations/{id}.png",
        ):
            assert bob.get(url).status_code == 404
        listed = bob.get("/visualizations.json").json()
        assert id not in [row["id"] for row in listed["finished"]]
        own = f"/collections/uploads/models/{MODEL}.json"
        assert ada.get(own).json()["index"] == id
        assert bob.get(own).json()["index"] is None
        ada.delete(image["url"])
        assert ada.get(own).json()["index"] is None
        assert ada.get(f"/visualizations/{id}.json").json()["state"] == "unmade"


def test_a_photo_of_a_collection_is_opened_where_it_was_seen(client: httpx.Client) -> None:
    where = {"model": MODEL, "layer": LAYER, "channel": "3"}
    answer = client.post("/collections/samples/photos/0/open", data=where)
    assert answer.status_code == 303
    assert answer.headers["location"].endswith(f"/models/{MODEL}/layers/{LAYER}/channels/3")
