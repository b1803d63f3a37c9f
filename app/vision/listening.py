"""Listening: (network) -> tallies of all its layers, filled in one pass for each batch of photos.

A convolution that a batch norm was folded into is not run again for what it alone gives: each of
its channels is the folded one's, stretched and shifted, and so are its numbers.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from app.vision.statistics import Shift, Tally
from app.zoo.keeper import Network
from app.zoo.taps import tap

#: A channel that its batch norm shrinks more than this, beside the others, cannot be told back.
SHRUNK = 1e-4


@dataclass(frozen=True)
class Heard:
    """A network as it is listened to: most of what was folded is left folded."""

    module: nn.Module
    unfolded: Mapping[str, nn.Module]
    overwritten: Collection[str]
    transposed: Collection[str]


class Listener:
    """Tallies of all layers of a network, by name."""

    def __init__(self, network: Network, photos: int, kept: int) -> None:
        shifts = {name: _shift(network, name) for name in network.unfolded}
        unfolded = {name: network.unfolded[name] for name, shift in shifts.items() if not shift}
        self._network = network
        self._heard = Heard(network.module, unfolded, network.overwritten, network.transposed)
        self.tallies = {
            layer.name: Tally(photos, layer.shape[0], kept, network.device, shifts.get(layer.name))
            for layer in network.layers.values()
        }

    def hear(self, batch: Tensor, numbers: Sequence[int], sampled: Sequence[int]) -> None:
        """Run photos [N,3,H,W], whose numbers are these; `sampled` are the places among them of
        those that are looked at in more detail.
        """
        rows = torch.tensor(numbers, device=batch.device)

        def seen(name: str, activation: Tensor) -> None:
            self.tallies[name].add(rows, activation, sampled)

        with tap(self._heard, list(self.tallies), stop=False, on_seen=seen, keep=False):
            self._network(batch)

    def narrow(self, rows: Tensor) -> None:
        """Of these photos all is known: from now on look only where it may matter in the end."""
        for tally in self.tallies.values():
            tally.narrow(rows)


def _shift(network: Network, name: str) -> Shift | None:
    """How a folded convolution's channels differ from what it alone gives; None: not to be told."""
    folded, alone = network.module.get_submodule(name), network.unfolded[name]
    assert isinstance(folded, nn.Conv2d), "only convolutions are folded"
    assert isinstance(alone, nn.Conv2d), "it is the same as it was before"
    weights, before = (part.weight.flatten(1).double() for part in (folded, alone))
    gain = (weights * before).sum(1) / (before * before).sum(1)
    if not gain.isfinite().all() or bool((gain.abs() <= SHRUNK * gain.abs().max()).any()):
        return None
    offset = torch.zeros_like(gain) if folded.bias is None else folded.bias.double()
    if alone.bias is not None:
        offset = offset - gain * alone.bias.double()
    return Shift(gain.float(), offset.float())
