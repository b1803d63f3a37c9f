"""Smoothness: (convolution weights [out,in,kh,kw]) -> how much of their energy is fine grain.

The share of a filter's energy at spatial frequencies above a quarter of a cycle per position, half
of the highest there is. White noise has the same energy at every frequency whatever the filter's
size, so its share is that of the area, `noise()`; a smooth filter has less.
"""

import math
from dataclasses import dataclass
from functools import cache

import torch
from torch import Tensor

#: Cycles per position that tell coarse from fine, and samples of the frequency plane per axis.
CUTOFF, SAMPLES = 0.25, 64


@dataclass(frozen=True)
class Grain:
    """Shares of energy above the cutoff, 0..1: of each filter (None: all zero), and their mean."""

    filters: list[float | None]
    mean: float | None


def grain(weights: Tensor) -> Grain | None:
    """How fine-grained the filters of a layer are; None for 1x1, which have no frequencies.

    A filter's share is that of the energies of all its inputs together.
    """
    if max(weights.shape[2:]) < 2:
        return None
    flat = weights.float().flatten(2)
    fine = (flat @ _quadratic(*weights.shape[2:]).to(flat.device) * flat).sum(dim=(1, 2))
    whole = flat.square().sum(dim=(1, 2))
    shares = [
        float(part / all_) if all_ > 0 else None for part, all_ in zip(fine, whole, strict=True)
    ]
    known = [share for share in shares if share is not None]
    return Grain(shares, sum(known) / len(known) if known else None)


@cache
def noise() -> float:
    """The share that white noise has, for filters of any size: the part of the plane above."""
    return float(_above().double().mean())


def _above() -> Tensor:
    """Which of the sampled frequencies are above the cutoff, bool [SAMPLES, SAMPLES]."""
    along = torch.fft.fftfreq(SAMPLES, dtype=torch.double)
    return torch.hypot(along[:, None], along[None, :]) > CUTOFF


@cache
def _quadratic(height: int, width: int) -> Tensor:
    """Q [hw,hw] with w' Q w the energy above the cutoff: by Parseval, without a transform of w."""
    along = torch.fft.fftfreq(SAMPLES, dtype=torch.double)
    rows, columns = along[:, None].expand(SAMPLES, SAMPLES), along[None, :].expand(SAMPLES, SAMPLES)
    above = _above()
    places = torch.cartesian_prod(torch.arange(height), torch.arange(width)).double()
    turns = places @ torch.stack((rows[above], columns[above]))
    waves = torch.cat((torch.cos(2 * math.pi * turns), torch.sin(2 * math.pi * turns)), dim=1)
    return (waves @ waves.T / SAMPLES**2).float()
