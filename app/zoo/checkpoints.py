"""Own checkpoints: (folder of weights) -> an entry for each file that was dropped into it.

NAME.safetensors or NAME.pth, with NAME.toml beside it; models/README.md says what goes into it.
Whatever lies there, the list comes, and at once: a bad file is an entry with a problem.
"""

import re
import tomllib
from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path
from threading import Lock
from typing import Any

from app.zoo.entries import UNTRAINED, Entry, Preprocessing, preprocessing_of
from app.zoo.files import Unreadable, inspect_weights, read_regular

SUFFIXES = (".safetensors", ".pth")
NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
ARCHITECTURE = re.compile(r"(timm|torchvision|laterna):[A-Za-z0-9][A-Za-z0-9_.-]{0,80}")
FIELDS = {"architecture", "title", "paper", "file", "labels", "preprocessing"}
TOML_LIMIT = LABELS_LIMIT = 1024 * 1024
FILES_LIMIT = 500
CLASSES_LIMIT = 100_000

Signature = tuple[tuple[object, ...], ...]


class OwnCheckpoints:
    """The entries of one folder, looked into again only when something in it has changed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._seen: tuple[Signature, frozenset[str]] = (), frozenset()
        self._entries: list[Entry] = []
        self._refused: dict[str, tuple[Signature, Entry]] = {}
        self._reading = Lock()  # the server asks from its loop and from threads

    def entries(self, taken: Collection[str]) -> list[Entry]:
        """An entry per name, in the order of the names; `taken` are those of the catalogue."""
        with self._reading:
            paths = self._files()
            if (seen := (signature(paths), frozenset(taken))) != self._seen:
                self._entries = read_entries(paths, taken)
                self._seen = seen
            return [self._or_refused(entry) for entry in self._entries]

    def refuse(self, entry: Entry, reason: str) -> None:
        """List an entry with a problem until its files change."""
        self._refused[entry.name] = _of(entry), _with_problem(entry, reason)

    def _or_refused(self, entry: Entry) -> Entry:
        then, refused = self._refused.get(entry.name, ((), entry))
        return refused if then == _of(entry) else entry

    def _files(self) -> list[Path]:
        try:
            names = sorted(path for path in self._folder.iterdir() if path.name[0] != ".")
        except OSError:
            return []
        return [path for path in names if path.suffix in (*SUFFIXES, ".toml", ".txt")][:FILES_LIMIT]


def read_entries(paths: list[Path], taken: Collection[str]) -> list[Entry]:
    """The entries of a folder's files. Bad names and clashes are made unique, and a problem."""
    found: dict[str, list[Path]] = {}
    for path in paths:
        if path.suffix != ".txt":
            found.setdefault(path.stem, []).append(path)
    entries = [(name, read_entry(name, group, taken)) for name, group in sorted(found.items())]
    used_by_others = {entry.file.stem: name for name, entry in entries if entry.file}
    listed: dict[str, Entry] = {}
    for name, entry in entries:
        if used_by_others.get(name, name) != name and not any(
            p.suffix == ".toml" for p in found[name]
        ):
            continue  # a weights file that another network's TOML names
        own, turn = entry.name, 2
        while own in taken or own in listed:
            own, turn = f"{entry.name}-{turn}", turn + 1
        listed[own] = replace(entry, name=own)
    return list(listed.values())


def read_entry(name: str, paths: list[Path], taken: Collection[str]) -> Entry:
    """The entry of the files that share a name; what is wrong with them is its problem."""
    try:
        _check_name(name, taken)
        return _read(name, paths)
    except Unreadable as unreadable:
        title = _printable(name)[:80]
        return Entry(name=_listed_name(name), title=title, architecture="", problem=str(unreadable))


def _check_name(name: str, taken: Collection[str]) -> None:
    if not NAME.fullmatch(name) or name.endswith(UNTRAINED):
        raise Unreadable(
            "Its name must be made of a-z, 0-9, - and _, start with a letter or digit, and not end "
            f"in {UNTRAINED}: rename its files."
        )
    if name in taken:
        raise Unreadable(f"There is a network called {name} already: rename these files.")


def _read(name: str, paths: list[Path]) -> Entry:
    said = next((path for path in paths if path.suffix == ".toml"), None)
    if said is None:
        raise Unreadable(
            f"{paths[0].name} has no {name}.toml beside it to say which architecture it is; "
            "models/README.md shows one."
        )
    table = _table(said)
    title = _text(table, "title") or name
    entry = Entry(name=name, title=title, architecture=_architecture(table), paper=_paper(table))
    try:
        weights = _weights(name, table, paths, said.parent)
        inspect_weights(weights)
        preprocessing = _preprocessing(table)
        labels = _labels(table, said.parent)
    except Unreadable as unreadable:
        return _with_problem(entry, str(unreadable))
    return Entry(
        name=name,
        title=title,
        architecture=entry.architecture,
        paper=entry.paper,
        weights=f"file:{weights.name}",
        file=weights,
        input_size=(3, preprocessing.crop, preprocessing.crop),
        classes=1000 if labels == "imagenet" else len(labels),
        preprocessing=preprocessing,
        labels=labels,
    )


