"""Tables: (recipe, network, pass) -> every layer's numbers, per layer and per channel."""

from collections.abc import Iterable, Mapping
from typing import Any

from app.errors import NotFinite
from app.studio.exports.spreadsheets import csv_text
from app.studio.makers.pass_cache import Pass
from app.studio.makers.told import source_facts
from app.studio.recipes import LayerStatistics, Made
from app.vision import activations
from app.vision.activations import Statistics
from app.zoo.keeper import Network

#: The columns that both tables have at their end.
NUMBERS = ("min", "mean", "max", "share_active")


def layer_statistics(recipe: LayerStatistics, network: Network, done: Pass) -> Made:
    """Facts: a row per layer; the file: CSV with a row per channel of every layer.

    Raises NotFinite.
    """
    measured = {name: _measured(network, name, done) for name in network.layers}
    rows = [_row(network, name, numbers) for name, numbers in measured.items()]
    body = csv_text(("layer", "channel", *NUMBERS, "dead"), _channels(measured))
    facts = source_facts(recipe, network, done.crop) | {"layers": rows}
    return Made(facts, body.encode(), "text/csv")


def _measured(network: Network, layer: str, done: Pass) -> Statistics:
    numbers = activations.statistics(activations.maps(done.activations[layer]))
    if not (numbers.high - numbers.low).isfinite().all():
        raise NotFinite(model=network.entry.title, place=layer)
    return numbers


def _row(network: Network, name: str, numbers: Statistics) -> dict[str, Any]:
    """One layer: its extremes over all channels, and means over them."""
    layer = network.layers[name]
    dead = int(numbers.dead.sum())
    return {
        "layer": name,
        "kind": layer.kind,
        "shape": list(layer.shape),
        "channels": len(numbers.low),
        "dead": dead,
        "share_dead": dead / len(numbers.low),
        "min": float(numbers.low.min()),
        "mean": float(numbers.mean.mean()),
        "max": float(numbers.high.max()),
        "share_active": float(numbers.share_active.mean()),
    }


def _channels(measured: Mapping[str, Statistics]) -> Iterable[dict[str, Any]]:
    for name, numbers in measured.items():
        for row in numbers.rows(activations.ordered(numbers, "index")):
            yield {"layer": name} | row
