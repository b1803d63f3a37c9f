"""Layers and channels of a network, without a picture: numbers, filters, where to look next."""

import asyncio
from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from app.studio.recipes import Atlas, ChannelImage
from app.studio.studio import Studio
from app.web import pages, results, urls
from app.web.api import failures
from app.web.api.schemas import networks as schemas
from app.web.collections.top_photos import evidence
from app.web.dependencies import (
    TheStudio,
    check_channel,
    description,
    layer_of,
    neighbours,
    obstacle,
    sample_images,
)
from app.web.fields import FilterQuery, GridFields, filters_recipe, grid_recipe
from app.web.networks import arithmetic
from app.web.sessions import Owner
from app.web.visualizations import view
from app.zoo.described import CONVOLUTIONS, LayerDescription, NetworkDescription

router = APIRouter()


def has_filters(layer: LayerDescription) -> bool:
    """Whether this layer's filters can be drawn."""
    return layer["kind"] in CONVOLUTIONS


@router.get(urls.FILTERS, responses=failures.media("image/png") | failures.MADE)
async def filters_png(
    request: Request, studio: TheStudio, fields: FilterQuery, model: str, layer: str
) -> Response:
    """All filters of a convolution on one sheet."""
    return await results.picture(request, studio, filters_recipe(model, layer, fields))


@router.get(urls.CHANNEL_FILTERS, responses=failures.media("image/png") | failures.MADE)
async def channel_filters_png(
    request: Request,
    studio: TheStudio,
    fields: FilterQuery,
    model: str,
    layer: str,
    channel: int,
) -> Response:
    """One filter of a convolution, one tile per input channel."""
    recipe = filters_recipe(model, layer, fields, channel)
    return await results.picture(request, studio, recipe)


@router.get(urls.CHANNEL + urls.JSON, responses=failures.MADE)
async def channel_json(
    studio: TheStudio,
    owner: Owner,
    model: str,
    layer: str,
    channel: int,
    collection: Annotated[str, Query(max_length=200)] = "",
) -> schemas.Channel:
    """One channel of a layer: the sample photos, and its max-activating photos.

    The samples come strongest first as far as the layer's grids are made already; photos whose
    `max` is not known yet come last. `evidence`: the photos of a collection (or of the first that
    was looked through) with the highest and lowest activation (max-activating photos).
    """
    described, found = await _channel(studio, model, layer, channel)
    picture = await view.made_already(
        studio, ChannelImage(model=model, layer=layer, channel=channel)
    )
    return schemas.Channel(
        model=model,
        layer=layer,
        channel=channel,
        channels=found["shape"][0],
        shape=list(found["shape"][1:]),
        filter_url=urls.channel_filters(model, layer, channel) if has_filters(found) else None,
        visualization_url=picture and urls.visualization(picture),
        images=await asyncio.to_thread(excited, studio, model, layer, channel),
        evidence=await evidence(studio, owner, described, found, channel, collection),
    )


def excited(studio: Studio, model: str, layer: str, channel: int) -> list[schemas.SamplePhoto]:
    """The samples by the channel's largest value; None where no grid has told it yet, last."""
    rows: list[schemas.SamplePhoto] = []
    for image in studio.sample_images():
        made = studio.made(grid_recipe(image, model, layer, GridFields()))
        known = {row["channel"]: row["max"] for row in made.facts["channels"]} if made else {}
        url = urls.map(image.id, model, layer, channel)
        rows.append({"id": image.id, "url": url, "max": known.get(channel)})
    return sorted(rows, key=lambda row: (row["max"] is None, -(row["max"] or 0.0)))


@router.get(urls.CHANNEL, include_in_schema=False)
async def channel_page(
    request: Request,
    studio: TheStudio,
    owner: Owner,
    model: str,
    layer: str,
    channel: int,
    collection: Annotated[str, Query(max_length=200)] = "",
) -> Response:
    """One channel of a layer."""
    described, found = await _channel(studio, model, layer, channel)
    return pages.respond(
        request,
        "networks/channel.html",
        model=described,
        layer=found,
        channel=channel,
        found=await evidence(studio, owner, described, found, channel, collection),
        picture=await view.made_already(
            studio, ChannelImage(model=model, layer=layer, channel=channel)
        ),
        has_filters=has_filters(found),
        obstacle=(await obstacle(studio, model))[0],
        samples=await sample_images(studio),
    )


async def _channel(
    studio: Studio, model: str, layer: str, channel: int
) -> tuple[NetworkDescription, LayerDescription]:
    described = await description(studio, model)
    found = layer_of(described, layer)
    check_channel(found, channel)
    return described, found


@router.get(urls.LAYER + urls.JSON, responses=failures.MADE)
async def layer_json(studio: TheStudio, model: str, layer: str) -> schemas.Layer:
    """One layer of a network."""
    described = await description(studio, model)
    found = layer_of(described, layer)
    sums = [asdict(each) for each in arithmetic.sums(described, found)]
    return schemas.Layer(**found, url=urls.layer(model, layer), arithmetic=sums)


@router.get(urls.LAYER, include_in_schema=False)
async def layer_page(
    request: Request,
    studio: TheStudio,
    model: str,
    layer: str,
    go: Annotated[int | None, Query(description="a channel to go to")] = None,
) -> Response:
    """One layer of a network."""
    described = await description(studio, model)
    found = layer_of(described, layer)
    if go is not None:
        check_channel(found, go)
        return pages.go(urls.channel(model, layer, go))
    before, after = neighbours(described, layer)
    return pages.respond(
        request,
        "networks/layer.html",
        model=described,
        layer=found,
        before=before,
        after=after,
        picture=await view.made_already(studio, Atlas(model=model, layer=layer)),
        has_filters=has_filters(found),
        obstacle=(await obstacle(studio, model))[0],
        names={each["name"] for each in described["layers"]},
        sums=arithmetic.sums(described, found),
        calculators=arithmetic.calculators(described, found),
        samples=await sample_images(studio),
    )
