"""One device: its queue, its climb, and what happens to both when its process dies."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import structlog

from app.errors import DeviceAway, DeviceRefuses, DeviceStarting, LaternaError, QueueFull
from app.settings import Settings
from app.studio.engine.deaths import MOST_DEATHS, Deaths
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
from app.studio.engine.requests import Ascent, Died, Queue, Request
from app.studio.engine.supervision import State, Supervised
from app.studio.recipes import JobRecipe, Made, Recipe, Sources

log = structlog.get_logger("laterna.engine")


@dataclass(frozen=True)
class DeviceState:
    """A device as people see it."""

    name: str
    state: State
    doing: str | None
    waiting: int
    pid: int | None
    climbing: bool = False


class Device(Supervised):
    """The owner of a device: one request at a time, the others wait here.

    Beside them one climb, which stands still while a request is served.
    """

    def __init__(
        self,
        settings: Settings,
        name: str,
        workshop: str,
        ready: Callable[[int], None],
        fault_of: Callable[[], str],
    ) -> None:
        super().__init__(name, Order(settings, name, workshop))
        self._settings = settings
        self._tell_ready, self._fault_of = ready, fault_of
        self._queue = Queue()
        self._current: Request | None = None
        self._ascent: Ascent | None = None
        self._ascents = 0
        self._deaths = Deaths()
        self._last_sign, self._is_loading = time.monotonic(), False
        self._forgotten: list[str] = []

    def start(self) -> None:
        """Start its process, which knows nothing yet that it could forget."""
        self._forgotten = []
        super().start()

    async def call(self, recipe: Recipe, sources: Sources) -> Made:
        """Have something made. Raises what the maker raises, or why the device cannot be asked."""
        if self.state == "starting":
            raise DeviceStarting()
        if self.state == "away":
            raise DeviceAway()
        if len(self._queue) >= self._settings.queue_max:
            raise QueueFull()
        if self._deaths.too_many_of(recipe.key):
            raise DeviceRefuses(times=MOST_DEATHS)
        request = self._queue.add(recipe, sources)
        self._next()
        return await request.answer

    async def run(
        self,
        recipe: JobRecipe,
        sources: Sources,
        on_step: Callable[[Step], None],
        fault: str,
        idle: bool,
    ) -> Made:
        """Have something made step by step; returns only when the device is done with it.

        Cancelled, it goes no step further. Raises what the maker raises, Died when the process
        ends, and DeviceAway when there is no place.
        """
        if self.state != "ready" or self._ascent is not None or self._child is None:
            raise DeviceAway()
        self._ascents += 1
        ascent = self._ascent = Ascent(self._ascents, recipe, on_step)
        child = self._child
        child.send(Climb(ascent.number, recipe, sources, fault, idle))
        self._is_alive()
        try:
            made = await asyncio.shield(ascent.ended)
        except asyncio.CancelledError:
            child.send(Stop(ascent.number))
            await ascent.over()
            raise
        assert made is not None, "only who was cancelled is stopped"
        return made

    def forget(self, image: str) -> None:
        """Drop what is kept of a picture: before the process gets the next recipe."""
        self._forgotten.append(image)
        if self._ascent is None:  # else with the next recipe, or after the step of now
            self._next()

    @property
    def now(self) -> DeviceState:
        """How it is."""
        at_work = self._current or self._ascent
        doing = at_work.recipe.title if at_work else None
        pid = self._child.pid if self._child else None
        climbing = self._ascent is not None
        return DeviceState(self.name, self.state, doing, len(self._queue), pid, climbing)

    @property
    def waiting(self) -> list[str]:
        """What waits, in order."""
        return self._queue.titles

    def _next(self) -> None:
        """Hand over the next recipe when the process is free for it."""
        if self.state != "ready" or self._current is not None:
            return
        assert self._child is not None, "a device that is ready has a process"
        if self._forgotten:
            self._child.send(Forget(tuple(self._forgotten)))
            self._forgotten = []
        self._current = taken = self._queue.take()
        if taken is None:
            return
        self._child.send(Task(taken.number, taken.recipe, taken.sources, self._fault_of()))
        self._is_alive()

    @property
    def is_silent(self) -> bool:
        """Whether it gives no sign of life, has work to do, and does not say that it loads a
        network: those who wait are better told than kept.
        """
        if self.state != "ready" or self._is_loading or not (self._current or self._ascent):
            return False
        return time.monotonic() - self._last_sign >= self._settings.silent_seconds

    def _is_alive(self) -> None:
        """The process gave a sign of life: it gets time for another, if it has anything to do."""
        self._last_sign = time.monotonic()
        self._give_time(self._settings.call_seconds if self._current or self._ascent else None)

    def _heard(self, message: Any) -> None:
        self._is_loading = isinstance(message, Loading)
        match message:
            case Ready():
                self.name, self.state, self._deaths_in_a_row = message.device, "ready", 0
                log.info("device ready", device=self.name)
                self._tell_ready(message.count)
            case Answer() if self._current and self._current.number == message.number:
                self._current.settle(message.made)
            case Free() if self._current and self._current.number == message.number:
                self._deaths.none_of(self._current.recipe.key)
                self._current = None
            case Step() if self._ascent and self._ascent.number == message.number:
                self._ascent.on_step(message)
            case Ended() if self._ascent and self._ascent.number == message.number:
                self._ascent.settle(message.made)
                self._ascent = None
        self._is_alive()
        self._next()

    def _lost(self, by_death: bool) -> None:
        if by_death:
            log.error("device died", device=self.name, doing=self.now.doing)
        error: LaternaError = DeviceAway()
        if self._current is not None:
            if by_death:
                self._deaths.one_of(self._current.recipe.key)
            self._current.settle(error)
        if self._ascent is not None:
            self._ascent.settle(Died() if by_death else error)
        self._current = self._ascent = None
        self._queue.settle(error)
