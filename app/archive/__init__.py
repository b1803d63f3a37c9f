"""The archive: the one owner of the disk. Content-addressed files and their SQLite index.

A file is written and synced before its row is committed. So whatever has a row is whole on disk,
and a crash leaves only files without a row, which are removed at the next start.
"""

import hashlib
import json
import secrets
import time
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from sqlite3 import Connection, Row
from typing import IO, Any

from app.archive import files
from app.archive.index import ORPHANS, Index
from app.errors import DiskFull, UnknownImage

LONGEST_NAME = 80
#: A result's last use is written at most this often, in seconds: reading costs no write.
USE_GRAIN = 60.0


@dataclass(frozen=True)
class KeptImage:
    """A picture as kept: upright, no metadata. `expires`: seconds since 1970, None for ever."""

    id: str
    owner: str
    name: str
    width: int
    height: int
    original: tuple[int, int]
    created: float
    expires: float | None
    shared: bool
    picture: Path
    preview: Path


@dataclass(frozen=True)
class Result:
    """What came of a recipe: its numbers, and where its picture lies, if it has one."""

    key: str
    facts: dict[str, Any]
    media: str
    digest: str | None
    path: Path | None


@dataclass(frozen=True)
class Usage:
    """Bytes on disk, in all and of results alone."""

    total: int
    results: int


