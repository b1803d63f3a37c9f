"""Against torch-lucent: its step over ours, on the same network, in the same run.

Once on our prepared network (frozen, batch norms folded, channels last), which is a gift to it, and
once on the module as timm gives it, which is what its users have.

Lucent is not among the project's dependencies. In an environment that has it too:

    pip install torch-lucent kornia==0.4.1 ipython tqdm decorator
    python -W ignore -m benchmarks.lucent
"""

import argparse
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import nn

from app.vision import ascent, methods, objectives
from app.zoo.architectures import build
from app.zoo.catalogue import Catalogue
from app.zoo.keeper import Keeper, Network
from benchmarks.timing import Contender, interleaved

ROOT = Path(__file__).resolve().parent.parent
NETWORK, CLASS, STEPS = "efficientnet-lite0", 954, 5
#: Ours, and what lucent calls it.
EARLY = ("blocks.1.0", "blocks_1_0")


def theirs(module: nn.Module, objective: str) -> Contender:
    """Lucent's steps with its usual image, transforms and optimiser, at 224 pixels."""
    from lucent.optvis import (  # type: ignore[import-not-found]  # not among our dependencies
        param,
        render,
    )

    def run() -> None:
        # Its hooks stay on for ever, so each run takes them off again to be fair to the next.
        render.render_vis(
            module,
            objective,
            param_f=lambda: param.image(224),
            thresholds=(STEPS,),
            progress=False,
            show_image=False,
        )
        for part in module.modules():
            part._forward_hooks.clear()

    return run


def ours(network: Network, objective: objectives.Objective, method: methods.Method) -> Contender:
    """As many steps of ours."""

    def run() -> None:
        chosen = replace(method, steps=STEPS)
        for _ in ascent.ascend(network, objective, chosen, ascent.seeded(0)):
            pass

    return run


def run(rounds: int, threads: int) -> dict[str, Any]:
    """Ours over lucent, for a logit and an early channel, batch 1."""
    torch.set_num_threads(threads)
    network = Keeper(Catalogue(ROOT / "models"), "cpu", 2 << 30).network(NETWORK)
    plain = build(network.entry).eval()
    crop, field = network.preprocessing.crop, network.layers[EARLY[0]].receptive_field
    cases = {
        "logit": (
            f"classifier:{CLASS}",
            objectives.logit(CLASS),
            methods.class_image(crop, "quick"),
        ),
        "early channel": (
            f"{EARLY[1]}:0",
            objectives.channel(EARLY[0], 0),
            methods.channel_image(crop, field, "quick"),
        ),
    }
    return {
        name: interleaved(
            {
                "laterna": ours(network, objective, method),
                "lucent, prepared": theirs(network.module, theirs_says),
                "lucent, as timm gives it": theirs(plain, theirs_says),
            },
            rounds,
            warm=1,
        )
        for name, (theirs_says, objective, method) in cases.items()
    }


def main() -> None:
    """Print the ratios."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--threads", type=int, default=1)
    asked = parser.parse_args()
    print(json.dumps(run(asked.rounds, asked.threads), indent=2))


if __name__ == "__main__":
    main()
