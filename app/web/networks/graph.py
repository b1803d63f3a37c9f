"""The architecture diagram: its nodes and boxes as JSON, and the page that lays them out."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from app.archive import KeptImage
from app.studio.recipes import Thumbnails
from app.web import languages, pages, results, urls
from app.web.api import failures
from app.web.api.schemas import networks as schemas
from app.web.dependencies import TheStudio, all_images, description, image_of, layer_of, obstacle
from app.web.sessions import Owner
from app.zoo.described import BoxDescription, GraphDescription, NodeDescription

router = APIRouter()
PNG = failures.media("image/png") | failures.MADE
Image = Annotated[str, Query(max_length=100, description="A picture, to see what it makes of it.")]
Layer = Annotated[str, Query(max_length=200, description="The layer that is chosen.")]


@router.get(urls.GRAPH + urls.JSON, responses=failures.MADE)
async def graph_json(
    studio: TheStudio, owner: Owner, model: str, image: Image = "", layer: Layer = ""
) -> schemas.Graph:
    """Architecture diagram of a network: nodes, what each reads, and the boxes that fold.

    With a picture, `thumbnails` is where the strongest map of every layer is.
    """
    kept = await image_of(studio, image, owner) if image else None
    described = await description(studio, model)
    if layer:
        layer_of(described, layer)
    graph = described["graph"]
    return schemas.Graph(
        model=model,
        title=described["title"],
        trained=described["trained"],
        chosen=layer,
        thumbnails=urls.thumbnails(kept.id, model, urls.JSON) if kept else None,
        nodes=[_node(row, model, kept) for row in graph["nodes"]],
        boxes=[_box(row, model, kept) for row in graph["boxes"]],
    )


def _node(row: NodeDescription, name: str, image: KeptImage | None) -> schemas.Node:
    return {**row, "url": _url(row, name, image)}


def _box(row: BoxDescription, name: str, image: KeptImage | None) -> schemas.Box:
    return {**row, "url": _url(row, name, image)}


def _url(row: NodeDescription | BoxDescription, name: str, image: KeptImage | None) -> str | None:
    """The address of a node's or box's layer, with a picture that of the layer's answer."""
    if not row["layer"]:
        return None
    return urls.grid(image.id, name, row["id"]) if image else urls.layer(name, row["id"])


@router.get(urls.THUMBNAILS + urls.PNG, responses=PNG)
async def thumbnails_png(
    request: Request, studio: TheStudio, owner: Owner, image: str, model: str
) -> Response:
    """The strongest feature map of every layer, on one sheet, each on its layer's scale."""
    kept = await image_of(studio, image, owner)
    return await results.picture(request, studio, _thumbnails(kept, model))


@router.get(urls.THUMBNAILS + urls.JSON, responses=failures.MADE)
async def thumbnails_json(
    studio: TheStudio, owner: Owner, image: str, model: str
) -> schemas.Thumbnails:
    """The strongest channel of every layer for a picture, its scale, and its tile."""
    recipe = _thumbnails(await image_of(studio, image, owner), model)
    made = await studio.make(recipe)
    rows = [
        row | {"url": urls.map(image, model, row["layer"], row["channel"])}
        for row in made.facts["layers"]
    ]
    told = {"picture": urls.thumbnails(image, model, urls.PNG), "layers": rows}
    return schemas.Thumbnails(**made.facts | told)


def _thumbnails(image: KeptImage, model: str) -> Thumbnails:
    return Thumbnails(model=model, image=image.id)


@router.get(urls.GRAPH, include_in_schema=False)
async def graph_page(
    request: Request,
    studio: TheStudio,
    owner: Owner,
    model: str,
    image: Image = "",
    layer: Layer = "",
) -> Response:
    """A network drawn: fold and unfold, find, pan and zoom; without scripts a list that folds."""
    kept = await image_of(studio, image, owner) if image else None
    described = await description(studio, model)
    graph = described["graph"]
    hindered, twin = await obstacle(studio, model) if kept else (None, None)
    return pages.respond(
        request,
        "networks/graph.html",
        model=described,
        image=kept,
        images=_with(await all_images(studio, owner), kept),
        layer=layer_of(described, layer) if layer else None,
        obstacle=hindered,
        untrained_url=urls.graph(twin, image=image, layer=layer) if twin else None,
        address=urls.graph(model, urls.JSON, image=image),
        inside=_inside(graph, model, kept),
        kinds={kind: languages.kind(kind) for kind in sorted(_kinds(graph))},
    )


def _with(found: list[KeptImage], chosen: KeptImage | None) -> list[KeptImage]:
    """What can be chosen, and the one that is chosen."""
    known = {image.id for image in found}
    return [*found, chosen] if chosen and chosen.id not in known else found


def _kinds(graph: GraphDescription) -> set[str]:
    kinds = {row["kind"] for row in (*graph["nodes"], *graph["boxes"])}
    return (kinds | {part for kind in kinds for part in kind.split(" + ")}) - {""}


def _inside(
    graph: GraphDescription, name: str, image: KeptImage | None
) -> dict[str, list[schemas.Node | schemas.Box]]:
    """What each box holds, "" for the network itself, in the order of the outputs."""
    places = {row["id"]: place for place, row in enumerate(graph["nodes"])}
    boxes = {row["id"]: row["box"] for row in graph["boxes"]}
    for node in reversed(graph["nodes"]):
        box = node["box"]
        while box:
            places[box] = places[node["id"]]
            box = boxes[box]
    shown: list[schemas.Node | schemas.Box] = [_node(row, name, image) for row in graph["nodes"]]
    shown += [_box(row, name, image) for row in graph["boxes"]]
    inside: dict[str, list[schemas.Node | schemas.Box]] = {}
    for row in sorted(shown, key=lambda row: places[row["id"]]):
        inside.setdefault(row["box"], []).append(row)
    return inside
