"""Silence: (a channel that gives nothing) -> what it is given, which always has a gradient.

A ReLU channel that is off has no gradient, so nothing can be climbed; its linear part has one. And
a channel that stays off even so, and for all sample photos, is dead, which is said with numbers.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor

from app.studio.makers.synthesis.photo_maxima import SamplePhotos, activation, as_taken
from app.studio.samples import all_samples
from app.vision import ascent
from app.vision.reconstruction import linear_part
from app.zoo.keeper import Network
from app.zoo.layers import Layer

#: Steps without any activation after which a channel counts as silent.
PATIENCE = 8
Silent = Literal["dead", "pre-activation"]


@dataclass(frozen=True)
class Source:
    """Where a channel's linear part is to be had: a layer (or what it is given) and a channel."""

    layer: str
    channel: int


def silent(scores: Tensor) -> bool:
    """Whether no picture of a batch excites its channel at all. scores: [N]."""
    return bool((scores == 0).all())


def sources(network: Network, layer: str, probe: Tensor) -> list[Source | None]:
    """Of each channel of a layer its linear part; None where none can be listened to.

    Through pools and norms that keep channels apart, and into the block that gives the channels if
    its last layers, one behind another, give what it gives. probe: a prepared picture to see that.
    """
    found = network.layers[layer]
    part = linear_part(network, layer)
    if part != layer:
        return [Source(part, channel) for channel in range(found.shape[0])]
    inside = [one for one in network.layers.values() if one.block == layer]
    if inside:
        return _inside(network, layer, inside, probe)
    if found.kind.endswith(("pool", "response norm")) and len(found.inputs) == 1:
        return sources(network, found.inputs[0], probe)
    return [None] * found.shape[0]


def _inside(
    network: Network, layer: str, inside: Sequence[Layer], probe: Tensor
) -> list[Source | None]:
    read = {name for one in inside for name in one.inputs}
    ends = [one.name for one in inside if one.name not in read]
    whole = activation(network, layer, probe)
    gives = [activation(network, end, probe) for end in ends]
    same_size = all(end.shape[2:] == whole.shape[2:] for end in gives)
    if not same_size or not torch.equal(torch.cat(gives, 1).clamp(min=0), whole):
        return [None] * whole.shape[1]
    # An end without an activation of its own is followed by one that has no name in the block.
    return [
        source or Source(end, channel)
        for end in ends
        for channel, source in enumerate(sources(network, end, probe))
    ]


def evidence(
    network: Network,
    samples: SamplePhotos,
    layer: str,
    channel: int,
    part: Source | None,
    pictures: Tensor,
) -> dict[str, Any]:
    """What a silent channel gave, highest at any position: for the sample photos, for `pictures`.

    pictures: [N,3,H,W] of 0..1, made for its linear part, of which the same is said.
    """
    facts = {"sample_photos": len(all_samples())} | _highest(
        network, samples, Source(layer, channel), pictures
    )
    if part is not None:
        facts["linear_part"] = {"layer": part.layer, "channel": part.channel} | _highest(
            network, samples, part, pictures
        )
    return facts


def _highest(
    network: Network, samples: SamplePhotos, of: Source, pictures: Tensor
) -> dict[str, Any]:
    batch = ascent.normalized(network, as_taken(network, pictures))
    reached = activation(network, of.layer, batch)[:, of.channel].max()
    best = samples.best(network, of.layer, "neuron").values[of.channel]
    return {"highest_in_samples": float(best), "highest_reached": float(reached)}


def verdict(found: dict[str, Any]) -> Silent:
    """ "dead" when neither a sample photo nor what was made for it moves the channel."""
    moved = found["highest_in_samples"] > 0 or found["highest_reached"] > 0
    return "pre-activation" if moved else "dead"
