"""Architectures: (entry) -> a network with fresh weights: timm's, torchvision's, as published."""

import copy
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.module import (
    register_module_buffer_registration_hook,
    register_module_parameter_registration_hook,
)

from app.errors import ModelUnavailable, Words
from app.zoo.architectures.alexnet import AlexNet, alexnet_convolutions
from app.zoo.architectures.googlenet import GoogLeNet
from app.zoo.entries import Entry

COLORS = 3
#: What torchvision lacks, by the name that follows `laterna:`; each takes the number of classes.
PUBLISHED: dict[str, Callable[[int], nn.Module]] = {
    "alexnet-2012": AlexNet,
    "alexnet-2012-convolutions": lambda classes: alexnet_convolutions(),
    "googlenet-2014": lambda classes: GoogLeNet(classes, auxiliary_heads=False),
}


def build(entry: Entry) -> nn.Module:
    """The architecture with fresh weights, in evaluation mode. Raises ModelUnavailable."""
    family, _, name = entry.architecture.partition(":")
    classes = 1000 if entry.classes is None else entry.classes
    try:
        module = BUILDERS[family](name, classes, entry)
        return (seeing_grey(module) if is_grey(entry) else module).eval()
    except LookupError:
        raise ModelUnavailable(
            model=entry.title,
            reason=Words("There is no architecture “{name}”.", name=entry.architecture),
        ) from None
    except Exception as error:  # whatever an architecture that we do not know may raise
        raise ModelUnavailable(
            model=entry.title,
            reason=Words(
                "The architecture “{name}” cannot be built (“{error}”).",
                name=entry.architecture,
                error=str(error)[:200],
            ),
        ) from error


def skeleton(entry: Entry) -> nn.Module:
    """The architecture without numbers, on the meta device: no memory. Raises ModelUnavailable."""
    try:
        with torch.device("meta"):
            return build(entry)
    except ModelUnavailable as error:
        if error.__cause__ is None:  # there is no such architecture
            raise
    with _numbers_dropped():
        return build(entry)


@contextmanager
def _numbers_dropped() -> Iterator[None]:
    """While a network is built, let go of each parameter's and buffer's numbers at once.

    For builders that reckon with tensors, as those of RegNet do, which have no values on the meta
    device.
    """

    def without(module: nn.Module, name: str, given: Any) -> Any:
        if isinstance(given, nn.Parameter):
            return nn.Parameter(given.to("meta"), requires_grad=given.requires_grad)
        return given.to("meta") if isinstance(given, Tensor) else None

    hooks = [
        register_module_parameter_registration_hook(without),
        register_module_buffer_registration_hook(without),
    ]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


def is_grey(entry: Entry) -> bool:
    """Whether a network is given one channel of grey instead of three colours."""
    return entry.preprocessing is not None and entry.preprocessing.channels == "L"


def seeing_grey(module: nn.Module) -> nn.Module:
    """A network with its first convolution made for one channel. Raises ValueError without one."""
    for path, part in module.named_modules():
        if isinstance(part, nn.Conv2d) and (part.in_channels, part.groups) == (COLORS, 1):
            parent, _, name = path.rpartition(".")
            setattr(module.get_submodule(parent), name, _for_one_channel(part))
            return module
    raise ValueError("it has no convolution of three channels that could be made for one")


def _for_one_channel(part: nn.Conv2d) -> nn.Conv2d:
    """The same convolution with fresh weights; a subclass (as timm's with padding) stays one."""
    grey = copy.copy(part)
    grey._parameters = dict(part._parameters)
    grey.in_channels = 1
    weight = part.weight
    grey.weight = nn.Parameter(torch.empty_like(weight[:, :1]))
    grey.reset_parameters()
    return grey


def _timm(name: str, classes: int, entry: Entry) -> nn.Module:
    import timm  # a second of start-up that networks of other families need not pay

    if not timm.is_model(name):
        raise KeyError(name)
    module: nn.Module = timm.create_model(name, pretrained=False, num_classes=classes)
    return module


def _torchvision(name: str, classes: int, entry: Entry) -> nn.Module:
    import torchvision

    if name not in torchvision.models.list_models(module=torchvision.models):
        raise KeyError(name)
    options: dict[str, Any] = {}
    if name in ("googlenet", "inception_v3"):  # as their own builders do when given weights
        options["init_weights"] = entry.weights is None
        options["transform_input"] = (entry.weights or "").startswith("torchvision:")
    if name == "googlenet":
        options["aux_logits"] = False
    module: nn.Module = torchvision.models.get_model(
        name, weights=None, num_classes=classes, **options
    )
    return module


def _laterna(name: str, classes: int, entry: Entry) -> nn.Module:
    return PUBLISHED[name](classes)


BUILDERS: dict[str, Callable[[str, int, Entry], nn.Module]] = {
    "timm": _timm,
    "torchvision": _torchvision,
    "laterna": _laterna,
}
