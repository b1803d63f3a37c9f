"""Networks: the list, one network with its layers, and its classes."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from app.web import pages, pickers, urls
from app.web.api import failures
from app.web.api.schemas import networks as schemas
from app.web.dependencies import TheStudio, description, sample_images
from app.web.networks import arithmetic

router = APIRouter()
MOST_CLASSES = 50


@router.get(urls.MODELS + urls.JSON)
async def models_json(request: Request, studio: TheStudio) -> schemas.Models:
    """All networks, and which of them can be used now."""
    return schemas.Models(models=await pickers.rows(studio))


@router.get(urls.MODELS, include_in_schema=False)
async def models_page(request: Request, studio: TheStudio) -> Response:
    """All networks."""
    return pages.respond(request, "networks/models.html", models=await pickers.rows(studio))


@router.get(urls.CLASSES + urls.JSON, responses=failures.MADE)
async def classes_json(
    studio: TheStudio, model: str, q: Annotated[str, Query(max_length=100)] = ""
) -> schemas.Classes:
    """The classes of a network whose label or number fits `q`."""
    described = await description(studio, model)
    return schemas.Classes(classes=pickers.found_classes(described, q))


@router.get(urls.CLASSES, include_in_schema=False)
async def classes_page(
    request: Request,
    studio: TheStudio,
    model: str,
    q: Annotated[str, Query(max_length=100)] = "",
) -> Response:
    """The class search of a network."""
    described = await description(studio, model)
    return pages.respond(
        request,
        "networks/classes.html",
        model=described,
        q=q,
        classes=pickers.found_classes(described, q)[:MOST_CLASSES],
        found=len(pickers.found_classes(described, q)),
    )


@router.get(urls.MODEL + urls.JSON, responses=failures.MADE)
async def model_json(studio: TheStudio, model: str) -> schemas.Model:
    """A network: where it is from, how pictures are prepared for it, and all its layers."""
    described = await description(studio, model)
    layers = [{**layer, "url": urls.layer(model, layer["name"])} for layer in described["layers"]]
    return schemas.Model(**{**described, "layers": layers, "url": urls.model(model)})


@router.get(urls.MODEL, include_in_schema=False)
async def model_page(request: Request, studio: TheStudio, model: str) -> Response:
    """A network."""
    described = await description(studio, model)
    return pages.respond(
        request,
        "networks/model.html",
        model=described,
        groups=pickers.grouped(described["layers"]),
        samples=await sample_images(studio),
        usable=await pickers.usable(studio, model),
        explaining=arithmetic.explaining(described),
    )
