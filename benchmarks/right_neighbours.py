"""Right neighbours: how often the nearest five photos are of the same broad group, by layer.

python -m benchmarks.right_neighbours --photos ../shared/photos --weights ../shared/weights

Once by the groups of app/studio/groups.toml, and once by whether both are animals. Prints a table
in Markdown; each network runs every photo once.
"""

import argparse
import tempfile
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional

from app.studio.collections import groups
from app.vision import neighbours
from app.zoo.keeper import Keeper, Network
from app.zoo.taps import tap
from benchmarks.accuracy import catalogue_with

MODELS = (
    "efficientnet-lite0",
    "efficientnet-lite0-untrained",
    "own-googlenet",
    "own-squeezenet1_1",
)
COUNT, BATCH, COLUMNS = 5, 4, 8
#: The first id of what people made; ImageNet's animals come before.
MADE = "n02666196"
PIXELS = "pixels"


def vectors(network: Network, photos: list[Path]) -> dict[str, Tensor]:
    """The mean of every channel of every layer, and 16 x 16 pixels, for each photo."""
    found: dict[str, list[Tensor]] = {name: [] for name in (PIXELS, *network.layers)}
    for first in range(0, len(photos), BATCH):
        pictures = [Image.open(path).convert("RGB") for path in photos[first : first + BATCH]]
        batch = torch.cat([network.prepare(picture) for picture in pictures])
        found[PIXELS].append(functional.adaptive_avg_pool2d(batch, 16).flatten(1))
        with torch.no_grad(), tap(network, list(network.layers), stop=False) as seen:
            network(batch)
        for name in network.layers:
            maps = seen[name]
            found[name].append((maps.flatten(2).mean(2) if maps.ndim > 2 else maps).clone())
    return {name: torch.cat(parts) for name, parts in found.items()}


def shares(found: dict[str, Tensor], belongs: Tensor) -> dict[str, float]:
    """The share of right neighbours by pixels and by layer."""
    asked = (belongs >= 0).nonzero()[:, 0]
    told = {}
    for name, values in found.items():
        near = neighbours.closeness if name == PIXELS else neighbours.cosine
        ready = values if name == PIXELS else neighbours.directions(values)
        told[name] = neighbours.share_right(ready, belongs, near, COUNT, asked) or 0.0
    return told


def row(name: str, told: dict[str, float], chance: float) -> str:
    """One line of the table: some layers from the first to the last, the best, and its name."""
    layers = [layer for layer in told if layer != PIXELS]
    some = [layers[k * (len(layers) - 1) // (COLUMNS - 1)] for k in range(COLUMNS)]
    best = max(layers, key=lambda layer: told[layer])
    cells = [f"{100 * share:.1f}" for share in (chance, told[PIXELS], *(told[n] for n in some))]
    return f"| {name} | {' | '.join(cells)} | {100 * told[best]:.1f} ({best}) |"


def main(photos: list[Path], weights: Path) -> None:
    """Print both tables."""
    rows = [{"label": path.stem[10:], "wordnet": path.name[:9]} for path in photos]
    kinds = {
        "broad groups": torch.tensor(groups.numbers(rows, "group")),
        "animals": torch.tensor([0 if path.name[:9] < MADE else groups.NONE for path in photos]),
    }
    with tempfile.TemporaryDirectory() as folder:
        keeper = Keeper(catalogue_with(weights, Path(folder)), "cpu", 2**31)
        for model in MODELS:
            found = vectors(keeper.network(model), photos)
            for kind, belongs in kinds.items():
                asked = (belongs >= 0).nonzero()[:, 0]
                chance = neighbours.share_by_chance(belongs, COUNT, asked) or 0.0
                print(row(f"{model}, {kind}", shares(found, belongs), chance), flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photos", type=Path, required=True)
    parser.add_argument("--weights", type=Path, required=True)
    given = parser.parse_args()
    torch.set_num_threads(1)
    main(sorted(given.photos.glob("n*.jpg")), given.weights)
