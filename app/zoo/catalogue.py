"""Catalogue: (folder of models) -> every network there is, and what is known without loading it."""

import importlib.metadata
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from app.errors import UnknownModel
from app.zoo.checkpoints import OwnCheckpoints
from app.zoo.entries import UNTRAINED, Entry, Preprocessing, preprocessing_of

__all__ = ["Catalogue", "Entry", "Preprocessing"]


class Catalogue:
    """catalogue.toml and the own checkpoints in weights/, looked for at every question."""

    def __init__(self, models_dir: Path) -> None:
        self.weights_dir = models_dir / "weights"
        text = (models_dir / "catalogue.toml").read_text(encoding="utf-8")
        self._listed = [_entry(table, self.weights_dir) for table in tomllib.loads(text)["network"]]
        self._by_name = {entry.name: entry for entry in self._listed}
        self._own = OwnCheckpoints(self.weights_dir, self._by_name.keys())

    def entries(self) -> list[Entry]:
        """All networks: those of the catalogue, then own checkpoints by name."""
        return self._listed + self._own.entries()

    def entry(self, name: str) -> Entry:
        """One network; NAME-untrained is its untrained twin. Raises UnknownModel.

        The folder of own checkpoints is looked into only for a name that the catalogue lacks.
        """
        found = self._found(name, self._by_name)
        if found is None:
            found = self._found(name, {entry.name: entry for entry in self._own.entries()})
        if found is None:
            raise UnknownModel(model=name)
        return found

    @staticmethod
    def _found(name: str, entries: Mapping[str, Entry]) -> Entry | None:
        twin = entries.get(name.removesuffix(UNTRAINED)) if name.endswith(UNTRAINED) else None
        return entries.get(name) or (twin and twin.untrained)

    def refuse(self, entry: Entry, reason: str) -> None:
        """Remember that an own checkpoint turned out unusable, until its files change."""
        self._own.refuse(entry, reason)


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
