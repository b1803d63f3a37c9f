"""The device's owner: runs in the one process that may touch a device; recipe in, answer out."""

import importlib
import os
import time
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any, Protocol

import structlog

from app.errors import LaternaError, OutOfMemory, Unexpected
from app.settings import Settings
from app.studio.recipes import Made, Recipe

log = structlog.get_logger("laterna.device")
#: How torch says that there is no memory, where it has no kind of error for that.
NO_MEMORY = ("can't allocate memory", "out of memory", "STATUS_ALLOC_FAILED")


@dataclass(frozen=True)
class Order:
    """To the owner: what to run on which device."""

    settings: Settings
    device: str
    workshop: str


@dataclass(frozen=True)
class Ready:
    """From the owner: loaded; which device it is, and how many of its kind there are."""

    device: str
    count: int


@dataclass(frozen=True)
class Task:
    """To the owner: make this. `fault` strikes in tests."""

    number: int
    recipe: Recipe
    fault: str = ""


@dataclass(frozen=True)
class Answer:
    """From the owner: what came of it."""

    number: int
    made: Made | LaternaError


@dataclass(frozen=True)
class Free:
    """From the owner: done with it to the end, the next one may come."""

    number: int


@dataclass(frozen=True)
class Forget:
    """To the owner: drop what was computed from these pictures."""

    images: tuple[str, ...]


class Maker(Protocol):
    """What the owner drives; see app.studio.makers.Workshop."""

    def warm(self) -> None:
        """Get ready."""

    def make(self, recipe: Recipe, answer: Any) -> None:
        """Make something, and call `answer` with it once."""

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
    while True:
        told = pipe.recv()
        if isinstance(told, Forget):
            for image in told.images:
                workshop.forget(image)
        else:
            _make(pipe, workshop, told)


def _make(pipe: Connection, workshop: Maker, task: Task) -> None:
    """Make one recipe; every failure is an answer."""
    answered = False

    def answer(made: Made | LaternaError) -> None:
        nonlocal answered
        if not answered:
            pipe.send(Answer(task.number, made))
        answered = True

    try:
        _strike(task)
        workshop.make(task.recipe, answer)
        if not answered:
            raise RuntimeError("the maker gave no answer")
    except LaternaError as error:
        answer(error)
    except Exception as error:
        if _is_out_of_memory(error):
            answer(OutOfMemory())
        elif _is_broken(error):
            log.exception("the device is broken", task=task.recipe.title)
            os._exit(1)  # its parent tells who waits; a new process gets the device anew
        else:
            log.exception("unexpected", task=task.recipe.title)
            answer(Unexpected(request=f"device-{os.getpid()}-{task.number}"))
    pipe.send(Free(task.number))


def _device(wanted: str, threads: int) -> tuple[str, int]:
    """The device's real name and how many CUDA devices there are; sets torch's threads."""
    # Read by OpenMP when torch is imported, which is still to come.
    os.environ["OMP_NUM_THREADS"] = str(threads or max(1, (os.cpu_count() or 2) - 1))
    if wanted != "auto":
        return wanted, 1
    import torch

    count = torch.cuda.device_count()
    return ("cuda:0", count) if count else ("cpu", 1)


def _is_out_of_memory(error: Exception) -> bool:
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return True
    return isinstance(error, RuntimeError) and any(words in str(error) for words in NO_MEMORY)


def _is_broken(error: Exception) -> bool:
    """Whether CUDA is of no more use to this process, as after an access to wrong memory."""
    return type(error).__name__ == "AcceleratorError" or "CUDA error" in str(error)


def _strike(task: Task) -> None:
    """Tests only: fail in the way asked for."""
    if task.fault:
        log.warning("fault strikes", fault=task.fault, task=task.recipe.title)
    match task.fault:
        case "die":
            os._exit(3)
        case "hang":
            time.sleep(86_400)
        case "oom":
            raise MemoryError
