"""Indices: (photos of a collection) -> what every channel of a network makes of them, in one pass.

Parts of the result, for each layer L: `L.vectors`, float16 [photos, channels], its spatial mean;
`L.channels`, a record for each channel (app/studio/collections/records.py). And `pixels.vectors`,
float16 [photos, 768]: 16 x 16 pixels of what the network sees, rows of RGB of 0..1. All of it
little-endian.
"""

import time
from collections.abc import Generator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from app.errors import NotFinite
from app.studio.collections import records
from app.studio.collections.listing import evenly
from app.studio.makers.device_cache import DeviceCache
from app.studio.makers.synthesis import facts
from app.studio.makers.synthesis.photo_batches import Opened, PhotoBatches
from app.studio.recipes import CollectionIndex, Made, Member
from app.studio.recipes.progress import Making, Progress
from app.vision.ascent import pictured
from app.vision.listening import Listener
from app.vision.statistics import Tally, histogram
from app.zoo.keeper import Network

if TYPE_CHECKING:
    from app.studio.engine.openers import Openers

#: Photos at a time. On a CPU more would keep quick requests waiting for longer.
BATCH = {"cpu": 8, "cuda": 64}
#: Photos that are looked at in more detail, evenly over the collection.
SAMPLED = 32
PIXELS = 16
#: Numbers that are held for all layers and photos together: 1.5 GB of memory.
MOST_NUMBERS = 150_000_000
METHOD = {"kept": records.KEPT, "bars": records.BARS, "sampled_photos": SAMPLED, "pixels": PIXELS}


def index(cache: DeviceCache, recipe: CollectionIndex, members: Sequence[Member]) -> Making:
    """Show all photos to a network and note what its channels make of them. Raises NotFinite."""
    from app.studio.engine.openers import Openers  # which scripts that make a picture do not need

    with Openers(cache.settings) as openers:
        network = cache.network_of(recipe)
        return (yield from looked_through(network, recipe, members, openers))


def looked_through(
    network: Network, recipe: CollectionIndex, photos: Sequence[Member], openers: "Openers"
) -> Making:
    """The same for a network that is at hand."""
    began = time.perf_counter()
    chosen = evenly([member.label for member in photos], most_photos(network))
    members = [photos[n] for n in chosen]
    batches, ears = PhotoBatches(network, members, openers, chosen), Listener(network, records.KEPT)
    pixels = torch.zeros(len(members), PIXELS * PIXELS * 3, dtype=torch.float16)
    passed = yield from _shown(batches, ears, pixels)
    made: dict[str, bytes] = {"pixels.vectors": pixels.numpy().tobytes()}
    layers = {}
    for name in network.layers:
        tally = ears.tallies.pop(name)  # its memory is free afterwards
        table = layer_records(tally, batches.readable, network.layers[name].shape[0])
        vectors = np.zeros((len(members), len(table)), np.float16)
        if batches.readable:
            vectors[batches.readable] = tally.means.cpu().numpy()
        if not np.isfinite(vectors).all():
            raise NotFinite(model=network.entry.title, place=name)
        made[f"{name}.vectors"], made[f"{name}.channels"] = vectors.tobytes(), table.tobytes()
        layers[name] = _layer_facts(table, len(batches.readable))
        yield Progress(len(members), len(members), None, None, "measured")
    seconds = time.perf_counter() - began
    result = facts.making_facts(recipe, network, METHOD, [], seconds)
    picture, sheet = batches.sheet()
    result |= {"steps": len(members), "parts": [], "photos": batches.rows, "layers": layers}
    result |= {
        "photos_hash": recipe.photos,
        "left_out": len(photos) - len(members),
        "passes_seconds": round(passed, 3),
    }
    return Made(result | sheet, picture, "image/jpeg", made)


def most_photos(network: Network) -> int:
    """How many photos can be held at once."""
    channels = sum(layer.shape[0] for layer in network.layers.values())
    return min(MOST_NUMBERS // channels, records.NOBODY)


def _shown(
    batches: PhotoBatches, ears: Listener, pixels: Tensor
) -> Generator[Progress, None, float]:
    """Show the photos of an album; how many seconds the passes took."""
    size, network = BATCH[batches.network.device.type], batches.network
    count, passed, narrowed = len(batches.members), 0.0, 0
    every = max(1, count // SAMPLED)
    for first in range(0, count, size):
        numbers = range(first, min(first + size, count))
        while not batches.has_opened(numbers):  # meanwhile others are served
            yield Progress(first, count, None, batches.preview)
        opened = batches.open(numbers)
        if opened is not None:
            began = time.perf_counter()
            detailed = [k for k, n in enumerate(opened.numbers) if n % every == 0]
            ears.hear(opened.batch, detailed)
            passed += time.perf_counter() - began
            _note_pixels(network, opened, pixels)
        done = min(first + size, count)
        if done >= 2 * max(narrowed, size):
            ears.narrow()
            narrowed = done
        yield Progress(done, count, None, batches.preview)
    return passed


def _note_pixels(network: Network, opened: Opened, pixels: Tensor) -> None:
    small = functional.adaptive_avg_pool2d(pictured(network, opened.batch), PIXELS)
    pixels[opened.numbers] = small.permute(0, 2, 3, 1).flatten(1).clamp(0, 1).cpu().half()


def layer_records(tally: Tally, numbers: Sequence[int], channels: int) -> "np.ndarray[Any, Any]":
    """One record for each channel; `numbers` are those of the photos in the tally."""
    table = np.zeros(channels, dtype=records.FIELDS)
    table["photos"] = records.NOBODY
    if not numbers:
        return table
    highs, named = tally.highs.T.contiguous(), np.array(numbers)
    for end, most in enumerate((True, False)):
        values, photos, places = (found.cpu().numpy() for found in tally.extremes(most))
        kept = values.shape[1]
        table["photos"][:, end, :kept] = named[photos]
        table["rows"][:, end, :kept] = places // tally.width
        table["columns"][:, end, :kept] = places % tally.width
        table["values"][:, end, :kept] = values
    sampled = torch.cat(tally.sampled).T.contiguous() if tally.sampled else highs
    low, high = sampled.amin(1), highs.amax(1)
    bottom = highs.amin(1).clamp(max=0)
    for name, found in {
        "low": low,
        "high": high,
        "mean": tally.means.float().mean(0),
        "fired": (highs > 0).sum(1),
        "share_active": (sampled > 0).float().mean(1),
        "spread": histogram(highs, bottom, high, records.BARS),
        "positions": histogram(sampled, low, high, records.BARS),
    }.items():
        table[name] = found.cpu().numpy()
    return table


def _layer_facts(table: "np.ndarray[Any, Any]", photos: int) -> dict[str, Any]:
    """A layer in a few numbers. signed: it has values below zero, so "dead" says nothing there."""
    fired = table["fired"]
    return {
        "channels": len(table),
        "signed": bool((table["low"] < 0).any()),
        "dead": int((fired == 0).sum()),
        "rare": int(((fired > 0) & (fired < records.RARE * photos)).sum()),
        "low": float(table["low"].min()),
        "high": float(table["high"].max()),
    }
