"""Facts: what results of common kinds tell, as they are kept and read in JSON.

Makers write them; web and studio read them. The archive keeps what earlier versions told, too.
"""

from typing import Literal, NotRequired

from typing_extensions import TypedDict


class ScaleFacts(TypedDict):
    """What a sheet's colours stand for.

    gamma: of the colours, the ends and what is between them are values. Of a scale that some values
    exceed, clipped: their share, 0..1; peak: the largest magnitude; beyond: the channels with such.
    """

    mode: str
    low: float
    high: float
    sided: Literal["one", "signed"]
    gamma: NotRequired[float]
    clipped: NotRequired[float]
    peak: NotRequired[float]
    beyond: NotRequired[int]


class ColorFacts(TypedDict):
    """A palette as a legend shows it."""

    name: str
    stops: list[str]


class SheetFacts(TypedDict):
    """Where the tiles of a sheet are, in its pixels; tile_height: with what is written below."""

    columns: int
    rows: int
    tile: int
    gap: int
    width: NotRequired[int]
    height: NotRequired[int]
    tile_height: NotRequired[int]


class ChannelRow(TypedDict):
    """One channel of an activation in numbers."""

    channel: int
    min: float
    mean: float
    max: float
    share_active: float
    dead: bool


class GridFacts(TypedDict):
    """An activation grid in numbers, beside what its recipe says."""

    shape: list[int]
    scale: ScaleFacts
    colors: ColorFacts
    channels: list[ChannelRow]
    dead: int
    structured: NotRequired[int]
    sheet: SheetFacts
    crop: list[float]


class LayerRow(TypedDict):
    """A layer's numbers for one picture."""

    layer: str
    kind: str
    shape: list[int]
    channels: int
    dead: int
    share_dead: float
    min: float
    mean: float
    max: float
    share_active: float


#: One of the likeliest classes.
TopRow = TypedDict("TopRow", {"class": int, "label": str, "probability": float})


class NearRow(TypedDict):
    """A neighbour: the place of a photo in an index, and how alike it is."""

    photo: int
    likeness: float


class ShareRow(TypedDict):
    """How often neighbours are right in a layer; None where it has no vectors."""

    layer: str
    share: float | None


class SharesFacts(TypedDict):
    """How often the `count` nearest photos show the same, by pixels, by chance and by layer."""

    model: str
    count: int
    photos: int
    asked: int
    pixels: float
    chance: float
    layers: list[ShareRow]


class IndexedPhoto(TypedDict):
    """A photo as an index knows it; crop: (left, top, right, bottom) of what the network saw."""

    n: int
    name: str
    label: str | None
    wordnet: str | None
    image: str
    width: int
    height: int
    crop: list[float]
    unreadable: NotRequired[bool]
    reason: NotRequired[str]


class IndexedLayer(TypedDict):
    """What a network made of a collection in one layer."""

    channels: int
    dead: int
    rare: int
    low: float
    high: float
    signed: bool


class IndexFacts(TypedDict):
    """What an index tells."""

    model: str
    photos: list[IndexedPhoto]
    photos_hash: str
    layers: dict[str, IndexedLayer]
    left_out: int
    sheet: SheetFacts
