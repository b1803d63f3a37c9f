"""Pictures: taken in, shown, shared, deleted; and what a network takes one for."""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import RedirectResponse, Response

from app.archive import KeptImage
from app.settings import Settings
from app.studio.studio import Studio
from app.web import pages, sessions, urls
from app.web.api import failures
from app.web.api.schemas import images as schemas
from app.web.dependencies import TheSettings, TheStudio, image_of, sample_images
from app.web.sessions import Owner

router = APIRouter()


def facts(image: KeptImage) -> schemas.Image:
    """A picture in JSON."""
    return schemas.Image(
        id=image.id,
        name=image.name,
        width=image.width,
        height=image.height,
        original=image.original,
        created=image.created,
        expires=image.expires,
        shared=image.shared,
        sample=image.expires is None,
        url=urls.image(image.id),
    )


async def own(studio: Studio, settings: Settings, owner: str | None) -> dict[str, Any]:
    """What the templates need to show somebody's pictures and take in more."""
    images = await asyncio.to_thread(studio.images_of, owner)
    return {
        "images": images,
        "seconds_left": seconds_left,
        "limit_bytes": settings.upload_max_bytes,
        "hours": settings.upload_hours,
        "owned": True,
        "forgets": False,
    }


def seconds_left(image: KeptImage) -> float:
    """How long a picture stays."""
    return max(0.0, (image.expires or 0.0) - time.time())


@router.get(urls.IMAGES + urls.JSON)
async def images_json(studio: TheStudio, owner: Owner) -> schemas.Images:
    """The sample photos, and the pictures that this browser uploaded, newest first."""
    images = await asyncio.to_thread(studio.images_of, owner)
    return schemas.Images(
        samples=[facts(image) for image in await sample_images(studio)],
        images=[facts(image) for image in images],
    )


@router.get(urls.IMAGES, include_in_schema=False)
async def images_page(
    request: Request,
    studio: TheStudio,
    settings: TheSettings,
    owner: Owner,
    uploaded: Annotated[int, Query(ge=0)] = 0,
) -> Response:
    """The sample photos, and the pictures that this browser uploaded.

    uploaded: how many it has brought just before; without a cookie it is told why none is here.
    """
    samples = await sample_images(studio)
    mine = await own(studio, settings, owner)
    mine["forgets"] = bool(uploaded) and not sessions.has_cookie(request)
    return pages.respond(request, "images/images.html", samples=samples, refused=[], **mine)


@router.get(urls.IMAGE_PREVIEW, responses=failures.media("image/jpeg") | failures.KEPT)
async def preview(request: Request, studio: TheStudio, owner: Owner, image: str) -> Response:
    """A picture as a JPEG of at most 1024 pixels."""
    kept = await image_of(studio, image, owner)
    return await _file(request, kept, kept.preview, studio.archive.read_preview, "image/jpeg")


async def _file(
    request: Request,
    image: KeptImage,
    path: Path,
    read: Callable[[KeptImage], bytes],
    media: str,
) -> Response:
    headers = {"Vary": "Cookie"}
    if pages.known(request, f'"{path.name}"'):
        return pages.private(request, b"", media, headers=headers, digest=path.name)
    body = await asyncio.to_thread(read, image)
    return pages.private(request, body, media, headers=headers, digest=path.name)


@router.get(urls.IMAGE + urls.PNG, responses=failures.media("image/png") | failures.KEPT)
async def image_png(request: Request, studio: TheStudio, owner: Owner, image: str) -> Response:
    """A picture as kept: upright, without metadata, lossless."""
    kept = await image_of(studio, image, owner)
    return await _file(request, kept, kept.picture, studio.archive.read_picture, "image/png")


@router.get(urls.IMAGE + urls.JSON, responses=failures.KEPT)
async def image_json(studio: TheStudio, owner: Owner, image: str) -> schemas.Image:
    """A picture: its size, and how long it stays."""
    return facts(await image_of(studio, image, owner))


@router.delete(urls.IMAGE, status_code=204, responses=failures.CHANGED)
async def delete_json(studio: TheStudio, owner: Owner, image: str) -> Response:
    """Delete a picture with everything made from it."""
    await _delete(studio, image, owner)
    return Response(status_code=204)


async def _delete(studio: Studio, image: str, owner: str | None) -> None:
    own_one = await asyncio.to_thread(studio.own_image, image, owner)
    await studio.delete_image(own_one.id)


@router.post(urls.IMAGE_DELETE, include_in_schema=False)
async def delete(studio: TheStudio, owner: Owner, image: str) -> RedirectResponse:
    """Delete a picture with everything made from it, then show those that are left."""
    await _delete(studio, image, owner)
    return pages.go(urls.at(urls.IMAGES))


async def _share(studio: Studio, owner: str | None, image: str, shared: bool) -> KeptImage:
    own_one = await asyncio.to_thread(studio.own_image, image, owner)
    return await asyncio.to_thread(studio.archive.share_image, own_one.id, shared)


@router.post(urls.IMAGE_SHARE + urls.JSON, responses=failures.CHANGED)
async def share_json(
    studio: TheStudio, owner: Owner, image: str, shared: Annotated[bool, Form()] = False
) -> schemas.Image:
    """Turn a picture's share link on or off: whoever knows the address may look."""
    return facts(await _share(studio, owner, image, shared))


@router.post(urls.IMAGE_SHARE, include_in_schema=False)
async def share(
    studio: TheStudio, owner: Owner, image: str, shared: Annotated[bool, Form()] = False
) -> RedirectResponse:
    """Turn a picture's share link on or off."""
    return pages.go(urls.image((await _share(studio, owner, image, shared)).id))
