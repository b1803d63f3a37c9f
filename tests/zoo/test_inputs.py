"""Networks of one channel, of squashed pictures, of inputs that are not square."""

import re
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn
from torchvision.models import resnet18, squeezenet1_1
from torchvision.transforms import InterpolationMode
from torchvision.transforms import functional as torchvision_functional

from app.errors import ModelUnavailable
from app.zoo.architectures import build, skeleton
from app.zoo.catalogue import Catalogue
from app.zoo.entries import Entry
from app.zoo.keeper import Keeper, describe
from app.zoo.pictures import crop_box, prepared, seen
from app.zoo.preprocessing import Preprocessing, preprocessing_from, preprocessing_of
from tests.zoo.checkpoints import models_dir, toml
from tests.zoo.conftest import shaken

GREY = "mean = [0.4]\nstd = [0.3]\nchannels = 'L'"
COLORS = "mean = [0.5, 0.5, 0.5]\nstd = [0.25, 0.25, 0.25]"
WIDE = "[preprocessing]\ncrop = [64, 128]\nfit = 'squash'\n"
LABELS = '["cat", "dog", "hen"]'


def table(**fields: object) -> Preprocessing:
    three: dict[str, object] = {"mean": [0.5, 0.4, 0.3], "std": [0.2, 0.3, 0.4]}
    return preprocessing_of(three | fields)


def photo(width: int = 400, height: int = 300) -> Image.Image:
    noise = np.random.default_rng(0).integers(0, 256, (height // 8 + 1, width // 8 + 1, 3))
    return Image.fromarray(noise.astype(np.uint8)).resize((width, height), Image.Resampling.BICUBIC)


@pytest.fixture(scope="module")
def grey() -> nn.Module:
    """A ResNet-18 of one channel and three classes, as somebody may have trained it."""
    with torch.random.fork_rng():
        torch.manual_seed(5)
        module = resnet18(num_classes=3)
        module.conv1 = nn.Conv2d(1, 64, 7, 2, 3, bias=False)
        return shaken(module)


def models_of(folder: Path, module: nn.Module, said: str, name: str = "resnet18") -> Catalogue:
    models = models_dir(folder / "models")
    torch.save(module.state_dict(), models / "weights" / "mine.pth")
    (models / "weights" / "mine.toml").write_text(toml(f"torchvision:{name}", LABELS, said))
    return Catalogue(models)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"resize": 256, "crop": 224, "channels": "l"}, 'channels must be "RGB", "BGR" or "L"'),
        ({"resize": 256, "crop": 224, "channels": "L"}, "one number each"),
        ({"resize": 256, "crop": 224, "mean": [0.5]}, "three numbers each"),
        ({"resize": 256, "crop": 224, "fit": "stretch"}, 'fit must be "crop" or "squash"'),
        ({"resize": 256, "crop": 224, "fit": ["squash"]}, 'fit must be "crop" or "squash"'),
        ({"crop": 224}, "resize is missing"),
        ({"resize": 256, "crop": [224]}, "[height, width]"),
        ({"resize": 256, "crop": [224, 224, 3]}, "[height, width]"),
        ({"resize": 256, "crop": [224, True]}, "[height, width]"),
        ({"resize": 256, "crop": [224, 192.0]}, "[height, width]"),
        ({"resize": "256", "crop": 224}, "[height, width]"),
        ({"resize": 64, "crop": [64, 128]}, "16 <= crop <= resize <= 1024"),
        ({"resize": 256, "crop": [8, 128]}, "16 <= crop <= resize <= 1024"),
        ({"resize": [256, 2048], "crop": 224}, "16 <= crop <= resize <= 1024"),
        ({"resize": 128, "crop": [64, 128], "fit": "squash"}, "resize must be [height, width] too"),
        ({"resize": 256, "crop": 224, "fits": "squash"}, "may say"),
        ({"resize": 256}, "it takes resize, crop"),
    ],
)
def test_what_cannot_be_meant_is_refused_in_words(fields: dict[str, object], said: str) -> None:
    with pytest.raises(ValueError, match=re.escape(said)):
        table(**fields)


def test_what_is_said_as_before_is_as_before() -> None:
    plain = table(resize=256, crop=224)
    assert (plain.resize, plain.crop, plain.fit) == (256, 224, "crop")
    assert table(resize=[256, 256], crop=[224, 224]) == plain
    assert "fit" not in plain.defining
    wide = table(crop=[64, 128], fit="squash")
    assert wide.resize == (64, 128)
    assert wide.defining != table(resize=[64, 128], crop=[64, 128]).defining
    assert preprocessing_from(wide.facts) == wide
    assert wide.facts["crop"] == [64, 128]


@pytest.mark.parametrize("size", [(400, 300), (300, 400), (90, 70), (3000, 20)])
def test_a_squashed_picture_is_seen_whole(size: tuple[int, int]) -> None:
    wide = table(crop=[64, 128], fit="squash")
    assert crop_box(*size, wide) == (0, 0, *size)
    picture = photo(*size)
    ours = prepared(picture, wide)
    assert ours.shape == (1, 3, 64, 128)
    theirs = torchvision_functional.resize(picture, [64, 128], InterpolationMode.BILINEAR)
    assert np.array_equal(np.asarray(seen(picture, wide)), np.asarray(theirs))


