"""Grids: (recipe, network, activation) -> a layer's sheet or one channel's map, with numbers."""

from typing import Any

import torch
from torch import Tensor

from app.errors import NotFinite, UnknownChannel, Words, WrongField
from app.studio.makers.pass_cache import Box
from app.studio.makers.told import color_facts, source_facts, texts
from app.studio.recipes import ActivationGrid, ChannelMap, Made
from app.vision import activations
from app.vision.drawing import colors, sheets
from app.zoo.keeper import Network


def _measured(
    recipe: ActivationGrid | ChannelMap, network: Network, activation: Tensor
) -> tuple[Tensor, activations.Statistics]:
    """Feature maps and what they say. Raises NotFinite."""
    maps = activations.maps(activation)
    numbers = activations.statistics(maps)
    if not (numbers.high - numbers.low).isfinite().all():
        raise NotFinite(model=network.entry.title, place=recipe.layer)
    return maps, numbers


def activation_grid(
    recipe: ActivationGrid, network: Network, activation: Tensor, crop: Box
) -> Made:
    """All channels of a layer on one sheet."""
    maps, numbers = _measured(recipe, network, activation)
    scale = _scale(recipe, numbers)
    order = activations.ordered(numbers, recipe.sort)
    tile = recipe.tile or sheets.natural_tile(maps.shape[2])
    try:
        high = sheets.high_for(tile, maps.shape)
        sheet = sheets.plan(len(maps), tile, marked=not network.trained, tile_height=high)
    except ValueError:
        largest = sheets.largest_tile(len(maps), maps.shape)
        raise WrongField(
            field="tile", allowed=Words("at most {most} for this layer.", most=largest)
        ) from None
    name = recipe.colors or colors.DEFAULT[scale.sided]
    tiles = activations.entries(activations.reduced(maps, tile), numbers, scale)
    if recipe.sort != "index":
        tiles = tiles[order]
    scale_facts = _scale_facts(recipe, scale, maps, numbers)
    picture = sheets.draw(
        tiles,
        sheet,
        colors.palette(name, scale.sided, recipe.gamma),
        texts(recipe, network, scale_facts),
        marked=not network.trained,
    )
    facts = source_facts(recipe, network, crop) | {
        "shape": list(maps.shape),
        "scale": scale_facts,
        "colors": color_facts(name, scale.sided, recipe.gamma),
        "channels": numbers.rows(order),
        "dead": int(numbers.dead.sum()),
        "structured": activations.structured(maps, numbers),
        "sheet": sheet.facts(),
    }
    return Made(facts, picture)


def _scale(
    recipe: ActivationGrid | ChannelMap, numbers: activations.Statistics
) -> activations.Scale:
    """The scale that was told, or the layer's own."""
    if recipe.low or recipe.high:
        return activations.told_scale(numbers, recipe.low, recipe.high)
    return activations.layer_scale(numbers, recipe.scale)


def _scale_facts(
    recipe: ActivationGrid | ChannelMap,
    scale: activations.Scale,
    maps: Tensor,
    numbers: activations.Statistics,
) -> dict[str, Any]:
    """A scale as JSON, with what of these maps lies beyond its ends."""
    scale_facts = {
        "mode": scale.mode,
        "low": scale.low,
        "high": scale.high,
        "sided": scale.sided,
        "gamma": recipe.gamma,
    }
    if scale.mode in ("told", "robust"):
        scale_facts |= {
            "clipped": activations.clipped(maps, scale),
            "peak": float(numbers.peaks.max()),
            "beyond": activations.beyond(numbers, scale),
        }
    return scale_facts


def channel_map(recipe: ChannelMap, network: Network, activation: Tensor, crop: Box) -> Made:
    """One channel, magnified, on its layer's scale or its own."""
    maps, numbers = _measured(recipe, network, activation)
    if not 0 <= recipe.channel < len(maps):
        raise UnknownChannel(layer=recipe.layer, channels=len(maps), channel=recipe.channel)
    scale = _scale(recipe, numbers)
    chosen = slice(recipe.channel, recipe.channel + 1)
    own = activations.statistics(maps[chosen])
    if scale.mode == "channel":
        reach = max(-float(own.low[0]), float(own.high[0]))
        low = 0.0 if scale.sided == "one" else -reach
        scale = activations.Scale("channel", low, reach, scale.sided)
    tiles = activations.entries(maps[chosen], own, scale)
    high = sheets.high_for(recipe.size, maps.shape)
    sheet = sheets.plan(1, recipe.size, marked=not network.trained, gap=0, tile_height=high)
    name = recipe.colors or colors.DEFAULT[scale.sided]
    scale_facts = _scale_facts(recipe, scale, maps[chosen], own)
    picture = sheets.draw(
        tiles,
        sheet,
        colors.palette(name, scale.sided, recipe.gamma),
        texts(recipe, network, scale_facts),
        marked=not network.trained,
    )
    facts = source_facts(recipe, network, crop) | own.rows(torch.tensor([0]))[0]
    facts |= {
        "channel": recipe.channel,
        "shape": list(maps.shape[1:]),
        "scale": scale_facts,
        "colors": color_facts(name, scale.sided, recipe.gamma),
        "width": sheet.width,
        "height": sheet.height,
    }
    return Made(facts, picture)
