"""Legends: (recipe, network, activation) -> a layer's sheet with all that it takes to read it.

The picture can leave its page: for slides and for paper.
"""

import io
import json
from dataclasses import fields, replace

import torch
from PIL import Image
from torch import Tensor

from app import __version__
from app.studio.makers.grids import activation_grid
from app.studio.makers.pass_cache import Box
from app.studio.makers.told import texts
from app.studio.recipes import ActivationGrid, LegendSheet, Made
from app.vision.drawing import posters, sheets
from app.zoo.keeper import Network

#: Tiles are this large at least, so that a number stands above each; a sheet is about as wide as
#: wished, where magnifying brings it there, and never wider than the widest.
SMALLEST, WISH, WIDEST = 36, 1200, 2400


def legend_sheet(recipe: LegendSheet, network: Network, activation: Tensor, crop: Box) -> Made:
    """The sheet on a light ground: heading, channel numbers, scale, and what made it."""
    plain = _plain(recipe)
    channels, side = activation.shape[1], activation.shape[3] if activation.ndim == 4 else 1
    made = activation_grid(
        replace(plain, tile=recipe.tile or tile_for(channels, side)), network, activation, crop
    )
    assert made.picture is not None
    with Image.open(io.BytesIO(made.picture)) as picture:
        sheet = picture.convert("RGB")
    poster = posters.poster(
        sheet,
        made.facts["sheet"],
        [row["channel"] for row in made.facts["channels"]],
        posters.Said(
            recipe.heading,
            recipe.lines,
            recipe.ticks,
            recipe.words,
            tuple(made.facts["colors"]["stops"]),
            _footer(plain, network),
            mark="" if network.trained else recipe.mark or "UNTRAINED NETWORK",
        ),
    )
    chunks = texts(plain, network, made.facts["scale"])
    return Made(made.facts | recipe.facts(), posters.png_of(poster, chunks))


def tile_for(channels: int, side: int) -> int:
    """Pixels per tile: the map's own size, between legible and what the width has room for."""
    natural = sheets.natural_tile(side)
    if natural < SMALLEST:
        natural *= -(-SMALLEST // natural)
    columns = sheets.plan(channels, 8).columns
    natural *= max(1, WISH // (columns * (natural + posters.GAP)))
    return max(SMALLEST, min(natural, WIDEST // columns - posters.GAP))


def _plain(recipe: LegendSheet) -> ActivationGrid:
    """The sheet alone, as its page has it: a recipe without words, and without anybody's name."""
    names = [field.name for field in fields(ActivationGrid)]
    return ActivationGrid(**{name: getattr(recipe, name) for name in names})


def _footer(recipe: ActivationGrid, network: Network) -> str:
    shown = {name: value for name, value in recipe.facts().items() if value}
    shown = {
        name: value
        for name, value in shown.items()
        if name not in ("image", "weights", "definition")
    }
    weights = network.weights_sha256 or "untrained"
    made_with = f"Laterna {__version__}, torch {torch.__version__}. Weights {weights}."
    return f"{made_with} {json.dumps(shown)}"
