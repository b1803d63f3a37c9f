"""Windows: a module that slides over its input -> the numbers of its sliding, as they were used."""

from dataclasses import dataclass

from torch import nn

from app.zoo.arithmetic import Slide
from app.zoo.fields import Pair, pair

SLIDING = (nn.Conv2d, nn.MaxPool2d, nn.AvgPool2d)


@dataclass(frozen=True)
class Window:
    """How a convolution or a pool slides; pairs are (H, W).

    front, back: zeros put around it at the top and left, at the bottom and right;
    ceil: a last window that hangs over the edge counts; bias: it has one (convolutions).
    """

    kernel: Pair
    stride: Pair
    front: Pair
    back: Pair
    dilation: Pair
    groups: int
    bias: bool
    ceil: bool

    def slide(self, axis: int, size: int) -> Slide:
        """Along one axis (0: H, 1: W) of an input of this size."""
        return Slide(
            size,
            self.kernel[axis],
            self.stride[axis],
            self.front[axis],
            self.back[axis],
            self.dilation[axis],
            self.ceil,
        )


def window(module: nn.Module, given: Pair, made: Pair) -> Window | None:
    """The window of a module that was given a map of one size and made one of another, both (H, W).

    None for what does not slide. Padding that is chosen by the size of the input ("same", and
    TensorFlow's, which puts the odd zero behind) is found from the sizes.
    """
    if not isinstance(module, SLIDING):
        return None
    kernel, stride = pair(module.kernel_size), pair(module.stride)
    dilation = pair(getattr(module, "dilation", 1))
    ceil = bool(getattr(module, "ceil_mode", False))
    padding = (0, 0) if isinstance(module.padding, str) else pair(module.padding)
    slides = [
        Slide(given[a], kernel[a], stride[a], padding[a], padding[a], dilation[a], ceil)
        for a in (0, 1)
    ]
    if all(slide.outputs == made[a] for a, slide in enumerate(slides)):
        front = back = padding
    else:
        need = [max(0, (made[a] - 1) * stride[a] + slides[a].span - given[a]) for a in (0, 1)]
        front = (need[0] // 2, need[1] // 2)
        back = (need[0] - front[0], need[1] - front[1])
    return Window(
        kernel=kernel,
        stride=stride,
        front=front,
        back=back,
        dilation=dilation,
        groups=getattr(module, "groups", 1),
        bias=getattr(module, "bias", None) is not None,
        ceil=ceil,
    )
