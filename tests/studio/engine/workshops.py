"""Small workshops: what a device's process can do to its parent, without a network in it."""

import os
import signal
import time
from pathlib import Path
from typing import Any

from app.errors import NoFilters
from app.settings import Settings
from app.studio.recipes import Made, Prediction, Recipe


class Small:
    """Does what the recipe's `model` says; `source` is a file that it waits for or writes down."""

    def __init__(self, settings: Settings, device: str) -> None:
        self.device = device
        self.forgotten: list[str] = []

    def warm(self) -> None:
        pass

    def make(self, recipe: Recipe, answer: Any) -> None:
        source = Path(recipe.source) if isinstance(recipe, Prediction) else Path()
        match recipe.model:
            case "facts":
                answer(Made({"pid": os.getpid(), "nice": os.nice(0), "device": self.device}))
            case "picture":
                answer(Made({}, bytes(30_000_000)))
            case "wait":
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
            case "silent":
                return
            case "die":
                os.kill(os.getpid(), signal.SIGKILL)
            case "forgotten":
                answer(Made({"forgotten": self.forgotten}))
            case "descriptors":
                links = [entry for entry in Path("/proc/self/fd").iterdir() if entry.is_symlink()]
                told = [str(link.readlink()) for link in links if link.exists() or True]
                answer(Made({"sockets": [name for name in told if name.startswith("socket:")]}))

    def forget(self, image: str) -> None:
        self.forgotten.append(image)


class Slow(Small):
    """Never gets ready."""

    def warm(self) -> None:
        time.sleep(600)


def wait_for(file: Path) -> None:
    while not file.exists():
        time.sleep(0.01)