def _table(path: Path) -> dict[str, Any]:
    try:
        table = tomllib.loads(read_regular(path, TOML_LIMIT).decode())
    except (ValueError, RecursionError) as error:
        reason = "it nests too deeply" if isinstance(error, RecursionError) else str(error)[:200]
        raise Unreadable(f"{path.name} is not TOML: {reason}.") from None
    if unknown := sorted(set(table) - FIELDS):
        raise Unreadable(
            f"{path.name} has unknown fields ({', '.join(unknown)[:200]}); "
            f"known are {', '.join(sorted(FIELDS))}."
        )
    return table


def _text(table: dict[str, Any], field: str) -> str:
    value = table.get(field, "")
    if not isinstance(value, str) or len(value) > 300 or not value.isprintable():
        raise Unreadable(f"“{field}” must be a line of text of at most 300 characters.")
    return value


def _architecture(table: dict[str, Any]) -> str:
    name = _text(table, "architecture")
    if not ARCHITECTURE.fullmatch(name):
        raise Unreadable(
            "“architecture” must be one of timm:NAME, torchvision:NAME and laterna:NAME."
        )
    return name


def _paper(table: dict[str, Any]) -> str:
    address = _text(table, "paper")
    if address and not re.fullmatch(r"https?://\S+", address):
        raise Unreadable("“paper” must be an address that starts with https:// or http://.")
    return address


def _weights(name: str, table: dict[str, Any], paths: list[Path], folder: Path) -> Path:
    """The weights file: the one that the TOML says, else the one of the same name."""
    named = _text(table, "file")
    if named:
        return _beside(folder, named, SUFFIXES)
    found = [path for path in paths if path.suffix in SUFFIXES]
    if not found:
        raise Unreadable(f"{name}.safetensors or {name}.pth is not there.")
    if len(found) > 1:
        raise Unreadable(f"There are both {name}.pth and {name}.safetensors: say which by “file”.")
    return found[0]


def _beside(folder: Path, named: str, suffixes: tuple[str, ...]) -> Path:
    """A file in the same folder; names that lead out of it are refused."""
    if Path(named).name != named or not named.endswith(suffixes):
        raise Unreadable(f"“{named}” must be a file beside the TOML, with {' or '.join(suffixes)}.")
    return folder / named


def _preprocessing(table: dict[str, Any]) -> Preprocessing:
    said = table.get("preprocessing")
    if not isinstance(said, dict):
        raise Unreadable("A table [preprocessing] is missing; models/README.md shows one.")
    try:
        return preprocessing_of(said)
    except ValueError as error:
        raise Unreadable(f"[preprocessing] cannot be used: {error}.") from None


def _labels(table: dict[str, Any], folder: Path) -> str | tuple[str, ...]:
    """ "imagenet", a list of names, or a text file with one name per line; () for no classes."""
    said = table.get("labels")
    if said == "imagenet":
        return "imagenet"
    if isinstance(said, str):
        path = _beside(folder, said, (".txt",))
        try:
            said = read_regular(path, LABELS_LIMIT).decode().splitlines()
        except ValueError:
            raise Unreadable(f"{path.name} is not UTF-8 text.") from None
    if not isinstance(said, list) or not all(isinstance(label, str) for label in said):
        raise Unreadable('“labels” must be "imagenet", a list of names, or a .txt file\'s name.')
    if len(said) > CLASSES_LIMIT or any(len(label) > 200 for label in said):
        raise Unreadable(f"At most {CLASSES_LIMIT} labels of 200 characters are taken.")
    return tuple(_printable(label) for label in said)


def _with_problem(entry: Entry, problem: str) -> Entry:
    return Entry(
        name=entry.name,
        title=entry.title,
        architecture=entry.architecture,
        paper=entry.paper,
        problem=problem,
    )


def _listed_name(name: str) -> str:
    """A name that is safe in an address, for files whose own is not."""
    return re.sub(r"[^a-z0-9_-]", "-", name.lower())[:64].lstrip("-_") or "unnamed"


def _printable(text: str) -> str:
    return "".join(letter if letter.isprintable() else "?" for letter in text)


def _of(entry: Entry) -> Signature:
    """What changes when an own checkpoint does."""
    return ((entry.architecture, entry.preprocessing, entry.labels), *signature([entry.file]))


def signature(paths: Sequence[Path | None]) -> Signature:
    """What changes when one of the files does."""
    facts: list[tuple[object, ...]] = []
    for path in paths:
        try:
            found = path.stat() if path else None
        except (OSError, ValueError):
            found = None
        facts.append(
            (path, found and (found.st_ino, found.st_size, found.st_mtime_ns, found.st_mode))
        )
    return tuple(facts)
