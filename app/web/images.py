"""Pictures: taken in, shown, shared, deleted; and what a network takes one for."""

import time
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request
from fastapi.responses import FileResponse, JSONResponse, RedirectResponse, Response
from starlette.datastructures import UploadFile

from app.archive import KeptImage
from app.errors import LaternaError, NoFile
from app.settings import Settings
from app.studio import recipes
from app.studio.studio import Studio
from app.web import languages, models, pages, sessions, twins, urls
from app.web.given import TheSettings, TheStudio, description
from app.web.limit import TheLimit
from app.web.sessions import Owner

router = APIRouter()
MOST_FILES = 64
FORM = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {"file": {"type": "string", "format": "binary"}},
                }
            }
        },
    }
}


def facts(image: KeptImage) -> dict[str, Any]:
    """A picture in JSON."""
    return {
        "id": image.id,
        "name": image.name,
        "width": image.width,
        "height": image.height,
        "original": image.original,
        "created": image.created,
        "expires": image.expires,
        "shared": image.shared,
        "sample": image.expires is None,
        "url": urls.image(image.id),
    }


def own(studio: Studio, settings: Settings, owner: str | None) -> dict[str, Any]:
    """What the templates need to show somebody's pictures and take in more."""
    images = studio.archive.images_of(owner) if owner else []
    return {
        "images": images,
        "seconds_left": seconds_left,
        "limit_bytes": settings.upload_max_bytes,
        "hours": settings.upload_hours,
        "owned": True,
    }


def seconds_left(image: KeptImage) -> float:
    """How long a picture stays."""
    return max(0.0, (image.expires or 0.0) - time.time())


@router.get(urls.IMAGES + urls.JSON, response_model=twins.Images)
async def images_json(studio: TheStudio, owner: Owner) -> dict[str, Any]:
    """The sample photos, and the pictures that this browser uploaded, newest first."""
    images = studio.archive.images_of(owner) if owner else []
    return {
        "samples": [facts(image) for image in studio.sample_images()],
        "images": [facts(image) for image in images],
    }


@router.get(urls.IMAGES, include_in_schema=False)
async def images_page(
    request: Request, studio: TheStudio, settings: TheSettings, owner: Owner
) -> Response:
    """The sample photos, and the pictures that this browser uploaded."""
    samples = studio.sample_images()
    mine = own(studio, settings, owner)
    return pages.respond(request, "images.html", samples=samples, refused=[], **mine)


async def _files(request: Request) -> list[UploadFile]:
    """The pictures in a form's field `file`; NoFile when there is none."""
    form = await request.form(max_files=MOST_FILES, max_fields=16)
    files = [
        file for file in form.getlist("file") if isinstance(file, UploadFile) and file.filename
    ]
    if not files:
        raise NoFile()
    return files


async def _take(studio: Studio, file: UploadFile, owner: str) -> KeptImage:
    return await studio.take_picture(await file.read(), file.filename or "", owner)


@router.post(
    urls.IMAGES + urls.JSON, status_code=201, response_model=twins.Image, openapi_extra=FORM
)
async def upload_json(
    request: Request, studio: TheStudio, limit: TheLimit, owner: Owner
) -> Response:
    """Take in one picture. It belongs to the browser session whose cookie comes back."""
    limit.hit(request)
    owner = owner or sessions.new_owner()
    image = await _take(studio, (await _files(request))[0], owner)
    answer = JSONResponse(facts(image), 201, {"Location": urls.image(image.id)})
    sessions.remember(request, answer, owner)
    return answer


@router.post(urls.IMAGES, include_in_schema=False)
async def upload(
    request: Request, studio: TheStudio, settings: TheSettings, limit: TheLimit, owner: Owner
) -> Response:
    """Take in pictures from a form, then show the one, or all of them with what was refused."""
    owner = owner or sessions.new_owner()
    taken: list[KeptImage] = []
    refused: list[tuple[str | None, LaternaError]] = []
    status = 200
    for file in await _files(request):
        try:
            limit.hit(request)
            taken.append(await _take(studio, file, owner))
        except LaternaError as refusal:
            status = refusal.status
            refused.append((file.filename, refusal))
    answer = _uploaded(request, studio, settings, owner, taken, refused, status)
    if taken:
        sessions.remember(request, answer, owner)
    return answer


def _uploaded(
    request: Request,
    studio: Studio,
    settings: Settings,
    owner: str,
    taken: list[KeptImage],
    refused: list[tuple[str | None, LaternaError]],
    status: int,
) -> Response:
    if not refused:
        return pages.go(urls.image(taken[0].id) if len(taken) == 1 else urls.IMAGES)
    if len(refused) == 1 and not taken:
        raise refused[0][1]
    said = [(name, refusal.message(languages.gettext)) for name, refusal in refused]
    mine = own(studio, settings, owner)
    samples = studio.sample_images()
    return pages.respond(
        request, "images.html", status=status, samples=samples, refused=said, **mine
    )


@router.get(urls.IMAGE_PREVIEW, responses={200: {"content": {"image/jpeg": {}}}})
async def preview(request: Request, studio: TheStudio, owner: Owner, image: str) -> Response:
    """A picture as a JPEG of at most 640 pixels."""
    kept = studio.image(image, owner)
    return _file(request, kept, kept.preview, "image/jpeg")


