"""The scheduler: turns, sharing, leaving, deaths, limits, restarts; with an engine in memory.

What processes have a part in is told with a real one: `tell_for_real`.
"""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import pytest

from app.archive import Archive
from app.errors import (
    DiskFull,
    JobDied,
    JobTooLong,
    NotAsked,
    NotCancellable,
    NotFiniteStep,
    OutOfMemory,
    QueueFull,
    TooManyJobs,
    Unexpected,
    UnknownVisualization,
)
from app.settings import Settings
from app.studio.engine import Engine
from app.studio.jobs.board import Snapshot
from app.studio.jobs.job import Asker, Job, State
from app.studio.jobs.scheduler import Scheduler
from app.studio.recipes import ClassImage, Prediction, Reconstruction, Visualization
from tests.running import until
from tests.studio.engine.fake_engine import FakeEngine

SMALL = "tests.studio.engine.workshops:Small"
ROOM = 10_000_000


class Yard:
    """A scheduler, an engine in memory or with a real process, and an archive."""

    def __init__(
        self, data: Path, quota: int = ROOM, for_real: bool = False, **set_to: Any
    ) -> None:
        self.settings = Settings(devices="cpu", torch_threads=1, data_dir=data, **set_to)
        self.archive = Archive(data, quota)
        self.engine = Engine(self.settings, SMALL) if for_real else FakeEngine(self.settings)
        self.scheduler = Scheduler(self.settings, self.archive, lambda: self.engine)

    @asynccontextmanager
    async def at_work(self) -> AsyncIterator[None]:
        await self.engine.start()
        work = asyncio.create_task(self.scheduler.work())
        await until(lambda: self.engine.places > 0)
        try:
            yield
        finally:
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)
            await self.engine.stop()
            self.archive.close()

    async def ask(self, recipe: Visualization, *askers: str) -> Job:
        for asker in askers or ("anna",):
            job = await self.scheduler.ask(recipe, Asker(recipe.id, asker, "", time.time()))
        return job

    async def end(self, recipe: Visualization) -> Job:
        """A job when it is over."""
        async for _ in self.scheduler.watch(recipe.id):
            pass
        return self.scheduler.jobs.job(recipe.id)

    def state(self, recipe: Visualization) -> State:
        return self.scheduler.jobs.job(recipe.id).state

    async def step(self, recipe: Visualization, step: int = 1) -> None:
        """Wait until a job is at a step."""
        await until(lambda: self.scheduler.snapshot(recipe.id).step >= step)

    @property
    def pid(self) -> int:
        pid = self.engine.devices()[0].pid
        assert pid
        return pid

    def kill(self) -> None:
        """End the device as the kernel would."""
        if isinstance(self.engine, FakeEngine):
            self.engine.kill()
        else:
            os.kill(self.pid, signal.SIGKILL)


Story = Callable[[Yard], Awaitable[None]]
Teller = Callable[..., None]


@pytest.fixture
def tell(tmp_path: Path) -> Teller:
    """Tell a story in a yard of its own."""

    def telling(story: Story, **set_to: Any) -> None:
        async def told() -> None:
            yard = Yard(tmp_path / "data", **set_to)
            async with yard.at_work():
                await story(yard)
                assert yard.scheduler.board.watchers == 0

        asyncio.run(told())

    return telling


@pytest.fixture
def tell_for_real(tell: Teller) -> Teller:
    """The same with a device's process, which is started, killed and waited for."""
    return partial(tell, for_real=True)


def wanted(what: str = "slow", number: int = 0, steps: int = 10) -> ClassImage:
    return ClassImage(model=what, weights="w", class_=number, steps=steps)


