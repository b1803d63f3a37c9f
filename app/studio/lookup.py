"""Lookup: (recipe) -> where the files lie that it is made from, by the ids and hashes in it."""

from dataclasses import replace

from app.archive import Archive, Result
from app.errors import NotMade, UnknownLayer
from app.studio.collections import groups
from app.studio.collections.folders import Collections
from app.studio.collections.index import VECTORS, index_of
from app.studio.collections.records import PIXELS
from app.studio.recipes import (
    JobRecipe,
    KeptVectors,
    Neighbours,
    NeighbourShares,
    NeighboursOfPicture,
    OfCollection,
    OfPicture,
    PhotoMap,
    PhotoPlane,
    Recipe,
    Sameness,
    Sources,
)


def sources(recipe: Recipe, archive: Archive) -> Sources:
    """The picture's file and the vectors' files; looks at the disk, so not for the event loop.

    Raises UnknownImage, UnknownLayer, and NotMade without its index.
    """
    picture = str(archive.image(recipe.image).picture) if isinstance(recipe, OfPicture) else ""
    return Sources(picture, vectors=_vectors(recipe, archive))


def job_sources(recipe: JobRecipe, archive: Archive, collections: Collections) -> Sources:
    """The same with the photos of its collection. Raises UnknownCollection, CollectionChanged."""
    found = sources(recipe, archive)
    if isinstance(recipe, OfCollection):
        return replace(found, members=collections.members(recipe))
    return found


def _vectors(recipe: Recipe, archive: Archive) -> KeptVectors | None:
    match recipe:
        case Neighbours() | NeighboursOfPicture() | PhotoPlane():
            return kept_vectors(_index(archive, recipe.index), archive, recipe.layer)
        case NeighbourShares():
            return kept_vectors(_index(archive, recipe.index), archive, by=recipe.by)
        case PhotoMap():
            index = _index(archive, index_of(recipe).key)
            same = next(iter(groups.ways(index.facts["photos"])), None)
            return kept_vectors(index, archive, recipe.layer, by=same)
    return None


def _index(archive: Archive, key: str) -> Result:
    index = archive.result(key)
    if index is None:
        raise NotMade()
    return index


def kept_vectors(
    index: Result, archive: Archive, *layers: str, by: Sameness | None = None
) -> KeptVectors:
    """Where an index's vectors lie, and those of the pixels. No layers: all that it has.

    by: what its photos count as, if that is needed. Raises UnknownLayer.
    """
    for layer in layers:
        if layer not in index.facts["layers"]:
            raise UnknownLayer(model=index.facts["model"], layer=layer)
    photos = index.facts["photos"]
    names = (*(layers or index.facts["layers"]), PIXELS)
    paths = [(name, archive.part_path(index, VECTORS.format(layer=name))) for name in names]
    return KeptVectors(
        photos=len(photos),
        files=tuple((name, str(path)) for name, path in paths if path is not None),
        missing=tuple(n for n, photo in enumerate(photos) if photo.get("unreadable")),
        groups=groups.numbers(photos, by) if by else (),
    )
