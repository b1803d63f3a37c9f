"""What is answered of pictures, and of what networks make of them."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field
from typing_extensions import TypedDict

from app.studio.recipes.facts import ChannelRow, ColorFacts, ScaleFacts, SheetFacts, TopRow
from app.web.api import examples
from app.web.api.schemas.base import FromImage


class Image(BaseModel):
    """A kept picture. `expires` is seconds since 1970; null for samples, which stay.

    original: (width, height) of what was uploaded.
    """

    id: str
    name: str
    width: int
    height: int
    original: tuple[int, int]
    url: str
    created: float
    expires: float | None
    shared: bool
    sample: bool
    model_config = ConfigDict(json_schema_extra=examples.shown(examples.IMAGE))


class Images(BaseModel):
    """The samples, and the pictures of this browser."""

    samples: list[Image]
    images: list[Image]
    model_config = ConfigDict(json_schema_extra=examples.shown(examples.IMAGES))


class NamedLink(TypedDict):
    """A layer and its address."""

    name: str
    url: str


class Prediction(FromImage):
    """The five likeliest classes, and the box of the picture that the network sees."""

    top: list[TopRow]
    layers: list[NamedLink]
    model_config = ConfigDict(json_schema_extra=examples.shown(examples.PREDICTION))


class Grid(FromImage):
    """An activation grid in numbers; channels in the order of the sheet.

    low, high: the ends of a told scale, both 0 where none was; tile: 0 for the natural size; dead:
    how many channels are silent for this photo (all zero); structured: the channel worth a first
    look, whose map varies most; gamma: 1 where it is not told.
    """

    layer: str
    sort: str
    tile: int
    low: float
    high: float
    gamma: float = 1.0
    shape: list[int]
    scale: ScaleFacts
    colors: ColorFacts
    channels: list[ChannelRow]
    dead: int
    structured: int | None = None
    sheet: SheetFacts
    model_config = ConfigDict(json_schema_extra=examples.shown(examples.GRID))


class Map(FromImage):
    """One channel of an activation in numbers; dead: it is silent for this photo (all zero)."""

    layer: str
    channel: int
    size: int
    min: float
    mean: float
    max: float
    share_active: float
    dead: bool
    low: float
    high: float
    gamma: float = 1.0
    shape: list[int]
    scale: ScaleFacts
    colors: ColorFacts
    width: int
    height: int
    model_config = ConfigDict(json_schema_extra=examples.shown(examples.MAP))


class Side(BaseModel):
    """One of two grids, on its own scale; picture: on that of both."""

    image: str
    model: str
    layer: str
    url: str
    picture: str
    grid: Grid


class SideBySide(BaseModel):
    """Two activation grids, and the scale that both are drawn on (null: each on its own)."""

    scale: ScaleFacts | None
    left: Side
    right: Side
    model_config = ConfigDict(json_schema_extra=examples.shown(examples.SIDE_BY_SIDE))


class Where(BaseModel):
    """Where a class was seen: above 0 speaks for it, below against it, as far as `map` is told.

    For an occlusion map `visualization` is its address once it is made, `ask` what asks for it. It
    is open, for beside these it has all that its visualization tells.
    """

    method: Literal["gradcam", "occlusion"]
    class_: int = Field(alias="class")
    label: str
    probability: float | None
    model_config = ConfigDict(extra="allow", json_schema_extra=examples.shown(examples.WHERE))


#: A class, and its probability before and after.
MovedRow = TypedDict("MovedRow", {"class": int, "label": str, "before": float, "after": float})


class Covering(FromImage):
    """The likeliest classes before and after a part of a picture is covered; `share` of it."""

    before: list[TopRow]
    after: list[TopRow]
    moved: list[MovedRow]
    share: float
    mask: str
    cells: int
    fill: Literal["mean", "blur", "noise"]
    seed: int
    width: int
    height: int
    model_config = ConfigDict(json_schema_extra=examples.shown(examples.COVERING))


class SilentRow(TypedDict):
    """How many channels of a layer are silent for a photo (all zero: `dead`); signed: it has
    values below zero, of which that says little."""

    name: str
    kind: str
    channels: int
    signed: bool
    dead: int
    share_dead: float
    share_active: float
    url: str


class Firing(BaseModel):
    """How many channels of each layer a picture leaves at zero everywhere."""

    image: str
    model: str
    layers: list[SilentRow]
    model_config = ConfigDict(json_schema_extra=examples.shown(examples.FIRING))
