"""Attribution fields: what a query says of where to look -> the request for a map."""

from typing import Annotated, Any, Literal

from fastapi import Query
from pydantic import BaseModel, ConfigDict, Field, field_validator

from app.archive import KeptImage
from app.errors import NoClassifier, NoPlaces
from app.studio.recipes import Fill, GradCam, Look
from app.web.dependencies import check_class, layer_of
from app.zoo.described import LayerDescription, NetworkDescription

Method = Literal["gradcam", "occlusion"]
METHODS: tuple[Method, ...] = ("gradcam", "occlusion")
FILLS: tuple[Fill, ...] = ("mean", "blur", "noise")


class WhereFields(BaseModel):
    """What of a picture is looked for, and how."""

    model_config = ConfigDict(extra="ignore")

    class_: int | None = Field(
        None, alias="class", ge=0, description="The class's number; left out: the likeliest."
    )
    method: Method = Field("gradcam", description="By gradients, or by covering bit by bit.")
    layer: str = Field("", description="Of Grad-CAM; left out: the last that gives maps.")
    look: Look = Field("photo", description="Laid over the photo, or the map alone.")
    q: str = Field("", max_length=100, description="A search among the classes.")

    @field_validator("class_", mode="before")
    @classmethod
    def _empty_is_none(cls, value: Any) -> Any:
        return None if value == "" else value


WhereQuery = Annotated[WhereFields, Query()]


def places(described: NetworkDescription) -> list[LayerDescription]:
    """The layers that say where something is: those whose maps have more than one cell."""
    return [layer for layer in described["layers"] if tuple(layer["shape"][1:]) != (1, 1)]


def _layer(described: NetworkDescription, name: str) -> str:
    """The layer that is asked; the last with places where none was named.

    Raises UnknownLayer, NoPlaces.
    """
    found = places(described)
    if not name:
        if not found:
            raise NoPlaces(layer=described["title"])
        return str(found[-1]["name"])
    layer = layer_of(described, name)
    if layer not in found:
        raise NoPlaces(layer=name)
    return name


def gradcam_recipe(
    image: KeptImage, described: NetworkDescription, fields: WhereFields, look: Look
) -> GradCam:
    """The request for a map. Raises NoClassifier, UnknownClass, UnknownLayer, NoPlaces."""
    if not described["labels"]:
        raise NoClassifier(model=described["title"])
    if fields.class_ is not None:
        check_class(described, fields.class_)
    return GradCam(
        model=described["name"],
        image=image.id,
        layer=_layer(described, fields.layer),
        class_=-1 if fields.class_ is None else fields.class_,
        look=look,
    )
