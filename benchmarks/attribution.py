"""Attribution: is what Grad-CAM lights what the network needs? Covered, and compared with chance.

python -m benchmarks.attribution --photos ../shared/photos --count 100
"""

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional

from app.vision import attribution, covering
from app.vision.masks import SIDE
from app.zoo.catalogue import Catalogue
from app.zoo.keeper import Keeper, Network

ROOT = Path(__file__).resolve().parent.parent
#: How much of the picture is covered, and the layer that is asked.
SHARE, LAYER, MODEL = 0.25, "bn2", "efficientnet-lite0"
WAYS = ("most", "random", "least")


@dataclass(frozen=True)
class Needed:
    """Probability of the likeliest class of one photo: as it is, and with a quarter covered.

    seconds: that the map took.
    """

    before: float
    most: float
    random: float
    least: float
    seconds: float


def needed(network: Network, photo: Path, generator: torch.Generator) -> Needed:
    """What is left when the cells that the map says most, least, or by chance, are blurred."""
    with Image.open(photo) as picture:
        batch = network.prepare(picture)
    with torch.no_grad():
        before = network(batch).softmax(1)[0]
        number = int(before.argmax())
        began = perf_counter()
        seen = attribution.grad_cam(network, LAYER, batch, number)
        seconds = perf_counter() - began
        blur = covering.blurred(batch, covering.BLUR * batch.shape[2])
        left = {}
        for way, order in _orders(seen, generator):
            picked = covering.covered(batch, _first(order), blur)
            left[way] = float(network(picked).softmax(1)[0, number])
    return Needed(float(before[number]), **left, seconds=seconds)


def _orders(seen: Tensor, generator: torch.Generator) -> Iterator[tuple[str, Tensor]]:
    """A number for each cell of a mask; those with the highest are covered.

    Chance has blobs as large as the map's.
    """
    chance = torch.rand(seen.shape, generator=generator)
    for way, cells in zip(WAYS, (seen, chance, -seen), strict=True):
        sized = functional.interpolate(cells[None, None], (SIDE, SIDE), mode="bilinear")
        yield way, sized[0, 0]


def _first(order: Tensor) -> Tensor:
    """The cells with the highest numbers, as many as make the share."""
    count = round(SHARE * order.numel())
    mask = torch.zeros(order.numel(), dtype=torch.bool)
    mask[order.flatten().topk(count).indices] = True
    return mask.view(order.shape)


def main() -> None:
    """Print the means over photos that are spread over the folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photos", type=Path, default=ROOT.parent / "shared" / "photos")
    parser.add_argument("--count", type=int, default=100)
    given = parser.parse_args()
    network = Keeper(Catalogue(ROOT / "models"), "cpu", 2**31).network(MODEL)
    photos = sorted(given.photos.glob("*.jpg"))
    chosen = photos[:: max(1, len(photos) // given.count)][: given.count]
    generator = torch.Generator().manual_seed(0)
    found = [needed(network, photo, generator) for photo in chosen]
    for name in ("before", *WAYS):
        mean = sum(getattr(one, name) for one in found) / len(found)
        print(f"{name:8} {mean:.3f}")
    times = sorted(one.seconds for one in found)
    beats = sum(one.most < one.random for one in found) / len(found)
    print(f"photos {len(found)}; the map beats chance in {beats:.0%}")
    print(f"median of the map: {times[len(times) // 2]:.3f} s")


if __name__ == "__main__":
    main()
