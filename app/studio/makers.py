"""Makers: recipe -> what was asked for. They run in the device's process, one at a time."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from PIL import Image
from torch import Tensor

from app import __version__
from app.errors import NoClassifier, NoFilters, UnknownChannel, UnknownImage, UnknownLayer
from app.studio.passes import KeptPasses, Pass
from app.studio.recipes import (
    ActivationGrid,
    ChannelMap,
    Description,
    Filters,
    Made,
    OfPicture,
    Prediction,
    Recipe,
)
from app.vision import activations, colors, filters, sheets
from app.zoo.catalogue import Catalogue
from app.zoo.keeper import Keeper, Network, describe
from app.zoo.taps import tap

if TYPE_CHECKING:
    from app.settings import Settings

Answer = Callable[[Made], None]


class Workshop:
    """The networks of one device and what was computed on it; makes one recipe after another."""

    def __init__(self, settings: "Settings", device: str) -> None:
        self._settings = settings
        self._catalogue = Catalogue(settings.models_dir)
        self._keeper = Keeper(self._catalogue, device, settings.network_memory_bytes)
        self._passes = KeptPasses(settings.activation_memory_bytes)

    def warm(self) -> None:
        """Load the default network and run it once, so that the first person does not wait."""
        network = self._keeper.network(self._settings.default_model)
        with torch.no_grad():
            network(network.prepare(Image.new("RGB", (256, 256))))

    def make(self, recipe: Recipe, answer: Answer) -> None:
        """Call `answer` once with what came of the recipe, as early as it is known.

        Raises a LaternaError for what cannot be made.
        """
        with torch.no_grad():
            match recipe:
                case Description():
                    answer(Made(describe(self._catalogue, recipe.model)))
                case Prediction():
                    answer(self._prediction(recipe))
                case ActivationGrid():
                    self._on_activation(recipe, recipe.layer, _grid, answer)
                case ChannelMap():
                    self._on_activation(recipe, recipe.layer, _channel_map, answer)
                case Filters():
                    answer(_filters(recipe, self._keeper.network(recipe.model)))
                case _:
                    raise TypeError(f"no maker for a {type(recipe).__name__}")

    def forget(self, image: str) -> None:
        """Drop everything computed from a deleted picture."""
        self._passes.forget(image)

    def _prediction(self, recipe: Prediction) -> Made:
        network = self._keeper.network(recipe.model)
        if not network.labels:
            raise NoClassifier(model=network.entry.title)
        done = self._pass(recipe, network)
        probabilities = done.logits[0].float().softmax(0).cpu()
        top = probabilities.topk(min(5, len(probabilities)))
        rows = [
            {"class": index, "label": network.labels[index], "probability": probability}
            for probability, index in zip(top.values.tolist(), top.indices.tolist(), strict=True)
        ]
        return Made(_source(recipe, network, done.crop) | {"top": rows})

    def _on_activation(
        self,
        recipe: OfPicture,
        layer: str,
        maker: Callable[[Any, Network, Tensor, tuple[float, ...]], Made],
        answer: Answer,
    ) -> None:
        """Make something of one layer's activation: of the kept one, or in the middle of a pass.

        The pass goes on to its end after the answer, so that no other layer needs one.
        """
        network = self._keeper.network(recipe.model)
        if layer not in network.layers:
            raise UnknownLayer(model=network.entry.title, layer=layer)
        kept = self._passes.find(recipe.model, recipe.weights, recipe.image)
        if kept is not None:
            answer(maker(recipe, network, kept.activations[layer], kept.crop))
            return

        def seen(name: str, activation: Tensor, crop: tuple[float, ...]) -> None:
            if name == layer:
                answer(maker(recipe, network, activation, crop))

        self._pass(recipe, network, seen)

    def _pass(
        self,
        recipe: OfPicture,
        network: Network,
        seen: Callable[[str, Tensor, tuple[float, ...]], None] = lambda *_: None,
    ) -> Pass:
        """The pass of a picture through a network, kept or run now."""
        kept = self._passes.find(recipe.model, recipe.weights, recipe.image)
        if kept is not None:
            return kept
        picture = _picture(recipe)
        crop = network.crop_box(*picture.size)
        batch = network.prepare(picture)
        with tap(
            network,
            list(network.layers),
            stop=False,
            on_seen=lambda name, activation: seen(name, activation, crop),
        ) as listened:
            logits = network(batch)
        done = Pass(listened, logits, crop, listened.nbytes)
        self._passes.keep(recipe.model, recipe.weights, recipe.image, done)
        return done


def _picture(recipe: OfPicture) -> Image.Image:
    """The kept picture, RGB; UnknownImage when it was deleted meanwhile."""
    try:
        with Image.open(Path(recipe.source), formats=("PNG",)) as picture:
            return picture.convert("RGB")
    except FileNotFoundError:
        raise UnknownImage() from None


def _source(
    recipe: Recipe, network: Network, crop: tuple[float, ...] | None = None
) -> dict[str, Any]:
    """What every result says of where it comes from."""
    facts = {
        **recipe.facts(),
        "trained": network.trained,
        "weights_sha256": network.weights_sha256,
    }
    return facts if crop is None else facts | {"crop": list(crop)}


def _texts(recipe: Recipe, network: Network, scale: Mapping[str, Any]) -> dict[str, str]:
    """The PNG's text chunks: enough to say what is shown, nothing of whose picture it was."""
    said = {key: value for key, value in recipe.facts().items() if key != "image"}
    return {
        "Software": f"Laterna {__version__}",
        "Laterna recipe": json.dumps(said),
        "Laterna scale": json.dumps(dict(scale)),
        "Laterna weights": network.weights_sha256 or "untrained",
    }


