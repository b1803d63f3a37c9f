"""Catalogue: (folder of models) -> every network there is, and what is known without loading it."""

import importlib.metadata
import logging
import tomllib
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from app.errors import ModelsUnusable, UnknownModel, Words
from app.zoo.checkpoints import OwnCheckpoints, Signature, signature
from app.zoo.entries import UNTRAINED, Entry
from app.zoo.preprocessing import preprocessing_of

__all__ = ["Catalogue", "Entry"]

log = logging.getLogger("laterna.catalogue")
#: What an entry of catalogue.toml may say.
FIELDS = {
    **dict.fromkeys(("name", "title", "paper", "architecture", "weights", "url_name"), str),
    **dict.fromkeys(("classes", "parameters"), int),
    "labels": str,
    "input_size": list,
    "preprocessing": dict,
}
FAMILIES = ("timm", "torchvision", "laterna")


class Catalogue:
    """catalogue.toml and the own checkpoints in weights/, looked for at every question.

    Raises ModelsUnusable when the list cannot be read.
    """

    def __init__(self, models_dir: Path) -> None:
        self.weights_dir = models_dir / "weights"
        self._models_dir = models_dir
        self._signature = self._sign()
        self._by_name = _read(models_dir, self.weights_dir)
        self._own = OwnCheckpoints(self.weights_dir)

    def entries(self) -> list[Entry]:
        """All networks: those of the catalogue, then own checkpoints by name."""
        listed = self._listed()
        return [*listed.values(), *self._own.entries(listed.keys())]

    def entry(self, name: str) -> Entry:
        """One network; NAME-untrained is its untrained copy. Raises UnknownModel.

        The folder of own checkpoints is looked into only for a name that the catalogue lacks.
        """
        listed = self._listed()
        found = self._found(name, listed)
        if found is None:
            own = self._own.entries(listed.keys())
            found = self._found(name, {entry.name: entry for entry in own})
        if found is None:
            raise UnknownModel(model=name)
        return found

    def _listed(self) -> dict[str, Entry]:
        """The catalogue as it is now; as it was while it cannot be used."""
        now = self._sign()
        if now != self._signature:
            self._signature = now
            try:
                self._by_name = _read(self._models_dir, self.weights_dir)
            except ModelsUnusable:
                log.warning("catalogue.toml cannot be used and is left as it was", exc_info=True)
        return self._by_name

    def _sign(self) -> Signature:
        return signature([self._models_dir / "catalogue.toml"])

    @staticmethod
    def _found(name: str, entries: Mapping[str, Entry]) -> Entry | None:
        original = entries.get(name.removesuffix(UNTRAINED)) if name.endswith(UNTRAINED) else None
        return entries.get(name) or (original and original.untrained)

    def refuse(self, entry: Entry, reason: Words) -> None:
        """Remember that an own checkpoint turned out unusable, until its files change."""
        self._own.refuse(entry, reason)


def _read(models_dir: Path, weights_dir: Path) -> dict[str, Entry]:
    """The networks of catalogue.toml by name. Raises ModelsUnusable."""
    place = "catalogue.toml"
    try:
        text = (models_dir / "catalogue.toml").read_text(encoding="utf-8-sig")
        tables = tomllib.loads(text).get("network")
        if not tables or not isinstance(tables, list):
            raise ValueError("it lists no [[network]]")
        entries: list[Entry] = []
        for number, table in enumerate(tables, 1):
            place = f"network {number} of catalogue.toml"
            _check(table, [entry.name for entry in entries])
            entries.append(_entry(table, weights_dir))
    except OSError as error:
        reason = f"{error.filename}: {error.strerror}"
    except (ValueError, TypeError) as error:  # a table may hold anything
        reason = f"{place} is wrong: {str(error).splitlines()[0].rstrip('.')}"
    else:
        return {entry.name: entry for entry in entries}
    raise ModelsUnusable(folder=str(models_dir), reason=reason)


def _check(table: Any, names: Collection[str]) -> None:
    """Raise ValueError for a table that cannot be an entry."""
    if not isinstance(table, dict):
        raise ValueError("it is no table")
    for field in ("name", "title", "architecture", "input_size"):
        if field not in table:
            raise ValueError(f"“{field}” is missing")
    for field, value in table.items():
        if field not in FIELDS:
            raise ValueError(f"it has no field “{field}”")
        if type(value) is not FIELDS[field]:
            raise ValueError(f"“{field}” is no {FIELDS[field].__name__}")
    size = table["input_size"]
    if len(size) != 3 or not all(type(length) is int and length > 0 for length in size):
        raise ValueError("“input_size” is not three whole numbers above 0")
    if table["architecture"].partition(":")[0] not in FAMILIES:
        raise ValueError(f"“architecture” does not begin with one of {', '.join(FAMILIES)}")
    if table["name"] in names:
        raise ValueError(f"there is a “{table['name']}” before it")


def _entry(table: dict[str, Any], weights_dir: Path) -> Entry:
    """An entry of catalogue.toml."""
    preprocessing = table.get("preprocessing")
    return Entry(
        **{
            **table,
            "file": _file(table.get("weights"), table.get("url_name"), weights_dir),
            "input_size": tuple(table["input_size"]),
            "preprocessing": preprocessing_of(preprocessing) if preprocessing else None,
        }
    )


def _file(weights: str | None, url_name: str | None, weights_dir: Path) -> Path | None:
    """Where weights of the catalogue lie; a package is looked up, never imported."""
    if url_name:
        return weights_dir / "hub" / "checkpoints" / url_name
    if weights is None:
        return None
    package, _, path = weights.removeprefix("package:").partition("/")
    try:
        return Path(str(importlib.metadata.distribution(package).locate_file(path)))
    except importlib.metadata.PackageNotFoundError:
        return None
