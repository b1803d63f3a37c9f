"""The scheduler: hands jobs to devices, in turn, and writes down what becomes of each."""

import asyncio
from contextlib import suppress
from dataclasses import replace

import structlog

from app.errors import (
    DeviceAway,
    DiskFull,
    JobDied,
    JobTooLong,
    LaternaError,
    NotMade,
    Unexpected,
    UnknownVisualization,
)
from app.studio import lookup
from app.studio.collections.index import index_of
from app.studio.engine import Died, Step
from app.studio.jobs.board import JobProgress, Snapshot
from app.studio.jobs.job import Job, State
from app.studio.jobs.requests import JobRequests, Work
from app.studio.recipes import (
    JobRecipe,
    Made,
    OfCollection,
    OfPicture,
    PhotoMap,
    require_definition,
)

log = structlog.get_logger("laterna.jobs")
#: A job that the device dies of so often is not tried again by itself.
MOST_DEATHS = 3
#: Seconds until what found no room on the disk is tried again.
DISK_PAUSE = 1.0
#: Seconds that devices get to come to the end of a step when the server stops.
STOP_SECONDS = 0.3


class Scheduler(JobRequests):
    """Job requests, and the one who has them made."""

    async def work(self) -> None:
        """Hand out jobs until this is cancelled; go on where the last run of the server ended."""
        self._engine().on_ready = self._news.set
        try:
            await self._recover()
            while True:
                self._news.clear()
                await self._hand_out()
                self._post_positions()
                await self._news.wait()
        finally:
            await self._stop()

    async def _stop(self) -> None:
        """Leave the devices alone; what runs is said to run, until the next start."""
        tasks = [work.task for work in self._work.values()]
        for _ in range(2):  # the second time also from waiting for a device that hangs
            for task in tasks:
                task.cancel()
            if tasks:
                await asyncio.wait(tasks, timeout=STOP_SECONDS)

    async def _recover(self) -> None:
        """What ran when the server stopped waits again, unless its result was kept just before."""
        async with self._changing:
            for id, was_running, people in await asyncio.to_thread(self._left_over):
                if was_running:
                    self._queue.put_back(id, people)
                else:
                    self._queue.add(id, people)

    def _left_over(self) -> list[tuple[str, bool, set[str]]]:
        """(which job is to wait, whether it ran, who wants it) of those of the last run; their
        states are written down. In a thread, so the queue is left to the event loop.
        """
        found = []
        for job in self.jobs.active():
            was_running = job.state is State.RUNNING
            if was_running:
                is_kept = self._archive.result(job.recipe.key) is not None
                self.jobs.move(job.id, State.DONE if is_kept else State.QUEUED)
                if is_kept:
                    continue
            found.append((job.id, was_running, self.people(job.id)))
        return found

    async def _hand_out(self) -> None:
        """Give every free place the next job; people's jobs before idle ones."""
        async with self._changing:
            put_back = []
            self._handing_out = True
            try:
                while len(self._work) < self._engine().places and (id := self._queue.take()):
                    if id in self._work:  # asked for again while it is being stopped
                        put_back.append(id)
                        continue
                    try:
                        job = await asyncio.to_thread(self.jobs.move, id, State.RUNNING)
                        people = await asyncio.to_thread(self.people, id)
                    except UnknownVisualization:
                        continue
                    except Exception as error:  # a disk that is full, or fails: both may pass
                        if not isinstance(error, DiskFull):
                            log.exception("a job cannot be begun", job=id)
                        put_back.append(id)
                        asyncio.get_running_loop().call_later(DISK_PAUSE, self._news.set)
                        break
                    self._begin(job, is_idle=not people)
            finally:
                self._handing_out = False
                for id in put_back:
                    self._queue.add(id, await asyncio.to_thread(self.people, id))
            if self._queue.has_people():
                await self._preempt()

    def _begin(self, job: Job, is_idle: bool) -> None:
        task = asyncio.create_task(self._carry_out(job, is_idle))
        # Not in the task: one that is cancelled before it begins comes to no `finally`.
        task.add_done_callback(lambda done: self._clear(job.id, done))
        self._work[job.id] = Work(task, is_idle)

    def _clear(self, id: str, task: "asyncio.Task[None] | None") -> None:
        """The place of a job is free again, if it still has one by this task."""
        if id in self._work and self._work[id].task is task:
            del self._work[id]
            self._news.set()

    async def _preempt(self) -> None:
        """Let one job of the idle machine's wait again, unless one is about to make place."""
        if any(work.task.cancelling() for work in self._work.values()):
            return
        for id, work in self._work.items():
            if work.is_idle:
                with suppress(UnknownVisualization, DiskFull):
                    await asyncio.to_thread(self.jobs.move, id, State.QUEUED)
                    self._queue.add(id, ())
                    work.task.cancel()
                    self.board.post(Snapshot(id, State.QUEUED, position=len(self._queue)))
                return

    async def _carry_out(self, job: Job, is_idle: bool) -> None:
        progress = JobProgress(job.id)
        self.board.post(progress.snapshot())
        try:
            made = await self._made(job.recipe, progress, is_idle)
            # Nothing tells when a disk has room again.
            while (left := await self._unwritten(job, progress, made)) is not None:
                made = left
                await asyncio.sleep(DISK_PAUSE)
        except UnknownVisualization:
            self.board.post(Snapshot(job.id, State.CANCELLED))  # deleted with its picture
        finally:
            self._clear(job.id, asyncio.current_task())

    async def _made(
        self, recipe: JobRecipe, progress: JobProgress, is_idle: bool
    ) -> Made | Exception:
        """What the device makes of it, or why not."""
        task = asyncio.current_task()

        def on_step(step: Step) -> None:
            progress.hear(step)
            if task and not task.cancelling():  # else it has another state by now
                self.board.post(progress.snapshot())

        seconds = self._settings.job_seconds
        try:
            async with asyncio.timeout(seconds):
                collections = self.collections
                found = await asyncio.to_thread(
                    lookup.job_sources, recipe, self._archive, collections
                )
                return await self._engine().run(recipe, on_step, is_idle, found)
        except TimeoutError:
            return JobTooLong(seconds=max(1, round(seconds)))
        except (LaternaError, Died) as error:
            if isinstance(recipe, PhotoMap) and isinstance(error, NotMade):
                # A file of its index may be damaged: the index is made again.
                await asyncio.to_thread(self._archive.whole_result, index_of(recipe).key)
            return error
        except Exception:
            log.exception("unexpected", job=recipe.id)
            return Unexpected(request=f"job-{recipe.id[:8]}")

    async def _unwritten(
        self, job: Job, progress: JobProgress, made: Made | Exception
    ) -> Made | Exception | None:
        """Write down what became of it, the result first; what is still to be written, None for
        nothing: the same where there was no room, after any other failure that it failed.
        """
        try:
            async with self._changing:
                if isinstance(made, Made):
                    made = await self._kept(job.recipe, made)
                after = await asyncio.to_thread(self._ended, job, progress.seconds, made)
                if after.state is State.QUEUED:
                    people = await asyncio.to_thread(self.people, job.id)
                    self._queue.put_back(job.id, people)
            self.board.post(self._final(after, progress))
        except UnknownVisualization:
            raise
        except DiskFull:
            return made
        except Exception:  # no job may be said to run for ever, whatever this is
            log.exception("what became of a job cannot be written down", job=job.id)
            return Unexpected(request=f"job-{job.id[:8]}")
        return None

    async def _kept(self, recipe: JobRecipe, made: Made) -> Made | LaternaError:
        image = recipe.image if isinstance(recipe, OfPicture) else None
        images = _images(made) if isinstance(recipe, OfCollection) else []
        keep = self._archive.keep_result
        try:
            require_definition(recipe, made)
            await asyncio.to_thread(
                keep, recipe.key, made.facts, made.picture, made.media, image, made.parts, images
            )
        except LaternaError as error:
            return error
        except Exception:  # a disk that fails, not one that is full
            log.exception("a result cannot be kept", job=recipe.id)
            return Unexpected(request=f"job-{recipe.id[:8]}")
        return made

    def _ended(self, job: Job, seconds: float, made: Made | Exception) -> Job:
        """The job in its next state; as it is where that was written down by an earlier try."""
        if (known := self.jobs.job(job.id)).state is not State.RUNNING:
            return known
        match made:
            case Made():
                device = made.facts.get("device")
                return self.jobs.move(job.id, State.DONE, seconds=seconds, device=device)
            case Died() if job.deaths + 1 < MOST_DEATHS:
                log.warning("a job is tried again", job=job.id, deaths=job.deaths + 1)
                return self.jobs.move(job.id, State.QUEUED, deaths=job.deaths + 1)
            case Died():
                made = JobDied(times=MOST_DEATHS)
                return self.jobs.move(job.id, State.FAILED, deaths=MOST_DEATHS, error=made)
            case DeviceAway():
                return self.jobs.move(job.id, State.QUEUED)
        log.info("a job failed", job=job.id, reason=str(made))
        return self.jobs.move(job.id, State.FAILED, seconds=seconds, error=made)

    def _final(self, job: Job, progress: JobProgress) -> Snapshot:
        if job.is_active:
            position = self._queue.order().index(job.id) + 1 if job.id in self._queue else None
            return Snapshot(job.id, job.state, position=position)
        return replace(progress.snapshot(), state=job.state, error=job.error, left=None)


def _images(made: Made) -> list[str]:
    """Those of a collection's photos that are kept here, by their ids."""
    return [photo["image"] for photo in made.facts["photos"] if photo.get("image")]
