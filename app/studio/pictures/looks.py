"""Looks: (a photo's file, how a network wants it) -> what the network sees of it, as small pixels.

Runs where pictures from outside are decoded (studio/engine/decoders.py), under the same limits.
"""

from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from app.archive.blobs import is_blob, read_whole
from app.errors import LostPhoto
from app.studio.pictures import clean
from app.zoo.files import Unreadable, read_regular
from app.zoo.pictures import seen
from app.zoo.preprocessing import Preprocessing, sides


@dataclass(frozen=True)
class Look:
    """Which file, what it is called, how it is to be seen, and how many bytes it may have."""

    path: str
    name: str
    preprocessing: Preprocessing
    largest: int


@dataclass(frozen=True)
class Seen:
    """What a network sees of a photo. size: of the whole photo, upright; pixels: rows of `mode`."""

    size: tuple[int, int]
    mode: str
    seen_size: tuple[int, int]
    pixels: bytes

    @property
    def picture(self) -> Image.Image:
        """The part that is seen, resized and cropped, not yet normalised."""
        return Image.frombytes(self.mode, self.seen_size, self.pixels)


def look(wanted: Look, max_pixels: int) -> Seen:
    """Open a photo and see it as a network does. Raises LostPhoto, and as `clean.checked`.

    The same as preparing the whole photo; a JPEG that is much larger is decoded at a fraction of
    its size, still at least twice as large as it is wanted.
    """
    data = _read(Path(wanted.path), wanted.largest)
    if data is None:
        raise LostPhoto(name=wanted.name)
    side = 4 * max(sides(wanted.preprocessing.resize))
    with clean.checked(data, max_pixels) as opened:
        size = opened.size
        opened.draft("RGB", (side, side))
        whole = clean.loaded(opened, max_pixels).convert("RGB")
        turn = clean.orientation(opened)
        small = seen(clean.turned(whole, turn), wanted.preprocessing)
    return Seen(size[::-1] if turn >= 5 else size, small.mode, small.size, small.tobytes())


def _read(path: Path, largest: int) -> bytes | None:
    """A photo's file; one that is kept here is checked by its hash. None when it is of no use."""
    if is_blob(path):
        return read_whole(path)
    try:
        return read_regular(path, largest)
    except (OSError, Unreadable):
        return None
