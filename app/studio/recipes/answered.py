"""What is answered at once, from one pass or none."""

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from app.studio.recipes.recipe import OfPicture, Recipe

Scale = Literal["robust", "layer", "channel"]
Sort = Literal["index", "max", "mean"]
Look = Literal["photo", "map"]
Fill = Literal["mean", "blur", "noise"]


@dataclass(frozen=True, kw_only=True)
class Prediction(OfPicture):
    """The five likeliest classes of a picture."""

    kind: ClassVar[str] = "prediction"


@dataclass(frozen=True, kw_only=True)
class _Scaled(OfPicture):
    """Feature maps in colours.

    low, high: the ends of a scale that is shared with another sheet; both 0: the layer's own.
    gamma: below 1 small magnitudes are brighter; 1 is in no key.
    """

    layer: str
    scale: Scale = "layer"
    colors: str = ""
    low: float = 0.0
    high: float = 0.0
    gamma: float = 1.0

    def facts(self) -> dict[str, Any]:
        """All fields; gamma only where it changes anything."""
        fields = super().facts()
        return fields if self.gamma != 1 else {k: v for k, v in fields.items() if k != "gamma"}


@dataclass(frozen=True, kw_only=True)
class ActivationGrid(_Scaled):
    """All channels of one layer for a picture, on one sheet. tile 0: chosen by the map's size."""

    kind: ClassVar[str] = "activation grid"
    sort: Sort = "index"
    tile: int = 0


@dataclass(frozen=True, kw_only=True)
class LegendSheet(ActivationGrid):
    """The same sheet to be shown without its page: with a heading, channel numbers and its scale.

    Its words come from who asks, in their language: heading, lines below it, ticks at the low end,
    at zero (where that is in the middle) and at the high end; without ticks `words` of the scale;
    mark: how an untrained network is marked, which is in no key of a trained one's.
    """

    kind: ClassVar[str] = "sheet with legend"
    heading: str = ""
    lines: tuple[str, ...] = ()
    ticks: tuple[str, ...] = ()
    words: str = ""
    mark: str = ""

    def facts(self) -> dict[str, Any]:
        """All fields; the mark only where there is one."""
        fields = super().facts()
        return fields if self.mark else {k: v for k, v in fields.items() if k != "mark"}


@dataclass(frozen=True, kw_only=True)
class LayerStatistics(OfPicture):
    """What every layer does for a picture, in numbers: per layer, and per channel as CSV."""

    kind: ClassVar[str] = "statistics"


@dataclass(frozen=True, kw_only=True)
class ChannelMap(_Scaled):
    """One channel's map for a picture, magnified."""

    kind: ClassVar[str] = "channel map"
    channel: int
    size: int = 448


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
