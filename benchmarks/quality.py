"""Quality: what networks that did not make the pictures see in them, and what reconstructions keep.

python -m benchmarks.quality --photos ../shared/photos --weights ../shared/weights [--only classes]

Slow: an hour and more on two cores. Everything is reported on classes and photos that nothing was
tuned on, and kept in benchmarks/results/quality.json after every picture, so that it can be stopped
and goes on where it was.
"""

import argparse
import json
import statistics
import tempfile
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from torch import Tensor

from app.vision import ascent, likeness, methods, objectives, reconstruction
from app.vision.ascent import Step
from app.zoo.catalogue import Catalogue
from app.zoo.keeper import Keeper, Network
from benchmarks.accuracy import catalogue_with

RESULTS = Path(__file__).resolve().parent / "results" / "quality.json"
SAMPLES = Path(__file__).resolve().parent.parent / "static" / "samples"
MAKERS = ("efficientnet-lite0", "own-googlenet")
JUDGES = ("efficientnet-lite0", "own-googlenet", "own-squeezenet1_1")
#: Every 23rd class from the 11th: none of them among those that were tuned on.
CLASSES = tuple(range(11, 1000, 23))[:42]
SEEDS = (0, 1)
#: Middle layers, by whose channels the multiples are judged: every 16th channel or so.
CHANNELS = {"blocks.2.1": 40, "blocks.3.1": 80, "blocks.4.1": 112}
PER_LAYER = 6
#: After block 2, block 7 (of 16, from 1), and the last convolution after its activation.
LAYERS = ("blocks.1.0", "blocks.3.1", "bn2")
PHOTOS = 8
DRAWS = 16
Kept = dict[str, Any]


def picture(pictures: Tensor) -> Image.Image:
    """The first of [N,3,H,W] as it is saved."""
    return Image.fromarray((pictures[0] * 255).round().byte().permute(1, 2, 0).cpu().numpy())


def _made(steps: Iterator[Step]) -> Tensor:
    """The pictures after the last step."""
    return deque(steps, maxlen=1)[0].pictures()


def class_image(network: Network, class_: int, seed: int, quality: str) -> Image.Image:
    """A class image by the defaults of a quality."""
    crop, skips = network.preprocessing.crop, bool(network.branches)
    method = methods.class_image(crop, quality, skips=skips)
    generator = ascent.seeded(seed)
    return picture(_made(ascent.ascend(network, objectives.logit(class_), method, generator)))


def within_five(network: Network, made: Image.Image, class_: int) -> bool:
    """Whether a network has a class among its five likeliest for a picture."""
    with torch.no_grad():
        logits = network(network.prepare(made))[0]
    return class_ in logits.topk(5).indices.tolist()


def classes(
    keeper: Keeper,
    kept: Kept,
    makers: Sequence[str],
    quality: str,
    seeds: Sequence[int],
    keep: Callable[[], None],
) -> None:
    """Class images, judged."""
    for maker in makers:
        rows = kept.setdefault(f"classes by {maker}, {quality}", {})
        for seed in seeds:
            for class_ in CLASSES:
                name = f"{class_}, seed {seed}"
                if name not in rows:
                    made = class_image(keeper.network(maker), class_, seed, quality)
                    rows[name] = {
                        judge: within_five(keeper.network(judge), made, class_) for judge in JUDGES
                    }
                    keep()


