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
from app.studio.engine.messages import (
    Answer,
    Climb,
    Ended,
    Forget,
    Free,
    Order,
    Ready,
    Step,
    Stop,
    Task,
)
from app.studio.engine.requests import Ascent, Died, Queue, Request
from app.studio.recipes import Made, Recipe, Visualization

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
#: Forgotten pictures that are told at a time.
PIECE = 500


@dataclass(frozen=True)
class DeviceState:
    """A device as people see it."""

    name: str
    state: State
    doing: str | None
    waiting: int
    pid: int | None
    climbing: bool = False


class Device:
    """The owner of a device, supervised: one request at a time, the others wait here.

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
        self.name = name
        self.state: State = "starting"
        self._settings, self._order = settings, Order(settings, name, workshop)
        self._tell_ready, self._fault_of = ready, fault_of
        self._child: Child | None = None
        self._queue = Queue()
        self._current: Request | None = None
        self._ascent: Ascent | None = None
        self._ascents = 0
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
        self._fail_all(DeviceAway(), DeviceAway())
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

    async def run(
        self, recipe: Visualization, heard: Callable[[Step], None], fault: str, idle: bool
    ) -> Made:
        """Have something made step by step; returns only when the device is done with it.

        Cancelled, it goes no step further. Raises what the maker raises, Died when the process
        ends, and DeviceAway when there is none.
        """
        if self.state != "ready" or self._ascent is not None or self._child is None:
            raise DeviceAway()
        self._ascents += 1
        ended: asyncio.Future[Made | None] = asyncio.get_running_loop().create_future()
        self._ascent = Ascent(self._ascents, recipe, heard, ended)
        child, stop = self._child, Stop(self._ascents)
        child.send(Climb(self._ascents, recipe, fault, idle))
        self._is_alive()
        try:
            made = await asyncio.shield(ended)
        except asyncio.CancelledError:
            child.send(stop)
            await asyncio.wait([ended])
            if not ended.cancelled():
                ended.exception()  # heard, though nobody asks for it any more
            raise
        assert made is not None, "only who was cancelled is stopped"
        return made

    def forget(self, image: str) -> None:
        """Drop what is kept of a picture: before the process gets the next recipe."""
        self._forgotten.append(image)
        if self._ascent is None:  # else with what it is told next, or after the step of now
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
        """Hand over the next recipe when the process is free."""
        if self.state != "ready" or self._current is not None:
            return
        assert self._child is not None, "a device that is ready has a process"
        self._tell_forgotten()
        self._current = self._queue.take()
        if self._current is None:
            return
        self._child.send(Task(self._current.number, self._current.recipe, self._fault_of()))
        self._is_alive()

    def _tell_forgotten(self) -> None:
        """In pieces that a pipe holds, as it may be at a step of a climb that takes its time."""
        assert self._child is not None, "a device that is ready has a process"
        while self._forgotten:
            self._child.send(Forget(tuple(self._forgotten[:PIECE])))
            del self._forgotten[:PIECE]

    def _is_alive(self) -> None:
        """The process gave a sign of life: it gets time for another, if it has anything to do."""
        self._give_time(self._settings.call_seconds if self._current or self._ascent else None)

    def _give_time(self, seconds: float | None) -> None:
        """Let the process be killed after so many seconds, None for never."""
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
        if seconds is not None:
            later = asyncio.get_running_loop().call_later
            self._deadline = later(seconds, self._overdue, seconds)

    def _overdue(self, seconds: float) -> None:
        log.error("device hangs", device=self.name, seconds=seconds)
        if self._child is not None:
            self._child.kill()

    def _heard(self, said: Any) -> None:
        if self._stopping:
            return
        match said:
            case Ready():
                self.name, self.state, self._deaths_in_a_row = said.device, "ready", 0
                log.info("device ready", device=self.name)
                self._tell_ready(said.count)
            case Answer() if self._current and self._current.number == said.number:
                self._current.settle(said.made)
            case Free() if self._current and self._current.number == said.number:
                self._deaths.none_of(self._current.recipe.key)
                self._current = None
            case Step() if self._ascent and self._ascent.number == said.number:
                self._ascent.heard(said)
            case Ended() if self._ascent and self._ascent.number == said.number:
                self._ascent.settle(said.made)
                self._ascent = None
        self._is_alive()
        self._next()

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
        self._fail_all(DeviceAway(), Died())
        self._start_later()

    def _start_later(self) -> None:
        """Start another process, the later the more often the last ones failed to get ready."""
        pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(self._deaths_in_a_row, 16))
        self._deaths_in_a_row += 1
        self._restart = asyncio.get_running_loop().call_later(pause, self.start)

    def _fail_all(self, error: LaternaError, of_climb: Exception) -> None:
        if self._current is not None:
            self._current.settle(error)
        if self._ascent is not None:
            self._ascent.settle(of_climb)
        self._current = self._ascent = None
        self._give_time(None)
        self._queue.settle(error)
