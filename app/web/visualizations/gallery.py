"""The gallery: what this browser asked for, and what has been finished for everybody to see.

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


def finished(studio: Studio, owner: str | None, most: int) -> list[dict[str, Any]]:
    """The cards of what has been finished for everybody to see."""
    return cards(studio, owner, studio.finished(most))


def own_jobs(studio: Studio, owner: str | None) -> list[Job]:
    """What this browser asked for and may still see, newest first."""
    jobs = studio.jobs_of(owner, MOST_OWN) if owner else []
    return [job for job in jobs if may_see(studio, owner, job)]


@router.get(urls.VISUALIZATIONS + urls.JSON)
async def gallery_json(studio: TheStudio, owner: Owner) -> schemas.Visualizations:
    """What this browser asked for, and what is finished and not of anybody's picture."""
    return schemas.Visualizations(
        own=[link(job) for job in own_jobs(studio, owner)],
        finished=[link(job) for job in studio.finished(MOST_FINISHED)],
    )


@router.get(urls.VISUALIZATIONS, include_in_schema=False)
async def gallery_page(request: Request, studio: TheStudio, owner: Owner) -> Response:
    """What this browser asked for, and what is finished and not of anybody's picture."""
    seen = await asyncio.to_thread(_shown, studio, owner)
    return pages.respond(
        request, "visualizations/gallery.html", own=seen["own"], finished=seen["finished"]
    )
