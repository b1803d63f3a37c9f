"""Operations: (field, one of PyTorch's basic operations) -> the field after it."""

from typing import Any

import torch
from torch import Tensor

from app.zoo.fields import Field, Pair, pair

aten = torch.ops.aten

MAXIMUM = {aten.max_pool2d, aten.max_pool2d_with_indices}
AVERAGE = {aten.avg_pool2d, aten.avg_pool3d}  # 3d: a local response norm's window over channels
ADAPTIVE = {aten._adaptive_avg_pool2d, aten.adaptive_max_pool2d}
#: Mix all positions whatever the shapes say.
GLOBAL = {aten.bmm, aten.native_group_norm, aten.scaled_dot_product_attention}
#: Mix channels only; positions that became channels were seen to before.
PRODUCTS = {aten.mm, aten.addmm, aten.linear}
PIECES = {aten.select, aten.slice, aten.split, aten.split_with_sizes, aten.chunk, aten.unbind}

Window = tuple[Pair, Pair, Pair, Pair]


def after(field: Field, operation: Any, args: tuple[Any, ...], out: Tensor, picture: Pair) -> Field:
    """What a unit of `out` sees, if units of the inputs see `field`; picture: its (H, W).

    An operation that is not known here and makes less of what it is given sees everything.
    """
    if (window := _window(operation, args, out)) is not None:
        return field.windowed(*window)
    first = next(value for value in _flat(args) if isinstance(value, Tensor))
    if operation is aten.constant_pad_nd and first.ndim >= 4:
        sides = [*args[1], 0, 0]
        return field.shifted((-sides[2], -sides[0]))
    if operation in PRODUCTS or (operation in PIECES and _axis(args) % first.ndim < 2):
        return field
    turned = operation is aten.convolution  # a transposed one: `_window` takes the others
    flattens = out.ndim == 2 < first.ndim and out.shape[0] == first.shape[0]
    if turned or flattens or operation in GLOBAL or out.numel() < first.numel():
        return field.everything(picture)
    return field


def _window(operation: Any, args: tuple[Any, ...], out: Tensor) -> Window | None:
    """Kernel, stride, padding and dilation of a window that slides; None for everything else."""
    if operation is aten.convolution and not args[6]:
        return pair(args[1].shape[2:]), pair(args[3]), pair(args[4]), pair(args[5])
    if operation in MAXIMUM | AVERAGE:
        given = [*args[1:], *([()] * 4)]
        dilation = pair(given[3]) if operation in MAXIMUM else (1, 1)
        return pair(given[0]), pair(given[1], pair(given[0])), pair(given[2], (0, 0)), dilation
    if operation in ADAPTIVE and out.shape[-1] > 1:
        sizes = list(zip(args[0].shape[-2:], out.shape[-2:], strict=True))
        kernel = [size // wanted + 2 * (size % wanted > 0) for size, wanted in sizes]
        stride = [size // wanted for size, wanted in sizes]
        return pair(kernel), pair(stride), (0, 0), (1, 1)
    return None


def _axis(args: tuple[Any, ...]) -> int:
    """The axis along which an operation cuts: its only or its second number."""
    numbers = [value for value in args[1:] if isinstance(value, int)]
    return numbers[0] if numbers else 0


def _flat(args: tuple[Any, ...]) -> list[Any]:
    return [part for arg in args for part in (arg if isinstance(arg, list | tuple) else (arg,))]