def _file(request: Request, image: KeptImage, path: Any, media: str) -> Response:
    etag = f'"{image.id}"'
    headers = {"Cache-Control": pages.PRIVATE, "ETag": etag, "Vary": "Cookie"}
    if pages.known(request, etag):
        return Response(status_code=304, headers=headers)
    return FileResponse(path, media_type=media, headers=headers)


@router.get(urls.IMAGE + urls.PNG, responses={200: {"content": {"image/png": {}}}})
async def image_png(request: Request, studio: TheStudio, owner: Owner, image: str) -> Response:
    """A picture as kept: upright, without metadata, lossless."""
    kept = studio.image(image, owner)
    return _file(request, kept, kept.picture, "image/png")


@router.get(urls.IMAGE + urls.JSON, response_model=twins.Image)
async def image_json(studio: TheStudio, owner: Owner, image: str) -> dict[str, Any]:
    """A picture: its size, and how long it stays."""
    return facts(studio.image(image, owner))


@router.delete(urls.IMAGE, status_code=204)
async def delete_json(studio: TheStudio, owner: Owner, image: str) -> Response:
    """Delete a picture with everything made from it."""
    await studio.delete_image(studio.own_image(image, owner).id)
    return Response(status_code=204)


@router.post(urls.IMAGE_DELETE, include_in_schema=False)
async def delete(studio: TheStudio, owner: Owner, image: str) -> RedirectResponse:
    """Delete a picture with everything made from it, then show those that are left."""
    await studio.delete_image(studio.own_image(image, owner).id)
    return pages.go(urls.IMAGES)


async def _share(studio: Studio, owner: str | None, image: str, shared: bool) -> KeptImage:
    studio.archive.share_image(studio.own_image(image, owner).id, shared)
    return studio.own_image(image, owner)


@router.post(urls.IMAGE_SHARE + urls.JSON, response_model=twins.Image)
async def share_json(
    studio: TheStudio, owner: Owner, image: str, shared: Annotated[bool, Form()] = False
) -> dict[str, Any]:
    """Turn a picture's share link on or off: whoever knows the address may look."""
    return facts(await _share(studio, owner, image, shared))


@router.post(urls.IMAGE_SHARE, include_in_schema=False)
async def share(
    studio: TheStudio, owner: Owner, image: str, shared: Annotated[bool, Form()] = False
) -> RedirectResponse:
    """Turn a picture's share link on or off."""
    return pages.go(urls.image((await _share(studio, owner, image, shared)).id))


@router.get(urls.PREDICTION + urls.JSON, response_model=twins.Prediction)
async def prediction_json(
    studio: TheStudio, owner: Owner, image: str, model: str
) -> dict[str, Any]:
    """The five likeliest classes of a picture, and the addresses of its activations."""
    kept = studio.image(image, owner)
    described = await description(studio, model)
    recipe = recipes.Prediction(model=model, image=kept.id, source=str(kept.picture))
    result = studio.made(recipe) or await studio.make(recipe)
    links = [{"name": name, "url": url} for name, url in _grids(kept, described).items()]
    return result.facts | {"layers": links}


def _grids(image: KeptImage, described: dict[str, Any]) -> dict[str, str]:
    """The addresses of a picture's activation grids, by layer."""
    names = [layer["name"] for layer in described["layers"]]
    return {name: urls.grid(image.id, described["name"], name) for name in names}


@router.get(urls.PREDICTION, include_in_schema=False)
async def prediction_page(
    request: Request,
    studio: TheStudio,
    settings: TheSettings,
    owner: Owner,
    image: str,
    model: str,
) -> Response:
    """A picture with what one network takes it for."""
    return await _seen_by(request, studio, settings, owner, image, model)


@router.get(urls.IMAGE, include_in_schema=False)
async def image_page(
    request: Request, studio: TheStudio, settings: TheSettings, owner: Owner, image: str
) -> Response:
    """A picture with what the default network takes it for."""
    return await _seen_by(request, studio, settings, owner, image, settings.default_model)


async def _seen_by(
    request: Request,
    studio: Studio,
    settings: Settings,
    owner: str | None,
    image: str,
    model: str,
) -> Response:
    """The picture's page; the network's part of it waits for the device, the rest does not."""
    kept = studio.image(image, owner)
    waiting = pages.wanted_block(request) == "seen"
    described = await description(studio, model) if waiting else studio.known(model)
    seen = None
    if described is None or described["labels"]:
        recipe = recipes.Prediction(model=model, image=kept.id, source=str(kept.picture))
        seen = studio.made(recipe) or (await studio.make(recipe) if waiting else None)
    return pages.respond(
        request,
        "picture.html",
        image=kept,
        name=model,
        model=described,
        groups=models.grouped(described["layers"]) if described else [],
        addresses=_grids(kept, described) if described else {},
        seen=seen.facts if seen else None,
        models=await models.ready(studio),
        **own(studio, settings, owner) | {"owned": owner is not None and kept.owner == owner},
    )
