"""The numbers and colours of an activation grid are true."""

import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from app.vision import activations
from app.vision.drawing.colors import CENTRE, LAST


def feature_maps(seed: int, channels: int, side: int, signed: bool) -> Tensor:
    maps = torch.randn(channels, side, side, generator=torch.Generator().manual_seed(seed))
    return maps if signed else maps.relu()


some_maps = st.builds(
    feature_maps, st.integers(0, 999), st.integers(1, 9), st.integers(1, 12), st.booleans()
)
MODES: tuple[activations.Mode, ...] = ("robust", "layer", "channel")
modes = st.sampled_from(MODES)


@given(some_maps)
def test_statistics_are_those_of_each_channel(device: str, maps: Tensor) -> None:
    maps = maps.to(device)
    rows = activations.statistics(maps).rows(torch.arange(len(maps)))
    for channel, row in enumerate(rows):
        values = maps[channel].flatten().tolist()
        assert row["channel"] == channel
        assert (row["min"], row["max"]) == (min(values), max(values))
        assert abs(row["mean"] - sum(values) / len(values)) < 1e-5
        active = sum(value > 0 for value in values) / len(values)
        assert abs(row["share_active"] - active) < 1e-6
        assert row["dead"] == (not any(values))


@given(some_maps, modes)
def test_zero_is_always_the_colour_of_zero_and_nothing_else_is(
    device: str, maps: Tensor, mode: activations.Mode
) -> None:
    maps = maps.to(device)
    maps[0, 0, 0] = 0.0
    numbers = activations.statistics(maps)
    scale = activations.layer_scale(numbers, mode)
    result = activations.entries(maps.clone(), numbers, scale)
    alive = ~numbers.dead
    if scale.sided == "one":
        assert torch.equal(result[alive] == 0, maps[alive] == 0)
    else:
        assert (result[alive][maps[alive] == 0] == CENTRE).all()
        assert ((result[alive].int() - CENTRE) * maps[alive] >= 0).all(), "a sign was turned"


@given(some_maps, modes)
def test_a_larger_activation_is_never_drawn_darker(
    device: str, maps: Tensor, mode: activations.Mode
) -> None:
    maps = maps.to(device)
    numbers = activations.statistics(maps)
    scale = activations.layer_scale(numbers, mode)
    result = activations.entries(maps.clone(), numbers, scale).int()
    groups = [maps[numbers.dead.logical_not()].flatten()] if mode != "channel" else list(maps)
    drawn = [result[numbers.dead.logical_not()].flatten()] if mode != "channel" else list(result)
    for values, shades, dead in zip(groups, drawn, [False] * 99, strict=False):
        if dead or values.numel() == 0 or not values.any():
            continue
        order = values.flatten().argsort()
        assert (shades.flatten()[order].diff() >= 0).all()


def test_the_strongest_position_of_the_layer_has_the_last_colour_on_both_scales(
    device: str,
) -> None:
    maps = feature_maps(1, 5, 6, signed=False).to(device)
    numbers = activations.statistics(maps)
    on_layer = activations.entries(maps.clone(), numbers, activations.layer_scale(numbers, "layer"))
    own = activations.entries(maps.clone(), numbers, activations.layer_scale(numbers, "channel"))
    assert on_layer.flatten()[maps.flatten().argmax()] == LAST
    assert own.amax((1, 2)).tolist() == [LAST] * 5


