"""Transforms: (pictures [N,3,H,W] in 0..1) -> the same seen a little differently, drawn anew.

What looks right only at one place, size and angle is noise to everybody else; so every step looks
from another one (Olah et al. 2017; Mordvintsev et al., "Inceptionism", 2015). All draws are the
CPU's and are moved, so that a seed means the same on every device.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from app.zoo.preprocessing import Size, sides

Transform = Callable[[Tensor, torch.Generator], Tensor]
GREY = 0.5


@dataclass(frozen=True)
class Affine:
    """Zoom, turn and shift with a draw per picture, by one resampling.

    scale: (least, most) size of what is seen; degrees: largest angle; shift: largest way in pixels;
    flips: mirrored in half of the draws. mirrors: what is beyond the edges is the picture mirrored
    there, not grey. out: pixels a side, or (height, width), that come out; 0 for as many as go in.
    """

    scale: tuple[float, float] = (1.0, 1.0)
    degrees: float = 0.0
    shift: float = 0.0
    flips: bool = False
    mirrors: bool = False
    out: Size = 0

    def __call__(self, pictures: Tensor, generator: torch.Generator) -> Tensor:
        """[N,3,H,W] -> [N,3,*out]."""
        count, (tall, wide) = len(pictures), pictures.shape[2:]
        height, width = sides(self.out) if self.out else (tall, wide)
        draws = torch.rand(4, count, generator=generator)
        least, most = self.scale
        scale = least + (most - least) * draws[0]
        angle = (draws[1] * 2 - 1) * math.radians(self.degrees)
        ways = [(draws[2] * 2 - 1) * (2 * self.shift / wide)]
        ways += [(draws[3] * 2 - 1) * (2 * self.shift / tall)]
        mirror = torch.ones(count)
        if self.flips:
            mirror = torch.rand(count, generator=generator) < 0.5
            mirror = mirror * 2.0 - 1.0
        cos, sin = angle.cos(), angle.sin()
        by_width = [width / side / scale for side in (wide, tall)]
        by_height = [height / side / scale for side in (wide, tall)]
        turn = torch.stack(
            [
                torch.stack([cos * by_width[0] * mirror, -sin * by_height[0], ways[0]], 1),
                torch.stack([sin * by_width[1] * mirror, cos * by_height[1], ways[1]], 1),
            ],
            1,
        ).to(pictures.device)
        grid = functional.affine_grid(turn, [count, 3, height, width], align_corners=False)
        beyond = "reflection" if self.mirrors else "zeros"
        sampled = functional.grid_sample(
            pictures - GREY, grid, padding_mode=beyond, align_corners=False
        )
        return sampled + GREY


@dataclass(frozen=True)
class Noise:
    """Gaussian noise, in units of the whole range of a picture."""

    deviation: float

    def __call__(self, pictures: Tensor, generator: torch.Generator) -> Tensor:
        """[N,3,H,W] -> the same with noise."""
        noise = torch.empty(pictures.shape).normal_(0, self.deviation, generator=generator)
        return pictures + noise.to(pictures.device)


@dataclass(frozen=True)
class Chain:
    """One transform after another."""

    transforms: tuple[Transform, ...]

    def __call__(self, pictures: Tensor, generator: torch.Generator) -> Tensor:
        """[N,3,H,W] -> [N,3,H',W']."""
        for transform in self.transforms:
            pictures = transform(pictures, generator)
        return pictures
