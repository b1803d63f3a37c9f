"""Indexed: what a network made of a collection: which channels of which layers answer to it."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Annotated, Literal, TypeVar

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from app.errors import NotIndexed, UnknownVisualization
from app.studio.collections.folders import Collection
from app.studio.collections.index import Indexed
from app.studio.collections.listing import MOST_NOTED
from app.studio.collections.records import RARE, ChannelRecord
from app.studio.jobs.job import Job
from app.studio.studio import Studio
from app.web import pages, urls
from app.web.api import failures
from app.web.api.schemas import collections as schemas
from app.web.api.schemas.images import SilentRow
from app.web.collections import notes
from app.web.collections.photos import collection_of, title
from app.web.curves import curve
from app.web.dependencies import (
    TheStudio,
    check_channel,
    description,
    layer_of,
    neighbours,
    obstacle,
)
from app.web.sessions import Owner
from app.web.visualizations import view
from app.zoo.described import NetworkDescription

router = APIRouter()
#: Channels on one page of a layer.
MOST_SHOWN = 100
Order = Literal["rarest", "channel", "highest"]


async def _looked(
    studio: Studio, owner: str | None, name: str, model: str
) -> tuple[Collection, NetworkDescription, Indexed | None]:
    """(the collection, the network, what it made of the photos). Raises what is not there."""
    found = await collection_of(studio, name, owner)
    described = await description(studio, model)
    return found, described, await asyncio.to_thread(studio.indexed, found, model)


def _job(studio: Studio, collection: Collection, model: str) -> Job | None:
    """The job that looks, or looked, through a collection as it is now."""
    complete = studio.complete(collection.index(model))
    if complete is not None:
        with suppress(UnknownVisualization):
            return studio.job(complete.id)
    return None


def _rows(described: NetworkDescription, index: Indexed) -> list[schemas.IndexedLayerRow]:
    """A row for each layer, in the order they run."""
    return [
        {
            **known,
            "name": layer["name"],
            "kind": layer["kind"],
            "share_dead": known["dead"] / known["channels"],
            "url": urls.collection_layer(index.collection.name, described["name"], layer["name"]),
        }
        for layer in described["layers"]
        if (known := index.layers.get(layer["name"]))
    ]


Row = TypeVar("Row", schemas.IndexedLayerRow, SilentRow)


def answering(rows: list[Row]) -> list[Row]:
    """The layers of which "never fires" says something: nothing in them is below zero."""
    return [row for row in rows if not row["signed"]]


@router.get(
    urls.COLLECTION_LAYER + urls.JSON,
    responses=failures.MADE,
)
async def layer_json(
    studio: TheStudio, owner: Owner, collection: str, model: str, layer: str
) -> schemas.CollectionLayer:
    """Activations of each channel of a layer over a collection's photos."""
    found, described, index = await _looked(studio, owner, collection, model)
    layer_of(described, layer)
    if index is None:
        raise NotIndexed(model=described["title"], collection=title(found))
    rows = await asyncio.to_thread(_channels, index, model, layer)
    return schemas.CollectionLayer(
        collection=found.name,
        model=model,
        layer=layer,
        photos=_photos(index),
        current=index.is_current,
        dead=[row["channel"] for row in rows if row["fired"] == 0],
        rare=[row["channel"] for row in rows if _is_rare(row, index)],
        channels=rows,
    )


def _photos(index: Indexed) -> int:
    """How many photos could be read."""
    return sum(not photo.get("unreadable") for photo in index.photos)


def _is_rare(row: schemas.IndexedChannelRow, index: Indexed) -> bool:
    return bool(0 < row["fired"] < RARE * _photos(index))


def _channels(index: Indexed, model: str, layer: str) -> list[schemas.IndexedChannelRow]:
    rows = enumerate(index.channels(layer))
    return [_channel(index, model, layer, n, record) for n, record in rows]


