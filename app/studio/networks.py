"""The list of networks as people see it: what can be opened now, and what to do for the others."""

from dataclasses import dataclass
from typing import Literal

from app.errors import (
    LaternaError,
    ModelUnavailable,
    NoWeights,
    WeightsNotFetched,
    WeightsOutOfReach,
)
from app.studio.fetching import Fetching
from app.zoo.catalogue import Entry
from app.zoo.described import NetworkDescription

Status = Literal["ready", "loading", "available", "unavailable"]


@dataclass(frozen=True)
class Mirror:
    """Where weights come from: its address, whether it answers, and what it does for a network."""

    address: str
    online: bool
    fetching: Fetching | None = None


@dataclass(frozen=True)
class Card:
    """One row. `reason` says why it is not ready, and what to do."""

    name: str
    title: str
    status: Status
    input_size: tuple[int, int, int] | None
    parameters: int | None
    classes: int | None
    trained: bool
    reason: LaternaError | None
    can_open_untrained: bool


def card(entry: Entry, description: NetworkDescription | None, mirror: Mirror) -> Card:
    """The row of one network; `description` as it was made before, if it was."""
    status, reason = _status(entry, mirror)
    known = description
    size = entry.input_size or (known and known["input_size"])
    return Card(
        name=entry.name,
        title=entry.title,
        status=status,
        input_size=(size[0], size[1], size[2]) if size else None,
        parameters=entry.parameters or (known and known["parameters"]),
        classes=entry.classes if entry.classes is not None else known and known["classes"],
        trained=entry.trained,
        reason=reason,
        can_open_untrained=entry.problem is None and status != "ready",
    )


def _status(entry: Entry, mirror: Mirror) -> tuple[Status, LaternaError | None]:
    fetching = mirror.fetching
    if entry.problem:
        return "unavailable", ModelUnavailable(model=entry.title, reason=entry.problem)
    if entry.present:
        return "ready", None
    if fetching and fetching.state == "running":
        return "loading", None
    if entry.url_name is None:
        return "unavailable", NoWeights(model=entry.title)
    if not mirror.online:
        return "unavailable", WeightsOutOfReach(mirror=mirror.address, file=entry.url_name)
    if fetching and fetching.problem:
        return "available", fetching.problem
    return "available", None


def require_weights(entry: Entry) -> None:
    """Raise why a network cannot be run now: nothing when it can (or was asked for untrained)."""
    if entry.problem:
        raise ModelUnavailable(model=entry.title, reason=entry.problem)
    if not entry.trained or entry.present:
        return
    raise (NoWeights if entry.url_name is None else WeightsNotFetched)(model=entry.title)
