"""Twins: what `.json` addresses answer, with examples for the OpenAPI description."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from app.web.api import examples

State = Literal["queued", "running", "done", "failed", "cancelled", "unmade"]


class Schema(BaseModel):
    """The fields named here are there; there may be more."""

    model_config = ConfigDict(extra="allow")


class Problem(BaseModel):
    """What went wrong, in one word for programs and a sentence for people."""

    code: str
    message: str


class Failure(BaseModel):
    """Every error in JSON."""

    error: Problem
    model_config = ConfigDict(json_schema_extra=examples.shown(examples.FAILURE))


class ModelRow(Schema):
    """A network in the list; `note` says why it is not ready and what to do."""

    name: str
    title: str
    status: Literal["ready", "loading", "available", "unavailable"]
    input_size: tuple[int, int, int] | None
    parameters: int | None
    classes: int | None
    url: str
    note: str
    untrained_url: str | None = None


class Models(BaseModel):
    """All networks."""

    models: list[ModelRow]
    model_config = ConfigDict(json_schema_extra=examples.shown(examples.MODELS))


class Layer(Schema):
    """One layer: output shape [C, H, W], receptive field and stride in pixels of the input.

    field: unit (y, x) sees `size` pixels [h, w] of the input from `start` + (y, x) * `jump` on;
    `whole`: and all the rest besides, through a global pool or a fully connected layer.
    """

    name: str
    kind: str
    shape: list[int]
    parameters: int
    multiply_adds: int
    receptive_field: int
    stride: int
    inputs: list[str]
    field: dict[str, Any]
    url: str
    model_config = ConfigDict(extra="allow", json_schema_extra=examples.shown(examples.LAYER))


class Model(Schema):
    """A network and all its layers, in the order they run."""

    name: str
    title: str
    paper: str
    input_size: list[int]
    preprocessing: dict[str, Any]
    parameters: int
    multiply_adds: int
    weights: dict[str, str | None]
    layers: list[Layer]
    model_config = ConfigDict(extra="allow", json_schema_extra=examples.shown(examples.MODEL))


class Channel(Schema):
    """One channel of a layer, and the sample photos, strongest first.

    `max` is the channel's largest value for a photo; null, and last, until the layer's grid of that
    photo has been made.
    """

    model: str
    layer: str
    channel: int
    channels: int
    filter_url: str | None
    visualization_url: str | None
    images: list[dict[str, Any]]
    model_config = ConfigDict(extra="allow", json_schema_extra=examples.shown(examples.CHANNEL))


class Classes(BaseModel):
    """The classes whose label or number fits the search."""

    classes: list[dict[str, int | str]]
    model_config = ConfigDict(json_schema_extra=examples.shown(examples.CLASSES))


class Image(Schema):
    """A kept picture. `expires` is seconds since 1970; null for samples, which stay."""

    id: str
    name: str
    width: int
    height: int
    url: str
    created: float
    expires: float | None
    shared: bool
    sample: bool
    model_config = ConfigDict(extra="allow", json_schema_extra=examples.shown(examples.IMAGE))


class Images(BaseModel):
    """The samples, and the pictures of this browser."""

    samples: list[Image]
    images: list[Image]
    model_config = ConfigDict(json_schema_extra=examples.shown(examples.IMAGES))


class Graph(Schema):
    """A network as it is drawn: nodes in the order of their outputs, and the boxes that fold.

    A node reads `inputs`; `box` is the innermost box that holds a node or box, "" for none;
    `thumbnails` is the address of the strongest maps when a picture was named.
    """

    model: str
    nodes: list[dict[str, Any]]
    boxes: list[dict[str, Any]]
    thumbnails: str | None
    model_config = ConfigDict(extra="allow", json_schema_extra=examples.shown(examples.GRAPH))


class Thumbnails(Schema):
    """Of each layer that has maps the strongest one, on its layer's scale: a tile of `picture`."""

    picture: str
    layers: list[dict[str, Any]]
    model_config = ConfigDict(extra="allow", json_schema_extra=examples.shown(examples.THUMBNAILS))


class Prediction(Schema):
    """The five likeliest classes, and the box of the picture that the network sees."""

    top: list[dict[str, Any]]
    layers: list[dict[str, str]]
    model_config = ConfigDict(extra="allow", json_schema_extra=examples.shown(examples.PREDICTION))