def test_a_signed_layer_is_centred_on_zero(device: str) -> None:
    maps = torch.tensor([[[-2.0, 1.0]], [[0.5, 0.0]]], device=device)
    scale = activations.layer_scale(activations.statistics(maps), "layer")
    assert (scale.low, scale.high, scale.sided) == (-2.0, 2.0, "signed")
    result = activations.entries(maps.clone(), activations.statistics(maps), scale)
    assert result[0, 0].tolist() == [0, CENTRE + CENTRE // 2]


def test_a_silent_channel_is_black_and_never_stretched(device: str) -> None:
    maps = feature_maps(2, 4, 8, signed=False).to(device)
    maps[2] = 0
    maps[3] = 1e-12
    numbers = activations.statistics(maps)
    assert numbers.dead.tolist() == [False, False, True, False]
    for mode in MODES:
        scale = activations.layer_scale(numbers, mode)
        result = activations.entries(maps.clone(), numbers, scale)
        assert not result[2].any()
        assert result[3].any(), "a little is not nothing"


def test_one_outlier_makes_no_dark_wall_of_the_others(device: str) -> None:
    """It ends at the upper quartile of the peaks of what is not silent; the rest is counted."""
    maps = torch.zeros(9, 2, 2, device=device)
    for channel, peak in enumerate((1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 800.0)):
        maps[channel, 0, 0] = peak
    numbers = activations.statistics(maps)
    scale = activations.layer_scale(numbers, "robust")
    assert (scale.low, scale.high, scale.sided) == (0.0, 6.0, "one")
    assert activations.clipped(maps, scale) == 2 / 36
    assert activations.beyond(numbers, scale) == 2
    drawn = activations.entries(maps.clone(), numbers, scale)[:, 0, 0].tolist()
    assert drawn[5:] == [LAST, LAST, LAST, 0]
    assert drawn[0] == -(-LAST // 6)
    signed = activations.layer_scale(activations.statistics(-maps), "robust")
    assert (signed.low, signed.high, signed.sided) == (-6.0, 6.0, "signed")
    assert activations.clipped(-maps, signed) == 2 / 36
    drawn = activations.entries(-maps, activations.statistics(-maps), signed)[:, 0, 0].tolist()
    assert drawn[5:] == [0, 0, 0, CENTRE]


def test_the_first_look_is_at_a_channel_with_structure(device: str) -> None:
    """Not at one that is the same everywhere, nor at one that answers to the padding alone."""
    maps = torch.zeros(4, 8, 8, device=device)
    maps[0] = 6.0
    maps[1, 0, :] = 6.0
    maps[1, :, 7] = 6.0
    maps[2, 2:5, 3:6] = 4.0
    numbers = activations.statistics(maps)
    assert activations.structured(maps, numbers) == 2
    vector = torch.tensor([[[1.0]], [[-3.0]], [[2.0]]], device=device)
    assert activations.structured(vector, activations.statistics(vector)) == 1
    flat = maps[:2]
    assert activations.structured(flat, activations.statistics(flat)) == 0


def test_equal_maxima_go_by_their_means(device: str) -> None:
    maps = torch.tensor([[[6.0, 0.0]], [[6.0, 3.0]], [[7.0, 0.0]], [[6.0, 3.0]]], device=device)
    order = activations.ordered(activations.statistics(maps), "max")
    assert order.tolist() == [2, 1, 3, 0]


def test_a_layer_without_any_activity_is_all_dead(device: str) -> None:
    maps = torch.zeros(3, 4, 4, device=device)
    numbers = activations.statistics(maps)
    for mode in MODES:
        scale = activations.layer_scale(numbers, mode)
        assert (scale.low, scale.high) == (0.0, 0.0)
        assert not activations.entries(maps, numbers, scale).any()
    assert activations.structured(maps, numbers) == 0


@given(some_maps, st.sampled_from(["max", "mean"]))
def test_sorting_puts_the_strongest_first_and_loses_none(
    device: str, maps: Tensor, sort: str
) -> None:
    maps = maps.to(device)
    numbers = activations.statistics(maps)
    order = activations.ordered(numbers, sort)  # type: ignore[arg-type]  # from hypothesis
    assert sorted(order.tolist()) == list(range(len(maps)))
    values = (numbers.high if sort == "max" else numbers.mean)[order]
    assert (values.diff() <= 0).all()


def test_vectors_count_as_maps_of_one_position() -> None:
    assert activations.maps(torch.arange(6.0).reshape(1, 6)).shape == (6, 1, 1)
    assert activations.maps(torch.zeros(1, 6, 2, 3)).shape == (6, 2, 3)


def test_reducing_keeps_the_mean_of_each_map(device: str) -> None:
    maps = feature_maps(3, 2, 224, signed=True).to(device)
    smaller = activations.reduced(maps, 112)
    assert smaller.shape == (2, 112, 112)
    assert torch.allclose(smaller.mean((1, 2)), maps.mean((1, 2)), atol=1e-5)
    assert activations.reduced(maps, 500) is maps


def test_on_a_told_scale_equal_values_of_two_layers_look_alike(device: str) -> None:
    weak, strong = (
        torch.full((1, 2, 2), 3.0),
        torch.tensor([[[3.0, 6.0], [0.0, 9.0]]], device=device),
    )
    drawn = []
    for maps in (weak, strong):
        numbers = activations.statistics(maps)
        scale = activations.told_scale(numbers, 0.0, 6.0)
        drawn.append(activations.entries(maps.clone(), numbers, scale))
        assert activations.beyond(numbers, scale) == int(maps is strong)
    assert drawn[0][0, 0, 0] == drawn[1][0, 0, 0]
    assert drawn[1][0].tolist()[1] == [0, LAST], "zero is black, what lies beyond looks as the end"
    signed = activations.told_scale(activations.statistics(-strong), 0.0, 6.0)
    assert (signed.low, signed.high, signed.sided) == (-6.0, 6.0, "signed")
