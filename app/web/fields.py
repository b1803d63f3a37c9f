"""Fields: what a query says of how pictures are drawn -> recipes."""

from typing import Annotated, Any

from fastapi import Query
from pydantic import BaseModel, ConfigDict, Field, field_validator

from app.archive import KeptImage
from app.studio.recipes import ActivationGrid, ChannelMap, Filters, Scale, Sort
from app.vision.drawing.colors import NAMES

SCALES: tuple[Scale, ...] = ("robust", "layer", "channel")
#: Choices of how bright small values are, the brightest last.
GAMMAS = (1.0, 0.7, 0.5, 0.35)
SORTS: tuple[Sort, ...] = ("index", "max", "mean")


class Colored(BaseModel):
    """What is drawn in colours."""

    model_config = ConfigDict(extra="ignore")

    colors: str = Field("", description=f"A colour map: {', '.join(NAMES)}; empty: by sign.")

    @field_validator("colors")
    @classmethod
    def _known(cls, name: str) -> str:
        if name not in ("", *NAMES):
            raise ValueError(", ".join(NAMES))
        return name

    def chosen(self) -> dict[str, Any]:
        """The fields that differ from what is drawn without being asked."""
        return self.model_dump(exclude_defaults=True)


class Scaled(Colored):
    """How feature maps are drawn: on their own scale, or on one that is told, as another's."""

    low: float = Field(0.0, le=0, allow_inf_nan=False, description="The told scale's lower end.")
    high: float = Field(
        0.0, ge=0, allow_inf_nan=False, description="Its upper end; both 0: the layer's own scale."
    )
    scale: Scale = Field(
        "robust",
        description="robust: up to the upper quartile of the channels' peaks; layer: the full"
        " range; channel: each channel's own.",
    )
    gamma: float = Field(
        0.7, ge=0.2, le=2, description="Of the colours: below 1 small values are brighter."
    )
    sort: Sort = Field("index", description="The order of the channels on the sheet.")


class GridFields(Scaled):
    """How a sheet is drawn."""

    tile: int = Field(0, ge=0, le=512, description="Pixels per tile; 0: by the map's size.")


class MapFields(Scaled):
    """How one channel's map is drawn."""

    size: int = Field(448, ge=8, le=2048, description="Longest side of the picture in pixels.")


class FilterFields(Colored):
    """How filters are drawn."""

    tile: int = Field(0, ge=0, le=256, description="Pixels per tile; 0: by the filters' size.")
    reach: float = Field(
        0.0, ge=0, allow_inf_nan=False, description="Both ends of the scale; 0: the layer's own."
    )


GridQuery = Annotated[GridFields, Query()]
MapQuery = Annotated[MapFields, Query()]
FilterQuery = Annotated[FilterFields, Query()]


def grid_recipe(image: KeptImage, model: str, layer: str, fields: GridFields) -> ActivationGrid:
    """The request for a sheet."""
    return ActivationGrid(
        model=model,
        layer=layer,
        image=image.id,
        **fields.model_dump(),
    )


def map_recipe(
    image: KeptImage, model: str, layer: str, channel: int, fields: MapFields
) -> ChannelMap:
    """The request for one channel's map."""
    return ChannelMap(
        model=model,
        layer=layer,
        channel=channel,
        image=image.id,
        **fields.model_dump(exclude={"sort"}),
    )


def filters_recipe(model: str, layer: str, fields: FilterFields, channel: int = -1) -> Filters:
    """The request for filters: a whole layer's, or one."""
    return Filters(model=model, layer=layer, channel=channel, **fields.model_dump())
