"""What is made of a collection of photos, and of what a network made of it before."""

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from app.studio.recipes.grown import JobRecipe, Quality
from app.studio.recipes.recipe import OfPicture, Recipe

Sameness = Literal["class", "group"]
#: What is nothing to a collection, and still part of its recipes' keys.
UNUSED = {"quality": "quick", "size": 0, "steps": 0, "seed": 0}


@dataclass(frozen=True, kw_only=True)
class OfCollection(JobRecipe):
    """Made from the photos of a collection.

    photos: hash of which photos these are; whose: a hash of whose they are, "" for everybody's.
    """

    collection: str
    photos: str
    whose: str = ""

    def keyed(self) -> dict[str, Any]:
        """With what these recipes had when they were visualizations: their addresses stay."""
        return UNUSED | self.facts()


@dataclass(frozen=True, kw_only=True)
class CollectionIndex(OfCollection):
    """What every channel of every layer makes of the photos of a collection."""

    kind: ClassVar[str] = "index"


@dataclass(frozen=True, kw_only=True)
class OfIndex(Recipe):
    """Made from the feature vectors of an index, whose key this is."""

    index: str


@dataclass(frozen=True, kw_only=True)
class Neighbours(OfIndex):
    """The photos of a collection that are most like one of them: for a layer, and in pixels."""

    kind: ClassVar[str] = "neighbours"
    layer: str
    photo: int
    count: int = 12


@dataclass(frozen=True, kw_only=True)
class NeighboursOfPicture(OfIndex, OfPicture):
    """The photos of a collection that are most like a picture that is none of them."""

    kind: ClassVar[str] = "neighbours of picture"
    layer: str
    count: int = 12


@dataclass(frozen=True, kw_only=True)
class NeighbourShares(OfIndex):
    """How often the nearest neighbours are of the same class, or group, for every layer."""

    kind: ClassVar[str] = "neighbour shares"
    by: Sameness
    count: int = 5


@dataclass(frozen=True, kw_only=True)
class PhotoPlane(OfIndex):
    """A place in the plane for every photo: the two principal components of a layer."""

    kind: ClassVar[str] = "plane"
    layer: str


@dataclass(frozen=True, kw_only=True)
class PhotoMap(OfCollection):
    """A place in the plane for every photo, near those that a layer takes for like it (t-SNE).

    Its numbers come from the collection's index. steps: 0 by the quality.
    """

    kind: ClassVar[str] = "map"
    layer: str
    quality: Quality = "quick"
    steps: int = 0
