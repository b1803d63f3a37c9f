"""Sides: (the fields of an address) -> the two activation grids that it names, nothing missing."""

from dataclasses import dataclass
from typing import Any, Literal

from pydantic import Field, field_validator

from app.archive import KeptImage
from app.errors import UnknownImage
from app.settings import Settings
from app.studio.recipes import Sort
from app.studio.studio import Studio
from app.web import urls
from app.web.dependencies import (
    check_channel,
    description,
    image_of,
    layer_of,
    obstacle,
    sample_images,
)
from app.web.fields import Colored, GridFields
from app.zoo.described import LayerDescription, NetworkDescription

LONGEST = 200
#: The layer to begin with has so many channels, and maps so many positions a side.
CHANNELS, SIDES = range(16, 65), range(8, 57)


def _name(what: str) -> Any:
    return Field("", max_length=LONGEST, description=f"{what}; left out: chosen.")


class SideFields(Colored):
    """Two sides and how both are drawn."""

    left_image: str = _name("The left side's picture")
    left_model: str = _name("The left side's network")
    left_layer: str = _name("The left side's layer")
    right_image: str = _name("The right side's picture")
    right_model: str = _name("The right side's network")
    right_layer: str = _name("The right side's layer")
    scale: Literal["shared", "own"] = Field("shared", description="One scale for both, or two.")
    sort: Sort = Field("index", description="The order of the channels on both sheets.")
    channel: int | None = Field(None, ge=0, description="The channel that is looked at.")
    right_channel: int | None = Field(None, ge=0, description="On the right, if another.")

    @field_validator("channel", "right_channel", mode="before")
    @classmethod
    def _may_be_left_empty(cls, value: object) -> object:
        return None if value == "" else value

    def own(self) -> GridFields:
        """How a sheet is drawn on its own scale."""
        return GridFields(colors=self.colors, sort=self.sort)


@dataclass(frozen=True)
class Side:
    """A picture, a network and one of its layers. obstacle: why it cannot be run now.

    instead: the layer that was asked for, which the network does not have.
    """

    image: KeptImage
    model: NetworkDescription
    layer: LayerDescription
    obstacle: str | None
    twin: str | None
    instead: str = ""

    @property
    def names(self) -> tuple[str, str, str]:
        """Picture, network and layer by their names in addresses."""
        return self.image.id, self.model["name"], self.layer["name"]


@dataclass(frozen=True)
class Pair:
    """Both sides, and the fields that they came from."""

    left: Side
    right: Side
    fields: SideFields

    @property
    def sides(self) -> dict[str, Side]:
        """The two by their names."""
        return {"left": self.left, "right": self.right}

    @property
    def alike(self) -> bool:
        """Whether a channel's number means the same on both: the same layer, trained or not."""
        (_, left, layer), (_, right, other) = self.left.names, self.right.names
        return layer == other and left in (right, urls.counterpart(right))

    def chosen(self) -> dict[str, Any]:
        """All fields of an address that says everything."""
        return _named("left", self.left) | _named("right", self.right) | self._rest()

    def swapped(self) -> dict[str, Any]:
        """The same with the sides changed."""
        rest = self._rest()
        if "right_channel" in rest:
            turned = {
                "channel": rest.pop("right_channel"),
                "right_channel": rest.pop("channel", ""),
            }
            rest |= {name: number for name, number in turned.items() if number}
        return _named("left", self.right) | _named("right", self.left) | rest

    def _rest(self) -> dict[str, Any]:
        rest = self.fields.model_dump(exclude_defaults=True, include={"scale", "sort", "colors"})
        for name in ("channel", "right_channel"):
            number = getattr(self.fields, name)
            if number is not None:
                rest[name] = str(number)
        return rest


def _named(side: str, one: Side) -> dict[str, str]:
    parts = zip(("image", "model", "layer"), one.names, strict=True)
    return {f"{side}_{part}": name for part, name in parts}


async def pair(
    studio: Studio, settings: Settings, owner: str | None, fields: SideFields, strict: bool
) -> Pair:
    """Both sides, with what was left out chosen.

    strict: a layer that a network does not have is UnknownLayer, not replaced by one as deep.
    Raises UnknownImage, UnknownModel, ModelUnavailable, UnknownLayer, UnknownChannel.
    """
    image = fields.left_image or await _first_sample(studio)
    model = fields.left_model or settings.default_model
    right_model = fields.right_model or (
        model if fields.right_image or fields.right_layer else urls.counterpart(model)
    )
    first = await image_of(studio, image, owner)
    second = await image_of(studio, fields.right_image or image, owner)
    described = await description(studio, model)
    other = await description(studio, right_model)
    left = await _side(studio, first, described, fields.left_layer, other, strict)
    wanted = fields.right_layer or left.layer["name"]
    strict = strict and bool(fields.right_layer)
    right = await _side(studio, second, other, wanted, described, strict)
    _check_channels(left.layer, right.layer, fields)
    return Pair(left, right, fields)


def _check_channels(left: LayerDescription, right: LayerDescription, fields: SideFields) -> None:
    """Raise UnknownChannel for a channel that its side does not have; one for both may lack one."""
    if fields.right_channel is not None:
        check_channel(right, fields.right_channel)
    if fields.channel is not None:
        either = max(left, right, key=lambda layer: int(layer["shape"][0]))
        check_channel(left if fields.right_channel is not None else either, fields.channel)


async def _first_sample(studio: Studio) -> str:
    samples = await sample_images(studio)
    if not samples:
        raise UnknownImage()
    return samples[0].id


async def _side(
    studio: Studio,
    image: KeptImage,
    described: NetworkDescription,
    wanted: str,
    other: NetworkDescription,
    strict: bool,
) -> Side:
    hindered, untrained = await obstacle(studio, described["name"])
    names = {layer["name"] for layer in described["layers"]}
    if not wanted:
        layer = worth_looking(described)
    elif strict or wanted in names:
        layer = layer_of(described, wanted)
    else:
        layer = _as_deep(described, wanted, other)
        return Side(image, described, layer, hindered, untrained, instead=wanted)
    return Side(image, described, layer, hindered, untrained)


def worth_looking(described: NetworkDescription) -> LayerDescription:
    """A layer to begin with: some dozens of channels whose maps are neither huge nor tiny."""
    layers = described["layers"]
    sights = (one for one in layers if one["shape"][0] in CHANNELS and one["shape"][1] in SIDES)
    return next(sights, layers[0])


def _as_deep(
    described: NetworkDescription, wanted: str, other: NetworkDescription
) -> LayerDescription:
    """The layer as deep, by share, as one of another network; else one to begin with."""
    names = [layer["name"] for layer in other["layers"]]
    if wanted not in names:
        return worth_looking(described)
    layers = described["layers"]
    return layers[round(names.index(wanted) / max(1, len(names) - 1) * (len(layers) - 1))]
