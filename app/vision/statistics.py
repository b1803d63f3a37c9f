"""Statistics: (activations of many photos, batch by batch) -> what each channel makes of them all.

Everything is read once, while it is still in the cache, so that it costs little beside the passes
themselves. Where a channel is highest is looked for only in photos that may come to be among its
extremes: `Tally.narrow` says, now and then, which those are.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

#: Positions along each side of a map that are kept of a sampled photo.
SAMPLED_SIDE = 4
#: The magnitude that a float16 holds.
MOST = 65504.0


@dataclass(frozen=True)
class Shift:
    """What is heard is gain * x + offset of what is meant; each [C]."""

    gain: Tensor
    offset: Tensor

    def back(self, heard: Tensor) -> Tensor:
        """What was meant, channels last."""
        return (heard - self.offset) / self.gain


class Tally:
    """One layer over so many photos: means, highest values, and where these are.

    means: [photos, C] float16, the spatial mean; highs: [photos, C] float32; places: [photos, C],
    the position of the highest value, row * W + column, -1 where it was not looked for; sampled:
    values of evenly spread positions of some photos [.., C].
    """

    def __init__(
        self,
        photos: int,
        channels: int,
        kept: int,
        device: torch.device,
        shift: Shift | None = None,
    ) -> None:
        self.means = torch.zeros(photos, channels, dtype=torch.float16, device=device)
        self.highs = torch.zeros(photos, channels, device=device)
        self.places = torch.full((photos, channels), -1, dtype=torch.int32, device=device)
        self.sampled: list[Tensor] = []
        self.width = 1
        self._kept, self._shift = kept, shift
        self._least: Tensor | None = None
        self._most: Tensor | None = None

    def add(self, photos: Tensor, activation: Tensor, sampled: Sequence[int] = ()) -> None:
        """Take in [N,C,H,W] or [N,C] of the photos of these numbers [N].

        sampled: the places among them of those whose values are kept at some positions.
        """
        maps = activation if activation.ndim == 4 else activation[..., None, None]
        values = maps.permute(0, 2, 3, 1).contiguous()
        count, height, self.width, channels = values.shape
        means = values.view(count, -1, channels).mean(1)
        # By columns of the map first: a matrix as wide as this is what PyTorch is quick at.
        columns = _highest(values.view(count, height, -1), self._signs(self.width))
        columns = columns.view(count, self.width, channels)
        highs = columns.amax(1)
        if self._shift is not None:
            means = self._shift.back(means)
        self.means[photos] = means.clamp(-MOST, MOST).half()
        self.highs[photos] = meant = self._meant(highs)
        self._find(photos, values, columns, meant)
        if len(sampled):
            self._sample(values[list(sampled)])

    def narrow(self, photos: Tensor) -> None:
        """These are known: from now on look only where it may matter in the end."""
        if len(photos) >= self._kept:
            seen = self.highs[photos].T.contiguous()
            self._most = seen.topk(self._kept, dim=1).values[:, -1]
            self._least = seen.topk(self._kept, dim=1, largest=False).values[:, -1]

    def extremes(self, photos: Tensor, most: bool) -> tuple[Tensor, Tensor, Tensor]:
        """(values, photos, places), each [C, kept or fewer]: the outermost of these photos first.

        Of the highest those that are even, as an activation that is cut off makes them, stand in
        the order of their means, and of their numbers at last.
        """
        seen, numbers = self.highs[photos].T, photos.expand(self.highs.shape[1], -1)
        if most:
            by_mean = self.means[photos].T.sort(dim=1, descending=True, stable=True).indices
            seen, numbers = seen.gather(1, by_mean), numbers.gather(1, by_mean)
        order = seen.sort(dim=1, descending=most, stable=True)
        numbers = numbers.gather(1, order.indices[:, : self._kept])
        places = self.places.T.gather(1, numbers)
        return order.values[:, : self._kept], numbers, places

    def _signs(self, times: int) -> Tensor | None:
        if self._shift is None or bool((self._shift.gain > 0).all()):
            return None
        return self._shift.gain.sign().repeat(times)

    def _meant(self, highs: Tensor) -> Tensor:
        return highs if self._shift is None else self._shift.back(highs * self._shift.gain.sign())

    def _find(self, photos: Tensor, values: Tensor, columns: Tensor, highs: Tensor) -> None:
        """Where in the maps [N,H,W,C] the highest values are, if they may come to matter."""
        if self._most is None or self._least is None:
            wanted = torch.ones_like(highs, dtype=torch.bool)
        else:
            # As high as the last of the highest counts too, as its mean may be higher.
            is_even = (highs == self._most) & (highs > 0)
            wanted = (highs > self._most) | is_even | (highs < self._least)
        photo, channel = wanted.nonzero(as_tuple=True)
        column = columns[photo, :, channel].argmax(1)
        along = values[photo, :, column, channel]
        if self._shift is not None:
            along = along * self._shift.gain.sign()[channel, None]
        found = along.argmax(1) * self.width + column
        self.places[photos[photo], channel] = found.to(torch.int32)

    def _sample(self, values: Tensor) -> None:
        height, width = values.shape[1:3]
        rows, columns = _spread(height), _spread(width)
        some = values[:, rows][:, :, columns].flatten(0, 2)
        self.sampled.append(some if self._shift is None else self._shift.back(some))


def _highest(matrix: Tensor, signs: Tensor | None) -> Tensor:
    """The highest of each column of [N,R,K]; with signs [K], of those times these."""
    if signs is None:
        return matrix.amax(1)
    return torch.where(signs > 0, matrix.amax(1), -matrix.amin(1))


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
    counts = torch.zeros(len(values), bars, dtype=torch.int32)
    return counts.scatter_add_(1, numbers, torch.ones_like(numbers, dtype=torch.int32))
