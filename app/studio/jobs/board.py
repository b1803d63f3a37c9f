"""The board: who is watching which job; the latest snapshot to each, and never a heap of old ones.

A snapshot says everything, so that who reads slowly skips some and misses nothing.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass

from app.errors import LaternaError
from app.studio.engine import Step
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


MOST_SCORES = 256


class JobProgress:
    """Takes note of steps. A stage that begins its steps anew is timed anew."""

    def __init__(self, id: str) -> None:
        self._id, self._began = id, time.monotonic()
        self._first: tuple[int, float] | None = None
        self._last: Step | None = None
        self._preview: bytes | None = None
        self._scores: list[float] = []
        self._stride, self._seen = 1, 0

    @property
    def seconds(self) -> float:
        """Since it was handed out."""
        return time.monotonic() - self._began

    def hear(self, step: Step) -> None:
        """Take note of what the device says."""
        for score in step.scores:
            self._take(score)
        if self._first is None or step.step <= self._first[0]:
            self._first = (step.step, time.monotonic())
        self._preview = step.preview or self._preview
        self._last = step

    def _take(self, score: float) -> None:
        """Keep every n-th score, and each time they get too many every second of them."""
        if self._seen % self._stride == 0:
            self._scores.append(score)
        self._seen += 1
        if len(self._scores) >= MOST_SCORES:
            self._scores, self._stride = self._scores[::2], self._stride * 2

    def snapshot(self) -> Snapshot:
        """How far it is."""
        last = self._last
        return Snapshot(
            id=self._id,
            state=State.RUNNING,
            step=last.step if last else 0,
            steps=last.steps if last else 0,
            scores=tuple(self._scores),
            preview=self._preview,
            seconds=self.seconds,
            left=self._left(),
            stage=last.stage if last else "",
        )

    def _left(self) -> float | None:
        if self._first is None or self._last is None or self._last.step <= self._first[0]:
            return None
        done = self._last.step - self._first[0]
        pace = (time.monotonic() - self._first[1]) / done
        return max(0.0, (self._last.steps - self._last.step) * pace)
