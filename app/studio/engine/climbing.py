"""Climbing: drives what is made step by step, says how far it is, and listens in between."""

import math
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace

from app.errors import NotFiniteStep
from app.studio.engine.messages import Climb, Step
from app.studio.recipes import Made, Recipe
from app.studio.recipes.progress import Making, Progress

#: Seconds between two messages, and between two with a preview, which everybody has to be sent.
PAUSE, PREVIEW_PAUSE = 0.1, 0.25
#: How much of the time may go into making previews.
PREVIEW_SHARE = 0.03
#: After so many steps a fault strikes.
FAULT_STEP = 2


class Reporter:
    """Says how far a climb is: at once, then seldom enough to cost nothing."""

    def __init__(self, climb: Climb, send: Callable[[Step], None]) -> None:
        self._number, self._model, self._send = climb.number, climb.recipe.model, send
        self._scores: list[float] = []
        self._due = self._preview_due = 0.0

    def tell(self, progress: Progress) -> None:
        """Take note of a step, and send it on when it is time. Raises NotFiniteStep."""
        if progress.score is not None:
            if not math.isfinite(progress.score):
                raise NotFiniteStep(model=self._model, step=progress.step)
            self._scores.append(progress.score)
        now = time.monotonic()
        if now < self._due and progress.step < progress.steps:
            return
        preview = self._preview(progress, now)
        scores, self._scores = tuple(self._scores), []
        self._due = now + PAUSE
        self._send(
            Step(self._number, progress.step, progress.steps, scores, preview, progress.stage)
        )

    def _preview(self, progress: Progress, now: float) -> bytes | None:
        if progress.preview is None or now < self._preview_due:
            return None
        picture = progress.preview()
        done = time.monotonic()
        self._preview_due = done + max(PREVIEW_PAUSE, (done - now) / PREVIEW_SHARE)
        return picture


def climbed(
    making: Making,
    climb: Climb,
    send: Callable[[Step], None],
    is_stopped: Callable[[], bool],
    strike: Callable[[str, Recipe], None],
) -> Made | None:
    """What came of it; None when it was stopped, which is asked for before each step."""
    reporter, done = Reporter(climb, send), 0
    with closing(making):
        while not is_stopped():
            try:
                progress = next(making)
            except StopIteration as end:
                made: Made = end.value
                return made
            done += 1
            if climb.fault and done == FAULT_STEP:
                strike(climb.fault, climb.recipe)
                if climb.fault == "nan":
                    progress = replace(progress, score=math.nan)
            reporter.tell(progress)
    return None
