"""Fetching weights: started and stopped by a form, watched as a stream of fragments."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import RedirectResponse
from fastapi.sse import EventSourceResponse, ServerSentEvent

from app.errors import UnknownModel, UnknownPage
from app.studio.fetching import Fetching
from app.studio.studio import Studio
from app.web import languages, pages, pickers, urls
from app.web.api import failures
from app.web.api.schemas import networks as schemas
from app.web.dependencies import TheStudio
from app.zoo.catalogue import Entry

router = APIRouter()


def facts(model: str, fetching: Fetching) -> schemas.Fetching:
    """How far it is, in JSON."""
    problem = fetching.problem.message(languages.gettext) if fetching.problem else ""
    return schemas.Fetching(
        model=model,
        state=fetching.state,
        bytes=fetching.bytes,
        total=fetching.total,
        problem=problem,
    )


def _listed(studio: TheStudio, model: str) -> Entry:
    """What the catalogue says of a network; beside the event loop, as it is no coroutine."""
    return studio.catalogue.entry(model)


Listed = Annotated[Entry, Depends(_listed)]


@router.post(
    urls.FETCH + urls.JSON,
    status_code=202,
    responses=failures.FETCHED,
)
async def fetch_json(studio: TheStudio, model: str, entry: Listed) -> schemas.Fetching:
    """Start fetching a network's weights from the mirror; asking twice is harmless."""
    return facts(model, studio.fetcher.start(entry))


@router.post(urls.FETCH, include_in_schema=False)
async def fetch(studio: TheStudio, entry: Listed) -> RedirectResponse:
    """Start fetching a network's weights, then show the list with its progress."""
    studio.fetcher.start(entry)
    return pages.go(urls.at(urls.MODELS))


@router.post(urls.FETCH_CANCEL + urls.JSON, status_code=202, responses=failures.FETCHED)
async def cancel_json(studio: TheStudio, model: str, entry: Listed) -> dict[str, str]:
    """Stop fetching a network's weights."""
    studio.fetcher.cancel(entry.name)
    return {"model": model}


@router.post(urls.FETCH_CANCEL, include_in_schema=False)
async def cancel(studio: TheStudio, entry: Listed) -> RedirectResponse:
    """Stop fetching a network's weights, then show the list."""
    studio.fetcher.cancel(entry.name)
    return pages.go(urls.at(urls.MODELS))


@router.get(urls.FETCHES_EVENTS, response_class=EventSourceResponse, include_in_schema=False)
async def all_events(request: Request, studio: TheStudio) -> AsyncIterator[ServerSentEvent]:
    """The states of all networks that are being fetched as one stream, so that a page with many
    of them needs one connection: `progress` with those that changed, then `end`.
    """
    async for news in studio.fetcher.all_changes():
        states = []
        for each in news:
            with suppress(UnknownModel):  # it was taken out of the catalogue since
                entry = await asyncio.to_thread(studio.catalogue.entry, each.model)
                states.append(await _state(request, studio, entry, each))
        yield ServerSentEvent(event="progress", raw_data="\n".join(states))
    if not studio.fetcher.closed:  # else browsers come back to the next server
        yield ServerSentEvent(event="end", raw_data="end")


async def _entry(entry: Listed) -> Entry:
    """A network that may be fetched; looked up before a stream begins. Raises UnknownPage."""
    if not entry.trained:
        raise UnknownPage()
    return entry


@router.get(urls.FETCH_EVENTS, response_class=EventSourceResponse, include_in_schema=False)
async def events(
    request: Request, studio: TheStudio, entry: Annotated[Entry, Depends(_entry)]
) -> AsyncIterator[ServerSentEvent]:
    """The network's state, as often as it changes, then `end`; the first is the state of now."""
    if studio.fetcher.fetching(entry.name):
        async for snapshot in studio.fetcher.changes(entry.name):
            yield ServerSentEvent(raw_data=await _state(request, studio, entry, snapshot))
    yield ServerSentEvent(raw_data=await _state(request, studio, entry, None))
    yield ServerSentEvent(event="end", raw_data="end")


async def _state(request: Request, studio: Studio, entry: Entry, snapshot: Fetching | None) -> str:
    row = await pickers.usable(studio, entry.name)
    fetching = facts(entry.name, snapshot) if snapshot else None
    return pages.render(request, "networks/state.html", row=row, fetching=fetching)
