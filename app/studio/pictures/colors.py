"""Colours: (a picture of any of Pillow's modes) -> RGB as it is meant to look on an sRGB screen.

Profiles are applied, 16 bits reduced to 8, and what is transparent lies over white.
"""

import io
from contextlib import suppress

from PIL import Image, ImageCms, ImageMath

SRGB = ImageCms.createProfile("sRGB")
#: What a profile must be for, to be applied to a picture of this mode.
SPACES = {"RGB": "RGB ", "CMYK": "CMYK", "L": "GRAY", "LAB": "Lab "}
ORDINARY = {"L", "LA", "RGB", "RGBA", "CMYK", "LAB"}
MOST_16 = 65535
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


def _eight_bits(picture: Image.Image) -> Image.Image:
    """16-bit, 32-bit and floating point greys as 8-bit greys; other modes as they are.

    Whole numbers up to 65535 are 16-bit greys, fractions up to 1 the range 0..1; any others are
    measurements, shown from their lowest to their highest. What is no number
    looks as the lowest does.
    """
    if picture.mode.startswith("I;16"):
        picture = picture.convert("I")
    if picture.mode not in ("I", "F"):
        return picture
    if picture.mode == "F":
        picture = _numbers(picture)
    low, high = _extremes(picture)
    most = MOST_16 if picture.mode == "I" else 1.0
    if low >= 0 and high <= most:
        low, high = 0, most
    picture.info.pop("transparency", None)  # a grey of 16 bits, which no pixel has any more
    factor = 255 / (high - low) if high > low else 1.0
    return picture.point(lambda value: value * factor - low * factor).convert("L")


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
