"""The lecture's pictures: a network's description -> what its chapters want made of it.

The idle machine makes them of the default network; until then a chapter's button does.
"""

from collections.abc import Iterator
from itertools import pairwise

from app.studio.recipes import Atlas, ChannelImage, ClassImage, Reconstruction, Strip, Visualization
from app.zoo.described import LayerDescription, NetworkDescription

#: The sample photo, the class and the channel that the chapters look at, where they are there.
PHOTO, CLASS, CHANNEL = "chelsea", "banana", 3
#: So many depths are shown of what layers learn; fewer channels are too few for an atlas of one.
DEPTHS, FEWEST = 5, 24


def maps(network: NetworkDescription) -> list[LayerDescription]:
    """The layers whose channels are maps; all, where none are."""
    layers = network["layers"]
    return [layer for layer in layers if layer["shape"][1] * layer["shape"][2] > 1] or layers


def middle(network: NetworkDescription) -> LayerDescription:
    """A layer neither of plain edges nor of whole objects."""
    layers = maps(network)
    return layers[len(layers) // 2]


def channel(layer: LayerDescription) -> int:
    """The channel that is looked at in a layer."""
    return min(CHANNEL, layer["shape"][0] - 1)


def depths(network: NetworkDescription) -> list[str]:
    """Layers to see what is learnt at each depth: what the first one gives, which are edges, and of
    each quarter of the others one with few channels.

    Of layers with as few the last, where an activation function or a sum has come to it.
    """
    layers = maps(network)
    sees = layers[0]["receptive_field"]
    first = [layer for layer in layers if layer["receptive_field"] == sees]
    rest = layers[len(first) :]
    cuts = [len(rest) * cut // (DEPTHS - 1) for cut in range(DEPTHS)]
    parts = [rest[start:end] for start, end in pairwise(cuts)]
    return [first[-1]["name"], *(_small(part)["name"] for part in parts if part)]


def _small(layers: list[LayerDescription]) -> LayerDescription:
    wide = [layer for layer in layers if layer["shape"][0] >= FEWEST] or layers
    return min(reversed(wide), key=lambda layer: int(layer["shape"][0]))


def label(network: NetworkDescription) -> str:
    """The class that is looked at, "" for a network that names none."""
    labels = [str(label) for label in network["labels"]]
    return CLASS if CLASS in labels else next(iter(labels), "")


def class_image(network: NetworkDescription) -> ClassImage:
    """Of that class; of the first where it names none."""
    labels = [str(label) for label in network["labels"]]
    wanted = label(network)
    return ClassImage(model=network["name"], class_=labels.index(wanted) if wanted else 0)


def channel_image(network: NetworkDescription) -> ChannelImage:
    """Of a channel half-way down."""
    layer = middle(network)
    return ChannelImage(model=network["name"], layer=layer["name"], channel=channel(layer))


def strip(network: NetworkDescription, photo: str = PHOTO) -> Strip:
    """A photo again from several depths."""
    return Strip(model=network["name"], image=photo)


def reconstruction(network: NetworkDescription, photo: str = PHOTO) -> Reconstruction:
    """A photo again from half-way down."""
    return Reconstruction(model=network["name"], image=photo, layer=middle(network)["name"])


def atlases(network: NetworkDescription) -> list[Atlas]:
    """Each depth's channels, early to late."""
    return [Atlas(model=network["name"], layer=name) for name in depths(network)]


def pictures(network: NetworkDescription) -> Iterator[Visualization]:
    """All that the chapters show of a network, what is quick first."""
    if label(network):
        yield class_image(network)
    yield channel_image(network)
    yield reconstruction(network)
    yield strip(network)
    yield from atlases(network)
