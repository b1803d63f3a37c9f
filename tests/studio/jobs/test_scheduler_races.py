"""Races at the scheduler's: what is stopped, asked for or deleted at the worst moment."""

import asyncio
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from app.errors import DiskFull, Unexpected, UnknownVisualization
from app.studio.jobs.job import Job, State
from app.studio.jobs.queue import JobQueue
from app.studio.recipes import Made, Reconstruction
from tests.running import until
from tests.studio.jobs.test_scheduler import Story, Teller, Yard, all_of, wanted

LONG = "long"  # steps that take long enough that one is under way whenever somebody stops it


@pytest.fixture
def tell(tmp_path: Path) -> Teller:
    """Tell a story in a yard of its own."""

    def telling(story: Story, **set_to: Any) -> None:
        async def told() -> None:
            yard = Yard(tmp_path / "data", **set_to)
            async with yard.at_work():
                await story(yard)

        asyncio.run(told())

    return telling


def of_picture(yard: Yard, what: str = LONG, layer: str = "a") -> Reconstruction:
    image = yard.archive.keep_image(
        owner="anna", name="x", picture=layer.encode(), preview=b"v", width=1, height=1,
        original=(1, 1), hours=1,
    ).id  # fmt: skip
    return Reconstruction(model=what, weights="w", image=image, source="", layer=layer, steps=30)


async def until_idle(yard: Yard) -> None:
    await until(lambda: not yard.engine.devices()[0].climbing and yard.scheduler.is_idle)


def test_a_step_that_ends_after_the_cancel_does_not_bring_a_job_back(tell: Teller) -> None:
    async def story(yard: Yard) -> None:
        recipe = wanted(LONG, steps=30)
        await yard.ask(recipe)
        await yard.step(recipe)
        await yard.scheduler.cancel(recipe.id, "anna", "")
        await until_idle(yard)
        assert yard.scheduler.snapshot(recipe.id).state is State.CANCELLED
        assert [one.state for one in await all_of(yard, recipe)] == [State.CANCELLED]

    tell(story)


def test_a_step_that_ends_after_the_house_made_place_does_not_say_that_it_runs(
    tell: Teller,
) -> None:
    async def story(yard: Yard) -> None:
        idle, annas = wanted(LONG, steps=30), wanted(LONG, number=1, steps=30)
        await yard.scheduler.ask(idle, None)
        await yard.step(idle)
        await yard.ask(annas)
        await yard.step(annas)
        assert yard.scheduler.snapshot(idle.id).state is State.QUEUED

    tell(story)


def test_a_job_that_is_stopped_twice_keeps_its_place_until_the_device_has_left_it(
    tell: Teller,
) -> None:
    async def story(yard: Yard) -> None:
        recipe, after = of_picture(yard), wanted(LONG, number=1, steps=2)
        await yard.ask(recipe)
        await yard.step(recipe)
        handed_out = counted(yard, after.id)
        await yard.ask(after)
        yard.archive.delete_image(recipe.image)
        for _ in range(3):  # as when several pictures are deleted
            await yard.scheduler.drop_the_deleted()
            await asyncio.sleep(0.01)
        assert (await yard.end(after)).state is State.DONE
        assert handed_out() == 1

    tell(story)


def counted(yard: Yard, id: str) -> Callable[[], int]:
    """How often a job is handed out."""
    move, times = yard.scheduler.jobs.move, [0]

    def counting(moved: str, state: State, **said: Any) -> Job:
        times[0] += (moved, state) == (id, State.RUNNING)
        return move(moved, state, **said)

    yard.scheduler.jobs.move = counting  # type: ignore[method-assign,assignment]  # to count
    return lambda: times[0]


def test_a_picture_deleted_while_its_job_is_handed_out_blocks_nobody(tell: Teller) -> None:
    async def story(yard: Yard) -> None:
        recipe, after = of_picture(yard), wanted()
        begin = yard.scheduler._begin

        def begin_and_delete(job: Job, is_idle: bool) -> None:
            begin(job, is_idle)
            if job.id == recipe.id:  # before its task has begun
                yard.archive.delete_image(recipe.image)
                yard.scheduler._drop(recipe.id)

        yard.scheduler._begin = begin_and_delete  # type: ignore[method-assign]  # the moment
        await yard.ask(recipe)
        await yard.ask(after)
        assert (await yard.end(after)).state is State.DONE
        with pytest.raises(UnknownVisualization):
            yard.scheduler.snapshot(recipe.id)
        assert yard.scheduler.is_idle

    tell(story)


