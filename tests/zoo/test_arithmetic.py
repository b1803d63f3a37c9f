"""The sums of the board come to what PyTorch, the papers and gradients say."""

from collections.abc import Callable
from itertools import pairwise

import pytest
import torch
import torchvision
from hypothesis import given, settings
from hypothesis import strategies as st
from timm.layers.conv2d_same import Conv2dSame
from torch import nn

from app.zoo.architectures.alexnet import AlexNet
from app.zoo.arithmetic import (
    AUXILIARY_WEIGHT,
    Bottleneck,
    Convolution,
    Head,
    Seen,
    Slide,
    seen,
    stacked,
    training_loss,
)
from app.zoo.layers import Layer, layers

SIZES = st.integers(1, 40)


@settings(max_examples=60, deadline=None)
@given(SIZES, st.integers(1, 7), st.integers(1, 4), st.integers(0, 3), st.integers(1, 3))
def test_a_window_stops_where_pytorch_lets_it_stop(
    size: int, kernel: int, stride: int, padding: int, dilation: int
) -> None:
    slide = Slide(size, kernel, stride, padding, padding, dilation)
    convolution = nn.Conv1d(1, 1, kernel, stride, padding, dilation, device="meta")
    if slide.outputs == 0:
        with pytest.raises(RuntimeError):
            convolution(torch.empty(1, 1, size, device="meta"))
        return
    made = convolution(torch.empty(1, 1, size, device="meta"))
    assert slide.outputs == made.shape[-1]
    last = (slide.outputs - 1) * stride + slide.span
    assert last + slide.rest == size + 2 * padding


@settings(max_examples=50, deadline=None)
@given(SIZES, st.integers(1, 5), st.integers(1, 4), st.integers(0, 2))
def test_a_window_that_hangs_over_counts_as_pytorch_counts_it(
    size: int, kernel: int, stride: int, padding: int
) -> None:
    padding = min(padding, kernel // 2)
    slide = Slide(size, kernel, stride, padding, padding, ceil=True)
    if slide.room < 0:
        return
    pool = nn.MaxPool1d(kernel, stride, padding, ceil_mode=True)
    assert slide.outputs == pool(torch.zeros(1, 1, size)).shape[-1]


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 4), st.integers(1, 4), st.integers(1, 5), st.integers(1, 3), st.booleans())
def test_a_convolution_learns_as_many_numbers_as_pytorch_gives_it(
    channels: int, filters: int, kernel: int, groups: int, bias: bool
) -> None:
    module = nn.Conv2d(channels * groups, filters * groups, kernel, groups=groups, bias=bias)
    ours = Convolution(channels * groups, filters * groups, (kernel, kernel), groups, bias)
    assert ours.parameters == sum(parameter.numel() for parameter in module.parameters())
    assert ours.weights == module.weight.numel()


def test_the_figures_of_the_lecture() -> None:
    assert Slide(227, 11, 4).outputs == 55
    assert stacked(5) == 2
    assert Convolution(1, 1, (5, 5)).weights == 25
    assert 2 * Convolution(1, 1, (3, 3)).weights == 18
    assert seen([(3, 1), (3, 1)])[-1] == seen([(5, 1)])[-1]
    bottleneck = Bottleneck(14, 14, 480, 5, 48, 16)
    assert bottleneck.direct == pytest.approx(112.9e6, rel=1e-3)
    assert bottleneck.through == pytest.approx(5.3e6, rel=1e-2)
    assert training_loss(2.0, (3.0, 2.5), AUXILIARY_WEIGHT) == pytest.approx(3.65)


def test_heads_are_those_of_the_real_networks() -> None:
    for built, head in (
        (torchvision.models.alexnet, Head(256, 6, 6, (4096, 4096), 1000)),
        (torchvision.models.vgg16, Head(512, 7, 7, (4096, 4096), 1000)),
    ):
        with torch.device("meta"):
            module = built(weights=None)
        linear = [part for part in module.modules() if isinstance(part, nn.Linear)]
        assert head.connected == tuple(part.weight.numel() for part in linear)
    assert Head(1024, 7, 7, (), 1000).pooled == 1_024_000


def test_padding_by_the_inputs_size_is_told_as_it_was_used() -> None:
    """TensorFlow's puts the odd zero behind."""
    net = nn.Sequential(nn.Conv2d(3, 4, 5, padding="same"), Conv2dSame(4, 4, 3, 2))
    first, second = layers(net.to("meta"), (3, 10, 12))
    assert first.window is not None
    assert second.window is not None
    assert (first.window.front, first.window.back) == ((2, 2), (2, 2))
    assert (second.window.front, second.window.back) == ((0, 0), (1, 1))
    assert [second.window.slide(a, second.given[1 + a]).outputs for a in (0, 1)] == [5, 6]


def chain(net: nn.Module, side: int) -> list[Layer]:
    """The windows of a network without branches, in order."""
    found = layers(net.to("meta").eval(), (3, side, side))
    return [layer for layer in found if layer.window and not layer.field.whole]


PUBLISHED: dict[str, tuple[Callable[[], nn.Module], int, dict[str, int]]] = {
    "alexnet": (AlexNet, 227, {"conv1": 11, "conv2": 51, "conv3": 99, "conv4": 131, "conv5": 163,
                               "pool5": 195}),
    "vgg16": (lambda: torchvision.models.vgg16(weights=None), 224,
              {"features.2": 5, "features.7": 14, "features.14": 40, "features.21": 92,
               "features.28": 196, "features.30": 212}),
}  # fmt: skip


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_receptive_field_is_the_papers_and_the_gradients(name: str) -> None:
    """Summed up window by window; and measured on filters of ones, one channel wide."""
    build, side, fields = PUBLISHED[name]
    with torch.device("meta"):
        net = build()
    windows = chain(net, side)
    unit, parts, reached = Seen(), [], {}
    for layer in windows:
        assert layer.window is not None
        kernel, stride = layer.window.kernel[0], layer.window.stride[0]
        unit = unit.after(kernel, stride)
        assert unit.size == layer.receptive_field
        assert unit.jump == layer.stride
        part = nn.Conv1d(1, 1, kernel, stride, bias=False).double()
        nn.init.constant_(part.weight, 1.0)
        parts.append(part)
        if layer.name in fields:
            reached[layer.name] = measured(nn.Sequential(*parts))
    assert reached == fields


def measured(net: nn.Sequential) -> int:
    """How many positions of a long line the gradient of one unit in the middle reaches."""
    line = torch.ones(1, 1, 1500, dtype=torch.double, requires_grad=True)
    output = net(line)
    output[0, 0, output.shape[-1] // 2].backward()
    assert line.grad is not None
    hit = line.grad[0, 0].nonzero().flatten()
    return int(hit.max() - hit.min()) + 1


def test_seen_grows_with_every_window() -> None:
    sizes = [unit.size for unit in seen([(3, 2), (1, 1), (5, 1), (2, 2)])]
    assert sizes == [3, 3, 11, 13]
    assert all(before <= after for before, after in pairwise(sizes))
