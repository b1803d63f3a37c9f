"""Comparison: descriptions of networks -> depth, parameters by layer, multiply-adds, memory."""

import asyncio
from dataclasses import asdict, dataclass
from math import prod
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from app.errors import Words, WrongField
from app.studio.studio import Studio
from app.web import pages, pickers, urls
from app.web.api import failures, schemas
from app.web.dependencies import TheStudio, description
from app.zoo.arithmetic import FLOAT

router = APIRouter()
#: The three of the lecture, as torchvision has them, and as they were published.
LECTURE = ("alexnet", "vgg16", "googlenet")
PUBLISHED = ("alexnet-2012", "vgg16", "googlenet-2014")
#: Networks that fit beside each other, and how long their names may be.
MOST, LONGEST = 6, 500
#: So many layers of each picture are links, the largest; more would make the page heavy.
MOST_LINKED = 20
CONVOLUTIONS, CONNECTED = ("convolution", "transposed convolution"), ("fully connected",)
WEIGHTED = CONVOLUTIONS + CONNECTED

ModelsQuery = Annotated[
    list[Annotated[str, Query(max_length=LONGEST)]] | None,
    Query(description="Names of networks, with commas between them or one each.", max_length=MOST),
]


@dataclass(frozen=True)
class Memory:
    """Bytes in float32: of the weights; of every layer's output kept, as training needs it; of the
    most that one layer reads and makes."""

    weights: int
    kept: int
    most_at_once: int


@dataclass(frozen=True)
class Weighed:
    """A single layer and what it adds; `what`: "convolution", "connected" or "other"."""

    name: str
    what: str
    parameters: int
    multiply_adds: int


@dataclass(frozen=True)
class Architecture:
    """A network in the numbers that are compared.

    depth: layers with weights (convolutions and fully connected) on the longest way through it;
    head: parameters of its fully connected layers; layers: those that have parameters.
    """

    name: str
    title: str
    trained: bool
    url: str
    input_size: list[int]
    depth: int
    parameters: int
    multiply_adds: int
    head: int
    memory: Memory
    layers: list[Weighed]


def singles(layers: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The layers that are not put together of others."""
    blocks = {layer["block"] for layer in layers}
    return [layer for layer in layers if layer["name"] not in blocks]


def depth(layers: list[dict[str, Any]]) -> int:
    """Layers with weights on the longest way from the picture to the last layer."""
    reached: dict[str, int] = {}
    inside: dict[str, int] = {}
    for layer in layers:
        name, block = layer["name"], layer["block"]
        before = max((reached.get(read, 0) for read in layer["inputs"]), default=0)
        reached[name] = max(before + (layer["kind"] in WEIGHTED), inside.get(name, 0))
        inside[block] = max(inside.get(block, 0), reached[name])
    return max(reached.values(), default=0)


def memory(layers: list[dict[str, Any]], parameters: int) -> Memory:
    """What a network needs for one picture."""
    alone = singles(layers)
    outputs = [prod(layer["shape"]) for layer in alone]
    at_once = [prod(layer["given"]) + made for layer, made in zip(alone, outputs, strict=True)]
    return Memory(FLOAT * parameters, FLOAT * sum(outputs), FLOAT * max(at_once, default=0))


def architecture(described: dict[str, Any]) -> Architecture:
    """A described network in the numbers that are compared."""
    layers = described["layers"]
    weighed = [
        Weighed(layer["name"], _what(layer["kind"]), layer["parameters"], layer["multiply_adds"])
        for layer in singles(layers)
        if layer["parameters"]
    ]
    return Architecture(
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


def _what(kind: str) -> str:
    return "convolution" if kind in CONVOLUTIONS else "connected" if kind in CONNECTED else "other"


async def compared(studio: Studio, asked: list[str] | None) -> list[Architecture]:
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


@router.get(
    urls.ARCHITECTURES + urls.JSON, response_model=schemas.Architectures, responses=failures.MADE
)
async def architectures_json(studio: TheStudio, models: ModelsQuery = None) -> dict[str, Any]:
    """Networks compared: depth, parameters by layer, multiply-adds, memory in bytes."""
    return {"models": [asdict(each) for each in await compared(studio, models)]}


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


async def listed(studio: Studio) -> list[dict[str, Any]]:
    """Networks that can be compared: all but those whose architecture is not known."""
    return [row for row in await pickers.rows(studio) if row["parameters"]]
