"""Receptive fields: (what a unit sees, one operation) -> what a unit of its output sees.

The arithmetic of Araujo, Norris & Sim 2019 (https://distill.pub/2019/computing-receptive-fields),
along the real data flow, each axis by itself.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

Pair = tuple[int, int]


@dataclass(frozen=True)
class Placed:
    """What unit (y, x) sees: `size` pixels of the input from start + (y, x) * jump on, as (H, W).

    Beyond the edges too, as theory has it; whole: through a global pool or a fully connected layer
    it sees all the rest besides, and where nothing else is left, size is the input's and jump 0.
    """

    start: Pair
    size: Pair
    jump: Pair
    whole: bool


@dataclass(frozen=True)
class Field:
    """Unit i sees the picture's pixels low + i * jump to high + i * jump, per axis (H, W).

    whole: it sees the whole picture, through a global pool or a fully connected layer.
    """

    low: Pair = (0, 0)
    high: Pair = (0, 0)
    jump: Pair = (1, 1)
    whole: bool = False

    def side(self, picture: Pair) -> int:
        """The longer side of what one unit sees, in pixels; theory does not stop at the edges."""
        if self.whole:
            return max(picture)
        return max(high - low + 1 for low, high in zip(self.low, self.high, strict=True))

    def placed(self, picture: Pair) -> Placed:
        """The same for drawing on a picture of this size (H, W)."""
        if self.whole and min(self.jump[a] - picture[a] for a in range(2)) >= 0:
            return Placed((0, 0), picture, (0, 0), True)
        size = _pair(high - low + 1 for low, high in zip(self.low, self.high, strict=True))
        return Placed(self.low, size, self.jump, self.whole)

    def windowed(self, kernel: Pair, stride: Pair, padding: Pair, dilation: Pair) -> "Field":
        """After a window has slid over it: a convolution or a pool."""
        axes = range(2)
        reach = [(kernel[a] - 1) * dilation[a] - padding[a] for a in axes]
        return replace(
            self,
            low=_pair(self.low[a] - padding[a] * self.jump[a] for a in axes),
            high=_pair(self.high[a] + reach[a] * self.jump[a] for a in axes),
            jump=_pair(self.jump[a] * stride[a] for a in axes),
        )

    def shifted(self, offset: Pair) -> "Field":
        """After `offset` units were cut off in front (negative: put in front)."""
        steps = _pair(o * j for o, j in zip(offset, self.jump, strict=True))
        return replace(
            self,
            low=_pair(low - step for low, step in zip(self.low, steps, strict=True)),
            high=_pair(high - step for high, step in zip(self.high, steps, strict=True)),
        )

    def everything(self, picture: Pair) -> "Field":
        """After a reduction over all positions."""
        return replace(self, jump=picture, whole=True)


def joined(fields: Iterable[Field]) -> Field:
    """What a unit sees that is computed from units of several tensors (a sum, a concatenation).

    A gate of size 1x1 has the picture's size as its jump, so the maps' own jump is the smaller.
    """
    found = list(fields)
    return Field(
        low=_pair(min(field.low[a] for field in found) for a in range(2)),
        high=_pair(max(field.high[a] for field in found) for a in range(2)),
        jump=_pair(min(field.jump[a] for field in found) for a in range(2)),
        whole=any(field.whole for field in found),
    )


def pair(values: int | Sequence[int], default: Pair = (1, 1)) -> Pair:
    """An operation's argument for H and W: given once, for both, or with a depth in front."""
    if isinstance(values, int):
        return (values, values)
    if not values:
        return default
    return (values[-2], values[-1]) if len(values) > 1 else (values[0], values[0])


def _pair(values: Iterable[int]) -> Pair:
    first, second = values
    return first, second
