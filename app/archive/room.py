"""Room: a folder that one process has, its index and files, and a limit to what lies there."""

import os
import sqlite3
import time
import weakref
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from sqlite3 import Connection
from tempfile import SpooledTemporaryFile
from threading import Lock
from typing import Any

from app.archive import files
from app.archive.blobs import Blobs
from app.archive.kept import Usage
from app.archive.recovery import open_index
from app.errors import DataUnusable, DiskFull

#: Uploads may fill this much of the quota; the rest is for what is made from them.
UPLOADS_SHARE = 0.9
#: Bytes of the disk that stay free: the index needs some even to write down what is deleted.
RESERVE = 16 << 20
#: Results that are removed at a time.
BATCH = 16
EVICT = """
DELETE FROM results WHERE key IN (SELECT key FROM results ORDER BY used LIMIT ?) RETURNING digest
"""
#: Bytes of what comes in that are kept in memory before it is written to the disk.
IN_MEMORY = 1 << 20
UPLOADS = """
SELECT coalesce(sum(bytes), 0) AS bytes FROM blobs
WHERE digest IN (SELECT picture FROM images UNION SELECT preview FROM images)
"""
Digests = list[str | None]


class Room:
    """A folder with a quota of bytes. Raises DataInUse while another process has it, DataUnusable,
    NewerData and DiskFull."""

    def __init__(
        self, root: Path, quota_bytes: int, clock: Callable[[], float] = time.time
    ) -> None:
        self.root, self._quota, self._clock = root, quota_bytes, clock
        self._used: dict[str, float] = {}
        self._set_aside, self._counting = 0, Lock()
        try:
            root.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._unlock = weakref.finalize(self, os.close, files.claim(root))
            try:
                self._open()
            except BaseException:
                self._unlock()
                raise
        except (OSError, sqlite3.Error) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise DataUnusable(folder=str(root), reason=reason.lower()) from None

    def _open(self) -> None:
        files.remove_parts(self.root)
        self._index = open_index(self.root / "index.sqlite", self.root / "blobs")
        self._blobs = Blobs(self.root / "blobs", self._index)
        self._blobs.remove_strays()

    def close(self) -> None:
        """Close the index and let others in."""
        self._index.close()
        self._unlock()

    def usage(self) -> Usage:
        """How much lies here."""
        row = self._index.row("SELECT files, facts FROM room")
        assert row is not None, "the schema puts one row there"
        return Usage(row["files"] + row["facts"], row["facts"])

    def _room(self) -> int:
        """Bytes that may still be added, by the quota and by the disk."""
        disk = os.statvfs(self.root)
        free = min(self._quota - self.usage().total, disk.f_bavail * disk.f_frsize - RESERVE)
        return free - self._set_aside

    def set_aside(self, size: int) -> None:
        """Keep room within the quota for what comes in, until it is given back. Raises DiskFull."""
        with self._index.writing:
            self._make_room(size)
            with self._counting:
                self._set_aside += size

    def give_back(self, size: int) -> None:
        """End what `set_aside` began."""
        with self._counting:
            self._set_aside -= size

    def spooled(self) -> "SpooledTemporaryFile[bytes]":
        """A file for what comes in: without a name, so a crash leaves nothing of it behind."""
        return SpooledTemporaryFile(max_size=IN_MEMORY, dir=str(self.root))

    def _make_room(self, size: int, share: float = 1.0) -> None:
        """Remove the least used results until there is room for `size` more, or raise DiskFull.

        share: how much of the quota the uploads may fill with it. What cannot fit costs nobody
        else's results.
        """
        if size <= self._room() and share == 1.0:
            return
        row = self._index.row(UPLOADS)
        uploads = row["bytes"] if row else 0
        results = self.usage().total - uploads
        if uploads + size > share * self._quota or size > self._room() + results:
            raise DiskFull()
        while size > self._room():
            if not self._evict():
                raise DiskFull()

    def _evict(self) -> bool:
        """Remove some results, the least recently used; whether there were any."""
        self._note_uses()
        return bool(self._let_go(lambda change: digests_of(change, EVICT, BATCH)))

    def _let_go(self, rows: Callable[[Connection], Digests]) -> Digests:
        """Delete rows, then the files that only they referred to; `rows` says which those name.

        On a full disk the files go first, for the index needs room to note that they are gone;
        a crash between the two is mended at the next start.
        """
        digests: Digests = []
        unused: list[str] = []

        def delete_rows() -> None:
            with self._index.change() as change:
                digests[:] = rows(change)
                unused[:] = self._blobs.release(change, digests)

        with self._index.writing:
            try:
                delete_rows()
            except DiskFull:
                self._blobs.remove(unused)
                delete_rows()
            self._blobs.remove(unused)
        return digests

    def _note_uses(self) -> None:
        """Write down when results were last asked for: not at each time, as that would cost."""
        used, self._used = self._used, {}
        if used:
            with suppress(DiskFull), self._index.change() as change:
                change.executemany(
                    "UPDATE results SET used = ? WHERE key = ?",
                    [(when, key) for key, when in list(used.items())],
                )


def digests_of(change: Connection, statement: str, *values: Any) -> Digests:
    """What a statement returns, column by column: hashes of files."""
    return [digest for row in change.execute(statement, values).fetchall() for digest in row]
