"""Told: what all results say of themselves: where they are from, how they are drawn."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from torch import Tensor

from app import __version__
from app.studio.makers.pass_cache import Box
from app.studio.recipes import Recipe
from app.vision.drawing import colors
from app.zoo.keeper import Network

#: So many of the likeliest classes are told.
TOP = 5


def source_facts(recipe: Recipe, network: Network, crop: Box | None = None) -> dict[str, Any]:
    """What every result says of where it comes from: of the network, as it was when it ran."""
    facts = {
        **replace(recipe, definition=network.entry.definition).facts(),
        "trained": network.trained,
        "weights_sha256": network.weights_sha256,
    }
    return facts if crop is None else facts | {"crop": list(crop)}


def texts(recipe: Recipe, network: Network, scale: Mapping[str, Any]) -> dict[str, str]:
    """The PNG's text chunks: enough to say what is shown, nothing of whose picture it was."""
    fields = {key: value for key, value in recipe.facts().items() if key != "image"}
    return {
        "Software": f"Laterna {__version__}",
        "Laterna recipe": json.dumps(fields),
        "Laterna scale": json.dumps(dict(scale)),
        "Laterna weights": network.weights_sha256 or "untrained",
    }


def color_facts(name: str, sided: colors.Sided, gamma: float = 1.0) -> dict[str, Any]:
    """A palette as a legend shows it."""
    return {"name": name, "stops": list(colors.stops(name, sided, gamma))}


def top(network: Network, probabilities: Tensor) -> list[dict[str, Any]]:
    """The likeliest classes of [classes], as JSON rows."""
    best = probabilities.topk(min(TOP, len(probabilities)))
    return [
        {"class": index, "label": network.labels[index], "probability": probability}
        for probability, index in zip(best.values.tolist(), best.indices.tolist(), strict=True)
    ]
