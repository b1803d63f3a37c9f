"""Every kind of torchvision's classifiers is built without memory; benchmarks tries all."""

import re

import pytest
import torch
import torchvision

from app.errors import ModelUnavailable
from app.zoo.architectures import build, skeleton
from app.zoo.entries import Entry

NAMES = torchvision.models.list_models(module=torchvision.models)
#: One of each family, the shortest name of it; all of RegNet's, which reckon while they are built.
FAMILIES = {re.split(r"[\d_]", name)[0]: name for name in sorted(NAMES, key=len, reverse=True)}
CHOSEN = sorted({*FAMILIES.values(), *(name for name in NAMES if name.startswith("regnet"))})


def entry(architecture: str) -> Entry:
    return Entry(name="own", title="Own", architecture=architecture, classes=7)


@pytest.mark.parametrize("name", CHOSEN)
def test_a_skeleton_takes_no_memory_and_has_all_names(name: str) -> None:
    module = skeleton(entry(f"torchvision:{name}"))
    assert {tensor.device.type for tensor in module.state_dict().values()} == {"meta"}
    assert not module.training


@pytest.mark.parametrize("name", ["regnet_y_400mf", "resnet18"])
def test_a_skeleton_has_the_tensors_of_the_network(name: str) -> None:
    bare, whole = skeleton(entry(f"torchvision:{name}")), build(entry(f"torchvision:{name}"))
    sizes = [{key: it.shape for key, it in one.state_dict().items()} for one in (bare, whole)]
    assert sizes[0] == sizes[1]
    assert {tensor.device for tensor in whole.state_dict().values()} == {torch.device("cpu")}


@pytest.mark.parametrize("name", ["squeezenet9", "quantized_resnet18", "fasterrcnn_resnet50_fpn"])
def test_what_is_no_classifier_of_torchvision_is_refused_in_words(name: str) -> None:
    with pytest.raises(ModelUnavailable, match="no architecture"):
        skeleton(entry(f"torchvision:{name}"))
