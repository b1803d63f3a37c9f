"""Fine grain: none in what is smooth, all in a checkerboard, and noise has its yardstick."""

import math
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from app.vision.smoothness import CUTOFF, grain, noise


def shares(weights: torch.Tensor) -> list[float | None]:
    found = grain(weights)
    assert found is not None
    return found.filters


def test_noise_has_the_share_of_the_frequencies_whatever_the_filters_size(device: str) -> None:
    assert noise() == pytest.approx(1 - math.pi * CUTOFF**2, abs=0.01)
    generator = torch.Generator().manual_seed(1)
    for side in (2, 3, 5, 7, 11):
        weights = torch.randn(300, 4, side, side, generator=generator).to(device)
        found = grain(weights)
        assert found is not None
        assert found.mean is not None
        assert found.mean == pytest.approx(noise(), abs=0.02)


def test_smooth_is_little_and_a_checkerboard_is_all(device: str) -> None:
    along = torch.arange(7) - 3.0
    bell = torch.exp(-(along**2) / 4)
    places = torch.arange(7)[:, None] + torch.arange(7)
    board = (places % 2 * 2 - 1).float()
    both = torch.stack((bell[:, None] * bell, board))[:, None].to(device)
    smooth, rough = shares(both)
    assert smooth is not None
    assert smooth < 0.02
    assert rough is not None
    assert rough > 0.98


def test_it_is_the_transforms_share(device: str) -> None:
    weights = torch.randn(3, 4, 5, 5, generator=torch.Generator().manual_seed(2)).to(device)
    power = torch.fft.fft2(weights.double(), s=(64, 64)).abs().square()
    along = torch.fft.fftfreq(64, dtype=torch.double, device=device)
    above = torch.hypot(along[:, None], along) > CUTOFF
    expected = (power * above).sum(dim=(1, 2, 3)) / power.sum(dim=(1, 2, 3))
    assert shares(weights) == pytest.approx(expected.tolist(), rel=1e-4)


def test_a_filter_of_zeros_has_no_share_and_1x1_have_no_frequencies(device: str) -> None:
    weights = torch.ones(2, 3, 3, 3, device=device)
    weights[1] = 0
    found = grain(weights)
    assert found is not None
    assert found.filters[1] is None
    assert found.mean == found.filters[0]
    assert grain(torch.ones(4, 8, 1, 1, device=device)) is None


@pytest.mark.parametrize(("name", "layers"), [("alexnet_conv", 5), ("googlenet", 20)])
def test_every_layer_of_the_published_networks_is_smoother_than_noise(
    weights_folder: Path, device: str, name: str, layers: int
) -> None:
    weights = load_file(weights_folder / f"{name}.safetensors")
    found = [
        grain(value.to(device))
        for value in weights.values()
        if value.ndim == 4 and value.shape[2] > 1
    ]
    means = [one.mean for one in found if one is not None and one.mean is not None]
    assert len(means) == layers
    assert max(means) < noise() - 0.05
