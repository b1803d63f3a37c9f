"""One device: its queue, its process, and what happens when that dies."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Literal

import structlog

from app.errors import (
    DeviceAway,
    DeviceRefuses,
    DeviceStarting,
    LaternaError,
    QueueFull,
)
from app.settings import Settings
from app.studio.allocation import KEEP_MEMORY
from app.studio.engine.child import Child
from app.studio.engine.deaths import MOST_DEATHS, Deaths
from app.studio.engine.owner import Answer, Forget, Free, Order, Ready, Task
from app.studio.engine.requests import Queue, Request
from app.studio.recipes import Made, Recipe

log = structlog.get_logger("laterna.engine")
State = Literal["starting", "ready", "away"]
NICE = 10
TARGET = "app.studio.engine.owner:serve"
#: Seconds before a dead process is started again: doubled with each death in a row.
FIRST_PAUSE, LONGEST_PAUSE = 0.2, 30.0
#: Seconds that a process gets to load the default network.
START_SECONDS = 300.0
#: Seconds that the kernel gets to end it, at most; a driver can keep a process in its hands.
STOP_SECONDS = 5.0


@dataclass(frozen=True)
class DeviceState:
    """A device as people see it."""

    name: str
    state: State
    doing: str | None
    waiting: int
    pid: int | None


class Device:
    """The owner of a device, supervised: one recipe at a time, the others wait here."""

    def __init__(
        self,
        settings: Settings,
        name: str,
        workshop: str,
        ready: Callable[[int], None],
        fault_of: Callable[[], str],
    ) -> None:
        self.name = name
        self.state: State = "starting"
        self._settings, self._order = settings, Order(settings, name, workshop)
        self._tell_ready, self._fault_of = ready, fault_of
        self._child: Child | None = None
        self._queue = Queue()
        self._current: Request | None = None
        self._deadline: asyncio.TimerHandle | None = None
        self._restart: asyncio.TimerHandle | None = None
        self._deaths_in_a_row = 0
        self._deaths = Deaths()
        self._forgotten: list[str] = []
        self._gone = asyncio.Event()
        self._stopping = False

    def start(self) -> None:
        """Start its process; it is ready when the default network is loaded."""
        self._restart = None
        self._forgotten = []  # a new process knows nothing
        self._gone = asyncio.Event()
        try:
            self._child = Child(TARGET, self._order, self._heard, self._died, NICE, KEEP_MEMORY)
        except OSError as error:  # no memory or no process left for now
            log.error("device cannot be started", device=self.name, error=repr(error))
            self._start_later()
            return
        self._give_time(START_SECONDS)
        log.info("device starting", device=self.name, pid=self._child.pid)

    async def stop(self) -> None:
        """End its process; whoever waits is told that it is away."""
        self._stopping, self.state = True, "away"
        if self._restart is not None:
            self._restart.cancel()
        self._fail_all(DeviceAway())
        if self._child is not None:
            self._child.kill()
            with suppress(TimeoutError):
                async with asyncio.timeout(STOP_SECONDS):
                    await self._gone.wait()

    async def call(self, recipe: Recipe) -> Made:
        """Have something made. Raises what the maker raises, or why the device cannot be asked."""
        if self.state == "starting":
            raise DeviceStarting()
        if self.state == "away":
            raise DeviceAway()
        if len(self._queue) >= self._settings.queue_max:
            raise QueueFull()
        if self._deaths.too_many_of(recipe.key):
            raise DeviceRefuses(times=MOST_DEATHS)
        request = self._queue.add(recipe)
        self._next()
        return await request.answer

    def forget(self, image: str) -> None:
        """Drop what is kept of a picture: before the process gets the next recipe."""
        self._forgotten.append(image)
        self._next()

    @property
    def now(self) -> DeviceState:
        """How it is."""
        doing = self._current.recipe.title if self._current else None
        pid = self._child.pid if self._child else None
        return DeviceState(self.name, self.state, doing, len(self._queue), pid)

    @property
    def waiting(self) -> list[str]:
        """What waits, in order."""
        return self._queue.titles

    def _next(self) -> None:
        """Hand over the next recipe when the process is free."""
        if self.state != "ready" or self._current is not None:
            return
        assert self._child is not None, "a device that is ready has a process"
        if self._forgotten:
            self._child.send(Forget(tuple(self._forgotten)))
            self._forgotten = []
        self._current = self._queue.take()
        if self._current is None:
            return
        self._give_time(self._settings.call_seconds)
        self._child.send(Task(self._current.number, self._current.recipe, self._fault_of()))

    def _give_time(self, seconds: float) -> None:
        """Let the process be killed unless `_done` comes before."""
        self._deadline = asyncio.get_running_loop().call_later(seconds, self._overdue, seconds)

    def _overdue(self, seconds: float) -> None:
        log.error("device hangs", device=self.name, seconds=seconds)
        if self._child is not None:
            self._child.kill()

    def _heard(self, said: Any) -> None:
        if self._stopping:
            return
        match said:
            case Ready():
                self._done()
                self.name, self.state, self._deaths_in_a_row = said.device, "ready", 0
                log.info("device ready", device=self.name)
                self._tell_ready(said.count)
                self._next()
            case Answer() if self._current and self._current.number == said.number:
                self._current.settle(said.made)
            case Free() if self._current and self._current.number == said.number:
                self._deaths.none_of(self._current.recipe.key)
                self._done()
                self._next()

    def _done(self) -> None:
        self._current = None
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _died(self) -> None:
        """The process is gone: tell those who wait, and start another one after a pause."""
        self._child = None
        self._gone.set()
        if self._stopping:
            return
        log.error("device died", device=self.name, doing=self.now.doing)
        if self._current is not None:
            self._deaths.one_of(self._current.recipe.key)
        self.state = "away"
        self._fail_all(DeviceAway())
        self._start_later()

    def _start_later(self) -> None:
        """Start another process, the later the more often the last ones failed to get ready."""
        pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(self._deaths_in_a_row, 16))
        self._deaths_in_a_row += 1
        self._restart = asyncio.get_running_loop().call_later(pause, self.start)

    def _fail_all(self, error: LaternaError) -> None:
        if self._current is not None:
            self._current.settle(error)
        self._done()
        self._queue.settle(error)
