"""Neighbours: the nearest photos in the feature space of a layer, beside those by pixels.

By layers: how often the nearest show the same, as a curve from the picture to the class.
"""

import asyncio
from dataclasses import dataclass
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from app.archive import KeptImage
from app.errors import NotIndexed, UnknownPhoto, UnreadablePhoto
from app.studio.collections import groups
from app.studio.collections.folders import Collection
from app.studio.collections.index import Indexed
from app.studio.recipes import Neighbours, NeighbourShares, NeighboursOfPicture, Sameness
from app.studio.recipes.facts import IndexedPhoto, NearRow, SharesFacts
from app.studio.studio import Studio
from app.web import pages, pickers, urls
from app.web.api import failures
from app.web.api.schemas import collections as schemas
from app.web.collections import photos
from app.web.curves import curve, top_of
from app.web.dependencies import TheStudio, all_images, description, image_of, layer_of
from app.web.dependencies import neighbours as beside
from app.web.sessions import Owner
from app.zoo.described import NetworkDescription

router = APIRouter()
#: Neighbours that are shown, and photos that are proposed to begin with.
COUNT, PROPOSED = 12, 12
WAYS = ("by_features", "by_pixels")
#: The side of a photo on the page, in pixels.
SIDE = 224
#: What the upper end of the curve may be.
TOPS = (0.1, 0.2, 0.4, 0.6, 0.8, 1.0)
Photo = Annotated[int | None, Query(ge=0, description="its number in the collection")]
OwnImage = Annotated[str, Query(max_length=200, description="a picture's id, instead of a photo")]
By = Annotated[Sameness | None, Query(description="what counts as the same")]


@dataclass(frozen=True)
class Near:
    """The neighbours of a photo or picture, the nearest first, among so many photos."""

    photos: int
    by_features: list[schemas.Neighbour]
    by_pixels: list[schemas.Neighbour]

    @property
    def right(self) -> schemas.Right:
        """How many of them show the same, either way."""
        return {"by_features": right(self.by_features), "by_pixels": right(self.by_pixels)}


async def looked(
    studio: Studio, owner: str | None, collection: str, model: str
) -> tuple[Collection, NetworkDescription, Indexed | None]:
    """(the collection, the network, what it made of the photos). Raises what is not there."""
    found = await photos.collection_of(studio, collection, owner)
    described = await description(studio, model)
    return found, described, await asyncio.to_thread(studio.indexed, found, model)


def required(index: Indexed | None, described: NetworkDescription, found: Collection) -> Indexed:
    """The index. Raises NotIndexed."""
    if index is None:
        raise NotIndexed(model=described["title"], collection=photos.title(found))
    return index


def same(one: IndexedPhoto, other: IndexedPhoto) -> Sameness | None:
    """Whether two photos of an index show the same: the same class, else the same broad group."""
    for by in ("class", "group"):
        thing = groups.thing(one, by)
        if thing is not None and thing == groups.thing(other, by):
            return by
    return None


def can_tell(photo: IndexedPhoto) -> bool:
    """Whether it is known what a photo shows."""
    return any(groups.thing(photo, by) is not None for by in ("class", "group"))


def photo_row(index: Indexed, place: int) -> schemas.NamedPhoto:
    """A photo of an index; its number and addresses are None if the collection has lost it."""
    photo, n, name = index.photos[place], index.now[place], index.collection.name
    return {
        "photo": n,
        "name": photo["name"],
        "label": photo["label"],
        "group": groups.group(photo["wordnet"]),
        "picture": None if n is None else photos.picture(index.collection, n, size=SIDE),
        "url": None if n is None else urls.collection_photo(name, n),
    }


def place_of(index: Indexed, n: int) -> int:
    """Where in an index a photo of the collection is. Raises UnknownPhoto, UnreadablePhoto."""
    index.collection.photo(n)
    if n not in index.now:
        raise UnknownPhoto(collection=index.collection.name, photos=len(index.photos), number=n)
    place = index.now.index(n)
    if index.photos[place].get("unreadable"):
        raise UnreadablePhoto(name=index.photos[place]["name"])
    return place


