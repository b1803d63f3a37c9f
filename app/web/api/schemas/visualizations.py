"""What is answered of visualizations, and of the work of the devices."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from app.studio.jobs.job import State
from app.web.api import examples
from app.web.api.schemas.base import Problem


class Device(BaseModel):
    """A device: what it does, and how many requests wait for it."""

    name: str
    state: Literal["starting", "ready", "away"]
    doing: str | None
    waiting: int


class Running(BaseModel):
    """A visualization in the making, and how far it is."""

    title: str
    step: int
    steps: int
    stage: str
    seconds: float


class Queue(BaseModel):
    """What the devices do, the visualizations in the making, and what waits, by title."""

    devices: list[Device]
    jobs: list[Running]
    waiting: list[str]
    model_config = ConfigDict(json_schema_extra=examples.shown(examples.QUEUE))


class Queued(BaseModel):
    """A visualization that was asked for, and where it can be watched."""

    id: str
    state: State
    url: str
    model_config = ConfigDict(json_schema_extra=examples.shown(examples.QUEUED))


class Visualization(Queued):
    """A visualization: how far it is (`left`: seconds; `position` 1: next), and what made it.

    It is open, for when it is done each kind tells more, as it was kept (by this version or an
    earlier one): for a class `label, probability, top, second`; for a channel `activation,
    best_sample, multiple, rank`; for an atlas `sheet, channels`; for a reconstruction
    `relative_error, psnr, ssim`; for a strip `layers`, one entry each; for an occlusion map
    `probabilities` by square, and the `worst` one.
    """

    step: int
    steps: int
    scores: list[float]
    stage: str
    position: int | None
    left: float | None
    seconds: float | None
    device: str | None
    versions: dict[str, str] | None
    weights_sha256: str | None
    recipe: dict[str, Any]  # its fields are those of what was asked for, by kind
    parts: dict[str, str]
    picture: str | None
    error: Problem | None
    model_config = ConfigDict(
        extra="allow", json_schema_extra=examples.shown(examples.VISUALIZATION)
    )


class Visualizations(BaseModel):
    """What this browser asked for, and what is finished and for all to see; newest first."""

    own: list[Queued]
    finished: list[Queued]
    model_config = ConfigDict(json_schema_extra=examples.shown(examples.VISUALIZATIONS))
