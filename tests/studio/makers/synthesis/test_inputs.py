"""Networks of one channel and of inputs that are not square are looked into like all others."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import timm
import torch
from PIL import Image
from torch import nn

from app.studio.makers import Workshop
from app.studio.recipes import (
    ActivationGrid,
    Atlas,
    ChannelImage,
    ChannelMap,
    ClassImage,
    CollectionIndex,
    Covering,
    Filters,
    GradCam,
    LegendSheet,
    Made,
    Member,
    Occlusion,
    Prediction,
    Recipe,
    Reconstruction,
    Sources,
    Strip,
    Thumbnails,
)
from app.vision import ascent, masks
from app.vision.canvas import Fourier
from app.vision.pixels import grey_of
from app.vision.transforms import Affine
from app.zoo.keeper import Network
from tests.studio.makers.synthesis.driving import made, opened
from tests.workshops import new_workshop
from tests.zoo.checkpoints import models_dir, toml

GREY = "channels = 'L'\nmean = [0.4]\nstd = [0.3]\n"
COLORS = "mean = [0.5, 0.4, 0.3]\nstd = [0.25, 0.2, 0.3]\n"
KINDS = {
    "wide": (1, "crop = [64, 128]\nfit = 'squash'\n" + GREY),
    "tall": (3, "resize = [112, 80]\ncrop = [96, 64]\n" + COLORS),
    "even": (1, "resize = 80\ncrop = 64\n" + GREY),
}
#: Layers of maps, of several channels and of vectors.
EARLY, LATE = "act1", "layer3.0"


@dataclass(frozen=True)
class Looked:
    """A network, its workshop, and the size of its input."""

    name: str
    workshop: Workshop
    network: Network
    height: int
    width: int


@pytest.fixture(scope="module")
def workshop(tmp_path_factory: pytest.TempPathFactory, device: str) -> Workshop:
    """Three tiny networks that nobody trained, saved as checkpoints of our own."""
    folder = models_dir(tmp_path_factory.mktemp("inputs") / "models")
    labels = "[" + ", ".join(f'"class {n}"' for n in range(7)) + "]"
    for name, (channels, said) in KINDS.items():
        with torch.random.fork_rng():
            torch.manual_seed(11)
            module: nn.Module = timm.create_model("test_resnet", num_classes=7, in_chans=channels)
        torch.save(module.state_dict(), folder / "weights" / f"{name}.pth")
        said = toml("timm:test_resnet", labels, "[preprocessing]\n" + said)
        (folder / "weights" / f"{name}.toml").write_text(said)
    return new_workshop(folder, device)


@pytest.fixture(params=KINDS)
def looked(request: pytest.FixtureRequest, workshop: Workshop) -> Looked:
    """One of them."""
    network = workshop.network(request.param)
    height, width = network.preprocessing.sides
    return Looked(request.param, workshop, network, height, width)


def quick(looked: Looked, recipe: Recipe, photo: str) -> Made:
    answers: list[Made] = []
    with torch.no_grad():
        looked.workshop.make(recipe, answers.append, Sources(picture=photo))
    return answers[0]


def of(looked: Looked) -> dict[str, Any]:
    return {"model": looked.name, "image": "a"}


def proportions(picture: Image.Image) -> float:
    return picture.width / picture.height


def test_maps_keep_the_proportions_of_the_input(looked: Looked, photo: str) -> None:
    for layer in (EARLY, LATE):
        grid = quick(looked, ActivationGrid(**of(looked), layer=layer), photo)
        channels, height, width = looked.network.layers[layer].shape
        assert grid.facts["shape"] == [channels, height, width]
        sheet = grid.facts["sheet"]
        assert sheet["tile_height"] == round(sheet["tile"] * height / width)
        one = quick(looked, ChannelMap(**of(looked), layer=layer, channel=1), photo)
        assert one.facts["height"] == round(448 * height / width)
        assert opened(one.picture).size == (448, one.facts["height"])
    legend = LegendSheet(**of(looked), layer=EARLY, heading="Early", ticks=("0", "1"))
    assert opened(quick(looked, legend, photo).picture).width > 100
    assert quick(looked, Thumbnails(**of(looked)), photo).facts["layers"]


def test_tiles_show_the_maps_where_they_are(looked: Looked, photo: str) -> None:
    one = quick(looked, ChannelMap(**of(looked), layer=EARLY, channel=0, colors="gray"), photo)
    shown = np.asarray(opened(one.picture).convert("L"), dtype=float)
    with Image.open(photo) as picture:
        batch = looked.network.prepare(picture.convert("RGB"))
    with torch.no_grad():
        maps = ascent.heard(looked.network, {EARLY}, batch)[EARLY][0, 0].cpu().numpy()
    rows = np.arange(shown.shape[0]) * maps.shape[0] // shown.shape[0]
    columns = np.arange(shown.shape[1]) * maps.shape[1] // shown.shape[1]
    assert np.corrcoef(shown.ravel(), maps[np.ix_(rows, columns)].ravel())[0, 1] > 0.95


def test_where_and_what_it_needs_have_the_size_of_the_input(looked: Looked, photo: str) -> None:
    ratio = looked.width / looked.height
    predicted = quick(looked, Prediction(**of(looked)), photo).facts["top"]
    lit = quick(looked, GradCam(**of(looked), layer=LATE), photo)
    assert proportions(opened(lit.picture)) == pytest.approx(ratio, rel=0.01)
    assert max(opened(lit.picture).size) == 448
    assert lit.facts["shape"] == list(looked.network.layers[LATE].shape[1:])
    cover = Covering(**of(looked), mask=masks.written(masks.rectangle(0, 0, 50, 100)))
    covered = quick(looked, cover, photo)
    pixels = np.asarray(opened(covered.picture)).reshape(looked.height, looked.width, 3)
    left = pixels[:, : looked.width // 2]
    assert np.ptp(left, axis=(0, 1)).max() <= 1
    assert np.ptp(pixels[:, looked.width // 2 :]) > 50
    assert covered.facts["before"] == predicted
    assert covered.facts["share"] == 0.5


def test_an_occlusion_map_covers_the_whole_input(looked: Looked, photo: str) -> None:
    recipe = Occlusion(**of(looked), class_=2)
    result = made(looked.workshop, recipe, Sources(picture=photo))
    assert result.facts["input"] == [looked.height, looked.width]
    assert proportions(opened(result.picture)) == pytest.approx(
        looked.width / looked.height, rel=0.01
    )
    assert (result.facts["width"], result.facts["height"]) == opened(result.picture).size


def test_a_reconstruction_comes_near_the_picture_as_it_is_seen(looked: Looked, photo: str) -> None:
    recipe = Reconstruction(**of(looked), layer=EARLY, steps=120)
    result = made(looked.workshop, recipe, Sources(picture=photo))
    assert opened(result.picture).size == (looked.width, looked.height)
    assert result.facts["relative_error"] < 0.3
    assert result.facts["psnr"] > 15
    assert_grey_where_it_sees_grey(looked, result.picture)


def test_a_strip_has_pictures_of_the_size_of_the_input(looked: Looked, photo: str) -> None:
    recipe = Strip(**of(looked), layers=(EARLY, LATE), steps=4)
    result = made(looked.workshop, recipe, Sources(picture=photo))
    for part in ("0.png", "1.png", "2.png"):
        assert opened(result.parts[part]).size == (looked.width, looked.height)
    assert result.facts["height"] == looked.height + 4


def test_classes_and_channels_are_climbed_at_the_size_of_the_input(looked: Looked) -> None:
    of_class = made(looked.workshop, ClassImage(model=looked.name, class_=3, steps=48))
    assert opened(of_class.picture).size == (looked.width, looked.height)
    assert of_class.facts["scores"][-1] > of_class.facts["scores"][0]
    assert_grey_where_it_sees_grey(looked, of_class.picture)
    recipe = ChannelImage(model=looked.name, layer=EARLY, channel=1, steps=32, pictures=2)
    of_channel = made(looked.workshop, recipe)
    assert of_channel.facts["height"] == looked.height + 4
    assert of_channel.facts["scores"][-1] > of_channel.facts["scores"][0]
    assert of_channel.facts["activation"] > 0
    atlas = made(looked.workshop, Atlas(model=looked.name, layer=EARLY, steps=2))
    sheet = atlas.facts["sheet"]
    assert sheet["tile"] / sheet["tile_height"] == pytest.approx(
        looked.width / looked.height, rel=0.02
    )


def test_a_size_is_that_of_the_longer_side(looked: Looked) -> None:
    result = made(looked.workshop, ClassImage(model=looked.name, class_=3, steps=2, size=256))
    size = opened(result.picture).size
    assert max(size) == 256
    assert size[0] / size[1] == pytest.approx(looked.width / looked.height, rel=0.01)


def test_a_collection_is_seen_as_a_picture_is(looked: Looked, photo: str) -> None:
    sources = Sources(members=(Member("cat", photo, "cat"), Member("again", photo, "cat")))
    recipe = CollectionIndex(model=looked.name, collection="two", photos="x")
    with torch.no_grad():
        result = made(looked.workshop, recipe, sources)
    with Image.open(photo) as picture:
        box = looked.network.crop_box(*picture.size)
        batch = looked.network.prepare(picture.convert("RGB"))
    assert result.facts["photos"][0]["crop"] == [round(edge, 2) for edge in box]
    with torch.no_grad():
        maps = ascent.heard(looked.network, {EARLY}, batch)[EARLY]
    means = np.frombuffer(result.parts[f"{EARLY}.vectors"], np.float16).reshape(2, -1)
    assert np.allclose(means[0], maps.mean((2, 3))[0].cpu().numpy(), rtol=0.02, atol=0.02)
    seen = np.frombuffer(result.parts["pixels.vectors"], np.float16).reshape(2, 16, 16, 3)
    assert bool((seen[..., :1] == seen).all()) is looked.name.startswith(("wide", "even"))


def test_filters_of_one_channel_are_drawn_with_signs(looked: Looked) -> None:
    answers: list[Made] = []
    looked.workshop.make(Filters(model=looked.name, layer="conv1.0"), answers.append)
    assert answers[0].facts["mode"] == ("rgb" if looked.name == "tall" else "signed")


def assert_grey_where_it_sees_grey(looked: Looked, picture: bytes | None) -> None:
    pixels = np.asarray(opened(picture).convert("RGB"))
    is_grey = bool((pixels[..., :1] == pixels).all())
    assert is_grey is (looked.network.preprocessing.channels == "L")


def test_a_canvas_of_any_sides_has_the_same_power_in_both_directions() -> None:
    for sides in ((48, 96), (96, 48), (72, 72)):
        drawn = Fourier(8, sides, torch.Generator().manual_seed(1), deviation=1.0)().detach()
        assert drawn.shape == (8, 3, *sides)
        down = (drawn[:, :, 1:] - drawn[:, :, :-1]).square().mean()
        across = (drawn[..., 1:] - drawn[..., :-1]).square().mean()
        assert float(down / across) == pytest.approx(1, rel=0.25)


@pytest.mark.parametrize(("tall", "wide"), [(48, 96), (96, 48)])
def test_a_turned_square_stays_one_in_pictures_that_are_not(tall: int, wide: int) -> None:
    """A bright square in the middle keeps its area and its distances, whatever the angle."""
    pictures = torch.zeros(6, 3, tall, wide)
    pictures[:, :, tall // 2 - 8 : tall // 2 + 8, wide // 2 - 8 : wide // 2 + 8] = 1
    turned = Affine(degrees=45.0)(pictures, torch.Generator().manual_seed(3))
    assert turned.shape == pictures.shape
    for one in (turned[:, 0] > 0.5).float():
        assert float(one.sum()) == pytest.approx(256, rel=0.1)
        rows, columns = (one.nonzero().float().std(0)).tolist()
        assert rows == pytest.approx(columns, rel=0.1)
    reduced = Affine(out=(tall // 2, wide // 2))(pictures, torch.Generator().manual_seed(3))
    assert reduced.shape == (6, 3, tall // 2, wide // 2)


def test_grey_is_the_same_here_and_in_photos() -> None:
    numbers = np.random.default_rng(2).integers(0, 256, (20, 30, 3), dtype=np.uint8)
    theirs = torch.from_numpy(np.array(Image.fromarray(numbers).convert("L"))).float()
    ours = grey_of(torch.from_numpy(numbers).permute(2, 0, 1)[None].float())[0, 0]
    assert float((ours - theirs).abs().max()) <= 0.6
