"""Small workshops: what a device's process can do to its parent, without a network in it."""

import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from app.errors import NoFilters
from app.settings import Settings
from app.studio.recipes import JobRecipe, Made, Prediction, Recipe, Sources, Visualization
from app.studio.recipes.progress import Making, Progress


class Small:
    """Does what the recipe's `model` says; an `image` is a file that it waits for."""

    def __init__(self, settings: Settings, device: str) -> None:
        self.device = device
        self.forgotten: list[str] = []
        self.loading: Callable[[], None] = lambda: None

    def warm(self) -> None:
        pass

    def make(self, recipe: Recipe, answer: Any, sources: Sources) -> None:
        source = Path(recipe.image) if isinstance(recipe, Prediction) else Path()
        match recipe.model:
            case "facts":
                answer(Made({"pid": os.getpid(), "nice": os.nice(0), "device": self.device}))
            case "picture":
                answer(Made({}, bytes(30_000_000)))
            case "wait":
                wait_for(source)
                answer(Made({}))
            case "load":
                self.loading()
                wait_for(source)
                answer(Made({}))
            case "early":
                answer(Made({"early": True}))
                wait_for(source)
            case "refuse":
                raise NoFilters(layer="conv1")
            case "break":
                raise ZeroDivisionError("secret words")
            case "memory":
                raise MemoryError
            case "broken":
                raise RuntimeError("CUDA error: an illegal memory access was encountered")
            case "heavy":
                import numpy as np

                answer(Made({"number": np.float64(1)}))
            case "silent":
                return
            case "die":
                os.kill(os.getpid(), signal.SIGKILL)
            case "forgotten":
                answer(Made({"forgotten": self.forgotten}))
            case "threads":
                import torch

                answer(Made({"threads": torch.get_num_threads()}))
            case "descriptors":
                answer(Made({"sockets": sockets()}))

    def steps(self, recipe: JobRecipe, sources: Sources) -> Making:
        """As many steps as the recipe has, and more of it as its `model` says."""
        assert isinstance(recipe, Visualization)
        started = time.monotonic()
        for step in range(1, recipe.steps + 1):
            match recipe.model:
                case "slow":
                    time.sleep(0.02)
                case "wait":
                    wait_for(Path(sources.picture))
                case "long":
                    time.sleep(0.4)
                case "stuck":
                    time.sleep(3600)
                case "nan" if step == 3:
                    yield Progress(step, recipe.steps, float("nan"))
                case "memory" if step == 3:
                    raise MemoryError
                case "break" if step == 3:
                    raise ZeroDivisionError("secret words")
                case "die" if step == 3:
                    os.kill(os.getpid(), signal.SIGKILL)
            yield Progress(step, recipe.steps, step / 10, lambda: b"preview", "growing")
        seconds = time.monotonic() - started
        facts = {"pid": os.getpid(), "seconds": seconds, "device": self.device}
        picture = bytes(50_000) if recipe.model == "large" else recipe.title.encode()
        return Made(facts, picture, parts={"growth.webp": b"growth"})

    def forget(self, image: str) -> None:
        self.forgotten.append(image)


class Cold(Small):
    """Cannot load what it should be warmed up with."""

    def warm(self) -> None:
        raise RuntimeError("these weights are not what they should be")


class Slow(Small):
    """Never gets ready."""

    def warm(self) -> None:
        time.sleep(3600)


def sockets() -> list[str]:
    """The sockets that this process has open."""
    found = []
    for descriptor in Path("/proc/self/fd").iterdir():
        with suppress(OSError):  # the folder itself is closed by now
            found.append(str(descriptor.readlink()))
    return [target for target in found if target.startswith("socket:")]


def wait_for(file: Path) -> None:
    while not file.exists():
        time.sleep(0.01)
