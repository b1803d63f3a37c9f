"""Where a unit looks, checked by gradient: what reaches it lies just there, for any unit."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from app.zoo.fields import Placed
from app.zoo.keeper import Keeper
from app.zoo.layers import layers
from app.zoo.taps import tap

PAIR = st.tuples(st.integers(1, 4), st.integers(1, 4))
#: Kernel, stride, and how far the padding goes, each for H and W.
WINDOWS = st.tuples(PAIR, st.tuples(st.integers(1, 2), st.integers(1, 2)), st.booleans())


def reached(gradient: torch.Tensor) -> list[tuple[int, int]]:
    """First and last pixel that a gradient [1,C,H,W] is not zero at, per axis."""
    hit = gradient[0].abs().sum(0) > 0
    lines = (hit.any(1).nonzero(), hit.any(0).nonzero())
    return [(int(line.min()), int(line.max())) for line in lines]


def bounds(field: Placed, unit: tuple[int, int]) -> list[tuple[int, int]]:
    """First and last pixel that a unit sees, per axis."""
    starts = [field.start[a] + unit[a] * field.jump[a] for a in range(2)]
    return [(start, start + size - 1) for start, size in zip(starts, field.size, strict=True)]


@settings(max_examples=20, deadline=None)
@given(st.lists(WINDOWS, min_size=1, max_size=3), st.integers(0, 3), st.integers(0, 3))
def test_a_unit_sees_from_the_first_to_the_last_pixel_that_moves_it(
    windows: list[tuple[tuple[int, int], tuple[int, int], bool]], down: int, right: int
) -> None:
    parts = []
    for kernel, stride, padded in windows:
        padding = (kernel[0] // 2, kernel[1] // 2) if padded else (0, 0)
        parts.append(nn.Conv2d(1, 1, kernel, stride, padding, bias=False))
        nn.init.constant_(parts[-1].weight, 1.0)
    net = nn.Sequential(*parts).double()
    picture = torch.ones(1, 1, 112, 128, dtype=torch.double, requires_grad=True)
    output = net(picture)
    # Near the middle, where nothing is cut off at an edge.
    unit = (output.shape[2] // 2 - down, output.shape[3] // 2 - right)
    output[0, 0, unit[0], unit[1]].backward()
    assert picture.grad is not None
    field = layers(net.to("meta"), (1, 112, 128))[-1].field
    assert bounds(field, unit) == reached(picture.grad)
    assert not field.whole


@pytest.mark.parametrize("layer", ["layer1.0", "layer2.0"])
def test_no_unit_of_a_real_network_is_moved_from_outside_its_patch(
    keeper: Keeper, layer: str
) -> None:
    network = keeper.network("my-resnet")
    field = network.layers[layer].field
    batch = torch.rand(1, 3, 224, 224, generator=torch.Generator().manual_seed(0)).to(
        network.device
    )
    last = network.layers[layer].shape[1] - 1
    for unit in ((0, 0), (last // 2, last // 3), (last, last)):
        seen_by = batch.clone().requires_grad_()
        with tap(network, [layer]) as seen:
            network(seen_by)
        (moved,) = torch.autograd.grad(seen[layer][0, :, unit[0], unit[1]].sum(), seen_by)
        for (first, end), (low, high) in zip(reached(moved), bounds(field, unit), strict=True):
            assert (first, end) == (max(0, low), min(223, high))


def test_behind_a_global_pool_a_unit_sees_everything(keeper: Keeper) -> None:
    network = keeper.network("my-resnet")
    assert network.layers["fc"].field == Placed((0, 0), (224, 224), (0, 0), whole=True)
