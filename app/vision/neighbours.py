"""Neighbours: (feature vectors of many photos) -> which are nearest, and how often that is right.

Krizhevsky et al. 2012 (fig. 4): in the space of a late layer the nearest show the same thing, in
the space of pixels the same light and the same background.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

#: (vectors [N,D], some vectors [Q,D]) -> how like they are, [Q,N]: the higher, the nearer.
Measure = Callable[[Tensor, Tensor], Tensor]
#: Photos that are compared with all others at a time: what holds their likeness stays small.
BLOCK = 512


@dataclass(frozen=True)
class Nearest:
    """The nearest of each of Q photos, the very nearest first.

    numbers: [Q,K]; likeness: [Q,K], as the measure gives it.
    """

    numbers: Tensor
    likeness: Tensor


def directions(vectors: Tensor) -> Tensor:
    """[N,D] -> float32 [N,D] of length one; what is zero stays zero, and is like nothing."""
    values = vectors.float()
    lengths = values.norm(dim=1, keepdim=True)
    unit: Tensor = values / torch.where(lengths > 0, lengths, 1.0)
    return unit


def cosine(towards: Tensor, some: Tensor) -> Tensor:
    """The cosine of the angle between `directions`, -1..1."""
    return some @ towards.T


def closeness(vectors: Tensor, some: Tensor) -> Tensor:
    """The mean difference of two vectors' numbers (root mean square), below zero: 0 is the same.

    Not by way of a product of matrices, which has too few digits for what is nearly the same.
    """
    distance: Tensor = torch.cdist(some.float(), vectors.float(), compute_mode=_EXACT)
    return distance.div_(-(vectors.shape[1] ** 0.5))


_EXACT = "donot_use_mm_for_euclid_dist"


def nearest(
    vectors: Tensor, some: Tensor, measure: Measure, count: int, own: Tensor | None = None
) -> Nearest:
    """The `count` nearest of vectors [N,D] to each of `some` [Q,D], fewer if there are no more.

    own: the numbers [Q] of those that `some` are, which are not their own neighbours.
    """
    likeness = measure(vectors, some)
    if own is not None:
        likeness[torch.arange(len(own)), own] = -torch.inf
    others = len(vectors) - (own is not None)
    best = likeness.topk(min(count, max(0, others)), dim=1)
    return Nearest(best.indices, best.values)


def share_right(
    vectors: Tensor, groups: Tensor, measure: Measure, count: int, asked: Tensor
) -> float | None:
    """Of the `count` nearest of each asked photo, the share that is of its group, mean over photos.

    vectors: [N,D]; groups: [N], below 0 for what is in no group; asked: numbers [Q]. Photos whose
    group has no other are left out; of one with fewer than `count` others all of them are 1. None
    when no photo is left.
    """
    asked = asked.to(groups.device)
    asked = asked[_others(groups)[asked] > 0]
    if not len(asked):
        return None
    found = []
    for some in torch.split(asked, BLOCK):
        near = nearest(vectors, vectors[some], measure, count, some)
        right = (groups[near.numbers] == groups[some][:, None]).sum(1)
        found.append(right / _others(groups)[some].clamp(max=count))
    return float(torch.cat(found).mean())


def share_by_chance(groups: Tensor, count: int, asked: Tensor) -> float | None:
    """What `share_right` would be on the whole if neighbours were drawn by lot."""
    others = _others(groups)[asked]
    others = others[others > 0].float()
    if not len(others):
        return None
    drawn = min(count, len(groups) - 1) * others / (len(groups) - 1)
    return float((drawn / others.clamp(max=count)).mean())


def _others(groups: Tensor) -> Tensor:
    """How many others are in each photo's group [N]; none where it is in no group."""
    known, counts = groups.clamp(min=0), torch.zeros(int(groups.max().clamp(min=0)) + 1)
    counts = counts.to(torch.int64).to(groups.device)
    counts.scatter_add_(0, known, (groups >= 0).to(torch.int64))
    return torch.where(groups >= 0, counts[known] - 1, 0)
