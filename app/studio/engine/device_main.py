"""A device's main: runs in the one process that may touch a device; recipe in, answer out."""

import importlib
import os
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any, Protocol

import structlog

from app.errors import LaternaError
from app.studio.engine import climbing, plain
from app.studio.engine.failures import said
from app.studio.engine.messages import (
    Answer,
    Climb,
    Ended,
    Forget,
    Free,
    Loading,
    Order,
    Ready,
    Step,
    Stop,
    Task,
)
from app.studio.recipes import JobRecipe, Made, Recipe, Sources
from app.studio.recipes.progress import Making

log = structlog.get_logger("laterna.device")
#: Seconds of quiet after which a climb that nobody waits for goes on.
QUIET = 1.0


class Maker(Protocol):
    """What the owner drives; see app.studio.makers.Workshop.

    loading: called before a network is loaded.
    """

    loading: Callable[[], None]

    def warm(self) -> None:
        """Get ready."""

    def make(self, recipe: Recipe, answer: Any, sources: Sources) -> None:
        """Make something, and call `answer` with it once."""

    def steps(self, recipe: JobRecipe, sources: Sources) -> Making:
        """Make something step by step."""

    def forget(self, image: str) -> None:
        """Drop what was computed from a picture."""


def serve(pipe: Connection, order: Order) -> None:
    """Make one recipe after another until the pipe ends."""
    device, count = _device(order.device, order.settings.torch_threads)
    module, _, name = order.workshop.partition(":")
    workshop: Maker = getattr(importlib.import_module(module), name)(order.settings, device)
    try:
        workshop.warm()
    except LaternaError as error:
        log.warning("default network is not there", reason=str(error))
    except Exception:  # whatever it is, other networks may work
        log.exception("default network cannot be loaded")
    pipe.send(Ready(device, count))
    device_main = DeviceMain(pipe, workshop)
    while True:
        device_main.do(pipe.recv())


class DeviceMain:
    """Does what it is told; between two steps of a climb it listens for more."""

    def __init__(self, pipe: Connection, workshop: Maker) -> None:
        self._pipe, self._workshop = pipe, workshop
        workshop.loading = lambda: pipe.send(Loading())

    def do(self, told: Forget | Task | Climb | Stop) -> None:
        """One thing to its end; every failure is an answer."""
        match told:
            case Forget():
                for image in told.images:
                    self._workshop.forget(image)
            case Task():
                self._make(told)
            case Climb():
                self._climb(told)
            case Stop():
                return  # that climb has reached its end meanwhile

    def _make(self, task: Task) -> None:
        answered = False

        def answer(made: Made | LaternaError) -> None:
            nonlocal answered
            if not answered:
                self._pipe.send(plain.checked(Answer(task.number, made)))
            answered = True

        try:
            strike(task.fault, task.recipe)
            self._workshop.make(task.recipe, answer, task.sources)
            if not answered:
                raise RuntimeError("the maker gave no answer")
        except Exception as error:
            answer(said(error, task.recipe.title, task.number))
        self._pipe.send(Free(task.number))

    def _climb(self, climb: Climb) -> None:
        try:
            making = self._workshop.steps(climb.recipe, climb.sources)
            made = climbing.climbed(
                making, climb, self._tell, lambda: self._is_stopped(climb), strike
            )
            ended = plain.checked(Ended(climb.number, made))
        except Exception as error:
            ended = Ended(climb.number, said(error, climb.recipe.title, climb.number))
        self._pipe.send(ended)

    def _tell(self, step: Step) -> None:
        self._pipe.send(plain.checked(step))

    def _is_stopped(self, climb: Climb) -> bool:
        """Do what was asked for meanwhile; whether that was to stop."""
        quiet = 0.0
        while self._pipe.poll(quiet):
            told = self._pipe.recv()
            if told == Stop(climb.number):
                return True
            self.do(told)
            quiet = QUIET if climb.idle else 0.0
        return False


def _device(wanted: str, threads: int) -> tuple[str, int]:
    """The device's real name and how many CUDA devices there are; sets torch's threads."""
    # Read by OpenMP when torch is imported, which is still to come.
    os.environ["OMP_NUM_THREADS"] = str(threads or max(1, (os.cpu_count() or 2) - 1))
    if wanted != "auto":
        return wanted, 1
    import torch

    count = torch.cuda.device_count()
    return ("cuda:0", count) if count else ("cpu", 1)


def strike(fault: str, recipe: Recipe) -> None:
    """Tests only: fail in the way asked for."""
    if fault:
        log.warning("fault strikes", fault=fault, task=recipe.title)
    match fault:
        case "die":
            os._exit(3)
        case "hang":
            time.sleep(86_400)
        case "oom":
            raise MemoryError
