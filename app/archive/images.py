"""Images: pictures that came from people, each with its owner and its time."""

import secrets
from pathlib import Path
from sqlite3 import Connection, Row

from app.archive.kept import KeptImage, clean_name
from app.archive.room import UPLOADS_SHARE, Digests, Room, digests_of
from app.errors import LostImage, UnknownImage

#: What was made from a picture, alone or among others.
MADE_FROM = """
DELETE FROM results WHERE image = ?1 OR key IN (SELECT key FROM sources WHERE image = ?1)
RETURNING digest
"""
FILES = "SELECT picture, preview FROM images WHERE id = ?"
KEEP = """
INSERT INTO images VALUES (?,?,?,?,?,?,?,?,?,0,?,?) ON CONFLICT (id) DO UPDATE SET
width = excluded.width, height = excluded.height, original_width = excluded.original_width,
original_height = excluded.original_height, picture = excluded.picture, preview = excluded.preview
"""


class Images(Room):
    """The pictures in a room."""

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
        """Keep a clean picture for so many hours, None for ever. Raises DiskFull.

        id: of one that may be here already, damaged or not: all that was made from it stays.
        """
        identity, now = id or secrets.token_hex(16), self._clock()
        expires = None if hours is None else now + hours * 3600
        with self._index.writing:
            self._make_room(len(picture) + len(preview), UPLOADS_SHARE)
            with self._blobs.added(picture, preview) as digests, self._index.change() as change:
                self._blobs.count(change, digests, (picture, preview))
                row = (identity, owner, clean_name(name), width, height, *original, now, expires)
                before = digests_of(change, FILES, identity)
                change.execute(KEEP, (*row, *digests))
                unused = self._blobs.release(change, before)
            self._blobs.remove(unused)
        return self.image(identity)

    def image(self, id: str) -> KeptImage:
        """A picture. Raises UnknownImage when there is none or its time is over, and LostImage when
        its files are damaged or gone.
        """
        image = self.image_or_lost(id)
        if not (self._blobs.is_whole(image.picture.name) and self._is_shown(image)):
            raise LostImage()
        return image

    def image_or_lost(self, id: str) -> KeptImage:
        """A picture, whatever its files are like. Raises UnknownImage."""
        row = self._index.row("SELECT * FROM images WHERE id = ?", id)
        if row is None or (row["expires"] is not None and row["expires"] <= self._clock()):
            raise UnknownImage()
        return self._kept(row)

    def read_picture(self, image: KeptImage) -> bytes:
        """A picture's lossless file, checked by its hash. Raises UnknownImage, LostImage."""
        return self._read(image, image.picture)

    def read_preview(self, image: KeptImage) -> bytes:
        """A picture's preview, checked by its hash. Raises UnknownImage, LostImage."""
        return self._read(image, image.preview)

    def _read(self, image: KeptImage, file: Path) -> bytes:
        data = self._blobs.read(file.name)
        if data is None:
            self.image_or_lost(image.id)  # it may have been deleted just now
            raise LostImage()
        return data

    def _is_shown(self, image: KeptImage) -> bool:
        return self._blobs.is_whole(image.preview.name)

    def images_of(self, owner: str) -> list[KeptImage]:
        """All pictures of an owner, newest first, but those whose files are seen to be damaged.

        The previews are read, each once; the pictures themselves would take too long.
        """
        rows = self._index.rows(
            "SELECT * FROM images WHERE owner = ? AND (expires IS NULL OR expires > ?)"
            " ORDER BY created DESC, id",
            owner,
            self._clock(),
        )
        images = [self._kept(row) for row in rows]
        return [
            image
            for image in images
            if not self._blobs.is_lost(image.picture.name) and self._is_shown(image)
        ]

    def share_image(self, id: str, shared: bool) -> KeptImage:
        """Let everybody who has its address see a picture, or nobody any more."""
        self.image_or_lost(id)
        with self._index.change() as change:
            change.execute("UPDATE images SET shared = ? WHERE id = ?", (shared, id))
        return self.image_or_lost(id)

    def delete_image(self, id: str) -> None:
        """Remove a picture with everything made from it. Raises UnknownImage."""
        self.image_or_lost(id)
        self._remove_image(id)

    def _remove_image(self, id: str) -> None:
        def rows(change: Connection) -> Digests:
            made = digests_of(change, MADE_FROM, id)
            return made + digests_of(
                change, "DELETE FROM images WHERE id = ? RETURNING picture, preview", id
            )

        self._let_go(rows)

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
