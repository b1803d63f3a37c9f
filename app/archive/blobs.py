"""Blobs: files that are named by the SHA-256 of what is in them, and who refers to them."""

import hashlib
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from sqlite3 import Connection

from app.archive import files
from app.archive.index import Index

REFERENCE = """
SELECT 1 FROM images WHERE picture = ?1 UNION ALL SELECT 1 FROM images WHERE preview = ?1
UNION ALL SELECT 1 FROM results WHERE digest = ?1 LIMIT 1
"""


class Blobs:
    """Files under one folder. All that write here do so while they hold `index.writing`."""

    def __init__(self, folder: Path, index: Index) -> None:
        self._folder, self._index = folder, index
        folder.mkdir(exist_ok=True, mode=0o700)

    def path(self, digest: str) -> Path:
        """Where the data with this hash lie."""
        return self._folder / digest[:2] / digest

    def read(self, digest: str) -> bytes | None:
        """The data with this hash; None when the file is gone or holds other data."""
        with suppress(OSError):
            data = self.path(digest).read_bytes()
            if hashlib.sha256(data).hexdigest() == digest:
                return data
        return None

    def write(self, data: bytes) -> str:
        """Make data lie here, and last; their hash. A damaged file is replaced."""
        digest = hashlib.sha256(data).hexdigest()
        if self.read(digest) is None:
            with files.replacing(self.path(digest)) as file:
                file.write(data)
        return digest

    @staticmethod
    def count(change: Connection, digest: str, size: int) -> None:
        """Enter written data into the index; it stays for as long as a row refers to it."""
        change.execute("INSERT OR IGNORE INTO blobs VALUES (?,?)", (digest, size))

    @staticmethod
    def release(change: Connection, digests: Iterable[str | None]) -> list[str]:
        """Take out of the index what no row refers to any more; to be removed once that is so."""
        unused = [
            digest
            for digest in {digest for digest in digests if digest is not None}
            if change.execute(REFERENCE, (digest,)).fetchone() is None
        ]
        change.executemany("DELETE FROM blobs WHERE digest = ?", [(digest,) for digest in unused])
        return unused

    def remove(self, digests: Iterable[str]) -> None:
        """Remove the files of what was released."""
        for digest in digests:
            self.path(digest).unlink(missing_ok=True)

    def remove_strays(self) -> None:
        """Remove files without a row and rows without a file or a reference: a crash left them."""
        with self._index.change() as change:
            known = [row["digest"] for row in change.execute("SELECT digest FROM blobs")]
            self.release(change, known)
        kept = {row["digest"] for row in self._index.rows("SELECT digest FROM blobs")}
        for path in self._folder.glob("*/*"):
            if path.name not in kept:
                path.unlink(missing_ok=True)
