"""Comparison: descriptions of networks -> depth, parameters by layer, multiply-adds, memory."""

import asyncio
from math import prod
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from app.errors import Words, WrongField
from app.studio.studio import Studio
from app.web import pages, pickers, urls
from app.web.api import failures
from app.web.api.schemas import lecture as schemas
from app.web.dependencies import TheStudio, description
from app.zoo.arithmetic import FLOAT
from app.zoo.described import CONVOLUTIONS, LayerDescription, NetworkDescription

router = APIRouter()
#: The three of the lecture, as torchvision has them, and as they were published.
LECTURE = ("alexnet", "vgg16", "googlenet")
PUBLISHED = ("alexnet-2012", "vgg16", "googlenet-2014")
#: Networks that fit beside each other, and how long their names may be.
MOST, LONGEST = 6, 500
#: So many layers of each picture are links, the largest; more would make the page heavy.
MOST_LINKED = 20
CONNECTED = ("fully connected",)
WEIGHTED = CONVOLUTIONS + CONNECTED

ModelsQuery = Annotated[
    list[Annotated[str, Query(max_length=LONGEST)]] | None,
    Query(description="Names of networks, with commas between them or one each.", max_length=MOST),
]


def singles(layers: list[LayerDescription]) -> list[LayerDescription]:
    """The layers that are not put together of others."""
    blocks = {layer["block"] for layer in layers}
    return [layer for layer in layers if layer["name"] not in blocks]


def depth(layers: list[LayerDescription]) -> int:
    """Layers with weights on the longest way from the picture to the last layer."""
    reached: dict[str, int] = {}
    inside: dict[str, int] = {}
    for layer in layers:
        name, block = layer["name"], layer["block"]
        before = max((reached.get(read, 0) for read in layer["inputs"]), default=0)
        reached[name] = max(before + (layer["kind"] in WEIGHTED), inside.get(name, 0))
        inside[block] = max(inside.get(block, 0), reached[name])
    return max(reached.values(), default=0)


def memory(layers: list[LayerDescription], parameters: int) -> schemas.Memory:
    """What a network needs for one picture."""
    alone = singles(layers)
    outputs = [prod(layer["shape"]) for layer in alone]
    at_once = [prod(layer["given"]) + made for layer, made in zip(alone, outputs, strict=True)]
    return schemas.Memory(
        weights=FLOAT * parameters,
        kept=FLOAT * sum(outputs),
        most_at_once=FLOAT * max(at_once, default=0),
    )


def architecture(described: NetworkDescription) -> schemas.Architecture:
    """A described network in the numbers that are compared."""
    layers = described["layers"]
    weighed = [
        schemas.Weighed(
            name=layer["name"],
            what=_what(layer["kind"]),
            parameters=layer["parameters"],
            multiply_adds=layer["multiply_adds"],
        )
        for layer in singles(layers)
        if layer["parameters"]
    ]
    return schemas.Architecture(
        name=described["name"],
        title=described["title"],
        trained=described["trained"],
        url=urls.model(described["name"]),
        input_size=described["input_size"],
        depth=depth(layers),
        parameters=described["parameters"],
        multiply_adds=described["multiply_adds"],
        head=sum(layer.parameters for layer in weighed if layer.what == "connected"),
        memory=memory(layers, described["parameters"]),
        layers=weighed,
    )


def _what(kind: str) -> Literal["convolution", "connected", "other"]:
    return "convolution" if kind in CONVOLUTIONS else "connected" if kind in CONNECTED else "other"


async def compared(studio: Studio, asked: list[str] | None) -> list[schemas.Architecture]:
    """The networks that were asked for; if none, those of the lecture's three that there are.

    Raises UnknownModel.
    """
    wanted = [name.strip() for part in asked or () for name in part.split(",")]
    names = list(dict.fromkeys(name for name in wanted if name))
    if not names:
        entries = await asyncio.to_thread(studio.catalogue.entries)
        there = {entry.name for entry in entries if entry.problem is None}
        names = [name for name in LECTURE if name in there] or sorted(there)[:1]
    if len(names) > MOST:
        allowed = Words("it may have {max_length} entries at most.", max_length=MOST)
        raise WrongField(field="models", allowed=allowed)
    return [architecture(await description(studio, name)) for name in names]


@router.get(urls.ARCHITECTURES + urls.JSON, responses=failures.MADE)
async def architectures_json(
    studio: TheStudio, models: ModelsQuery = None
) -> schemas.Architectures:
    """Networks compared: depth, parameters by layer, multiply-adds, memory in bytes."""
    return schemas.Architectures(models=await compared(studio, models))


@router.get(urls.ARCHITECTURES, include_in_schema=False)
async def architectures_page(
    request: Request, studio: TheStudio, models: ModelsQuery = None
) -> Response:
    """Networks compared, the lecture's three unless others are asked for."""
    found = await compared(studio, models)
    return pages.respond(
        request,
        "networks/comparison.html",
        found=found,
        names=[each.name for each in found],
        all=await listed(studio),
        most=MOST,
        linked=MOST_LINKED,
        lecture=",".join(LECTURE),
        published=",".join(PUBLISHED),
    )


async def listed(studio: Studio) -> list[pickers.ModelRow]:
    """Networks that can be compared: all but those whose architecture is not known."""
    return [row for row in await pickers.rows(studio) if row["parameters"]]