def _color_facts(name: str, sided: colors.Sided) -> dict[str, Any]:
    return {"name": name, "stops": list(colors.stops(name, sided))}


def _grid(
    recipe: ActivationGrid, network: Network, activation: Tensor, crop: tuple[float, ...]
) -> Made:
    """All channels of a layer on one sheet."""
    maps = activations.maps(activation)
    numbers = activations.statistics(maps)
    scale = activations.layer_scale(numbers, recipe.scale)
    order = activations.ordered(numbers, recipe.sort)
    tile = recipe.tile or sheets.natural_tile(maps.shape[2])
    sheet = sheets.plan(len(maps), tile, marked=not network.trained)
    name = recipe.colors or colors.DEFAULT[scale.sided]
    tiles = activations.entries(activations.reduced(maps, tile), numbers, scale).cpu()
    if recipe.sort != "index":
        tiles = tiles[order]
    scale_facts = _scale_facts(scale)
    picture = sheets.draw(
        sheets.magnified(tiles, tile),
        sheet,
        colors.palette(name, scale.sided),
        _texts(recipe, network, scale_facts),
        marked=not network.trained,
    )
    facts = _source(recipe, network, crop) | {
        "shape": list(maps.shape),
        "scale": scale_facts,
        "colors": _color_facts(name, scale.sided),
        "channels": numbers.rows(order),
        "dead": int(numbers.dead.sum()),
        "sheet": sheet.facts(),
    }
    return Made(facts, picture)


def _scale_facts(scale: activations.Scale) -> dict[str, Any]:
    return {"mode": scale.mode, "low": scale.low, "high": scale.high, "sided": scale.sided}


def _channel_map(
    recipe: ChannelMap, network: Network, activation: Tensor, crop: tuple[float, ...]
) -> Made:
    """One channel, magnified, on its layer's scale or its own."""
    maps = activations.maps(activation)
    if not 0 <= recipe.channel < len(maps):
        raise UnknownChannel(layer=recipe.layer, channels=len(maps), channel=recipe.channel)
    numbers = activations.statistics(maps)
    scale = activations.layer_scale(numbers, recipe.scale)
    chosen = slice(recipe.channel, recipe.channel + 1)
    own = activations.statistics(maps[chosen])
    if recipe.scale == "channel":
        reach = max(-float(own.low[0]), float(own.high[0]))
        low = 0.0 if scale.sided == "one" else -reach
        scale = activations.Scale("channel", low, reach, scale.sided)
    tiles = activations.entries(maps[chosen], own, scale).cpu()
    sheet = sheets.plan(1, recipe.size, marked=not network.trained, gap=0)
    name = recipe.colors or colors.DEFAULT[scale.sided]
    scale_facts = _scale_facts(scale)
    picture = sheets.draw(
        sheets.magnified(tiles, recipe.size),
        sheet,
        colors.palette(name, scale.sided),
        _texts(recipe, network, scale_facts),
        marked=not network.trained,
    )
    facts = _source(recipe, network, crop) | own.rows(torch.tensor([0]))[0]
    facts |= {
        "channel": recipe.channel,
        "shape": list(maps.shape[1:]),
        "scale": scale_facts,
        "colors": _color_facts(name, scale.sided),
        "width": sheet.width,
        "height": sheet.height,
    }
    return Made(facts, picture)


def _filters(recipe: Filters, network: Network) -> Made:
    """The filters of a convolution as published: before any batch norm was folded into them."""
    if recipe.layer not in network.layers:
        raise UnknownLayer(model=network.entry.title, layer=recipe.layer)
    weights = network.filters(recipe.layer)
    if weights is None:
        raise NoFilters(layer=recipe.layer)
    bgr = network.preprocessing.channels == "BGR"
    if recipe.channel >= len(weights):
        raise UnknownChannel(layer=recipe.layer, channels=len(weights), channel=recipe.channel)
    if recipe.channel < 0:
        drawn = filters.layer_filters(weights, bgr)
    else:
        drawn = filters.filter_inputs(weights, recipe.channel, bgr)
    return _filter_sheet(recipe, network, drawn, list(weights.shape))


def _filter_sheet(
    recipe: Filters, network: Network, drawn: filters.FilterTiles, shape: list[int]
) -> Made:
    name = recipe.colors or colors.DEFAULT["signed"]
    scale = {"low": -drawn.reach, "high": drawn.reach, "sided": "signed"}
    side = drawn.tiles.shape[2]
    tile = recipe.tile or (side if drawn.mode == "matrix" else side * max(1, 44 // side))
    sheet = sheets.plan(len(drawn.tiles), tile, marked=not network.trained)
    picture = sheets.draw(
        sheets.magnified(drawn.tiles, tile),
        sheet,
        None if drawn.mode == "rgb" else colors.palette(name, "signed"),
        _texts(recipe, network, scale),
        marked=not network.trained,
    )
    what = "filter" if recipe.channel < 0 or drawn.mode == "rgb" else "input"
    rows = zip(drawn.shown, drawn.norms, strict=True)
    facts = _source(recipe, network) | {
        "shape": shape,
        "mode": drawn.mode,
        "scale": scale,
        "colors": _color_facts("gray" if drawn.mode == "rgb" else name, "signed"),
        "filters": [{what: index, "norm": norm} for index, norm in rows],
        "sheet": sheet.facts(),
    }
    return Made(facts, picture)
