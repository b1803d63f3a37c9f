"""Statistics: (activations of many photos, batch by batch) -> what each channel makes of them all.

Everything is read once, while it is still in the cache, so that it costs little beside the passes
themselves. Where a channel is highest is looked for only in photos that may come to be among its
extremes: `Tally.narrow` says, now and then, which those are.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

#: Positions along each side of a map that are kept of a sampled photo.
SAMPLED_SIDE = 4
#: The magnitude that a float16 holds.
MOST = 65504.0


@dataclass(frozen=True)
class Reading:
    """What was read of one activation: its means and highest values [N,C], those of each column.

    values: [N,H,W,C]; columns: [N,W,C]. A matrix as wide as a row is what PyTorch is quick at, so
    the highest of each column of the map comes first.
    """

    values: Tensor
    means: Tensor
    columns: Tensor
    highs: Tensor

    @property
    def width(self) -> int:
        """Columns of the map."""
        return self.values.shape[2]


def reading(activation: Tensor) -> Reading:
    """Of maps [N,C,H,W] or vectors [N,C]."""
    values, means = _read(activation)
    columns = values.flatten(2).amax(1).view(len(values), values.shape[2], -1)
    return Reading(values, means, columns, columns.amax(1))


def reading_after(
    before: Reading, rising: Callable[[Tensor], Tensor], activation: Tensor
) -> Reading:
    """Of what a rising function made of what was read: only its means are new."""
    values, means = _read(activation)
    return Reading(values, means, rising(before.columns), rising(before.highs))


def _read(activation: Tensor) -> tuple[Tensor, Tensor]:
    maps = activation if activation.ndim == 4 else activation[..., None, None]
    values = maps.permute(0, 2, 3, 1).contiguous()
    return values, values.flatten(1, 2).mean(1)


@dataclass(frozen=True)
class Shift:
    """What is heard is gain * x + offset of what is meant; each [C]."""

    gain: Tensor
    offset: Tensor

    def back(self, heard: Tensor) -> Tensor:
        """What was meant, channels last."""
        return (heard - self.offset) / self.gain

    def turned(self, heard: Reading) -> Reading:
        """A reading with those channels turned over that are heard upside down."""
        signs = self.gain.sign()
        if bool((signs > 0).all()):
            return heard
        lows = heard.values.flatten(2).amin(1).view_as(heard.columns)
        columns = torch.where(signs > 0, heard.columns, -lows)
        return replace(heard, columns=columns, highs=columns.amax(1))


class Tally:
    """One layer over photos, which it numbers as they come.

    sampled: values of evenly spread positions of some photos [.., C].
    """

    def __init__(self, kept: int, shift: Shift | None = None) -> None:
        self.sampled: list[Tensor] = []
        self.width = 1
        self._kept, self._shift = kept, shift
        self._means: list[Tensor] = []
        self._highs: list[Tensor] = []
        self._places: list[Tensor] = []
        self._least: Tensor | None = None
        self._most: Tensor | None = None

    @property
    def means(self) -> Tensor:
        """The spatial mean of each photo: [photos, C] float16."""
        self._means = [torch.cat(self._means)]
        return self._means[0].clamp(-MOST, MOST)

    @property
    def highs(self) -> Tensor:
        """The highest value in each photo: [photos, C]."""
        self._highs = [torch.cat(self._highs)]
        return self._highs[0]

    @property
    def places(self) -> Tensor:
        """Where it is: [photos, C], row * width + column; -1 where it was not looked for."""
        self._places = [torch.cat(self._places)]
        return self._places[0]

    def add(self, heard: Reading, sampled: Sequence[int] = ()) -> None:
        """Take in the next photos. sampled: those whose values are kept at some positions."""
        means, highs = heard.means, heard.highs
        if self._shift is not None:
            heard = self._shift.turned(heard)
            means = self._shift.back(means)
            highs = self._shift.back(heard.highs * self._shift.gain.sign())
        self.width = heard.width
        self._means.append(means.half())
        self._highs.append(highs)
        self._places.append(self._found(heard, highs))
        if sampled:
            self._sample(heard.values[list(sampled)])

    def narrow(self) -> None:
        """From now on look only where it may matter in the end."""
        seen = self.highs.T
        if seen.shape[1] >= self._kept:
            self._most = seen.topk(self._kept, dim=1).values[:, -1].contiguous()
            lowest = seen.topk(self._kept, dim=1, largest=False).values
            self._least = lowest[:, -1].contiguous()

    def extremes(self, most: bool) -> tuple[Tensor, Tensor, Tensor]:
        """(values, photos, places), each [C, kept or fewer]: the outermost photos first.

        Of the highest those that are even, as an activation that is cut off makes them, stand in
        the order of their means, and of their numbers at last.
        """
        seen = self.highs.T.contiguous()
        numbers = torch.arange(seen.shape[1], device=seen.device).expand_as(seen)
        if most:
            numbers = self.means.T.sort(dim=1, descending=True, stable=True).indices
            seen = seen.gather(1, numbers)
        order = seen.sort(dim=1, descending=most, stable=True)
        numbers = numbers.gather(1, order.indices[:, : self._kept])
        return order.values[:, : self._kept], numbers, self.places.T.gather(1, numbers)

    def _wanted(self, highs: Tensor) -> Tensor:
        """In which photos it may matter where a channel is highest: [N,C]."""
        if self._most is None or self._least is None:
            return torch.ones_like(highs, dtype=torch.bool)
        # As high as the last of the highest counts too, as its mean may be higher.
        is_even = (highs == self._most) & (highs > 0)
        return (highs > self._most) | (highs < self._least) | is_even

    def _found(self, heard: Reading, highs: Tensor) -> Tensor:
        """Where in the maps the highest values are, as far as it may matter: [N,C]."""
        height, width, channels = heard.values.shape[1:]
        places = torch.full(highs.shape, -1, dtype=torch.int32, device=highs.device)
        photo, channel = self._wanted(highs).nonzero(as_tuple=True)
        top = heard.highs[photo, channel]
        column = _last_place(heard.columns, photo * (width * channels) + channel, channels, top)
        if self._shift is not None:
            top = top * self._shift.gain.sign()[channel]
        start = (photo * (height * width) + column) * channels + channel
        row = _last_place(heard.values, start, width * channels, top)
        places[photo, channel] = row * width + column
        return places

    def _sample(self, values: Tensor) -> None:
        height, width = values.shape[1:3]
        rows, columns = _spread(height), _spread(width)
        some = values[:, rows][:, :, columns].flatten(0, 2)
        self.sampled.append(some if self._shift is None else self._shift.back(some))


def _last_place(values: Tensor, starts: Tensor, step: int, wanted: Tensor) -> Tensor:
    """Of each start the last k, where the number k steps after it is the wanted one.

    Along the axis that is the last but for the channels, or that before it, by its step.
    """
    count = values.shape[1]
    steps = torch.arange(count, device=values.device)
    some = values.flatten().take(starts + (steps * step)[:, None])
    return torch.where(some == wanted, steps.int()[:, None], 0).amax(0)


def _spread(length: int) -> Tensor:
    """At most SAMPLED_SIDE places, evenly over a side."""
    count = min(length, SAMPLED_SIDE)
    return torch.tensor([(2 * k + 1) * length // (2 * count) for k in range(count)])


def histogram(values: Tensor, low: Tensor, high: Tensor, bars: int) -> Tensor:
    """How many of values [C,N] lie in each of `bars` equal parts of low [C] .. high [C]: [C,bars].

    Where low and high are the same, all are in the first.
    """
    span = high - low
    places = (values - low[:, None]) * (bars / torch.where(span > 0, span, 1.0))[:, None]
    numbers = places.to(torch.int64).clamp_(0, bars - 1)
    counts = torch.zeros(len(values), bars, dtype=torch.int32, device=values.device)
    return counts.scatter_add_(1, numbers, torch.ones_like(numbers, dtype=torch.int32))
