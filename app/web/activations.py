"""Activations: what the layers of a network answer to a picture, as sheet, single map and numbers.

The pages need names and shapes only, so they answer without the device. Their pictures are real
addresses; their numbers are in the page when they are known, and else come as the block `numbers`.
"""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import RedirectResponse, Response
from pydantic import BaseModel, ConfigDict, Field, field_validator

from app.archive import KeptImage, Result
from app.errors import Unexpected
from app.studio.recipes import ActivationGrid, ChannelMap, Recipe, Scale, Sort
from app.studio.studio import Studio
from app.vision.colors import NAMES
from app.web import layers, models, pages, twins, urls
from app.web.given import TheStudio, description, layer_of
from app.web.sessions import Owner

router = APIRouter()
#: Rows of the table of channels on one page.
ROWS = 48
SCALES: tuple[Scale, ...] = ("layer", "channel")
SORTS: tuple[Sort, ...] = ("index", "max", "mean")
PNG = {200: {"content": {"image/png": {}}, "description": "One PNG."}}


class _Colored(BaseModel):
    model_config = ConfigDict(extra="ignore")

    colors: str = Field("", description=f"A colour map: {', '.join(NAMES)}; empty: by sign.")

    @field_validator("colors")
    @classmethod
    def _known(cls, name: str) -> str:
        if name not in ("", *NAMES):
            raise ValueError(f"one of {', '.join(NAMES)}")
        return name


class GridFields(_Colored):
    """How a sheet is drawn."""

    scale: Scale = Field("layer", description="One scale for all channels, or each its own.")
    sort: Sort = Field("index", description="The order of the channels on the sheet.")
    tile: int = Field(0, ge=0, le=512, description="Pixels per tile; 0: by the map's size.")


class MapFields(_Colored):
    """How one channel's map is drawn."""

    scale: Scale = Field("layer", description="The layer's scale, or the channel's own.")
    size: int = Field(448, ge=8, le=2048, description="Longest side of the picture in pixels.")


class FilterFields(_Colored):
    """How filters are drawn."""

    tile: int = Field(0, ge=0, le=256, description="Pixels per tile; 0: by the filters' size.")


GridQuery = Annotated[GridFields, Query()]
MapQuery = Annotated[MapFields, Query()]
FilterQuery = Annotated[FilterFields, Query()]
First = Annotated[int, Query(ge=0, description="First row of the table of channels.")]
Go = Annotated[int | None, Query(description="A channel to go to.")]


def grid_recipe(image: KeptImage, model: str, layer: str, fields: GridFields) -> ActivationGrid:
    """The request for a sheet."""
    return ActivationGrid(
        model=model,
        layer=layer,
        image=image.id,
        source=str(image.picture),
        **fields.model_dump(),
    )


def map_recipe(
    image: KeptImage, model: str, layer: str, channel: int, fields: MapFields
) -> ChannelMap:
    """The request for one channel's map."""
    return ChannelMap(
        model=model,
        layer=layer,
        channel=channel,
        image=image.id,
        source=str(image.picture),
        **fields.model_dump(),
    )


async def picture(request: Request, studio: Studio, recipe: Recipe) -> Response:
    """A recipe's picture: a 304, from the archive, or made now."""
    result = studio.made(recipe) or await studio.make(recipe)
    if pages.known(request, f'"{result.digest}"'):
        return pages.private(request, b"", result.media, digest=result.digest)
    return pages.private(
        request, await _bytes(studio, recipe, result), result.media, digest=result.digest
    )


async def _bytes(studio: Studio, recipe: Recipe, result: Result) -> bytes:
    """The bytes of a result; made again when they were damaged on disk."""
    for _ in range(2):
        body = studio.read(result)
        if body is not None:
            return body
        result = await studio.make(recipe)
    raise Unexpected(request="–")


def go(address: str) -> RedirectResponse:
    """To another page, as a form asked for."""
    return RedirectResponse(address, 303)


