"""Filters are drawn in the right colours, on one scale, strongest first."""

import torch

from app.vision.drawing.colors import CENTRE, LAST
from app.vision.drawing.filters import filter_inputs, layer_filters


def weights(device: str, *shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(4)).to(device)


def test_a_first_layer_is_rgb_with_grey_for_zero(device: str) -> None:
    kernel = torch.zeros(2, 3, 5, 5, device=device)
    kernel[0, 0] = 2.0
    kernel[1, 2] = -1.0
    drawn = layer_filters(kernel, bgr=False)
    assert (drawn.mode, drawn.reach) == ("rgb", 2.0)
    assert drawn.tiles[0, 0, 0].tolist() == [255, 128, 128]
    assert drawn.tiles[1, 0, 0].tolist() == [128, 128, 64]


def test_a_network_that_reads_bgr_is_shown_in_true_colours(device: str) -> None:
    kernel = weights(device, 4, 3, 3, 3)
    turned = layer_filters(kernel.flip(1), bgr=True).tiles
    assert torch.equal(turned, layer_filters(kernel, bgr=False).tiles)
    assert torch.equal(filter_inputs(kernel.flip(1), 2, bgr=True).tiles[0], turned[2])


def test_a_deeper_filter_shows_its_inputs_strongest_first(device: str) -> None:
    kernel = weights(device, 6, 8, 3, 3)
    drawn = filter_inputs(kernel, 4, bgr=False)
    norms = kernel[4].flatten(1).norm(dim=1)
    assert drawn.shown[0] == int(norms.argmax())
    assert drawn.norms == sorted(norms.tolist(), reverse=True)
    assert sorted(drawn.shown) == list(range(8))


def test_a_deeper_layer_shows_each_filter_by_its_strongest_input(device: str) -> None:
    kernel = weights(device, 6, 8, 3, 3)
    drawn = layer_filters(kernel, bgr=False)
    assert drawn.tiles.shape == (6, 3, 3)
    strongest = kernel[5, int(kernel[5].flatten(1).norm(dim=1).argmax())]
    expected = (strongest / kernel.abs().max() * CENTRE + CENTRE).round().clamp(0, LAST)
    assert drawn.tiles[5].tolist() == expected.int().tolist()


def test_one_by_one_convolutions_come_as_their_matrix(device: str) -> None:
    drawn = layer_filters(weights(device, 6, 8, 1, 1), bgr=False)
    assert (drawn.mode, tuple(drawn.tiles.shape)) == ("matrix", (1, 6, 8))


def test_weights_that_are_all_zero_are_all_middle(device: str) -> None:
    assert set(
        layer_filters(torch.zeros(2, 4, 3, 3, device=device), False).tiles.flatten().tolist()
    ) == {CENTRE}
