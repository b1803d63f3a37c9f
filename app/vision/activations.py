"""Activations: (feature maps [C,H,W]) -> numbers per channel, a scale, palette entries."""

from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor
from torch.nn import functional

from app.vision.drawing.colors import CENTRE, DEAD, DEAD_COLOR, LAST, Sided
from app.zoo.preprocessing import Size, sides


@dataclass(frozen=True)
class Statistics:
    """What each channel does for one picture; every field is a tensor [C]."""

    low: Tensor
    mean: Tensor
    high: Tensor
    share_active: Tensor

    @property
    def dead(self) -> Tensor:
        """True where a channel is zero at every position."""
        return (self.low == 0) & (self.high == 0)

    def rows(self, order: Tensor) -> list[dict[str, Any]]:
        """One JSON row per channel, in the given order (a tensor of channel numbers)."""
        columns = (self.low, self.mean, self.high, self.share_active, self.dead)
        lists = (order.tolist(), *(column[order].tolist() for column in columns))
        return [
            {"channel": n, "min": low, "mean": mean, "max": high, "share_active": share, "dead": d}
            for n, low, mean, high, share, d in zip(*lists, strict=True)
        ]


@dataclass(frozen=True)
class Scale:
    """What the colours mean: low and high of the whole layer, and who shares them.

    sided "one": 0..high, zero black; "signed": -m..m around zero with m the larger magnitude.
    mode "told": the ends came from outside, and what lies beyond them looks as they do.
    """

    mode: Literal["layer", "channel", "told"]
    low: float
    high: float
    sided: Sided


def maps(activation: Tensor) -> Tensor:
    """Feature maps [C,H,W], contiguous, of a batch's first picture; vectors become [C,1,1].

    Contiguous, because everything that follows looks at one channel after another.
    """
    first = activation[0]
    if first.ndim > 3 or first.ndim == 0:
        raise ValueError(f"no channels in an activation of shape {tuple(activation.shape)}")
    first = first[(...,) + (None,) * (3 - first.ndim)]
    # As a matrix [C,H*W] it takes PyTorch half the time to copy that it takes as three dimensions.
    return first.flatten(1).contiguous().view(first.shape)


def statistics(feature_maps: Tensor) -> Statistics:
    """Low, mean, high and the share of positions above zero of each channel of [C,H,W]."""
    values = feature_maps.flatten(1)
    low = values.amin(1)
    signs = values.sign()  # counted by a sum, which is several times as fast as comparing
    if low.min() < 0:
        signs.clamp_(min=0)
    return Statistics(low=low, mean=values.mean(1), high=values.amax(1), share_active=signs.mean(1))


def layer_scale(numbers: Statistics, mode: Literal["layer", "channel"]) -> Scale:
    """The scale of a layer: one-sided when nothing in it is below zero."""
    low, high = float(numbers.low.min()), float(numbers.high.max())
    sided: Sided = "one" if low >= 0 else "signed"
    if mode == "channel":
        return Scale(mode, low, high, sided)
    if sided == "one":
        return Scale(mode, 0.0, high, sided)
    reach = max(-low, high)
    return Scale(mode, -reach, reach, sided)


def told_scale(numbers: Statistics, low: float, high: float) -> Scale:
    """A scale told from outside: signed when the layer or the scale goes below zero."""
    if low >= 0 and float(numbers.low.min()) >= 0:
        return Scale("told", 0.0, high, "one")
    reach = max(-low, high)
    return Scale("told", -reach, reach, "signed")


def beyond(numbers: Statistics, scale: Scale) -> int:
    """How many channels go beyond the ends of a scale."""
    return int(((numbers.low < scale.low) | (numbers.high > scale.high)).sum())


def ordered(numbers: Statistics, sort: Literal["index", "max", "mean"]) -> Tensor:
    """Channel numbers in the order of the sheet; ties keep the lower number first."""
    if sort == "index":
        return torch.arange(len(numbers.high), device=numbers.high.device)
    return (numbers.high if sort == "max" else numbers.mean).argsort(descending=True, stable=True)


def entries(feature_maps: Tensor, numbers: Statistics, scale: Scale) -> Tensor:
    """Palette entries uint8 [C,H,W]: exact zero is black, dead channels are hatched."""
    one_sided = scale.sided == "one"
    # A hair less than the whole range: rounding never leaves it, so nothing need be clamped.
    steps = (LAST if one_sided else CENTRE) - 1e-3
    values = feature_maps * _per_unit(numbers, scale, steps)
    # Upwards: the smallest positive value is entry 1, so that black means zero and only zero.
    values = values.ceil_() if one_sided else values.add_(CENTRE + 0.5)
    if scale.mode == "told":
        values.clamp_(0, LAST)
    result = _bytes(values)
    dead = numbers.dead
    if dead.any():
        ground = CENTRE if scale.sided == "signed" else 0
        result[dead] = _hatch(result.shape[1:], ground).to(result.device)
    return result


def _per_unit(numbers: Statistics, scale: Scale, steps: float) -> Tensor | float:
    """Palette steps per unit of activation: one number for the layer, or [C,1,1]."""
    if scale.mode != "channel":
        reach = max(-scale.low, scale.high)
        return steps / reach if reach > 0 else 0.0
    own = numbers.high if scale.sided == "one" else torch.maximum(-numbers.low, numbers.high)
    return torch.where(own > 0, steps / own, 0.0)[:, None, None]


def _bytes(values: Tensor) -> Tensor:
    """Whole parts of 0..255 as uint8: by way of int16, which is vectorised, straight is not."""
    return values.to(torch.int16).to(torch.uint8)


def hatch(size: Size) -> Tensor:
    """The same in colour, uint8 [*sides(size),3]: nothing excites this channel."""
    entries = _hatch(torch.Size(sides(size)), 0)[..., None]
    return torch.where(entries == DEAD, torch.tensor(DEAD_COLOR), 0).to(torch.uint8)


def _hatch(side: torch.Size, ground: int) -> Tensor:
    """A tile of faint diagonals: this channel is dead for this picture."""
    height, width = side
    diagonal = torch.arange(height)[:, None] + torch.arange(width)[None, :]
    return torch.where(diagonal % 4 == 0, DEAD, ground).to(torch.uint8)


def reduced(feature_maps: Tensor, side: int) -> Tensor:
    """Feature maps averaged over areas down to `side` positions wide (never enlarged)."""
    height, width = feature_maps.shape[1:]
    if side >= width:
        return feature_maps
    target = (max(1, round(side * height / width)), side)
    return functional.interpolate(feature_maps[None], size=target, mode="area")[0]
