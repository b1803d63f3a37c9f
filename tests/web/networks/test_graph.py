"""The drawn network as JSON, and the strongest maps on one sheet."""

import io

import pytest
from PIL import Image

from tests.running import Laterna

UNTRAINED = "squeezenet1_1-untrained"


def test_the_twin_tells_what_is_drawn_and_the_model_leaves_it_out(server: Laterna) -> None:
    with server.client() as client:
        said = client.get("/models/resnet18/graph.json").json()
        model = client.get("/models/resnet18.json").json()
    assert "graph" not in model
    rows = {row["id"]: row for row in (*said["nodes"], *said["boxes"])}
    assert {name for name, row in rows.items() if row["layer"]} == {
        layer["name"] for layer in model["layers"]
    }
    assert rows["layer1.0"]["url"] == "/models/resnet18/layers/layer1.0"
    assert said["thumbnails"] is None
    assert rows["@picture"]["url"] is None


def test_with_a_picture_layers_lead_to_their_maps(server: Laterna) -> None:
    with server.client() as client:
        said = client.get("/models/resnet18/graph.json?image=coffee").json()
    assert said["thumbnails"] == "/images/coffee/models/resnet18/thumbnails.json"
    (row,) = [row for row in said["nodes"] if row["id"] == "conv1"]
    assert row["url"] == "/images/coffee/models/resnet18/layers/conv1"


@pytest.mark.parametrize("form", ["", ".json"])
@pytest.mark.parametrize(
    "address",
    ["/models/nothing/graph{}", "/models/resnet18/graph{}?image=nothing",
     "/models/resnet18/graph{}?layer=nothing"],
)  # fmt: skip
def test_what_is_not_there_is_said(server: Laterna, address: str, form: str) -> None:
    with server.client() as client:
        assert client.get(address.format(form)).status_code == 404


def test_thumbnails_of_a_network_that_cannot_be_run_say_why(server: Laterna) -> None:
    with server.client() as client:
        answer = client.get("/images/coffee/models/resnet18/thumbnails.json")
        page = client.get("/models/resnet18/graph?image=coffee")
    assert answer.status_code == 409
    assert "untrained" in page.text
    assert "data-thumbnails" not in page.text


def test_the_strongest_maps_are_on_one_sheet_each_in_its_place(server: Laterna) -> None:
    address = f"/images/coffee/models/{UNTRAINED}"
    with server.client() as client:
        said = client.get(f"{address}/thumbnails.json").json()
        sheet = Image.open(io.BytesIO(client.get(f"{address}/thumbnails.png").content))
        layers = client.get(f"/models/{UNTRAINED}.json").json()["layers"]
        grid = client.get(f"{address}/layers/features.4.json?scale=layer").json()
    assert said["trained"] is False
    assert [row["layer"] for row in said["layers"]] == [
        layer["name"] for layer in layers if layer["shape"][1] * layer["shape"][2] > 1
    ]
    plan, colors = said["sheet"], sheet.convert("RGB")
    assert sheet.size == (plan["width"], plan["height"])
    assert (224, 36, 36) in {color for _, color in colors.getcolors(4096) or []}, "marked in red"
    (row,) = [row for row in said["layers"] if row["layer"] == "features.4"]
    strongest = max(grid["channels"], key=lambda one: one["max"])
    assert (row["channel"], row["sided"]) == (strongest["channel"], "one")
    tile = colors.crop((row["x"], row["y"], row["x"] + plan["tile"], row["y"] + plan["tile"]))
    red, green, blue = tile.split()
    assert strongest["max"] == grid["scale"]["high"]
    assert max(red.tobytes()) > 150, (
        "its highest point is the scale's end, but for the reduction to a tile"
    )
    assert red.tobytes() == green.tobytes() == blue.tobytes()
