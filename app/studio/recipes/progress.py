"""Progress: how far something is that is made step by step. No torch in here."""

from collections.abc import Callable, Generator
from dataclasses import dataclass

from app.studio.recipes import Made


@dataclass(frozen=True)
class Progress:
    """One step done of `steps`. score: what is climbed, None where there is no such number.

    preview: gives the picture so far as JPEG, when somebody wants it; stage: what is being done,
    such as a layer's name, "" where there is but one thing to do.
    """

    step: int
    steps: int
    score: float | None = None
    preview: Callable[[], bytes] | None = None
    stage: str = ""


Making = Generator[Progress, None, Made]


def finished(making: Making) -> Made:
    """What comes of a making when all its steps are taken at once."""
    while True:
        try:
            next(making)
        except StopIteration as end:
            made: Made = end.value
            return made
