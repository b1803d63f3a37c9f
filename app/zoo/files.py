"""Files that strangers left: read whole, without hanging, without running anything in them.

Every function raises `Unreadable` with a sentence; no torch in here.
"""

import io
import json
import os
import stat
from pathlib import Path
from typing import BinaryIO

from app.errors import Words

MIB = 1024 * 1024
WEIGHTS_LIMIT = 4096 * MIB
HEADER_LIMIT = 16 * MIB


class Unreadable(Exception):
    """Why a file cannot be read."""

    def __init__(self, reason: Words) -> None:
        """reason: a sentence, which is told in the reader's language."""
        super().__init__(reason)
        self.reason = reason


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
        raise Unreadable(Words("{file} is not there.", file=path.name)) from None
    except OSError as error:
        reason = Words("{file} cannot be opened ({error}).", file=path.name, error=error.strerror)
        raise Unreadable(reason) from None
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
        raise Unreadable(
            Words(
                "{file} grew beyond {megabytes} MB while it was read.",
                file=path.name,
                megabytes=limit // MIB,
            )
        )
    return data


def _require_regular(found: os.stat_result, path: Path, limit: int) -> None:
    if not stat.S_ISREG(found.st_mode):
        raise Unreadable(Words("{file} is not an ordinary file.", file=path.name))
    if found.st_size == 0:
        raise Unreadable(Words("{file} is empty.", file=path.name))
    if found.st_size > limit:
        raise Unreadable(
            Words("{file} is larger than {megabytes:g} MB.", file=path.name, megabytes=limit / MIB)
        )


def inspect_safetensors(file: BinaryIO, name: str) -> None:
    """Raise `Unreadable` for a file that can be seen to be wrong without loading its tensors.

    It is a length, a JSON header that says where each tensor lies, the tensors.
    """
    whole = os.fstat(file.fileno()).st_size
    length = int.from_bytes(file.read(8), "little")
    if not 2 <= length <= min(HEADER_LIMIT, whole - 8):
        raise Unreadable(
            Words(
                "{file} is not a safetensors file: its header has an impossible length.", file=name
            )
        )
    try:
        header = json.loads(file.read(length))
        ends = [entry["data_offsets"][1] for key, entry in header.items() if key != "__metadata__"]
        end = max(ends, default=0)
    except (ValueError, KeyError, IndexError, TypeError, AttributeError, RecursionError):
        raise Unreadable(
            Words("{file} is not a safetensors file: its header cannot be read.", file=name)
        ) from None
    if end != whole - 8 - length:
        raise Unreadable(
            Words(
                "{file} is damaged or cut short: its tensors do not end where it does.", file=name
            )
        )


def printable(text: str) -> str:
    """Text that can be shown: "?" for control and direction characters."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)