def test_a_squashed_picture_may_be_cropped_after_that() -> None:
    both = table(resize=256, crop=224, fit="squash")
    picture = photo(400, 200)
    theirs = torchvision_functional.center_crop(
        torchvision_functional.resize(picture, [256, 256], InterpolationMode.BILINEAR), [224, 224]
    )
    assert np.array_equal(np.asarray(seen(picture, both)), np.asarray(theirs))
    assert crop_box(400, 200, both) == (25.0, 12.5, 375.0, 187.5)


@pytest.mark.parametrize("size", [(400, 300), (300, 400), (640, 100), (500, 250)])
def test_a_crop_that_is_not_square_keeps_proportions(size: tuple[int, int]) -> None:
    cover = table(resize=[72, 144], crop=[64, 128])
    left, top, right, bottom = crop_box(*size, cover)
    assert (right - left) / (bottom - top) == pytest.approx(2, rel=0.03)
    assert left >= 0
    assert top >= 0
    assert right <= size[0]
    assert bottom <= size[1]
    assert max((right - left) / size[0], (bottom - top) / size[1]) == pytest.approx(8 / 9, rel=0.03)
    assert seen(photo(*size), cover).size == (128, 64)


def test_a_shorter_side_may_be_cropped_to_what_is_not_square() -> None:
    cut = table(resize=128, crop=[64, 128])
    picture = photo(400, 300)
    theirs = torchvision_functional.center_crop(
        torchvision_functional.resize(picture, 128, InterpolationMode.BILINEAR), [64, 128]
    )
    assert np.array_equal(np.asarray(seen(picture, cut)), np.asarray(theirs))


def test_one_channel_is_the_grey_of_a_picture() -> None:
    one = table(resize=256, crop=224, channels="L", mean=[0.4], std=0.5)
    assert one.input_size == (1, 224, 224)
    picture = photo()
    resized = torchvision_functional.resize(picture.convert("L"), 256, InterpolationMode.BILINEAR)
    theirs = torchvision_functional.pil_to_tensor(
        torchvision_functional.center_crop(resized, [224, 224])
    )
    assert torch.allclose(prepared(picture, one)[0], (theirs / 255 - 0.4) / 0.5, atol=1e-5)


def test_a_network_of_one_channel_runs_as_it_was_trained(
    tmp_path: Path, grey: nn.Module, device: str
) -> None:
    catalogue = models_of(tmp_path, grey, WIDE + GREY)
    described = describe(catalogue, "mine")
    assert described["input_size"] == [1, 64, 128]
    assert described["layers"][0]["shape"] == (64, 32, 64)
    assert described["preprocessing"]["fit"] == "squash"
    network = Keeper(catalogue, device, 2**30).network("mine")
    batch = network.prepare(photo())
    assert batch.shape == (1, 1, 64, 128)
    with torch.no_grad():
        ours, theirs = network(batch).cpu(), grey(batch.cpu())
    assert torch.allclose(ours, theirs, rtol=1e-3, atol=1e-3 * float(theirs.abs().max()))
    untrained = Keeper(catalogue, device, 2**30).network("mine-untrained")
    weight = untrained.weight("conv1")
    assert weight is not None
    assert weight.shape == (64, 1, 7, 7)
    assert float(weight.std()) > 0


@pytest.mark.parametrize(
    ("channels", "colors", "said"),
    [(1, COLORS, 'channels = "L"'), (3, GREY, '"RGB" or "BGR"')],
)
def test_channels_that_the_weights_do_not_take_are_named(
    tmp_path: Path, channels: int, colors: str, said: str
) -> None:
    module = squeezenet1_1(num_classes=3)
    module.features[0] = nn.Conv2d(channels, 64, 3, 2)
    catalogue = models_of(tmp_path, module, WIDE + colors, "squeezenet1_1")
    with pytest.raises(ModelUnavailable) as met:
        describe(catalogue, "mine")
    assert said in str(met.value.facts["reason"])


def test_another_preprocessing_is_another_definition(tmp_path: Path, grey: nn.Module) -> None:
    catalogue = models_of(tmp_path, grey, WIDE + GREY)
    entry = catalogue.entry("mine")
    assert entry.input_size == (1, 64, 128)
    file = tmp_path / "models" / "weights" / "mine.toml"
    file.write_text(file.read_text().replace("fit = 'squash'", "resize = [64, 128]"))
    assert catalogue.entry("mine").definition != entry.definition


@pytest.mark.parametrize(
    "architecture",
    [
        "torchvision:vgg11",
        "torchvision:densenet121",
        "torchvision:googlenet",
        "torchvision:regnet_y_400mf",
        "torchvision:inception_v3",
        "torchvision:shufflenet_v2_x0_5",
        "torchvision:convnext_tiny",
        "timm:resnet10t",
        "timm:tf_efficientnet_lite0",
        "timm:mobilenetv3_small_050",
        "laterna:alexnet-2012",
        "laterna:googlenet-2014",
    ],
)
def test_architectures_can_be_built_for_one_channel(architecture: str) -> None:
    grey = preprocessing_of({"resize": 256, "crop": 224, "channels": "L", "mean": 0, "std": 1})
    entry = Entry("mine", "mine", architecture, preprocessing=grey, classes=2)
    firsts = [
        next(part for part in module.modules() if isinstance(part, nn.Conv2d))
        for module in (skeleton(entry), build(entry))
    ]
    assert [(first.in_channels, first.weight.shape[1]) for first in firsts] == [(1, 1)] * 2
    assert bool(firsts[1].weight.isfinite().all())
