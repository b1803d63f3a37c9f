"""The map of a collection: its photos in the plane, near their neighbours in feature space."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass, replace
from math import sqrt
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from app.archive import Result
from app.errors import UnknownGroup, UnknownVisualization
from app.studio.collections import groups
from app.studio.collections.index import Indexed
from app.studio.jobs.job import Job, State
from app.studio.recipes import PhotoMap, PhotoPlane
from app.studio.studio import Studio
from app.web import pages, pickers, urls
from app.web.api import failures
from app.web.api.schemas import collections as schemas
from app.web.collections import photos
from app.web.collections.neighbours import looked, place_of, required, usual
from app.web.dependencies import TheStudio, layer_of
from app.web.dependencies import neighbours as beside
from app.web.sessions import Owner
from app.web.visualizations import view

router = APIRouter()
Method = Literal["pca", "tsne"]
METHODS: tuple[Method, ...] = ("pca", "tsne")
#: The map's side in its own units, and how far from its edges the outermost photos are.
SIDE, EDGE = 1000, 24
#: Photos on the page, evenly over the collection; the JSON has all of them.
MOST_SHOWN = 600
#: Classes or groups that are named beside the map, the largest first.
MOST_NAMED = 24


@dataclass(frozen=True)
class Spot:
    """A photo on the map: its number, where it is, where it is on the sheet, and what it shows."""

    n: int
    x: int
    y: int
    sheet: tuple[int, int]
    name: str
    thing: str | None


async def _places(
    studio: Studio, index: Indexed, model: str, layer: str, method: Method
) -> tuple[Any, Job | None]:
    """(the facts that place the photos, the job that makes them); None until somebody asks."""
    if method == "pca":
        recipe = PhotoPlane(model=model, layer=layer, index=index.key)
        return (await studio.make(recipe)).facts, None
    for quality in view.QUALITIES:
        recipe_of = replace(photo_map(index, model, layer), quality=quality)
        job, result = await asyncio.to_thread(_made_map, studio, recipe_of)
        if result is not None or (job is not None and job.is_active):
            return (result.facts if result else None), job
    return None, job


def _made_map(studio: Studio, recipe: PhotoMap) -> tuple[Job | None, Result | None]:
    complete = studio.complete(recipe)
    if complete is not None:
        with suppress(UnknownVisualization):
            return studio.job(complete.id), studio.outcome(complete.id)
    return None, None


def photo_map(index: Indexed, model: str, layer: str) -> PhotoMap:
    """The recipe of the map of an index's photos."""
    return PhotoMap(
        model=model,
        layer=layer,
        collection=index.collection.name,
        photos=index.facts["photos_hash"],
        whose=index.collection.whose,
    )


