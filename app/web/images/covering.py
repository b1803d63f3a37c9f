"""Covering: a part of a picture is covered, and the likeliest classes before and after.

The address holds what is covered, so it can be passed on, and the same is computed once.
"""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field, field_validator

from app.archive import KeptImage
from app.errors import NoClassifier
from app.studio import recipes
from app.studio.recipes import Fill
from app.studio.studio import Studio
from app.vision import masks
from app.web import pages, results, urls
from app.web.api import failures
from app.web.api.schemas import images as schemas
from app.web.dependencies import TheStudio, description, image_of, obstacle, result_of
from app.web.images.attribution_fields import FILLS
from app.web.sessions import Owner
from app.web.visualizations.requests import MOST_SEED
from app.zoo.described import NetworkDescription

router = APIRouter()
Percent = Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)]


class CoveringFields(BaseModel):
    """What is covered, and with what. A rectangle, in per cent of what is seen, is added."""

    model_config = ConfigDict(extra="ignore")

    mask: str = Field("", max_length=masks.LONGEST, description=f"The cells: {masks.ALLOWED}")
    fill: Fill = Field("mean", description="What lies under the cover.")
    seed: int = Field(0, ge=0, le=MOST_SEED, description="Of the noise.")
    left: Percent = Field(0, description="Of a rectangle, in per cent of the side.")
    top: Percent = Field(0, description="Of a rectangle, in per cent of the side.")
    width: Percent = Field(0, description="Of a rectangle; 0: none.")
    height: Percent = Field(0, description="Of a rectangle; 0: none.")

    @field_validator("mask")
    @classmethod
    def _is_mask(cls, value: str) -> str:
        masks.read(value)
        return value

    @field_validator("left", "top", "width", "height", "seed", mode="before")
    @classmethod
    def _empty_is_none(cls, value: Any) -> Any:
        return 0 if value == "" else value

    def covered(self) -> str:
        """All that is covered, written."""
        more = masks.rectangle(self.left, self.top, self.width, self.height)
        return masks.written(masks.joined(masks.read(self.mask), more))


CoveringQuery = Annotated[CoveringFields, Query()]


def covering_recipe(
    image: KeptImage, described: NetworkDescription, fields: CoveringFields
) -> recipes.Covering:
    """The request. Raises NoClassifier."""
    if not described["labels"]:
        raise NoClassifier(model=described["title"])
    return recipes.Covering(
        model=described["name"],
        image=image.id,
        mask=fields.covered(),
        fill=fields.fill,
        seed=fields.seed if fields.fill == "noise" else 0,
    )


@router.get(urls.COVERING + urls.PNG, responses=failures.media("image/png") | failures.MADE)
async def covering_png(
    request: Request, studio: TheStudio, owner: Owner, fields: CoveringQuery, image: str, model: str
) -> Response:
    """The picture as the network sees it, with a part covered."""
    recipe = await _recipe(studio, owner, fields, image, model)
    return await results.picture(request, studio, recipe)


@router.get(urls.COVERING + urls.JSON, responses=failures.MADE)
async def covering_json(
    studio: TheStudio, owner: Owner, fields: CoveringQuery, image: str, model: str
) -> schemas.Covering:
    """Predictions (top 5) before and after a part of a picture is covered."""
    recipe = await _recipe(studio, owner, fields, image, model)
    made = await studio.make(recipe)
    return schemas.Covering(**made.facts)


async def _recipe(
    studio: Studio, owner: str | None, fields: CoveringFields, image: str, model: str
) -> recipes.Covering:
    kept = await image_of(studio, image, owner)
    return covering_recipe(kept, await description(studio, model), fields)


@router.get(urls.COVERING, include_in_schema=False)
async def covering_page(
    request: Request, studio: TheStudio, owner: Owner, fields: CoveringQuery, image: str, model: str
) -> Response:
    """Cover a part of a picture by brush, and watch the prediction change."""
    kept = await image_of(studio, image, owner)
    described = await description(studio, model)
    hindered, twin = await obstacle(studio, model)
    recipe = covering_recipe(kept, described, fields)
    facts = None
    if hindered is None:
        made = await result_of(studio, recipe)
        if made is None and pages.wanted_block(request) == "numbers":
            made = await studio.make(recipe)
        facts = made.facts if made else None
    query: dict[str, Any] = {"mask": recipe.mask, "seed": recipe.seed}
    query["fill"] = recipe.fill if recipe.fill != "mean" else ""
    return pages.respond(
        request,
        "images/covering.html",
        image=kept,
        model=described,
        recipe=recipe,
        fills=FILLS,
        side=masks.SIDE,
        facts=facts,
        address=urls.covering(image, model, **query),
        picture=urls.covering(image, model, urls.PNG, **query),
        plain=urls.covering(image, model, fill=query["fill"]),
        obstacle=hindered,
        untrained_url=urls.covering(image, twin, **query) if twin else None,
    )
