"""Asked: what a body in JSON or a form asks for -> the recipe of a visualization."""

import re
from typing import Annotated, Any, Literal

from fastapi import Body, Depends, Request
from fastapi.exceptions import RequestValidationError
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    TypeAdapter,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from app.studio import recipes
from app.studio.collections.folders import Collection
from app.studio.recipes import Fill, JobRecipe, Quality, Unit
from app.studio.studio import Studio
from app.web import errors, urls
from app.web.api import examples

#: Pixels a side, steps, and seeds; a side or steps of 0 are chosen by the quality.
SMALLEST, LARGEST, MOST_STEPS, MOST_SEED = 32, 512, 2048, 2**31 - 1
MOST_PICTURES, MOST_LAYERS, LONGEST = 4, 8, 200
#: The field of a form that only helps to find a class.
SEARCH = "q"
Name = Annotated[str, Field(max_length=LONGEST)]
#: In JSON a number and nothing else: neither true, "3", 3.0 nor null. Forms say it in digits.
Whole = Annotated[int, Field(strict=True)]
Zero = Annotated[Whole, Field(ge=0, le=0)]
DIGITS = re.compile(r"[+-]?[0-9]{1,30}")


class Asked(BaseModel):
    """What every kind takes. Left out or empty: the default."""

    model_config = ConfigDict(extra="forbid", title="Visualization asked for")

    model: Name = Field("", description="The network; left out: the default one.")
    quality: Quality = Field("quick", description="Some seconds, or better and some times longer.")
    size: Whole = Field(0, ge=0, le=LARGEST, description="Pixels a side; 0: by the quality.")
    steps: Whole = Field(0, ge=0, le=MOST_STEPS, description="0: by the quality.")
    seed: Whole = Field(0, ge=0, le=MOST_SEED, description="Of the noise that it grows out of.")

    @model_validator(mode="before")
    @classmethod
    def _only_what_is_needed(cls, values: Any) -> Any:
        """Leave out what was left empty, and what only other kinds need."""
        if not isinstance(values, dict):
            return values
        own = {field.alias or name for name, field in cls.model_fields.items()}
        return {
            name: value
            for name, value in values.items()
            if (name in own or name not in FIELDS) and (name in WHOLE or value not in (None, ""))
        }

    @field_validator("size")
    @classmethod
    def _has_a_side(cls, size: int) -> int:
        if 0 < size < SMALLEST:
            raise PydanticCustomError("size", "", {"low": SMALLEST, "high": LARGEST})
        return size


class AskedClass(Asked):
    """Class visualization: an image that maximises the logit of a class."""

    model_config = examples.asked(examples.ASKED_CLASS)
    kind: Literal["class"]
    class_: Whole = Field(alias="class", ge=0, description="The class's number.")


class AskedChannel(Asked):
    """Feature visualization (max-filter image): an image that maximises a channel's mean."""

    model_config = examples.asked(examples.ASKED_CHANNEL)
    kind: Literal["channel"]
    layer: Name = Field(description="The layer's name.")
    channel: Whole = Field(ge=0, description="The channel's number.")
    unit: Unit = Field("channel", description="Everywhere, or at one position (neuron).")
    pictures: Whole = Field(1, ge=1, le=MOST_PICTURES, description="So many, made to differ.")


class AskedAtlas(Asked):
    """Layer atlas: a feature visualization of each channel of a layer, on one sheet."""

    model_config = examples.asked(examples.ASKED_ATLAS)
    kind: Literal["atlas"]
    layer: Name = Field(description="The layer's name.")


class AskedReconstruction(Asked):
    """Reconstruction: an image whose activation in one layer matches that of a picture."""

    model_config = examples.asked(examples.ASKED_RECONSTRUCTION)
    kind: Literal["reconstruction"]
    image: Name = Field(description="The picture's id.")
    layer: Name = Field(description="The layer's name.")


class AskedStrip(Asked):
    """Depth strip: reconstructions of a picture from several layers, early to late."""

    model_config = examples.asked(examples.ASKED_STRIP)
    kind: Literal["strip"]
    image: Name = Field(description="The picture's id.")
    layers: Annotated[list[Name], Field(max_length=MOST_LAYERS)] = Field(
        default_factory=list, description="The layers' names; left out: chosen over the depth."
    )


