"""What comes of a visualization as files: its picture, its growth, its parts, its script."""

import asyncio
import hashlib
from pathlib import PurePath

from fastapi import APIRouter, Request
from fastapi.responses import Response

from app.errors import NoScript, NotMade, UnknownPage
from app.studio.exports import script
from app.studio.jobs.job import Job
from app.studio.recipes import OfCollection
from app.studio.studio import Studio
from app.web import pages, urls
from app.web.api import failures
from app.web.dependencies import TheStudio
from app.web.visualizations.visualizations import SeenJob

router = APIRouter()
MEDIA = {".webp": "image/webp", ".png": "image/png"}
PICTURE = failures.media("image/png") | failures.DONE


@router.get(urls.VISUALIZATION + urls.PNG, responses=PICTURE)
async def picture(request: Request, studio: TheStudio, job: SeenJob) -> Response:
    """The finished picture; its recipe is in the text chunks."""
    result = await asyncio.to_thread(studio.outcome, job.id)
    if result is None:
        raise NotMade()
    if pages.known(request, f'"{result.digest}"'):
        return pages.private(request, b"", result.media, digest=result.digest)
    body = await asyncio.to_thread(studio.read, result)
    if body is None:  # damaged on disk, and forgotten just now
        raise NotMade()
    named = {"Content-Disposition": f'inline; filename="{name(job)}.png"'}
    return pages.private(request, body, result.media, headers=named, digest=result.digest)


def name(job: Job) -> str:
    """A file's name for what comes of a job: letters, digits and dashes."""
    plain = "".join(sign if sign.isascii() and sign.isalnum() else "-" for sign in job.recipe.title)
    return f"laterna-{plain}-{job.id[:8]}"


@router.get(urls.VISUALIZATION_GROWTH, responses=failures.media("image/webp") | failures.DONE)
async def growth(request: Request, studio: TheStudio, job: SeenJob) -> Response:
    """The generation from noise, as an animation."""
    return await _part(request, studio, job, "growth.webp")


@router.get(urls.VISUALIZATION_SCRIPT, responses=failures.media("text/x-python") | failures.DONE)
async def python_script(request: Request, studio: TheStudio, job: SeenJob) -> Response:
    """A script that makes the same picture from the package, without the web."""
    if isinstance(job.recipe, OfCollection):
        raise NoScript()
    result = await asyncio.to_thread(studio.outcome, job.id)
    if result is None:
        raise NotMade()
    source = (await asyncio.to_thread(script.script, job.recipe, result.facts)).encode()
    named = {"Content-Disposition": f'attachment; filename="{name(job)}.py"'}
    return pages.private(request, source, "text/x-python; charset=utf-8", headers=named)


@router.get(urls.VISUALIZATION_PART, responses=PICTURE)
async def part(request: Request, studio: TheStudio, job: SeenJob, name: str) -> Response:
    """One of several pictures that were made together, as its numbers name them."""
    return await _part(request, studio, job, name)


async def _part(request: Request, studio: Studio, job: Job, name: str) -> Response:
    result = await asyncio.to_thread(studio.outcome, job.id)
    if result is None:
        raise NotMade()
    if name not in result.facts.get("parts", ()):
        raise UnknownPage()
    body = await asyncio.to_thread(studio.part, job.id, name)
    if body is None:
        raise NotMade()
    media = MEDIA.get(PurePath(name).suffix, "application/octet-stream")
    digest = hashlib.blake2b(body, digest_size=16).hexdigest()
    return pages.private(request, body, media, digest=digest)