def test_asking_for_what_is_kept_but_not_yet_written_down_disturbs_nothing(tell: Teller) -> None:
    async def story(yard: Yard) -> None:
        recipe = wanted(steps=3)
        ended, full = yard.scheduler._ended, [True]

        def no_room(job: Job, seconds: float, made: Made | Exception) -> Job:
            if full[0]:
                raise DiskFull()
            return ended(job, seconds, made)

        yard.scheduler._ended = no_room  # type: ignore[method-assign]  # a disk that is full just now
        await yard.ask(recipe)
        await until(lambda: yard.archive.result(recipe.key) is not None)
        await asyncio.sleep(0.1)
        await yard.ask(recipe, "bo")
        full[0] = False
        assert (await yard.end(recipe)).state is State.DONE
        await until(lambda: yard.scheduler.is_idle)
        assert yard.scheduler.snapshot(recipe.id).state is State.DONE

    tell(story)


def test_a_disk_that_fails_in_another_way_fails_the_job_and_not_the_foreman(tell: Teller) -> None:
    async def story(yard: Yard) -> None:
        recipe = wanted(steps=3)
        keep = yard.archive.keep_result

        def broken(*given: Any) -> None:
            raise OSError(5, "Input/output error")

        yard.archive.keep_result = broken  # type: ignore[method-assign,assignment]  # a bad disk
        await yard.ask(recipe)
        job = await yard.end(recipe)
        assert job.state is State.FAILED
        assert isinstance(job.error, Unexpected)
        yard.archive.keep_result = keep  # type: ignore[method-assign]  # repaired
        await yard.ask(recipe)
        assert (await yard.end(recipe)).state is State.DONE

    tell(story)


@pytest.mark.parametrize("failure", [OSError(5, "Input/output error"), TypeError("a mistake")])
def test_no_job_runs_for_ever_whatever_fails_when_it_is_written_down(
    tell: Teller, failure: Exception
) -> None:
    async def story(yard: Yard) -> None:
        recipe, after = wanted(steps=3), wanted(number=1, steps=3)
        ended, left = yard.scheduler._ended, [3]

        def failing(job: Job, seconds: float, made: Made | Exception) -> Job:
            if job.id == recipe.id and left[0]:
                left[0] -= 1
                raise failure
            return ended(job, seconds, made)

        yard.scheduler._ended = failing  # type: ignore[method-assign]  # a disk, or code, that fails
        await yard.ask(recipe)
        await yard.ask(after)
        job = await yard.end(recipe)
        assert (job.state, type(job.error)) == (State.FAILED, Unexpected)
        assert (await yard.end(after)).state is State.DONE
        await until(lambda: yard.scheduler.is_idle)

    tell(story)


def test_a_job_that_cannot_be_begun_just_now_is_begun_later(tell: Teller) -> None:
    async def story(yard: Yard) -> None:
        recipe = wanted(steps=3)
        move, left = yard.scheduler.jobs.move, [2]

        def failing(id: str, state: State, **said: Any) -> Job:
            if state is State.RUNNING and left[0]:
                left[0] -= 1
                raise OSError(5, "Input/output error")
            return move(id, state, **said)

        yard.scheduler.jobs.move = failing  # type: ignore[method-assign]  # a bad disk
        await yard.ask(recipe)
        assert (await yard.end(recipe)).state is State.DONE
        await until(lambda: yard.scheduler.is_idle)

    tell(story)


class Watched(JobQueue):
    """A line that notes which threads change it."""

    def __init__(self) -> None:
        super().__init__()
        self.threads: set[int] = set()

    def want(self, job: str, people: Iterable[str]) -> None:
        self.threads.add(threading.get_ident())
        super().want(job, people)


def test_what_is_taken_up_again_is_put_in_line_by_the_loop_alone(tmp_path: Path) -> None:
    async def story() -> None:
        yard = Yard(tmp_path / "data")
        for number in range(5):
            await yard.ask(wanted(number=number, steps=3))
        yard.scheduler.jobs.move(wanted(number=0, steps=3).id, State.RUNNING)
        yard.archive.close()
        again = Yard(tmp_path / "data")
        again.scheduler._queue = line = Watched()
        async with again.at_work():
            last = wanted(number=4, steps=3)
            assert (await again.end(last)).state is State.DONE
            assert line.threads == {threading.get_ident()}

    asyncio.run(story())
