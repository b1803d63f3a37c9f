"""Dots: (places in the plane, a group for each) -> a small picture of them, one dot for each."""

import colorsys

import torch
from torch import Tensor

#: Of what is in no group; pixels a dot is wide.
GREY, WIDTH = (130, 130, 130), 5


def drawn(places: Tensor, groups: Tensor, side: int) -> Tensor:
    """Places [N,2], y upwards, groups [N] (below 0: none) -> uint8 [side,side,3] on black."""
    pixels = torch.zeros(side, side, 3, dtype=torch.uint8)
    if not len(places):
        return pixels
    places, groups = places.cpu(), groups.cpu()
    places = places - (places.amax(0) + places.amin(0)) / 2
    reach = places.abs().max().clamp(min=1e-12)
    room = (side - WIDTH) / 2 - 1
    across = (places[:, 0] / reach * room + side / 2).round().to(torch.int64)
    down = (-places[:, 1] / reach * room + side / 2).round().to(torch.int64)
    shades = colors(int(groups.max()) + 1)[groups]
    for dy in range(-(WIDTH // 2), WIDTH // 2 + 1):
        for dx in range(-(WIDTH // 2), WIDTH // 2 + 1):
            pixels[down + dy, across + dx] = shades
    return pixels


def colors(groups: int) -> Tensor:
    """A colour for each group, uint8 [groups + 1, 3]; the last, which is number -1, is grey."""
    hues = [colorsys.hsv_to_rgb(n * 0.618 % 1, 0.35 + 0.3 * (n % 3), 1.0) for n in range(groups)]
    rows = [tuple(round(255 * part) for part in hue) for hue in hues]
    return torch.tensor([*rows, GREY], dtype=torch.uint8)
