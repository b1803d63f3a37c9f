"""Pickles: (a file of torch.save) -> what lies in it, as plain data. Nothing is imported or called.

Unpickling is running a small program. The machine here runs it for protocols 0 to 5 without its
two dangerous verbs: what a program would import is only a name, and what it would call gives a
stand-in (Foreign), but for what makes dictionaries and tensors of. No torch in here.
"""

import io
import pickletools
import re
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

from app.errors import Words
from app.zoo.files import HEADER_LIMIT, Unreadable, printable

#: The first of the pickles that PyTorch wrote before it wrote zip archives.
MAGIC = 0x1950A86A20F9469CFC6C
#: Bytes of one number, by the name of its storage.
WIDTHS = {
    "Float": 4, "Double": 8, "Half": 2, "BFloat16": 2, "Long": 8, "Int": 4, "Short": 2, "Char": 1,
    "Byte": 1, "Bool": 1, "Untyped": 1, "ComplexFloat": 8, "ComplexDouble": 16,
}  # fmt: skip
DICTIONARIES = {
    "collections OrderedDict", "collections defaultdict", "builtins dict", "__builtin__ dict"
}  # fmt: skip
TENSORS = {f"torch._utils _rebuild_tensor{version}" for version in ("", "_v2", "_v3")}
PARAMETERS = {f"torch._utils _rebuild_parameter{kind}" for kind in ("", "_with_state")}
SIZE, TYPED = "torch Size", "torch._tensor _rebuild_from_type_v2"
#: What says nothing but what numbers are: storages, types, layouts, devices.
PLAIN = re.compile(
    r"torch(\.\w+)? (\w+Storage|[a-z]+\d+(_\w+)?|bool|device|_get_layout)|torch Tensor"
    r"|torch\.nn\.parameter Parameter|collections .*|builtins (int|float|str|set|list|dict|tuple)"
)
#: Where training programs put the state dict, those of averaged weights last.
USUAL = (
    "state_dict", "model_state_dict", "model_state", "model", "net", "net_state_dict", "network",
    "module", "weights", "params", "model_ema", "state_dict_ema", "ema_state_dict", "ema",
    "ema_model", "params_ema",
)  # fmt: skip
#: What holds tensors too, but not the network's.
BESIDE = re.compile(r"optim|sched|scaler|rng|loss|callback|hyper", re.IGNORECASE)
#: Dictionaries in dictionaries, axes of a tensor, and steps of a program: what has more is refused.
DEEPEST, MOST_AXES, MOST_STEPS = 4, 16, 2_000_000
#: What reading a file that is none, or damaged, raises.
BROKEN = (
    ValueError, IndexError, KeyError, TypeError, AttributeError, EOFError, NotImplementedError,
    OverflowError, RecursionError, OSError, zipfile.BadZipFile,
)  # fmt: skip


@dataclass(frozen=True)
class Storage:
    """Numbers that lie in the file under `key`: `kind` of WIDTHS, and the first of them used."""

    key: str
    kind: str
    first: int = 0


@dataclass(frozen=True)
class Placed:
    """A tensor: where its numbers lie. dtype: "float8_e4m3fn" …, "" for that of the storage."""

    storage: Storage
    offset: int
    size: tuple[int, ...]
    stride: tuple[int, ...]
    dtype: str = ""


@dataclass(eq=False)
class Foreign:
    """What a pickle would import, by "module name", or what would come of calling that."""

    name: str


