"""Uploads: pictures taken in, by a program one at a time, from a form several at once."""

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from starlette.datastructures import UploadFile

from app.archive import KeptImage
from app.errors import LaternaError, NoFile, TooLarge
from app.settings import Settings
from app.studio.studio import Studio
from app.web import errors, guards, languages, pages, sessions, urls
from app.web.api import failures, schemas
from app.web.dependencies import TheSettings, TheStudio
from app.web.images import images
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
    most = studio.settings.upload_max_bytes
    if (file.size or 0) > most:
        raise TooLarge(limit_mb=guards.mb(most))
    return await studio.take_picture(await file.read(), file.filename or "", owner)


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
    limit.hit(request)
    owner = owner or sessions.new_owner()
    image = await _take(studio, (await _files(request))[0], owner)
    answer = JSONResponse(images.facts(image), 201, {"Location": urls.image(image.id)})
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
    mine = images.own(studio, settings, owner)
    samples = studio.sample_images()
    headers = errors.retry(refused[-1][1])
    return pages.respond(
        request,
        "images/images.html",
        status=status,
        headers=headers,
        samples=samples,
        refused=said,
        **mine,
    )
