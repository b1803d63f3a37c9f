"""Networks as published: their definitions, and how GoogLeNet is trained."""

import pytest
import torch
from torch import nn
from torch.nn import functional

from app.zoo.architectures.alexnet import AlexNet, alexnet_convolutions
from app.zoo.architectures.googlenet import GoogLeNet, Outputs, training_loss
from app.zoo.weights import fitted


def test_both_auxiliary_heads_run_in_training_only() -> None:
    net = GoogLeNet(10)
    batch = torch.rand(2, 3, 224, 224)
    net.train()
    outputs = net(batch)
    assert isinstance(outputs, Outputs)
    assert all(logits.shape == (2, 10) for logits in outputs)
    net.eval()
    with torch.no_grad():
        assert net(batch).shape == (2, 10)


def test_an_auxiliary_head_counts_for_three_tenths() -> None:
    generator = torch.Generator().manual_seed(0)
    outputs = Outputs(*(torch.randn(4, 10, generator=generator) for _ in range(3)))
    classes = torch.tensor([1, 2, 3, 4])
    losses = [functional.cross_entropy(logits, classes) for logits in outputs]
    expected = losses[0] + 0.3 * (losses[1] + losses[2])
    assert training_loss(outputs, classes) == pytest.approx(expected)


def test_training_reaches_both_heads() -> None:
    net = GoogLeNet(10).train()
    outputs = net(torch.rand(1, 3, 224, 224))
    assert isinstance(outputs, Outputs)
    training_loss(outputs, torch.tensor([3])).backward()  # type: ignore[no-untyped-call]  # untyped in torch
    for name in ("head_4a.classifier", "head_4d.classifier", "classifier", "conv1"):
        weight = net.get_submodule(name).weight
        assert isinstance(weight, nn.Parameter)
        assert weight.grad is not None
        assert weight.grad.abs().sum() > 0


def test_weights_with_auxiliary_heads_fit_too() -> None:
    with_heads = GoogLeNet(10).state_dict()
    without = GoogLeNet(10, auxiliary_heads=False)
    assert fitted(with_heads, without).keys() == without.state_dict().keys()


def test_googlenet_has_the_parameters_of_the_published_file() -> None:
    with torch.device("meta"):
        net = GoogLeNet(auxiliary_heads=False)
    assert sum(parameter.numel() for parameter in net.parameters()) == 6_998_552


def test_alexnet_is_its_convolutions_and_three_layers_more() -> None:
    with torch.device("meta"):
        net, convolutions = AlexNet(), alexnet_convolutions()
    assert sum(parameter.numel() for parameter in net.parameters()) == 60_965_224
    assert set(convolutions.state_dict()) < set(net.state_dict())
    assert net.get_submodule("conv2").groups == 2
