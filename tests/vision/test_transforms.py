"""Transforms and canvases do what their numbers say."""

import pytest
import torch
from torch import Tensor

from app.vision.canvas import Fourier
from app.vision.transforms import GREY, Affine, Chain, Noise


def draws(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def square(device: str, size: int = 64, side: int = 16) -> Tensor:
    """A white square in the middle of grey."""
    pictures = torch.full((1, 3, size, size), GREY, device=device)
    start = (size - side) // 2
    pictures[..., start : start + side, start : start + side] = 1.0
    return pictures


def area(pictures: Tensor) -> float:
    """Pixels of white."""
    return float(((pictures - GREY) * 2).mean(1).sum())


def test_an_affine_that_may_do_nothing_does_nothing(device: str) -> None:
    pictures = torch.rand(2, 3, 20, 20, generator=draws()).to(device)
    assert torch.allclose(Affine()(pictures, draws()), pictures, atol=1e-5)


def test_a_zoom_of_two_shows_four_times_the_area_and_keeps_the_place(device: str) -> None:
    assert area(square(device)) == 256
    assert area(Affine(scale=(2.0, 2.0))(square(device), draws())) == pytest.approx(1024, rel=0.05)
    assert area(Affine(scale=(0.5, 0.5))(square(device), draws())) == pytest.approx(64, rel=0.1)


def test_a_crop_keeps_the_size_of_things(device: str) -> None:
    seen = Affine(out=48)(square(device), draws())
    assert seen.shape == (1, 3, 48, 48)
    assert area(seen) == pytest.approx(256, rel=0.01)


def test_shifts_stay_within_their_limit_and_reach_it(device: str) -> None:
    ways = []
    for seed in range(40):
        white = Affine(shift=8.0)(square(device), draws(seed))[0, 0] > 0.75
        rows = white.any(1).nonzero()
        ways.append(float(rows.float().mean()) - 31.5)
    assert max(abs(way) for way in ways) <= 8.6
    assert max(ways) > 5
    assert min(ways) < -5


def test_turning_keeps_the_area_and_every_picture_has_its_own_draw(device: str) -> None:
    pictures = square(device).expand(4, -1, -1, -1)
    seen = Affine(degrees=40.0)(pictures, draws())
    assert area(seen) == pytest.approx(4 * 256, rel=0.02)
    assert len({round(float(one.var()), 6) for one in seen.flatten(1)}) > 1 or not torch.equal(
        seen[0], seen[1]
    )


def test_flips_mirror_about_half(device: str) -> None:
    pictures = torch.full((64, 3, 8, 8), GREY, device=device)
    pictures[..., :4] = 1.0
    seen = Affine(flips=True)(pictures, draws())
    mirrored = int((seen[:, 0, 4, 7] > 0.9).sum())
    assert 16 < mirrored < 48
    assert int((seen[:, 0, 4, 0] > 0.9).sum()) == 64 - mirrored


def test_beyond_the_edges_is_grey(device: str) -> None:
    white = torch.ones(1, 3, 32, 32, device=device)
    assert float(Affine(scale=(0.5, 0.5))(white, draws())[0, 0, 0, 0]) == GREY


def test_mirrors_continue_the_picture_beyond_its_edges(device: str) -> None:
    white = torch.ones(1, 3, 32, 32, device=device)
    seen = Affine(scale=(0.5, 0.5), mirrors=True)(white, draws())
    assert torch.allclose(seen, white, atol=1e-5)


def test_noise_has_its_deviation_and_a_chain_keeps_the_order(device: str) -> None:
    grey = torch.full((1, 3, 100, 100), GREY, device=device)
    assert float(Noise(0.1)(grey, draws()).std()) == pytest.approx(0.1, rel=0.05)
    both = Chain((Affine(out=50), Noise(0.1)))(grey, draws())
    assert both.shape[-1] == 50
    assert float(both.std()) == pytest.approx(0.1, rel=0.05)


def test_a_canvas_starts_near_grey_within_range(device: str) -> None:
    pictures = Fourier(2, 40, draws(), device=torch.device(device))().detach()
    assert pictures.shape == (2, 3, 40, 40)
    assert float((pictures - 0.5).abs().max()) < 0.1


def test_a_coarse_fourier_canvas_holds_low_frequencies_only(device: str) -> None:
    canvas = Fourier(
        1, 64, draws(), device=torch.device(device), gain=4.0, power=0.5, deviation=0.1
    )
    canvas.only = 4.0
    spectrum = torch.fft.rfft2(torch.logit(canvas().detach()))[0, 0].abs()
    high = spectrum[10:54].sum() + spectrum[:, 10:].sum()
    assert float(high) < 1e-2 * float(spectrum.sum())
    canvas.only = None
    spectrum = torch.fft.rfft2(torch.logit(canvas().detach()))[0, 0].abs()
    assert float(spectrum[10:54].sum()) > 0.1 * float(spectrum.sum())
