"""Objectives: (activations by layer) -> a score per picture [N], to be climbed. Have +, - and *.

An objective asks for layers by name, `taps.given(name)` is what a layer is given; `LOGITS` is what
the network says at its end.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

#: The network's own output, in the place of a layer's name.
LOGITS = ""
#: The pictures themselves, 0..1, before any transform.
PICTURES = " pictures"
Activations = Mapping[str, Tensor]


@dataclass(frozen=True)
class Objective:
    """What is to be as large as can be: `measure(activations)` -> [N]; layers: those it reads."""

    layers: frozenset[str]
    measure: Callable[[Activations], Tensor]

    def __call__(self, seen: Activations) -> Tensor:
        """The scores [N] of the pictures that these activations are of."""
        return self.measure(seen)

    def __add__(self, other: "Objective") -> "Objective":
        """Both at once."""
        return Objective(self.layers | other.layers, lambda seen: self(seen) + other(seen))

    def __sub__(self, other: "Objective") -> "Objective":
        """This one, and little of the other."""
        return self + other * -1.0

    def __mul__(self, weight: float) -> "Objective":
        """The same, weighed."""
        return Objective(self.layers, lambda seen: self(seen) * weight)

    __rmul__ = __mul__

    def __neg__(self) -> "Objective":
        """As little of it as can be."""
        return self * -1.0


def _of(layer: str, measure: Callable[[Tensor], Tensor]) -> Objective:
    return Objective(frozenset({layer}), lambda seen: measure(seen[layer]))


def logit(class_: int) -> Objective:
    """The logit of a class, before any softmax: its probability would also fall by the others."""
    return _of(LOGITS, lambda logits: logits[:, class_])


def channel(layer: str, *channels: int) -> Objective:
    """The mean of a channel over all positions; several: the first is for the first picture …"""
    return _of(layer, lambda maps: _chosen(maps, channels).reshape(len(maps), -1).mean(1))


def neuron(layer: str, *channels: int) -> Objective:
    """A channel at the centre of its map; several: the first is for the first picture …"""
    return _of(layer, lambda maps: _centre(_chosen(maps, channels)))


def _chosen(maps: Tensor, channels: Sequence[int]) -> Tensor:
    """[N,C,…] -> [N,…]: of every picture its channel."""
    if len(channels) == 1:
        return maps[:, channels[0]]
    return maps[torch.arange(len(maps), device=maps.device), list(channels)]


def _centre(maps: Tensor) -> Tensor:
    if maps.ndim < 3:
        return maps
    return maps[:, maps.shape[1] // 2, maps.shape[2] // 2]


def cosine(layer: str, wanted: Tensor, *, by_position: bool = False) -> Objective:
    """How like an activation [1,C,H,W] is, as a cosine (-1..1): its size does not matter.

    by_position: the mean over positions of the cosine between channel vectors.
    """
    aim = wanted.detach()

    def measure(maps: Tensor) -> Tensor:
        if by_position and maps.ndim == 4:
            return functional.cosine_similarity(maps, aim, dim=1).flatten(1).mean(1)
        return functional.cosine_similarity(maps.flatten(1), aim.flatten(1), dim=1)

    return _of(layer, measure)


def squared_error(layer: str, wanted: Tensor) -> Objective:
    """(||x - y|| / ||y||)^2 to an activation y [1,C,H,W]. Climb its negative."""
    aim = wanted.detach().flatten(1)
    size = aim.square().sum()
    return _of(layer, lambda maps: (maps.flatten(1) - aim).square().sum(1) / size)


def root(objective: Objective) -> Objective:
    """The square root of an objective that is never negative."""
    return Objective(objective.layers, lambda seen: objective(seen).sqrt())


def total_variation() -> Objective:
    """Mean absolute step between neighbouring pixels, in units of a picture's range."""

    def measure(pictures: Tensor) -> Tensor:
        down = (pictures[:, :, 1:] - pictures[:, :, :-1]).abs().flatten(1).mean(1)
        across = (pictures[..., 1:] - pictures[..., :-1]).abs().flatten(1).mean(1)
        return down + across

    return _of(PICTURES, measure)


def diversity(layer: str) -> Objective:
    """How unlike the others of its batch each picture is: 1 - mean cosine of their Gram matrices.

    Olah et al. 2017: pictures of one channel that differ show more of what it stands for.
    """

    def measure(maps: Tensor) -> Tensor:
        if len(maps) == 1:
            return torch.zeros(1, device=maps.device)
        flat = maps.flatten(2) if maps.ndim > 2 else maps[..., None]
        grams = functional.normalize((flat @ flat.mT).flatten(1), dim=1)
        likeness = grams @ grams.mT
        others = likeness.sum(1) - likeness.diagonal()
        return 1 - others / (len(maps) - 1)

    return _of(layer, measure)
