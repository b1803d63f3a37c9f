"""Home: the lantern lit on a sample photo, one's own pictures, and the networks."""

import asyncio
from contextlib import suppress
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from app.errors import LaternaError
from app.settings import Settings
from app.studio.studio import Studio
from app.web import pages, pickers, urls
from app.web.dependencies import TheSettings, TheStudio, description, known, sample_images
from app.web.images import images
from app.web.sessions import Owner
from app.web.visualizations import gallery

router = APIRouter(include_in_schema=False)
MOST_GROWN = 8


@router.get(urls.HOME)
async def home(
    request: Request, studio: TheStudio, settings: TheSettings, owner: Owner
) -> Response:
    """The start page; needs no device and no choice. Its block `lit` is asked for until it is."""
    samples = await sample_images(studio)
    if pages.wanted_block(request) == "lit":
        with suppress(LaternaError):
            await description(studio, settings.default_model)
    return pages.respond(
        request,
        "home.html",
        samples=samples,
        shown=await shown(studio, settings, samples),
        models=await pickers.rows(studio),
        default=settings.default_model,
        grown=await asyncio.to_thread(gallery.finished, studio, owner, MOST_GROWN),
        **await images.own(studio, settings, owner),
    )


async def shown(studio: Studio, settings: Settings, samples: list[Any]) -> dict[str, Any] | None:
    """A sample and a layer of the default network worth looking at first, if they are known."""
    try:
        described = await known(studio, settings.default_model)
    except LaternaError:
        return None
    if not described or not samples:
        return None
    sights = [layer for layer in described["layers"] if 16 <= layer["shape"][0] <= 48]
    small = [layer for layer in sights if layer["shape"][1] <= 56]
    layer = next(iter(small or sights or described["layers"]), None)
    return {"image": samples[0], "model": described, "layer": layer} if layer else None