def usual(index: Indexed) -> int | None:
    """The photo to begin with: one in the middle; None when the collection has none of them."""
    known = [index.now[place] for place in shown(index)]
    return known[len(known) // 2] if known else None


def shown(index: Indexed) -> list[int]:
    """Where in an index those photos are that could be read and that the collection still has."""
    rows = enumerate(zip(index.now, index.photos, strict=True))
    return [place for place, (n, row) in rows if n is not None and not row.get("unreadable")]


def beside_photo(index: Indexed, number: int | None) -> tuple[int | None, int | None]:
    """The numbers of the photos before and after one that have neighbours too."""
    known = sorted(n for place in shown(index) if (n := index.now[place]) is not None)
    if number is None:
        return None, None
    before = max((n for n in known if n < number), default=None)
    return before, min((n for n in known if n > number), default=None)


async def near(
    studio: Studio, index: Indexed, model: str, layer: str, asked: int | KeptImage
) -> Near:
    """The nearest of a photo, by its number in the collection, or of a picture. Raises NotMade."""
    recipe: Neighbours | NeighboursOfPicture
    if isinstance(asked, KeptImage):
        recipe = NeighboursOfPicture(
            model=model,
            layer=layer,
            image=asked.id,
            index=index.key,
            count=COUNT,
        )
        own = None
    else:
        place = place_of(index, asked)
        recipe = Neighbours(model=model, layer=layer, photo=place, index=index.key, count=COUNT)
        own = index.photos[place]
    result = await studio.make(recipe)
    by_features, by_pixels = (_rows(index, result.facts[way], own) for way in WAYS)
    return Near(result.facts["photos"], by_features, by_pixels)


def _rows(index: Indexed, rows: list[NearRow], own: IndexedPhoto | None) -> list[schemas.Neighbour]:
    """The neighbours that the collection still has; `same` is None where nobody knows."""
    return [
        {**shown, "likeness": row["likeness"], "same": _sameness(own, index.photos[row["photo"]])}
        for row in rows
        if (shown := photo_row(index, row["photo"]))["photo"] is not None
    ]


def _sameness(own: IndexedPhoto | None, other: IndexedPhoto) -> Sameness | Literal["no"] | None:
    if own is None or not can_tell(own) or not can_tell(other):
        return None
    return same(own, other) or "no"


def right(rows: list[schemas.Neighbour]) -> int | None:
    """How many of them show the same; None where nobody knows."""
    known = [row["same"] != "no" for row in rows if row["same"] is not None]
    return sum(known) if known else None


@router.get(
    urls.COLLECTION_NEIGHBOURS + urls.JSON,
    responses=failures.MADE,
)
async def neighbours_json(
    studio: TheStudio,
    owner: Owner,
    collection: str,
    model: str,
    layer: str,
    photo: Photo = None,
    image: OwnImage = "",
) -> schemas.Neighbours:
    """Nearest neighbours of a photo, or of a picture: in feature space, and by pixels."""
    found, described, known = await looked(studio, owner, collection, model)
    layer_of(described, layer)
    index = required(known, described, found)
    chosen = await _asked(studio, owner, index, photo, image)
    rows = Near(0, [], []) if chosen is None else await near(studio, index, model, layer, chosen)
    return schemas.Neighbours(
        collection=found.name,
        model=model,
        layer=layer,
        photo=photo_row(index, place_of(index, chosen)) if isinstance(chosen, int) else None,
        image=image or None,
        photos=rows.photos,
        current=index.is_current,
        right=None if chosen is None else rows.right,
        by_features=rows.by_features,
        by_pixels=rows.by_pixels,
    )


async def _asked(
    studio: Studio, owner: str | None, index: Indexed, photo: int | None, image: str
) -> int | KeptImage | None:
    """Whose neighbours are wanted. Raises UnknownImage."""
    if image:
        return await image_of(studio, image, owner)
    return usual(index) if photo is None else photo


@router.get(urls.COLLECTION_NEIGHBOURS, include_in_schema=False)
async def neighbours_page(
    request: Request,
    studio: TheStudio,
    owner: Owner,
    collection: str,
    model: str,
    layer: str,
    photo: Photo = None,
    image: OwnImage = "",
) -> Response:
    """A photo, its nearest neighbours in feature space, and those by pixels."""
    found, described, index = await looked(studio, owner, collection, model)
    layer_of(described, layer)
    if index is None:
        return pages.go(urls.collection_model(collection, model))
    chosen = await _asked(studio, owner, index, photo, image)
    rows = await near(studio, index, model, layer, chosen) if chosen is not None else None
    number = None if chosen is None or isinstance(chosen, KeptImage) else chosen
    before, after = beside(described, layer)
    whose = {"photo": None if number is None else str(number), "image": image}
    return pages.respond(
        request,
        "collections/neighbours.html",
        collection=found,
        title=photos.title(found),
        model=described,
        layer=layer_of(described, layer),
        index=index,
        own=None if number is None else photo_row(index, place_of(index, number)),
        image=chosen if isinstance(chosen, KeptImage) else None,
        number=number,
        photos_beside=beside_photo(index, number),
        rows=rows,
        right=rows.right if rows else None,
        whose=whose,
        before=before,
        after=after,
        groups=pickers.grouped(described["layers"]),
        addresses={
            each["name"]: urls.neighbours(
                collection, model, each["name"], photo=whose["photo"], image=image
            )
            for each in described["layers"]
        },
        proposed=[photo_row(index, place) for place in _spread(index)],
        images=await all_images(studio, owner),
        side=SIDE,
    )


def _spread(index: Indexed) -> list[int]:
    """Some photos that have neighbours, evenly over the collection."""
    known = shown(index)
    count = min(len(known), PROPOSED)
    return [known[k * len(known) // count] for k in range(count)]


async def shares(studio: Studio, index: Indexed, model: str, by: Sameness) -> SharesFacts:
    """How often neighbours are right, by pixels and by layer. Raises NotMade."""
    recipe = NeighbourShares(model=model, index=index.key, by=by)
    facts: SharesFacts = (await studio.make(recipe)).facts
    return facts


def _by(index: Indexed, by: Sameness | None) -> Sameness | None:
    """What is to count as the same; None when nothing can."""
    ways = groups.ways(index.photos)
    return by if by in ways else (ways[0] if ways else None)


@router.get(
    urls.COLLECTION_SHARES + urls.JSON,
    responses=failures.MADE,
)
async def shares_json(
    studio: TheStudio, owner: Owner, collection: str, model: str, by: By = None
) -> schemas.NeighbourShares:
    """k-NN accuracy by layer, with that of pixels and that of chance."""
    found, described, known = await looked(studio, owner, collection, model)
    index = required(known, described, found)
    way = _by(index, by)
    made = await shares(studio, index, model, way) if way else None
    return schemas.NeighbourShares(
        collection=found.name,
        model=model,
        by=way,
        count=made and made["count"],
        photos=made["photos"] if made else 0,
        asked=made and made["asked"],
        current=index.is_current,
        pixels=made and made["pixels"],
        chance=made and made["chance"],
        layers=_layers(made, found) if made else [],
    )


def _layers(made: SharesFacts, found: Collection) -> list[schemas.LayerShare]:
    return [
        {
            "name": row["layer"],
            "share": row["share"],
            "url": urls.neighbours(found.name, made["model"], row["layer"]),
        }
        for row in made["layers"]
        if row["share"] is not None
    ]


@router.get(urls.COLLECTION_SHARES, include_in_schema=False)
async def shares_page(
    request: Request, studio: TheStudio, owner: Owner, collection: str, model: str, by: By = None
) -> Response:
    """The same as a curve by depth, which leads to the neighbours in each layer."""
    found, described, index = await looked(studio, owner, collection, model)
    if index is None:
        return pages.go(urls.collection_model(collection, model))
    way = _by(index, by)
    made = await shares(studio, index, model, way) if way else None
    rows = _layers(made, found) if made else []
    twin = urls.counterpart(model)
    twins_rows = await _of_twin(studio, found, twin, way)
    known = [row["share"] for row in (*rows, *twins_rows)] + [made["pixels"] if made else 0.0]
    top = top_of(known)
    return pages.respond(
        request,
        "collections/neighbour_shares.html",
        collection=found,
        title=photos.title(found),
        model=described,
        index=index,
        by=way,
        ways=groups.ways(index.photos),
        made=made,
        rows=rows,
        curve=curve(rows, "share", top),
        twin=twin,
        twin_curve=curve(twins_rows, "share", top),
        kinds={layer["name"]: layer["kind"] for layer in described["layers"]},
    )


async def _of_twin(
    studio: Studio, found: Collection, twin: str, by: Sameness | None
) -> list[schemas.LayerShare]:
    """Those of the untrained copy (or of the trained one), once it has looked through too."""
    index = await asyncio.to_thread(studio.indexed, found, twin)
    if index is None or by is None:
        return []
    return _layers(await shares(studio, index, twin, by), found)
