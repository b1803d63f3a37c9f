"""What every request is: its fields, its key, its title in plain words."""

import hashlib
import json
from dataclasses import InitVar, asdict, dataclass, field
from typing import Any, ClassVar

from app.errors import ModelUnavailable, Words

#: Raised whenever a maker's output changes, so that old results are made again.
EDITION = 3
#: Why what was asked for of a network is not what the device would make by now.
CHANGED = Words("its files have just been changed. Ask again.")


@dataclass(frozen=True)
class Made:
    """What came of a recipe: numbers (JSON), and for most kinds a picture (encoded bytes).

    parts: further files by name, which are kept with it.
    """

    facts: dict[str, Any]
    picture: bytes | None = None
    media: str = "image/png"
    parts: dict[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """What every request has: a network, and once that is known, what decides its numbers.

    weights: the hash of its weights; definition: a digest of its architecture, preprocessing and
    labels, "" where they are as in FORMER (app/zoo/entries.py).
    """

    kind: ClassVar[str]
    model: str
    weights: str = ""
    definition: str = ""

    @property
    def key(self) -> str:
        """SHA-256 over all fields, hexadecimal: cache key and address."""
        fields = {"edition": EDITION} | self.keyed()
        return hashlib.sha256(json.dumps(fields, sort_keys=True).encode()).hexdigest()

    @property
    def title(self) -> str:
        """In plain words, without naming anyone's picture."""
        names = ("layer", "channel", "class")
        where = [str(value) for name, value in self.facts().items() if name in names]
        return " ".join([self.kind, "of", self.model, *where])

    def facts(self) -> dict[str, Any]:
        """All fields, for people and for PNG text chunks.

        An empty definition is left out, as it was not there in keys of before.
        """
        fields = {name.rstrip("_"): value for name, value in asdict(self).items()}
        if not self.definition:
            del fields["definition"]
        return {"kind": self.kind} | fields

    def keyed(self) -> dict[str, Any]:
        """What the key is made of."""
        return self.facts()


@dataclass(frozen=True, kw_only=True)
class Description(Recipe):
    """A network's layers and numbers; needs the architecture, not the weights' values."""

    kind: ClassVar[str] = "description"


@dataclass(frozen=True, kw_only=True)
class OfPicture(Recipe):
    """Made from one kept picture.

    source: no field, and no part of the key. Scripts and notebooks of earlier versions say
    where the picture's file lies by it; makers are given it in their Sources.
    """

    image: str
    source: InitVar[str] = ""

    def __post_init__(self, source: str) -> None:
        if source:
            object.__setattr__(self, "source", source)


def require_definition(recipe: Recipe, made: Made) -> None:
    """Raise ModelUnavailable for what was made by a network that was defined anew meanwhile."""
    if made.facts.get("definition", "") != recipe.definition:
        raise ModelUnavailable(model=recipe.model, reason=CHANGED)
