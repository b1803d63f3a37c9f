"""Synthesis: a step of ascent over a bare forward and backward pass, and whole pictures' seconds.

python -m benchmarks.synthesis [--device cuda:0]     needs no web packages
"""

import argparse
import json
import os
import platform
import time
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from app.vision import ascent, methods, objectives
from app.vision.methods import Method
from app.vision.objectives import LOGITS, Objective
from app.zoo.catalogue import Catalogue
from app.zoo.keeper import Keeper, Network
from app.zoo.taps import tap
from benchmarks.timing import Contender, interleaved

ROOT = Path(__file__).resolve().parent.parent
NETWORK, EARLY, CLASS = "efficientnet-lite0", "blocks.1.0", 954
BATCHES = (1, 8)


def _synced(network: Network) -> None:
    if network.device.type == "cuda":
        torch.cuda.synchronize(network.device)


def bare(network: Network, layer: str, batch: int, size: int) -> Contender:
    """One forward and backward pass to a layer, or to the logits: nothing else."""
    pictures = torch.randn(batch, 3, size, size, device=network.device)
    pictures = pictures.contiguous(memory_format=torch.channels_last).requires_grad_()

    def run() -> None:
        pictures.grad = None
        if layer == LOGITS:
            value = network(pictures)[:, CLASS].sum()
        else:
            with tap(network, [layer]) as seen:
                network(pictures)
            value = seen[layer][:, 0].mean((1, 2)).sum()
        torch.autograd.backward(value)
        _synced(network)

    return run


def step(network: Network, objective: Objective, method: Method, batch: int) -> Contender:
    """One step of ascent."""
    endless = replace(method, steps=1_000_000)
    steps: Iterator[ascent.Step] = ascent.ascend(
        network, objective, endless, ascent.seeded(0), batch
    )

    def run() -> None:
        next(steps)
        _synced(network)

    return run


def steps(network: Network, rounds: int) -> dict[str, Any]:
    """Ratios of a step to the bare pass, for logits and for an early layer, at each batch."""
    crop = network.preprocessing.crop
    field = network.layers[EARLY].receptive_field
    cases: dict[str, tuple[str, Objective, Method]] = {
        "logit": (LOGITS, objectives.logit(CLASS), methods.class_image(crop, "quick")),
        EARLY: (EARLY, objectives.channel(EARLY, 0), methods.channel_image(crop, field, "quick")),
    }
    return {
        f"{name}, batch {batch}": interleaved(
            {
                "step": step(network, objective, method, batch),
                "bare": bare(network, layer, batch, max(network.preprocessing.sides)),
            },
            rounds,
        )
        for name, (layer, objective, method) in cases.items()
        for batch in BATCHES
    }


def picture_seconds(network: Network, quality: str) -> dict[str, float]:
    """Seconds to the first step and to the last of a class image."""
    method = methods.class_image(network.preprocessing.crop, quality)
    start = time.perf_counter()
    first = 0.0
    made: Tensor | None = None
    generator = ascent.seeded(0)
    for done in ascent.ascend(network, objectives.logit(CLASS), method, generator):
        made = done.pictures() if done.step in (1, done.steps) else made
        _synced(network)
        first = first or time.perf_counter() - start
    return {"steps": method.steps, "first": first, "whole": time.perf_counter() - start}


def score_by_steps(network: Network, quality: str) -> list[float]:
    """The logit under transforms, averaged over a tenth of the steps each."""
    method = methods.class_image(network.preprocessing.crop, quality)
    generator = ascent.seeded(0)
    ascent_steps = ascent.ascend(network, objectives.logit(CLASS), method, generator)
    scores = [float(done.scores) for done in ascent_steps]
    tenth = len(scores) // 10
    return [
        round(sum(islice(scores, at, at + tenth)) / tenth, 2) for at in range(0, 10 * tenth, tenth)
    ]


def run(rounds: int, device: str, threads: int) -> dict[str, Any]:
    """All of it."""
    if threads:
        torch.set_num_threads(threads)
    network = Keeper(Catalogue(ROOT / "models"), device, 2 << 30).network(NETWORK)
    return {
        "device": torch.cuda.get_device_name(network.device) if "cuda" in device else "cpu",
        "threads": torch.get_num_threads(),
        "step over bare pass": steps(network, rounds),
        "class image, quick, seconds": picture_seconds(network, "quick"),
        "score by tenths of the steps": score_by_steps(network, "quick"),
    }


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--threads", type=int, default=0, help="0: PyTorch's own choice")
    asked = parser.parse_args()
    machine = {"processor": platform.machine(), "cores": os.cpu_count(), "torch": torch.__version__}
    print(json.dumps(machine | run(asked.rounds, asked.device, asked.threads), indent=2))


if __name__ == "__main__":
    main()
