"""Frozen requests: what somebody wants made, as a value whose hash is its address.

`.key` is the hash of all fields, `.title` says it in plain words. No torch in here.
"""

import hashlib
import json
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, ClassVar, Literal

#: Raised whenever a maker's output changes, so that old results are made again.
EDITION = 3

Scale = Literal["layer", "channel"]
Sort = Literal["index", "max", "mean"]
Quality = Literal["quick", "fine"]
Unit = Literal["channel", "neuron"]
Look = Literal["photo", "map"]
Fill = Literal["mean", "blur", "noise"]
Sameness = Literal["class", "group"]


@dataclass(frozen=True)
class Made:
    """What came of a recipe: numbers (JSON), and for most kinds a picture (encoded bytes).

    parts: further files by name, which are kept with it.
    """

    facts: dict[str, Any]
    picture: bytes | None = None
    media: str = "image/png"
    parts: dict[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """What every request has: a network, and the hash of its weights once that is known."""

    kind: ClassVar[str]
    model: str
    weights: str = ""

    @property
    def key(self) -> str:
        """SHA-256 over all fields, hexadecimal: cache key and address."""
        said = {"edition": EDITION} | self.facts()
        return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()

    @property
    def title(self) -> str:
        """In plain words, without naming anyone's picture."""
        names = ("layer", "channel", "class")
        where = [str(value) for name, value in self.facts().items() if name in names]
        return " ".join([self.kind, "of", self.model, *where])

    def facts(self) -> dict[str, Any]:
        """All fields but where files lie, for people and for PNG text chunks."""
        said = {name.rstrip("_"): value for name, value in asdict(self).items()}
        said.pop("source", None)
        return {"kind": self.kind} | said


@dataclass(frozen=True, kw_only=True)
class Description(Recipe):
    """A network's layers and numbers; needs the architecture, not the weights' values."""

    kind: ClassVar[str] = "description"


@dataclass(frozen=True, kw_only=True)
class OfPicture(Recipe):
    """Made from one kept picture; `source` is the path of its lossless file."""

    image: str
    source: str


@dataclass(frozen=True, kw_only=True)
class Prediction(OfPicture):
    """The five likeliest classes of a picture."""

    kind: ClassVar[str] = "prediction"


@dataclass(frozen=True, kw_only=True)
class ActivationGrid(OfPicture):
    """All channels of one layer for a picture, on one sheet. tile 0: chosen by the map's size.

    low, high: the ends of a scale that is shared with another sheet; both 0: the layer's own.
    """

    kind: ClassVar[str] = "activation grid"
    layer: str
    scale: Scale = "layer"
    sort: Sort = "index"
    colors: str = ""
    tile: int = 0
    low: float = 0.0
    high: float = 0.0


@dataclass(frozen=True, kw_only=True)
class LegendSheet(ActivationGrid):
    """The same sheet to be shown without its page: with a heading, channel numbers and its scale.

    Its words come from who asks, in their language: heading, lines below it, ticks at the low end,
    at zero (where that is in the middle) and at the high end; without ticks `words` of the scale.
    """

    kind: ClassVar[str] = "sheet with legend"
    heading: str = ""
    lines: tuple[str, ...] = ()
    ticks: tuple[str, ...] = ()
    words: str = ""


@dataclass(frozen=True, kw_only=True)
class LayerStatistics(OfPicture):
    """What every layer does for a picture, in numbers: per layer, and per channel as CSV."""

    kind: ClassVar[str] = "statistics"


@dataclass(frozen=True, kw_only=True)
class ChannelMap(OfPicture):
    """One channel's map for a picture, magnified. low, high: as of an ActivationGrid."""

    kind: ClassVar[str] = "channel map"
    layer: str
    channel: int
    scale: Scale = "layer"
    colors: str = ""
    size: int = 448
    low: float = 0.0
    high: float = 0.0


@dataclass(frozen=True, kw_only=True)
class GradCam(OfPicture):
    """Where a class was seen, from the gradients at one layer.

    class_ -1: the likeliest; look: laid over the photo, or the map alone.
    """

    kind: ClassVar[str] = "where"
    layer: str
    class_: int = -1
    look: Look = "photo"


@dataclass(frozen=True, kw_only=True)
class Covering(OfPicture):
    """What the classes are before and after a part of the picture is covered.

    mask: its cells, as app/vision/masks.py writes them; seed: of the noise.
    """

    kind: ClassVar[str] = "covering"
    mask: str = ""
    fill: Fill = "mean"
    seed: int = 0


@dataclass(frozen=True, kw_only=True)
class Thumbnails(OfPicture):
    """The strongest map of every layer for a picture, small, on one sheet."""

    kind: ClassVar[str] = "thumbnails"


@dataclass(frozen=True, kw_only=True)
class Filters(Recipe):
    """The filters of a convolution: all first-layer filters as RGB, or one filter's inputs.

    channel -1: the whole layer (one tile per filter); else that filter, one tile per input channel.
    reach: the end of a scale that is shared with other filters; 0: the layer's own.
    """

    kind: ClassVar[str] = "filters"
    layer: str
    channel: int = -1
    colors: str = ""
    tile: int = 0
    reach: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Smoothness(Recipe):
    """How fine-grained filters are: each of one layer, or all layers (layer "") in the mean."""

    kind: ClassVar[str] = "smoothness"
    layer: str = ""


@dataclass(frozen=True, kw_only=True)
class Visualization(Recipe):
    """What is made step by step by gradient ascent. size (pixels a side) and steps: 0 by quality.

    seed: of the one generator that all its noise comes from.
    """

    quality: Quality = "quick"
    size: int = 0
    steps: int = 0
    seed: int = 0

    @property
    def id(self) -> str:
        """128 bits of the key, hexadecimal: the address that is shared."""
        return self.key[:32]


@dataclass(frozen=True, kw_only=True)
class ClassImage(Visualization):
    """What the network takes for a class: from noise, towards its logit."""

    kind: ClassVar[str] = "class"
    class_: int


@dataclass(frozen=True, kw_only=True)
class ChannelImage(Visualization):
    """What excites a channel: everywhere ("channel"), or at the centre of its map ("neuron").

    pictures: that many at once, made to differ.
    """

    kind: ClassVar[str] = "channel"
    layer: str
    channel: int
    unit: Unit = "channel"
    pictures: int = 1


@dataclass(frozen=True, kw_only=True)
class Atlas(Visualization):
    """What excites each channel of a layer, on one sheet."""

    kind: ClassVar[str] = "atlas"
    layer: str


@dataclass(frozen=True, kw_only=True)
class Reconstruction(Visualization, OfPicture):
    """A picture again, from what one layer knows of it."""

    kind: ClassVar[str] = "reconstruction"
    layer: str


@dataclass(frozen=True, kw_only=True)
class Strip(Visualization, OfPicture):
    """A picture again from several layers, early to late; no layers: chosen over the depth."""

    kind: ClassVar[str] = "strip"
    layers: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Occlusion(Visualization, OfPicture):
    """What a class loses where a square of the picture is covered; fine: in smaller steps.

    window: its side in pixels of the network's input, 0 for a seventh; size and steps are unused.
    """

    kind: ClassVar[str] = "occlusion"
    class_: int
    window: int = 0
    fill: Fill = "mean"


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


VISUALIZATIONS: dict[str, type[Visualization]] = {
    made.kind: made
    for made in (
        ClassImage,
        ChannelImage,
        Atlas,
        Reconstruction,
        Strip,
        Occlusion,
        CollectionIndex,
        PhotoMap,
    )
}


def visualization(facts: dict[str, Any]) -> Visualization:
    """A recipe from its `facts()`, as they come back from JSON; `source` may be among them."""
    made = VISUALIZATIONS[facts["kind"]]
    said = {name + "_" if name == "class" else name: value for name, value in facts.items()}
    known = {one.name for one in fields(made)}
    values = {name: value for name, value in said.items() if name in known}
    if issubclass(made, OfPicture):
        values.setdefault("source", "")
    if "layers" in values:
        values["layers"] = tuple(values["layers"])
    return made(**values)
