"""A reconstruction is held against the picture the network saw; a strip goes from early to late."""

from dataclasses import replace

import pytest
import torch
from PIL import Image

from app.studio.makers import Workshop
from app.studio.makers.synthesis.strip_layers import strip_layers
from app.studio.recipes import Reconstruction, Strip
from app.vision.ascent import pictured
from app.vision.pixels import in_pixels
from tests.studio.makers.synthesis.driving import made, opened

LITE0 = "efficientnet-lite0"


def pixels(picture: bytes | None) -> torch.Tensor:
    """[3,H,W] of 0..255."""
    image = opened(picture)
    values = torch.tensor(list(image.tobytes())).view(image.height, image.width, 3)
    return values.permute(2, 0, 1).float()


def test_errors_are_those_of_the_kept_picture(workshop: Workshop, photo: str) -> None:
    wanted = Reconstruction(model=LITE0, layer="blocks.0.0", image="a", source=photo, steps=6)
    result = made(workshop, wanted)
    facts = result.facts
    network = workshop.network(LITE0)
    heard: list[torch.Tensor] = []
    handle = network.module.get_submodule("blocks.0.0").register_forward_hook(
        lambda *told: heard.append(told[2].detach())
    )
    with Image.open(photo) as picture, torch.no_grad():
        seen = network.prepare(picture)
        network.module(seen)
        network.module((pixels(result.picture)[None] - 127) / 128)
    handle.remove()
    error = (heard[1] - heard[0]).norm() / heard[0].norm()
    assert facts["relative_error"] == pytest.approx(float(error), rel=1e-3)
    original = (seen[0] * 128 + 127).round().clamp(0, 255)
    squared = (pixels(result.picture) - original).square().mean()
    assert facts["psnr"] == pytest.approx(float(10 * (255**2 / squared).log10()), rel=1e-3)
    assert 0 < facts["ssim"] < 1
    assert facts["scores"][-1] < facts["scores"][0], "the error falls"
    assert facts["crop"] == list(network.crop_box(*picture.size))


def test_a_strip_goes_from_early_to_late(workshop: Workshop, photo: str) -> None:
    result = made(workshop, Strip(model="tiny", image="a", source=photo, steps=8))
    facts = result.facts
    layers = workshop.network("tiny").layers
    order = [list(layers).index(row["layer"]) for row in facts["layers"]]
    assert order == sorted(order)
    assert 5 <= len(order) <= 8
    assert [row["part"] for row in facts["layers"]] == [
        f"{n}.png" for n in range(1, len(order) + 1)
    ]
    for place, row in enumerate(facts["layers"], 1):
        assert row["shape"] == list(layers[row["layer"]].shape)
        left = 2 + place * 66
        alone = opened(result.parts[row["part"]])
        assert alone.tobytes() == opened(result.picture).crop((left, 2, left + 64, 66)).tobytes()
    original = opened(result.parts[facts["original"]])
    assert original.tobytes() == opened(result.picture).crop((2, 2, 66, 66)).tobytes()


def test_what_a_network_sees_is_shown_in_its_true_colours(workshop: Workshop) -> None:
    """Also where its weights take blue first, from 0 to 255."""
    network = workshop.network("tiny")
    caffe = replace(
        network.preprocessing, channels="BGR", range=255.0, mean=(104, 117, 123), std=(1, 1, 1)
    )
    red = Image.new("RGB", (72, 72), (200, 30, 10))
    for seen in (network, replace(network, preprocessing=caffe)):
        tile = in_pixels(pictured(seen, seen.prepare(red)))
        assert tile[0, 30, 30].tolist() == [200, 30, 10]


@pytest.mark.parametrize("layer", ["maxpool", "layer4.0", "fc"])
def test_every_kind_of_layer_can_be_rebuilt_from(
    layer: str, workshop: Workshop, photo: str
) -> None:
    recipe = Reconstruction(model="tiny", layer=layer, image="a", source=photo, steps=40)
    facts = made(workshop, recipe).facts
    assert facts["relative_error"] < facts["scores"][0]


def test_a_strip_takes_the_layers_it_is_given(workshop: Workshop, photo: str) -> None:
    wanted = ("conv1.2", "layer2.0")
    recipe = Strip(model="tiny", image="a", source=photo, steps=2, layers=wanted)
    facts = made(workshop, recipe).facts
    assert tuple(row["layer"] for row in facts["layers"]) == wanted


@pytest.mark.parametrize(
    ("model", "first", "last"),
    [
        (LITE0, "bn1", "bn2"),
        ("tiny", "conv1.2", "layer4.0"),
        ("other", "features.1", "classifier.2"),
    ],
)
def test_layers_of_a_strip_cover_the_depth(
    workshop: Workshop, model: str, first: str, last: str
) -> None:
    layers = workshop.network(model).layers
    chosen = strip_layers(layers)
    assert (chosen[0], chosen[-1]) == (first, last)
    assert 5 <= len(chosen) <= 8
    sides = [layers[name].shape[1] for name in chosen]
    assert sides == sorted(sides, reverse=True)
    assert len(set(sides)) >= 4
