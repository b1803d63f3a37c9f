"""Shared scales: (what both sides say on their own) -> the scale, its legends, what to look at."""

from app.studio.recipes.facts import GridFacts, ScaleFacts
from app.web.fields import GridFields
from app.web.images.sides import Pair

#: What the grids of both sides say on their own scales; None where that is not known.
Facts = dict[str, GridFacts | None]


def scale_of(pair: Pair, facts: Facts) -> ScaleFacts | None:
    """The scale that has room for both sides; None when each is to have its own."""
    scales = [one["scale"] for one in facts.values() if one]
    if pair.fields.scale == "own" or not scales:
        return None
    high = max(max(-scale["low"], scale["high"]) for scale in scales)
    one_sided = all(scale["sided"] == "one" for scale in scales)
    peaks = [
        max(-row["min"], row["max"]) for one in facts.values() if one for row in one["channels"]
    ]
    return {
        "mode": "told",
        "low": 0.0 if one_sided else -high,
        "high": high,
        "sided": "one" if one_sided else "signed",
        "gamma": scales[0].get("gamma", 1.0),
        "peak": max(peaks),
        "beyond": sum(peak > high for peak in peaks),
    }


def drawn(pair: Pair, scale: ScaleFacts | None) -> GridFields:
    """How both sheets are drawn."""
    own = pair.fields.own()
    return own.model_copy(update={"low": scale["low"], "high": scale["high"]}) if scale else own


def legends(facts: Facts, scale: ScaleFacts | None) -> dict[str, GridFacts]:
    """The legends to show: one for both ("both"), or one for each side."""
    known = {name: one for name, one in facts.items() if one}
    if scale is None:
        return known
    fitting = next(one for one in known.values() if one["scale"]["sided"] == scale["sided"])
    return {"both": fitting | {"scale": scale}}


def reach(facts: GridFacts) -> tuple[float, float]:
    """The lowest and the highest value of a grid."""
    rows = facts["channels"]
    return min(row["min"] for row in rows), max(row["max"] for row in rows)


def channels_of(pair: Pair, facts: Facts) -> dict[str, int | None]:
    """The channel that is looked at on each side: as the address says, else one with structure.

    Where a number means the same on both sides, both look at the left one's.
    """
    fields, worth = pair.fields, {name: _worth(one) for name, one in facts.items()}
    left = worth["left"] if fields.channel is None else fields.channel
    right = fields.right_channel
    if right is None:
        linked = pair.alike or fields.channel is not None
        right = left if linked and left is not None else worth["right"]
    return {"left": left, "right": right}


def _worth(facts: GridFacts | None) -> int | None:
    """The channel worth a first look; of a grid kept by an earlier version the strongest."""
    if facts is None:
        return None
    if "structured" in facts:
        return facts["structured"]
    row = max(facts["channels"], key=lambda row: max(-row["min"], row["max"]))
    return row["channel"]