class Grid(Schema):
    """An activation grid in numbers; channels in the order of the sheet."""

    shape: list[int]
    scale: dict[str, Any]
    channels: list[dict[str, Any]]
    dead: int
    sheet: dict[str, int]
    model_config = ConfigDict(extra="allow", json_schema_extra=examples.shown(examples.GRID))


class Map(Schema):
    """One channel of an activation in numbers."""

    channel: int
    min: float
    mean: float
    max: float
    share_active: float
    dead: bool
    scale: dict[str, Any]
    model_config = ConfigDict(extra="allow", json_schema_extra=examples.shown(examples.MAP))


class SideBySide(Schema):
    """Two activation grids, and the scale that both are drawn on (null: each on its own)."""

    scale: dict[str, Any] | None
    left: dict[str, Any]
    right: dict[str, Any]
    model_config = ConfigDict(
        extra="allow", json_schema_extra=examples.shown(examples.SIDE_BY_SIDE)
    )


class Where(Schema):
    """Where a class was seen: above 0 speaks for it, below against it, as far as `map` is told.

    For an occlusion map `visualization` is its address once it is made, `ask` what asks for it.
    """

    method: Literal["gradcam", "occlusion"]
    class_: int = Field(alias="class")
    label: str
    probability: float | None
    model_config = ConfigDict(extra="allow", json_schema_extra=examples.shown(examples.WHERE))


class Covering(Schema):
    """The likeliest classes before and after a part of a picture is covered; `share` of it."""

    before: list[dict[str, Any]]
    after: list[dict[str, Any]]
    moved: list[dict[str, Any]]
    share: float
    mask: str
    fill: Literal["mean", "blur", "noise"]
    model_config = ConfigDict(extra="allow", json_schema_extra=examples.shown(examples.COVERING))


class Calculators(Schema):
    """The sums of the lecture, and the numbers they were made with."""

    numbers: dict[str, Any]
    slide: dict[str, Any]
    field: list[dict[str, int]]
    stacks: dict[str, int]
    bottleneck: dict[str, Any]
    head: dict[str, Any]
    auxiliary: dict[str, Any]
    model_config = ConfigDict(extra="allow", json_schema_extra=examples.shown(examples.CALCULATORS))


class FilterPair(Schema):
    """A layer's filters and its untrained copy's; `grain`: share of high-frequency energy."""

    layer: str
    filter: int | None
    noise: float | None
    own: dict[str, Any]
    twin: dict[str, Any] | None
    model_config = ConfigDict(extra="allow", json_schema_extra=examples.shown(examples.FILTER_PAIR))


class Architectures(Schema):
    """Networks compared, in numbers."""

    models: list[dict[str, Any]]
    model_config = ConfigDict(
        extra="allow", json_schema_extra=examples.shown(examples.ARCHITECTURES)
    )


class Fetching(Schema):
    """How far fetching a network's weights is."""

    model: str
    state: Literal["running", "done", "failed", "cancelled"]
    bytes: int
    total: int | None
    problem: str
    model_config = ConfigDict(extra="allow", json_schema_extra=examples.shown(examples.FETCHING))


class Device(BaseModel):
    """A device: what it does, and how many requests wait for it."""

    name: str
    state: Literal["starting", "ready", "away"]
    doing: str | None
    waiting: int


class Running(BaseModel):
    """A visualization in the making, and how far it is."""

    title: str
    step: int
    steps: int
    stage: str
    seconds: float


class Queue(BaseModel):
    """What the devices do, the visualizations in the making, and what waits, by title."""

    devices: list[Device]
    jobs: list[Running]
    waiting: list[str]
    model_config = ConfigDict(json_schema_extra=examples.shown(examples.QUEUE))


class Queued(Schema):
    """A visualization that was asked for, and where it can be watched."""

    id: str
    state: State
    url: str
    model_config = ConfigDict(extra="allow", json_schema_extra=examples.shown(examples.QUEUED))


class Visualization(Queued):
    """A visualization: how far it is (`left`: seconds; `position` 1: next), and what made it.

    When it is done there is more, by kind: for a class `label, probability, top, second`; for a
    channel `activation, best_sample, multiple, rank`; for an atlas `sheet, channels`; for a
    reconstruction `relative_error, psnr, ssim`; for a strip `layers`, one entry each; for an
    occlusion map `probabilities` by square, and the `worst` one.
    """

    step: int
    steps: int
    scores: list[float]
    stage: str
    position: int | None
    left: float | None
    seconds: float | None
    device: str | None
    versions: dict[str, str] | None
    weights_sha256: str | None
    recipe: dict[str, Any]
    picture: str | None
    error: Problem | None
    model_config = ConfigDict(
        extra="allow", json_schema_extra=examples.shown(examples.VISUALIZATION)
    )


