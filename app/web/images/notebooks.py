"""Notebooks: a page -> a Jupyter notebook that makes what it shows, with the package alone."""

import asyncio
import hashlib
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from app.archive import KeptImage
from app.errors import NoScript, NotMade
from app.studio.exports.notebooks import notebook
from app.studio.recipes import OfCollection, OfPicture
from app.studio.studio import Studio
from app.web import languages, pages, urls, wording
from app.web.api import failures
from app.web.dependencies import TheStudio, check_channel, description, image_of, layer_of
from app.web.fields import GridQuery, grid_recipe
from app.web.networks import layers
from app.web.sessions import Owner
from app.web.visualizations import view
from app.web.visualizations.visualizations import SeenJob

router = APIRouter()
MEDIA = "application/x-ipynb+json"
BOOK = failures.media(MEDIA)
#: So many channels, in the order of the sheet, are compared with the page.
COMPARED = 5


def _book(request: Request, text: str, name: str) -> Response:
    headers = pages.saved_as(f"{name}.ipynb")
    return pages.private(request, text.encode(), MEDIA, headers=headers)


def _address(request: Request, path: str) -> str:
    return pages.whole_address(request, path)


async def _bytes(studio: Studio, image: KeptImage) -> bytes:
    return await asyncio.to_thread(studio.archive.read_picture, image)


@router.get(urls.GRID_NOTEBOOK, responses=BOOK | failures.MADE)
async def grid_notebook(
    request: Request,
    studio: TheStudio,
    owner: Owner,
    fields: GridQuery,
    image: str,
    model: str,
    layer: str,
) -> Response:
    """A notebook that makes a layer's sheet for a picture, and compares its numbers."""
    kept = await image_of(studio, image, owner)
    described = await description(studio, model)
    recipe = grid_recipe(kept, model, layer, fields)
    facts = (await studio.make(recipe)).facts
    page = _address(request, urls.grid(image, model, layer, **fields.chosen()))
    words = {
        "title": f"{layer} – {described['title']}",
        "address": page,
        "picture": wording.shown(kept),
    }
    values = fields.model_dump() | {
        "model": model,
        "layer": layer,
        "weights": facts["weights_sha256"],
        "definition": facts.get("definition", ""),
        "told": _told(facts),
    }
    book = await _bytes(studio, kept)
    text = await asyncio.to_thread(
        notebook, "grid", words, values, book, translate=languages.gettext
    )
    return _book(request, text, f"{model} {layer}")


def _told(facts: dict[str, Any]) -> dict[str, Any]:
    """What the page says of a grid, as far as the notebook compares it."""
    rows = facts["channels"][:COMPARED]
    return {
        "shape": facts["shape"],
        "low": facts["scale"]["low"],
        "high": facts["scale"]["high"],
        "dead": facts["dead"],
        "channels": [row["channel"] for row in rows],
        "maxima": [row["max"] for row in rows],
        "means": [row["mean"] for row in rows],
    }


@router.get(urls.CHANNEL_NOTEBOOK, responses=BOOK | failures.MADE)
async def channel_notebook(
    request: Request, studio: TheStudio, model: str, layer: str, channel: int
) -> Response:
    """A notebook that makes a channel's filter, its sample photos and its feature visualization."""
    described = await description(studio, model)
    check_channel(layer_of(described, layer), channel)
    rows = await asyncio.to_thread(layers.excited, studio, model, layer, channel)
    words = {
        "title": f"{layer} {channel} – {described['title']}",
        "address": _address(request, urls.channel(model, layer, channel)),
    }
    values = {
        "model": model,
        "layer": layer,
        "channel": channel,
        "weights": described["weights"]["sha256"],
        "definition": (await asyncio.to_thread(studio.catalogue.entry, model)).definition,
        "told": {row["id"]: row["max"] for row in rows if row["max"] is not None},
    }
    return _book(
        request,
        await asyncio.to_thread(notebook, "channel", words, values, translate=languages.gettext),
        f"{model} {layer} {channel}",
    )


@router.get(urls.VISUALIZATION_NOTEBOOK, responses=BOOK | failures.DONE)
async def visualization_notebook(
    request: Request, studio: TheStudio, owner: Owner, job: SeenJob
) -> Response:
    """A notebook that makes a finished visualization again."""
    if isinstance(job.recipe, OfCollection):  # made of many pictures: no notebook could hold them
        raise NoScript()
    result = await asyncio.to_thread(studio.outcome, job.id)
    made = await asyncio.to_thread(studio.read, result) if result else None
    if result is None or made is None:
        raise NotMade()
    facts = result.facts
    recipe, picture = job.recipe, None
    if isinstance(recipe, OfPicture):
        picture = await _bytes(studio, await image_of(studio, recipe.image, owner))
    words = {
        "title": await asyncio.to_thread(view.title, studio, recipe),
        "address": _address(request, urls.visualization(job.id)),
    }
    values = {
        "recipe": recipe.facts(),
        "weights": facts["weights_sha256"],
        "device": facts["device"],
        "threads": facts.get("threads"),
        "told": _measured(facts, recipe.facts()),
        "digest": hashlib.sha256(made).hexdigest(),
        "versions": facts["versions"],
    }
    text = await asyncio.to_thread(
        notebook, "visualization", words, values, picture, translate=languages.gettext
    )
    return _book(request, text, f"{recipe.title} {job.id[:8]}")


def _measured(facts: dict[str, Any], asked: dict[str, Any]) -> dict[str, float]:
    """The numbers that were not asked for but came of it."""
    return {
        name: value
        for name, value in facts.items()
        if isinstance(value, float | int) and not isinstance(value, bool) and name not in asked
    }
