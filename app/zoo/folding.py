"""Folding: (network, its trace) -> the same outputs with batch norms inside the convolutions.

W' = W g / s, b' = beta + (b - mean) g / s, with s = sqrt(var + eps). The convolution as it was is
kept aside, so that what it alone gives can still be computed.
"""

import copy
from collections import Counter
from dataclasses import dataclass, field

import torch
from torch import nn

from app.zoo.tracing import Call, Trace

Pairs = list[tuple[str, str]]


def foldable(trace: Trace) -> Pairs:
    """(convolution, batch norm) where only the batch norm reads what the convolution gives."""
    runs = Counter(call.path for call in trace.called)
    by_output: dict[int, list[Call]] = {}
    for call in trace.called:
        by_output.setdefault(id(call.output), []).append(call)
    pairs = []
    for norm in trace.called:
        givers = by_output.get(id(norm.given), [])
        if (
            isinstance(norm.module, nn.BatchNorm2d)
            and norm.module.track_running_stats
            and len(givers) == 1
            and isinstance(givers[0].module, nn.Conv2d)
            and trace.readers[id(norm.given)] == [norm.name]
            and runs[norm.path] == runs[givers[0].path] == 1
        ):
            pairs.append((givers[0].path, norm.path))
    return pairs


@dataclass
class Folding:
    """What was folded: the convolutions as they were, and the batch norms, by path."""

    module: nn.Module
    convolutions: dict[str, nn.Module] = field(default_factory=dict)
    norms: dict[str, nn.Module] = field(default_factory=dict)

    def undo(self) -> None:
        """Put everything back."""
        for path, part in (self.convolutions | self.norms).items():
            self.module.set_submodule(path, part)


def fold(module: nn.Module, pairs: Pairs) -> Folding:
    """Fold each batch norm into its convolution; its activation, or nothing, takes its place."""
    folding = Folding(module)
    for conv_path, norm_path in pairs:
        convolution, norm = module.get_submodule(conv_path), module.get_submodule(norm_path)
        if not isinstance(convolution, nn.Conv2d) or not isinstance(norm, nn.BatchNorm2d):
            raise TypeError(f"{norm_path} cannot be folded into {conv_path}")
        folding.convolutions[conv_path] = aside = copy.copy(convolution)
        aside._parameters = dict(convolution._parameters)
        folding.norms[norm_path] = norm
        _fold(convolution, norm)
        after = getattr(norm, "act", None)  # timm's batch norms apply an activation themselves
        module.set_submodule(norm_path, after if isinstance(after, nn.Module) else nn.Identity())
    return folding


def _fold(convolution: nn.Conv2d, norm: nn.BatchNorm2d) -> None:
    mean, variance = norm.running_mean, norm.running_var
    if mean is None or variance is None:
        raise ValueError("a batch norm without running statistics cannot be folded")
    gain = 1 / torch.sqrt(variance.double() + norm.eps)
    if norm.weight is not None:
        gain = gain * norm.weight.double()
    bias = -mean.double() if convolution.bias is None else convolution.bias.double() - mean.double()
    shift = bias * gain if norm.bias is None else bias * gain + norm.bias.double()
    weight = convolution.weight.double() * gain[:, None, None, None]
    convolution.weight = nn.Parameter(weight.float(), requires_grad=False)
    convolution.bias = nn.Parameter(shift.float(), requires_grad=False)
