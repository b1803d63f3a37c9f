"""Keeping networks: loaded once, within the budget, frozen, and the same after every start."""

import copy
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from PIL import Image
from torch import nn
from torchvision.transforms import functional as torchvision_functional

from app.zoo.catalogue import Catalogue
from app.zoo.folding import fold, foldable
from app.zoo.keeper import Keeper
from app.zoo.pictures import crop_box, prepared
from app.zoo.preprocessing import Preprocessing
from app.zoo.tracing import traced
from benchmarks.accuracy import accuracy, labelled
from tests.zoo.checkpoints import models_dir, toml

INCEPTION = Preprocessing(342, 299, "bilinear", "RGB", 1.0, (0.5, 0.4, 0.3), (0.2, 0.3, 0.4))
LITE = Preprocessing(256, 224, "bicubic", "BGR", 255.0, (104.0, 117.0, 123.0), (1.0, 2.0, 3.0))


def test_a_network_is_loaded_once_frozen_and_in_evaluation_mode(keeper: Keeper) -> None:
    network = keeper.network("my-resnet")
    assert keeper.network("my-resnet") is network
    assert not any(p.requires_grad for p in network.module.parameters())
    assert not any(m.training for m in network.module.modules())
    weight = network.module.get_submodule("layer1.0.conv1").weight
    assert isinstance(weight, torch.Tensor)
    assert weight.is_contiguous(memory_format=torch.channels_last)


def test_the_least_used_network_leaves_when_the_budget_is_spent(models: Path, device: str) -> None:
    names = ["squeezenet1_1-untrained", "efficientnet-lite0", "mobilenet_v3_large-untrained"]
    keeper = Keeper(Catalogue(models), device, 60_000_000)
    first = keeper.network(names[0])
    keeper.network(names[1])
    assert keeper.network(names[0]) is first
    keeper.network(names[2])
    assert keeper.loaded() == [names[0], names[2]]
    assert keeper.network(names[0]) is first
    small = Keeper(Catalogue(models), device, 1)
    small.network(names[1])
    assert small.loaded() == [names[1]], "the one in use stays, however small the budget"


def test_a_changed_file_is_loaded_anew(tmp_path: Path, resnet18: nn.Module, device: str) -> None:
    folder = models_dir(tmp_path / "models")
    torch.save(resnet18.state_dict(), folder / "weights" / "mine.pth")
    (folder / "weights" / "mine.toml").write_text(toml("torchvision:resnet18"))
    keeper = Keeper(Catalogue(folder), device, 2**30)
    before = keeper.network("mine")
    state = {**resnet18.state_dict(), "fc.bias": torch.ones(1000)}
    torch.save(state, folder / "weights" / "mine.pth")
    after = keeper.network("mine")
    assert after.weights_sha256 != before.weights_sha256
    assert after.weight("fc") is not None


def test_an_untrained_network_is_the_same_after_every_start(models: Path, device: str) -> None:
    made = [
        Keeper(Catalogue(models), device, 2**30).network("squeezenet1_1-untrained") for _ in "ab"
    ]
    first, second = (network.weight("features.0") for network in made)
    assert first is not None
    assert second is not None
    assert torch.equal(first, second)
    assert not made[0].trained


def test_filters_are_those_that_were_trained_not_the_folded_ones(
    keeper: Keeper, resnet18: nn.Module
) -> None:
    network = keeper.network("my-resnet")
    trained = resnet18.get_submodule("conv1").weight
    shown, run = network.weight("conv1"), network.module.get_submodule("conv1").weight
    assert isinstance(trained, torch.Tensor)
    assert isinstance(run, torch.Tensor)
    assert shown is not None
    assert torch.equal(shown.cpu(), trained)
    assert not torch.allclose(run.cpu(), trained)


def test_what_cannot_be_folded_is_left_alone() -> None:
    class Twice(nn.Module):
        """The convolution's own output is read too, or its batch norm runs twice."""

        def __init__(self) -> None:
            super().__init__()
            self.read, self.read_norm = nn.Conv2d(3, 3, 1), nn.BatchNorm2d(3)
            self.shared, self.shared_norm = nn.Conv2d(3, 3, 1), nn.BatchNorm2d(3)
            self.between, self.between_norm = nn.Conv2d(3, 3, 1), nn.BatchNorm2d(3)
            self.fine, self.fine_norm = nn.Conv2d(3, 3, 1), nn.BatchNorm2d(3)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            given = self.read(x)
            x = self.read_norm(given) + given
            x = self.shared_norm(self.shared_norm(self.shared(x)))
            x = self.between_norm(self.between(x).relu())
            out: torch.Tensor = self.fine_norm(self.fine(x))
            return out

    net = Twice().eval()
    assert foldable(traced(net.to("meta"), (3, 8, 8))) == [("fine", "fine_norm")]


