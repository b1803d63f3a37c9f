"""Predictions: what a network takes a picture for, on the picture's own page and as JSON."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from app.archive import KeptImage
from app.settings import Settings
from app.studio import recipes
from app.studio.studio import Studio
from app.web import pages, pickers, urls
from app.web.api import failures
from app.web.api.schemas import images as schemas
from app.web.dependencies import (
    TheSettings,
    TheStudio,
    description,
    image_of,
    known,
    obstacle,
    result_of,
)
from app.web.images import images
from app.web.sessions import Owner
from app.zoo.described import NetworkDescription

router = APIRouter()
Wait = Annotated[bool, Query(description="Whether the page waits for the prediction.")]


@router.get(urls.PREDICTION + urls.JSON, responses=failures.MADE)
async def prediction_json(
    studio: TheStudio, owner: Owner, image: str, model: str
) -> schemas.Prediction:
    """Prediction (top 5) for a picture, and the addresses of its activations."""
    kept = await image_of(studio, image, owner)
    described = await description(studio, model)
    recipe = recipes.Prediction(model=model, image=kept.id)
    result = await studio.make(recipe)
    links = [{"name": name, "url": url} for name, url in _grids(kept, described).items()]
    return schemas.Prediction(**result.facts, layers=links)


def _grids(image: KeptImage, described: NetworkDescription) -> dict[str, str]:
    """The addresses of a picture's activation grids, by layer."""
    names = [layer["name"] for layer in described["layers"]]
    return {name: urls.grid(image.id, described["name"], name) for name in names}


@router.get(urls.PREDICTION, include_in_schema=False)
async def prediction_page(
    request: Request,
    studio: TheStudio,
    settings: TheSettings,
    owner: Owner,
    image: str,
    model: str,
    wait: Wait = False,
) -> Response:
    """A picture with the prediction of one network."""
    return await _seen_by(request, studio, settings, owner, image, model, wait)


@router.get(urls.IMAGE, include_in_schema=False)
async def image_page(
    request: Request,
    studio: TheStudio,
    settings: TheSettings,
    owner: Owner,
    image: str,
    wait: Wait = False,
) -> Response:
    """A picture with the prediction of the default network."""
    return await _seen_by(request, studio, settings, owner, image, settings.default_model, wait)


async def _seen_by(
    request: Request,
    studio: Studio,
    settings: Settings,
    owner: str | None,
    image: str,
    model: str,
    wait: bool,
) -> Response:
    """The picture's page; the network's part of it waits for the device, the rest does not.

    wait: the whole page does, as a browser without scripts asks for no part.
    """
    kept = await image_of(studio, image, owner)
    hindered, twin = await obstacle(studio, model)
    waiting = hindered is None and (wait or pages.wanted_block(request) == "seen")
    described = await description(studio, model) if waiting else await known(studio, model)
    seen = None
    if hindered is None and (described is None or described["labels"]):
        recipe = recipes.Prediction(model=model, image=kept.id)
        seen = await result_of(studio, recipe) or (await studio.make(recipe) if waiting else None)
    return pages.respond(
        request,
        "images/picture.html",
        image=kept,
        name=model,
        model=described,
        groups=pickers.grouped(described["layers"]) if described else [],
        addresses=_grids(kept, described) if described else {},
        seen=seen.facts if seen else None,
        obstacle=hindered,
        untrained_url=urls.prediction(image, twin) if twin else None,
        models=await pickers.ready(studio),
        **await images.own(studio, settings, owner)
        | {"owned": owner is not None and kept.owner == owner},
    )
