"""Embedding: (feature vectors [N,D]) -> a place in the plane for each, near where they are like.

principal: the two directions in which they differ most. Tsne: van der Maaten and Hinton,
"Visualizing Data using t-SNE", JMLR 2008, in its exact form, step by step.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

#: Tries until the width around a photo gives the perplexity that was asked for.
TRIES = 40
#: As scikit-learn has them: how the beginning is exaggerated, and for how many steps.
EXAGGERATION, EXAGGERATED = 12.0, 250
SLOW, FAST = 0.5, 0.8
#: Steps from one count of the divergence to the next.
COUNTED = 10
LEAST_GAIN, TINY = 0.01, 1e-12


@dataclass(frozen=True)
class Principal:
    """Places [N,2], and the share of all variance that each of the two directions has."""

    places: Tensor
    shares: tuple[float, float]


def principal(vectors: Tensor) -> Principal:
    """The first two principal components of [N,D]; the largest place along each is above zero."""
    centred = vectors.double() - vectors.double().mean(0)
    count, width = centred.shape
    wide = width > count
    gram = centred @ centred.T if wide else centred.T @ centred
    values, along = torch.linalg.eigh(gram)
    values, along = values.flip(0)[:2].clamp(min=0), along.flip(1)[:, :2]
    places = along * values.sqrt() if wide else centred @ along
    missing = 2 - places.shape[1]
    places = torch.nn.functional.pad(places, (0, missing))
    values = torch.nn.functional.pad(values, (0, missing))
    if count:
        outermost = places.gather(0, places.abs().argmax(0, keepdim=True))
        places = places * torch.where(outermost < 0, -1.0, 1.0)
    total = float(centred.square().sum())
    shares = [float(value) / total if total > 0 else 0.0 for value in values]
    return Principal(places.float(), (shares[0], shares[1]))


@dataclass(frozen=True)
class TsneMethod:
    """Every number of it. perplexity: how many neighbours each photo looks at, about."""

    perplexity: float
    steps: int
    rate: float

    def facts(self) -> dict[str, Any]:
        """For whoever wants to do it again."""
        numbers = {"perplexity": self.perplexity, "steps": self.steps, "rate": self.rate}
        return numbers | {"exaggeration": EXAGGERATION, "exaggerated": EXAGGERATED, "begin": "pca"}


def tsne_method(count: int, steps: int) -> TsneMethod:
    """What suits so many photos: perplexity 30, a rate by their number (as scikit-learn has it)."""
    perplexity = max(1.0, min(30.0, (count - 1) / 3))
    return TsneMethod(perplexity, steps, max(count / EXAGGERATION / 4, 50.0))


@dataclass(frozen=True)
class TsneStep:
    """One step done, from 1: places [N,2], and how far they are from what is wanted.

    divergence: in nats, before the step; None where it was not counted, as counting costs most.
    """

    step: int
    places: Tensor
    divergence: float | None


def tsne(vectors: Tensor, method: TsneMethod) -> Iterator[TsneStep]:
    """Move the photos of [N,D] until who is near in D dimensions is near in the plane.

    It begins with the principal components, so that nothing is drawn by lot.
    """
    wanted = affinities(vectors, method.perplexity)
    places = principal(vectors).places
    # One photo alone has no spread, and stays in the middle.
    spread = places[:, 0].std().clamp(min=TINY) if len(places) > 1 else 1.0
    places = places / spread * 1e-4
    speed, gains = torch.zeros_like(places), torch.ones_like(places)
    entropy = float((wanted * wanted.clamp(min=TINY).log()).sum())
    for step in range(1, method.steps + 1):
        early = step <= min(EXAGGERATED, method.steps // 2)
        slope, shares = _slope(places, wanted, EXAGGERATION if early else 1.0)
        gains = torch.where(slope * speed < 0, gains + 0.2, gains * 0.8).clamp(min=LEAST_GAIN)
        speed = (SLOW if early else FAST) * speed - method.rate * gains * slope
        places = places + speed
        places = places - places.mean(0)
        divergence = None
        if step % COUNTED == 0 or step == method.steps:
            divergence = entropy - float((wanted * shares.clamp_(min=TINY).log_()).sum())
        yield TsneStep(step, places, divergence)


def affinities(vectors: Tensor, perplexity: float) -> Tensor:
    """How much of a neighbour each is to each, [N,N], symmetric, 1 in all; none of itself.

    Around each photo as wide a bell as takes in `perplexity` others.
    """
    if len(vectors) < 2:
        return torch.zeros(len(vectors), len(vectors), device=vectors.device)
    squares = torch.cdist(vectors.double(), vectors.double()).square()
    squares.fill_diagonal_(torch.inf)
    squares = squares - squares.amin(1, keepdim=True)  # the same shares, and nothing underflows
    scale = squares[squares.isfinite()].mean().clamp(min=TINY)
    precision = torch.full_like(squares[:, :1], 1.0) / scale
    low, high = torch.zeros_like(precision), torch.full_like(precision, torch.inf)
    for _ in range(TRIES):
        shares = _shares(squares, precision)
        wide = _entropy(shares) > math.log(perplexity)
        low, high = torch.where(wide, precision, low), torch.where(wide, high, precision)
        doubled = torch.where(high.isinf(), precision * 2, (low + high) / 2)
        precision = torch.where(wide | (low > 0), doubled, precision / 2)
    shares = _shares(squares, precision)
    return ((shares + shares.T) / (2 * len(vectors))).float()


def _shares(squares: Tensor, precision: Tensor) -> Tensor:
    weights = (-squares * precision).exp()
    return weights / weights.sum(1, keepdim=True).clamp(min=TINY)


def _entropy(shares: Tensor) -> Tensor:
    return -(shares * shares.clamp(min=TINY).log()).sum(1, keepdim=True)


def _slope(places: Tensor, wanted: Tensor, exaggeration: float) -> tuple[Tensor, Tensor]:
    """The gradient [N,2] of the divergence, and how near all are in the plane, [N,N], 1 in all."""
    near = _nearness(places)
    shares = near / near.sum().clamp(min=TINY)
    pull = torch.add(wanted * exaggeration, shares, alpha=-1).mul_(near)
    return 4 * (places * pull.sum(1, keepdim=True) - pull @ places), shares


def _nearness(places: Tensor) -> Tensor:
    """1 / (1 + squared distance) of all pairs, [N,N], 0 of each to itself."""
    lengths = places.square().sum(1)
    squares = torch.addmm(lengths[None], places, places.T, alpha=-2).add_(lengths[:, None])
    return squares.clamp_(min=0).add_(1).reciprocal_().fill_diagonal_(0)
