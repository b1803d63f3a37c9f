"""Climbing: what is told of it is little, and what it costs is less."""

import math
from collections.abc import Iterator

import pytest

from app.errors import NotFiniteStep
from app.studio.engine import climbing
from app.studio.engine.messages import Climb, Step
from app.studio.recipes import ClassImage, Made, Recipe, Sources
from app.studio.recipes.progress import Making, Progress

CLIMB = Climb(7, ClassImage(model="net", class_=1), Sources())
PREVIEW_SECONDS = 0.012


def nothing_strikes(fault: str, recipe: Recipe) -> None:
    raise AssertionError(fault)


def climbed(making: Making, told: list[Step], stop_at: int = 10**9) -> Made | None:
    asked: Iterator[int] = iter(range(10**9))
    return climbing.climbed(
        making, CLIMB, told.append, lambda: next(asked) >= stop_at, nothing_strikes
    )


class Clock:
    """Time that goes on when a test says so."""

    now = 1000.0

    def monotonic(self) -> float:
        return self.now


def test_messages_are_few_and_previews_cost_little_of_the_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock, previews = Clock(), list[float]()
    monkeypatch.setattr(climbing, "time", clock)

    def preview() -> bytes:
        previews.append(clock.now)
        clock.now += PREVIEW_SECONDS
        return b"jpeg"

    def making() -> Making:
        for step in range(1, 301):
            clock.now += 0.005
            yield Progress(step, 300, float(step), preview)
        return Made({"whole": True})

    told: list[Step] = []
    begun = clock.now
    made = climbed(making(), told)
    took = clock.now - begun
    assert made == Made({"whole": True})
    assert (told[0].number, told[0].step, told[0].preview) == (7, 1, b"jpeg")
    assert told[-1].step == 300
    assert len(told) <= took * 10 + 2
    assert [score for step in told for score in step.scores] == list(range(1, 301))
    assert 3 <= len(previews) <= took * climbing.PREVIEW_SHARE / PREVIEW_SECONDS + 1
    assert len(previews) <= took / climbing.PREVIEW_PAUSE + 1
    assert sum(step.preview is not None for step in told) == len(previews)


def test_a_climb_that_is_stopped_goes_no_step_further_and_cleans_up() -> None:
    done: list[object] = []

    def making() -> Making:
        try:
            for step in range(100):
                done.append(step)
                yield Progress(step, 100)
        finally:
            done.append("clean")
        return Made({})

    assert climbed(making(), [], stop_at=3) is None
    assert done == [0, 1, 2, "clean"]


@pytest.mark.parametrize("score", [math.nan, math.inf, -math.inf])
def test_a_score_that_is_no_number_ends_it(score: float) -> None:
    def making() -> Making:
        yield Progress(1, 5, 1.0)
        yield Progress(2, 5, score)
        raise AssertionError("it goes on")

    with pytest.raises(NotFiniteStep) as caught:
        climbed(making(), [])
    assert "step 2" in str(caught.value)
