"""A reconstruction comes closer to what a layer knows of a picture, by either way."""

import math
from pathlib import Path

import pytest
import torch
from PIL import Image
from torch import Tensor

from app.vision import ascent, likeness, reconstruction
from app.zoo.keeper import Network
from app.zoo.taps import given, outputs_through

ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.fixture(scope="module")
def batch(lite0: Network) -> Tensor:
    """A prepared photo."""
    with Image.open(ROOT / "static" / "samples" / "chelsea.jpg") as photo:
        return lite0.prepare(photo)


def relative_error(network: Network, layer: str, pictures: Tensor, batch: Tensor) -> float:
    with torch.no_grad():
        ours = ascent.heard(network, {layer}, ascent.normalized(network, pictures))[layer]
        aim = ascent.heard(network, {layer}, batch)[layer]
    return float((ours - aim).norm() / aim.norm())


def test_matching_an_early_layer_gives_the_photo_again(lite0: Network, batch: Tensor) -> None:
    layer = "blocks.0.0"
    method = reconstruction.method_for(lite0, layer, "quick", steps=40)
    generator = ascent.seeded(0)
    steps = list(reconstruction.reconstruct(lite0, layer, batch, method, generator))
    errors = [float(step.scores) for step in steps]
    assert errors[-1] < 0.35 * errors[0]
    assert [step.step for step in steps] == sorted({step.step for step in steps})
    assert (steps[-1].step, steps[-1].steps) == (40, 40)
    told = relative_error(lite0, layer, steps[-1].pictures(), batch)
    assert told == pytest.approx(errors[-1], rel=1e-3)
    original = ascent.pictures_of(lite0, batch)
    assert likeness.psnr(steps[-1].pictures(), original) > 20
    assert likeness.ssim(steps[-1].pictures(), original) > 0.5


def test_a_step_of_matching_costs_no_pass_that_is_not_counted(
    lite0: Network, batch: Tensor
) -> None:
    passes: list[int] = []
    method = reconstruction.method_for(lite0, "blocks.0.0", "quick", steps=12)
    with outputs_through(lite0.module, {"conv_stem": lambda i, o: passes.append(1)}):
        for step in reconstruction.reconstruct(
            lite0, "blocks.0.0", batch, method, ascent.seeded(0)
        ):
            done = step.step
    assert done == 12
    assert len(passes) - 1 <= 12 + reconstruction.SEARCH  # one more for what is wanted


def test_the_last_layer_is_climbed_by_likeness(lite0: Network, batch: Tensor) -> None:
    assert reconstruction.by_likeness(lite0, "bn2")
    assert not reconstruction.by_likeness(lite0, "blocks.3.0")
    assert reconstruction.linear_part(lite0, "bn2") == given("bn2")
    assert reconstruction.linear_part(lite0, "blocks.3.0") == "blocks.3.0"
    method = reconstruction.method_for(lite0, "bn2", "quick", steps=60)
    generator = ascent.seeded(0)
    steps = list(reconstruction.reconstruct(lite0, "bn2", batch, method, generator))
    assert len(steps) == 60
    assert float(steps[-1].scores) < 0.93 * float(steps[0].scores)


def test_psnr_and_ssim_are_those_of_the_textbooks(device: str) -> None:
    picture = torch.rand(1, 3, 32, 32, generator=torch.Generator().manual_seed(0)).to(device)
    assert likeness.psnr(picture, picture) == math.inf
    assert likeness.ssim(picture, picture) == pytest.approx(1.0)
    assert likeness.psnr(picture * 0 + 0.5, picture * 0 + 0.6) == pytest.approx(20.0, abs=1e-3)
    assert likeness.ssim(1 - picture, picture) < 0
    flat, lighter = (torch.full((1, 3, 32, 32), grey, device=device) for grey in (0.4, 0.6))
    light = (2 * 0.4 * 0.6 + 1e-4) / (0.4**2 + 0.6**2 + 1e-4)
    assert likeness.ssim(flat, lighter) == pytest.approx(light, rel=1e-3)