def test_it_is_made_once_kept_whole_and_there_at_once_when_asked_for_again(tell: Teller) -> None:
    async def story(yard: Yard) -> None:
        recipe = wanted("long", steps=20)
        assert (await yard.ask(recipe)).state is State.QUEUED
        watching = asyncio.create_task(all_of(yard, recipe))
        await yard.ask(recipe, *(f"person {n}" for n in range(20)))
        seen = await watching
        job = await yard.end(recipe)
        assert (job.state, job.device, job.deaths, job.is_idle) == (State.DONE, "cpu", 0, False)
        assert job.seconds
        check_course(seen, 20)
        result = yard.archive.result(recipe.key)
        assert result is not None
        assert yard.archive.read(result) == recipe.title.encode()
        assert yard.archive.part(result, "growth.webp") == b"growth"
        assert (await yard.ask(recipe, "late")).state is State.DONE

    tell(story)


def check_course(seen: list[Snapshot], steps: int) -> None:
    """Each says more than the one before, and the last all."""
    last = seen[-1]
    assert (last.state, last.step, last.steps, last.left) == (State.DONE, steps, steps, None)
    assert list(last.scores) == pytest.approx([step / 10 for step in range(1, steps + 1)])
    running = [s for s in seen if s.state is State.RUNNING]
    assert [s.step for s in running] == sorted({s.step for s in running})
    first = next(s for s in running if s.step)
    assert (first.preview, first.stage) == (b"preview", "growing")
    assert all(s.left is not None and s.left >= 0 for s in running if s.step > 1)


def test_quick_requests_are_served_between_steps(tell_for_real: Teller) -> None:
    async def story(yard: Yard) -> None:
        recipe = wanted(steps=100_000)
        await yard.ask(recipe)
        await yard.step(recipe)
        for number in range(10):
            quick = Prediction(model="facts", image="x", source="", weights=str(number))
            assert (await yard.engine.call(quick)).facts["pid"] == yard.pid
        assert yard.state(recipe) is State.RUNNING
        await yard.step(recipe, yard.scheduler.snapshot(recipe.id).step + 1)
        await yard.scheduler.cancel(recipe.id, "anna", "")

    tell_for_real(story)


def test_leaving_takes_nothing_from_the_others_and_the_last_one_stops_it(tell: Teller) -> None:
    async def story(yard: Yard) -> None:
        shared, other = wanted(number=1, steps=100_000), wanted(number=2)
        await yard.ask(shared, "anna", "bo")
        await yard.ask(other, "carl")
        await yard.step(shared, 2)
        cancel = yard.scheduler.cancel
        assert (await cancel(shared.id, "anna", "")).state is State.RUNNING
        for stranger in ("anna", "carl", None):
            with pytest.raises(NotAsked):
                await cancel(shared.id, stranger, "10.0.0.9")
        at = yard.scheduler.snapshot(shared.id).step
        await yard.step(shared, at + 5)
        assert yard.state(other) is State.QUEUED
        assert (await cancel(shared.id, "bo", "")).state is State.CANCELLED
        assert (await cancel(shared.id, "bo", "")).state is State.CANCELLED
        assert (await yard.end(other)).state is State.DONE, "the next one goes on"
        with pytest.raises(NotCancellable):
            await cancel(other.id, "carl", "")
        with pytest.raises(UnknownVisualization):
            await cancel("0" * 32, "carl", "")
        assert yard.archive.result(shared.key) is None
        assert (await yard.ask(shared)).state is State.QUEUED

    tell(story)


