"""Idle work: what the machine makes when nobody wants anything.

First the indices of the collections that all may see, so that channels have their photos; then some
pictures for the start page; then what the lecture shows.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import structlog

from app.errors import LaternaError, UnknownVisualization
from app.studio import lecture
from app.studio.jobs.job import State
from app.studio.recipes import ChannelImage, ClassImage, JobRecipe
from app.zoo.described import NetworkDescription

if TYPE_CHECKING:
    from app.studio.visualizations import Visualizations

log = structlog.get_logger("laterna.jobs")
#: Seconds without a request before one is begun, and between two looks.
QUIET, LOOK = 20.0, 1.0
#: Seconds until it is looked again whether there is anything new to make.
AGAIN = 60.0
#: Classes of ImageNet with a shape of their own: flamingo, ladybug, volcano, daisy.
CLASSES = (130, 301, 980, 985)
#: How deep the layers lie whose middle channels are shown, and of which kinds they are if possible:
#: after an activation function a channel is most of its own.
DEPTHS, KINDS = (0.4, 0.7), ("LU", "swish")


def pictures(network: NetworkDescription) -> Iterator[JobRecipe]:
    """Some classes and channels of a network, from its description."""
    name = network["name"]
    for number in CLASSES:
        if number < network["classes"]:
            yield ClassImage(model=name, class_=number)
    maps = [layer for layer in network["layers"] if len(layer["shape"]) == 3]
    maps = [layer for layer in maps if any(kind in layer["kind"] for kind in KINDS)] or maps
    for depth in DEPTHS if maps else ():
        layer = maps[int(depth * len(maps))]
        yield ChannelImage(model=name, layer=layer["name"], channel=layer["shape"][0] // 2)


def indices(studio: "Visualizations") -> Iterator[JobRecipe]:
    """What the default network makes of every collection that is everybody's."""
    for collection in studio.collections.all(None):
        if collection.photos and not collection.whose:
            yield collection.index(studio.settings.default_model)


async def make(studio: "Visualizations") -> None:
    """Make what is not there yet of the default network, one at a time, again and again: photos
    may be added to a collection, and weights fetched, at any time.
    """
    if not studio.settings.idle_pictures or studio.engine.has_faults:
        return
    while True:
        await _quiet(studio)
        for recipe in await _wanted(studio):
            await _quiet(studio)
            with _told(recipe):
                await _made(studio, recipe)
        await asyncio.sleep(AGAIN)


async def _wanted(studio: "Visualizations") -> list[JobRecipe]:
    """What may be made by now; [] while the default network cannot be used."""
    try:
        network = await studio.description(studio.settings.default_model)
    except LaternaError as error:
        log.info("no idle work", reason=str(error))
        return []
    collections = await asyncio.to_thread(lambda: [*indices(studio)])
    return [*collections, *pictures(network), *lecture.pictures(network)]


async def _made(studio: "Visualizations", recipe: JobRecipe) -> None:
    """Have it made, if it is not there, and wait until that is over."""
    complete = await studio.checked(recipe)
    if await asyncio.to_thread(_is_wanted, studio, complete):
        job = await studio.scheduler.ask(complete, None)
        async for _ in studio.watch(job.id):
            pass


@contextmanager
def _told(recipe: JobRecipe) -> Iterator[None]:
    """Whatever hinders one piece of work hinders no other."""
    try:
        yield
    except LaternaError as error:
        log.info("idle work left out", recipe=recipe.title, reason=str(error))
    except Exception:
        log.exception("idle work left out", recipe=recipe.title)


def _is_wanted(studio: "Visualizations", recipe: JobRecipe) -> bool:
    """Whether it is not there, and nobody has stopped it or seen it fail."""
    try:
        return studio.job(recipe.id).state is State.UNMADE
    except UnknownVisualization:
        return True


async def _quiet(studio: "Visualizations") -> None:
    """Wait until nobody has wanted anything for a while."""
    # Nothing tells that nothing happens.
    while (  # noqa: ASYNC110
        studio.engine.quiet_seconds < QUIET
        or not studio.scheduler.is_idle
        or not studio.engine.places
    ):
        await asyncio.sleep(LOOK)