def spots(index: Indexed, places: list[list[float] | None], most: int) -> list[Spot]:
    """The photos that have a place and that the collection still has; evenly, if too many."""
    known = [
        (row, n, place)
        for row, (n, place) in enumerate(zip(index.now, places, strict=True))
        if n is not None and place is not None
    ]
    if len(known) > most:
        known = [known[k * len(known) // most] for k in range(most)]
    sheet, ways = index.facts["sheet"], groups.ways(index.photos)
    by = ways[0] if ways else "group"
    reach = SIDE / 2 - EDGE
    return [
        Spot(
            n,
            round(SIDE / 2 + place[0] * reach),
            round(SIDE / 2 - place[1] * reach),
            (row % sheet["columns"] * sheet["tile"], row // sheet["columns"] * sheet["tile"]),
            index.photos[row]["label"] or index.photos[row]["name"],
            groups.thing(index.photos[row], by),
        )
        for row, n, place in known
    ]


def things_of(index: Indexed) -> set[str | None]:
    """The classes, or else the broad groups, that an index's photos are of."""
    ways = groups.ways(index.photos)
    by = ways[0] if ways else "group"
    return {groups.thing(photo, by) for photo in index.photos}


def named(shown: list[Spot]) -> list[tuple[str, int]]:
    """(class or group, photos of it), the largest first; those with but one are left out."""
    counts: dict[str, int] = {}
    for spot in shown:
        if spot.thing is not None:
            counts[spot.thing] = counts.get(spot.thing, 0) + 1
    several = [(thing, count) for thing, count in counts.items() if count > 1]
    return sorted(several, key=lambda pair: (-pair[1], pair[0]))[:MOST_NAMED]


@router.get(urls.COLLECTION_MAP + urls.JSON, responses=failures.MADE)
async def map_json(
    studio: TheStudio,
    owner: Owner,
    collection: str,
    model: str,
    layer: str,
    method: Method = "pca",
) -> schemas.PhotoMap:
    """Map (PCA or t-SNE): where the photos are, x and y of -1..1, the farthest at the edge."""
    found, described, known = await looked(studio, owner, collection, model)
    layer_of(described, layer)
    index = required(known, described, found)
    made, job = await _places(studio, index, model, layer, method)
    places = made["places"] if made else []
    rows = zip(index.now, index.photos, places, strict=True) if made else []
    return schemas.PhotoMap(
        collection=found.name,
        model=model,
        layer=layer,
        method=method,
        current=index.is_current,
        state=job.state if job else (State.DONE if made else "none"),
        visualization=job.id if job else None,
        shares=made["shares"] if made and method == "pca" else None,
        divergence=made["divergence"] if made and method == "tsne" else None,
        photos=[
            {
                "photo": n,
                "name": photo["name"],
                "label": photo["label"],
                "group": groups.group(photo["wordnet"]),
                "place": place,
            }
            for n, photo, place in rows
            if n is not None and place is not None
        ],
    )


@router.get(urls.COLLECTION_MAP, include_in_schema=False)
async def map_page(
    request: Request,
    studio: TheStudio,
    owner: Owner,
    collection: str,
    model: str,
    layer: str,
    method: Method = "pca",
    photo: Annotated[int | None, Query(ge=0)] = None,
    group: Annotated[str, Query(max_length=200)] = "",
) -> Response:
    """The map: thumbnails where they belong, one of them chosen, one group of them lit."""
    found, described, index = await looked(studio, owner, collection, model)
    layer_of(described, layer)
    if index is None:
        return pages.go(urls.collection_model(collection, model))
    if photo is not None:
        place_of(index, photo)
    if group and group not in things_of(index):
        raise UnknownGroup(group=group, collection=photos.title(found))
    made, job = await _places(studio, index, model, layer, method)
    shown = spots(index, made["places"], MOST_SHOWN) if made else []
    shown.sort(key=lambda spot: spot.thing == group)  # what is lit lies over the others
    wanted = usual(index) if photo is None else photo
    among = [spot for spot in shown if spot.thing == group] if photo is None else []
    chosen = min(among or shown, key=lambda spot: abs(spot.n - (wanted or 0)), default=None)
    before, after = beside(described, layer)
    address = urls.photo_map(collection, model, layer)
    return pages.respond(
        request,
        "collections/photo_map.html",
        collection=found,
        title=photos.title(found),
        model=described,
        layer=layer_of(described, layer),
        index=index,
        method=method,
        methods=METHODS,
        made=made,
        job=job,
        snapshot=studio.snapshot(job.id) if job else None,
        error=view.error(job.error) if job else None,
        spots=shown,
        placed=sum(place is not None for place in made["places"]) if made else 0,
        chosen=chosen,
        lit=group,
        things=named(shown),
        thumbnail=thumbnail(len(shown)),
        side=SIDE,
        before=before,
        after=after,
        groups=pickers.grouped(described["layers"]),
        addresses={
            each["name"]: urls.photo_map(collection, model, each["name"])
            for each in described["layers"]
        },
        address=address,
        picture=photos.picture,
    )


def thumbnail(count: int) -> int:
    """How large photos are on the map, in its units: so that most of them are seen."""
    return max(14, min(90, round(0.85 * SIDE / sqrt(max(1, count)))))
