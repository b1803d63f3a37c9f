"""Excitement: (pictures, a layer) -> what its channels make of them, beside the sample photos.

A plain activation says little: noise made for one network beats any photo. So it is measured under
the random transforms of the ascent, and compared with the best of the sample photos.
"""

from collections import OrderedDict
from dataclasses import dataclass

import torch
from PIL import Image
from torch import Tensor

from app.studio.recipes import Unit
from app.studio.samples import all_samples
from app.vision import ascent
from app.vision.methods import Method
from app.vision.transforms import Affine
from app.zoo.keeper import Network
from app.zoo.preprocessing import Preprocessing, sides

#: Random transforms per picture that an activation is the mean of, and their seed.
DRAWS, SEED = 16, 0
MOST_LAYERS, MOST_NETWORKS = 64, 3
#: What the two ranks are of, as the facts say it.
RANKED = {
    "rank": "among all channels of the layer by activation for this picture under transforms",
    "rank_relative": "the same over each channel's own best sample photo, at least over the median "
    "of these: else a channel that is nearly dead comes first",
}


@dataclass(frozen=True)
class Best:
    """Of each channel the highest activation [C] over the sample photos, and which photo it was."""

    values: Tensor
    photos: Tensor
    names: tuple[str, ...]

    def of(self, channel: int) -> dict[str, object]:
        """As facts."""
        photo = self.names[int(self.photos[channel])]
        return {"image": photo, "activation": float(self.values[channel])}


class SamplePhotos:
    """What the layers of the networks in use make of the sample photos; computed once each."""

    def __init__(self) -> None:
        self._batches: OrderedDict[Preprocessing, Tensor] = OrderedDict()
        self._found: OrderedDict[tuple[str, str, str | None, str, Unit], Best] = OrderedDict()

    def best(self, network: Network, layer: str, unit: Unit) -> Best:
        """Of each channel the best sample photo. unit "neuron": the highest anywhere in a map.

        layer: its name, or `taps.given(name)` for what it is given.
        """
        entry = network.entry
        key = (entry.name, entry.definition, network.weights_sha256, layer, unit)
        if key not in self._found:
            self._found[key] = self._measured(network, layer, unit)
            if len(self._found) > MOST_LAYERS:
                self._found.popitem(last=False)
        self._found.move_to_end(key)
        return self._found[key]

    def probe(self, network: Network) -> Tensor:
        """One sample photo as the network takes it: [1,3,H,W]."""
        return self._batch(network)[:1]

    def _measured(self, network: Network, layer: str, unit: Unit) -> Best:
        values = []
        for photo in self._batch(network):
            maps = activation(network, layer, photo[None]).flatten(2)
            values.append((maps.mean(2) if unit == "channel" else maps.amax(2))[0].cpu())
        highest = torch.stack(values).max(0)
        return Best(highest.values, highest.indices, tuple(all_samples()))

    def _batch(self, network: Network) -> Tensor:
        """All sample photos as the network takes them."""
        key = network.preprocessing
        if key not in self._batches:
            self._batches[key] = torch.cat([_prepared(network, id) for id in all_samples()]).cpu()
            if len(self._batches) > MOST_NETWORKS:
                self._batches.popitem(last=False)
        batch = self._batches[key]
        return batch.to(network.device, memory_format=torch.channels_last)


def _prepared(network: Network, sample: str) -> Tensor:
    with Image.open(all_samples()[sample].file) as photo:
        return network.prepare(photo)


def activation(network: Network, layer: str, batch: Tensor) -> Tensor:
    """[N,C,H,W] of a batch as the network takes it; vectors become [N,C,1,1].

    layer: its name, or `taps.given(name)` for what it is given.
    """
    with torch.no_grad():
        maps = ascent.heard(network, {layer}, batch)[layer].float()
    return maps if maps.ndim == 4 else maps[..., None, None]


def by_channel(maps: Tensor, unit: Unit) -> Tensor:
    """[N,C,H,W] -> [N,C]: the mean over all positions, or the one at the centre."""
    if unit == "channel":
        return maps.flatten(2).mean(2)
    return maps[:, :, maps.shape[2] // 2, maps.shape[3] // 2]


def plain(network: Network, layer: str, pictures: Tensor, unit: Unit) -> Tensor:
    """What every channel makes of pictures [N,3,H,W] of 0..1 as they are: [N,C]."""
    batch = ascent.normalized(network, as_taken(network, pictures))
    return by_channel(activation(network, layer, batch), unit).cpu()


def as_taken(network: Network, pictures: Tensor) -> Tensor:
    """Pictures on the network's device, those larger than it takes reduced as in the ascent."""
    crop = network.preprocessing.crop
    pictures = pictures.to(network.device)
    size = (pictures.shape[2], pictures.shape[3])
    if size == sides(crop) or not ascent.covers(size, crop):
        return pictures
    return Affine(out=crop)(pictures, ascent.seeded(SEED))


def under_transforms(
    network: Network, layer: str, pictures: Tensor, method: Method, unit: Unit
) -> Tensor:
    """The same, mean over DRAWS random transforms of the ascent: [N,C]."""
    generator = ascent.seeded(SEED)
    transform = ascent.transform(network, method)
    pictures = pictures.to(network.device)
    draws = (transform(pictures, generator) for _ in range(DRAWS))
    return torch.stack([plain(network, layer, drawn, unit) for drawn in draws]).mean(0)


def rank(values: Tensor, channel: int) -> int:
    """Place of a channel among all [C], 1 is the first; those that are even share it."""
    return 1 + int((values > values[channel]).sum())


def relative(values: Tensor, best: Best) -> Tensor:
    """Activations [C] over those of each channel's best sample photo; see RANKED."""
    alive = best.values[best.values > 0]
    return values / best.values.clamp(min=float(alive.median()) if len(alive) else 1.0)


def multiple(value: float, best: float) -> float | None:
    """How many times the best sample photo; None where that excites nothing."""
    return value / best if best > 0 else None
