"""Twins: what `.json` addresses answer, with examples for the OpenAPI description."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict


class Twin(BaseModel):
    """The fields named here are there; there may be more."""

    model_config = ConfigDict(extra="allow")


class Problem(BaseModel):
    """What went wrong, in one word for programs and a sentence for people."""

    code: str
    message: str


class Failure(BaseModel):
    """Every error in JSON."""

    error: Problem


class ModelRow(Twin):
    """A network in the list; `note` says why it is not ready and what to do."""

    name: str
    title: str
    status: Literal["ready", "loading", "available", "unavailable"]
    input_size: tuple[int, int, int] | None
    parameters: int | None
    classes: int | None
    url: str
    note: str
    untrained_url: str | None = None


class Models(BaseModel):
    """All networks."""

    models: list[ModelRow]
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "models": [
                        {
                            "name": "efficientnet-lite0",
                            "title": "EfficientNet-Lite0",
                            "status": "ready",
                            "input_size": [3, 224, 224],
                            "parameters": 4652008,
                            "classes": 1000,
                            "url": "…/efficientnet-lite0",
                            "note": "",
                            "untrained_url": None,
                        }
                    ]
                }
            ]
        }
    )


class Layer(Twin):
    """One layer: output shape [C, H, W], receptive field and stride in pixels of the input."""

    name: str
    kind: str
    shape: list[int]
    parameters: int
    multiply_adds: int
    receptive_field: int
    stride: int
    inputs: list[str]
    url: str


class Model(Twin):
    """A network and all its layers, in the order they run."""

    name: str
    title: str
    paper: str
    input_size: list[int]
    preprocessing: dict[str, Any]
    parameters: int
    multiply_adds: int
    weights: dict[str, str | None]
    layers: list[Layer]


class Channel(Twin):
    """One channel of a layer, and the sample photos that excite it, strongest first."""

    model: str
    layer: str
    channel: int
    channels: int
    filter_url: str | None
    images: list[dict[str, Any]]


class Classes(BaseModel):
    """The classes whose label or number fits the search."""

    classes: list[dict[str, int | str]]
    model_config = ConfigDict(
        json_schema_extra={"examples": [{"classes": [{"class": 954, "label": "banana"}]}]}
    )


class Image(Twin):
    """A kept picture. `expires` is seconds since 1970; null for samples, which stay."""

    id: str
    name: str
    width: int
    height: int
    url: str
    created: float
    expires: float | None
    shared: bool
    sample: bool


class Images(BaseModel):
    """The samples, and the pictures of this browser."""

    samples: list[Image]
    images: list[Image]


class Prediction(Twin):
    """The five likeliest classes, and the box of the picture that the network sees."""

    top: list[dict[str, Any]]
    layers: list[dict[str, str]]
    model_config = ConfigDict(
        extra="allow",
        json_schema_extra={
            "examples": [
                {
                    "model": "efficientnet-lite0",
                    "top": [{"class": 281, "label": "tabby", "probability": 0.42}],
                    "crop": [75, 0, 375, 300],
                    "layers": [{"name": "conv_stem", "url": "…/layers/conv_stem"}],
                }
            ]
        },
    )


class Grid(Twin):
    """An activation grid in numbers; channels in the order of the sheet."""

    shape: list[int]
    scale: dict[str, Any]
    channels: list[dict[str, Any]]
    dead: int
    sheet: dict[str, int]
    model_config = ConfigDict(
        extra="allow",
        json_schema_extra={
            "examples": [
                {
                    "shape": [32, 112, 112],
                    "scale": {"mode": "layer", "low": 0.0, "high": 6.0, "sided": "one"},
                    "channels": [
                        {
                            "channel": 0,
                            "min": 0.0,
                            "mean": 0.31,
                            "max": 5.2,
                            "share_active": 0.62,
                            "dead": False,
                        }
                    ],
                    "dead": 3,
                    "sheet": {"columns": 8, "rows": 4, "tile": 112, "gap": 1},
                }
            ]
        },
    )


class Map(Twin):
    """One channel of an activation in numbers."""

    channel: int
    min: float
    mean: float
    max: float
    share_active: float
    dead: bool
    scale: dict[str, Any]


class Fetching(Twin):
    """How far fetching a network's weights is."""

    model: str
    state: Literal["running", "done", "failed", "cancelled"]
    bytes: int
    total: int | None
    problem: str


class Device(BaseModel):
    """A device: what it does, and how many requests wait for it."""

    name: str
    state: Literal["starting", "ready", "away"]
    doing: str | None
    waiting: int


class Queue(BaseModel):
    """What the devices do and what waits."""

    devices: list[Device]
    waiting: list[str]
