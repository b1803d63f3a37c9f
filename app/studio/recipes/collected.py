"""What is made of a collection of photos, and of what a network made of it before."""

from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal

from app.studio.recipes.grown import Visualization
from app.studio.recipes.recipe import OfPicture, Recipe

Sameness = Literal["class", "group"]


@dataclass(frozen=True)
class Member:
    """One photo of a collection: what it is called, where its file lies, what it shows if known.

    wordnet: the WordNet id that its name begins with; image: its id, for one that is kept here.
    """

    name: str
    path: str
    label: str | None = None
    wordnet: str | None = None
    image: str = ""


@dataclass(frozen=True, kw_only=True)
class OfCollection(Visualization):
    """Made from the photos of a collection.

    photos: hash of which photos these are; whose: a hash of whose they are, "" for everybody's;
    members: the photos themselves, once it is to be made.
    """

    collection: str
    photos: str
    whose: str = ""
    members: tuple[Member, ...] = ()

    def facts(self) -> dict[str, Any]:
        """All fields but the members, which their hash stands for."""
        said = replace(self, members=()) if self.members else self
        facts = super(OfCollection, said).facts()
        del facts["members"]
        return facts


@dataclass(frozen=True, kw_only=True)
class CollectionIndex(OfCollection):
    """What every channel of every layer makes of the photos of a collection."""

    kind: ClassVar[str] = "index"


@dataclass(frozen=True)
class KeptVectors:
    """Where the feature vectors of an index lie: (layer, path of its file), float16 [photos, D].

    missing: numbers of photos that could not be read; groups: of what each is, below 0 for nothing.
    """

    photos: int
    files: tuple[tuple[str, str], ...]
    missing: tuple[int, ...] = ()
    groups: tuple[int, ...] = ()


@dataclass(frozen=True, kw_only=True)
class OfIndex(Recipe):
    """Made from the feature vectors of an index, whose key this is; kept: where they lie."""

    index: str
    kept: KeptVectors | None = None

    def facts(self) -> dict[str, Any]:
        """All fields but where the vectors lie, which the index's key stands for."""
        said = replace(self, kept=None) if self.kept else self
        facts = super(OfIndex, said).facts()
        del facts["kept"]
        return facts


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

    Its numbers come from the collection's index; size and seed are unused, as nothing is drawn by
    lot; kept: where the vectors lie, once it is to be made.
    """

    kind: ClassVar[str] = "map"
    layer: str
    kept: KeptVectors | None = None

    def facts(self) -> dict[str, Any]:
        """All fields but the members and where the vectors lie."""
        said = replace(self, kept=None) if self.kept else self
        facts = super(PhotoMap, said).facts()
        del facts["kept"]
        return facts
