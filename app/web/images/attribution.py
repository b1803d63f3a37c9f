"""Attribution: where a network saw a class in a picture, by Grad-CAM or by covering it bit by bit.

The page needs names only; what the device says of the class comes as the block `numbers`.
"""

import asyncio
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from app.archive import KeptImage, Result
from app.errors import NoClassifier, NotMade
from app.studio.jobs.job import Job
from app.studio.recipes import GradCam, Occlusion, Prediction
from app.studio.studio import Studio
from app.web import pages, pickers, results, urls
from app.web.api import failures
from app.web.api.schemas import images as schemas
from app.web.dependencies import TheStudio, check_class, description, image_of, obstacle, result_of
from app.web.images.attribution_fields import METHODS, WhereQuery, gradcam_recipe, places
from app.web.sessions import Owner
from app.web.visualizations import view
from app.zoo.described import NetworkDescription

router = APIRouter()


@dataclass(frozen=True)
class Asked:
    """An occlusion map: the fields that ask for it, and once it is made, its job and result."""

    asked: dict[str, Any]
    job: Job | None
    result: Result | None


async def _class(
    studio: Studio, image: KeptImage, described: NetworkDescription, chosen: int | None
) -> int:
    """The class that is looked for, by asking the network where none was named."""
    if not described["labels"]:
        raise NoClassifier(model=described["title"])
    if chosen is not None:
        check_class(described, chosen)
        return chosen
    recipe = Prediction(model=described["name"], image=image.id)
    made = await studio.make(recipe)
    return int(made.facts["top"][0]["class"])


async def _occlusion(
    studio: Studio, image: KeptImage, described: NetworkDescription, number: int
) -> Asked:
    """What is known of the job for a class: its address once it is made, and what asks for it."""
    recipe = Occlusion(model=described["name"], image=image.id, class_=number)
    id = await view.made_already(studio, recipe)
    job = await asyncio.to_thread(studio.job, id) if id else None
    result = (await view.outcome(studio, job))[0] if job else None
    return Asked(view.fields(recipe), job if result else None, result)


@router.get(urls.WHERE + urls.PNG, responses=failures.media("image/png") | failures.MADE)
async def where_png(
    request: Request, studio: TheStudio, owner: Owner, fields: WhereQuery, image: str, model: str
) -> Response:
    """Grad-CAM: the input, with an overlay of where the class was seen."""
    kept = await image_of(studio, image, owner)
    described = await description(studio, model)
    if fields.method == "occlusion":
        number = await _class(studio, kept, described, fields.class_)
        made = await _occlusion(studio, kept, described, number)
        if made.job is None:
            raise NotMade()
        return pages.go(urls.visualization(made.job.id, urls.PNG))
    recipe = gradcam_recipe(kept, described, fields, fields.look)
    return await results.picture(request, studio, recipe)


@router.get(urls.WHERE + urls.JSON, responses=failures.MADE)
async def where_json(
    studio: TheStudio, owner: Owner, fields: WhereQuery, image: str, model: str
) -> schemas.Where:
    """Grad-CAM or occlusion: where a class was seen, in numbers.

    An occlusion map is made as a visualization is.
    """
    kept = await image_of(studio, image, owner)
    described = await description(studio, model)
    if fields.method == "occlusion":
        number = await _class(studio, kept, described, fields.class_)
        return _told(await _occlusion(studio, kept, described, number), described, number)
    recipe = gradcam_recipe(kept, described, fields, fields.look)
    made = await studio.make(recipe)
    return schemas.Where(**made.facts | {"method": "gradcam"})


def _told(found: Asked, described: NetworkDescription, number: int) -> schemas.Where:
    known = found.result.facts if found.result else {}
    return schemas.Where(
        **{"probability": None}
        | known
        | {
            "method": "occlusion",
            "class": number,
            "label": view.label(described, number),
            "ask": {"url": urls.VISUALIZATIONS + urls.JSON, "body": found.asked},
            "visualization": urls.visualization(found.job.id) if found.job else None,
        }
    )


@router.get(urls.WHERE, include_in_schema=False)
async def where_page(
    request: Request, studio: TheStudio, owner: Owner, fields: WhereQuery, image: str, model: str
) -> Response:
    """Where a network saw a class in a picture: choose the class, the way, the layer."""
    kept = await image_of(studio, image, owner)
    described = await description(studio, model)
    hindered, twin = await obstacle(studio, model)
    facts, found = None, None
    recipe = gradcam_recipe(kept, described, fields, "photo")
    if hindered is None and fields.method == "occlusion":
        number = await _class(studio, kept, described, fields.class_)
        found = await _occlusion(studio, kept, described, number)
        facts = await _seen_before(studio, kept, described, number)
        facts |= found.result.facts if found.result else {}
    elif hindered is None:
        made = await _made(request, studio, recipe)
        facts = made.facts if made else None
    method = None if fields.method == "gradcam" else fields.method
    query: dict[str, Any] = {"class": fields.class_, "method": method, "layer": fields.layer}

    def to(changes: dict[str, Any], suffix: str = "") -> str:
        """This page with something else chosen."""
        return urls.where(image, model, suffix, **(query | changes))

    return pages.respond(
        request,
        "images/where.html",
        image=kept,
        model=described,
        fields=fields,
        methods=METHODS,
        layer=recipe.layer,
        groups=pickers.grouped(places(described)),
        choices=pickers.found_classes(described, fields.q)[: pickers.MOST_CHOICES]
        if fields.q
        else [],
        label=_label(described, fields.class_, facts),
        facts=facts,
        found=found,
        to=to,
        said={name: value for name, value in query.items() if value not in (None, "")},
        obstacle=hindered,
        untrained_url=urls.where(image, twin, **query) if twin else None,
    )


def _label(
    described: NetworkDescription, chosen: int | None, facts: dict[str, Any] | None
) -> str | None:
    """The class that is looked for, in words, as far as it is known."""
    if chosen is not None:
        return view.label(described, chosen)
    return facts["label"] if facts else None


async def _made(request: Request, studio: Studio, recipe: GradCam) -> Result | None:
    """What came of a recipe; waited for only when nothing but its numbers was asked for."""
    made = await result_of(studio, recipe)
    if made is None and pages.wanted_block(request) == "numbers":
        made = await studio.make(recipe)
    return made


async def _seen_before(
    studio: Studio, image: KeptImage, described: NetworkDescription, number: int
) -> dict[str, Any]:
    """What the network says of the whole picture."""
    recipe = Prediction(model=described["name"], image=image.id)
    made = await studio.make(recipe)
    top = made.facts["top"]
    known = {row["class"]: row["probability"] for row in top}
    return {
        "class": number,
        "label": view.label(described, number),
        "probability": known.get(number),
        "top": top,
        "crop": made.facts["crop"],
    }
