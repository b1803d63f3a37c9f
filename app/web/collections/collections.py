"""Collections: photos that belong together, and which networks have looked through them."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from app.studio.collections.folders import Collection, Photo
from app.studio.studio import Studio
from app.web import pages, pickers, urls
from app.web.api import failures
from app.web.api.schemas import collections as schemas
from app.web.collections import notes
from app.web.collections.photos import collection_of, picture, title
from app.web.dependencies import TheStudio
from app.web.sessions import Owner

router = APIRouter()
#: Photos on one page, and on a card in the list.
MOST_SHOWN, MOST_ON_CARD = 60, 4


def row(collection: Collection, photo: Photo) -> schemas.Photo:
    """A photo in JSON."""
    return {
        "n": photo.n,
        "name": photo.name,
        "label": photo.member.label,
        "wordnet": photo.member.wordnet,
        "image": photo.member.image or None,
        "picture": picture(collection, photo.n),
        "url": urls.collection_photo(collection.name, photo.n),
    }


async def _looked_through(studio: Studio, collection: Collection) -> list[schemas.LookedThrough]:
    """The networks that can be used, and which of them have looked through a collection."""
    rows: list[schemas.LookedThrough] = []
    for card in await pickers.ready(studio):
        index = await asyncio.to_thread(studio.indexed, collection, card.name)
        rows.append(
            {
                "model": card.name,
                "title": card.title,
                "indexed": index is not None,
                "current": index is not None and index.is_current,
                "url": urls.collection_model(collection.name, card.name),
            }
        )
    return rows


@router.get(urls.COLLECTIONS + urls.JSON)
async def collections_json(studio: TheStudio, owner: Owner) -> schemas.Collections:
    """All collections: the administrator's folders, the samples, this browser's pictures."""
    found = await asyncio.to_thread(studio.collections.all, owner)
    rows: list[schemas.CollectionCard] = [
        {
            "name": each.name,
            "title": title(each),
            "photos": len(each.photos),
            "found": each.found,
            "unreadable_count": each.unreadable.count,
            "left_out_count": each.left_out.count,
            "labelled": each.has_labels,
            "url": urls.collection(each.name),
        }
        for each in found
    ]
    return schemas.Collections(collections=rows)


@router.get(urls.COLLECTIONS, include_in_schema=False)
async def collections_page(request: Request, studio: TheStudio, owner: Owner) -> Response:
    """All collections."""
    found = await asyncio.to_thread(studio.collections.all, owner)
    cards = [
        {
            "collection": each,
            "title": title(each),
            "pictures": [picture(each, n, size=256) for n in _spread(len(each.photos))],
        }
        for each in found
    ]
    return pages.respond(request, "collections/collections.html", cards=cards)


def _spread(count: int) -> list[int]:
    """A few numbers, evenly over so many."""
    shown = min(count, MOST_ON_CARD)
    return [k * count // shown for k in range(shown)]


@router.get(urls.COLLECTION + urls.JSON, responses=failures.KEPT)
async def collection_json(studio: TheStudio, owner: Owner, collection: str) -> schemas.Collection:
    """A collection's photos, and the networks that have looked through it."""
    found = await collection_of(studio, collection, owner)
    return schemas.Collection(
        name=found.name,
        title=title(found),
        labelled=found.has_labels,
        photos=[row(found, photo) for photo in found.photos],
        models=await _looked_through(studio, found),
        found=found.found,
        unreadable=[notes.row(note) for note in found.unreadable.first],
        unreadable_count=found.unreadable.count,
        left_out=[notes.row(note) for note in found.left_out.first],
        left_out_count=found.left_out.count,
    )


@router.get(urls.COLLECTION, include_in_schema=False)
async def collection_page(
    request: Request,
    studio: TheStudio,
    owner: Owner,
    collection: str,
    first: Annotated[int, Query(ge=0)] = 0,
) -> Response:
    """A collection's photos, some at a time, and the networks that have looked through it.

    Raises UnknownPhoto for a first one that is not there.
    """
    found = await collection_of(studio, collection, owner)
    if first:
        found.photo(first)
    first = first // MOST_SHOWN * MOST_SHOWN
    shown = [
        (photo, picture(found, photo.n, size=256)) for photo in found.photos[first:][:MOST_SHOWN]
    ]
    return pages.respond(
        request,
        "collections/collection.html",
        collection=found,
        title=title(found),
        photos=shown,
        first=first,
        pages=range(0, len(found.photos), MOST_SHOWN),
        page_size=MOST_SHOWN,
        networks=await _looked_through(studio, found),
        absent=[
            (found.unreadable, [notes.row(note) for note in found.unreadable.first]),
            (found.left_out, [notes.row(note) for note in found.left_out.first]),
        ],
    )
