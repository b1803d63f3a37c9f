"""Covering: (picture, cells of a mask, what to fill with) -> the picture without them."""

import math
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional

from app.vision import masks
from app.vision.masks import SIDE

Fill = Literal["mean", "blur", "noise"]
#: Standard deviation of the blur, as a share of the picture's side: colours stay, no shape does.
BLUR = 1 / 12


def cells(mask: str) -> Tensor:
    """The cells of a written mask, bool [SIDE,SIDE]. Raises ValueError for what is none."""
    packed = torch.frombuffer(bytearray(masks.read(mask)), dtype=torch.uint8)
    bits = (packed[:, None] >> torch.arange(7, -1, -1)) & 1
    return bits.bool().view(SIDE, SIDE)


def covered(batch: Tensor, mask: Tensor, fill: Tensor) -> Tensor:
    """The batch [1,3,H,W] with `fill` [1,3,H,W] where the mask's cells are set."""
    size = (batch.shape[2], batch.shape[3])
    sized = functional.interpolate(mask[None, None].float(), size=size, mode="nearest")
    return torch.where(sized.to(batch.device).bool(), fill, batch)


def filling(batch: Tensor, fill: Fill, low: Tensor, high: Tensor, seed: int = 0) -> Tensor:
    """What lies under a cover, [1,3,H,W], in the network's own units.

    mean: 0, which its preprocessing makes of the mean colour; blur: the picture without shapes;
    noise: of the picture's own mean and deviation, within low..high [1,3,1,1].
    """
    match fill:
        case "mean":
            return torch.zeros_like(batch)
        case "blur":
            return blurred(batch, BLUR * min(batch.shape[2:]))
        case "noise":
            generator = torch.Generator().manual_seed(seed)
            noise = torch.randn(batch.shape, generator=generator).to(batch.device)
            mean, spread = batch.mean((2, 3), keepdim=True), batch.std((2, 3), keepdim=True)
            return (mean + noise * spread).clamp(low, high)


def blurred(batch: Tensor, deviation: float) -> Tensor:
    """A Gaussian blur, mirrored at the edges as far as the picture reaches."""
    reach = min(math.ceil(3 * deviation), batch.shape[2] - 1, batch.shape[3] - 1)
    places = torch.arange(-reach, reach + 1, dtype=torch.float32, device=batch.device)
    weights = torch.exp(-((places / deviation) ** 2) / 2)
    weights = weights / weights.sum()
    channels = batch.shape[1]
    padded = functional.pad(batch, (reach, reach, reach, reach), mode="reflect")
    across = weights.view(1, 1, 1, -1).expand(channels, 1, 1, -1)
    down = weights.view(1, 1, -1, 1).expand(channels, 1, -1, 1)
    return functional.conv2d(
        functional.conv2d(padded, across, groups=channels), down, groups=channels
    )
