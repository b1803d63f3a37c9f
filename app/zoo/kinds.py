"""Kinds: a module -> what the field calls it."""

import re

from torch import nn

#: Modules that are one layer, whatever they are built of. The first that fits is taken.
LAYERS: tuple[tuple[type[nn.Module], str], ...] = (
    (nn.Conv2d, "convolution"),
    (nn.ConvTranspose2d, "transposed convolution"),
    (nn.Linear, "fully connected"),
    (nn.BatchNorm2d, "batch norm"),
    (nn.LayerNorm, "layer norm"),
    (nn.GroupNorm, "group norm"),
    (nn.LocalResponseNorm, "local response norm"),
    (nn.MaxPool2d, "max pool"),
    (nn.AvgPool2d, "average pool"),
    (nn.AdaptiveAvgPool2d, "average pool"),
    (nn.AdaptiveMaxPool2d, "max pool"),
    (nn.ReLU6, "ReLU6"),
    (nn.ReLU, "ReLU"),
    (nn.GELU, "GELU"),
    (nn.SiLU, "SiLU"),
    (nn.Sigmoid, "sigmoid"),
    (nn.Hardswish, "hard swish"),
    (nn.Hardsigmoid, "hard sigmoid"),
    (nn.Softmax, "softmax"),
)

#: Modules of which a network is put together and which people name as one.
BLOCKS = {
    "BasicBlock": "residual block",
    "Bottleneck": "residual block",
    "BasicConv2d": "conv-norm-activation",
    "Conv2dNormActivation": "conv-norm-activation",
    "ConvNormAct": "conv-norm-activation",
    "CNBlock": "ConvNeXt block",
    "DepthwiseSeparableConv": "depthwise separable",
    "SqueezeExcitation": "squeeze-and-excitation",
    "SqueezeExcite": "squeeze-and-excitation",
}

#: Modules that only hold others: people name what is inside.
CONTAINERS = (nn.Sequential, nn.ModuleList, nn.ModuleDict)


def layer_kind(module: nn.Module) -> str | None:
    """What a single layer is called, None for anything put together of layers.

    timm's batch norms apply their activation themselves, and say so.
    """
    for kind, name in LAYERS:
        if isinstance(module, kind):
            inner = getattr(module, "act", None) if kind is nn.BatchNorm2d else None
            activation = layer_kind(inner) if isinstance(inner, nn.Module) else None
            return f"{name} + {activation}" if activation else name
    return None


def block_kind(module: nn.Module) -> str:
    """What a composite layer is called: the field's word, else its class's name in words."""
    name = type(module).__name__.lstrip("_")
    if re.fullmatch(r"Inception[A-E]?", name):
        return "inception"
    words = re.findall(r"[A-Z]+(?=[A-Z][a-z]|$|\d)|[A-Z]?[a-z]+|\d+", name)
    return BLOCKS.get(name) or " ".join(words).lower()
