"""Uploads: pictures taken in, by a program one at a time, from a form several at once."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from starlette.datastructures import UploadFile

from app.archive import KeptImage
from app.errors import LaternaError
from app.settings import Settings
from app.studio.studio import Studio
from app.web import bodies, errors, languages, pages, sessions, urls
from app.web.api import failures
from app.web.api.schemas import images as schemas
from app.web.dependencies import TheSettings, TheStudio, sample_images
from app.web.images import images
from app.web.limit import TheLimit, UploadLimit
from app.web.sessions import Owner

router = APIRouter()
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


@asynccontextmanager
async def _received(
    request: Request, studio: Studio, limit: UploadLimit, owner: str | None, *, first_only: bool
) -> AsyncIterator[tuple[list[UploadFile], dict[UploadFile, LaternaError]]]:
    """(the pictures of a form, what was refused of them); on the disk as long as the block.

    Raises TooManyUploads before anything is read, and DiskFull, NoFile, BadRequest.
    """
    limit.check(request, owner)
    form = bodies.PictureForm(
        request,
        studio.archive.spooled,
        studio.settings.upload_max_bytes,
        lambda: limit.hit(request, owner),
        first_only=first_only,
    )
    expected: int = request.scope[bodies.EXPECTED]
    await asyncio.to_thread(studio.archive.set_aside, expected)
    try:
        yield await form.files(), form.refusals
    finally:
        form.close()
        studio.archive.give_back(expected)


async def _take(studio: Studio, file: UploadFile, owner: str) -> KeptImage:
    data = await file.read()
    await file.close()
    return await studio.take_picture(data, file.filename or "", owner)


@router.post(
    urls.IMAGES + urls.JSON,
    status_code=201,
    response_model=schemas.Image,
    responses=failures.TAKEN,
    openapi_extra=FORM,
)
async def upload_json(
    request: Request, studio: TheStudio, limit: TheLimit, owner: Owner
) -> Response:
    """Take in one picture. It belongs to the browser session whose cookie comes back."""
    async with _received(request, studio, limit, owner, first_only=True) as (files, _):
        owner = owner or sessions.new_owner()
        image = await _take(studio, files[0], owner)
    answer = JSONResponse(images.facts(image).model_dump(), 201, {"Location": urls.image(image.id)})
    sessions.remember(request, answer, owner)
    return answer


@router.post(urls.IMAGES, include_in_schema=False)
async def upload(
    request: Request, studio: TheStudio, settings: TheSettings, limit: TheLimit, owner: Owner
) -> Response:
    """Take in pictures from a form, then show the one, or all of them with what was refused."""
    taken: list[KeptImage] = []
    refused: list[tuple[str | None, LaternaError]] = []
    status = 200
    async with _received(request, studio, limit, owner, first_only=False) as (files, refusals):
        owner = owner or sessions.new_owner()
        for file in files:
            try:
                if file in refusals:
                    raise refusals[file]
                taken.append(await _take(studio, file, owner))
            except LaternaError as refusal:
                status = refusal.status
                refused.append((file.filename, refusal))
    answer = await _uploaded(request, studio, settings, owner, taken, refused, status)
    if taken:
        sessions.remember(request, answer, owner)
    return answer


async def _uploaded(
    request: Request,
    studio: Studio,
    settings: Settings,
    owner: str,
    taken: list[KeptImage],
    refused: list[tuple[str | None, LaternaError]],
    status: int,
) -> Response:
    if not refused:
        listed = urls.at(urls.IMAGES)
        return pages.go(urls.image(taken[0].id) if len(taken) == 1 else listed)
    if len(refused) == 1 and not taken:
        raise refused[0][1]
    refusals = [(name, refusal.message(languages.gettext)) for name, refusal in refused]
    mine = await images.own(studio, settings, owner)
    samples = await sample_images(studio)
    headers = errors.retry(refused[-1][1])
    return pages.respond(
        request,
        "images/images.html",
        status=status,
        headers=headers,
        samples=samples,
        refused=refusals,
        **mine,
    )
