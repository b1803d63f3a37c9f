"""What is answered of networks, their layers, channels and filters."""

from typing import Literal, NotRequired

from pydantic import BaseModel, ConfigDict
from typing_extensions import TypedDict

from app.studio.recipes.facts import ColorFacts, SheetFacts
from app.web.api import examples
from app.web.api.schemas.base import FromImage
from app.web.pickers import ClassRow, ModelRow
from app.zoo.described import (
    BoxDescription,
    FieldFacts,
    LayerDescription,
    NodeDescription,
    PreprocessingFacts,
    WeightsFacts,
    WindowFacts,
)


class Models(BaseModel):
    """All networks."""

    models: list[ModelRow]
    model_config = ConfigDict(json_schema_extra=examples.shown(examples.MODELS))


class LayerOfModel(LayerDescription):
    """A layer in the list of a network's."""

    url: str


class SumRow(TypedDict):
    """A sum of the board; total: what its terms come to. note, extra: how to read it."""

    about: Literal["output", "parameters", "work", "field", "memory"]
    terms: list[str]
    total: int
    note: str
    extra: int


class Layer(BaseModel):
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
    block: str
    field: FieldFacts
    given: list[int]
    window: WindowFacts | None
    url: str
    arithmetic: list[SumRow]
    model_config = ConfigDict(json_schema_extra=examples.shown(examples.LAYER))


class Model(BaseModel):
    """A network and all its layers, in the order they run."""

    name: str
    title: str
    paper: str
    input_size: list[int]
    preprocessing: PreprocessingFacts
    parameters: int
    multiply_adds: int
    weights: WeightsFacts
    definition: str
    trained: bool
    classes: int
    labels: list[str]
    layers: list[LayerOfModel]
    url: str
    model_config = ConfigDict(json_schema_extra=examples.shown(examples.MODEL))


class SamplePhoto(TypedDict):
    """A sample photo, and the channel's largest value for it."""

    id: str
    url: str
    max: float | None


class ExcitingPhoto(TypedDict):
    """A photo of a collection; position: (row, column) of the value; crop: (left, top, width,
    height) of what is seen from there, in the photo's pixels."""

    n: int
    name: str
    label: str | None
    value: float
    position: list[int]
    crop: list[float]
    picture: str
    url: str


class Evidence(TypedDict):
    """What the photos of a collection say of a channel; the numbers are there once a network has
    looked through one (`index` is not null)."""

    collections: list[tuple[str, str]]
    collection: str | None
    title: str | None
    index: str | None
    current: NotRequired[bool]
    photos: NotRequired[int]
    fired: NotRequired[int]
    low: NotRequired[float]
    mean: NotRequired[float]
    high: NotRequired[float]
    share_active: NotRequired[float]
    spread: NotRequired[list[int]]
    spread_low: NotRequired[float]
    positions: NotRequired[list[int]]
    best: NotRequired[list[ExcitingPhoto]]
    least: NotRequired[list[ExcitingPhoto]]


class Channel(BaseModel):
    """One channel of a layer, and the sample photos, strongest first.

    `max` is the channel's largest value for a photo; null, and last, until the layer's grid of that
    photo has been made.
    """

    model: str
    layer: str
    channel: int
    channels: int
    shape: list[int]
    filter_url: str | None
    visualization_url: str | None
    images: list[SamplePhoto]
    evidence: Evidence
    model_config = ConfigDict(json_schema_extra=examples.shown(examples.CHANNEL))


class Classes(BaseModel):
    """The classes whose label or number fits the search."""

    classes: list[ClassRow]
    model_config = ConfigDict(json_schema_extra=examples.shown(examples.CLASSES))


class Node(NodeDescription):
    """A layer or a join; url: null where it has no page."""

    url: str | None


class Box(BoxDescription):
    """What folds into one; url: null where it has no page."""

    url: str | None


class Graph(BaseModel):
    """A network as it is drawn: nodes in the order of their outputs, and the boxes that fold.

    A node reads `inputs`; `box` is the innermost box that holds a node or box, "" for none;
    `thumbnails` is the address of the strongest maps when a picture was named; `chosen` the layer.
    """

    model: str
    title: str
    trained: bool
    chosen: str
    nodes: list[Node]
    boxes: list[Box]
    thumbnails: str | None
    model_config = ConfigDict(json_schema_extra=examples.shown(examples.GRAPH))


class Thumbnail(TypedDict):
    """The strongest channel of a layer, its scale, and where its tile is, in the sheet's pixels."""

    layer: str
    channel: int
    low: float
    high: float
    sided: Literal["one", "signed"]
    x: int
    y: int
    url: str


class OwnScales(TypedDict):
    """Each tile has a scale of its own."""

    mode: str


class Palettes(TypedDict):
    """The palettes of values that are never below zero, and of those that are."""

    one: ColorFacts
    signed: ColorFacts


class Thumbnails(FromImage):
    """Of each layer that has maps the strongest one, on its layer's scale: a tile of `picture`."""

    picture: str
    scale: OwnScales
    colors: Palettes
    sheet: SheetFacts
    layers: list[Thumbnail]
    model_config = ConfigDict(json_schema_extra=examples.shown(examples.THUMBNAILS))


class FilterRow(TypedDict):
    """A tile: a filter, or one input of the filter that is looked at; norm: of its weights.

    grain: share of high-frequency energy; null where there is none to speak of.
    """

    filter: NotRequired[int]
    input: NotRequired[int]
    norm: float
    grain: NotRequired[float | None]


class FilterScale(TypedDict):
    """What a sheet's colours stand for."""

    low: float
    high: float
    sided: Literal["signed"]


class FilterSheet(TypedDict):
    """One network's filters. obstacle: why they cannot be drawn; the numbers are null then."""

    model: str
    trained: bool
    obstacle: str | None
    picture: str | None
    mode: str | None
    scale: FilterScale | None
    sheet: SheetFacts | None
    grain: float | None
    filters: list[FilterRow]


class FilterPair(BaseModel):
    """A layer's filters and its untrained copy's (`twin`); `grain`: share of high frequencies."""

    layer: str
    filter: int | None
    noise: float | None
    own: FilterSheet
    twin: FilterSheet | None
    model_config = ConfigDict(json_schema_extra=examples.shown(examples.FILTER_PAIR))


class Fetching(BaseModel):
    """How far fetching a network's weights is."""

    model: str
    state: Literal["running", "done", "failed", "cancelled"]
    bytes: int
    total: int | None
    problem: str
    model_config = ConfigDict(json_schema_extra=examples.shown(examples.FETCHING))
