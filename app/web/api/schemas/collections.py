"""What is answered of collections of photos, and of what networks make of them."""

from typing import Literal

from pydantic import BaseModel, ConfigDict
from typing_extensions import TypedDict

from app.studio.jobs.job import State
from app.studio.recipes import Sameness
from app.web.api import examples


class CollectionCard(TypedDict):
    """A collection in the list."""

    name: str
    title: str
    photos: int
    found: int
    unreadable_count: int
    left_out_count: int
    labelled: bool
    url: str


class Collections(BaseModel):
    """All collections that this browser may see."""

    collections: list[CollectionCard]
    model_config = ConfigDict(json_schema_extra=examples.shown(examples.COLLECTIONS))


class Absent(TypedDict):
    """Something in a collection's folder that is not among its photos, and why: code, words."""

    name: str
    code: str
    reason: str


class Photo(TypedDict):
    """A photo of a collection; wordnet: the id of what it shows, image: of whose upload it is."""

    n: int
    name: str
    label: str | None
    wordnet: str | None
    image: str | None
    picture: str
    url: str


class LookedThrough(TypedDict):
    """A network, and whether it has looked through the photos, as they are now."""

    model: str
    title: str
    indexed: bool
    current: bool
    url: str


class Collection(BaseModel):
    """A collection, its photos in their order, and which networks have looked through it.

    current: whether that was of the photos as they are now; found: photos there are, of which
    `photos` has the first 10,000 taken evenly over classes; unreadable: what in its folder cannot
    be read, left_out: what there is no photo of a kind that is taken; 100 of each are named.
    """

    name: str
    title: str
    labelled: bool
    photos: list[Photo]
    models: list[LookedThrough]
    found: int
    unreadable: list[Absent]
    unreadable_count: int
    left_out: list[Absent]
    left_out_count: int
    model_config = ConfigDict(json_schema_extra=examples.shown(examples.COLLECTION))


class IndexedLayerRow(TypedDict):
    """What a network makes of a collection in one layer."""

    name: str
    kind: str
    channels: int
    signed: bool
    dead: int
    rare: int
    low: float
    high: float
    share_dead: float
    url: str


class CollectionModel(BaseModel):
    """What a network makes of a collection, by layer in the order they run.

    state: of the job that looks through it, or "none"; dead: channels that no photo brings above
    zero; rare: those that fewer than one in a hundred does; signed: a layer that has values below
    zero, of which neither says much; photos: those that could be read; unreadable: those that could
    not, of which 100 are named; left_out: those for which there were too many numbers to hold.
    """

    collection: str
    model: str
    state: Literal["none"] | State
    index: str | None
    current: bool
    photos: int
    unreadable: list[Absent]
    unreadable_count: int
    left_out: int
    layers: list[IndexedLayerRow]
    model_config = ConfigDict(json_schema_extra=examples.shown(examples.COLLECTION_MODEL))


class IndexedChannelRow(TypedDict):
    """What one channel makes of a collection. fired: photos that bring it above 0; best: the name
    of the strongest."""

    channel: int
    fired: int
    mean: float
    high: float
    share_active: float
    best: str | None
    url: str


class CollectionLayer(BaseModel):
    """What each channel of a layer makes of a collection. fired: photos that bring it above 0."""

    collection: str
    model: str
    layer: str
    photos: int
    current: bool
    dead: list[int]
    rare: list[int]
    channels: list[IndexedChannelRow]
    model_config = ConfigDict(json_schema_extra=examples.shown(examples.COLLECTION_LAYER))


class NamedPhoto(TypedDict):
    """A photo of an index; its number and addresses are null if the collection has lost it."""

    photo: int | None
    name: str
    label: str | None
    group: str | None
    picture: str | None
    url: str | None


class Neighbour(NamedPhoto):
    """A photo that is near another."""

    likeness: float
    same: Sameness | Literal["no"] | None


class Right(TypedDict):
    """How many of the neighbours show the same; null where nobody knows."""

    by_features: int | None
    by_pixels: int | None


class Neighbours(BaseModel):
    """The photos most like one of them (`photo`), or like a picture (`image`), the nearest first.

    likeness: the cosine of two feature vectors; by_pixels: the mean difference of two pixels of
    0..1, below zero. same: "class", "group", "no", or null where nobody knows.
    """

    collection: str
    model: str
    layer: str
    photo: NamedPhoto | None = None
    image: str | None = None
    photos: int
    current: bool
    right: Right | None = None
    by_features: list[Neighbour]
    by_pixels: list[Neighbour]
    model_config = ConfigDict(json_schema_extra=examples.shown(examples.NEIGHBOURS))


class LayerShare(TypedDict):
    """How often neighbours are right in one layer."""

    name: str
    share: float
    url: str


class NeighbourShares(BaseModel):
    """How often the `count` nearest photos are of the same class, or group, by layer.

    pixels: by pixels instead; chance: by lot; asked: of how many photos this is the mean. by: null
    where it is not known of enough photos what they show, and then there are none of these.
    """

    collection: str
    model: str
    by: Sameness | None
    count: int | None = None
    photos: int
    asked: int | None = None
    current: bool
    pixels: float | None = None
    chance: float | None = None
    layers: list[LayerShare]
    model_config = ConfigDict(json_schema_extra=examples.shown(examples.NEIGHBOUR_SHARES))


class PlacedPhoto(TypedDict):
    """A photo on the map; place: x and y of -1..1, y upwards."""

    photo: int
    name: str
    label: str | None
    group: str | None
    place: list[float]


class PhotoMap(BaseModel):
    """Where the photos are in the plane. place: x and y of -1..1, y upwards.

    state: of the job that makes it, or "none"; shares: of the variance, of either axis (PCA);
    divergence: how far the plane is from the layer, in nats (t-SNE).
    """

    collection: str
    model: str
    layer: str
    method: Literal["pca", "tsne"]
    state: Literal["none"] | State
    visualization: str | None
    current: bool
    shares: list[float] | None
    divergence: float | None
    photos: list[PlacedPhoto]
    model_config = ConfigDict(json_schema_extra=examples.shown(examples.PHOTO_MAP))
