"""Colours: (a picture of any of Pillow's modes) -> RGB as it is meant to look on an sRGB screen.

Profiles are applied, 16 bits reduced to 8, and what is transparent lies over white.
"""

import io
import sys
from contextlib import suppress

from PIL import Image, ImageCms, ImageFile, ImageMath

SRGB = ImageCms.createProfile("sRGB")
#: What a profile must be for, to be applied to a picture of this mode.
SPACES = {"RGB": "RGB ", "CMYK": "CMYK", "L": "GRAY", "LAB": "Lab "}
ORDINARY = {"L", "LA", "RGB", "RGBA", "CMYK", "LAB"}
MOST_16 = 65535
#: Fourteen bits: what fewer than these hold in a range of 16 bits looks nearly black.
MOST_NARROW = (1 << 14) - 1
EIGHT_BITS = 255
#: TIFF's tags: bits of a sample, and whether it has a sign (2).
BITS, FORMAT, SIGNED = 258, 339, 2
#: Orders of the two bytes of a sample: read in the other one, the low byte is the first.
OTHER_ORDER = {"L": "B", "B": "L", "N": "B" if sys.byteorder == "little" else "L"}
#: Above it a floating point pixel holds no number of its own.
LARGEST = 3.4e38


def ordinary(picture: Image.Image) -> Image.Image:
    """The same colours in a mode that can be resized: L, LA, RGB, RGBA, CMYK or LAB."""
    picture = _eight_bits(picture)
    if picture.has_transparency_data and picture.mode not in ("RGBA", "LA"):
        return picture.convert("LA" if picture.mode == "La" else "RGBA")
    if picture.mode == "1":
        return picture.convert("L")
    return picture if picture.mode in ORDINARY else picture.convert("RGB")


def srgb(picture: Image.Image, profile: bytes | None) -> Image.Image:
    """RGB as the profile means the colours of an ordinary picture; what is transparent is white."""
    if picture.mode not in ("RGBA", "LA"):
        return _managed(picture, profile)
    colors = _managed(picture.convert("RGB" if picture.mode == "RGBA" else "L"), profile)
    white = Image.new("RGB", colors.size, "white")
    white.paste(colors, mask=picture.getchannel("A"))
    return white


def _managed(picture: Image.Image, profile: bytes | None) -> Image.Image:
    """RGB by the picture's own profile, where it has one that fits."""
    if picture.mode == "LAB":
        source = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB"))
        return _converted(picture, source)
    if profile and picture.mode in SPACES:
        # A broken profile says nothing: then the plain conversion is the best guess.
        with suppress(ImageCms.PyCMSError, OSError, ValueError):
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            if source.profile.xcolor_space == SPACES[picture.mode]:
                return _converted(picture, source)
    return picture if picture.mode == "RGB" else picture.convert("RGB")


def _converted(picture: Image.Image, source: ImageCms.ImageCmsProfile) -> Image.Image:
    converted = ImageCms.profileToProfile(picture, source, SRGB, outputMode="RGB")
    assert converted is not None, "it was not asked to work in place"
    return converted


def low_bytes(opened: ImageFile.ImageFile) -> Image.Image | None:
    """The low bytes of 16-bit colours that use 14 bits or fewer; Pillow decodes the high ones.

    None for all others, of which the high ones are enough.
    """
    assert isinstance(opened.fp, io.BytesIO), "pictures are opened from memory"
    data = opened.fp.getvalue()
    orders = [_order(tile) for tile in opened.tile]
    if opened.mode not in ("RGB", "RGBA") or not orders or not all(orders):
        return None
    with Image.open(io.BytesIO(data), formats=(str(opened.format),)) as high:
        if max(_extremes(band)[1] for band in high.split()[:3]) > MOST_NARROW >> 8:
            return None
    low = Image.open(io.BytesIO(data), formats=(str(opened.format),))
    low.tile = [_in_other_order(tile) for tile in low.tile]
    low.load()
    return low