@pytest.mark.parametrize("seed", range(12))
def test_whatever_people_do_what_somebody_wants_is_made_and_nothing_else(
    tell: Teller, seed: int
) -> None:
    """People ask, ask again and leave at random, and once the device is killed."""
    random = Random(seed)

    async def story(yard: Yard) -> None:
        recipes = [wanted(number=n, steps=random.randint(3, 12)) for n in range(6)]
        wanting: dict[str, set[str]] = {recipe.id: set() for recipe in recipes}
        for move in range(60):
            recipe, person = random.choice(recipes), random.choice(["anna", "bo", "carl"])
            if random.random() < 0.6:
                await yard.ask(recipe, person)
                wanting[recipe.id].add(person)
            else:
                with suppress(NotAsked, NotCancellable, UnknownVisualization):
                    was_done = yard.state(recipe) is State.DONE
                    await yard.scheduler.cancel(recipe.id, person, "")
                    if not was_done:
                        wanting[recipe.id].discard(person)
            if move == 30 and yard.engine.places:
                yard.kill()
            await asyncio.sleep(random.random() / 100)
        await until(lambda: yard.scheduler.is_idle)
        for recipe in recipes:
            if wanting[recipe.id]:
                assert yard.state(recipe) is State.DONE
                assert yard.archive.result(recipe.key) is not None
            else:
                with suppress(UnknownVisualization):
                    assert yard.state(recipe) in (State.CANCELLED, State.DONE)

    tell(story)


def test_one_without_a_cookie_can_stop_what_they_asked_for(tell: Teller) -> None:
    async def story(yard: Yard) -> None:
        recipe = wanted(steps=100_000)
        for number in range(2):
            who = Asker(recipe.id, f"forgotten {number}", "10.0.0.1", time.time())
            await yard.scheduler.ask(recipe, who)
        await yard.scheduler.cancel(recipe.id, None, "10.0.0.1")
        assert yard.state(recipe) is not State.CANCELLED
        await yard.scheduler.cancel(recipe.id, None, "10.0.0.1")
        assert yard.state(recipe) is State.CANCELLED

    tell(story)


def test_people_take_turns(tell: Teller) -> None:
    async def story(yard: Yard) -> None:
        first = wanted(number=99, steps=100_000)
        await yard.ask(first, "zoe")
        await yard.step(first)
        annas = [wanted(number=n) for n in range(3)]
        bos = [wanted(number=10 + n) for n in range(2)]
        for recipe in annas:
            await yard.ask(recipe, "anna")
        for recipe in bos:
            await yard.ask(recipe, "bo")
        waiting = [job.recipe for job in (await yard.scheduler.active())[1]]
        order = [annas[0], bos[0], annas[1], bos[1], annas[2]]
        assert waiting == order
        assert [yard.scheduler.snapshot(recipe.id).position for recipe in order] == [1, 2, 3, 4, 5]
        watching = asyncio.create_task(all_of(yard, annas[2]))
        await until(lambda: yard.scheduler.board.watchers)
        await yard.scheduler.cancel(first.id, "zoe", "")
        told = [s.position for s in await watching if s.position is not None]
        assert told == sorted(told, reverse=True)
        assert told[0] == 5
        jobs = [yard.scheduler.jobs.job(recipe.id) for recipe in order]
        ended = [job.finished or 0 for job in jobs]
        assert ended == sorted(ended)

    tell(story)


def test_there_is_a_limit_for_each_and_for_all(tell: Teller) -> None:
    async def story(yard: Yard) -> None:
        running = wanted(number=99, steps=100_000)
        await yard.ask(running, "zoe")
        await yard.step(running)
        mine = [wanted(number=n) for n in range(3)]
        await yard.ask(mine[0])
        await yard.ask(mine[1])
        with pytest.raises(TooManyJobs):
            await yard.ask(mine[2])
        await yard.ask(mine[0])
        await yard.ask(mine[2], "bo")
        assert (await yard.ask(running)).state is State.RUNNING, "to join takes no place"
        with pytest.raises(QueueFull):
            await yard.ask(wanted(number=7), "carl")
        await yard.scheduler.cancel(mine[1].id, "anna", "")
        await yard.ask(wanted(number=7), "carl")

    tell(story, jobs_per_person=2, jobs_max=3)


