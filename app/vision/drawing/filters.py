"""Filters: (convolution weights [out,in,kh,kw]) -> tiles to look at, on one symmetric scale.

Zero is always the middle: grey in RGB, black in the diverging palette.
"""

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from app.vision.drawing.colors import CENTRE, LAST

Mode = Literal["rgb", "signed", "matrix"]


@dataclass(frozen=True)
class FilterTiles:
    """Tiles uint8 ([T,h,w] palette entries, or [T,h,w,3] RGB), what each shows, and the scale.

    `shown[k]` is the filter (whole layer) or the input channel (one filter) of tile k; `norms` its
    Euclidean norm. reach: the weights' largest magnitude, the end of the scale on both sides.
    """

    tiles: Tensor
    shown: list[int]
    norms: list[float]
    mode: Mode
    reach: float


def layer_filters(weights: Tensor, bgr: bool, reach: float = 0.0) -> FilterTiles:
    """One tile per filter: as RGB where it has three inputs, else its strongest input channel.

    Weights of 1x1 convolutions come as one tile, the matrix [out, in].
    reach: the end of a scale that is shared with other filters; 0: the layer's own.
    """
    reach = reach or _reach(weights)
    norms = weights.flatten(1).norm(dim=1)
    if weights.shape[1] == 3:
        tiles = _rgb(weights.flip(1) if bgr else weights, reach)
        return FilterTiles(tiles, _count(tiles), norms.tolist(), "rgb", reach)
    if weights.shape[2:] == (1, 1) and weights.shape[1] > 1:
        tiles = _signed(weights[None, :, :, 0, 0], reach)
        return FilterTiles(tiles, [0], [float(weights.norm())], "matrix", reach)
    strongest = weights.flatten(2).norm(dim=2).argmax(dim=1)
    tiles = _signed(weights[torch.arange(len(weights)), strongest], reach)
    return FilterTiles(tiles, _count(tiles), norms.tolist(), "signed", reach)


def filter_inputs(weights: Tensor, channel: int, bgr: bool, reach: float = 0.0) -> FilterTiles:
    """One filter: as RGB where it has three inputs, else a tile per input, strongest first."""
    reach = reach or _reach(weights)
    one = weights[channel]
    if len(one) == 3:
        tiles = _rgb((one.flip(0) if bgr else one)[None], reach)
        return FilterTiles(tiles, [channel], [float(one.norm())], "rgb", reach)
    norms = one.flatten(1).norm(dim=1)
    order = norms.argsort(descending=True, stable=True)
    tiles = _signed(one[order], reach)
    return FilterTiles(tiles, order.tolist(), norms[order].tolist(), "signed", reach)


def _count(tiles: Tensor) -> list[int]:
    return list(range(len(tiles)))


def _reach(weights: Tensor) -> float:
    return float(weights.abs().max()) or 1.0


def _rgb(weights: Tensor, reach: float) -> Tensor:
    """[T,3,h,w] -> uint8 [T,h,w,3], grey 128 for zero."""
    return (weights / reach * 127 + 128).round().clamp(0, 255).to(torch.uint8).permute(0, 2, 3, 1)


def _signed(weights: Tensor, reach: float) -> Tensor:
    """[T,h,w] -> palette entries uint8 [T,h,w], CENTRE for zero."""
    return (weights / reach * CENTRE + CENTRE).round().clamp(0, LAST).to(torch.uint8)
