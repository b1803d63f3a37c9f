"""Occlusions: (picture, class) -> what the class loses wherever a square of the picture is covered.

One row of squares is a step; the map grows from the top.
"""

import time
from typing import Any

import torch
from torch import Tensor

from app.errors import NotFiniteStep, Words, WrongField
from app.studio.makers.attribution import check_class, class_facts, drawn_size, fill_of, map_facts
from app.studio.makers.device_cache import DeviceCache
from app.studio.makers.synthesis import facts
from app.studio.makers.synthesis.animation import NAME, Animation
from app.studio.recipes import Made, Occlusion
from app.studio.recipes.progress import Making, Progress
from app.vision.ascent import pictured
from app.vision.attribution import Windows, occlusion, windows
from app.vision.drawing import heat, sheets
from app.vision.pixels import jpeg
from app.zoo.keeper import Network


class _Map:
    """The map as far as it has grown: what the score lost at every pixel, on the photo."""

    def __init__(self, photo: Tensor, over: Windows) -> None:
        self._photo, self.size = photo, drawn_size(photo)
        self._lost = torch.zeros(over.height, over.width)
        self._covered = torch.zeros(over.height, over.width)

    def add(self, lost: Tensor, covered: Tensor) -> None:
        """One row of windows more."""
        self._lost += lost.float().cpu()
        self._covered += covered.float().cpu()

    def mean(self) -> Tensor:
        """What is lost at each pixel, the mean over the windows that cover it; [H,W]."""
        return self._lost / self._covered.clamp(min=1)

    def tile(self) -> Tensor:
        """The photo under its light: uint8 [1,*size,3]."""
        seen = self.mean()
        return heat.over(self._photo, seen, heat.reach_of(seen), self.size)

    def preview(self) -> bytes:
        """The same as a JPEG."""
        return jpeg(self.tile()[0])


def occlusion_map(cache: DeviceCache, recipe: Occlusion, picture: str) -> Making:
    """Slide a square over the picture whose file lies there.

    Raises NoClassifier, UnknownClass, UnknownImage, WrongField, NotFinite, NotFiniteStep.
    """
    began = time.perf_counter()
    network = cache.network_of(recipe)
    with torch.no_grad():
        before = cache.probabilities(recipe, network, picture)
        check_class(network, recipe.class_)
        batch, crop = cache.prepared(network, recipe.image, picture)
        over = _windows(recipe, (batch.shape[2], batch.shape[3]))
        fill = fill_of(network, batch, recipe)
        grown, growth = _Map(pictured(network, batch), over), Animation(over.rows)
    left: list[list[float]] = []
    bands = occlusion(network, batch, recipe.class_, over, fill)
    while len(left) < over.rows:
        with torch.no_grad():
            band = next(bands)
        if not bool(band.lost.isfinite().all()):
            raise NotFiniteStep(step=band.row + 1)
        grown.add(band.lost, band.covered)
        left.append(band.probabilities)
        if growth.wants(len(left)):
            growth.add(grown.tile()[0])
        yield Progress(len(left), over.rows, None, grown.preview)
    measured = class_facts(network, recipe.class_, before) | map_facts(grown.mean())
    measured |= _worst(over, left) | {"crop": list(crop)}
    growth.add(grown.tile()[0])
    method = _method(recipe, over)
    seconds = time.perf_counter() - began
    return _made(recipe, network, grown, growth, method, measured, seconds)


def _windows(recipe: Occlusion, size: tuple[int, int]) -> Windows:
    try:
        return windows(size, recipe.window, finer=recipe.quality == "fine")
    except ValueError:
        allowed = Words("at most {most} pixels for this network.", most=min(size))
        raise WrongField(field="window", allowed=allowed) from None


def _method(recipe: Occlusion, over: Windows) -> dict[str, Any]:
    passes = over.rows * over.columns
    return {"window": over.side, "step": over.step, "fill": recipe.fill, "passes": passes}


def _worst(over: Windows, left: list[list[float]]) -> dict[str, Any]:
    """Where covering takes most of the class's probability; the square in pixels of the input."""
    least = min(min(row) for row in left)
    row = next(number for number, values in enumerate(left) if least in values)
    column = left[row].index(least)
    top, start = row * over.step, column * over.step
    right, bottom = min(start + over.side, over.width), min(top + over.side, over.height)
    rounded = [[float(f"{value:.3g}") for value in values] for values in left]
    return {
        "worst": {"box": [start, top, right, bottom], "probability": least},
        "probabilities": rounded,
        "input": [over.height, over.width],
    }


def _made(
    recipe: Occlusion,
    network: Network,
    grown: _Map,
    growth: Animation,
    method: dict[str, Any],
    measured: dict[str, Any],
    seconds: float,
) -> Made:
    marked = not network.trained
    high, wide = grown.size
    sheet = sheets.plan(1, wide, marked=marked, gap=0, tile_height=high)
    result = facts.making_facts(recipe, network, method, [], seconds) | measured
    result |= {"steps": len(measured["probabilities"]), "size": max(grown.size), "parts": [NAME]}
    result |= {"width": sheet.width, "height": sheet.height}
    picture = sheets.draw(grown.tile(), sheet, None, facts.texts(recipe, network, method), marked)
    return Made(result, picture, parts={NAME: growth.webp()})
