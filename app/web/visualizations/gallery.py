"""The gallery: what this browser asked for, and what has been finished for everybody to see.

All that is no handler looks into the archive: not for the event loop.
"""

import asyncio
from dataclasses import dataclass

from fastapi import APIRouter, Request
from fastapi.responses import Response

from app.studio.jobs.job import Job
from app.studio.recipes import OfPicture
from app.studio.studio import Studio
from app.web import pages, urls
from app.web.api.schemas import visualizations as schemas
from app.web.dependencies import TheStudio
from app.web.sessions import Owner
from app.web.visualizations import view
from app.web.visualizations.visualizations import link, may_see

router = APIRouter()
MOST_OWN, MOST_FINISHED = 60, 60


@dataclass(frozen=True)
class Card:
    """A job, what it shows, and the shown name of its network."""

    job: Job
    title: str
    network: str


def cards(studio: Studio, owner: str | None, jobs: list[Job]) -> list[Card]:
    """Jobs as the galleries show them, to somebody who may see them."""
    return [Card(job, title(studio, owner, job), network(studio, job)) for job in jobs]


def title(studio: Studio, owner: str | None, job: Job) -> str:
    """What a job shows, with the name of the picture that it is of."""
    recipe = job.recipe
    image = studio.image(recipe.image, owner) if isinstance(recipe, OfPicture) else None
    return view.title(studio, recipe, image)


def network(studio: Studio, job: Job) -> str:
    """The shown name of a job's network."""
    return view.network(studio, job.recipe.model)["title"]


def finished(studio: Studio, owner: str | None, most: int) -> list[Card]:
    """The cards of what has been finished for everybody to see."""
    return cards(studio, owner, studio.finished(most))


def own_jobs(studio: Studio, owner: str | None) -> list[Job]:
    """What this browser asked for and may still see, newest first."""
    jobs = studio.jobs_of(owner, MOST_OWN) if owner else []
    return [job for job in jobs if may_see(studio, owner, job)]


@router.get(urls.VISUALIZATIONS + urls.JSON)
async def gallery_json(studio: TheStudio, owner: Owner) -> schemas.Visualizations:
    """What this browser asked for, and what is finished and not of anybody's picture."""
    own, others = await asyncio.to_thread(_both, studio, owner)
    return schemas.Visualizations(
        own=[link(job) for job in own], finished=[link(job) for job in others]
    )


def _both(studio: Studio, owner: str | None) -> tuple[list[Job], list[Job]]:
    return own_jobs(studio, owner), studio.finished(MOST_FINISHED)


def _cards(studio: Studio, owner: str | None) -> tuple[list[Card], list[Card]]:
    own, others = _both(studio, owner)
    mine = {job.id for job in own}
    others = [job for job in others if job.id not in mine]
    return cards(studio, owner, own), cards(studio, owner, others)


@router.get(urls.VISUALIZATIONS, include_in_schema=False)
async def gallery_page(request: Request, studio: TheStudio, owner: Owner) -> Response:
    """What this browser asked for, and what is finished and not of anybody's picture."""
    own, others = await asyncio.to_thread(_cards, studio, owner)
    return pages.respond(request, "visualizations/gallery.html", own=own, finished=others)