@router.get(urls.MAP + urls.PNG, responses=PNG)
async def map_png(
    request: Request,
    studio: TheStudio,
    owner: Owner,
    fields: MapQuery,
    image: str,
    model: str,
    layer: str,
    channel: int,
) -> Response:
    """One channel's map, magnified by nearest neighbour."""
    kept = studio.image(image, owner)
    recipe = map_recipe(kept, model, layer, channel, fields)
    return await picture(request, studio, recipe)


@router.get(urls.MAP + urls.JSON, response_model=twins.Map)
async def map_json(
    studio: TheStudio,
    owner: Owner,
    fields: MapQuery,
    image: str,
    model: str,
    layer: str,
    channel: int,
) -> dict[str, Any]:
    """One channel's map in numbers."""
    recipe = map_recipe(studio.image(image, owner), model, layer, channel, fields)
    return (studio.made(recipe) or await studio.make(recipe)).facts


@router.get(urls.MAP, include_in_schema=False)
async def map_page(
    request: Request,
    studio: TheStudio,
    owner: Owner,
    fields: MapQuery,
    image: str,
    model: str,
    layer: str,
    channel: int,
) -> Response:
    """One channel's map, large and over the photo."""
    kept = studio.image(image, owner)
    described = await description(studio, model)
    found = layer_of(described, layer)
    layers.check_channel(found, channel)
    recipe = map_recipe(kept, model, layer, channel, fields)
    return pages.respond(
        request,
        "map.html",
        image=kept,
        channel=channel,
        fields=fields,
        facts=await _numbers(request, studio, recipe),
        owned=owner is not None and kept.owner == owner,
        **_place(described, found),
    )


@router.get(urls.GRID + urls.PNG, responses=PNG)
async def grid_png(
    request: Request,
    studio: TheStudio,
    owner: Owner,
    fields: GridQuery,
    image: str,
    model: str,
    layer: str,
) -> Response:
    """All channels of a layer for a picture, on one sheet, lossless."""
    kept = studio.image(image, owner)
    return await picture(request, studio, grid_recipe(kept, model, layer, fields))


@router.get(urls.GRID + urls.JSON, response_model=twins.Grid)
async def grid_json(
    studio: TheStudio, owner: Owner, fields: GridQuery, image: str, model: str, layer: str
) -> dict[str, Any]:
    """All channels of a layer for a picture, in numbers."""
    recipe = grid_recipe(studio.image(image, owner), model, layer, fields)
    return (studio.made(recipe) or await studio.make(recipe)).facts


@router.get(urls.GRID, include_in_schema=False)
async def grid_page(
    request: Request,
    studio: TheStudio,
    owner: Owner,
    fields: GridQuery,
    image: str,
    model: str,
    layer: str,
    first: First = 0,
    channel: Go = None,
) -> Response:
    """All channels of a layer for a picture: browse, compare, open one."""
    kept = studio.image(image, owner)
    described = await description(studio, model)
    found = layer_of(described, layer)
    if channel is not None:
        layers.check_channel(found, channel)
        return go(urls.map(image, model, layer, channel))
    return pages.respond(
        request,
        "grid.html",
        image=kept,
        fields=fields,
        facts=await _numbers(request, studio, grid_recipe(kept, model, layer, fields)),
        first=first - first % ROWS,
        rows=ROWS,
        scales=SCALES,
        sorts=SORTS,
        colors=NAMES,
        **_place(described, found),
    )


async def _numbers(request: Request, studio: Studio, recipe: Recipe) -> dict[str, Any] | None:
    """The facts of a recipe; waited for only when nothing but they was asked for."""
    made = studio.made(recipe)
    if made is None and pages.wanted_block(request) == "numbers":
        made = await studio.make(recipe)
    return made.facts if made else None


def _place(described: dict[str, Any], layer: dict[str, Any]) -> dict[str, Any]:
    """Where a layer stands in its network."""
    before, after = layers.neighbours(described, layer["name"])
    return {
        "model": described,
        "layer": layer,
        "before": before,
        "after": after,
        "groups": models.grouped(described["layers"]),
    }
