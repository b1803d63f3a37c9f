"""What handlers are given: the studio, and what a path names."""

from typing import Annotated

from fastapi import Depends, Request

from app.errors import LaternaError, UnknownChannel, UnknownClass, UnknownLayer
from app.settings import Settings
from app.studio import networks
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
    described = studio.known(model) or await studio.description(model)
    return described | {"title": wording.network(described["title"])}


def obstacle(studio: Studio, model: str) -> tuple[str | None, str | None]:
    """(why a network cannot be run now, its untrained copy if that can), in this language."""
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
