"""What handlers are given: the studio, and what a path names."""

import asyncio
from typing import Annotated

from fastapi import Depends, Request

from app.archive import KeptImage, Result
from app.errors import LaternaError, UnknownChannel, UnknownClass, UnknownLayer
from app.settings import Settings
from app.studio import networks
from app.studio.recipes import Recipe
from app.studio.studio import Studio
from app.web import languages, urls, wording
from app.zoo.described import LayerDescription, NetworkDescription


async def studio(request: Request) -> Studio:
    """The studio behind this app."""
    found: Studio = request.app.state.studio
    return found


async def settings(request: Request) -> Settings:
    """The settings of this app."""
    found: Settings = request.app.state.settings
    return found


TheStudio = Annotated[Studio, Depends(studio)]
TheSettings = Annotated[Settings, Depends(settings)]


async def description(studio: Studio, model: str) -> NetworkDescription:
    """A network's description: at once when it is known, else from the device."""
    described = await known(studio, model) or await studio.description(model)
    return described | {"title": wording.network(described["title"])}


# What looks at the disk (the catalogue, the archive) does so beside the event loop.


async def known(studio: Studio, model: str) -> NetworkDescription | None:
    """A network's description if it was made before. Raises UnknownModel."""
    return await asyncio.to_thread(studio.known, model)


async def result_of(studio: Studio, recipe: Recipe) -> Result | None:
    """What came of a recipe if it was made before."""
    return await asyncio.to_thread(studio.made, recipe)


async def image_of(studio: Studio, image: str, owner: str | None) -> KeptImage:
    """A picture that this person may see. Raises UnknownImage, LostImage."""
    return await asyncio.to_thread(studio.image, image, owner)


async def sample_images(studio: Studio) -> list[KeptImage]:
    """The sample photos that are ready, in their order."""
    return await asyncio.to_thread(studio.sample_images)


async def all_images(studio: Studio, owner: str | None) -> list[KeptImage]:
    """What this person can choose from: the samples, then their own pictures, newest first."""
    return await asyncio.to_thread(lambda: [*studio.sample_images(), *studio.images_of(owner)])


async def obstacle(studio: Studio, model: str) -> tuple[str | None, str | None]:
    """(why a network cannot be run now, its untrained copy if that can), in this language."""
    return await asyncio.to_thread(_obstacle, studio, model)


def _obstacle(studio: Studio, model: str) -> tuple[str | None, str | None]:
    entry = studio.catalogue.entry(model)
    try:
        networks.require_weights(entry)
    except LaternaError as error:
        twin = None if entry.problem else urls.counterpart(model)
        return error.message(languages.gettext), twin
    return None, None


def layer_of(described: NetworkDescription, name: str) -> LayerDescription:
    """One layer of a described network; UnknownLayer when it has none of that name."""
    for layer in described["layers"]:
        if layer["name"] == name:
            return layer
    raise UnknownLayer(model=described["title"], layer=name)


def neighbours(described: NetworkDescription, name: str) -> tuple[str | None, str | None]:
    """The layers before and after one, in the order they run."""
    names = [layer["name"] for layer in described["layers"]]
    place = names.index(name)
    before = names[place - 1] if place else None
    return before, names[place + 1] if place + 1 < len(names) else None


def check_class(described: NetworkDescription, number: int) -> None:
    """Raise UnknownClass unless the network knows this class."""
    classes = len(described["labels"])
    if not 0 <= number < classes:
        raise UnknownClass(model=described["title"], classes=classes, number=number)


def check_channel(layer: LayerDescription, channel: int) -> None:
    """Raise UnknownChannel unless the layer has this channel."""
    channels = layer["shape"][0]
    if not 0 <= channel < channels:
        raise UnknownChannel(layer=layer["name"], channels=channels, channel=channel)
