"""Visualizations: what is made step by step, asked for by recipe and known by its id."""

import asyncio
import time
from collections.abc import AsyncIterator

from app.archive import Result
from app.errors import (
    EmptyCollection,
    ModelUnavailable,
    NoClassifier,
    UnknownChannel,
    UnknownClass,
    UnknownLayer,
)
from app.settings import Settings
from app.studio.answers import Answers
from app.studio.collections.folders import Collection
from app.studio.collections.index import Indexed
from app.studio.jobs.board import Snapshot
from app.studio.jobs.job import Asker, Job, State
from app.studio.jobs.scheduler import Scheduler
from app.studio.recipes import (
    CHANGED,
    Atlas,
    ChannelImage,
    ClassImage,
    JobRecipe,
    Occlusion,
    OfCollection,
    OfPicture,
    PhotoMap,
    Reconstruction,
    Strip,
)
from app.zoo.described import NetworkDescription

#: Jobs that are listed unless another number is asked for.
MOST_LISTED = 60


class Visualizations(Answers):
    """The jobs' half of the studio."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.scheduler = Scheduler(settings, self.archive, lambda: self.engine)
        self.collections = self.scheduler.collections

    async def ask(self, recipe: JobRecipe, asker: str, address: str = "") -> Job:
        """Have something made, or join those who wait for it; done at once if it is there.

        address: where from, of one who came without a cookie. Raises what is wrong with the recipe,
        TooManyJobs and QueueFull.
        """
        complete = await self.checked(recipe)
        who = Asker(complete.id, asker, address, time.time())
        return await self.scheduler.ask(complete, who)

    async def checked(self, recipe: JobRecipe) -> JobRecipe:
        """The recipe with the hash of the weights in it. Raises UnknownLayer, UnknownChannel…"""
        await asyncio.to_thread(self._require_weights, recipe.model)
        _check(recipe, await self.description(recipe.model))
        complete = await asyncio.to_thread(self._complete_now, recipe)
        if complete is None:  # the weights were changed on disk since the lines above
            raise ModelUnavailable(model=recipe.model, reason=CHANGED)
        return complete

    def _complete_now(self, recipe: JobRecipe) -> JobRecipe | None:
        """The complete recipe, if its picture or photos are there."""
        if isinstance(recipe, OfPicture):
            self.archive.image(recipe.image)
        if isinstance(recipe, OfCollection) and not self.collections.members(recipe):
            raise EmptyCollection(collection=recipe.collection)
        return self.complete(recipe)

    def indexed(self, collection: Collection, model: str) -> Indexed | None:
        """The index of a collection for a network: of its photos as they are, or as they were.

        None while there is none. Raises UnknownModel.
        """
        complete = self.complete(collection.index(model))
        if complete is None:
            return None
        result = self.archive.result(complete.key)
        if result is not None:
            return Indexed(collection, complete.id, result, self.archive)
        job = self.scheduler.jobs.index_of(complete)
        older = self.archive.result(job.recipe.key) if job else None
        return Indexed(collection, job.id, older, self.archive) if job and older else None

    def job(self, id: str) -> Job:
        """A job as it is now. Raises UnknownVisualization."""
        return self.scheduler.jobs.job(id)

    def snapshot(self, id: str) -> Snapshot:
        """How far a job is now. Raises UnknownVisualization."""
        return self.scheduler.snapshot(id)

    def watch(self, id: str) -> AsyncIterator[Snapshot]:
        """The state of now, then the newest, at most 10 per second; ends after a final one."""
        return self.scheduler.watch(id)

    async def cancel(self, id: str, asker: str | None, address: str = "") -> Job:
        """Let one who asked leave; the job stops when nobody else wants it.

        asker None: one of those who asked without a cookie from this address. Raises
        UnknownVisualization, NotCancellable and NotAsked.
        """
        return await self.scheduler.cancel(id, asker, address)

    def outcome(self, id: str) -> Result | None:
        """What came of a job, undamaged; None when it is not done, or gone."""
        job = self.job(id)
        return self.scheduler.whole(job.recipe) if job.state is State.DONE else None

    def part(self, id: str, name: str) -> bytes | None:
        """A further file of what came of a job, checked by its hash; None when there is none."""
        result = self.archive.result(self.job(id).recipe.key)
        return self.archive.part(result, name) if result else None

    def jobs_of(self, asker: str, limit: int = MOST_LISTED) -> list[Job]:
        """What somebody asked for, newest first."""
        return self.scheduler.jobs.of(asker, limit)

    def wants(self, id: str, asker: str) -> bool:
        """Whether somebody asked for a job and has not left it to others since."""
        return any(who.asker == asker for who in self.scheduler.jobs.askers(id))

    def finished(self, limit: int = MOST_LISTED) -> list[Job]:
        """What is done and may be seen by all, newest first."""
        return self.scheduler.jobs.finished(limit)

    async def active_jobs(self) -> tuple[list[tuple[Job, Snapshot]], list[Job]]:
        """(what the devices make step by step, and how far that is; what waits, in order)."""
        return await self.scheduler.active()

    def job_counts(self) -> dict[State, int]:
        """How many jobs there are in each state."""
        return self.scheduler.jobs.counts()


def _check(recipe: JobRecipe, network: NetworkDescription) -> None:
    """Raise what in a recipe this network does not have."""
    title, layers = network["title"], {layer["name"]: layer for layer in network["layers"]}
    wanted: tuple[str, ...] = ()
    match recipe:
        case ClassImage() | Occlusion():
            if not network["classes"]:
                raise NoClassifier(model=title)
            if not 0 <= recipe.class_ < network["classes"]:
                raise UnknownClass(model=title, classes=network["classes"], number=recipe.class_)
        case Strip():
            wanted = recipe.layers
        case ChannelImage() | Atlas() | Reconstruction() | PhotoMap():
            wanted = (recipe.layer,)
    for layer in wanted:
        if layer not in layers:
            raise UnknownLayer(model=title, layer=layer)
    if isinstance(recipe, ChannelImage):
        channels = layers[recipe.layer]["shape"][0]
        if not 0 <= recipe.channel < channels:
            raise UnknownChannel(layer=recipe.layer, channels=channels, channel=recipe.channel)
