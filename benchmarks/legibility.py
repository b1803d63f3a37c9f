"""Legibility: how much of a sheet can be seen, on the full range and on the page's scale.

python -m benchmarks.legibility --photos ../shared/photos --weights ../shared/weights

Per layer, over some photos: the share of the channels that are not silent whose peak is below a
quarter of the scale; the share of values beyond it; the median luminance (0..255, Rec. 709) of the
tiles that are not silent: on the full range without gamma, and as pages draw it.
"""

import argparse
import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from statistics import mean
from typing import Any

import torch
from PIL import Image
from torch import Tensor

from app.vision import activations
from app.vision.drawing import colors
from app.zoo.keeper import Keeper, Network
from app.zoo.taps import tap
from benchmarks.accuracy import OWN, catalogue_with, labelled

RESULTS = Path(__file__).resolve().parent / "results" / "legibility.json"
GAMMA = 0.7
#: A channel whose peak is below this share of the scale is hardly seen.
DARK = 0.25
LAYERS = {
    "efficientnet-lite0": ("conv_stem", "bn1", "blocks.2.0.conv_dw", "blocks.4.0", "bn2"),
    "googlenet": ("conv1", "conv2", "inception_3a", "inception_4c", "inception_5b"),
    "squeezenet1_1": ("features.0", "features.3", "features.6", "features.9", "features.12"),
}


def shares(maps: Tensor) -> dict[str, float]:
    """What can be seen of feature maps [C,H,W] on both scales."""
    numbers = activations.statistics(maps)
    lit = numbers.peaks[~numbers.dead]
    told: dict[str, float] = {}
    for mode, gamma in (("layer", 1.0), ("robust", GAMMA)):
        scale = activations.layer_scale(numbers, mode)  # type: ignore[arg-type]  # two of its modes
        entries = activations.entries(maps.clone(), numbers, scale)[~numbers.dead]
        told |= {
            f"dark_{mode}": float((lit < DARK * scale.high).float().mean()),
            f"beyond_{mode}": activations.clipped(maps, scale),
            f"luminance_{mode}": float(_luminance(entries, scale.sided, gamma).median()),
        }
    return told


def _luminance(entries: Tensor, sided: colors.Sided, gamma: float) -> Tensor:
    """The mean luminance of each tile, [C], 0..255."""
    palette = colors.palette(colors.DEFAULT[sided], sided, gamma)
    rgb = torch.frombuffer(bytearray(palette), dtype=torch.uint8).view(-1, 3).float()
    shades = rgb @ torch.tensor([0.2126, 0.7152, 0.0722])
    return shades[entries.long()].flatten(1).mean(1)


def rows(network: Network, layers: tuple[str, ...], photos: list[Path]) -> Iterator[dict[str, Any]]:
    """One row a layer: means over the photos, of the share of the dark the largest too."""
    seen: dict[str, list[dict[str, float]]] = {layer: [] for layer in layers}
    for photo in photos:
        with Image.open(photo) as picture, torch.inference_mode():
            prepared = network.prepare(picture)
            with tap(network, layers) as heard:
                network(prepared)
            for layer in layers:
                seen[layer].append(shares(activations.maps(heard[layer])))
    for layer, found in seen.items():
        row = {name: mean(one[name] for one in found) for name in found[0]}
        yield {"network": network.entry.name, "layer": layer, "photos": len(found), **row}


def main() -> None:
    """Print a table and keep it."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--photos", type=Path, required=True, help="folder of WNID_label.jpg")
    parser.add_argument("--weights", type=Path, required=True, help="folder of checkpoints")
    parser.add_argument("--count", type=int, default=10, help="so many photos, evenly chosen")
    asked = parser.parse_args()
    photos = [photo for photo, _ in labelled(asked.photos)]
    photos = photos[:: max(1, len(photos) // asked.count)][: asked.count]
    print(f"{'network':<22}{'layer':<20}{'dark: full':>12}{'now':>8}", end="")
    print(f"{'beyond':>9}{'light: full':>13}{'now':>7}")
    found = []
    with tempfile.TemporaryDirectory() as folder:
        keeper = Keeper(catalogue_with(asked.weights, Path(folder)), "cpu", 2**31)
        for name, layers in LAYERS.items():
            for row in rows(keeper.network(f"own-{name}" if name in OWN else name), layers, photos):
                found.append(row)
                print(
                    f"{row['network']:<22}{row['layer']:<20}{row['dark_layer']:12.1%}"
                    f"{row['dark_robust']:8.1%}{row['beyond_robust']:9.2%}"
                    f"{row['luminance_layer']:13.1f}{row['luminance_robust']:7.1f}"
                )
    RESULTS.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
