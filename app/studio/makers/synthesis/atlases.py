"""Atlases: (layer) -> what excites each of its channels, on one sheet, some channels at a time."""

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from app.errors import OutOfMemory, Words, WrongField
from app.studio.makers.device_cache import DeviceCache
from app.studio.makers.synthesis import dead_channels, photo_maxima
from app.studio.makers.synthesis.channels import checked
from app.studio.makers.synthesis.dead_channels import Source
from app.studio.makers.synthesis.photo_maxima import SamplePhotos
from app.studio.makers.synthesis.rendering import Rendering
from app.studio.makers.synthesis.sizes import fitting
from app.studio.makers.synthesis.tile_sheet import TileSheet, tile_sheet
from app.studio.recipes import Atlas
from app.studio.recipes.progress import Making, Progress
from app.vision import ascent, methods, objectives
from app.vision.activations import hatch
from app.vision.drawing import sheets
from app.vision.memory import is_out_of_memory
from app.vision.methods import Method
from app.vision.pixels import in_units
from app.zoo.keeper import Network
from app.zoo.preprocessing import sides

#: Channels at a time. A CPU gains nothing by more, and tiles are to appear early.
BATCH = {"cpu": 8, "cuda": 128}


@dataclass(frozen=True)
class Aim:
    """A channel, and what is climbed for it: the channel itself, or its linear part."""

    channel: int
    climbed: Source


def atlas(cache: DeviceCache, recipe: Atlas) -> Making:
    """Climb every channel of a layer. Raises UnknownLayer, WrongField, OutOfMemory."""
    network = cache.network_of(recipe)
    layer = checked(network, recipe.layer)
    count = network.layers[layer].shape[0]
    method = method_for(network, recipe)
    batches = Batches(network, layer, method, recipe.seed, cache.samples)
    rendering = batches.rendering
    yield from batches.run([Aim(n, Source(layer, n)) for n in range(count)])
    silent = [n for n, row in enumerate(batches.rows) if row["activation"] == 0]
    parts = dead_channels.sources(network, layer, cache.samples.probe(network)) if silent else []
    aims = ((n, parts[n]) for n in silent)
    yield from batches.run([Aim(n, part) for n, part in aims if part is not None])
    for n in silent:
        yield rendering.still("measured")
        tile = in_units(rendering.tiles.tiles([n]))
        found = dead_channels.evidence(network, cache.samples, layer, n, parts[n], tile)
        batches.rows[n] |= {"silent": dead_channels.verdict(found), "evidence": found}
    dead = [n for n in silent if batches.rows[n]["silent"] == "dead"]
    rendering.tiles.put(dead, hatch(method.size).expand(len(dead), -1, -1, -1))
    measured = {
        "sheet": rendering.tiles.sheet.facts(),
        "channels": batches.rows,
        "dead": len(dead),
        "measured": "mean over the map",
        "draws": photo_maxima.DRAWS,
        "batch": batches.size,
    }
    return rendering.made(recipe, method.facts(), batches.scores, measured)


def method_for(network: Network, recipe: Atlas) -> Method:
    """How its tiles are made. Raises WrongField."""
    layer = network.layers[recipe.layer]
    crop = network.preprocessing.crop
    size = recipe.size or (0 if max(layer.shape[1:]) > 1 else max(sides(crop)))
    method = methods.atlas(crop, layer.receptive_field, recipe.quality, size, recipe.steps)
    return fitting(network, method, recipe.layer)


def _tile_sheet(count: int, method: Method, marked: bool) -> TileSheet:
    try:
        return tile_sheet(count, method.size, marked)
    except ValueError:
        largest = sheets.largest_tile(count) - 2
        raise WrongField(
            field="size", allowed=Words("at most {most} for this layer.", most=largest)
        ) from None


class Batches:
    """Climbs aims some at a time, fewer when the memory is short; keeps a row for each channel."""

    def __init__(
        self, network: Network, layer: str, method: Method, seed: int, samples: SamplePhotos
    ) -> None:
        count = network.layers[layer].shape[0]
        self._network, self._layer, self._method = network, layer, method
        self._seed, self._samples = seed, samples
        self.size = BATCH[network.device.type]
        self.rows: list[dict[str, Any]] = [{} for _ in range(count)]
        self._sums = [0.0] * method.steps
        self._summed = 0
        hung = _tile_sheet(count, method, not network.trained)
        self.rendering = Rendering(network, 0, hung, curved=False)
        self.rendering.again(self._steps(count))

    def run(self, aims: Sequence[Aim]) -> Generator[Progress, None, None]:
        """Climb all aims; those of one batch listen to one layer. Raises OutOfMemory."""
        for layer in dict.fromkeys(aim.climbed.layer for aim in aims):
            left = [aim for aim in aims if aim.climbed.layer == layer]
            while left:
                self.rendering.steps = max(
                    self.rendering.steps, self.rendering.step + self._steps(len(left))
                )
                try:
                    yield from self._batch(left[: self.size])
                except Exception as error:  # torch has no one kind of error for want of memory
                    self._halve(error)
                    continue
                left = left[self.size :]

    @property
    def scores(self) -> list[float]:
        """The mean over all channels of what their own ascents had reached at each step."""
        return [total / max(1, self._summed) for total in self._sums]

    def _steps(self, count: int) -> int:
        return -(-count // self.size) * self._method.steps

    def _halve(self, error: Exception) -> None:
        """Go on with half as many at a time, if it was for want of memory."""
        if not is_out_of_memory(error):
            raise error
        if self.size == 1:
            raise OutOfMemory() from None
        self.size = -(-self.size // 2)
        if self._network.device.type == "cuda":
            torch.cuda.empty_cache()

    def _batch(self, aims: Sequence[Aim]) -> Generator[Progress, None, None]:
        climbed = objectives.channel(aims[0].climbed.layer, *(aim.climbed.channel for aim in aims))
        generator = ascent.seeded(self._seed)
        steps = ascent.ascend(self._network, climbed, self._method, generator, len(aims))
        channels = [aim.channel for aim in aims]
        stage = f"{channels[0]}–{channels[-1]}" if len(channels) > 1 else str(channels[0])
        climb = yield from self.rendering.climb(steps, channels, stage)
        self._measure(channels, in_units(climb.tiles))
        if aims[0].climbed.layer == self._layer:
            self._sums = [
                total + score * len(aims)
                for total, score in zip(self._sums, climb.scores, strict=True)
            ]
            self._summed += len(aims)
        self.rendering.tiles.put(channels, climb.tiles)

    def _measure(self, channels: Sequence[int], pictures: Tensor) -> None:
        """A row for each channel of what its picture [N,3,H,W] excites under transforms."""
        moved = photo_maxima.under_transforms(
            self._network, self._layer, pictures, self._method, "channel"
        )
        best = self._samples.best(self._network, self._layer, "channel")
        for channel, values in zip(channels, moved, strict=True):
            reached = float(values[channel])
            self.rows[channel] = {
                "channel": channel,
                "activation": reached,
                "multiple": photo_maxima.multiple(reached, float(best.values[channel])),
                "silent": None,
            }