def test_folding_can_be_undone(resnet18: nn.Module, device: str) -> None:
    net = copy.deepcopy(resnet18).to(device)
    pairs = foldable(traced(copy.deepcopy(net).to("meta"), (3, 64, 64)))
    batch = torch.rand(1, 3, 64, 64, device=device)
    with torch.no_grad():
        before = net(batch)
        folding = fold(net, pairs)
        assert torch.allclose(net(batch), before, rtol=1e-4, atol=1e-4 * float(before.abs().max()))
        folding.undo()
        assert torch.equal(net(batch), before)


@pytest.mark.parametrize("size", [(256, 256), (640, 427), (427, 640), (300, 225), (1000, 200)])
@pytest.mark.parametrize("preprocessing", [INCEPTION, LITE], ids=["RGB", "BGR"])
def test_pictures_are_prepared_as_torchvision_does(
    size: tuple[int, int], preprocessing: Preprocessing
) -> None:
    generator = torch.Generator().manual_seed(0)
    small = torch.randint(0, 256, (12, 16, 3), generator=generator, dtype=torch.uint8)
    picture = Image.fromarray(small.numpy()).resize(size, Image.Resampling.BICUBIC)
    mode = torchvision_functional.InterpolationMode(preprocessing.interpolation)
    resized = torchvision_functional.resize(picture, preprocessing.resize, mode)
    cropped = torchvision_functional.center_crop(resized, preprocessing.crop)
    truth = torchvision_functional.to_tensor(cropped) * preprocessing.range
    if preprocessing.channels == "BGR":
        truth = truth.flip(0)
    truth = torchvision_functional.normalize(truth, preprocessing.mean, preprocessing.std)
    ours = prepared(picture, preprocessing)[0]
    assert torch.allclose(ours, truth, atol=1e-5 * preprocessing.range)


@pytest.mark.parametrize("size", [(1, 1), (1, 3000), (3000, 1), (224, 224), (2048, 3)])
def test_any_size_of_picture_can_be_seen(size: tuple[int, int]) -> None:
    left, top, right, bottom = crop_box(*size, LITE)
    assert 0 <= left < right <= size[0]
    assert 0 <= top < bottom <= size[1]
    assert prepared(Image.new("L", size), LITE).shape == (1, 3, 224, 224)


def test_the_default_network_names_photos(keeper: Keeper, photos_folder: Path) -> None:
    found = accuracy(keeper.network("efficientnet-lite0"), labelled(photos_folder)[::20])
    assert found.photos == 25
    assert found.top5 >= 0.88
    assert found.top1 >= 0.7


@pytest.mark.parametrize(("name", "top5"), [("own-googlenet", 0.8), ("own-squeezenet1_1", 0.7)])
def test_published_networks_name_photos(
    real: Keeper, photos_folder: Path, name: str, top5: float
) -> None:
    assert accuracy(real.network(name), labelled(photos_folder)[::20]).top5 >= top5


def test_a_headless_network_has_no_classes(real: Keeper) -> None:
    network = real.network("own-alexnet_conv")
    assert network.labels == ()
    with torch.no_grad():
        assert network(network.prepare(Image.new("RGB", (300, 200)))).shape == (1, 256, 6, 6)


def test_the_accuracy_command_prints_a_table(
    tmp_path: Path, photos_folder: Path, weights_folder: Path
) -> None:
    for photo in sorted(photos_folder.glob("n*.jpg"))[::100]:
        shutil.copy(photo, tmp_path)
    command = [sys.executable, "-m", "benchmarks.accuracy"]
    where = ["--photos", str(tmp_path), "--weights", str(weights_folder)]
    done = subprocess.run([*command, *where], capture_output=True, text=True, check=True)
    assert "5 photos" in done.stdout
    assert all(name in done.stdout for name in ("efficientnet-lite0", "googlenet", "squeezenet1_1"))
