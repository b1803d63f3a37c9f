"""The lecture as a page and as JSON."""

from fastapi import APIRouter, Request
from fastapi.responses import Response

from app.studio.jobs.job import State
from app.web import pages, urls
from app.web.api.schemas import lecture as schemas
from app.web.dependencies import TheStudio
from app.web.lecture import here
from app.web.lecture.chapters import Chapter, Place, introduction

router = APIRouter()


@router.get(urls.LECTURE + urls.JSON)
async def lecture_json(studio: TheStudio) -> schemas.Lecture:
    """The chapters of the lecture, and where each can be seen."""
    told = await here.looked_up(studio, await here.chapters(studio))
    return schemas.Lecture(chapters=[_told(chapter) for chapter in told])


def _told(chapter: Chapter) -> schemas.Chapter:
    return {
        "name": chapter.name,
        "title": chapter.title,
        "text": chapter.text,
        "paper": chapter.paper,
        "places": [_place(place) for place in chapter.places],
        "note": chapter.note,
    }


def _place(place: Place) -> schemas.Place:
    return {
        "title": place.title,
        "url": place.url,
        "state": place.state,
        "made": place.made,
        "ask": place.ask or None,
    }


@router.get(urls.LECTURE, include_in_schema=False)
async def lecture_page(request: Request, studio: TheStudio) -> Response:
    """The lecture, chapter by chapter."""
    told = await here.looked_up(studio, await here.chapters(studio))
    return pages.respond(
        request,
        "lecture/lecture.html",
        introduction=introduction(),
        chapters=told,
        unmade=any(place.state == State.UNMADE for chapter in told for place in chapter.places),
    )
