"""Layers: their numbers are those of the papers and of torchvision, and true to the data flow."""

import copy
from pathlib import Path

import pytest
import torch
import torchvision
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torchvision.models.feature_extraction import get_graph_node_names

from app.zoo.architectures.alexnet import AlexNet
from app.zoo.architectures.googlenet import GoogLeNet
from app.zoo.catalogue import Catalogue
from app.zoo.keeper import describe
from app.zoo.layers import Layer, layers

TORCHVISION = [
    "alexnet", "vgg11", "vgg11_bn", "vgg16", "vgg16_bn", "vgg19", "vgg19_bn", "googlenet",
    "resnet18", "resnet50", "squeezenet1_1", "mobilenet_v3_large", "densenet121", "convnext_tiny",
    "inception_v3",
]  # fmt: skip


def found(module: nn.Module, side: int) -> dict[str, Layer]:
    return {layer.name: layer for layer in layers(module.to("meta").eval(), (3, side, side))}


@pytest.mark.parametrize("name", TORCHVISION)
def test_numbers_are_those_that_torchvision_gives(models: Path, name: str) -> None:
    said = describe(Catalogue(models), name)
    source = said["weights"]["source"] or ""
    meta = torchvision.models.get_weight(source.partition(":")[2]).meta
    assert said["parameters"] == meta["num_params"]
    assert said["multiply_adds"] == pytest.approx(meta["_ops"] * 1e9, rel=0.02)
    assert said["weights"]["sha256"] is None, "its weights are not here"
    known = {layer["name"] for layer in said["layers"]}
    for layer in said["layers"]:
        assert set(layer["inputs"]) <= known
        assert not layer["block"] or layer["block"] in known
    assert said["layers"][-1]["shape"] == (1000, 1, 1)


def test_vgg16_sees_what_its_paper_says() -> None:
    vgg = found(torchvision.models.vgg16(weights=None), 224)
    fields = {name: (vgg[name].receptive_field, vgg[name].stride) for name in vgg}
    assert fields["features.28"] == (196, 16)  # conv5_3
    assert fields["features.30"] == (212, 32)  # pool5
    assert fields["features.0"] == (3, 1)
    assert fields["classifier.0"][0] == 224


def test_alexnet_2012_sees_what_its_paper_says() -> None:
    alexnet = found(AlexNet(), 227)
    fields = {name: (alexnet[name].receptive_field, alexnet[name].stride) for name in alexnet}
    assert [fields[f"conv{number}"] for number in range(1, 6)] == [
        (11, 4), (51, 8), (99, 16), (131, 16), (163, 16),
    ]  # fmt: skip
    assert fields["pool5"] == (195, 32)
    assert alexnet["conv1"].shape == (96, 55, 55)
    assert sum(alexnet[f"conv{n}"].parameters for n in range(1, 6)) == 2_334_080
    assert alexnet["fc8"].inputs == ("fc7_relu",)


def test_googlenet_2014_is_the_table_of_its_paper() -> None:
    net = found(GoogLeNet(auxiliary_heads=False), 224)
    shapes = {name: net[f"inception_{name}"].shape for name in ("3a", "3b", "4a", "4e", "5b")}
    assert shapes == {
        "3a": (256, 28, 28), "3b": (480, 28, 28), "4a": (512, 14, 14),
        "4e": (832, 14, 14), "5b": (1024, 7, 7),
    }  # fmt: skip
    assert net["inception_3a"].inputs == ("pool2",)
    assert net["inception_3b.b5_reduce"].inputs == ("inception_3a",)
    assert net["inception_3b.b5"].block == "inception_3b"
    assert net["inception_3a"].kind == "inception"
    assert net["norm1"].kind == "local response norm"
    assert net["classifier"].inputs == ("pool5",)
    total = sum(layer.multiply_adds for layer in net.values() if not layer.block)
    assert total == pytest.approx(1.58e9, rel=0.01)


def test_shared_modules_are_named_as_torchvision_names_them() -> None:
    net = torchvision.models.resnet18(weights=None)
    ours = set(found(copy.deepcopy(net), 224))
    theirs = set(get_graph_node_names(net.to("cpu").eval())[1])
    assert {name for name in theirs if "relu" in name} <= ours
    assert "layer1.0.relu_1" in ours


def test_a_gate_over_the_whole_picture_makes_what_follows_see_it_all() -> None:
    net = found(torchvision.models.mobilenet_v3_large(weights=None), 224)
    assert net["features.3"].receptive_field < 224
    assert net["features.4"].receptive_field == 224
    assert net["features.4"].stride == 8


def test_functional_operations_are_followed() -> None:
    class Functional(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.wide = nn.Conv2d(3, 4, 5, padding=2)
            self.tall = nn.Conv2d(3, 4, (7, 1), padding=(3, 0))
            self.last = nn.Conv2d(8, 4, 1)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            both = torch.cat([nn.functional.relu(self.wide(x)), self.tall(x)], 1)
            out: torch.Tensor = self.last(nn.functional.avg_pool2d(both, 2))
            return out

    net = found(Functional(), 32)
    assert net["last"].inputs == ("wide", "tall")
    assert (net["last"].receptive_field, net["last"].stride) == (8, 2)


WINDOWS = st.tuples(st.integers(1, 4), st.integers(1, 2), st.integers(1, 2), st.booleans())


@settings(max_examples=25, deadline=None)
@given(st.lists(WINDOWS, min_size=1, max_size=4), st.integers(0, 2))
def test_no_unit_sees_more_or_less_than_its_receptive_field(
    windows: list[tuple[int, int, int, bool]], branch: int
) -> None:
    """The gradient of one unit in the middle reaches exactly that many pixels."""
    parts: list[nn.Module] = []
    for kernel, stride, dilation, pool in windows:
        if pool:
            parts.append(nn.AvgPool2d(kernel, stride))
        else:
            parts.append(nn.Conv2d(1, 1, kernel, stride, dilation=dilation, bias=False))
            nn.init.constant_(parts[-1].weight, 1.0)  # type: ignore[arg-type]  # a convolution's
    if branch:
        parts.append(Side(2 * branch + 1))
    net = nn.Sequential(*parts).double()
    side = 120
    picture = torch.ones(1, 1, side, side, dtype=torch.double, requires_grad=True)
    output = net(picture)
    middle = output.shape[-1] // 2
    output[0, 0, middle, middle].backward()
    assert picture.grad is not None
    reached = int((picture.grad[0, 0].abs().sum(0) > 0).nonzero().numel())
    first, last = (picture.grad[0, 0].abs().sum(0) > 0).nonzero().aminmax()
    assert reached <= last - first + 1
    listed = layers(net.to("meta"), (1, side, side))
    assert listed[-1].receptive_field == last - first + 1


class Side(nn.Module):
    """A sum of two branches that see differently much."""

    def __init__(self, kernel: int) -> None:
        super().__init__()
        self.near = nn.Conv2d(1, 1, 1, bias=False)
        self.far = nn.Conv2d(1, 1, kernel, padding=kernel // 2, bias=False)
        nn.init.constant_(self.near.weight, 1.0)
        nn.init.constant_(self.far.weight, 1.0)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        both: torch.Tensor = self.near(x) + self.far(x)
        return both
