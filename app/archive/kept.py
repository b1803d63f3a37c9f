"""What the archive gives: pictures and results as kept, and how much there is."""

import unicodedata
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

LONGEST_NAME = 80


@dataclass(frozen=True)
class KeptImage:
    """A picture as kept: upright, no metadata. `expires`: seconds since 1970, None for ever."""

    id: str
    owner: str
    name: str
    width: int
    height: int
    original: tuple[int, int]
    created: float
    expires: float | None
    shared: bool
    picture: Path
    preview: Path


@dataclass(frozen=True)
class Result:
    """What came of a recipe: its numbers, and where its picture lies, if it has one.

    facts: JSON, as the maker of its recipe tells it; parts: the hashes of its further files, by
    name; written: the picture itself, of a result that was kept just now.
    """

    key: str
    facts: Any
    media: str
    digest: str | None
    path: Path | None
    parts: dict[str, str] = field(default_factory=dict)
    written: bytes | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True)
class Usage:
    """Bytes on disk: of all files and numbers, and of the numbers alone."""

    total: int
    facts: int


def clean_name(name: str) -> str:
    """A file's name to show: no folders, no control or direction characters, not too long."""
    last = name.replace("\\", "/").rsplit("/", 1)[-1]
    kept = "".join(sign for sign in last if unicodedata.category(sign)[0] != "C")
    return " ".join(kept.split())[:LONGEST_NAME].strip(". ") or "picture"
