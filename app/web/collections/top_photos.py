"""Max-activating photos of a collection for a channel, and the least, cut to what it sees.

People predict what a channel answers to better from natural examples than from synthetic pictures
(Borowski et al. 2021, https://arxiv.org/abs/2010.12606), so these stand beside each other.
"""

import asyncio
from collections.abc import Iterable, Sequence

from app.errors import UnknownCollection
from app.studio.collections.folders import Collection
from app.studio.collections.index import Indexed
from app.studio.collections.records import Excited
from app.studio.studio import Studio
from app.web import urls
from app.web.api.schemas.networks import Evidence, ExcitingPhoto
from app.web.collections.photos import picture, title
from app.zoo.described import LayerDescription, NetworkDescription

#: The side of a photo that is cut to size, in pixels.
SIDE = 160
Rectangle = tuple[float, float, float, float]


async def evidence(
    studio: Studio,
    owner: str | None,
    model: NetworkDescription,
    layer: LayerDescription,
    channel: int,
    wanted: str = "",
) -> Evidence:
    """What photos say of a channel, by the collection that is wanted or the first looked through.

    `index` is None where none was. Raises UnknownCollection.
    """
    found = await asyncio.to_thread(studio.collections.all, owner)
    with_photos = [each for each in found if each.photos or each.name == wanted]
    if wanted and wanted not in [each.name for each in with_photos]:
        raise UnknownCollection(collection=wanted)
    chosen: tuple[Collection, Indexed | None] | None = None
    for each in with_photos:
        if wanted in ("", each.name):
            index = await asyncio.to_thread(studio.indexed, each, model["name"])
            if chosen is None or index is not None:
                chosen = (each, index)
            if index is not None:
                break
    facts: Evidence = {
        "collections": [(each.name, title(each)) for each in with_photos],
        "collection": chosen[0].name if chosen else None,
        "title": title(chosen[0]) if chosen else None,
        "index": None,
    }
    if chosen and chosen[1]:
        await asyncio.to_thread(_tell, facts, chosen[0], chosen[1], model, layer, channel)
    return facts


def _tell(
    facts: Evidence,
    collection: Collection,
    index: Indexed,
    model: NetworkDescription,
    layer: LayerDescription,
    channel: int,
) -> None:
    """Add what the photos of an index say of a channel."""
    record = index.channel(layer["name"], channel)
    where = (collection, index, model, layer, channel)
    facts |= {
        "index": index.id,
        "current": index.is_current,
        "photos": sum(not photo.get("unreadable") for photo in index.photos),
        "fired": record.fired,
        "low": record.low,
        "mean": record.mean,
        "high": record.high,
        "share_active": record.share_active,
        "spread": list(record.spread),
        "spread_low": min(0.0, record.least[0].value) if record.least else 0.0,
        "positions": list(record.positions),
        "best": _rows(where, record.best),
        "least": _rows(where, record.least),
    }


def _rows(
    where: tuple[Collection, Indexed, NetworkDescription, LayerDescription, int],
    photos: Iterable[Excited],
) -> list[ExcitingPhoto]:
    """Those of the photos that the collection still has."""
    collection, index, model, layer, channel = where
    rows: list[ExcitingPhoto] = []
    for excited in photos:
        photo, n = index.photos[excited.photo], index.now[excited.photo]
        if n is None:
            continue
        box = patch(layer, excited, model["input_size"], photo["crop"])
        crop = ",".join(f"{number:.2f}" for number in box)
        fields = {"model": model["name"], "layer": layer["name"], "channel": str(channel)}
        rows.append(
            {
                "n": n,
                "name": photo["name"],
                "label": photo["label"],
                "value": excited.value,
                "position": [excited.row, excited.column],
                "crop": [round(number, 2) for number in box],
                "picture": picture(collection, n, crop, SIDE),
                "url": urls.collection_photo(collection.name, n, **fields),
            }
        )
    return rows


def patch(
    layer: LayerDescription, excited: Excited, input_size: Sequence[int], crop: list[float]
) -> Rectangle:
    """(left, top, width, height) in the photo's pixels of what a unit sees of it.

    crop: (left, top, right, bottom) of what the network sees; nothing beyond it counts.
    """
    field, sides = layer["field"], input_size[1:]
    low, high = [0.0, 0.0], [float(side) for side in sides]
    if not field["whole"]:
        for axis, place in enumerate((excited.row, excited.column)):
            start = field["start"][axis] + field["jump"][axis] * place
            low[axis] = min(max(0.0, start), sides[axis] - 1.0)
            high[axis] = max(min(float(sides[axis]), start + field["size"][axis]), low[axis] + 1.0)
    across, down = (crop[2] - crop[0]) / sides[1], (crop[3] - crop[1]) / sides[0]
    return (
        crop[0] + low[1] * across,
        crop[1] + low[0] * down,
        (high[1] - low[1]) * across,
        (high[0] - low[0]) * down,
    )
