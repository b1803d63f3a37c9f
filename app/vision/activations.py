"""Activations: (feature maps [C,H,W]) -> numbers per channel, a scale, palette entries."""

from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor
from torch.nn import functional

from app.vision.colors import CENTRE, DEAD, LAST, Sided


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
        columns = (order, self.low, self.mean, self.high, self.share_active, self.dead)
        lists = [order.tolist(), *(column[order].tolist() for column in columns[1:])]
        names = ("channel", "min", "mean", "max", "share_active", "dead")
        return [dict(zip(names, row, strict=True)) for row in zip(*lists, strict=True)]


@dataclass(frozen=True)
class Scale:
    """What the colours mean: low and high of the whole layer, and who shares them.

    sided "one": 0..high, zero black; "signed": -m..m around zero with m the larger magnitude.
    """

    mode: Literal["layer", "channel"]
    low: float
    high: float
    sided: Sided


def maps(activation: Tensor) -> Tensor:
    """Feature maps [C,H,W] of the first picture of a batch; vectors [N,C] become [C,1,1]."""
    first = activation[0]
    if first.ndim > 3 or first.ndim == 0:
        raise ValueError(f"no channels in an activation of shape {tuple(activation.shape)}")
    return first[(...,) + (None,) * (3 - first.ndim)]


def statistics(feature_maps: Tensor) -> Statistics:
    """Low, mean, high and the share of positions above zero of each channel of [C,H,W]."""
    area = (1, 2)
    return Statistics(
        low=feature_maps.amin(area),
        mean=feature_maps.mean(area),
        high=feature_maps.amax(area),
        share_active=(feature_maps > 0).sum(area, dtype=torch.float32) / feature_maps[0].numel(),
    )


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


def ordered(numbers: Statistics, sort: Literal["index", "max", "mean"]) -> Tensor:
    """Channel numbers in the order of the sheet; ties keep the lower number first."""
    if sort == "index":
        return torch.arange(len(numbers.high))
    return (numbers.high if sort == "max" else numbers.mean).argsort(descending=True, stable=True)


def entries(feature_maps: Tensor, numbers: Statistics, scale: Scale) -> Tensor:
    """Palette entries uint8 [C,H,W]: exact zero is black, dead channels are hatched."""
    low, high = numbers.low, numbers.high
    reach = torch.maximum(-low, high) if scale.sided == "signed" else high
    if scale.mode == "layer":
        reach = reach.new_full(reach.shape, max(-scale.low, scale.high))
    factor = torch.where(reach > 0, (LAST if scale.sided == "one" else CENTRE) / reach, 0.0)
    values = feature_maps * factor[:, None, None]
    if scale.sided == "one":
        # Upwards: the smallest positive value is entry 1, so that black means zero and only zero.
        result = values.ceil_().clamp_(max=LAST).to(torch.uint8)
    else:
        result = values.add_(CENTRE).round_().clamp_(0, LAST).to(torch.uint8)
    dead = numbers.dead
    if dead.any():
        result[dead] = _hatch(feature_maps.shape[1:], CENTRE if scale.sided == "signed" else 0)
    return result


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
