"""Filters: a layer's weights beside those of its untrained copy: smooth against noise."""

from contextlib import suppress
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from pydantic import Field, model_validator
from typing_extensions import TypedDict

from app.errors import LaternaError, NoFilters
from app.studio.recipes import Smoothness
from app.studio.studio import Studio
from app.vision.drawing.colors import NAMES
from app.web import pages, urls
from app.web.api import failures
from app.web.api.schemas import networks as schemas
from app.web.curves import Curve, curve
from app.web.dependencies import (
    TheStudio,
    check_channel,
    description,
    layer_of,
    obstacle,
    result_of,
)
from app.web.fields import Colored, FilterFields, filters_recipe
from app.web.networks import sketches
from app.web.networks.layers import has_filters
from app.zoo.described import LayerDescription, NetworkDescription

router = APIRouter()
#: Bars of the histogram.
BINS = 25
#: A tile that hangs alone is this large, so that there is room for the word UNTRAINED below it.
ALONE = 192


class Looked(Colored):
    """What is looked at, and how it is drawn."""

    filter: int | None = Field(None, ge=0, description="One filter's inputs; empty: all.")
    scale: Literal["own", "shared"] = Field("own", description="Each network's scale, or one.")
    wait: bool = Field(False, description="Whether the page waits for its numbers.")

    @model_validator(mode="before")
    @classmethod
    def _what_is_said(cls, values: Any) -> Any:
        """A field that was left empty in a form says nothing."""
        if not isinstance(values, dict):
            return values
        return {name: value for name, value in values.items() if value not in ("", None)}


LookedQuery = Annotated[Looked, Query()]


@dataclass
class Hung:
    """One of the two networks: its description, what hinders it, and what is known of its filters:

    the facts of its Filters, of their Smoothness, and of that of all its layers.
    """

    model: NetworkDescription
    obstacle: str | None
    facts: Any = None
    grain: Any = None
    depth: Any = None

    @property
    def name(self) -> str:
        """Its name in addresses."""
        return str(self.model["name"])


async def _both(studio: Studio, model: str, layer: str) -> tuple[list[Hung], LayerDescription]:
    """The network asked for and its twin; the layer. Raises NoFilters for other layers."""
    described = await description(studio, model)
    found = layer_of(described, layer)
    if not has_filters(found):
        raise NoFilters(layer=layer)
    hung = [Hung(described, (await obstacle(studio, model))[0])]
    with suppress(LaternaError):
        twin = urls.counterpart(model)
        hung.append(Hung(await description(studio, twin), (await obstacle(studio, twin))[0]))
    return hung, found


async def _measure(
    studio: Studio, one: Hung, layer: LayerDescription, looked: Looked, wait: bool
) -> None:
    """Fill in what is known, or have it made when somebody waits for it."""
    name = layer["name"]
    fields = FilterFields(colors=looked.colors, tile=tile_of(layer, looked))
    recipe = filters_recipe(one.name, name, fields, channel_of(looked))
    recipes = (recipe, Smoothness(model=one.name, layer=name), Smoothness(model=one.name))
    made = [await result_of(studio, each) for each in recipes]
    if wait and not one.obstacle:
        made = [found or await studio.make(each) for found, each in zip(made, recipes, strict=True)]
    one.facts, one.grain, one.depth = (each.facts if each else None for each in made)


def inputs_of(layer: LayerDescription) -> int:
    """How many channels each filter reads."""
    groups = layer["window"]["groups"] if layer["window"] else 1
    return layer["given"][0] // groups


def tile_of(layer: LayerDescription, looked: Looked) -> int:
    """Pixels of a tile: large where there is only one, else (0) as its filters are."""
    window = layer["window"]
    point = window is not None and list(window["kernel"]) == [1, 1]
    alone = point if looked.filter is None else inputs_of(layer) in (1, 3)
    return ALONE if alone else 0


def channel_of(looked: Looked) -> int:
    """The filter that is looked at, -1 for all of them, as recipes say it."""
    return -1 if looked.filter is None else looked.filter


def reach_of(hung: list[Hung], looked: Looked) -> float:
    """The end of the scale that both share; 0 when each has its own."""
    if looked.scale == "own":
        return 0.0
    return max((one.facts["scale"]["high"] for one in hung if one.facts), default=0.0)


