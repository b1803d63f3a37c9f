"""On real photographs: the deeper the layer, the more often the nearest photo shows the same.

docs/explorer.md has the figures for all 500 photographs and all layers.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from PIL import Image
from torch.nn import functional

from app.studio.collections import groups
from app.vision import neighbours
from app.zoo.catalogue import Catalogue
from app.zoo.keeper import Keeper
from app.zoo.taps import tap
from tests.vision.conftest import ROOT

WANTED = ("dogs", "birds", "vehicles", "food", "insects and spiders", "musical instruments")
EACH, BATCH = 10, 10
LAYERS = ("bn1", "blocks.3.2", "blocks.5.1", "blocks.6.0")


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    """Where others work too, two that wait for each other are slower than one."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def photos(photos_folder: Path) -> list[tuple[Path, int]]:
    """As many of each group, evenly over it."""
    found: list[tuple[Path, int]] = []
    for number, name in enumerate(WANTED):
        own = [path for path in sorted(photos_folder.glob("n*.jpg"))
               if groups.group(path.name[:9]) == name]  # fmt: skip
        assert len(own) >= EACH
        found += [(own[k * len(own) // EACH], number) for k in range(EACH)]
    return found


def test_right_neighbours_grow_with_depth_and_beat_pixels(
    photos: list[tuple[Path, int]], device: str
) -> None:
    network = Keeper(Catalogue(ROOT / "models"), device, 2**30).network("efficientnet-lite0")
    found: dict[str, list[torch.Tensor]] = {name: [] for name in (*LAYERS, "pixels")}
    for first in range(0, len(photos), BATCH):
        pictures = [Image.open(path).convert("RGB") for path, _ in photos[first : first + BATCH]]
        batch = torch.cat([network.prepare(picture) for picture in pictures])
        found["pixels"].append(functional.adaptive_avg_pool2d(batch, 16).flatten(1))
        with torch.no_grad(), tap(network, list(LAYERS)) as seen:
            network(batch)
        for name in LAYERS:
            found[name].append(seen[name].flatten(2).mean(2).clone())
    belongs = torch.tensor([number for _, number in photos], device=device)
    asked = torch.arange(len(photos))

    def share(name: str) -> float:
        vectors = torch.cat(found[name])
        is_layer = name != "pixels"
        measure = neighbours.cosine if is_layer else neighbours.closeness
        values = neighbours.directions(vectors) if is_layer else vectors
        right = neighbours.share_right(values, belongs, measure, 5, asked)
        assert right is not None
        return right

    by_depth = [share(name) for name in LAYERS]
    chance = neighbours.share_by_chance(belongs, 5, asked)
    assert chance == pytest.approx((EACH - 1) / (len(photos) - 1))
    assert by_depth == sorted(by_depth), by_depth
    assert by_depth[-1] > 0.6, by_depth
    assert by_depth[-1] > 2.5 * share("pixels"), (by_depth, share("pixels"))
