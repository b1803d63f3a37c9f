"""Own checkpoints: (folder of weights) -> an entry for each file that was dropped into it.

NAME.safetensors, NAME.pth or another of SUFFIXES, with NAME.toml beside it; models/README.md says
what goes into it.
Whatever lies there, the list comes, and at once: a bad file is an entry with a problem.
"""

import re
import tomllib
from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path
from threading import Lock
from typing import Any

from app.errors import Words
from app.zoo.entries import UNTRAINED, Entry
from app.zoo.files import (
    WEIGHTS_LIMIT,
    Unreadable,
    inspect_safetensors,
    open_regular,
    printable,
    read_regular,
)
from app.zoo.pickles import Pickled
from app.zoo.preprocessing import Preprocessing, preprocessing_of

ARCHIVES = (".tar", ".gz", ".zip", ".7z")
SUFFIXES = (".safetensors", ".pth", ".pt", ".ckpt", ".bin", ".pth.tar", ".pt.tar")
#: What networks are saved as by others, listed with the reason why it is not read.
OTHERS = {
    ".onnx": "ONNX", ".h5": "Keras", ".hdf5": "Keras", ".keras": "Keras", ".pb": "TensorFlow",
    ".tflite": "TensorFlow Lite", ".caffemodel": "Caffe", ".prototxt": "Caffe", ".npz": "NumPy",
    ".npy": "NumPy", ".pkl": "Python (pickle)", ".pickle": "Python (pickle)",
    ".msgpack": "Flax", ".mlmodel": "Core ML", ".pt2": "torch.export", ".pte": "ExecuTorch",
    ".gguf": "GGUF", ".t7": "Lua Torch", ".params": "MXNet", ".pdparams": "Paddle",
    }  # fmt: skip
NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
ARCHITECTURE = re.compile(r"(timm|torchvision|laterna):[A-Za-z0-9][A-Za-z0-9_.-]{0,80}")
FIELDS = {"architecture", "title", "paper", "file", "part", "labels", "preprocessing"}
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

    def refuse(self, entry: Entry, reason: Words) -> None:
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
        known = (*SUFFIXES, *OTHERS, *ARCHIVES, ".toml", ".txt")
        return [path for path in names if _suffix(path) in known][:FILES_LIMIT]


