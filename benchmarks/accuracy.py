"""Accuracy: how often the networks name photos right, whose names say what is on them.

python -m benchmarks.accuracy --photos ../shared/photos --weights ../shared/weights
"""

import argparse
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

import torch
from PIL import Image

from app.zoo.catalogue import Catalogue
from app.zoo.keeper import Keeper, Network

ROOT = Path(__file__).resolve().parent.parent
NETWORKS = ("efficientnet-lite0", "googlenet", "squeezenet1_1")
BGR = """
labels = "imagenet"

[preprocessing]
resize = 256
crop = {crop}
channels = "BGR"
range = 255.0
mean = [104, 117, 123]
std = [1, 1, 1]
"""
#: torchvision tells the bird from the machine.
RENAMED = {"n02012849_crane": "crane_bird"}
OWN = {
    "googlenet": 'architecture = "laterna:googlenet-2014"' + BGR.format(crop=224),
    "squeezenet1_1": 'architecture = "torchvision:squeezenet1_1"' + BGR.format(crop=227),
}


@dataclass(frozen=True)
class Accuracy:
    """How many photos there were, and the shares of them named right, 0 to 1."""

    photos: int
    top1: float
    top5: float


def accuracy(network: Network, photos: list[tuple[Path, str]]) -> Accuracy:
    """Top-1 and top-5 accuracy on (photo, label) pairs."""
    places = []
    for photo, label in photos:
        with Image.open(photo) as picture, torch.inference_mode():
            order = network(network.prepare(picture))[0].argsort(descending=True)[:5].tolist()
        named = [label_in_names(network.labels[index]) for index in order]
        places.append(named.index(label) if label in named else 5)
    count = len(places)
    top1, top5 = (sum(place < within for place in places) / count for within in (1, 5))
    return Accuracy(count, top1, top5)


def labelled(folder: Path) -> list[tuple[Path, str]]:
    """The photos of a folder, WNID_label.jpg, with their labels."""
    photos = sorted(folder.glob("n*_*.jpg"))
    return [(photo, RENAMED.get(photo.stem) or photo.stem.partition("_")[2]) for photo in photos]


def label_in_names(label: str) -> str:
    """A label as it is compared: file names have no spaces."""
    return label.replace(" ", "_").replace("/", "_")


def catalogue_with(weights: Path, folder: Path) -> Catalogue:
    """The catalogue, with the checkpoints of `weights` as own ones: name published-…"""
    shutil.copy(ROOT / "models" / "catalogue.toml", folder)
    (folder / "weights").mkdir()
    for name, said in OWN.items():
        target = folder / "weights" / f"own-{name}.safetensors"
        target.symlink_to((weights / f"{name}.safetensors").resolve())
        target.with_suffix(".toml").write_text(said, encoding="utf-8")
    return Catalogue(folder)


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--photos", type=Path, required=True, help="folder of WNID_label.jpg")
    parser.add_argument("--weights", type=Path, required=True, help="folder of checkpoints")
    parser.add_argument("--device", default="cpu")
    asked = parser.parse_args()
    photos = labelled(asked.photos)
    if not photos:
        parser.error(f"there are no photos named WNID_label.jpg in {asked.photos}")
    print(f"{len(photos)} photos")
    print(f"{'network':<24}{'top-1':>8}{'top-5':>8}")
    with tempfile.TemporaryDirectory() as folder:
        keeper = Keeper(catalogue_with(asked.weights, Path(folder)), asked.device, 2**31)
        for name in NETWORKS:
            found = accuracy(keeper.network(f"own-{name}" if name in OWN else name), photos)
            print(f"{name:<24}{found.top1:8.1%}{found.top5:8.1%}")


if __name__ == "__main__":
    main()
