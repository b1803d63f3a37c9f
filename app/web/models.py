"""Networks: the list, one network with its layers, and its classes."""

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from app.errors import NoClassifier
from app.studio import networks
from app.studio.networks import Card
from app.studio.studio import Studio
from app.web import arithmetic, failures, languages, pages, twins, urls
from app.web.given import TheStudio, description
from app.zoo.catalogue import Entry

router = APIRouter()
MOST_CLASSES = 50


def row(card: Card) -> dict[str, Any]:
    """A network as the list shows it, in the language of this request."""
    return {
        "name": card.name,
        "title": card.title,
        "status": card.status,
        "input_size": card.input_size,
        "parameters": card.parameters,
        "classes": card.classes,
        "url": urls.model(card.name),
        "note": card.reason.message(languages.gettext) if card.reason else "",
        "untrained_url": urls.untrained(card.name) if card.can_open_untrained else None,
    }


async def rows(studio: Studio) -> list[dict[str, Any]]:
    """All networks, the default first."""
    return [row(card) for card in await studio.models()]


@router.get(urls.MODELS + urls.JSON, response_model=twins.Models)
async def models_json(request: Request, studio: TheStudio) -> dict[str, Any]:
    """All networks, and which of them can be used now."""
    return {"models": await rows(studio)}


@router.get(urls.MODELS, include_in_schema=False)
async def models_page(request: Request, studio: TheStudio) -> Response:
    """All networks."""
    return pages.respond(request, "models.html", models=await rows(studio))


def with_urls(described: dict[str, Any]) -> dict[str, Any]:
    """A description in which every layer has its address; the graph has an address of its own."""
    name = described["name"]
    described = {said: value for said, value in described.items() if said != "graph"}
    layers = [layer | {"url": urls.layer(name, layer["name"])} for layer in described["layers"]]
    return described | {"layers": layers, "url": urls.model(name)}


def grouped(layers: list[dict[str, Any]]) -> list[tuple[str, list[dict[str, Any]]]]:
    """Layers in their order, those of one outermost block together: ("" for none, layers)."""
    holders = {layer["name"]: layer.get("block", "") for layer in layers}
    blocks = set(holders.values())
    groups: list[tuple[str, list[dict[str, Any]]]] = []
    for layer in layers:
        block = _outermost(layer["name"], holders, blocks)
        if groups and groups[-1][0] == block:
            groups[-1][1].append(layer)
        else:
            groups.append((block, [layer]))
    return groups


def _outermost(name: str, holders: dict[str, str], blocks: set[str]) -> str:
    while holders.get(name):
        name = holders[name]
    return name if name in blocks else ""


@router.get(urls.CLASSES + urls.JSON, response_model=twins.Classes, responses=failures.MADE)
async def classes_json(
    studio: TheStudio, model: str, q: Annotated[str, Query(max_length=100)] = ""
) -> dict[str, Any]:
    """The classes of a network whose label or number fits `q`."""
    described = await description(studio, model)
    return {"classes": found_classes(described, q)}


@router.get(urls.CLASSES, include_in_schema=False)
async def classes_page(
    request: Request,
    studio: TheStudio,
    model: str,
    q: Annotated[str, Query(max_length=100)] = "",
) -> Response:
    """The class search of a network."""
    described = await description(studio, model)
    return pages.respond(
        request,
        "classes.html",
        model=described,
        q=q,
        classes=found_classes(described, q)[:MOST_CLASSES],
        found=len(found_classes(described, q)),
    )


def found_classes(described: dict[str, Any], q: str) -> list[dict[str, Any]]:
    """Classes by label (any word order) or number; all of them for an empty search."""
    labels = described.get("labels") or []
    if not labels:
        raise NoClassifier(model=described["title"])
    words = q.casefold().split()
    return [
        {"class": number, "label": label}
        for number, label in enumerate(labels)
        if all(word in label.casefold() for word in words) or q.strip() == str(number)
    ]


@router.get(urls.MODEL + urls.JSON, response_model=twins.Model, responses=failures.MADE)
async def model_json(studio: TheStudio, model: str) -> dict[str, Any]:
    """A network: where it is from, how pictures are prepared for it, and all its layers."""
    return with_urls(await description(studio, model))


@router.get(urls.MODEL, include_in_schema=False)
async def model_page(request: Request, studio: TheStudio, model: str) -> Response:
    """A network."""
    described = await description(studio, model)
    return pages.respond(
        request,
        "model.html",
        model=described,
        groups=grouped(described["layers"]),
        samples=studio.sample_images(),
        usable=await usable(studio, model),
        explaining=arithmetic.explaining(described),
    )


async def usable(studio: Studio, model: str) -> dict[str, Any] | None:
    """A network's row: it can be run on pictures, or says why not; None for untrained ones."""
    entry = studio.catalogue.entry(model)
    if not entry.trained:
        return None
    online = not entry.present and await studio.fetcher.reachable()
    return row(networks.card(entry, studio, online))


async def ready(studio: Studio) -> list[Entry]:
    """The networks that can be run now, without asking anybody else."""
    entries = await asyncio.to_thread(studio.catalogue.entries)
    return [entry for entry in entries if entry.present and not entry.problem]