@pytest.mark.parametrize(
    ("what", "error"), [("nan", NotFiniteStep), ("memory", OutOfMemory), ("break", Unexpected)]
)
def test_what_goes_wrong_is_told_and_the_next_one_works(
    tell: Teller, what: str, error: type[Exception]
) -> None:
    async def story(yard: Yard) -> None:
        before = yard.pid
        await yard.ask(wanted(what))
        job = await yard.end(wanted(what))
        assert (job.state, job.deaths) == (State.FAILED, 0)
        assert isinstance(job.error, error)
        assert "secret" not in str(job.error)
        await yard.ask(wanted())
        assert (await yard.end(wanted())).state is State.DONE
        assert yard.pid == before

    tell(story)


def test_a_job_whose_device_is_killed_is_made_after_all(tell_for_real: Teller) -> None:
    async def story(yard: Yard) -> None:
        recipe = wanted(steps=60)
        await yard.ask(recipe)
        for deaths in (1, 2):
            await until(lambda: yard.state(recipe) is State.RUNNING)
            await yard.step(recipe, 3)
            yard.kill()
            await until(lambda: yard.state(recipe) is State.QUEUED)
            assert yard.scheduler.jobs.job(recipe.id).deaths == deaths
        job = await yard.end(recipe)
        assert (job.state, job.deaths) == (State.DONE, 2)

    tell_for_real(story)


def test_a_job_that_kills_its_device_three_times_fails_with_the_reason(tell: Teller) -> None:
    async def story(yard: Yard) -> None:
        before = yard.pid
        await yard.ask(wanted("die"))
        await yard.ask(wanted(), "bo")
        job = await yard.end(wanted("die"))
        assert (job.state, job.deaths) == (State.FAILED, 3)
        assert isinstance(job.error, JobDied)
        assert (await yard.end(wanted())).state is State.DONE
        assert yard.pid == before + 3, "devices in memory are numbered"
        assert (await yard.ask(wanted("die"))).deaths == 0, "it may be asked for again"

    tell(story)


def test_faults_strike_the_job_named_and_a_silent_device_counts_as_dead(
    tell_for_real: Teller,
) -> None:
    async def story(yard: Yard) -> None:
        ends = []
        for number in range(4):
            await yard.ask(wanted(number=number))
            ends.append(await yard.end(wanted(number=number)))
        assert [job.state for job in ends] == ["done", "failed", "failed", "done"]
        assert [job.deaths for job in ends] == [2, 0, 0, 0]
        assert isinstance(ends[1].error, OutOfMemory)
        assert isinstance(ends[2].error, NotFiniteStep)

    tell_for_real(story, fault="die:1,hang:2,oom:4,nan:5,call-die:1", call_seconds=1.5)


def test_a_job_may_not_take_for_ever(tell: Teller) -> None:
    async def story(yard: Yard) -> None:
        recipe, before = wanted(steps=100_000), yard.pid
        await yard.ask(recipe)
        job = await yard.end(recipe)
        assert (job.state, job.deaths) == (State.FAILED, 0)
        assert isinstance(job.error, JobTooLong)
        await yard.ask(wanted())
        assert (await yard.end(wanted())).state is State.DONE
        assert yard.pid == before

    tell(story, job_seconds=0.1)


def test_a_full_disk_at_the_end_fails_it_and_all_works_when_there_is_room(tell: Teller) -> None:
    async def story(yard: Yard) -> None:
        upload = yard.archive.keep_image(
            owner="bo", name="x", picture=bytes(90_000), preview=b"v", width=1, height=1,
            original=(1, 1), hours=1,
        )  # fmt: skip
        recipe = ClassImage(model="large", weights="w", class_=1, steps=3)
        await yard.ask(recipe)
        job = await yard.end(recipe)
        assert job.state is State.FAILED
        assert isinstance(job.error, DiskFull)
        blobs = list((yard.archive.root / "blobs").glob("*/*"))
        assert len(blobs) == 2, "nothing half-written"
        yard.archive.delete_image(upload.id)
        await yard.ask(recipe)
        assert (await yard.end(recipe)).state is State.DONE

    tell(story, quota=100_500)


