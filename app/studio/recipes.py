"""Frozen requests: what somebody wants made, as a value whose hash is its address.

`.key` is the hash of all fields, `.title` says it in plain words. No torch in here.
"""

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Literal

#: Raised whenever a maker's output changes, so that old results are made again.
EDITION = 1

Scale = Literal["layer", "channel"]
Sort = Literal["index", "max", "mean"]


@dataclass(frozen=True)
class Made:
    """What came of a recipe: numbers (JSON), and for most kinds a picture (encoded bytes)."""

    facts: dict[str, Any]
    picture: bytes | None = None
    media: str = "image/png"


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
        where = [str(value) for name, value in self.facts().items() if name in ("layer", "channel")]
        return " ".join([self.kind, "of", self.model, *where])

    def facts(self) -> dict[str, Any]:
        """All fields but where files lie, for people and for PNG text chunks."""
        fields = asdict(self)
        fields.pop("source", None)
        return {"kind": self.kind} | fields


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
    """All channels of one layer for a picture, on one sheet. tile 0: chosen by the map's size."""

    kind: ClassVar[str] = "activation grid"
    layer: str
    scale: Scale = "layer"
    sort: Sort = "index"
    colors: str = ""
    tile: int = 0


@dataclass(frozen=True, kw_only=True)
class ChannelMap(OfPicture):
    """One channel's map for a picture, magnified."""

    kind: ClassVar[str] = "channel map"
    layer: str
    channel: int
    scale: Scale = "layer"
    colors: str = ""
    size: int = 448


@dataclass(frozen=True, kw_only=True)
class Filters(Recipe):
    """The filters of a convolution: all first-layer filters as RGB, or one filter's inputs.

    channel -1: the whole layer (one tile per filter); else that filter, one tile per input channel.
    """

    kind: ClassVar[str] = "filters"
    layer: str
    channel: int = -1
    colors: str = ""
    tile: int = 0
