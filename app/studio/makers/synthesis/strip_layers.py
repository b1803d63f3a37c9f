"""Depth: (a network's layers) -> those of a strip, from the first convolution to the last."""

from collections.abc import Mapping
from itertools import pairwise

from app.zoo.layers import Layer

FEWEST, MOST = 6, 8
FINISHING = ("batch norm", "ReLU", "GELU", "SiLU", "hard swish", "sigmoid")


def strip_layers(layers: Mapping[str, Layer]) -> tuple[str, ...]:
    """6 to 8 layers early to late: the first, the last of every resolution, and between them.

    Fewer where a network has fewer. What is taken for a layer is what people name: the outermost
    block that a convolution is in, else the activation that follows it.
    """
    ends = [name for name in _ends(layers) if _spatial(layers[name])]
    if not ends:
        return ()
    chosen = {ends[0], ends[-1]}
    for here, after in pairwise(ends):
        if layers[after].shape[1] < layers[here].shape[1]:
            chosen.add(here)
    places = sorted(ends.index(name) for name in chosen)
    while len(places) < min(FEWEST, len(ends)):
        places = sorted([*places, _widest_gap(places)])
    while len(places) > MOST:
        places.remove(_closest(places))
    return tuple(ends[place] for place in places)


def _ends(layers: Mapping[str, Layer]) -> list[str]:
    """Where each convolution's result is whole, in the order of the pass, each once."""
    found = {_end(layer, layers): None for layer in layers.values() if "convolution" in layer.kind}
    return [name for name in layers if name in found]


def _end(convolution: Layer, layers: Mapping[str, Layer]) -> str:
    layer = convolution
    while layer.block:
        layer = layers[layer.block]
    if layer is not convolution:
        return layer.name
    for after in layers.values():
        if after.inputs == (layer.name,) and _finishes(after):
            layer = after
    return layer.name


def _finishes(layer: Layer) -> bool:
    """Whether it belongs to the convolution before it: a batch norm, an activation."""
    return not layer.block and layer.kind.startswith(FINISHING)


def _spatial(layer: Layer) -> bool:
    return max(layer.shape[1:]) > 1


def _widest_gap(places: list[int]) -> int:
    """The place in the middle of the widest gap."""
    pairs = list(pairwise(places))
    left, right = max(pairs, key=lambda pair: pair[1] - pair[0])
    return (left + right) // 2


def _closest(places: list[int]) -> int:
    """The inner place with the least room around it."""
    inner = range(1, len(places) - 1)
    return places[min(inner, key=lambda k: places[k + 1] - places[k - 1])]