class Machine:
    """Runs one pickle. foreign: the names that are neither tensors nor plain data, in order."""

    def __init__(self) -> None:
        self.foreign: dict[str, None] = {}
        self.storages: dict[str, Storage] = {}
        self._stack: list[Any] = []
        self._marks: list[int] = []
        self._memo: dict[int, Any] = {}

    def run(self, stream: BinaryIO) -> Any:
        """What comes of it; the stream is left behind its end. Raises whatever BROKEN has."""
        self._stack, self._marks, self._memo = [], [], {}
        for step, (opcode, argument, _) in enumerate(pickletools.genops(stream)):
            if step > MOST_STEPS:
                raise ValueError("a program that is too long")
            self._do(opcode.name, argument)
        return self._stack.pop()

    def _do(self, name: str, argument: Any) -> None:
        stack = self._stack
        match name:
            case "PROTO" | "FRAME" | "STOP":
                pass
            case "MARK":
                self._marks.append(len(stack))
            case "POP":
                stack.pop()
            case "POP_MARK":
                self._marked()
            case "DUP":
                stack.append(stack[-1])
            case "NONE":
                stack.append(None)
            case "NEWTRUE" | "NEWFALSE":
                stack.append(name == "NEWTRUE")
            case "EMPTY_DICT":
                stack.append({})
            case "EMPTY_LIST" | "EMPTY_SET":
                stack.append([])
            case "EMPTY_TUPLE":
                stack.append(())
            case "LIST":
                stack.append(self._marked())
            case "TUPLE" | "FROZENSET":
                stack.append(tuple(self._marked()))
            case "TUPLE1" | "TUPLE2" | "TUPLE3":
                count = int(name[-1])
                stack[-count:] = [tuple(stack[-count:])]
            case "DICT":
                stack.append(_paired(self._marked()))
            case "APPEND":
                value = stack.pop()
                self._extend(stack[-1], [value])
            case "APPENDS" | "ADDITEMS":
                values = self._marked()
                self._extend(stack[-1], values)
            case "SETITEM" | "SETITEMS":
                pairs = self._marked() if name == "SETITEMS" else [stack.pop(), stack.pop()][::-1]
                if isinstance(stack[-1], dict):
                    stack[-1].update(_paired(pairs))
            case "PUT" | "BINPUT" | "LONG_BINPUT":
                self._memo[int(argument)] = stack[-1]
            case "MEMOIZE":
                self._memo[len(self._memo)] = stack[-1]
            case "GET" | "BINGET" | "LONG_BINGET":
                stack.append(self._memo[int(argument)])
            case "NEXT_BUFFER" | "READONLY_BUFFER":
                raise ValueError("numbers that are not in the file")
            case _:
                self._name_or_call(name, argument)

    def _name_or_call(self, name: str, argument: Any) -> None:
        """What a real machine would import or call, and constants."""
        stack = self._stack
        match name:
            case "GLOBAL":
                stack.append(self._named(str(argument)))
            case "STACK_GLOBAL":
                word, module = stack.pop(), stack.pop()
                stack.append(self._named(f"{module} {word}"))
            case "REDUCE" | "NEWOBJ":
                arguments = stack.pop()
                stack.append(self._called(stack.pop(), arguments))
            case "NEWOBJ_EX":
                del stack[-2:]
                stack.append(self._called(stack.pop(), None))
            case "OBJ":
                stack.append(self._called(self._marked()[0], None))
            case "INST":
                self._marked()
                stack.append(self._called(self._named(str(argument)), None))
            case "BUILD":
                stack.pop()  # attributes, as a state dict's _metadata
            case "BINPERSID":
                stack.append(self._stored(stack.pop()))
            case "PERSID" | "EXT1" | "EXT2" | "EXT4":
                stack.append(self._named(f"pickle {name}"))
            case _:
                stack.append(argument)  # a number or a text: all others were listed

    def _marked(self) -> list[Any]:
        """Takes what was put on the stack since the last mark."""
        start = self._marks.pop()
        values = self._stack[start:]
        del self._stack[start:]
        return values

    @staticmethod
    def _extend(target: Any, values: list[Any]) -> None:
        if isinstance(target, list):
            target.extend(values)

    def _named(self, name: str) -> Foreign:
        known = DICTIONARIES | TENSORS | PARAMETERS | {SIZE, TYPED}
        if name not in known and not PLAIN.fullmatch(name):
            self.foreign[name] = None
        return Foreign(name)

    def _called(self, callee: Any, given: Any) -> Any:
        name = callee.name if isinstance(callee, Foreign) else "something"
        arguments = given if isinstance(given, tuple) else ()
        if name in DICTIONARIES:
            pairs = arguments[0] if arguments and isinstance(arguments[0], list) else []
            return _paired([one for pair in pairs for one in (pair[0], pair[1])])
        if name in TENSORS and isinstance(arguments[0], Storage):
            storage, offset, size, stride = arguments[:4]
            typed = name.endswith("_v3") and isinstance(arguments[6], Foreign)
            dtype = arguments[6].name.removeprefix("torch ") if typed else ""
            return Placed(storage, int(offset), _axes(size), _axes(stride), dtype)
        if name in PARAMETERS:
            return arguments[0]
        if name == TYPED:
            return self._called(arguments[0], arguments[2])
        if name == SIZE:
            return _axes(arguments[0]) if arguments else ()
        return Foreign(name)

    def _stored(self, storage: Any) -> Any:
        """A persistent id: ("storage", its type, key, device, count, and of a part of one …)."""
        if not (isinstance(storage, tuple) and len(storage) >= 5 and storage[0] == "storage"):
            return self._named("pickle PERSID")
        _, type_, key, _, _, *part = storage
        if not isinstance(key, str | int):
            raise TypeError("a key that is no name")
        kind = type_.name.rpartition(" ")[2].removesuffix("Storage")
        storage = Storage(str(key), kind, int(part[0][1]) if part and part[0] else 0)
        self.storages[storage.key] = storage
        return storage


