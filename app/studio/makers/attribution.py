"""Attributions: (picture, network, class) -> where the class was seen; what covering a part moves.

Both are quick: one pass there and back, and one pass.
"""

from typing import Any

import torch
from torch import Tensor

from app.errors import NoPlaces, UnknownClass, UnknownLayer, WrongField
from app.studio.makers.device_cache import DeviceCache
from app.studio.makers.told import color_facts, source_facts, texts, top
from app.studio.recipes import Covering, GradCam, Made, Occlusion
from app.vision import attribution, covering, masks
from app.vision.ascent import pictured
from app.vision.drawing import colors, heat, sheets
from app.vision.methods import scaled
from app.vision.pixels import in_pixels
from app.zoo.keeper import Network
from app.zoo.preprocessing import Sides, sides

#: Pixels of the longer side of a photo with its heat, and of a map alone.
SIDE = 448
#: Maps with more cells are not told in numbers.
MOST_CELLS = 1024


def where(cache: DeviceCache, recipe: GradCam, picture: str) -> Made:
    """Grad-CAM of the picture whose file lies there.

    Raises UnknownLayer, NoPlaces, NoClassifier, UnknownClass, NotFinite.
    """
    network = cache.network_of(recipe)
    check_places(network, recipe.layer)
    probabilities = cache.probabilities(recipe, network, picture)
    number = int(probabilities.argmax()) if recipe.class_ < 0 else recipe.class_
    check_class(network, number)
    batch, crop = cache.prepared(network, recipe.image, picture)
    seen = attribution.grad_cam(network, recipe.layer, batch, number)
    facts = source_facts(recipe, network, crop) | class_facts(network, number, probabilities)
    height, width = drawn_size(batch)
    facts |= map_facts(seen) | {"width": width, "height": height}
    return Made(facts, _picture(recipe, network, batch, seen, facts))


def drawn_size(batch: Tensor) -> Sides:
    """(height, width) at which a network's input [1,C,H,W] is drawn: SIDE is its longer side."""
    return sides(scaled((batch.shape[2], batch.shape[3]), SIDE))


def check_places(network: Network, layer: str) -> None:
    """Raise unless a layer says where something is."""
    if layer not in network.layers:
        raise UnknownLayer(model=network.entry.title, layer=layer)
    if network.layers[layer].shape[1:] == (1, 1):
        raise NoPlaces(layer=layer)


def check_class(network: Network, number: int) -> None:
    """Raise UnknownClass unless the network has this class."""
    if not 0 <= number < len(network.labels):
        known = len(network.labels)
        raise UnknownClass(model=network.entry.title, classes=known, number=number)


def class_facts(network: Network, number: int, probabilities: Tensor) -> dict[str, Any]:
    """A class of a picture among the likeliest; probabilities: [classes]."""
    return {
        "class": number,
        "label": network.labels[number],
        "probability": float(probabilities[number]),
        "top": top(network, probabilities),
    }


def map_facts(seen: Tensor) -> dict[str, Any]:
    """A map [H,W] in numbers: its scale and colours, its cells if they are few."""
    reach = heat.reach_of(seen)
    few = seen.numel() <= MOST_CELLS
    rows = [[float(f"{value:.3g}") for value in row] for row in seen.tolist()] if few else None
    return {
        "shape": list(seen.shape),
        "low": float(seen.min()),
        "high": float(seen.max()),
        "scale": {"mode": "layer", "low": -reach, "high": reach, "sided": "signed"},
        "colors": color_facts(heat.NAME, "signed"),
        "map": rows,
    }


def _picture(
    recipe: GradCam, network: Network, batch: Tensor, seen: Tensor, facts: dict[str, Any]
) -> bytes:
    marked, reach = not network.trained, facts["scale"]["high"]
    high, wide = drawn_size(batch)
    sheet = sheets.plan(1, wide, marked=marked, gap=0, tile_height=high)
    chunks = texts(recipe, network, facts["scale"])
    if recipe.look == "map":
        shades = colors.palette(heat.NAME, "signed")
        return sheets.draw(heat.entries(seen, reach), sheet, shades, chunks, marked)
    lit = heat.over(pictured(network, batch), seen, reach, (high, wide))
    return sheets.draw(lit, sheet, None, chunks, marked)


def covered(cache: DeviceCache, recipe: Covering, picture: str) -> Made:
    """The classes before and after. Raises WrongField, NoClassifier, NotFinite."""
    network = cache.network_of(recipe)
    before = cache.probabilities(recipe, network, picture)
    batch, crop = cache.prepared(network, recipe.image, picture)
    try:
        cells = covering.cells(recipe.mask)
    except ValueError:
        raise WrongField(field="mask", allowed=masks.ALLOWED) from None
    seen = covering.covered(batch, cells, fill_of(network, batch, recipe))
    after = network(seen)[0].float().softmax(0).cpu()
    chunks = texts(recipe, network, {})
    high, wide = batch.shape[2:]
    sheet = sheets.plan(1, wide, marked=not network.trained, gap=0, tile_height=high)
    tile = in_pixels(pictured(network, seen))
    facts = source_facts(recipe, network, crop) | _moved(network, before, after)
    facts |= {"share": float(cells.float().mean()), "cells": masks.SIDE}
    facts |= {"width": sheet.width, "height": sheet.height}
    return Made(facts, sheets.draw(tile, sheet, None, chunks, not network.trained))


def _moved(network: Network, before: Tensor, after: Tensor) -> dict[str, Any]:
    """The likeliest classes before and after, each with both probabilities."""
    first, then = top(network, before), top(network, after)
    numbers = list(dict.fromkeys(row["class"] for row in (*first, *then)))
    rows = [
        {
            "class": number,
            "label": network.labels[number],
            "before": float(before[number]),
            "after": float(after[number]),
        }
        for number in numbers
    ]
    return {"before": first, "after": then, "moved": rows}


def fill_of(network: Network, batch: Tensor, recipe: Covering | Occlusion) -> Tensor:
    """What lies under a cover, [1,C,H,W]."""
    preprocessing = network.preprocessing
    by_channel = (preprocessing.mean, preprocessing.std)
    mean, std = (torch.tensor(values).view(1, -1, 1, 1) for values in by_channel)
    low, high = ((end - mean) / std for end in (0.0, preprocessing.range))
    low, high = low.to(batch.device), high.to(batch.device)
    return covering.filling(batch, recipe.fill, low, high, recipe.seed)
