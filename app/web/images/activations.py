"""Activations: what the layers of a network answer to a picture, as sheet, single map and numbers.

The pages need names and shapes only, so they answer without the device. Their pictures are real
addresses; their numbers are in the page when they are known, and else come as the block `numbers`.
"""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from app.archive import KeptImage
from app.studio.recipes import ChannelMap, Recipe
from app.studio.recipes.facts import ChannelRow, GridFacts
from app.studio.studio import Studio
from app.vision.drawing import layout
from app.vision.drawing.colors import NAMES
from app.web import pages, pickers, results, urls
from app.web.api import failures
from app.web.api.schemas import images as schemas
from app.web.dependencies import (
    TheStudio,
    check_channel,
    description,
    image_of,
    layer_of,
    neighbours,
    obstacle,
    result_of,
)
from app.web.fields import (
    GAMMAS,
    SCALES,
    SORTS,
    Colored,
    GridFields,
    GridQuery,
    MapFields,
    MapQuery,
    grid_recipe,
    map_recipe,
)
from app.web.sessions import Owner
from app.zoo.described import LayerDescription, NetworkDescription

router = APIRouter()
#: Rows of the table of channels on one page.
ROWS = 48
PNG = failures.media("image/png") | failures.MADE


First = Annotated[int, Query(ge=0, description="First row of the table of channels.")]
Go = Annotated[int | None, Query(description="A channel to go to.")]


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
    """Feature map of one channel, magnified by nearest neighbour."""
    kept = await image_of(studio, image, owner)
    recipe = map_recipe(kept, model, layer, channel, fields)
    return await results.picture(request, studio, recipe)


@router.get(urls.MAP + urls.JSON, responses=failures.MADE)
async def map_json(
    studio: TheStudio,
    owner: Owner,
    fields: MapQuery,
    image: str,
    model: str,
    layer: str,
    channel: int,
) -> schemas.Map:
    """Feature map of one channel, in numbers."""
    recipe = map_recipe(await image_of(studio, image, owner), model, layer, channel, fields)
    return schemas.Map(**(await studio.make(recipe)).facts)


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
    kept = await image_of(studio, image, owner)
    described = await description(studio, model)
    found = layer_of(described, layer)
    check_channel(found, channel)
    recipe = map_recipe(kept, model, layer, channel, fields)
    chosen = fields.chosen()
    hindered, twin = await obstacle(studio, model)
    before, after = await _beside(studio, kept, found, recipe, fields)
    return pages.respond(
        request,
        "images/map.html",
        channel=channel,
        channels=[("prev", before), ("next", after)],
        facts=None if hindered else await _numbers(request, studio, recipe),
        obstacle=hindered,
        untrained_url=urls.map(image, twin, layer, channel, **chosen) if twin else None,
        picture=urls.map(image, model, layer, channel, urls.PNG, **chosen),
        **_place(kept, described, found, fields),
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
    """Activation grid: all feature maps of a layer for a picture, on one sheet, lossless."""
    kept = await image_of(studio, image, owner)
    return await results.picture(request, studio, grid_recipe(kept, model, layer, fields))


@router.get(urls.GRID + urls.JSON, responses=failures.MADE)
async def grid_json(
    studio: TheStudio, owner: Owner, fields: GridQuery, image: str, model: str, layer: str
) -> schemas.Grid:
    """Activation grid: all feature maps of a layer for a picture, in numbers."""
    recipe = grid_recipe(await image_of(studio, image, owner), model, layer, fields)
    return schemas.Grid(**(await studio.make(recipe)).facts)


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
    kept = await image_of(studio, image, owner)
    described = await description(studio, model)
    found = layer_of(described, layer)
    if channel is not None:
        check_channel(found, channel)
        return pages.go(urls.map(image, model, layer, channel, **_colored(fields)))
    check_channel(found, first)
    chosen = fields.chosen()
    hindered, twin = await obstacle(studio, model)
    recipe = grid_recipe(kept, model, layer, fields)
    facts = None if hindered else await _numbers(request, studio, recipe)
    return pages.respond(
        request,
        "images/grid.html",
        facts=facts,
        obstacle=hindered,
        untrained_url=urls.grid(image, twin, layer, **chosen) if twin else None,
        compact=compact(facts) if facts else None,
        picture=urls.grid(image, model, layer, urls.PNG, **chosen),
        sheet=facts["sheet"] if facts else layout.natural(found["shape"], not described["trained"]),
        first=first // ROWS * ROWS,
        rows=ROWS,
        pages_of=[
            urls.grid(image, model, layer, **chosen, first=start)
            for start in range(0, found["shape"][0], ROWS)
        ],
        scales=SCALES,
        gammas=sorted({*GAMMAS, fields.gamma}, reverse=True),
        full_range=urls.grid(image, model, layer, **chosen | {"scale": "layer"}),
        sorts=SORTS,
        colors=NAMES,
        **_place(kept, described, found, fields),
    )


async def _beside(
    studio: Studio, image: KeptImage, layer: LayerDescription, recipe: ChannelMap, fields: MapFields
) -> tuple[int | None, int | None]:
    """The channels before and after one, in the order of the sheet that it was chosen from."""
    order = list(range(layer["shape"][0]))
    if fields.sort != "index":
        chosen = fields.model_dump(exclude={"size"})
        sheet = grid_recipe(image, recipe.model, recipe.layer, GridFields(**chosen))
        made = await result_of(studio, sheet)
        order = [row["channel"] for row in made.facts["channels"]] if made else order
    at = order.index(recipe.channel)
    return (order[at - 1] if at else None), (order[at + 1] if at + 1 < len(order) else None)


async def _numbers(request: Request, studio: Studio, recipe: Recipe) -> Any:
    """The facts of a recipe, or None; waited for only when nothing but they was asked for."""
    made = await result_of(studio, recipe)
    if made is None and pages.wanted_block(request) == "numbers":
        made = await studio.make(recipe)
    return made.facts if made else None


def _colored(fields: Colored) -> dict[str, Any]:
    """What the page of one channel takes over from a sheet: its scale, colours and order."""
    chosen = fields.chosen()
    return {name: chosen[name] for name in ("scale", "gamma", "colors", "sort") if name in chosen}


def _place(
    image: KeptImage, described: NetworkDescription, layer: LayerDescription, fields: Colored
) -> dict[str, Any]:
    """Where a layer stands in its network, and how to get to the others in the same colours."""
    before, after = neighbours(described, layer["name"])
    names = [each["name"] for each in described["layers"]]
    kept = {name: value for name, value in fields.chosen().items() if name != "size"}
    return {
        "image": image,
        "model": described,
        "layer": layer,
        "before": before,
        "after": after,
        "groups": pickers.grouped(described["layers"]),
        "addresses": {name: urls.grid(image.id, described["name"], name, **kept) for name in names},
        "fields": fields,
        "chosen": fields.chosen(),
        "query": urls.with_query("", **fields.chosen()),
    }


def _numbers_of(row: ChannelRow) -> tuple[float, ...]:
    return row["min"], row["mean"], row["max"], row["share_active"]


def compact(facts: GridFacts) -> dict[str, object]:
    """What the inspector needs of a grid: few bytes, and digits as shown, rounded only once."""
    return {
        "sheet": facts["sheet"],
        "crop": facts["crop"],
        "sided": facts["scale"]["sided"],
        "structured": facts.get("structured"),
        "channels": [
            [
                row["channel"],
                *(float(f"{number:.3g}") for number in _numbers_of(row)),
                int(row["dead"]),
            ]
            for row in facts["channels"]
        ],
    }
