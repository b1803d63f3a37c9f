"""Canvases: () -> pictures [N,3,H,W] in 0..1, made of parameters that gradients can reach.

Fourier coefficients in colours without correlation (Olah, Mordvintsev, Schubert,
"Feature Visualization", Distill 2017). Where a canvas starts is drawn on the CPU and then moved, so
that a seed means the same on every device.
"""

from typing import Protocol

import torch
from torch import Tensor

from app.zoo.preprocessing import Size, sides

CPU = torch.device("cpu")
#: Lucid's: the square root of the covariance of ImageNet's colours, its longest column made 1.
COLOR_CORRELATION = (
    (0.26, 0.09, 0.02),
    (0.27, 0.00, -0.05),
    (0.27, -0.09, 0.03),
)
#: What Lucid divides all pictures by before their colours are mixed.
DIVISOR = 4.0


class Canvas(Protocol):
    """What is drawn on. `parameters` are what an optimiser changes."""

    parameters: list[Tensor]

    def __call__(self) -> Tensor:
        """The pictures now: [N,3,H,W], 0..1."""


class Fourier:
    """Pictures by their frequencies, f cycles per picture weighed by 1/f^power.

    Low frequencies move first, and every one is moved as easily as its weight says: this keeps
    high ones, on which a network can be fooled, in the measure that photographs have them.
    gain: how far a coefficient of 1 moves the picture; deviation: of the coefficients at the start;
    only: the highest frequency used, in cycles per picture, for a start that is coarse, counted
    along the longer side. colors: 1 for pictures in grey, which still have three, equal ones.
    """

    def __init__(
        self,
        count: int,
        size: Size,
        generator: torch.Generator,
        *,
        power: float = 1.5,
        gain: float = 0.25,
        deviation: float = 0.01,
        colors: int = 3,
        device: torch.device = CPU,
    ) -> None:
        self._sides, longest = sides(size), max(sides(size))
        across = torch.fft.rfftfreq(self._sides[1], device=device)
        down = torch.fft.fftfreq(self._sides[0], device=device)
        frequencies = (down[:, None].square() + across[None, :].square()).sqrt()
        self._cycles = frequencies * longest
        self._weights = gain / DIVISOR / frequencies.clamp(min=1 / longest) ** power
        self._mix = _color_mix(colors).to(frequencies.device)
        shape = (count, colors, *frequencies.shape, 2)
        start = _noise(shape, generator) * deviation
        self.parameters = [start.to(frequencies.device).requires_grad_()]
        self.only: float | None = None

    def __call__(self) -> Tensor:
        """[N,3,H,W], 0..1."""
        weights = self._weights
        if self.only is not None:
            weights = weights * (self.only + 1 - self._cycles).clamp(0, 1)
        spectrum = torch.view_as_complex(self.parameters[0]) * weights
        planes = torch.fft.irfft2(spectrum, s=self._sides, norm="ortho")
        count, colors = planes.shape[:2]
        mixed = self._mix @ planes.reshape(count, colors, -1)
        return torch.sigmoid(mixed.view(count, 3, *self._sides))


def _color_mix(colors: int) -> Tensor:
    """[3,colors]; of one color, grey as strong as the first, which is nearly grey."""
    correlation = torch.tensor(COLOR_CORRELATION)
    longest: Tensor = torch.linalg.vector_norm(correlation, dim=0).max()
    mix = correlation / longest
    return mix if colors == 3 else mix[:, :1].mean(0, keepdim=True).expand(3, 1)


def _noise(shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
    return torch.randn(shape, generator=generator)