class AskedOcclusion(Asked):
    """Occlusion map: what a class loses wherever a square of a picture is covered."""

    model_config = examples.asked(examples.ASKED_OCCLUSION)
    kind: Literal["occlusion"]
    image: Name = Field(description="The picture's id.")
    class_: Whole = Field(alias="class", ge=0, description="The class's number.")
    window: Whole = Field(
        0, ge=0, le=LARGEST, description="The square's side in pixels; 0: chosen."
    )
    fill: Fill = Field("mean", description="What lies under the square.")
    size: Zero = Field(0, description="Always as large as the network sees it.")
    steps: Zero = Field(0, description="As many as there are rows of squares.")


class AskedIndex(Asked):
    """Index: the activations of every channel of a network for the photos of a collection."""

    model_config = examples.asked(examples.ASKED_INDEX)
    kind: Literal["index"]
    collection: Name = Field(description="The collection's name.")
    size: Zero = Field(0, description="Always as large as the network sees them.")
    steps: Zero = Field(0, description="As many as there are photos.")
    seed: Zero = Field(0, description="Nothing is left to chance.")
    quality: Literal["quick"] = Field("quick", description="There is but one.")


class AskedMap(Asked):
    """Map: t-SNE of the photos of a collection in the feature space of a layer."""

    model_config = examples.asked(examples.ASKED_MAP)
    kind: Literal["map"]
    collection: Name = Field(description="The collection's name; its index must be there.")
    layer: Name = Field(description="The layer that says what is like what.")
    size: Zero = Field(0, description="A map has no pixels.")
    seed: Zero = Field(0, description="Nothing is left to chance.")


BODIES = (
    AskedClass,
    AskedChannel,
    AskedAtlas,
    AskedReconstruction,
    AskedStrip,
    AskedOcclusion,
    AskedIndex,
    AskedMap,
)
FIELDS = frozenset(
    field.alias or name for body in BODIES for name, field in body.model_fields.items()
)
#: Those fields that are numbers.
WHOLE = frozenset(
    field.alias or name
    for body in BODIES
    for name, field in body.model_fields.items()
    if field.annotation is int
)
AnyAsked = (
    AskedClass
    | AskedChannel
    | AskedAtlas
    | AskedReconstruction
    | AskedStrip
    | AskedOcclusion
    | AskedIndex
    | AskedMap
)
AskedBody = Annotated[AnyAsked, Body(discriminator="kind")]
_form: TypeAdapter[AnyAsked] = TypeAdapter(Annotated[AnyAsked, Field(discriminator="kind")])


def address(fields: dict[str, Any]) -> str:
    """The form with these fields filled in; what it has no field for, and lists, are left out."""
    known = {name: str(fields[name])[:LONGEST] for name in fields if name in FIELDS | {SEARCH}}
    kept = {name: value for name, value in known.items() if name not in ("layers", "kind", "model")}
    return urls.visualization_new(known.get("kind", ""), known.get("model", ""), **kept)


def validated(fields: dict[str, Any]) -> AnyAsked:
    """What a form says, checked as a body is. Raises RequestValidationError."""
    try:
        return _form.validate_python(fields)
    except ValidationError as error:
        places = [{**one, "loc": ("body", *one["loc"])} for one in error.errors()]
        raise RequestValidationError(places) from None


async def _from_form(request: Request) -> AnyAsked:
    form = await request.form(max_files=0, max_fields=64)
    fields: dict[str, Any] = {name: str(value).strip() for name, value in form.items()}
    request.scope[errors.FORM] = address(fields)
    fields.pop(SEARCH, None)
    for name in WHOLE & fields.keys():
        if not fields[name]:
            del fields[name]
        elif DIGITS.fullmatch(fields[name]):
            fields[name] = int(fields[name])
    if "layers" in form:
        fields["layers"] = [str(name) for name in form.getlist("layers") if name]
    return validated(fields)


AskedForm = Annotated[AnyAsked, Depends(_from_form)]


def recipe(asked: AnyAsked, studio: Studio, owner: str | None) -> JobRecipe:
    """The recipe that was asked for. Raises UnknownImage for a picture that is not theirs, and
    UnknownCollection. May look through a folder: not for the event loop.
    """
    fields = asked.model_dump(by_alias=True)
    fields["model"] = fields["model"] or studio.settings.default_model
    if fields["kind"] == "map":
        return _map(fields, studio.collections.one(fields["collection"], owner))
    if "collection" in fields:
        return studio.collections.one(fields["collection"], owner).index(fields["model"])
    if "image" in fields:
        studio.image(fields["image"], owner)
    return recipes.visualization(fields)


def _map(fields: dict[str, Any], found: Collection) -> recipes.PhotoMap:
    return recipes.PhotoMap(
        model=fields["model"],
        layer=fields["layer"],
        collection=found.name,
        photos=found.digest,
        whose=found.whose,
        quality=fields["quality"],
        steps=fields["steps"],
    )
