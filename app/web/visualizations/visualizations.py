"""Visualizations: asked for, shown while they grow and ever after, stopped."""

import asyncio
from contextlib import suppress
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse, RedirectResponse, Response

from app.errors import LaternaError, NotCancellable, UnknownVisualization
from app.studio.collections import folders
from app.studio.jobs.job import Job
from app.studio.recipes import JobRecipe, OfCollection, OfPicture
from app.studio.studio import Studio
from app.web import pages, sessions, urls
from app.web.api import failures
from app.web.api.schemas import visualizations as schemas
from app.web.dependencies import TheStudio
from app.web.sessions import Owner
from app.web.visualizations import requests, view
from app.web.visualizations.requests import AskedBody, AskedForm

router = APIRouter()
#: The templates of those kinds that have one of their own, with the same blocks to be followed.
TEMPLATES = {"index": "visualizations/indexing.html", "map": "visualizations/mapping.html"}


def seen_job(studio: TheStudio, owner: Owner, id: str) -> Job:
    """A job that this person may see; what came of a picture is as private as the picture.

    Raises UnknownVisualization, and UnknownImage when the picture is not theirs, or gone. As it is
    no coroutine, FastAPI runs it beside the event loop.
    """
    job = studio.job(id)
    if isinstance(job.recipe, OfPicture):
        studio.image(job.recipe.image, owner)
    if isinstance(job.recipe, OfCollection) and not folders.is_theirs(job.recipe, owner):
        raise UnknownVisualization()
    return job


SeenJob = Annotated[Job, Depends(seen_job)]


def may_see(studio: Studio, owner: str | None, job: Job) -> bool:
    """Whether this person may see what came, or is to come, of a job: not for the event loop."""
    if isinstance(job.recipe, OfCollection):
        return folders.is_theirs(job.recipe, owner)
    if not isinstance(job.recipe, OfPicture):
        return True
    try:
        studio.image(job.recipe.image, owner)
    except LaternaError:
        return False
    return True


def client(request: Request) -> str:
    """The address that a request came from, for those who have no cookie."""
    return request.client.host if request.client else ""


def link(job: Job) -> schemas.Queued:
    """The short form of a job in JSON."""
    return schemas.Queued(id=job.id, state=job.state, url=urls.visualization(job.id))


async def _ask(
    request: Request, studio: Studio, owner: str | None, recipe: JobRecipe
) -> tuple[Job, str]:
    """(the job, who asked); without a cookie the address counts too, so that it can be stopped."""
    asker = owner or sessions.new_owner()
    job = await studio.ask(recipe, asker, "" if owner else client(request))
    return job, asker


@router.post(
    urls.VISUALIZATIONS + urls.JSON,
    status_code=202,
    response_model=schemas.Queued,
    responses=failures.ASKED,
)
async def ask_json(
    request: Request, studio: TheStudio, owner: Owner, body: AskedBody
) -> JSONResponse:
    """Ask for a visualization: 202, or 200 when it is made already. Asking twice is harmless."""
    recipe = await asyncio.to_thread(requests.recipe, body, studio, owner)
    job, asker = await _ask(request, studio, owner, recipe)
    location = {"Location": urls.visualization(job.id)}
    answer = JSONResponse(link(job).model_dump(), 200 if job.state == "done" else 202, location)
    sessions.remember(request, answer, asker)
    return answer


@router.post(urls.VISUALIZATIONS, include_in_schema=False)
async def ask(
    request: Request, studio: TheStudio, owner: Owner, form: AskedForm
) -> RedirectResponse:
    """Ask for a visualization, then show how far it is."""
    recipe = await asyncio.to_thread(requests.recipe, form, studio, owner)
    job, asker = await _ask(request, studio, owner, recipe)
    answer = pages.go(urls.visualization(job.id))
    sessions.remember(request, answer, asker)
    return answer


@router.get(urls.VISUALIZATION + urls.JSON, responses=failures.KEPT)
async def visualization_json(studio: TheStudio, job: SeenJob) -> schemas.Visualization:
    """How far it is; and when it is done, all that made it and all that is known of it."""
    return await view.facts(studio, job)


@router.post(
    urls.VISUALIZATION_CANCEL + urls.JSON,
    responses=failures.CANCELLED,
)
async def cancel_json(
    request: Request, studio: TheStudio, owner: Owner, job: SeenJob
) -> schemas.Queued:
    """No longer want it; it stops at the next step, unless others want it too."""
    return link(await _cancel(request, studio, owner, job))


@router.post(urls.VISUALIZATION_CANCEL, include_in_schema=False)
async def cancel(
    request: Request, studio: TheStudio, owner: Owner, job: SeenJob
) -> RedirectResponse:
    """No longer want it, then show what is left of it; or what came, if it was done just before."""
    with suppress(NotCancellable):
        await _cancel(request, studio, owner, job)
    return pages.go(urls.visualization(job.id))


async def _cancel(request: Request, studio: Studio, owner: str | None, job: Job) -> Job:
    return await studio.cancel(job.id, owner, "" if owner else client(request))


@router.get(urls.VISUALIZATION, include_in_schema=False)
async def visualization_page(
    request: Request, studio: TheStudio, owner: Owner, job: SeenJob
) -> Response:
    """What it is, how far it is, and when it is done, everything about it."""
    seen = await view.page_facts(studio, owner, job)
    return pages.respond(
        request, TEMPLATES.get(job.recipe.kind, "visualizations/visualization.html"), **seen
    )
