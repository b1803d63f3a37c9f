"""A workshop with a real network, and with a tiny one whose dead and shy channels are known."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import timm
import torch
import torchvision
from PIL import Image

from app.studio.makers import Workshop
from tests.workshops import new_workshop
from tests.zoo.checkpoints import ROOT, models_dir, toml

#: Of the tiny network's first activation: never on; and on for nothing as calm as first noise.
DEAD, SHY = 3, 5
SMALL = """
[preprocessing]
resize = 72
crop = 64
mean = [0.5, 0.5, 0.5]
std = [0.25, 0.25, 0.25]
"""


@pytest.fixture(scope="package", autouse=True)
def _one_thread() -> Iterator[None]:
    """These networks are too small for two."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """EfficientNet-Lite0, a tiny ResNet of our own, and a SqueezeNet that was never trained."""
    folder = models_dir(tmp_path_factory.mktemp("studio") / "models")
    weights = folder / "weights"
    with torch.random.fork_rng():
        torch.manual_seed(5)
        tiny = timm.create_model("test_resnet", num_classes=10)
        other = torchvision.models.squeezenet1_1(weights=None)
    _shut(tiny)
    torch.save(tiny.state_dict(), weights / "tiny.pth")
    labels = ", ".join(f'"class {n}"' for n in range(10))
    (weights / "tiny.toml").write_text(toml("timm:test_resnet", f"[{labels}]", SMALL))
    torch.save(other.state_dict(), weights / "other.pth")
    (weights / "other.toml").write_text(toml("torchvision:squeezenet1_1"))
    return folder


def _shut(tiny: torch.nn.Module) -> None:
    """Shut one channel of the first activation for good, and one for all that is flat."""
    norm = tiny.get_submodule("bn1")
    assert isinstance(norm, torch.nn.BatchNorm2d)
    assert norm.running_mean is not None
    with torch.no_grad():
        norm.bias[DEAD] = -1000.0
        norm.weight[SHY] = 20.0
        norm.bias[SHY] = -2.0


@pytest.fixture(scope="session")
def workshop(models: Path, device: str) -> Workshop:
    """On the device of the tests."""
    return new_workshop(models, device)


@pytest.fixture(scope="session")
def photo(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A kept picture."""
    path = tmp_path_factory.mktemp("pictures") / "chelsea.png"
    with Image.open(ROOT / "static" / "samples" / "chelsea.jpg") as picture:
        picture.convert("RGB").save(path)
    return str(path)
