"""Side by side: two activation grids on one shared scale; the address holds both sides.

Whatever is left out of the address is chosen: the left side is a sample photo, the right one the
same of the untrained copy.
"""

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from app.studio.recipes.facts import GridFacts
from app.studio.studio import Studio
from app.vision.drawing.colors import NAMES
from app.web import pages, pickers, results, urls
from app.web.api import failures
from app.web.api.schemas import images as schemas
from app.web.dependencies import TheSettings, TheStudio, all_images, result_of, sample_images
from app.web.fields import SORTS, grid_recipe
from app.web.images import activations, sides
from app.web.images.shared_scales import Facts, channels_of, drawn, legends, reach, scale_of
from app.web.images.sides import Pair, SideFields
from app.web.sessions import Owner

router = APIRouter()
SideQuery = Annotated[SideFields, Query()]


@router.get(
    urls.SIDE,
    responses=failures.media("image/png") | failures.MADE,
)
async def side_png(
    request: Request,
    studio: TheStudio,
    settings: TheSettings,
    owner: Owner,
    fields: SideQuery,
    side: Literal["left", "right"],
) -> Response:
    """The sheet of one side, on the scale of both."""
    pair = await sides.pair(studio, settings, owner, fields, strict=True)
    told = drawn(pair, scale_of(pair, await own_facts(studio, pair, wait=True)))
    recipe = grid_recipe(pair.sides[side].image, *pair.sides[side].names[1:], told)
    return await results.picture(request, studio, recipe)


@router.get(urls.SIDE_BY_SIDE + urls.JSON, responses=failures.MADE)
async def side_by_side_json(
    studio: TheStudio, settings: TheSettings, owner: Owner, fields: SideQuery
) -> schemas.SideBySide:
    """Two activation grids in numbers, and the scale that both are drawn on."""
    pair = await sides.pair(studio, settings, owner, fields, strict=True)
    facts = await own_facts(studio, pair, wait=True, hindered=True)
    told = {
        name: {
            "image": side.image.id,
            "model": side.model["name"],
            "layer": side.layer["name"],
            "url": urls.grid(*side.names),
            "picture": urls.side(name, **pair.chosen()),
            "grid": facts[name],
        }
        for name, side in pair.sides.items()
    }
    return schemas.SideBySide.model_validate({"scale": scale_of(pair, facts), **told})


@router.get(urls.SIDE_BY_SIDE, include_in_schema=False)
async def side_by_side_page(
    request: Request, studio: TheStudio, settings: TheSettings, owner: Owner, fields: SideQuery
) -> Response:
    """Two sheets beside each other: the same channel and the same place marked on both."""
    pair = await sides.pair(studio, settings, owner, fields, strict=False)
    facts = await own_facts(studio, pair, wait=pages.wanted_block(request) == "numbers")
    known = all(facts[name] for name, side in pair.sides.items() if not side.obstacle)
    scale = scale_of(pair, facts) if known else None
    chosen = pair.chosen()
    return pages.respond(
        request,
        "images/side_by_side.html",
        pair=pair,
        sides=pair.sides,
        known=known,
        facts=facts,
        legends=legends(facts, scale) if known else {},
        twins={
            name: urls.side_by_side(**chosen | {f"{name}_model": side.twin})
            for name, side in pair.sides.items()
            if side.twin
        },
        shared=scale,
        reaches={name: reach(one) for name, one in facts.items() if one},
        other_scale=urls.side_by_side(
            **chosen | {"scale": "own" if fields.scale == "shared" else None}
        ),
        compact={name: compact(one) for name, one in facts.items() if one},
        pictures={name: urls.side(name, **chosen) for name in pair.sides},
        channels=channels_of(pair, facts),
        told=drawn(pair, scale),
        fields=fields,
        chosen=chosen,
        here=urls.at(urls.SIDE_BY_SIDE),
        address=urls.side_by_side(**chosen),
        swapped=urls.side_by_side(**pair.swapped()),
        proposals=await proposals(studio, pair),
        images=await all_images(studio, owner),
        models=await networks(studio, pair),
        groups={name: pickers.grouped(side.model["layers"]) for name, side in pair.sides.items()},
        sorts=SORTS,
        colors=NAMES,
    )


def compact(facts: GridFacts) -> dict[str, object]:
    """What the cursor over both sheets needs of one: also how many cells a map has."""
    return activations.compact(facts) | {"map": facts["shape"][1:]}


async def own_facts(studio: Studio, pair: Pair, wait: bool, hindered: bool = False) -> Facts:
    """What each side's grid says on its own scale; None where it is not known.

    wait: have it made now. hindered: also that of a network that cannot be run, so that what
    hinders it is raised.
    """
    facts: Facts = {}
    for name, side in pair.sides.items():
        recipe = grid_recipe(side.image, *side.names[1:], pair.fields.own())
        made = await result_of(studio, recipe)
        if made is None and wait and (hindered or not side.obstacle):
            made = await studio.make(recipe)
        facts[name] = made.facts if made else None
    return facts


async def proposals(studio: Studio, pair: Pair) -> dict[str, str]:
    """Addresses of other right sides, by what they differ in from the left."""
    left = pair.sides["left"]
    image, model, layer = left.names
    twin = urls.counterpart(model)
    names = [each["name"] for each in left.model["layers"]]
    after = names[min(names.index(layer) + 1, len(names) - 1)]
    photos = [each.id for each in await sample_images(studio) if each.id != image]
    found = {"twin": (image, twin, layer), "layer": (image, model, after)}
    if photos:
        found["image"] = (photos[0], model, layer)
    kept = {name: value for name, value in pair.chosen().items() if not name.startswith("right")}
    return {
        what: urls.side_by_side(
            **kept | {"right_image": one[0], "right_model": one[1], "right_layer": one[2]}
        )
        for what, one in found.items()
    }


async def networks(studio: Studio, pair: Pair) -> list[tuple[str, str, bool]]:
    """(name, title, trained) of what can be chosen: each that is ready, and its untrained copy."""
    entries = await pickers.ready(studio)
    found = {entry.name: (entry.title, entry.trained) for entry in entries}
    for entry in entries:
        found.setdefault(urls.counterpart(entry.name), (entry.title, not entry.trained))
    for side in pair.sides.values():
        found.setdefault(side.names[1], (side.model["title"], side.model["trained"]))
    return [(name, title, trained) for name, (title, trained) in found.items()]
