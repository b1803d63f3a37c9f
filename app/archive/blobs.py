"""Blobs: files that are named by the SHA-256 of what is in them, and who refers to them.

What is read is checked by that name: here, and in the device's process by `read_whole` too.
"""

import hashlib
import os
import re
import stat
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from sqlite3 import Connection

from app.archive import files
from app.archive.index import Index

REFERENCE = """
SELECT 1 FROM images WHERE picture = ?1 UNION ALL SELECT 1 FROM images WHERE preview = ?1
UNION ALL SELECT 1 FROM results WHERE digest = ?1
UNION ALL SELECT 1 FROM parts WHERE digest = ?1 LIMIT 1
"""
#: What lost its file, and what was made from an upload that did. Samples come back.
LOST_RESULTS = """
DELETE FROM results WHERE digest = ?1 OR key IN (SELECT key FROM parts WHERE digest = ?1)
OR image IN (SELECT id FROM images WHERE ?1 IN (picture, preview) AND expires IS NOT NULL)
OR key IN (SELECT key FROM sources JOIN images ON images.id = sources.image
WHERE ?1 IN (picture, preview) AND expires IS NOT NULL)
"""
LOST_IMAGES = "DELETE FROM images WHERE ?1 IN (picture, preview) AND expires IS NOT NULL"
NAME = re.compile(r"[0-9a-f]{64}")
#: A file that was written so many nanoseconds ago may be changed again without its times telling.
FRESH = 100_000_000
#: What tells one state of a file from another: inode, size, and times of both kinds.
Identity = tuple[int, int, int, int]


def is_blob(path: Path) -> bool:
    """Whether a file has the name of one that is kept here: the hash of what is in it."""
    return NAME.fullmatch(path.name) is not None


def read_whole(path: Path) -> bytes | None:
    """The data of a file that is named by their hash; None when it is gone or holds others.

    A file with a name of another kind (scripts bring their own) is taken as it is.
    """
    with suppress(OSError):
        data = path.read_bytes()
        if not is_blob(path) or hashlib.sha256(data).hexdigest() == path.name:
            return data
    return None


@dataclass(frozen=True)
class Seen:
    """What was found in one state of a file; is_fresh: so new that it must be looked at again."""

    state: Identity
    is_whole: bool
    is_fresh: bool


class Blobs:
    """Files under one folder. All that write here do so while they hold `index.writing`."""

    def __init__(self, folder: Path, index: Index) -> None:
        self._folder, self._index = folder, index
        self._seen: dict[str, Seen] = {}
        folder.mkdir(exist_ok=True, mode=0o700)

    def path(self, digest: str) -> Path:
        """Where the data with this hash lie."""
        return self._folder / digest[:2] / digest

    def read(self, digest: str) -> bytes | None:
        """The data with this hash; None when the file is gone or holds other data."""
        return read_whole(self.path(digest))

    def is_whole(self, digest: str) -> bool:
        """Whether the file is there and holds its data. Each state of a file is read but once."""
        try:
            found = _identity(self.path(digest).stat())
            seen = self._seen.get(digest)
            if seen is not None and seen.state == found and not seen.is_fresh:
                return seen.is_whole
            with self.path(digest).open("rb") as file:
                found = _identity(os.fstat(file.fileno()))
                is_whole = hashlib.file_digest(file, "sha256").hexdigest() == digest
        except OSError:
            return False
        is_fresh = time.time_ns() - found[-1] < FRESH
        self._seen[digest] = Seen(found, is_whole, is_fresh)
        return is_whole

    def is_lost(self, digest: str) -> bool:
        """Whether the file is gone, or was seen to be damaged. Reads nothing."""
        try:
            found = self.path(digest).stat()
        except OSError:
            return True
        seen = self._seen.get(digest)
        is_damaged = seen is not None and seen.state == _identity(found) and not seen.is_whole
        return is_damaged or not stat.S_ISREG(found.st_mode)

    @contextmanager
    def added(self, *pieces: bytes) -> Iterator[list[str]]:
        """The hashes of data that lie here, and last; new ones go again if the block fails."""
        digests: list[str] = []
        try:
            for data in pieces:
                digests.append(self._write(data))
            yield digests
        except BaseException:
            known = self._known()
            self.remove(digest for digest in digests if digest not in known)
            raise

    def _write(self, data: bytes) -> str:
        """A damaged file is replaced."""
        digest = hashlib.sha256(data).hexdigest()
        if self.read(digest) is None:
            with files.replacing(self.path(digest)) as file:
                file.write(data)
        return digest

    @staticmethod
    def count(change: Connection, digests: Sequence[str], pieces: Sequence[bytes]) -> None:
        """Enter added data into the index; they stay for as long as a row refers to them."""
        sizes = [(digest, len(data)) for digest, data in zip(digests, pieces, strict=True)]
        change.executemany("INSERT OR IGNORE INTO blobs VALUES (?,?)", sizes)

    @staticmethod
    def release(change: Connection, digests: Iterable[str | None]) -> list[str]:
        """Take out of the index what no row refers to any more; to be removed once that is so.

        digests: what deleted rows referred to; those of parts need not be among them.
        """
        loose = [row["digest"] for row in change.execute("DELETE FROM loose RETURNING digest")]
        unused = [
            digest
            for digest in {digest for digest in (*digests, *loose) if digest is not None}
            if change.execute(REFERENCE, (digest,)).fetchone() is None
        ]
        change.executemany("DELETE FROM blobs WHERE digest = ?", [(digest,) for digest in unused])
        return unused

    def remove(self, digests: Iterable[str]) -> None:
        """Remove the files of what was released."""
        for digest in digests:
            self.path(digest).unlink(missing_ok=True)
            self._seen.pop(digest, None)

    def remove_strays(self) -> None:
        """Remove files without a row, which a crash left, and rows that lost their file."""
        known = self._known()
        for path in self._folder.glob("*/*"):
            if path.name not in known and path.is_file():
                path.unlink(missing_ok=True)
        lost = [(digest,) for digest in known if not self.path(digest).is_file()]
        with self._index.change() as change:
            change.executemany(LOST_RESULTS, lost)
            change.executemany(LOST_IMAGES, lost)
            unused = self.release(change, known)
        self.remove(unused)

    def _known(self) -> set[str]:
        return {row["digest"] for row in self._index.rows("SELECT digest FROM blobs")}


def _identity(found: os.stat_result) -> Identity:
    return found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns
