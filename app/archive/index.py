"""The index: which files there are, whose, until when. SQLite, WAL, full synchronous.

Sums are kept by triggers: asking for them costs nothing, however many rows there are. So is
what parts of a result leave behind: `loose` names the files that they referred to.
"""

import logging
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from threading import Lock, RLock
from typing import Any

from app.errors import DiskFull, IndexBroken, NewerData

#: The standard library's: makers, who read files here, run where no web package is.
log = logging.getLogger("laterna.archive")

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
#: Raised whenever the schema changes; what brings data of the version before up to it stands below.
VERSION = 1
#: Version 1: what was made of an index goes with the pictures that the index was made of, and what
#: has lost its index (which went with a picture, perhaps) goes.
OF_INDEX = """
FROM results AS made WHERE json_extract(made.facts, '$.kind') IN
('neighbours', 'neighbours of picture', 'neighbour shares', 'plane')
"""
LINK = f"""
INSERT OR IGNORE INTO sources SELECT made.key, sources.image {
    OF_INDEX.replace(
        "WHERE", "JOIN sources ON sources.key = json_extract(made.facts, '$.index') WHERE"
    )
}
"""
UNLINKED = f"""
DELETE FROM results WHERE key IN (SELECT made.key {OF_INDEX}
AND json_extract(made.facts, '$.index') NOT IN (SELECT key FROM results))
"""  # noqa: S608  # no value in it
#: JSON that cannot be read: every page that lists it would fail.
UNREADABLE = """
SELECT 1 FROM results WHERE NOT json_valid(facts)
UNION ALL SELECT 1 FROM jobs WHERE NOT json_valid(recipe) LIMIT 1
"""
#: How SQLite says that a file is there and well, but cannot be used now.
UNUSABLE = ("SQLITE_CANTOPEN", "SQLITE_READONLY", "SQLITE_BUSY", "SQLITE_LOCKED", "SQLITE_PERM",
            "SQLITE_AUTH", "SQLITE_NOMEM")  # fmt: skip
MAGIC = b"SQLite format 3\0"
#: How SQLite says that the disk is full, depending on which of its writes met it first.
NO_ROOM = {"SQLITE_FULL", "SQLITE_IOERR_WRITE", "SQLITE_IOERR_FSYNC", "SQLITE_IOERR_SHMSIZE"}


class IndexDamaged(Exception):
    """Why an index cannot be trusted."""


class Index:
    """One connection that writes, behind `writing`, and one that reads.

    A reader never waits for a writer's disk: pages are answered while pictures are being kept.
    Raises DiskFull and IndexBroken; when it is opened NewerData and IndexDamaged.
    """

    def __init__(self, path: Path) -> None:
        self.writing = RLock()
        self._reading = Lock()
        self._path = path
        try:
            with _no_room_is_said():
                self._writer = _opened(path)
                try:
                    self._bring_up()
                    self._reader = _opened(path)
                    # Closed after all connections: a process that closes any descriptor of a file
                    # gives up its locks, and the next stranger who looks into the database would
                    # take itself for the last and remove the log (sqlite.org/howtocorrupt.html).
                    self._file = os.open(path, os.O_RDONLY)
                except BaseException:
                    self._writer.close()
                    raise
        except sqlite3.Error as error:
            if getattr(error, "sqlite_errorname", "").startswith(UNUSABLE):
                raise
            raise IndexDamaged(str(error)) from None

    def _bring_up(self) -> None:
        """Check what is there, and bring it to the schema of now."""
        version = self._writer.execute("PRAGMA user_version").fetchone()[0]
        if version > VERSION:
            raise NewerData(folder=str(self._path.parent), found=version, known=VERSION)
        problem = self._writer.execute("PRAGMA integrity_check(1)").fetchone()[0]
        if problem != "ok":
            raise IndexDamaged(problem)
        if self._writer.execute("PRAGMA foreign_key_check").fetchone():
            raise IndexDamaged("a row refers to one that is not there")
        self._writer.executescript(SCHEMA)
        _require_columns(self._writer)
        if self._writer.execute(UNREADABLE).fetchone():
            raise IndexDamaged("it holds what cannot be read")
        if version < VERSION:
            self.link_to_indices()
            self._writer.execute(f"PRAGMA user_version = {VERSION}")

    def link_to_indices(self) -> None:
        """Let what was made of an index go with the pictures that the index was made of."""
        with self.change() as change:
            change.execute(LINK)
            change.execute(UNLINKED)

    def is_sound(self) -> bool:
        """Whether the file is there and its tables are as they should be, seen afresh."""
        address = f"{self._path.absolute().as_uri()}?mode=ro"
        try:
            with closing(sqlite3.connect(address, uri=True)) as fresh:
                _require_columns(fresh)
                for table in COLUMNS:
                    fresh.execute(f"SELECT * FROM {table} LIMIT 1").fetchone()  # noqa: S608  # ours
            # Its pages may stand in the write-ahead log still, so the file itself is looked at.
            begins = os.pread(self._file, len(MAGIC), 0)
            return begins == MAGIC and self._path.stat().st_ino == os.fstat(self._file).st_ino
        except (sqlite3.Error, OSError, IndexDamaged):
            return False

    def rows(self, question: str, *values: Any) -> list[sqlite3.Row]:
        """All rows that a question gives, of what is committed."""
        with self._reading, _no_room_is_said(), _breaks_are_said():
            return self._reader.execute(question, values).fetchall()

    def row(self, question: str, *values: Any) -> sqlite3.Row | None:
        """The first row that a question gives."""
        return next(iter(self.rows(question, *values)), None)

    @contextmanager
    def change(self) -> Iterator[sqlite3.Connection]:
        """All statements of the block, or none. Raises DiskFull when there is no room."""
        with self.writing, _no_room_is_said(), _breaks_are_said():
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
        with self._reading, self.writing:
            self._reader.close()
            self._writer.close()
            if self._file >= 0:
                os.close(self._file)
                self._file = -1


@contextmanager
def _no_room_is_said() -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        if getattr(error, "sqlite_errorname", "") in NO_ROOM:
            raise DiskFull() from None
        raise


@contextmanager
def _breaks_are_said() -> Iterator[None]:
    """What SQLite cannot read or write any more is told in words; a full disk is told elsewhere."""
    try:
        yield
    except (sqlite3.IntegrityError, sqlite3.ProgrammingError):
        raise
    except sqlite3.DatabaseError as error:
        if getattr(error, "sqlite_errorname", "") in NO_ROOM:
            raise
        log.error("the index is broken: %s", error)
        raise IndexBroken() from None


def _columns(connection: sqlite3.Connection) -> dict[str, set[str]]:
    """The columns of each table."""
    tables = connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'").fetchall()
    return {
        name: {row[1] for row in connection.execute(f"PRAGMA table_info({name})")}
        for (name,) in map(tuple, tables)
    }


def _of_schema() -> dict[str, set[str]]:
    with closing(sqlite3.connect(":memory:")) as empty:
        empty.executescript(SCHEMA)
        return _columns(empty)


#: What there must be.
COLUMNS = _of_schema()


def _require_columns(connection: sqlite3.Connection) -> None:
    """Raise IndexDamaged where a table or a column is missing."""
    found = _columns(connection)
    for table, columns in COLUMNS.items():
        if missing := columns - found.get(table, set()):
            raise IndexDamaged(f"{table} has no {', '.join(sorted(missing))}")


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
