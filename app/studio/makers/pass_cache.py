"""Kept passes: (network, picture) -> every layer's activation, as long as the memory allows."""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor

from app.zoo.keeper import Network

Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class Pass:
    """One forward pass: what each layer gave, the logits [1,classes], and the crop it looked at.

    crop: (left, top, right, bottom) in pixels of the picture; size: bytes held.
    """

    activations: Mapping[str, Tensor]
    logits: Tensor
    crop: Box
    size: int


class PassCache:
    """The passes most recently asked for, within a budget of bytes."""

    def __init__(self, budget: int) -> None:
        self._budget = budget
        self._kept: OrderedDict[tuple[str, str, str, str | None], Pass] = OrderedDict()

    def find(self, network: Network, image: str) -> Pass | None:
        """The kept pass, which is now the most recent; None when there is none."""
        key = _key(network, image)
        if key in self._kept:
            self._kept.move_to_end(key)
        return self._kept.get(key)

    def keep(self, network: Network, image: str, made: Pass) -> None:
        """Keep a pass and drop the oldest ones beyond the budget."""
        self._kept[_key(network, image)] = made
        while self._kept and self.size > self._budget:
            self._kept.popitem(last=False)

    def forget(self, image: str) -> None:
        """Drop all that was made from one picture."""
        for key in [key for key in self._kept if key[0] == image]:
            del self._kept[key]

    @property
    def size(self) -> int:
        """Bytes held by all kept passes."""
        return sum(kept.size for kept in self._kept.values())


def _key(network: Network, image: str) -> tuple[str, str, str, str | None]:
    """What decides a pass, the image first."""
    entry = network.entry
    return image, entry.name, entry.definition, network.weights_sha256
