"""Files: written beside their place, synced, renamed; never half there, never without an owner."""

import errno
import fcntl
import os
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from app.errors import DataInUse, DiskFull, SecretUnusable

#: Errors that mean there is no room: disk, quota, file size limit.
NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
PART = ".part"
#: Bytes of a secret.
SECRET = 32


@contextmanager
def replacing(path: Path) -> Iterator[IO[bytes]]:
    """A file to write; it takes the place of `path` when the block ends well, and is gone if not.

    Raises DiskFull when there is no room.
    """
    try:
        _make_folder(path.parent)
        part = path.with_name(f"{path.name}.{secrets.token_hex(4)}{PART}")
        try:
            with part.open("xb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            part.replace(path)
            _sync_folder(path.parent)
        finally:
            part.unlink(missing_ok=True)
    except OSError as error:
        if error.errno in NO_ROOM:
            raise DiskFull() from None
        raise


def kept_secret(path: Path) -> bytes:
    """32 random bytes, made once, readable by this user alone. Raises SecretUnusable."""
    try:
        if not os.path.lexists(path):
            with replacing(path) as file:
                os.fchmod(file.fileno(), 0o600)
                file.write(secrets.token_bytes(SECRET))
        found = path.read_bytes()
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise SecretUnusable(file=str(path), reason=reason) from None
    if len(found) != SECRET:
        reason = f"it holds {len(found)} bytes, where {SECRET} belong"
        raise SecretUnusable(file=str(path), reason=reason)
    return found


def remove_parts(folder: Path, name: str = "*", older_than: float = 0.0) -> None:
    """Remove what a crash left half-written, if nobody has written to it for so many seconds."""
    for part in folder.rglob(f"{name}{PART}"):
        with suppress(FileNotFoundError):  # another may have removed it, or finished it, just now
            if older_than <= 0 or time.time() - part.stat().st_mtime > older_than:
                part.unlink()


def claim(folder: Path) -> int:
    """An open lock on a folder, to be closed; it ends with this process, however that ends.

    Raises DataInUse while another process holds it.
    """
    number = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(number)
        raise DataInUse(folder=str(folder)) from None
    return number


def _make_folder(folder: Path) -> None:
    if not folder.is_dir():
        folder.mkdir(parents=True, exist_ok=True)
        _sync_folder(folder.parent)


def _sync_folder(folder: Path) -> None:
    """Make what was made or renamed in a folder last."""
    number = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
