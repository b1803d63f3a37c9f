"""Exports: what a page shows as files that leave it: a sheet with its legend, tables as CSV."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from app.archive import KeptImage
from app.studio.exports.spreadsheets import csv_text
from app.studio.recipes import LayerStatistics, LegendSheet
from app.studio.recipes.facts import GridFacts, ScaleFacts
from app.studio.studio import Studio
from app.web import languages, pages, results, urls, wording
from app.web.api import failures
from app.web.dependencies import TheStudio, description, image_of, layer_of
from app.web.fields import GridFields, GridQuery, grid_recipe
from app.web.sessions import Owner
from app.zoo.described import LayerDescription, NetworkDescription

router = APIRouter()
CSV = failures.media("text/csv") | failures.MADE
CHANNEL_COLUMNS = ("channel", "min", "mean", "max", "share_active", "dead")
LAYER_COLUMNS = (
    "layer", "kind", "shape", "channels", "dead", "share_dead",
    "min", "mean", "max", "share_active",
)  # fmt: skip
By = Annotated[Literal["layer", "channel"], Query(description="A row for each of these.")]


@router.get(urls.LEGEND_SHEET, responses=failures.media("image/png") | failures.MADE)
async def legend_sheet(
    request: Request,
    studio: TheStudio,
    owner: Owner,
    fields: GridQuery,
    image: str,
    model: str,
    layer: str,
) -> Response:
    """A layer's sheet with heading, channel numbers and scale, to be shown without its page."""
    kept = await image_of(studio, image, owner)
    facts = await _grid(studio, kept, model, layer, fields)
    described = await description(studio, model)
    caption = words(kept, described, layer_of(described, layer), facts)
    plain = vars(grid_recipe(kept, model, layer, fields))
    name = f"{image} {model} {layer}.png"
    return await results.picture(request, studio, LegendSheet(**plain, **caption), name)


async def _grid(
    studio: Studio, image: KeptImage, model: str, layer: str, fields: GridFields
) -> GridFacts:
    recipe = grid_recipe(image, model, layer, fields)
    facts: GridFacts = (await studio.make(recipe)).facts
    return facts


def words(
    image: KeptImage, described: NetworkDescription, layer: LayerDescription, facts: GridFacts
) -> dict[str, Any]:
    """What is written around a sheet, in this person's language."""
    shape = " × ".join(str(size) for size in facts["shape"])
    kind = wording.layer_kind(layer)
    return {
        "mark": "" if described["trained"] else languages.gettext("UNTRAINED NETWORK"),
        "heading": f"{layer['name']} – {described['title']}",
        "lines": (
            f"{wording.shown(image)} · {kind}, {shape}",
            " ".join(filter(None, (dead_words(facts), wording.beyond(facts["scale"])))),
        ),
        **_scale_words(facts["scale"]),
    }


def dead_words(facts: GridFacts) -> str:
    """How many channels are silent for a photo, in a sentence."""
    dead, count = facts["dead"], languages.whole(facts["shape"][0])
    if not dead:
        return languages.gettext("No channel is silent for this photo.")
    sentence = languages.ngettext(
        "%(dead)s of %(count)s channels is silent for this photo (all zero).",
        "%(dead)s of %(count)s channels are silent for this photo (all zero).",
        dead,
    )
    return sentence % {"dead": dead, "count": count}


def _scale_words(scale: ScaleFacts) -> dict[str, Any]:
    """The numbers of a scale; words where every channel has its own."""
    if scale["mode"] != "channel":
        ends = [scale["low"], scale["high"]]
        numbers = ends if scale["sided"] == "one" else [ends[0], 0, ends[1]]
        return {"ticks": tuple(languages.short(number) for number in numbers)}
    if scale["sided"] == "one":
        return {
            "words": languages.gettext(
                "Every channel has its own scale, from 0 to its own maximum."
            )
        }
    return {
        "words": languages.gettext(
            "Every channel has its own scale, ± its own largest magnitude around 0."
        )
    }


@router.get(urls.STATISTICS, responses=CSV)
async def statistics_csv(
    request: Request, studio: TheStudio, owner: Owner, image: str, model: str, layer: str
) -> Response:
    """A layer's numbers for a picture, a row per channel."""
    kept = await image_of(studio, image, owner)
    facts = await _grid(studio, kept, model, layer, GridFields())
    table = csv_text(CHANNEL_COLUMNS, facts["channels"])
    return _table(request, table, f"{image} {model} {layer}.csv")


@router.get(urls.ALL_STATISTICS, responses=CSV)
async def all_statistics_csv(
    request: Request,
    studio: TheStudio,
    owner: Owner,
    image: str,
    model: str,
    by: By = "layer",
) -> Response:
    """The numbers of all layers for a picture: a row per layer, or per channel of each."""
    kept = await image_of(studio, image, owner)
    recipe = LayerStatistics(model=model, image=kept.id)
    name = f"{image} {model} {by}s.csv"
    if by == "channel":
        return await results.picture(request, studio, recipe, name)
    facts = (await studio.make(recipe)).facts
    return _table(request, csv_text(LAYER_COLUMNS, facts["layers"]), name)


def _table(request: Request, table: str, name: str) -> Response:
    headers = pages.saved_as(name)
    return pages.private(request, table.encode(), "text/csv; charset=utf-8", headers=headers)
