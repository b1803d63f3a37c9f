"""Thumbnails: (network, one pass) -> the strongest map of every layer, all on one sheet."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from app.studio.makers.pass_cache import Box
from app.studio.makers.told import color_facts, source_facts, texts
from app.studio.recipes import Made, Thumbnails
from app.vision import activations
from app.vision.drawing import colors, sheets
from app.vision.drawing.colors import DEFAULT, LAST
from app.zoo.keeper import Network

#: Pixels a side of a thumbnail.
TILE = 48
#: Every second colour of both palettes: entries 0..126 one-sided, 127..253 signed.
SIGNED = LAST // 2 + 1


def thumbnails(
    recipe: Thumbnails, network: Network, layers: Mapping[str, Tensor], crop: Box
) -> Made:
    """Of each layer that has maps, the channel with the largest magnitude, on the layer's scale.

    layers: activations [1,C,H,W] by name. Vectors have no map and what is not finite no scale, so
    they are left out.
    """
    found = [(name, row) for name, given in layers.items() if (row := _strongest(given))]
    if not found:
        return Made(source_facts(recipe, network, crop) | {"sheet": None, "layers": []})
    marked = not network.trained
    sheet = sheets.plan(len(found), TILE, marked)
    tiles = torch.cat([sheets.magnified(tile, sheet) for _, (tile, _) in found])
    rows = [{"layer": name, **facts} for name, (_, facts) in found]
    scale = {"mode": "layer"}
    picture = sheets.draw(tiles, sheet, _palettes(), texts(recipe, network, scale), marked)
    step = sheet.tile + sheet.gap
    for place, facts in enumerate(rows):
        facts["x"] = sheet.gap + place % sheet.columns * step
        facts["y"] = sheet.gap + place // sheet.columns * step
    facts = source_facts(recipe, network, crop) | {
        "scale": scale,
        "colors": {sided: color_facts(DEFAULT[sided], sided) for sided in DEFAULT},
        "sheet": sheet.facts(),
        "layers": rows,
    }
    return Made(facts, picture)


def _strongest(activation: Tensor) -> tuple[Tensor, dict[str, Any]] | None:
    """(palette entries [1,h,w], which channel on which scale) of one layer; None without a map."""
    maps = activation[0]
    if maps.ndim != 3 or maps.shape[1] * maps.shape[2] == 1:
        return None
    lows, highs = maps.amin((1, 2)), maps.amax((1, 2))
    if not (highs - lows).isfinite().all():
        return None
    low, high = float(lows.min()), float(highs.max())
    channel = int(torch.maximum(highs, -lows).argmax())
    sided: colors.Sided = "one" if low >= 0 else "signed"
    reach = max(-low, high)
    scale = activations.Scale("layer", 0.0 if sided == "one" else -reach, reach, sided)
    chosen = activations.maps(activation[:, channel : channel + 1])
    entries = activations.entries(
        activations.reduced(chosen, TILE), activations.statistics(chosen), scale
    )
    halves = (entries.clamp(max=LAST) + (1 if sided == "one" else 0)) // 2
    facts = {"channel": channel, "low": scale.low, "high": scale.high, "sided": sided}
    return (halves + (SIGNED if sided == "signed" else 0)).to(torch.uint8).cpu(), facts


def _palettes() -> bytes:
    """Both palettes in one of 768 bytes, with the signs where every palette has them."""
    one, signed = (colors.palette(DEFAULT[sided], sided) for sided in ("one", "signed"))
    halves = [palette[at * 6 : at * 6 + 3] for palette in (one, signed) for at in range(SIGNED)]
    return b"".join(halves) + one[-6:]
