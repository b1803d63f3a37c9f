"""The form that asks for a visualization, with everything filled in that is known."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from app.web import pages, pickers, urls
from app.web.dependencies import TheStudio, all_images, description, obstacle
from app.web.sessions import Owner
from app.web.visualizations import requests
from app.zoo.described import LayerDescription, NetworkDescription

router = APIRouter(include_in_schema=False)
#: What grows out of noise; the other visualizations are asked for on pages of their own.
KINDS = ("class", "channel", "atlas", "reconstruction", "strip")
LIMITS = {
    "smallest": requests.SMALLEST,
    "largest": requests.LARGEST,
    "most_steps": requests.MOST_STEPS,
    "most_seed": requests.MOST_SEED,
    "most_pictures": requests.MOST_PICTURES,
}


async def _said(request: Request) -> dict[str, Any]:
    """What the address fills in, as it stands there; what cannot be is told when it is asked."""
    query = request.query_params
    fields: dict[str, Any] = {name: query[name][: requests.LONGEST] for name in query}
    fields["layers"] = [name[: requests.LONGEST] for name in query.getlist("layers")]
    return fields


@router.get(urls.VISUALIZATION_NEW)
async def form(
    request: Request,
    studio: TheStudio,
    owner: Owner,
    fields: Annotated[dict[str, Any], Depends(_said)],
) -> Response:
    """Choose what shall be made. Its blocks `form` and `choices` follow what is chosen."""
    model = fields.get("model") or studio.settings.default_model
    hindered, _ = await obstacle(studio, model)
    described = await description(studio, model)
    kinds = [kind for kind in KINDS if kind != "class" or described["labels"]]
    kind = fields.get("kind") if fields.get("kind") in kinds else kinds[0]
    layer = _layer(described, fields.get("layer", ""))
    searched, chosen = fields.get("q", ""), str(fields.get("class", ""))
    named = kind == "class"
    choices = pickers.offered_classes(described, searched, chosen) if named else []
    unsought = {name: value for name, value in fields.items() if name != requests.SEARCH}
    return pages.respond(
        request,
        "visualizations/form.html",
        said=fields,
        kind_of=kind,
        kinds=kinds,
        kind_urls={
            one: requests.address(unsought | {"kind": one, "model": model}) for one in kinds
        },
        model=described,
        models=await pickers.ready(studio),
        obstacle=hindered,
        layer=layer,
        groups=pickers.grouped(described["layers"]),
        choices=choices,
        images=await all_images(studio, owner) if kind in ("reconstruction", "strip") else [],
        limits=LIMITS,
    )


def _layer(described: NetworkDescription, name: str) -> LayerDescription:
    """The layer of that name, else one in the middle: neither plain edges nor whole objects."""
    layers = described["layers"]
    named = [layer for layer in layers if layer["name"] == name]
    return named[0] if named else layers[len(layers) // 2]
