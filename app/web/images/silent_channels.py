"""Firing: how many channels of each layer a single picture leaves silent."""

from fastapi import APIRouter, Request
from fastapi.responses import Response

from app.studio.recipes import LayerStatistics
from app.studio.recipes.facts import LayerRow
from app.web import pages, urls
from app.web.api import failures
from app.web.api.schemas import images as schemas
from app.web.collections.index import answering
from app.web.curves import curve
from app.web.dependencies import TheStudio, description, image_of, obstacle
from app.web.sessions import Owner

router = APIRouter()


@router.get(urls.FIRING + urls.JSON, responses=failures.MADE)
async def firing_json(studio: TheStudio, owner: Owner, image: str, model: str) -> schemas.Firing:
    """Silent channels: how many of each layer are all zero for a picture."""
    kept = await image_of(studio, image, owner)
    recipe = LayerStatistics(model=model, image=kept.id)
    made = await studio.make(recipe)
    return schemas.Firing(
        image=image, model=model, layers=_of_picture(made.facts["layers"], image, model)
    )


def _of_picture(made: list[LayerRow], image: str, model: str) -> list[schemas.SilentRow]:
    return [
        {
            "name": row["layer"],
            "kind": row["kind"],
            "channels": row["channels"],
            "signed": row["min"] < 0,
            "dead": row["dead"],
            "share_dead": row["share_dead"],
            "share_active": row["share_active"],
            "url": urls.grid(image, model, row["layer"]),
        }
        for row in made
    ]


@router.get(urls.FIRING, include_in_schema=False)
async def firing_page(
    request: Request, studio: TheStudio, owner: Owner, image: str, model: str
) -> Response:
    """The same as a curve by depth, with the way to each layer's grid."""
    kept = await image_of(studio, image, owner)
    described = await description(studio, model)
    hindered, twin = await obstacle(studio, model)
    rows: list[schemas.SilentRow] = []
    if hindered is None:
        recipe = LayerStatistics(model=model, image=kept.id)
        made = await studio.make(recipe)
        rows = _of_picture(made.facts["layers"], image, model)
    return pages.respond(
        request,
        "images/silent_channels.html",
        image=kept,
        model=described,
        rows=rows,
        curve=curve(answering(rows), "share_dead"),
        obstacle=hindered,
        untrained_url=urls.firing(image, twin) if twin else None,
    )
