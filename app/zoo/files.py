"""Files that strangers left: read whole, without hanging, without running anything in them.

Every function raises `Unreadable` with a sentence; no torch in here.
"""

import io
import json
import os
import pickletools
import stat
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

MIB = 1024 * 1024
WEIGHTS_LIMIT = 4096 * MIB
HEADER_LIMIT = 16 * MIB

#: What a pickled state dict may name. Anything else is code that would run on loading.
HARMLESS = {
    "collections OrderedDict",
    "torch._utils _rebuild_tensor",
    "torch._utils _rebuild_tensor_v2",
    "torch._utils _rebuild_parameter",
    "torch Size",
    "torch.serialization _get_layout",
    *(
        f"torch {kind}Storage"
        for kind in ("Float", "Double", "Half", "BFloat16", "Long", "Int", "Short", "Char", "Byte")
    ),
    "torch BoolStorage",
}

#: Opcodes that import or build things in other ways; torch.save uses none of them.
NAMING = {"STACK_GLOBAL", "INST", "OBJ", "NEWOBJ", "NEWOBJ_EX", "EXT1", "EXT2", "EXT4"}


class Unreadable(Exception):
    """Why a file cannot be read, as a sentence."""


def is_regular(path: Path) -> bool:
    """Whether an ordinary file with something in it lies there; never opens it."""
    try:
        found = path.stat()
    except (OSError, ValueError):
        return False
    return stat.S_ISREG(found.st_mode) and found.st_size > 0 and os.access(path, os.R_OK)


def open_regular(path: Path, limit: int) -> io.BufferedReader:
    """Open an ordinary file of 1 to `limit` bytes; FIFOs, devices and folders are not touched.

    Looked at before and after opening, and opened without blocking, as it may be swapped meanwhile.
    """
    try:
        _require_regular(path.stat(), path, limit)
        number = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        raise Unreadable(f"{path.name} is not there.") from None
    except OSError as error:
        raise Unreadable(f"{path.name} cannot be opened: {error.strerror}.") from None
    file = os.fdopen(number, "rb")
    try:
        _require_regular(os.fstat(number), path, limit)
    except Unreadable:
        file.close()
        raise
    return file


def read_regular(path: Path, limit: int) -> bytes:
    """All bytes of an ordinary file of at most `limit`."""
    with open_regular(path, limit) as file:
        data = file.read(limit + 1)
    if len(data) > limit:
        raise Unreadable(f"{path.name} grew beyond {limit // MIB} MB while it was read.")
    return data


def inspect_weights(path: Path) -> None:
    """Raise `Unreadable` for a weights file that can be seen to be wrong without loading it."""
    with open_regular(path, WEIGHTS_LIMIT) as file:
        if path.suffix == ".safetensors":
            _inspect_safetensors(file, path.name)
        else:
            inspect_pickle(file, path.name)


def _require_regular(found: os.stat_result, path: Path, limit: int) -> None:
    if not stat.S_ISREG(found.st_mode):
        raise Unreadable(f"{path.name} is not an ordinary file.")
    if found.st_size == 0:
        raise Unreadable(f"{path.name} is empty.")
    if found.st_size > limit:
        raise Unreadable(f"{path.name} is larger than {limit / MIB:g} MB.")


def _inspect_safetensors(file: BinaryIO, name: str) -> None:
    """A length, a JSON header that says where each tensor lies, the tensors."""
    whole = os.fstat(file.fileno()).st_size
    length = int.from_bytes(file.read(8), "little")
    if not 2 <= length <= min(HEADER_LIMIT, whole - 8):
        raise Unreadable(f"{name} is not a safetensors file: its header has an impossible length.")
    try:
        header = json.loads(file.read(length))
        ends = [entry["data_offsets"][1] for key, entry in header.items() if key != "__metadata__"]
        end = max(ends, default=0)
    except (ValueError, KeyError, IndexError, TypeError, AttributeError, RecursionError):
        raise Unreadable(f"{name} is not a safetensors file: its header cannot be read.") from None
    if end != whole - 8 - length:
        raise Unreadable(f"{name} is damaged or cut short: its tensors do not end where it does.")


def inspect_pickle(file: BinaryIO, name: str) -> None:
    """Raise `Unreadable` for a .pth that names anything but tensors, or hides its true size."""
    try:
        for part in _pickles(file, name):
            for word in _named(part):
                if word not in HARMLESS:
                    raise Unreadable(
                        f"{name} holds code ({word.replace(' ', '.')}), which is never run. Save a "
                        "state dict: torch.save(network.state_dict(), file), or use safetensors."
                    )
    except (ValueError, IndexError, zipfile.BadZipFile, EOFError, NotImplementedError, KeyError):
        raise Unreadable(f"{name} is not a PyTorch file, or is damaged.") from None


def _pickles(file: BinaryIO, name: str) -> Iterator[BinaryIO]:
    """The pickle in a zip archive, or those at the start of the older format."""
    if not zipfile.is_zipfile(file):
        file.seek(0)
        for _ in range(5):
            yield file
        return
    with zipfile.ZipFile(file) as archive:
        members = archive.infolist()
        if any(member.compress_type != zipfile.ZIP_STORED for member in members):
            raise Unreadable(f"{name} is a compressed archive, which PyTorch never writes.")
        for member in members:
            if member.filename.endswith(".pkl"):
                if member.file_size > HEADER_LIMIT:
                    raise Unreadable(
                        f"{name} holds a pickle that is too large to be looked through."
                    )
                yield io.BytesIO(archive.read(member))


def _named(file: BinaryIO) -> Iterator[str]:
    """ "module name" of everything that a pickle would import."""
    start = file.tell()
    for opcode, argument, position in pickletools.genops(file):
        if position is not None and position - start > HEADER_LIMIT:
            raise ValueError("this pickle does not end")
        if opcode.name == "GLOBAL":
            yield str(argument)
        elif opcode.name in NAMING:
            yield f"pickle {opcode.name}"
