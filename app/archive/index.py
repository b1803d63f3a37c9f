"""The index: which files there are, whose, until when. SQLite, WAL, full synchronous."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import RLock
from typing import Any

from app.errors import DiskFull

SCHEMA = """
CREATE TABLE IF NOT EXISTS blobs (
    digest TEXT PRIMARY KEY, bytes INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS images (
    id TEXT PRIMARY KEY, owner TEXT NOT NULL, name TEXT NOT NULL,
    width INTEGER NOT NULL, height INTEGER NOT NULL,
    original_width INTEGER NOT NULL, original_height INTEGER NOT NULL,
    created REAL NOT NULL, expires REAL, shared INTEGER NOT NULL DEFAULT 0,
    picture TEXT NOT NULL REFERENCES blobs, preview TEXT NOT NULL REFERENCES blobs
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS images_by_owner ON images (owner, created);
CREATE INDEX IF NOT EXISTS images_by_expiry ON images (expires);
CREATE INDEX IF NOT EXISTS images_by_picture ON images (picture);
CREATE INDEX IF NOT EXISTS images_by_preview ON images (preview);
CREATE TABLE IF NOT EXISTS results (
    key TEXT PRIMARY KEY, facts TEXT NOT NULL, media TEXT NOT NULL,
    digest TEXT REFERENCES blobs, bytes INTEGER NOT NULL,
    image TEXT REFERENCES images ON DELETE CASCADE, used REAL NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS results_by_use ON results (used);
CREATE INDEX IF NOT EXISTS results_by_image ON results (image);
CREATE INDEX IF NOT EXISTS results_by_digest ON results (digest);
"""
ORPHANS = """
SELECT digest FROM blobs WHERE digest NOT IN (SELECT picture FROM images)
AND digest NOT IN (SELECT preview FROM images)
AND digest NOT IN (SELECT digest FROM results WHERE digest IS NOT NULL)
"""


class Index:
    """One connection behind one lock; questions take microseconds."""

    def __init__(self, path: Path) -> None:
        self.lock = RLock()
        self._database = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._database.row_factory = sqlite3.Row
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            self._database.execute(f"PRAGMA {pragma}")
        self._database.executescript(SCHEMA)

    def rows(self, statement: str, *values: Any) -> list[sqlite3.Row]:
        """All rows that a question gives."""
        with self.lock:
            return self._database.execute(statement, values).fetchall()

    def row(self, statement: str, *values: Any) -> sqlite3.Row | None:
        """The first row that a question gives."""
        return next(iter(self.rows(statement, *values)), None)

    @contextmanager
    def change(self) -> Iterator[sqlite3.Connection]:
        """All statements of the block, or none. Raises DiskFull when there is no room."""
        with self.lock:
            self._database.execute("BEGIN IMMEDIATE")
            try:
                yield self._database
                self._database.execute("COMMIT")
            except BaseException as error:
                if self._database.in_transaction:
                    self._database.execute("ROLLBACK")
                full = getattr(error, "sqlite_errorname", "")
                if full in ("SQLITE_FULL", "SQLITE_IOERR_WRITE"):
                    raise DiskFull() from None
                raise

    def close(self) -> None:
        """Close the database; the write-ahead log is folded in."""
        with self.lock:
            self._database.close()
