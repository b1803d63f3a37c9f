"""Networks of one channel and of inputs that are not square, on every page that others have."""

import io
import json
import re
from collections.abc import Iterator

import httpx
import pytest
from PIL import Image

from app.web import urls
from tests.asking import made
from tests.running import laterna
from tests.zoo.odd_inputs import SIDES, odd_inputs

LAYER = "layer2.0"
SAMPLE = "chelsea"


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    folder = tmp_path_factory.mktemp("inputs")
    models = odd_inputs(folder / "models")
    with laterna(folder / "data", LATERNA_MODELS_DIR=str(models)) as server:
        server.wait_until_ready()
        with server.client() as client:
            yield client


def picture(client: httpx.Client, url: str) -> Image.Image:
    answer = client.get(url)
    assert answer.status_code == 200, answer.text
    return Image.open(io.BytesIO(answer.content))


@pytest.mark.parametrize(
    ("name", "size", "said"),
    [
        ("grey", [1, 64, 128], "Squashed to 64 × 128 pixels, whatever its proportions"),
        ("tall", [3, 96, 64], "Scaled until it covers 108 × 72 pixels"),
    ],
)
def test_the_network_says_what_it_takes(
    client: httpx.Client, name: str, size: list[int], said: str
) -> None:
    known = client.get(urls.model(name, urls.JSON)).json()
    assert known["input_size"] == size
    assert known["preprocessing"]["crop"] == size[1:]
    page = client.get(urls.model(name)).text
    assert said in page
    assert ("grey from 0 to 1" in page) is (size[0] == 1)
    row = f"{size[1]} × {size[2]} px"
    assert row in client.get(urls.MODELS).text
    rows = client.get(urls.MODELS + urls.JSON).json()["models"]
    assert next(one for one in rows if one["name"] == name)["status"] == "ready"


@pytest.mark.parametrize("name", SIDES)
def test_every_page_of_a_picture_and_a_network_is_there(client: httpx.Client, name: str) -> None:
    of = (SAMPLE, name)
    addresses = [
        *(urls.prediction(*of, suffix) for suffix in ("", urls.JSON)),
        *(urls.grid(*of, LAYER, suffix) for suffix in ("", urls.JSON, urls.PNG)),
        *(urls.map(*of, LAYER, 3, suffix) for suffix in ("", urls.JSON, urls.PNG)),
        *(urls.where(*of, suffix) for suffix in ("", urls.JSON, urls.PNG)),
        *(urls.covering(*of, suffix) for suffix in ("", urls.JSON, urls.PNG)),
        *(urls.thumbnails(*of, suffix) for suffix in (urls.JSON, urls.PNG)),
        *(urls.graph(name, suffix, image=SAMPLE) for suffix in ("", urls.JSON)),
        urls.legend_sheet(*of, LAYER),
        urls.statistics(*of, LAYER),
        urls.all_statistics(*of),
        urls.grid_notebook(*of, LAYER),
        urls.channel_notebook(name, LAYER, 3),
        urls.firing(*of),
        urls.layer(name, LAYER),
        urls.filters(name, "conv1.0"),
        urls.filters_page(name, "conv1.0"),
        urls.channel(name, LAYER, 3),
        urls.side_by_side(left_image=SAMPLE, left_model=name, left_layer=LAYER),
        urls.architectures(models=f"{name},alexnet"),
        urls.visualization_new("class", name),
    ]
    for address in addresses:
        answer = client.get(address)
        assert answer.status_code == 200, (address, answer.text[:300])


@pytest.mark.parametrize("name", SIDES)
def test_the_crop_is_what_the_network_sees(client: httpx.Client, name: str) -> None:
    crop = client.get(urls.prediction(SAMPLE, name, urls.JSON)).json()["crop"]
    width, height = 451, 300
    if name == "grey":
        assert crop == [0, 0, width, height]
        return
    left, top, right, bottom = crop
    assert (right - left) / (bottom - top) == pytest.approx(64 / 96, rel=0.02)
    assert (bottom - top) / height == pytest.approx(96 / 108, rel=0.02)


@pytest.mark.parametrize("name", SIDES)
def test_pictures_have_the_proportions_of_the_input(client: httpx.Client, name: str) -> None:
    height, width = SIDES[name]
    for address in (
        urls.map(SAMPLE, name, LAYER, 0, urls.PNG),
        urls.where(SAMPLE, name, urls.PNG),
        urls.covering(SAMPLE, name, urls.PNG),
    ):
        shown = picture(client, address)
        assert shown.width / shown.height == pytest.approx(width / height, rel=0.01), address
    page = client.get(urls.grid(SAMPLE, name, LAYER)).text
    over = re.search(r'id="over-photo" width="(\d+)" height="(\d+)"', page)
    assert over is not None
    across, down = map(int, over.groups())
    assert across / down == pytest.approx(width / height, rel=0.01)
    assert max(across, down) == 256


@pytest.mark.parametrize("name", SIDES)
@pytest.mark.parametrize(
    "body",
    [
        {"kind": "class", "class": 1},
        {"kind": "channel", "layer": LAYER, "channel": 2},
        {"kind": "reconstruction", "layer": "act1", "image": SAMPLE},
    ],
)
def test_what_is_made_has_the_size_of_the_input(
    client: httpx.Client, name: str, body: dict[str, object]
) -> None:
    height, width = SIDES[name]
    known = made(client, {"model": name, "steps": 4, **body})
    shown = picture(client, known["url"] + urls.PNG)
    assert shown.size == (width, height)
    page = client.get(known["url"]).text
    assert "preserveAspectRatio" in page or body["kind"] != "reconstruction"
    code = client.get(urls.visualization_notebook(known["id"]))
    assert code.status_code == 200
    assert json.loads(code.text)["cells"]


@pytest.mark.parametrize("name", SIDES)
def test_other_long_work_is_done_too(client: httpx.Client, name: str) -> None:
    for body in (
        {"kind": "strip", "image": SAMPLE, "layers": ["act1", LAYER], "steps": 2},
        {"kind": "occlusion", "image": SAMPLE, "class": 0},
        {"kind": "atlas", "layer": "act1", "steps": 2},
    ):
        known = made(client, {"model": name, **body})
        assert client.get(known["url"]).status_code == 200
        assert picture(client, known["url"] + urls.PNG).width > 40


@pytest.mark.parametrize("name", SIDES)
def test_a_collection_is_looked_through(client: httpx.Client, name: str) -> None:
    made(client, {"kind": "index", "collection": "samples", "model": name})
    for address in (
        urls.collection_model("samples", name),
        urls.collection_layer("samples", name, LAYER),
        urls.neighbours("samples", name, LAYER, photo=1),
        urls.photo_map("samples", name, LAYER, method="pca"),
        urls.channel(name, LAYER, 3, collection="samples"),
    ):
        answer = client.get(address)
        assert answer.status_code == 200, (address, answer.text[:300])
