"""Gradients: (network) -> its passes with the same outputs, and other gradients on the way back.

A picture that only its own network understands is of no use to people. What helps it to be
understood by others is the gradient that does not go into every network's own details.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

from app.zoo.keeper import Network
from app.zoo.taps import outputs_through, scale_gradient


@contextmanager
def shaped(network: Network, branches: float, straight: bool) -> Iterator[None]:
    """While a network runs, shape the gradients of its passes; what it gives stays the same.

    branches: by how much the gradient into residual branches is multiplied, so that most of it
    takes the skips (Wu et al., "Skip Connections Matter", ICLR 2020). straight: activations that
    saturate let the gradient through there, as they would stop all that exceed them.
    """
    hooks: dict[str, Callable[[Tensor, Tensor], Tensor | None]] = {}
    if branches != 1.0:
        hooks |= dict.fromkeys(network.branches, _scaled(branches))
    if straight:
        hooks |= dict.fromkeys(network.saturating, _let_through)
    with outputs_through(network.module, hooks):
        yield


def _scaled(factor: float) -> Callable[[Tensor, Tensor], None]:
    return lambda given, output: scale_gradient(output, factor)


def _let_through(given: Tensor, output: Tensor) -> Tensor:
    result: Tensor = _StraightThrough.apply(given, output.detach())
    return result


class _StraightThrough(torch.autograd.Function):
    """The output of a ReLU6; the gradient of a ReLU."""

    @staticmethod
    def forward(ctx: Any, given: Tensor, output: Tensor) -> Tensor:
        # Else PyTorch would give a view of it, whose strides for a batch of one say "not channels
        # last" to what follows: a fifth of a step.
        ctx.mark_dirty(output)
        ctx.save_for_backward(output)
        return output

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> Any:
        (output,) = ctx.saved_tensors
        return torch.ops.aten.threshold_backward(gradients[0], output, 0.0), None
