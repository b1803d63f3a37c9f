"""Pictures in: (bytes from outside) -> a clean picture: upright, sRGB, no metadata, not too large.

Runs in a process that may be ended at any time (studio/engine/decoders.py); Pillow is given the
one format that the first bytes say, and nothing else.
"""

import io
import math
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from PIL import Image, ImageFile

from app.errors import DamagedPicture, LaternaError, TooManyPixels, TooManyScans
from app.studio.pictures.big_tiff import BIG_ENDIAN_BIG, as_tiff
from app.studio.pictures.colors import low_bytes, ordinary, srgb, with_low_bytes
from app.studio.pictures.formats import kind_of

PREVIEW_SIDE = 1024
#: What networks ask for of the shorter side: however long a picture is, it keeps as much of it.
NETWORK_SIDE = 512
#: The square of so many sides is the largest area that a long picture is kept with.
STRIP_SIDES = 2
#: Progressive JPEGs have about 10 scans, the most odd ones some 60. 4,000 take Pillow 20 seconds.
MOST_SCANS = 200
#: A marker of a JPEG; two zero digits behind 255 are data, and restarts say nothing here.
MARKER = re.compile(rb"\xff+([\x01-\xcf\xd8-\xfe])")
SCAN, END = 0xDA, 0xD9
ALONE = {0x01, 0xD8}
ORIENTATION = 0x0112
UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


@dataclass(frozen=True)
class CleanPicture:
    """A picture as kept: lossless PNG (RGB), a JPEG preview, and how large it is and was."""

    picture: bytes
    preview: bytes
    width: int
    height: int
    original_width: int
    original_height: int


def clean(data: bytes, max_pixels: int, side: int) -> CleanPicture:
    """Decode, turn upright, convert to sRGB over white, reduce, and encode anew.

    side: of the longer side, in pixels; but the shorter one keeps 512 of them, or half of `side`.
    Raises NotAPicture, HeicRefused, TooManyPixels, TooManyScans, DamagedPicture.
    """
    with checked(data, max_pixels) as opened:
        return _clean(opened, max_pixels, side)


@contextmanager
def checked(data: bytes, max_pixels: int) -> Iterator[ImageFile.ImageFile]:
    """A picture as Pillow opens it, to be decoded inside the `with`. Raises what is wrong with it.

    NotAPicture, HeicRefused, TooManyPixels, TooManyScans, DamagedPicture.
    """
    kind = kind_of(data)
    Image.MAX_IMAGE_PIXELS = max_pixels
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        try:
            if kind == "JPEG" and (scans := _scans(data)) > MOST_SCANS:
                raise TooManyScans(scans=scans)
            if data.startswith(BIG_ENDIAN_BIG):
                data = as_tiff(data)
            with Image.open(io.BytesIO(data), formats=(kind,)) as opened:
                if opened.width * opened.height > max_pixels:
                    raise _too_many(opened.width * opened.height, max_pixels)
                yield opened
        except (LaternaError, MemoryError):
            raise
        except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
            pixels = re.search(r"\d+", str(error))
            raise _too_many(int(pixels[0]) if pixels else 2 * max_pixels, max_pixels) from None
        except Exception as error:  # what Pillow's decoders raise on damaged files is anything
            raise DamagedPicture() from error


def _clean(opened: ImageFile.ImageFile, max_pixels: int, side: int) -> CleanPicture:
    width, height = opened.size
    if opened.format == "JPEG":
        # Decodes at a whole fraction of the size, still at least twice what is kept.
        opened.draft(None, (2 * side, 2 * side))
    rest = low_bytes(opened)
    loaded(opened, max_pixels)
    turn = orientation(opened)
    profile = opened.info.get("icc_profile")
    # Reduced first, as colours take longer than sizes.
    colors = ordinary(with_low_bytes(opened, rest))
    picture = srgb(_reduced(colors, _scale(colors, side), Image.Resampling.BICUBIC), profile)
    picture = turned(picture, turn)
    scale = min(1.0, PREVIEW_SIDE / max(picture.size))
    preview = _reduced(picture, scale, Image.Resampling.LANCZOS)
    return CleanPicture(
        picture=_encoded(picture, "PNG", compress_level=1),
        preview=_encoded(preview, "JPEG", quality=88),
        width=picture.width,
        height=picture.height,
        original_width=height if turn >= 5 else width,
        original_height=width if turn >= 5 else height,
    )


def _scans(data: bytes) -> int:
    """How many scans a JPEG has, not counting what is packed into it or follows its end."""
    scans, at = 0, 2
    while marker := MARKER.search(data, at):
        at, code = marker.end(), marker[1][0]
        if code == END:
            break
        if code not in ALONE:
            scans += code == SCAN
            at += int.from_bytes(data[at : at + 2], "big")
    return scans


def _too_many(pixels: int, limit: int) -> TooManyPixels:
    megapixels = f"{pixels / 1_000_000:,.0f}"
    return TooManyPixels(megapixels=megapixels, limit=f"{limit / 1_000_000:g}")


def loaded(opened: Image.Image, max_pixels: int) -> Image.Image:
    """The same picture, decoded. Raises TooManyPixels; some tell another size while they load."""
    opened.load()
    if opened.width * opened.height > max_pixels:
        raise _too_many(opened.width * opened.height, max_pixels)
    return opened


def turned(picture: Image.Image, orientation: int) -> Image.Image:
    """Upright, for an orientation of 1..8 as EXIF has them."""
    return picture.transpose(UPRIGHT[orientation]) if orientation in UPRIGHT else picture


def orientation(picture: Image.Image) -> int:
    """1..8 as EXIF says; 1 where it says nothing, or nonsense: the picture is still good."""
    with suppress(Exception):
        value = picture.getexif().get(ORIENTATION, 1)
        return int(value) if value in UPRIGHT else 1
    return 1


def _scale(picture: Image.Image, side: int) -> float:
    """What to reduce a picture by, 1 or less, so that networks still see enough of it.

    A strip more than 64 times as long as high would take too long, and gets less.
    """
    shorter, longer = sorted(picture.size)
    enough = min(NETWORK_SIDE, side // 2) / shorter
    bounded = STRIP_SIDES * side / math.sqrt(shorter * longer)
    return min(1.0, max(side / longer, min(enough, bounded)))


def _reduced(picture: Image.Image, scale: float, way: Image.Resampling) -> Image.Image:
    """At that scale, and at least a pixel."""
    if scale >= 1:
        return picture
    size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
    return picture.resize(size, way, reducing_gap=1.5)


def _encoded(picture: Image.Image, kind: str, **how: int) -> bytes:
    picture.info.clear()  # Pillow would write profiles and comments that it finds here
    file = io.BytesIO()
    picture.save(file, kind, **how)
    return file.getvalue()
