"""Vectors: (where an index keeps them) -> tensors, in memory for as long as they are asked for."""

from collections import OrderedDict
from pathlib import Path

import torch
from torch import Tensor

from app.archive.blobs import read_whole
from app.errors import NotMade, UnknownLayer
from app.studio.collections.records import PIXELS
from app.studio.recipes import KeptVectors
from app.vision import neighbours

#: Memory that they may take, in bytes: 10,000 photos of a layer and their pixels take 82 MB.
BUDGET = 384 * 1024 * 1024


class VectorCache:
    """Feature vectors of indices, ready to be compared; the most recently used within BUDGET."""

    def __init__(self, budget: int = BUDGET) -> None:
        self._budget = budget
        self._kept: OrderedDict[tuple[str, bool], Tensor] = OrderedDict()

    def directions(self, kept: KeptVectors, layer: str) -> Tensor:
        """Of length one, [photos, D]. Raises UnknownLayer, NotMade."""
        return self._ready(path(kept, layer), kept.photos, True)

    def values(self, kept: KeptVectors, layer: str) -> Tensor:
        """As they are, float32 [photos, D]. Raises UnknownLayer, NotMade."""
        return self._ready(path(kept, layer), kept.photos, False)

    def forget_the_deleted(self) -> None:
        """Drop what was read of files that are there no more: an upload went with its index."""
        for key in [key for key in self._kept if not Path(key[0]).exists()]:
            del self._kept[key]

    def _ready(self, file: str, photos: int, is_directed: bool) -> Tensor:
        found = self._kept.pop((file, is_directed), None)
        if found is None:
            values = read(file, photos)
            found = neighbours.directions(values) if is_directed else values.float()
        self._kept[file, is_directed] = found
        while sum(tensor.nbytes for tensor in self._kept.values()) > self._budget:
            self._kept.popitem(last=False)
        return found


def read(file: str, photos: int) -> Tensor:
    """float16 [photos, D] from a file that is named by its hash. Raises NotMade if it is not so."""
    data = read_whole(Path(file))
    if data is None:
        raise NotMade()
    if not data or not photos:
        return torch.zeros(photos, 0, dtype=torch.float16)
    return torch.frombuffer(bytearray(data), dtype=torch.float16).view(photos, -1)


def path(kept: KeptVectors, layer: str) -> str:
    """The file of a layer, or of PIXELS. Raises UnknownLayer."""
    for name, file in kept.files:
        if name == layer:
            return file
    raise UnknownLayer(model="", layer=layer)


def layers(kept: KeptVectors) -> list[str]:
    """The layers that there are vectors of."""
    return [name for name, _ in kept.files if name != PIXELS]


def numbers(kept: KeptVectors) -> int:
    """How many numbers there are in all vectors of all layers. Raises NotMade."""
    try:
        return sum(Path(file).stat().st_size for name, file in kept.files if name != PIXELS) // 2
    except OSError:
        raise NotMade() from None
