"""The archive: the one owner of the disk. Content-addressed files and their SQLite index.

A file is written and synced before its row is committed. So whatever has a row is whole on disk,
and a crash leaves only files without a row, which are removed at the next start.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from app.archive import files
from app.archive.images import Images
from app.archive.kept import KeptImage, Result, Usage, clean_name
from app.archive.room import digests_of

__all__ = ["Archive", "KeptImage", "Result", "Usage", "clean_name"]

#: Seconds after which a half-written file outside of the archive's folder is a crash's leftover.
ABANDONED = 3600.0


class Archive(Images):
    """Pictures and what was made from them under one folder, within a quota of bytes.

    One process at a time (raises DataInUse), any of its threads. What only reads never waits for
    what writes.
    """

    def result(self, key: str) -> Result | None:
        """What came of a recipe, if it is kept."""
        row = self._index.row("SELECT * FROM results WHERE key = ?", key)
        if row is None:
            return None
        self._used[key] = self._clock()
        return self._result(key, json.loads(row["facts"]), row["media"], row["digest"])

    def keep_result(
        self, key: str, facts: dict[str, Any], picture: bytes | None, media: str, image: str | None
    ) -> Result:
        """Keep what came of a recipe; `image` is the picture it was made from.

        Raises DiskFull, and UnknownImage when that picture was deleted meanwhile.
        """
        said = json.dumps(facts)
        pictures = [] if picture is None else [picture]
        with self._index.writing:
            if image is not None:
                self.image(image)
            self._make_room(len(said) + len(picture or b""))
            with self._blobs.added(*pictures) as digests, self._index.change() as change:
                self._blobs.count(change, digests, pictures)
                digest = digests[0] if digests else None
                before = digests_of(
                    change, "DELETE FROM results WHERE key = ? RETURNING digest", key
                )
                row = (key, said, media, digest, len(said), image, self._clock())
                change.execute("INSERT INTO results VALUES (?,?,?,?,?,?,?)", row)
                unused = self._blobs.release(change, before)
            self._blobs.remove(unused)
        return self._result(key, facts, media, digest)

    def read(self, result: Result) -> bytes | None:
        """A result's picture, checked by its hash; a damaged one is forgotten, and None."""
        if result.digest is None:
            return None
        data = self._blobs.read(result.digest)
        if data is None:
            forget = "DELETE FROM results WHERE digest = ? RETURNING digest"
            self._let_go(lambda change: digests_of(change, forget, result.digest))
        return data

    def _result(self, key: str, facts: dict[str, Any], media: str, digest: str | None) -> Result:
        return Result(key, facts, media, digest, self._blobs.path(digest) if digest else None)

    def sweep(self) -> list[str]:
        """Delete what has expired, with all made from it, and what is over the quota.

        Returns the ids of the expired pictures.
        """
        due = self._index.rows("SELECT id FROM images WHERE expires <= ?", self._clock())
        for row in due:
            self._remove_image(row["id"])
        self._note_uses()
        while self.usage().total > self._quota and self._evict():
            pass
        return [row["id"] for row in due]

    def close(self) -> None:
        """Write down what is in memory only, close the index, and let others in."""
        self._note_uses()
        super().close()

    def secret(self, name: str) -> bytes:
        """A random key of this archive, made once."""
        with self._index.writing:  # two who ask first shall get the same
            return files.kept_secret(self.root / f"{name}.key")

    @contextmanager
    def replace_file(self, path: Path) -> Iterator[IO[bytes]]:
        """A file to write elsewhere (fetched weights), which appears whole or not at all."""
        files.remove_parts(path.parent, f"{path.name}.*", ABANDONED)
        with files.replacing(path) as file:
            yield file