def read_entries(paths: list[Path], taken: Collection[str]) -> list[Entry]:
    """The entries of a folder's files. Bad names and clashes are made unique, and a problem."""
    found: dict[str, list[Path]] = {}
    for path in paths:
        if _suffix(path) != ".txt":
            found.setdefault(_stem(path), []).append(path)
    entries = [(name, read_entry(name, group, taken)) for name, group in sorted(found.items())]
    used_by_others = {_stem(entry.file): name for name, entry in entries if entry.file}
    listed: dict[str, Entry] = {}
    for name, entry in entries:
        if used_by_others.get(name, name) != name and not any(
            _suffix(path) == ".toml" for path in found[name]
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
        title, problem = printable(name)[:80], unreadable.reason
        return Entry(name=_listed_name(name), title=title, architecture="", problem=problem)


def _check_name(name: str, taken: Collection[str]) -> None:
    if not NAME.fullmatch(name) or name.endswith(UNTRAINED):
        raise Unreadable(
            Words(
                "Its name must be made of a-z, 0-9, - and _, start with a letter or digit, and not "
                "end in {end}: rename its files.",
                end=UNTRAINED,
            )
        )
    if name in taken:
        raise Unreadable(
            Words("There is a network called {name} already: rename these files.", name=name)
        )


def _read(name: str, paths: list[Path]) -> Entry:
    description = next((path for path in paths if _suffix(path) == ".toml"), None)
    if description is None:
        _check_format(paths[0])
        raise Unreadable(
            Words(
                "{file} has no {name}.toml beside it to say which architecture it is; "
                "models/README.md shows one.",
                file=paths[0].name,
                name=name,
            )
        )
    table = _table(description)
    title = _text(table, "title") or name
    entry = Entry(name=name, title=title, architecture=_architecture(table), paper=_paper(table))
    try:
        weights = _weights(name, table, paths, description.parent)
        part = _text(table, "part")
        inspect_weights(weights, part)
        preprocessing = _preprocessing(table)
        labels = _labels(table, description.parent)
    except Unreadable as unreadable:
        return _with_problem(entry, unreadable.reason)
    return Entry(
        name=name,
        title=title,
        architecture=entry.architecture,
        paper=entry.paper,
        weights=f"file:{weights.name}",
        file=weights,
        input_size=preprocessing.input_size,
        classes=1000 if labels == "imagenet" else len(labels),
        preprocessing=preprocessing,
        labels=labels,
        part=part,
    )


def inspect_weights(path: Path, part: str = "") -> None:
    """Raise Unreadable for a weights file that can be seen to be wrong without loading its tensors.

    part: where in it they must be.
    """
    with open_regular(path, WEIGHTS_LIMIT) as file:
        if _suffix(path) == ".safetensors":
            inspect_safetensors(file, path.name)
        else:
            Pickled(file, path.name).state_dict(part)


def _check_format(path: Path) -> None:
    suffix = _suffix(path)
    if suffix in ARCHIVES:
        raise Unreadable(
            Words(
                "{file} is an archive, which is not opened: put the files that are in it here.",
                file=path.name,
            )
        )
    if other := OTHERS.get(suffix):
        raise Unreadable(
            Words(
                "{file} is in the format of {program}, which is not read: save the tensors as "
                "safetensors, or by torch.save(network.state_dict(), file).",
                file=path.name,
                program=other,
            )
        )


def _suffix(path: Path) -> str:
    """The end of a file's name that says what it is; ".pth.tar" is one."""
    name = path.name.lower()
    double = next((one for one in SUFFIXES if one.count(".") > 1 and name.endswith(one)), None)
    return double or path.suffix.lower()


def _stem(path: Path) -> str:
    """A file's name without that."""
    return path.name[: len(path.name) - len(_suffix(path))]


def _decoded(data: bytes) -> str:
    """UTF-8 with or without its mark. Raises ValueError with Words that name another encoding."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" in data:
        raise ValueError(Words("it is UTF-16; save it as UTF-8"))
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ValueError(
            Words(
                "line {line} is in another encoding, probably Latin-1; save it as UTF-8", line=line
            )
        ) from None


def _table(path: Path) -> dict[str, Any]:
    try:
        table = tomllib.loads(_decoded(read_regular(path, TOML_LIMIT)))
    except (ValueError, RecursionError) as error:
        raise Unreadable(
            Words("{file} is not TOML: {reason}.", file=path.name, reason=_reason(error))
        ) from None
    if unknown := sorted(set(table) - FIELDS):
        raise Unreadable(
            Words(
                "{file} has unknown fields ({unknown}); known are {known}.",
                file=path.name,
                unknown=", ".join(unknown)[:200],
                known=", ".join(sorted(FIELDS)),
            )
        )
    return table


def _reason(error: ValueError | RecursionError) -> str:
    """Why a TOML file cannot be read: in words of ours, or as the parser says it."""
    if isinstance(error, RecursionError):
        return Words("it nests too deeply")
    said = error.args[0]
    return said if isinstance(said, Words) else f"“{str(said)[:200]}”"


def _text(table: dict[str, Any], field: str) -> str:
    value = table.get(field, "")
    if not isinstance(value, str) or len(value) > 300 or not value.isprintable():
        raise Unreadable(
            Words("“{field}” must be a line of text of at most 300 characters.", field=field)
        )
    return value


def _architecture(table: dict[str, Any]) -> str:
    name = _text(table, "architecture")
    if not ARCHITECTURE.fullmatch(name):
        raise Unreadable(
            Words("“architecture” must be one of timm:NAME, torchvision:NAME and laterna:NAME.")
        )
    return name


def _paper(table: dict[str, Any]) -> str:
    address = _text(table, "paper")
    if address and not re.fullmatch(r"https?://\S+", address):
        raise Unreadable(Words("“paper” must be an address that starts with https:// or http://."))
    return address


def _weights(name: str, table: dict[str, Any], paths: list[Path], folder: Path) -> Path:
    """The weights file: the one that the TOML says, else the one of the same name."""
    named = _text(table, "file")
    if named:
        return _beside(folder, named, SUFFIXES)
    found = [path for path in paths if _suffix(path) in SUFFIXES]
    for path in paths if not found else ():
        _check_format(path)
    if not found:
        raise Unreadable(Words("{name}.safetensors or {name}.pth is not there.", name=name))
    if len(found) > 1:
        files = ", ".join(path.name for path in found)
        raise Unreadable(
            Words("There are several files ({files}): say which by “file”.", files=files)
        )
    return found[0]


def _beside(folder: Path, named: str, suffixes: tuple[str, ...]) -> Path:
    """A file in the same folder; names that lead out of it are refused."""
    if Path(named).name != named or not named.lower().endswith(suffixes):
        raise Unreadable(
            Words(
                "“{file}” must be a file beside the TOML with one of these endings: {ends}.",
                file=named,
                ends=", ".join(suffixes),
            )
        )
    return folder / named


def _preprocessing(table: dict[str, Any]) -> Preprocessing:
    choices = table.get("preprocessing")
    if not isinstance(choices, dict):
        raise Unreadable(Words("A table [preprocessing] is missing; models/README.md shows one."))
    try:
        return preprocessing_of(choices)
    except ValueError as error:
        raise Unreadable(
            Words("[preprocessing] cannot be used: {reason}.", reason=error.args[0])
        ) from None


def _labels(table: dict[str, Any], folder: Path) -> str | tuple[str, ...]:
    """ "imagenet", a list of names, or a text file with one name per line; () for no classes."""
    names = table.get("labels")
    if names == "imagenet":
        return "imagenet"
    if isinstance(names, str):
        path = _beside(folder, names, (".txt",))
        try:
            text = _decoded(read_regular(path, LABELS_LIMIT))
        except ValueError as error:
            raise Unreadable(
                Words("{file} is not UTF-8 text: {reason}.", file=path.name, reason=error.args[0])
            ) from None
        names = [line.strip() for line in re.split(r"\r\n|\n|\r", text.rstrip())]
    if not isinstance(names, list) or not all(isinstance(label, str) for label in names):
        raise Unreadable(
            Words("“labels” must be “imagenet”, a list of names, or the name of a .txt file.")
        )
    if len(names) > CLASSES_LIMIT or any(len(label) > 200 for label in names):
        raise Unreadable(
            Words("At most {most} labels of 200 characters are taken.", most=CLASSES_LIMIT)
        )
    return tuple(printable(label) for label in names)


def _with_problem(entry: Entry, problem: Words) -> Entry:
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


def _of(entry: Entry) -> Signature:
    """What changes when an own checkpoint does."""
    return ((entry.definition,), *signature([entry.file]))


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
