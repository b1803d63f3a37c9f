"""Networks as published that torchvision does not have."""

from collections.abc import Callable

from torch import nn

from app.zoo.architectures.alexnet import AlexNet, alexnet_convolutions
from app.zoo.architectures.googlenet import GoogLeNet

#: By the name that follows `laterna:`; each takes the number of classes.
ARCHITECTURES: dict[str, Callable[[int], nn.Module]] = {
    "alexnet-2012": AlexNet,
    "alexnet-2012-convolutions": lambda classes: alexnet_convolutions(),
    "googlenet-2014": lambda classes: GoogLeNet(classes, auxiliary_heads=False),
}
