"""The archive: the one owner of the disk. Content-addressed files and their SQLite index.

A file is written and synced before its row is committed. So whatever has a row is whole on disk,
and a crash leaves only files without a row, which are removed at the next start.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import IO, Any

from app.archive import files
from app.archive.images import Images
from app.archive.index import Index
from app.archive.kept import KeptImage, Result, Usage, clean_name
from app.archive.room import digests_of
from app.errors import NotMade

__all__ = ["Archive", "KeptImage", "Result", "Usage", "clean_name"]

#: Seconds after which a half-written file outside of the archive's folder is a crash's leftover.
ABANDONED = 3600.0
#: Facts of more characters are read once for all who ask: those of thousands of photos.
LONG = 64 * 1024
FORGET = """
DELETE FROM results WHERE digest = ?1 OR key IN (SELECT key FROM parts WHERE digest = ?1)
RETURNING digest
"""
SOURCES_OF = "INSERT OR IGNORE INTO sources SELECT ?, image FROM sources WHERE key = ?"


class Archive(Images):
    """Pictures and what was made from them under one folder, within a quota of bytes.

    One process at a time (raises DataInUse), any of its threads. What only reads never waits for
    what writes.
    """

    @property
    def index(self) -> Index:
        """The database, for tables that others keep beside the archive's own."""
        return self._index

    def result(self, key: str) -> Result | None:
        """What came of a recipe, if it is kept."""
        row = self._index.row("SELECT * FROM results WHERE key = ?", key)
        if row is None:
            return None
        self._used[key] = self._clock()
        parts = self._index.rows("SELECT name, digest FROM parts WHERE key = ?", key)
        facts = _long(row["facts"]) if len(row["facts"]) > LONG else json.loads(row["facts"])
        return self._result(key, facts, row["media"], row["digest"], dict(map(tuple, parts)))

    def keep_result(
        self,
        key: str,
        facts: Mapping[str, Any],
        picture: bytes | None,
        media: str,
        image: str | None,
        parts: Mapping[str, bytes] | None = None,
        images: Sequence[str] = (),
        of: str | None = None,
    ) -> Result:
        """Keep what came of a recipe; `image` is the picture it was made from.

        parts: further files by name, which come and go with it; images: the pictures it was made
        from where these are many, all of which must last; of: the key of the result that it was
        made from, whose pictures are its own. Raises DiskFull, and UnknownImage or NotMade when
        such a picture or result was deleted meanwhile.
        """
        facts_json, parts = json.dumps(facts), parts or {}
        pieces = [*([] if picture is None else [picture]), *parts.values()]
        with self._index.writing:
            for source in (*images, *([] if image is None else [image])):
                self.image_or_lost(source)
            if of is not None and self.result(of) is None:
                raise NotMade()
            self._make_room(len(facts_json) + sum(map(len, pieces)))
            with self._blobs.added(*pieces) as digests, self._index.change() as change:
                self._blobs.count(change, digests, pieces)
                digest = None if picture is None else digests[0]
                named = dict(zip(parts, digests[len(pieces) - len(parts) :], strict=True))
                before = digests_of(
                    change, "DELETE FROM results WHERE key = ? RETURNING digest", key
                )
                row = (key, facts_json, media, digest, len(facts_json), image, self._clock())
                change.execute("INSERT INTO results VALUES (?,?,?,?,?,?,?)", row)
                change.executemany(
                    "INSERT INTO parts VALUES (?,?,?)",
                    [(key, name, part) for name, part in named.items()],
                )
                change.executemany(
                    "INSERT INTO sources VALUES (?,?)", [(key, source) for source in {*images}]
                )
                if of is not None:
                    change.execute(SOURCES_OF, (key, of))
                unused = self._blobs.release(change, before)
            self._blobs.remove(unused)
        # As whoever asks later gets them: tuples are lists then.
        kept = self._result(key, json.loads(facts_json), media, digest, named)
        return replace(kept, written=picture)

    def whole_result(self, key: str) -> Result | None:
        """What came of a recipe, if all its files are whole; with a damaged one it is forgotten.

        May read all of them: not for the event loop.
        """
        result = self.result(key)
        for digest in () if result is None else (result.digest, *result.parts.values()):
            if digest is not None and not self._blobs.is_whole(digest):
                self._forget(digest)
                return None
        return result

    def read(self, result: Result) -> bytes | None:
        """A result's picture, checked by its hash; a damaged one is forgotten, and None."""
        if result.written is not None:
            return result.written
        return None if result.digest is None else self._checked(result.digest)

    def part(self, result: Result, name: str) -> bytes | None:
        """A further file of a result, checked by its hash; with a damaged one all is forgotten."""
        return None if name not in result.parts else self._checked(result.parts[name])

    def part_path(self, result: Result, name: str) -> Path | None:
        """Where a further file lies, which is named by its hash; None when there is none."""
        return self._blobs.path(result.parts[name]) if name in result.parts else None

    def _checked(self, digest: str) -> bytes | None:
        data = self._blobs.read(digest)
        if data is None:
            self._forget(digest)
        return data

    def _forget(self, digest: str) -> None:
        """Forget all results that have this file, which is damaged or gone."""
        self._let_go(lambda change: digests_of(change, FORGET, digest))

    def _result(
        self,
        key: str,
        facts: Mapping[str, Any],
        media: str,
        digest: str | None,
        parts: dict[str, str],
    ) -> Result:
        path = self._blobs.path(digest) if digest else None
        return Result(key, facts, media, digest, path, parts)

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


@lru_cache(maxsize=8)
def _long(facts: str) -> Any:
    """Facts from JSON. Nobody changes what a result says."""
    return json.loads(facts)
