"""Calculator fields: what an address says of the numbers on the calculators' page.

Every field has the number of the lecture as its default, so an address tells only what was changed.
"""

import re
from typing import Annotated, Any, Literal

from fastapi import Query
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from app.zoo.arithmetic import Bottleneck, Convolution, Head, Slide

#: Bounds: sides in positions, channels, windows and layers that are drawn.
MOST_SIDE, MOST_CHANNELS, MOST_FILTER, MOST_LAYERS = 4096, 16384, 63, 40
#: One window of a stack, "11/4": a filter and, if it is not 1, its stride.
WINDOW = re.compile(r"(\d{1,2})(?:/(\d{1,2}))?")
#: AlexNet's way to its fifth convolution, pools among it.
ALEXNET = "11/4 3/2 5 3/2 3 3 3"
VGG16 = "3 3 2/2 3 3 2/2 3 3 3 2/2 3 3 3 2/2 3 3 3 2/2"
GOOGLENET = "7/2 3/2 1 3 3/2 5 5 3/2"

Side = Annotated[int, Field(ge=1, le=MOST_SIDE)]
Channels = Annotated[int, Field(ge=1, le=MOST_CHANNELS)]
Filter = Annotated[int, Field(ge=1, le=MOST_FILTER)]
Loss = Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)]


class Numbers(BaseModel):
    """The numbers of all calculators; each begins with those of the lecture."""

    model_config = ConfigDict(extra="ignore")

    size: Side = Field(227, description="A side of the map that is read.")
    filter: Filter = Field(11, description="A side of the filter.")
    padding: int = Field(0, ge=0, le=MOST_FILTER, description="Zeros around the map.")
    stride: int = Field(
        4, ge=1, le=MOST_FILTER, description="Positions from one place to the next."
    )
    channels: Channels = Field(3, description="Channels that are read.")
    filters: Channels = Field(96, description="Filters, so channels that come of it.")
    stack: str = Field(
        ALEXNET, max_length=200, description="Filter/stride, one layer upon another."
    )
    wide: Filter = Field(5, description="A side of the one large filter.")
    small: int = Field(3, ge=2, le=MOST_FILTER, description="A side of the small ones.")
    depth: Channels = Field(1, description="Channels in and out of each.")
    map: Side = Field(14, description="A side of the map.")
    deep: Channels = Field(480, description="Channels of the map.")
    kernel: Filter = Field(5, description="A side of the filter.")
    out: Channels = Field(48, description="Channels that come of it.")
    reduced: Channels = Field(16, description="Channels after the 1x1.")
    features: Channels = Field(512, description="Channels of the last map.")
    side: Side = Field(7, description="A side of the last map.")
    hidden: str = Field("4096 4096", max_length=60, description="Units of each hidden layer.")
    classes: Channels = Field(1000, description="Classes.")
    phase: Literal["training", "use"] = Field("training", description="Whether heads hang on it.")
    weight: float = Field(0.3, ge=0, le=10, allow_inf_nan=False, description="Of each extra loss.")
    loss: Loss = Field(2.0, description="The classifier's loss.")
    loss_4a: Loss = Field(3.0, description="The loss of the head on 4a.")
    loss_4d: Loss = Field(2.5, description="The loss of the head on 4d.")

    @model_validator(mode="before")
    @classmethod
    def _what_is_said(cls, values: Any) -> Any:
        """A field that was cleared, to be typed anew, has its default meanwhile."""
        if not isinstance(values, dict):
            return values
        return {name: value for name, value in values.items() if value not in ("", None)}

    @field_validator("stack")
    @classmethod
    def _is_a_stack(cls, text: str) -> str:
        parts = text.replace(",", " ").split()
        found = [WINDOW.fullmatch(part) for part in parts]
        if not 1 <= len(parts) <= MOST_LAYERS or not all(
            match and 1 <= int(match[1]) <= MOST_FILTER and int(match[2] or 1) >= 1
            for match in found
        ):
            raise PydanticCustomError("windows", "", {"example": ALEXNET})
        return " ".join(parts)

    @field_validator("hidden")
    @classmethod
    def _are_sizes(cls, text: str) -> str:
        parts = text.replace(",", " ").split()
        if not all(part.isdecimal() and 1 <= int(part) <= MOST_CHANNELS for part in parts[:9]):
            raise PydanticCustomError("windows", "", {"example": "4096 4096"})
        return " ".join(parts[:9])

    @property
    def changed(self) -> dict[str, Any]:
        """What is another number than the lecture's."""
        return self.model_dump(exclude_defaults=True)

    @property
    def slide(self) -> Slide:
        """The window that slides along a side."""
        return Slide(self.size, self.filter, self.stride, self.padding, self.padding)

    @property
    def convolution(self) -> Convolution:
        """The convolution with that window."""
        return Convolution(self.channels, self.filters, (self.filter, self.filter))

    @property
    def windows(self) -> list[tuple[int, int]]:
        """(filter, stride) of each layer of the stack."""
        matches = [WINDOW.fullmatch(part) for part in self.stack.split()]
        return [(int(match[1]), int(match[2] or 1)) for match in matches if match]

    @property
    def bottleneck(self) -> Bottleneck:
        """The filter that stands behind a 1x1."""
        return Bottleneck(self.map, self.map, self.deep, self.kernel, self.out, self.reduced)

    @property
    def head(self) -> Head:
        """What follows the last map."""
        hidden = tuple(int(part) for part in self.hidden.split())
        return Head(self.features, self.side, self.side, hidden, self.classes)


NumbersQuery = Annotated[Numbers, Query()]
