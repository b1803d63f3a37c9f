"""Networks that several tests look at: real ones, and one that was never trained."""

from pathlib import Path

import pytest
import torch
import torchvision
from torch import nn

from app.zoo.catalogue import Catalogue
from app.zoo.keeper import Keeper
from tests.zoo.checkpoints import BGR, models_dir, toml


def shaken(module: nn.Module) -> nn.Module:
    """Give batch norms statistics as if they had been trained, so that folding has work to do."""
    generator = torch.Generator().manual_seed(1)
    for part in module.modules():
        if isinstance(part, nn.BatchNorm2d):
            for tensor, low in ((part.running_var, 0.5), (part.weight.data, 0.5)):
                assert tensor is not None
                tensor.copy_(torch.rand(tensor.shape, generator=generator) + low)
            for tensor in (part.running_mean, part.bias.data):
                assert tensor is not None
                tensor.copy_(torch.randn(tensor.shape, generator=generator) * 0.1)
    return module.eval()


@pytest.fixture(scope="session")
def resnet18() -> nn.Module:
    """torchvision's own, as a reference that nothing here has touched."""
    with torch.random.fork_rng():
        torch.manual_seed(3)
        return shaken(torchvision.models.resnet18(weights=None))


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory, resnet18: nn.Module) -> Path:
    """The catalogue, and a ResNet-18 of our own as a .pth."""
    folder = models_dir(tmp_path_factory.mktemp("models") / "models")
    torch.save(resnet18.state_dict(), folder / "weights" / "my-resnet.pth")
    (folder / "weights" / "my-resnet.toml").write_text(toml("torchvision:resnet18"))
    return folder


@pytest.fixture(scope="session")
def keeper(models: Path, device: str) -> Keeper:
    """A keeper with room for everything."""
    return Keeper(Catalogue(models), device, 2**32)


@pytest.fixture(scope="session")
def real(tmp_path_factory: pytest.TempPathFactory, weights_folder: Path, device: str) -> Keeper:
    """A keeper of the published networks with their real weights."""
    folder = models_dir(tmp_path_factory.mktemp("real") / "models")
    kinds = {
        "googlenet": toml("laterna:googlenet-2014", preprocessing=BGR.format(crop=224)),
        "squeezenet1_1": toml("torchvision:squeezenet1_1", preprocessing=BGR.format(crop=227)),
        "alexnet_conv": toml("laterna:alexnet-2012-convolutions", "[]", BGR.format(crop=227)),
    }
    for name, said in kinds.items():
        target = folder / "weights" / f"own-{name}.safetensors"
        target.symlink_to((weights_folder / f"{name}.safetensors").resolve())
        target.with_suffix(".toml").write_text(said)
    return Keeper(Catalogue(folder), device, 2**32)