def _channel(
    index: Indexed, model: str, layer: str, channel: int, record: ChannelRecord
) -> schemas.IndexedChannelRow:
    best = record.best[0].photo if record.best and record.fired else None
    return {
        "channel": channel,
        "fired": record.fired,
        "mean": record.mean,
        "high": record.high,
        "share_active": record.share_active,
        "best": None if best is None else index.photos[best]["name"],
        "url": urls.channel(model, layer, channel, collection=index.collection.name),
    }


ORDERS: dict[Order, Callable[[schemas.IndexedChannelRow], tuple[float, ...]]] = {
    "rarest": lambda row: (row["fired"], row["share_active"], row["channel"]),
    "channel": lambda row: (row["channel"],),
    "highest": lambda row: (-row["high"], row["channel"]),
}


@router.get(urls.COLLECTION_LAYER, include_in_schema=False)
async def layer_page(
    request: Request,
    studio: TheStudio,
    owner: Owner,
    collection: str,
    model: str,
    layer: str,
    sort: Order = "rarest",
    first: Annotated[int, Query(ge=0)] = 0,
) -> Response:
    """A layer's channels by how often they fire for a collection's photos."""
    found, described, index = await _looked(studio, owner, collection, model)
    shown = layer_of(described, layer)
    if index is None:
        return pages.go(urls.collection_model(collection, model))
    rows = sorted(await asyncio.to_thread(_channels, index, model, layer), key=ORDERS[sort])
    check_channel(shown, first)
    first = first // MOST_SHOWN * MOST_SHOWN
    before, after = neighbours(described, layer)
    return pages.respond(
        request,
        "collections/collection_layer.html",
        collection=found,
        title=title(found),
        model=described,
        layer=shown,
        facts=index.layer(layer),
        photos=_photos(index),
        current=index.is_current,
        dead=sorted(row["channel"] for row in rows if row["fired"] == 0),
        rare=sorted(row["channel"] for row in rows if _is_rare(row, index)),
        rows=rows[first : first + MOST_SHOWN],
        shares=sorted((row["fired"] / max(1, _photos(index)) for row in rows), reverse=True),
        sort=sort,
        orders=list(ORDERS),
        first=first,
        pages=range(0, len(rows), MOST_SHOWN),
        page_size=MOST_SHOWN,
        before=before,
        after=after,
    )


@router.get(
    urls.COLLECTION_MODEL + urls.JSON,
    responses=failures.MADE,
)
async def model_json(
    studio: TheStudio, owner: Owner, collection: str, model: str
) -> schemas.CollectionModel:
    """Activations of a network over a collection, layer by layer, once it is indexed."""
    found, described, index = await _looked(studio, owner, collection, model)
    job = await asyncio.to_thread(_job, studio, found, model)
    unreadable = notes.unreadable(index.photos) if index else []
    return schemas.CollectionModel(
        collection=found.name,
        model=model,
        state=job.state if job else "none",
        index=index.id if index else None,
        current=index is not None and index.is_current,
        photos=_photos(index) if index else 0,
        unreadable=unreadable[:MOST_NOTED],
        unreadable_count=len(unreadable),
        left_out=index.facts["left_out"] if index else 0,
        layers=_rows(described, index) if index else [],
    )


@router.get(urls.COLLECTION_MODEL, include_in_schema=False)
async def model_page(
    request: Request, studio: TheStudio, owner: Owner, collection: str, model: str
) -> Response:
    """What a network makes of a collection; its block `looking` is asked for while it looks."""
    found, described, index = await _looked(studio, owner, collection, model)
    job = await asyncio.to_thread(_job, studio, found, model)
    rows = _rows(described, index) if index else []
    return pages.respond(
        request,
        "collections/collection_model.html",
        collection=found,
        title=title(found),
        model=described,
        index=index,
        unreadable=notes.unreadable(index.photos) if index else [],
        photos=_photos(index) if index else 0,
        job=job,
        snapshot=studio.snapshot(job.id) if job else None,
        error=view.error(job.error) if job else None,
        rows=rows,
        curve=curve(answering(rows), "share_dead"),
        obstacle=(await obstacle(studio, model))[0],
    )
