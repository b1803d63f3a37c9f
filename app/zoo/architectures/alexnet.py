"""AlexNet as published: 227x227, local response norm, convolutions in two groups.

Krizhevsky, Sutskever & Hinton 2012, ImageNet classification with deep convolutional neural
networks, https://papers.nips.cc/paper/4824. The two groups were the two graphics cards it was
trained on. torchvision's `alexnet` is another network (Krizhevsky 2014: one group, no norm).
"""

from collections import OrderedDict

import torch
from torch import Tensor, nn


def alexnet_convolutions() -> nn.Sequential:
    """conv1 to pool5: [N,3,227,227] -> [N,256,6,6]."""
    return nn.Sequential(
        OrderedDict[str, nn.Module](
            conv1=nn.Conv2d(3, 96, 11, stride=4),
            conv1_relu=nn.ReLU(),
            norm1=nn.LocalResponseNorm(5, alpha=1e-4, beta=0.75, k=1.0),
            pool1=nn.MaxPool2d(3, stride=2),
            conv2=nn.Conv2d(96, 256, 5, padding=2, groups=2),
            conv2_relu=nn.ReLU(),
            norm2=nn.LocalResponseNorm(5, alpha=1e-4, beta=0.75, k=1.0),
            pool2=nn.MaxPool2d(3, stride=2),
            conv3=nn.Conv2d(256, 384, 3, padding=1),
            conv3_relu=nn.ReLU(),
            conv4=nn.Conv2d(384, 384, 3, padding=1, groups=2),
            conv4_relu=nn.ReLU(),
            conv5=nn.Conv2d(384, 256, 3, padding=1, groups=2),
            conv5_relu=nn.ReLU(),
            pool5=nn.MaxPool2d(3, stride=2),
        )
    )


class AlexNet(nn.Module):
    """[N,3,227,227] -> logits [N,classes]."""

    def __init__(self, classes: int = 1000) -> None:
        super().__init__()
        for name, layer in alexnet_convolutions().named_children():
            self.add_module(name, layer)
        self.fc6 = nn.Linear(256 * 6 * 6, 4096)
        self.fc6_relu = nn.ReLU()
        self.fc6_dropout = nn.Dropout()
        self.fc7 = nn.Linear(4096, 4096)
        self.fc7_relu = nn.ReLU()
        self.fc7_dropout = nn.Dropout()
        self.fc8 = nn.Linear(4096, classes)

    def forward(self, x: Tensor) -> Tensor:
        """Layers run in the order they are defined; fc6 takes the flattened pool5."""
        for name, layer in self.named_children():
            x = layer(torch.flatten(x, 1) if name == "fc6" else x)
        return x
