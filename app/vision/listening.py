"""Listening: (network) -> tallies of all its layers, filled in one pass for each batch of photos.

A convolution that a batch norm was folded into is not run again for what it alone gives: each of
its channels is the folded one's, stretched and shifted, and so are its numbers.
"""

import copy
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from app.vision.statistics import Reading, Shift, Tally, reading, reading_after
from app.zoo.keeper import Network
from app.zoo.taps import tap

#: A channel that its batch norm shrinks more than this, beside the others, cannot be told back.
SHRUNK = 1e-4
#: Activations that never fall.
RISING = (nn.ReLU, nn.ReLU6, nn.Hardtanh, nn.Sigmoid, nn.Tanh, nn.Identity)


@dataclass(frozen=True)
class Heard:
    """A network as it is listened to: most of what was folded is left folded."""

    module: nn.Module
    unfolded: Mapping[str, nn.Module]
    overwritten: Collection[str]
    transposed: Collection[str]


class Listener:
    """Tallies of all layers of a network, by name."""

    def __init__(self, network: Network, kept: int) -> None:
        shifts = {name: _shift(network, name) for name in network.unfolded}
        unfolded = {name: network.unfolded[name] for name, shift in shifts.items() if not shift}
        self._network = network
        self._heard = Heard(network.module, unfolded, network.overwritten, network.transposed)
        self._rising = {name: _rising(network, name, unfolded) for name in network.layers}
        self.tallies = {name: Tally(kept, shifts.get(name)) for name in network.layers}

    def hear(self, batch: Tensor, sampled: Sequence[int] = ()) -> None:
        """Run the next photos [N,3,H,W]; sampled: those among them that are looked at closely."""
        last: tuple[str, Tensor, Reading] | None = None

        def seen(name: str, activation: Tensor) -> None:
            nonlocal last
            rising = self._rising[name]
            if last is not None and last[1] is activation:
                read = last[2]  # a block gives what its last layer gave
            elif last is not None and rising is not None and rising[0] == last[0]:
                read = reading_after(last[2], rising[1], activation)
            else:
                read = reading(activation)
            self.tallies[name].add(read, sampled)
            last = (name, activation, read)

        with tap(self._heard, list(self.tallies), stop=False, on_seen=seen, keep=False):
            self._network(batch)

    def narrow(self) -> None:
        """From now on look only where it may matter in the end."""
        for tally in self.tallies.values():
            tally.narrow()


def _rising(network: Network, name: str, apart: Collection[str]) -> tuple[str, nn.Module] | None:
    """(the one layer that it reads, a copy of it) of an activation that never falls; else None.

    A copy, as itself is listened to: asked once more, it would count as called again, which it is
    in networks that use one module in several places. apart: layers that are heard otherwise than
    what comes after them is given.
    """
    inputs = network.layers[name].inputs
    module = dict(network.module.named_modules()).get(name)
    if len(inputs) != 1 or inputs[0] in apart or not isinstance(module, RISING):
        return None
    return inputs[0], copy.deepcopy(module)


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
