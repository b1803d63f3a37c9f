"""The archive: the one owner of the disk. Content-addressed files and their SQLite index.

A file is written and synced before its row is committed. So whatever has a row is whole on disk,
and a crash leaves only files without a row, which are removed at the next start.
"""

import json
import os
import secrets
import time
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from sqlite3 import Row
from typing import IO, Any

from app.archive import files
from app.archive.blobs import Blobs
from app.archive.index import Index
from app.archive.kept import KeptImage, Result, Usage, clean_name
from app.errors import DiskFull, UnknownImage

__all__ = ["Archive", "KeptImage", "Result", "Usage", "clean_name"]

#: Uploads may fill this much of the quota; the rest is for what is made from them.
UPLOADS_SHARE = 0.9
#: Results that are removed at a time.
BATCH = 16
#: Seconds after which a half-written file outside of the archive has been left by a crash.
ABANDONED = 3600.0


class Archive:
    """Pictures and results under one folder, within a quota of bytes.

    One process at a time: raises DataInUse. What only reads never waits for what writes.
    """

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
        self._note_uses()
        self._index.close()
        self._let_go()

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
        identity, now = id or secrets.token_hex(16), self._clock()
        with self._index.writing:
            self._make_room(len(picture) + len(preview), int(self._quota * UPLOADS_SHARE))
            digests = [self._blobs.write(data) for data in (picture, preview)]
            with self._index.change() as change:
                for digest, data in zip(digests, (picture, preview), strict=True):
                    self._blobs.count(change, digest, len(data))
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
        self._delete_image(id)

    def _delete_image(self, id: str) -> None:
        with self._index.writing:
            with self._index.change() as change:
                made = change.execute("DELETE FROM results WHERE image = ? RETURNING digest", (id,))
                digests = [row["digest"] for row in made.fetchall()]
                gone = change.execute(
                    "DELETE FROM images WHERE id = ? RETURNING picture, preview", (id,)
                )
                for row in gone.fetchall():
                    digests += [row["picture"], row["preview"]]
                unused = self._blobs.release(change, digests)
            self._blobs.remove(unused)

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
            picture=self._blobs.path(row["picture"]),
            preview=self._blobs.path(row["preview"]),
        )

    # Results

    def result(self, key: str) -> Result | None:
        """What came of a recipe, if it is kept."""
        row = self._index.row("SELECT * FROM results WHERE key = ?", key)
        if row is None:
            return None
        self._used[key] = self._clock()
        digest = row["digest"]
        path = None if digest is None else self._blobs.path(digest)
        return Result(key, json.loads(row["facts"]), row["media"], digest, path)

    def keep_result(
        self, key: str, facts: dict[str, Any], picture: bytes | None, media: str, image: str | None
    ) -> Result:
        """Keep what came of a recipe; `image` is the picture it was made from.

        Raises DiskFull, and UnknownImage when that picture was deleted meanwhile.
        """
        said, digest = json.dumps(facts), None
        with self._index.writing:
            if image is not None:
                self.image(image)
            self._make_room(len(said) + len(picture or b""), self._quota)
            if picture is not None:
                digest = self._blobs.write(picture)
            with self._index.change() as change:
                if picture is not None and digest is not None:
                    self._blobs.count(change, digest, len(picture))
                unused = self._forget(change, "key = ?", key)
                change.execute(
                    "INSERT INTO results VALUES (?,?,?,?,?,?,?)",
                    (key, said, media, digest, len(said), image, self._clock()),
                )
            self._blobs.remove(set(unused) - {digest})
        return Result(key, facts, media, digest, digest and self._blobs.path(digest))

    def read(self, result: Result) -> bytes | None:
        """A result's picture, checked by its hash; a damaged one is forgotten, and None."""
        if result.digest is None:
            return None
        data = self._blobs.read(result.digest)
        if data is None:
            self._forget_results("digest = ?", result.digest)
        return data
