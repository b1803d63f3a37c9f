"""First grid of a layer against the bare forward pass to it plus encoding the same sheet.

`python -m benchmarks.grids [--weights DIR]`: EfficientNet-Lite0, and published GoogLeNet where its
weights are given; an early, a middle and a late layer of each; picture decoded, network loaded.
"""

import argparse
import itertools
import json
import os
import sys
import tempfile
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch
from PIL import Image

from app.studio.engine.allocation import KEEP_MEMORY
from app.studio.makers import Workshop
from app.studio.recipes import ActivationGrid, Made, Prediction
from app.vision.drawing import png
from app.zoo.taps import tap
from benchmarks.accuracy import OWN
from benchmarks.timing import interleaved

ROOT = Path(__file__).resolve().parent.parent
LAYERS = {
    "efficientnet-lite0": ("blocks.0.0", "blocks.1.0", "blocks.3.1", "conv_head"),
    "googlenet-bvlc": ("conv1", "conv2", "inception_4a", "inception_5b"),
}
MIB = 1024 * 1024


def workshop(models_dir: Path, device: str = "cpu", threads: int = 1) -> Workshop:
    """The maker of grids as it is in the device's process."""
    torch.set_num_threads(threads)
    settings = SimpleNamespace(
        models_dir=models_dir,
        network_memory_bytes=2048 * MIB,
        activation_memory_bytes=512 * MIB,
        default_model="efficientnet-lite0",
    )
    return Workshop(settings, device)  # type: ignore[arg-type]  # pydantic may be absent here


def first_grids(
    shop: Workshop, model: str, layer: str, picture: Path, rounds: int
) -> dict[str, Any]:
    """How long people wait for the first grid of a layer, beside the least it could take."""
    network = shop.network(model)
    numbers = itertools.count()

    def recipe() -> ActivationGrid:
        image = f"picture-{next(numbers)}"
        shop.cache.prepared(network, image, str(picture))
        return ActivationGrid(
            model=model, weights="", image=image, source=str(picture), layer=layer
        )

    def first() -> float:
        wanted = recipe()
        answered: list[float] = []
        start = time.perf_counter()
        shop.make(wanted, lambda _: answered.append(time.perf_counter()))
        shop.forget(wanted.image)
        return answered[0] - start

    batch, _ = shop.cache.prepared(network, "bare", str(picture))
    raw, palette = sheet_of(shop, recipe())

    @torch.no_grad()
    def bare() -> float:
        start = time.perf_counter()
        with tap(network, [layer]):
            network(batch)
        png.encode(raw, palette)
        return time.perf_counter() - start

    return interleaved({"first grid": first, "bare pass + encoding": bare}, rounds)


def sheet_of(shop: Workshop, recipe: ActivationGrid) -> tuple[torch.Tensor, bytes]:
    """The very rows and palette that the grid's picture is encoded from."""
    caught: list[tuple[torch.Tensor, bytes]] = []
    encode = png.encode

    def catching(raw: torch.Tensor, palette: bytes | None, texts: Any = None) -> bytes:
        assert palette is not None
        caught.append((raw, palette))
        return encode(raw, palette, texts)

    png.encode = catching
    try:
        shop.make(recipe, lambda _: None)
    finally:
        png.encode = encode
    return caught[0]


def second_layer(shop: Workshop, model: str, layers: tuple[str, ...], picture: Path) -> bool:
    """Whether a second layer of the same picture needs no forward pass."""
    network = shop.network(model)
    source, image = str(picture), "second"
    shop.make(Prediction(model=model, image=image, source=source), _nothing)
    passes: list[int] = []
    hook = network.module.register_forward_pre_hook(lambda *_: passes.append(1))
    for layer in layers:
        shop.make(ActivationGrid(model=model, image=image, source=source, layer=layer), _nothing)
    hook.remove()
    return not passes


def _nothing(_: Made) -> None:
    return


def run(weights: Path | None = None, rounds: int = 15, device: str = "cpu") -> dict[str, Any]:
    """All figures of this benchmark as JSON."""
    with tempfile.TemporaryDirectory() as folder:
        models = models_folder(Path(folder), weights)
        picture = Path(folder) / "chelsea.png"
        with Image.open(ROOT / "static" / "samples" / "chelsea.jpg") as photo:
            photo.convert("RGB").save(picture)
        shop = workshop(models, device)
        results: dict[str, Any] = {}
        for model, layers in LAYERS.items():
            if model == "googlenet-bvlc" and weights is None:
                continue
            results[model] = {
                layer: first_grids(shop, model, layer, picture, rounds) for layer in layers
            }
            results[model]["second layer without a pass"] = second_layer(
                shop, model, layers, picture
            )
        return results


def models_folder(folder: Path, weights: Path | None) -> Path:
    """A models folder with the catalogue, and published GoogLeNet as an own checkpoint."""
    own = folder / "models" / "weights"
    own.mkdir(parents=True)
    (folder / "models" / "catalogue.toml").symlink_to(ROOT / "models" / "catalogue.toml")
    if weights is not None:
        (own / "googlenet-bvlc.safetensors").symlink_to(
            (weights / "googlenet.safetensors").resolve()
        )
        (own / "googlenet-bvlc.toml").write_text(OWN["googlenet"], "utf-8")
    return folder / "models"


def weights_argument() -> argparse.ArgumentParser:
    """The arguments that all benchmarks with real checkpoints share."""
    parser = argparse.ArgumentParser(description=__doc__)
    beside = ROOT.parent / "shared" / "weights"
    parser.add_argument("--weights", type=Path, default=beside if beside.is_dir() else None)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--device", default="cpu")
    return parser


def with_kept_memory() -> None:
    """Start again as the device's process runs: malloc reads these variables at its start only."""
    if any(os.environ.get(name) != value for name, value in KEEP_MEMORY.items()):
        # Ourselves, with the very arguments that we were started with.
        os.execve(sys.executable, sys.orig_argv, os.environ | KEEP_MEMORY)  # noqa: S606


if __name__ == "__main__":
    with_kept_memory()
    given = weights_argument().parse_args()
    print(json.dumps(run(given.weights, given.rounds, given.device), indent=2))
