"""Pictures in: (bytes from outside) -> a clean picture: upright, sRGB, no metadata, not too large.

Runs in a process that may be ended at any time (studio/engine/decoders.py); Pillow is given the
one format that the first bytes say, and nothing else.
"""

import io
import warnings
from dataclasses import dataclass

from PIL import Image, ImageCms, ImageOps, ImageSequence, UnidentifiedImageError

from app.errors import DamagedPicture, HeicRefused, NotAPicture, TooManyPixels

PREVIEW_SIDE = 640
SRGB = ImageCms.createProfile("sRGB")
#: All the ways in which Pillow's decoders fail on damaged files.
BROKEN = (
    OSError,
    ValueError,
    SyntaxError,
    EOFError,
    LookupError,
    TypeError,
    ArithmeticError,
    AttributeError,
    RuntimeError,
)
HEIC_BRANDS = (b"heic", b"heix", b"hevc", b"heim", b"heis", b"hevm", b"hevs", b"mif1", b"msf1")


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
    """Decode, turn upright, convert to sRGB over white, reduce to `side`, and encode anew.

    Raises NotAPicture, HeicRefused, TooManyPixels, DamagedPicture.
    """
    kind = kind_of(data)
    Image.MAX_IMAGE_PIXELS = max_pixels
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        try:
            return _clean(data, kind, max_pixels, side)
        except (Image.DecompressionBombError, Image.DecompressionBombWarning):
            raise TooManyPixels(megapixels="too many", limit=max_pixels // 1_000_000) from None
        except UnidentifiedImageError:
            raise NotAPicture() from None
        except BROKEN as error:
            raise DamagedPicture() from error


def kind_of(data: bytes) -> str:
    """Pillow's name of the format that the first bytes say. Raises NotAPicture, HeicRefused."""
    start = data[:32]
    for kind, magic in (
        ("JPEG", b"\xff\xd8\xff"),
        ("PNG", b"\x89PNG\r\n\x1a\n"),
        ("GIF", b"GIF87a"),
        ("GIF", b"GIF89a"),
        ("TIFF", b"II*\0"),
        ("TIFF", b"MM\0*"),
    ):
        if start.startswith(magic):
            return kind
    if start[:4] == b"RIFF" and start[8:12] == b"WEBP":
        return "WEBP"
    if start[:2] == b"BM" and int.from_bytes(start[14:18], "little") in (
        12,
        40,
        52,
        56,
        64,
        108,
        124,
    ):
        return "BMP"
    if start[4:8] == b"ftyp":
        brands = {start[8:12], *(data[at : at + 4] for at in range(16, 64, 4))}
        if brands & {b"avif", b"avis"}:
            return "AVIF"
        if brands & set(HEIC_BRANDS):
            raise HeicRefused()
    raise NotAPicture()


def _clean(data: bytes, kind: str, max_pixels: int, side: int) -> CleanPicture:
    with Image.open(io.BytesIO(data), formats=(kind,)) as opened:
        width, height = opened.size
        if width * height > max_pixels:
            megapixels = f"{width * height / 1_000_000:.0f}"
            raise TooManyPixels(megapixels=megapixels, limit=max_pixels // 1_000_000)
        if kind == "JPEG":
            # Decodes at a whole fraction of the size, still at least twice what is kept.
            opened.draft(None, (2 * side, 2 * side))
        frame: Image.Image = next(iter(ImageSequence.Iterator(opened)))
        frame.load()
        turned = opened.getexif().get(0x0112, 1) >= 5
        upright = ImageOps.exif_transpose(frame)
        picture = _reduced(_rgb(upright, opened.info.get("icc_profile")), side)
    original = (height, width) if turned else (width, height)
    preview = _reduced(picture, PREVIEW_SIDE)
    return CleanPicture(
        picture=_encoded(picture, "PNG", compress_level=1),
        preview=_encoded(preview, "JPEG", quality=88),
        width=picture.width,
        height=picture.height,
        original_width=original[0],
        original_height=original[1],
    )


def _rgb(picture: Image.Image, profile: bytes | None) -> Image.Image:
    """RGB with the colours meant: profiles applied, 16 bits reduced, transparency over white."""
    picture = _eight_bits(picture)
    has_alpha = "A" in picture.getbands() or "transparency" in picture.info
    if has_alpha and picture.mode not in ("RGBA", "LA"):
        picture = picture.convert("RGBA")
    if picture.mode in ("RGBA", "LA"):
        alpha = picture.getchannel("A")
        colors = _managed(picture.convert("RGB" if picture.mode == "RGBA" else "L"), profile)
        white = Image.new("RGB", colors.size, "white")
        white.paste(colors, mask=alpha)
        return white
    if picture.mode in ("P", "1"):
        picture = picture.convert("RGB" if picture.mode == "P" else "L")
    return _managed(picture, profile)


def _eight_bits(picture: Image.Image) -> Image.Image:
    """16-bit and floating point greys as 8-bit greys; other modes as they are."""
    if picture.mode.startswith("I;16"):
        return picture.convert("I").point(lambda value: value / 257).convert("L")
    if picture.mode == "I":
        low, high = _extremes(picture)
        if low >= 0 and high <= 65535:
            return picture.point(lambda value: value / 257).convert("L")
        return _stretched(picture, low, high)
    if picture.mode == "F":
        low, high = _extremes(picture)
        return (
            _stretched(picture, 0.0, 1.0)
            if low >= 0 and high <= 1
            else _stretched(picture, low, high)
        )
    return picture


def _extremes(picture: Image.Image) -> tuple[float, float]:
    low, high = picture.getextrema()
    if isinstance(low, tuple) or isinstance(high, tuple):
        raise ValueError("one band was expected")
    return low, high


def _stretched(picture: Image.Image, low: float, high: float) -> Image.Image:
    """Greys from low to high as 0..255."""
    if not high > low:
        return picture.convert("L")
    factor = 255 / (high - low)
    return picture.point(lambda value: value * factor - low * factor).convert("L")


def _managed(picture: Image.Image, profile: bytes | None) -> Image.Image:
    """RGB by the picture's own colour profile, where it has one that fits."""
    if profile and picture.mode in ("RGB", "CMYK", "L"):
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            space = {"RGB": "RGB ", "CMYK": "CMYK", "L": "GRAY"}[picture.mode]
            if source.profile.xcolor_space == space:
                converted = ImageCms.profileToProfile(picture, source, SRGB, outputMode="RGB")
                return converted if converted is not None else picture.convert("RGB")
        except (ImageCms.PyCMSError, OSError, ValueError):
            pass  # a broken profile says nothing: the plain conversion is the best guess
    return picture.convert("RGB")


def _reduced(picture: Image.Image, side: int) -> Image.Image:
    """At most `side` pixels on the longer side."""
    if max(picture.size) <= side:
        return picture
    scale = side / max(picture.size)
    size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
    return picture.resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0)


def _encoded(picture: Image.Image, kind: str, **how: int) -> bytes:
    plain = Image.new("RGB", picture.size)  # carries nothing over
    plain.paste(picture)
    file = io.BytesIO()
    plain.save(file, kind, **how)
    return file.getvalue()
