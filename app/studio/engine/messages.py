"""Messages: what a device's process is told, and what it says."""

from dataclasses import dataclass

from app.errors import LaternaError
from app.settings import Settings
from app.studio.recipes import JobRecipe, Made, Recipe, Sources


@dataclass(frozen=True)
class Order:
    """To the process: what to run on which device."""

    settings: Settings
    device: str
    workshop: str


@dataclass(frozen=True)
class Ready:
    """From the process: loaded; which device it is, and how many of its kind there are."""

    device: str
    count: int


@dataclass(frozen=True)
class Loading:
    """From the process: it loads a network, which takes long the first time."""


@dataclass(frozen=True)
class Task:
    """To the process: make this. `fault` strikes in tests."""

    number: int
    recipe: Recipe
    sources: Sources
    fault: str = ""


@dataclass(frozen=True)
class Answer:
    """From the process: what came of it."""

    number: int
    made: Made | LaternaError


@dataclass(frozen=True)
class Free:
    """From the process: done with it to the end, the next one may come."""

    number: int


@dataclass(frozen=True)
class Forget:
    """To the process: drop what was computed from these pictures."""

    images: tuple[str, ...]


@dataclass(frozen=True)
class Climb:
    """To the process: make this step by step. idle: let everybody go first, for long."""

    number: int
    recipe: JobRecipe
    sources: Sources
    fault: str = ""
    idle: bool = False


@dataclass(frozen=True)
class Stop:
    """To the process: go no step further with that climb."""

    number: int


@dataclass(frozen=True)
class Step:
    """From the process: how far a climb is. scores: of the steps since it last said so."""

    number: int
    step: int
    steps: int
    scores: tuple[float, ...]
    preview: bytes | None
    stage: str


@dataclass(frozen=True)
class Ended:
    """From the process: a climb is over; None when it was stopped."""

    number: int
    made: Made | LaternaError | None
