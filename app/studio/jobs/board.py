"""The board: who is watching which job; the latest snapshot to each, and never a heap of old ones.

A snapshot says everything, so that who reads slowly skips some and misses nothing.
"""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

from app.errors import LaternaError
from app.studio.jobs.job import ACTIVE, State

#: Seconds between two snapshots to one watcher, at least.
PAUSE = 0.1


@dataclass(frozen=True, eq=False)
class Snapshot:
    """How far a job is. preview: JPEG of the picture so far; position: 1 is next, None runs.

    scores: of the steps so far, evenly thinned; seconds: since it began; left: what is estimated.
    Compared by identity: all watchers get the same one, so that it need be drawn but once.
    """

    id: str
    state: State
    step: int = 0
    steps: int = 0
    scores: tuple[float, ...] = ()
    preview: bytes | None = None
    position: int | None = None
    seconds: float = 0.0
    left: float | None = None
    error: LaternaError | None = None
    stage: str = ""

    @property
    def is_final(self) -> bool:
        """Whether nothing comes after it by itself."""
        return self.state not in ACTIVE


class _Watcher:
    """One who watches: what to show next, if there is anything new."""

    def __init__(self, latest: Snapshot) -> None:
        self.latest = latest
        self.news = asyncio.Event()


class Board:
    """The latest snapshot of each job that runs, and who watches."""

    def __init__(self) -> None:
        self._latest: dict[str, Snapshot] = {}
        self._watchers: dict[str, set[_Watcher]] = {}
        self._closed = asyncio.Event()

    def latest(self, id: str) -> Snapshot | None:
        """The last that was posted of a job that runs."""
        return self._latest.get(id)

    def post(self, snapshot: Snapshot) -> None:
        """Show a job's state to those who watch it."""
        if snapshot.state is State.RUNNING:
            self._latest[snapshot.id] = snapshot
        else:
            self._latest.pop(snapshot.id, None)
        for watcher in self._watchers.get(snapshot.id, ()):
            watcher.latest = snapshot
            watcher.news.set()

    async def watch(self, now: Snapshot) -> AsyncIterator[Snapshot]:
        """The state of now, then the newest as often as there is one, up to a final one.

        When the board is closed it ends as it is: there is more to come from the next server.
        """
        watcher = _Watcher(now)
        watchers = self._watchers.setdefault(now.id, set())
        watchers.add(watcher)
        try:
            shown = now
            yield shown
            while not (shown.is_final or self._closed.is_set()):
                await watcher.news.wait()
                watcher.news.clear()
                if self._closed.is_set():
                    return
                shown = watcher.latest
                yield shown
                if not watcher.latest.is_final:
                    await asyncio.sleep(PAUSE)
        finally:
            watchers.discard(watcher)
            if not watchers and self._watchers.get(now.id) is watchers:
                del self._watchers[now.id]

    def close(self) -> None:
        """The server is to end: let all who watch go, so that it need not wait for them."""
        self._closed.set()
        for watchers in self._watchers.values():
            for watcher in watchers:
                watcher.news.set()

    def is_watched(self, id: str) -> bool:
        """Whether anybody watches a job."""
        return id in self._watchers

    @property
    def watchers(self) -> int:
        """How many watch."""
        return sum(map(len, self._watchers.values()))
