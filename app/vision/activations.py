"""Activations: (feature maps [C,H,W]) -> numbers per channel, a scale, palette entries."""

import math
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor
from torch.nn import functional

from app.vision.drawing.colors import CENTRE, DEAD_COLOR, LAST, Sided
from app.zoo.preprocessing import Size, sides

Mode = Literal["robust", "layer", "channel"]
#: Of the channels that are not silent, the share whose own peaks lie within a robust scale.
WITHIN = 0.75


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

    @property
    def peaks(self) -> Tensor:
        """The largest magnitude of each channel."""
        return torch.maximum(-self.low, self.high)

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
    mode "robust": m is the upper quartile of the channels' own peaks, so that one outlier makes no
    dark wall of the others; "told": the ends came from outside. What lies beyond looks as the ends.
    """

    mode: Mode | Literal["told"]
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


def layer_scale(numbers: Statistics, mode: Mode) -> Scale:
    """The scale of a layer: one-sided when nothing in it is below zero."""
    low, high = float(numbers.low.min()), float(numbers.high.max())
    sided: Sided = "one" if low >= 0 else "signed"
    if mode == "channel":
        return Scale(mode, low, high, sided)
    reach = _upper_quartile(numbers.peaks.tolist()) if mode == "robust" else max(-low, high)
    return Scale(mode, 0.0 if sided == "one" else -reach, reach, sided)


def _upper_quartile(peaks: list[float]) -> float:
    """The least peak that a share WITHIN of those above zero does not exceed; 0 without any."""
    lit = sorted(peak for peak in peaks if peak > 0)
    return lit[math.ceil(WITHIN * len(lit)) - 1] if lit else 0.0


def told_scale(numbers: Statistics, low: float, high: float) -> Scale:
    """A scale told from outside: signed when the layer or the scale goes below zero."""
    if low >= 0 and float(numbers.low.min()) >= 0:
        return Scale("told", 0.0, high, "one")
    reach = max(-low, high)
    return Scale("told", -reach, reach, "signed")


def beyond(numbers: Statistics, scale: Scale) -> int:
    """How many channels go beyond the ends of a scale."""
    return int(((numbers.low < scale.low) | (numbers.high > scale.high)).sum())


def clipped(feature_maps: Tensor, scale: Scale) -> float:
    """The share of values that lie beyond the ends of a scale, 0..1."""
    count = (feature_maps > scale.high).sum()
    if scale.sided == "signed":
        count = count + (feature_maps < scale.low).sum()
    return int(count) / feature_maps.numel()


def ordered(numbers: Statistics, sort: Literal["index", "max", "mean"]) -> Tensor:
    """Channel numbers in the order of the sheet.

    Equal maxima, as clipping makes them (ReLU6), go by their means, equal means by their numbers.
    """
    if sort == "index":
        return torch.arange(len(numbers.high), device=numbers.high.device)
    by_mean = numbers.mean.argsort(descending=True, stable=True)
    if sort == "mean":
        return by_mean
    return by_mean[numbers.high[by_mean].argsort(descending=True, stable=True)]


def structured(feature_maps: Tensor, numbers: Statistics) -> int:
    """The channel worth a first look: the one whose map [H,W] varies most within.

    Its standard deviation over the positions is the largest, the outermost left out, where padding
    answers and no picture. Where there is no within, the one that reaches furthest from zero.
    """
    inner = feature_maps[:, 1:-1, 1:-1].flatten(1)
    spread = inner.std(1) if inner.shape[1] > 1 else numbers.peaks
    return int((spread if spread.any() else numbers.peaks).argmax())


def entries(feature_maps: Tensor, numbers: Statistics, scale: Scale) -> Tensor:
    """Palette entries uint8 [C,H,W]: exact zero is black, and only zero."""
    one_sided = scale.sided == "one"
    # A hair less than the whole range: rounding never leaves it, so nothing need be clamped.
    steps = (LAST if one_sided else CENTRE) - 1e-3
    values = feature_maps * _per_unit(numbers, scale, steps)
    # Upwards: the smallest positive value is entry 1, so that black means zero and only zero.
    values = values.ceil_() if one_sided else values.add_(CENTRE + 0.5)
    if scale.mode in ("told", "robust"):
        values.clamp_(0, LAST)
    return _bytes(values)


def _per_unit(numbers: Statistics, scale: Scale, steps: float) -> Tensor | float:
    """Palette steps per unit of activation: one number for the layer, or [C,1,1]."""
    if scale.mode != "channel":
        reach = max(-scale.low, scale.high)
        return steps / reach if reach > 0 else 0.0
    own = numbers.peaks
    return torch.where(own > 0, steps / own, 0.0)[:, None, None]


def _bytes(values: Tensor) -> Tensor:
    """Whole parts of 0..255 as uint8: by way of int16, which is vectorised, straight is not."""
    return values.to(torch.int16).to(torch.uint8)


def hatch(size: Size) -> Tensor:
    """A tile of faint diagonals, uint8 [*sides(size),3]: nothing excites this channel."""
    height, width = sides(size)
    diagonal = (torch.arange(height)[:, None] + torch.arange(width)[None, :])[..., None]
    return torch.where(diagonal % 4 == 0, torch.tensor(DEAD_COLOR), 0).to(torch.uint8)


def reduced(feature_maps: Tensor, side: int) -> Tensor:
    """Feature maps averaged over areas down to `side` positions wide (never enlarged)."""
    height, width = feature_maps.shape[1:]
    if side >= width:
        return feature_maps
    target = (max(1, round(side * height / width)), side)
    return functional.interpolate(feature_maps[None], size=target, mode="area")[0]
