"""Job requests: where jobs are asked for, left, and looked at while they wait or run.

Every change of a job is made under one lock, in the index first; only then its task is stopped.
So a task that is cancelled has nothing left to say, whoever stopped it and why.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

from app.archive import Archive, Result
from app.errors import (
    NotAsked,
    NotCancellable,
    QueueFull,
    TooManyJobs,
)
from app.settings import Settings
from app.studio.collections.folders import Collections
from app.studio.engine import Engine
from app.studio.jobs.board import Board, Snapshot
from app.studio.jobs.job import Asker, Job, State
from app.studio.jobs.queue import JobQueue
from app.studio.jobs.store import JobStore
from app.studio.recipes import JobRecipe


@dataclass
class Work:
    """A job that was taken from the queue. is_idle: nobody wants it but the idle machine."""

    task: asyncio.Task[None]
    is_idle: bool


class JobRequests:
    """Jobs that wait and run. One event loop's; its methods are called there."""

    def __init__(self, settings: Settings, archive: Archive, engine: Callable[[], Engine]) -> None:
        self._settings, self._archive, self._engine = settings, archive, engine
        self.jobs = JobStore(archive.index)
        self.collections = Collections(settings, archive)
        self.board = Board()
        self._queue = JobQueue()
        self._work: dict[str, Work] = {}
        self._changing = asyncio.Lock()
        self._handing_out = False
        self._news = asyncio.Event()

    async def ask(self, recipe: JobRecipe, who: Asker | None) -> Job:
        """Let a recipe wait, once for all who want it; None: for the idle machine.

        Raises TooManyJobs, QueueFull, DiskFull, and UnknownImage when its picture is gone.
        """
        async with self._changing:
            is_on_its_way = recipe.id in self._queue or recipe.id in self._work
            if not is_on_its_way and await asyncio.to_thread(self.whole, recipe) is not None:
                return await asyncio.to_thread(self.jobs.made, recipe, who)
            if who is not None:
                self._require_room(recipe.id, who.person)
            job = await asyncio.to_thread(self.jobs.ask, recipe, who)
            people = await asyncio.to_thread(self.people, job.id)
            if job.state is State.QUEUED:
                self._queue.add(job.id, people)
            elif job.id in self._work:
                self._work[job.id].is_idle = not people
            self._news.set()
            return job

    def _require_room(self, id: str, person: str) -> None:
        """A place for one job more of this person, unless that is there already."""
        if id in self._queue or id in self._work:
            return
        limit = self._settings.jobs_per_person
        if self._queue.count_of(person) >= limit:
            raise TooManyJobs(limit=limit)
        if len(self._queue) >= self._settings.jobs_max:
            raise QueueFull()

    async def cancel(self, id: str, asker: str | None, address: str) -> Job:
        """Let one leave; what nobody wants any more is stopped.

        Raises UnknownVisualization, NotCancellable and NotAsked.
        """
        async with self._changing:
            job = await asyncio.to_thread(self.jobs.job, id)
            if job.state is State.CANCELLED:
                return job
            if not job.is_active:
                raise NotCancellable()
            leaving = _asker_of(await asyncio.to_thread(self.jobs.askers, id), asker, address)
            if leaving is None:
                raise NotAsked()
            left = await asyncio.to_thread(self.jobs.leave, id, leaving.asker)
            if left:
                people = await asyncio.to_thread(self.people, id)
                if id in self._queue:
                    self._queue.want(id, people)
                self._news.set()
                return job
            self._drop(id)
            return await asyncio.to_thread(self.jobs.job, id)

    async def drop_the_deleted(self) -> None:
        """Pictures were deleted, and with them all jobs that needed them: stop those."""
        on_their_way = [*self._queue.order(), *self._work]
        for id in await asyncio.to_thread(self.jobs.gone, on_their_way):
            self._drop(id)

    def _drop(self, id: str) -> None:
        """Stop a job that is cancelled or gone; those who watch are told."""
        self._queue.remove(id)
        if id in self._work:
            self._work[id].task.cancel()
        self.board.post(Snapshot(id, State.CANCELLED))
        self._news.set()

    def whole(self, recipe: JobRecipe) -> Result | None:
        """What came of a recipe, if it is there and none of its files is damaged."""
        return self._archive.whole_result(recipe.key)

    def snapshot(self, id: str) -> Snapshot:
        """How far a job is; of one that neither waits nor runs a row is read, in microseconds.

        Raises UnknownVisualization.
        """
        running = self.board.latest(id)
        if running is not None:
            return running
        job = self.jobs.job(id)
        if id in self._queue:
            return self._waiting(id)
        return Snapshot(id, job.state, seconds=job.seconds or 0.0, error=job.error)

    def watch(self, id: str) -> AsyncIterator[Snapshot]:
        """The state of now, then the newest; ends after a final one."""
        return self.board.watch(self.snapshot(id))

    async def active(self) -> tuple[list[tuple[Job, Snapshot]], list[Job]]:
        """(what the devices make, and how far that is; what waits, in order)."""
        found = {job.id: job for job in await asyncio.to_thread(self.jobs.active)}
        latest = ((job, self.board.latest(id)) for id, job in found.items())
        running = [(job, snapshot) for job, snapshot in latest if snapshot is not None]
        return running, [found[id] for id in self._queue.order() if id in found]

    @property
    def is_idle(self) -> bool:
        """Whether nothing waits or runs, nor is between the two."""
        return not self._queue and not self._work and not self._handing_out

    def people(self, id: str) -> set[str]:
        """Who wants a job, as far as turns go; not for the event loop."""
        return {who.person for who in self.jobs.askers(id)}

    def _post_positions(self) -> None:
        """Tell those who watch jobs in line where these are."""
        for id in self._queue.order():
            if self.board.is_watched(id):
                self.board.post(self._waiting(id))

    def _waiting(self, id: str) -> Snapshot:
        return Snapshot(id, State.QUEUED, position=self._queue.order().index(id) + 1)


def _asker_of(askers: list[Asker], asker: str | None, address: str) -> Asker | None:
    """Which of those who want a job speaks: by name, or one without a cookie by the address."""
    for who in askers:
        if who.asker == asker or (asker is None and address and who.address == address):
            return who
    return None
