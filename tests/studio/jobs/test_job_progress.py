"""What is told of a job: every stage is timed anew, and scores are thinned evenly."""

import pytest

from app.studio.engine import Step
from app.studio.jobs import board as module
from app.studio.jobs.board import MOST_SCORES, JobProgress


class Clock:
    """Time that goes on when a test says so."""

    now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(module, "time", made)
    return made


def step(number: int, steps: int = 100, *scores: float, stage: str = "") -> Step:
    return Step(1, number, steps, scores, None, stage)


def test_what_is_left_goes_by_the_pace_of_the_steps_so_far(clock: Clock) -> None:
    progress = JobProgress("job")
    clock.now += 50  # the network was loaded: no step of it
    progress.hear(step(1))
    assert progress.snapshot().left is None, "one step has no pace"
    clock.now += 2
    progress.hear(step(11))
    assert progress.snapshot().left == pytest.approx(89 * 0.2)
    assert progress.snapshot().seconds == pytest.approx(52)
    clock.now += 2
    assert progress.snapshot().left == pytest.approx(89 * 0.4), "it is slower than it was"
    progress.hear(step(100))
    assert progress.snapshot().left == 0


def test_a_stage_that_begins_anew_is_timed_anew(clock: Clock) -> None:
    progress = JobProgress("job")
    progress.hear(step(1))
    clock.now += 100
    progress.hear(step(100))
    clock.now += 1
    progress.hear(step(1, 10))
    assert progress.snapshot().left is None
    clock.now += 1
    progress.hear(step(2, 10))
    assert progress.snapshot().left == pytest.approx(8)


@pytest.mark.parametrize("count", [3, MOST_SCORES - 1, MOST_SCORES, 1000, 2048])
def test_scores_are_thinned_evenly_from_the_first_on(count: int) -> None:
    progress = JobProgress("job")
    for number in range(count):
        progress.hear(step(number + 1, count, float(number)))
    scores = progress.snapshot().scores
    stride = scores[1] - scores[0]
    assert list(scores) == [n * stride for n in range(len(scores))]
    assert min(count, MOST_SCORES // 2) <= len(scores) < MOST_SCORES
    assert scores[-1] > count - 1 - stride, "up to the newest"


def test_a_preview_stays_until_there_is_another() -> None:
    progress = JobProgress("job")
    progress.hear(Step(1, 1, 9, (), b"first", "growing"))
    progress.hear(Step(1, 2, 9, (), None, "measuring"))
    assert (progress.snapshot().preview, progress.snapshot().stage) == (b"first", "measuring")
    progress.hear(Step(1, 3, 9, (), b"second", "measuring"))
    assert progress.snapshot().preview == b"second"