class Archive:
    """Pictures and results under one folder, within a quota of bytes."""

    def __init__(
        self, root: Path, quota_bytes: int, clock: Callable[[], float] = time.time
    ) -> None:
        self.root, self._quota, self._clock = root, quota_bytes, clock
        self._blobs = root / "blobs"
        self._blobs.mkdir(parents=True, exist_ok=True, mode=0o700)
        files.remove_parts(root)
        self._index = Index(root / "index.sqlite")
        self._remove_strays()

    # Pictures

    def keep_image(
        self,
        *,
        owner: str,
        name: str,
        picture: bytes,
        preview: bytes,
        width: int,
        height: int,
        original: tuple[int, int],
        hours: float | None,
        id: str | None = None,
    ) -> KeptImage:
        """Keep a clean picture for so many hours, None for ever. Raises DiskFull."""
        self._make_room(len(picture) + len(preview))
        now = self._clock()
        identity = id or secrets.token_urlsafe(18)
        with self._index.lock:
            digests = [self._write(data) for data in (picture, preview)]
            with self._index.change() as change:
                for digest, data in zip(digests, (picture, preview), strict=True):
                    _count_blob(change, digest, len(data))
                change.execute(
                    "INSERT INTO images VALUES (?,?,?,?,?,?,?,?,?,0,?,?)",
                    (identity, owner, clean_name(name), width, height, *original, now,
                     None if hours is None else now + hours * 3600, *digests),
                )  # fmt: skip
        return self.image(identity)

    def image(self, id: str) -> KeptImage:
        """A picture. Raises UnknownImage when there is none or its time is over."""
        row = self._index.row("SELECT * FROM images WHERE id = ?", id)
        if row is None or (row["expires"] is not None and row["expires"] <= self._clock()):
            raise UnknownImage()
        return self._kept(row)

    def images_of(self, owner: str) -> list[KeptImage]:
        """All pictures of an owner, newest first."""
        rows = self._index.rows(
            "SELECT * FROM images WHERE owner = ? AND (expires IS NULL OR expires > ?)"
            " ORDER BY created DESC, id",
            owner,
            self._clock(),
        )
        return [self._kept(row) for row in rows]

    def share_image(self, id: str, shared: bool) -> KeptImage:
        """Let everybody who has its address see a picture, or nobody any more."""
        self.image(id)
        with self._index.change() as change:
            change.execute("UPDATE images SET shared = ? WHERE id = ?", (shared, id))
        return self.image(id)

    def delete_image(self, id: str) -> None:
        """Remove a picture with everything made from it. Raises UnknownImage."""
        self.image(id)
        self._delete_images([id])

    def _kept(self, row: Row) -> KeptImage:
        return KeptImage(
            id=row["id"],
            owner=row["owner"],
            name=row["name"],
            width=row["width"],
            height=row["height"],
            original=(row["original_width"], row["original_height"]),
            created=row["created"],
            expires=row["expires"],
            shared=bool(row["shared"]),
            picture=self._path(row["picture"]),
            preview=self._path(row["preview"]),
        )

    # Results

    def result(self, key: str) -> Result | None:
        """What came of a recipe, if it is kept."""
        row = self._index.row("SELECT * FROM results WHERE key = ?", key)
        if row is None:
            return None
        if self._clock() - row["used"] > USE_GRAIN:
            with suppress(DiskFull), self._index.change() as change:
                change.execute("UPDATE results SET used = ? WHERE key = ?", (self._clock(), key))
        return self._result(row)

    def keep_result(
        self, key: str, facts: dict[str, Any], picture: bytes | None, media: str, image: str | None
    ) -> Result:
        """Keep what came of a recipe; `image` is the picture it was made from.

        Raises DiskFull, and UnknownImage when that picture was deleted meanwhile.
        """
        said = json.dumps(facts)
        size = len(said) + len(picture or b"")
        self._make_room(size)
        with self._index.lock:
            if image is not None:
                self.image(image)
            digest = None if picture is None else self._write(picture)
            with self._index.change() as change:
                if digest is not None and picture is not None:
                    _count_blob(change, digest, len(picture))
                change.execute(
                    "INSERT OR REPLACE INTO results VALUES (?,?,?,?,?,?,?)",
                    (key, said, media, digest, size, image, self._clock()),
                )
        return Result(key, facts, media, digest, None if digest is None else self._path(digest))

    def read(self, result: Result) -> bytes | None:
        """A result's picture, checked by its hash; a damaged one is forgotten, and None."""
        data = b""
        if result.path is not None and result.digest is not None:
            with suppress(FileNotFoundError):
                data = result.path.read_bytes()
            if hashlib.sha256(data).hexdigest() == result.digest:
                return data
        with self._index.lock:
            with self._index.change() as change:
                change.execute(
                    "DELETE FROM results WHERE key = ? OR digest = ?", (result.key, result.digest)
                )
            if result.path is not None and not self._is_picture(result.digest):
                result.path.unlink(missing_ok=True)
        return None

    def _is_picture(self, digest: str | None) -> bool:
        found = "SELECT 1 FROM images WHERE picture = ?1 OR preview = ?1"
        return self._index.row(found, digest) is not None

    def _result(self, row: Row) -> Result:
        digest = row["digest"]
        path = None if digest is None else self._path(digest)
        return Result(row["key"], json.loads(row["facts"]), row["media"], digest, path)

    # Room

    def usage(self) -> Usage:
        """How much lies here."""
        blobs = self._index.row("SELECT coalesce(sum(bytes), 0) AS n FROM blobs")
        results = self._index.row("SELECT coalesce(sum(bytes), 0) AS n FROM results")
        return Usage(blobs["n"] if blobs else 0, results["n"] if results else 0)

    def sweep(self) -> list[str]:
        """Delete what has expired (their ids are told) and the least used beyond the quota."""
        now = self._clock()
        expired = [
            row["id"] for row in self._index.rows("SELECT id FROM images WHERE expires <= ?", now)
        ]
        self._delete_images(expired)
        self._evict(0)
        return expired

    def _make_room(self, size: int) -> None:
        """Evict results until there is room. Raises DiskFull when uploads leave none."""
        self._evict(size)
        if self.usage().total + size > self._quota:
            raise DiskFull()

    def _evict(self, size: int) -> None:
        """Remove the least recently used results until `size` more bytes are within the quota."""
        excess = self.usage().total + size - self._quota
        while excess > 0:
            oldest = self._index.rows("SELECT key FROM results ORDER BY used LIMIT 16")
            if not oldest:
                return
            with self._index.lock:
                with self._index.change() as change:
                    change.executemany(
                        "DELETE FROM results WHERE key = ?", [(row["key"],) for row in oldest]
                    )
                self._drop_orphans()
            excess = self.usage().total + size - self._quota

    def _delete_images(self, ids: list[str]) -> None:
        if not ids:
            return
        with self._index.lock:
            with self._index.change() as change:
                change.executemany("DELETE FROM images WHERE id = ?", [(id,) for id in ids])
            self._drop_orphans()

    def _drop_orphans(self) -> None:
        """Remove files that nothing refers to any more."""
        orphans = [row["digest"] for row in self._index.rows(ORPHANS)]
        if not orphans:
            return
        with self._index.change() as change:
            change.executemany("DELETE FROM blobs WHERE digest = ?", [(one,) for one in orphans])
        for digest in orphans:
            self._path(digest).unlink(missing_ok=True)

    def _remove_strays(self) -> None:
        """Remove files without a row, and rows without a reference, that a crash left."""
        self._drop_orphans()
        known = {row["digest"] for row in self._index.rows("SELECT digest FROM blobs")}
        for path in self._blobs.glob("*/*"):
            if path.name not in known:
                path.unlink(missing_ok=True)

    # Files

    def secret(self, name: str) -> bytes:
        """A random key of this archive, made once."""
        return files.kept_secret(self.root / f"{name}.key")

    @contextmanager
    def replace_file(self, path: Path) -> Iterator[IO[bytes]]:
        """A file to write elsewhere (fetched weights), which appears whole or not at all."""
        with files.replacing(path) as file:
            yield file

    def close(self) -> None:
        """Close the index."""
        self._index.close()

    def _path(self, digest: str) -> Path:
        return self._blobs / digest[:2] / digest

    def _write(self, data: bytes) -> str:
        digest = hashlib.sha256(data).hexdigest()
        path = self._path(digest)
        if not path.exists():
            with files.replacing(path) as file:
                file.write(data)
        return digest


def _count_blob(change: Connection, digest: str, size: int) -> None:
    change.execute("INSERT OR IGNORE INTO blobs VALUES (?,?)", (digest, size))


def clean_name(name: str) -> str:
    """A file's name to show: no folders, no control or direction characters, not too long."""
    last = name.replace("\\", "/").rsplit("/", 1)[-1]
    kept = "".join(sign for sign in last if unicodedata.category(sign)[0] != "C")
    return " ".join(kept.split())[:LONGEST_NAME].strip(". ") or "picture"
