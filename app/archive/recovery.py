"""Recovery: an index that is damaged or gone is set aside, and made anew of what can be read.

Nothing is deleted: the damaged index and all files that nobody can claim any more are moved beside.
"""

import logging
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

from app.archive.blobs import REFERENCE, is_blob
from app.archive.index import Index, IndexDamaged

log = logging.getLogger("laterna.archive")
#: The tables in an order in which each finds what it refers to.
TABLES = ("images", "results", "parts", "sources", "jobs", "askers")
WITH_JSON = {"results": "facts", "jobs": "recipe"}


def open_index(path: Path, blobs: Path) -> Index:
    """The index at a path; what is found damaged or gone is set aside. Raises NewerData, DiskFull.

    blobs: the folder of the files that it names.
    """
    is_there = path.is_file() and path.stat().st_size > 0
    if is_there:
        try:
            return Index(path)
        except IndexDamaged as damage:
            reason = str(damage)
    elif not any(_files(blobs)):
        return Index(path)
    else:
        reason = "it is gone"
    moment = time.strftime("%Y%m%d-%H%M%S")
    aside = _free(path.with_name(f"{path.name}.damaged-{moment}"))
    for ending in ("", "-wal", "-shm"):
        with suppress(FileNotFoundError):
            path.with_name(path.name + ending).rename(f"{aside}{ending}")
    index = Index(path)
    saved = _salvaged(aside, index, blobs) if is_there else {}
    unclaimed = _free(blobs.with_name(f"{blobs.name}.unclaimed-{moment}"))
    moved = _set_aside(index, blobs, unclaimed)
    log.error(
        "the index was damaged (%s) and is made anew of what could be read; nothing was deleted:"
        " the old one is %s, rows taken over %s, files that nobody can claim any more %d in %s",
        reason,
        aside.name if aside.exists() else "gone",
        saved,
        moved,
        unclaimed.name,
    )
    return index


def _free(path: Path) -> Path:
    number, free = 2, path
    while free.exists():
        number, free = number + 1, path.with_name(f"{path.name}-{number}")
    return free


def _files(blobs: Path) -> Iterator[Path]:
    return (path for path in blobs.glob("*/*") if is_blob(path) and path.is_file())


def _salvaged(damaged: Path, index: Index, blobs: Path) -> dict[str, int]:
    """Take over all rows that can be read and make sense; how many of each table."""
    with index.change() as change:
        change.executemany(
            "INSERT OR IGNORE INTO blobs VALUES (?,?)",
            [(path.name, path.stat().st_size) for path in _files(blobs)],
        )
    with closing(sqlite3.connect(f"{damaged.absolute().as_uri()}?mode=ro", uri=True)) as old:
        old.text_factory = bytes
        saved = {table: _taken_over(old, index, table) for table in TABLES}
    index.link_to_indices()
    return saved


def _taken_over(old: sqlite3.Connection, index: Index, table: str) -> int:
    columns = index.rows(f"PRAGMA table_info({table})")
    known = [column["name"] for column in columns]
    count = 0
    with index.change() as change:
        marks = ",".join("?" * len(known))
        for row in _rows(old, table):
            values = [_fitting(row.get(column["name"]), column) for column in columns]
            by_name = dict(zip(known, values, strict=True))
            if table in WITH_JSON and not _is_json(change, by_name[WITH_JSON[table]]):
                continue
            with suppress(sqlite3.Error):  # it refers to what could not be read
                insert = f"INSERT OR IGNORE INTO {table} VALUES ({marks})"  # noqa: S608  # ours
                count += change.execute(insert, values).rowcount
    return count


def _rows(old: sqlite3.Connection, table: str) -> Iterator[dict[str, Any]]:
    """The rows of a damaged table: up to where it cannot be read, then from its other end."""
    for order in ("", " ORDER BY 1 DESC"):
        try:
            found = old.execute(f"SELECT * FROM {table}{order}")  # noqa: S608  # ours
            names = [bytes(n, "utf-8").decode() for n, *_ in found.description]
            for row in found:
                yield dict(zip(names, row, strict=True))
        except (sqlite3.Error, ValueError):
            continue
        else:
            return


def _fitting(value: Any, column: sqlite3.Row) -> Any:
    """A value as its column wants it; one that makes no sense, or is missing, as good as none."""
    kind, is_needed = column["type"], column["notnull"]
    if kind == "TEXT":
        text = value.decode("utf-8", "replace") if isinstance(value, bytes) else None
        return text if text is not None or not is_needed or column["pk"] else ""
    number = value if isinstance(value, int | float) else None
    return number if number is not None or not is_needed or column["pk"] else 0


def _is_json(change: sqlite3.Connection, text: object) -> bool:
    return bool(change.execute("SELECT json_valid(?)", (text,)).fetchone()[0])


def _set_aside(index: Index, blobs: Path, unclaimed: Path) -> int:
    """Move the files that no row refers to; how many there were."""
    count = 0
    with index.change() as change:
        for path in list(_files(blobs)):
            if change.execute(REFERENCE, (path.name,)).fetchone() is None:
                unclaimed.mkdir(mode=0o700, exist_ok=True)
                path.rename(unclaimed / path.name)
                change.execute("DELETE FROM blobs WHERE digest = ?", (path.name,))
                count += 1
    return count
