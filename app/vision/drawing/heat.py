"""Heat: (a map of where a class was seen, the photo) -> the photo, lit where the map is not 0.

As on the pages of channels: the photo is dim, and lit in the map's colours; 0 is no light. Here the
photo is grey, so that all colour is the map's.
"""

import torch
from torch import Tensor
from torch.nn import functional

from app.vision.drawing.colors import CENTRE, palette
from app.vision.pixels import grey_of
from app.zoo.preprocessing import Size, sides

#: Warm speaks for the class, cold against it; zero is black.
NAME = "berlin"
#: How much of the photo stays where there is no light.
DIM = 0.3
#: How much light there is where the photo is black, so that no map hides in a dark picture.
HAZE = 0.25


def reach_of(heat: Tensor) -> float:
    """The larger magnitude, which is at both ends of the scale; zero is in the middle."""
    return float(heat.abs().max())


def entries(heat: Tensor, reach: float) -> Tensor:
    """A map [H,W] as palette entries of a scale from -reach to reach, uint8 [1,H,W]."""
    shares = (heat.float().cpu() / reach).clamp(-1, 1) if reach else torch.zeros(heat.shape)
    # A hair less than the whole range, so that rounding never leaves it.
    return (shares * (CENTRE - 1e-3) + CENTRE + 0.5).to(torch.uint8)[None]


def over(photo: Tensor, heat: Tensor, reach: float, size: Size) -> Tensor:
    """The photo [1,3,H,W] of 0..1 under the light of a map [h,w]: uint8 [1,*sides(size),3].

    The map is drawn out evenly between the middles of its cells.
    """
    ground = _sized(photo.float().cpu(), size)
    drawn = _sized(heat[None, None].float().cpu(), size)[0, 0]
    colors = torch.frombuffer(bytearray(palette(NAME, "signed")), dtype=torch.uint8).view(-1, 3)
    light = colors[entries(drawn, reach)[0].long()].permute(2, 0, 1).float() / 255
    grey = grey_of(ground)[0]
    lit = (grey * DIM + light * (HAZE + (1 - HAZE) * grey)).clamp(0, 1)
    return (lit * 255).round().to(torch.uint8).permute(1, 2, 0)[None].contiguous()


def _sized(planes: Tensor, size: Size) -> Tensor:
    return functional.interpolate(planes, size=sides(size), mode="bilinear", align_corners=False)
