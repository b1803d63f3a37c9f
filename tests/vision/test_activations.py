"""The numbers and colours of an activation grid are true."""

import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from app.vision import activations
from app.vision.drawing.colors import CENTRE, DEAD, LAST


def feature_maps(seed: int, channels: int, side: int, signed: bool) -> Tensor:
    maps = torch.randn(channels, side, side, generator=torch.Generator().manual_seed(seed))
    return maps if signed else maps.relu()


some_maps = st.builds(
    feature_maps, st.integers(0, 999), st.integers(1, 9), st.integers(1, 12), st.booleans()
)
modes = st.sampled_from(["layer", "channel"])


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
    device: str, maps: Tensor, mode: str
) -> None:
    maps = maps.to(device)
    maps[0, 0, 0] = 0.0
    numbers = activations.statistics(maps)
    scale = activations.layer_scale(numbers, mode)  # type: ignore[arg-type]  # from hypothesis
    result = activations.entries(maps.clone(), numbers, scale)
    alive = ~numbers.dead
    if scale.sided == "one":
        assert torch.equal(result[alive] == 0, maps[alive] == 0)
    else:
        assert (result[alive][maps[alive] == 0] == CENTRE).all()
        assert ((result[alive].int() - CENTRE) * maps[alive] >= 0).all(), "a sign was turned"


@given(some_maps, modes)
def test_a_larger_activation_is_never_drawn_darker(device: str, maps: Tensor, mode: str) -> None:
    maps = maps.to(device)
    numbers = activations.statistics(maps)
    scale = activations.layer_scale(numbers, mode)  # type: ignore[arg-type]  # from hypothesis
    result = activations.entries(maps.clone(), numbers, scale).int()
    groups = [maps[numbers.dead.logical_not()].flatten()] if mode == "layer" else list(maps)
    drawn = [result[numbers.dead.logical_not()].flatten()] if mode == "layer" else list(result)
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


def test_a_dead_channel_is_hatched_and_never_stretched(device: str) -> None:
    maps = feature_maps(2, 4, 8, signed=False).to(device)
    maps[2] = 0
    maps[3] = 1e-12
    numbers = activations.statistics(maps)
    assert numbers.dead.tolist() == [False, False, True, False]
    for mode in ("layer", "channel"):
        scale = activations.layer_scale(numbers, mode)
        result = activations.entries(maps.clone(), numbers, scale)
        assert set(result[2].flatten().tolist()) == {0, DEAD}
        assert DEAD not in result[3]


def test_a_layer_without_any_activity_is_all_dead(device: str) -> None:
    maps = torch.zeros(3, 4, 4, device=device)
    numbers = activations.statistics(maps)
    scale = activations.layer_scale(numbers, "layer")
    assert (scale.low, scale.high) == (0.0, 0.0)
    assert set(activations.entries(maps, numbers, scale).flatten().tolist()) == {0, DEAD}


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
