"""An index says of every channel what the network, asked photo by photo, says itself."""

import struct
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from app.studio.collections import records
from app.studio.collections.records import ChannelRecord
from app.studio.makers import Workshop
from app.studio.recipes import CollectionIndex, Made, Member, Sources
from app.zoo.keeper import Network
from app.zoo.taps import tap
from tests.studio.makers.synthesis.conftest import DEAD
from tests.studio.makers.synthesis.driving import opened, watched

PHOTOS, BROKEN, TURNED = 26, 11, 4


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Coloured noise, coarse and fine, of several shapes; one broken, one lying on its side."""
    folder = tmp_path_factory.mktemp("collection")
    numbers = np.random.default_rng(7)
    for n in range(PHOTOS):
        size = (3 + n, 5 + n // 2)
        noise = numbers.integers(0, 256, (*size, 3), dtype=np.uint8)
        photo = Image.fromarray(noise).resize((90, 76 + 4 * n), Image.Resampling.BICUBIC)
        exif = Image.Exif()
        exif[0x0112] = 6 if n == TURNED else 1
        photo.save(folder / f"{n:02}.jpg", quality=95, exif=exif)
    (folder / f"{BROKEN:02}.jpg").write_bytes(b"\xff\xd8\xff nothing of a picture")
    return folder


@pytest.fixture(scope="module")
def sources(folder: Path) -> Sources:
    paths = sorted(folder.iterdir())
    return Sources(members=tuple(Member(path.name, str(path), "noise") for path in paths))


RECIPE = CollectionIndex(model="tiny", collection="noise", photos="x")


@pytest.fixture(scope="module")
def made(workshop: Workshop, sources: Sources) -> Made:
    with torch.no_grad():
        made, steps = watched(workshop, RECIPE, sources=sources)
    shown = [step.step for step in steps if step.stage == ""]
    assert shown == sorted(shown)
    assert shown[-1] == steps[-1].steps == PHOTOS
    assert opened(steps[0].preview and steps[0].preview()).size[0] > 1
    return made


@pytest.fixture(scope="module")
def network(workshop: Workshop) -> Network:
    return workshop.network("tiny")


@pytest.fixture(scope="module")
def truth(network: Network, folder: Path, made: Made) -> dict[str, Tensor]:
    """Every layer for every photo that can be read: each convolution really run by itself."""
    found: dict[str, list[Tensor]] = {name: [] for name in network.layers}
    for n in range(PHOTOS):
        if n == BROKEN:
            continue
        with Image.open(folder / f"{n:02}.jpg") as photo:
            upright = photo.transpose(Image.Transpose.ROTATE_270) if n == TURNED else photo
            batch = network.prepare(upright.convert("RGB"))
        with torch.no_grad(), tap(network, list(network.layers), stop=False) as seen:
            network(batch)
            for name, maps in found.items():
                layer = seen[name].float()
                maps.append((layer if layer.ndim == 4 else layer[..., None, None]).clone())
    return {name: torch.cat(maps) for name, maps in found.items()}


def numbers() -> list[int]:
    """Of the photos that can be read."""
    return [n for n in range(PHOTOS) if n != BROKEN]


def record(made: Made, layer: str, channel: int) -> ChannelRecord:
    return records.record(made.parts[f"{layer}.channels"], channel)


def test_a_record_is_as_long_as_its_fields() -> None:
    assert np.dtype(records.FIELDS).itemsize == records.SIZE


def test_some_convolutions_are_told_back_from_what_was_folded_into_them(network: Network) -> None:
    """Else the tests below would not test that."""
    assert len(network.unfolded) > 5


def test_every_layer_has_the_mean_of_every_photo(made: Made, truth: dict[str, Tensor]) -> None:
    for name, maps in truth.items():
        data = np.frombuffer(made.parts[f"{name}.vectors"], "<f2").reshape(PHOTOS, -1)
        means = maps.mean((2, 3)).numpy()
        scale = np.abs(means).max(0) + 1e-3
        assert np.abs(data[numbers()] - means).max(initial=0, where=scale > 0) <= 2e-2 * scale.max()
        assert not data[BROKEN].any()


def test_best_and_least_photos_are_the_true_ones(made: Made, truth: dict[str, Tensor]) -> None:
    checked = 0
    for name, maps in truth.items():
        highs = maps.flatten(2).amax(2)
        for channel in range(0, maps.shape[1], 7):
            own, said = highs[:, channel], record(made, name, channel)
            near = 1e-3 * max(1.0, float(maps[:, channel].abs().max()))
            assert said.high == pytest.approx(float(own.max()), abs=near)
            for row, most in ((said.best, True), (said.least, False)):
                wanted = own.sort(descending=most).values[: records.KEPT]
                assert [one.value for one in row] == pytest.approx(wanted.tolist(), abs=near)
                for one in row:
                    there = maps[numbers().index(one.photo), channel, one.row, one.column]
                    assert float(there) == pytest.approx(one.value, abs=near)
                    checked += 1
    assert checked > 500


def test_a_channel_that_was_shut_never_fires(made: Made, truth: dict[str, Tensor]) -> None:
    layer = "act1"
    said = record(made, layer, DEAD)
    assert said.fired == 0
    assert (said.high, said.share_active, said.mean) == (0, 0, 0)
    facts = made.facts["layers"][layer]
    dead = int((truth[layer].flatten(2).amax(2).amax(0) == 0).sum())
    assert facts["dead"] == dead > 0
    assert facts["signed"] is False
    signed = [name for name, maps in truth.items() if maps.min() < 0]
    assert all(made.facts["layers"][name]["signed"] for name in signed)


def test_histograms_count_every_photo(made: Made) -> None:
    said = record(made, "conv1.0", 0)
    assert sum(said.spread) == PHOTOS - 1
    assert sum(said.positions) > PHOTOS


def test_pixels_are_what_the_network_sees_of_a_photo(
    made: Made, network: Network, folder: Path
) -> None:
    pixels = np.frombuffer(made.parts["pixels.vectors"], "<f2").reshape(PHOTOS, 16, 16, 3)
    with Image.open(folder / "20.jpg") as photo:
        box = network.crop_box(*photo.size)
        small = photo.resize((16, 16), Image.Resampling.BOX, box)
    assert np.abs(pixels[20] - np.asarray(small) / 255).max() < 0.06
    assert 0 <= pixels.min() <= pixels.max() <= 1


def test_what_is_said_of_the_photos(made: Made) -> None:
    rows = made.facts["photos"]
    assert [row["n"] for row in rows] == list(range(PHOTOS))
    assert rows[BROKEN]["unreadable"]
    assert "crop" not in rows[BROKEN]
    assert (rows[TURNED]["width"], rows[TURNED]["height"]) == (76 + 4 * TURNED, 90)
    left, top, right, bottom = rows[0]["crop"]
    assert right - left == pytest.approx(bottom - top, abs=1)
    assert opened(made.picture).width == made.facts["width"]


def test_a_record_is_read_without_the_others(made: Made) -> None:
    data = made.parts["conv1.0.channels"]
    low, mean, high = struct.unpack_from("<3f", data, 2 * records.SIZE)
    said = record(made, "conv1.0", 2)
    assert (said.low, said.mean, said.high) == (low, mean, high)
    assert records.count(data) == made.facts["layers"]["conv1.0"]["channels"]
