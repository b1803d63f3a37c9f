"""Channels: (channel image recipe) -> what excites a channel, and how much more than photos do."""

from collections.abc import Generator
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from app.errors import UnknownChannel, UnknownLayer
from app.studio.makers.device_cache import DeviceCache
from app.studio.makers.synthesis import dead_channels, photo_maxima
from app.studio.makers.synthesis.dead_channels import Source
from app.studio.makers.synthesis.rendering import Climb, Rendering
from app.studio.makers.synthesis.sizes import fitting
from app.studio.makers.synthesis.tile_sheet import tile_sheet
from app.studio.recipes import ChannelImage, Unit
from app.studio.recipes.progress import Making, Progress
from app.vision import ascent, methods, objectives
from app.vision.methods import Method
from app.vision.objectives import Objective
from app.vision.pixels import in_units
from app.zoo.keeper import Network

#: How much differing counts, in activations of the best sample photo.
DIVERSITY = 2.0


@dataclass(frozen=True)
class Attempt:
    """What was climbed, where that led, and the linear part if the channel itself was silent."""

    climb: Climb
    part: Source | None
    silent: bool


def channel_image(cache: DeviceCache, recipe: ChannelImage) -> Making:
    """Climb a channel's activation. Raises UnknownLayer, UnknownChannel."""
    network = cache.network_of(recipe)
    layer = checked(network, recipe.layer, recipe.channel)
    method = method_for(network, recipe)
    weight = _diversity(cache, network, recipe)
    rendering = Rendering(
        network, method.steps, tile_sheet(recipe.pictures, method.size, not network.trained)
    )
    attempt = yield from _attempts(cache, network, recipe, method, rendering, weight)
    rendering.tiles.put(range(recipe.pictures), attempt.climb.tiles)
    yield rendering.still("measured")
    pictures = in_units(attempt.climb.tiles)
    best = cache.samples.best(network, layer, recipe.unit)
    measured = measurements(network, layer, recipe.channel, pictures, method, best, recipe.unit)
    measured |= {"silent": None}
    if attempt.silent:
        found = dead_channels.evidence(
            network, cache.samples, layer, recipe.channel, attempt.part, pictures
        )
        measured |= {"silent": dead_channels.verdict(found), "evidence": found}
    method_facts = method.facts() | ({"diversity": weight} if weight else {})
    return rendering.made(recipe, method_facts, attempt.climb.scores, measured)


def checked(network: Network, layer: str, channel: int = 0) -> str:
    """The layer. Raises UnknownLayer, UnknownChannel."""
    if layer not in network.layers:
        raise UnknownLayer(model=network.entry.title, layer=layer)
    channels = network.layers[layer].shape[0]
    if not 0 <= channel < channels:
        raise UnknownChannel(layer=layer, channels=channels, channel=channel)
    return layer


def method_for(network: Network, recipe: ChannelImage) -> Method:
    """How its picture is made. Raises WrongField."""
    crop, field = network.preprocessing.crop, network.layers[recipe.layer].receptive_field
    method = methods.channel_image(crop, field, recipe.quality, recipe.size, recipe.steps)
    return fitting(network, method, recipe.layer)


def _diversity(cache: DeviceCache, network: Network, recipe: ChannelImage) -> float:
    """How much differing counts, in units of the activation; nothing for a single picture."""
    if recipe.pictures == 1:
        return 0.0
    best = cache.samples.best(network, recipe.layer, recipe.unit)
    return DIVERSITY * max(0.0, float(best.values[recipe.channel])) or 1.0


def _attempts(
    cache: DeviceCache,
    network: Network,
    recipe: ChannelImage,
    method: Method,
    rendering: Rendering,
    weight: float,
) -> Generator[Progress, None, Attempt]:
    """Climb the channel; where it stays silent, its linear part, from the same noise."""
    silent = True

    def enough(step: int, scores: Tensor) -> bool:
        nonlocal silent
        silent = silent and dead_channels.silent(scores)
        return silent and step == dead_channels.PATIENCE

    def ascent_of(layer: str, channel: int) -> Generator[Progress, None, Climb]:
        shown = _objective(layer, channel, recipe.unit)
        climbed = shown
        if weight:
            climbed = shown + objectives.diversity(layer) * weight
        generator = ascent.seeded(recipe.seed)
        steps = ascent.ascend(network, climbed, method, generator, recipe.pictures, shown=shown)
        return rendering.climb(steps, range(recipe.pictures), enough=enough)

    climb = yield from ascent_of(recipe.layer, recipe.channel)
    if not silent:
        return Attempt(climb, None, silent=False)
    probe = cache.samples.probe(network)
    part = dead_channels.sources(network, recipe.layer, probe)[recipe.channel]
    if part is None:
        return Attempt(climb, None, silent=True)
    rendering.again(method.steps)
    climb = yield from ascent_of(part.layer, part.channel)
    return Attempt(climb, part, silent=True)


def _objective(layer: str, channel: int, unit: Unit) -> Objective:
    of = objectives.channel if unit == "channel" else objectives.neuron
    return of(layer, channel)


def measurements(
    network: Network,
    layer: str,
    channel: int,
    pictures: Tensor,
    method: Method,
    best: photo_maxima.Best,
    unit: Unit,
) -> dict[str, Any]:
    """How much the channel is excited, under random transforms, and how that is to be judged.

    pictures: [N,3,H,W] of 0..1; of several the mean, and `each`.
    """
    moved = photo_maxima.under_transforms(network, layer, pictures, method, unit)
    plain = photo_maxima.plain(network, layer, pictures, unit)
    rows = [
        _row(channel, values, still, best)
        for values, still in zip((moved.mean(0), *moved), (plain.mean(0), *plain), strict=True)
    ]
    first = rows[0] | {
        "best_sample": best.of(channel),
        "measured": "mean over the map" if unit == "channel" else "centre of the map",
        "ranked": photo_maxima.RANKED,
        "draws": photo_maxima.DRAWS,
    }
    return first | ({"each": rows[1:]} if len(pictures) > 1 else {})


def _row(channel: int, values: Tensor, plain: Tensor, best: photo_maxima.Best) -> dict[str, Any]:
    reached, still = float(values[channel]), float(plain[channel])
    place = photo_maxima.rank(values, channel)
    place_relative = photo_maxima.rank(photo_maxima.relative(values, best), channel)
    return {
        "activation": reached,
        "plain": still,
        "plain_kept": reached / still if still > 0 else None,
        "multiple": photo_maxima.multiple(reached, float(best.values[channel])),
        "rank": place if reached > 0 else None,
        "rank_relative": place_relative if reached > 0 else None,
        "first": place == 1 and reached > 0,
    }
