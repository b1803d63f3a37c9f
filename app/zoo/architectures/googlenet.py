"""GoogLeNet as published: local response norm, 5x5 branches, two auxiliary heads, no batch norm.

Szegedy et al. 2014, Going deeper with convolutions, https://arxiv.org/abs/1409.4842.
torchvision's `googlenet` is another network: batch norm, and 3x3 in place of 5x5.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from app.zoo.arithmetic import AUXILIARY_WEIGHT


class Widths(NamedTuple):
    """Channels in an inception module, as in table 1 of the paper."""

    b1: int
    b3_reduce: int
    b3: int
    b5_reduce: int
    b5: int
    pool_proj: int

    @property
    def out(self) -> int:
        """Channels of the concatenated output."""
        return self.b1 + self.b3 + self.b5 + self.pool_proj


TABLE = {
    "3a": Widths(64, 96, 128, 16, 32, 32),
    "3b": Widths(128, 128, 192, 32, 96, 64),
    "4a": Widths(192, 96, 208, 16, 48, 64),
    "4b": Widths(160, 112, 224, 24, 64, 64),
    "4c": Widths(128, 128, 256, 24, 64, 64),
    "4d": Widths(112, 144, 288, 32, 64, 64),
    "4e": Widths(256, 160, 320, 32, 128, 128),
    "5a": Widths(256, 160, 320, 32, 128, 128),
    "5b": Widths(384, 192, 384, 48, 128, 128),
}


class Outputs(NamedTuple):
    """Logits [N,classes] in training: of the classifier and of the heads on 4a and 4d."""

    logits: Tensor
    head_4a: Tensor
    head_4d: Tensor


class Inception(nn.Module):
    """Four branches side by side: 1x1, 3x3, 5x5 and a pool, concatenated in that order."""

    def __init__(self, channels: int, widths: Widths) -> None:
        super().__init__()
        self.b1 = nn.Conv2d(channels, widths.b1, 1)
        self.b1_relu = nn.ReLU()
        self.b3_reduce = nn.Conv2d(channels, widths.b3_reduce, 1)
        self.b3_reduce_relu = nn.ReLU()
        self.b3 = nn.Conv2d(widths.b3_reduce, widths.b3, 3, padding=1)
        self.b3_relu = nn.ReLU()
        self.b5_reduce = nn.Conv2d(channels, widths.b5_reduce, 1)
        self.b5_reduce_relu = nn.ReLU()
        self.b5 = nn.Conv2d(widths.b5_reduce, widths.b5, 5, padding=2)
        self.b5_relu = nn.ReLU()
        self.pool = nn.MaxPool2d(3, stride=1, padding=1, ceil_mode=True)
        self.pool_proj = nn.Conv2d(channels, widths.pool_proj, 1)
        self.pool_proj_relu = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        """[N,channels,H,W] -> [N,widths.out,H,W]."""
        b1 = self.b1_relu(self.b1(x))
        b3 = self.b3_relu(self.b3(self.b3_reduce_relu(self.b3_reduce(x))))
        b5 = self.b5_relu(self.b5(self.b5_reduce_relu(self.b5_reduce(x))))
        pooled = self.pool_proj_relu(self.pool_proj(self.pool(x)))
        return torch.cat([b1, b3, b5, pooled], dim=1)


class AuxiliaryHead(nn.Module):
    """A classifier in the middle of the network that helps gradients while training."""

    def __init__(self, channels: int, classes: int) -> None:
        super().__init__()
        self.pool = nn.AvgPool2d(5, stride=3)
        self.conv = nn.Conv2d(channels, 128, 1)
        self.conv_relu = nn.ReLU()
        self.fc = nn.Linear(128 * 4 * 4, 1024)
        self.fc_relu = nn.ReLU()
        self.dropout = nn.Dropout(0.7)
        self.classifier = nn.Linear(1024, classes)

    def forward(self, x: Tensor) -> Tensor:
        """[N,channels,14,14] -> logits [N,classes]."""
        x = self.conv_relu(self.conv(self.pool(x)))
        x = self.fc_relu(self.fc(torch.flatten(x, 1)))
        logits: Tensor = self.classifier(self.dropout(x))
        return logits


class GoogLeNet(nn.Module):
    """[N,3,224,224], BGR 0..255 minus the mean -> logits [N,classes]; `Outputs` in training.

    The pools come before the first local response norm and after the second, as published.
    """

    def __init__(self, classes: int = 1000, auxiliary_heads: bool = True) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 7, stride=2, padding=3)
        self.conv1_relu = nn.ReLU()
        self.pool1 = nn.MaxPool2d(3, stride=2, ceil_mode=True)
        self.norm1 = nn.LocalResponseNorm(5, alpha=1e-4, beta=0.75, k=1.0)
        self.conv2_reduce = nn.Conv2d(64, 64, 1)
        self.conv2_reduce_relu = nn.ReLU()
        self.conv2 = nn.Conv2d(64, 192, 3, padding=1)
        self.conv2_relu = nn.ReLU()
        self.norm2 = nn.LocalResponseNorm(5, alpha=1e-4, beta=0.75, k=1.0)
        self.pool2 = nn.MaxPool2d(3, stride=2, ceil_mode=True)
        channels = 192
        for name, widths in TABLE.items():
            self.add_module(f"inception_{name}", Inception(channels, widths))
            channels = widths.out
        self.pool3 = nn.MaxPool2d(3, stride=2, ceil_mode=True)
        self.pool4 = nn.MaxPool2d(3, stride=2, ceil_mode=True)
        self.pool5 = nn.AdaptiveAvgPool2d(1)
        self.dropout = nn.Dropout(0.4)
        self.classifier = nn.Linear(channels, classes)
        self.head_4a = AuxiliaryHead(TABLE["4a"].out, classes) if auxiliary_heads else None
        self.head_4d = AuxiliaryHead(TABLE["4d"].out, classes) if auxiliary_heads else None

    def forward(self, x: Tensor) -> Tensor | Outputs:
        """Logits; in training those of the auxiliary heads too, where there are any."""
        x = self.norm1(self.pool1(self.conv1_relu(self.conv1(x))))
        x = self.conv2_relu(self.conv2(self.conv2_reduce_relu(self.conv2_reduce(x))))
        x = self.pool2(self.norm2(x))
        x = self.pool3(self._inceptions(x, "3a", "3b"))
        at_4a = self._inceptions(x, "4a")
        at_4d = self._inceptions(at_4a, "4b", "4c", "4d")
        x = self.pool4(self._inceptions(at_4d, "4e"))
        x = self.pool5(self._inceptions(x, "5a", "5b"))
        logits: Tensor = self.classifier(self.dropout(torch.flatten(x, 1)))
        if self.training and self.head_4a is not None and self.head_4d is not None:
            return Outputs(logits, self.head_4a(at_4a), self.head_4d(at_4d))
        return logits

    def _inceptions(self, x: Tensor, *names: str) -> Tensor:
        for name in names:
            x = self.get_submodule(f"inception_{name}")(x)
        return x


def training_loss(outputs: Outputs, classes: Tensor) -> Tensor:
    """Cross-entropy of the classifier plus 0.3 times that of each auxiliary head; a scalar."""
    loss = functional.cross_entropy(outputs.logits, classes)
    for head in (outputs.head_4a, outputs.head_4d):
        loss = loss + AUXILIARY_WEIGHT * functional.cross_entropy(head, classes)
    return loss
