"""Strips: (picture) -> the same picture rebuilt from several layers, early to late, in a row."""

from typing import Any

from torch import Tensor

from app.errors import Words, WrongField
from app.studio.makers.device_cache import DeviceCache
from app.studio.makers.synthesis.facts import texts
from app.studio.makers.synthesis.reconstructions import fidelity, method_for, original, rebuilt
from app.studio.makers.synthesis.rendering import Rendering
from app.studio.makers.synthesis.strip_layers import strip_layers
from app.studio.makers.synthesis.tile_sheet import tile_sheet
from app.studio.recipes import Strip
from app.studio.recipes.progress import Making
from app.vision.methods import Method
from app.zoo.keeper import Network

MOST_LAYERS = 12


def strip(cache: DeviceCache, recipe: Strip, picture: str) -> Making:
    """Rebuild a picture from each layer. Raises UnknownLayer, UnknownImage, WrongField."""
    network = cache.network_of(recipe)
    chosen = {
        layer: method_for(network, layer, recipe.quality, recipe.steps)
        for layer in _layers(recipe, network)
    }
    seen = original(cache, recipe, network, picture)
    side, marked = network.preprocessing.crop, not network.trained
    row = tile_sheet(len(chosen) + 1, side, marked, in_a_row=True)
    row.put([0], seen.tile)
    rendering = Rendering(network, sum(method.steps for method in chosen.values()), row)
    methods = {layer: method.facts() for layer, method in chosen.items()}
    parts = {"0.png": _alone(recipe, network, seen.tile, methods)}
    rows: list[dict[str, Any]] = []
    scores: list[float] = []
    for place, (layer, method) in enumerate(chosen.items(), 1):
        climb = yield from rebuilt(rendering, layer, seen, method, recipe.seed, place)
        row.put([place], climb.tiles)
        scores += climb.scores
        name = f"{place}.png"
        parts[name] = _alone(recipe, network, climb.tiles, {layer: methods[layer]})
        rows.append(
            _row(network, layer, method, name) | fidelity(network, layer, seen, climb.tiles)
        )
    measured = {
        "layers": rows,
        "original": "0.png",
        "crop": list(seen.crop),
        "size": row.sheet.tile,
    }
    return rendering.made(recipe, methods, scores, measured, parts)


def _layers(recipe: Strip, network: Network) -> tuple[str, ...]:
    layers = recipe.layers or strip_layers(network.layers)
    if not 0 < len(layers) <= MOST_LAYERS:
        raise WrongField(
            field="layers", allowed=Words("from 1 to {most} of them.", most=MOST_LAYERS)
        )
    return tuple(dict.fromkeys(layers))


def _row(network: Network, layer: str, method: Method, part: str) -> dict[str, Any]:
    shape = list(network.layers[layer].shape)
    return {"layer": layer, "part": part, "shape": shape, "steps": method.steps}


def _alone(recipe: Strip, network: Network, tile: Tensor, method_facts: dict[str, Any]) -> bytes:
    """One of its pictures as a PNG of its own."""
    one = tile_sheet(1, (tile.shape[1], tile.shape[2]), not network.trained)
    one.put([0], tile)
    return one.png(texts(recipe, network, method_facts))
