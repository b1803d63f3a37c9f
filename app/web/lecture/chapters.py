"""Chapters: what the lecture says, in this request's language, and where it can be looked at."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from app.studio.jobs.job import State
from app.studio.recipes import JobRecipe
from app.web.languages import gettext


@dataclass(frozen=True)
class Place:
    """Something to look at, and where.

    wants: what must have been made before there is anything to see, with `own`: whose own page
    shows it; until then `url` is where it can be asked for. state, made: how it is with it here,
    and where it is being made, or was; ask: the fields of a form that has it made.
    """

    title: str
    url: str
    wants: JobRecipe | None = None
    own: bool = False
    state: State = State.DONE
    made: str | None = None
    ask: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Chapter:
    """One chapter: what the lecture says, and what to look at.

    paper: what the paper has where notes of lectures often have something else; note: why
    something cannot be looked at here, or not yet. "" for nothing.
    """

    name: str
    title: str
    text: str
    places: tuple[Place, ...]
    note: str = ""
    paper: str = ""


@dataclass(frozen=True)
class Filtered:
    """The network whose first filters are looked at: kernel is their side, in pixels."""

    model: str
    title: str
    layer: str
    kernel: int


@dataclass(frozen=True)
class Shown:
    """What the chapters look at: a network, some of its layers by depth, a class, a photo.

    vector: what it knows of a photo at last, one number per channel; inputs, features: how many
    numbers a picture has, and that; label: a class that it knows, "" for none; filters: None where
    no network has any; pictures: what is made of it, by name; index: of the collection.
    """

    model: str
    title: str
    early: str
    middle: str
    late: str
    vector: str
    inputs: int
    features: int
    channel: int
    label: str
    photo: str
    filters: Filtered | None
    pictures: dict[str, JobRecipe]
    depths: tuple[JobRecipe, ...]
    collection: str
    photos: int
    has_pairs: bool
    index: JobRecipe


def introduction() -> str:
    """What this is, in this request's language."""
    return gettext(
        "The architectures of convolutional networks and what they see, chapter by chapter, each "
        "with the places of this program where it can be looked at."
    )


def noted(chapters: Iterable[Chapter], note: str) -> tuple[Chapter, ...]:
    """Chapters that say this, unless they have something of their own to say."""
    return tuple(replace(chapter, note=chapter.note or note) for chapter in chapters)
