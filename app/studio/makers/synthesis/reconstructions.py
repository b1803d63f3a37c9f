"""Reconstructions: (picture, layer) -> the picture again, from what the layer knows of it."""

import math
from collections.abc import Generator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from app.errors import UnknownLayer
from app.studio.makers.device_cache import DeviceCache
from app.studio.makers.pass_cache import Box
from app.studio.makers.synthesis.photo_maxima import activation
from app.studio.makers.synthesis.rendering import Climb, Rendering
from app.studio.makers.synthesis.tile_sheet import tile_sheet
from app.studio.recipes import OfPicture, Quality, Reconstruction
from app.studio.recipes.progress import Making, Progress
from app.vision import ascent, likeness
from app.vision import reconstruction as rebuilding
from app.vision.ascent import pictured
from app.vision.methods import Method
from app.vision.pixels import in_pixels, in_units
from app.zoo.keeper import Network


@dataclass(frozen=True)
class Original:
    """What a network sees of a picture: its input [1,3,H,W], the same as a tile, and where it is.

    tile: uint8 [1,H,W,3]; crop: (left, top, right, bottom) in pixels of the picture.
    """

    batch: Tensor
    tile: Tensor
    crop: Box


def reconstruction(cache: DeviceCache, recipe: Reconstruction, picture: str) -> Making:
    """Rebuild a picture from one layer. Raises UnknownLayer, UnknownImage."""
    network = cache.network_of(recipe)
    method = method_for(network, recipe.layer, recipe.quality, recipe.steps)
    seen = original(cache, recipe, network, picture)
    rendering = Rendering(network, method.steps, tile_sheet(1, method.size, not network.trained))
    climb = yield from rebuilt(rendering, recipe.layer, seen, method, recipe.seed)
    rendering.tiles.put([0], climb.tiles)
    measured = fidelity(network, recipe.layer, seen, climb.tiles) | {"crop": list(seen.crop)}
    return rendering.made(recipe, method.facts(), climb.scores, measured)


def method_for(network: Network, layer: str, quality: Quality, steps: int) -> Method:
    """How a layer is rebuilt from. Raises UnknownLayer."""
    if layer not in network.layers:
        raise UnknownLayer(model=network.entry.title, layer=layer)
    return rebuilding.method_for(network, layer, quality, steps)


def original(cache: DeviceCache, recipe: OfPicture, network: Network, picture: str) -> Original:
    """The picture as the network sees it. Raises UnknownImage."""
    batch, crop = cache.prepared(network, recipe.image, picture)
    return Original(batch, in_pixels(pictured(network, batch)), crop)


def rebuilt(
    rendering: Rendering, layer: str, seen: Original, method: Method, seed: int, place: int = 0
) -> Generator[Progress, None, Climb]:
    """One layer's reconstruction, hung at `place`."""
    generator = ascent.seeded(seed)
    steps = rebuilding.reconstruct(rendering.network, layer, seen.batch, method, generator)
    return (yield from rendering.climb(steps, [place], layer))


def fidelity(network: Network, layer: str, seen: Original, tiles: Tensor) -> dict[str, Any]:
    """How near a reconstruction comes, in the layer's own terms and in pixels.

    Of the tile uint8 [1,H,W,3] as it is kept.
    """
    picture = in_units(tiles).to(network.device)
    aim = activation(network, layer, seen.batch)
    reached = activation(network, layer, ascent.normalized(network, picture))
    first, second = in_units(tiles), in_units(seen.tile)
    decibels = likeness.psnr(first, second)
    return {
        "relative_error": float(torch.linalg.norm(reached - aim) / torch.linalg.norm(aim)),
        "psnr": decibels if math.isfinite(decibels) else None,
        "ssim": likeness.ssim(first, second),
    }
