"""The course of one job: what its device said of it so far, as snapshots."""

import time

from app.studio.engine import Step
from app.studio.jobs.board import Snapshot
from app.studio.jobs.job import State

MOST_SCORES = 256


class Course:
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
