"""Pieces: (the steps of ascents, where their pictures hang) -> Progress, and in the end Made."""

import math
import time
from collections.abc import Callable, Generator, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from app.errors import NotFiniteStep
from app.studio.makers.synthesis import facts
from app.studio.makers.synthesis.animation import NAME, Animation
from app.studio.makers.synthesis.tile_sheet import TileSheet
from app.studio.recipes import JobRecipe, Made
from app.studio.recipes.progress import Progress
from app.vision.ascent import Step
from app.vision.pixels import in_pixels
from app.zoo.keeper import Network


@dataclass(frozen=True)
class Climb:
    """Where an ascent came to: tiles uint8 [N,H,W,3], and the mean score of every step."""

    tiles: Tensor
    scores: list[float]


class Rendering:
    """What is being made: how far it is, what it looks like, how it grew.

    It may take several ascents: then steps are counted over all of them.
    curved: whether the scores of its steps, one after another, make a curve.
    """

    def __init__(
        self, network: Network, steps: int, tiles: TileSheet, *, curved: bool = True
    ) -> None:
        self.network, self.steps, self.tiles, self._curved = network, steps, tiles, curved
        self.step = 0
        self._growth = Animation(steps)
        self._began = time.perf_counter()

    def climb(
        self,
        steps: Iterable[Step],
        places: Sequence[int] = (0,),
        stage: str = "",
        enough: Callable[[int, Tensor], bool] = lambda step, scores: False,
    ) -> Generator[Progress, None, Climb]:
        """Go through the steps of one ascent, whose pictures hang at `places`.

        enough(step, scores): whether to stop after a step. Raises NotFiniteStep.
        """
        scores: list[float] = []
        before = self.step
        for step in steps:
            self.step = before + step.step
            score = float(step.scores.mean())
            if not math.isfinite(score):
                raise NotFiniteStep(step=step.step)
            scores.append(score)
            if self._growth.wants(self.step):
                self._growth.add(self.tiles.small(places, in_pixels(step.pictures())))
            yield self._progress(step, score, places, stage)
            if enough(step.step, step.scores):
                break
        return Climb(in_pixels(step.pictures()), scores)

    def again(self, steps: int) -> None:
        """Begin anew: what was climbed so far led nowhere, and is no part of the growth."""
        self.steps = self.step + steps
        self._growth = Animation(steps, after=self.step)

    def _progress(self, step: Step, score: float, places: Sequence[int], stage: str) -> Progress:
        def preview() -> bytes:
            return self.tiles.preview(places, in_pixels(step.pictures()))

        told = score if self._curved else None
        return Progress(self.step, self.steps, told, preview, stage)

    def still(self, stage: str) -> Progress:
        """Nothing has grown, but something else is being done."""
        return Progress(self.step, self.steps, None, self.tiles.preview, stage)

    def made(
        self,
        recipe: JobRecipe,
        method: dict[str, Any],
        scores: list[float],
        measured: dict[str, Any],
        parts: dict[str, bytes] | None = None,
    ) -> Made:
        """What came of it: facts, the PNG, and its growth."""
        self._growth.add(self.tiles.small())
        parts = {NAME: self._growth.webp()} | (parts or {})
        sheet, seconds = self.tiles.sheet, time.perf_counter() - self._began
        result = facts.making_facts(recipe, self.network, method, scores, seconds)
        result |= {
            "steps": method.get("steps", self.step),
            "size": sheet.tile,
            "parts": list(parts),
        }
        result |= {"width": sheet.width, "height": sheet.height}
        picture = self.tiles.png(facts.texts(recipe, self.network, method))
        return Made(result | measured, picture, parts=parts)