def channels(keeper: Keeper, kept: Kept, keep: Callable[[], None]) -> None:
    """Channels: how far beyond the best sample photo, under transforms, and whether the first."""
    network = keeper.network(JUDGES[0])
    for layer, count in CHANNELS.items():
        rows = kept.setdefault(f"channels of {layer}", {})
        best = _best_samples(network, layer)
        for channel in range(3, count, max(1, count // PER_LAYER)):
            if str(channel) not in rows:
                rows[str(channel)] = _channel(network, layer, channel, best)
                keep()


def _means(network: Network, layer: str, pictures: Tensor) -> Tensor:
    with torch.no_grad():
        maps = ascent.heard(network, {layer}, ascent.normalized(network, pictures))[layer]
    return maps.mean((2, 3))


def _best_samples(network: Network, layer: str) -> Tensor:
    photos = []
    for path in sorted(SAMPLES.glob("*.jpg")):
        with Image.open(path) as photo:
            photos.append(ascent.pictures_of(network, network.prepare(photo)))
    return _means(network, layer, torch.cat(photos)).amax(0)


def _channel(network: Network, layer: str, channel: int, best: Tensor) -> Kept:
    found = network.layers[layer]
    method = methods.channel_image(network.preprocessing.crop, found.receptive_field, "quick")
    generator = ascent.seeded(0)
    made = _made(ascent.ascend(network, objectives.channel(layer, channel), method, generator))
    draws = made.expand(DRAWS, -1, -1, -1)
    seen = ascent.transform(network, method)(draws, ascent.seeded(1))
    moved = _means(network, layer, seen).mean(0)
    plain = _means(network, layer, made)[0]
    return {
        "multiple": float(moved[channel] / best[channel]),
        "plain kept": float(moved[channel] / plain[channel]),
        "first": int(moved.argmax()) == channel,
        "first by multiple": int((moved / best.clamp(min=1e-6)).argmax()) == channel,
    }


def reconstructions(
    keeper: Keeper, kept: Kept, photos: list[Path], keep: Callable[[], None]
) -> None:
    """Reconstructions of photos, by the fine quality."""
    network = keeper.network(JUDGES[0])
    for layer in LAYERS:
        rows = kept.setdefault(f"reconstructions from {layer}", {})
        for path in photos:
            if path.stem not in rows:
                rows[path.stem] = _reconstruction(network, layer, path)
                keep()


def _reconstruction(network: Network, layer: str, path: Path) -> Kept:
    with Image.open(path) as photo:
        batch = network.prepare(photo)
    original = ascent.pictures_of(network, batch)
    method = reconstruction.method_for(network, layer, "fine")
    generator = ascent.seeded(0)
    made = _made(reconstruction.reconstruct(network, layer, batch, method, generator))
    with torch.no_grad():
        ours, aim = (
            ascent.heard(network, {layer}, given)[layer]
            for given in (ascent.normalized(network, made), batch)
        )
    colors = torch.stack([made.mean((0, 2, 3)), original.mean((0, 2, 3))])
    return {
        "relative error": float((ours - aim).norm() / aim.norm()),
        "psnr": likeness.psnr(made, original),
        "ssim": likeness.ssim(made, original),
        "mean colour off by": float((colors[0] - colors[1]).abs().mean()),
    }


def summary(kept: Kept) -> dict[str, dict[str, float]]:
    """Means of every group; of multiples the median."""
    told: dict[str, dict[str, float]] = {}
    for group, rows in kept.items():
        if not rows:
            continue
        names = list(next(iter(rows.values())))
        told[group] = {"of": len(rows)}
        for name in names:
            values = [float(row[name]) for row in rows.values()]
            middle = statistics.median if name == "multiple" else statistics.mean
            told[group][name] = round(middle(values), 3)
    return told


def main() -> None:
    """Go on with what is missing, keep it, and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--photos", type=Path, required=True)
    parser.add_argument("--weights", type=Path, required=True, help="folder of checkpoints")
    parser.add_argument("--only", choices=("classes", "channels", "reconstructions"))
    parser.add_argument("--quality", choices=("quick", "fine"), default="fine", help="of classes")
    parser.add_argument("--makers", nargs="+", choices=MAKERS, default=MAKERS)
    parser.add_argument("--seeds", nargs="+", type=int, default=SEEDS)
    parser.add_argument("--keep", type=Path, default=RESULTS, help="where the figures are kept")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--afresh", action="store_true", help="forget what was kept")
    asked = parser.parse_args()
    known = asked.keep.is_file() and not asked.afresh
    kept: Kept = json.loads(asked.keep.read_text("utf-8"))["pictures"] if known else {}

    def keep() -> None:
        told = {"figures": summary(kept), "pictures": kept}
        asked.keep.write_text(json.dumps(told, indent=1) + "\n", "utf-8")

    photos = sorted(asked.photos.glob("*.jpg"))[1::2][:: max(1, 250 // PHOTOS)][:PHOTOS]
    with tempfile.TemporaryDirectory() as folder:
        catalogue: Catalogue = catalogue_with(asked.weights, Path(folder))
        keeper = Keeper(catalogue, asked.device, 2 << 30)
        if asked.only in (None, "reconstructions"):
            reconstructions(keeper, kept, photos, keep)
        if asked.only in (None, "channels"):
            channels(keeper, kept, keep)
        if asked.only in (None, "classes"):
            classes(keeper, kept, asked.makers, asked.quality, asked.seeds, keep)
    print(json.dumps(summary(kept), indent=2))


if __name__ == "__main__":
    main()