class Lecture(BaseModel):
    """The chapters of the lecture: name, title, text, and places with title and url."""

    chapters: list[dict[str, Any]]
    model_config = ConfigDict(json_schema_extra=examples.shown(examples.LECTURE))


class Visualizations(BaseModel):
    """What this browser asked for, and what is finished and for all to see; newest first."""

    own: list[Queued]
    finished: list[Queued]
    model_config = ConfigDict(json_schema_extra=examples.shown(examples.VISUALIZATIONS))


class Collections(BaseModel):
    """All collections that this browser may see."""

    collections: list[dict[str, Any]]
    model_config = ConfigDict(json_schema_extra=examples.shown(examples.COLLECTIONS))


class Absent(BaseModel):
    """Something in a collection's folder that is not among its photos, and why: code, words."""

    name: str
    code: str
    reason: str


class Collection(Schema):
    """A collection, its photos in their order, and which networks have looked through it.

    current: whether that was of the photos as they are now; found: photos there are, of which
    `photos` has the first 10,000 taken evenly over classes; unreadable: what in its folder cannot
    be read, left_out: what there is no photo of a kind that is taken; 100 of each are named.
    """

    name: str
    title: str
    labelled: bool
    photos: list[dict[str, Any]]
    models: list[dict[str, Any]]
    found: int
    unreadable: list[Absent]
    unreadable_count: int
    left_out: list[Absent]
    left_out_count: int
    model_config = ConfigDict(extra="allow", json_schema_extra=examples.shown(examples.COLLECTION))


class CollectionModel(Schema):
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
    layers: list[dict[str, Any]]
    model_config = ConfigDict(
        extra="allow", json_schema_extra=examples.shown(examples.COLLECTION_MODEL)
    )


class CollectionLayer(Schema):
    """What each channel of a layer makes of a collection. fired: photos that bring it above 0."""

    collection: str
    model: str
    layer: str
    photos: int
    dead: list[int]
    rare: list[int]
    channels: list[dict[str, Any]]
    model_config = ConfigDict(
        extra="allow", json_schema_extra=examples.shown(examples.COLLECTION_LAYER)
    )


class Firing(Schema):
    """How many channels of each layer a picture leaves at zero everywhere."""

    image: str
    model: str
    layers: list[dict[str, Any]]
    model_config = ConfigDict(extra="allow", json_schema_extra=examples.shown(examples.FIRING))


class Neighbours(Schema):
    """The photos most like one of them (`photo`), or like a picture (`image`), the nearest first.

    likeness: the cosine of two feature vectors; by_pixels: the mean difference of two pixels of
    0..1, below zero. same: "class", "group", "no", or null where nobody knows.
    """

    collection: str
    model: str
    layer: str
    photos: int
    by_features: list[dict[str, Any]]
    by_pixels: list[dict[str, Any]]
    model_config = ConfigDict(extra="allow", json_schema_extra=examples.shown(examples.NEIGHBOURS))


class NeighbourShares(Schema):
    """How often the `count` nearest photos are of the same class, or group, by layer.

    pixels: by pixels instead; chance: by lot; asked: of how many photos this is the mean. by: null
    where it is not known of enough photos what they show.
    """

    collection: str
    model: str
    by: Literal["class", "group"] | None
    photos: int
    layers: list[dict[str, Any]]
    model_config = ConfigDict(
        extra="allow", json_schema_extra=examples.shown(examples.NEIGHBOUR_SHARES)
    )


class PhotoMap(Schema):
    """Where the photos are in the plane. place: x and y of -1..1, y upwards.

    state: of the job that makes it, or "none"; shares: of the variance, of either axis (PCA);
    divergence: how far the plane is from the layer, in nats (t-SNE).
    """

    collection: str
    model: str
    layer: str
    method: Literal["pca", "tsne"]
    state: Literal["none"] | State
    photos: list[dict[str, Any]]
    model_config = ConfigDict(extra="allow", json_schema_extra=examples.shown(examples.PHOTO_MAP))