def test_a_deleted_picture_takes_its_jobs_with_it(tell: Teller) -> None:
    async def story(yard: Yard) -> None:
        upload = yard.archive.keep_image(
            owner="anna", name="x", picture=b"p", preview=b"v", width=1, height=1,
            original=(1, 1), hours=1,
        )  # fmt: skip
        running, waiting = (
            Reconstruction(
                model="slow", weights="w", image=upload.id, source="", layer=layer, steps=100_000
            )
            for layer in "ab"
        )
        after = wanted()
        for recipe in (running, waiting, after):
            await yard.ask(recipe)
        await yard.step(running)
        watching = asyncio.create_task(all_of(yard, running))
        await until(lambda: yard.scheduler.board.watchers)
        yard.archive.delete_image(upload.id)
        await yard.scheduler.drop_the_deleted()
        assert (await watching)[-1].is_final
        assert (await yard.end(after)).state is State.DONE
        for recipe in (running, waiting):
            with pytest.raises(UnknownVisualization):
                yard.scheduler.snapshot(recipe.id)

    tell(story)


async def all_of(yard: Yard, recipe: Visualization) -> list[Snapshot]:
    return [snapshot async for snapshot in yard.scheduler.watch(recipe.id)]


def test_the_house_stands_back_for_people(tell: Teller) -> None:
    async def story(yard: Yard) -> None:
        idle, joined, annas = (wanted(number=n, steps=40) for n in range(3))
        assert (await yard.scheduler.ask(idle, None)).is_idle
        await yard.step(idle, 5)
        await yard.ask(annas)
        await until(lambda: yard.state(annas) is State.RUNNING)
        assert yard.state(idle) is State.QUEUED
        await yard.scheduler.ask(joined, None)
        job = await yard.end(annas)
        assert job.state is State.DONE
        assert (await yard.end(idle)).deaths == 0
        assert (await yard.end(idle)).state is State.DONE
        await yard.step(joined, 2)
        await yard.ask(joined, "bo")
        after = wanted(number=9, steps=100_000)
        await yard.ask(after, "anna")
        assert (await yard.end(joined)).state is State.DONE, "what a person wants is not put off"
        assert yard.state(after) is not State.DONE

    tell(story)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "data"


def test_a_restart_goes_on_with_what_ran_and_what_waited(folder: Path) -> None:
    running, waiting, kept = wanted(number=1, steps=60), wanted(number=2), wanted(number=3)

    async def before() -> None:
        yard = Yard(folder)
        async with yard.at_work():
            await yard.ask(running)
            await yard.step(running, 2)
            await yard.ask(waiting)
            # As if the power had failed between the result and the word that it is done.
            await yard.ask(kept)
            yard.scheduler.jobs.move(kept.id, State.RUNNING)
            yard.archive.keep_result(kept.key, {"first": True}, None, "", None)

    async def after() -> None:
        yard = Yard(folder)
        assert yard.state(running) is State.RUNNING, "it was interrupted, not stopped"
        async with yard.at_work():
            for recipe in (running, waiting, kept):
                job = await yard.end(recipe)
                assert (job.state, job.deaths) == (State.DONE, 0)
            result = yard.archive.result(kept.key)
            assert result is not None
            assert result.facts == {"first": True}
            assert yard.scheduler.is_idle

    asyncio.run(before())
    asyncio.run(after())


@pytest.mark.parametrize("for_real", [False, True])
def test_the_end_of_the_server_does_not_wait_for_a_device_that_hangs(
    folder: Path, for_real: bool
) -> None:
    async def story() -> None:
        yard = Yard(folder, for_real=for_real)
        async with yard.at_work():
            await yard.ask(wanted("stuck"))
            await until(lambda: yard.state(wanted("stuck")) is State.RUNNING)

    asyncio.run(story())  # it sleeps for an hour
