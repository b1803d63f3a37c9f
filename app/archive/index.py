"""The index: which files there are, whose, until when. SQLite, WAL, full synchronous.

Sums are kept by triggers: asking for them costs nothing, however many rows there are. So is
what parts of a result leave behind: `loose` names the files that they referred to.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from threading import Lock, RLock
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
    image TEXT REFERENCES images, used REAL NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS results_by_use ON results (used);
CREATE INDEX IF NOT EXISTS results_by_image ON results (image);
CREATE INDEX IF NOT EXISTS results_by_digest ON results (digest);
CREATE TABLE IF NOT EXISTS parts (
    key TEXT NOT NULL REFERENCES results ON DELETE CASCADE, name TEXT NOT NULL,
    digest TEXT NOT NULL REFERENCES blobs, PRIMARY KEY (key, name)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS parts_by_digest ON parts (digest);
CREATE TABLE IF NOT EXISTS sources (
    key TEXT NOT NULL REFERENCES results ON DELETE CASCADE, image TEXT NOT NULL,
    PRIMARY KEY (key, image)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS sources_by_image ON sources (image);
CREATE TABLE IF NOT EXISTS loose (digest TEXT NOT NULL);
CREATE TRIGGER IF NOT EXISTS part_out AFTER DELETE ON parts
    BEGIN INSERT INTO loose VALUES (old.digest); END;
CREATE TABLE IF NOT EXISTS jobs (
    id TEXT PRIMARY KEY, key TEXT NOT NULL, recipe TEXT NOT NULL,
    image TEXT REFERENCES images ON DELETE CASCADE, state TEXT NOT NULL,
    asked REAL NOT NULL, started REAL, finished REAL, seconds REAL, device TEXT,
    deaths INTEGER NOT NULL DEFAULT 0, error TEXT, house INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS jobs_by_state ON jobs (state, finished);
CREATE INDEX IF NOT EXISTS jobs_by_image ON jobs (image);
CREATE INDEX IF NOT EXISTS jobs_by_collection ON jobs (json_extract(recipe, '$.collection'));
CREATE TABLE IF NOT EXISTS askers (
    job TEXT NOT NULL REFERENCES jobs ON DELETE CASCADE, asker TEXT NOT NULL,
    address TEXT NOT NULL, asked REAL NOT NULL, wants INTEGER NOT NULL,
    PRIMARY KEY (job, asker)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS askers_by_asker ON askers (asker, asked);
CREATE TABLE IF NOT EXISTS room (files INTEGER NOT NULL, facts INTEGER NOT NULL);
INSERT INTO room SELECT (SELECT coalesce(sum(bytes), 0) FROM blobs),
    (SELECT coalesce(sum(bytes), 0) FROM results) WHERE NOT EXISTS (SELECT 1 FROM room);
CREATE TRIGGER IF NOT EXISTS file_in AFTER INSERT ON blobs
    BEGIN UPDATE room SET files = files + new.bytes; END;
CREATE TRIGGER IF NOT EXISTS file_out AFTER DELETE ON blobs
    BEGIN UPDATE room SET files = files - old.bytes; END;
CREATE TRIGGER IF NOT EXISTS facts_in AFTER INSERT ON results
    BEGIN UPDATE room SET facts = facts + new.bytes; END;
CREATE TRIGGER IF NOT EXISTS facts_out AFTER DELETE ON results
    BEGIN UPDATE room SET facts = facts - old.bytes; END;
"""
#: How SQLite says that the disk is full, depending on which of its writes met it first.
NO_ROOM = {"SQLITE_FULL", "SQLITE_IOERR_WRITE", "SQLITE_IOERR_FSYNC", "SQLITE_IOERR_SHMSIZE"}


class Index:
    """One connection that writes, behind `writing`, and one that reads.

    A reader never waits for a writer's disk: pages are answered while pictures are being kept.
    Raises DiskFull.
    """

    def __init__(self, path: Path) -> None:
        self.writing = RLock()
        self._reading = Lock()
        with _no_room_is_said():
            self._writer = _opened(path)
            self._writer.executescript(SCHEMA)
            self._reader = _opened(path)

    def rows(self, question: str, *values: Any) -> list[sqlite3.Row]:
        """All rows that a question gives, of what is committed."""
        with self._reading:
            return self._reader.execute(question, values).fetchall()

    def row(self, question: str, *values: Any) -> sqlite3.Row | None:
        """The first row that a question gives."""
        return next(iter(self.rows(question, *values)), None)

    @contextmanager
    def change(self) -> Iterator[sqlite3.Connection]:
        """All statements of the block, or none. Raises DiskFull when there is no room."""
        with self.writing, _no_room_is_said():
            try:
                self._writer.execute("BEGIN IMMEDIATE")
                yield self._writer
                self._writer.execute("COMMIT")
            except BaseException:
                if self._writer.in_transaction:
                    self._writer.execute("ROLLBACK")
                raise

    def close(self) -> None:
        """Close the database; the write-ahead log is folded in."""
        with self._reading, self.writing, closing(self._writer):
            self._reader.close()


@contextmanager
def _no_room_is_said() -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        if getattr(error, "sqlite_errorname", "") in NO_ROOM:
            raise DiskFull() from None
        raise


def _opened(path: Path) -> sqlite3.Connection:
    """A connection; the deleted is overwritten, as it told of somebody's picture."""
    connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
    connection.row_factory = sqlite3.Row
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        "secure_delete=ON",
        "busy_timeout=5000",
    ):
        connection.execute(f"PRAGMA {pragma}")
    return connection
