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
#: How far a mean, and a photo's number, move those that are even: less than a float32 can tell.
EVEN, TIE = 2.0**-26, 2.0**-50
#: Numbers that stay in the cache of a processor's core, half a megabyte.
CHUNK = 1 << 17


@dataclass
class Reading:
    """What was read of one activation: its means and highest values [N,C], those of each column.

    values: [N,H,W,C]; columns: [N,W,C]. A matrix as wide as a row is what PyTorch is quick at, so
    the highest of each column of the map comes first. places: where the highest values are, [N,C],
    row * W + column; -1 where nobody has asked yet. signs [C]: of channels that are turned over in
    all but the values.
    """

    values: Tensor
    means: Tensor
    columns: Tensor
    highs: Tensor
    places: Tensor
    signs: Tensor | None = None

    @property
    def width(self) -> int:
        """Columns of the map."""
        return self.values.shape[2]

    def found(self, wanted: Tensor) -> Tensor:
        """The places, at least those that are wanted [N,C]."""
        _, height, width, channels = self.values.shape
        if height * width == 1:
            return self.places.zero_()
        asked = (wanted & (self.places < 0)).flatten().nonzero().squeeze(1)
        if len(asked):
            top, channel = self.highs.flatten().take(asked), asked % channels
            photo = asked // channels
            column = _last(self.columns, photo * (width * channels) + channel, channels, top)
            start = (photo * (height * width) + column) * channels + channel
            if self.signs is not None:
                top = top * self.signs[channel]
            row = _last(self.values, start, width * channels, top)
            self.places.view(-1)[asked] = row * width + column
        return self.places


def reading(activation: Tensor) -> Reading:
    """Of maps [N,C,H,W] or vectors [N,C]."""
    values = _channels_last(activation)
    count, height, width, channels = values.shape
    sums, columns = _sums_and_highs(values.view(count, height, width * channels))
    means = sums.view(count, width, channels).sum(1) / (height * width)
    columns = columns.view(count, width, channels)
    highs = columns.amax(1)
    return Reading(values, means, columns, highs, _nowhere(highs))


def _sums_and_highs(matrices: Tensor) -> tuple[Tensor, Tensor]:
    """(sum, highest) of each column of [N,R,K]: both while a piece of it is in the cache."""
    count, rows, length = matrices.shape
    if rows * length <= CHUNK:
        return matrices.sum(1), matrices.amax(1)
    sums, highs = torch.zeros(2, count, length, device=matrices.device).unbind()
    for n, matrix in enumerate(matrices):
        for k, piece in enumerate(matrix.split(max(1, CHUNK // length))):
            sums[n] += piece.sum(0)
            highest = piece.amax(0)
            highs[n] = torch.maximum(highs[n], highest) if k else highest
    return sums, highs


def reading_after(
    before: Reading, rising: Callable[[Tensor], Tensor], activation: Tensor
) -> Reading:
    """Of what a rising function made of what was read: only its means are new.

    It is highest where that was. The places are kept in one for both.
    """
    values = _channels_last(activation)
    means = values.flatten(1, 2).mean(1)
    columns, highs = rising(before.columns), rising(before.highs)
    return _Risen(values, means, columns, highs, before.places, before=before)


@dataclass
class _Risen(Reading):
    """What was read after something that it rises with."""

    before: Reading | None = None

    def found(self, wanted: Tensor) -> Tensor:
        assert self.before is not None, "it rises with something"
        return self.before.found(wanted)


def _channels_last(activation: Tensor) -> Tensor:
    maps = activation if activation.ndim == 4 else activation[..., None, None]
    return maps.permute(0, 2, 3, 1).contiguous()


def _nowhere(highs: Tensor) -> Tensor:
    return torch.full(highs.shape, -1, dtype=torch.int32, device=highs.device)


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
        highs = columns.amax(1)
        return replace(heard, columns=columns, highs=highs, places=_nowhere(highs), signs=signs)


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
        self._places.append(heard.found(self._wanted(highs)))
        if sampled:
            self._sample(heard.values[list(sampled)])

    def narrow(self) -> None:
        """From now on look only where it may matter in the end."""
        seen = self.highs.T.contiguous()
        if seen.shape[1] < self._kept:
            return
        most = seen.topk(self._kept, dim=1, sorted=False).values.amin(1)
        # As high as the last of the highest counts too, as its mean may be higher.
        self._most = torch.where(most > 0, most.nextafter(torch.zeros_like(most)), most)
        self._least = seen.topk(self._kept, dim=1, largest=False, sorted=False).values.amax(1)

    def extremes(self, most: bool) -> tuple[Tensor, Tensor, Tensor]:
        """(values, photos, places), each [C, kept or fewer]: the outermost photos first.

        Of the highest those that are even, as an activation that is cut off makes them, stand in
        the order of their means, and of their numbers at last.
        """
        highs, means = self.highs.T.double(), self.means.T.double()
        numbers = torch.arange(highs.shape[1], device=highs.device)
        keys = highs - numbers * TIE * (highs.abs() + TIE) * (1 if most else -1)
        if most:
            keys += torch.where(highs > 0, means * EVEN, 0)
        kept = min(self._kept, len(numbers))
        found = keys.topk(kept, dim=1, largest=most).indices
        return self.highs.T.gather(1, found), found, self.places.T.gather(1, found)

    def _wanted(self, highs: Tensor) -> Tensor:
        """In which photos it may matter where a channel is highest: [N,C]."""
        if self._most is None or self._least is None:
            return torch.ones_like(highs, dtype=torch.bool)
        return (highs > self._most) | (highs < self._least)

    def _sample(self, values: Tensor) -> None:
        height, width = values.shape[1:3]
        rows, columns = _spread(height), _spread(width)
        some = values[:, rows][:, :, columns].flatten(0, 2)
        self.sampled.append(some if self._shift is None else self._shift.back(some))


def _last(values: Tensor, starts: Tensor, step: int, wanted: Tensor) -> Tensor:
    """Of each start the last k, where the number k steps after it is the wanted one.

    Along the axis that is the last but for the channels, or that before it, by its step.
    """
    steps = torch.arange(values.shape[1], device=values.device)[:, None]
    some = values.view(-1).take(starts + steps * step)
    return (some == wanted).int().mul_(steps.int()).amax(0)


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
    first = torch.arange(len(values), device=values.device)[:, None] * bars
    return (numbers + first).flatten().bincount(minlength=len(values) * bars).view(-1, bars)
