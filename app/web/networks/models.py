"""Networks: the list, one network with its layers, and its classes."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from app.web import pages, pickers, urls
from app.web.api import failures, schemas
from app.web.dependencies import TheStudio, description
from app.web.networks import arithmetic

router = APIRouter()
MOST_CLASSES = 50


@router.get(urls.MODELS + urls.JSON, response_model=schemas.Models)
async def models_json(request: Request, studio: TheStudio) -> dict[str, Any]:
    """All networks, and which of them can be used now."""
    return {"models": await pickers.rows(studio)}


@router.get(urls.MODELS, include_in_schema=False)
async def models_page(request: Request, studio: TheStudio) -> Response:
    """All networks."""
    return pages.respond(request, "networks/models.html", models=await pickers.rows(studio))


def with_urls(described: dict[str, Any]) -> dict[str, Any]:
    """A description in which every layer has its address; the graph has an address of its own."""
    name = described["name"]
    described = {field: value for field, value in described.items() if field != "graph"}
    layers = [layer | {"url": urls.layer(name, layer["name"])} for layer in described["layers"]]
    return described | {"layers": layers, "url": urls.model(name)}


@router.get(urls.CLASSES + urls.JSON, response_model=schemas.Classes, responses=failures.MADE)
async def classes_json(
    studio: TheStudio, model: str, q: Annotated[str, Query(max_length=100)] = ""
) -> dict[str, Any]:
    """The classes of a network whose label or number fits `q`."""
    described = await description(studio, model)
    return {"classes": pickers.found_classes(described, q)}


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


@router.get(urls.MODEL + urls.JSON, response_model=schemas.Model, responses=failures.MADE)
async def model_json(studio: TheStudio, model: str) -> dict[str, Any]:
    """A network: where it is from, how pictures are prepared for it, and all its layers."""
    return with_urls(await description(studio, model))


@router.get(urls.MODEL, include_in_schema=False)
async def model_page(request: Request, studio: TheStudio, model: str) -> Response:
    """A network."""
    described = await description(studio, model)
    return pages.respond(
        request,
        "networks/model.html",
        model=described,
        groups=pickers.grouped(described["layers"]),
        samples=studio.sample_images(),
        usable=await pickers.usable(studio, model),
        explaining=arithmetic.explaining(described),
    )
