"""Photos: those of a collection one by one, cut to size, taken for one's own."""

import asyncio
import hashlib
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import RedirectResponse, Response

from app.errors import LostPhoto, Words, WrongField
from app.studio.collections.folders import Collection, Photo
from app.studio.pictures.crops import Cut
from app.studio.studio import Studio
from app.web import pages, sessions, urls
from app.web.api import failures
from app.web.dependencies import TheStudio, check_channel, description, layer_of
from app.web.limit import TheLimit
from app.web.sessions import Owner
from app.web.visualizations import view
from app.zoo.files import Unreadable, read_regular

router = APIRouter()
#: The side of a photo's picture in pixels: unless another is asked for, and at most.
SIDE, LARGEST = 1024, 1024
#: How far out and how large a part may be, in pixels.
FARTHEST = 32768.0
#: The shortest side of a part in pixels, and how many times as long the other may be.
LEAST, LONGEST = 0.1, 64.0


def title(collection: Collection) -> str:
    """A collection's name to show."""
    return view.collection(collection.name, collection.title)


def picture(collection: Collection, n: int, crop: str = "", size: int = 0) -> str:
    """The address of a photo, or of a part of it."""
    return urls.collection_photo(collection.name, n, urls.JPG, crop=crop, size=size)


async def collection_of(studio: Studio, name: str, owner: str | None) -> Collection:
    """A collection; its folder is looked at beside the event loop. Raises UnknownCollection."""
    return await asyncio.to_thread(studio.collections.one, name, owner)


@router.get(
    urls.COLLECTION_PHOTO + urls.JPG, responses=failures.media("image/jpeg") | failures.KEPT
)
async def photo_jpg(
    request: Request,
    studio: TheStudio,
    owner: Owner,
    collection: str,
    photo: int,
    crop: Annotated[str, Query(max_length=80, description="left,top,width,height in pixels")] = "",
    size: Annotated[int, Query(ge=0, le=LARGEST, description="the longer side; 0: 1024")] = 0,
) -> Response:
    """A photo upright, or a part of it; what lies beyond its edges is grey."""
    found = (await collection_of(studio, collection, owner)).photo(photo)
    wanted = Cut(_box(crop) if crop else None, size or SIDE)
    identity = f"{found.stamp} {found.name} {wanted}".encode()
    digest = hashlib.blake2b(identity, digest_size=16).hexdigest()
    if pages.known(request, f'"{digest}"'):
        return pages.private(request, b"", "image/jpeg", digest=digest)
    body = await studio.decoders.cut(await _read(studio, found), wanted)
    return pages.private(request, body, "image/jpeg", digest=digest)


def _box(crop: str) -> tuple[float, float, float, float]:
    """left,top,width,height -> the edges. Raises WrongField."""
    allowed = Words("left,top,width,height in pixels of the photo, both sides above 0.")
    try:
        left, top, width, height = (float(part) for part in crop.split(","))
    except ValueError:
        raise WrongField(field="crop", allowed=allowed) from None
    near = all(abs(edge) <= FARTHEST for edge in (left, top, width, height))
    shorter, longer = sorted((width, height))
    if not near or shorter < LEAST or longer > LONGEST * shorter:
        raise WrongField(field="crop", allowed=allowed)
    return left, top, left + width, top + height


async def _read(studio: Studio, photo: Photo) -> bytes:
    """A photo's file, never more of it than an upload may have. Raises LostPhoto, LostImage."""
    if photo.member.image:
        return await asyncio.to_thread(_kept, studio, photo.member.image)
    limit = studio.settings.upload_max_bytes
    try:
        return await asyncio.to_thread(read_regular, Path(photo.member.path), limit)
    except (OSError, Unreadable):
        raise LostPhoto(name=photo.name) from None


def _kept(studio: Studio, image: str) -> bytes:
    return studio.archive.read_picture(studio.archive.image_or_lost(image))


@router.post(urls.COLLECTION_PHOTO_OPEN, include_in_schema=False)
async def open_photo(
    request: Request,
    studio: TheStudio,
    limit: TheLimit,
    owner: Owner,
    collection: str,
    photo: int,
    model: Annotated[str, Form(max_length=200)] = "",
    layer: Annotated[str, Form(max_length=200)] = "",
    channel: Annotated[str, Form(max_length=20)] = "",
) -> RedirectResponse:
    """Take a photo into one's own pictures, then look at it; one that is kept is only looked at."""
    found = (await collection_of(studio, collection, owner)).photo(photo)
    image, asker = found.member.image, owner or sessions.new_owner()
    if not image:
        limit.hit(request, owner)
        name = found.member.label or found.name
        image = (await studio.take_picture(await _read(studio, found), name, asker)).id
    answer = pages.go(_seen(image, model, layer, channel))
    if not found.member.image:
        sessions.remember(request, answer, asker)
    return answer


def _seen(image: str, model: str, layer: str, channel: str) -> str:
    """Where a picture is looked at: a channel's map, a layer's grid, or its own page."""
    if model and layer and channel.isdecimal():
        return urls.map(image, model, layer, int(channel))
    if model and layer:
        return urls.grid(image, model, layer)
    return urls.prediction(image, model) if model else urls.image(image)


@router.get(urls.COLLECTION_PHOTO, include_in_schema=False)
async def photo_page(
    request: Request,
    studio: TheStudio,
    owner: Owner,
    collection: str,
    photo: int,
    model: Annotated[str, Query(max_length=200)] = "",
    layer: Annotated[str, Query(max_length=200)] = "",
    channel: Annotated[int | None, Query()] = None,
) -> Response:
    """One photo, and the way to look at it through a network.

    Raises UnknownPhoto, UnknownModel, UnknownLayer and UnknownChannel.
    """
    found = await collection_of(studio, collection, owner)
    shown = found.photo(photo)
    described = await description(studio, model) if model else None
    place = layer_of(described, layer) if described and layer else None
    if place and channel is not None:
        check_channel(place, channel)
    image = shown.member.image
    number = "" if channel is None else str(channel)
    return pages.respond(
        request,
        "collections/photo.html",
        collection=found,
        title=title(found),
        photo=shown,
        picture=picture(found, photo),
        seen=_seen(image, model, layer, number) if image else None,
        fields={"model": model, "layer": layer, "channel": number},
        back=urls.channel(model, layer, channel, collection=collection)
        if model and layer and channel is not None
        else None,
    )
