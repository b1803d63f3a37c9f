"""What a newcomer's script does first: a sample, an own photo, three layers, one untrained."""

import io

import pytest
from PIL import Image

from app.settings import ROOT
from tests.running import Laterna

MODEL = "efficientnet-lite0"
LAYERS = ("conv_stem", "blocks.2.0", "bn2")


def test_the_script_of_a_newcomer(server: Laterna) -> None:
    with server.client() as client:
        top = client.get(f"/images/chelsea/models/{MODEL}.json").json()["top"]
        assert "cat" in top[0]["label"]
        assert len(top) == 5

        photo = (ROOT / "static" / "samples" / "coffee.jpg").read_bytes()
        taken = client.post("/images.json", files={"file": ("my cup.jpg", photo)})
        assert taken.status_code == 201
        address = taken.json()["url"]
        own = client.get(f"{address}/models/{MODEL}.json").json()["top"]
        assert own[0]["label"] == "espresso"

        for layer in LAYERS:
            grid = client.get(f"{address}/models/{MODEL}/layers/{layer}.json").json()
            assert grid["dead"] == sum(row["dead"] for row in grid["channels"])
            assert len(grid["channels"]) == grid["shape"][0]
            png = client.get(f"{address}/models/{MODEL}/layers/{layer}.png")
            with Image.open(io.BytesIO(png.content)) as sheet:
                assert sheet.size == (grid["sheet"]["width"], grid["sheet"]["height"])

        untrained = client.get(f"{address}/models/googlenet-2014-untrained/layers/conv1")
        assert "UNTRAINED" in untrained.text.upper()
        assert client.delete(address).status_code in (200, 204)
        assert client.get(f"{address}/models/{MODEL}/layers/bn2.png").status_code == 404


def test_the_known_numbers_of_dead_channels(server: Laterna) -> None:
    """ReLU6 after the first convolution leaves five of the 32 channels dark for Chelsea."""
    with server.client() as client:
        grid = client.get(f"/images/chelsea/models/{MODEL}/layers/bn1.json").json()
    scale = grid["scale"]
    assert (scale["mode"], scale["sided"], scale["low"]) == ("robust", "one", 0.0)
    assert (scale["high"], scale["peak"]) == pytest.approx((6.0, 6.0)), (
        "three quarters reach the clip"
    )
    assert scale["beyond"] == 0.0
    assert [row["channel"] for row in grid["channels"] if row["dead"]] == [11, 16, 28, 29, 31]
