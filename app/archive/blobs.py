"""Blobs: files that are named by the SHA-256 of what is in them, and who refers to them."""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from sqlite3 import Connection

from app.archive import files
from app.archive.index import Index

REFERENCE = """
SELECT 1 FROM images WHERE picture = ?1 UNION ALL SELECT 1 FROM images WHERE preview = ?1
UNION ALL SELECT 1 FROM results WHERE digest = ?1
UNION ALL SELECT 1 FROM parts WHERE digest = ?1 LIMIT 1
"""
#: What lost its file, and what was made from a picture that did.
LOST_RESULTS = """
DELETE FROM results WHERE digest = ?1 OR key IN (SELECT key FROM parts WHERE digest = ?1)
OR image IN (SELECT id FROM images WHERE ?1 IN (picture, preview))
OR key IN (SELECT key FROM sources JOIN images ON images.id = sources.image
WHERE ?1 IN (picture, preview))
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

    def remove_strays(self) -> None:
        """Remove files without a row, which a crash left, and rows that lost their file."""
        known = self._known()
        for path in self._folder.glob("*/*"):
            if path.name not in known and path.is_file():
                path.unlink(missing_ok=True)
        lost = [(digest,) for digest in known if not self.path(digest).is_file()]
        with self._index.change() as change:
            change.executemany(LOST_RESULTS, lost)
            change.executemany("DELETE FROM images WHERE ?1 IN (picture, preview)", lost)
            unused = self.release(change, known)
        self.remove(unused)

    def _known(self) -> set[str]:
        return {row["digest"] for row in self._index.rows("SELECT digest FROM blobs")}
