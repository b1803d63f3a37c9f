"""Heat: (a map of where a class was seen, the photo) -> the photo, lit where the map is not 0.

As on the pages of channels: the photo is dim, and lit in the map's colours; 0 is no light.
"""

import torch
from torch import Tensor
from torch.nn import functional

from app.vision.activations import entries, statistics
from app.vision.activations import Scale as Scale
from app.vision.colors import palette

#: Warm speaks for the class, cold against it; zero is black.
NAME = "berlin"
#: How much of the photo stays where there is no light.
DIM = 0.3
GREY = (0.299, 0.587, 0.114)


def scale_of(heat: Tensor) -> Scale:
    """Zero in the middle, and the larger magnitude at both ends."""
    reach = float(heat.abs().max())
    return Scale("layer", -reach, reach, "signed")


def plain(heat: Tensor, scale: Scale) -> Tensor:
    """A map [H,W] as palette entries, uint8 [1,H,W]."""
    maps = heat[None].float().cpu()
    numbers = statistics(maps)
    result = entries(maps, numbers, scale)
    if numbers.dead.any():  # nothing speaks for or against it: dark, but not a dead channel
        result[:] = entries(torch.zeros_like(maps) + 1e-30, statistics(maps + 1e-30), scale)
    return result


def over(photo: Tensor, heat: Tensor, scale: Scale, side: int) -> Tensor:
    """The photo [1,3,H,W] of 0..1 under the light of a map [h,w]: uint8 [1,side,side,3].

    The map is drawn out evenly between the middles of its cells.
    """
    ground = _sized(photo.float().cpu(), side)[0]
    drawn = _sized(heat[None, None].float().cpu(), side)[0, 0]
    colors = torch.frombuffer(bytearray(palette(NAME, "signed")), dtype=torch.uint8).view(-1, 3)
    light = colors[plain(drawn, scale)[0].long()].permute(2, 0, 1).float() / 255
    grey = (ground * torch.tensor(GREY).view(3, 1, 1)).sum(0)
    lit = (ground * DIM + light * grey).clamp(0, 1)
    return (lit * 255).round().to(torch.uint8).permute(1, 2, 0)[None].contiguous()


def _sized(planes: Tensor, side: int) -> Tensor:
    return functional.interpolate(planes, size=(side, side), mode="bilinear", align_corners=False)
