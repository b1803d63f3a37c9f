"""Filter sheets: (recipe, network) -> the filters of a convolution as pictures."""

from torch import Tensor

from app.errors import NoFilters, UnknownChannel
from app.studio.makers.told import color_facts, source_facts, texts
from app.studio.recipes import Filters, Made, Smoothness
from app.vision.drawing import colors, filters, sheets
from app.vision.smoothness import grain, noise
from app.zoo.described import CONVOLUTIONS
from app.zoo.keeper import Network

#: Filters are drawn about this large, in whole multiples of their own size.
FILTER_TILE = 44


def filter_sheet(recipe: Filters, network: Network) -> Made:
    """The filters of a convolution as published: before any batch norm was folded into them."""
    weights = _weights(network, recipe.layer)
    bgr = network.preprocessing.channels == "BGR"
    if recipe.channel >= len(weights):
        raise UnknownChannel(layer=recipe.layer, channels=len(weights), channel=recipe.channel)
    if recipe.channel < 0:
        drawn = filters.layer_filters(weights, bgr, recipe.reach)
    else:
        drawn = filters.filter_inputs(weights, recipe.channel, bgr, recipe.reach)
    return _drawn(recipe, network, drawn, list(weights.shape))


def smoothness(recipe: Smoothness, network: Network) -> Made:
    """How fine-grained filters are: each of one layer, or all layers of a network in the mean."""
    facts = source_facts(recipe, network) | {"noise": noise()}
    if recipe.layer:
        found = grain(_weights(network, recipe.layer))
        return Made(
            facts
            | {"mean": found.mean if found else None, "filters": found.filters if found else []}
        )
    rows = []
    for name, layer in network.layers.items():
        found = grain(_weights(network, name)) if layer.kind in CONVOLUTIONS else None
        if found:
            rows.append({"name": name, "filters": layer.shape[0], "mean": found.mean})
    return Made(facts | {"layers": rows})


def _weights(network: Network, layer: str) -> Tensor:
    """A convolution's own weights [out,in,kh,kw]. Raises NoFilters for other layers."""
    weight = network.weight(layer)
    if weight is None or weight.ndim != 4:
        raise NoFilters(layer=layer)
    return weight.float().cpu()


def _drawn(recipe: Filters, network: Network, drawn: filters.FilterTiles, shape: list[int]) -> Made:
    name = recipe.colors or colors.DEFAULT["signed"]
    scale = {"low": -drawn.reach, "high": drawn.reach, "sided": "signed"}
    height, width = drawn.tiles.shape[1:3]
    times = max(1, recipe.tile // width if recipe.tile else FILTER_TILE // max(height, width))
    marked = not network.trained
    sheet = sheets.plan(len(drawn.tiles), width * times, marked, tile_height=height * times)
    picture = sheets.draw(
        drawn.tiles,
        sheet,
        None if drawn.mode == "rgb" else colors.palette(name, "signed"),
        texts(recipe, network, scale),
        marked=not network.trained,
    )
    what = "filter" if recipe.channel < 0 or drawn.mode == "rgb" else "input"
    rows = zip(drawn.shown, drawn.norms, strict=True)
    facts = source_facts(recipe, network) | {
        "shape": shape,
        "mode": drawn.mode,
        "scale": scale,
        "colors": color_facts("gray" if drawn.mode == "rgb" else name, "signed"),
        "filters": [{what: index, "norm": norm} for index, norm in rows],
        "sheet": sheet.facts(),
    }
    return Made(facts, picture)