def picture(one: Hung, layer: LayerDescription, looked: Looked, reach: float) -> str:
    """Where its sheet is."""
    name, tile = layer["name"], tile_of(layer, looked)
    fields: dict[str, str | float] = {"colors": looked.colors, "tile": tile, "reach": reach}
    if looked.filter is None:
        return urls.filters(one.name, name, **fields)
    return urls.channel_filters(one.name, name, looked.filter, **fields)


def rows(one: Hung) -> list[schemas.FilterRow]:
    """Each tile's norm, for whole filters high-frequency energy too, in the sheet's order."""
    if one.facts is None:
        return []
    shares = one.grain["filters"] if one.grain else []
    return [
        row | ({"grain": shares[row["filter"]]} if shares and "filter" in row else {})
        for row in one.facts["filters"]
    ]


def told(one: Hung, layer: LayerDescription, looked: Looked, reach: float) -> schemas.FilterSheet:
    """One network's filters in JSON."""
    facts, grain = one.facts or {}, one.grain or {}
    return {
        "model": one.name,
        "trained": one.model["trained"],
        "obstacle": one.obstacle,
        "picture": None if one.obstacle else picture(one, layer, looked, reach),
        "mode": facts.get("mode"),
        "scale": facts.get("scale") and facts["scale"] | _ends(reach),
        "sheet": facts.get("sheet"),
        "grain": grain.get("mean"),
        "filters": rows(one),
    }


def _ends(reach: float) -> dict[str, float]:
    return {"low": -reach, "high": reach} if reach else {}


@router.get(urls.FILTERS_PAGE + urls.JSON, responses=failures.MADE)
async def filters_json(
    studio: TheStudio, looked: LookedQuery, model: str, layer: str
) -> schemas.FilterPair:
    """A layer's filters in numbers, and those of its untrained copy."""
    hung, found = await _both(studio, model, layer)
    if looked.filter is not None:
        check_channel(found, looked.filter)
    for one in hung:
        await _measure(studio, one, found, looked, wait=True)
    reach = reach_of(hung, looked)
    noise = next((one.grain["noise"] for one in hung if one.grain), None)
    sides_told = [told(one, found, looked, reach) for one in hung]
    return schemas.FilterPair(
        layer=layer,
        filter=looked.filter,
        noise=noise,
        own=sides_told[0],
        twin=sides_told[1] if len(sides_told) > 1 else None,
    )


@router.get(urls.FILTERS_PAGE, include_in_schema=False)
async def filters_page(
    request: Request, studio: TheStudio, looked: LookedQuery, model: str, layer: str
) -> Response:
    """A layer's filters beside those of its untrained copy."""
    hung, found = await _both(studio, model, layer)
    if looked.filter is not None:
        check_channel(found, looked.filter)
    wait = looked.wait or pages.wanted_block(request) == "numbers"
    for one in hung:
        await _measure(studio, one, found, looked, wait)
    known = all(one.facts and one.grain and one.depth for one in hung if not one.obstacle)
    reach = reach_of(hung, looked)
    query = looked.model_dump(exclude_defaults=True, exclude={"wait"})
    return pages.respond(
        request,
        "networks/filters.html",
        model=hung[0].model,
        layer=found,
        hung=hung,
        known=known,
        inputs=inputs_of(found),
        looked=looked,
        pictures={one.name: picture(one, found, looked, reach) for one in hung},
        legends={
            one.name: one.facts | {"scale": one.facts["scale"] | _ends(reach)}
            for one in hung
            if one.facts
        },
        rows={one.name: rows(one) for one in hung},
        chart=sketches.grain_chart(
            {one.name: one.grain["filters"] for one in hung if one.grain}, BINS
        ),
        curves={one.name: _by_depth(one.depth["layers"]) for one in hung if one.depth},
        noise=next((one.grain["noise"] for one in hung if one.grain), None),
        convolutions=[each for each in hung[0].model["layers"] if has_filters(each)],
        colors=NAMES,
        address=urls.filters_page(model, layer, **query),
        waiting=urls.filters_page(model, layer, **query, wait=1),
    )


class GrainRow(TypedDict):
    """A layer's mean share of high-frequency energy; None where there is none to speak of."""

    name: str
    filters: int
    mean: float | None


def _by_depth(layers: list[GrainRow]) -> Curve:
    """The mean share of fine grain along the depth, of the layers that have one."""
    return curve([layer for layer in layers if layer["mean"] is not None], "mean", 1.0, (600, 200))
