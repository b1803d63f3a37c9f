"""Groups: (WordNet id) -> a broad group of things, such as dogs or vehicles. No torch in here."""

import tomllib
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from app.studio.recipes import Sameness

LIST = Path(__file__).with_name("groups.toml")
#: What is of no group, or of no class that is known.
NONE = -1


@cache
def _starts() -> tuple[list[str], list[tuple[str, str]]]:
    """(first ids in order, (last id, group) of each)."""
    starts: dict[str, str] = tomllib.loads(LIST.read_text("utf-8"))
    rows = sorted((*_ends(part), name) for name, text in starts.items() for part in text.split())
    return [first for first, _, _ in rows], [(last, name) for _, last, name in rows]


def _ends(part: str) -> tuple[str, str]:
    first, _, last = part.partition("-")
    return first, last or first


@cache
def names() -> tuple[str, ...]:
    """The groups there are."""
    return tuple(sorted({name for _, name in _starts()[1]}))


def group(wordnet: str | None) -> str | None:
    """The broad group of an id such as n02085620; None: of none."""
    firsts, rest = _starts()
    place = bisect_right(firsts, wordnet or "") - 1
    if place < 0:
        return None
    last, name = rest[place]
    return name if wordnet is not None and wordnet <= last else None


def thing(photo: Mapping[str, Any], by: Sameness) -> str | None:
    """What a photo of an index counts as: its class, or its broad group."""
    label = photo["label"] if by == "class" else group(photo["wordnet"])
    return None if label is None else str(label)


def ways(photos: Sequence[Mapping[str, Any]]) -> tuple[Sameness, ...]:
    """By what two photos of these can be the same: there are such that are, and such that are not.

    The finer one first.
    """
    found: list[Sameness] = []
    for by in ("class", "group"):
        things = [known for photo in photos if (known := thing(photo, by)) is not None]
        if 1 < len(set(things)) < len(things):
            found.append(by)
    return tuple(found)


def numbers(photos: Sequence[Mapping[str, Any]], by: Sameness) -> tuple[int, ...]:
    """What each photo counts as, numbered from 0; NONE for nothing."""
    things = [thing(photo, by) for photo in photos]
    places = {name: n for n, name in enumerate(sorted({name for name in things if name}))}
    return tuple(NONE if name is None else places[name] for name in things)
