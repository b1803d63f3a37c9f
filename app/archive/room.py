"""Room: a folder that one process has, its index and files, and a limit to what lies there."""

import os
import time
import weakref
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from app.archive import files
from app.archive.blobs import Blobs
from app.archive.index import Index
from app.archive.kept import Usage
from app.errors import DiskFull

#: Results that are removed at a time.
BATCH = 16
EVICT = """
DELETE FROM results WHERE key IN (SELECT key FROM results ORDER BY used LIMIT ?) RETURNING digest
"""
UPLOADS = """
SELECT coalesce(sum(bytes), 0) AS bytes FROM blobs
WHERE digest IN (SELECT picture FROM images UNION SELECT preview FROM images)
"""


class Room:
    """A folder with a quota of bytes. Raises DataInUse while another process has it."""

    def __init__(
        self, root: Path, quota_bytes: int, clock: Callable[[], float] = time.time
    ) -> None:
        self.root, self._quota, self._clock = root, quota_bytes, clock
        root.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._let_go = weakref.finalize(self, os.close, files.claim(root))
        files.remove_parts(root)
        self._index = Index(root / "index.sqlite")
        self._blobs = Blobs(root / "blobs", self._index)
        self._blobs.remove_strays()
        self._used: dict[str, float] = {}

    def close(self) -> None:
        """Close the index and let others in."""
        self._index.close()
        self._let_go()

    def usage(self) -> Usage:
        """How much lies here."""
        row = self._index.row("SELECT files, facts FROM room")
        assert row is not None, "the schema puts one row there"
        return Usage(row["files"] + row["facts"], row["facts"])

    def _make_room(self, size: int, limit: int) -> None:
        """Remove the least used results until `size` more are within the limit, or raise DiskFull.

        The limit is looked at first: what cannot fit costs nobody else's results.
        """
        if self.usage().total + size <= limit:
            return
        uploads = self._index.row(UPLOADS)
        if uploads is None or uploads["bytes"] + size > limit:
            raise DiskFull()
        while self.usage().total + size > limit and self._evict():
            pass

    def _evict(self) -> bool:
        """Remove some results, the least recently used; whether there were any."""
        self._note_uses()
        with self._index.writing:
            with self._index.change() as change:
                gone = [row["digest"] for row in change.execute(EVICT, (BATCH,)).fetchall()]
                unused = self._blobs.release(change, gone)
            self._blobs.remove(unused)
        return bool(gone)

    def _note_uses(self) -> None:
        """Write down when results were last asked for: not at each time, as that would cost."""
        used, self._used = self._used, {}
        if used:
            with suppress(DiskFull), self._index.change() as change:
                change.executemany(
                    "UPDATE results SET used = ? WHERE key = ?",
                    [(when, key) for key, when in used.items()],
                )
