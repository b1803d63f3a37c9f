"""Arithmetic: (the numbers of a layer) -> output size, parameters, multiply-adds, what a unit sees.

What a lecturer writes on the board, and no more: it needs no torch, so that pages compute with it.
One multiply-add is counted as one operation, and biases add no operation, as torchvision counts.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from math import prod

#: Bytes that one number takes, in float32.
FLOAT = 4
#: What the loss of an auxiliary head counts for (https://arxiv.org/abs/1409.4842, section 5).
AUXILIARY_WEIGHT = 0.3


@dataclass(frozen=True)
class Slide:
    """A window that slides along one axis, all in positions of its input.

    front, back: zeros put before and after; dilation: from one weight to the next;
    ceil: a last window that hangs over the end counts too.
    """

    size: int
    kernel: int
    stride: int = 1
    front: int = 0
    back: int = 0
    dilation: int = 1
    ceil: bool = False

    @property
    def span(self) -> int:
        """From the window's first position to its last, both included."""
        return self.dilation * (self.kernel - 1) + 1

    @property
    def room(self) -> int:
        """How far the window can be moved; below 0 it does not fit at all."""
        return self.size - self.span + self.front + self.back

    @property
    def rest(self) -> int:
        """Positions at the end that no whole step reaches."""
        return self.room % self.stride if self.room > 0 else 0

    @property
    def outputs(self) -> int:
        """How many places it stops at: (size - filter + padding) / stride + 1, rounded; 0: none."""
        if self.room < 0:
            return 0
        steps = -(-self.room // self.stride) if self.ceil else self.room // self.stride
        # A window that would begin in the zeros at the end is left out, as in PyTorch.
        hangs_over = self.ceil and steps * self.stride >= self.size + self.front
        return steps + (0 if hangs_over else 1)


@dataclass(frozen=True)
class Convolution:
    """A convolution's numbers: channels in and out, (height, width) of a filter.

    groups: the channels are cut into that many, each with filters of its own.
    """

    channels: int
    filters: int
    kernel: tuple[int, int]
    groups: int = 1
    bias: bool = True

    @property
    def per_filter(self) -> int:
        """Weights of one filter."""
        return prod(self.kernel) * (self.channels // self.groups)

    @property
    def weights(self) -> int:
        """Weights of all filters."""
        return self.per_filter * self.filters

    @property
    def parameters(self) -> int:
        """Weights and biases."""
        return self.weights + (self.filters if self.bias else 0)

    def multiply_adds(self, height: int, width: int) -> int:
        """For an output of this size: every weight once at each place."""
        return self.weights * height * width


@dataclass(frozen=True)
class Seen:
    """What one unit sees of the input, in its positions, and how far two units are apart."""

    size: int = 1
    jump: int = 1

    def after(self, kernel: int, stride: int = 1, dilation: int = 1) -> "Seen":
        """Through one more window: (filter - 1) x jump more (https://distill.pub/2019/computing-receptive-fields)."""
        return Seen(self.size + (kernel - 1) * dilation * self.jump, self.jump * stride)


def seen(windows: Iterable[tuple[int, int]]) -> list[Seen]:
    """What a unit sees after each of (filter, stride) one upon the other."""
    found = [Seen()]
    for kernel, stride in windows:
        found.append(found[-1].after(kernel, stride))
    return found[1:]


def stacked(kernel: int, small: int = 3) -> int:
    """How many small filters one upon the other see as much as one of `kernel`, or just more."""
    return -(-(kernel - 1) // (small - 1))


@dataclass(frozen=True)
class Bottleneck:
    """A filter over many channels, alone and behind a 1x1 that makes them few first.

    height, width: of the map, which keeps its size; reduced: channels after the 1x1.
    """

    height: int
    width: int
    channels: int
    kernel: int
    filters: int
    reduced: int

    @property
    def direct(self) -> int:
        """Multiplications without the 1x1."""
        return self._of(self.channels, self.filters, self.kernel)

    @property
    def steps(self) -> tuple[int, int]:
        """Multiplications of the 1x1, and of the filter behind it."""
        return (
            self._of(self.channels, self.reduced, 1),
            self._of(self.reduced, self.filters, self.kernel),
        )

    @property
    def through(self) -> int:
        """Multiplications of both steps."""
        return sum(self.steps)

    def _of(self, channels: int, filters: int, kernel: int) -> int:
        convolution = Convolution(channels, filters, (kernel, kernel))
        return convolution.multiply_adds(self.height, self.width)


@dataclass(frozen=True)
class Head:
    """What follows the last map [channels, height, width]: fully connected layers, or a pool."""

    channels: int
    height: int
    width: int
    hidden: tuple[int, ...]
    classes: int

    @property
    def connected(self) -> tuple[int, ...]:
        """Weights of each fully connected layer, the first on the whole map."""
        sides = (self.channels * self.height * self.width, *self.hidden, self.classes)
        return tuple(before * after for before, after in pairwise(sides))

    @property
    def pooled(self) -> int:
        """Weights of one fully connected layer behind the mean of each channel."""
        return self.channels * self.classes


def training_loss(main: float, auxiliary: Iterable[float], weight: float) -> float:
    """The loss that is trained on: the classifier's, and so much of each auxiliary head's."""
    return main + weight * sum(auxiliary)
