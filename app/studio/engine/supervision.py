"""Supervision: a process that is started again when it dies, and killed when it is silent."""

import asyncio
from contextlib import suppress
from typing import Any, Literal

import structlog

from app.studio.engine.allocation import KEEP_MEMORY
from app.studio.engine.child import Child
from app.studio.engine.messages import Order

log = structlog.get_logger("laterna.engine")
State = Literal["starting", "ready", "away"]
NICE = 10
TARGET = "app.studio.engine.device_main:serve"
#: Seconds before a dead process is started again: doubled with each death in a row.
FIRST_PAUSE, LONGEST_PAUSE = 0.2, 30.0
#: Seconds that a process gets to load the default network.
START_SECONDS = 300.0
#: Seconds that the kernel gets to end it, at most; a driver can keep a process in its hands.
STOP_SECONDS = 5.0


class Supervised:
    """The process that owns a device. Who inherits says what is done with what it says."""

    def __init__(self, name: str, order: Order) -> None:
        self.name = name
        self.state: State = "starting"
        self._order = order
        self._child: Child | None = None
        self._deadline: asyncio.TimerHandle | None = None
        self._restart: asyncio.TimerHandle | None = None
        self._deaths_in_a_row = 0
        self._gone = asyncio.Event()
        self._stopping = False

    def start(self) -> None:
        """Start it; it is ready when the default network is loaded."""
        self._restart = None
        self._gone = asyncio.Event()
        try:
            self._child = Child(TARGET, self._order, self._told, self._died, NICE, KEEP_MEMORY)
        except OSError as error:  # no memory or no process left for now
            log.error("device cannot be started", device=self.name, error=repr(error))
            self._start_later()
            return
        self._give_time(START_SECONDS)
        log.info("device starting", device=self.name, pid=self._child.pid)

    async def stop(self) -> None:
        """End it; whoever waits is told that it is away."""
        self._stopping, self.state = True, "away"
        if self._restart is not None:
            self._restart.cancel()
        self._give_time(None)
        self._lost(by_death=False)
        if self._child is not None:
            self._child.kill()
            with suppress(TimeoutError):
                async with asyncio.timeout(STOP_SECONDS):
                    await self._gone.wait()

    def _heard(self, message: Any) -> None:
        """It says something."""
        raise NotImplementedError

    def _lost(self, by_death: bool) -> None:
        """It ended: tell those who wait."""
        raise NotImplementedError

    def _give_time(self, seconds: float | None) -> None:
        """Let it be killed after so many seconds, None for never."""
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

    def _told(self, message: Any) -> None:
        if not self._stopping:
            self._heard(message)

    def _died(self) -> None:
        """It is gone: start another one after a pause."""
        self._child = None
        self._gone.set()
        if self._stopping:
            return
        self._give_time(None)
        self.state = "away"
        self._lost(by_death=True)
        self._start_later()

    def _start_later(self) -> None:
        """The later the more often the last ones failed to get ready."""
        pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(self._deaths_in_a_row, 16))
        self._deaths_in_a_row += 1
        self._restart = asyncio.get_running_loop().call_later(pause, self.start)