def with_low_bytes(picture: Image.Image, low: Image.Image | None) -> Image.Image:
    """A picture of high bytes joined with its low ones, if there are any: 8 of the bits used."""
    if low is None:
        return picture
    pairs = list(zip(picture.split(), low.split(), strict=True))
    whole = [ImageMath.lambda_eval(_joined, h=high, l=rest) for high, rest in pairs]
    colors, alpha = whole[:3], whole[3:]
    most = used_range(max(_extremes(band)[1] for band in colors), MOST_16)
    bands = [_scaled(band, most) for band in colors]
    bands += [_scaled(band, used_range(_extremes(band)[1], MOST_16)) for band in alpha]
    return Image.merge(picture.mode, bands)


def _joined(bands: dict[str, ImageMath._Operand]) -> ImageMath._Operand:
    return bands["h"] * 256 + bands["l"]


def _scaled(band: Image.Image, most: float) -> Image.Image:
    return band.point(lambda value: value * (255 / most) + 0.5).convert("L")


def _order(tile: ImageFile._Tile) -> str:
    """L, B or N: the order of a tile's bytes; empty when its samples have no two of them."""
    arguments = tile.args[0] if isinstance(tile.args, tuple) else tile.args
    name, _, order = str(arguments).partition(";16")
    return order if name in ("RGB", "RGBA", "RGBX") and order in OTHER_ORDER else ""


def _in_other_order(tile: ImageFile._Tile) -> ImageFile._Tile:
    def other(name: str) -> str:
        return name[:-1] + OTHER_ORDER[name[-1]]

    if isinstance(tile.args, tuple):
        return tile._replace(args=(other(str(tile.args[0])), *tile.args[1:]))
    return tile._replace(args=other(str(tile.args)))


def _eight_bits(picture: Image.Image) -> Image.Image:
    """16-bit, 32-bit and floating point greys as 8-bit greys; other modes as they are.

    Whole numbers up to 65535 are 16-bit greys, fractions up to 1 the range 0..1; any others are
    measurements, shown from their lowest to their highest. Of a range of which less than a
    quarter is used (12 bits in a file of 16) only so many bits are shown as are used. What is no
    number looks as the lowest does.
    """
    declared = _declared(picture)
    if picture.mode.startswith("I;16"):
        picture = picture.convert("I")
    if picture.mode not in ("I", "F"):
        return picture
    if picture.mode == "F":
        picture = _numbers(picture)
    low, high = _extremes(picture)
    most = declared if picture.mode == "I" else 1.0
    if low >= 0 and high <= most:
        low, high = 0, used_range(high, most)
    picture.info.pop("transparency", None)  # a grey of 16 bits, which no pixel has any more
    factor = 255 / (high - low) if high > low else 1.0
    return picture.point(lambda value: value * factor + (0.5 - low * factor)).convert("L")


def used_range(high: float, most: float) -> float:
    """The end of a range from 0: as declared, or by whole bits what is used of it if that is less
    than a quarter. Of whole numbers at least 8 bits.
    """
    end = most
    while high <= (end - 1) // 2 if most > 1 else 0 < high <= end / 2:
        end = (end - 1) // 2 if most > 1 else end / 2
        if end == EIGHT_BITS:
            break
    return end if end < most / 3 else most


def _declared(picture: Image.Image) -> int:
    """The highest value that a whole grey may have by its file, 65535 if it is silent."""
    tags = getattr(picture, "tag_v2", {})
    with suppress(TypeError, IndexError, KeyError):
        bits, kind = int(tags[BITS][0]), tags.get(FORMAT, (1,))[0]
        if 8 < bits <= 16:
            return (1 << bits - int(kind == SIGNED)) - 1
    return MOST_16


def _numbers(picture: Image.Image) -> Image.Image:
    """Floating point pixels with the lowest number where there was infinity or none at all."""
    # Times zero neither is a number; and of such a one and a number, min and max take the latter.
    known = ImageMath.lambda_eval(lambda a: a["f"] + a["f"] * 0, f=picture)
    low = ImageMath.lambda_eval(lambda a: a["min"](a["f"], LARGEST), f=known).getextrema()[0]
    numbers = ImageMath.lambda_eval(lambda a: a["max"](a["f"], low), f=known)
    assert isinstance(numbers, Image.Image)
    return numbers


def _extremes(picture: Image.Image) -> tuple[float, float]:
    low, high = picture.getextrema()
    assert not isinstance(low, tuple), "a mode with one band"
    assert not isinstance(high, tuple), "a mode with one band"
    return low, high
