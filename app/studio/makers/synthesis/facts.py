"""Facts: what made a picture, so that everybody can see it, and make it again."""

import json
import platform
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.metadata import version
from typing import Any

import torch

from app import __version__
from app.studio.makers.pass_cache import Box
from app.studio.makers.told import source_facts
from app.studio.recipes import JobRecipe
from app.zoo.keeper import Network

#: More scores than a curve has pixels say nothing more.
MOST_SCORES = 512


@cache
def versions() -> dict[str, str]:
    """Of everything that has a say in the numbers."""
    return {
        "laterna": __version__,
        "python": platform.python_version(),
        "torch": str(torch.__version__),  # else a TorchVersion, which only torch can unpickle
        "torchvision": version("torchvision"),
        "timm": version("timm"),
    }


def device_facts(device: torch.device) -> dict[str, Any]:
    """Where it was computed. On a CPU sums are split among threads and by what it can do at once,
    so that rounding, and after some steps the picture, differs with either.
    """
    if device.type == "cuda":
        return {"device": str(device), "device_name": torch.cuda.get_device_name(device)}
    return {
        "device": str(device),
        "threads": torch.get_num_threads(),
        "instructions": torch.backends.cpu.get_cpu_capability(),
    }


def making_facts(
    recipe: JobRecipe,
    network: Network,
    method: Mapping[str, Any],
    scores: Sequence[float],
    seconds: float,
    crop: Box | None = None,
) -> dict[str, Any]:
    """What every visualization says of how it was made."""
    return (
        source_facts(recipe, network, crop)
        | {"method": dict(method), "scores": thinned(scores), "seconds": round(seconds, 3)}
        | device_facts(network.device)
        | {"versions": versions()}
    )


def texts(recipe: JobRecipe, network: Network, method: Mapping[str, Any]) -> dict[str, str]:
    """The PNG's text chunks: all that it takes to make it again, nothing of whose picture it was.

    No times either: the same recipe on the same device gives the same bytes.
    """
    fields = {key: value for key, value in recipe.facts().items() if key != "image"}
    return {
        "Software": f"Laterna {__version__}",
        "Laterna recipe": json.dumps(fields),
        "Laterna method": json.dumps(dict(method)),
        "Laterna weights": network.weights_sha256 or "untrained",
        "Laterna made with": json.dumps(device_facts(network.device) | versions()),
    }


def thinned(scores: Sequence[float], most: int = MOST_SCORES) -> list[float]:
    """At most so many of them, evenly, the first and the last among them; five digits each."""
    count = len(scores)
    chosen = range(count)
    places = chosen if count <= most else [k * (count - 1) // (most - 1) for k in range(most)]
    return [float(f"{scores[place]:.5g}") for place in places]
