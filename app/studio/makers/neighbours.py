"""Neighbourhoods: (the vectors of an index) -> who is near whom, how often rightly, and a plane."""

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from app.errors import UnknownLayer, UnknownPhoto, UnreadablePhoto
from app.studio.collections.records import PIXELS
from app.studio.makers import vector_cache
from app.studio.makers.device_cache import DeviceCache
from app.studio.makers.synthesis.indices import PIXELS as SIDE
from app.studio.recipes import (
    KeptVectors,
    Made,
    Neighbours,
    NeighbourShares,
    NeighboursOfPicture,
    PhotoPlane,
    Sources,
)
from app.vision import embedding, neighbours
from app.vision.ascent import pictured
from app.vision.neighbours import Nearest
from app.zoo.taps import tap

#: Multiply-adds that counting how often neighbours are right may take, over all layers; more
#: photos than that has time for are drawn evenly, but never fewer than LEAST.
MOST_WORK, LEAST = 30_000_000_000, 100


def neighbours_of_photo(cache: DeviceCache, recipe: Neighbours, sources: Sources) -> Made:
    """The nearest of one photo. Raises UnknownLayer, UnknownPhoto, UnreadablePhoto, NotMade."""
    kept = vectors_of(sources)
    if not 0 <= recipe.photo < kept.photos:
        raise UnknownPhoto(collection="", photos=kept.photos, number=recipe.photo)
    if recipe.photo in kept.missing:
        raise UnreadablePhoto(name=str(recipe.photo))
    towards = cache.vectors.directions(kept, recipe.layer)
    pixels = cache.vectors.values(kept, PIXELS)
    place = slice(recipe.photo, recipe.photo + 1)
    return _told(recipe, kept, towards, pixels, towards[place], pixels[place])


def neighbours_of_picture(
    cache: DeviceCache, recipe: NeighboursOfPicture, sources: Sources
) -> Made:
    """The nearest of a picture that is none of them. Raises UnknownLayer, NotMade, UnknownImage."""
    kept, network = vectors_of(sources), cache.network_of(recipe)
    if recipe.layer not in network.layers:
        raise UnknownLayer(model=network.entry.title, layer=recipe.layer)
    batch, _ = cache.prepared(network, recipe.image, sources.picture)
    with tap(network, [recipe.layer]) as seen:
        network(batch)
    own = neighbours.directions(seen[recipe.layer].flatten(2).mean(2).cpu())
    small = functional.adaptive_avg_pool2d(pictured(network, batch), SIDE)
    looks = small.permute(0, 2, 3, 1).flatten(1).clamp(0, 1).cpu()
    towards = cache.vectors.directions(kept, recipe.layer)
    return _told(recipe, kept, towards, cache.vectors.values(kept, PIXELS), own, looks)


def _told(
    recipe: Neighbours | NeighboursOfPicture,
    kept: KeptVectors,
    towards: Tensor,
    pixels: Tensor,
    own: Tensor,
    looks: Tensor,
) -> Made:
    among = readable(kept)
    photo = recipe.photo if isinstance(recipe, Neighbours) else None
    place = None if photo is None else (among == photo).nonzero()[0]
    by_features = neighbours.nearest(
        _of(towards, among), own, neighbours.cosine, recipe.count, place
    )
    by_pixels = neighbours.nearest(
        _of(pixels, among), looks, neighbours.closeness, recipe.count, place
    )
    facts = recipe.facts() | {"photos": len(among), "width": towards.shape[1]}
    facts |= {"by_features": _rows(by_features, among), "by_pixels": _rows(by_pixels, among)}
    return Made(facts)


def _rows(near: Nearest, among: Tensor) -> list[dict[str, Any]]:
    numbers, likeness = among[near.numbers[0]].tolist(), near.likeness[0].tolist()
    return [
        {"photo": n, "likeness": float(f"{value:.5g}")}
        for n, value in zip(numbers, likeness, strict=True)
    ]


def neighbour_shares(cache: DeviceCache, recipe: NeighbourShares, sources: Sources) -> Made:
    """How often the nearest are of the same kind, by pixels and for every layer. Raises NotMade."""
    kept = vectors_of(sources)
    among = readable(kept)
    groups = torch.tensor(kept.groups, dtype=torch.int64)[among]
    asked = _asked(kept, groups)

    def share(values: Tensor, measure: neighbours.Measure) -> float | None:
        return neighbours.share_right(_of(values, among), groups, measure, recipe.count, asked)

    pixels = share(cache.vectors.values(kept, PIXELS), neighbours.closeness)
    rows = []
    for name in vector_cache.layers(kept):  # not kept in memory: there are too many of them
        towards = neighbours.directions(
            vector_cache.read(vector_cache.path(kept, name), kept.photos)
        )
        rows.append({"layer": name, "share": share(towards, neighbours.cosine)})
    facts = {"photos": len(among), "asked": len(asked), "pixels": pixels, "layers": rows}
    facts |= {"chance": neighbours.share_by_chance(groups, recipe.count, asked)}
    return Made(recipe.facts() | facts)


def _asked(kept: KeptVectors, groups: Tensor) -> Tensor:
    """Photos that are of some group, evenly, as many as there is time for."""
    known = (groups >= 0).nonzero()[:, 0]
    most = max(LEAST, MOST_WORK // max(1, vector_cache.numbers(kept)))
    if len(known) <= most:
        return known
    return known[torch.arange(most) * len(known) // most]


def photo_plane(cache: DeviceCache, recipe: PhotoPlane, sources: Sources) -> Made:
    """The two directions in which a layer tells the photos apart most. Raises NotMade."""
    kept = vectors_of(sources)
    among = readable(kept)
    found = embedding.principal(cache.vectors.directions(kept, recipe.layer)[among])
    facts = recipe.facts() | {"photos": len(among), "shares": list(found.shares)}
    return Made(facts | {"places": placed(found.places, among, kept.photos)})


def placed(places: Tensor, among: Tensor, photos: int) -> list[list[float] | None]:
    """[x, y] of each photo, as large as fits into -1..1; None for those that are in no place."""
    told: list[list[float] | None] = [None] * photos
    if not len(places):
        return told
    middle = (places.amax(0) + places.amin(0)) / 2
    reach = float((places - middle).abs().max())
    scaled = (places - middle).cpu() / (reach or 1.0)
    for n, (x, y) in zip(among.tolist(), scaled.tolist(), strict=True):
        told[n] = [round(x, 4), round(y, 4)]
    return told


def vectors_of(sources: Sources) -> KeptVectors:
    """Where the vectors lie, which whoever asks says."""
    assert sources.vectors is not None, "made of an index, whose files are among the sources"
    return sources.vectors


def _of(values: Tensor, among: Tensor) -> Tensor:
    """The rows of these photos; no copy where that is all of them."""
    return values if len(among) == len(values) else values[among]


def readable(kept: KeptVectors) -> Tensor:
    """The numbers of the photos that could be read."""
    missing = set(kept.missing)
    return torch.tensor([n for n in range(kept.photos) if n not in missing], dtype=torch.int64)