def _paired(values: list[Any]) -> dict[Any, Any]:
    """A dictionary; keys that are no names or numbers are left out, as their hashes may be deep."""
    pairs = zip(values[::2], values[1::2], strict=True)
    return {key: value for key, value in pairs if isinstance(key, str | int)}


def _axes(sizes: Any) -> tuple[int, ...]:
    if len(sizes) > MOST_AXES or not all(type(one) is int and one >= 0 for one in sizes):
        raise ValueError("sizes that no tensor has")
    return tuple(sizes)


class Pickled:
    """A file of torch.save, of either format. Raises Unreadable for what is none.

    root: what was saved; foreign: what it would import beside tensors and plain data.
    """

    def __init__(self, file: BinaryIO, name: str) -> None:
        self._file, self.name = file, name
        self._machine = Machine()
        self._archive: zipfile.ZipFile | None = None
        self._folder = ""
        self._places: dict[str, tuple[int, int]] = {}
        try:
            self.root = self._unzipped() if zipfile.is_zipfile(file) else self._bare()
        except BROKEN:
            raise Unreadable(
                Words("{file} is not a PyTorch file, or is damaged.", file=name)
            ) from None

    @property
    def foreign(self) -> list[str]:
        """What it would import beside tensors and plain data, as "module.name"."""
        return [name.replace(" ", ".") for name in self._machine.foreign]

    def numbers(self, storage: Storage) -> bytes:
        """The bytes of a storage from its first number used on. Raises Unreadable."""
        skipped = storage.first * WIDTHS.get(storage.kind, 1)
        try:
            if self._archive is not None:
                return self._archive.read(f"{self._folder}data/{storage.key}")[skipped:]
            start, length = self._places[storage.key]
            self._file.seek(start + skipped)
            return self._file.read(length - skipped)
        except BROKEN:
            raise Unreadable(Words("{file} is damaged or cut short.", file=self.name)) from None

    def _unzipped(self) -> Any:
        self._archive = archive = zipfile.ZipFile(self._file)
        members = archive.infolist()
        if any(member.compress_type != zipfile.ZIP_STORED for member in members):
            raise Unreadable(
                Words("{file} is a compressed archive, which PyTorch never writes.", file=self.name)
            )
        names = [member.filename for member in members]
        if {"code", "constants.pkl"} & {part for name in names for part in name.split("/")}:
            raise Unreadable(
                Words(
                    "{file} is a program (TorchScript), which is never run. Save a state dict: "
                    "torch.save(network.state_dict(), file), or use safetensors.",
                    file=self.name,
                )
            )
        found = next((name for name in names if name.rpartition("/")[2] == "data.pkl"), "")
        if archive.getinfo(found).file_size > HEADER_LIMIT:
            raise Unreadable(
                Words(
                    "{file} holds a pickle that is too large to be looked through.", file=self.name
                )
            )
        whole = self._file.seek(0, io.SEEK_END)
        if sum(member.file_size for member in members) > whole:
            raise ValueError("members that overlap")
        self._folder = found.removesuffix("data.pkl")
        if (
            f"{self._folder}byteorder" in names
            and archive.read(f"{self._folder}byteorder") != b"little"
        ):
            raise Unreadable(
                Words("{file} was written with the bytes of its numbers reversed.", file=self.name)
            )
        return self._machine.run(io.BytesIO(archive.read(found)))

    def _bare(self) -> Any:
        """Pickles one after another: a magic number, two of versions, what was saved, its keys."""
        self._file.seek(0)
        stream = io.BytesIO(self._file.read(HEADER_LIMIT))
        first = self._machine.run(stream)
        if first != MAGIC:
            return first
        for _ in range(2):
            self._machine.run(stream)
        root = self._machine.run(stream)
        if self._machine.storages:
            self._place(self._machine.run(stream), stream.tell())
        return root

    def _place(self, keys: Any, start: int) -> None:
        """Behind the pickles: of each key in turn how many numbers, then these."""
        for key in map(str, keys):
            self._file.seek(start)
            count = int.from_bytes(self._file.read(8), "little")
            length = count * WIDTHS[self._machine.storages[key].kind]
            self._places[key] = start + 8, length
            start += 8 + length
        if start > self._file.seek(0, io.SEEK_END):
            raise ValueError("cut short")

    def state_dict(self, part: str = "") -> tuple[str, dict[str, Placed]]:
        """(where in the file, tensors by name) of the network. Raises Unreadable.

        part: where somebody said that it is, "" to look where training programs put it.
        """
        where, found = self._part(part) if part else self._searched()
        tensors = {}
        for key, value in found.items():
            if isinstance(value, Foreign) and not str(key).endswith("_extra_state"):
                raise Unreadable(self._holds_code(value.name.replace(" ", ".")))
            if isinstance(key, str) and isinstance(value, Placed):
                tensors[key] = value
        return where, tensors

    def _part(self, part: str) -> tuple[str, dict[Any, Any]]:
        parts = dict(_parts(self.root))
        if part in parts:
            return part, parts[part]
        raise Unreadable(
            Words(
                "{file} holds no tensors under “{part}”, but {places}.",
                file=self.name,
                part=part,
                places=_listed(parts),
            )
        )

    def _searched(self) -> tuple[str, dict[Any, Any]]:
        parts = dict(_parts(self.root))
        usual = [part for part in parts if not set(part.split(".")) - {*USUAL, ""}]
        if usual or len(parts) == 1:
            part = next(iter(usual or parts))
            return part, parts[part]
        if parts:
            raise Unreadable(
                Words(
                    "{file} holds tensors {places}: say which by “part”.",
                    file=self.name,
                    places=_listed(parts),
                )
            )
        if self.foreign:
            raise Unreadable(self._holds_code(self.foreign[0]))
        if isinstance(self.root, dict) and self.root:
            raise Unreadable(
                Words("{file} holds something else than tensors with names.", file=self.name)
            )
        raise Unreadable(Words("{file} holds no state dict.", file=self.name))

    def _holds_code(self, name: str) -> Words:
        return Words(
            "{file} holds code ({name}), which is never run. Save a state dict: "
            "torch.save(network.state_dict(), file), or use safetensors.",
            file=self.name,
            name=printable(name)[:120],
        )


def _listed(parts: Iterable[str]) -> Words:
    """Where tensors are, in words."""
    names = [f"“{part}”" for part in map(printable, parts) if part]
    if not names:
        return Words("not in parts")
    return Words("under {names}", names=", ".join(names)[:300])


def _parts(
    found: Any, where: str = "", depth: int = DEEPEST, seen: set[int] | None = None
) -> Iterator[tuple[str, dict[Any, Any]]]:
    """(where, dictionary) of all that hold tensors by name, the likeliest first.

    One that has others in it is a checkpoint, whatever tensors lie beside these.
    seen: dictionaries that were looked into.
    """
    seen = set() if seen is None else seen
    if not isinstance(found, dict) or not depth or id(found) in seen:
        return
    seen.add(id(found))
    keys = [key for key in USUAL if key in found]
    keys += [key for key in found if isinstance(key, str) and key not in USUAL]
    is_checkpoint = False
    for key in keys:
        if isinstance(found[key], dict) and not BESIDE.search(key):
            inside = f"{where}.{key}" if where else key
            for part in _parts(found[key], inside, depth - 1, seen):
                is_checkpoint = True
                yield part
    if not is_checkpoint and any(isinstance(found[key], Placed) for key in keys):
        yield where, found
